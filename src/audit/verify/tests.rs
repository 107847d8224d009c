mod chain;
mod forged;
mod story;
mod way;
mod witnessed;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    audit::{
        checkpoint::Checkpoint,
        export::{ExportFault, ExportRecord, ExportSummary, ExportWriter, SealedPart},
        leaf::{Kind, Leaf, canonical, commit_client, commit_facts},
        report::Verdict,
        seal::{self, EntryKey},
        tree::{Frontier, leaf_hash},
    },
    domain::{PairId, Timestamp, random},
    note::NoteSigner,
};

const ORIGIN: &str = "test.example/2026";

/// What it gives. It fails, and does not hang, where something is waited for that never comes.
fn in_time<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, waiting) = mpsc::channel();
    thread::spawn(move || done.send(act()));
    waiting.recv_timeout(Duration::from_secs(60)).unwrap()
}

/// A log in memory that says whatever a test wants, and signs it.
struct Log {
    signer: NoteSigner,
    time: i64,
    records: Vec<ExportRecord>,
}

impl Log {
    fn new() -> Self {
        Self::of(ORIGIN)
    }

    /// A log of this name.
    fn of(origin: &str) -> Self {
        let signer = NoteSigner::from_pkcs8(origin, &NoteSigner::generate_pkcs8().unwrap()).unwrap();
        Self { signer, time: 1_795_426_200_000, records: Vec::new() }
    }

    fn add_facts(&mut self, kind: Kind, pair: PairId, facts: &serde_json::Value) {
        let (salt, json) = (random::bytes().unwrap(), canonical(facts).unwrap());
        let id = crate::audit::leaf::entry_id(pair, kind);
        let key = EntryKey::random().unwrap();
        let bytes = seal::seal(&key, &id, b"").unwrap();
        let leaf = Leaf {
            kind,
            time: Timestamp::from_millis(self.time),
            pair,
            facts: commit_facts(&salt, &json),
            client: commit_client(&id, &key, &bytes),
        };
        self.time += 3;
        let sealed = SealedPart::Present { key_hash: key.hash(), bytes };
        self.push(leaf.encode(), Some((salt, json)), Some(sealed));
    }

    fn push(&mut self, leaf: Vec<u8>, facts: Option<([u8; 32], Vec<u8>)>, sealed: Option<SealedPart>) {
        self.records.push(ExportRecord {
            index: self.records.len() as u64,
            leaf,
            facts,
            detail: None,
            sealed,
        });
    }

    fn add(&mut self, kind: Kind, pair: PairId) {
        self.add_facts(kind, pair, &json!({"kind": kind.as_str(), "purpose": "REINTEGRATION"}));
    }

    /// A log of this many entries in which nothing is wrong.
    fn sound(size: usize) -> Self {
        let mut log = Self::new();
        let mut open = None;
        while log.records.len() < size {
            let last = log.records.len() + 1 == size;
            match (log.records.len(), open.take()) {
                (0, _) => log.add(Kind::Genesis, PairId::random()),
                (_, Some(pair)) => log.add(Kind::Outcome, pair),
                (n, None) if n % 7 == 3 || last => log.add(Kind::Consent, PairId::random()),
                _ => {
                    let pair = PairId::random();
                    log.add(Kind::Request, pair);
                    open = Some(pair);
                }
            }
        }
        log
    }

    fn key(&self) -> VerifierKey {
        self.signer.verifier().clone()
    }

    fn checkpoint(&self, size: usize) -> Checkpoint {
        let mut frontier = Frontier::empty();
        self.records[..size].iter().for_each(|record| frontier.append(leaf_hash(&record.leaf)));
        Checkpoint { origin: self.key().name().to_owned(), size: size as u64, root: frontier.root() }
    }

    fn signed(&self, size: usize) -> String {
        self.checkpoint(size).sign(&self.signer).unwrap()
    }

    fn write(&self, writer: ExportWriter) -> ExportSummary {
        let mut writer = writer;
        self.records.iter().for_each(|record| writer.push(record.clone()).unwrap());
        writer.finish(&self.signed(self.records.len()), &[self.key()]).unwrap()
    }

    fn export(&self) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        assert!(self.write(ExportWriter::create(dir.path()).unwrap().with_sealed()).root_matches);
        dir
    }

    fn options(&self) -> VerifyOptions<'_> {
        VerifyOptions { trust: Some(vec![self.key()]), ..VerifyOptions::default() }
    }

    fn verify(&self) -> Report {
        verify_export(self.export().path(), &self.options())
    }
}

fn codes(report: &Report) -> Vec<(Option<u64>, &'static str)> {
    report.findings.iter().map(|finding| (finding.position, finding.code.as_str())).collect()
}

