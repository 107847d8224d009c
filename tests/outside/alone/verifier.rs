//! Verifies an export by its description in `docs/audit-log.md`, with crates by others: `signed_note` for signatures,
//! `tlog_tiles` for checkpoint, tiles and proofs, `ct-merkle` for the tree a second time, `serde_json` for what a leaf
//! says, `sha2` and `base64` for commitments to opened facts.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash, mem_backed_tree::MemoryBackedTree};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use signed_note::{Note, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{
    Checkpoint, Error, HashReader as _, Tile, TileHashReader, TileReader, check_record, check_tree,
    prove_record, prove_tree, record_hash, stored_hash_index, tree_hash,
};

/// What was verified.
#[derive(Debug)]
pub struct Seen {
    pub entries: u64,
    pub kinds: BTreeMap<String, u64>,
    /// Entries whose facts are there, and are those committed to.
    pub opened: u64,
}

/// The tiles of an export.
pub struct Folder<'a>(pub &'a Path);

impl Folder<'_> {
    fn read(&self, tile: Tile) -> Result<Vec<u8>, Error> {
        // This crate writes the height into its paths, and `data` for entries.
        let path = tile.path().replacen("tile/8/", "tile/", 1).replacen("tile/data/", "tile/entries/", 1);
        fs::read(self.0.join(&path)).map_err(|fault| Error::InvalidInput(format!("{path}: {fault}")))
    }
}

impl TileReader for Folder<'_> {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        let read = |tile: &Tile| {
            let bytes = self.read(*tile)?;
            if bytes.len() == tile.width() as usize * 32 { Ok(bytes) } else { Err(Error::InvalidTile) }
        };
        tiles.iter().map(read).collect()
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn text(fault: impl std::fmt::Display) -> String {
    fault.to_string()
}

fn open(note: &[u8], keys: &[&str]) -> Result<Checkpoint, String> {
    let mut known: Vec<Box<dyn Verifier>> = Vec::new();
    for key in keys {
        known.push(Box::new(StandardVerifier::new(key).map_err(text)?));
    }
    let note = Note::from_bytes(note).map_err(text)?;
    let (verified, unknown) = note.verify(&VerifierList::new(known)).map_err(text)?;
    let checkpoint = Checkpoint::from_bytes(note.text()).map_err(text)?;
    if !unknown.is_empty() || !checkpoint.extension().is_empty() {
        return Err("the checkpoint has more than it should".to_owned());
    }
    if verified.iter().all(|signature| signature.name() != checkpoint.origin()) {
        return Err("not signed by the log itself".to_owned());
    }
    Ok(checkpoint)
}

/// Entries of a bundle, each after its length in two bytes.
fn split(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let (mut entries, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk().ok_or("half a length")?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or("half an entry")?;
        entries.push(entry.to_vec());
        rest = after;
    }
    Ok(entries)
}

/// Verifies the export in this folder. `earlier` is a signed checkpoint.
pub fn verify(dir: &Path, keys: &[&str], earlier: Option<&str>) -> Result<Seen, String> {
    let checkpoint = open(&fs::read(dir.join("checkpoint")).map_err(text)?, keys)?;
    let (size, root, folder) = (checkpoint.size(), *checkpoint.hash(), Folder(dir));
    let reader = TileHashReader::new(size, root, &folder);
    if tree_hash(size, &reader).map_err(text)? != root {
        return Err("the tiles do not give the root".to_owned());
    }
    let mut entries = Vec::new();
    for bundle in 0..size.div_ceil(256) {
        let width = (size - bundle * 256).min(256);
        let read = split(&folder.read(Tile::new(8, 0, bundle, width as u32, true)).map_err(text)?)?;
        if read.len() as u64 != width {
            return Err(format!("bundle {bundle} has {} entries", read.len()));
        }
        entries.extend(read);
    }
    let other_root = RootHash::<Sha256>::new(root.0.into(), size);
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for (entry, index) in entries.iter().zip(0..) {
        tree.push(entry.clone());
        let hash = record_hash(entry);
        if reader.read_hashes(&[stored_hash_index(0, index)]).map_err(text)? != [hash] {
            return Err(format!("entry {index} is not the one whose hash stands at level 0"));
        }
        let proof = prove_record(size, index, &reader).map_err(text)?;
        check_record(&proof, size, root, index, hash).map_err(text)?;
        let proof = proof.iter().flat_map(|hash| hash.0).collect();
        let proof = InclusionProof::try_from_bytes(proof).map_err(text)?;
        other_root.verify_inclusion(entry, index, &proof).map_err(text)?;
    }
    if tree.root() != other_root {
        return Err("the entries do not give the root".to_owned());
    }
    if let Some(earlier) = earlier {
        let earlier = open(earlier.as_bytes(), keys)?;
        if earlier.origin() != checkpoint.origin() {
            return Err("the earlier checkpoint is of another log".to_owned());
        }
        let proof = prove_tree(size, earlier.size(), &reader).map_err(text)?;
        check_tree(&proof, size, root, earlier.size(), *earlier.hash()).map_err(text)?;
        let proof = proof.iter().flat_map(|hash| hash.0).collect();
        let before = RootHash::new(earlier.hash().0.into(), earlier.size());
        let proof = ConsistencyProof::try_from_bytes(proof).map_err(text)?;
        other_root.verify_consistency(&before, &proof).map_err(text)?;
    }
    let leaves = leaves(&entries)?;
    let mut kinds = BTreeMap::new();
    for leaf in &leaves {
        *kinds.entry(leaf.kind.clone()).or_default() += 1;
    }
    Ok(Seen { entries: size, kinds, opened: opened(dir, &leaves)? })
}

