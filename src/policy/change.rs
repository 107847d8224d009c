//! What one set of policies allows and another does not: every difference, found by deciding. Questions are finite, and a
//! fact that does not hold denies in every set that loads, so all facts are taken to hold.

use std::fmt;

use serde_json::{Value, json};

use super::PolicySet;
use crate::{
    catalogue::{self, Mask},
    domain::{OrganisationKind, Purpose, Role},
};

/// One combination in which two sets differ.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Purpose.
    pub purpose: Purpose,
    /// Role of the requester.
    pub role: Role,
    /// Kind of source.
    pub source_kind: OrganisationKind,
    /// Field set.
    pub field_set: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} {}", self.purpose, self.role, self.source_kind, self.field_set)
    }
}

/// What changes from one set to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyChange {
    /// What only the new one allows, sorted.
    pub wider: Vec<Difference>,
    /// What only the old one allows, sorted.
    pub narrower: Vec<Difference>,
}

impl PolicyChange {
    /// Every difference from the old set to the new one.
    #[must_use]
    pub fn between(old: &PolicySet, new: &PolicySet) -> Self {
        Self { wider: more(new, old), narrower: more(old, new) }
    }

    /// Whether the new set allows no more than the old one.
    #[must_use]
    pub const fn allows_no_more(&self) -> bool {
        self.wider.is_empty()
    }

    /// As it stands in the log.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let told = |list: &[Difference]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        json!({ "wider": told(&self.wider), "narrower": told(&self.narrower) })
    }
}

/// What `one` allows and `other` does not.
fn more(one: &PolicySet, other: &PolicySet) -> Vec<Difference> {
    let mut found = Vec::new();
    for ((purpose, role, source_kind), ceiling) in &one.ceilings {
        let more = ceiling.minus(other.ceiling(purpose, *role, *source_kind));
        let sets = catalogue::field_sets().into_iter();
        for field_set in sets.filter(|name| more.and(catalogue::field_set(name)) != Mask::EMPTY) {
            found.push(Difference {
                purpose: purpose.clone(),
                role: *role,
                source_kind: *source_kind,
                field_set: field_set.to_owned(),
            });
        }
    }
    found
}
