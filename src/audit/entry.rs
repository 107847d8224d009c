//! An entry before it has a place in the log.

use serde_json::{Value, json};

use super::leaf::Kind;
use crate::{
    domain::{Oin, PairId, Purpose, SubjectId},
    subject::Tag,
};

/// Whose key seals what leads to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectLink {
    /// No client is concerned; sealed with a key that is thrown away, so that every leaf has the same shape.
    Nobody,
    /// A client by his tag. `keep` where a consent is recorded; otherwise a key made for a mere question is short-lived,
    /// so that no register of everyone ever asked about grows.
    Tag {
        /// Look-up tag.
        tag: Tag,
        /// Whether the key stays.
        keep: bool,
    },
    /// A client that is known already.
    Subject(SubjectId),
}

/// An entry to append.
#[derive(Clone, Debug)]
pub struct NewEntry {
    /// Kind.
    pub kind: Kind,
    /// Pair it belongs to.
    pub pair: PairId,
    /// What an officer searches and a requester may see.
    pub facts: Value,
    /// What only the gateway's officer may see: real reasons, facts of the decision. The facts commit to it.
    pub detail: Option<Value>,
    /// What leads to a person: user, case, request id, grants.
    pub client: Value,
    /// Whose key seals it.
    pub subject: SubjectLink,
    /// To search by.
    pub requester: Option<Oin>,
    /// To search by.
    pub purpose: Option<Purpose>,
}

impl NewEntry {
    /// An entry that concerns no client, with a pair of its own.
    #[must_use]
    pub fn of_gateway(kind: Kind, facts: Value) -> Self {
        Self {
            kind,
            pair: PairId::random(),
            facts,
            detail: None,
            client: json!({}),
            subject: SubjectLink::Nobody,
            requester: None,
            purpose: None,
        }
    }
}
