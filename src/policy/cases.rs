//! Cases: decisions that the owners expect, as data beside the policies. They decide nothing; they tell whether a
//! changed policy still says what was agreed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use cedar_policy::Effect;
use serde::Deserialize;

use super::{PolicySet, Question, facts::Facts, files::CASES, purposes::PARTICIPANT_KINDS};
use crate::{
    catalogue::{field_set, field_sets},
    domain::{Oin, OrganisationKind, Purpose, Role},
};

/// What came of running the cases.
#[derive(Debug, Default)]
pub struct CasesRun {
    /// How many decisions were made.
    pub decisions: usize,
    /// How many decisions of the cases each rule had a part in.
    pub coverage: BTreeMap<String, Coverage>,
    /// What did not come out as expected, and what no case speaks of.
    pub faults: Vec<CaseFault>,
}

/// What the cases say of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Decisions that it permitted.
    pub permits: usize,
    /// Decisions that it forbade; for a rule that permits, those that were denied to its role beside it.
    pub denies: usize,
}

/// One fault and the file of its case; the directory of cases for what no case speaks of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct CaseFault {
    /// The file, as a path inside the policy directory.
    pub file: String,
    /// What is wrong.
    pub problem: CaseProblem,
}

/// What is wrong with a case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseProblem {
    /// The file, or the directory, cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// The file does not parse.
    #[error("does not parse: {0}")]
    Syntax(String),
    /// A role, kind, field set or fact that does not exist, or an empty list.
    #[error("`{0}` is empty or has a word that does not exist")]
    UnknownWord(&'static str),
    /// Another decision, or by other rules.
    #[error("{case}: expected {expected}, and it is {found}")]
    Differs {
        /// Purpose, role, kind of source, field set and missing facts.
        case: String,
        /// Decision and rules that the case states.
        expected: String,
        /// Decision and rules as they are.
        found: String,
    },
    /// A permit without a case that permits and one that denies, or a guardrail without a case that denies.
    #[error("no case {0} by `{1}`")]
    RuleWithoutCase(&'static str, String),
    /// A combination that no case speaks of.
    #[error("no case on {0}")]
    NotCovered(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// One expectation for every combination of its lists.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    purpose: Purpose,
    roles: Vec<Role>,
    source_kinds: Vec<OrganisationKind>,
    field_sets: Vec<String>,
    /// Facts that do not hold.
    #[serde(default)]
    without: Vec<String>,
    expect: Expected,
    /// Exactly the rules that determine it; none where nothing permits.
    #[serde(default)]
    rules: BTreeSet<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Permit,
    Deny,
}

/// What the cases have spoken of so far.
#[derive(Default)]
struct Covered {
    combinations: BTreeSet<(Purpose, Role, OrganisationKind, &'static str)>,
    /// Rules that permitted, and for whom.
    permitting: BTreeMap<String, (Purpose, Role)>,
    /// How many decisions were denied to whom.
    denied: BTreeMap<(Purpose, Role), usize>,
    permits: BTreeMap<String, usize>,
    forbids: BTreeMap<String, usize>,
}

impl PolicySet {
    /// Runs the cases in `tests/` of a policy directory. Beside each expectation it checks that the cases are complete:
    /// every active purpose, role, kind of source and field set; for each permit one that it permits and one that is
    /// denied to its role; for each guardrail one that it denies.
    #[must_use]
    pub fn run_cases(&self, dir: &Path) -> CasesRun {
        let mut run = CasesRun::default();
        let mut covered = Covered::default();
        for (file, text) in read(&dir.join(CASES), &mut run) {
            match toml::from_str::<File>(&text) {
                Ok(cases) => {
                    for case in cases.case {
                        self.run_case(&file, &case, &mut covered, &mut run);
                    }
                }
                Err(error) => run.fault(&file, CaseProblem::Syntax(error.to_string().trim_end().to_owned())),
            }
        }
        self.check_coverage(&covered, &mut run);
        run
    }

    fn run_case(&self, file: &str, case: &Case, covered: &mut Covered, run: &mut CasesRun) {
        let known: Vec<_> =
            field_sets().into_iter().filter(|name| case.field_sets.iter().any(|n| n == name)).collect();
        if known.is_empty() || known.len() != case.field_sets.len() {
            return run.fault(file, CaseProblem::UnknownWord("field_sets"));
        }
        if case.roles.is_empty() || case.source_kinds.is_empty() {
            return run.fault(file, CaseProblem::UnknownWord("roles or source_kinds"));
        }
        let facts = case.without.iter().try_fold(Facts::ALL, |facts, name| facts.without(name));
        let Some(facts) = facts else { return run.fault(file, CaseProblem::UnknownWord("without")) };
        for role in &case.roles {
            for source_kind in &case.source_kinds {
                for name in &known {
                    self.run_one(file, case, (*role, *source_kind, name, facts), covered, run);
                }
            }
        }
    }

    fn run_one(
        &self,
        file: &str,
        case: &Case,
        (role, source_kind, name, facts): (Role, OrganisationKind, &'static str, Facts),
        covered: &mut Covered,
        run: &mut CasesRun,
    ) {
        let Some((recipient, source)) = parties() else { return };
        let purpose = case.purpose.clone();
        let fields = field_set(name);
        let question = Question { recipient, role, purpose, source, source_kind, fields, facts };
        let (found, rules, error) = match self.outcome(&question) {
            Ok(permitted) => (Expected::Permit, permitted.rules, None),
            Err(denial) => (Expected::Deny, denial.rules, denial.error),
        };
        run.decisions += 1;
        if found != case.expect || !rules.iter().eq(&case.rules) || error.is_some() {
            let mut found = told(found, &rules);
            if let Some(error) = error {
                found = format!("{found}, error: {error}");
            }
            let case_told =
                format!("{} {role} {source_kind} {name} without {:?}", case.purpose, case.without);
            let expected = told(case.expect, &case.rules);
            return run.fault(file, CaseProblem::Differs { case: case_told, expected, found });
        }
        if facts.all_hold() {
            covered.combinations.insert((case.purpose.clone(), role, source_kind, name));
        }
        match found {
            Expected::Permit => {
                for rule in rules {
                    *covered.permits.entry(rule.clone()).or_default() += 1;
                    covered.permitting.insert(rule, (case.purpose.clone(), role));
                }
            }
            Expected::Deny => {
                *covered.denied.entry((case.purpose.clone(), role)).or_default() += 1;
                for rule in rules {
                    *covered.forbids.entry(rule).or_default() += 1;
                }
            }
        }
    }

    fn check_coverage(&self, covered: &Covered, run: &mut CasesRun) {
        for (id, effect) in self.engine.rules() {
            let count = |counts: &BTreeMap<String, usize>| counts.get(&id).copied().unwrap_or_default();
            let coverage = match effect {
                Effect::Forbid => Coverage { permits: 0, denies: count(&covered.forbids) },
                Effect::Permit => {
                    let whom = covered.permitting.get(&id);
                    let denies = whom.and_then(|whom| covered.denied.get(whom)).copied();
                    Coverage { permits: count(&covered.permits), denies: denies.unwrap_or_default() }
                }
            };
            let problem = match (effect, coverage) {
                (Effect::Permit, Coverage { permits: 0, .. }) => Some("permitted"),
                (Effect::Permit, Coverage { denies: 0, .. }) => Some("denied beside what is permitted"),
                (Effect::Forbid, Coverage { denies: 0, .. }) => Some("denied"),
                _ => None,
            };
            if let Some(problem) = problem {
                run.fault(CASES, CaseProblem::RuleWithoutCase(problem, id.clone()));
            }
            run.coverage.insert(id, coverage);
        }
        for entry in self.purposes().filter(|entry| entry.active) {
            for (role, source_kind) in
                Role::ALL.into_iter().flat_map(|role| PARTICIPANT_KINDS.map(|kind| (role, kind)))
            {
                for name in field_sets() {
                    let combination = (entry.purpose.clone(), role, source_kind, name);
                    if !covered.combinations.contains(&combination) {
                        let told = format!("{} {role} {source_kind} {name}", entry.purpose);
                        run.fault(CASES, CaseProblem::NotCovered(told));
                    }
                }
            }
        }
    }
}

impl CasesRun {
    fn fault(&mut self, file: &str, problem: CaseProblem) {
        self.faults.push(CaseFault { file: file.to_owned(), problem });
    }
}

fn told<'a>(decision: Expected, rules: impl IntoIterator<Item = &'a String>) -> String {
    let rules: Vec<_> = rules.into_iter().map(String::as_str).collect();
    let decision = if decision == Expected::Permit { "permit" } else { "deny" };
    if rules.is_empty() {
        format!("{decision} by no rule")
    } else {
        format!("{decision} by {}", rules.join(", "))
    }
}

/// Who asks whom in the cases: test numbers. No rule speaks of single organisations.
fn parties() -> Option<(Oin, Oin)> {
    Some(("00000099000000001000".parse().ok()?, "00000099000000002000".parse().ok()?))
}

fn read(dir: &Path, run: &mut CasesRun) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries.flatten(),
        Err(error) => {
            run.fault(CASES, CaseProblem::Unreadable(error.to_string()));
            return texts;
        }
    };
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".toml") {
            continue;
        }
        let file = format!("{CASES}/{name}");
        match fs::read_to_string(entry.path()) {
            Ok(text) => drop(texts.insert(file, text)),
            Err(error) => run.fault(&file, CaseProblem::Unreadable(error.to_string())),
        }
    }
    texts
}
