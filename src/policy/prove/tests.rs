//! These start cvc5. Without it they fail: what was not proven is not known.

use super::*;
use crate::{
    domain::Role,
    policy::{
        Facts,
        engine::{Ask, request},
        tests::{KINDS, TODAY, copy, edit, policies},
    },
};
use cedar_policy::{Authorizer, Decision, Entities};

mod solvers;

fn attempt(set: &PolicySet, before: Option<&PolicySet>) -> Attempt {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(prove(set, before, &SolverPath::find(None))).unwrap()
}

/// The shipped set with some files changed.
fn changed(changes: &[(&str, &str, &str)]) -> PolicySet {
    let dir = copy();
    for (file, from, to) in changes {
        edit(dir.path(), file, |text| text.replace(from, to));
    }
    PolicySet::load(dir.path(), true, TODAY).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The properties that do not hold, with the question that shows it.
fn broken(set: &PolicySet) -> Vec<(String, CounterExample)> {
    let attempt = attempt(set, None);
    assert_eq!(attempt.proven().is_some(), attempt.findings.iter().all(Finding::holds));
    attempt
        .findings
        .into_iter()
        .filter_map(|finding| match finding.verdict {
            Verdict::Holds => None,
            Verdict::Broken(example) => Some((finding.property.to_string(), example)),
            Verdict::Idle => panic!("{} is idle", finding.property),
        })
        .collect()
}

#[test]
fn p10_the_shipped_policies_keep_to_every_invariant() {
    let attempt = attempt(policies(), Some(policies()));
    for finding in &attempt.findings {
        assert_eq!(finding.verdict, Verdict::Holds, "{}", finding.property);
    }
    let proven = attempt.proven().unwrap();
    assert!(proven.invariants.len() >= 14 && proven.never_errors.len() >= 40, "{proven:?}");
    let change = proven.change.as_ref().unwrap();
    assert!(change.allows_no_more && change.wider.is_empty() && change.narrower.is_empty());
    assert_eq!((proven.set.as_str(), change.against.as_str()), (policies().hash(), policies().hash()));
    assert!(proven.solver.starts_with("cvc5"), "{}", proven.solver);
}

/// The shipped set with schema, rules and guardrails changed behind the loader's back, which would refuse most of it.
fn with(changes: &[(&str, &str)]) -> PolicySet {
    let mut set = PolicySet::load(copy().path(), true, TODAY).unwrap();
    let mut rules: String = set
        .files()
        .iter()
        .filter(|(name, _)| name.starts_with("purposes/") || *name == "guardrails.cedar")
        .map(|(_, text)| text.as_str())
        .collect();
    let mut schema = set.files()["schema.cedarschema"].clone();
    for (from, to) in changes {
        assert!(rules.contains(from) || schema.contains(from), "there is no `{from}`");
        rules = rules.replace(from, to);
        schema = schema.replace(from, to);
    }
    set.schema = cedar_policy::Schema::from_cedarschema_str(&schema).unwrap().0;
    let rules: CedarSet = rules.parse().unwrap();
    let named = |rule: &cedar_policy::Policy| {
        rule.new_id(cedar_policy::PolicyId::new(rule.annotation("id").unwrap()))
    };
    set.rules = CedarSet::from_policies(rules.policies().map(named)).unwrap();
    set
}

/// Texts, and what takes their place.
type Changes = &'static [(&'static str, &'static str)];

/// Each invariant, broken in turn: found, with a question that is permitted and should not be.
#[test]
fn p10_each_invariant_that_is_broken_is_shown_by_a_question() {
    let facts = [
        ("consent_in_force", "consent-in-force"),
        ("source_confirmed", "source-confirmed"),
        ("recipient_admitted", "recipient-admitted"),
        ("role_held", "role-held"),
        ("source_admitted", "source-admitted"),
        ("agreement_active", "agreement-active"),
        ("policy_in_effect", "policy-in-effect"),
    ];
    for (fact, invariant) in facts {
        // Neither the permits nor a guardrail ask for it any more.
        let set = with(&[(&format!("context.{fact}"), "context.purpose != \"@\"")]);
        let found = broken(&set);
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, [format!("everything that is permitted keeps to `invariant/{invariant}`")]);
        let (_, example) = &found[0];
        assert!(example.permitted && !example.facts[fact] && !example.rules.is_empty(), "{example}");
        let (nl, en) = (Facts::label_nl(fact).unwrap(), Facts::label_en(fact).unwrap());
        assert!(example.nl().contains(&format!("Niet voldaan: {nl} ({fact}).")), "{}", example.nl());
        assert!(example.en().contains(&format!("Not met: {en} ({fact}).")), "{}", example.en());
        for rule in &example.rules {
            assert!(example.nl().contains(rule) && example.en().contains(rule), "{example}");
        }
    }
    let others: [(Changes, &[&str]); 7] = [
        (
            &[
                ("        \"WT\",\n", "        \"WT\", \"XX\",\n"),
                ("[Sluis::FieldSet::\"WT\"", "[Sluis::FieldSet::\"XX\""),
            ],
            &["known-field-set"],
        ),
        (
            &[
                ("        \"gem.jobcoach\",", "        \"gem.jobcoach\", \"gem.wethouder\","),
                ("principal == Sluis::Role::\"gem.jobcoach\"", "principal == Sluis::Role::\"gem.wethouder\""),
            ],
            &["known-role"],
        ),
        (&[("\"gemeente\"", "\"werkgever\"")], &["known-source-kind"]),
        (&[("\"JOB_COACHING\"", "\"SHOE_SALES\"")], &["known-purpose"]),
        (&[("\"JOB_COACHING\"", "\"FRAUD\"")], &["known-purpose", "never-served"]),
        (
            &[
                ("[\"gemeente\", \"uwv\"]", "[\"gemeente\", \"uwv\", \"ggz\"]"),
                (
                    "context.purpose == \"JOB_PLACEMENT\" && context.source_kind == \"ggz\"",
                    "context.purpose == \"X\"",
                ),
            ],
            &["no-trace-of-ggz"],
        ),
        (
            &[
                ("Sluis::FieldSet::\"FO\", ", "Sluis::FieldSet::\"FO\", Sluis::FieldSet::\"PF_SCORES\", "),
                (
                    "when { [Sluis::FieldSet::\"PF_SCORES\", Sluis::FieldSet::\"SF_SCORES\"]",
                    "when { [Sluis::FieldSet::\"SF_SCORES\"]",
                ),
            ],
            &["scores-for-reintegration"],
        ),
    ];
    for (changes, expected) in others {
        let found = broken(&with(changes));
        let expected: Vec<_> = expected
            .iter()
            .map(|id| format!("everything that is permitted keeps to `invariant/{id}`"))
            .collect();
        assert_eq!(found.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>(), expected, "{changes:?}");
        assert!(found.iter().all(|(_, example)| example.permitted), "{found:?}");
    }
}

