//! A log in memory that says whatever it is told to, and signs it. Its keys, salts and ids follow from their names, so it
//! has the same bytes wherever it is made. Whoever reads this has the keys: they vouch for nothing.

use std::error::Error;

use ring::{
    digest::{Context, SHA256},
    signature::Ed25519KeyPair,
};
use serde_json::Value;
use sluis::{
    audit::{
        checkpoint::Checkpoint,
        export::{ExportRecord, ExportWriter, SealedPart},
        leaf::{Kind, Leaf, Salt, canonical, commit_client, commit_detail, commit_facts, entry_id},
        seal::{self, ClientKey, EntryKey},
        tree::{Frontier, leaf_hash},
    },
    domain::{PairId, Timestamp},
    note::NoteSigner,
};

use super::files::Files;

/// Why something cannot be made. In truth nothing goes wrong here; a mistake in a case does.
pub type Fault = Box<dyn Error>;

/// Name of the log, and of its key.
pub const ORIGIN: &str = "test-key.sluis.example/2026";

/// Thirty-two bytes that follow from what they are for.
pub fn drawn(what: &str, number: u64) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in [what.as_bytes(), &[0], &number.to_be_bytes()] {
        context.update(part);
    }
    context.finish().as_ref().try_into().unwrap_or_default()
}

