//! Roots and proofs: the same bytes as `ct-merkle` and `tlog_tiles` give, and the same verdict on proofs that are wrong.

use std::convert::Infallible;

use ct_merkle::{ConsistencyProof, InclusionProof, RootHash, mem_backed_tree::MemoryBackedTree};
use proptest::{prelude::*, sample::Index};
use sha2::Sha256;
use sluis::audit::tree::{
    Extension, Frontier, Hash, consistency_proof, inclusion_proof, leaf_hash, node_hash, root_from_inclusion,
    verify_consistency,
};
use tlog_tiles::{
    Error, HashReader, check_record, check_tree, prove_record, prove_tree, stored_hashes, tree_hash,
};

type Theirs = MemoryBackedTree<Sha256, Vec<u8>>;

/// The hashes that `tlog_tiles` stores for a log, by their index.
#[derive(Default)]
pub struct Stored {
    hashes: Vec<tlog_tiles::Hash>,
    size: u64,
}

impl Stored {
    pub fn push(&mut self, entry: &[u8]) {
        let more = stored_hashes(self.size, entry, self).unwrap();
        self.hashes.extend(more);
        self.size += 1;
    }
}

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, Error> {
        let hash = |index: &u64| self.hashes.get(*index as usize).copied().ok_or(Error::IndexesNotInTree);
        indexes.iter().map(hash).collect()
    }
}

/// Our complete subtrees, level by level.
struct Rows(Vec<Vec<Hash>>);

impl Rows {
    fn new(leaves: Vec<Hash>) -> Self {
        let mut rows = vec![leaves];
        while rows.last().is_some_and(|row| row.len() > 1) {
            let row = rows.last().unwrap();
            let next = row.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
            rows.push(next);
        }
        Self(rows)
    }

    fn inclusion(&self, size: u64, index: u64) -> Vec<Hash> {
        let Ok(proof) = inclusion_proof(size, index, |level, at| self.read(level, at));
        proof.unwrap()
    }

    fn consistency(&self, old: u64, size: u64) -> Vec<Hash> {
        let Ok(proof) = consistency_proof(old, size, |level, at| self.read(level, at));
        proof.unwrap()
    }

    fn read(&self, level: u8, at: u64) -> Result<Hash, Infallible> {
        Ok(self.0[usize::from(level)][at as usize])
    }
}

fn entry(number: u64) -> Vec<u8> {
    // Of many lengths, the empty one and those of one and several blocks among them.
    vec![number as u8; (number * 31 % 200) as usize]
}

fn root(hash: Hash, size: u64) -> RootHash<Sha256> {
    RootHash::new(hash.into(), size)
}

fn theirs(proof: &[Hash]) -> Vec<tlog_tiles::Hash> {
    proof.iter().copied().map(tlog_tiles::Hash).collect()
}

/// Three verdicts on an inclusion proof, which must be one.
fn included(entry: &Vec<u8>, index: u64, size: u64, root_hash: Hash, proof: &[Hash]) -> bool {
    let ours = root_from_inclusion(index, size, leaf_hash(entry), proof) == Ok(root_hash);
    let (leaf, hash) = (tlog_tiles::Hash(leaf_hash(entry)), tlog_tiles::Hash(root_hash));
    assert_eq!(
        check_record(&theirs(proof), size, hash, index, leaf).is_ok(),
        ours,
        "entry {index} of {size}"
    );
    let other = InclusionProof::try_from_bytes(proof.concat()).unwrap();
    let other = root(root_hash, size).verify_inclusion(entry, index, &other);
    assert_eq!(other.is_ok(), ours, "entry {index} of {size}: {other:?}");
    ours
}

/// Three verdicts on a consistency proof, which must be one. Only ours knows what an empty log is consistent with.
fn consistent(old: u64, size: u64, old_root: Hash, new_root: Hash, proof: &[Hash]) -> bool {
    let ours = verify_consistency(old, size, &old_root, &new_root, proof).is_ok();
    let (before, after) = (tlog_tiles::Hash(old_root), tlog_tiles::Hash(new_root));
    assert_eq!(check_tree(&theirs(proof), size, after, old, before).is_ok(), ours, "{old} in {size}");
    let other = ConsistencyProof::try_from_bytes(proof.concat()).unwrap();
    let other = root(new_root, size).verify_consistency(&root(old_root, old), &other);
    assert_eq!(other.is_ok(), ours, "{old} in {size}: {other:?}");
    ours
}

/// Numbers below `size` worth looking at: all of them for small sizes and around the edges of trees and tiles.
fn picked(size: u64) -> Vec<u64> {
    let near = [64, 128, 256, 512].iter().any(|edge| size.abs_diff(*edge) <= 1);
    if size <= 40 || near {
        return (0..size).collect();
    }
    [0, 1, size / 3, size / 2, 63, size - 2, size - 1].into_iter().filter(|index| *index < size).collect()
}

