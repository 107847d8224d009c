//! Two shards, each whole by itself, and what may be wrong between them.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::audit::{
    report::DutchChain,
    shard,
    trust::Policy,
    verify::chain::{ChainReport, verify_chain},
};

/// Two shards that fit, each as it is made up to here, to be bent.
struct Shards {
    old: Log,
    new: Log,
    reason: &'static str,
    announced: Value,
    previous: Option<Value>,
    is_sealed: bool,
    stolen: bool,
    /// Facts of an erasure in the new shard.
    after: Option<Value>,
}

impl Shards {
    fn sound() -> Self {
        let (old, new) = (Log::sound(10), Log::of("test.example/2027"));
        // Under the log's own name, as it is announced.
        let key = VerifierKey::new("test.example", *new.key().public_key()).unwrap();
        let announced = json!({ "event": "announced", "key": key.to_string(), "shard": 1 });
        Self {
            old,
            new,
            reason: "year",
            announced,
            previous: None,
            is_sealed: true,
            stolen: false,
            after: None,
        }
    }

    /// Both shards as exports.
    fn export(self) -> (TempDir, TempDir, [VerifierKey; 2]) {
        let (old, new) = self.logs();
        (old.export(), new.export(), [old.key(), new.key()])
    }

    /// Both shards as they were written.
    fn logs(mut self) -> (Log, Log) {
        self.old.add_facts(Kind::Key, PairId::random(), &self.announced);
        if self.stolen {
            let order = json!({ "event": "rotate", "reason": "compromised" });
            self.old.add_facts(Kind::Key, PairId::random(), &order);
        }
        if self.is_sealed {
            self.old.add_facts(Kind::Seal, PairId::random(), &json!({ "reason": self.reason }));
        }
        let previous = self.previous.unwrap_or_else(|| {
            let (_, told) = shard::told(&self.old.signed(self.old.records.len())).unwrap();
            told
        });
        let genesis =
            json!({ "key": self.new.key().to_string(), "previous": previous, "reason": self.reason });
        self.new.time = self.old.time;
        self.new.add_facts(Kind::Genesis, PairId::random(), &genesis);
        self.new.add(Kind::Consent, PairId::random());
        if let Some(facts) = &self.after {
            self.new.add_facts(Kind::Erasure, PairId::random(), facts);
        }
        (self.old, self.new)
    }

    fn verify(self) -> ChainReport {
        let (old, new, trust) = self.export();
        let options = VerifyOptions { trust: Some(trust.to_vec()), ..VerifyOptions::default() };
        chain(&[&old, &new], &options)
    }
}

fn chain(dirs: &[&TempDir], options: &VerifyOptions<'_>) -> ChainReport {
    let dirs: Vec<&Path> = dirs.iter().map(|dir| dir.path()).collect();
    verify_chain(&dirs, options, &Witnessing::default())
}

fn trusting(keys: &[VerifierKey]) -> VerifyOptions<'static> {
    VerifyOptions { trust: Some(keys.to_vec()), ..VerifyOptions::default() }
}

fn found(report: &ChainReport) -> Vec<&'static str> {
    assert!(report.shards.iter().all(|shard| shard.exit_code() == 0), "{report}");
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

#[test]
fn shards_that_fit_verify_and_the_first_key_leads_to_the_second() {
    let report = Shards::sound().verify();
    assert_eq!((found(&report), report.exit_code()), (vec![], 0));
    let trusting = |shards: Shards| {
        let (old, new, [first, _]) = shards.export();
        let options = VerifyOptions { trust: Some(vec![first]), ..VerifyOptions::default() };
        chain(&[&old, &new], &options).exit_code()
    };
    assert_eq!(trusting(Shards::sound()), 0);
    assert_eq!(trusting(Shards { stolen: true, ..Shards::sound() }), 4, "a thief could announce as well");
    assert_eq!(trusting(Shards { reason: "key_lost", is_sealed: false, ..Shards::sound() }), 0);
}

