use std::{path::Path, sync::atomic::AtomicU8};

use serde_json::json;

use super::*;
use crate::{
    audit::{
        checkpoint::Checkpoint,
        export::stored::{Openings, export},
        leaf::Kind,
        lookup,
        report::{Code, Report, Verdict},
        verify::{VerifyOptions, verify_export},
    },
    domain::{
        PairId, Timestamp,
        time::{ManualClock, SystemClock},
    },
    storage::{
        Commit, Look, Seen, Writes,
        forwarding::{forward_commit, forward_store},
        sqlite::SqliteStore,
    },
};

const ORIGIN: &str = "test.sluis.example/unit/2026";

async fn start_with(
    folder: &Path,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
) -> Result<(Writer, tokio::task::JoinHandle<()>), OpenLogFault> {
    let keys = Arc::new(KeyRing::open(&folder.join("keys")).unwrap());
    let signer = NoteSigner::new(ORIGIN, keys.log_key(0).unwrap()).unwrap();
    Writer::start(Parts { store, keys, signer, clock }, ORIGIN.to_owned()).await
}

async fn start(folder: &Path, store: Arc<dyn Store>) -> (Writer, tokio::task::JoinHandle<()>) {
    start_with(folder, store, Arc::new(SystemClock)).await.unwrap()
}

fn entry(n: usize) -> Work {
    Work::Append(NewEntry::of_gateway(Kind::Policy, json!({ "n": n })))
}

fn request(pair: PairId) -> Work {
    let entry = NewEntry { pair, ..NewEntry::of_gateway(Kind::Request, json!({})) };
    Work::Request { entry, claim: Some([7; 32]) }
}

fn outcome(pair: PairId, needs: Vec<Need>) -> Work {
    let entry = NewEntry { pair, ..NewEntry::of_gateway(Kind::Outcome, json!({})) };
    Work::Outcome { entry, needs }
}

async fn verified(folder: &Path, store: &dyn Store) -> u8 {
    let keys = KeyRing::open(&folder.join("keys")).unwrap();
    let signer = NoteSigner::new(ORIGIN, keys.log_key(0).unwrap()).unwrap();
    let trust = vec![signer.verifier().clone()];
    let out = tempfile::tempdir().unwrap();
    let openings = Openings { details: true, sealed: true };
    export(store, out.path(), &trust, openings, |_, _| {}).await.unwrap();
    let report =
        verify_export(out.path(), &VerifyOptions { trust: Some(trust), since: None, progress: None });
    status(&report)
}

/// Exit status for a log that nobody but a writer made: it has no `genesis`, and everything else has to hold.
fn status(report: &Report) -> u8 {
    let others = report.findings.iter().filter(|finding| finding.code != Code::GenesisMisplaced);
    others.map(|finding| finding.code.verdict()).max().map_or(0, Verdict::exit_code)
}

#[tokio::test]
async fn a_log_goes_on_where_it_stopped_and_proves_old_entries() {
    let folder = tempfile::tempdir().unwrap();
    for (from, until) in [(0, 3), (3, 256), (256, 257), (257, 700)] {
        let store: Arc<SqliteStore> = Arc::new(SqliteStore::open(folder.path()).await.unwrap());
        let (log, task) = start(folder.path(), Arc::<SqliteStore>::clone(&store)).await;
        let all = (from..until).map(|n| {
            let log = log.clone();
            tokio::spawn(async move { log.commit(entry(n)).await.unwrap().position })
        });
        let mut positions = Vec::new();
        for one in all.collect::<Vec<_>>() {
            positions.push(one.await.unwrap());
        }
        positions.sort_unstable();
        assert_eq!(positions, (from as u64..until as u64).collect::<Vec<_>>());
        drop(log);
        task.await.unwrap();
        assert_eq!(verified(folder.path(), store.as_ref()).await, 0);
        store.close().await;
    }
    let store = SqliteStore::open(folder.path()).await.unwrap();
    let head = store.head().await.unwrap().unwrap();
    let checkpoint = Checkpoint::open(&head.checkpoint, &[verifier(folder.path())]).unwrap().0;
    for position in [0, 1, 255, 256, 257, 511, 512, 698, 699] {
        let proof = lookup::proof(&store, position).await.unwrap();
        let leaf = &store.entries(position, 1).await.unwrap()[0].leaf;
        assert_eq!(proof.root(leaf, head.size).unwrap(), checkpoint.root, "entry {position}");
    }
}

