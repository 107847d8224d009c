//! What must hold between entries: time goes on, each request has one outcome, after it, and nothing follows a seal.

use std::collections::HashMap;

use crate::{
    audit::{
        leaf::{Kind, Leaf},
        report::{Code, Report},
    },
    domain::{PairId, Timestamp},
};

/// The entries so far. It remembers open requests and outcomes that came too early, nothing of finished pairs.
#[derive(Default)]
pub struct Story {
    last: Option<Timestamp>,
    requests: HashMap<PairId, u64>,
    outcomes: HashMap<PairId, u64>,
    sealed: Option<u64>,
    gap: bool,
}

impl Story {
    pub fn entry(&mut self, position: u64, leaf: &Leaf, report: &mut Report) {
        let at = Some(position);
        if self.last.is_some_and(|last| leaf.time < last) {
            report.find(at, Code::TimeWentBack, "earlier than the entry ahead of it");
        }
        self.last = self.last.max(Some(leaf.time));
        if (leaf.kind == Kind::Genesis) != (position == 0) {
            let detail = match position {
                0 => "the log does not begin with a `genesis`",
                _ => "a `genesis` that does not begin the log",
            };
            report.find(at, Code::GenesisMisplaced, detail);
        }
        if let Some(seal) = self.sealed {
            report.find(at, Code::EntryAfterSeal, format!("the shard was sealed at {seal}"));
        }
        match leaf.kind {
            Kind::Seal => {
                self.sealed = Some(position);
                if !self.requests.is_empty() {
                    let detail = format!("sealed while {} requests had no outcome", self.requests.len());
                    report.find(at, Code::SealedOpen, detail);
                }
            }
            Kind::Request => match self.outcomes.remove(&leaf.pair) {
                Some(outcome) => {
                    let detail = format!("its outcome stands ahead of it, at {outcome}");
                    report.find(at, Code::OutcomeBeforeRequest, detail);
                }
                // A repeated request is found as a repeated id.
                None => _ = self.requests.insert(leaf.pair, position),
            },
            Kind::Outcome if self.requests.remove(&leaf.pair).is_none() => {
                self.outcomes.insert(leaf.pair, position);
            }
            _ => {}
        }
    }

    /// An entry cannot be read. It may be the request of any outcome.
    pub const fn gap(&mut self) {
        self.gap = true;
    }

    /// What is left when the log ends.
    pub fn end(self, report: &mut Report) {
        report.open_requests = self.requests.len() as u64;
        let orphans = if self.gap { HashMap::new() } else { self.outcomes };
        for (position, code, detail) in sorted(self.requests)
            .map(|position| (position, Code::RequestWithoutOutcome, "a request without an outcome"))
            .chain(
                sorted(orphans)
                    .map(|position| (position, Code::OutcomeWithoutRequest, "an outcome without a request")),
            )
        {
            report.find(Some(position), code, detail);
        }
    }
}

fn sorted(pairs: HashMap<PairId, u64>) -> impl Iterator<Item = u64> {
    let mut positions: Vec<u64> = pairs.into_values().collect();
    positions.sort_unstable();
    positions.into_iter()
}
