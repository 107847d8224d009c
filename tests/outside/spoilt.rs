//! An export changed in every way that comes to mind, of which none may verify: each bit of what is small and a sample
//! of what is large; entries, lines and hashes dropped, swapped, repeated and cut off; files exchanged, also with those
//! of another log by the same key, and of the same log when it was smaller.
//!
//! ```text
//! SLUIS_SPOIL_STEP=1 cargo test --release --test outside demo     # every bit of the export of a demo
//! ```

use std::{collections::BTreeMap, fs, path::Path};

use sluis::{
    audit::{
        report::Report,
        tiles::{decode_bundle, encode_bundle},
        verify::{VerifyOptions, verify_export},
    },
    note::VerifierKey,
};
use tempfile::TempDir;

use crate::{
    corpus::{files::Files, log::Log},
    logs,
    random::Random,
};

struct Export {
    dir: TempDir,
    files: BTreeMap<String, Vec<u8>>,
    key: VerifierKey,
}

impl Export {
    fn new(name: &'static str, size: u64) -> Self {
        Self::of(&logs::long(name, size), true)
    }

    /// Quicker to verify.
    fn with_nothing_opened(name: &'static str, size: u64) -> Self {
        let mut log = logs::long(name, size);
        (0..size).for_each(|index| log.change(index, |record| record.facts = None).unwrap());
        Self::of(&log, false)
    }

    fn of(log: &Log, with_sealed: bool) -> Self {
        Self::holding(log.export(with_sealed).unwrap(), log.signer().verifier().clone())
    }

    fn holding(files: Files, key: VerifierKey) -> Self {
        let export = Self { dir: logs::on_disk(files.clone()), files: files.into_inner(), key };
        assert_eq!(export.verify(true).exit_code(), 0);
        export
    }

    fn verify(&self, anchored: bool) -> Report {
        let trust = anchored.then(|| vec![self.key.clone()]);
        verify_export(self.dir.path(), &VerifyOptions { trust, ..VerifyOptions::default() })
    }

    /// Verifies with these files instead of the ones that are there, or without them. `None` if that changes nothing.
    fn with(&self, changes: &[(&str, Option<Vec<u8>>)], anchored: bool) -> Option<Report> {
        if changes.iter().all(|(name, bytes)| self.files.get(*name) == bytes.as_ref()) {
            return None;
        }
        for (name, bytes) in changes {
            match bytes {
                Some(bytes) => logs::write(self.dir.path(), name, bytes),
                None => fs::remove_file(self.dir.path().join(name)).unwrap(),
            }
        }
        let report = self.verify(anchored);
        for (name, _) in changes {
            match self.files.get(*name) {
                Some(bytes) => logs::write(self.dir.path(), name, bytes),
                None => fs::remove_file(self.dir.path().join(name)).unwrap(),
            }
        }
        Some(report)
    }

    /// With one file changed. Whether that changed anything.
    fn refuses(&self, name: &str, bytes: Vec<u8>, what: &str) -> bool {
        self.refuses_all(&[(name, Some(bytes))], what)
    }

    fn refuses_all(&self, changes: &[(&str, Option<Vec<u8>>)], what: &str) -> bool {
        // The head is all that tells the two ways to verify apart.
        let head = changes.iter().any(|(name, _)| ["checkpoint", "policy.txt"].contains(name));
        let ways: &[bool] = if head { &[true, false] } else { &[true] };
        let mut changed = false;
        for anchored in ways {
            let Some(report) = self.with(changes, *anchored) else { continue };
            let names: Vec<_> = changes.iter().map(|(name, _)| *name).collect();
            assert!(report.exit_code() >= 4, "{what} in {names:?}, anchored {anchored}: {report}");
            changed = true;
        }
        changed
    }
}

fn seed() -> u64 {
    std::env::var("SLUIS_FUZZ_SEED").map_or(20_261_130, |text| text.parse().expect("a whole number"))
}

fn random(of: &str) -> Random {
    println!("{of}: SLUIS_FUZZ_SEED={}", seed());
    Random::new(seed())
}

fn flipped(bytes: &[u8], bit: usize) -> Vec<u8> {
    let mut other = bytes.to_vec();
    other[bit / 8] ^= 1 << (bit % 8);
    other
}

