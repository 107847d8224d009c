//! Status of a grant, derived from its events and the time. It is stored nowhere, so it cannot disagree with them.

use crate::domain::{Reason, Timestamp};

/// What happened to a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Recorded with its form.
    Recorded,
    /// Confirmed by its source; implied where recorder and source are one.
    Confirmed,
    /// Withdrawn, for good.
    Withdrawn,
}

impl EventKind {
    /// The name in the store and in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Confirmed => "confirmed",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What the status is derived from: the period, and which events have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantState {
    /// First moment at which it is in force.
    pub starts: Timestamp,
    /// First moment at which it is no longer in force.
    pub ends: Timestamp,
    /// Whether its source confirmed it.
    pub confirmed: bool,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
}

/// Status of a grant at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Recorded, not confirmed.
    Recorded,
    /// Confirmed; its period has not begun.
    NotYetInForce,
    /// In force.
    InForce,
    /// Its period has ended.
    Expired,
    /// Withdrawn.
    Withdrawn,
}

impl GrantState {
    /// The status at this moment. A withdrawal beats everything; an end beats a missing confirmation.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Status {
        if self.withdrawn {
            Status::Withdrawn
        } else if now >= self.ends {
            Status::Expired
        } else if !self.confirmed {
            Status::Recorded
        } else if now < self.starts {
            Status::NotYetInForce
        } else {
            Status::InForce
        }
    }
}

impl Status {
    /// Why nothing is released under it; `None` if it is in force.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::InForce => None,
            Self::Recorded => Some(Reason::NotConfirmed),
            Self::NotYetInForce => Some(Reason::NotYetInForce),
            Self::Expired => Some(Reason::Expired),
            Self::Withdrawn => Some(Reason::Withdrawn),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn p01_in_force_only_confirmed_inside_the_period_and_not_withdrawn(
            now in 0_i64..100, starts in 0_i64..100, ends in 0_i64..100, confirmed: bool, withdrawn: bool,
        ) {
            let state = GrantState {
                starts: Timestamp::from_millis(starts),
                ends: Timestamp::from_millis(ends),
                confirmed,
                withdrawn,
            };
            let in_force = state.at(Timestamp::from_millis(now)) == Status::InForce;
            prop_assert_eq!(in_force, confirmed && !withdrawn && starts <= now && now < ends);
        }
    }
}
