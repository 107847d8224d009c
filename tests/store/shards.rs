//! A log of several shards: each ends with its seal, and the next begins in one step.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::json;
use sluis::{
    audit::{
        checkpoint::Checkpoint,
        entry::NewEntry,
        export::stored::{Openings, Witnessed, export_shard, extents},
        leaf::{Kind, Leaf},
        lookup,
        verify::{VerifyOptions, verify_export},
        vouched::{Vouching, vouched},
        writer::{CommitFault, Next, OpenLogFault, Parts, Work, Writer, open_next},
    },
    domain::{PairId, time::SystemClock},
    note::{NoteSigner, VerifierKey},
    storage::{Head, Shard, ShardPlace, Store, StoreFault, StoredEntry},
    subject::KeyRing,
};

use crate::lab::{ORIGIN, Place, entry, outcome, request};

crate::on_both!(
    a_shard_ends_with_its_seal_and_the_next_one_goes_on,
    a_writer_of_a_shard_that_is_over_writes_nothing,
    a_shard_is_not_begun_on_a_log_that_has_changed,
    requests_that_are_given_up_are_no_longer_open,
);

const NEXT: &str = "test.sluis.example/store/2027";

/// Makes the key of the next shard, once.
fn keys(place: &Place) -> Arc<KeyRing> {
    let folder = place.folder.path().join("keys");
    let mut keys = KeyRing::open(&folder).unwrap();
    keys.log.bear(0, ORIGIN).unwrap();
    if !keys.log.has_private(1) {
        keys.log.make(1, NEXT).unwrap();
    }
    Arc::new(keys)
}

fn signer(keys: &KeyRing, number: u64) -> NoteSigner {
    NoteSigner::new([ORIGIN, NEXT][number as usize], keys.log_key(number).unwrap()).unwrap()
}

async fn writer(place: &Place, store: &Arc<dyn Store>, number: u64) -> Result<Writer, OpenLogFault> {
    let keys = keys(place);
    let (signer, clock) = (signer(&keys, number), Arc::new(SystemClock));
    let origin = signer.verifier().name().to_owned();
    let parts = Parts { store: Arc::clone(store), keys, signer, clock };
    Writer::start(parts, origin).await.map(|(writer, _)| writer)
}

fn seal() -> Work {
    Work::Seal(NewEntry::of_gateway(Kind::Seal, json!({ "reason": "year" })))
}

fn first_entries(count: usize) -> Vec<NewEntry> {
    let entry = |n| {
        let kind = if n == 0 { Kind::Genesis } else { Kind::Agreement };
        NewEntry::of_gateway(kind, json!({ "n": n }))
    };
    (0..count).map(entry).collect()
}

async fn begin(
    place: &Place,
    store: &Arc<dyn Store>,
    from: &Head,
    count: usize,
    gives_up: bool,
) -> Result<usize, StoreFault> {
    let keys = keys(place);
    let next = Next {
        from,
        key: signer(&keys, 0).verifier().to_string(),
        number: 1,
        signer: &signer(&keys, 1),
        entries: first_entries(count),
        gives_up,
    };
    open_next(store.as_ref(), &keys, &SystemClock, &next).await
}

async fn head(store: &Arc<dyn Store>) -> Head {
    store.head().await.unwrap().unwrap()
}

/// That every shard of a store verifies by itself, with the keys of both.
async fn all_verify(place: &Place, store: &Arc<dyn Store>) {
    let keys = keys(place);
    for (number, extent) in extents(store.as_ref()).await.unwrap().iter().enumerate() {
        let trust = vec![signer(&keys, number as u64).verifier().clone()];
        let out = tempfile::tempdir().unwrap();
        let openings = Openings { details: true, sealed: true };
        export_shard(store.as_ref(), extent, out.path(), &trust, openings, Witnessed::default(), |_, _| {})
            .await
            .unwrap();
        let options = VerifyOptions { trust: Some(trust), since: None, progress: None };
        let report = verify_export(out.path(), &options);
        assert_eq!(crate::lab::status(&report), 0, "{report}");
    }
}

