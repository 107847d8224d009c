//! What later shards of the same log say of one: what was forgotten in it, and where it was left.

use std::collections::{BTreeMap, HashSet};

use super::parts;
use crate::{
    audit::leaf::{Kind, parse_facts},
    domain::{PairId, Timestamp},
};

/// What the erasures of one shard say.
#[derive(Default)]
pub struct Named {
    pairs: HashSet<PairId>,
    /// Of each kind the latest time before which its entries were emptied.
    over: BTreeMap<Kind, Timestamp>,
    /// Whether one of them is not opened.
    pub is_cut_short: bool,
}

impl Named {
    /// Takes in an `erasure`; without facts, one that is not opened.
    pub fn take(&mut self, time: Timestamp, facts: Option<&str>) {
        match facts.and_then(|facts| parse_facts(facts.as_bytes())) {
            Some(facts) => {
                self.pairs.extend(parts::pairs(&facts));
                parts::over(&facts, time, &mut self.over);
            }
            None => self.is_cut_short = true,
        }
    }
}

/// What is known of the shards after one.
#[derive(Default)]
pub struct Later<'a> {
    /// What their erasures say.
    pub named: Vec<&'a Named>,
    /// Whether a next shard is there: then this one is closed, with a seal or without.
    pub is_followed: bool,
    /// Whether there may be erasures that were not looked at: later shards that were not given, or not opened.
    pub may_be_more: bool,
    /// The checkpoint that the next one began from, where the log began anew.
    pub left_at: Option<String>,
}

impl Later<'_> {
    /// Nothing is known of later shards, and there may be some.
    pub fn unknown() -> Self {
        Self { may_be_more: true, ..Self::default() }
    }

    /// Whether the entries of this pair were erased.
    pub fn names(&self, pair: &PairId) -> bool {
        self.named.iter().any(|named| named.pairs.contains(pair))
    }

    /// Whether entries of this kind and time are over their term.
    pub fn is_over(&self, kind: Kind, time: Timestamp) -> bool {
        self.named.iter().any(|named| named.over.get(&kind).is_some_and(|before| time < *before))
    }
}
