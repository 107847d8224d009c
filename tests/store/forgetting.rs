//! What a store forgets: a client on request (P11), and anybody once a term is over.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;
use sluis::{
    audit::{
        entry::{NewEntry, SubjectLink},
        leaf::Kind,
        retention::Retention,
        writer::{Change, CommitFault, Need, Work, Writer},
    },
    domain::{Clock as _, PairId, Timestamp, time::ManualClock},
    storage::{DisclosureFilter, Look, NewForm, Selection, Store, StoredEntry},
};

use crate::{
    lab::{KADE, Place, UWV, form, oin, outcome, request, tag, time},
    log::{needs, record},
};

crate::on_both!(
    p11_an_erased_client_is_gone_and_every_proof_stays,
    p11_nobody_is_erased_while_a_consent_or_a_term_runs,
    p11_an_order_is_carried_out_once,
    p11_keys_that_come_back_are_deleted_again,
    p11_who_was_erased_is_forgotten_as_well_and_free_pages_are_seen_to,
    p11_what_was_under_way_releases_nothing_and_makes_nobody_known,
    p11_what_has_a_term_that_is_over_is_forgotten_and_nothing_else,
);

const DAY: i64 = 24 * 3_600_000;

async fn start(place: &Place, store: &Arc<dyn Store>, clock: &Arc<ManualClock>) -> Writer {
    place.try_writer(store, Arc::clone(clock) as _).await.unwrap()
}

/// An entry about a client who is known or not.
fn about(n: usize, kind: Kind, pair: PairId) -> NewEntry {
    NewEntry {
        pair,
        client: json!({ "reference": format!("client-{n}") }),
        subject: SubjectLink::Tag { tag: tag(n), keep: false },
        requester: Some(oin(UWV)),
        ..NewEntry::of_gateway(kind, json!({ "n": n }))
    }
}

/// One exchange about a client, under these grants.
async fn exchange(log: &Writer, n: usize, needs: Vec<Need>) -> Result<(), CommitFault> {
    let pair = PairId::random();
    let entry = about(n, Kind::Request, pair);
    log.commit(Work::Request { entry, claim: Some([n as u8 + 1; 32]) }).await?;
    log.commit(Work::Outcome { entry: about(n, Kind::Outcome, pair), needs }).await.map(drop)
}

pub fn withdraw(n: usize) -> Work {
    Work::Change {
        entry: about(n, Kind::Consent, PairId::random()),
        on: Selection::Client(tag(n)),
        by: oin(KADE),
        change: Change::Withdraw { everything: true },
    }
}

/// By an order of its own.
pub fn erase(n: usize, disclosed_since: Timestamp) -> Work {
    let mut claim = [0; 32];
    claim[..16].copy_from_slice(&PairId::random().bytes());
    erase_by(claim, n, disclosed_since)
}

fn erase_by(claim: [u8; 32], n: usize, disclosed_since: Timestamp) -> Work {
    let entry = NewEntry::of_gateway(Kind::Erasure, json!({ "event": "erased" }));
    Work::Erase { entry, client: tag(n), claim, disclosed_since }
}

/// A log with two clients, of whom the first has a form, a disclosure and a withdrawal.
async fn lived(log: &Writer) -> NewForm {
    log.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, json!({})))).await.unwrap();
    let form = form(&[UWV]);
    for (n, form) in [(0, &form), (1, &self::form(&[UWV]))] {
        log.commit(record(n, form)).await.unwrap();
        exchange(log, n, needs(&[form.grants[0].grant.id])).await.unwrap();
        exchange(log, n, vec![]).await.unwrap();
    }
    log.commit(withdraw(0)).await.unwrap();
    form
}

async fn all(store: &Arc<dyn Store>) -> Vec<StoredEntry> {
    store.entries(0, 1000).await.unwrap()
}