fn verifier(folder: &Path) -> crate::note::VerifierKey {
    let keys = KeyRing::open(&folder.join("keys")).unwrap();
    NoteSigner::new(ORIGIN, keys.log_key(0).unwrap()).unwrap().verifier().clone()
}

#[tokio::test]
async fn p06_a_request_has_one_outcome_and_an_id_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<SqliteStore> = Arc::new(SqliteStore::open(folder.path()).await.unwrap());
    let (log, _task) = start(folder.path(), Arc::<SqliteStore>::clone(&store)).await;
    let (one, two) = (PairId::random(), PairId::random());
    assert!(log.commit(request(one)).await.unwrap().id_was_new);
    assert!(!log.commit(request(two)).await.unwrap().id_was_new);
    assert_eq!(log.commit(outcome(PairId::random(), vec![])).await.unwrap_err(), CommitFault::AlreadyClosed);
    log.commit(outcome(one, vec![])).await.unwrap();
    assert_eq!(log.commit(outcome(one, vec![])).await.unwrap_err(), CommitFault::AlreadyClosed);
    assert_eq!(store.open_requests(Timestamp::from_millis(i64::MAX)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn p01_a_release_needs_a_grant() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<SqliteStore> = Arc::new(SqliteStore::open(folder.path()).await.unwrap());
    let (log, _task) = start(folder.path(), store).await;
    let pair = PairId::random();
    log.commit(request(pair)).await.unwrap();
    let Work::Outcome { entry, .. } = outcome(pair, vec![]) else { panic!("an outcome") };
    let without = log.release(entry.clone(), vec![]).await.unwrap_err();
    assert_eq!(without, CommitFault::GrantNotInForce);
    let unknown = log
        .release(entry, vec![Need { grant: GrantId::random(), fields: Mask::all(), follows: None }])
        .await
        .unwrap_err();
    assert_eq!(unknown, CommitFault::GrantNotInForce);
    // The request is still open: it can have its real outcome.
    log.commit(outcome(pair, vec![])).await.unwrap();
}

#[tokio::test]
async fn another_log_key_name_or_head_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<SqliteStore> = Arc::new(SqliteStore::open(folder.path()).await.unwrap());
    let (log, task) = start(folder.path(), Arc::<SqliteStore>::clone(&store)).await;
    log.commit(entry(0)).await.unwrap();
    drop(log);
    task.await.unwrap();
    let other = tempfile::tempdir().unwrap();
    let stranger = start_with(other.path(), Arc::<SqliteStore>::clone(&store), Arc::new(SystemClock)).await;
    assert!(matches!(stranger, Err(OpenLogFault::Head(_))), "another key");
    let (seen, commit) = store.begin(&Look::default()).await.unwrap();
    let mut head = seen.head.unwrap();
    head.size += 1;
    commit.commit(&Writes::only(head)).await.unwrap();
    let bent = start_with(folder.path(), store, Arc::new(SystemClock)).await;
    assert!(matches!(bent, Err(OpenLogFault::Head(_))), "a head that does not fit its frontier");
}

#[tokio::test]
async fn a_second_gateway_on_the_same_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let _first = SqliteStore::open(folder.path()).await.unwrap();
    let second = SqliteStore::open(folder.path()).await;
    assert!(matches!(second, Err(crate::storage::OpenFault::Locked)));
}

