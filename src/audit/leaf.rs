//! What the tree holds of an entry: its kind, time and pair, and two commitments. The words stand beside the tree.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    b64,
    seal::EntryKey,
    tree::{Hash, sha256},
};
use crate::domain::{PairId, Timestamp};

#[cfg(test)]
mod tests;

/// Thirty-two random bytes that keep a commitment from being guessed.
pub type Salt = [u8; 32];

/// What an entry is about (soort).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The first entry of a shard.
    Genesis,
    /// What was asked; durable before any source is asked.
    Request,
    /// What was decided and released; exactly one for each request.
    Outcome,
    /// A form recorded, a grant confirmed, withdrawn and so on.
    Consent,
    /// A policy was loaded.
    Policy,
    /// The register of participants changed.
    Participants,
    /// How an agreement stands has changed.
    Agreement,
    /// The receiver of a hand-over has taken the client over.
    Acknowledgement,
    /// The key of the next shard, or that one is wanted.
    Key,
    /// Somebody searched, read or exported the log.
    Access,
    /// Counts of calls that were turned away unread.
    TurnedAway,
    /// A witness was not reached, or is again.
    Witness,
    /// The keys to entries were destroyed.
    Erasure,
    /// The last entry of a shard.
    Seal,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Genesis,
        Self::Request,
        Self::Outcome,
        Self::Consent,
        Self::Policy,
        Self::Participants,
        Self::Agreement,
        Self::Acknowledgement,
        Self::Key,
        Self::Access,
        Self::TurnedAway,
        Self::Witness,
        Self::Erasure,
        Self::Seal,
    ];

    /// Its name in a leaf.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Genesis => "genesis",
            Self::Request => "request",
            Self::Outcome => "outcome",
            Self::Consent => "consent",
            Self::Policy => "policy",
            Self::Participants => "participants",
            Self::Agreement => "agreement",
            Self::Acknowledgement => "acknowledgement",
            Self::Key => "key",
            Self::Access => "access",
            Self::TurnedAway => "turned_away",
            Self::Witness => "witness",
            Self::Erasure => "erasure",
            Self::Seal => "seal",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no kind of entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of entry")]
pub struct UnknownKind;

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownKind)
    }
}

/// Why bytes are not a leaf.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeafFault {
    /// Not the canonical form of a leaf.
    #[error("not a leaf in canonical form")]
    Malformed,
    /// A leaf, but of a kind that this version does not know.
    #[error("the kind `{0}` is not known")]
    UnknownKind(String),
}

/// An entry as the tree holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What it is about.
    pub kind: Kind,
    /// When it was committed; never before the entry ahead of it.
    pub time: Timestamp,
    /// The same in a request and its outcome; one of its own in any other entry.
    pub pair: PairId,
    /// Commitment to the facts: see [`commit_facts`].
    pub facts: Hash,
    /// Commitment to the sealed part: see [`commit_client`].
    pub client: Hash,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    client: String,
    facts: String,
    kind: String,
    pair: PairId,
    time: String,
    #[serde(rename = "v")]
    _version: u8,
}

fn encode(kind: &str, time: Timestamp, pair: PairId, facts: &Hash, client: &Hash) -> Vec<u8> {
    // Sorted names and characters that need no escape: this is the canonical form (RFC 8785).
    let (client, facts) = (b64::encode(client), b64::encode(facts));
    format!(
        r#"{{"client":"{client}","facts":"{facts}","kind":"{kind}","pair":"{pair}","time":"{time}","v":1}}"#
    )
    .into_bytes()
}

