//! Purpose limitation (doelbinding): Cedar policies and the permit they give.
//!
//! A [`PolicySet`] is read from a directory, checked, and from then on unchanging: enough to test it, to prove it and to
//! see what it would change. [`SealedPolicies`] are one that was proven and that its owners signed. Their answer is a
//! [`Permit`], which nothing else can make and without which no source is asked, or a [`Denial`]. `docs/policy.md` tells
//! how to read and change the policies.

mod cases;
mod change;
pub mod draft;
mod engine;
mod explain;
mod facts;
mod fault;
mod files;
mod history;
mod invariants;
mod load;
pub mod manifest;
mod permit;
pub mod proof;
pub mod prove;
mod purposes;
pub mod replay;
mod roles;
mod rules;
mod sealed;
mod shape;
pub mod table;
mod terms;

use std::collections::BTreeMap;

pub use cases::{CaseFault, CaseProblem, CasesRun, Coverage};
pub use change::{Difference, PolicyChange};
pub use engine::{Decision, EngineError};
pub use explain::{Because, Explanation};
pub use facts::Facts;
pub use fault::{PolicyFault, PolicyFaults, Problem};
pub use history::{History, HistoryFault, Version, VersionFault};
pub use permit::{Denial, DenialError, Permit, Permitted, Question, SetDecision};
pub use purposes::{PurposeEntry, Review};
pub use roles::RoleEntry;
pub use rules::PermitRule;
pub use sealed::SealedPolicies;
pub use terms::{CouncilReview, Terms};

use crate::{
    catalogue::Mask,
    domain::{Day, OrganisationKind, Purpose, Role},
};

/// How many days before a review is due those who run a gateway and those who own its policies are warned (R19).
pub const REVIEW_WARNING_DAYS: i64 = 60;

/// A loaded set of policies: the catalogue of purposes, and the rules that decide.
#[derive(Debug)]
pub struct PolicySet {
    hash: String,
    files: files::Files,
    purposes: BTreeMap<Purpose, PurposeEntry>,
    roles: Vec<RoleEntry>,
    permits: BTreeMap<(Purpose, Role), PermitRule>,
    ceilings: BTreeMap<(Purpose, Role, OrganisationKind), Mask>,
    field_sets: Vec<(&'static str, Mask)>,
    engine: engine::Engine,
    schema: cedar_policy::Schema,
    rules: cedar_policy::PolicySet,
    invariants: Vec<cedar_policy::Policy>,
}

impl PolicySet {
    /// `sha256:` and the hexadecimal hash of every file that decides. Stands in each decision (R18), so that an old
    /// decision can be repeated under the policy of its day (R38).
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The files that decide, by their path inside the directory.
    #[must_use]
    pub const fn files(&self) -> &BTreeMap<String, String> {
        &self.files.deciding
    }

    /// Ids of the invariants, in the order of their file.
    pub fn invariants(&self) -> impl Iterator<Item = String> {
        self.invariants.iter().map(|invariant| invariant.id().to_string())
    }

    /// What an invariant says, in a Dutch sentence.
    #[must_use]
    pub fn invariant_nl(&self, id: &str) -> Option<&str> {
        let invariant =
            self.invariants.iter().find(|invariant| AsRef::<str>::as_ref(invariant.id()) == id)?;
        invariant.annotation("nl")
    }

    /// The rule that permits this role something for this purpose, with its terms.
    #[must_use]
    pub fn permit_of(&self, purpose: &Purpose, role: Role) -> Option<&PermitRule> {
        self.permits.get(&(purpose.clone(), role))
    }

    /// Every rule that permits, by purpose and role.
    pub fn permits(&self) -> impl Iterator<Item = (&(Purpose, Role), &PermitRule)> {
        self.permits.iter()
    }

    /// Whether the rule for this purpose and role holds on this day: effective, and not past its review (R19, R38).
    #[must_use]
    pub fn in_effect(&self, purpose: &Purpose, role: Role, today: Day) -> bool {
        self.permit_of(purpose, role).is_some_and(|rule| rule.terms.hold_on(today))
    }

    /// Rules whose review is near, with the days that are left (R19).
    #[must_use]
    pub fn reviews_due(&self, today: Day) -> Vec<(&str, i64)> {
        let left = |rule: &PermitRule| (rule.terms.review_by - today).whole_days();
        let due = self.permits.values().filter(|rule| (0..=REVIEW_WARNING_DAYS).contains(&left(rule)));
        due.map(|rule| (rule.id.as_str(), left(rule))).collect()
    }

    /// Every role, as the catalogue of roles describes it.
    #[must_use]
    pub fn roles(&self) -> &[RoleEntry] {
        &self.roles
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
