//! Logs that are signed and whole, and tell something that cannot be.

use super::*;

/// A log of ten sound entries and then these kinds, each with the pair of this number.
fn told(kinds: &[(Kind, usize)]) -> Report {
    let pairs: Vec<PairId> = (0..10).map(|_| PairId::random()).collect();
    let mut log = Log::sound(10);
    kinds.iter().for_each(|(kind, pair)| log.add(*kind, pairs[*pair]));
    log.verify()
}

#[test]
fn a_request_has_one_outcome_after_it() {
    use Kind::{Outcome, Request};
    let report = told(&[(Request, 0), (Request, 1), (Outcome, 1)]);
    assert_eq!((codes(&report), report.exit_code()), (vec![(Some(10), "request_without_outcome")], 3));
    assert_eq!(report.open_requests, 1);
    let report = told(&[(Outcome, 0), (Request, 0)]);
    assert_eq!((codes(&report), report.exit_code()), (vec![(Some(11), "outcome_before_request")], 4));
    let report = told(&[(Outcome, 0)]);
    assert_eq!((codes(&report), report.exit_code()), (vec![(Some(10), "outcome_without_request")], 4));
    let report = told(&[(Request, 0), (Outcome, 0), (Outcome, 0)]);
    assert_eq!(codes(&report), [(Some(12), "entry_repeated"), (Some(12), "outcome_without_request")]);
    let report = told(&[(Request, 0), (Outcome, 0), (Request, 0), (Outcome, 0)]);
    assert_eq!(codes(&report), [(Some(12), "entry_repeated"), (Some(13), "entry_repeated")]);
    let report = told(&[(Request, 0), (Request, 0), (Outcome, 0)]);
    assert_eq!(codes(&report), [(Some(11), "entry_repeated")]);
}

#[test]
fn nothing_follows_a_seal_and_nothing_is_open_at_it() {
    use Kind::{Access, Outcome, Request, Seal};
    assert_eq!(told(&[(Request, 0), (Outcome, 0), (Seal, 1)]).exit_code(), 0);
    let report = told(&[(Seal, 0), (Access, 1)]);
    assert_eq!((codes(&report), report.exit_code()), (vec![(Some(11), "entry_after_seal")], 4));
    let report = told(&[(Request, 0), (Seal, 1), (Outcome, 0)]);
    assert_eq!(codes(&report), [(Some(11), "sealed_open"), (Some(12), "entry_after_seal")]);
}

#[test]
fn an_entry_has_an_id_of_its_own() {
    let report = told(&[(Kind::Consent, 0), (Kind::Policy, 0), (Kind::Consent, 0)]);
    assert_eq!((codes(&report), report.exit_code()), (vec![(Some(12), "entry_repeated")], 4));
}

#[test]
fn time_never_goes_back() {
    let mut log = Log::sound(10);
    log.time -= 4;
    log.add(Kind::Consent, PairId::random());
    log.time -= 3;
    log.add(Kind::Consent, PairId::random());
    assert_eq!(codes(&log.verify()), [(Some(10), "time_went_back"), (Some(11), "time_went_back")]);
    let mut log = Log::sound(10);
    log.time -= 3;
    log.add(Kind::Consent, PairId::random());
    assert_eq!(log.verify().exit_code(), 0);
}

#[test]
fn what_is_no_leaf_or_of_no_known_kind_is_reported() {
    let mut log = Log::sound(10);
    log.push(b"{}".to_vec(), None, None);
    assert_eq!(codes(&log.verify()), [(Some(10), "leaf_malformed")]);
    assert_eq!(log.verify().exit_code(), 4);
    let mut log = Log::sound(10);
    log.add(Kind::Genesis, PairId::random());
    let newer = String::from_utf8(log.records[10].leaf.clone()).unwrap().replace("genesis", "novelty");
    log.records[10].leaf = newer.into_bytes();
    let report = log.verify();
    assert_eq!((codes(&report), report.exit_code()), (vec![(Some(10), "kind_unknown")], 5));
    assert!(report.findings[0].detail.contains("`novelty`"));
}

#[test]
fn parts_are_those_committed_to() {
    let mut log = Log::sound(20);
    log.records[4].facts = log.records[5].facts.clone();
    log.records[6].sealed = log.records[7].sealed.clone();
    let report = log.verify();
    assert_eq!(codes(&report), [(Some(4), "facts_mismatch"), (Some(6), "sealed_mismatch")]);
    assert_eq!((report.exit_code(), report.states.mismatch), (4, 2));
    let mut log = Log::sound(4);
    let (salt, json) = ([1; 32], b"{\"b\":1, \"a\":2}".to_vec());
    let leaf = Leaf::parse(&log.records[3].leaf).unwrap();
    log.records[3].leaf = Leaf { facts: commit_facts(&salt, &json), ..leaf }.encode();
    log.records[3].facts = Some((salt, json));
    assert_eq!(codes(&log.verify()), [(Some(3), "facts_malformed")]);
}

#[test]
fn an_erasure_names_what_it_erased() {
    let (erased, kept) = (PairId::random(), PairId::random());
    let log = |pairs: &[PairId]| {
        let mut log = Log::sound(10);
        log.add(Kind::Consent, erased);
        log.records[10].sealed = Some(SealedPart::Erased);
        log.add_facts(Kind::Erasure, PairId::random(), &json!({ "pairs": pairs }));
        log
    };
    let report = log(&[kept, erased]).verify();
    assert_eq!((report.exit_code(), report.states.erased, report.states.opened), (0, 1, 11));
    let report = log(&[kept]).verify();
    assert_eq!((codes(&report), report.states.missing), (vec![(Some(10), "erasure_unnamed")], 1));
    assert_eq!(report.exit_code(), 4);
    let mut unopened = log(&[erased]);
    unopened.records[11].facts = None;
    let report = unopened.verify();
    assert_eq!((codes(&report), report.exit_code()), (vec![(Some(10), "erasure_not_opened")], 3));
}

