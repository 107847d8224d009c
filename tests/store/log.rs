//! The log's writer on either store: order, counting, sealing, withdrawals, faults.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use sluis::{
    audit::{
        entry::{NewEntry, SubjectLink},
        leaf::Kind,
        lookup,
        proof::TlogProof,
        writer::{Change, CommitFault, Need, OpenLogFault, Work, Writer},
    },
    domain::{Clock as _, GrantId, PairId, time::ManualClock},
    storage::{Attempt, Look, NewForm, Selection, Store, TransactionName},
    subject::Tag,
};
use tokio::time::timeout;

use crate::lab::{KADE, Place, UWV, entry, form, oin, outcome, request, tag, time};

crate::on_both!(
    every_entry_has_its_place_and_its_proof,
    a_request_id_counts_once_however_many_ask,
    p06_a_request_has_one_outcome_however_many_come,
    p05_a_withdrawal_goes_before_the_releases_of_its_batch,
    p01_a_release_needs_a_grant_in_force,
    a_form_is_recorded_once,
    a_client_has_one_key_a_year_and_one_id,
    p04_a_log_that_moved_by_other_hands_is_not_written,
    a_log_has_one_first_entry,
    a_log_of_the_version_before_goes_on,
);

pub fn about(tag: Tag, keep: bool) -> NewEntry {
    NewEntry {
        subject: SubjectLink::Tag { tag, keep },
        ..NewEntry::of_gateway(Kind::Consent, json!({ "kind": "recorded" }))
    }
}

pub fn record(n: usize, form: &NewForm) -> Work {
    let confirmed = form.grants.iter().map(|new| new.grant.id).collect();
    let stops = Vec::new();
    Work::Record { entry: about(tag(n), true), form: form.clone(), client: tag(n), confirmed, stops }
}

pub fn withdraw(grant: GrantId) -> Work {
    let entry = NewEntry { client: json!({}), ..NewEntry::of_gateway(Kind::Consent, json!({})) };
    let change = Change::Withdraw { everything: false };
    Work::Change { entry, on: Selection::Grant(grant), by: oin(KADE), change }
}

/// Both fields of these grants.
pub fn needs(grants: &[GrantId]) -> Vec<Need> {
    let fields = sluis::catalogue::from_codes(&["WT-02", "WT-03"]).unwrap();
    grants.iter().map(|grant| Need { grant: *grant, fields, follows: None }).collect()
}

/// A clock within the period of the grants.
pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new(time(0)))
}

async fn start(place: &Place, store: &Arc<dyn Store>) -> Writer {
    place.try_writer(store, clock()).await.unwrap()
}

async fn every_entry_has_its_place_and_its_proof(place: Place) {
    let store = place.open().await;
    let log = start(&place, &store).await;
    for round in [3_usize, 253, 1, 300] {
        let committed = join_all((0..round).map(|n| log.commit(entry(n)))).await;
        let mut positions = Vec::new();
        for committed in committed {
            let committed = committed.unwrap();
            let opened = committed.open(false);
            let proof: TlogProof = opened.proof.parse().unwrap();
            assert_eq!(proof.index, committed.position);
            positions.push(committed.position);
        }
        positions.sort_unstable();
        let size = store.head().await.unwrap().unwrap().size;
        assert_eq!(positions, (size - round as u64..size).collect::<Vec<_>>());
        assert_eq!(place.verified(&store).await, 0);
        for position in [0, size / 2, size - 1] {
            lookup::proof(store.as_ref(), position).await.unwrap();
        }
    }
}

async fn a_request_id_counts_once_however_many_ask(place: Place) {
    let store = place.open().await;
    let log = start(&place, &store).await;
    for claim in [[1; 32], [2; 32]] {
        let all = join_all((0..30).map(|_| log.commit(request(PairId::random(), Some(claim))))).await;
        assert_eq!(all.into_iter().filter(|done| done.as_ref().unwrap().id_was_new).count(), 1);
    }
    assert!(log.commit(request(PairId::random(), None)).await.unwrap().id_was_new);
}

async fn p06_a_request_has_one_outcome_however_many_come(place: Place) {
    let store = place.open().await;
    let log = start(&place, &store).await;
    for _ in 0..5 {
        let pair = PairId::random();
        log.commit(request(pair, None)).await.unwrap();
        let all = join_all((0..20).map(|_| log.commit(outcome(pair, vec![])))).await;
        let (done, lost): (Vec<_>, Vec<_>) = all.into_iter().partition(Result::is_ok);
        assert_eq!((done.len(), lost.len()), (1, 19));
        assert!(lost.into_iter().all(|lost| lost.unwrap_err() == CommitFault::AlreadyClosed));
    }
    let never = log.commit(outcome(PairId::random(), vec![])).await;
    assert_eq!(never.unwrap_err(), CommitFault::AlreadyClosed);
    assert_eq!(place.verified(&store).await, 0);
}