#[test]
fn roots_and_proofs_are_theirs_at_every_size() {
    let (mut frontier, mut tree, mut stored) = (Frontier::empty(), Theirs::new(), Stored::default());
    let mut roots = vec![frontier.root()];
    assert_eq!(tree.root().as_bytes().0, roots[0]);
    assert_eq!(tree_hash(0, &stored).unwrap().0, roots[0]);
    let rows = Rows::new((0..520).map(|number| leaf_hash(&entry(number))).collect());
    for size in 1..=520 {
        let entry_before = entry(size - 1);
        frontier.append(leaf_hash(&entry_before));
        stored.push(&entry_before);
        tree.push(entry_before);
        let root = frontier.root();
        roots.push(root);
        assert_eq!(tree.root().as_bytes().0, root, "{size}");
        assert_eq!(tree_hash(size, &stored).unwrap().0, root, "{size}");
        for index in picked(size) {
            let proof = rows.inclusion(size, index);
            assert_eq!(prove_record(size, index, &stored).unwrap(), theirs(&proof), "{index} of {size}");
            assert_eq!(tree.prove_inclusion(index as usize).as_bytes(), proof.concat(), "{index} of {size}");
            assert!(included(&entry(index), index, size, root, &proof), "{index} of {size}");
            let old = index + 1;
            let proof = rows.consistency(old, size);
            assert_eq!(prove_tree(size, old, &stored).unwrap(), theirs(&proof), "{old} in {size}");
            assert_eq!(
                tree.prove_consistency((size - old) as usize).as_bytes(),
                proof.concat(),
                "{old} in {size}"
            );
            assert!(consistent(old, size, roots[old as usize], root, &proof), "{old} in {size}");
        }
    }
}

#[test]
fn a_third_level_of_tiles_makes_no_difference() {
    let (mut frontier, mut stored) = (Frontier::empty(), Stored::default());
    let rows = Rows::new((0..65_537).map(|number: u64| leaf_hash(&number.to_be_bytes())).collect());
    let mut roots = vec![frontier.root()];
    for size in 1..=65_537_u64 {
        frontier.append(leaf_hash(&(size - 1).to_be_bytes()));
        stored.push(&(size - 1).to_be_bytes());
        roots.push(frontier.root());
    }
    for size in 65_535..=65_537_u64 {
        let root = roots[size as usize];
        assert_eq!(tree_hash(size, &stored).unwrap().0, root, "{size}");
        for index in [0, 255, 256, 32_767, 32_768, 65_279, 65_280, size - 1] {
            let proof = rows.inclusion(size, index);
            assert_eq!(prove_record(size, index, &stored).unwrap(), theirs(&proof), "{index} of {size}");
            assert!(included(&index.to_be_bytes().to_vec(), index, size, root, &proof));
            let old = index + 1;
            let proof = rows.consistency(old, size);
            assert_eq!(prove_tree(size, old, &stored).unwrap(), theirs(&proof), "{old} in {size}");
            assert!(consistent(old, size, roots[old as usize], root, &proof));
        }
    }
}

/// Makes a proof wrong, in most cases.
fn spoil(proof: &mut Vec<Hash>, numbers: [&mut u64; 2], way: u8, at: &Index) {
    let [first, second] = numbers;
    match way {
        0 => {}
        1 if !proof.is_empty() => {
            let bit = at.index(proof.len() * 256);
            proof[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
        }
        2 if !proof.is_empty() => _ = proof.remove(at.index(proof.len())),
        3 => proof.insert(at.index(proof.len() + 1), Hash::default()),
        4 if proof.len() > 1 => {
            let other = at.index(proof.len());
            proof.swap(0, other);
        }
        5 => *first = at.index(600) as u64,
        6 => *second = at.index(600) as u64,
        7 => *second += 1,
        _ => proof.clear(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn proofs_of_any_tree_are_theirs(
        entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..300),
        index: Index,
        way in 0..9_u8,
        at: Index,
    ) {
        let size = entries.len() as u64;
        let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let rows = Rows::new(leaves.clone());
        let root_of = |leaves: &[Hash]| {
            let mut frontier = Frontier::empty();
            leaves.iter().for_each(|leaf| frontier.append(*leaf));
            frontier.root()
        };
        let root = root_of(&leaves);
        let place = index.index(entries.len());
        let mut proof = rows.inclusion(size, place as u64);
        prop_assert!(included(&entries[place], place as u64, size, root, &proof));
        let (mut other, mut other_size) = (place as u64, size);
        spoil(&mut proof, [&mut other, &mut other_size], way, &at);
        included(&entries[place], other, other_size, root, &proof);

        let old_root = root_of(&leaves[..=place]);
        let mut proof = rows.consistency(place as u64 + 1, size);
        prop_assert!(consistent(place as u64 + 1, size, old_root, root, &proof));
        let (mut old, mut other_size) = (place as u64 + 1, size);
        spoil(&mut proof, [&mut old, &mut other_size], way, &at);
        if old > 0 {
            consistent(old, other_size, old_root, root, &proof);
        }
    }

    /// A receipt's proof is made from the old frontier and the batch alone.
    #[test]
    fn proofs_of_a_fresh_batch_are_theirs(old in 0..600_u64, batch in 1..40_u64, index: Index) {
        let mut stored = Stored::default();
        let mut frontier = Frontier::empty();
        for number in 0..old {
            stored.push(&number.to_be_bytes());
            frontier.append(leaf_hash(&number.to_be_bytes()));
        }
        let size = old + batch;
        (old..size).for_each(|number| stored.push(&number.to_be_bytes()));
        let leaves: Vec<Hash> = (old..size).map(|number| leaf_hash(&number.to_be_bytes())).collect();
        let extension = Extension::new(&frontier, &leaves);
        prop_assert_eq!(tree_hash(size, &stored).unwrap().0, extension.frontier().root());
        let place = old + index.index(batch as usize) as u64;
        let proof = extension.inclusion(place).unwrap();
        prop_assert_eq!(prove_record(size, place, &stored).unwrap(), theirs(&proof));
    }
}
