//! The rules of a directory: parsed, named by their `@id`, looked at and validated.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{
    Effect, Policy, PolicyId, PolicySet as CedarSet, Schema, ValidationMode, Validator, ffi::DetailedError,
};

use super::{
    engine::{Slice, Slices},
    fault::{PolicyFault, Problem},
    files::{CATALOGUE, Files, GUARDRAILS},
    load::syntax,
    purposes::PurposeEntry,
    shape,
    terms::{self, Terms},
};
use crate::domain::{Day, Purpose, Role};

/// The permit of a role for a purpose.
#[derive(Clone, Debug)]
pub struct PermitRule {
    /// Its id, such as `JOB_COACHING/gem-jobcoach`.
    pub id: String,
    /// Its terms.
    pub terms: Terms,
}

/// The rules as read, each with the id of its `@id` and the file it stands in.
#[derive(Default)]
pub(super) struct Rules {
    /// The permit of each role, as far as its terms could be read.
    pub(super) of_roles: BTreeMap<(Purpose, Role), PermitRule>,
    permits: BTreeMap<Purpose, Vec<Policy>>,
    guardrails: Vec<Policy>,
    /// File and line of each.
    places: BTreeMap<String, (String, Option<usize>)>,
}

impl Rules {
    pub(super) fn read(
        files: &Files,
        entries: &BTreeMap<Purpose, PurposeEntry>,
        today: Day,
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
                    Effect::Permit => {
                        let mut problems = shape::permit(&id, policy, &purpose);
                        problems.extend(rules.terms(&id, policy, &purpose, today));
                        problems
                    }
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
                Effect::Forbid => {
                    let mut problems = shape::guardrail(&id, policy, &names);
                    problems.extend(terms::of_a_guardrail(&id, policy));
                    problems
                }
                Effect::Permit => vec![Problem::PermitInGuardrails(id)],
            };
            faults.extend(problems.into_iter().map(|problem| PolicyFault::new(GUARDRAILS, problem)));
        }
        rules
    }

    /// Takes up the terms of a permit under its role. Without a role there is another problem already.
    fn terms(&mut self, id: &str, permit: &Policy, purpose: &Purpose, today: Day) -> Vec<Problem> {
        let terms = match Terms::read(id, permit, today) {
            Ok(terms) => terms,
            Err(problems) => return problems,
        };
        let Some(role) = shape::role(permit) else { return Vec::new() };
        let rule = PermitRule { id: id.to_owned(), terms };
        match self.of_roles.insert((purpose.clone(), role), rule) {
            Some(_) => vec![Problem::RoleTwice(id.to_owned())],
            None => Vec::new(),
        }
    }

    /// The policies of one file, whose ids no other file has.
    fn policies(
        &mut self,
        file: &str,
        prefix: &str,
        text: &str,
        faults: &mut Vec<PolicyFault>,
    ) -> Vec<Policy> {
        let mut policies = named(file, prefix, text, faults);
        policies.retain(|policy| {
            let id = policy.id().to_string();
            let place = (file.to_owned(), line_of(text, &id));
            let is_new = self.places.insert(id.clone(), place).is_none();
            if !is_new {
                faults.push(PolicyFault::new(file, Problem::IdDuplicate(id)));
            }
            is_new
        });
        policies
    }

    /// Every rule.
    pub(super) fn all(&self) -> CedarSet {
        set(self.permits.values().flatten().chain(&self.guardrails))
    }

    pub(super) fn validate(&self, schema: &Schema) -> Vec<PolicyFault> {
        let all = self.all();
        let result = Validator::new(schema.clone()).validate(&all, ValidationMode::Strict);
        let fault = |id: &PolicyId, text: String| {
            let line = self.places.get::<str>(id.as_ref()).and_then(|(_, line)| *line);
            PolicyFault { line, ..PolicyFault::new(self.file_of(id.as_ref()), Problem::Invalid(text)) }
        };
        let errors = result.validation_errors().map(|error| fault(error.policy_id(), error.to_string()));
        let warnings =
            result.validation_warnings().map(|warning| fault(warning.policy_id(), warning.to_string()));
        errors.chain(warnings).collect()
    }

    /// The file of a rule.
    pub(super) fn file_of(&self, id: &str) -> &str {
        self.places.get(id).map_or("", |(file, _)| file)
    }

    /// The file of a rule that an error speaks of.
    pub(super) fn file_named_in(&self, error: &str) -> Option<&str> {
        let (_, (file, _)) = self.places.iter().find(|(id, _)| error.contains(&format!("`{id}`")))?;
        Some(file)
    }

    /// By purpose, role and kind of source, the permits that could hold for the three, and all guardrails. No other permit
    /// could, because each requires what it names ([`shape::permit`]); Cedar would only look at them in vain.
    pub(super) fn slices(&self) -> Slices {
        let slices = |permits: &Vec<Policy>| {
            let mut of: BTreeMap<_, Vec<&Policy>> = BTreeMap::new();
            for permit in permits {
                let Some(role) = shape::role(permit) else { continue };
                for kind in shape::source_kinds(permit) {
                    of.entry((role, kind)).or_default().push(permit);
                }
            }
            let with_guardrails = |permits: Vec<&Policy>| set(permits.into_iter().chain(&self.guardrails));
            let permits = of.into_iter().map(|(of, permits)| (of, with_guardrails(permits))).collect();
            Slice { permits, guardrails: set(self.guardrails.iter()) }
        };
        self.permits.iter().map(|(purpose, permits)| (purpose.clone(), slices(permits))).collect()
    }
}

