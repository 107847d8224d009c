use super::*;
use crate::policy::{
    Problem, SealedPolicies,
    tests::{TODAY, copy, edit, policies},
};

fn record() -> ProofRecord {
    policies().proof().clone()
}

#[test]
fn a_record_is_what_was_written() {
    let change = ProvenChange {
        against: "sha256:0".to_owned(),
        allows_no_more: false,
        wider: vec!["JOB_COACHING gem.jobcoach ggz AV".to_owned()],
        narrower: Vec::new(),
    };
    for change in [None, Some(change)] {
        let record = ProofRecord { change, ..record() };
        assert_eq!(ProofRecord::parse(&record.text()), Ok(record));
    }
}

#[test]
fn a_record_is_read_strictly() {
    let text = record().text();
    let of = |from: &str, to: &str| {
        assert!(text.contains(from), "there is no `{from}`");
        ProofRecord::parse(&text.replacen(from, to, 1)).unwrap_err()
    };
    assert_eq!(of("format = 1", "format = 2"), ProofFault::Format(2));
    let day = record().proven_on;
    assert_eq!(of(&day, "soon"), ProofFault::Syntax("`soon` is no day".to_owned()));
    for (from, to) in [
        ("format = 1", "format = 1\nwaived = true"),
        ("never_errors = ", "never_fails = "),
        ("format = 1\n", ""),
        ("solver = ", "solver = 1 # "),
    ] {
        assert!(matches!(of(from, to), ProofFault::Syntax(told) if told.starts_with("line ")), "{to}");
    }
}

#[test]
fn p10_a_record_is_of_one_set_and_of_all_of_it() {
    let set = policies();
    assert_eq!(record().covers(set), Ok(()));

    let other = ProofRecord { set: "sha256:0".to_owned(), ..record() };
    let fault = other.covers(set).unwrap_err();
    assert_eq!(fault, ProofFault::OtherSet { of: "sha256:0".to_owned(), are: set.hash().to_owned() });
    assert!(fault.to_string().contains("sluis policy prove"), "{fault}");

    for number in 0..record().invariants.len() {
        let mut less = record();
        let id = less.invariants.remove(number);
        // That it stands among the rules makes it no proof of an invariant.
        less.never_errors.push(id.clone());
        assert_eq!(less.covers(set), Err(ProofFault::InvariantMissing(id)));
    }
    for number in 0..record().never_errors.len() {
        let mut less = record();
        let id = less.never_errors.remove(number);
        less.invariants.push(id.clone());
        assert_eq!(less.covers(set), Err(ProofFault::RuleMissing(id)));
    }
}

#[test]
fn p10_a_record_does_not_contradict_itself() {
    let wider = vec!["JOB_COACHING gem.jobcoach ggz AV".to_owned()];
    let mut change =
        ProvenChange { against: "sha256:0".to_owned(), allows_no_more: true, wider, narrower: Vec::new() };
    let of =
        |change: &ProvenChange| ProofRecord { change: Some(change.clone()), ..record() }.covers(policies());
    assert_eq!(of(&change), Err(ProofFault::Contradiction(1)));
    change.allows_no_more = false;
    assert_eq!(of(&change), Ok(()));
}

/// As a gateway finds it: the fault names the file.
#[test]
fn p10_no_record_of_exactly_these_files_no_load() {
    let dir = copy();
    edit(dir.path(), "guardrails.cedar", |text| format!("{text}// more\n"));
    let faults = SealedPolicies::load(dir.path(), true, TODAY).map(|_| ()).unwrap_err();
    let of_proof: Vec<_> = faults.faults().iter().filter(|fault| fault.file == "proof.toml").collect();
    assert!(
        matches!(of_proof[..], [fault] if matches!(fault.problem, Problem::Proof(ProofFault::OtherSet { .. }))),
        "{faults}"
    );
    std::fs::remove_file(dir.path().join("proof.toml")).unwrap();
    let faults = SealedPolicies::load(dir.path(), true, TODAY).map(|_| ()).unwrap_err();
    assert!(faults.faults().iter().any(|fault| fault.problem == Problem::NotProven), "{faults}");
}