/// What a file is a row of: entries, lines or hashes.
fn units(name: &str, bytes: &[u8]) -> Vec<Vec<u8>> {
    if name.starts_with("tile/entries/") {
        return decode_bundle(bytes).unwrap().into_iter().map(<[u8]>::to_vec).collect();
    }
    match name.starts_with("tile/") {
        true => bytes.chunks(32).map(<[u8]>::to_vec).collect(),
        false => bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect(),
    }
}

fn joined(name: &str, units: &[Vec<u8>]) -> Vec<u8> {
    if name.starts_with("tile/entries/") { encode_bundle(units).unwrap() } else { units.concat() }
}

/// One of the ways to change a row: which one, and where.
fn rearranged(units: &[Vec<u8>], way: usize, random: &mut Random) -> Vec<Vec<u8>> {
    let mut units = units.to_vec();
    let (at, other) = (random.below(units.len()), random.below(units.len()));
    match way {
        0 => _ = units.remove(at),
        1 => units.swap(at, other),
        2 => units.insert(other, units[at].clone()),
        3 => units.push(units[at].clone()),
        4 => units.truncate(at),
        5 => units[at] = units[other].clone(),
        6 => units.rotate_left(1),
        7 => units[at].truncate(random.below(32)),
        _ => units.reverse(),
    }
    units
}

const WAYS: usize = 9;

#[test]
fn each_bit_of_a_small_export_counts() {
    let export = Export::new("spoilt small", 3);
    let mut bits = 0;
    for (name, bytes) in &export.files {
        for bit in 0..bytes.len() * 8 {
            assert!(export.refuses(name, flipped(bytes, bit), &format!("bit {bit}")));
            bits += 1;
        }
    }
    println!("{bits} bits");
    assert!(bits > 20_000, "{bits}");
}

/// A real export, with everything that a gateway enters and something that was erased: one bit in so many, and rows.
pub fn nothing_can_be_changed_in(dir: &Path, key: &str) {
    let export = Export::holding(Files::read(dir).unwrap(), key.parse().unwrap());
    let step = std::env::var("SLUIS_SPOIL_STEP").map_or(1_009, |text| text.parse().expect("a whole number"));
    let (mut bits, mut rows, mut random) = (0, 0, random("rows of a real export"));
    for (name, bytes) in &export.files {
        for bit in (0..bytes.len() * 8).step_by(step) {
            assert!(export.refuses(name, flipped(bytes, bit), &format!("bit {bit}")));
            bits += 1;
        }
        let units = units(name, bytes);
        for way in 0..WAYS {
            let other = joined(name, &rearranged(&units, way, &mut random));
            rows += usize::from(export.refuses(name, other, &format!("way {way}")));
        }
    }
    println!("{bits} bits and {rows} rearranged files, none of which verified");
    assert!(bits > 500 && rows > 30, "{bits} {rows}");
}

#[test]
fn bits_of_a_large_export_count() {
    let export = Export::new("spoilt", 300);
    let mut random = random("bits");
    for (name, bytes) in &export.files {
        let bits = bytes.len() * 8;
        for bit in [0, bits - 1].into_iter().chain((0..7).map(|_| random.below(bits))) {
            assert!(export.refuses(name, flipped(bytes, bit), &format!("bit {bit}")));
        }
    }
}

/// The tile above level 0 is made from the tile below it, so all that protects it is that somebody looks.
#[test]
fn each_bit_of_the_topmost_tile_counts() {
    let export = Export::with_nothing_opened("spoilt", 257);
    let name = "tile/1/000.p/1";
    for bit in 0..256 {
        assert!(export.refuses(name, flipped(&export.files[name], bit), &format!("bit {bit}")));
    }
}

#[test]
fn entries_lines_and_hashes_stay_where_they_are() {
    let mut random = random("rows");
    for (export, times) in [(Export::new("spoilt small", 9), 12), (Export::new("spoilt", 300), 1)] {
        let mut changed = 0;
        for (name, bytes) in &export.files {
            let units = units(name, bytes);
            assert_eq!(&joined(name, &units), bytes);
            for way in (0..WAYS).flat_map(|way| std::iter::repeat_n(way, times)) {
                let other = joined(name, &rearranged(&units, way, &mut random));
                changed += usize::from(export.refuses(name, other, &format!("way {way}")));
            }
        }
        assert!(changed > export.files.len() * WAYS * times / 2, "{changed}");
    }
}

