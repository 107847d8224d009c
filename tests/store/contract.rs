//! What a store keeps, finds, and refuses.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::future::join_all;
use sluis::{
    catalogue::{self, Mask},
    consent::{Event, EventKind, GrantState, Scope, Stop, form::Context},
    domain::{FormId, GrantId, PairId, SubjectId, Timestamp, time::parse_day},
    storage::{
        Cursor, Database, DisclosureFilter, DisclosureRow, EntryFilter, EventRow, KeyRow, Look, OpenRequest,
        SourcePauseRow, StopRow, Store, StoreFault, TileRow, Writes,
    },
};

use crate::lab::{KADE, Place, UWV, WATERRIJK, form, head, key, look, oin, put, row, tag, time, writes};

crate::on_both!(
    an_empty_store_holds_nothing,
    entries_are_read_as_they_were_written,
    a_search_finds_what_it_asks_for_newest_first,
    consents_are_read_as_they_were_recorded,
    events_are_read_in_the_order_of_the_log,
    uses_pauses_and_words_are_read_back,
    a_reconfirmation_and_a_cursor_are_kept,
    words_go_with_the_client,
    a_batch_sees_what_it_asks_for_and_no_more,
    keys_expire_unless_kept,
    nothing_is_there_before_its_commit,
    what_is_used_twice_is_refused_and_nothing_of_it_stays,
    commits_take_turns,
    who_closed_a_store_leaves_it_to_others,
    a_batch_of_any_size_is_written_whole,
);

async fn an_empty_store_holds_nothing(place: Place) {
    let store = place.open().await;
    assert_eq!(store.head().await, Ok(None));
    assert_eq!(store.entries(0, 10).await, Ok(Vec::new()));
    assert_eq!(store.tiles(0, 0, 0, 9).await, Ok(Vec::new()));
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
        TileRow { shard: 0, level: 0, number: 7, hashes: vec![1; 8192] },
        TileRow { shard: 0, level: 1, number: 0, hashes: vec![2; 8192] },
    ];
    let written = Writes { entries: entries.clone(), tiles, ..writes(3) };
    put(&store, &written).await;
    assert_eq!(store.head().await, Ok(Some(written.head)));
    assert_eq!(store.tiles(0, 1, 0, 9).await, Ok(vec![(0, vec![2; 8192])]));
    assert_eq!(store.tiles(0, 0, 0, 9).await, Ok(vec![(7, vec![1; 8192])]));
    assert_eq!(store.tiles(0, 0, 8, 9).await, Ok(Vec::new()));
    assert_eq!(store.tiles(1, 1, 0, 9).await, Ok(Vec::new()), "of another shard");
    let found = store.entries(0, 10).await.unwrap();
    assert_eq!(found.len(), 3);
    for (entry, found) in entries.iter().zip(&found) {
        assert_eq!((found.position, &found.leaf), (entry.position, &entry.leaf));
        assert_eq!((found.facts.as_ref(), &found.detail), (Some(&entry.facts), &entry.detail));
        let sealed = found.sealed.as_ref().unwrap();
        assert_eq!((&sealed.bytes, sealed.key_hash), (&entry.sealed, entry.key_hash));
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
    EventRow { grant, event: Event { kind, time: time(position as i64), position, fields: Mask::EMPTY } }
}

