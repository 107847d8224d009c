//! Purpose limitation (doelbinding): Cedar policies and the permit they give.
//!
//! A [`PolicySet`] is read from a directory, checked, and from then on unchanging. Its answer is a [`Permit`], which
//! nothing else can make and without which no source is asked, or a [`Denial`]. `docs/policy.md` tells how to read and
//! change the policies.

mod cases;
mod engine;
mod facts;
mod fault;
mod files;
mod load;
mod permit;
mod purposes;
mod rules;
mod shape;

use std::collections::BTreeMap;

pub use cases::{CaseFault, CaseProblem, CasesRun};
pub use engine::EngineError;
pub use facts::Facts;
pub use fault::{PolicyFault, PolicyFaults, Problem};
pub use permit::{Denial, DenialError, Permit, Question};
pub use purposes::{CouncilReview, PurposeEntry, Review};

use crate::{
    catalogue::Mask,
    domain::{OrganisationKind, Purpose, Role},
};

/// A loaded set of policies: the catalogue of purposes, and the rules that decide.
#[derive(Debug)]
pub struct PolicySet {
    hash: String,
    purposes: BTreeMap<Purpose, PurposeEntry>,
    ceilings: BTreeMap<(Purpose, Role, OrganisationKind), Mask>,
    field_sets: Vec<(&'static str, Mask)>,
    engine: engine::Engine,
}

impl PolicySet {
    /// `sha256:` and the hexadecimal hash of every file that decides. Stands in each decision (R18), so that an old
    /// decision can be repeated under the policy of its day (R38).
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The entry of a purpose, active or not; `None` for a purpose that is not in the catalogue.
    #[must_use]
    pub fn purpose(&self, purpose: &Purpose) -> Option<&PurposeEntry> {
        self.purposes.get(purpose)
    }

    /// Every purpose of the catalogue, by name.
    pub fn purposes(&self) -> impl Iterator<Item = &PurposeEntry> {
        self.purposes.values()
    }

    /// What this role may get for this purpose from this kind of source when every fact holds (R02). Empty for a
    /// purpose that is not active. It does not depend on any client.
    #[must_use]
    pub fn ceiling(&self, purpose: &Purpose, role: Role, source_kind: OrganisationKind) -> Mask {
        self.ceilings.get(&(purpose.clone(), role, source_kind)).copied().unwrap_or(Mask::EMPTY)
    }
}

#[cfg(test)]
mod tests;
