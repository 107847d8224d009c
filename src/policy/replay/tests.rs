use std::fs;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    catalogue::{ALL, field_set},
    domain::{OrganisationKind, Role},
    policy::{
        Facts,
        tests::{TODAY, copy, edit, policies},
    },
};

/// A decision as the exchange would have logged it under the shipped policies.
fn decided(
    role: Role,
    purpose: &str,
    kind: OrganisationKind,
    requested: Mask,
    granted: Mask,
    facts: Facts,
) -> PastDecision {
    let purpose = purpose.parse().unwrap();
    let source = "00000099000000002000".parse().unwrap();
    let set = policies();
    let granted = granted.and(requested);
    let question = Question {
        recipient: "00000099000000001000".parse().unwrap(),
        role,
        purpose,
        source,
        source_kind: kind,
        fields: if granted.is_empty() { requested } else { granted },
        facts,
    };
    let (permitted, rules) = match set.outcome(&question) {
        Ok(permitted) => (permitted.fields, permitted.rules),
        Err(denial) => (Mask::EMPTY, denial.rules),
    };
    PastDecision {
        position: 7,
        policy: set.hash().to_owned(),
        recipient: question.recipient,
        role,
        above_ceiling: requested.minus(set.ceiling(&question.purpose, role, kind)),
        purpose: question.purpose,
        requested,
        refusal: None,
        sources: vec![PastSource {
            source,
            source_kind: kind,
            agreements: vec!["AGR-1".to_owned()],
            agreed: requested,
            granted,
            facts,
            permitted,
            released: permitted,
            rules,
            reason: "RELEASED".to_owned(),
        }],
    }
}

fn coaching(requested: Mask) -> PastDecision {
    let kind = OrganisationKind::Ggz;
    decided(Role::GemJobcoach, "JOB_COACHING", kind, requested, requested, Facts::ALL)
}

