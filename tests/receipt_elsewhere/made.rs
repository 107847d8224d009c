//! Receipts of logs that are made here, so that what a gateway never writes is signed all the same: only then is seen what
//! a verifier makes of it, and not just that a signature fails.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::{aead, digest, signature::Ed25519KeyPair};
use serde_json::{Value, json};
use sluis::{
    audit::{
        leaf::{Salt, commit_answer, commit_client, commit_facts},
        proof::TlogProof,
        seal::{self, EntryKey},
        tree::{Extension, Frontier, Hash, leaf_hash, root_from_inclusion},
    },
    note::NoteSigner,
};

use crate::verifiers::Case;

pub const ORIGIN: &str = "test.example/2026";
const PAIR: &str = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
const SALT: Salt = [2; 32];
const ANSWER: &[u8] = b"\x0a\x01a\x12\x01b\x1a\x00";
const SILENT: &[u8] = b"\x0a\x01a\x12\x01b";

/// What becomes of a text before it is hashed or signed.
type Change = fn(&str) -> String;

/// An entry as it is made, each part of which can be another.
#[derive(Clone)]
struct Made {
    pair: String,
    id: Vec<u8>,
    kind: &'static str,
    time: &'static str,
    facts: String,
    padded: Vec<u8>,
    key: [u8; 32],
    /// The leaf's text, made from its parts.
    leaf: Change,
    before: u64,
    after: u64,
    origin: &'static str,
    /// The checkpoint's text, made from its parts.
    text: Change,
}

fn b64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

fn same(text: &str) -> String {
    text.to_owned()
}

fn request() -> Made {
    let mut padded = vec![0; 256];
    padded[..3].copy_from_slice(b"{}\x80");
    Made {
        pair: PAIR.to_owned(),
        id: hex::decode(PAIR.replace('-', "")).unwrap(),
        kind: "request",
        time: "2026-11-23T09:30:00.000Z",
        facts: r#"{"fields":["WT-01"],"purpose":"REINTEGRATION"}"#.to_owned(),
        padded,
        key: [3; 32],
        leaf: same,
        before: 9,
        after: 11,
        origin: ORIGIN,
        text: same,
    }
}

