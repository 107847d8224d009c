//! What a store keeps, finds, and refuses.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::join_all;
use sluis::{
    consent::{EventKind, GrantState},
    domain::{FormId, GrantId, PairId, SubjectId, Timestamp},
    storage::{
        EntryFilter, EventRow, KeyRow, Look, OpenRequest, Store, StoreFault, TileRow, Withdrawable,
        Withdrawal, Writes,
    },
};

use crate::lab::{KADE, Place, UWV, WATERRIJK, form, head, key, look, oin, put, row, tag, time, writes};

crate::on_both!(
    an_empty_store_holds_nothing,
    entries_are_read_as_they_were_written,
    a_search_finds_what_it_asks_for_newest_first,
    consents_are_read_as_they_were_recorded,
    the_first_event_of_a_kind_stands,
    a_batch_sees_what_it_asks_for_and_no_more,
    a_withdrawal_matches_grants_of_its_recorder_and_its_source,
    keys_expire_unless_kept,
    nothing_is_there_before_its_commit,
    what_is_used_twice_is_refused_and_nothing_of_it_stays,
    commits_take_turns,
    a_batch_of_any_size_is_written_whole,
);

async fn an_empty_store_holds_nothing(place: Place) {
    let store = place.open().await;
    assert_eq!(store.head().await, Ok(None));
    assert_eq!(store.entries(0, 10).await, Ok(Vec::new()));
    assert_eq!(store.tile(0, 0).await, Ok(None));
    assert_eq!(store.form(FormId::random()).await, Ok(None));
    assert_eq!(store.grant(GrantId::random()).await, Ok(None));
    assert_eq!(store.client_key(SubjectId::random(), 2026).await, Ok(None));
    assert_eq!(store.open_requests(Timestamp::from_millis(i64::MAX)).await, Ok(Vec::new()));
    let seen = look(&store, &Look { tags: vec![tag(0)], limit: 9, ..Look::default() }).await;
    assert!(seen.head.is_none() && seen.keys.is_empty() && seen.leaves.is_empty());
}

async fn entries_are_read_as_they_were_written(place: Place) {
    let store = place.open().await;
    let entries = vec![row(0, "genesis", false), row(1, "request", true), row(2, "outcome", true)];
    let tiles = vec![
        TileRow { level: 0, number: 7, hashes: vec![1; 8192] },
        TileRow { level: 1, number: 0, hashes: vec![2; 8192] },
    ];
    let written = Writes { entries: entries.clone(), tiles, ..writes(3) };
    put(&store, &written).await;
    assert_eq!(store.head().await, Ok(Some(written.head)));
    assert_eq!(store.tile(1, 0).await, Ok(Some(vec![2; 8192])));
    assert_eq!(store.tile(0, 7).await, Ok(Some(vec![1; 8192])));
    assert_eq!(store.tile(0, 0).await, Ok(None));
    let found = store.entries(0, 10).await.unwrap();
    assert_eq!(found.len(), 3);
    for (entry, found) in entries.iter().zip(&found) {
        assert_eq!((found.position, &found.leaf), (entry.position, &entry.leaf));
        assert_eq!((&found.facts, &found.detail), (&entry.facts, &entry.detail));
        assert_eq!((&found.sealed, found.key_hash), (&entry.sealed, entry.key_hash));
        assert_eq!(found.subject, entry.subject);
    }
    let some = store.entries(1, 1).await.unwrap();
    assert_eq!(some.iter().map(|entry| entry.position).collect::<Vec<_>>(), [1]);
    let seen = look(&store, &Look { after: 1, limit: 5, ..Look::default() }).await;
    assert_eq!(seen.leaves, [entries[1].leaf.clone(), entries[2].leaf.clone()]);
    let seen = look(&store, &Look { after: 0, limit: 2, ..Look::default() }).await;
    assert_eq!(seen.leaves.len(), 2);
}