#[test]
fn p10_a_rule_that_can_give_an_error_is_found() {
    // Only one question in 2^64 makes it overflow, and nobody would ask it by chance: the loader does not see it.
    let forbid = "forbid (principal, action, resource)\nunless { context.role_held";
    let careless = forbid.replace(
        "unless { ",
        "unless { (if context.purpose == \"XYZZY\" then 9223372036854775807 + 1 > 0 else true) && ",
    );
    let found = broken(&with(&[(forbid, &careless)]));
    let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["`guardrail/role-not-held` never gives an error"]);
    assert_eq!((found[0].1.purpose.as_str(), found[0].1.errors.len()), ("XYZZY", 1));
}

const COACHING: &str = "purposes/JOB_COACHING.cedar";

#[test]
fn p10_a_change_is_compared_with_what_it_changes() {
    let list = "Sluis::FieldSet::\"FO\", ";
    let wider = changed(&[(COACHING, list, "Sluis::FieldSet::\"FO\", Sluis::FieldSet::\"AV\", ")]);
    let attempt = attempt(&wider, Some(policies()));
    let proven = attempt.proven().unwrap().change.clone().unwrap();
    assert!(!proven.allows_no_more);
    // Four roles, three kinds of source, one field set.
    assert_eq!((proven.wider.len(), proven.narrower.len()), (12, 0));
    assert!(proven.wider.contains(&"JOB_COACHING gem.jobcoach ggz AV".to_owned()), "{proven:?}");
    let of = |property| attempt.findings.iter().find(|finding| finding.property == property).unwrap();
    assert!(of(Property::WiderIsAll).holds() && of(Property::NarrowerIsAll).holds());
    let example = of(Property::AllowsNoMore).counter_example().unwrap();
    assert_eq!((example.purpose.as_str(), example.field_set.as_str()), ("JOB_COACHING", "AV"));
    assert!(example.facts.values().all(|holds| *holds), "{example}");
    assert!(example.en().contains("Every condition is met. Permitted by JOB_COACHING/"), "{example}");
    assert!(
        example.nl().contains("Aan alle voorwaarden is voldaan. Toegestaan door JOB_COACHING/"),
        "{example}"
    );

    let narrower = changed(&[(COACHING, list, "")]);
    let proven = self::attempt(&narrower, Some(policies())).proven().unwrap().change.clone().unwrap();
    assert!(proven.allows_no_more);
    assert_eq!((proven.wider.len(), proven.narrower.len()), (0, 12));
}

