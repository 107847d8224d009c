//! A store whose commits wait at a gate, to look at the moment in which an entry is written and not yet durable.

use std::{collections::HashMap, path::Path, sync::Arc};

use async_trait::async_trait;
use sluis::{
    consent::{EventKind, GrantState},
    domain::{FormId, GrantId, Oin, PairId, Purpose, Role, SubjectId, Timestamp},
    storage::{
        Commit, EntryFilter, EntryRow, Head, KeyWanted, NewForm, OpenRequest, Store, StoreFault, StoredEntry,
        StoredForm, StoredGrant, Withdrawal, WrappedKey, sqlite::SqliteStore,
    },
    subject::Tag,
};
use tokio::sync::{Mutex, mpsc, oneshot};

/// What becomes of a commit that stands at the gate.
#[derive(Debug)]
pub enum Fate {
    /// It is made.
    Made,
    /// It is not made, and fails.
    Lost(StoreFault),
    /// It is made, and fails all the same.
    MadeAndLost(StoreFault),
}

type Waiting = oneshot::Sender<Fate>;

#[derive(Debug)]
pub struct GatedStore {
    pub inner: SqliteStore,
    gate: mpsc::UnboundedSender<Waiting>,
}

/// Where the commits come by.
pub type Gate = Mutex<mpsc::UnboundedReceiver<Waiting>>;

pub async fn open(folder: &Path) -> (Arc<GatedStore>, Gate) {
    let (gate, waiting) = mpsc::unbounded_channel();
    let inner = SqliteStore::open(folder).await.unwrap();
    (Arc::new(GatedStore { inner, gate }), Mutex::new(waiting))
}

struct GatedCommit<'a> {
    inner: Box<dyn Commit + 'a>,
    gate: mpsc::UnboundedSender<Waiting>,
}

type Result<T> = std::result::Result<T, StoreFault>;

#[async_trait]
impl Store for GatedStore {
    async fn begin(&self) -> Result<Box<dyn Commit + '_>> {
        Ok(Box::new(GatedCommit { inner: self.inner.begin().await?, gate: self.gate.clone() }))
    }

    async fn head(&self) -> Result<Option<Head>> {
        self.inner.head().await
    }

    async fn grants(&self, tag: &Tag, by: Oin, role: Role, purpose: &Purpose) -> Result<Vec<StoredGrant>> {
        self.inner.grants(tag, by, role, purpose).await
    }

    async fn form(&self, id: FormId) -> Result<Option<StoredForm>> {
        self.inner.form(id).await
    }

    async fn forms_of(&self, tag: &Tag, recorder: Oin) -> Result<Vec<StoredForm>> {
        self.inner.forms_of(tag, recorder).await
    }

    async fn grant(&self, id: GrantId) -> Result<Option<StoredGrant>> {
        self.inner.grant(id).await
    }

    async fn client_key(&self, subject: SubjectId, year: i32) -> Result<Option<WrappedKey>> {
        self.inner.client_key(subject, year).await
    }

    async fn entries(&self, from: u64, limit: u32) -> Result<Vec<StoredEntry>> {
        self.inner.entries(from, limit).await
    }

    async fn search(&self, filter: &EntryFilter) -> Result<Vec<StoredEntry>> {
        self.inner.search(filter).await
    }

    async fn tile(&self, level: u8, number: u64) -> Result<Option<Vec<u8>>> {
        self.inner.tile(level, number).await
    }

    async fn open_requests(&self, before: Timestamp) -> Result<Vec<OpenRequest>> {
        self.inner.open_requests(before).await
    }
}

#[async_trait]
impl Commit for GatedCommit<'_> {
    async fn head(&mut self) -> Result<Option<Head>> {
        self.inner.head().await
    }

    async fn client_keys(&mut self, wanted: &[KeyWanted]) -> Result<Vec<WrappedKey>> {
        self.inner.client_keys(wanted).await
    }

    async fn subject_key(&mut self, who: SubjectId, year: i32, key: &[u8]) -> Result<Option<WrappedKey>> {
        self.inner.subject_key(who, year, key).await
    }

    async fn forget_expired(&mut self, now: Timestamp) -> Result<u64> {
        self.inner.forget_expired(now).await
    }

    async fn claim_request_ids(&mut self, keys: &[[u8; 32]], time: Timestamp) -> Result<Vec<bool>> {
        self.inner.claim_request_ids(keys, time).await
    }

    async fn open(&mut self, requests: &[OpenRequest], time: Timestamp) -> Result<()> {
        self.inner.open(requests, time).await
    }

    async fn close(&mut self, pair: PairId) -> Result<bool> {
        self.inner.close(pair).await
    }

    async fn record(&mut self, subject: SubjectId, form: &NewForm, time: Timestamp) -> Result<bool> {
        self.inner.record(subject, form, time).await
    }

    async fn withdrawable(&mut self, what: &Withdrawal, by: Oin) -> Result<(Vec<GrantId>, bool)> {
        self.inner.withdrawable(what, by).await
    }

    async fn event(&mut self, of: &[GrantId], kind: EventKind, time: Timestamp, at: u64) -> Result<()> {
        self.inner.event(of, kind, time, at).await
    }

    async fn states(&mut self, grants: &[GrantId]) -> Result<HashMap<GrantId, GrantState>> {
        self.inner.states(grants).await
    }

    async fn append(&mut self, entries: &[EntryRow], tiles: &[(u8, u64, Vec<u8>)]) -> Result<()> {
        self.inner.append(entries, tiles).await
    }

    async fn advance(&mut self, head: &Head) -> Result<()> {
        self.inner.advance(head).await
    }

    async fn commit(self: Box<Self>) -> Result<()> {
        let (open, opened) = oneshot::channel();
        self.gate.send(open).unwrap();
        match opened.await.unwrap() {
            Fate::Made => self.inner.commit().await,
            Fate::Lost(fault) => Err(fault),
            Fate::MadeAndLost(fault) => {
                self.inner.commit().await?;
                Err(fault)
            }
        }
    }
}