async fn p11_an_erased_client_is_gone_and_every_proof_stays(place: Place) {
    let (store, clock) = (place.open().await, crate::log::clock());
    let log = start(&place, &store, &clock).await;
    let form = lived(&log).await;
    let subject = store.subject_of(&tag(0)).await.unwrap().unwrap();
    let traces = store.traces(subject).await.unwrap();
    assert_eq!((traces.entries, traces.forms.as_slice(), traces.disclosures), (6, [form.id].as_slice(), 1));
    assert_eq!((traces.grants.len(), traces.pairs.len(), traces.years.as_slice()), (1, 4, [2026].as_slice()));
    let before = all(&store).await;
    clock.set(time(DAY));
    let erased = log.commit(erase(0, time(1))).await.unwrap();

    // Nothing is found by him, and nothing that is left is his.
    assert_eq!(store.subject_of(&tag(0)).await.unwrap(), None);
    assert_eq!(store.form(form.id).await.unwrap(), None);
    assert_eq!(store.traces(subject).await.unwrap(), sluis::storage::Traces::default());
    let filter = DisclosureFilter { source: None, grants: None, client: Some(tag(0)), below: None, limit: 9 };
    assert!(store.disclosures(&filter).await.unwrap().is_empty());
    let after = all(&store).await;
    assert_eq!(after.len(), before.len() + 1);
    let said: serde_json::Value = serde_json::from_slice(after.last().unwrap().facts_json()).unwrap();
    let named: BTreeSet<PairId> = serde_json::from_value(said["pairs"].clone()).unwrap();
    assert_eq!((named, said["entries"].as_u64()), (traces.pairs.into_iter().collect(), Some(6)));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.leaf, &before.facts), (&after.leaf, &after.facts));
        let his = before.subject == Some(subject);
        assert_eq!(after.sealed.is_none(), his, "{}", before.position);
        assert_eq!(after.subject, before.subject.filter(|_| !his));
    }
    assert_eq!(place.verified(&store).await, 0);
    assert_eq!(erased.position, before.len() as u64);

    // Once is enough, and the other client has all of his.
    assert_eq!(log.commit(erase(0, time(1))).await.unwrap_err(), CommitFault::NotFound);
    assert!(store.subject_of(&tag(1)).await.unwrap().is_some());
    // A form that is sent once more does not bring back what was withdrawn.
    assert_eq!(log.commit(record(0, &form)).await.unwrap_err(), CommitFault::FormUsed);
}

async fn p11_nobody_is_erased_while_a_consent_or_a_term_runs(place: Place) {
    let (store, clock) = (place.open().await, crate::log::clock());
    let log = start(&place, &store, &clock).await;
    lived(&log).await;
    let now = clock.now();
    clock.set(time(DAY));
    assert_eq!(log.commit(erase(1, time(DAY))).await.unwrap_err(), CommitFault::ConsentNotOver);
    // What left at that very moment counts.
    assert_eq!(log.commit(erase(0, now)).await.unwrap_err(), CommitFault::TermRuns);
    assert_eq!(log.commit(erase(7, now)).await.unwrap_err(), CommitFault::NotFound);
    let entries = all(&store).await;
    assert!(entries.iter().all(|entry| entry.sealed.is_some()));
    log.commit(erase(0, now.plus_millis(1))).await.unwrap();
    assert_eq!(place.verified(&store).await, 0);
}

async fn p11_an_order_is_carried_out_once(place: Place) {
    let (store, clock) = (place.open().await, crate::log::clock());
    let log = start(&place, &store, &clock).await;
    lived(&log).await;
    // What was refused may still be done.
    assert_eq!(log.commit(erase_by([9; 32], 0, time(0))).await.unwrap_err(), CommitFault::TermRuns);
    log.commit(erase_by([9; 32], 0, time(DAY))).await.unwrap();
    // He signs anew, and withdraws anew.
    log.commit(record(0, &form(&[UWV]))).await.unwrap();
    log.commit(withdraw(0)).await.unwrap();
    assert_eq!(log.commit(erase_by([9; 32], 0, time(DAY))).await.unwrap_err(), CommitFault::AlreadyDone);
    assert!(store.subject_of(&tag(0)).await.unwrap().is_some());
    log.commit(erase(0, time(DAY))).await.unwrap();
}

async fn p11_keys_that_come_back_are_deleted_again(place: Place) {
    let (store, clock) = (place.open().await, crate::log::clock());
    let log = start(&place, &store, &clock).await;
    lived(&log).await;
    let (seen, commit) = store.begin(&Look { tags: vec![tag(0)], ..Look::default() }).await.unwrap();
    commit.abandon().await;
    let kept = seen.keys;
    assert_eq!(kept.len(), 1);
    log.commit(erase(0, time(DAY))).await.unwrap();
    drop(log);
    // An operator puts back an older copy of the keys, and starts the gateway.
    let head = store.head().await.unwrap().unwrap();
    let writes = sluis::storage::Writes { keys: kept, head, ..crate::lab::writes(0) };
    crate::lab::put(&store, &writes).await;
    assert!(store.subject_of(&tag(0)).await.unwrap().is_some());
    let log = start(&place, &store, &clock).await;
    log.commit(crate::lab::entry(1)).await.unwrap();
    assert_eq!(store.subject_of(&tag(0)).await.unwrap(), None);
    assert_eq!(place.verified(&store).await, 0);
}

