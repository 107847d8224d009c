//! Receipts: two whole ones, and what they come to when something is changed.

use sluis::audit::{
    checkpoint::Checkpoint,
    leaf::{Leaf, commit_client},
    proof::TlogProof,
    receipt::{ReceiptEntry, ReceiptFile},
    seal,
    tiles::subtree_root,
    tree::inclusion_proof,
};

use super::{
    case::{Case, Trust, What},
    log::{Fault, Log, ORIGIN, test_key},
    whole::{answer, answer_salt, log},
};

/// An entry of a log, opened, with its proof at this size.
fn opened(log: &Log, index: u64, size: u64) -> Result<ReceiptEntry, Fault> {
    let hashes = log.hashes();
    let hashes = inclusion_proof(size, index, |level, at| {
        let start = usize::try_from(at << level)?;
        hashes
            .get(start..start + (1 << level))
            .map(subtree_root)
            .ok_or_else(|| Fault::from("no such subtree"))
    })?;
    let hashes = hashes.ok_or("no such entry")?;
    let record = log.record(index)?;
    let leaf = String::from_utf8(record.leaf.clone())?;
    let (salt, facts) = record.facts.clone().ok_or("the facts are left out")?;
    let sealed = match &record.sealed {
        Some(sluis::audit::export::SealedPart::Present { bytes, .. }) => Some(bytes.clone()),
        _ => None,
    };
    // A leaf that is none has no key.
    let key = Leaf::parse(leaf.as_bytes()).ok().map(|leaf| log.entry_key(&leaf.id())).transpose()?;
    Ok(ReceiptEntry {
        proof: TlogProof { extra: None, index, hashes, checkpoint: log.signed(size)? }.to_string(),
        leaf,
        facts: String::from_utf8(facts)?,
        facts_salt: Some(salt.to_vec()),
        entry_key: key.as_ref().map(|key| key.expose().to_vec()),
        sealed: sealed.filter(|_| key.is_some()),
    })
}

/// The receipt of the request that was granted, with its answer.
fn granted(log: &Log) -> Result<ReceiptFile, Fault> {
    Ok(ReceiptFile {
        entries: vec![opened(log, 2, 5)?, opened(log, 3, 8)?],
        answer_salt: Some(answer_salt().to_vec()),
        answer: Some(answer(1)),
    })
}

/// The receipt of the request that was not, with an answer that discloses nothing.
fn refused(log: &Log) -> Result<ReceiptFile, Fault> {
    Ok(ReceiptFile { entries: vec![opened(log, 4, 8)?], answer_salt: None, answer: Some(answer(0)) })
}

fn request(receipt: &mut ReceiptFile) -> Result<&mut ReceiptEntry, Fault> {
    receipt.entries.first_mut().ok_or_else(|| "no request".into())
}

/// Puts another text in the place of one that is there once.
fn replaced(text: &str, from: &str, to: &str) -> Result<String, Fault> {
    match text.matches(from).count() {
        1 => Ok(text.replace(from, to)),
        found => Err(format!("`{from}` stands {found} times").into()),
    }
}

/// A case of the receipt of what was granted, changed.
fn changed(
    name: &'static str,
    says: &'static str,
    change: impl FnOnce(&mut ReceiptFile) -> Result<(), Fault>,
) -> Result<Case, Fault> {
    let mut receipt = granted(&log("whole")?)?;
    change(&mut receipt)?;
    Ok(Case::new(name, says, What::Receipt(receipt.to_json()?)))
}

/// A case of the text of that receipt, changed.
fn rewritten(
    name: &'static str,
    says: &'static str,
    rewrite: impl FnOnce(&str) -> Result<String, Fault>,
) -> Result<Case, Fault> {
    let text = granted(&log("whole")?)?.to_json()?;
    Ok(Case::new(name, says, What::Receipt(rewrite(&text)?)))
}

/// A case of a receipt by a log that signed what cannot be.
fn told(
    name: &'static str,
    says: &'static str,
    tell: impl FnOnce(&mut Log) -> Result<(), Fault>,
) -> Result<Case, Fault> {
    let mut log = log(name)?;
    tell(&mut log)?;
    Ok(Case::new(name, says, What::Receipt(refused(&log)?.to_json()?)))
}

/// The cases.
pub fn cases() -> Result<Vec<Case>, Fault> {
    Ok([whole()?, proofs()?, parts()?, together()?, forms()?].into_iter().flatten().collect())
}

fn whole() -> Result<Vec<Case>, Fault> {
    let log = log("whole")?;
    let case = |name, says, receipt: ReceiptFile| {
        Ok::<_, Fault>(Case::new(name, says, What::Receipt(receipt.to_json()?)))
    };
    let mut closed = granted(&log)?;
    (request(&mut closed)?.entry_key, request(&mut closed)?.sealed) = (None, None);
    closed.answer = None;
    Ok(vec![
        case("granted", "Nothing is wrong.", granted(&log)?)?,
        case("refused", "Nothing is wrong, and nothing was released.", refused(&log)?)?,
        case("granted-closed", "Nothing is wrong. One sealed part and the answer were not kept.", closed)?,
        case("without-a-key", "Nothing is wrong, and no key is there to see that with.", granted(&log)?)?
            .trusting(Trust::Nothing)
            .finds(5, &[(None, "keys_not_given")]),
    ])
}