async fn consents_are_read_as_they_were_recorded(place: Place) {
    let store = place.open().await;
    let client = key(0, 2026, None);
    let (older, newer) = (form(&[UWV, KADE]), form(&[KADE]));
    let (first, second) = (older.grants[0].grant.clone(), older.grants[1].grant.clone());
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
    let grant = found.grants.iter().find(|grant| grant.standing.id == first.id).unwrap();
    let standing = &grant.standing;
    assert_eq!((standing.form, standing.source, standing.recipient), (older.id, oin(UWV), oin(WATERRIJK)));
    assert_eq!((standing.role, &standing.purpose), (first.role, &first.purpose));
    assert_eq!((standing.given_by, standing.signed_on), (first.given_by, first.signed_on));
    assert_eq!(grant.countersignature, "countersignature for 00000099000002001000");
    assert_eq!(
        (grant.jws.as_str(), grant.sealed_salt.len(), grant.key_year),
        ("jws of 00000099000002001000", 48, 2026)
    );
    assert_eq!(grant.wrapped_key, client.wrapped);
    let state = GrantState { confirmed: true, ..first.state() };
    assert_eq!(standing.state, state);
    let other = store.grant(second.id).await.unwrap().unwrap();
    assert_eq!(other.standing.state, second.state());

    let grants = async |n, recipient, role: &str, purpose: &str| {
        let (role, purpose) = (role.parse().unwrap(), purpose.parse().unwrap());
        let found = store.grants(&tag(n), oin(recipient), role, &purpose).await.unwrap();
        found.into_iter().map(|grant| grant.standing.id).collect::<HashSet<_>>()
    };
    let all = HashSet::from([first.id, second.id, newer.grants[0].grant.id]);
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

async fn events_are_read_in_the_order_of_the_log(place: Place) {
    let store = place.open().await;
    let client = key(0, 2026, None);
    let form = form(&[UWV]);
    let id = form.grants[0].grant.id;
    put(&store, &Writes { keys: vec![client.clone()], forms: vec![(client.subject, form)], ..writes(1) })
        .await;
    let kinds = [
        EventKind::Confirmed,
        EventKind::Paused,
        EventKind::Resumed,
        EventKind::Paused,
        EventKind::Struck,
        EventKind::Withdrawn,
    ];
    let struck = catalogue::from_codes(&["WT-03"]).unwrap();
    for (kind, size) in kinds.into_iter().zip(2..) {
        let mut row = event(id, kind, size);
        if kind == EventKind::Struck {
            row.event.fields = struck;
        }
        put(&store, &Writes { events: vec![row], ..writes(size) }).await;
    }
    let grant = store.grant(id).await.unwrap().unwrap();
    assert_eq!(grant.events.iter().map(|event| event.kind).collect::<Vec<_>>(), kinds);
    assert_eq!(grant.events.iter().map(|event| event.position).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7]);
    let state = grant.standing.state;
    assert_eq!((state.paused, state.struck, state.end), (true, struck, Some(EventKind::Withdrawn)));
    assert_eq!(state.ended_at, Some(time(7)));

    for (of, expected) in [(KADE, vec![2, 3, 4, 5, 6, 7]), (UWV, vec![2, 3, 4, 5, 6, 7]), (WATERRIJK, vec![])]
    {
        let found = store.events_after(oin(of), 0, 100).await.unwrap();
        assert_eq!(found.iter().map(|event| event.event.position).collect::<Vec<_>>(), expected, "{of}");
    }
    let some = store.events_after(oin(KADE), 4, 2).await.unwrap();
    assert_eq!(some.iter().map(|event| event.event.kind).collect::<Vec<_>>(), kinds[3..5]);
}

