//! A store before the real one whose writes fail when they are told to: before they were made, or although they were.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::future::join_all;
use sluis::{
    audit::writer::{CommitFault, Committed, Work, Writer},
    consent::Standing,
    domain::{FormId, GrantId, Oin, PairId, Purpose, Role, SubjectId, Timestamp},
    storage::{
        Commit, Cursor, DisclosureFilter, EntryFilter, Expiring, Head, LogboekTurn, Look, OpenRequest, Seen,
        Shard, Store, StoreFault, StoredDisclosure, StoredEntry, StoredEvent, StoredForm, StoredGrant, Terms,
        Traces, Transactions, WrappedKey, Writes,
    },
    subject::Tag,
};
use tokio::sync::watch;

use crate::tasks::Task;

/// What a writer asks of its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// To take the head and look.
    Begin,
    /// To write and commit.
    Commit,
    /// To see a commit that was found as durable.
    Confirm,
}

/// One failure to come.
#[derive(Clone, Debug)]
pub struct Planned {
    pub point: Point,
    /// Whether it is made all the same, and only the answer is lost.
    pub made: bool,
    pub fault: StoreFault,
}

#[derive(Debug)]
pub struct Faulty {
    pub inner: Arc<dyn Store>,
    plan: Arc<Mutex<Vec<Planned>>>,
    begun: watch::Sender<usize>,
}

impl Faulty {
    pub fn before(inner: Arc<dyn Store>) -> Arc<Self> {
        let (begun, _) = watch::channel(0);
        Arc::new(Self { inner, plan: Arc::default(), begun })
    }

    /// What was planned and did not come.
    pub fn left(&self) -> usize {
        self.plan.lock().unwrap().len()
    }

    /// Commits these works as one batch, to which this happens. They gather behind a work that has begun, cannot go on
    /// yet, and in the end writes nothing: the outcome of a request that never was.
    pub async fn together(
        &self,
        log: &Writer,
        works: Vec<Work>,
        plan: Vec<Planned>,
    ) -> Vec<Result<Committed, CommitFault>> {
        let (_, held) = self.inner.begin(&Look::default()).await.unwrap();
        let (mut begun, ahead) = (self.begun.subscribe(), log.clone());
        let ahead = tokio::spawn(async move { ahead.commit(Task::Close(PairId::random()).work()).await });
        begun.changed().await.unwrap();
        let gathered = join_all(works.into_iter().map(|work| log.commit(work)));
        tokio::pin!(gathered);
        tokio::select! {
            biased;
            _ = &mut gathered => panic!("committed while another has the head"),
            () = std::future::ready(()) => {}
        }
        // What has begun already is not meant.
        *self.plan.lock().unwrap() = plan;
        held.abandon().await;
        assert_eq!(ahead.await.unwrap().unwrap_err(), CommitFault::AlreadyClosed);
        gathered.await
    }

    fn take(&self, point: Point) -> Option<Planned> {
        take(&self.plan, point)
    }
}

/// What is planned comes in its order.
fn take(plan: &Mutex<Vec<Planned>>, point: Point) -> Option<Planned> {
    let mut plan = plan.lock().unwrap();
    let due = plan.first().is_some_and(|planned| planned.point == point);
    due.then(|| plan.remove(0))
}

struct FaultyCommit<'a> {
    inner: Box<dyn Commit + 'a>,
    // None for what had begun before there was a plan.
    plan: Option<Arc<Mutex<Vec<Planned>>>>,
}

impl FaultyCommit<'_> {
    fn take(&self, point: Point) -> Option<Planned> {
        take(self.plan.as_ref()?, point)
    }
}

type Result<T, E = StoreFault> = std::result::Result<T, E>;

#[async_trait]
impl Commit for FaultyCommit<'_> {
    async fn commit(self: Box<Self>, writes: &Writes) -> Result<()> {
        match self.take(Point::Commit) {
            None => self.inner.commit(writes).await,
            // Dropped, as when the process or the connection goes.
            Some(planned) if !planned.made => Err(planned.fault),
            Some(planned) => {
                self.inner.commit(writes).await?;
                Err(planned.fault)
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
        match self.take(Point::Confirm) {
            None => self.inner.confirm().await,
            Some(planned) if !planned.made => Err(planned.fault),
            Some(planned) => {
                self.inner.confirm().await?;
                Err(planned.fault)
            }
        }
    }

    async fn abandon(self: Box<Self>) {
        self.inner.abandon().await;
    }
}

#[async_trait]
impl Store for Faulty {
    async fn begin(&self, look: &Look) -> Result<(Seen, Box<dyn Commit + '_>)> {
        let planned = self.take(Point::Begin);
        let plan = (self.left() > 0).then(|| Arc::clone(&self.plan));
        self.begun.send_modify(|begun| *begun += 1);
        if let Some(Planned { made: false, fault, .. }) = planned {
            return Err(fault);
        }
        let (seen, inner) = self.inner.begin(look).await?;
        match planned {
            None => Ok((seen, Box::new(FaultyCommit { inner, plan }))),
            Some(planned) => Err(planned.fault),
        }
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
