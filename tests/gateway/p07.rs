//! Any changed byte of a receipt is found, with the public key and nothing else.

use sluis::{
    audit::{
        receipt::{self, ReceiptFile},
        report::Verdict,
    },
    note::VerifierKey,
    proto,
};

use crate::{
    lab::{Lab, question},
    promises::{COACH, about, bsn},
};

/// Whether the receipt verifies.
fn holds(receipt: &proto::Receipt, answer: Option<&[u8]>, trust: &[VerifierKey]) -> bool {
    ReceiptFile::from_proto(receipt, answer.map(<[u8]>::to_vec))
        .is_ok_and(|file| receipt::verify(&file, trust, &[]).verdict == Verdict::Verified)
}

/// The parts of a receipt, by name.
fn parts(receipt: &mut proto::Receipt) -> Vec<(String, &mut Vec<u8>)> {
    let mut parts = vec![("answer salt".to_owned(), &mut receipt.answer_salt)];
    for (n, entry) in receipt.entries.iter_mut().enumerate() {
        for (name, part) in [
            ("leaf", &mut entry.leaf),
            ("facts", &mut entry.facts),
            ("facts salt", &mut entry.facts_salt),
            ("entry key", &mut entry.entry_key),
            ("sealed part", &mut entry.sealed),
        ] {
            parts.push((format!("{name} of entry {n}"), part));
        }
    }
    parts
}

fn flip_everything(receipt: &proto::Receipt, answer: &[u8], trust: &[VerifierKey]) -> usize {
    assert!(holds(receipt, Some(answer), trust));
    let mut flipped = 0;
    for part in 0..parts(&mut receipt.clone()).len() {
        let length = parts(&mut receipt.clone())[part].1.len();
        for (byte, bit) in (0..length).flat_map(|byte| [(byte, 0x01), (byte, 0x80)]) {
            let mut changed = receipt.clone();
            let mut parts = parts(&mut changed);
            let (name, bytes) = &mut parts[part];
            bytes[byte] ^= bit;
            let name = name.clone();
            assert!(!holds(&changed, Some(answer), trust), "{name}, byte {byte}");
            flipped += 1;
        }
    }
    for entry in 0..receipt.entries.len() {
        for byte in 0..receipt.entries[entry].proof.len() {
            let mut changed = receipt.clone();
            let mut proof = changed.entries[entry].proof.clone().into_bytes();
            proof[byte] ^= 0x01;
            changed.entries[entry].proof = String::from_utf8_lossy(&proof).into_owned();
            assert!(!holds(&changed, Some(answer), trust), "proof of entry {entry}, byte {byte}");
            flipped += 1;
        }
    }
    flipped
}

#[tokio::test(flavor = "multi_thread")]
async fn p07_any_changed_byte_of_a_receipt_is_found() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let trust = [lab.world.gateway.verifier_key.parse::<VerifierKey>().unwrap()];
    let released = lab.ask("waterrijk", question()).await.unwrap();
    let nothing = lab.ask("waterrijk", about(&bsn(0), &[COACH])).await.unwrap();
    assert_eq!(nothing.receipt.as_ref().unwrap().entries.len(), 1);
    for answer in [&released, &nothing] {
        let bytes = receipt::answer_bytes(answer);
        let receipt = answer.receipt.as_ref().unwrap();
        let of_answer = if answer.disclosures.is_empty() { Vec::new() } else { bytes.clone() };
        if of_answer.is_empty() {
            // Nothing was released, so nothing commits to the answer; the request verifies alone.
            assert!(holds(receipt, None, &trust));
        } else {
            assert!(flip_everything(receipt, &of_answer, &trust) > 3_000);
            for byte in 0..of_answer.len() {
                let mut changed = of_answer.clone();
                changed[byte] ^= 0x01;
                assert!(!holds(receipt, Some(&changed), &trust), "answer, byte {byte}");
            }
        }
    }
    // The same from a file.
    let file = lab.path("receipt.json");
    ReceiptFile::from_answer(&released).unwrap().write(&file).unwrap();
    assert_eq!(receipt::verify_file(&file, &trust, &[]).verdict, Verdict::Verified);
    // Parts of two true receipts are no receipt, and another log's key verifies nothing.
    let mut mixed = released.receipt.clone().unwrap();
    mixed.entries[0] = nothing.receipt.clone().unwrap().entries[0].clone();
    assert!(!holds(&mixed, Some(&receipt::answer_bytes(&released)), &trust));
    let other = Lab::start().await;
    let other = [other.world.gateway.verifier_key.parse::<VerifierKey>().unwrap()];
    assert!(!holds(released.receipt.as_ref().unwrap(), None, &other));
}
