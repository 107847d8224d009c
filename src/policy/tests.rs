use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::{
    catalogue::{ALL, field_set, field_sets},
    domain::{Oin, purpose::NEVER_SERVED},
};

mod broken;

pub(in crate::policy) use broken::{copy, edit};

pub(super) fn shipped() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policies")
}

/// The shipped policies, loaded once: the set never changes.
pub(super) fn policies() -> &'static SealedPolicies {
    static SET: std::sync::LazyLock<SealedPolicies> = std::sync::LazyLock::new(|| {
        SealedPolicies::load(&shipped(), true, TODAY).unwrap_or_else(|faults| panic!("{faults}"))
    });
    &SET
}

/// A day on which the shipped policies are in effect.
pub(super) const TODAY: Day = time::macros::date!(2026 - 11 - 27);

fn oin(number: u8) -> Oin {
    format!("000000990000000{number:02}000").parse().unwrap()
}

fn purpose(name: &str) -> Purpose {
    name.parse().unwrap()
}

fn question(name: &str, role: Role, source_kind: OrganisationKind, fields: Mask, facts: Facts) -> Question {
    Question { recipient: oin(1), role, purpose: purpose(name), source: oin(2), source_kind, fields, facts }
}

fn sets(names: &[&str]) -> Mask {
    names.iter().fold(Mask::EMPTY, |mask, name| mask.or(field_set(name)))
}

pub(super) const ACTIVE: [&str; 10] = [
    "JOB_COACHING",
    "JOB_PLACEMENT",
    "PLAN_ALIGNMENT",
    "PROGRESS_UPDATE",
    "REINTEGRATION",
    "SHELTERED_WORK",
    "TARGET_GROUP_REGISTER",
    "WAGE_VALUE",
    "WARM_HANDOVER",
    "WORKPLACE_ADJUSTMENT",
];
pub(super) const KINDS: [OrganisationKind; 4] =
    [OrganisationKind::Gemeente, OrganisationKind::Uwv, OrganisationKind::Ggz, OrganisationKind::Gateway];

#[test]
fn the_catalogue_of_purposes() {
    let set = policies();
    let active: Vec<_> = set.purposes().filter(|entry| entry.active).map(|e| e.purpose.as_str()).collect();
    assert_eq!(active, ACTIVE);
    assert_eq!(set.purposes().count(), 15);
    for entry in set.purposes() {
        assert_eq!(entry.open_question.is_none(), entry.active, "{}", entry.purpose);
        assert_eq!(entry.review == Some(Review::Example), entry.active, "{}", entry.purpose);
        assert_eq!(entry.max_months > 0, entry.active, "{}", entry.purpose);
    }
    let reintegration = set.purpose(&purpose("REINTEGRATION")).unwrap();
    assert_eq!(reintegration.row, "U01");
    assert_eq!(reintegration.basis_receipt(OrganisationKind::Ggz), None);
    assert!(reintegration.basis_disclosure(OrganisationKind::Ggz).unwrap().contains("7:457"));
    assert!(set.purpose(&purpose("SHOE_SALES")).is_none());
}

