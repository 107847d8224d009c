//! The tree and its entries as files (<https://c2sp.org/tlog-tiles>): tiles of 256 hashes, bundles of 256 entries.

use std::{fmt, str::FromStr};

use super::{
    checkpoint::number,
    tree::{Frontier, Hash},
};

#[cfg(test)]
mod tests;

/// Hashes in a full tile, and entries in a full bundle.
pub const WIDTH: u64 = 256;
/// Bytes of a full tile.
pub const TILE_BYTES: usize = 256 * 32;

/// Why a path, a tile or a bundle is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TileFault {
    /// Not the path of a tile or bundle.
    #[error("not the path of a tile or of a bundle of entries")]
    Path,
    /// Not a whole number of hashes, none, or more than 256.
    #[error("a tile is 1 to 256 hashes of 32 bytes")]
    Tile,
    /// The lengths in a bundle do not add up.
    #[error("a bundle is entries, each after its length in two bytes")]
    Bundle,
    /// An entry of more than 65535 bytes.
    #[error("an entry has at most 65535 bytes")]
    EntryTooLong,
}

/// What a file of a tiled log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Hashes, at a level of tiles from 0 (leaf hashes) up; each level is eight levels of the tree.
    Hashes(u8),
    /// Entries.
    Entries,
}

impl Layer {
    /// Hashes or entries that this layer has in a tree of `size` leaves.
    #[must_use]
    pub const fn length(self, size: u64) -> u64 {
        match self {
            Self::Entries => size,
            Self::Hashes(level) => match size.checked_shr(level as u32 * 8) {
                Some(length) => length,
                None => 0,
            },
        }
    }
}

/// Where a tile or bundle stands. As text, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TilePath {
    /// What it holds.
    pub layer: Layer,
    /// Which one of its layer, from 0.
    pub index: u64,
    /// How many hashes or entries it has, 1 to 256.
    pub width: u16,
}

impl TilePath {
    /// The tile or bundle with this index, as wide as it is in a tree of `size` leaves. `None` if that tree has none.
    #[must_use]
    pub fn at(layer: Layer, index: u64, size: u64) -> Option<Self> {
        let left = layer.length(size).checked_sub(index.checked_mul(WIDTH)?)?.min(WIDTH);
        (left > 0).then(|| Self { layer, index, width: u16::try_from(left).unwrap_or_default() })
    }

    /// Every tile and bundle of a tree of `size` leaves: entries, then hashes from level 0 up.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        let levels = (0..8).map(Layer::Hashes).filter(move |layer| layer.length(size) > 0);
        std::iter::once(Layer::Entries)
            .chain(levels)
            .flat_map(move |layer| (0..).map_while(move |index| Self::at(layer, index, size)))
    }
}

/// An index in groups of three digits, `x001/x234/067`.
pub(crate) fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

pub(crate) fn parse_index(path: &str) -> Option<u64> {
    let mut index: u64 = 0;
    for group in path.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    }
    (index_path(index) == path).then_some(index)
}

impl FromStr for TilePath {
    type Err = TileFault;

    fn from_str(text: &str) -> Result<Self, TileFault> {
        let parse = || {
            let (layer, rest) = text.strip_prefix("tile/")?.split_once('/')?;
            let layer = match layer {
                "entries" => Layer::Entries,
                level => Layer::Hashes(u8::try_from(number(level)?).ok().filter(|level| *level < 64)?),
            };
            let (index, width) = match rest.split_once(".p/") {
                Some((index, width)) => (index, number(width).filter(|width| (1..WIDTH).contains(width))?),
                None => (rest, WIDTH),
            };
            Some(Self { layer, index: parse_index(index)?, width: u16::try_from(width).ok()? })
        };
        parse().ok_or(TileFault::Path)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layer {
            Layer::Hashes(level) => write!(f, "tile/{level}/{}", index_path(self.index))?,
            Layer::Entries => write!(f, "tile/entries/{}", index_path(self.index))?,
        }
        if u64::from(self.width) < WIDTH { write!(f, ".p/{}", self.width) } else { Ok(()) }
    }
}

