use prost::Message as _;
use serde_json::json;

use super::*;
use crate::{
    audit::{
        checkpoint::Checkpoint,
        leaf::{Kind, Leaf, canonical, commit_answer, commit_client, commit_facts, entry_id},
        proof::TlogProof,
        report::Answer,
        seal::{self, ClientKey},
        tree::{Extension, Frontier, leaf_hash},
    },
    domain::{PairId, Timestamp},
    note::NoteSigner,
};

const ORIGIN: &str = "test.example/2026";
const ANSWER_SALT: [u8; 32] = [4; 32];

fn answer(disclosures: usize) -> proto::RequestWorkCapacityResponse {
    proto::RequestWorkCapacityResponse {
        request_id: "f47ac10b-58cc-4372-a567-0e02b2c3d479".to_owned(),
        purpose: "REINTEGRATION".to_owned(),
        disclosures: vec![proto::Disclosure::default(); disclosures],
        ..Default::default()
    }
}

fn signer() -> NoteSigner {
    NoteSigner::from_pkcs8(ORIGIN, &NoteSigner::generate_pkcs8().unwrap()).unwrap()
}

/// One entry of a log with nine before it and eleven after, opened as in a receipt.
fn opened(signer: &NoteSigner, pair: PairId, kind: Kind, before: u64) -> proto::OpenedEntry {
    opened_with(signer, pair, kind, before, |_| {})
}

fn opened_with(
    signer: &NoteSigner,
    pair: PairId,
    kind: Kind,
    before: u64,
    change_sealed: fn(&mut Vec<u8>),
) -> proto::OpenedEntry {
    let facts = match kind {
        Kind::Outcome => {
            let commitment = commit_answer(&ANSWER_SALT, &answer_bytes(&answer(1)));
            json!({"answer": b64::encode(&commitment), "effect": "permit"})
        }
        _ => json!({"purpose": "REINTEGRATION", "fields": ["WT-01"]}),
    };
    let (salt, facts) = ([2; 32], canonical(&facts).unwrap());
    let id = entry_id(pair, kind);
    let key = ClientKey::from_bytes([3; 32]).entry_key(&id).unwrap();
    let mut sealed = seal::seal(&key, &id, b"{\"user\":\"f47ac10b-58cc-4372-a567-0e02b2c3d479\"}").unwrap();
    change_sealed(&mut sealed);
    let leaf = Leaf {
        kind,
        time: Timestamp::from_millis(1_795_426_200_000 + before as i64),
        pair,
        facts: commit_facts(&salt, &facts),
        client: commit_client(&id, &key, &sealed),
    }
    .encode();
    let mut frontier = Frontier::empty();
    (0..before).for_each(|n| frontier.append(leaf_hash(&n.to_be_bytes())));
    let batch: Vec<_> = std::iter::once(leaf_hash(&leaf)).chain((0..11).map(|n| [n; 32])).collect();
    let extension = Extension::new(&frontier, &batch);
    let new = extension.frontier();
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: new.size(), root: new.root() };
    let proof = TlogProof {
        extra: None,
        index: before,
        hashes: extension.inclusion(before).unwrap(),
        checkpoint: checkpoint.sign(signer).unwrap(),
    };
    proto::OpenedEntry {
        leaf,
        proof: proof.to_string(),
        facts,
        facts_salt: salt.to_vec(),
        entry_key: key.expose().to_vec(),
        sealed,
    }
}

fn released(signer: &NoteSigner) -> proto::RequestWorkCapacityResponse {
    let pair = PairId::random();
    let entries = vec![opened(signer, pair, Kind::Request, 9), opened(signer, pair, Kind::Outcome, 40)];
    let receipt = proto::Receipt { entries, answer_salt: ANSWER_SALT.to_vec() };
    proto::RequestWorkCapacityResponse { receipt: Some(receipt), ..answer(1) }
}

fn codes(report: &Report) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn trust(signer: &NoteSigner) -> Vec<VerifierKey> {
    vec![signer.verifier().clone()]
}

#[test]
fn a_receipt_with_its_answer_verifies() {
    let signer = signer();
    let receipt = ReceiptFile::from_answer(&released(&signer)).unwrap();
    let report = verify(&receipt, &trust(&signer), &[]);
    assert_eq!((codes(&report), report.exit_code()), (vec![], 0));
    assert_eq!(report.answer, Some(Answer::Matches));
    assert_eq!((report.states.opened, report.size), (2, Some(52)));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("receipt.json");
    receipt.write(&path).unwrap();
    assert_eq!(ReceiptFile::read(&path).unwrap(), receipt);
    assert_eq!(verify_file(&path, &trust(&signer), &[]).exit_code(), 0);
    std::fs::write(&path, "{}").unwrap();
    assert_eq!(codes(&verify_file(&path, &trust(&signer), &[])), ["receipt_malformed"]);
    assert_eq!(codes(&verify_file(dir.path(), &trust(&signer), &[])), ["file_unreadable"]);
    assert!(!format!("{receipt:?}").contains("REINTEGRATION"));
}