/// The shipped policies with one file changed.
fn changed(file: &str, from: &str, to: &str) -> PolicySet {
    let dir = copy();
    edit(dir.path(), file, |text| text.replacen(from, to, 1));
    PolicySet::load(dir.path(), true, TODAY).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn a_narrower_ceiling_is_seen_in_the_decisions_it_would_change() {
    let narrower = changed("purposes/JOB_COACHING.cedar", "Sluis::FieldSet::\"FO\", ", "");
    let asked = field_set("WT").or(field_set("FO")).or(field_set("AV"));
    let decision = coaching(asked);
    assert_eq!(decision.repeat(policies()), []);
    let differs = decision.repeat(&narrower);
    assert!(differs.iter().any(|differs| differs.what == "what was asked for"), "{differs:?}");

    let found = decision.against(&narrower);
    assert_eq!(found.sources[&decision.sources[0].source], (field_set("FO"), Mask::EMPTY));
    assert_eq!(found.now_above_ceiling, field_set("FO"));
    assert!(!found.refused_now && found.no_longer_above_ceiling.is_empty());
    assert!(coaching(field_set("WT")).against(&narrower).is_nothing(), "what nobody asked is not missed");
    assert!(coaching(field_set("FO")).against(&narrower).refused_now);

    let mut summary = ReplaySummary::default();
    for decision in [&decision, &coaching(field_set("WT"))] {
        summary.add(decision, &decision.against(&narrower));
    }
    assert_eq!(summary.totals(), (2, 1));
    let told = summary.to_json();
    let lost = |row: &serde_json::Value| row["lost"].as_object().unwrap().len();
    assert_eq!(told["changes"].as_array().unwrap().iter().map(lost).sum::<usize>(), field_set("FO").len());
    assert_eq!(told["changes"][0]["positions"], json!([7]));
}

#[test]
fn a_wider_ceiling_gives_only_what_a_grant_covered() {
    let wider = changed(
        "purposes/JOB_COACHING.cedar",
        "Sluis::FieldSet::\"FO\", ",
        "Sluis::FieldSet::\"FO\", Sluis::FieldSet::\"AV\", ",
    );
    let (kind, role) = (OrganisationKind::Ggz, Role::GemJobcoach);
    let asked = field_set("WT").or(field_set("AV"));
    for (granted, gained) in [(asked, field_set("AV")), (field_set("WT"), Mask::EMPTY)] {
        let decision = decided(role, "JOB_COACHING", kind, asked, granted, Facts::ALL);
        let found = decision.against(&wider);
        assert_eq!(found.no_longer_above_ceiling, field_set("AV"));
        let of_source = found.sources.get(&decision.sources[0].source);
        assert_eq!(of_source.map_or(Mask::EMPTY, |(_, gained)| *gained), gained);
    }
}

#[test]
fn refusals_are_repeated_as_far_as_the_policies_decided_them() {
    let refused = |refusal, purpose: &str| {
        let decision = coaching(field_set("WT"));
        PastDecision { refusal, purpose: purpose.parse().unwrap(), sources: Vec::new(), ..decision }
    };
    let inactive = refused(Some(PastRefusal::PurposeInactive), "AFTERCARE");
    assert_eq!(inactive.repeat(policies()), []);
    assert!(!inactive.against(policies()).admitted_now);
    let wrong = refused(Some(PastRefusal::PurposeInactive), "JOB_COACHING");
    assert_eq!(wrong.repeat(policies()).len(), 1);
    assert!(wrong.against(policies()).admitted_now);
    assert_eq!(refused(Some(PastRefusal::PurposeUnknown), "SHOE_SALES").repeat(policies()), []);
    assert!(refused(Some(PastRefusal::Other), "JOB_COACHING").against(policies()).is_nothing());
}

#[test]
fn an_outcome_is_read_from_its_facts_and_detail() {
    let decision = coaching(field_set("WT"));
    let source = &decision.sources[0];
    let facts = json!({
        "requester": decision.recipient, "role": "gem.jobcoach", "purpose": "JOB_COACHING",
        "fields": catalogue::codes(decision.requested), "effect": "released", "refusal": null,
        "above_ceiling": [], "not_provided": [], "released": [], "policy": decision.policy, "answer": null,
    });
    let detail = json!({ "sources": [{
        "source": source.source, "source_kind": "ggz", "agreements": ["AGR-1"],
        "agreed": catalogue::codes(source.agreed), "granted": catalogue::codes(source.granted),
        "facts": source.facts.named().into_iter().collect::<BTreeMap<_, _>>(),
        "asked": catalogue::codes(source.permitted), "released": catalogue::codes(source.released),
        "rules": source.rules, "reason": "RELEASED", "surplus_fields": [], "surplus_unknown": 0,
    }] });
    let read = |facts: &serde_json::Value, detail: Option<&serde_json::Value>| {
        let detail = detail.map(ToString::to_string);
        PastDecision::read(7, facts.to_string().as_bytes(), detail.as_deref().map(str::as_bytes))
    };
    assert_eq!(read(&facts, Some(&detail)), Ok(Some(decision)));
    assert_eq!(read(&facts, None), Err(PastFault::NotOpened));
    let mut old = detail.clone();
    old["sources"][0].as_object_mut().unwrap().remove("facts");
    assert_eq!(read(&facts, Some(&old)), Err(PastFault::NotOpened));
    let mut odd = detail.clone();
    odd["sources"][0]["granted"] = json!(["XX-99"]);
    assert!(matches!(read(&facts, Some(&odd)), Err(PastFault::Unreadable(_))));
    for (name, value) in [("effect", json!("validated")), ("purpose", json!("FRAUD")), ("role", json!(null))]
    {
        let mut other = facts.clone();
        other[name] = value;
        assert_eq!(read(&other, Some(&detail)), Ok(None), "{name}");
    }
    assert!(matches!(read(&json!({}), None), Err(PastFault::Unreadable(_))));
}

#[test]
fn the_shipped_files_are_a_set_of_the_past_too() {
    let again = PolicySet::of_the_past(policies().files().clone()).unwrap();
    assert_eq!(again.hash(), policies().hash());
    let lost = fs::read_to_string(super::super::tests::shipped().join("guardrails.cedar")).unwrap();
    assert!(PolicySet::of_the_past(BTreeMap::from([("guardrails.cedar".to_owned(), lost)])).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// R38: whatever was decided under a policy is decided again under it.
    #[test]
    fn r38_every_decision_repeats_under_the_policy_of_its_day(
        role in proptest::sample::select(&Role::ALL[..]),
        purpose in proptest::sample::select(&super::super::tests::ACTIVE[..]),
        kind in proptest::sample::select(&super::super::tests::KINDS[..3]),
        requested in proptest::collection::vec(0..ALL.len(), 1..60),
        granted in proptest::collection::vec(0..ALL.len(), 0..60),
        in_force in any::<bool>(),
    ) {
        let mask = |numbers: Vec<usize>| numbers.into_iter().map(|number| ALL[number]).collect::<Mask>();
        let facts = Facts { consent_in_force: in_force, source_confirmed: in_force, ..Facts::ALL };
        let granted = if in_force { mask(granted) } else { Mask::EMPTY };
        let decision = decided(role, purpose, kind, mask(requested), granted, facts);
        prop_assert_eq!(decision.repeat(policies()), []);
        let changed = decision.against(policies());
        prop_assert!(changed.sources.is_empty() && changed.now_above_ceiling.is_empty());
    }
}