/// Every file of an export.
fn files(dir: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn a_sound_export_verifies_at_every_size() {
    for size in [0, 1, 2, 255, 256, 257, 512, 600] {
        let log = Log::sound(size);
        let report = log.verify();
        assert_eq!((codes(&report), report.exit_code()), (vec![], 0), "{size}");
        assert_eq!((report.entries, report.states.opened), (size as u64, size as u64));
        assert!(report.anchored);
    }
}

#[test]
fn without_trust_it_says_so() {
    let dir = Log::sound(20).export();
    let report = verify_export(dir.path(), &VerifyOptions::default());
    assert_eq!((report.verdict, report.anchored), (Verdict::Verified, false));
    assert!(report.to_string().contains("keys from the export itself, not anchored"));
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["verdict"], "verified");
    assert_eq!(json["kinds"]["genesis"], 1);
    assert_eq!(json["anchored"], false);
}

#[test]
fn parts_may_be_left_out() {
    let mut log = Log::sound(300);
    log.records.iter_mut().step_by(2).for_each(|record| record.facts = None);
    log.records.iter_mut().step_by(3).for_each(|record| record.sealed = None);
    let report = log.verify();
    assert_eq!((report.verdict, report.states.opened, report.states.sealed), (Verdict::Verified, 150, 150));
    let dir = tempfile::tempdir().unwrap();
    log.write(ExportWriter::create(dir.path()).unwrap());
    assert!(!dir.path().join("sealed").exists());
    assert_eq!(verify_export(dir.path(), &log.options()).verdict, Verdict::Verified);
}

#[test]
fn every_entry_is_told_of_once() {
    let told = std::cell::RefCell::new(Vec::new());
    let log = Log::sound(300);
    let progress = |progress: Progress| told.borrow_mut().push(progress.position);
    let options = VerifyOptions { progress: Some(&progress), ..log.options() };
    let _ = verify_export(log.export().path(), &options);
    assert_eq!(told.into_inner(), (0..300).collect::<Vec<_>>());
}

#[test]
fn an_earlier_checkpoint_must_be_of_the_same_log() {
    let log = Log::sound(600);
    let dir = log.export();
    let since = |text: String| {
        let options = VerifyOptions { since: Some(text), ..log.options() };
        let report = verify_export(dir.path(), &options);
        codes(&report).into_iter().map(|(_, code)| code).collect::<Vec<_>>()
    };
    for size in [0, 1, 255, 256, 300, 600] {
        assert!(since(log.signed(size)).is_empty(), "{size}");
    }
    let forked = |size| Checkpoint { root: leaf_hash(b"fork"), ..log.checkpoint(size) };
    for size in [0, 1, 300, 600] {
        assert_eq!(since(forked(size).sign(&log.signer).unwrap()), ["since_inconsistent"], "{size}");
    }
    let larger = Checkpoint { size: 601, ..log.checkpoint(600) };
    assert_eq!(since(larger.sign(&log.signer).unwrap()), ["since_inconsistent"]);
    assert_eq!(since(Log::sound(10).signed(10)), ["since_unreadable"]);
    assert_eq!(since("nothing".to_owned()), ["since_unreadable"]);
    let next = NoteSigner::from_pkcs8("test.example/2027", &NoteSigner::generate_pkcs8().unwrap()).unwrap();
    let other = Checkpoint { origin: "test.example/2027".to_owned(), ..log.checkpoint(10) };
    let options = VerifyOptions {
        trust: Some(vec![log.key(), next.verifier().clone()]),
        since: Some(other.sign(&next).unwrap()),
        progress: None,
    };
    let report = verify_export(dir.path(), &options);
    assert_eq!((codes(&report), report.exit_code()), (vec![(None, "since_other_log")], 5));
}

#[test]
fn an_export_is_written_in_order_into_an_empty_directory() {
    let log = Log::sound(3);
    let dir = tempfile::tempdir().unwrap();
    let mut writer = ExportWriter::create(dir.path()).unwrap();
    let wrong = writer.push(log.records[1].clone());
    assert!(matches!(wrong, Err(ExportFault::Order { expected: 0, found: 1 })));
    writer.push(log.records[0].clone()).unwrap();
    let wrong = writer.finish(&log.signed(3), &[log.key()]);
    assert!(matches!(wrong, Err(ExportFault::Size { size: 3, given: 1 })));
    let dir = log.export();
    assert!(matches!(ExportWriter::create(dir.path()), Err(ExportFault::NotEmpty)));
}

#[test]
fn other_tools_find_the_layout_they_know() {
    let dir = Log::sound(600).export();
    let names: Vec<String> = files(dir.path())
        .iter()
        .map(|path| path.strip_prefix(dir.path()).unwrap().to_str().unwrap().to_owned())
        .collect();
    let expected = [
        "checkpoint",
        "opened/000.jsonl",
        "opened/001.jsonl",
        "opened/002.jsonl",
        "policy.txt",
        "sealed/000.jsonl",
        "sealed/001.jsonl",
        "sealed/002.jsonl",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ];
    assert_eq!(names, expected);
}