/// That each of these entries is proven, under the key of its shard.
async fn all_proven(store: &Arc<dyn Store>, keys: &[VerifierKey], positions: &[u64]) {
    for position in positions {
        let entry = store.entries(*position, 1).await.unwrap().remove(0);
        let proof = lookup::proof(store.as_ref(), *position).await.unwrap();
        let (checkpoint, _) = Checkpoint::open(&proof.checkpoint, keys).unwrap();
        assert_eq!(proof.root(&entry.leaf, checkpoint.size), Ok(checkpoint.root), "{position}");
        assert_eq!(vouched(store.as_ref(), &entry, keys).await, Ok(true), "{position}");
    }
}

/// That one head vouches for each of these entries where it stands, and for nothing else.
async fn head_vouches(store: &Arc<dyn Store>, keys: &[VerifierKey], positions: &[u64]) {
    let head = head(store).await;
    let mut vouching = Vouching::of(store.as_ref(), &head, keys);
    for position in positions {
        let entry = store.entries(*position, 1).await.unwrap().remove(0);
        assert_eq!(vouching.vouches(&entry).await, Ok(true), "{position}");
        // At the end of the shard before, among its own, and past the last.
        for elsewhere in [position - 1, head.end()] {
            let moved = StoredEntry { position: elsewhere, ..entry.clone() };
            assert_eq!(vouching.has(&moved).await, Ok(false), "{position} at {elsewhere}");
        }
        let closed = StoredEntry { facts: None, ..entry.clone() };
        assert_eq!((vouching.has(&closed).await, vouching.vouches(&closed).await), (Ok(true), Ok(false)));
        let nobody = Vouching::of(store.as_ref(), &head, &[]).vouches(&entry).await;
        assert_eq!(nobody, Ok(false), "none of the keys has signed it");
    }
}

async fn a_shard_ends_with_its_seal_and_the_next_one_goes_on(place: Place) {
    let store = place.open().await;
    let log = writer(&place, &store, 0).await.unwrap();
    for done in join_all((0..300).map(|n| log.commit(entry(n)))).await {
        done.unwrap();
    }
    let pair = PairId::random();
    log.commit(request(pair, Some([1; 32]))).await.unwrap();
    assert_eq!(log.commit(seal()).await.unwrap_err(), CommitFault::RequestsOpen);
    log.commit(outcome(pair, vec![])).await.unwrap();
    assert!(!log.is_closed());
    let sealed = log.commit(seal()).await.unwrap();
    assert_eq!((sealed.position, sealed.index), (302, 302));
    assert_eq!(log.commit(entry(0)).await.unwrap_err(), CommitFault::Closed);
    assert!(log.is_closed() && !log.is_writing());
    drop(log);
    // A crash here is found by whoever starts next.
    let again = writer(&place, &store, 0).await.unwrap();
    assert!(again.is_closed());
    drop(again);

    let old = head(&store).await;
    begin(&place, &store, &old, 600, false).await.unwrap();
    begin(&place, &store, &old, 5, false).await.unwrap();
    let new = head(&store).await;
    assert_eq!((new.place, new.size), (ShardPlace { number: 1, first: 303 }, 600), "begun once");
    assert!(new.time >= old.time);
    let log = writer(&place, &store, 1).await.unwrap();
    let first = log.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, json!({})))).await;
    assert_eq!(first.unwrap_err(), CommitFault::AlreadyBegun);
    for done in join_all((0..300).map(|n| log.commit(entry(n)))).await {
        let done = done.unwrap();
        assert_eq!(done.position, done.index + 303);
    }
    let verifiers = keys(&place).log_verifiers();
    all_proven(&store, &verifiers, &[0, 255, 256, 299, 302, 303, 304, 558, 559, 900, 1202]).await;
    head_vouches(&store, &verifiers, &[303, 304, 558, 559, 900, 1202]).await;
    all_verify(&place, &store).await;
    let proof = lookup::consistency_in(store.as_ref(), new.place, 600, 900).await.unwrap();
    assert!(!proof.is_empty());

    let key = signer(&keys(&place), 0).verifier().to_string();
    let Head { origin, place: at, size, checkpoint, .. } = old;
    let closed = Shard { place: at, origin, size, checkpoint, key, closed: new.time };
    assert_eq!(store.shards().await.unwrap(), std::slice::from_ref(&closed));
    assert_eq!(store.shard_of(0).await.unwrap(), Some(closed.clone()));
    assert_eq!(store.shard_of(302).await.unwrap(), Some(closed));
    assert_eq!(store.shard_of(303).await.unwrap(), None);
}