#[test]
fn r02_ceilings_are_those_of_the_catalogue() {
    let ceiling = |name, role, kind| policies().ceiling(&purpose(name), role, kind);
    let elsewhere = ["VW_SHELTERED", "RG_REGISTER", "RG_WAGE", "RG_SHELTERED", "RG_SCHEMES", "MT"];
    assert_eq!(
        ceiling("REINTEGRATION", Role::GemKlantmanager, OrganisationKind::Ggz),
        Mask::all().minus(sets(&elsewhere))
    );
    let conditions = ["WT", "PF_CONDITIONS", "SF_CONDITIONS", "VW_BASIC", "VW_DETAIL", "TR"];
    let specialist = |name| ceiling(name, Role::GgzTrajectbegeleider, OrganisationKind::Uwv);
    assert_eq!(specialist("PLAN_ALIGNMENT"), sets(&conditions));
    assert_eq!(specialist("JOB_COACHING"), sets(&conditions).or(field_set("FO")));
    for name in ["PLAN_ALIGNMENT", "JOB_COACHING"] {
        assert_eq!(ceiling(name, Role::UwvArbeidsdeskundige, OrganisationKind::Uwv), Mask::EMPTY);
    }
    let placement = |role, kind| ceiling("JOB_PLACEMENT", role, kind);
    assert_eq!(placement(Role::GemAccounthouder, OrganisationKind::Uwv), sets(&["WT", "VW_BASIC", "MT"]));
    let expert = |name| ceiling(name, Role::UwvArbeidsdeskundige, OrganisationKind::Gemeente);
    assert_eq!(expert("WAGE_VALUE"), sets(&["WT", "VW_BASIC", "RG_REGISTER", "RG_WAGE", "RG_SCHEMES"]));
    assert_eq!(expert("WORKPLACE_ADJUSTMENT"), sets(&["WT", "FO", "DH", "SH", "VW_BASIC", "VW_DETAIL"]));
    assert_eq!(
        expert("SHELTERED_WORK"),
        sets(&["WT", "VW_BASIC", "VW_DETAIL", "VW_SHELTERED", "AV", "RG_SHELTERED"])
    );
    let register = ceiling("TARGET_GROUP_REGISTER", Role::UwvAdviseur, OrganisationKind::Uwv);
    assert_eq!(register, field_set("RG_REGISTER"));
    // To be known at a GGZ is health data: no trace of it where vacancies, schemes or workplaces are concerned.
    for name in
        ["JOB_PLACEMENT", "SHELTERED_WORK", "TARGET_GROUP_REGISTER", "WAGE_VALUE", "WORKPLACE_ADJUSTMENT"]
    {
        for role in Role::ALL {
            assert_eq!(ceiling(name, role, OrganisationKind::Ggz), Mask::EMPTY, "{name} {role}");
        }
        for kind in KINDS {
            assert_eq!(ceiling(name, Role::GgzTrajectbegeleider, kind), Mask::EMPTY, "{name} {kind}");
        }
    }
    for kind in KINDS {
        assert_eq!(ceiling("AFTERCARE", Role::GemKlantmanager, kind), Mask::EMPTY);
    }
}

/// Every field is in a set that policies can speak of, and in one only.
#[test]
fn field_sets_divide_the_catalogue() {
    let sizes: usize = field_sets().into_iter().map(|name| field_set(name).len()).sum();
    assert_eq!(sizes, ALL.len());
    assert_eq!(sets(&field_sets()), Mask::all());
}

#[test]
fn a_permit_says_what_it_is_for() {
    let asked = sets(&["WT", "VW_SHELTERED"]);
    let question = question("JOB_COACHING", Role::GemJobcoach, OrganisationKind::Ggz, asked, Facts::ALL);
    let permit = policies().permit(question).unwrap();
    assert_eq!((*permit.recipient(), *permit.source()), (oin(1), oin(2)));
    assert_eq!((permit.role(), permit.purpose()), (Role::GemJobcoach, &purpose("JOB_COACHING")));
    assert_eq!(permit.fields(), field_set("WT"));
    assert_eq!(permit.rules(), ["JOB_COACHING/gem-jobcoach"]);
    assert_eq!(permit.policy_hash(), policies().hash());
}

/// R14: consent does not cure a missing condition, nor the other way round.
#[test]
fn r14_each_fact_is_needed() {
    for name in ACTIVE {
        for (role, kind) in Role::ALL.into_iter().flat_map(|role| KINDS.map(|kind| (role, kind))) {
            let ceiling = policies().ceiling(&purpose(name), role, kind);
            if ceiling.is_empty() {
                continue;
            }
            let ask = |facts| policies().permit(question(name, role, kind, ceiling, facts));
            assert_eq!(ask(Facts::ALL).unwrap().fields(), ceiling);
            for fact in Facts::NAMES {
                let denial = ask(Facts::ALL.without(fact).unwrap()).unwrap_err();
                assert_eq!(denial.error, None);
                assert_eq!(denial.rules.len(), 1, "{name} {role} without {fact}: {denial:?}");
            }
        }
    }
}