/// Leaf, proof and checkpoint.
fn proofs() -> Result<Vec<Case>, Fault> {
    let stranger = "test-key.stranger.example";
    Ok(vec![
        changed("proof-too-short", "The proof of the request lacks its last hash.", |receipt| {
            let entry = request(receipt)?;
            let mut proof: TlogProof = entry.proof.parse()?;
            proof.hashes.pop();
            entry.proof = proof.to_string();
            Ok(())
        })?
        .finds(4, &[(Some(2), "proof_mismatch")]),
        changed("proof-of-another-place", "The proof of the request says that it is entry 1.", |receipt| {
            let entry = request(receipt)?;
            entry.proof = replaced(&entry.proof, "index 2\n", "index 1\n")?;
            Ok(())
        })?
        .finds(4, &[(Some(1), "proof_mismatch")]),
        changed(
            "proof-with-extra",
            "The proof of the request has data that nothing vouches for.",
            |receipt| {
                let entry = request(receipt)?;
                entry.proof = replaced(&entry.proof, "index 2\n", "extra AAAA\nindex 2\n")?;
                Ok(())
            },
        )?
        .finds(4, &[(Some(2), "proof_malformed")]),
        changed(
            "proof-not-in-the-format",
            "The proof of the request names its position in another way.",
            |receipt| {
                let entry = request(receipt)?;
                entry.proof = replaced(&entry.proof, "index 2\n", "index 02\n")?;
                Ok(())
            },
        )?
        .finds(4, &[(None, "proof_malformed")]),
        changed("leaf-changed", "The request is a millisecond later than it was.", |receipt| {
            let entry = request(receipt)?;
            entry.leaf = replaced(&entry.leaf, "09:30:00.274Z", "09:30:00.275Z")?;
            Ok(())
        })?
        .finds(4, &[(Some(2), "proof_mismatch")]),
        changed(
            "signature-of-another-size",
            "The signature is that of the log with eight entries.",
            |receipt| {
                let other = log("whole")?.signed(8)?;
                let line = other.rsplit_once("\n\n").ok_or("not a note")?.1;
                let entry = request(receipt)?;
                let head = entry.proof.rsplit_once("\n\n").ok_or("not a proof")?.0;
                entry.proof = format!("{head}\n\n{line}");
                Ok(())
            },
        )?
        .finds(4, &[(Some(2), "signature_invalid")]),
        changed("log-of-a-stranger", "The request stands in a log that nobody trusts.", |receipt| {
            let checkpoint = Checkpoint { origin: stranger.to_owned(), ..log("whole")?.checkpoint(8)? };
            let mut refused = refused(&log("whole")?)?;
            let entry = request(&mut refused)?;
            let mut proof: TlogProof = entry.proof.parse()?;
            proof.checkpoint = checkpoint.sign(&test_key(stranger)?)?;
            entry.proof = proof.to_string();
            *receipt = refused;
            Ok(())
        })?
        .finds(4, &[(Some(4), "signature_unknown"), (Some(4), "signature_missing")]),
        told("receipt-of-no-leaf", "The log has an entry that has a space more than a leaf has.", |log| {
            log.retell(4, ",\"v\":1", ", \"v\":1")
        })?
        .finds(4, &[(Some(4), "leaf_malformed")]),
        told("receipt-of-an-unknown-kind", "The entry is of a kind that nobody knows.", |log| {
            log.retell(4, "\"request\"", "\"novelty\"")
        })?
        .finds(5, &[(Some(4), "kind_unknown")]),
    ])
}