fn outcome() -> Made {
    let answer = b64(&commit_answer(&SALT, ANSWER));
    Made {
        kind: "outcome",
        facts: format!(r#"{{"answer":"{answer}","effect":"answered"}}"#),
        before: 40,
        ..request()
    }
}

/// Signs whatever text it is given; the gateway's signer does not.
pub struct Log {
    seed: u8,
    key: Ed25519KeyPair,
    pub vkey: String,
}

impl Log {
    pub fn new(seed: u8) -> Self {
        let key = || Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        Self { seed, vkey: NoteSigner::new(ORIGIN, key()).unwrap().verifier().to_string(), key: key() }
    }

    /// The same key under the name of another.
    pub fn renamed(&self, other: &str) -> String {
        let (name, _) = other.split_once('+').unwrap();
        NoteSigner::new(name, Ed25519KeyPair::from_seed_unchecked(&[self.seed; 32]).unwrap())
            .unwrap()
            .verifier()
            .to_string()
    }

    fn note(&self, text: &str) -> String {
        let id = self.vkey.split('+').nth(1).unwrap();
        let signature = [hex::decode(id).unwrap(), self.key.sign(text.as_bytes()).as_ref().to_vec()].concat();
        format!("{text}\n\u{2014} {ORIGIN} {}\n", b64(&signature))
    }

    fn open(&self, made: &Made) -> Value {
        let id = [made.id.as_slice(), made.kind.as_bytes()].concat();
        let cipher = aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, &made.key).unwrap());
        let mut sealed = made.padded.clone();
        let nonce = aead::Nonce::assume_unique_for_key([0; 12]);
        cipher.seal_in_place_append_tag(nonce, aead::Aad::from(&id), &mut sealed).unwrap();
        let client = b64(&commit_client(&id, &EntryKey::from_bytes(made.key), &sealed));
        let facts = b64(&commit_facts(&SALT, made.facts.as_bytes()));
        let leaf = (made.leaf)(&format!(
            r#"{{"client":"{client}","facts":"{facts}","kind":"{}","pair":"{}","time":"{}","v":1}}"#,
            made.kind, made.pair, made.time
        ));
        let mut frontier = Frontier::empty();
        (0..made.before).for_each(|n| frontier.append(leaf_hash(&n.to_be_bytes())));
        let after = (0..made.after).map(|n| leaf_hash(&n.to_le_bytes()));
        let batch: Vec<_> = std::iter::once(leaf_hash(leaf.as_bytes())).chain(after).collect();
        let extension = Extension::new(&frontier, &batch);
        let head = extension.frontier();
        let text = (made.text)(&format!("{}\n{}\n{}\n", made.origin, head.size(), b64(&head.root())));
        let hashes = extension.inclusion(made.before).unwrap();
        let proof = TlogProof { extra: None, index: made.before, hashes, checkpoint: self.note(&text) };
        json!({
            "leaf": leaf, "proof": proof.to_string(), "facts": made.facts, "facts_salt": b64(&SALT),
            "entry_key": b64(&made.key), "sealed": b64(&sealed),
        })
    }

    fn case(&self, name: impl Into<String>, entries: &[Made], answer: Option<&[u8]>) -> Case {
        let entries: Vec<_> = entries.iter().map(|made| self.open(made)).collect();
        let mut file = json!({"entries": entries, "answer_salt": b64(&SALT)});
        if let Some(answer) = answer {
            file["answer"] = json!(b64(answer));
        }
        Case::new(name, file.to_string(), &self.vkey)
    }

    /// An entry at a position, and in a log of a size, that no test could fill.
    fn far(&self, name: &str, index: u64, size: u64) -> Case {
        let mut entry = self.open(&request());
        let leaf = leaf_hash(entry["leaf"].as_str().unwrap().as_bytes());
        let found = (0..64).find_map(|count| {
            let hashes: Vec<Hash> = (0..count).map(|n| leaf_hash(&[n])).collect();
            Some((root_from_inclusion(index, size, leaf, &hashes).ok()?, hashes))
        });
        let (root, hashes) = found.unwrap();
        let checkpoint = self.note(&format!("{ORIGIN}\n{size}\n{}\n", b64(&root)));
        entry["proof"] = json!(TlogProof { extra: None, index, hashes, checkpoint }.to_string());
        Case::new(name, json!({"entries": [entry]}).to_string(), &self.vkey)
    }
}

/// Every one, whether it holds or not.
pub fn all(log: &Log) -> Vec<Case> {
    let pair = [request(), outcome()];
    let mut cases = vec![
        log.case("made, released", &pair, Some(ANSWER)),
        log.case("made, another answer", &pair, Some(SILENT)),
        log.far("far away", (1 << 62) + 5, (1 << 63) - 1),
        log.far("beyond what a double can count", (1 << 53) + 1, (1 << 53) + 2),
        log.far("last of a full tree", (1 << 40) - 1, 1 << 40),
    ];
    answers(log, &mut cases);
    entries(log, &mut cases);
    for (name, facts) in FACTS {
        let made = Made { facts: (*facts).to_owned(), ..request() };
        cases.push(log.case(format!("facts, {name}"), &[made], None));
    }
    for (name, leaf) in LEAVES {
        cases.push(log.case(format!("leaf, {name}"), &[Made { leaf: *leaf, ..request() }], None));
    }
    for (name, text) in CHECKPOINTS {
        cases.push(log.case(format!("checkpoint, {name}"), &[Made { text: *text, ..request() }], None));
    }
    for size in 1..=9 {
        for before in 0..size {
            let made = Made { before, after: size - 1 - before, ..request() };
            let case = log.case(format!("entry {before} of {size}"), &[made], None);
            // The position is in no signature: the proof alone says where an entry stands.
            for claimed in (0..=size + 1).filter(|claimed| *claimed != before) {
                let (from, to) = (format!("index {before}\\n"), format!("index {claimed}\\n"));
                let file = String::from_utf8_lossy(&case.file).replacen(&from, &to, 1);
                cases.push(Case::new(format!("{} as entry {claimed}", case.name), file, &log.vkey));
            }
            cases.push(case);
        }
    }
    cases
}

