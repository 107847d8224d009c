//! What there is to prove of a set of policies, and what came of it.

use std::{fmt, time::Duration};

use super::CounterExample;
use crate::policy::{PolicyChange, proof::ProvenChange};

/// What is to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Property {
    /// A rule never gives an error.
    NeverErrors(String),
    /// A permit can permit something, with all guardrails in force.
    CanPermit(String),
    /// A guardrail can forbid something.
    CanForbid(String),
    /// Whatever the set permits keeps to an invariant.
    Keeps(String),
    /// The set allows no more than the one before.
    AllowsNoMore,
    /// What is listed as wider is all that is.
    WiderIsAll,
    /// What is listed as narrower is all that is.
    NarrowerIsAll,
}

impl Property {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NeverErrors(_) => "NEVER_ERRORS",
            Self::CanPermit(_) => "CAN_PERMIT",
            Self::CanForbid(_) => "CAN_FORBID",
            Self::Keeps(_) => "KEEPS",
            Self::AllowsNoMore => "ALLOWS_NO_MORE",
            Self::WiderIsAll => "WIDER_IS_ALL",
            Self::NarrowerIsAll => "NARROWER_IS_ALL",
        }
    }

    /// The rule or invariant that it is about, if it is about one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::NeverErrors(id) | Self::CanPermit(id) | Self::CanForbid(id) | Self::Keeps(id) => Some(id),
            Self::AllowsNoMore | Self::WiderIsAll | Self::NarrowerIsAll => None,
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverErrors(id) => write!(f, "`{id}` never gives an error"),
            Self::CanPermit(id) => write!(f, "`{id}` can permit something"),
            Self::CanForbid(id) => write!(f, "`{id}` can forbid something"),
            Self::Keeps(id) => write!(f, "everything that is permitted keeps to `{id}`"),
            Self::AllowsNoMore => write!(f, "the set allows no more than the one before"),
            Self::WiderIsAll => {
                write!(f, "besides what is listed, the set allows no more than the one before")
            }
            Self::NarrowerIsAll => {
                write!(f, "besides what is listed, the set allows no less than the one before")
            }
        }
    }
}

/// Whether a property holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does, for every question.
    Holds,
    /// It does not, as this question shows.
    Broken(CounterExample),
    /// The rule has no effect on any question whatever: it says something else than was meant.
    Idle,
}

/// One property, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub property: Property,
    /// What came of it.
    pub verdict: Verdict,
    /// How long it took.
    pub took: Duration,
}

impl Finding {
    /// Whether the property holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.verdict == Verdict::Holds
    }

    /// A question that shows that it does not, if there is one.
    #[must_use]
    pub const fn counter_example(&self) -> Option<&CounterExample> {
        match &self.verdict {
            Verdict::Broken(example) => Some(example),
            Verdict::Holds | Verdict::Idle => None,
        }
    }
}

/// Everything holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Hash of the set.
    pub set: String,
    /// The solver, as it names itself.
    pub solver: String,
    /// What put the questions to it.
    pub prover: String,
    /// The invariants.
    pub invariants: Vec<String>,
    /// The rules, none of which ever gives an error.
    pub never_errors: Vec<String>,
    /// The difference from the set before.
    pub change: Option<ProvenChange>,
}

/// What came of an attempt to prove a set.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Each property, in the order in which it was looked at.
    pub findings: Vec<Finding>,
    /// Every difference from the set before, found by deciding.
    pub change: Option<PolicyChange>,
    pub(super) proven: Proven,
}

impl Attempt {
    /// What may go into a proof record: nothing, unless everything holds. That a set allows more than the one before is for
    /// its owners to decide, and stands in the record; but then it stands there in full.
    #[must_use]
    pub fn proven(&self) -> Option<&Proven> {
        let must = |finding: &&Finding| finding.property != Property::AllowsNoMore;
        self.findings.iter().filter(must).all(Finding::holds).then_some(&self.proven)
    }

    /// The solver, as it names itself.
    #[must_use]
    pub fn solver(&self) -> &str {
        &self.proven.solver
    }

    /// What put the questions to it.
    #[must_use]
    pub fn prover(&self) -> &str {
        &self.proven.prover
    }
}
