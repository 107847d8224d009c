//! Receipts of a real gateway, broken in ways that whoever holds one could break it.

use serde_json::{Value, json};

use crate::{random::Random, verifiers::Case};

/// The receipts that a run of the gateway gave, as the text of their files.
pub struct Real {
    /// Of an answer that disclosed something.
    pub released: String,
    /// Of another such answer to the same question.
    pub again: String,
    /// Of an answer that disclosed nothing.
    pub nothing: String,
    /// The log's key.
    pub key: String,
}

/// How many bits are flipped in each receipt.
const FLIPS: usize = 150;

impl Real {
    fn parsed(&self) -> (Value, Value, Value) {
        let read = |text: &str| serde_json::from_str(text).unwrap();
        (read(&self.released), read(&self.again), read(&self.nothing))
    }

    /// Those that hold: as they are, and what may be left out of them.
    pub fn whole(&self) -> Vec<Case> {
        let (released, _, nothing) = self.parsed();
        let mut cases = vec![
            Case::new("released", self.released.as_str(), &self.key),
            Case::new("again", self.again.as_str(), &self.key),
            Case::new("nothing", self.nothing.as_str(), &self.key),
            Case::new("on one line", released.to_string(), &self.key),
            Case::new("with space around", format!(" \r\n\t{released}\r\n "), &self.key),
            Case::new("escaped", self.released.replace('/', "\\/").replace("\u{2014}", "\\u2014"), &self.key),
        ];
        let mut with = |name: &str, file: &Value, change: &dyn Fn(&mut Value)| {
            let mut file = file.clone();
            change(&mut file);
            cases.push(Case::new(name, file.to_string(), &self.key));
        };
        with("without its answer", &released, &|file| drop(remove(file, "", "answer")));
        with("without answer and salt", &released, &|file| {
            remove(file, "", "answer");
            remove(file, "", "answer_salt");
        });
        with("with its sealed part closed", &released, &|file| {
            remove(file, "/entries/0", "entry_key");
            remove(file, "/entries/0", "sealed");
        });
        with("the request alone", &released, &|file| {
            remove(file, "", "answer");
            file["entries"].as_array_mut().unwrap().truncate(1);
        });
        with("nothing, with a salt for no purpose", &nothing, &|file| file["answer_salt"] = json!("AAAA"));
        cases
    }

    /// Those that do not.
    pub fn broken(&self, random: &mut Random, other_key: &str) -> Vec<Case> {
        let mut cases = self.moved();
        cases.extend(self.in_text());
        for (name, text) in [("released", &self.released), ("nothing", &self.nothing)] {
            cases.push(Case::new(format!("{name} under another key"), text.as_str(), other_key));
            for _ in 0..FLIPS {
                let mut file = text.clone().into_bytes();
                let (at, bit) = (random.below(file.len()), random.below(8));
                file[at] ^= 1 << bit;
                cases.push(Case::new(format!("{name}, bit {bit} of byte {at}"), file, &self.key));
            }
            for at in (0..text.len()).step_by(text.len() / 10 + 1) {
                cases.push(Case::new(format!("{name}, cut at {at}"), &text.as_bytes()[..at], &self.key));
            }
        }
        cases
    }

