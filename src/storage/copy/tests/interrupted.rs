//! Every commit of a copy fails once: before it was persisted, and after. Then the copy is run again.

use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;

use super::{
    lab::{Ground, KINDS, Kind, Log, copied, is_writable, moving_of, rows_of},
    *,
};
use crate::storage::{Transactions, tables::Value};

/// A store of which one commit fails.
#[derive(Debug)]
struct Failing<'a> {
    inner: &'a dyn Tables,
    /// How many commits there are until the one that fails.
    until: AtomicI64,
    /// Whether that one persisted all the same.
    persists: bool,
    fault: StoreFault,
}

struct FailingSession<'a> {
    inner: Box<dyn Session + 'a>,
    of: &'a Failing<'a>,
}

impl<'a> Failing<'a> {
    fn new(inner: &'a dyn Tables, nth: i64, persists: bool, fault: StoreFault) -> Self {
        Self { inner, until: AtomicI64::new(nth), persists, fault }
    }

    /// Whether it came to that.
    fn has_failed(&self) -> bool {
        self.until.load(Ordering::SeqCst) <= 0
    }
}

#[async_trait]
impl Tables for Failing<'_> {
    async fn session(&self) -> Result<Box<dyn Session + '_>, StoreFault> {
        Ok(Box::new(FailingSession { inner: self.inner.session().await?, of: self }))
    }
    fn counts(&self) -> &Transactions {
        self.inner.counts()
    }
}

#[async_trait]
impl Session for FailingSession<'_> {
    async fn hold(&mut self, table: &Table) -> Result<(), StoreFault> {
        self.inner.hold(table).await
    }
    async fn read(
        &mut self,
        table: &Table,
        after: Option<&[Value]>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreFault> {
        self.inner.read(table, after, limit).await
    }
    async fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreFault> {
        self.inner.insert(table, rows).await
    }
    async fn clear(&mut self, table: &Table) -> Result<(), StoreFault> {
        self.inner.clear(table).await
    }
    async fn commit(self: Box<Self>) -> Result<(), StoreFault> {
        if self.of.until.fetch_sub(1, Ordering::SeqCst) != 1 {
            return self.inner.commit().await;
        }
        if self.of.persists {
            self.inner.commit().await?;
        }
        Err(self.of.fault.clone())
    }
    async fn abandon(self: Box<Self>) {
        self.inner.abandon().await;
    }
}

fn crash() -> StoreFault {
    StoreFault::Fatal("killed".to_owned())
}

/// A copy from a store of one kind to one of another, broken off at every commit in turn.
async fn interrupted_everywhere(from: Kind, to: Kind) {
    let log = Log::new().await;
    let rows = rows_of(log.open().await.tables()).await;
    let mut closed_both = 0;
    for (nth, persists) in (1..).flat_map(|nth| [(nth, false), (nth, true)]) {
        let (from, to) = (log.at(from).await, Ground::new(to).await);
        let (source, target) = (from.open().await, to.open().await);
        let failing = Failing::new(target.tables(), nth, persists, crash());
        let first = copied(source.tables(), &failing).await;
        if !failing.has_failed() {
            first.unwrap();
            assert!(nth > 12, "a copy is many transactions, not {nth}");
            break;
        }
        assert_eq!(first, Err(CopyFault::Target(crash())));
        let (left, right) = (is_writable(source.tables()).await, is_writable(target.tables()).await);
        assert!(!(left && right), "two logs after commit {nth}, persisted: {persists}");
        closed_both += i32::from(!left && !right);
        // As after a kill: nothing is left of the process but what the stores have.
        source.shared().close().await;
        target.shared().close().await;
        drop((source, target));
        let (source, target) = (from.open().await, to.open().await);
        copied(source.tables(), target.tables()).await.unwrap();
        assert_eq!(rows_of(target.tables()).await, rows, "commit {nth}, persisted: {persists}");
        let writable = (is_writable(source.tables()).await, is_writable(target.tables()).await);
        assert_eq!(writable, (false, true));
    }
    assert_eq!(closed_both, 1, "between the last two steps no store is the log");
}

