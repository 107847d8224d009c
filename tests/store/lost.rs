//! A connection to PostgreSQL that is lost before, during and after a commit. What was told as done is there, once; what
//! was not told is there once or not at all; and the log goes on.

use std::{sync::Arc, time::Duration};

use sluis::{
    audit::writer::{CommitFault, Writer},
    domain::PairId,
    storage::{Attempt, Store, StoreFault, TransactionName},
};
use tokio::time::sleep;

use crate::{
    database,
    lab::{Place, entry, outcome, request},
    proxy::{Mood, Proxy},
};

struct Wired {
    place: Place,
    proxy: Proxy,
    store: Arc<dyn Store>,
    log: Writer,
}

async fn wired() -> Wired {
    let proxy = Proxy::before(&database::fresh().await).await;
    let place = Place::at(&proxy.url);
    let store = place.open().await;
    let log = place.writer(&store).await;
    log.commit(entry(0)).await.unwrap();
    Wired { place, proxy, store, log }
}

impl Wired {
    fn count(&self, name: TransactionName, attempt: Attempt) -> u64 {
        self.store.transactions().count(name, attempt)
    }

    async fn size(&self) -> u64 {
        self.store.head().await.unwrap().unwrap().size
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_commit_that_broke_before_it_arrived_is_made_again() {
    for mood in [Mood::BreakAtOnce, Mood::BreakBeforeCommit] {
        let wired = wired().await;
        wired.proxy.set(mood);
        assert_eq!(wired.log.commit(entry(1)).await.unwrap().position, 1, "{mood:?}");
        assert_eq!(wired.proxy.broken(), 1, "{mood:?}");
        assert_eq!(wired.count(TransactionName::Batch, Attempt::Again), 1, "{mood:?}");
        assert_eq!(wired.size().await, 2, "{mood:?}: once");
        assert_eq!(wired.place.verified(&wired.store).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_commit_whose_answer_was_lost_is_found_and_not_made_twice() {
    let wired = wired().await;
    let pair = PairId::random();
    wired.proxy.set(Mood::BreakAfterCommit);
    let done = wired.log.commit(request(pair, Some([1; 32]))).await.unwrap();
    assert_eq!((done.position, done.id_was_new), (1, true), "as the commit that was made says");
    assert_eq!(wired.proxy.broken(), 1);
    assert_eq!(wired.count(TransactionName::Settle, Attempt::Committed), 1);
    assert_eq!(wired.size().await, 2);
    wired.log.commit(outcome(pair, vec![])).await.unwrap();
    assert_eq!(wired.place.verified(&wired.store).await, 0);
}

/// Nobody knows whether it is there, so nobody is told that it is. The log goes on with what it finds.
#[tokio::test(flavor = "multi_thread")]
async fn p04_a_commit_that_cannot_be_looked_for_is_refused() {
    let wired = wired().await;
    wired.proxy.set(Mood::BreakAfterCommitAndStayAway);
    let unknown = wired.log.commit(entry(1)).await.unwrap_err();
    assert!(matches!(unknown, CommitFault::Unavailable(_)));
    assert!(wired.log.is_writing(), "a server that is away is no reason to stop");
    let away = wired.log.commit(entry(2)).await.unwrap_err();
    assert!(matches!(away, CommitFault::Unavailable(_)));
    assert_eq!(wired.store.head().await, Err(StoreFault::Busy));
    wired.proxy.set(Mood::Good);
    assert_eq!(wired.log.commit(entry(3)).await.unwrap().position, 2, "the first of the three was there");
    assert_eq!(wired.place.verified(&wired.store).await, 0);
}

/// The server ends our session while we wait for the head.
#[tokio::test(flavor = "multi_thread")]
async fn p04_a_session_that_the_server_ends_is_begun_again() {
    let wired = wired().await;
    let other = wired.place.open().await;
    let (_, held) = other.begin(&sluis::storage::Look::default()).await.unwrap();
    let waiting = wired.log.commit(entry(1));
    tokio::pin!(waiting);
    let mut outside = database::connect(wired.place.url()).await;
    let ending = async {
        loop {
            // Whoever waits for a lock on this test's own table.
            let ended: Vec<bool> = sqlx::query_scalar(
                "select pg_terminate_backend(pid) from (select distinct l.pid from pg_locks l join pg_locks t \
                 using (pid) where not l.granted and t.relation = 'head'::regclass) as waiting",
            )
            .fetch_all(&mut outside)
            .await
            .unwrap();
            if !ended.is_empty() {
                return ended;
            }
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        done = &mut waiting => panic!("committed while another has the head: {done:?}"),
        ended = ending => assert_eq!(ended, [true]),
    }
    held.abandon().await;
    assert_eq!(waiting.await.unwrap().position, 1);
    assert_eq!(wired.count(TransactionName::Batch, Attempt::Again), 1);
    assert_eq!(wired.size().await, 2);
}

/// Reads do not suffer from connections that died while nobody used them.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_whose_connection_died_is_made_again() {
    let wired = wired().await;
    for _ in 0..3 {
        wired.proxy.set(Mood::BreakAtOnce);
        assert_eq!(wired.size().await, 1);
    }
    assert_eq!(wired.proxy.broken(), 3);
}

/// Someone holds the head for longer than anybody waits: refused, and the log goes on after.
#[tokio::test(flavor = "multi_thread")]
async fn p04_a_head_that_is_held_too_long_is_not_waited_for() {
    let wired = wired().await;
    let mut outside = database::connect(wired.place.url()).await;
    sqlx::raw_sql("begin; select 1 from head for update").execute(&mut outside).await.unwrap();
    let refused = wired.log.commit(entry(1)).await.unwrap_err();
    assert_eq!(refused, CommitFault::Unavailable("the database is busy"));
    assert_eq!(wired.count(TransactionName::Batch, Attempt::Busy), 1);
    sqlx::raw_sql("rollback").execute(&mut outside).await.unwrap();
    assert_eq!(wired.log.commit(entry(2)).await.unwrap().position, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_server_without_room_refuses_and_goes_on() {
    let wired = wired().await;
    let mut outside = database::connect(wired.place.url()).await;
    sqlx::raw_sql(
        "create function no_room() returns trigger language plpgsql as \
         $$ begin raise exception 'no room' using errcode = 'disk_full'; end $$; \
         create trigger no_room before insert on entry for each row execute function no_room()",
    )
    .execute(&mut outside)
    .await
    .unwrap();
    let refused = wired.log.commit(entry(1)).await.unwrap_err();
    assert_eq!(refused, CommitFault::Unavailable("the disk is full"));
    assert!(wired.log.is_writing());
    assert_eq!(wired.count(TransactionName::Batch, Attempt::Full), 1);
    sqlx::raw_sql("drop trigger no_room on entry").execute(&mut outside).await.unwrap();
    assert_eq!(wired.log.commit(entry(2)).await.unwrap().position, 1);
    assert_eq!(wired.place.verified(&wired.store).await, 0);
}

/// Other errors of the server, one by one: which are tried again, which refuse, which stop.
#[tokio::test(flavor = "multi_thread")]
async fn what_each_error_of_the_server_means() {
    for (code, expected, attempts, goes_on) in [
        ("serialization_failure", Attempt::Again, 4, true),
        ("deadlock_detected", Attempt::Again, 4, true),
        ("lock_not_available", Attempt::Busy, 1, true),
        ("query_canceled", Attempt::Busy, 1, true),
        ("disk_full", Attempt::Full, 1, true),
        ("read_only_sql_transaction", Attempt::Busy, 1, true),
        ("out_of_memory", Attempt::Busy, 1, true),
        ("io_error", Attempt::Failed, 1, false),
        ("data_corrupted", Attempt::Failed, 1, false),
        ("raise_exception", Attempt::Failed, 1, false),
    ] {
        let place = Place::postgres().await;
        let store = place.open().await;
        let log = place.writer(&store).await;
        log.commit(entry(0)).await.unwrap();
        let mut outside = database::connect(place.url()).await;
        let fail = format!(
            "create function fail() returns trigger language plpgsql as \
             $$ begin raise exception 'no' using errcode = '{code}'; end $$; \
             create trigger fail before insert on entry for each row execute function fail()"
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(fail)).execute(&mut outside).await.unwrap();
        assert!(matches!(log.commit(entry(1)).await, Err(CommitFault::Unavailable(_))), "{code}");
        assert_eq!(store.transactions().count(TransactionName::Batch, expected), attempts, "{code}");
        assert_eq!(log.is_writing(), goes_on, "{code}");
        sqlx::raw_sql("drop trigger fail on entry").execute(&mut outside).await.unwrap();
        assert_eq!(log.commit(entry(2)).await.is_ok(), goes_on, "{code}");
        assert_eq!(place.verified(&store).await, 0, "{code}");
    }
}
