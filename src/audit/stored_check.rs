//! Recomputes a stored log from its leaves, and compares what is stored beside them: tiles, frontier, checkpoint. For a
//! log that was moved to another store; whether the checkpoint's signature is that of the log is for
//! [`verify`](super::verify), which has the key.

use std::collections::BTreeMap;

use super::{
    checkpoint::Checkpoint,
    tiles::{Layer, TilePath, TileStack, encode_tile},
    tree::{Frontier, Hash, leaf_hash, sha256},
};
use crate::note::Note;
use crate::storage::copy::Proof;

/// What the leaves so far say the log must be.
#[derive(Debug)]
pub struct StoredCheck {
    frontier: Frontier,
    stack: TileStack,
    // Hashes of the finished tiles that no stored one was compared with yet.
    tiles: BTreeMap<(u8, u64), Hash>,
}

impl Default for StoredCheck {
    fn default() -> Self {
        Self { frontier: Frontier::empty(), stack: TileStack::default(), tiles: BTreeMap::new() }
    }
}

impl StoredCheck {
    /// Root of the tree of the leaves so far.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }
}

impl Proof for StoredCheck {
    fn entry(&mut self, position: u64, leaf: &[u8]) -> Result<(), String> {
        let next = self.frontier.size();
        if position != next {
            return Err(format!("entry {position} stands where entry {next} comes"));
        }
        let hash = leaf_hash(leaf);
        self.frontier.append(hash);
        for (path, hashes) in self.stack.push(hash) {
            if let Layer::Hashes(level) = path.layer {
                self.tiles.insert((level, path.index), sha256(&[&encode_tile(&hashes)]));
            }
        }
        Ok(())
    }

    fn tile(&mut self, level: u8, number: u64, hashes: &[u8]) -> Result<(), String> {
        let path = TilePath { layer: Layer::Hashes(level), index: number, width: 256 };
        match self.tiles.remove(&(level, number)) {
            Some(expected) if expected == sha256(&[hashes]) => Ok(()),
            Some(_) => Err(format!("{path} is not the one of the entries")),
            None => Err(format!("{path} is not one of a log of {} entries", self.frontier.size())),
        }
    }

    fn head(&mut self, origin: &str, size: u64, frontier: &[u8], checkpoint: &str) -> Result<(), String> {
        if let Some((level, number)) = self.tiles.keys().next() {
            let path = TilePath { layer: Layer::Hashes(*level), index: *number, width: 256 };
            return Err(format!("{path} is missing"));
        }
        if self.frontier.encode() != frontier {
            return Err("the frontier is not the one of the entries".to_owned());
        }
        let note = Note::parse(checkpoint).map_err(|fault| fault.to_string())?;
        let signed = Checkpoint::parse(note.unverified_text()).map_err(|fault| fault.to_string())?;
        let found = Checkpoint { origin: origin.to_owned(), size, root: self.root() };
        if signed == found && size == self.frontier.size() {
            Ok(())
        } else {
            Err("the entries do not have the root of the signed checkpoint".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteSigner;

    const ORIGIN: &str = "test.example/2026";

    /// A log of 600 entries as it would be stored: leaves, tiles, frontier, checkpoint.
    struct Stored {
        leaves: Vec<Vec<u8>>,
        tiles: Vec<(u8, u64, Vec<u8>)>,
        frontier: Vec<u8>,
        checkpoint: String,
    }

    fn stored() -> Stored {
        let leaves: Vec<Vec<u8>> = (0..600).map(|n| format!("leaf {n}").into_bytes()).collect();
        let (mut frontier, mut stack, mut tiles) = (Frontier::empty(), TileStack::default(), Vec::new());
        for leaf in &leaves {
            frontier.append(leaf_hash(leaf));
            for (path, hashes) in stack.push(leaf_hash(leaf)) {
                let Layer::Hashes(level) = path.layer else { continue };
                tiles.push((level, path.index, encode_tile(&hashes)));
            }
        }
        let signer = NoteSigner::from_pkcs8(ORIGIN, &NoteSigner::generate_pkcs8().unwrap()).unwrap();
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 600, root: frontier.root() };
        let checkpoint = checkpoint.sign(&signer).unwrap();
        Stored { leaves, tiles, frontier: frontier.encode(), checkpoint }
    }

    fn check(stored: &Stored) -> Result<(), String> {
        let mut check = StoredCheck::default();
        for (position, leaf) in (0..).zip(&stored.leaves) {
            check.entry(position, leaf)?;
        }
        for (level, number, hashes) in &stored.tiles {
            check.tile(*level, *number, hashes)?;
        }
        check.head(ORIGIN, 600, &stored.frontier, &stored.checkpoint)
    }

    #[test]
    fn a_log_that_is_whole_is_and_one_flipped_bit_is_found() {
        assert_eq!(check(&stored()), Ok(()));
        assert_eq!(stored().tiles.len(), 2);
        let broken = |change: fn(&mut Stored)| {
            let mut stored = stored();
            change(&mut stored);
            check(&stored).unwrap_err()
        };
        assert_eq!(broken(|log| log.leaves[300][0] ^= 1), "tile/0/001 is not the one of the entries");
        assert_eq!(broken(|log| log.leaves[599][0] ^= 1), "the frontier is not the one of the entries");
        assert_eq!(broken(|log| log.tiles[0].2[40] ^= 1), "tile/0/000 is not the one of the entries");
        assert_eq!(broken(|log| drop(log.tiles.pop())), "tile/0/001 is missing");
        let odd = broken(|log| log.tiles.push((0, 2, vec![0; 8192])));
        assert_eq!(odd, "tile/0/002 is not one of a log of 600 entries");
        assert_eq!(broken(|log| log.frontier[9] ^= 1), "the frontier is not the one of the entries");
        let root = "the entries do not have the root of the signed checkpoint";
        assert_eq!(broken(|log| log.checkpoint = log.checkpoint.replacen("\n600\n", "\n601\n", 1)), root);
        let mut check = StoredCheck::default();
        check.entry(0, b"a").unwrap();
        assert_eq!(check.entry(2, b"c").unwrap_err(), "entry 2 stands where entry 1 comes");
    }
}
