//! What a shard says of its neighbours.

use std::path::Path;

use serde_json::Value;

use super::{files, later::Named};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        export::read::{ReadEntry, read},
        leaf::Kind,
        shard::{NotPrevious, Previous},
    },
    note::{Note, VerifierKey},
};

/// What a shard says of its neighbours.
pub struct Links {
    /// Its own, as far as it can be read.
    pub checkpoint: Checkpoint,
    /// The shard before, as its first entry says.
    pub previous: Result<Option<Previous>, NotPrevious>,
    /// Its own key, as its first entry says.
    pub key: Option<VerifierKey>,
    /// The key that was announced last for the shard after it.
    pub announced: Option<VerifierKey>,
    /// Whether its key was said to be stolen. What it announces then is no more than a hint.
    pub is_stolen: bool,
    /// Whether it has a seal.
    pub is_sealed: bool,
    /// Whether its first entry is opened.
    pub is_genesis_opened: bool,
    /// Whether all that it says of keys is opened: what is left out may announce another, or say that one was stolen.
    pub are_keys_opened: bool,
    /// What its erasures say of the shards before.
    pub named: Named,
}

impl Links {
    /// `None` if the export does not read: then it has findings of its own.
    pub fn of(dir: &Path) -> Option<Self> {
        let note = files::try_read(&dir.join("checkpoint"), files::MAX_TEXT_BYTES).ok()?;
        let note = String::from_utf8(note).ok()?;
        let checkpoint = Checkpoint::parse(Note::parse(&note).ok()?.unverified_text()).ok()?;
        let mut links = Self {
            checkpoint,
            previous: Ok(None),
            key: None,
            announced: None,
            is_stolen: false,
            is_sealed: false,
            is_genesis_opened: true,
            are_keys_opened: true,
            named: Named::default(),
        };
        read(dir, |entry| links.take(&entry)).ok()?;
        Some(links)
    }

    fn take(&mut self, entry: &ReadEntry) {
        self.is_sealed |= entry.leaf.kind == Kind::Seal;
        if entry.leaf.kind == Kind::Erasure {
            self.named.take(entry.leaf.time, entry.facts.as_deref());
        }
        if !matches!(entry.leaf.kind, Kind::Genesis | Kind::Key) {
            return;
        }
        let facts = entry.facts.as_deref().and_then(|facts| serde_json::from_str::<Value>(facts).ok());
        let Some(facts) = facts else {
            match entry.leaf.kind {
                Kind::Genesis => self.is_genesis_opened = false,
                _ => self.are_keys_opened = false,
            }
            return;
        };
        let text = |name: &str| facts.get(name).and_then(Value::as_str);
        let key = text("key").and_then(|key| key.parse().ok());
        if entry.leaf.kind == Kind::Genesis {
            self.key = key;
            self.previous = Previous::read(&facts);
        } else if text("event") == Some("announced") {
            self.announced = key;
        } else {
            self.is_stolen |= text("reason") == Some("compromised");
        }
    }
}
