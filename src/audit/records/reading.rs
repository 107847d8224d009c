//! Reads entries in the order of the log and makes records of them. A request is kept until its outcome comes: the two are
//! one record, that begins with the one and ends with the other.

use std::{collections::HashMap, sync::Arc};

use super::{Asked, Happened, Record, redacted};
use crate::{
    audit::{
        export::read::ReadEntry,
        leaf::{Kind, Leaf},
        tree::leaf_hash,
    },
    domain::{PairId, Timestamp},
};

/// A request whose outcome is to come.
#[derive(Clone)]
pub struct Begun {
    time: Timestamp,
    asked: Option<Asked>,
}

redacted!(Begun);

/// Makes records of entries.
#[derive(Clone, Debug)]
pub struct Reader {
    origin: Arc<str>,
    begun: HashMap<PairId, Begun>,
}

impl Reader {
    /// For the log of this name.
    #[must_use]
    pub fn new(origin: &str) -> Self {
        Self { origin: origin.into(), begun: HashMap::new() }
    }

    /// Name of the log that it reads.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether this entry is an outcome whose request has not been read here. With it, read by [`Reader::take`] first, the
    /// record is whole.
    #[must_use]
    pub fn lacks_request_of(&self, leaf: &Leaf) -> bool {
        leaf.kind == Kind::Outcome && !self.begun.contains_key(&leaf.pair)
    }

    /// The record of an entry. `None` for a request, and for kinds that are no processing of anybody's data. An entry
    /// whose facts do not read gives one that says so: nothing is passed over. Where they are left out or forgotten there is
    /// nothing to read, and whoever knows that drops it.
    pub fn take(&mut self, entry: &ReadEntry) -> Option<Record> {
        let leaf = &entry.leaf;
        if leaf.kind == Kind::Request {
            let asked = entry.facts.as_deref().and_then(Asked::read);
            self.begun.insert(leaf.pair, Begun { time: leaf.time, asked });
            return None;
        }
        let begun = if leaf.kind == Kind::Outcome { self.begun.remove(&leaf.pair) } else { None };
        let started = begun.as_ref().map_or(leaf.time, |begun| begun.time);
        let facts = entry.facts.as_deref().unwrap_or_default();
        let request = begun.and_then(|begun| begun.asked);
        let happened = Happened::read(leaf.kind, facts, entry.detail.as_deref(), request)?;
        Some(Record {
            origin: Arc::clone(&self.origin),
            position: entry.position,
            kind: leaf.kind,
            pair: leaf.pair,
            leaf: leaf_hash(&leaf.encode()),
            started,
            ended: leaf.time,
            happened,
        })
    }
}
