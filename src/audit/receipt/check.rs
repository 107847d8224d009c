//! Verifies a receipt, finding after finding.

use prost::Message as _;

use super::{ReceiptEntry, ReceiptFile, salt};
use crate::{
    audit::{
        b64,
        checkpoint::Checkpoint,
        leaf::{Kind, Leaf, LeafFault, commit_answer, commit_client, commit_facts, parse_facts},
        proof::TlogProof,
        report::{Answer, Code, Cosigned, EntryState, Report},
        seal::{self, EntryKey},
        verify::signatures,
    },
    note::{
        Note, VerifierKey,
        cosignature::{Cosignature, CosignerKey},
    },
    proto,
};

/// An entry of a receipt, as far as it could be read.
struct Seen {
    position: u64,
    origin: String,
    leaf: Leaf,
}

/// The keys that a receipt is verified with.
#[derive(Clone, Copy)]
struct Known<'a> {
    logs: &'a [VerifierKey],
    witnesses: &'a [CosignerKey],
}

pub(super) fn verify(receipt: &ReceiptFile, trust: &[VerifierKey], witnesses: &[CosignerKey]) -> Report {
    let known = Known { logs: trust, witnesses };
    let mut report = Report::new(!trust.is_empty());
    if trust.is_empty() {
        report.find(
            None,
            Code::KeysNotGiven,
            "a receipt is verified with the log's public key, and none was given",
        );
    }
    if !(1..=2).contains(&receipt.entries.len()) {
        report.find(
            None,
            Code::ReceiptEntries,
            "a receipt has a request entry and at most one outcome entry",
        );
    }
    let seen: Vec<Option<Seen>> =
        receipt.entries.iter().map(|entry| check_entry(entry, known, &mut report)).collect();
    for (seen, kind) in seen.iter().zip([Kind::Request, Kind::Outcome]) {
        if let Some(seen) = seen
            && seen.leaf.kind != kind
        {
            let detail = format!("a `{}` entry stands where a `{kind}` entry should", seen.leaf.kind);
            report.find(Some(seen.position), Code::ReceiptEntries, detail);
        }
    }
    if let [Some(request), Some(outcome)] = seen.as_slice() {
        let together = request.leaf.pair == outcome.leaf.pair
            && request.origin == outcome.origin
            && request.position < outcome.position
            && request.leaf.time <= outcome.leaf.time;
        if !together {
            let detail = "the outcome is not the one of this request";
            report.find(Some(outcome.position), Code::ReceiptEntries, detail);
        }
    }
    let answer = check_answer(receipt, &mut report);
    report.answer = Some(answer);
    report
}

fn check_entry(entry: &ReceiptEntry, known: Known<'_>, report: &mut Report) -> Option<Seen> {
    report.entries += 1;
    let before = report.findings.len();
    let seen = check_proof(entry, known, report);
    if let Some(seen) = &seen {
        report.count_kind(seen.leaf.kind);
        check_parts(entry, seen, report);
    }
    let sound = report.findings.len() == before;
    report.states.count(if sound { EntryState::Opened } else { EntryState::Mismatch });
    seen
}

/// The leaf stands at its place in a log that a trusted key has signed.
fn check_proof(entry: &ReceiptEntry, known: Known<'_>, report: &mut Report) -> Option<Seen> {
    let Ok(proof) = entry.proof.parse::<TlogProof>() else {
        report.find(None, Code::ProofMalformed, "a proof is not in the tlog-proof format");
        return None;
    };
    let position = proof.index;
    // Nothing authenticates it, and Sluis writes none.
    if proof.extra.is_some() {
        report.find(Some(position), Code::ProofMalformed, "the proof has extra data");
    }
    let note = Note::parse(&proof.checkpoint).ok();
    let checkpoint = note.as_ref().and_then(|note| Checkpoint::parse(note.unverified_text()).ok());
    let (Some(note), Some(checkpoint)) = (note, checkpoint) else {
        report.find(Some(position), Code::CheckpointMalformed, "the proof has no signed checkpoint");
        return None;
    };
    if !known.logs.is_empty() {
        let note = cosignatures(note, known.witnesses, position, report);
        signatures(note, &checkpoint.origin, known.logs, Some(position), report);
    }
    if proof.root(entry.leaf.as_bytes(), checkpoint.size) != Ok(checkpoint.root) {
        let detail = "the proof does not lead from this leaf to the root in the checkpoint";
        report.find(Some(position), Code::ProofMismatch, detail);
    }
    if report.size.is_none_or(|size| size < checkpoint.size) {
        report.size = Some(checkpoint.size);
    }
    report.origin.get_or_insert_with(|| checkpoint.origin.clone());
    match Leaf::parse(entry.leaf.as_bytes()) {
        Ok(leaf) => Some(Seen { position, origin: checkpoint.origin, leaf }),
        Err(LeafFault::Malformed) => {
            report.find(Some(position), Code::LeafMalformed, "not a leaf in canonical form");
            None
        }
        Err(fault @ LeafFault::UnknownKind(_)) => {
            report.find(Some(position), Code::KindUnknown, fault.to_string());
            None
        }
    }
}