async fn p11_who_was_erased_is_forgotten_as_well_and_free_pages_are_seen_to(place: Place) {
    let retention = Retention {
        account_for_days: 1000,
        exchanges_days: 1000,
        consents_days: 1000,
        looks_days: 1000,
        request_ids_days: 400,
        key_backups_days: 30,
    };
    let (store, clock) = (place.open().await, crate::log::clock());
    let log = start(&place, &store, &clock).await;
    lived(&log).await;
    assert!(!store.is_scrub_due().await.unwrap());
    log.commit(erase(0, time(DAY))).await.unwrap();
    assert!(store.is_scrub_due().await.unwrap(), "until it was done, whoever has to do it");
    store.scrub().await.unwrap();
    assert!(!store.is_scrub_due().await.unwrap());
    // A week longer than a backup of his keys may be kept.
    let on = |days| retention.erased(time(days * DAY));
    let before = all(&store).await;
    assert_eq!(store.expire(&on(37), 10).await, Ok(0));
    assert_eq!((store.expire(&on(38), 10).await, store.expire(&on(38), 10).await), (Ok(1), Ok(0)));
    assert_eq!(all(&store).await, before, "nothing else is over");
    assert!(store.subject_of(&tag(1)).await.unwrap().is_some());
}

/// What came of his request names the pair that the erasure names: under a key of his it would lead to him again.
async fn p11_what_was_under_way_releases_nothing_and_makes_nobody_known(place: Place) {
    let (store, clock) = (place.open().await, crate::log::clock());
    let log = start(&place, &store, &clock).await;
    let form = lived(&log).await;
    let subject = store.subject_of(&tag(0)).await.unwrap().unwrap();
    let pair = PairId::random();
    log.commit(Work::Request { entry: about(0, Kind::Request, pair), claim: None }).await.unwrap();
    let erased = log.commit(erase(0, time(DAY))).await.unwrap();
    let named = store.entries(erased.position, 1).await.unwrap().pop().unwrap();
    assert!(String::from_utf8_lossy(named.facts_json()).contains(&pair.to_string()));
    let come = |needs| Work::Outcome { entry: about(0, Kind::Outcome, pair), needs };
    let late = log.commit(come(needs(&[form.grants[0].grant.id]))).await;
    assert_eq!(late.unwrap_err(), CommitFault::GrantNotInForce);
    // Another client's in the same batch has its keys as ever.
    let other = PairId::random();
    log.commit(Work::Request { entry: about(1, Kind::Request, other), claim: None }).await.unwrap();
    let others = Work::Outcome { entry: about(1, Kind::Outcome, other), needs: vec![] };
    let (his, others) = tokio::join!(log.commit(come(vec![])), log.commit(others));
    let at = async |position| store.entries(position, 1).await.unwrap().pop().unwrap().subject;
    assert_eq!(at(his.unwrap().position).await, None);
    assert_eq!(at(others.unwrap().position).await, store.subject_of(&tag(1)).await.unwrap());
    assert_eq!(store.subject_of(&tag(0)).await.unwrap(), None, "and no key was made for him");
    // An entry about a client who is gone is one about nobody.
    let entry =
        NewEntry { subject: SubjectLink::Subject(subject), ..about(0, Kind::Consent, PairId::random()) };
    log.commit(Work::Append(entry)).await.unwrap();
    assert_eq!(all(&store).await.last().unwrap().subject, None);
    assert_eq!(store.subject_of(&tag(0)).await.unwrap(), None);
    assert_eq!(place.verified(&store).await, 0);
    // What he asks from now on is of a new client.
    exchange(&log, 0, vec![]).await.unwrap();
    assert!(store.subject_of(&tag(0)).await.unwrap().is_some_and(|new| new != subject));
}

