//! The outer wall: what no set of policies may cross, as permits that permit at least whatever the set permits. The program
//! has them inside and refuses a set that lacks one or has changed one; a region may add its own. That the rules keep to
//! them is proven before ([`prove`](super::prove)) and stands in the proof record.

use std::collections::BTreeSet;

use cedar_policy::{Effect, Policy};
use serde_json::Value;

use super::{
    fault::{PolicyFault, Problem},
    files::{Files, INVARIANTS},
    rules::named,
    terms,
};

/// How ids of invariants begin.
const PREFIX: &str = "invariant/";
const BUILT_IN: &str = include_str!("../../policies/invariants.cedar");

/// The invariants of a set, under their ids, in the order of the file.
pub(super) fn read(files: &Files, faults: &mut Vec<PolicyFault>) -> Vec<Policy> {
    let text = files.text(INVARIANTS).unwrap_or_default();
    let found = named(INVARIANTS, PREFIX, text, faults);
    let mut fault = |problem| faults.push(PolicyFault::new(INVARIANTS, problem));
    let mut ids = BTreeSet::new();
    for invariant in &found {
        let id = invariant.id().to_string();
        if !ids.insert(id.clone()) {
            fault(Problem::IdDuplicate(id.clone()));
        }
        if invariant.effect() == Effect::Forbid {
            fault(Problem::ForbidInInvariants(id.clone()));
        }
        terms::of_a_guardrail(&id, invariant).into_iter().for_each(&mut fault);
    }
    for built_in in named(INVARIANTS, PREFIX, BUILT_IN, &mut Vec::new()) {
        let id = built_in.id().to_string();
        match found.iter().find(|found| found.id() == built_in.id()) {
            None => fault(Problem::InvariantMissing(id)),
            Some(found) if meaning(found) != meaning(&built_in) => fault(Problem::InvariantChanged(id)),
            Some(_) => {}
        }
    }
    found
}

/// The syntax tree without annotations: what it says, however it is laid out and whatever is said about it.
fn meaning(policy: &Policy) -> Option<Value> {
    let mut tree = policy.to_json().ok()?;
    tree.as_object_mut()?.remove("annotations");
    Some(tree)
}

#[cfg(test)]
mod tests;