#[test]
fn r29_no_purpose_outside_the_active_ones() {
    for name in NEVER_SERVED {
        assert!(name.parse::<Purpose>().is_err());
    }
    let ask = |name| {
        let question = question(name, Role::GemKlantmanager, OrganisationKind::Uwv, Mask::all(), Facts::ALL);
        policies().permit(question).unwrap_err()
    };
    assert_eq!(ask("SHOE_SALES"), DenialError::PurposeUnknown.into());
    assert_eq!(ask("CASE_DISCUSSION"), DenialError::PurposeInactive.into());
}

#[test]
fn p12_examples_do_not_load_in_production() {
    let faults = PolicySet::load(&shipped(), false, TODAY).unwrap_err();
    let examples = |fault: &PolicyFault| matches!(fault.problem, Problem::ExampleInProduction(_));
    assert_eq!(faults.faults().len(), ACTIVE.len());
    assert!(faults.faults().iter().all(examples), "{faults}");
}

fn facts() -> impl Strategy<Value = Facts> {
    // Mostly nearly everything holds: that is where a mistake would open.
    proptest::sample::subsequence(Facts::NAMES.to_vec(), 0..=Facts::NAMES.len())
        .prop_map(|missing| missing.into_iter().fold(Facts::ALL, |facts, name| facts.without(name).unwrap()))
}

fn masks() -> impl Strategy<Value = Mask> {
    proptest::collection::vec(0..ALL.len(), 0..ALL.len())
        .prop_map(|numbers| numbers.into_iter().map(|number| ALL[number]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn p02_a_permit_never_has_more_than_the_question_and_the_ceiling(
        name in proptest::sample::select(&ACTIVE[..]),
        role in proptest::sample::select(&Role::ALL[..]),
        kind in proptest::sample::select(&KINDS[..]),
        fields in masks(),
        facts in facts(),
    ) {
        let within = fields.and(policies().ceiling(&purpose(name), role, kind));
        match policies().permit(question(name, role, kind, fields, facts)) {
            Ok(permit) => {
                prop_assert!(facts.all_hold());
                prop_assert!(!permit.rules().is_empty());
                prop_assert_eq!(permit.fields(), within);
            }
            Err(denial) => {
                prop_assert!(within.is_empty() || !facts.all_hold());
                prop_assert_eq!(denial.error, None);
            }
        }
    }

    /// A slice leaves out what could not hold, and nothing else: not one denial names other rules.
    #[test]
    fn a_slice_decides_as_the_whole_set(
        name in proptest::sample::select(&ACTIVE[..]),
        role in proptest::sample::select(&Role::ALL[..]),
        kind in proptest::sample::select(&KINDS[..]),
        field_set in proptest::sample::select(field_sets()),
        facts in facts(),
    ) {
        let ask = engine::Ask { role, purpose: purpose(name), source_kind: kind, field_set, facts };
        let sliced = policies().engine.decide(&ask).unwrap();
        let request = engine::request(&ask, &policies().schema).unwrap();
        let whole = cedar_policy::Authorizer::new()
            .is_authorized(&request, &policies().rules, &cedar_policy::Entities::empty());
        prop_assert_eq!(sliced.permitted, whole.decision() == cedar_policy::Decision::Allow);
        let mut rules: Vec<_> = whole.diagnostics().reason().map(ToString::to_string).collect();
        rules.sort();
        prop_assert_eq!(&sliced.rules, &rules);
    }

    #[test]
    fn p01_no_facts_no_permit(
        name in proptest::sample::select(&ACTIVE[..]),
        role in proptest::sample::select(&Role::ALL[..]),
        kind in proptest::sample::select(&KINDS[..]),
        fields in masks(),
    ) {
        prop_assert!(policies().permit(question(name, role, kind, fields, Facts::default())).is_err());
    }
}
