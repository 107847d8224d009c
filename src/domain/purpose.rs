//! Purposes (doelen). Which are served, and how far, is policy; which never can be, stands here (R29).

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// A well-formed name of a purpose, such as `REINTEGRATION`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Purpose(Arc<str>);

/// Why a text is not a purpose that could be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PurposeFault {
    /// Not one name in capitals.
    #[error("must be exactly one name in capitals and underscores, 3 to 40 positions")]
    Malformed,
    /// A purpose that no policy can open.
    #[error("is never served, by any policy")]
    NeverServed,
}

/// What the exchange is never used for. No policy can open these: the name alone is refused, in requests, on forms and
/// in policies.
pub const NEVER_SERVED: [&str; 20] = [
    "ENFORCEMENT",
    "FRAUD",
    "FRAUD_DETECTION",
    "SANCTION",
    "SANCTIONS",
    "RECOVERY",
    "BENEFIT_ENTITLEMENT",
    "ACCESS_DECISION",
    "POLICE",
    "JUSTICE",
    "INSURER",
    "INSURANCE",
    "EMPLOYER",
    "DEBT_COLLECTION",
    "RESEARCH",
    "RESEARCH_LINKAGE",
    "PROFILING",
    "PERFORMANCE_STEERING",
    "TESTING",
    "OTHER",
];

impl Purpose {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Purpose {
    type Err = PurposeFault;

    fn from_str(text: &str) -> Result<Self, PurposeFault> {
        if !(3..=40).contains(&text.len()) || !text.bytes().all(|c| c.is_ascii_uppercase() || c == b'_') {
            return Err(PurposeFault::Malformed);
        }
        if NEVER_SERVED.contains(&text) {
            return Err(PurposeFault::NeverServed);
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<String> for Purpose {
    type Error = PurposeFault;

    fn try_from(text: String) -> Result<Self, PurposeFault> {
        text.parse()
    }
}

impl From<Purpose> for String {
    fn from(purpose: Purpose) -> Self {
        purpose.as_str().to_owned()
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r01_exactly_one_name() {
        assert!("REINTEGRATION".parse::<Purpose>().is_ok());
        for text in ["", "reintegration", "REINTEGRATION,JOB_COACHING", "A B C", "*"] {
            assert_eq!(text.parse::<Purpose>(), Err(PurposeFault::Malformed), "{text}");
        }
    }

    #[test]
    fn r29_enforcement_is_never_a_purpose() {
        for name in NEVER_SERVED {
            assert_eq!(name.parse::<Purpose>(), Err(PurposeFault::NeverServed), "{name}");
        }
    }
}