impl Leaf {
    /// The bytes that are hashed: canonical JSON.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        encode(self.kind.as_str(), self.time, self.pair, &self.facts, &self.client)
    }

    /// Reads a leaf. Only the bytes that [`encode`](Self::encode) gives are one.
    ///
    /// # Errors
    /// [`LeafFault`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LeafFault> {
        let raw: Raw = serde_json::from_slice(bytes).map_err(|_| LeafFault::Malformed)?;
        let plain = |c: char| c.is_ascii_lowercase() || c == '_';
        let read = || {
            let time = Timestamp::parse(&raw.time).ok()?;
            let (facts, client) = (b64::hash(&raw.facts)?, b64::hash(&raw.client)?);
            let named = !raw.kind.is_empty() && raw.kind.len() <= 40 && raw.kind.chars().all(plain);
            let same = named && encode(&raw.kind, time, raw.pair, &facts, &client) == bytes;
            same.then_some((time, facts, client))
        };
        let (time, facts, client) = read().ok_or(LeafFault::Malformed)?;
        let kind = raw.kind.parse().map_err(|UnknownKind| LeafFault::UnknownKind(raw.kind))?;
        Ok(Self { kind, time, pair: raw.pair, facts, client })
    }

    /// Its id: see [`entry_id`].
    #[must_use]
    pub fn id(&self) -> Vec<u8> {
        entry_id(self.pair, self.kind)
    }
}

/// Id of an entry, unique in a log: the sixteen bytes of its pair, then the name of its kind.
#[must_use]
pub fn entry_id(pair: PairId, kind: Kind) -> Vec<u8> {
    let mut id = pair.bytes().to_vec();
    id.extend(kind.as_str().as_bytes());
    id
}

/// Commitment to the facts of an entry: `SHA-256("sluis/v1/facts" ‖ 0x00 ‖ salt ‖ json)`.
#[must_use]
pub fn commit_facts(salt: &Salt, json: &[u8]) -> Hash {
    sha256(&[b"sluis/v1/facts\0", salt, json])
}

/// Commitment to the detail of an outcome, which stands in its facts as `detail`: real reasons, for the gateway's officer
/// alone. `SHA-256("sluis/v1/detail" ‖ 0x00 ‖ salt ‖ json)`.
#[must_use]
pub fn commit_detail(salt: &Salt, json: &[u8]) -> Hash {
    sha256(&[b"sluis/v1/detail\0", salt, json])
}

/// Commitment to the sealed part of an entry, of which it also fixes the key, so that one ciphertext opens one way:
/// `SHA-256("sluis/v1/client" ‖ 0x00 ‖ length of id in eight bytes ‖ id ‖ SHA-256(entry key) ‖ sealed)`.
#[must_use]
pub fn commit_client(id: &[u8], entry_key: &EntryKey, sealed: &[u8]) -> Hash {
    commit_client_hashed(id, &entry_key.hash(), sealed)
}

/// [`commit_client`] for those who hold the hash of the entry key only: the sealed bytes can be checked unopened.
#[must_use]
pub fn commit_client_hashed(id: &[u8], key_hash: &Hash, sealed: &[u8]) -> Hash {
    let length = (id.len() as u64).to_be_bytes();
    sha256(&[b"sluis/v1/client\0", &length, id, key_hash, sealed])
}

/// Commitment to an answer: `SHA-256("sluis/v1/answer" ‖ 0x00 ‖ salt ‖ bytes)`. The bytes are the protobuf encoding of
/// `RequestWorkCapacityResponse` without its `receipt`. The salt leaves with the answer and is stored nowhere.
#[must_use]
pub fn commit_answer(salt: &Salt, bytes: &[u8]) -> Hash {
    sha256(&[b"sluis/v1/answer\0", salt, bytes])
}

/// A value has no JSON form.
#[derive(Debug, thiserror::Error)]
#[error("no canonical JSON form")]
pub struct CanonicalFault(#[source] serde_json::Error);

/// Canonical JSON (RFC 8785): the form in which facts are committed to. Numbers must be exact as a double, so whole
/// numbers stay below 2^53.
///
/// # Errors
/// If the value has no JSON form.
pub fn canonical(value: &impl Serialize) -> Result<Vec<u8>, CanonicalFault> {
    serde_json_canonicalizer::to_vec(value).map_err(CanonicalFault)
}

/// The facts of an entry as a JSON object, if these bytes are the canonical form of one. `None` otherwise, also where a
/// name is repeated: two readers might read two things.
#[must_use]
pub fn parse_facts(bytes: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    let facts: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(bytes).ok()?;
    (canonical(&facts).ok()? == bytes).then_some(facts)
}
