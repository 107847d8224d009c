use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::audit::tree::{Frontier, inclusion_proof, leaf_hash, root_from_inclusion};

#[test]
fn paths_of_the_specification() {
    let path = TilePath { layer: Layer::Hashes(0), index: 1_234_067, width: 256 };
    assert_eq!(path.to_string(), "tile/0/x001/x234/067");
    // Its example: a tree of 70,000.
    let all: Vec<String> = TilePath::all(70_000).map(|path| path.to_string()).collect();
    let of = |prefix: &str| all.iter().filter(|path| path.starts_with(prefix)).count();
    assert_eq!((of("tile/entries/"), of("tile/0/"), of("tile/1/"), of("tile/2/")), (274, 274, 2, 1));
    for path in ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/272"] {
        assert!(all.iter().any(|other| other == path), "{path}");
    }
    assert_eq!(TilePath::all(0).count(), 0);
    let full: Vec<String> = TilePath::all(256).map(|path| path.to_string()).collect();
    assert_eq!(full, ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
}

#[test]
fn other_paths_are_refused() {
    for text in [
        "",
        "tile/0/0",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/00/000",
        "tile/64/000",
        "tile/0/001/x234/067",
        "tile/0/x000/001",
        "tile/0/+01",
        "tile/0/x01/001",
        "tile/entries/000/",
        "../tile/0/000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(text.parse::<TilePath>(), Err(TileFault::Path), "{text}");
    }
}

#[test]
fn tiles_hold_every_subtree_that_a_proof_needs() {
    let size = 256 * 300 + 77;
    let (mut stack, mut frontier, mut tiles) = (TileStack::default(), Frontier::empty(), HashMap::new());
    for leaf in 0..size {
        let leaf = leaf_hash(&u64::to_be_bytes(leaf));
        frontier.append(leaf);
        tiles.extend(stack.push(leaf));
    }
    let partial: Vec<_> = stack.partial().into_iter().map(|(path, tile)| (path, tile.to_vec())).collect();
    tiles.extend(partial);
    let expected = TilePath::all(size).filter(|path| path.layer != Layer::Entries);
    assert_eq!(expected.filter(|path| tiles[path].len() == usize::from(path.width)).count(), tiles.len());
    for index in [0, 255, 256, 65_535, 65_536, size - 78, size - 1] {
        let proof = inclusion_proof(size, index, |level, at| {
            let (tile_level, tile, range) = locate(level, at);
            let path = TilePath::at(Layer::Hashes(tile_level), tile, size).ok_or(())?;
            Ok::<_, ()>(subtree_root(&tiles[&path][range]))
        })
        .unwrap()
        .unwrap();
        let leaf = leaf_hash(&index.to_be_bytes());
        assert_eq!(root_from_inclusion(index, size, leaf, &proof), Ok(frontier.root()));
    }
}

#[test]
fn bundles_add_up() {
    assert_eq!(encode_bundle(&[vec![0; 65_536]]), Err(TileFault::EntryTooLong));
    assert_eq!(decode_bundle(&[0, 1]), Err(TileFault::Bundle));
    assert_eq!(decode_bundle(&[0]), Err(TileFault::Bundle));
    assert_eq!(decode_tile(&[0; 31]), Err(TileFault::Tile));
    assert_eq!(decode_tile(&[]), Err(TileFault::Tile));
    assert_eq!(decode_tile(&[0; 257 * 32]), Err(TileFault::Tile));
}

proptest! {
    #[test]
    fn paths_round_trip(level in 0u8..64, entries: bool, index: u64, width in 1u16..=256) {
        let layer = if entries { Layer::Entries } else { Layer::Hashes(level) };
        let path = TilePath { layer, index, width };
        prop_assert_eq!(path.to_string().parse(), Ok(path));
    }

    #[test]
    fn bundles_round_trip(entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20)) {
        let bytes = encode_bundle(&entries).unwrap();
        prop_assert_eq!(decode_bundle(&bytes).unwrap(), entries);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Ok(entries) = decode_bundle(&bytes) {
            prop_assert_eq!(encode_bundle(&entries).unwrap(), bytes);
        }
    }
}
