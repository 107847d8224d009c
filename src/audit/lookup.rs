//! Proofs of old entries and old sizes, from the finished tiles and the leaves of the unfinished one.

use std::collections::{HashMap, hash_map::Entry};

use super::{
    proof::TlogProof,
    tiles::{decode_tile, locate, subtree_root},
    tree::{Hash, consistency_proof, consistency_reads, inclusion_proof, inclusion_reads, leaf_hash},
};
use crate::storage::{ShardPlace, Store, StoreFault};

/// A tile is 256 wide.
const WIDTH: u64 = 256;
/// Levels of the tree in one tile.
const TILE_LEVELS: u32 = 8;

/// The inclusion proof of an entry: under the newest checkpoint, or the last one of its shard where that is closed. Its index
/// is that in the shard.
///
/// # Errors
/// If the store does not answer, or does not hold what its head says.
pub async fn proof(store: &dyn Store, position: u64) -> Result<TlogProof, StoreFault> {
    let missing = || StoreFault::Corrupt("a node of the tree is missing");
    let head = store.head().await?.ok_or_else(missing)?;
    let (place, size, checkpoint) = if position >= head.place.first {
        (head.place, head.size, head.checkpoint)
    } else {
        let shard = store.shard_of(position).await?.ok_or_else(missing)?;
        (shard.place, shard.size, shard.checkpoint)
    };
    let index = position - place.first;
    let hashes = ShardTree::new(store, place, size).inclusion(index).await?;
    Ok(TlogProof { extra: None, index, hashes, checkpoint })
}

/// The proof that a shard begins in its first `size` entries with its first `old_size` ones. It takes the shard from its
/// caller, who has its head: to read the newest head again here could be to prove in the next shard.
///
/// # Errors
/// If the store does not answer, or does not hold so many entries.
pub async fn consistency_in(
    store: &dyn Store,
    place: ShardPlace,
    old_size: u64,
    size: u64,
) -> Result<Vec<Hash>, StoreFault> {
    let missing = || StoreFault::Corrupt("a node of the tree is missing");
    let nodes = nodes(store, place, size, consistency_reads(old_size, size)).await?;
    let read = |level, index| nodes.get(&(level, index)).copied().ok_or_else(missing);
    consistency_proof(old_size, size, read)?.ok_or_else(missing)
}

/// Roots of complete subtrees. Reading is asynchronous and proving is not, so they are read first.
async fn nodes(
    store: &dyn Store,
    place: ShardPlace,
    size: u64,
    wanted: Vec<(u8, u64)>,
) -> Result<HashMap<(u8, u64), Hash>, StoreFault> {
    ShardTree::new(store, place, size).nodes(wanted).await
}

/// The tree of a shard at a size. Whoever proves many entries of it reads each tile once.
#[derive(Debug)]
pub(super) struct ShardTree<'a> {
    store: &'a dyn Store,
    place: ShardPlace,
    size: u64,
    tiles: HashMap<(u8, u64), Vec<Hash>>,
}

impl<'a> ShardTree<'a> {
    pub(super) fn new(store: &'a dyn Store, place: ShardPlace, size: u64) -> Self {
        Self { store, place, size, tiles: HashMap::new() }
    }

    async fn nodes(&mut self, wanted: Vec<(u8, u64)>) -> Result<HashMap<(u8, u64), Hash>, StoreFault> {
        let mut nodes = HashMap::new();
        for (level, index) in wanted {
            let (tile_level, number, range) = locate(level, index);
            // Up to eight nodes are of one tile.
            let tile = match self.tiles.entry((tile_level, number)) {
                Entry::Occupied(read) => read.into_mut(),
                Entry::Vacant(unread) => {
                    unread.insert(tile(self.store, self.place, self.size, tile_level, number).await?)
                }
            };
            let hashes = tile.get(range).ok_or(StoreFault::Corrupt("a node of the tree is missing"))?;
            nodes.insert((level, index), subtree_root(hashes));
        }
        Ok(nodes)
    }

    /// The hashes that prove the entry of this index.
    pub(super) async fn inclusion(&mut self, index: u64) -> Result<Vec<Hash>, StoreFault> {
        let missing = || StoreFault::Corrupt("a node of the tree is missing");
        let nodes = self.nodes(inclusion_reads(self.size, index)).await?;
        let read = |level, index| nodes.get(&(level, index)).copied().ok_or_else(missing);
        inclusion_proof(self.size, index, read)?.ok_or_else(missing)
    }
}

/// Hashes of a tile of a shard, finished or not.
///
/// # Errors
/// If the store does not answer, or does not hold what its head says.
pub async fn tile(
    store: &dyn Store,
    place: ShardPlace,
    size: u64,
    level: u8,
    number: u64,
) -> Result<Vec<Hash>, StoreFault> {
    let own = store.tiles(place.number, level, number, 1).await?;
    if let Some((_, tile)) = own.iter().find(|(found, _)| *found == number) {
        return decode_tile(tile).map(<[Hash]>::to_vec).map_err(|_| StoreFault::Corrupt("a tile"));
    }
    let complete = size >> (u32::from(level) * TILE_LEVELS);
    let last = complete.min((number + 1) * WIDTH);
    if level == 0 {
        let first = place.first + number * WIDTH;
        let entries = store.entries(first, u32::try_from(WIDTH).unwrap_or(u32::MAX)).await?;
        let entries = entries.iter().filter(|entry| entry.position < place.first + last);
        return Ok(entries.map(|entry| leaf_hash(&entry.leaf)).collect());
    }
    // An unfinished tile of a higher level: the roots of the finished tiles below it.
    let (first, mut hashes) = (number * WIDTH, Vec::new());
    let limit = u32::try_from(last.saturating_sub(first)).unwrap_or_default();
    let below = store.tiles(place.number, level - 1, first, limit).await?;
    for (expected, (found, tile)) in (first..last).zip(&below) {
        if expected != *found {
            return Err(StoreFault::Corrupt("a tile is missing"));
        }
        hashes.push(subtree_root(decode_tile(tile).map_err(|_| StoreFault::Corrupt("a tile"))?));
    }
    if below.len() as u64 != last.saturating_sub(first) {
        return Err(StoreFault::Corrupt("a tile is missing"));
    }
    Ok(hashes)
}
