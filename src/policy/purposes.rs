//! The catalogue of purposes (doelen), from `purposes.toml`, with what the terms of its rules say about each.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    fault::{PolicyFault, Problem},
    files::{CATALOGUE, line_at},
    terms::{CouncilReview, Terms},
};
use crate::domain::{OrganisationKind, Purpose, Role};

/// One purpose of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurposeEntry {
    /// Its name.
    pub purpose: Purpose,
    /// Row of the catalogue of purposes that its ceiling starts from, such as `U01`; empty if there is none.
    pub row: String,
    /// Dutch label.
    pub label_nl: String,
    /// English label.
    pub label_en: String,
    /// Whether it is served.
    pub active: bool,
    /// Why it is not; present if it is not active.
    pub open_question: Option<String>,
    /// Longest period of a grant, in months, 1 to 12; 0 for a purpose that is not active.
    pub max_months: u8,
    /// Whether a grant for it is limited to one use, and the receiver acknowledges what it got (R10).
    pub one_time: bool,
    /// Purposes of which one must have a grant in force, to the same recipient and role from the same source, before a
    /// grant for this one gives anything. None for a purpose that stands by itself.
    pub follows: Vec<Purpose>,
    /// Roles that some rule permits something, in the order of the file.
    pub roles: Vec<Role>,
    /// Ids of those who decide on it (R40), from the terms of its rules.
    pub owners: Vec<String>,
    /// The client council's review of its fields (R23): the oldest of those that its rules name.
    pub council_review: Option<CouncilReview>,
    /// Whether it is an example or a region's own; present if it is active.
    pub review: Option<Review>,
    disclosure: BTreeMap<OrganisationKind, String>,
    receipt: BTreeMap<OrganisationKind, String>,
}

impl PurposeEntry {
    /// The legal basis (grondslag) on which a source of this kind may disclose (R15).
    #[must_use]
    pub fn basis_disclosure(&self, source_kind: OrganisationKind) -> Option<&str> {
        self.disclosure.get(&source_kind).map(String::as_str)
    }

    /// The legal basis (grondslag) on which a recipient of this kind may process what it receives (R15).
    #[must_use]
    pub fn basis_receipt(&self, recipient_kind: OrganisationKind) -> Option<&str> {
        self.receipt.get(&recipient_kind).map(String::as_str)
    }

    /// Takes in what the rule of a role says. What several rules say differently stands beside each other.
    pub(super) fn add(&mut self, role: Role, terms: &Terms) {
        let beside = |bases: &mut BTreeMap<OrganisationKind, String>, kind, basis: &str| {
            let known = bases.entry(kind).or_default();
            if known.is_empty() {
                basis.clone_into(known);
            } else if known != basis {
                *known = format!("{known}; {basis}");
            }
        };
        for kind in PARTICIPANT_KINDS {
            if let Some(basis) = terms.basis_disclosure(kind) {
                beside(&mut self.disclosure, kind, basis);
            }
        }
        beside(&mut self.receipt, role.kind(), &terms.basis_receipt);
        for owner in &terms.owners {
            if !self.owners.contains(owner) {
                self.owners.push(owner.clone());
            }
        }
        if self.council_review.as_ref().is_none_or(|known| terms.council_review.date < known.date) {
            self.council_review = Some(terms.council_review.clone());
        }
    }
}

/// Whose decision a purpose is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// Nobody's: it shows how, and loads on a test gateway only (P12).
    Example,
    /// The owners' own.
    Signed,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    #[serde(default)]
    purpose: Vec<Raw>,
}

/// An entry as written. What a purpose needs is looked at after reading, so that all faults are told at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    #[serde(default)]
    row: String,
    #[serde(default)]
    label_nl: String,
    #[serde(default)]
    label_en: String,
    active: bool,
    open_question: Option<String>,
    max_months: Option<u8>,
    #[serde(default)]
    one_time: bool,
    #[serde(default)]
    follows: Vec<String>,
    #[serde(default)]
    roles: Vec<String>,
    review: Option<String>,
}

