//! Verifies a receipt without the gateway's code: written from docs/audit-log.md, the C2SP formats (signed-note,
//! tlog-checkpoint, tlog-proof, tlog-cosignature), RFC 6962 and RFC 8785. A start for a verifier of your own.
//!
//! `verify_receipt RECEIPT.json VKEY [VKEY...]`: the log's key, then those of witnesses where they have signed too. Exit
//! status as in docs/audit-log.md: 0 verified, 4 tampered, 5 unreadable.

#![expect(clippy::print_stderr, reason = "a program of the command line")]

#[path = "verify_receipt/forms.rs"]
mod forms;

use std::{env, fs, process::ExitCode};

use forms::{
    KINDS, Object, base64, bytes, canonical_object, discloses_nothing, hash, is_moment, number, receipt_form,
    sha256, text, uuid,
};
use ring::{aead, signature};
use serde_json::Value;

/// What is wrong, as a code of docs/audit-log.md.
type Code = &'static str;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((path, keys)) = arguments.split_first() else {
        eprintln!("usage: verify_receipt RECEIPT.json VKEY [VKEY...]");
        return ExitCode::from(2);
    };
    let verified = fs::read(path).map_err(|_| "file_unreadable").and_then(|file| verify(&file, keys));
    match verified {
        Ok(entries) => println!("the receipt holds: {entries} entries of the log"),
        Err(code) => eprintln!("the receipt does not hold: {code}"),
    }
    ExitCode::from(verified.map_or_else(exit_status, |_| 0))
}

/// Exit status that goes with a code.
pub fn exit_status(code: Code) -> u8 {
    match code {
        "file_unreadable" | "receipt_malformed" | "checkpoint_malformed" | "kind_unknown" => 5,
        "keys_unreadable" | "keys_not_given" => 5,
        _ => 4,
    }
}

/// Verifies a receipt file under these verifier keys, and stops at what is wrong first. Gives the number of its entries.
pub fn verify(file: &[u8], keys: &[String]) -> Result<usize, Code> {
    let keys = keys.iter().map(|key| Key::read(key)).collect::<Option<Vec<_>>>().ok_or("keys_unreadable")?;
    if !keys.iter().any(|key| key.kind == LOG) {
        return Err("keys_not_given");
    }
    let value: Value = serde_json::from_slice(file).map_err(|_| "receipt_malformed")?;
    let file = receipt_form(file, &value).ok_or("receipt_malformed")?;
    let entries: Vec<_> = file.get("entries").and_then(Value::as_array).into_iter().flatten().collect();
    let seen = entries.iter().map(|entry| verify_entry(entry, &keys)).collect::<Result<Vec<_>, _>>()?;
    let together = match seen.as_slice() {
        [request] => request.kind == "request",
        [request, outcome] => {
            (request.kind.as_str(), outcome.kind.as_str()) == ("request", "outcome")
                && (&request.pair, &request.origin) == (&outcome.pair, &outcome.origin)
                && request.index < outcome.index
                && request.time <= outcome.time
        }
        _ => false,
    };
    if !together {
        return Err("receipt_entries");
    }
    let Some(answer) = bytes(file, "answer") else { return Ok(seen.len()) };
    let Some(outcome) = seen.get(1) else {
        return discloses_nothing(&answer).map(|()| 1).ok_or("answer_not_committed");
    };
    let salt = bytes(file, "answer_salt").filter(|salt| salt.len() == 32).ok_or("answer_not_committed")?;
    let committed = hash(&outcome.facts, "answer").ok_or("answer_not_committed")?;
    let right = sha256(&[b"sluis/v1/answer\0", &salt, &answer]) == committed;
    if right { Ok(2) } else { Err("answer_mismatch") }
}

/// What of a verified entry the other is compared with.
struct Seen {
    index: u64,
    origin: String,
    kind: String,
    pair: String,
    time: String,
    facts: Object,
}

fn verify_entry(entry: &Value, keys: &[Key]) -> Result<Seen, Code> {
    let entry = entry.as_object().ok_or("receipt_malformed")?;
    let (index, path, note) = text(entry, "proof").and_then(read_proof).ok_or("proof_malformed")?;
    let (signed, lines) = read_note(note).ok_or("checkpoint_malformed")?;
    let (origin, size, root) = read_checkpoint(&signed).ok_or("checkpoint_malformed")?;
    let mut by_log = false;
    for (name, id_and_signature) in lines {
        let (id, signature) = id_and_signature.split_at(4);
        // Whether somebody else's line was changed nobody could tell.
        let key = keys.iter().find(|key| key.name == name && key.id == id).ok_or("signature_unknown")?;
        key.made(signature, &signed).ok_or("signature_invalid")?;
        by_log |= key.kind == LOG && key.name == origin;
    }
    if !by_log {
        return Err("signature_missing");
    }
    let leaf_text = text(entry, "leaf").unwrap_or_default();
    if root_of(index, size, leaf_text.as_bytes(), &path) != Some(root) {
        return Err("proof_mismatch");
    }
    let leaf = canonical_object(leaf_text).filter(|leaf| leaf.len() == 6 && leaf.get("v") == Some(&1.into()));
    let leaf = leaf.ok_or("leaf_malformed")?;
    let member = |name| text(&leaf, name).ok_or("leaf_malformed");
    let (kind, pair, time) = (member("kind")?, member("pair")?, member("time")?);
    let (client, facts_hash) = (hash(&leaf, "client"), hash(&leaf, "facts"));
    let (client, facts_hash) = client.zip(facts_hash).ok_or("leaf_malformed")?;
    let named = (1..=40).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let uuid = uuid(pair).filter(|_| named && is_moment(time)).ok_or("leaf_malformed")?;
    if !KINDS.contains(&kind) {
        return Err("kind_unknown");
    }
    let (facts, salt) =
        (text(entry, "facts").unwrap_or_default(), bytes(entry, "facts_salt").unwrap_or_default());
    if salt.len() != 32 || sha256(&[b"sluis/v1/facts\0", &salt, facts.as_bytes()]) != facts_hash {
        return Err("facts_mismatch");
    }
    let facts = canonical_object(facts).ok_or("facts_malformed")?;
    match (bytes(entry, "entry_key"), bytes(entry, "sealed")) {
        (None, None) => {}
        (Some(key), Some(sealed)) => {
            check_sealed(&[&uuid, kind.as_bytes()].concat(), &key, &sealed, &client)?
        }
        _ => return Err("part_missing"),
    }
    Ok(Seen { index, origin, kind: kind.to_owned(), pair: pair.to_owned(), time: time.to_owned(), facts })
}

