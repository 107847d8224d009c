use std::collections::BTreeSet;

use super::*;
use crate::{
    catalogue::field_sets,
    domain::{Role, purpose::NEVER_SERVED},
    policy::{
        Facts, PolicySet,
        purposes::PARTICIPANT_KINDS,
        tests::{TODAY, copy, edit, policies},
    },
};

/// The invariants inside the program.
fn built_in() -> Vec<Policy> {
    let mut faults = Vec::new();
    let found = named(INVARIANTS, PREFIX, BUILT_IN, &mut faults);
    assert!(faults.is_empty(), "{faults:?}");
    found
}

/// Every text and every entity's id in an invariant's condition.
fn words(id: &str) -> BTreeSet<String> {
    fn collect(tree: &Value, words: &mut BTreeSet<String>) {
        match tree {
            Value::Object(members) => {
                if let Some(Value::String(word)) = members.get("Value") {
                    words.insert(word.clone());
                }
                if let Some(Value::String(word)) = members.get("id") {
                    words.insert(word.clone());
                }
                members.values().for_each(|member| collect(member, words));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, words)),
            _ => {}
        }
    }
    let invariant = built_in().into_iter().find(|found| found.id().to_string() == id);
    let tree = meaning(&invariant.unwrap_or_else(|| panic!("there is no {id}"))).unwrap();
    let mut words = BTreeSet::new();
    collect(&tree["conditions"], &mut words);
    words
}

fn all<T: ToString>(items: impl IntoIterator<Item = T>) -> BTreeSet<String> {
    items.into_iter().map(|item| item.to_string()).collect()
}

/// The wall is where the program's closed lists end, and moves with them.
#[test]
fn the_wall_has_the_lists_of_the_program() {
    assert_eq!(words("invariant/never-served"), all(NEVER_SERVED));
    assert_eq!(words("invariant/known-field-set"), all(field_sets()));
    assert_eq!(words("invariant/known-role"), all(Role::ALL));
    assert_eq!(words("invariant/known-source-kind"), all(PARTICIPANT_KINDS));
    let purposes = policies().purposes().map(|entry| entry.purpose.clone());
    assert_eq!(words("invariant/known-purpose"), all(purposes));
}

/// Without the fact nothing is left, whatever else holds.
#[test]
fn every_fact_has_its_invariant() {
    let conditions: Vec<_> =
        built_in().iter().map(|invariant| meaning(invariant).unwrap()["conditions"].clone()).collect();
    for fact in Facts::NAMES {
        let required = serde_json::json!([{
            "kind": "when",
            "body": { ".": { "left": { "Var": "context" }, "attr": fact } },
        }]);
        assert!(conditions.contains(&required), "{fact}");
    }
}

#[test]
fn every_invariant_can_be_read_without_cedar() {
    for invariant in built_in() {
        let id = invariant.id().to_string();
        let says = invariant.annotation("nl").unwrap_or_default();
        assert!(says.ends_with('.') && says.split_whitespace().count() >= 5, "{id}: {says}");
        assert_eq!(policies().invariant_nl(&id), Some(says));
    }
    assert_eq!(policies().invariant_nl("invariant/none"), None);
}

/// The shipped set with its invariants edited.
fn edited(change: impl Fn(&str) -> String) -> Result<PolicySet, Vec<Problem>> {
    let dir = copy();
    edit(dir.path(), INVARIANTS, change);
    PolicySet::load(dir.path(), true, TODAY)
        .map_err(|faults| faults.faults().iter().map(|fault| fault.problem.clone()).collect())
}

#[test]
fn p10_no_set_leaves_out_an_invariant_or_weakens_one() {
    for invariant in built_in() {
        let id = invariant.id().to_string();
        let named = format!("@id(\"{id}\")");
        let other = edited(|text| text.replace(&named, "@id(\"invariant/of-our-own\")")).unwrap_err();
        assert_eq!(other, [Problem::InvariantMissing(id.clone())]);
        // As wide as can be, under the same name.
        let open = format!("{named}\npermit (principal, action, resource);\n@id(\"invariant/of-our-own\")");
        let weaker = edited(|text| text.replace(&named, &open)).unwrap_err();
        assert_eq!(weaker, [Problem::InvariantChanged(id)]);
    }
    let weaker = edited(|text| text.replace("\"FRAUD\", ", "")).unwrap_err();
    assert_eq!(weaker, [Problem::InvariantChanged("invariant/never-served".to_owned())]);
    let forbids = format!("{BUILT_IN}\n@id(\"invariant/no\") forbid (principal, action, resource);");
    assert_eq!(
        edited(|_| forbids.clone()).unwrap_err(),
        [Problem::ForbidInInvariants("invariant/no".to_owned())]
    );
    let twice = format!("{BUILT_IN}\n@id(\"invariant/role-held\") permit (principal, action, resource);");
    let twice = edited(|_| twice.clone()).unwrap_err();
    assert_eq!(twice, [Problem::IdDuplicate("invariant/role-held".to_owned())]);
}

#[test]
fn a_set_may_add_an_invariant_and_lay_out_those_of_the_program() {
    let own = "\n@id(\"invariant/no-wage-value-here\")\npermit (principal, action, resource) unless { context.purpose == \"WAGE_VALUE\" };";
    let set = edited(|text| {
        let lines = text.lines().filter(|line| !line.starts_with("//"));
        lines.map(str::trim_start).collect::<Vec<_>>().join("\n") + own
    })
    .unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(set.invariants().count(), built_in().len() + 1);
    assert_ne!(set.hash(), policies().hash());
}