async fn a_search_finds_what_it_asks_for_newest_first(place: Place) {
    let store = place.open().await;
    let mut entries: Vec<_> = (0..8).map(|at| row(at, "request", at % 2 == 0)).collect();
    entries[4].kind = "access";
    entries[6].purpose = Some("JOB_COACHING".parse().unwrap());
    entries[2].requester = Some(oin(UWV));
    put(&store, &Writes { entries, ..writes(8) }).await;
    let all = EntryFilter { limit: 100, ..EntryFilter::default() };
    for (filter, expected) in [
        (all.clone(), vec![7, 6, 5, 4, 3, 2, 1, 0]),
        (EntryFilter { limit: 3, ..all.clone() }, vec![7, 6, 5]),
        (EntryFilter { below: Some(5), limit: 2, ..all.clone() }, vec![4, 3]),
        (EntryFilter { from: Some(time(3)), until: Some(time(6)), ..all.clone() }, vec![5, 4, 3]),
        (EntryFilter { requester: Some(oin(WATERRIJK)), ..all.clone() }, vec![6, 4, 0]),
        (EntryFilter { purpose: Some("REINTEGRATION".parse().unwrap()), ..all.clone() }, vec![4, 2, 0]),
        (EntryFilter { kind: Some("access".to_owned()), ..all.clone() }, vec![4]),
        (EntryFilter { kind: Some("'; drop table entry; --".to_owned()), ..all.clone() }, vec![]),
        (
            EntryFilter {
                requester: Some(oin(WATERRIJK)),
                kind: Some("request".to_owned()),
                below: Some(6),
                ..all.clone()
            },
            vec![0],
        ),
        (EntryFilter { below: Some(u64::MAX), limit: 1, ..all }, vec![7]),
    ] {
        let found = store.search(&filter).await.unwrap();
        assert_eq!(found.iter().map(|entry| entry.position).collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

fn event(grant: GrantId, kind: EventKind, position: u64) -> EventRow {
    EventRow { grant, kind, position }
}

async fn consents_are_read_as_they_were_recorded(place: Place) {
    let store = place.open().await;
    let client = key(0, 2026, None);
    let (older, newer) = (form(&[UWV, KADE]), form(&[KADE]));
    let (first, second) = (older.grants[0].0.clone(), older.grants[1].0.clone());
    let written = Writes {
        keys: vec![client.clone()],
        forms: vec![(client.subject, older.clone())],
        events: vec![event(first.id, EventKind::Confirmed, 0)],
        ..writes(1)
    };
    put(&store, &written).await;
    put(&store, &Writes { forms: vec![(client.subject, newer.clone())], ..writes(2) }).await;

    let found = store.form(older.id).await.unwrap().unwrap();
    assert_eq!((found.id, found.subject, found.recorder), (older.id, client.subject, oin(KADE)));
    assert_eq!((found.recorded_at, found.jws.as_str()), (time(1), "jws of the form"));
    assert_eq!(found.grants.len(), 2);
    let grant = found.grants.iter().find(|grant| grant.id == first.id).unwrap();
    assert_eq!((grant.form, grant.source, grant.recipient), (older.id, oin(UWV), oin(WATERRIJK)));
    assert_eq!((grant.fields, grant.role, &grant.purpose), (first.fields, first.role, &first.purpose));
    assert_eq!(
        (grant.jws.as_str(), grant.sealed_salt.len(), grant.key_year),
        ("jws of 00000099000002001000", 48, 2026)
    );
    assert_eq!(grant.wrapped_key, client.wrapped);
    let state = GrantState { starts: first.starts(), ends: first.ends(), confirmed: true, withdrawn: false };
    assert_eq!(grant.state, state);
    let other = store.grant(second.id).await.unwrap().unwrap();
    assert_eq!(other.state, GrantState { confirmed: false, ..state });

    let grants = async |n, recipient, role: &str, purpose: &str| {
        let (role, purpose) = (role.parse().unwrap(), purpose.parse().unwrap());
        let found = store.grants(&tag(n), oin(recipient), role, &purpose).await.unwrap();
        found.into_iter().map(|grant| grant.id).collect::<HashSet<_>>()
    };
    let all = HashSet::from([first.id, second.id, newer.grants[0].0.id]);
    assert_eq!(grants(0, WATERRIJK, "gem.klantmanager", "REINTEGRATION").await, all);
    assert!(grants(1, WATERRIJK, "gem.klantmanager", "REINTEGRATION").await.is_empty());
    assert!(grants(0, UWV, "gem.klantmanager", "REINTEGRATION").await.is_empty());
    assert!(grants(0, WATERRIJK, "gem.jobcoach", "REINTEGRATION").await.is_empty());
    assert!(grants(0, WATERRIJK, "gem.klantmanager", "JOB_COACHING").await.is_empty());

    let forms = async |n, recorder| {
        let found = store.forms_of(&tag(n), oin(recorder)).await.unwrap();
        found.iter().map(|form| (form.id, form.grants.len())).collect::<Vec<_>>()
    };
    assert_eq!(forms(0, KADE).await, [(newer.id, 1), (older.id, 2)]);
    assert!(forms(0, UWV).await.is_empty());
    assert!(forms(1, KADE).await.is_empty());
}

async fn the_first_event_of_a_kind_stands(place: Place) {
    let store = place.open().await;
    let client = key(0, 2026, None);
    let form = form(&[UWV]);
    let id = form.grants[0].0.id;
    put(&store, &Writes { keys: vec![client.clone()], forms: vec![(client.subject, form)], ..writes(1) })
        .await;
    for size in 2..4 {
        let events = vec![event(id, EventKind::Withdrawn, size), event(id, EventKind::Withdrawn, size)];
        put(&store, &Writes { events, ..writes(size) }).await;
        assert!(store.grant(id).await.unwrap().unwrap().state.withdrawn);
    }
}

async fn a_batch_sees_what_it_asks_for_and_no_more(place: Place) {
    let store = place.open().await;
    let (client, other) = (key(0, 2026, None), key(1, 2026, Some(time(50))));
    let before = KeyRow { year: 2025, wrapped: vec![5; 60], ..client.clone() };
    let (used, free) = ([1; 32], [2; 32]);
    let (open, closed) = (PairId::random(), PairId::random());
    let (recorded, foreign) = (form(&[UWV, KADE]), form(&[KADE]));
    let opened = [open, closed].map(|pair| OpenRequest { pair, requester: Some(oin(WATERRIJK)) }).to_vec();
    let written = Writes {
        keys: vec![client.clone(), before.clone(), other.clone()],
        claims: vec![used, [3; 32]],
        opened,
        forms: vec![(client.subject, recorded.clone()), (other.subject, foreign)],
        ..writes(1)
    };
    put(&store, &written).await;
    put(&store, &Writes { closed: vec![closed], ..writes(2) }).await;

    let (one, two) = (recorded.grants[0].0.id, recorded.grants[1].0.id);
    let (fresh_form, fresh_grant) = (FormId::random(), GrantId::random());
    let wanted = Look {
        tags: vec![tag(0), tag(7)],
        claims: vec![used, free],
        pairs: vec![open, closed, PairId::random()],
        grants: vec![one, fresh_grant],
        new_forms: vec![recorded.id, fresh_form],
        new_grants: vec![two, fresh_grant],
        ..Look::default()
    };
    let seen = look(&store, &wanted).await;
    assert_eq!(seen.head.unwrap().size, 2);
    let mut keys = seen.keys;
    keys.sort_by_key(|key| key.year);
    assert_eq!(keys, [before, client.clone()]);
    assert_eq!(seen.claimed, HashSet::from([used]));
    assert_eq!(seen.open, HashSet::from([open]));
    assert_eq!(seen.states.keys().copied().collect::<Vec<_>>(), [one]);
    assert_eq!(seen.used_forms, HashSet::from([recorded.id]));
    assert_eq!(seen.used_grants, HashSet::from([two]));
    let by_subject = look(&store, &Look { subjects: vec![other.subject], ..Look::default() }).await;
    assert_eq!(by_subject.keys, [other]);

    let open_now = store.open_requests(Timestamp::from_millis(i64::MAX)).await.unwrap();
    assert_eq!(open_now, [OpenRequest { pair: open, requester: Some(oin(WATERRIJK)) }]);
    assert!(store.open_requests(time(1)).await.unwrap().is_empty(), "not before it began");
}

async fn a_withdrawal_matches_grants_of_its_recorder_and_its_source(place: Place) {
    let store = place.open().await;
    let (client, other) = (key(0, 2026, None), key(1, 2026, None));
    let (form, foreign) = (form(&[UWV, KADE]), form(&[UWV]));
    let (by_uwv, by_kade) = (form.grants[0].0.id, form.grants[1].0.id);
    let written = Writes {
        keys: vec![client.clone(), other.clone()],
        forms: vec![(client.subject, form.clone()), (other.subject, foreign.clone())],
        events: vec![event(by_kade, EventKind::Withdrawn, 0)],
        ..writes(1)
    };
    put(&store, &written).await;
    let (open, gone) =
        (Withdrawable { grant: by_uwv, withdrawn: false }, Withdrawable { grant: by_kade, withdrawn: true });
    let cases = [
        (Withdrawal::Grant(by_uwv), KADE, vec![open]),
        (Withdrawal::Grant(by_uwv), UWV, vec![open]),
        (Withdrawal::Grant(by_uwv), WATERRIJK, vec![]),
        (Withdrawal::Form(form.id), KADE, vec![open, gone]),
        (Withdrawal::Form(form.id), UWV, vec![open]),
        (Withdrawal::Client(tag(0)), KADE, vec![open, gone]),
        (Withdrawal::Client(tag(5)), KADE, vec![]),
        (
            Withdrawal::Client(tag(1)),
            UWV,
            vec![Withdrawable { grant: foreign.grants[0].0.id, withdrawn: false }],
        ),
    ];
    let withdrawals = cases.iter().map(|(selection, by, _)| (selection.clone(), oin(by))).collect();
    let seen = look(&store, &Look { withdrawals, ..Look::default() }).await;
    assert_eq!(seen.withdrawable.len(), cases.len());
    for ((selection, by, expected), found) in cases.iter().zip(seen.withdrawable) {
        let order = |mut all: Vec<Withdrawable>| {
            all.sort_by_key(|one| one.grant);
            all
        };
        assert_eq!(order(found), order(expected.clone()), "{selection:?} by {by}");
    }
}

async fn keys_expire_unless_kept(place: Place) {
    let store = place.open().await;
    let (asked, kept, later) =
        (key(0, 2026, Some(time(10))), key(1, 2026, None), key(2, 2026, Some(time(90))));
    put(&store, &Writes { keys: vec![asked.clone(), kept.clone(), later.clone()], ..writes(1) }).await;
    // Written again, a key keeps everything but its expiry.
    let again = KeyRow { expires: Some(time(95)), wrapped: vec![0; 60], ..later.clone() };
    put(&store, &Writes { keys: vec![again], ..writes(2) }).await;
    let forget = |at| Look { forget: Some(time(at)), tags: (0..3).map(tag).collect(), ..Look::default() };
    let (seen, commit) = store.begin(&forget(10)).await.unwrap();
    assert_eq!(seen.keys.len(), 2, "what is forgotten is not seen");
    commit.commit(&writes(3)).await.unwrap();
    assert_eq!(store.client_key(asked.subject, 2026).await, Ok(None));
    assert_eq!(store.client_key(kept.subject, 2026).await.unwrap().unwrap().wrapped, kept.wrapped);
    assert_eq!(store.client_key(later.subject, 2026).await.unwrap().unwrap().wrapped, later.wrapped);
    for (at, left) in [(94, 2), (95, 1)] {
        assert_eq!(look(&store, &forget(at)).await.keys.len(), left, "{at}");
    }
    assert!(store.client_key(later.subject, 2026).await.unwrap().is_some(), "abandoned");
}

async fn nothing_is_there_before_its_commit(place: Place) {
    let store = place.open().await;
    let client = key(0, 2026, Some(time(1)));
    put(&store, &Writes { keys: vec![client.clone()], ..writes(1) }).await;
    for abandon in [true, false] {
        let forget = Look { forget: Some(time(i64::from(u32::MAX))), ..Look::default() };
        let (_, commit) = store.begin(&forget).await.unwrap();
        assert_eq!(store.head().await.unwrap().unwrap().size, 1);
        assert!(store.client_key(client.subject, 2026).await.unwrap().is_some());
        if abandon {
            commit.abandon().await;
        } else {
            drop(commit);
        }
        assert!(store.client_key(client.subject, 2026).await.unwrap().is_some());
    }
    put(&store, &Writes { entries: vec![row(1, "request", true)], ..writes(2) }).await;
    assert_eq!(store.entries(0, 9).await.unwrap().len(), 1);
}

async fn what_is_used_twice_is_refused_and_nothing_of_it_stays(place: Place) {
    let store = place.open().await;
    let (client, form) = (key(0, 2026, None), form(&[UWV]));
    let first = row(0, "request", true);
    let opened = vec![OpenRequest { pair: first.pair, requester: None }];
    let written = Writes {
        entries: vec![first.clone()],
        keys: vec![client.clone()],
        claims: vec![[1; 32]],
        opened: opened.clone(),
        forms: vec![(client.subject, form.clone())],
        ..writes(1)
    };
    put(&store, &written).await;
    let pair_again = sluis::storage::EntryRow { pair: first.pair, ..row(1, "request", false) };
    for (what, twice) in [
        ("a position", Writes { entries: vec![row(0, "access", true)], ..writes(2) }),
        ("a pair's kind", Writes { entries: vec![pair_again], ..writes(2) }),
        ("a request id", Writes { claims: vec![[9; 32], [1; 32]], ..writes(2) }),
        ("an open request", Writes { opened, ..writes(2) }),
        ("a form", Writes { forms: vec![(client.subject, form)], ..writes(2) }),
    ] {
        let (_, commit) = store.begin(&Look::default()).await.unwrap();
        // Something good beside it, which must not stay either. What opens cannot be closed in the same batch.
        let closed = if twice.opened.is_empty() { vec![first.pair] } else { Vec::new() };
        let refused = commit.commit(&Writes { closed, ..twice }).await;
        assert!(matches!(refused, Err(StoreFault::Fatal(_))), "{what}: {refused:?}");
        assert_eq!(store.head().await.unwrap().unwrap().size, 1, "{what}");
        assert_eq!(store.open_requests(Timestamp::from_millis(i64::MAX)).await.unwrap().len(), 1, "{what}");
        let seen = look(&store, &Look { claims: vec![[9; 32]], ..Look::default() }).await;
        assert!(seen.claimed.is_empty(), "{what}");
    }
}

/// Each commit reads the size and writes one more: if two had the head at once, one would be lost.
async fn commits_take_turns(place: Place) {
    let store = place.open().await;
    // A second handle where the store can have one.
    let other = if store.is_shared() { place.open().await } else { Arc::clone(&store) };
    put(&store, &writes(1)).await;
    let under_way = AtomicU64::new(0);
    let one = async |store: &Arc<dyn Store>| {
        let (seen, commit) = store.begin(&Look::default()).await.unwrap();
        assert_eq!(under_way.fetch_add(1, Ordering::SeqCst), 0);
        let size = seen.head.unwrap().size;
        tokio::task::yield_now().await;
        under_way.fetch_sub(1, Ordering::SeqCst);
        commit.commit(&Writes { head: head(size + 1), ..writes(size + 1) }).await.unwrap();
    };
    join_all((0..40).map(|n| one(if n % 2 == 0 { &store } else { &other }))).await;
    assert_eq!(store.head().await.unwrap().unwrap().size, 41);
}

async fn a_batch_of_any_size_is_written_whole(place: Place) {
    let store = place.open().await;
    let mut size = 0_u64;
    for count in [1_u64, 63, 64, 65, 256, 257, 1024] {
        let entries: Vec<_> = (size..size + count).map(|at| row(at, "request", at % 3 == 0)).collect();
        let claims: Vec<_> =
            entries.iter().map(|entry| [entry.pair.bytes(), entry.pair.bytes()].concat()).collect();
        let claims: Vec<[u8; 32]> = claims.into_iter().map(|claim| claim.try_into().unwrap()).collect();
        let pairs: Vec<_> = entries.iter().map(|entry| entry.pair).collect();
        let opened = pairs.iter().map(|pair| OpenRequest { pair: *pair, requester: None }).collect();
        let keys: Vec<_> = (0..usize::try_from(count).unwrap()).map(|n| key(n, 2026, None)).collect();
        size += count;
        put(&store, &Writes { entries, claims: claims.clone(), opened, keys, ..writes(size) }).await;
        let tags = (0..usize::try_from(count).unwrap()).map(tag).collect();
        let wanted = Look { claims, pairs: pairs.clone(), tags, ..Look::default() };
        let seen = look(&store, &wanted).await;
        let all = usize::try_from(count).unwrap();
        assert_eq!((seen.claimed.len(), seen.open.len(), seen.keys.len()), (all, all, all));
        put(&store, &Writes { closed: pairs, ..writes(size) }).await;
        assert!(store.open_requests(Timestamp::from_millis(i64::MAX)).await.unwrap().is_empty());
    }
    let found = store.entries(0, u32::MAX).await.unwrap();
    assert!(found.iter().zip(0_u64..).all(|(entry, at)| entry.position == at));
    assert_eq!(found.len() as u64, size);
}