/// Takes the cosignatures of known witnesses out of a checkpoint, each verified.
fn cosignatures(note: Note, witnesses: &[CosignerKey], position: u64, report: &mut Report) -> Note {
    let (note, found) = note.without_cosignatures(witnesses);
    for Cosignature { by, time, .. } in found {
        let Some(time) = time else {
            let detail = format!("the cosignature of the witness `{}` does not verify", by.name());
            // The code that every other verifier of receipts gives.
            report.find(Some(position), Code::SignatureInvalid, detail);
            continue;
        };
        // Both entries may bear the same.
        let cosigned = Cosigned { by: by.name().to_owned(), time };
        if !report.cosigned.contains(&cosigned) {
            report.cosigned.push(cosigned);
        }
    }
    note
}

/// What stands beside the leaf is what it commits to.
fn check_parts(entry: &ReceiptEntry, seen: &Seen, report: &mut Report) {
    let position = Some(seen.position);
    let committed = salt(entry.facts_salt.as_ref()).map(|salt| commit_facts(&salt, entry.facts.as_bytes()));
    if committed != Some(seen.leaf.facts) {
        report.find(position, Code::FactsMismatch, "the facts are not those that the leaf commits to");
    } else if parse_facts(entry.facts.as_bytes()).is_none() {
        report.find(position, Code::FactsMalformed, "the facts are not a JSON object in canonical form");
    }
    let (key, sealed) = match (&entry.entry_key, &entry.sealed) {
        (None, None) => return,
        (Some(key), Some(sealed)) => (<[u8; 32]>::try_from(key.as_slice()).map(EntryKey::from_bytes), sealed),
        _ => {
            report.find(position, Code::PartMissing, "a sealed part and its key come together");
            return;
        }
    };
    let id = seen.leaf.id();
    match key {
        Ok(key) if commit_client(&id, &key, sealed) == seen.leaf.client => {
            if seal::open(&key, &id, sealed).is_err() {
                report.find(position, Code::SealedClosed, "the sealed part does not open with its own key");
            }
        }
        _ => {
            let detail = "the sealed part and its key are not those that the leaf commits to";
            report.find(position, Code::SealedMismatch, detail);
        }
    }
}

fn check_answer(receipt: &ReceiptFile, report: &mut Report) -> Answer {
    let Some(answer) = &receipt.answer else { return Answer::NotGiven };
    let Some(outcome) = receipt.entries.get(1) else {
        let silent = proto::RequestWorkCapacityResponse::decode(answer.as_slice())
            .is_ok_and(|answer| answer.disclosures.is_empty());
        if silent {
            return Answer::NothingReleased;
        }
        let detail = "the answer discloses, and the receipt has no outcome that commits to it";
        report.find(None, Code::AnswerNotCommitted, detail);
        return Answer::Differs;
    };
    let expected =
        parse_facts(outcome.facts.as_bytes()).and_then(|facts| b64::hash(facts.get("answer")?.as_str()?));
    let (Some(expected), Some(salt)) = (expected, salt(receipt.answer_salt.as_ref())) else {
        let detail = "the outcome does not commit to an answer, or the salt of that commitment is missing";
        report.find(None, Code::AnswerNotCommitted, detail);
        return Answer::Differs;
    };
    if commit_answer(&salt, answer) == expected {
        return Answer::Matches;
    }
    report.find(None, Code::AnswerMismatch, "the answer is not the one that the outcome commits to");
    Answer::Differs
}
