//! What stands beside the tree in an export: one line of canonical JSON for each entry, 256 to a file.

use serde::{Deserialize, Serialize};

use super::{SealedPart, index_path};
use crate::audit::{
    b64,
    leaf::{Salt, canonical},
    tree::Hash,
};

/// Name of the file with the lines of a bundle.
pub fn path(folder: &str, bundle: u64) -> String {
    format!("{folder}/{}.jsonl", index_path(bundle))
}

/// The facts of an entry with their salt, and the detail that they commit to with its own; a word that they are gone; nothing
/// where they are left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenedLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail_salt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<String>,
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
}

/// The sealed part of an entry with the hash of its key, or a word that it was erased or that its term is over; nothing where
/// it is left out.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedLine {
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired: Option<bool>,
    index: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

/// A line for one entry.
pub trait Line: Serialize + for<'de> Deserialize<'de> {
    /// What it says.
    type Part;

    fn index(&self) -> u64;

    /// `None` if it says two things, or half of one.
    fn part(self) -> Option<Self::Part>;

    /// With its newline.
    fn encode(&self) -> String {
        // INVARIANT: strings, a number and a boolean always have a JSON form.
        let bytes = canonical(self).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default() + "\n"
    }

    /// Reads a line, without its newline, in the one form it has.
    fn decode(text: &str) -> Option<(u64, Self::Part)> {
        let line: Self = serde_json::from_str(text).ok()?;
        let same = line.encode().strip_suffix('\n') == Some(text);
        let index = line.index();
        line.part().filter(|_| same).map(|part| (index, part))
    }
}

impl OpenedLine {
    pub fn new(index: u64, facts: Option<(Salt, String)>, detail: Option<(Salt, String)>) -> Self {
        let (salt, facts) = facts.map(|(salt, facts)| (b64::encode(&salt), facts)).unzip();
        let (detail_salt, detail) = detail.map(|(salt, detail)| (b64::encode(&salt), detail)).unzip();
        Self { detail, detail_salt, expired: None, facts, index, salt }
    }

    pub const fn expired(index: u64) -> Self {
        Self { detail: None, detail_salt: None, expired: Some(true), facts: None, index, salt: None }
    }
}

/// What a line says of the facts of an entry.
pub enum OpenedPart {
    /// These they are.
    Opened(Opened),
    /// They are left out.
    LeftOut,
    /// Their term is over, and they are gone.
    Expired,
}

/// What a line opens.
pub struct Opened {
    pub facts: (Salt, String),
    pub detail: Option<(Salt, String)>,
}

impl Line for OpenedLine {
    type Part = OpenedPart;

    fn index(&self) -> u64 {
        self.index
    }

    fn part(self) -> Option<Self::Part> {
        let detail = match (self.detail_salt, self.detail) {
            (Some(salt), Some(detail)) => Some((b64::hash(&salt)?, detail)),
            (None, None) => None,
            _ => return None,
        };
        match (self.expired, self.salt, self.facts) {
            (None, Some(salt), Some(facts)) => {
                Some(OpenedPart::Opened(Opened { facts: (b64::hash(&salt)?, facts), detail }))
            }
            // Only the facts say which detail belongs to them.
            (None, None, None) if detail.is_none() => Some(OpenedPart::LeftOut),
            (Some(true), None, None) if detail.is_none() => Some(OpenedPart::Expired),
            _ => None,
        }
    }
}

impl SealedLine {
    pub fn new(index: u64, part: Option<SealedPart>) -> Self {
        let empty = Self { erased: None, expired: None, index, key_hash: None, sealed: None };
        match part {
            Some(SealedPart::Present { key_hash, bytes }) => {
                Self { key_hash: Some(b64::encode(&key_hash)), sealed: Some(b64::encode(&bytes)), ..empty }
            }
            Some(SealedPart::Erased) => Self { erased: Some(true), ..empty },
            Some(SealedPart::Expired) => Self { expired: Some(true), ..empty },
            None => empty,
        }
    }
}

impl Line for SealedLine {
    type Part = Option<SealedPart>;

    fn index(&self) -> u64 {
        self.index
    }

    fn part(self) -> Option<Self::Part> {
        match (self.erased, self.expired, self.key_hash, self.sealed) {
            (None, None, Some(key_hash), Some(sealed)) => {
                let key_hash: Hash = b64::hash(&key_hash)?;
                Some(Some(SealedPart::Present { key_hash, bytes: b64::decode(&sealed)? }))
            }
            (Some(true), None, None, None) => Some(Some(SealedPart::Erased)),
            (None, Some(true), None, None) => Some(Some(SealedPart::Expired)),
            (None, None, None, None) => Some(None),
            _ => None,
        }
    }
}