/// Reads the catalogue; `None` if it does not parse. An entry with a fault is among the purposes all the same, so that
/// its policy file is checked too; whoever calls this refuses the whole set if there is any fault.
pub(super) fn parse(
    text: &str,
    test_gateway: bool,
    faults: &mut Vec<PolicyFault>,
) -> Option<BTreeMap<Purpose, PurposeEntry>> {
    let catalogue: Catalogue = match toml::from_str(text) {
        Ok(catalogue) => catalogue,
        Err(error) => {
            let line = line_at(text, error.span().map_or(0, |span| span.start));
            let problem = Problem::Syntax(error.message().to_owned());
            faults.push(PolicyFault::new(CATALOGUE, problem).at(line));
            return None;
        }
    };
    let mut purposes = BTreeMap::new();
    let mut problems = Vec::new();
    for raw in catalogue.purpose {
        match raw.name.parse() {
            Ok(purpose) => {
                let entry = entry(purpose, raw, test_gateway, &mut problems);
                if let Some(former) = purposes.insert(entry.purpose.clone(), entry) {
                    problems.push(Problem::PurposeDuplicate(former.purpose));
                }
            }
            Err(fault) => problems.push(Problem::PurposeName { name: raw.name, fault }),
        }
    }
    for entry in purposes.values() {
        problems.extend(check_followed(entry, &purposes));
    }
    faults.extend(problems.into_iter().map(|problem| PolicyFault::new(CATALOGUE, problem)));
    Some(purposes)
}

/// What is followed is served, and stands by itself.
fn check_followed(entry: &PurposeEntry, purposes: &BTreeMap<Purpose, PurposeEntry>) -> Vec<Problem> {
    let stands = |followed: &&Purpose| {
        purposes.get(*followed).is_some_and(|followed| followed.active && followed.follows.is_empty())
    };
    let fault = |followed: &Purpose| Problem::CannotFollow {
        purpose: entry.purpose.clone(),
        follows: followed.to_string(),
    };
    entry.follows.iter().filter(|followed| !stands(followed)).map(fault).collect()
}

fn entry(purpose: Purpose, raw: Raw, test_gateway: bool, problems: &mut Vec<Problem>) -> PurposeEntry {
    let blank = |text: &String| text.trim().is_empty();
    let mut roles = Vec::new();
    for role in raw.roles {
        match role.parse() {
            Ok(role) => roles.push(role),
            Err(_) => problems.push(Problem::UnknownRole { purpose: purpose.clone(), role }),
        }
    }
    let mut follows = Vec::new();
    for name in raw.follows {
        match name.parse() {
            Ok(followed) => follows.push(followed),
            Err(_) => problems.push(Problem::CannotFollow { purpose: purpose.clone(), follows: name }),
        }
    }
    let review = match raw.review.as_deref() {
        Some("example") => Some(Review::Example),
        Some("signed") => Some(Review::Signed),
        _ => None,
    };
    let open_question = raw.open_question.filter(|question| !blank(question));

    let mut needs = |holds: bool, problem: fn(Purpose) -> Problem| {
        if !holds {
            problems.push(problem(purpose.clone()));
        }
    };
    needs(!blank(&raw.label_nl) && !blank(&raw.label_en), Problem::LabelMissing);
    // An example may not even lie ready in production.
    needs(test_gateway || review != Some(Review::Example), Problem::ExampleInProduction);
    if raw.active {
        needs(review.is_some(), Problem::NoReview);
        needs(raw.max_months.is_some_and(|months| (1..=12).contains(&months)), Problem::MonthsOutOfRange);
    } else {
        needs(open_question.is_some(), Problem::NoOpenQuestion);
    }
    PurposeEntry {
        purpose,
        row: raw.row,
        label_nl: raw.label_nl,
        label_en: raw.label_en,
        active: raw.active,
        open_question,
        max_months: if raw.active { raw.max_months.unwrap_or(0) } else { 0 },
        one_time: raw.one_time,
        follows,
        roles,
        owners: Vec::new(),
        council_review: None,
        review,
        disclosure: BTreeMap::new(),
        receipt: BTreeMap::new(),
    }
}

/// The kinds that disclose and receive. A gateway does neither.
pub(super) const PARTICIPANT_KINDS: [OrganisationKind; 3] =
    [OrganisationKind::Gemeente, OrganisationKind::Uwv, OrganisationKind::Ggz];