fn check_sealed(id: &[u8], key: &[u8], sealed: &[u8], client: &[u8]) -> Result<(), Code> {
    let length = (id.len() as u64).to_be_bytes();
    if key.len() != 32 || sha256(&[b"sluis/v1/client\0", &length, id, &sha256(&[key]), sealed]) != client {
        return Err("sealed_mismatch");
    }
    let open = || {
        let key = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, key).ok()?);
        let (nonce, mut bytes) = (aead::Nonce::assume_unique_for_key([0; 12]), sealed.to_vec());
        let padded = key.open_in_place(nonce, aead::Aad::from(id), &mut bytes).ok()?;
        let end = padded.iter().rposition(|byte| *byte != 0)?;
        let whole = padded.len() % 256 == 0 && padded.len() - end <= 256;
        (whole && padded.get(end) == Some(&0x80)).then_some(())
    };
    open().ok_or("sealed_closed")
}

// Signed notes, checkpoints, and proofs in the tree.

/// Types of a key and its signatures: the log's, and a witness's.
const LOG: u8 = 1;
const WITNESS: u8 = 4;

/// A verifier key: `name+id in hex+base64(type and public key)`.
struct Key {
    name: String,
    id: Vec<u8>,
    kind: u8,
    public: Vec<u8>,
}

impl Key {
    fn read(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (id, encoded) = rest.split_once('+')?;
        let data = base64(encoded).filter(|data| data.len() == 33 && is_name(name))?;
        let own =
            sha256(&[name.as_bytes(), b"\n", &data]).get(..4).filter(|own| hex::encode(own) == id)?.to_vec();
        let (&kind, public) = data.split_first().filter(|(kind, _)| [LOG, WITNESS].contains(*kind))?;
        Some(Self { name: name.to_owned(), id: own, kind, public: public.to_vec() })
    }

    fn made(&self, bytes: &[u8], text: &str) -> Option<()> {
        let key = signature::UnparsedPublicKey::new(&signature::ED25519, &self.public);
        if self.kind == LOG {
            return key.verify(text.as_bytes(), bytes).ok();
        }
        // A witness signs the moment too, which stands in eight bytes ahead of the signature.
        let (time, bytes) = bytes.split_first_chunk::<8>()?;
        let time = i64::try_from(u64::from_be_bytes(*time)).ok()?;
        key.verify(format!("cosignature/v1\ntime {time}\n{text}").as_bytes(), bytes).ok()
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+')
}

/// A signature line: name of the key, then its id and the signature.
type Line<'a> = (&'a str, Vec<u8>);

fn read_note(note: &str) -> Option<(String, Vec<Line<'_>>)> {
    let (text, tail) = note.rsplit_once("\n\n")?;
    let mut lines: Vec<Line<'_>> = Vec::new();
    for line in tail.strip_suffix('\n')?.split('\n') {
        let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let data = base64(encoded).filter(|data| data.len() > 4 && is_name(name) && lines.len() < 64)?;
        let twice = lines.iter().any(|(other, of)| *other == name && of.get(..4) == data.get(..4));
        lines.push((name, Some(data).filter(|_| !twice)?));
    }
    Some((format!("{text}\n"), lines))
}

fn read_checkpoint(text: &str) -> Option<(String, u64, Vec<u8>)> {
    let rows: Vec<_> = text.split('\n').collect();
    let [origin, size, root, ""] = rows.as_slice() else { return None };
    is_name(origin).then_some((
        (*origin).to_owned(),
        number(size)?,
        base64(root).filter(|root| root.len() == 32)?,
    ))
}

fn read_proof(text: &str) -> Option<(u64, Vec<Vec<u8>>, &str)> {
    let (head, checkpoint) = text.split_once("\n\n")?;
    let mut lines = head.strip_prefix("c2sp.org/tlog-proof@v1\nindex ")?.split('\n');
    let index = number(lines.next()?)?;
    let path = lines.map(|line| base64(line).filter(|hash| hash.len() == 32)).collect::<Option<_>>()?;
    Some((index, path, Some(checkpoint).filter(|checkpoint| !checkpoint.is_empty())?))
}

/// Root of the tree of this size that has the leaf at this position: RFC 9162, 2.1.3.2.
fn root_of(index: u64, size: u64, leaf: &[u8], path: &[Vec<u8>]) -> Option<Vec<u8>> {
    let (mut at, mut last) = (index, size.checked_sub(1).filter(|last| index <= *last)?);
    let mut root = sha256(&[&[0], leaf]);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at % 2 == 1 || at == last {
            root = sha256(&[&[1], sibling, &root]);
            while at % 2 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            root = sha256(&[&[1], &root, sibling]);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}