async fn a_writer_of_a_shard_that_is_over_writes_nothing(place: Place) {
    let store = place.open().await;
    let (busy, idle) = (writer(&place, &store, 0).await.unwrap(), writer(&place, &store, 0).await.unwrap());
    let is_shared = store.is_shared();
    busy.commit(entry(0)).await.unwrap();
    if is_shared {
        idle.commit(entry(1)).await.unwrap();
    }
    busy.commit(seal()).await.unwrap();
    if is_shared {
        // It had not seen the seal yet, and sees it now.
        assert!(idle.is_writing());
        assert_eq!(idle.commit(entry(2)).await.unwrap_err(), CommitFault::Closed);
        assert_eq!(idle.commit(seal()).await.unwrap_err(), CommitFault::Closed);
    }
    let sealed = head(&store).await;
    begin(&place, &store, &sealed, 1, false).await.unwrap();
    for log in [&busy, &idle] {
        assert_eq!(log.commit(entry(3)).await.unwrap_err(), CommitFault::Closed);
        assert!(log.is_closed());
    }
    let fault = writer(&place, &store, 0).await.unwrap_err();
    assert!(matches!(fault, OpenLogFault::OtherOrigin(_)), "{fault}");
    assert_eq!(head(&store).await.size, 1);
    all_verify(&place, &store).await;
}

async fn a_shard_is_not_begun_on_a_log_that_has_changed(place: Place) {
    let store = place.open().await;
    let log = writer(&place, &store, 0).await.unwrap();
    log.commit(entry(0)).await.unwrap();
    let before = head(&store).await;
    log.commit(entry(1)).await.unwrap();
    let fault = begin(&place, &store, &before, 1, true).await.unwrap_err();
    assert!(matches!(fault, StoreFault::Fatal(_)), "{fault}");
    log.commit(entry(2)).await.unwrap();
    assert_eq!((head(&store).await.size, store.shards().await.unwrap()), (3, vec![]));
}

async fn requests_that_are_given_up_are_no_longer_open(place: Place) {
    let store = place.open().await;
    let log = writer(&place, &store, 0).await.unwrap();
    let pair = PairId::random();
    log.commit(request(pair, None)).await.unwrap();
    // More than are closed at a time while a gateway runs.
    for done in join_all((0..1000).map(|_| log.commit(request(PairId::random(), None)))).await {
        done.unwrap();
    }
    let open = head(&store).await;
    let refused = begin(&place, &store, &open, 1, false).await.unwrap_err();
    assert!(matches!(refused, StoreFault::Corrupt(_)), "{refused}");
    assert_eq!(begin(&place, &store, &open, 1, true).await, Ok(1001));
    let genesis = store.entries(open.end(), 1).await.unwrap().remove(0);
    let facts: serde_json::Value = serde_json::from_slice(genesis.facts_json()).unwrap();
    assert_eq!(facts["given_up"], 1001);
    let log = writer(&place, &store, 1).await.unwrap();
    assert_eq!(log.commit(outcome(pair, vec![])).await.unwrap_err(), CommitFault::AlreadyClosed);
    log.commit(seal()).await.unwrap();
}

/// Two instances begin the next shard at the same time: one of them does.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_instances_one_begins_the_next_shard() {
    let place = Place::postgres().await;
    let stores = [place.open().await, place.open().await];
    let log = writer(&place, &stores[0], 0).await.unwrap();
    log.commit(seal()).await.unwrap();
    let sealed = head(&stores[0]).await;
    let begun = join_all(stores.iter().zip([2, 3]).map(|(store, n)| begin(&place, store, &sealed, n, false)));
    assert!(begun.await.iter().all(Result::is_ok));
    let entries = stores[0].entries(1, 10).await.unwrap();
    assert_eq!(entries.len() as u64, head(&stores[1]).await.size);
    let kinds = entries.iter().map(|entry| Leaf::parse(&entry.leaf).unwrap().kind);
    assert_eq!(kinds.filter(|kind| *kind == Kind::Genesis).count(), 1);
    assert_eq!(stores[1].shards().await.unwrap().len(), 1);
    let logs = [writer(&place, &stores[0], 1).await.unwrap(), writer(&place, &stores[1], 1).await.unwrap()];
    for done in join_all((0..600).map(|n| logs[n % 2].commit(entry(n)))).await {
        done.unwrap();
    }
    all_verify(&place, &stores[1]).await;
}
