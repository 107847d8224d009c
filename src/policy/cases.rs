//! Cases: decisions that the owners expect, as data beside the policies. They decide nothing; they tell whether a
//! changed policy still says what was agreed.
//!
//! Several cases may speak of one question. Taken together they must name exactly the rules that decide it, so that each
//! guardrail can be told once, for all that it forbids, and still no question is decided by a rule that nobody expected.

mod read;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    rc::Rc,
};

use cedar_policy::Effect;

use self::read::{Asked, Expected, Statement};
use super::{PolicySet, Question, files::CASES, purposes::PARTICIPANT_KINDS};
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

/// One fault and the place of its case; the directory of cases for what no case speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFault {
    /// The file, as a path inside the policy directory.
    pub file: String,
    /// The line on which the case begins, counted from 1.
    pub line: Option<usize>,
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
    /// A purpose, role, kind, field set or fact that does not exist.
    #[error("`{list}` has `{word}`, which does not exist")]
    UnknownWord {
        /// The list.
        list: &'static str,
        /// The word.
        word: String,
    },
    /// No group has this name, here or in `tests/groups.toml`.
    #[error("there is no group `{0}`")]
    UnknownGroup(String),
    /// A group of this name stands in `tests/groups.toml` too.
    #[error("the group `{0}` stands in tests/groups.toml too")]
    GroupTwice(String),
    /// A word that is in the list already, or is taken out of it and was not in it.
    #[error("`{list}` has `{word}` twice, or takes it out where it is not")]
    NoUse {
        /// The list.
        list: &'static str,
        /// The word.
        word: String,
    },
    /// A case without a question.
    #[error("`{0}` is empty")]
    EmptyList(&'static str),
    /// Another decision, or by other rules.
    #[error("{case}: expected {expected}, and it is {found}{}", and_more(*.more))]
    Differs {
        /// Purpose, role, kind of source, field set and missing facts of the first question.
        case: String,
        /// How many other questions of the same case differ in the same way.
        more: usize,
        /// Decision and rules that the cases state.
        expected: String,
        /// Decision and rules as they are.
        found: String,
    },
    /// A permit without a case that permits and one that denies, or a guardrail without a case that denies.
    #[error("no case {0} by `{1}`")]
    RuleWithoutCase(&'static str, String),
    /// Nothing says which guardrail denies what is permitted, if this fact does not hold.
    #[error("`missing_fact` says nothing of `{0}`")]
    FactWithoutCase(&'static str),
    /// Combinations of an active purpose and a role that no case speaks of.
    #[error("no case on {case}{}", and_more(*.more))]
    NotCovered {
        /// Purpose, role, kind of source and field set of the first.
        case: String,
        /// How many others of the same purpose and role.
        more: usize,
    },
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" (and {more} more like it)") }
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

/// A question that came out otherwise: place of the case that says so, expected, found.
type Difference = (String, usize, String, String);

impl PolicySet {
    /// Runs the cases in `tests/` of a policy directory. Beside each expectation it checks that the cases are complete:
    /// every active purpose, role, kind of source and field set; for each permit one that it permits and one that is
    /// denied to its role; for each guardrail one that it denies; for each fact what denies without it.
    #[must_use]
    pub fn run_cases(&self, dir: &Path) -> CasesRun {
        let mut run = CasesRun::default();
        let said = read::said(dir, &mut run.faults);
        let mut covered = Covered::default();
        // Cases stand for many questions: those that differ in one way are told once.
        let mut differences: BTreeMap<Difference, (String, usize)> = BTreeMap::new();
        for (asked, statements) in &said {
            let Some(difference) = self.run_one(asked, statements, &mut covered) else { continue };
            let told = differences.entry(difference);
            told.and_modify(|(_, more)| *more += 1).or_insert_with(|| (asked.to_string(), 0));
        }
        run.decisions = said.len();
        for ((file, line, expected, found), (case, more)) in differences {
            let problem = CaseProblem::Differs { case, more, expected, found };
            run.faults.push(CaseFault { file, line: Some(line), problem });
        }
        self.check_rules(&covered, &mut run);
        self.check_combinations(&covered, &mut run);
        run
    }

    fn run_one(
        &self,
        asked: &Asked,
        statements: &[Rc<Statement>],
        covered: &mut Covered,
    ) -> Option<Difference> {
        let (recipient, source) = parties()?;
        let Asked { purpose, role, source_kind, field_set: name, facts } = asked.clone();
        let whom = (purpose.clone(), role);
        let fields = field_set(name);
        let question = Question { recipient, role, purpose, source, source_kind, fields, facts };
        let (found, rules, error) = match self.outcome(&question) {
            Ok(permitted) => (Expected::Permit, permitted.rules, None),
            Err(denial) => (Expected::Deny, denial.rules, denial.error),
        };
        let expected: BTreeSet<_> = statements.iter().flat_map(|said| &said.rules).collect();
        let is_other =
            |said: &Statement| said.expect != found || said.rules.iter().any(|rule| !rules.contains(rule));
        let other = statements.iter().find(|said| is_other(said));
        if other.is_some() || !rules.iter().eq(expected.iter().copied()) || error.is_some() {
            // Where a rule is missing, each case is as good a place as the other.
            let said = other.or(statements.first())?;
            let mut told_found = told(found, &rules);
            if let Some(error) = error {
                told_found = format!("{told_found}, error: {error}");
            }
            return Some((said.file.clone(), said.line, told(said.expect, expected), told_found));
        }
        if facts.all_hold() {
            covered.combinations.insert((whom.0.clone(), role, source_kind, name));
        }
        match found {
            Expected::Permit => {
                for rule in rules {
                    *covered.permits.entry(rule.clone()).or_default() += 1;
                    covered.permitting.insert(rule, whom.clone());
                }
            }
            Expected::Deny => {
                *covered.denied.entry(whom).or_default() += 1;
                for rule in rules {
                    *covered.forbids.entry(rule).or_default() += 1;
                }
            }
        }
        None
    }

    fn check_rules(&self, covered: &Covered, run: &mut CasesRun) {
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
                run.faults.push(CaseFault::new(CASES, CaseProblem::RuleWithoutCase(problem, id.clone())));
            }
            run.coverage.insert(id, coverage);
        }
    }

    fn check_combinations(&self, covered: &Covered, run: &mut CasesRun) {
        for entry in self.purposes().filter(|entry| entry.active) {
            for role in Role::ALL {
                let all = PARTICIPANT_KINDS
                    .into_iter()
                    .flat_map(|kind| field_sets().into_iter().map(move |name| (kind, name)));
                let mut open = all.filter(|(kind, name)| {
                    !covered.combinations.contains(&(entry.purpose.clone(), role, *kind, name))
                });
                if let Some((kind, name)) = open.next() {
                    let case = format!("{} {role} {kind} {name}", entry.purpose);
                    let problem = CaseProblem::NotCovered { case, more: open.count() };
                    run.faults.push(CaseFault::new(CASES, problem));
                }
            }
        }
    }
}

impl CaseFault {
    fn new(file: &str, problem: CaseProblem) -> Self {
        Self { file: file.to_owned(), line: None, problem }
    }
}

impl std::fmt::Display for CaseFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.problem),
            None => write!(f, "{}: {}", self.file, self.problem),
        }
    }
}

impl std::error::Error for CaseFault {}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { purpose, role, source_kind, field_set, facts } = self;
        write!(f, "{purpose} {role} {source_kind} {field_set}")?;
        for (fact, _) in facts.named().into_iter().filter(|(_, holds)| !holds) {
            write!(f, ", without {fact}")?;
        }
        Ok(())
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