#[test]
fn bytes_cut_off_or_put_in_are_found() {
    let export = Export::new("spoilt small", 9);
    let mut random = random("bytes");
    for (name, bytes) in &export.files {
        for _ in 0..25 {
            let (from, to) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            export.refuses(name, [&bytes[..from], &bytes[to..]].concat(), &format!("{from}..{to} cut"));
            export.refuses(name, bytes[..from].to_vec(), &format!("cut at {from}"));
            export.refuses(name, [&bytes[..to], &bytes[from..]].concat(), &format!("{from}..{to} twice"));
            let any = random.byte();
            let byte = *random.of(&[b'\n', b' ', 0, b'=', b'"', any]);
            export.refuses(
                name,
                [&bytes[..from], &[byte], &bytes[from..]].concat(),
                &format!("{byte} at {from}"),
            );
        }
    }
}

#[test]
fn files_stay_where_they_are() {
    let export = Export::new("spoilt", 300);
    let names: Vec<&str> = export.files.keys().map(String::as_str).collect();
    for (number, name) in names.iter().enumerate() {
        assert!(export.refuses_all(&[(name, None)], "a file is missing"));
        assert!(export.refuses(name, Vec::new(), "a file is empty"));
        for other in &names[number + 1..] {
            let (first, second) = (export.files[*name].clone(), export.files[*other].clone());
            export.refuses_all(&[(name, Some(second)), (other, Some(first))], "files are swapped");
        }
    }
    for name in
        ["tile/2/000.p/1", "tile/0/001.p/43", "tile/0/001", "opened/002.jsonl", "checkpoint.old", "tile/x"]
    {
        assert!(export.refuses(name, export.files["tile/1/000.p/1"].clone(), "a file too many"));
    }
}

/// All of another log is another log that is sound. Any part of it is not, nor is a part of the same log of before.
#[test]
fn files_of_another_export_do_not_fit() {
    let export = Export::new("spoilt small", 9);
    let names =
        ["checkpoint", "opened/000.jsonl", "sealed/000.jsonl", "tile/0/000.p/9", "tile/entries/000.p/9"];
    let others = [Export::new("other", 9), Export::new("spoilt small", 8)];
    for other in &others {
        let moved =
            |name: &str| other.files.get(name).or_else(|| other.files.get(&name.replace(".p/9", ".p/8")));
        for chosen in 1..(1 << names.len()) - 1_u32 {
            let taken = names.iter().enumerate().filter(|(number, _)| chosen >> number & 1 == 1);
            let changes: Vec<_> = taken.map(|(_, name)| (*name, moved(name).cloned())).collect();
            assert!(export.refuses_all(&changes, "files of another export"), "{chosen:b}");
        }
    }
    // Whole, the other log verifies: the signer is the same. An earlier checkpoint tells the two apart.
    let changes: Vec<_> = names.iter().map(|name| (*name, others[0].files.get(*name).cloned())).collect();
    assert_eq!(export.with(&changes, true).unwrap().exit_code(), 0);
}

#[test]
fn several_changes_do_not_make_up_for_each_other() {
    let export = Export::new("spoilt small", 9);
    let names: Vec<&str> = export.files.keys().map(String::as_str).collect();
    let mut random = random("several");
    for _ in 0..700 {
        let mut changes: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        for _ in 0..=random.below(3) {
            let name = *random.of(&names);
            let bytes = changes.get(name).unwrap_or(&export.files[name]).clone();
            let broken = name.starts_with("tile/entries/") && decode_bundle(&bytes).is_err();
            let other = if broken || bytes.is_empty() || random.below(2) == 0 {
                if bytes.is_empty() {
                    vec![random.byte()]
                } else {
                    flipped(&bytes, random.below(bytes.len() * 8))
                }
            } else {
                let way = random.below(WAYS);
                joined(name, &rearranged(&units(name, &bytes), way, &mut random))
            };
            changes.insert(name, other);
        }
        let changes: Vec<_> = changes.into_iter().map(|(name, bytes)| (name, Some(bytes))).collect();
        export.refuses_all(&changes, "several changes");
    }
}