/// While somebody holds the head, works gather; they are then one batch.
async fn together(store: &Arc<dyn Store>, log: &Writer, works: Vec<Work>) -> Vec<Result<u64, CommitFault>> {
    let (_, held) = store.begin(&Look::default()).await.unwrap();
    let first = log.commit(entry(0));
    tokio::pin!(first);
    // The writer takes the first alone, and waits for the head.
    assert!(timeout(Duration::from_millis(300), &mut first).await.is_err());
    let mut all: Vec<_> = works.into_iter().map(|work| Box::pin(log.commit(work))).collect();
    for one in &mut all {
        assert!(futures_util::poll!(one).is_pending());
    }
    held.abandon().await;
    first.await.unwrap();
    join_all(all).await.into_iter().map(|done| done.map(|done| done.position)).collect()
}

async fn p05_a_withdrawal_goes_before_the_releases_of_its_batch(place: Place) {
    let store = place.open().await;
    let log = start(&place, &store).await;
    let form = form(&[UWV, KADE]);
    let (withdrawn, kept) = (form.grants[0].grant.id, form.grants[1].grant.id);
    log.commit(record(0, &form)).await.unwrap();
    let (one, two) = (PairId::random(), PairId::random());
    for pair in [one, two] {
        log.commit(request(pair, None)).await.unwrap();
    }
    let works = vec![
        outcome(one, needs(&[kept, withdrawn])),
        outcome(two, needs(&[kept])),
        withdraw(withdrawn),
        // Again in the same batch: it stands, and withdraws nothing more.
        withdraw(withdrawn),
    ];
    let done = together(&store, &log, works).await;
    assert_eq!(
        done[0],
        Err(CommitFault::GrantNotInForce),
        "decided without the withdrawal, and sent before it"
    );
    let position = |at: usize| *done[at].as_ref().unwrap();
    assert!(position(2) < position(3) && position(3) < position(1), "withdrawals first: {done:?}");
    assert!(store.grant(withdrawn).await.unwrap().unwrap().standing.state.end.is_some());
    assert!(store.grant(kept).await.unwrap().unwrap().standing.state.end.is_none());
    // The first is still open, and can have an outcome that releases nothing.
    log.commit(outcome(one, vec![])).await.unwrap();
    assert_eq!(place.verified(&store).await, 0);
}

async fn p01_a_release_needs_a_grant_in_force(place: Place) {
    let store = place.open().await;
    let clock = clock();
    let log = place.try_writer(&store, clock.clone()).await.unwrap();
    let form = form(&[UWV, KADE]);
    let Work::Record { entry, form, client, stops, .. } = record(0, &form) else { panic!("a record") };
    let (confirmed, unconfirmed) = (form.grants[0].grant.id, form.grants[1].grant.id);
    log.commit(Work::Record { entry, form, client, stops, confirmed: vec![confirmed] }).await.unwrap();
    let pair = PairId::random();
    log.commit(request(pair, None)).await.unwrap();
    for (what, released) in [
        ("unconfirmed", needs(&[unconfirmed])),
        ("one of two", needs(&[confirmed, unconfirmed])),
        ("unknown", needs(&[GrantId::random()])),
    ] {
        let refused = log.commit(outcome(pair, released)).await.unwrap_err();
        assert_eq!(refused, CommitFault::GrantNotInForce, "{what}");
    }
    let (on, change) = (Selection::Grant(unconfirmed), Change::Confirm { renews: None });
    let confirm = Work::Change { entry: about(tag(0), true), on, by: oin(KADE), change };
    log.commit(confirm).await.unwrap();
    log.commit(outcome(pair, needs(&[confirmed, unconfirmed]))).await.unwrap();
    // In force to the last moment, and not one longer.
    let (one, two) = (PairId::random(), PairId::random());
    let ends = store.grant(confirmed).await.unwrap().unwrap().standing.state.ends;
    clock.set(ends.plus_millis(-1));
    for pair in [one, two] {
        log.commit(request(pair, None)).await.unwrap();
    }
    log.commit(outcome(one, needs(&[confirmed]))).await.unwrap();
    clock.set(ends);
    let expired = log.commit(outcome(two, needs(&[confirmed]))).await.unwrap_err();
    assert_eq!(expired, CommitFault::GrantNotInForce);
}

async fn a_form_is_recorded_once(place: Place) {
    let store = place.open().await;
    let log = start(&place, &store).await;
    let form = form(&[UWV]);
    let done = together(&store, &log, vec![record(0, &form), record(0, &form)]).await;
    assert_eq!((done[0].is_ok(), &done[1]), (true, &Err(CommitFault::FormUsed)), "twice in one batch");
    assert_eq!(log.commit(record(1, &form)).await.unwrap_err(), CommitFault::FormUsed);
    let other = NewForm { id: sluis::domain::FormId::random(), ..form.clone() };
    assert_eq!(log.commit(record(1, &other)).await.unwrap_err(), CommitFault::FormUsed, "a grant's id");
    assert_eq!(store.forms_of(&tag(0), oin(KADE)).await.unwrap().len(), 1);
    assert!(store.forms_of(&tag(1), oin(KADE)).await.unwrap().is_empty());
}