#[tokio::test]
async fn a_copy_to_postgres_goes_on_after_every_interruption() {
    interrupted_everywhere(Kind::Sqlite, Kind::Postgres).await;
}

#[tokio::test]
async fn a_copy_to_sqlite_goes_on_after_every_interruption() {
    interrupted_everywhere(Kind::Postgres, Kind::Sqlite).await;
}

/// A copy that only ever gets one page further comes to its end too, and goes over nothing twice.
#[tokio::test]
async fn a_copy_that_is_broken_off_again_and_again_arrives() {
    for to in KINDS {
        let log = Log::new().await;
        let to = Ground::new(to).await;
        let (source, target) = (log.open().await, to.open().await);
        let rows = rows_of(source.tables()).await;
        let mut runs = 0;
        loop {
            runs += 1;
            assert!(runs < 100, "it does not get on");
            let failing = Failing::new(target.tables(), 1, true, crash());
            if copied(source.tables(), &failing).await.is_ok() {
                break;
            }
        }
        assert_eq!(rows_of(target.tables()).await, rows);
        assert!(runs > 30, "{runs}: every run begins with small pages");
    }
}

/// The commit that leaves the source is the one that matters most.
#[tokio::test]
async fn a_source_that_was_left_or_not_is_found_so_the_next_time() {
    for (from, persists) in KINDS.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let log = Log::new().await;
        let from = log.at(from).await;
        let to = Ground::new(Kind::Sqlite).await;
        let (source, target) = (from.open().await, to.open().await);
        let rows = rows_of(source.tables()).await;
        let failing = Failing::new(source.tables(), 1, persists, StoreFault::Lost);
        let first = copied(&failing, target.tables()).await;
        assert_eq!(first, Err(CopyFault::Source(StoreFault::Lost)));
        assert_eq!(is_writable(source.tables()).await, !persists);
        assert!(!is_writable(target.tables()).await);
        copied(source.tables(), target.tables()).await.unwrap();
        assert_eq!(rows_of(target.tables()).await, rows);
        assert!(!is_writable(source.tables()).await);
    }
}

/// A commit whose answer was lost may be there or not; one and the same run finds out and goes on.
#[tokio::test]
async fn a_lost_answer_does_not_stop_a_copy() {
    let log = Log::new().await;
    let counted = async |nth: i64, persists| {
        let (from, to) = (log.ground(), Ground::new(Kind::Postgres).await);
        let (source, target) = (from.open().await, to.open().await);
        let failing = Failing::new(target.tables(), nth, persists, StoreFault::Lost);
        let moved = copied(source.tables(), &failing).await.unwrap();
        assert!(moved.entries > 600 && is_writable(target.tables()).await);
        assert_eq!(moving_of(target.tables()).await, None);
        nth - failing.until.load(Ordering::SeqCst)
    };
    let commits = counted(1_000, false).await;
    for (nth, persists) in
        [1, 2, commits / 2, commits].into_iter().flat_map(|nth| [(nth, false), (nth, true)])
    {
        let expected = commits + i64::from(!persists);
        assert_eq!(counted(nth, persists).await, expected, "commit {nth}, persisted: {persists}");
    }
}

/// What is asked to be tried again is, and what is not, is not.
#[tokio::test]
async fn a_crossed_transaction_is_tried_again() {
    let log = Log::new().await;
    let (from, to) = (log.ground(), Ground::new(Kind::Postgres).await);
    let (source, target) = (from.open().await, to.open().await);
    let failing = Failing::new(target.tables(), 3, false, StoreFault::Again("crossed"));
    copied(source.tables(), &failing).await.unwrap();
    assert!(failing.has_failed());
    let counts = format!("{:?}", target.tables().counts());
    assert!(counts.contains("\"copy.again\": 1") && counts.contains("\"copy.committed\""), "{counts}");
}
