//! Every disguise against words and codes of every class: what is found through it, as a table.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;

use super::{super::lexicon, SAMPLES, text};
use crate::tripwire::Detector;

type Disguise = fn(&str) -> String;

fn between(sample: &str, separator: &str) -> String {
    sample.chars().map(String::from).collect::<Vec<_>>().join(separator)
}

fn split(sample: &str, at: usize, separator: &str) -> String {
    let (head, tail) = sample.split_at(at);
    format!("{head}{separator}{tail}")
}

fn each(sample: &str, dress: fn(char) -> String) -> String {
    sample.chars().map(dress).collect()
}

fn swap(sample: &str, pairs: &[(char, char)]) -> String {
    let other = |c| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
    sample.chars().map(other).collect()
}

fn capital(sample: &str) -> String {
    let mut chars = sample.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// For words and codes alike.
const ANY: &[(&str, Disguise)] = &[
    ("plain", str::to_owned),
    ("upper case", str::to_uppercase),
    ("in a sentence", |s| format!("dit is {s}, zegt hij")),
    ("in brackets", |s| format!("({s})")),
    ("zero-width space", |s| between(s, "\u{200b}")),
    ("soft hyphen", |s| between(s, "\u{ad}")),
    ("bidirectional", |s| format!("\u{202e}{s}\u{202c}")),
    ("combining marks", |s| between(s, "\u{336}")),
    ("full width", |s| {
        each(s, |c| char::from_u32(if c == ' ' { 32 } else { c as u32 + 0xfee0 }).unwrap().into())
    }),
    ("percent", |s| each(s, |c| format!("%{:02X}", c as u32))),
    ("entities", |s| each(s, |c| format!("&#{};", c as u32))),
    ("hexadecimal entities", |s| each(s, |c| format!("&#x{:x};", c as u32))),
    ("backslash u", |s| each(s, |c| format!("\\u{:04x}", c as u32))),
    ("backslash x", |s| each(s, |c| format!("\\x{:02x}", c as u32))),
    ("quoted-printable", |s| each(s, |c| format!("={:02X}", c as u32))),
    ("base64", |s| STANDARD.encode(s)),
    ("base64 in a sentence", |s| format!("code {} hier", STANDARD.encode(s))),
    ("base64url", |s| URL_SAFE_NO_PAD.encode(s)),
    ("base64 twice", |s| STANDARD.encode(STANDARD.encode(s))),
    ("hexadecimal", |s| hex::encode(s)),
    ("percent in base64", |s| STANDARD.encode(each(s, |c| format!("%{:02X}", c as u32)))),
    ("a field of CSV", |s| format!("1;\"{s}\";2")),
];

/// For words.
const WORDS: &[(&str, Disguise)] = &[
    ("spaced", |s| between(s, " ")),
    ("dotted", |s| between(s, ".")),
    ("hyphens", |s| between(s, "-")),
    ("underscores", |s| between(s, "_")),
    ("snake case", |s| format!("is_{}_ja", s.replace(' ', "_"))),
    ("camel case", |s| format!("is{}Ja", s.split(' ').map(capital).collect::<String>())),
    ("accents", |s| swap(s, &[('e', 'é'), ('i', 'ï'), ('o', 'ö'), ('a', 'â')])),
    ("Cyrillic", |s| swap(s, &[('e', 'е'), ('o', 'о'), ('a', 'а'), ('p', 'р'), ('i', 'і'), ('c', 'с')])),
    ("Greek", |s| swap(s, &[('o', 'ο'), ('a', 'α'), ('i', 'ι'), ('v', 'ν')])),
    ("mathematical", |s| {
        each(s, |c| {
            if c.is_ascii_lowercase() {
                char::from_u32(c as u32 - 97 + 0x1d41a).unwrap().into()
            } else {
                c.into()
            }
        })
    }),
];

/// For words that are long enough not to be found by chance.
const LONG: &[(&str, Disguise)] = &[
    ("leet", |s| swap(s, &[('e', '3'), ('o', '0'), ('i', '1')])),
    ("split", |s| split(s, s.len() / 2, "-")),
    ("split by a space", |s| split(s, 3, " ")),
    ("reversed", |s| s.chars().rev().collect()),
    ("ROT13", |s| {
        each(s, |c| match c {
            'a'..='m' => char::from(c as u8 + 13).into(),
            'n'..='z' => char::from(c as u8 - 13).into(),
            _ => c.into(),
        })
    }),
];

/// For codes.
const CODES: &[(&str, Disguise)] = &[
    ("spaced", |s| between(s, " ")),
    ("lower case", str::to_lowercase),
    ("snake case", |s| format!("code_{s}_ja")),
];

/// For codes that are still codes without their point. ICD-11 and LOINC are not: `6C402Z`, `101576`.
const POINTLESS: &[(&str, Disguise)] =
    &[("hyphens", |s| between(&s.replace('.', ""), "-")), ("dotted", |s| between(&s.replace('.', ""), "."))];

/// Codes of one detector each, which must be found with the detector itself.
const OF_CODES: &[(Detector, &str)] = &[
    (Detector::Icd10, "F32.1"),
    (Detector::Icd11, "6C40.2Z"),
    (Detector::Snomed, "35489007"),
    (Detector::Atc, "N06AB04"),
    (Detector::Loinc, "10157-6"),
    (Detector::Icf, "b152.2"),
    (Detector::Bsn, "999990019"),
];

/// Which of the disguises a sample gets through, as rows of a table.
fn through(samples: &[(Detector, &str)], disguises: &[(&str, Disguise)], table: &mut Vec<String>) {
    for (name, dress) in disguises {
        for (detector, sample) in samples {
            let found = text(&dress(sample));
            let row = format!("{name:22} {sample:18} {}", found.map_or("-", Detector::id));
            if found.is_none_or(|found| found > *detector) {
                table.push(row);
            }
        }
    }
}

#[test]
fn no_disguise_hides_a_word_or_a_code() {
    let words: Vec<_> = SAMPLES
        .iter()
        .filter(|(detector, _)| detector.id().starts_with("WORD_"))
        .flat_map(|(detector, samples)| samples.iter().map(|sample| (*detector, *sample)))
        .filter(|(_, sample)| sample.bytes().all(|c| c.is_ascii_lowercase()))
        .collect();
    let long: Vec<_> = words.iter().copied().filter(|(_, word)| word.len() >= 8).collect();
    assert!(long.len() >= 15 && words.len() > long.len());
    let mut missed = Vec::new();
    through(&words, ANY, &mut missed);
    through(&words, WORDS, &mut missed);
    through(&long, LONG, &mut missed);
    through(OF_CODES, ANY, &mut missed);
    through(OF_CODES, CODES, &mut missed);
    let mut pointless = OF_CODES.to_vec();
    pointless.retain(|(detector, _)| ![Detector::Icd11, Detector::Loinc].contains(detector));
    through(&pointless, POINTLESS, &mut missed);
    let all = ANY.len() * (words.len() + OF_CODES.len()) + WORDS.len() * words.len();
    println!("{} disguised samples or more, {} missed", all, missed.len());
    assert!(missed.is_empty(), "\n{}", missed.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any entry of the lexicon, in any disguise that is for all.
    #[test]
    fn every_entry_is_found_in_every_disguise(pick: prop::sample::Index, disguise: prop::sample::Index) {
        let entries = lexicon::entries();
        let entry = &entries[pick.index(entries.len())];
        let (name, dress) = ANY[disguise.index(ANY.len())];
        let found = text(&dress(&entry.text));
        prop_assert!(found.is_some_and(|found| found <= entry.detector), "{} {name}: {found:?}", entry.text);
    }
}
