//! A store whose commits wait at a gate, to look at the moment in which an entry is written and not yet durable.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use sluis::{
    consent::Standing,
    domain::{FormId, GrantId, Oin, PairId, Purpose, Role, SubjectId, Timestamp},
    storage::{
        Commit, Cursor, DisclosureFilter, EntryFilter, Expiring, Head, LogboekTurn, Look, OpenRequest, Seen,
        Shard, Store, StoreFault, StoredDisclosure, StoredEntry, StoredEvent, StoredForm, StoredGrant, Terms,
        Traces, Transactions, WrappedKey, Writes, sqlite::SqliteStore,
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
    async fn begin(&self, look: &Look) -> Result<(Seen, Box<dyn Commit + '_>)> {
        let (seen, inner) = self.inner.begin(look).await?;
        Ok((seen, Box::new(GatedCommit { inner, gate: self.gate.clone() })))
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

    async fn disclosures(&self, filter: &DisclosureFilter) -> Result<Vec<StoredDisclosure>> {
        self.inner.disclosures(filter).await
    }

    async fn events_after(&self, of: Oin, position: u64, limit: u32) -> Result<Vec<StoredEvent>> {
        self.inner.events_after(of, position, limit).await
    }

    async fn received(&self, recipient: Oin) -> Result<Vec<(Standing, Vec<u64>)>> {
        self.inner.received(recipient).await
    }

    async fn expiring(&self, by: Oin, from: Timestamp, until: Timestamp) -> Result<Vec<Expiring>> {
        self.inner.expiring(by, from, until).await
    }

    async fn acknowledged(&self, organisation: Oin) -> Result<Cursor> {
        self.inner.acknowledged(organisation).await
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

    async fn tile(&self, shard: u64, level: u8, number: u64) -> Result<Option<Vec<u8>>> {
        self.inner.tile(shard, level, number).await
    }
    async fn shards(&self) -> Result<Vec<Shard>> {
        self.inner.shards().await
    }
    async fn shard_of(&self, position: u64) -> Result<Option<Shard>> {
        self.inner.shard_of(position).await
    }

    async fn subject_of(&self, tag: &Tag) -> Result<Option<SubjectId>> {
        self.inner.subject_of(tag).await
    }

    async fn traces(&self, subject: SubjectId) -> Result<Traces> {
        self.inner.traces(subject).await
    }

    async fn expire(&self, terms: &Terms, limit: u32) -> Result<u64> {
        self.inner.expire(terms, limit).await
    }

    async fn scrub(&self) -> Result<()> {
        self.inner.scrub().await
    }

    async fn request_of(&self, pair: PairId) -> Result<Option<StoredEntry>> {
        self.inner.request_of(pair).await
    }

    async fn logboek(&self) -> Result<u64> {
        self.inner.logboek().await
    }

    async fn logboek_turn(&self) -> Result<Option<Box<dyn LogboekTurn + '_>>> {
        self.inner.logboek_turn().await
    }

    async fn open_requests(&self, before: Timestamp) -> Result<Vec<OpenRequest>> {
        self.inner.open_requests(before).await
    }

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    fn is_alone(&self) -> bool {
        self.inner.is_alone()
    }

    fn transactions(&self) -> &Transactions {
        self.inner.transactions()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Commit for GatedCommit<'_> {
    async fn commit(self: Box<Self>, writes: &Writes) -> Result<()> {
        let (open, opened) = oneshot::channel();
        self.gate.send(open).unwrap();
        match opened.await.unwrap() {
            Fate::Made => self.inner.commit(writes).await,
            Fate::Lost(fault) => Err(fault),
            Fate::MadeAndLost(fault) => {
                self.inner.commit(writes).await?;
                Err(fault)
            }
        }
    }

    async fn open(&mut self, limit: u32) -> Result<Vec<PairId>> {
        self.inner.open(limit).await
    }

    async fn traces(&mut self, subject: SubjectId) -> Result<Traces> {
        self.inner.traces(subject).await
    }

    async fn confirm(self: Box<Self>) -> Result<()> {
        self.inner.confirm().await
    }

    async fn abandon(self: Box<Self>) {
        self.inner.abandon().await;
    }
}