#[test]
fn shards_that_do_not_fit_are_found() {
    let of = |change: fn(&mut Shards)| {
        let mut shards = Shards::sound();
        change(&mut shards);
        let report = shards.verify();
        assert_eq!(report.exit_code(), 4, "{report}");
        found(&report)
    };
    assert_eq!(of(|shards| shards.is_sealed = false), ["chain_not_sealed"]);
    let shorter = |shards: &mut Shards| {
        shards.previous = Some(shard::told(&shards.old.signed(8)).unwrap().1);
    };
    assert_eq!(of(shorter), ["chain_broken"]);
    assert_eq!(
        of(|shards| shards.previous = Some(json!({ "origin": "test.example/2026" }))),
        ["chain_broken"]
    );
    let bent = |shards: &mut Shards| {
        let mut told = shard::told(&shards.old.signed(8)).unwrap().1;
        told["size"] = json!(9);
        shards.previous = Some(told);
    };
    assert_eq!(of(bent), ["chain_broken"], "not what its own checkpoint says");
    let other = |shards: &mut Shards| {
        let other = Log::of("test.example").key().to_string();
        shards.announced = json!({ "event": "announced", "key": other, "shard": 1 });
    };
    assert_eq!(of(other), ["chain_key_not_announced"]);
    assert_eq!(
        of(|shards| shards.announced = json!({ "event": "rotate", "reason": "routine" })),
        ["chain_key_not_announced"]
    );
    let other = |shards: &mut Shards| {
        shards.previous = Some(shard::told(&Log::of("test.example/2026").signed(0)).unwrap().1);
    };
    assert_eq!(of(other), ["chain_broken"]);
}

/// A log that began anew may have lost entries that an earlier export has.
#[test]
fn what_a_restored_log_lacks_may_stand_in_the_export_before() {
    let shorter = |reason| {
        let mut shards = Shards { reason, is_sealed: false, ..Shards::sound() };
        shards.previous = Some(shard::told(&shards.old.signed(8)).unwrap().1);
        shards
    };
    for reason in ["restored", "key_lost"] {
        assert_eq!(found(&shorter(reason).verify()), [""; 0], "{reason}");
    }
    // But it must be the same log.
    let mut shards = shorter("restored");
    let other = Log::sound(10);
    let checkpoint = Checkpoint { root: other.checkpoint(8).root, ..shards.old.checkpoint(8) };
    shards.previous = Some(shard::told(&checkpoint.sign(&shards.old.signer).unwrap()).unwrap().1);
    let report = shards.verify();
    assert_eq!(codes(&report.shards[0]), [(None, "since_inconsistent")]);
    assert_eq!(report.exit_code(), 4);
}

#[test]
fn a_checkpoint_of_none_of_them_and_facts_that_are_left_out_are_said() {
    let (old, new, trust) = Shards::sound().export();
    let since = Some(Log::of("test.example/2020").signed(0));
    let options = VerifyOptions { trust: Some(trust.to_vec()), since, progress: None };
    let report = chain(&[&old, &new], &options);
    assert_eq!((found(&report), report.exit_code()), (vec!["since_other_log"], 5));
    let mut shards = Shards::sound();
    shards.old.add_facts(Kind::Key, PairId::random(), &json!({}));
    shards.old.records[10].facts = None;
    let report = shards.verify();
    assert_eq!((found(&report), report.exit_code()), (vec!["chain_not_opened"], 3));
}

/// Clients are erased for as long as there is a log, and terms end years after their shard was closed.
#[test]
fn what_was_forgotten_is_named_in_a_later_shard() {
    let forgotten = || {
        let mut shards = Shards::sound();
        for at in [1, 3] {
            shards.old.records[at].sealed = Some(SealedPart::Erased);
        }
        shards
    };
    let (old, new, trust) = forgotten().export();
    let options = VerifyOptions { trust: Some(trust.to_vec()), ..VerifyOptions::default() };
    assert_eq!(verify_export(old.path(), &options).exit_code(), 3, "the rest of the log is not here");
    let report = chain(&[&old, &new], &options);
    assert_eq!(codes(&report.shards[0]), [(Some(1), "erasure_unnamed"), (Some(3), "erasure_unnamed")]);
    let mut shards = forgotten();
    let pairs = [1, 3].map(|at: usize| Leaf::parse(&shards.old.records[at].leaf).unwrap().pair.to_string());
    shards.after = Some(json!({ "event": "erased", "pairs": pairs }));
    let report = shards.verify();
    assert_eq!((found(&report), report.exit_code()), (vec![], 0));
}

/// One that had no seal is closed all the same: the next shard says so.
#[test]
fn what_a_shard_without_a_seal_lacks_may_be_named_where_nobody_looked() {
    let mut shards = Shards { reason: "key_lost", is_sealed: false, ..Shards::sound() };
    shards.old.records[1].sealed = Some(SealedPart::Erased);
    shards.after = Some(json!({ "event": "erased", "pairs": [] }));
    let (old, mut new) = shards.logs();
    new.records.last_mut().unwrap().facts = None;
    let options = trusting(&[old.key(), new.key()]);
    let (old, new) = (old.export(), new.export());
    let report = chain(&[&old, &new], &options);
    assert_eq!((codes(&report.shards[0]), report.exit_code()), (vec![(Some(1), "erasure_not_opened")], 3));
    assert_eq!(verify_export(old.path(), &options).exit_code(), 4, "alone it does not know");
}

