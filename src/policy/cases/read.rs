//! Cases as they are written: lists, with names for lists, spread out into single questions.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    rc::Rc,
    str::FromStr,
};

use serde::Deserialize;
use toml::Spanned;

use super::{CaseFault, CaseProblem};
use crate::{
    catalogue::field_sets,
    domain::{OrganisationKind, Purpose, Role},
    policy::{
        facts::Facts,
        files::{CASES, line_at},
        shape,
    },
};

/// The file whose groups the cases of every file may name.
const SHARED: &str = "tests/groups.toml";

type Groups = BTreeMap<String, Vec<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// Lists with a name.
    #[serde(default)]
    groups: Groups,
    /// For a fact the guardrail that denies, without it, what is permitted with it.
    #[serde(default)]
    missing_fact: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    case: Vec<Spanned<Case>>,
}

/// One expectation for every combination of its lists. A list has words, `@name` for a group, and `not ...` for what is
/// taken out again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    purposes: Vec<String>,
    roles: Vec<String>,
    source_kinds: Vec<String>,
    field_sets: Vec<String>,
    /// Facts that do not hold.
    #[serde(default)]
    without: Vec<String>,
    expect: Expected,
    /// Rules that determine it, as far as this case knows them.
    #[serde(default)]
    rules: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expected {
    Permit,
    Deny,
}

/// What a case asks: one combination of its lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) purpose: Purpose,
    pub(super) role: Role,
    pub(super) source_kind: OrganisationKind,
    pub(super) field_set: &'static str,
    pub(super) facts: Facts,
}

/// What one case says of each of its questions, and where it stands.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) expect: Expected,
    pub(super) rules: BTreeSet<String>,
}

/// Everything that is said of each question.
pub(super) type Said = BTreeMap<Asked, Vec<Rc<Statement>>>;

/// Reads the cases of a policy directory. What cannot be read says nothing, and is a fault.
pub(super) fn said(dir: &Path, faults: &mut Vec<CaseFault>) -> Said {
    let mut files = BTreeMap::new();
    for (name, text) in texts(dir, faults) {
        match toml::from_str::<File>(&text) {
            Ok(file) => drop(files.insert(name, (file, text))),
            Err(error) => {
                let line = error.span().map(|span| line_at(&text, span.start));
                faults.push(CaseFault {
                    file: name,
                    line,
                    problem: CaseProblem::Syntax(error.message().to_owned()),
                });
            }
        }
    }
    let shared = files.get(SHARED).map(|(file, _)| file.groups.clone()).unwrap_or_default();
    let mut said = Said::new();
    for (name, (file, text)) in &files {
        let mut groups = shared.clone();
        if name != SHARED {
            for (group, words) in &file.groups {
                if groups.insert(group.clone(), words.clone()).is_some() {
                    faults.push(CaseFault::new(name, CaseProblem::GroupTwice(group.clone())));
                }
            }
        }
        for case in &file.case {
            let line = line_at(text, case.span().start);
            if let Err(problem) = case.get_ref().say(&groups, (name, line), &mut said) {
                faults.push(CaseFault { file: name.clone(), line: Some(line), problem });
            }
        }
    }
    // Only now it is known what is permitted.
    let permitted =
        |statements: &[Rc<Statement>]| statements.iter().all(|said| said.expect == Expected::Permit);
    let permitted: Vec<_> = said
        .iter()
        .filter(|(asked, said)| asked.facts.all_hold() && permitted(said))
        .map(|(asked, _)| asked.clone())
        .collect();
    let mut missing: BTreeSet<_> = Facts::NAMES.into_iter().collect();
    for (name, (file, text)) in &files {
        for (fact, rule) in &file.missing_fact {
            let line = line_at(text, rule.span().start);
            let Some(facts) = Facts::ALL.without(fact) else {
                let problem = CaseProblem::UnknownWord { list: "missing_fact", word: fact.clone() };
                faults.push(CaseFault { file: name.clone(), line: Some(line), problem });
                continue;
            };
            missing.remove(fact.as_str());
            let rules = BTreeSet::from([rule.get_ref().clone()]);
            let statement = Rc::new(Statement { file: name.clone(), line, expect: Expected::Deny, rules });
            for asked in &permitted {
                said.entry(Asked { facts, ..asked.clone() }).or_default().push(Rc::clone(&statement));
            }
        }
    }
    faults.extend(missing.into_iter().map(|fact| CaseFault::new(CASES, CaseProblem::FactWithoutCase(fact))));
    said
}

