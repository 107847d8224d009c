//! Deciding again what was decided before, from what the log says of it: under the policies of its day, where the same must
//! come out (R38), and under others, to see what they would change before they decide anything.
//!
//! A decision is a function of a few facts, and they are in the log. What the log does not know cannot be told: a field
//! that no grant covered stays out, however wide the policies are.

mod past;
mod summary;

use std::collections::BTreeMap;

pub use past::{PastDecision, PastFault, PastRefusal, PastSource};
pub use summary::{ReplayRow, ReplaySummary};

use super::{PolicySet, Question};
use crate::{
    catalogue::{self, Mask},
    domain::Oin,
};

/// A decision that does not come out as the log says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("entry {position}: {what} was {logged} and is {repeated}")]
pub struct Differs {
    /// Position of the outcome.
    pub position: u64,
    /// What differs.
    pub what: &'static str,
    /// As the log says.
    pub logged: String,
    /// As it comes out now.
    pub repeated: String,
}

/// What other policies would have made of a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Per source, what would no longer have been asked for, and what would have been asked for too.
    pub sources: BTreeMap<Oin, (Mask, Mask)>,
    /// What would be above the ceiling and was not.
    pub now_above_ceiling: Mask,
    /// What was above the ceiling and would not be. Whether a grant covers it is not known.
    pub no_longer_above_ceiling: Mask,
    /// The whole request would be refused now: its purpose is not served any more, or not to this role.
    pub refused_now: bool,
    /// The request was refused for its purpose, and would not be now.
    pub admitted_now: bool,
}

impl Changed {
    /// Whether anything would have been different.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl PastDecision {
    /// Decides again under the policies of its day. Nothing differs, or somebody has changed the log, the policies or
    /// the program.
    #[must_use]
    pub fn repeat(&self, then: &PolicySet) -> Vec<Differs> {
        let mut differs = Vec::new();
        let mut compare = |what, logged: String, repeated: String| {
            if logged != repeated {
                differs.push(Differs { position: self.position, what, logged, repeated });
            }
        };
        let active = then.purpose(&self.purpose).map(|entry| entry.active);
        match self.refusal {
            None => compare("the purpose", told_active(Some(true)), told_active(active)),
            Some(PastRefusal::PurposeUnknown) => {
                compare("the purpose", told_active(None), told_active(active))
            }
            Some(PastRefusal::PurposeInactive) => {
                compare("the purpose", told_active(Some(false)), told_active(active));
            }
            // What else was refused, the policies had no part in, or it hangs on agreements that a refusal does not name.
            Some(PastRefusal::NotForRole | PastRefusal::Other) => {}
        }
        for source in &self.sources {
            let (permitted, rules) = self.decide(source, then);
            compare("what was asked for", codes(source.permitted), codes(permitted));
            compare("the rules that decided", source.rules.join(", "), rules.join(", "));
        }
        if !self.sources.is_empty() {
            compare("what was above the ceiling", codes(self.above_ceiling), codes(self.above(then)));
        }
        differs
    }

    /// Decides again under other policies.
    #[must_use]
    pub fn against(&self, others: &PolicySet) -> Changed {
        let mut changed = Changed::default();
        let served = others.purpose(&self.purpose).is_some_and(|entry| entry.active)
            && others.permit_of(&self.purpose, self.role).is_some();
        match self.refusal {
            Some(PastRefusal::PurposeUnknown | PastRefusal::PurposeInactive | PastRefusal::NotForRole) => {
                changed.admitted_now = served;
                return changed;
            }
            Some(PastRefusal::Other) => return changed,
            None => {}
        }
        let above = self.above(others);
        changed.refused_now = !served || above == self.requested;
        changed.now_above_ceiling = above.minus(self.above_ceiling);
        changed.no_longer_above_ceiling = self.above_ceiling.minus(above);
        for source in &self.sources {
            let (permitted, _) = self.decide(source, others);
            let (lost, gained) = (source.permitted.minus(permitted), permitted.minus(source.permitted));
            if !(lost.is_empty() && gained.is_empty()) {
                changed.sources.insert(source.source, (lost, gained));
            }
        }
        changed
    }

    /// The policy step of an exchange, as the exchange takes it.
    fn decide(&self, source: &PastSource, policies: &PolicySet) -> (Mask, Vec<String>) {
        let question = Question {
            recipient: self.recipient,
            role: self.role,
            purpose: self.purpose.clone(),
            source: source.source,
            source_kind: source.source_kind,
            fields: if source.granted.is_empty() { source.agreed } else { source.granted },
            facts: source.facts,
        };
        match policies.outcome(&question) {
            Ok(permitted) => (permitted.fields, permitted.rules),
            Err(denial) => (Mask::EMPTY, denial.rules),
        }
    }

    /// What was requested and no source could ever give, whatever the client had signed.
    fn above(&self, policies: &PolicySet) -> Mask {
        let within = self.sources.iter().fold(Mask::EMPTY, |all, source| {
            all.or(policies.ceiling(&self.purpose, self.role, source.source_kind).and(source.agreed))
        });
        self.requested.minus(within)
    }
}

fn codes(mask: Mask) -> String {
    if mask.is_empty() { "nothing".to_owned() } else { catalogue::codes(mask).join(", ") }
}

fn told_active(active: Option<bool>) -> String {
    match active {
        None => "not in the list of purposes",
        Some(true) => "active",
        Some(false) => "not active",
    }
    .to_owned()
}

#[cfg(test)]
mod tests;