async fn a_client_has_one_key_a_year_and_one_id(place: Place) {
    let store = place.open().await;
    let clock = clock();
    let log = place.try_writer(&store, clock.clone()).await.unwrap();
    let say = async |n, keep| {
        let at = log.commit(Work::Append(about(tag(n), keep))).await.unwrap().position;
        store.entries(at, 1).await.unwrap()[0].subject.unwrap()
    };
    let known = say(0, true).await;
    let asked = say(1, false).await;
    assert_eq!((say(0, false).await, say(1, false).await), (known, asked));
    assert_ne!(known, asked);
    let key = async |subject, year| store.client_key(subject, year).await.unwrap().map(|key| key.wrapped);
    let first = key(known, 2026).await;
    assert!(first.is_some() && key(asked, 2026).await.is_some());
    // The next year: a new key for the same client.
    clock.set(time(60 * 24 * 3_600_000));
    assert_eq!(say(0, false).await, known);
    let second = key(known, 2027).await;
    assert!(second.is_some() && second != first);
    assert_ne!(say(1, false).await, asked, "nothing led to him any more");
    assert_eq!(key(asked, 2026).await, None, "a key that only questions had made");
    // A question does not make the key of somebody with a consent short-lived.
    clock.set(clock.now().plus_millis(8 * 24 * 3_600_000));
    log.commit(entry(0)).await.unwrap();
    assert_eq!((key(known, 2026).await, key(known, 2027).await), (first, second));
}

async fn p04_a_log_that_moved_by_other_hands_is_not_written(place: Place) {
    let store = place.open().await;
    let log = start(&place, &store).await;
    for n in 0..3 {
        log.commit(entry(n)).await.unwrap();
    }
    let (seen, commit) = store.begin(&Look::default()).await.unwrap();
    let bent = sluis::storage::Head { batch: [0; 16], ..seen.head.unwrap() };
    commit.commit(&sluis::storage::Writes { head: bent, ..crate::lab::writes(3) }).await.unwrap();
    let refused = log.commit(entry(4)).await.unwrap_err();
    assert!(matches!(refused, CommitFault::Unavailable(_)));
    assert!(!log.is_writing(), "it stops until it is started again");
    assert!(store.transactions().count(TransactionName::Batch, Attempt::Failed) > 0);
    assert_eq!(store.head().await.unwrap().unwrap().size, 3);
    assert_eq!(place.verified(&store).await, 0);
}

async fn a_log_has_one_first_entry(place: Place) {
    let store = place.open().await;
    let other = if store.is_shared() { place.open().await } else { Arc::clone(&store) };
    let logs = [start(&place, &store).await, start(&place, &other).await];
    // On an embedded store there is one writer; the second stands for a second attempt.
    let logs = if store.is_shared() { logs.to_vec() } else { vec![logs[0].clone(), logs[0].clone()] };
    let first = || Work::First(NewEntry::of_gateway(Kind::Genesis, json!({})));
    let done = join_all(logs.iter().map(|log| log.commit(first()))).await;
    let (begun, late): (Vec<_>, Vec<_>) = done.into_iter().partition(Result::is_ok);
    assert_eq!((begun.len(), late.len()), (1, 1));
    assert_eq!(begun[0].as_ref().unwrap().position, 0);
    assert_eq!(*late[0].as_ref().unwrap_err(), CommitFault::AlreadyBegun);
    for log in &logs {
        log.commit(entry(1)).await.unwrap();
    }
    let named = place.try_writer(&store, clock()).await.map(drop);
    assert!(named.is_ok() && !matches!(named, Err(OpenLogFault::OtherKeys)));
}

/// Before migration 0002 the head had no fingerprint of the keys. It has one from the next entry on.
async fn a_log_of_the_version_before_goes_on(place: Place) {
    let store = place.open().await;
    let log = start(&place, &store).await;
    join_all((0..300).map(|n| log.commit(entry(n)))).await;
    let before = store.head().await.unwrap().unwrap();
    drop(log);
    store.close().await;
    drop(store);
    place
        .run(
            "alter table head drop column keys; drop table moving; delete from _sqlx_migrations where version = 2",
        )
        .await;
    let store = place.open().await;
    let head = store.head().await.unwrap().unwrap();
    assert_eq!((head.keys, &head.checkpoint), (None, &before.checkpoint));
    let log = start(&place, &store).await;
    assert_eq!(log.commit(entry(301)).await.unwrap().position, before.size);
    assert_eq!(store.head().await.unwrap().unwrap().keys, place.keys().fingerprint(0));
    assert_eq!(place.verified(&store).await, 0);
}