async fn uses_pauses_and_words_are_read_back(place: Place) {
    let store = place.open().await;
    let client = key(0, 2026, None);
    let mut form = form(&[UWV, KADE]);
    form.grants[0].grant.uses = Some(2);
    form.grants[1].grant.renews = Some(form.grants[0].grant.id);
    let (counted, other) = (form.grants[0].grant.id, form.grants[1].grant.id);
    put(
        &store,
        &Writes { keys: vec![client.clone()], forms: vec![(client.subject, form.clone())], ..writes(1) },
    )
    .await;
    let (one, both) =
        (catalogue::from_codes(&["WT-02"]).unwrap(), catalogue::from_codes(&["WT-02", "WT-03"]).unwrap());
    let left = |grant, position, fields, counted| DisclosureRow {
        grant,
        position,
        source: oin(UWV),
        recipient: oin(WATERRIJK),
        fields,
        counted,
    };
    put(&store, &Writes { disclosures: vec![left(counted, 2, both, true)], ..writes(2) }).await;
    put(
        &store,
        &Writes { disclosures: vec![left(counted, 3, one, false), left(other, 3, one, false)], ..writes(3) },
    )
    .await;
    let stop = |kind, fields| Stop {
        scope: Scope {
            owner: Some(oin(KADE)),
            recipient: Some(oin(WATERRIJK)),
            purpose: Some("REINTEGRATION".parse().unwrap()),
            source: None,
            parental: true,
        },
        day: parse_day("2026-11-04").unwrap(),
        kind,
        fields,
    };
    let said = [stop(EventKind::Struck, both), stop(EventKind::Withdrawn, Mask::EMPTY)];
    let row = |stop: &Stop| StopRow { subject: client.subject, position: 3, stop: stop.clone() };
    let pause = |paused| SourcePauseRow { source: oin(UWV), paused, position: 4 };
    let stops = said.iter().map(row).collect();
    put(&store, &Writes { stops, source_pauses: vec![pause(true), pause(true)], ..writes(4) }).await;

    let wanted = Look { clients: vec![tag(0)], ..Look::default() };
    let seen = look(&store, &wanted).await;
    assert_eq!(seen.stops.iter().map(|(_, stop)| stop.clone()).collect::<Vec<_>>(), said);
    let state = seen.grants[&counted].state;
    assert_eq!((state.limit, state.used, state.last_use.unwrap().fields), (Some(2), 1, both));
    assert_eq!(state.last_use.unwrap().time, time(2));
    assert!(state.source_paused && !seen.grants[&other].state.source_paused);
    assert_eq!(seen.grants[&other].renews, Some(counted));
    assert_eq!((seen.grants[&other].state.used, seen.grants[&other].state.limit), (0, None));
    assert!(look(&store, &Look { clients: vec![tag(3)], ..Look::default() }).await.grants.is_empty());
    let by_form = look(&store, &Look { forms: vec![form.id], ..Look::default() }).await;
    assert_eq!(by_form.grants, seen.grants);
    put(&store, &Writes { source_pauses: vec![pause(false)], ..writes(5) }).await;
    assert!(!store.grant(counted).await.unwrap().unwrap().standing.state.source_paused);

    let all = DisclosureFilter { source: Some(oin(UWV)), grants: None, client: None, below: None, limit: 9 };
    let positions = async |filter: &DisclosureFilter| {
        let found = store.disclosures(filter).await.unwrap();
        found.iter().map(|left| left.position).collect::<Vec<_>>()
    };
    assert_eq!(positions(&all).await, [3, 3, 2]);
    assert_eq!(positions(&DisclosureFilter { below: Some(3), ..all.clone() }).await, [2]);
    assert_eq!(positions(&DisclosureFilter { source: Some(oin(KADE)), ..all.clone() }).await, [0_u64; 0]);
    assert_eq!(positions(&DisclosureFilter { client: Some(tag(0)), ..all.clone() }).await, [3, 3, 2]);
    assert_eq!(positions(&DisclosureFilter { client: Some(tag(1)), ..all.clone() }).await, [0_u64; 0]);
    let of_one = DisclosureFilter { grants: Some(vec![other]), ..all.clone() };
    assert_eq!(positions(&of_one).await, [3]);
    assert_eq!(positions(&DisclosureFilter { grants: Some(vec![]), ..all }).await, [0_u64; 0]);

    let received = store.received(oin(WATERRIJK)).await.unwrap();
    let received: HashMap<_, _> = received.into_iter().map(|(grant, at)| (grant.id, at)).collect();
    assert_eq!(received, HashMap::from([(counted, vec![2, 3]), (other, vec![3])]));
    assert!(store.received(oin(UWV)).await.unwrap().is_empty());

    let ends = form.grants[0].grant.ends();
    let expiring = store.expiring(oin(KADE), time(0), ends).await.unwrap();
    assert_eq!(expiring.len(), 2);
    assert!(store.expiring(oin(KADE), time(0), ends.plus_millis(-1)).await.unwrap().is_empty());
    assert!(store.expiring(oin(UWV), time(0), ends).await.unwrap().is_empty());
}

