//! What did not come along, and why a resource is refused. Both name places in words of the standard and of this program:
//! a value of the input, or a name that the standard does not have, is never repeated (P08).

use std::fmt;

/// One thing of the input that has no place in the output, or one thing that was assumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// Where it stands, `Consent.contained[0].name`.
    pub path: String,
    /// What became of it.
    pub what: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.path, self.what)
    }
}

/// What was left out or assumed, in the order in which it was found, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LossReport {
    /// The losses.
    pub lines: Vec<Loss>,
}

impl LossReport {
    /// A resource can be referred to more than once, and is lost once.
    pub(super) fn add(&mut self, path: impl Into<String>, what: impl Into<String>) {
        let loss = Loss { path: path.into(), what: what.into() };
        if !self.lines.contains(&loss) {
            self.lines.push(loss);
        }
    }
}

impl fmt::Display for LossReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|loss| writeln!(f, "{loss}"))
    }
}

/// Why there is no output at all. What is unclear is refused and not guessed at (R06).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FhirFault {
    /// A part without which it is no consent.
    #[error("`{path}` is missing; accepted: {accepted}")]
    Missing {
        /// Where it should stand.
        path: String,
        /// What would be accepted.
        accepted: String,
    },
    /// Something unknown, ambiguous, or wider than a grant can be.
    #[error("`{path}` is not accepted; accepted: {accepted}")]
    NotAccepted {
        /// Where it stands.
        path: String,
        /// What would be accepted.
        accepted: String,
    },
    /// A class, code or label of something medical (R03, R04, R39).
    #[error("`{path}` is medical, or can be, and is never carried; accepted: {accepted}")]
    Medical {
        /// Where it stands.
        path: String,
        /// What would be accepted.
        accepted: String,
    },
}

impl FhirFault {
    pub(super) fn missing(path: impl Into<String>, accepted: impl Into<String>) -> Self {
        Self::Missing { path: path.into(), accepted: accepted.into() }
    }

    pub(super) fn not(path: impl Into<String>, accepted: impl Into<String>) -> Self {
        Self::NotAccepted { path: path.into(), accepted: accepted.into() }
    }

    pub(super) fn medical(path: impl Into<String>, accepted: impl Into<String>) -> Self {
        Self::Medical { path: path.into(), accepted: accepted.into() }
    }

    /// Where it stands.
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Self::Missing { path, .. } | Self::NotAccepted { path, .. } | Self::Medical { path, .. } => path,
        }
    }

    /// What would be accepted there.
    #[must_use]
    pub fn accepted(&self) -> &str {
        match self {
            Self::Missing { accepted, .. }
            | Self::NotAccepted { accepted, .. }
            | Self::Medical { accepted, .. } => accepted,
        }
    }
}