#[test]
fn findings_are_all_listed_and_the_worst_decides() {
    let mut log = Log::sound(10);
    log.add(Kind::Request, PairId::random());
    log.time -= 100;
    log.add(Kind::Outcome, PairId::random());
    log.records[2].facts = log.records[3].facts.clone();
    let report = log.verify();
    let expected = [
        (Some(2), "facts_mismatch"),
        (Some(11), "time_went_back"),
        (Some(10), "request_without_outcome"),
        (Some(11), "outcome_without_request"),
    ];
    assert_eq!((codes(&report), report.exit_code()), (expected.to_vec(), 4));
}

#[test]
fn what_is_over_its_term_is_said_to_be_by_a_later_entry() {
    let emptied = |before: &str| {
        let mut log = Log::sound(20);
        let pair = PairId::random();
        log.add(Kind::Request, pair);
        log.add(Kind::Outcome, pair);
        for record in log.records.iter_mut().filter(|record| {
            let kind = Leaf::parse(&record.leaf).unwrap().kind;
            [Kind::Request, Kind::Outcome].contains(&kind)
        }) {
            (record.facts, record.sealed) = (None, Some(SealedPart::Expired));
        }
        let facts = json!({ "event": "retention", "before": { "outcome": before, "request": before } });
        log.time += 1_000_000_000;
        log.add_facts(Kind::Erasure, PairId::random(), &facts);
        log
    };
    let over = Timestamp::from_millis(1_795_426_200_000 + 1_000_000).to_string();
    let report = emptied(&over).verify();
    assert_eq!((codes(&report), report.exit_code()), (vec![], 0));
    assert!(report.states.expired > 8);
    // Said of another time, of nothing, or by an entry that is left out.
    let begun = Timestamp::from_millis(1_795_426_200_000).to_string();
    let unnamed = vec![(Some(21), "retention_unnamed"), (Some(20), "retention_unnamed")];
    let found = |log: &Log| codes(&log.verify()).into_iter().collect::<std::collections::BTreeSet<_>>();
    assert_eq!(found(&emptied(&begun)), unnamed.clone().into_iter().collect());
    assert_eq!(emptied(&begun).verify().exit_code(), 4);
    let mut log = emptied(&over);
    log.records.pop();
    assert_eq!(found(&log), unnamed.into_iter().collect());
    let mut log = emptied(&over);
    log.records.last_mut().unwrap().facts = None;
    assert_eq!((log.verify().exit_code(), log.verify().findings[0].code.as_str()), (3, "erasure_not_opened"));
    // No entry makes the log forget what it is judged by.
    let mut log = Log::sound(5);
    (log.records[0].facts, log.records[0].sealed) = (None, Some(SealedPart::Expired));
    log.time += 1_000_000_000;
    log.add_facts(Kind::Erasure, PairId::random(), &json!({ "before": { "genesis": over } }));
    assert_eq!(codes(&log.verify()), [(Some(0), "retention_unnamed")]);
}

/// What concerns no client has no term, so no entry that was not looked at can say that it is over.
#[test]
fn what_has_no_term_cannot_be_over_it_wherever_that_might_be_said() {
    let mut log = Log::sound(10);
    (log.records[0].facts, log.records[0].sealed) = (None, Some(SealedPart::Expired));
    log.add(Kind::Seal, PairId::random());
    assert_eq!(codes(&log.verify()), [(Some(0), "retention_unnamed")]);
}

#[test]
fn details_that_are_left_out_are_counted() {
    let mut log = Log::sound(10);
    log.add_facts(Kind::Policy, PairId::random(), &json!({ "detail": "a commitment" }));
    let report = log.verify();
    assert_eq!((report.exit_code(), report.details_left_out), (0, 1));
    assert!(report.to_string().contains("; 1 details left out; 0 requests"), "{report}");
}

/// Whatever time it names, an erasure says nothing of the entries after it.
#[test]
fn a_term_is_not_over_before_it_is_said() {
    let mut log = Log::sound(10);
    let before = Timestamp::from_millis(log.time + 1_000_000).to_string();
    log.add_facts(Kind::Erasure, PairId::random(), &json!({ "before": { "consent": before } }));
    log.add(Kind::Consent, PairId::random());
    (log.records[11].facts, log.records[11].sealed) = (None, Some(SealedPart::Expired));
    assert_eq!(codes(&log.verify()), [(Some(11), "retention_unnamed")]);
}

/// A log that is too long for one walk is walked through again for each part of its ids.
#[test]
fn ids_that_repeat_are_found_in_every_part() {
    let pairs: Vec<PairId> = (0..300).map(|_| PairId::random()).collect();
    let mut log = Log::sound(10);
    for pair in pairs.iter().chain(&pairs[100..140]) {
        log.add(Kind::Consent, *pair);
    }
    let dir = log.export();
    let found = |at_once| {
        let (none, unknown) = (Witnessing::default(), Later::unknown());
        let report = verify_in_parts(dir.path(), &log.options(), &none, &unknown, at_once);
        let mut found = codes(&report);
        found.sort_unstable();
        found
    };
    let expected: Vec<_> = (310..350).map(|position| (Some(position), "entry_repeated")).collect();
    for at_once in [1000, 100, 7] {
        assert_eq!(found(at_once), expected, "{at_once}");
    }
}