struct LeafSeen {
    kind: String,
    facts: String,
}

/// The leaves, one after the other: their form, that time goes on, and that a request has one outcome.
fn leaves(entries: &[Vec<u8>]) -> Result<Vec<LeafSeen>, String> {
    let (mut leaves, mut last, mut open) = (Vec::new(), String::new(), BTreeSet::new());
    for (entry, index) in entries.iter().zip(0..) {
        let leaf: BTreeMap<String, Value> = serde_json::from_slice(entry).map_err(text)?;
        let word = |name: &str| {
            leaf.get(name).and_then(Value::as_str).ok_or(format!("entry {index} lacks `{name}`"))
        };
        let (client, facts, kind, pair, time) =
            (word("client")?, word("facts")?, word("kind")?, word("pair")?, word("time")?);
        let form = format!(
            r#"{{"client":"{client}","facts":"{facts}","kind":"{kind}","pair":"{pair}","time":"{time}","v":1}}"#
        );
        if form.as_bytes() != entry.as_slice() || last.as_str() > time {
            return Err(format!("entry {index} is no leaf, or earlier than the one ahead of it"));
        }
        time.clone_into(&mut last);
        let paired = match kind {
            "request" => open.insert(pair.to_owned()),
            "outcome" => open.remove(pair),
            _ => true,
        };
        if !paired {
            return Err(format!("entry {index} is the second of its pair, or an outcome of nothing"));
        }
        leaves.push(LeafSeen { kind: kind.to_owned(), facts: facts.to_owned() });
    }
    if open.is_empty() { Ok(leaves) } else { Err("a request has no outcome".to_owned()) }
}

/// Facts that are opened are those that their leaf commits to. Counts them.
fn opened(dir: &Path, leaves: &[LeafSeen]) -> Result<u64, String> {
    let mut opened = 0;
    for (bundle, leaves) in leaves.chunks(256).enumerate() {
        let lines = fs::read_to_string(dir.join(format!("opened/{bundle:03}.jsonl"))).map_err(text)?;
        if lines.lines().count() != leaves.len() {
            return Err(format!("not one line for each entry of bundle {bundle}"));
        }
        for ((text_of_line, leaf), index) in lines.lines().zip(leaves).zip(bundle as u64 * 256..) {
            let line: BTreeMap<String, Value> = serde_json::from_str(text_of_line).map_err(text)?;
            let same_text = serde_json::to_string(&line).map_err(text)? == text_of_line;
            if !same_text || line.get("index").and_then(Value::as_u64) != Some(index) {
                return Err(format!("the line of entry {index} is not in its form"));
            }
            let word = |name: &str| line.get(name).and_then(Value::as_str);
            let (Some(salt), Some(facts)) = (word("salt"), word("facts")) else { continue };
            let salt = BASE64_STANDARD.decode(salt).map_err(text)?;
            let committed = Sha256::new()
                .chain_update(b"sluis/v1/facts\0".as_slice())
                .chain_update(salt)
                .chain_update(facts)
                .finalize();
            if BASE64_STANDARD.encode(committed) != leaf.facts {
                return Err(format!("the facts of entry {index} are not those committed to"));
            }
            opened += 1;
        }
    }
    Ok(opened)
}