#[tokio::test]
async fn time_in_the_log_never_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<SqliteStore> = Arc::new(SqliteStore::open(folder.path()).await.unwrap());
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_795_426_200_000)));
    let (log, _task) =
        start_with(folder.path(), Arc::<SqliteStore>::clone(&store), clock.clone()).await.unwrap();
    log.commit(entry(0)).await.unwrap();
    clock.set(clock.now().plus_millis(-5_000));
    log.commit(entry(1)).await.unwrap();
    assert_eq!(verified(folder.path(), store.as_ref()).await, 0, "a little back is held up");
    clock.set(clock.now().plus_millis(-60_000));
    assert!(matches!(log.commit(entry(2)).await, Err(CommitFault::Unavailable(_))), "far back is refused");
    clock.set(clock.now().plus_millis(120_000));
    log.commit(entry(3)).await.unwrap();
}

/// A number that was asked about and never recorded leaves no key behind; one that was recorded does.
#[tokio::test]
async fn keys_that_only_questions_made_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<SqliteStore> = Arc::new(SqliteStore::open(folder.path()).await.unwrap());
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_795_426_200_000)));
    let (log, _task) =
        start_with(folder.path(), Arc::<SqliteStore>::clone(&store), clock.clone()).await.unwrap();
    let index = crate::subject::IndexKey::new([1; 32]);
    let tag = |text| index.tag(&crate::domain::Bsn::parse(text).unwrap());
    let (asked, recorded) = (tag("999990019"), tag("999993653"));
    for (tag, keep) in [(asked, false), (recorded, true), (recorded, false)] {
        let subject = super::super::entry::SubjectLink::Tag { tag, keep };
        let entry = NewEntry { subject, ..NewEntry::of_gateway(Kind::Consent, json!({})) };
        log.commit(Work::Append(entry)).await.unwrap();
    }
    let keys = async || {
        let mut subjects = Vec::new();
        for entry in store.entries(0, 100).await.unwrap() {
            if let Some(subject) = entry.subject {
                subjects.push(store.client_key(subject, 2026).await.unwrap().is_some());
            }
        }
        subjects
    };
    assert_eq!(keys().await, [true, true, true]);
    clock.set(clock.now().plus_millis(8 * 24 * 3_600_000));
    log.commit(entry(0)).await.unwrap();
    assert_eq!(keys().await, [false, true, true]);
}

