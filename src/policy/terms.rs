//! The terms of a permit: on what legal basis it rests, whose decision it is, and from when until when it holds. They
//! stand on the permit itself, as annotations, so that whoever reads the rule reads them too. A permit that lacks one does
//! not load (R15, R19, R23, R38, R40).

use std::collections::BTreeMap;

use cedar_policy::Policy;

use super::{fault::Problem, purposes::PARTICIPANT_KINDS};
use crate::domain::{Day, OrganisationKind, time::parse_day};

/// Annotations that any rule may have: its name, and what it says in a sentence.
const OF_EVERY_RULE: [&str; 3] = ["id", "nl", "en"];
/// Annotations of a permit besides `@basis_disclosure_...`.
const OF_A_PERMIT: [&str; 6] =
    ["basis_receipt", "owners", "council", "council_date", "effective", "review_by"];
const DISCLOSURE: &str = "basis_disclosure_";

/// The terms of one permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    disclosure: BTreeMap<OrganisationKind, String>,
    /// The legal basis (grondslag) on which the recipient may process what it receives (R15).
    pub basis_receipt: String,
    /// Ids of the owners who decide on it, as the manifest names them (R40).
    pub owners: Vec<String>,
    /// The client council's review of its fields (R23).
    pub council_review: CouncilReview,
    /// First day on which it holds (R38).
    pub effective: Day,
    /// Day by which it must have been reviewed; it does not hold after this (R19).
    pub review_by: Day,
}

/// A review by a client council (cliëntenraad).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CouncilReview {
    /// Name of the council.
    pub council: String,
    /// Day of its review.
    pub date: Day,
}

impl Terms {
    /// The legal basis on which a source of this kind may disclose (R15).
    #[must_use]
    pub fn basis_disclosure(&self, source_kind: OrganisationKind) -> Option<&str> {
        self.disclosure.get(&source_kind).map(String::as_str)
    }

    /// Whether the permit holds on this day; first day and review date are days on which it does.
    #[must_use]
    pub fn hold_on(&self, day: Day) -> bool {
        (self.effective..=self.review_by).contains(&day)
    }

    /// Reads the annotations of a permit.
    pub(super) fn read(id: &str, permit: &Policy, today: Day) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut disclosure = BTreeMap::new();
        for (name, value) in permit.annotations() {
            let kind = name.strip_prefix(DISCLOSURE);
            match kind.map(|kind| PARTICIPANT_KINDS.into_iter().find(|known| known.as_str() == kind)) {
                // A blank basis is none.
                Some(Some(kind)) if !value.trim().is_empty() => {
                    disclosure.insert(kind, value.trim().to_owned());
                }
                Some(Some(_)) => {}
                None if OF_EVERY_RULE.contains(&name) || OF_A_PERMIT.contains(&name) => {}
                _ => problems.push(unknown(id, name)),
            }
        }
        let missing = |name, rule| Problem::Annotation { id: id.to_owned(), name, rule };
        let mut text = |name, rule| {
            let found = permit.annotation(name).map(str::trim).filter(|text| !text.is_empty());
            if found.is_none() {
                problems.push(missing(name, rule));
            }
            found
        };
        let basis_receipt = text("basis_receipt", "R15");
        let owners = text("owners", "R40");
        let council = text("council", "R23");
        let dates = [("council_date", "R23"), ("effective", "R38"), ("review_by", "R19")];
        let written = dates.map(|(name, rule)| (name, rule, text(name, rule)));
        let [council_date, effective, review_by] = written.map(|(name, rule, written)| {
            let day = parse_day(written?).ok();
            if day.is_none() {
                problems.push(missing(name, rule));
            }
            day
        });
        let owners: Vec<_> = owners.unwrap_or_default().split(',').map(|id| id.trim().to_owned()).collect();
        if let (Some(reviewed), Some(effective), Some(review_by)) = (council_date, effective, review_by) {
            if !(reviewed <= effective && effective <= review_by) {
                problems.push(Problem::DatesOutOfOrder(id.to_owned()));
            } else if review_by < today {
                problems.push(Problem::ReviewPassed { id: id.to_owned(), review_by });
            }
        }
        match (basis_receipt, council, council_date, effective, review_by) {
            (Some(receipt), Some(council), Some(date), Some(effective), Some(review_by))
                if problems.is_empty() =>
            {
                Ok(Self {
                    disclosure,
                    basis_receipt: receipt.to_owned(),
                    owners,
                    council_review: CouncilReview { council: council.to_owned(), date },
                    effective,
                    review_by,
                })
            }
            _ => Err(problems),
        }
    }
}

/// What is wrong with the annotations of a guardrail or an invariant, which has no terms.
pub(super) fn of_a_guardrail(id: &str, rule: &Policy) -> Vec<Problem> {
    let odd = rule.annotations().map(|(name, _)| name).filter(|name| !OF_EVERY_RULE.contains(name));
    odd.map(|name| unknown(id, name)).collect()
}

/// A slip of the pen in the name of an annotation would otherwise leave out what it says.
fn unknown(id: &str, name: &str) -> Problem {
    Problem::AnnotationUnknown { id: id.to_owned(), name: name.to_owned() }
}
