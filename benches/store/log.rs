//! The log on a store, and callers who commit the two entries of one request after the other.

use std::{path::Path, sync::Arc};

use serde_json::{Value, json};
use sluis::{
    audit::{
        entry::{NewEntry, SubjectLink},
        leaf::Kind,
        writer::{Parts, Work, Writer},
    },
    domain::{Bsn, PairId, random, time::SystemClock},
    note::NoteSigner,
    storage::{Database, DatabaseAddress, Store},
    subject::{KeyRing, Tag},
};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::common::{
    Fault,
    load::{self, Caller},
};

/// Name of the log.
pub const ORIGIN: &str = "test.sluis.example/bench/2026";
/// Who asks.
pub const REQUESTER: &str = "00000099000001001000";
/// So many that requests about the same one seldom meet.
const CLIENTS: usize = 100;
/// Entries whose size is looked at.
const SAMPLE: u32 = 1_000;

/// A log that is written.
pub struct Log {
    store: Arc<dyn Store>,
    writer: Writer,
    task: JoinHandle<()>,
    clients: Vec<Tag>,
}

impl Log {
    /// Begins one, in a part of this folder; its entries go to the database, if there is one.
    pub async fn start(folder: &Path, name: &str, database: Option<&str>) -> Result<Self, Fault> {
        let folder = folder.join(name);
        let address = match database {
            None => DatabaseAddress::Folder(folder.clone()),
            Some(url) => url.parse()?,
        };
        let store = Database::open(&address).await?.shared();
        let keys = Arc::new(KeyRing::open(&folder.join("keys"))?);
        let numbers = (999_995_000_u32..1_000_000_000).map(|number| number.to_string());
        let clients = numbers.filter_map(|number| Bsn::parse(&number).ok()).take(CLIENTS);
        let clients = clients.map(|bsn| keys.index.tag(&bsn)).collect();
        let signer = NoteSigner::new(ORIGIN, keys.log_key(0)?)?;
        let parts = Parts { store: Arc::clone(&store), keys, signer, clock: Arc::new(SystemClock) };
        let (writer, task) = Writer::start(parts, ORIGIN.to_owned()).await?;
        Ok(Self { store, writer, task, clients })
    }

    /// Somebody who commits. The number says about which client first.
    pub fn caller(&self, number: usize) -> Clerk {
        Clerk { writer: self.writer.clone(), clients: self.clients.clone(), next: number, open: None }
    }

    /// Bytes that are stored for an entry, apart from indexes and the tree: the mean of some.
    pub async fn entry_bytes(&self) -> Result<usize, Fault> {
        load::drive((0..16).map(|number| self.caller(number)), 0.5, || Ok(())).await?;
        let entries = self.store.entries(0, SAMPLE).await?;
        let bytes: usize = entries
            .iter()
            .map(|entry| {
                let openings = entry.facts.iter().chain(&entry.detail);
                let opened: usize = openings.map(|opening| opening.json.len() + opening.salt.len()).sum();
                entry.leaf.len() + entry.sealed.as_ref().map_or(0, |sealed| sealed.bytes.len()) + opened
            })
            .sum();
        bytes.checked_div(entries.len()).ok_or_else(|| "the log is empty".into())
    }

    /// Ends it in order.
    pub async fn stop(self) {
        drop(self.writer);
        drop(self.task.await);
        self.store.close().await;
    }
}

/// Commits the request, then its outcome, then the request of the next client.
pub struct Clerk {
    writer: Writer,
    clients: Vec<Tag>,
    next: usize,
    open: Option<PairId>,
}

impl Caller for Clerk {
    async fn call(&mut self) -> Result<(), Fault> {
        let tag = *self.clients.get(self.next % CLIENTS).ok_or("there are no clients")?;
        let work = match self.open.take() {
            None => {
                let pair = PairId::random();
                self.open = Some(pair);
                let client = json!({ "request_id": Uuid::new_v4(), "user": Uuid::new_v4(), "case": null });
                let entry = NewEntry { client, ..entry(Kind::Request, pair, tag, request())? };
                Work::Request { entry, claim: Some(random::bytes()?) }
            }
            Some(pair) => {
                self.next += 1;
                let client = json!({ "grants": [], "queries": [Uuid::new_v4()] });
                let entry = NewEntry {
                    client,
                    detail: Some(detail()),
                    ..entry(Kind::Outcome, pair, tag, outcome())?
                };
                // Nothing is released, so that no consent has to be recorded first.
                Work::Outcome { entry, needs: Vec::new() }
            }
        };
        self.writer.commit(work).await?;
        Ok(())
    }
}

/// An entry about a client.
pub fn entry(kind: Kind, pair: PairId, tag: Tag, facts: Value) -> Result<NewEntry, Fault> {
    Ok(NewEntry {
        kind,
        pair,
        facts,
        detail: None,
        client: json!({}),
        subject: SubjectLink::Tag { tag, keep: false },
        requester: Some(REQUESTER.parse()?),
        purpose: Some("REINTEGRATION".parse()?),
    })
}

// What an exchange of four fields with one source writes.

/// Facts of the request.
pub fn request() -> Value {
    json!({
        "requester": REQUESTER, "role": "gem.klantmanager", "purpose": "REINTEGRATION",
        "fields": ["VW-02", "VW-04", "VW-05", "VW-08"],
        "necessity": "NECESSITY_PROFESSIONAL_ASSESSMENT_NEEDED", "validate_only": false,
    })
}

/// Facts of its outcome.
pub fn outcome() -> Value {
    json!({
        "requester": REQUESTER, "role": "gem.klantmanager", "purpose": "REINTEGRATION",
        "fields": ["VW-02", "VW-04", "VW-05", "VW-08"],
        "effect": "not_provided", "refusal": null, "above_ceiling": [],
        "not_provided": ["VW-02", "VW-04", "VW-05", "VW-08"], "released": [],
        "policy": "9d".repeat(32), "participants": "9d".repeat(32), "answer": null,
    })
}

/// Detail of its outcome.
pub fn detail() -> Value {
    json!({ "sources": [{
        "source": "00000099000003001000", "agreements": ["AGR-0004"],
        "asked": ["VW-02", "VW-04", "VW-05", "VW-08"], "released": [], "reason": "SOURCE_HOLDS_NOTHING",
        "rules": ["REINTEGRATION/1"], "surplus_fields": [], "surplus_unknown": 0,
    }] })
}