impl Case {
    fn say(&self, groups: &Groups, (file, line): (&str, usize), said: &mut Said) -> Result<(), CaseProblem> {
        let purposes: Vec<Purpose> = parsed("purposes", &self.purposes, groups)?;
        let roles: Vec<Role> = parsed("roles", &self.roles, groups)?;
        let kinds: Vec<OrganisationKind> = looked_up("source_kinds", &self.source_kinds, groups, |word| {
            shape::kinds().find(|kind| kind.as_str() == word)
        })?;
        let sets = looked_up("field_sets", &self.field_sets, groups, |word| {
            field_sets().into_iter().find(|name| *name == word)
        })?;
        let facts = self.without.iter().try_fold(Facts::ALL, |facts, word| {
            let unknown = || CaseProblem::UnknownWord { list: "without", word: word.clone() };
            facts.without(word).ok_or_else(unknown)
        })?;
        let (expect, rules) = (self.expect, self.rules.clone());
        let statement = Rc::new(Statement { file: file.to_owned(), line, expect, rules });
        for purpose in &purposes {
            for (role, source_kind) in roles.iter().flat_map(|role| kinds.iter().map(|kind| (*role, *kind))) {
                for field_set in sets.iter().copied() {
                    let purpose = purpose.clone();
                    let asked = Asked { purpose, role, source_kind, field_set, facts };
                    said.entry(asked).or_default().push(Rc::clone(&statement));
                }
            }
        }
        Ok(())
    }
}

fn parsed<T: FromStr>(
    list: &'static str,
    written: &[String],
    groups: &Groups,
) -> Result<Vec<T>, CaseProblem> {
    looked_up(list, written, groups, |word| word.parse().ok())
}

/// What the words of a list stand for.
fn looked_up<T>(
    list: &'static str,
    written: &[String],
    groups: &Groups,
    known: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, CaseProblem> {
    let unknown = |word: &str| CaseProblem::UnknownWord { list, word: word.to_owned() };
    words(list, written, groups)?.into_iter().map(|word| known(word).ok_or_else(|| unknown(word))).collect()
}

/// The words of a list, in their order: groups put in, and taken out what stands behind `not`. A word that adds nothing
/// or takes out nothing is a slip of the pen.
fn words<'a>(
    list: &'static str,
    written: &'a [String],
    groups: &'a Groups,
) -> Result<Vec<&'a str>, CaseProblem> {
    let mut words: Vec<&str> = Vec::new();
    for item in written {
        let (adds, name) = item.strip_prefix("not ").map_or((true, item.as_str()), |name| (false, name));
        let meant: Vec<&str> = match name.strip_prefix('@') {
            Some(group) => {
                let group = groups.get(group).ok_or_else(|| CaseProblem::UnknownGroup(name.to_owned()))?;
                group.iter().map(String::as_str).collect()
            }
            None => vec![name],
        };
        for word in meant {
            match (adds, words.iter().position(|known| *known == word)) {
                (true, None) => words.push(word),
                (false, Some(place)) => {
                    words.remove(place);
                }
                _ => return Err(CaseProblem::NoUse { list, word: word.to_owned() }),
            }
        }
    }
    if words.is_empty() { Err(CaseProblem::EmptyList(list)) } else { Ok(words) }
}

/// The files of cases, by their path in the policy directory.
fn texts(dir: &Path, faults: &mut Vec<CaseFault>) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let entries = match fs::read_dir(dir.join(CASES)) {
        Ok(entries) => entries.flatten(),
        Err(error) => {
            faults.push(CaseFault::new(CASES, CaseProblem::Unreadable(error.to_string())));
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
            Err(error) => faults.push(CaseFault::new(&file, CaseProblem::Unreadable(error.to_string()))),
        }
    }
    texts
}
