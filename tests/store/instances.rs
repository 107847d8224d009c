//! Several gateways, one log.

use std::sync::Arc;

use futures_util::future::join_all;
use sluis::{
    audit::{
        export::stored::{Openings, export},
        verify::{VerifyOptions, verify_export},
        writer::{CommitFault, OpenLogFault},
    },
    domain::PairId,
    note::NoteSigner,
    storage::{Attempt, TransactionName},
    subject::KeyRing,
};

use crate::{
    database,
    lab::{Place, UWV, entry, form, outcome, request},
    log::{clock, needs, record, withdraw},
};

#[tokio::test(flavor = "multi_thread")]
async fn instances_write_one_log_in_turn() {
    let place = Place::postgres().await;
    let stores = [place.open().await, place.open().await, place.open().await];
    let mut logs = Vec::new();
    for store in &stores {
        logs.push(place.writer(store).await);
    }
    for _ in 0..4 {
        let committed = join_all((0..120).map(|n| logs[n % 3].commit(entry(n)))).await;
        assert!(committed.iter().all(Result::is_ok), "{committed:?}");
    }
    let size = stores[0].head().await.unwrap().unwrap().size;
    assert_eq!(size, 480, "each once, and none lost");
    assert_eq!(place.verified(&stores[1]).await, 0);
    for store in &stores {
        assert!(store.transactions().count(TransactionName::Batch, Attempt::Committed) > 1);
        assert_eq!(store.transactions().count(TransactionName::Batch, Attempt::Failed), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p05_p06_what_one_instance_does_binds_the_others() {
    let place = Place::postgres().await;
    let (a, b) = (place.open().await, place.open().await);
    let (one, two) =
        (place.try_writer(&a, clock()).await.unwrap(), place.try_writer(&b, clock()).await.unwrap());
    let form = form(&[UWV]);
    let grant = form.grants[0].grant.id;
    one.commit(record(0, &form)).await.unwrap();
    assert_eq!(two.commit(record(0, &form)).await.unwrap_err(), CommitFault::FormUsed);
    let (first, second) = (PairId::random(), PairId::random());
    assert!(one.commit(request(first, Some([1; 32]))).await.unwrap().id_was_new);
    assert!(!two.commit(request(second, Some([1; 32]))).await.unwrap().id_was_new);
    two.commit(outcome(first, needs(&[grant]))).await.unwrap();
    assert_eq!(one.commit(outcome(first, vec![])).await.unwrap_err(), CommitFault::AlreadyClosed);
    two.commit(withdraw(grant)).await.unwrap();
    let late = one.commit(outcome(second, needs(&[grant]))).await.unwrap_err();
    assert_eq!(late, CommitFault::GrantNotInForce);
    one.commit(outcome(second, vec![])).await.unwrap();
    assert_eq!(place.verified(&a).await, 0);
}

/// More was appended by another than is taken over with the head in the hands.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_slept_long_catches_up() {
    let place = Place::postgres().await;
    let (a, b) = (place.open().await, place.open().await);
    let (busy, idle) = (place.writer(&a).await, place.writer(&b).await);
    idle.commit(entry(0)).await.unwrap();
    for _ in 0..9 {
        for done in join_all((0..512).map(|n| busy.commit(entry(n)))).await {
            done.unwrap();
        }
    }
    assert_eq!(idle.commit(entry(1)).await.unwrap().position, 1 + 9 * 512);
    assert_eq!(b.transactions().count(TransactionName::Batch, Attempt::Again), 1);
    busy.commit(entry(2)).await.unwrap();
    assert_eq!(place.verified(&b).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_with_other_keys_does_not_start() {
    let place = Place::postgres().await;
    let store = place.open().await;
    place.writer(&store).await.commit(entry(0)).await.unwrap();
    for name in ["index.key", "master.key", "log.key"] {
        let other = Place::at(place.url());
        drop(other.keys());
        for kept in ["index.key", "master.key", "log.key"].iter().filter(|kept| **kept != name) {
            let from = place.folder.path().join("keys").join(kept);
            std::fs::copy(from, other.folder.path().join("keys").join(kept)).unwrap();
        }
        let refused = other.try_writer(&store, clock()).await.map(drop).unwrap_err();
        let expected = match name {
            "log.key" => matches!(refused, OpenLogFault::Head(_)),
            _ => matches!(refused, OpenLogFault::OtherKeys),
        };
        assert!(expected, "{name}: {refused}");
    }
}

/// A database that was restored, or whose log was written anew with the very same keys: its signature is good, and it
/// does not begin with what this gateway has published.
#[tokio::test(flavor = "multi_thread")]
async fn p07_a_log_that_was_restored_or_rewritten_is_not_continued() {
    // The last one is longer by more than is taken over with the head in the hands.
    for (what, entries) in [
        ("restored", 2),
        ("rewritten, as long", 5),
        ("rewritten, longer", 9),
        ("rewritten, much longer", 4300),
    ] {
        let place = Place::postgres().await;
        let store = place.open().await;
        let log = place.writer(&store).await;
        for n in 0..5 {
            log.commit(entry(n)).await.unwrap();
        }
        let mut outside = database::connect(place.url()).await;
        sqlx::raw_sql("delete from entry; delete from tile; delete from head")
            .execute(&mut outside)
            .await
            .unwrap();
        let other_store = place.open().await;
        let other = place.writer(&other_store).await;
        for some in (0..entries).collect::<Vec<_>>().chunks(500) {
            let done = join_all(some.iter().map(|n| other.commit(entry(*n)))).await;
            assert!(done.iter().all(Result::is_ok));
        }
        assert_eq!(place.verified(&other_store).await, 0, "{what}: it is a good log by itself");
        let refused = log.commit(entry(9)).await.unwrap_err();
        assert!(matches!(refused, CommitFault::Unavailable(_)), "{what}: {refused}");
        assert!(!log.is_writing(), "{what}");
        assert_eq!(other_store.head().await.unwrap().unwrap().size, entries as u64, "{what}");
    }
}

/// Two exports of one log through two instances are the same.
#[tokio::test(flavor = "multi_thread")]
async fn p07_every_instance_exports_the_same_log() {
    let place = Place::postgres().await;
    let stores = [place.open().await, place.open().await];
    let logs = [place.writer(&stores[0]).await, place.writer(&stores[1]).await];
    for n in 0..30 {
        logs[n % 2].commit(entry(n)).await.unwrap();
    }
    let keys: Arc<KeyRing> = place.keys();
    let signer = NoteSigner::new(crate::lab::ORIGIN, keys.log_key(0).unwrap()).unwrap();
    let trust = vec![signer.verifier().clone()];
    let mut checkpoints = Vec::new();
    for store in &stores {
        let out = tempfile::tempdir().unwrap();
        export(store.as_ref(), out.path(), &trust, Openings::default(), |_, _| {}).await.unwrap();
        let options = VerifyOptions { trust: Some(trust.clone()), since: None, progress: None };
        assert_eq!(crate::lab::status(&verify_export(out.path(), &options)), 0);
        checkpoints.push(std::fs::read(out.path().join("checkpoint")).unwrap());
    }
    assert_eq!(checkpoints[0], checkpoints[1]);
}