/// The policies of a text, under the ids that they state: a parsed set numbers them `policy0`, `policy1`, and that is what
/// the log would say.
pub(super) fn named(file: &str, prefix: &str, text: &str, faults: &mut Vec<PolicyFault>) -> Vec<Policy> {
    let set: CedarSet = match text.parse() {
        Ok(set) => set,
        Err(error) => {
            faults.push(syntax(file, text, &DetailedError::from(&error)));
            return Vec::new();
        }
    };
    for template in set.templates() {
        let problem = Problem::Template(template.annotation("id").unwrap_or("without @id").to_owned());
        faults.push(PolicyFault::new(file, problem));
    }
    let mut numbered: Vec<_> = set.policies().map(|policy| (number(policy), policy)).collect();
    numbered.sort_by_key(|(number, _)| *number);
    let speaks = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let sound = |rest: &str| !rest.is_empty() && rest.bytes().all(speaks);
    let mut policies = Vec::new();
    for (number, policy) in numbered {
        let id = policy.annotation("id").unwrap_or_default();
        if id.is_empty() {
            let mut heads = text.lines().zip(1..).filter(|(line, _)| is_head(line));
            let line = heads.nth(number.saturating_sub(1)).map(|(_, line)| line);
            faults.push(PolicyFault { line, ..PolicyFault::new(file, Problem::IdMissing(number)) });
        } else if id.strip_prefix(prefix).is_some_and(sound) {
            policies.push(policy.new_id(PolicyId::new(id)));
        } else {
            let problem = Problem::IdMalformed { id: id.to_owned(), prefix: prefix.to_owned() };
            faults.push(PolicyFault::new(file, problem));
        }
    }
    policies
}

/// What strict validation says of policies that all stand in one file.
pub(super) fn validate(file: &str, policies: &[Policy], schema: &Schema) -> Vec<PolicyFault> {
    let result = Validator::new(schema.clone()).validate(&set(policies.iter()), ValidationMode::Strict);
    let errors = result.validation_errors().map(ToString::to_string);
    let warnings = result.validation_warnings().map(ToString::to_string);
    errors.chain(warnings).map(|text| PolicyFault::new(file, Problem::Invalid(text))).collect()
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

/// The line on which a rule says its id, counted from 1.
fn line_of(text: &str, id: &str) -> Option<usize> {
    let says = format!("@id(\"{id}\")");
    text.lines().zip(1..).find(|(line, _)| line.contains(&says)).map(|(_, line)| line)
}

/// Whether a rule begins on this line, after its annotations.
fn is_head(line: &str) -> bool {
    line.trim_start().starts_with("permit") || line.trim_start().starts_with("forbid")
}