    /// Parts that are right where they come from, and members that are wrong where they are.
    fn moved(&self) -> Vec<Case> {
        let (released, again, nothing) = self.parsed();
        let mut cases = Vec::new();
        let mut with = |name: &str, change: &dyn Fn(&mut Value)| {
            let mut file = released.clone();
            change(&mut file);
            assert_ne!(file, released, "{name}");
            cases.push(Case::new(name, file.to_string(), &self.key));
        };
        for name in ["answer", "answer_salt"] {
            with(&format!("{name} of another"), &|file| file[name] = again[name].clone());
        }
        with("answer of nothing", &|file| file["answer"] = nothing["answer"].clone());
        with("an empty answer", &|file| file["answer"] = json!(""));
        with("the answer's salt taken away", &|file| drop(remove(file, "", "answer_salt")));
        with("the answer's salt one byte short", &|file| {
            file["answer_salt"] = json!("A".repeat(40) + "AA==")
        });
        with("the answer with a receipt in it", &|file| {
            file["answer"] = json!(longer(file["answer"].as_str().unwrap(), &[0x32, 0]));
        });
        with("the answer with a field that nobody knows", &|file| {
            file["answer"] = json!(longer(file["answer"].as_str().unwrap(), &[0x78, 1]));
        });
        for name in ["leaf", "proof", "facts", "facts_salt", "entry_key", "sealed"] {
            for entry in 0..2 {
                let place = format!("/entries/{entry}");
                // What only the log's officer may see of the outcome is not opened in a requester's receipt.
                if released["entries"][entry].get(name).is_some() {
                    with(&format!("{name} {entry} taken away"), &|file| drop(remove(file, &place, name)));
                }
                with(&format!("{name} {entry} null"), &|file| file["entries"][entry][name] = Value::Null);
                with(&format!("{name} {entry} empty"), &|file| file["entries"][entry][name] = json!(""));
                with(&format!("{name} {entry} of the other entry"), &|file| {
                    file["entries"][entry][name] = released["entries"][1 - entry][name].clone();
                });
                // The same question has the same facts.
                if released["entries"][entry].get(name) != again["entries"][entry].get(name) {
                    with(&format!("{name} {entry} of another receipt"), &|file| {
                        file["entries"][entry][name] = again["entries"][entry][name].clone();
                    });
                }
            }
        }
        with("sealed part and key empty", &|file| {
            file["entries"][0]["entry_key"] = json!("");
            file["entries"][0]["sealed"] = json!("");
        });
        with("entries swapped", &|file| file["entries"].as_array_mut().unwrap().reverse());
        with("the outcome alone", &|file| drop(file["entries"].as_array_mut().unwrap().remove(0)));
        with("the request twice", &|file| file["entries"][1] = released["entries"][0].clone());
        with("the outcome of another", &|file| file["entries"][1] = again["entries"][1].clone());
        with("three entries", &|file| {
            let outcome = file["entries"][1].clone();
            file["entries"].as_array_mut().unwrap().push(outcome);
        });
        with("no entries", &|file| file["entries"] = json!([]));
        with("no entries and no answer", &|file| *file = json!({"entries": []}));
        with("the outcome left out", &|file| drop(file["entries"].as_array_mut().unwrap().pop()));
        with("another member", &|file| file["note"] = json!("for you"));
        with("another member in an entry", &|file| file["entries"][0]["answer"] = json!(""));
        with("a member named as what every object has", &|file| file["__proto__"] = json!({}));
        with("entries as an object", &|file| file["entries"] = json!({"0": released["entries"][0]}));
        with("an entry as a text", &|file| file["entries"][0] = json!("leaf"));
        with("a salt as a number", &|file| file["answer_salt"] = json!(7));
        with("another file", &|file| *file = json!({}));
        with("no object", &|file| *file = json!("receipt"));
        cases
    }

