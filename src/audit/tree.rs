//! The Merkle tree of RFC 6962 with SHA-256: everything that can be said of a log without its entries.
//!
//! A *complete subtree* at (level, index) spans the leaves `index * 2^level` up to `(index + 1) * 2^level`. A tree of
//! any size is a row of complete subtrees, one for each bit set in its size, the largest at the left.

mod extension;
mod proofs;
#[cfg(test)]
mod tests;

use ring::digest::{Context, SHA256, digest};

pub use extension::Extension;
pub use proofs::{
    ProofFault, consistency_proof, consistency_reads, inclusion_proof, inclusion_reads, root_from_inclusion,
    verify_consistency,
};

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// A frontier's bytes are not those of a frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frontier is a size and one hash for each bit set in it")]
pub struct FrontierFault;

/// SHA-256 of the parts, one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    to_hash(context.finish())
}

fn to_hash(digest: ring::digest::Digest) -> Hash {
    // INVARIANT: SHA-256 gives 32 bytes.
    digest.as_ref().try_into().unwrap_or_default()
}

/// Hash of an entry's bytes, `SHA-256(0x00 ‖ bytes)`.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    sha256(&[&[0], bytes])
}

/// Hash of two subtrees, `SHA-256(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    let (_, hashes) = bytes.split_at_mut(1);
    for (to, from) in hashes.iter_mut().zip(left.iter().chain(right)) {
        *to = *from;
    }
    to_hash(digest(&SHA256, &bytes))
}

/// Root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(&[])
}

/// One hash for a row of complete subtrees, largest first; `None` for an empty row.
fn bag(nodes: &[Hash]) -> Option<Hash> {
    nodes.iter().rev().copied().reduce(|right, left| node_hash(&left, &right))
}

/// The levels of the complete subtrees that a tree of this size is a row of, largest first.
fn levels(size: u64) -> impl DoubleEndedIterator<Item = u8> {
    (0..64).rev().filter(move |level| size >> level & 1 == 1)
}

/// All that is needed to append: the roots of the complete subtrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontier {
    // INVARIANT: one node for each bit set in `size`, of the largest subtree first.
    size: u64,
    nodes: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the tree without leaves.
    #[must_use]
    pub const fn empty() -> Self {
        Self { size: 0, nodes: Vec::new() }
    }

    /// Appends one leaf by its hash.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.nodes.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.nodes.push(node);
        self.size += 1;
    }

    /// Number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Roots of the complete subtrees, largest first.
    #[must_use]
    pub fn nodes(&self) -> &[Hash] {
        &self.nodes
    }

    /// Root of the tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        bag(&self.nodes).unwrap_or_else(empty_root)
    }

    /// For storing: the size in eight bytes, big-endian, and the nodes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        bytes.extend(self.nodes.iter().flatten());
        bytes
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// If the number of nodes does not belong to the size, or the size is more than a log can have (2^63 - 1).
    pub fn decode(bytes: &[u8]) -> Result<Self, FrontierFault> {
        let (size, rest) = bytes.split_first_chunk::<8>().ok_or(FrontierFault)?;
        let size = u64::from_be_bytes(*size);
        let (nodes, surplus) = rest.as_chunks::<32>();
        if !surplus.is_empty() || i64::try_from(size).is_err() || nodes.len() != size.count_ones() as usize {
            return Err(FrontierFault);
        }
        Ok(Self { size, nodes: nodes.to_vec() })
    }
}