#[test]
fn a_term_that_was_over_is_said_in_a_later_shard() {
    let emptied = |before: i64| {
        let mut shards = Shards::sound();
        let is_consent =
            |record: &&mut ExportRecord| Leaf::parse(&record.leaf).unwrap().kind == Kind::Consent;
        for record in shards.old.records.iter_mut().filter(is_consent) {
            (record.facts, record.sealed) = (None, Some(SealedPart::Expired));
        }
        let before = Timestamp::from_millis(before).to_string();
        shards.after = Some(json!({ "event": "retention", "before": { "consent": before } }));
        shards.verify()
    };
    let (begun, ended) = (Log::new().time, Log::new().time + 60);
    let report = emptied(ended);
    assert_eq!((found(&report), report.shards[0].states.expired > 0), (vec![], true));
    assert_eq!(codes(&emptied(begun).shards[0]), [(Some(3), "retention_unnamed")]);
}

#[test]
fn an_earlier_checkpoint_does_not_stand_in_for_what_the_next_shard_says() {
    let mut shards = Shards { reason: "restored", is_sealed: false, ..Shards::sound() };
    let forked = Checkpoint { root: leaf_hash(b"fork"), ..shards.old.checkpoint(8) };
    shards.previous = Some(shard::told(&forked.sign(&shards.old.signer).unwrap()).unwrap().1);
    let since = Some(shards.old.signed(5));
    let (old, new, trust) = shards.export();
    let report = chain(&[&old, &new], &VerifyOptions { since, ..trusting(&trust) });
    assert_eq!((codes(&report.shards[0]), report.exit_code()), (vec![(None, "since_inconsistent")], 4));
}

#[test]
fn the_last_shard_is_what_witnesses_cosign() {
    let (old, new) = Shards::sound().logs();
    let witness = witnessed::witnesses().remove(0);
    let policy = Policy::witnessed(vec![old.key(), new.key()], &[witness.verifier().clone()], 1);
    let options = trusting(policy.logs());
    let verify = |old: &TempDir, new: &TempDir, required| {
        let witnessing = Witnessing { trust: Some(policy.clone()), required };
        verify_chain(&[old.path(), new.path()], &options, &witnessing)
    };
    // The exports themselves name no witness.
    let cosigned = |log: &Log| witnessed::export(log, &[], std::slice::from_ref(&witness));
    let report = verify(&old.export(), &cosigned(&new), true);
    assert_eq!((found(&report), report.shards[1].cosigned.len()), (vec![], 1));
    let report = verify(&cosigned(&old), &new.export(), true);
    assert_eq!((codes(&report.shards[1]), report.exit_code()), (vec![(None, "witness_missing")], 3));
    assert_eq!(report.shards[0].exit_code(), 0, "{report}");
    assert_eq!(found(&verify(&old.export(), &new.export(), false)), [""; 0]);
}

/// Whoever reads what leads on has the same limits as whoever verifies.
#[cfg(unix)]
#[test]
fn a_pipe_or_a_file_without_end_does_not_keep_it_reading() {
    let (old, new, trust) = Shards::sound().export();
    let file = old.path().join("opened/000.jsonl");
    fs::remove_file(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
    let (old, new) = (Arc::new(old), Arc::new(new));
    let report = || {
        let (old, new, trust) = (Arc::clone(&old), Arc::clone(&new), trust.clone());
        in_time(move || chain(&[&old, &new], &trusting(&trust)))
    };
    let waited = report();
    assert_eq!(waited.findings[0].code, Code::ChainNotOpened);
    assert_eq!(waited.exit_code(), 4);
    fs::remove_file(&file).unwrap();
    fs::File::create(&file).unwrap().set_len(1 << 36).unwrap();
    assert_eq!(report().exit_code(), 4);
}

#[test]
fn it_is_told_in_dutch_too() {
    let report = Shards { is_sealed: false, ..Shards::sound() }.verify();
    let (dutch, english) = (DutchChain(&report).to_string(), report.to_string());
    assert_eq!(dutch.lines().count(), english.lines().count());
    assert!(dutch.contains("2 delen als geheel: ermee geknoeid"), "{dutch}");
    assert!(
        dutch.contains("- een deel dat gewoon is voortgezet, heeft geen zegel (chain_not_sealed) ["),
        "{dutch}"
    );
}