async fn a_reconfirmation_and_a_cursor_are_kept(place: Place) {
    let store = place.open().await;
    let client = key(0, 2026, None);
    let mut form = form(&[UWV]);
    form.grants[0].grant.context = Context::Intake;
    let id = form.grants[0].grant.id;
    let forms = vec![(client.subject, form.clone())];
    put(&store, &Writes { keys: vec![client.clone()], forms, ..writes(1) }).await;
    let before = store.grant(id).await.unwrap().unwrap();
    assert_eq!((before.standing.state.free, before.reconfirmation), (false, None));
    let events = vec![event(id, EventKind::Reconfirmed, 2)];
    let reconfirmed = vec![(form.id, "signed words".to_owned())];
    put(&store, &Writes { events, reconfirmed, ..writes(2) }).await;
    let after = store.grant(id).await.unwrap().unwrap();
    assert_eq!((after.standing.state.free, after.reconfirmation.as_deref()), (true, Some("signed words")));

    assert_eq!(store.acknowledged(oin(KADE)).await, Ok(Cursor::default()));
    for cursor in [Cursor { position: 5, day: 20_000 }, Cursor { position: 4, day: 20_001 }] {
        put(&store, &Writes { acknowledged: vec![(oin(KADE), cursor)], ..writes(3) }).await;
        assert_eq!(store.acknowledged(oin(KADE)).await, Ok(cursor));
    }
    assert_eq!(store.acknowledged(oin(UWV)).await, Ok(Cursor::default()));
}

/// What a client said no to goes with the last key that leads to him.
async fn words_go_with_the_client(place: Place) {
    let store = place.open().await;
    let (asked, kept) = (key(0, 2026, Some(time(10))), key(1, 2026, None));
    let stop = Stop {
        scope: Scope::default(),
        day: parse_day("2026-11-04").unwrap(),
        kind: EventKind::Withdrawn,
        fields: Mask::EMPTY,
    };
    let row = |key: &KeyRow| StopRow { subject: key.subject, position: 1, stop: stop.clone() };
    let stops = vec![row(&asked), row(&kept)];
    put(&store, &Writes { keys: vec![asked.clone(), kept.clone()], stops, ..writes(1) }).await;
    let forget = Look { forget: Some(time(10)), clients: vec![tag(0), tag(1)], ..Look::default() };
    let (seen, commit) = store.begin(&forget).await.unwrap();
    assert_eq!(seen.stops.len(), 1);
    commit.commit(&writes(2)).await.unwrap();
    // The same client comes back under the same id: nothing is left of him.
    put(&store, &Writes { keys: vec![asked], ..writes(3) }).await;
    let wanted = Look { clients: vec![tag(0), tag(1)], ..Look::default() };
    assert_eq!(look(&store, &wanted).await.stops, [(kept.subject, stop)]);
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

    let (one, two) = (recorded.grants[0].grant.id, recorded.grants[1].grant.id);
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
    assert_eq!(seen.grants.keys().copied().collect::<Vec<_>>(), [one]);
    assert_eq!(seen.used_forms, HashSet::from([recorded.id]));
    assert_eq!(seen.used_grants, HashSet::from([two]));
    let by_subject = look(&store, &Look { subjects: vec![other.subject], ..Look::default() }).await;
    assert_eq!(by_subject.keys, [other]);

    let open_now = store.open_requests(Timestamp::from_millis(i64::MAX)).await.unwrap();
    assert_eq!(open_now, [OpenRequest { pair: open, requester: Some(oin(WATERRIJK)) }]);
    assert!(store.open_requests(time(1)).await.unwrap().is_empty(), "not before it began");
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

/// Even while somebody still has it, as a connection that is just ending may.
async fn who_closed_a_store_leaves_it_to_others(place: Place) {
    let first = place.open().await;
    put(&first, &writes(1)).await;
    first.close().await;
    let next = Database::open(&place.address).await.unwrap().shared();
    assert!(next.is_alone());
    let refused = first.begin(&Look::default()).await.map(drop);
    assert_eq!(refused, Err(StoreFault::Fatal("the store is closed".to_owned())));
    put(&next, &writes(2)).await;
    first.close().await;
    let third = Database::open(&place.address).await;
    assert_eq!(third.is_ok(), next.is_shared(), "closing again takes nothing away from who has it now");
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