/// The bytes of a tile.
#[must_use]
pub fn encode_tile(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// The hashes of a tile.
///
/// # Errors
/// [`TileFault::Tile`].
pub fn decode_tile(bytes: &[u8]) -> Result<&[Hash], TileFault> {
    match bytes.as_chunks::<32>() {
        (hashes, []) if (1..=256).contains(&hashes.len()) => Ok(hashes),
        _ => Err(TileFault::Tile),
    }
}

/// The bytes of a bundle: each entry after its length in two bytes, big-endian.
///
/// # Errors
/// [`TileFault::EntryTooLong`].
pub fn encode_bundle<T: AsRef<[u8]>>(entries: &[T]) -> Result<Vec<u8>, TileFault> {
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| TileFault::EntryTooLong)?;
        bytes.extend(length.to_be_bytes());
        bytes.extend(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle.
///
/// # Errors
/// [`TileFault::Bundle`].
pub fn decode_bundle(bytes: &[u8]) -> Result<Vec<&[u8]>, TileFault> {
    let (mut entries, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>().ok_or(TileFault::Bundle)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(TileFault::Bundle)?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

/// The tile that holds the complete subtree at (level, index) of the tree, and where in it: its layer's level, its index,
/// and the range of its hashes that the subtree spans.
#[must_use]
pub const fn locate(level: u8, index: u64) -> (u8, u64, std::ops::Range<usize>) {
    let (tile_level, within) = (level / 8, level % 8);
    let per_tile = WIDTH >> within;
    let start = ((index % per_tile) << within) as usize;
    (tile_level, index / per_tile, start..start + (1 << within))
}

/// Root of the complete subtree that these neighbouring hashes of a tile span (see [`locate`]).
#[must_use]
pub fn subtree_root(hashes: &[Hash]) -> Hash {
    let mut frontier = Frontier::empty();
    hashes.iter().for_each(|hash| frontier.append(*hash));
    frontier.root()
}

/// Builds tiles leaf by leaf. It keeps the unfinished tile of each level, nothing else.
#[derive(Clone, Debug, Default)]
pub struct TileStack {
    levels: Vec<Vec<Hash>>,
    size: u64,
}

impl TileStack {
    /// Goes on where a log of this size stands: the unfinished tile of each level, from level 0 up, empty ones too.
    #[must_use]
    pub const fn resume(size: u64, levels: Vec<Vec<Hash>>) -> Self {
        Self { levels, size }
    }

    /// Number of leaves so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf's hash. Gives the full tiles that it completes, from level 0 up.
    pub fn push(&mut self, leaf: Hash) -> Vec<(TilePath, Vec<Hash>)> {
        let mut done = Vec::new();
        let mut hash = leaf;
        self.size += 1;
        for level in 0_u8..8 {
            let at = usize::from(level);
            if self.levels.len() == at {
                self.levels.push(Vec::with_capacity(256));
            }
            let Some(tile) = self.levels.get_mut(at) else { break };
            tile.push(hash);
            if tile.len() < 256 {
                break;
            }
            let layer = Layer::Hashes(level);
            let index = layer.length(self.size) / WIDTH - 1;
            hash = subtree_root(tile);
            done.push((TilePath { layer, index, width: 256 }, std::mem::take(tile)));
        }
        done
    }

    /// The partial tiles at the right edge, from level 0 up.
    #[must_use]
    pub fn partial(&self) -> Vec<(TilePath, &[Hash])> {
        let tiles = (0_u8..).zip(&self.levels).filter(|(_, tile)| !tile.is_empty());
        tiles
            .filter_map(|(level, tile)| {
                let layer = Layer::Hashes(level);
                let path = TilePath::at(layer, layer.length(self.size) / WIDTH, self.size)?;
                Some((path, tile.as_slice()))
            })
            .collect()
    }
}