/// What stands beside a leaf, and the answer.
fn parts() -> Result<Vec<Case>, Fault> {
    Ok(vec![
        changed("asked-for-more", "The facts of the request name another field.", |receipt| {
            let entry = request(receipt)?;
            entry.facts = replaced(&entry.facts, "WT-01", "WT-02")?;
            Ok(())
        })?
        .finds(4, &[(Some(2), "facts_mismatch")]),
        told("receipt-of-loose-facts", "The facts are committed to with a space in them.", |log| {
            log.reword(4, "{\"purpose\": \"REINTEGRATION\"}")
        })?
        .finds(4, &[(Some(4), "facts_malformed")]),
        changed(
            "sealed-of-another",
            "The sealed part and key of the request are those of the outcome.",
            |receipt| {
                let [request, outcome] = receipt.entries.as_mut_slice() else {
                    return Err("two entries".into());
                };
                (request.sealed, request.entry_key) = (outcome.sealed.clone(), outcome.entry_key.clone());
                Ok(())
            },
        )?
        .finds(4, &[(Some(2), "sealed_mismatch")]),
        changed("sealed-without-key", "The sealed part of the request has no key with it.", |receipt| {
            request(receipt)?.entry_key = None;
            Ok(())
        })?
        .finds(4, &[(Some(2), "part_missing")]),
        told("sealed-does-not-open", "The log commits to a sealed part that does not open.", |log| {
            let leaf = Leaf::parse(&log.record(4)?.leaf)?;
            let (id, key) = (leaf.id(), log.entry_key(&leaf.id())?);
            let mut sealed = seal::seal(&key, &id, b"")?;
            sealed.reverse();
            let leaf = Leaf { client: commit_client(&id, &key, &sealed), ..leaf };
            log.change(4, |record| {
                record.leaf = leaf.encode();
                let key_hash = key.hash();
                record.sealed = Some(sluis::audit::export::SealedPart::Present { key_hash, bytes: sealed });
            })
        })?
        .finds(4, &[(Some(4), "sealed_closed")]),
        changed(
            "answer-of-another",
            "The answer discloses once more than the outcome commits to.",
            |receipt| {
                receipt.answer = Some(answer(2));
                Ok(())
            },
        )?
        .finds(4, &[(None, "answer_mismatch")]),
        changed(
            "answer-without-salt",
            "The salt of the answer is gone, so nothing shows that it is the one.",
            |receipt| {
                receipt.answer_salt = None;
                Ok(())
            },
        )?
        .finds(4, &[(None, "answer_not_committed")]),
        changed("answer-without-outcome", "The outcome is gone, and the answer discloses.", |receipt| {
            receipt.entries.truncate(1);
            Ok(())
        })?
        .finds(4, &[(None, "answer_not_committed")]),
    ])
}

/// What the entries are to each other.
fn together() -> Result<Vec<Case>, Fault> {
    let entries = (None, "receipt_entries");
    Ok(vec![
        changed(
            "outcome-of-another",
            "The outcome is the one of another request, and commits to no answer.",
            |receipt| {
                receipt.entries.truncate(1);
                receipt.entries.push(opened(&log("whole")?, 6, 8)?);
                Ok(())
            },
        )?
        .finds(4, &[(Some(6), "receipt_entries"), (None, "answer_not_committed")]),
        changed("outcome-comes-first", "Request and outcome have changed places.", |receipt| {
            receipt.entries.reverse();
            receipt.answer = None;
            Ok(())
        })?
        .finds(
            4,
            &[(Some(3), "receipt_entries"), (Some(2), "receipt_entries"), (Some(2), "receipt_entries")],
        ),
        changed("outcome-comes-twice", "There is a third entry.", |receipt| {
            receipt.entries.extend(receipt.entries.last().cloned());
            Ok(())
        })?
        .finds(4, &[entries]),
        changed("nothing-but-an-answer", "There is no entry.", |receipt| {
            receipt.entries.clear();
            Ok(())
        })?
        .finds(4, &[entries, (None, "answer_not_committed")]),
    ])
}

/// What is no receipt at all.
fn forms() -> Result<Vec<Case>, Fault> {
    let malformed = [(None, "receipt_malformed")];
    Ok(vec![
        rewritten("member-unknown", "There is a member that no receipt has.", |text| {
            replaced(text, "\"answer_salt\":", "\"note\": \"checked\",\n  \"answer_salt\":")
        })?
        .finds(5, &malformed),
        rewritten("member-twice", "The answer's salt is there twice.", |text| {
            let line = text.lines().find(|line| line.contains("\"answer_salt\"")).ok_or("no salt")?;
            replaced(text, line, &format!("{line}\n{line}"))
        })?
        .finds(5, &malformed),
        rewritten(
            "base64-with-rest-bits",
            "The last character of the answer's salt has bits that stand for nothing.",
            |text| {
                let line = text.lines().find(|line| line.contains("\"answer_salt\"")).ok_or("no salt")?;
                let (head, tail) = line.split_once('=').ok_or("no padding")?;
                let last = head.bytes().last().ok_or("no salt")?;
                // Thirty-two bytes leave two bits over in the last character; the next letter has one of them set.
                let head = head.strip_suffix(char::from(last)).ok_or("no salt")?;
                replaced(text, line, &format!("{head}{}={tail}", char::from(last + 1)))
            },
        )?
        .finds(5, &malformed),
        rewritten("not-whole", "The file ends in the middle.", |text| {
            Ok(text.chars().take(text.len() / 2).collect())
        })?
        .finds(5, &malformed),
        rewritten("of-another-log-name", "The checkpoint of the request names another log.", |text| {
            Ok(text.replacen(&format!("\\n\\n{ORIGIN}\\n"), "\\n\\ntest-key.sluis.example/2025\\n", 1))
        })?
        .finds(4, &[(Some(2), "signature_invalid"), (Some(3), "receipt_entries")]),
    ])
}