#[test]
fn what_is_not_opened_or_not_kept_is_not_needed() {
    let signer = signer();
    let mut receipt = released(&signer).receipt.unwrap();
    receipt.entries[0].entry_key.clear();
    receipt.entries[0].sealed.clear();
    let report = verify(&ReceiptFile::from_proto(&receipt, None).unwrap(), &trust(&signer), &[]);
    assert_eq!((report.exit_code(), report.answer), (0, Some(Answer::NotGiven)));
    receipt.entries[1].sealed.clear();
    let report = verify(&ReceiptFile::from_proto(&receipt, None).unwrap(), &trust(&signer), &[]);
    assert_eq!(codes(&report), ["part_missing"]);
}

#[test]
fn a_receipt_of_nothing_has_a_request_only() {
    let signer = signer();
    let mut whole = released(&signer);
    whole.receipt.as_mut().unwrap().entries.truncate(1);
    let receipt = ReceiptFile::from_answer(&whole).unwrap();
    assert_eq!(codes(&verify(&receipt, &trust(&signer), &[])), ["answer_not_committed"]);
    let receipt = ReceiptFile { answer: Some(answer_bytes(&answer(0))), ..receipt };
    let report = verify(&receipt, &trust(&signer), &[]);
    assert_eq!((report.exit_code(), report.answer), (0, Some(Answer::NothingReleased)));
}

#[test]
fn an_answer_of_another_call_is_found() {
    let signer = signer();
    let receipt = ReceiptFile::from_answer(&released(&signer)).unwrap();
    let other = ReceiptFile { answer: Some(answer_bytes(&answer(2))), ..receipt.clone() };
    let report = verify(&other, &trust(&signer), &[]);
    assert_eq!((codes(&report), report.answer), (vec!["answer_mismatch"], Some(Answer::Differs)));
    let other = ReceiptFile { answer_salt: None, ..receipt };
    assert_eq!(codes(&verify(&other, &trust(&signer), &[])), ["answer_not_committed"]);
}

#[test]
fn a_committed_part_that_does_not_open_is_found() {
    let signer = signer();
    let entry = opened_with(&signer, PairId::random(), Kind::Request, 9, |sealed| sealed[5] ^= 1);
    let receipt = proto::Receipt { entries: vec![entry], answer_salt: vec![] };
    let report = verify(&ReceiptFile::from_proto(&receipt, None).unwrap(), &trust(&signer), &[]);
    assert_eq!(codes(&report), ["sealed_closed"]);
}

#[test]
fn a_proof_brings_nothing_along() {
    let signer = signer();
    let mut receipt = ReceiptFile::from_answer(&released(&signer)).unwrap();
    receipt.entries[0].proof = receipt.entries[0].proof.replace("index", "extra AAAA\nindex");
    assert_eq!(codes(&verify(&receipt, &trust(&signer), &[])), ["proof_malformed"]);
}

#[test]
fn entries_belong_together() {
    let signer = signer();
    let receipt = ReceiptFile::from_answer(&released(&signer)).unwrap();
    let other = ReceiptFile::from_answer(&released(&signer)).unwrap();
    let check = |entries: Vec<ReceiptEntry>| {
        codes(&verify(&ReceiptFile { entries, answer: None, answer_salt: None }, &trust(&signer), &[]))
    };
    let [request, outcome] = receipt.entries.try_into().unwrap();
    assert_eq!(check(vec![request.clone(), other.entries[1].clone()]), ["receipt_entries"]);
    assert_eq!(check(vec![outcome.clone(), request.clone()]), ["receipt_entries"; 3]);
    assert_eq!(check(vec![]), ["receipt_entries"]);
    assert_eq!(check(vec![request.clone(), outcome.clone(), outcome]), ["receipt_entries"]);
    assert!(check(vec![request]).is_empty());
}

#[test]
fn only_a_trusted_log_counts() {
    let (ours, other) = (signer(), signer());
    let receipt = ReceiptFile::from_answer(&released(&ours)).unwrap();
    let report = verify(&receipt, &trust(&other), &[]);
    assert_eq!(report.exit_code(), 4);
    assert!(codes(&report).contains(&"signature_missing"));
    let report = verify(&receipt, &[], &[]);
    assert_eq!((codes(&report), report.exit_code(), report.anchored), (vec!["keys_not_given"], 5, false));
}

#[test]
fn a_flipped_bit_never_verifies() {
    let signer = signer();
    let receipt = ReceiptFile::from_answer(&released(&signer)).unwrap();
    let text = receipt.to_json().unwrap().into_bytes();
    for byte in 0..text.len() {
        let mut other = text.clone();
        other[byte] ^= 1 << (byte % 8);
        if let Ok(read) = ReceiptFile::from_json(&other) {
            let report = verify(&read, &trust(&signer), &[]);
            assert!(report.exit_code() >= 4, "byte {byte}: {report}");
        }
    }
}

#[test]
fn the_answer_is_committed_to_without_its_receipt() {
    let signer = signer();
    assert_eq!(answer_bytes(&released(&signer)), answer(1).encode_to_vec());
    assert!(matches!(ReceiptFile::from_answer(&answer(1)), Err(ReceiptFault::Absent)));
}
