//! The rules of a directory: parsed, named by their `@id`, looked at and validated.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Effect, Policy, PolicyId, PolicySet as CedarSet, Schema, ValidationMode, Validator, ffi::DetailedError,
};

use super::{
    fault::{PolicyFault, Problem},
    files::{CATALOGUE, Files, GUARDRAILS},
    load::located,
    purposes::PurposeEntry,
    shape,
};
use crate::domain::Purpose;

/// The rules as read, each with the id of its `@id` and the file it stands in.
#[derive(Default)]
pub(super) struct Rules {
    permits: BTreeMap<Purpose, Vec<Policy>>,
    guardrails: Vec<Policy>,
    file_of: BTreeMap<String, String>,
}

impl Rules {
    pub(super) fn read(
        files: &Files,
        entries: &BTreeMap<Purpose, PurposeEntry>,
        faults: &mut Vec<PolicyFault>,
    ) -> Self {
        let mut rules = Self::default();
        for (file, name, text) in files.purposes() {
            let purpose: Purpose = match name.parse() {
                Ok(purpose) => purpose,
                Err(fault) => {
                    let problem = Problem::PurposeName { name: name.to_owned(), fault };
                    faults.push(PolicyFault::new(file, problem));
                    continue;
                }
            };
            if !entries.get(&purpose).is_some_and(|entry| entry.active) {
                faults.push(PolicyFault::new(file, Problem::NoActivePurpose));
            }
            let permits = rules.policies(file, &format!("{purpose}/"), text, faults);
            for policy in &permits {
                let id = policy.id().to_string();
                let problems = match policy.effect() {
                    Effect::Permit => shape::permit(&id, policy, &purpose),
                    Effect::Forbid => vec![Problem::ForbidInPurpose(id)],
                };
                faults.extend(problems.into_iter().map(|problem| PolicyFault::new(file, problem)));
            }
            rules.permits.insert(purpose, permits);
        }
        for entry in entries.values().filter(|entry| entry.active) {
            if !rules.permits.contains_key(&entry.purpose) {
                faults.push(PolicyFault::new(CATALOGUE, Problem::NoPolicyFile(entry.purpose.clone())));
            }
        }

        let names: BTreeSet<_> = entries.keys().map(Purpose::as_str).collect();
        let text = files.text(GUARDRAILS).unwrap_or_default();
        rules.guardrails = rules.policies(GUARDRAILS, "guardrail/", text, faults);
        for policy in &rules.guardrails {
            let id = policy.id().to_string();
            let problems = match policy.effect() {
                Effect::Forbid => shape::guardrail(&id, policy, &names),
                Effect::Permit => vec![Problem::PermitInGuardrails(id)],
            };
            faults.extend(problems.into_iter().map(|problem| PolicyFault::new(GUARDRAILS, problem)));
        }
        rules
    }

    /// The policies of one file, under the ids that they state: a parsed set numbers them `policy0`, `policy1`, and
    /// that is what the log would say.
    fn policies(
        &mut self,
        file: &str,
        prefix: &str,
        text: &str,
        faults: &mut Vec<PolicyFault>,
    ) -> Vec<Policy> {
        let mut fault = |problem| faults.push(PolicyFault::new(file, problem));
        let set: CedarSet = match text.parse() {
            Ok(set) => set,
            Err(error) => {
                fault(Problem::Syntax(located(text, &DetailedError::from(&error))));
                return Vec::new();
            }
        };
        for template in set.templates() {
            fault(Problem::Template(template.annotation("id").unwrap_or("without @id").to_owned()));
        }
        let mut numbered: Vec<_> = set.policies().map(|policy| (number(policy), policy)).collect();
        numbered.sort_by_key(|(number, _)| *number);
        let mut policies = Vec::new();
        for (number, policy) in numbered {
            let id = policy.annotation("id").unwrap_or_default();
            let speaks = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
            if id.is_empty() {
                fault(Problem::IdMissing(number));
            } else if !id
                .strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(speaks))
            {
                fault(Problem::IdMalformed { id: id.to_owned(), prefix: prefix.to_owned() });
            } else if self.file_of.insert(id.to_owned(), file.to_owned()).is_some() {
                fault(Problem::IdDuplicate(id.to_owned()));
            } else {
                policies.push(policy.new_id(PolicyId::new(id)));
            }
        }
        policies
    }

    pub(super) fn validate(&self, schema: &Schema) -> Vec<PolicyFault> {
        let all = set(self.permits.values().flatten().chain(&self.guardrails));
        let result = Validator::new(schema.clone()).validate(&all, ValidationMode::Strict);
        let fault = |id: &PolicyId, text: String| {
            let file = self.file_of.get(AsRef::<str>::as_ref(id)).map_or("", String::as_str);
            PolicyFault::new(file, Problem::Invalid(text))
        };
        let errors = result.validation_errors().map(|error| fault(error.policy_id(), error.to_string()));
        let warnings =
            result.validation_warnings().map(|warning| fault(warning.policy_id(), warning.to_string()));
        errors.chain(warnings).collect()
    }

    /// The file of a rule that an error speaks of.
    pub(super) fn file_named_in(&self, error: &str) -> Option<&str> {
        let (_, file) = self.file_of.iter().find(|(id, _)| error.contains(&format!("`{id}`")))?;
        Some(file)
    }

    /// Per purpose its own permits and all guardrails. The permits of the others could not hold, because each requires
    /// its own purpose; Cedar would only look at them in vain.
    pub(super) fn slices(&self) -> BTreeMap<Purpose, CedarSet> {
        let slice = |(purpose, permits): (&Purpose, &Vec<Policy>)| {
            (purpose.clone(), set(permits.iter().chain(&self.guardrails)))
        };
        self.permits.iter().map(slice).collect()
    }
}

fn set<'a>(policies: impl Iterator<Item = &'a Policy>) -> CedarSet {
    // Adding fails on an id that is there already, which reading has refused.
    CedarSet::from_policies(policies.cloned()).unwrap_or_default()
}

/// The place of a policy in its file, counted from 1.
fn number(policy: &Policy) -> usize {
    let id: &str = policy.id().as_ref();
    id.trim_start_matches("policy").parse::<usize>().map_or(0, |number| number + 1)
}
