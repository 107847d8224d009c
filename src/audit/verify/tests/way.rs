//! The way from the first key to those of later shards.

use super::*;
use crate::audit::{
    shard,
    verify::chain::{ChainReport, verify_chain},
};

/// Announces the next shard, seals this one and begins that.
fn next(old: &mut Log, origin: &str) -> Log {
    let mut new = Log::of(origin);
    let key = VerifierKey::new("test.example", *new.key().public_key()).unwrap();
    let announced = json!({ "event": "announced", "key": key.to_string() });
    old.add_facts(Kind::Key, PairId::random(), &announced);
    old.add_facts(Kind::Seal, PairId::random(), &json!({ "reason": "year" }));
    let (_, previous) = shard::told(&old.signed(old.records.len())).unwrap();
    let genesis = json!({ "key": new.key().to_string(), "previous": previous, "reason": "year" });
    new.time = old.time;
    new.add_facts(Kind::Genesis, PairId::random(), &genesis);
    new.add(Kind::Consent, PairId::random());
    new
}

/// Three shards, of which the first ends as it is made up to here.
fn three(mut first: Log) -> [Log; 3] {
    let mut second = next(&mut first, "test.example/2027");
    let third = next(&mut second, "test.example/2028");
    [first, second, third]
}

/// Verifies these shards with the keys of those.
fn verify(shards: &[Log], trusted: &[Log]) -> ChainReport {
    let exports: Vec<TempDir> = shards.iter().map(Log::export).collect();
    let dirs: Vec<&Path> = exports.iter().map(TempDir::path).collect();
    let trust = Some(trusted.iter().map(Log::key).collect());
    verify_chain(&dirs, &VerifyOptions { trust, ..VerifyOptions::default() }, &Witnessing::default())
}

/// Exit status and anchor of each shard, and what was found between them.
fn told(report: &ChainReport) -> (Vec<(u8, bool)>, Vec<&'static str>) {
    let shards = report.shards.iter().map(|shard| (shard.exit_code(), shard.anchored)).collect();
    (shards, report.findings.iter().map(|finding| finding.code.as_str()).collect())
}

#[test]
fn a_shard_of_which_something_is_not_known_yet_leads_on() {
    let mut first = Log::sound(10);
    first.records[1].sealed = Some(SealedPart::Erased);
    let pair = Leaf::parse(&first.records[1].leaf).unwrap().pair;
    let [first, second, mut third] = three(first);
    third.add_facts(Kind::Erasure, PairId::random(), &json!({ "event": "erased", "pairs": [pair] }));
    let shards = [first, second, third];
    assert_eq!(told(&verify(&shards, &shards[..1])), (vec![(0, true); 3], vec![]));
    let report = verify(&shards[..2], &shards[..1]);
    assert_eq!(told(&report), (vec![(3, true), (0, true)], vec![]));
    assert_eq!((codes(&report.shards[0]), report.exit_code()), (vec![(Some(1), "erasure_not_opened")], 3));
}

/// A key that nobody could read of is no sign of tampering, and not trusted either.
#[test]
fn where_the_way_is_lost_a_shard_has_no_anchor() {
    let mut shards = three(Log::sound(10));
    shards[0].records[10].facts = None;
    let report = verify(&shards, &shards[..1]);
    assert_eq!(told(&report), (vec![(0, true), (0, false), (0, false)], vec!["chain_not_opened"]));
    assert_eq!(report.exit_code(), 3);
    assert_eq!(told(&verify(&shards, &shards)).0, [(0, true); 3], "given, it is known");
    // From the second one on it is found again.
    assert_eq!(told(&verify(&shards, &shards[..2])).0, [(0, true); 3]);
    // Only what is not read excuses.
    let stranger = Log::of("test.example/2028");
    let report = verify(&three(Log::sound(10)), &[stranger]);
    assert_eq!(told(&report).0.iter().map(|(exit, _)| *exit).collect::<Vec<_>>(), [4, 4, 4]);

    // A kind that a later version has.
    let mut first = Log::sound(10);
    let newer = String::from_utf8(first.records[3].leaf.clone()).unwrap().replace("consent", "novelty");
    first.records[3].leaf = newer.into_bytes();
    let shards = three(first);
    let report = verify(&shards, &shards[..1]);
    assert_eq!(told(&report), (vec![(5, true), (0, false), (0, false)], vec!["chain_not_opened"]));
}

/// What is left out after an announcement may say that the key was stolen.
#[test]
fn an_announcement_before_something_that_is_left_out_does_not_lead_on() {
    let mut first = Log::sound(10);
    let mut second = Log::of("test.example/2027");
    let key = VerifierKey::new("test.example", *second.key().public_key()).unwrap();
    let announced = json!({ "event": "announced", "key": key.to_string() });
    first.add_facts(Kind::Key, PairId::random(), &announced);
    let stolen = json!({ "event": "rotate", "reason": "compromised" });
    first.add_facts(Kind::Key, PairId::random(), &stolen);
    first.records.last_mut().unwrap().facts = None;
    second.time = first.time;
    second.add(Kind::Genesis, PairId::random());
    let shards = [first, second];
    let report = verify(&shards, &shards[..1]);
    assert_eq!(told(&report), (vec![(0, true), (0, false)], vec!["chain_not_opened"]));
}