/// P04, each write failing both ways: it failed and is not there, and it failed though it is there.
#[tokio::test]
async fn p04_what_failed_is_not_acknowledged_whether_or_not_it_is_there() {
    for (fault, persists, goes_on) in [
        (StoreFault::Full, false, true),
        (StoreFault::Busy, false, true),
        (StoreFault::Fatal("I/O error".to_owned()), false, false),
        (StoreFault::Fatal("connection lost".to_owned()), true, false),
        // A store that errs and has persisted after all: the next commit finds a head that it did not expect.
        (StoreFault::Busy, true, false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let inner: Arc<SqliteStore> = Arc::new(SqliteStore::open(folder.path()).await.unwrap());
        let failing =
            Arc::new(Failing { inner: Arc::clone(&inner), mode: AtomicU8::new(0), fault: fault.clone() });
        let (log, task) = start(folder.path(), Arc::<Failing>::clone(&failing)).await;
        log.commit(entry(0)).await.unwrap();
        failing.mode.store(if persists { 2 } else { 1 }, Ordering::SeqCst);
        let refused = log.commit(entry(1)).await;
        assert!(matches!(refused, Err(CommitFault::Unavailable(_))), "{fault} {persists}");
        failing.mode.store(0, Ordering::SeqCst);
        let next = log.commit(entry(2)).await;
        assert_eq!(next.is_ok(), goes_on, "{fault}, persisted: {persists}");
        assert_eq!(log.is_writing(), goes_on, "{fault}, persisted: {persists}");
        drop(log);
        task.await.unwrap();
        // A restart goes on from what is stored, and the log is whole.
        let (log, task) = start(folder.path(), Arc::<SqliteStore>::clone(&inner)).await;
        log.commit(entry(4)).await.unwrap();
        drop(log);
        task.await.unwrap();
        assert_eq!(verified(folder.path(), inner.as_ref()).await, 0);
        let size = inner.head().await.unwrap().unwrap().size;
        assert_eq!(size, 2 + u64::from(goes_on) + u64::from(persists), "{fault} {persists}");
    }
}

/// The same of the next shard: whoever starts again finds the old one sealed, or the new one begun, and nothing between.
#[tokio::test]
async fn p04_a_shard_whose_beginning_failed_is_begun_by_whoever_starts_next() {
    const NEXT: &str = "test.sluis.example/unit/2027";
    for (fault, persists) in [
        (StoreFault::Full, false),
        (StoreFault::Fatal("I/O error".to_owned()), false),
        (StoreFault::Fatal("connection lost".to_owned()), true),
        (StoreFault::Lost, false),
        (StoreFault::Lost, true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let inner: Arc<SqliteStore> = Arc::new(SqliteStore::open(folder.path()).await.unwrap());
        let (log, task) = start(folder.path(), Arc::<SqliteStore>::clone(&inner)).await;
        log.commit(entry(0)).await.unwrap();
        log.commit(Work::Seal(NewEntry::of_gateway(Kind::Seal, json!({})))).await.unwrap();
        drop(log);
        task.await.unwrap();
        let mut keys = KeyRing::open(&folder.path().join("keys")).unwrap();
        keys.log.make(1, NEXT).unwrap();
        let signer = NoteSigner::new(NEXT, keys.log_key(1).unwrap()).unwrap();
        let from = inner.head().await.unwrap().unwrap();
        let next = Next {
            from: &from,
            key: verifier(folder.path()).to_string(),
            number: 1,
            signer: &signer,
            entries: vec![NewEntry::of_gateway(Kind::Genesis, json!({}))],
            gives_up: false,
        };
        let mode = AtomicU8::new(if persists { 2 } else { 1 });
        let failing = Failing { inner: Arc::clone(&inner), mode, fault: fault.clone() };
        let begun = open_next(&failing, &keys, &SystemClock, &next).await;
        // A lost commit is looked for: it is there, or it is tried again, and then lost once more.
        assert_eq!(begun.is_ok(), fault == StoreFault::Lost && persists, "{fault} {persists}: {begun:?}");
        let stored = inner.head().await.unwrap().unwrap();
        assert_eq!(stored.place.number, u64::from(persists), "{fault} {persists}");
        assert_eq!(inner.shards().await.unwrap().len(), usize::from(persists));
        open_next(inner.as_ref(), &keys, &SystemClock, &next).await.unwrap();
        let stored = inner.head().await.unwrap().unwrap();
        assert_eq!((stored.place.number, stored.place.first, stored.size), (1, 2, 1));
        check_head(&keys, signer.verifier(), &stored).unwrap();
    }
}

/// A store whose commits fail: 1 before they persist, 2 after.
#[derive(Debug)]
struct Failing {
    inner: Arc<SqliteStore>,
    mode: AtomicU8,
    fault: StoreFault,
}

struct FailingCommit<'a> {
    inner: Box<dyn Commit + 'a>,
    mode: u8,
    fault: StoreFault,
}

forward_store! { crate, Failing,
    async fn begin(&self, look: &Look) -> Result<(Seen, Box<dyn Commit + '_>), StoreFault> {
        let (seen, inner) = self.inner.begin(look).await?;
        let mode = self.mode.load(Ordering::SeqCst);
        Ok((seen, Box::new(FailingCommit { inner, mode, fault: self.fault.clone() })))
    }
}

forward_commit! { crate, FailingCommit<'_>,
    async fn commit(self: Box<Self>, writes: &Writes) -> Result<(), StoreFault> {
        match self.mode {
            0 => self.inner.commit(writes).await,
            1 => Err(self.fault),
            _ => {
                self.inner.commit(writes).await?;
                Err(self.fault)
            }
        }
    }
    async fn confirm(self: Box<Self>) -> Result<(), StoreFault> {
        self.inner.confirm().await
    }
}