/// Answers with nothing that commits to them.
fn answers(log: &Log, cases: &mut Vec<Case>) {
    let group = b"\x0a\x01a\x12\x01b\x7a\x01x\x7d\x01\x02\x03\x04\x79\x01\x02\x03\x04\x05\x06\x07\x08";
    for (name, answer) in [
        ("silent", SILENT),
        ("empty", b""),
        ("one that discloses", ANSWER),
        ("fields that nobody knows", group),
        ("not provided", b"\x2a\x03\x0a\x01a"),
        ("a path that is no text", b"\x2a\x03\x0a\x01\xff"),
        ("a path that is a number", b"\x2a\x02\x08\x01"),
        ("an id that is no text", b"\x0a\x01\xff"),
        ("an id that is a number", b"\x08\x01"),
        ("a disclosure that is a number", b"\x18\x01"),
        ("cut off", b"\x0a\x05a"),
        ("cut off in a number", b"\x78\x80"),
        ("a number of eleven bytes", b"\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        ("a number beyond 64 bits", b"\x78\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
        ("field number 0", b"\x02\x00"),
        ("a wire type that there is not", b"\x7e"),
        ("an end without a start", b"\x7c"),
        ("a tag beyond 32 bits", b"\xf8\xff\xff\xff\xff\x01\x00"),
    ] {
        cases.push(log.case(format!("an answer of nothing, {name}"), &[request()], Some(answer)));
    }
}

/// Entries that do not belong together, and sealed parts that nobody should have sealed so.
fn entries(log: &Log, cases: &mut Vec<Case>) {
    let pair = "0b9c1d52-2f1c-4f5e-9a53-4d4f0a6c7b21".to_owned();
    let id = hex::decode(pair.replace('-', "")).unwrap();
    let second = [
        ("of another pair", Made { pair, id, ..outcome() }),
        ("ahead of its request", Made { before: 3, ..outcome() }),
        ("at the place of its request", Made { before: 9, ..outcome() }),
        ("earlier than its request", Made { time: "2026-11-23T09:29:59.999Z", ..outcome() }),
        ("at the same time", outcome()),
        ("that is a consent", Made { kind: "consent", ..outcome() }),
        ("without a commitment", Made { facts: r#"{"answer":null}"#.to_owned(), ..outcome() }),
        ("with a commitment too short", Made { facts: r#"{"answer":"AAAA"}"#.to_owned(), ..outcome() }),
        ("with a number as commitment", Made { facts: r#"{"answer":1}"#.to_owned(), ..outcome() }),
    ];
    for (name, made) in second {
        cases.push(log.case(format!("an outcome {name}"), &[request(), made], Some(ANSWER)));
    }
    for kind in ["consent", "seal", "telegram", "Request", "a kind", ""] {
        let made = Made { kind, ..request() };
        cases.push(log.case(format!("a `{kind}` alone"), &[made], None));
    }
    let with = |length: usize, end: usize, byte: u8| {
        let mut padded = vec![0; length];
        padded[end] = byte;
        padded
    };
    for (name, padded) in [
        ("of a whole block", with(256, 0, 0x80)),
        ("over two blocks", with(512, 300, 0x80)),
        ("a block too much", with(512, 3, 0x80)),
        ("another end", with(256, 3, 0x01)),
        ("no end", vec![0; 256]),
        ("no whole block", with(255, 3, 0x80)),
        ("nothing", vec![]),
    ] {
        cases.push(log.case(format!("padding, {name}"), &[Made { padded, ..request() }], None));
    }
}

/// Facts, and what is or is not their canonical form.
const FACTS: &[(&str, &str)] = &[
    ("none", "{}"),
    ("not an object", "[]"),
    ("not JSON", "{"),
    ("nothing", ""),
    ("a space", r#"{"a": 1}"#),
    ("members in order", r#"{"a":1,"b":[true,false,null,{}]}"#),
    ("members out of order", r#"{"b":1,"a":2}"#),
    ("a member twice", r#"{"a":1,"a":1}"#),
    ("a name that every object has", r#"{"__proto__":1,"constructor":2}"#),
    ("names that look like numbers", r#"{"10":1,"9":2}"#),
    ("names that look like numbers, by value", r#"{"9":2,"10":1}"#),
    // By UTF-16 the first comes first, by UTF-8 the second.
    ("names ordered by UTF-16", "{\"\u{1f600}\":1,\"\u{ffee}\":2}"),
    ("names ordered by UTF-8", "{\"\u{ffee}\":2,\"\u{1f600}\":1}"),
    ("an escape too many", r#"{"a":"\u00e9"}"#),
    ("no escape", "{\"a\":\"\u{e9}\"}"),
    ("a slash escaped", r#"{"a":"\/"}"#),
    ("a control character, short", r#"{"a":"\n\t\b\f\r"}"#),
    ("a control character, long", r#"{"a":"\u000a"}"#),
    ("another control character", r#"{"a":"\u001f"}"#),
    ("the same in capitals", r#"{"a":"\u001F"}"#),
    ("an unescaped DEL and line separator", "{\"a\":\"\u{7f}\u{2028}\"}"),
    ("half a surrogate pair", r#"{"a":"\ud83d"}"#),
    ("a whole number", r#"{"a":9007199254740991}"#),
    ("a whole number as a fraction", r#"{"a":1.0}"#),
    ("a whole number with an exponent", r#"{"a":1e3}"#),
    ("a negative number", r#"{"a":-7}"#),
    ("a negative zero", r#"{"a":-0}"#),
    ("a zero ahead", r#"{"a":01}"#),
    ("a fraction", r#"{"a":0.5}"#),
    ("an infinite number", r#"{"a":1e400}"#),
    ("not a number", r#"{"a":NaN}"#),
    ("something after it", "{}\n"),
    ("a byte order mark", "\u{feff}{}"),
];

/// What may have become of a leaf before it was hashed.
const LEAVES: &[(&str, Change)] = &[
    ("as it is", same),
    ("a space", |leaf| leaf.replace("\"v\":1", "\"v\": 1")),
    ("another version", |leaf| leaf.replace("\"v\":1", "\"v\":2")),
    ("the version as a fraction", |leaf| leaf.replace("\"v\":1", "\"v\":1.0")),
    ("the version as a text", |leaf| leaf.replace("\"v\":1", "\"v\":\"1\"")),
    ("a member more", |leaf| leaf.replace("\"v\":1", "\"v\":1,\"x\":1")),
    ("a member less", |leaf| leaf.replace(",\"v\":1", "")),
    ("a member twice", |leaf| leaf.replace("\"v\":1", "\"v\":1,\"v\":1")),
    ("out of order", |leaf| leaf.replace(",\"v\":1", "").replacen('{', "{\"v\":1,", 1)),
    ("a line end", |leaf| format!("{leaf}\n")),
    ("escaped", |leaf| leaf.replace("request", "reques\\u0074")),
    ("rest bits", |leaf| {
        let end = leaf.find("=\",\"kind\"").unwrap();
        let next = char::from(leaf.as_bytes()[end - 1] + 1);
        format!("{}{next}{}", &leaf[..end - 1], &leaf[end..])
    }),
    ("a hash too short", |leaf| leaf.replacen("\"facts\":\"", "\"facts\":\"AAAA\",\"f\":\"", 1)),
    ("a pair of version 1", |leaf| leaf.replace("-4372-", "-1372-")),
    ("a pair in capitals", |leaf| leaf.replace("f47ac10b", "F47AC10B")),
    ("a pair without hyphens", |leaf| leaf.replace(PAIR, &PAIR.replace('-', ""))),
    ("a time without milliseconds", |leaf| leaf.replace(".000Z", "Z")),
    ("a time of another zone", |leaf| leaf.replace(".000Z", ".000+00:00")),
    ("a time in small letters", |leaf| leaf.replace('Z', "z")),
    ("a day that there is not", |leaf| leaf.replace("11-23", "02-30")),
    ("a day that there is in leap years", |leaf| leaf.replace("2026-11-23", "2028-02-29")),
    ("the same in another", |leaf| leaf.replace("2026-11-23", "2100-02-29")),
    ("a month that there is not", |leaf| leaf.replace("11-23", "13-01")),
    ("an hour that there is not", |leaf| leaf.replace("T09", "T24")),
    ("a leap second", |leaf| leaf.replace("2026-11-23T09:30:00", "2016-12-31T23:59:60")),
    ("a time that is none", |leaf| leaf.replace("2026-11-23T09:30:00.000Z", "yesterday")),
    ("no JSON", |_| "leaf".to_owned()),
    ("nothing", |_| String::new()),
];

/// What may have become of a checkpoint before it was signed.
const CHECKPOINTS: &[(&str, Change)] = &[
    ("as it is", same),
    ("an extension line", |text| format!("{text}extension\n")),
    ("an empty line", |text| format!("{text}\n")),
    ("a zero ahead of the size", |text| text.replacen("\n21\n", "\n021\n", 1)),
    ("a larger size", |text| text.replacen("\n21\n", "\n22\n", 1)),
    ("a size of nothing", |text| text.replacen("\n21\n", "\n0\n", 1)),
    ("a size beyond 64 bits", |text| text.replacen("\n21\n", "\n18446744073709551637\n", 1)),
    ("the origin of another", |text| text.replacen("2026", "2027", 1)),
    ("an origin with a space", |text| text.replacen("test.example", "test example", 1)),
    ("no origin", |text| text.replacen(ORIGIN, "", 1)),
    ("a tab", |text| text.replacen("\n21", "\n\t21", 1)),
    ("no padding", |text| text.replace('=', "")),
];

/// A witness, and a receipt whose checkpoint it has signed too: the two vkeys, and the file.
pub fn cosigned(log: &Log, time: u64, change: fn(&mut Vec<u8>)) -> (String, String) {
    let key = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let name = "witness.example";
    let public = [&[4], ring::signature::KeyPair::public_key(&key).as_ref()].concat();
    let hashed = [name.as_bytes(), b"\n", &public].concat();
    let id = &digest::digest(&digest::SHA256, &hashed).as_ref()[..4].to_vec();
    let mut entry = log.open(&request());
    let proof = entry["proof"].as_str().unwrap();
    let (_, note) = proof.split_once("\n\n").unwrap();
    let (text, _) = note.split_once("\n\n").unwrap();
    let signed = key.sign(format!("cosignature/v1\ntime {time}\n{text}\n").as_bytes());
    let mut bytes = [id.as_slice(), &time.to_be_bytes(), signed.as_ref()].concat();
    change(&mut bytes);
    entry["proof"] = json!(format!("{proof}\u{2014} {name} {}\n", b64(&bytes)));
    (format!("{name}+{}+{}", hex::encode(id), b64(&public)), json!({"entries": [entry]}).to_string())
}

/// That what is sealed here is what the gateway would seal.
#[test]
fn seals_as_the_gateway_does() {
    let made = request();
    let id = [made.id.as_slice(), made.kind.as_bytes()].concat();
    let sealed = seal::seal(&EntryKey::from_bytes(made.key), &id, b"{}").unwrap();
    assert_eq!(Log::new(1).open(&made)["sealed"], json!(b64(&sealed)));
}
