use std::convert::Infallible;

use proptest::prelude::*;

use super::*;

/// MTH of RFC 6962, word for word.
fn naive_root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            node_hash(&naive_root(left), &naive_root(right))
        }
    }
}

/// PATH of RFC 6962.
fn naive_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = 1 << (leaves.len() - 1).ilog2();
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if index < k {
        (naive_path(index, left), naive_root(right))
    } else {
        (naive_path(index - k, right), naive_root(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF of RFC 6962.
fn naive_subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![naive_root(leaves)] };
    }
    let k = 1 << (leaves.len() - 1).ilog2();
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if old <= k {
        (naive_subproof(old, left, whole), naive_root(right))
    } else {
        (naive_subproof(old - k, right, false), naive_root(left))
    };
    path.push(sibling);
    path
}

fn leaves(size: usize) -> Vec<Hash> {
    (0..size).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

fn frontier(leaves: &[Hash]) -> Frontier {
    let mut frontier = Frontier::empty();
    leaves.iter().for_each(|leaf| frontier.append(*leaf));
    frontier
}

fn reader(leaves: &[Hash]) -> impl FnMut(u8, u64) -> Result<Hash, Infallible> {
    |level, index| {
        let start = (index as usize) << level;
        Ok(naive_root(&leaves[start..start + (1 << level)]))
    }
}

/// Sizes around powers of two and around tiles.
fn sizes() -> impl Strategy<Value = usize> {
    prop_oneof![
        0usize..20,
        (0u32..10, 0usize..3).prop_map(|(bits, off)| ((1usize << bits) + off).saturating_sub(1)),
        (1usize..4, 0usize..3).prop_map(|(tiles, off)| tiles * 256 + off - 1),
    ]
}

#[test]
fn agrees_with_the_vectors_of_certificate_transparency() {
    let inputs =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::empty();
    assert_eq!(
        hex::encode(frontier.root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (input, root) in inputs.iter().zip(roots) {
        frontier.append(leaf_hash(&hex::decode(input).unwrap()));
        assert_eq!(hex::encode(frontier.root()), root);
    }
}

#[test]
fn consistency_of_every_pair_of_small_trees() {
    let all = leaves(34);
    let other = leaf_hash(b"other");
    for size in 0..=all.len() {
        let root = naive_root(&all[..size]);
        for old in 0..=size {
            let proof = consistency_proof(old as u64, size as u64, reader(&all)).unwrap().unwrap();
            if old > 0 {
                assert_eq!(proof, naive_subproof(old, &all[..size], true), "{old} to {size}");
            }
            let old_root = naive_root(&all[..old]);
            let check = |old_root, root, proof: &[Hash]| {
                verify_consistency(old as u64, size as u64, old_root, root, proof)
            };
            assert_eq!(check(&old_root, &root, &proof), Ok(()), "{old} to {size}");
            assert!(check(&other, &root, &proof).is_err());
            let longer = [proof.as_slice(), &[root]].concat();
            assert!(check(&old_root, &root, &longer).is_err());
            if let Some((_, shorter)) = proof.split_last() {
                assert!(check(&old_root, &other, &proof).is_err());
                assert!(check(&old_root, &root, shorter).is_err());
            }
        }
        assert_eq!(consistency_proof(size as u64 + 1, size as u64, reader(&all)), Ok(None));
    }
}

#[test]
fn a_proof_fits_one_place_in_one_size_only() {
    let all = leaves(21);
    for size in 1..=all.len() {
        let root = naive_root(&all[..size]);
        for index in 0..size {
            let proof = inclusion_proof(size as u64, index as u64, reader(&all)).unwrap().unwrap();
            for other in 0..all.len() {
                let found = root_from_inclusion(other as u64, size as u64, all[index], &proof);
                assert_eq!(found == Ok(root), other == index, "{index} at {other} of {size}");
            }
        }
        assert_eq!(inclusion_proof(size as u64, size as u64, reader(&all)), Ok(None));
    }
}

#[test]
fn a_frontier_of_another_shape_is_refused() {
    let bytes = frontier(&leaves(7)).encode();
    assert_eq!(Frontier::decode(&bytes), Ok(frontier(&leaves(7))));
    assert!(Frontier::decode(&[]).is_err());
    assert!(Frontier::decode(&bytes[..bytes.len() - 1]).is_err());
    assert!(Frontier::decode(&bytes[..bytes.len() - 32]).is_err());
    let mut other = bytes.clone();
    other[7] = 8;
    assert!(Frontier::decode(&other).is_err());
    let mut too_large = vec![0xff; 8];
    too_large.extend([0; 64 * 32]);
    assert!(Frontier::decode(&too_large).is_err());
}

#[test]
fn a_large_batch_comes_with_every_proof() {
    let all = leaves(777 + 1024);
    let (old, batch) = all.split_at(777);
    let extension = Extension::new(&frontier(old), batch);
    let root = frontier(&all).root();
    for (index, leaf) in all.iter().enumerate().skip(777) {
        let proof = extension.inclusion(index as u64).unwrap();
        assert_eq!(root_from_inclusion(index as u64, all.len() as u64, *leaf, &proof), Ok(root));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn frontier_has_the_root_of_the_rfc(size in sizes()) {
        let all = leaves(size);
        let frontier = frontier(&all);
        prop_assert_eq!(frontier.root(), naive_root(&all));
        prop_assert_eq!(frontier.size(), size as u64);
        prop_assert_eq!(Frontier::decode(&frontier.encode()), Ok(frontier));
    }

    #[test]
    fn inclusion_is_the_path_of_the_rfc(size in sizes(), pick in any::<prop::sample::Index>()) {
        prop_assume!(size > 0);
        let all = leaves(size);
        let index = pick.index(size);
        let mut asked = Vec::new();
        let mut read = reader(&all);
        let proof = inclusion_proof(size as u64, index as u64, |level, at| {
            asked.push((level, at));
            read(level, at)
        })
        .unwrap()
        .unwrap();
        prop_assert_eq!(&proof, &naive_path(index, &all));
        prop_assert_eq!(asked, inclusion_reads(size as u64, index as u64));
        let root = root_from_inclusion(index as u64, size as u64, all[index], &proof);
        prop_assert_eq!(root, Ok(naive_root(&all)));
    }

    #[test]
    fn an_extension_is_the_same_as_appending(old in sizes(), batch in sizes()) {
        let all = leaves(old + batch);
        let extension = Extension::new(&frontier(&all[..old]), &all[old..]);
        prop_assert_eq!(extension.frontier(), &frontier(&all));
        // The naive path takes the whole tree each time: look at the ends, where mistakes live.
        for index in (old..all.len()).filter(|index| *index < old + 3 || index + 3 >= all.len()) {
            prop_assert_eq!(extension.inclusion(index as u64), Some(naive_path(index, &all)));
        }
        prop_assert_eq!(extension.inclusion((old as u64).wrapping_sub(1)), None);
        prop_assert_eq!(extension.inclusion(all.len() as u64), None);
    }

    #[test]
    fn consistency_between_any_sizes(old in sizes(), more in sizes()) {
        let all = leaves(old + more);
        let size = all.len() as u64;
        let proof = consistency_proof(old as u64, size, reader(&all)).unwrap().unwrap();
        let roots = (naive_root(&all[..old]), naive_root(&all));
        prop_assert_eq!(verify_consistency(old as u64, size, &roots.0, &roots.1, &proof), Ok(()));
        prop_assert_eq!(consistency_reads(old as u64, size).is_empty(), proof.is_empty());
        for at in 0..proof.len() {
            let mut wrong = proof.clone();
            wrong[at][0] ^= 1;
            prop_assert!(verify_consistency(old as u64, size, &roots.0, &roots.1, &wrong).is_err());
        }
    }

    #[test]
    fn odd_proofs_never_panic(index: u64, size: u64, hashes in prop::collection::vec(any::<Hash>(), 0..80)) {
        let _ = root_from_inclusion(index, size, Hash::default(), &hashes);
        let _ = verify_consistency(index, size, &Hash::default(), &Hash::default(), &hashes);
    }
}
