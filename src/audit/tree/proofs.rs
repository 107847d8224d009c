//! Inclusion and consistency proofs: made from a reader of complete subtrees, and checked without one.

use std::convert::Infallible;

use super::{Hash, bag, empty_root, levels, node_hash};

/// A proof does not prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// The index is not below the size, or the old size above the new.
    #[error("the position lies outside the tree")]
    OutsideTree,
    /// More or fewer hashes than a proof for these numbers has.
    #[error("the proof has the wrong number of hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}

/// Root of the leaves from `start` up to `end`. INVARIANT: `start` is a multiple of the largest power of two that fits,
/// as it always is where RFC 6962 splits a tree.
fn range<E>(
    start: u64,
    end: u64,
    read: &mut impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Option<Hash>, E> {
    let mut nodes = Vec::new();
    let mut at = start;
    for level in levels(end - start) {
        nodes.push(read(level, at >> level)?);
        at += 1 << level;
    }
    Ok(bag(&nodes))
}

/// Largest power of two below `width`, where RFC 6962 splits a tree of two leaves or more.
fn split(width: u64) -> u64 {
    1 << (width - 1).ilog2()
}

/// Inclusion proof of the leaf at `index` in the tree of `size` leaves, from the leaf's sibling up. `read` gives the root
/// of the complete subtree at (level, index). `None` if the tree has no such leaf.
///
/// # Errors
/// What `read` fails with.
pub fn inclusion_proof<E>(
    size: u64,
    index: u64,
    mut read: impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if index >= size {
        return Ok(None);
    }
    let (mut start, mut end) = (0, size);
    let mut path = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.extend(range(middle, end, &mut read)?);
            end = middle;
        } else {
            path.extend(range(start, middle, &mut read)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(Some(path))
}

/// The (level, index) of every complete subtree that [`inclusion_proof`] will read, so that they can be fetched at once.
#[must_use]
pub fn inclusion_reads(size: u64, index: u64) -> Vec<(u8, u64)> {
    recorded(|read| inclusion_proof(size, index, read).map(drop))
}

/// The (level, index) of every complete subtree that [`consistency_proof`] will read.
#[must_use]
pub fn consistency_reads(old_size: u64, size: u64) -> Vec<(u8, u64)> {
    recorded(|read| consistency_proof(old_size, size, read).map(drop))
}

type Recorder<'a> = &'a mut dyn FnMut(u8, u64) -> Result<Hash, Infallible>;

fn recorded(make: impl FnOnce(Recorder<'_>) -> Result<(), Infallible>) -> Vec<(u8, u64)> {
    let mut reads = Vec::new();
    let Ok(()) = make(&mut |level, index| {
        reads.push((level, index));
        Ok(Hash::default())
    });
    reads
}

/// Root of the tree of `size` leaves that has `leaf` (a leaf's hash) at `index`.
///
/// # Errors
/// If no such tree can have this proof.
pub fn root_from_inclusion(index: u64, size: u64, leaf: Hash, proof: &[Hash]) -> Result<Hash, ProofFault> {
    if index >= size {
        return Err(ProofFault::OutsideTree);
    }
    // RFC 9162, 2.1.3.2.
    let (mut at, mut last, mut root) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return Err(ProofFault::Length);
        }
        if at % 2 == 1 || at == last {
            root = node_hash(sibling, &root);
            while at % 2 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            root = node_hash(&root, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last == 0 { Ok(root) } else { Err(ProofFault::Length) }
}

/// Proof that the tree of `size` leaves begins with the tree of `old_size` leaves. Empty where nothing needs proof: equal
/// sizes, and the tree without leaves. `None` if the old tree is the larger.
///
/// # Errors
/// What `read` fails with.
pub fn consistency_proof<E>(
    old_size: u64,
    size: u64,
    mut read: impl FnMut(u8, u64) -> Result<Hash, E>,
) -> Result<Option<Vec<Hash>>, E> {
    if old_size > size {
        return Ok(None);
    }
    let mut path = Vec::new();
    if old_size == 0 || old_size == size {
        return Ok(Some(path));
    }
    let (mut start, mut end) = (0, size);
    while old_size != end {
        let middle = start + split(end - start);
        if old_size <= middle {
            path.extend(range(middle, end, &mut read)?);
            end = middle;
        } else {
            path.extend(range(start, middle, &mut read)?);
            start = middle;
        }
    }
    // A complete old tree is its own first node: the verifier knows its root.
    if start != 0 {
        path.extend(range(start, end, &mut read)?);
    }
    path.reverse();
    Ok(Some(path))
}

/// Checks that the tree of `size` leaves with root `root` begins with the tree of `old_size` leaves with root `old_root`.
///
/// # Errors
/// If the proof does not show that.
pub fn verify_consistency(
    old_size: u64,
    size: u64,
    old_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofFault> {
    if old_size > size {
        return Err(ProofFault::OutsideTree);
    }
    if old_size == size || old_size == 0 {
        let expected = if old_size == 0 { empty_root() } else { *root };
        return match (proof.is_empty(), *old_root == expected) {
            (false, _) => Err(ProofFault::Length),
            (true, false) => Err(ProofFault::Root),
            (true, true) => Ok(()),
        };
    }
    // RFC 9162, 2.1.4.2.
    let own_root = old_size.is_power_of_two().then_some(old_root);
    let mut path = own_root.into_iter().chain(proof);
    let shift = (old_size - 1).trailing_ones();
    let (mut at, mut last) = ((old_size - 1) >> shift, (size - 1) >> shift);
    let first = path.next().ok_or(ProofFault::Length)?;
    let (mut old, mut new) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return Err(ProofFault::Length);
        }
        if at % 2 == 1 || at == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while at % 2 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofFault::Length);
    }
    if old == *old_root && new == *root { Ok(()) } else { Err(ProofFault::Root) }
}