/// A UUID of version 4 that follows from what it is for.
pub fn drawn_uuid(what: &str, number: u64) -> String {
    let bytes = drawn(what, number).first_chunk().copied().unwrap_or_default();
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

/// The signer of a log of this name.
pub fn test_key(name: &str) -> Result<NoteSigner, Fault> {
    let key = Ed25519KeyPair::from_seed_unchecked(&drawn(&format!("test key of {name}"), 0));
    Ok(NoteSigner::new(name, key.map_err(|_| "not a key")?)?)
}

/// Text with base64.
pub fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

/// A log in memory.
pub struct Log {
    /// Two of another name have other salts and ids.
    name: &'static str,
    origin: &'static str,
    signer: NoteSigner,
    /// Time of the next entry.
    pub time: i64,
    records: Vec<ExportRecord>,
}

impl Log {
    /// Without entries. Begins on 23 November 2026.
    pub fn new(name: &'static str) -> Result<Self, Fault> {
        Self::of(ORIGIN, name)
    }

    /// The same, of another shard.
    pub fn of(origin: &'static str, name: &'static str) -> Result<Self, Fault> {
        Ok(Self { name, origin, signer: test_key(origin)?, time: 1_795_426_200_000, records: Vec::new() })
    }

    fn drawn(&self, what: &str, number: u64) -> [u8; 32] {
        drawn(&format!("{what} of {}", self.name), number)
    }

    /// The pair of this number.
    pub fn pair(&self, number: u64) -> Result<PairId, Fault> {
        Ok(drawn_uuid(&format!("pair of {}", self.name), number).parse()?)
    }

    /// Key of the sealed part of the entry with this id.
    pub fn entry_key(&self, id: &[u8]) -> Result<EntryKey, Fault> {
        Ok(ClientKey::from_bytes(self.drawn("client key", 0)).entry_key(id)?)
    }

    /// Adds an entry.
    pub fn add(&mut self, kind: Kind, pair: u64, facts: Value) -> Result<(), Fault> {
        self.add_with_detail(kind, pair, facts, None)
    }

    /// Adds an entry whose facts commit to a detail.
    pub fn add_with_detail(
        &mut self,
        kind: Kind,
        pair: u64,
        mut facts: Value,
        detail: Option<Value>,
    ) -> Result<(), Fault> {
        let index = self.records.len() as u64;
        let detail = match detail {
            Some(detail) => {
                let (salt, json) = (self.drawn("salt of detail", index), canonical(&detail)?);
                let committed = base64(&commit_detail(&salt, &json));
                facts
                    .as_object_mut()
                    .ok_or("facts are an object")?
                    .insert("detail".to_owned(), committed.into());
                Some((salt, json))
            }
            None => None,
        };
        let pair = self.pair(pair)?;
        let id = entry_id(pair, kind);
        let (salt, json, key) = (self.drawn("salt", index), canonical(&facts)?, self.entry_key(&id)?);
        let text = match kind {
            Kind::Request | Kind::Outcome => format!("{{\"case\":\"{}\"}}", drawn_uuid("case", 0)),
            _ => String::new(),
        };
        let bytes = seal::seal(&key, &id, text.as_bytes())?;
        let leaf = Leaf {
            kind,
            time: Timestamp::from_millis(self.time),
            pair,
            facts: commit_facts(&salt, &json),
            client: commit_client(&id, &key, &bytes),
        };
        self.time += 137;
        self.push(leaf.encode());
        let sealed = SealedPart::Present { key_hash: key.hash(), bytes };
        self.change(index, |record| {
            (record.facts, record.detail, record.sealed) = (Some((salt, json)), detail, Some(sealed));
        })
    }

    /// Adds these bytes as a leaf, with nothing beside it.
    pub fn push(&mut self, leaf: Vec<u8>) {
        let index = self.records.len() as u64;
        self.records.push(ExportRecord { index, leaf, facts: None, detail: None, sealed: None });
    }

    /// Changes an entry, or what stands beside it, before anything is signed.
    pub fn change(&mut self, index: u64, change: impl FnOnce(&mut ExportRecord)) -> Result<(), Fault> {
        let record = self.records.get_mut(usize::try_from(index)?);
        record.map(change).ok_or_else(|| format!("there is no entry {index}").into())
    }

    /// Changes the text of a leaf before anything is signed.
    pub fn retell(&mut self, index: u64, from: &str, to: &str) -> Result<(), Fault> {
        self.change(index, |record| {
            record.leaf = String::from_utf8_lossy(&record.leaf).replace(from, to).into_bytes();
        })
    }

    /// Gives an entry these facts, in these very bytes, before anything is signed.
    pub fn reword(&mut self, index: u64, facts: &str) -> Result<(), Fault> {
        let salt: Salt = self.drawn("salt", index);
        let leaf = Leaf::parse(&self.record(index)?.leaf)?;
        let leaf = Leaf { facts: commit_facts(&salt, facts.as_bytes()), ..leaf };
        self.change(index, |record| {
            (record.leaf, record.facts) = (leaf.encode(), Some((salt, facts.as_bytes().to_vec())));
        })
    }

    /// An entry as it stands.
    pub fn record(&self, index: u64) -> Result<&ExportRecord, Fault> {
        self.records.get(usize::try_from(index)?).ok_or_else(|| format!("there is no entry {index}").into())
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.records.len() as u64
    }

    /// Its key.
    pub const fn signer(&self) -> &NoteSigner {
        &self.signer
    }

    /// Hashes of all leaves.
    pub fn hashes(&self) -> Vec<[u8; 32]> {
        self.records.iter().map(|record| leaf_hash(&record.leaf)).collect()
    }

    /// What it says of itself when it had so many entries.
    pub fn checkpoint(&self, size: u64) -> Result<Checkpoint, Fault> {
        let mut frontier = Frontier::empty();
        self.hashes().into_iter().take(usize::try_from(size)?).for_each(|leaf| frontier.append(leaf));
        Ok(Checkpoint { origin: self.origin.to_owned(), size, root: frontier.root() })
    }

    /// The same, signed.
    pub fn signed(&self, size: u64) -> Result<String, Fault> {
        Ok(self.checkpoint(size)?.sign(&self.signer)?)
    }

    /// The files of an export, as a gateway writes them.
    pub fn export(&self, with_sealed: bool) -> Result<Files, Fault> {
        let dir = tempfile::tempdir()?;
        let mut writer = ExportWriter::create(dir.path())?;
        if with_sealed {
            writer = writer.with_sealed();
        }
        for record in &self.records {
            writer.push(record.clone())?;
        }
        writer.finish(&self.signed(self.size())?, &[self.signer.verifier().clone()])?;
        Files::read(dir.path())
    }
}