    /// What only the bytes of the file show.
    fn in_text(&self) -> Vec<Case> {
        let text = &self.released;
        let value: Value = serde_json::from_str(text).unwrap();
        let mut cases = Vec::new();
        let mut push = |name: &str, file: Vec<u8>| {
            assert_ne!(&file, text.as_bytes(), "{name}");
            cases.push(Case::new(name, file, &self.key));
        };
        let mut instead =
            |name: &str, from: &str, to: &str| push(name, text.replacen(from, to, 1).into_bytes());
        let answer = format!("\"answer\": {}", value["answer"]);
        instead("the answer twice", &answer, &format!("{answer}, {answer}"));
        instead(
            "the answer twice, under an escaped name",
            &answer,
            &format!("\"\\u0061nswer\": \"\", {answer}"),
        );
        let facts = format!("\"facts\": {}", value["entries"][0]["facts"]);
        instead("facts twice", &facts, &format!("\"facts\": \"{{}}\", {facts}"));
        let salt = value["answer_salt"].as_str().unwrap();
        instead("rest bits in base64", salt, &rest_bits(salt));
        instead("base64 without padding", salt, salt.trim_end_matches('='));
        instead("base64 with a line end", salt, &format!("{}\\n{}", &salt[..8], &salt[8..]));
        instead("base64 with a space", salt, &format!(" {salt}"));
        instead("base64 of the other alphabet", salt, &format!("-_{}", &salt[2..]));
        let proof = value["entries"][1]["proof"].as_str().unwrap();
        let (head, note) = proof.split_once("\n\n").unwrap();
        let hash = head.lines().nth(2).unwrap();
        instead("rest bits in a hash of the proof", hash, &rest_bits(hash));
        instead("a hash less", &format!("{hash}\\n"), "");
        instead("a hash more", &format!("{hash}\\n"), &format!("{hash}\\n{hash}\\n"));
        instead("an extra line", "index ", "extra AAAA\\nindex ");
        instead("an index with a zero ahead", "index ", "index 0");
        instead("an index with a sign", "index ", "index +");
        instead("an index beyond 64 bits", "index ", "index 18446744073709551616");
        instead("another version of the proof", "tlog-proof@v1", "tlog-proof@v2");
        let line = note.lines().last().unwrap();
        instead("the signature twice", line, &format!("{line}\\n{line}"));
        instead("no signature", &format!("{line}\\n"), "");
        instead(
            "an unknown signature",
            line,
            &format!("{line}\\n\u{2014} witness.example {}", "A".repeat(96)),
        );
        instead("an unknown signature of our name", line, &with_other_id(line));
        instead("a signature line without its dash", line, line.trim_start_matches('\u{2014}'));
        instead("a signature of nothing", line, &format!("{line}\\n\u{2014} witness.example AAAAAA=="));
        instead("a line end less at the end of a note", &format!("{line}\\n"), line);
        instead("line ends of another system", &format!("{line}\\n"), &format!("{line}\\r\\n"));
        instead("an extension line", "\\n\\n\u{2014}", "\\nextension\\n\\n\u{2014}");
        instead("half a surrogate pair", "\"leaf\": \"", "\"leaf\": \"\\ud800");
        instead("a control character", "\"leaf\": \"", "\"leaf\": \"\u{1}");
        instead("a comma at the end", "\n}\n", ",\n}\n");
        instead("a comment", "{", "{ /* ours */");
        instead("single quotes", "\"entries\"", "'entries'");
        push("something after it", format!("{text}{{}}").into_bytes());
        push("a byte order mark", [b"\xef\xbb\xbf", text.as_bytes()].concat());
        push(
            "bytes that are no text",
            text.replacen("REINTEGRATION", "REINTEGR\u{7f}TION", 1)
                .into_bytes()
                .iter()
                .map(|byte| if *byte == 0x7f { 0xff } else { *byte })
                .collect(),
        );
        push("UTF-16", text.encode_utf16().flat_map(u16::to_le_bytes).collect());
        push("very deep", [b"[".repeat(100_000), b"]".repeat(100_000)].concat());
        push("nothing at all", vec![]);
        cases
    }
}

fn remove(file: &mut Value, place: &str, name: &str) -> Value {
    file.pointer_mut(place).unwrap().as_object_mut().unwrap().remove(name).unwrap()
}

fn longer(encoded: &str, more: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode([BASE64_STANDARD.decode(encoded).unwrap(), more.to_vec()].concat())
}

/// The same 32 bytes, with one of the two bits set that stand for nothing.
fn rest_bits(encoded: &str) -> String {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let last = encoded.trim_end_matches('=').chars().last().unwrap();
    let at = alphabet.find(last).unwrap();
    let other = &alphabet[at + 1..at + 2];
    format!("{}{other}=", &encoded[..encoded.len() - 2])
}

/// The signature line, and ahead of it one of the same name and another id.
fn with_other_id(line: &str) -> String {
    let (name, encoded) = line.rsplit_once(' ').unwrap();
    format!("{name} AAAAAA{}\\n{line}", &encoded[6..])
}
