//! What a policy must look like, read from its syntax tree. Validation by type cannot tell that a permit requires a
//! fact, or that `"REINTEGRTION"` is a slip of the pen; this can.

use std::collections::BTreeSet;

use cedar_policy::{EntityUid, Policy, PrincipalConstraint};
use serde_json::{Value, json};

use super::{facts::Facts, fault::Problem};
use crate::{
    catalogue::field_sets,
    domain::{OrganisationKind, Purpose, Role},
};

pub(super) const ROLE: &str = "Sluis::Role";
pub(super) const FIELD_SET: &str = "Sluis::FieldSet";
pub(super) const ACTION: &str = "Sluis::Action";
pub(super) const DISCLOSE: &str = "disclose";

/// What is wrong with a permit in the file of `purpose`.
///
/// INVARIANT: a permit without a problem can only hold if purpose, role and kind of source are those that it names and
/// every fact holds, because each of these stands on its own in its scope or between the `&&` of its `when`. Slicing the
/// rules by the three rests on it.
pub(super) fn permit(id: &str, policy: &Policy, purpose: &Purpose) -> Vec<Problem> {
    let tree = match policy.to_json() {
        Ok(tree) => tree,
        Err(error) => return vec![Problem::Syntax(error.to_string())],
    };
    let conditions = required(&tree);
    let mut problems = unknown_words(id, policy, &tree, |word| {
        word == purpose.as_str() || kinds().any(|kind| kind.as_str() == word)
    });
    let right_purpose =
        json!({ "==": { "left": of_context("purpose"), "right": { "Value": purpose.as_str() } } });
    if !conditions.contains(&&right_purpose) {
        problems.push(Problem::OtherPurpose(id.to_owned()));
    }
    let head = (tree.pointer("/principal/op"), tree.pointer("/principal/entity/type"));
    if head != (Some(&json!("==")), Some(&json!(ROLE))) {
        problems.push(Problem::RoleOpen(id.to_owned()));
    }
    if !conditions.iter().any(|condition| lists_field_sets(condition)) {
        problems.push(Problem::FieldSetsOpen(id.to_owned()));
    }
    if listed_kinds(&conditions).is_none() {
        problems.push(Problem::SourceKindsOpen(id.to_owned()));
    }
    for fact in Facts::NAMES {
        if !conditions.contains(&&of_context(fact)) {
            problems.push(Problem::FactNotRequired { id: id.to_owned(), fact });
        }
    }
    problems
}

/// The role that a permit names, if it names one.
pub(super) fn role(permit: &Policy) -> Option<Role> {
    match permit.principal_constraint() {
        PrincipalConstraint::Eq(uid) => uid.id().unescaped().parse().ok(),
        _ => None,
    }
}

/// The kinds of source that a permit lists; none if it lists none.
pub(super) fn source_kinds(permit: &Policy) -> Vec<OrganisationKind> {
    let tree = permit.to_json().unwrap_or_default();
    let listed = listed_kinds(&required(&tree)).unwrap_or_default();
    kinds().filter(|kind| listed.contains(&kind.as_str())).collect()
}

/// The words of `[...].contains(context.source_kind)`, where a permit requires it.
fn listed_kinds<'a>(conditions: &[&'a Value]) -> Option<Vec<&'a str>> {
    let of_kind = of_context("source_kind");
    let listed = conditions.iter().filter(|condition| condition.pointer("/contains/right") == Some(&of_kind));
    let set = listed.filter_map(|condition| condition.pointer("/contains/left/Set")?.as_array()).next()?;
    set.iter().map(|value| value.get("Value")?.as_str()).collect()
}

/// What is wrong with a guardrail, given the names of all purposes.
pub(super) fn guardrail(id: &str, policy: &Policy, purposes: &BTreeSet<&str>) -> Vec<Problem> {
    match policy.to_json() {
        Ok(tree) => unknown_words(id, policy, &tree, |word| {
            purposes.contains(word) || kinds().any(|kind| kind.as_str() == word)
        }),
        Err(error) => vec![Problem::Syntax(error.to_string())],
    }
}

/// Every kind of organisation that a rule can name.
pub(super) fn kinds() -> impl Iterator<Item = OrganisationKind> {
    use OrganisationKind::{Gateway, Gemeente, Ggz, Uwv};
    [Gemeente, Uwv, Ggz, Gateway].into_iter()
}

fn of_context(attribute: &str) -> Value {
    json!({ ".": { "left": { "Var": "context" }, "attr": attribute } })
}

/// What stands between the `&&` of every `when`: all of it must be true for the policy to hold.
fn required(tree: &Value) -> Vec<&Value> {
    let mut open: Vec<_> = tree
        .get("conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|condition| condition.get("kind") == Some(&json!("when")))
        .filter_map(|condition| condition.get("body"))
        .collect();
    let mut required = Vec::new();
    while let Some(next) = open.pop() {
        match (next.pointer("/&&/left"), next.pointer("/&&/right")) {
            (Some(left), Some(right)) => open.extend([left, right]),
            _ => required.push(next),
        }
    }
    required
}

/// Whether it is `[...].contains(resource)` over a written list.
fn lists_field_sets(condition: &Value) -> bool {
    condition.pointer("/contains/left/Set").is_some_and(Value::is_array)
        && condition.pointer("/contains/right/Var") == Some(&json!("resource"))
}

fn unknown_words(id: &str, policy: &Policy, tree: &Value, known: impl Fn(&str) -> bool) -> Vec<Problem> {
    let mut words = BTreeSet::new();
    if let Some(conditions) = tree.get("conditions") {
        texts(conditions, &mut words);
    }
    words.retain(|word| !known(word));
    words.extend(policy.entity_literals().iter().filter(|uid| !is_known(uid)).map(ToString::to_string));
    words.into_iter().map(|word| Problem::UnknownWord { id: id.to_owned(), word }).collect()
}

/// Every text that a condition compares with. A pattern (`like`) is a text that could match more than it says.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, inner) in object {
                match (key.as_str(), inner) {
                    ("Value", Value::String(text)) => drop(found.insert(text.clone())),
                    // Entities are looked at by type.
                    ("Value", _) => {}
                    ("like", _) => drop(found.insert("like".to_owned())),
                    _ => texts(inner, found),
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| texts(inner, found)),
        _ => {}
    }
}

fn is_known(uid: &EntityUid) -> bool {
    let id = uid.id().unescaped();
    match uid.type_name().to_string().as_str() {
        ROLE => id.parse::<Role>().is_ok(),
        FIELD_SET => field_sets().contains(&id),
        ACTION => id == DISCLOSE,
        _ => false,
    }
}