/// Both in one change: it allows less here and more there, and each list is complete.
#[test]
fn p10_a_change_is_listed_in_full_or_not_proven() {
    let list = "Sluis::FieldSet::\"FO\", ";
    let other = changed(&[
        (COACHING, list, "Sluis::FieldSet::\"AV\", "),
        (
            "purposes/JOB_PLACEMENT.cedar",
            "[\"gemeente\", \"uwv\"].contains(context.source_kind)",
            "[\"uwv\"].contains(context.source_kind)",
        ),
    ]);
    let attempt = attempt(&other, Some(policies()));
    let proven = attempt.proven().unwrap().change.clone().unwrap();
    // Three roles and three field sets are no longer had from municipalities.
    assert_eq!((proven.wider.len(), proven.narrower.len()), (12, 12 + 9));
    assert!(
        proven.narrower.contains(&"JOB_PLACEMENT gem.accounthouder gemeente MT".to_owned()),
        "{proven:?}"
    );

    // A list that lacks one is not the whole difference, and the solver finds the one.
    let change = attempt.change.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut prover = Prover::start(&other, &SolverPath::find(None)).unwrap();
        let (lacking, rest) = change.wider.split_first().unwrap();
        let rest = all_but(&other.rules, rest).unwrap();
        let found = prover.implies(Property::WiderIsAll, &rest, &policies().rules).await.unwrap();
        let example = found.counter_example().unwrap();
        let named = [&example.purpose, &example.role, &example.source_kind, &example.field_set];
        assert_eq!(named.map(String::as_str).join(" "), lacking.to_string());
    });
}

/// A rule that says something else than was meant can be one that says nothing.
#[test]
fn p10_a_rule_without_effect_is_found() {
    let idle = |changes: &[(&str, &str)]| {
        let attempt = attempt(&with(changes), None);
        let idle = attempt.findings.iter().filter(|finding| finding.verdict == Verdict::Idle);
        let told: Vec<_> = idle.map(|finding| finding.property.to_string()).collect();
        assert_eq!(attempt.proven().is_none(), !told.is_empty());
        told
    };
    assert_eq!(
        idle(&[(
            "when { context.source_kind == \"gateway\" }",
            "when { context.source_kind == \"gateway\" && context.source_kind == \"ggz\" }"
        )]),
        ["`guardrail/gateway-is-no-source` can forbid something"]
    );
    // The permits stand there, and a guardrail takes away all that they give.
    assert_eq!(
        idle(&[(
            "unless { [\"TARGET_GROUP_REGISTER\", \"WAGE_VALUE\", \"WARM_HANDOVER\"].contains",
            "unless { [\"WAGE_VALUE\"].contains"
        )]),
        ["gem-klantmanager", "uwv-adviseur"]
            .map(|role| format!("`TARGET_GROUP_REGISTER/{role}` can permit something"))
    );
}