async fn p11_what_has_a_term_that_is_over_is_forgotten_and_nothing_else(place: Place) {
    let retention = Retention {
        account_for_days: 1000,
        exchanges_days: 1000,
        consents_days: 2000,
        looks_days: 3000,
        request_ids_days: 400,
        key_backups_days: 30,
    };
    let (store, clock) = (place.open().await, crate::log::clock());
    let log = start(&place, &store, &clock).await;
    let form = lived(&log).await;
    let looked = NewEntry { requester: Some(oin(KADE)), ..NewEntry::of_gateway(Kind::Access, json!({})) };
    log.commit(Work::Append(looked)).await.unwrap();
    log.commit(Work::Once { entry: NewEntry::of_gateway(Kind::Policy, json!({})), claim: [99; 32] })
        .await
        .unwrap();
    let size = all(&store).await.len();
    let forget = async |days: i64| {
        clock.set(time(days * DAY));
        let now = clock.now();
        log.commit(Work::Append(retention.entry(now))).await.unwrap();
        let terms = retention.terms(now);
        let mut rounds = 0;
        while store.expire(&terms, 3).await.unwrap() > 0 {
            rounds += 1;
            assert!(rounds < 100, "it never ends");
        }
        store.scrub().await.unwrap();
        assert_eq!(place.verified(&store).await, 0, "after {days} days");
        let gone: Vec<_> =
            all(&store).await.into_iter().take(size).filter(|entry| entry.facts.is_none()).collect();
        assert!(gone.iter().all(|entry| entry.sealed.is_none() && entry.subject.is_none()));
        gone.len()
    };
    let asks_anew = async || {
        let pair = PairId::random();
        let asked = log.commit(request(pair, Some([1; 32]))).await.unwrap();
        log.commit(outcome(pair, vec![])).await.unwrap();
        asked.id_was_new
    };
    assert_eq!(forget(399).await, 0);
    assert!(!asks_anew().await);
    assert_eq!(forget(402).await, 0);
    assert!(asks_anew().await);
    // Eight entries of four exchanges; forms and keys are still there.
    assert_eq!(forget(1002).await, 8);
    assert!(store.form(form.id).await.unwrap().is_some());
    assert_eq!(forget(2002).await, 8 + 3);
    assert!(store.form(form.id).await.unwrap().is_none());
    assert_eq!(store.subject_of(&tag(0)).await.unwrap(), None);
    assert_eq!(forget(3002).await, 8 + 3 + 1);
    // What decides, and what happened once, stays.
    let entries = all(&store).await;
    assert!(entries.iter().take(size).filter(|entry| entry.facts.is_some()).count() >= 2);
    let again = Work::Once { entry: NewEntry::of_gateway(Kind::Policy, json!({})), claim: [99; 32] };
    assert_eq!(log.commit(again).await.unwrap_err(), CommitFault::AlreadyDone);
}

fn holds(path: &std::path::Path, bytes: &[u8]) -> bool {
    std::fs::read(path).unwrap().windows(bytes.len()).any(|window| window == bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn p11_a_backup_has_the_keys_apart_and_they_do_not_last() {
    use sluis::storage::{
        Database, DatabaseAddress,
        sqlite::backup::{BackupFault, backup, restore},
    };
    let place = Place::sqlite();
    let (store, clock) = (place.open().await, crate::log::clock());
    let log = start(&place, &store, &clock).await;
    lived(&log).await;
    let (data, out) = (place.folder.path().join("data"), place.folder.path().join("backups"));
    let (seen, commit) = store.begin(&Look { tags: vec![tag(0)], ..Look::default() }).await.unwrap();
    commit.abandon().await;
    let row = seen.keys[0].clone();
    // While a gateway has it open.
    let first = backup(&data, &out, 30, time(0)).await.written.unwrap();
    for lead in [row.tag.bytes().as_slice(), &row.wrapped] {
        assert!(!holds(&first.log, lead) && holds(&first.keys, lead));
    }
    let sealed = all(&store)
        .await
        .into_iter()
        .find(|entry| entry.subject == Some(row.subject))
        .unwrap()
        .sealed
        .unwrap();
    assert!(holds(&first.log, &sealed.bytes) && !holds(&first.keys, &sealed.bytes));
    log.commit(erase(0, time(DAY))).await.unwrap();
    // A week later there are two, a month later the first of the keys is gone, and the log's stays.
    let second = backup(&data, &out, 30, time(7 * DAY)).await;
    assert!(second.removed.is_empty());
    let second = second.written.unwrap();
    assert!(!holds(&second.keys, row.tag.bytes()));
    let third = backup(&data, &out, 30, time(30 * DAY + 1000)).await;
    assert_eq!((third.removed.as_slice(), third.faults.len()), (std::slice::from_ref(&first.keys), 0));
    let third = third.written.unwrap();
    assert!(first.log.exists() && second.keys.exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for file in [&first.log, &third.log, &third.keys] {
            assert_eq!(std::fs::metadata(file).unwrap().permissions().mode() & 0o077, 0);
        }
    }

    // Put back it is the same log, with the keys that are left.
    let other = place.folder.path().join("other");
    restore(&other, &third.log, Some(&third.keys)).await.unwrap();
    let put_back = Database::open(&DatabaseAddress::Folder(other.clone())).await.unwrap().shared();
    assert_eq!(put_back.head().await.unwrap(), store.head().await.unwrap());
    assert_eq!(all(&put_back).await, all(&store).await);
    assert!(put_back.subject_of(&tag(1)).await.unwrap().is_some());
    assert_eq!(place.verified(&put_back).await, 0);
    let taken = restore(&other, &third.log, None).await.unwrap_err();
    assert!(matches!(taken, BackupFault::Taken(_)), "{taken}");
    let without = place.folder.path().join("without");
    restore(&without, &third.log, None).await.unwrap();
    let without = Database::open(&DatabaseAddress::Folder(without)).await.unwrap().shared();
    assert_eq!(without.subject_of(&tag(1)).await.unwrap(), None);
}
