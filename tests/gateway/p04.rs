//! Nothing is released before its entry is durable; while the log cannot be written, nothing is served.

mod gate;

use std::{path::Path, sync::Arc, time::Duration};

use serde_json::json;
use sluis::{
    audit::{
        entry::NewEntry,
        leaf::{Kind, Leaf},
        proof::TlogProof,
        writer::{CommitFault, Parts, Work, Writer},
    },
    catalogue::Mask,
    domain::{PairId, time::SystemClock},
    note::NoteSigner,
    proto::{self, get_statement_response::Result as Answer},
    storage::{Store, StoreFault},
    subject::KeyRing,
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tonic::Code;

use self::gate::{Fate, Gate, GatedStore};
use crate::{
    lab::{Lab, question, reason},
    outside::Outside,
    promises::{BY_KADE, COACH, Scripted, about, bsn, statement},
};

async fn kinds(database: &mut Outside, leaf: &[u8]) -> Vec<String> {
    database.kinds(Leaf::parse(leaf).unwrap().pair.bytes()).await
}

/// A region with a source that answers when it is told to.
async fn waiting_source() -> (Lab, Scripted, Arc<Notify>, Arc<Notify>) {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let mut lab = Lab::start_with(|options| {
        options.source_wait_ms = 5_000;
        options.answer_after_ms = 6_000;
    })
    .await;
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go));
    let kade = Scripted::take_over(&mut lab, "kade", move |_| {
        let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
        async move {
            tell.notify_one();
            wait.notified().await;
            Answer::WorkCapacity(statement(Mask::all()))
        }
    })
    .await;
    BY_KADE.give(&lab, &bsn(0)).await;
    (lab, kade, begun, go)
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_the_outcome_is_in_the_database_when_the_answer_arrives() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let mut database = Outside::open(&lab.world.dir).await;
    for _ in 0..10 {
        let answer = lab.ask("waterrijk", question()).await.unwrap();
        let receipt = answer.receipt.unwrap();
        assert_eq!(kinds(&mut database, &receipt.entries[0].leaf).await, ["request", "outcome"]);
        let size = database.size().await;
        let outcome: TlogProof = receipt.entries[1].proof.parse().unwrap();
        assert!(u64::try_from(size).unwrap() > outcome.index);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_an_answer_waits_for_its_commit() {
    let (lab, _kade, begun, go) = waiting_source().await;
    let mut database = Outside::open(&lab.world.dir).await;
    let asking = lab.ask("waterrijk", about(&bsn(0), &[COACH]));
    tokio::pin!(asking);
    tokio::select! {
        answer = &mut asking => panic!("answered without its source: {answer:?}"),
        () = begun.notified() => {}
        () = sleep(Duration::from_secs(4)) => panic!("the source was not asked"),
    }
    // Nobody can commit while we hold the head; everything else of the answer is ready.
    database.hold().await;
    go.notify_one();
    assert!(timeout(Duration::from_millis(700), &mut asking).await.is_err(), "before its commit");
    database.let_go().await;
    let answer = timeout(Duration::from_secs(5), &mut asking).await.unwrap().unwrap();
    assert_eq!(answer.disclosures.len(), 1);
    assert_eq!(kinds(&mut database, &answer.receipt.unwrap().entries[0].leaf).await.len(), 2);
}

/// Leaves no room in the database for another entry.
pub async fn fill(lab: &Lab) {
    let gateway = &lab.world.gateway;
    lab.no_room().await;
    let filler = || NewEntry::of_gateway(Kind::Access, json!({ "looked_at": "x" }));
    for _ in 0..1000 {
        if gateway.log.commit(Work::Append(filler())).await.is_err() {
            return;
        }
    }
    panic!("the database does not get full");
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_a_log_that_cannot_be_written_serves_nothing() {
    let (lab, kade, begun, go) = waiting_source().await;
    let under_way = lab.ask("waterrijk", about(&bsn(0), &[COACH]));
    tokio::pin!(under_way);
    tokio::select! {
        answer = &mut under_way => panic!("answered without its source: {answer:?}"),
        () = begun.notified() => {}
        () = sleep(Duration::from_secs(4)) => panic!("the source was not asked"),
    }
    fill(&lab).await;
    go.notify_one();
    // Its outcome finds no room, so it stays in.
    let refused = timeout(Duration::from_secs(5), under_way).await.unwrap().unwrap_err();
    let unavailable = (Code::Unavailable, "LOG_UNAVAILABLE".to_owned());
    assert_eq!(reason(&refused), unavailable);
    // A new one does not even reach its source.
    let refused = lab.ask("waterrijk", about(&bsn(0), &[COACH])).await.unwrap_err();
    assert_eq!(reason(&refused), unavailable);
    assert_eq!(kade.times_asked(), 1);
    let refused = BY_KADE.record(&lab, &bsn(1)).await.unwrap_err();
    assert_eq!(reason(&refused), unavailable);
    let checkpoint = proto::GetCheckpointRequest::default();
    let refused = lab.client("waterrijk").await.audit().get_checkpoint(checkpoint).await.unwrap_err();
    assert_eq!(reason(&refused), unavailable);

    assert!(lab.world.gateway.log.is_writing(), "full is not broken");
    // With room again it goes on.
    lab.room().await;
    go.notify_one();
    let answer = lab.ask("waterrijk", about(&bsn(0), &[COACH])).await.unwrap();
    assert_eq!(answer.disclosures.len(), 1);
}

/// A writer whose commits wait at a gate.
async fn gated(folder: &Path) -> (Arc<GatedStore>, Gate, Writer) {
    let (store, gate) = gate::open(folder).await;
    let keys = Arc::new(KeyRing::open(&folder.join("keys")).unwrap());
    let origin = "test.sluis.example/gate/2026";
    let signer = NoteSigner::new(origin, keys.log_key(0).unwrap()).unwrap();
    let shared: Arc<dyn Store> = Arc::<GatedStore>::clone(&store);
    let parts = Parts { store: shared, keys, signer, clock: Arc::new(SystemClock) };
    let (writer, _) = Writer::start(parts, origin.to_owned()).await.unwrap();
    (store, gate, writer)
}

fn request() -> Work {
    let entry = NewEntry::of_gateway(Kind::Request, json!({}));
    Work::Request { entry: NewEntry { pair: PairId::random(), ..entry }, claim: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_nobody_hears_of_an_entry_before_its_commit_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let (store, gate, writer) = gated(folder.path()).await;
    let committing = writer.commit(request());
    tokio::pin!(committing);
    let mut gate = gate.lock().await;
    let waiting = tokio::select! {
        done = &mut committing => panic!("done before its commit: {done:?}"),
        waiting = gate.recv() => waiting.unwrap(),
    };
    assert!(timeout(Duration::from_millis(100), &mut committing).await.is_err());
    assert!(store.inner.entries(0, 9).await.unwrap().is_empty());
    waiting.send(Fate::Made).unwrap();
    assert_eq!(committing.await.unwrap().position, 0);
    assert_eq!(store.inner.entries(0, 9).await.unwrap().len(), 1);
}

/// Both ways: it failed and is not there, it failed and is there. Nobody is told that it is, and after a failure that
/// leaves this open, or a log that moved, nothing more is written.
#[tokio::test(flavor = "multi_thread")]
async fn p04_a_commit_that_failed_is_never_told_as_done() {
    let busy = || StoreFault::Busy;
    let fatal = || StoreFault::Fatal("test".to_owned());
    for (fate, goes_on, there) in [
        (Fate::Lost(busy()), true, 1),
        (Fate::Lost(StoreFault::Full), true, 1),
        (Fate::Lost(fatal()), false, 0),
        (Fate::MadeAndLost(busy()), false, 1),
        (Fate::MadeAndLost(fatal()), false, 1),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (store, gate, writer) = gated(folder.path()).await;
        let name = format!("{fate:?}");
        let mut gate = gate.lock().await;
        let opening = async {
            gate.recv().await.unwrap().send(fate).unwrap();
        };
        let (first, ()) = tokio::join!(writer.commit(request()), opening);
        assert!(matches!(first, Err(CommitFault::Unavailable(_))), "{name}");

        let committing = writer.commit(request());
        tokio::pin!(committing);
        let second = loop {
            tokio::select! {
                done = &mut committing => break done,
                waiting = gate.recv() => {
                    assert!(goes_on, "{name}: written again");
                    waiting.unwrap().send(Fate::Made).unwrap();
                }
            }
        };
        assert_eq!(second.is_ok(), goes_on, "{name}");
        assert_eq!(writer.is_writing(), goes_on, "{name}");
        assert_eq!(store.inner.entries(0, 9).await.unwrap().len(), there, "{name}");
    }
}