/// What a solver makes up may be no text for a terminal.
#[test]
fn a_counter_example_is_told_without_odd_characters() {
    let rules: CedarSet = "permit (principal, action, resource);".parse().unwrap();
    let context = [("purpose", "\u{1b}[2J\n"), ("source_kind", "\"")];
    let context = context.map(|(name, text)| {
        (name.to_owned(), cedar_policy::RestrictedExpression::new_string(text.to_owned()))
    });
    let uid = |text: &str| text.parse::<cedar_policy::EntityUid>().unwrap();
    let request = cedar_policy::Request::new(
        uid("Sluis::Role::\"gem.jobcoach\""),
        uid("Sluis::Action::\"disclose\""),
        uid("Sluis::FieldSet::\"WT\""),
        cedar_policy::Context::from_pairs(context).unwrap(),
        None,
    );
    let example = CounterExample::of(&request.unwrap(), &rules);
    assert!(!example.facts.values().any(|holds| *holds), "{example}");
    for told in [example.nl(), example.en()] {
        assert!(!told.chars().any(char::is_control), "{told:?}");
        assert!(told.contains("jobcoach") || told.contains("job coach"), "{told}");
    }
}

#[test]
fn the_prover_is_named_by_its_version() {
    let lock = include_str!("../../../Cargo.lock");
    let (name, version) = PROVER.split_once(' ').unwrap();
    assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")), "{PROVER}");
    assert_eq!(lock.matches("name = \"cedar-policy-core\"\n").count(), 1);
}

/// Without the solver: every question that the program can ask, decided, and whatever is permitted put to each invariant.
#[test]
fn p10_deciding_finds_the_same_as_proving() {
    let set = policies();
    let walls: Vec<_> =
        set.invariants.iter().map(|wall| CedarSet::from_policies([wall.clone()]).unwrap()).collect();
    let keeps = |ask: &Ask| {
        let request = request(ask, &set.schema).unwrap();
        let allows = |wall| Authorizer::new().is_authorized(&request, wall, &Entities::empty()).decision();
        walls.iter().all(|wall| allows(wall) == Decision::Allow)
    };
    let mut asks = Vec::new();
    for entry in set.purposes().filter(|entry| entry.active) {
        for role in Role::ALL {
            for source_kind in KINDS {
                asks.extend(set.field_sets.iter().map(|(field_set, _)| Ask {
                    role,
                    purpose: entry.purpose.clone(),
                    source_kind,
                    field_set,
                    facts: Facts::ALL,
                }));
            }
        }
    }
    asks.retain(|ask| set.engine.decide(ask).unwrap().permitted);
    assert!(asks.len() > 300, "{}", asks.len());
    for ask in asks {
        assert!(keeps(&ask), "{ask:?}");
        for fact in Facts::NAMES {
            let ask = Ask { facts: Facts::ALL.without(fact).unwrap(), ..ask.clone() };
            assert!(!set.engine.decide(&ask).unwrap().permitted && !keeps(&ask), "{ask:?}");
        }
    }
}

/// The compiler goes as deep as there are rules, and the stack of a thread ends sooner.
#[test]
fn many_rules_are_proven_too() {
    let mut set = with(&[]);
    for number in 0..400 {
        let text =
            format!("forbid (principal, action, resource) when {{ context.purpose == \"X{number}\" }};");
        let id = cedar_policy::PolicyId::new(format!("guardrail/x-{number}"));
        set.rules.add(cedar_policy::Policy::parse(Some(id), text).unwrap()).unwrap();
    }
    let attempt = attempt(&set, None);
    assert_eq!(attempt.proven().unwrap().never_errors.len(), 400 + policies().rules.policies().count());
}
