//! An export, verified without any code of this project.

use crate::{
    corpus::{
        self,
        case::{Trust, What},
    },
    logs, spoilt,
};

pub mod verifier;

/// The export of a whole demo: consents, requests, an erasure, everything that a gateway enters by itself. Changed, it does not
/// verify.
#[test]
fn the_export_of_a_demo_verifies_with_those_crates_alone() {
    let folder = tempfile::tempdir().unwrap();
    let region = folder.path().join("region");
    let demo = std::process::Command::new(env!("CARGO_BIN_EXE_sluis"))
        .args(["demo", "--json", "--data-dir", region.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(demo.status.success(), "{}", String::from_utf8_lossy(&demo.stdout));
    let trust = std::fs::read_to_string(region.join("trust.txt")).unwrap();
    let seen = verifier::verify(&region.join("export"), &[trust.trim()], None).unwrap();
    assert!(seen.entries > 30 && seen.opened == seen.entries, "{} entries", seen.entries);
    assert_eq!(seen.kinds.get("request"), seen.kinds.get("outcome"));
    assert_eq!((seen.kinds["genesis"], seen.kinds["erasure"]), (1, 1));
    spoilt::nothing_can_be_changed_in(&region.join("export"), trust.trim());
}

#[test]
fn an_export_verifies_with_those_crates_alone() {
    let source = include_str!("alone/verifier.rs");
    assert!(!source.contains("sluis::") && !source.contains("crate::"), "it shares nothing with ours");
    for (size, earlier) in [(400, 300), (257, 256), (1, 1)] {
        let log = logs::long("alone", size);
        let dir = logs::on_disk(log.export(true).unwrap());
        let key = log.signer().verifier().to_string();
        let seen = verifier::verify(dir.path(), &[&key], Some(&log.signed(earlier).unwrap())).unwrap();
        assert_eq!((seen.entries, seen.opened), (size, size));
        assert_eq!(seen.kinds["genesis"], 1);
        assert_eq!(seen.kinds.get("request"), seen.kinds.get("outcome"));
    }
}

/// The corpus: what can be seen with these crates it refuses, and it refuses nothing else.
#[test]
fn it_refuses_what_is_broken_in_signatures_tree_and_facts() {
    // What it does not look at: sealed parts, details, the list of files, and which kinds there are.
    let ours = [
        "detail_mismatch",
        "entry_after_seal",
        "entry_repeated",
        "erasure_not_opened",
        "erasure_unnamed",
        "facts_malformed",
        "file_surplus",
        "genesis_misplaced",
        "keys_unreadable",
        "kind_unknown",
        "retention_unnamed",
        "sealed_mismatch",
        "sealed_open",
    ];
    let trust = String::from_utf8(corpus::files().unwrap()["trust.txt"].clone()).unwrap();
    let keys: Vec<&str> = trust.lines().filter_map(|line| line.strip_prefix("log ")).collect();
    let mut refused = 0;
    for case in corpus::cases().unwrap() {
        // Nor does it know policies with witnesses.
        let (What::Export(files), Trust::Usual) = (case.what, case.trust) else { continue };
        let dir = logs::on_disk(files);
        let result = verifier::verify(dir.path(), &keys, case.since.as_deref());
        let looks_at_it = case.name != "sealed-and-erased";
        let seen = looks_at_it && case.findings.iter().any(|(_, code)| !ours.contains(code));
        assert_eq!(result.is_err(), seen, "{}: {:?}", case.name, result.err());
        refused += usize::from(seen);
    }
    assert!(refused >= 20, "{refused}");
}
