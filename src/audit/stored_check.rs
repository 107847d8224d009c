//! Recomputes a stored log from its leaves, and compares what is stored beside them: tiles, frontier, checkpoint. For a
//! log that was moved to another store; whether the checkpoint's signature is that of the log is for
//! [`verify`](super::verify), which has the key.

use std::collections::{BTreeMap, VecDeque};

use super::{
    checkpoint::Checkpoint,
    tiles::{Layer, TilePath, TileStack, encode_tile},
    tree::{Frontier, Hash, leaf_hash, sha256},
};
use crate::note::Note;
use crate::storage::{Shard, ShardPlace, copy::Proof};

/// What the leaves so far say the log must be.
#[derive(Debug)]
pub struct StoredCheck {
    /// Closed shards whose entries have not all come yet, the next one first.
    closed: VecDeque<Shard>,
    /// Where the shard that is closed last ends.
    end: u64,
    position: u64,
    // Of the shard that the entries have come to.
    frontier: Frontier,
    stack: TileStack,
    // Hashes of the finished tiles that no stored one was compared with yet, by shard, level and number.
    tiles: BTreeMap<(u64, u8, u64), Hash>,
    // Of the shard that is open, no number is known before the head comes: its tiles stand under this one.
    open: Option<u64>,
}

/// Stands for the number of the open shard, which is larger than those of all closed ones.
const OPEN: u64 = u64::MAX;

impl Default for StoredCheck {
    fn default() -> Self {
        Self {
            closed: VecDeque::new(),
            end: 0,
            position: 0,
            frontier: Frontier::empty(),
            stack: TileStack::default(),
            tiles: BTreeMap::new(),
            open: None,
        }
    }
}

/// Whether a signed checkpoint is of this tree. The signature is for whoever has the key.
fn fits(checkpoint: &str, origin: &str, size: u64, frontier: &Frontier) -> Result<(), String> {
    let note = Note::parse(checkpoint).map_err(|fault| fault.to_string())?;
    let signed = Checkpoint::parse(note.unverified_text()).map_err(|fault| fault.to_string())?;
    let found = Checkpoint { origin: origin.to_owned(), size, root: frontier.root() };
    if signed == found && size == frontier.size() {
        Ok(())
    } else {
        Err("the entries do not have the root of the signed checkpoint".to_owned())
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
        let next = self.position;
        if position != next {
            return Err(format!("entry {position} stands where entry {next} comes"));
        }
        let hash = leaf_hash(leaf);
        self.frontier.append(hash);
        let shard = self.closed.front().map_or(OPEN, |shard| shard.place.number);
        for (path, hashes) in self.stack.push(hash) {
            if let Layer::Hashes(level) = path.layer {
                self.tiles.insert((shard, level, path.index), sha256(&[&encode_tile(&hashes)]));
            }
        }
        self.position += 1;
        if let Some(shard) = self.closed.pop_front_if(|shard| shard.place.first + shard.size == self.position)
        {
            fits(&shard.checkpoint, &shard.origin, shard.size, &self.frontier)
                .map_err(|wrong| format!("the shard `{}`: {wrong}", shard.origin))?;
            (self.frontier, self.stack) = (Frontier::empty(), TileStack::default());
        }
        Ok(())
    }

    fn shard(&mut self, shard: &Shard) -> Result<(), String> {
        let ends = shard.place.first.checked_add(shard.size);
        let known = self.closed.back().is_none_or(|before| before.place.number < shard.place.number);
        if shard.place.first != self.end || shard.size == 0 || !known || self.position != 0 {
            return Err(format!("the shard `{}` does not begin where the one before it ends", shard.origin));
        }
        self.end = ends.ok_or_else(|| format!("the shard `{}` has no end", shard.origin))?;
        self.closed.push_back(shard.clone());
        Ok(())
    }

    fn tile(&mut self, shard: u64, level: u8, number: u64, hashes: &[u8]) -> Result<(), String> {
        let path = TilePath { layer: Layer::Hashes(level), index: number, width: 256 };
        let known = self.tiles.remove(&(shard, level, number)).or_else(|| {
            // All tiles of the open shard bear the same number; the head says whether it is the right one.
            let open = *self.open.get_or_insert(shard);
            if open == shard { self.tiles.remove(&(OPEN, level, number)) } else { None }
        });
        match known {
            Some(expected) if expected == sha256(&[hashes]) => Ok(()),
            Some(_) => Err(format!("{path} is not the one of the entries")),
            None => Err(format!("{path} is not one of a log of {} entries", self.frontier.size())),
        }
    }

    fn head(
        &mut self,
        place: ShardPlace,
        origin: &str,
        size: u64,
        frontier: &[u8],
        checkpoint: &str,
    ) -> Result<(), String> {
        if let Some((_, level, number)) = self.tiles.keys().next() {
            let path = TilePath { layer: Layer::Hashes(*level), index: *number, width: 256 };
            return Err(format!("{path} is missing"));
        }
        if place.first != self.end || !self.closed.is_empty() {
            return Err("the shard that is open does not begin where the one before it ends".to_owned());
        }
        if self.open.is_some_and(|open| open != place.number) {
            return Err("there are tiles of another shard".to_owned());
        }
        if self.frontier.encode() != frontier {
            return Err("the frontier is not the one of the entries".to_owned());
        }
        fits(checkpoint, origin, size, &self.frontier)
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
            check.tile(0, *level, *number, hashes)?;
        }
        check.head(ShardPlace::default(), ORIGIN, 600, &stored.frontier, &stored.checkpoint)
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
