//! An entry on its way to another log: what happened, when, and the ids that it has there.

use std::{fmt, sync::Arc};

use uuid::Builder;

use super::{Happened, Verdict, redacted};
use crate::{
    audit::{
        leaf::Kind,
        tree::{Hash, sha256},
    },
    domain::{PairId, Timestamp},
};

/// Id of a trace (W3C Trace Context), as lower case hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceId(pub [u8; 16]);

/// Id of a span (W3C Trace Context), as lower case hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanId(pub [u8; 8]);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The first bytes of a hash under a name of its own. Zeros alone are no valid id; a hash that begins so is not met.
fn derived<const N: usize>(name: &str, parts: &[&[u8]]) -> [u8; N] {
    let mut all = vec![name.as_bytes(), &[0]];
    all.extend(parts);
    let mut id = [0; N];
    id.iter_mut().zip(sha256(&all)).for_each(|(to, from)| *to = from);
    id
}

/// An entry as the other logs hear of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Name of the log, which is a shard.
    pub origin: Arc<str>,
    /// Index in it: with the name it finds the entry in an export.
    pub position: u64,
    /// Kind of the entry.
    pub kind: Kind,
    /// Pair of the entry.
    pub pair: PairId,
    /// Hash of its leaf in the tree: with it whoever has the log finds and proves the entry.
    pub leaf: Hash,
    /// When it began: of an outcome, the time of its request.
    pub started: Timestamp,
    /// When it ended: the time of the entry.
    pub ended: Timestamp,
    /// What it says.
    pub happened: Happened,
}

redacted!(Record);

impl Record {
    /// Trace of all that belongs to one call. Derived from the pair, which is random (RFC 9562, version 4), so that it is
    /// the same however often the record is made, and leads to nobody.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        TraceId(derived("sluis/v1/trace", &[&self.pair.bytes()]))
    }

    /// Span of this entry. Derived from the leaf's hash: what is sent twice has the same id twice.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        SpanId(derived("sluis/v1/span", &[&self.leaf]))
    }

    /// Span of what was released by one of the sources of this entry.
    #[must_use]
    pub fn source_span_id(&self, source: &str) -> SpanId {
        SpanId(derived("sluis/v1/span", &[&self.leaf, source.as_bytes()]))
    }

    /// A reference to the person concerned, if there is one: good for this record alone. It is derived from nothing of the
    /// person, so two records of one person cannot be joined; only who opens the entry in the log comes further.
    #[must_use]
    pub fn subject_reference(&self) -> Option<String> {
        let id = || Builder::from_custom_bytes(derived("sluis/v1/subject-reference", &[&self.leaf]));
        self.happened.concerns_a_person().then(|| id().into_uuid().to_string())
    }

    /// How it ended.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.happened.verdict()
    }
}
