//! Paths and contents of tiles, in memory and on disk. `tlog_tiles` writes the height of its tiles into a path and says
//! `data` for entries, as the Go module proxy does; apart from that a path is the same.

use proptest::prelude::*;
use sluis::audit::{
    tiles::{Layer, TilePath, TileStack, encode_tile},
    tree::leaf_hash,
};
use tlog_tiles::{Tile, TileHashReader, tree_hash};

use crate::{alone::verifier::Folder, logs, trees::Stored};

/// A path as `tlog_tiles` writes it, as the specification has it.
fn as_specified(theirs: &str) -> String {
    theirs.replacen("tile/8/", "tile/", 1).replacen("tile/data/", "tile/entries/", 1)
}

/// The other way round.
fn as_theirs(path: &str) -> String {
    path.replacen("tile/", "tile/8/", 1).replacen("tile/8/entries/", "tile/8/data/", 1)
}

fn same(theirs: Tile) -> TilePath {
    let layer = if theirs.is_data() { Layer::Entries } else { Layer::Hashes(theirs.level()) };
    TilePath { layer, index: theirs.level_index(), width: theirs.width() as u16 }
}

#[test]
fn a_log_of_any_size_has_the_tiles_that_theirs_has() {
    for size in (0..=520).chain(65_535..=65_537).chain([1 << 20, (1 << 24) + 77]) {
        let ours: Vec<_> = TilePath::all(size).filter(|path| path.layer != Layer::Entries).collect();
        let theirs: Vec<_> = Tile::new_tiles(8, 0, size).into_iter().map(same).collect();
        assert_eq!(ours, theirs, "{size}");
        for path in ours.iter().rev().take(300) {
            let Layer::Hashes(level) = path.layer else { continue };
            let tile = Tile::new(8, level, path.index, path.width.into(), false);
            assert_eq!(path.to_string(), as_specified(&tile.path()));
        }
    }
}

#[test]
fn full_and_partial_tiles_hold_what_theirs_hold() {
    let (mut stack, mut stored, mut full) = (TileStack::default(), Stored::default(), 0);
    for number in 0..1_100_u64 {
        let entry = number.to_be_bytes();
        stored.push(&entry);
        let done = stack.push(leaf_hash(&entry));
        full += done.len();
        let partial = stack.partial();
        // Every tile that is finished, and the unfinished ones now and then.
        let now = if number % 37 == 0 { partial.as_slice() } else { &[] };
        let all = done.iter().map(|(path, hashes)| (path, hashes.as_slice()));
        for (path, hashes) in all.chain(now.iter().map(|(path, hashes)| (path, *hashes))) {
            let Layer::Hashes(level) = path.layer else { panic!("{path}") };
            let tile = Tile::new(8, level, path.index, path.width.into(), false);
            assert_eq!(tile.read_data(&stored).unwrap(), encode_tile(hashes), "{path} at {number}");
        }
    }
    assert_eq!(full, 4);
}

#[test]
fn their_reader_reads_an_export_on_disk() {
    for size in [1, 2, 255, 256, 257, 512, 700] {
        let log = logs::long("tiles", size);
        let dir = logs::on_disk(log.export(false).unwrap());
        let checkpoint = log.checkpoint(size).unwrap();
        let folder = Folder(dir.path());
        let reader = TileHashReader::new(size, tlog_tiles::Hash(checkpoint.root), &folder);
        assert_eq!(tree_hash(size, &reader).unwrap().0, checkpoint.root, "{size}");
        for earlier in [1, size / 2, size.saturating_sub(1)].into_iter().filter(|earlier| *earlier > 0) {
            // The right edge of a smaller tree may lie inside a tile, not at its end.
            assert_eq!(
                tree_hash(earlier, &reader).unwrap().0,
                log.checkpoint(earlier).unwrap().root,
                "{earlier}"
            );
        }
    }
}

proptest! {
    #[test]
    fn every_path_is_theirs(level in 0..8_u8, index: u64, width in 1..=256_u16, entries: bool) {
        let layer = if entries { Layer::Entries } else { Layer::Hashes(level) };
        let path = TilePath { layer, index, width };
        let tile = Tile::new(8, if entries { 0 } else { level }, index, width.into(), entries);
        prop_assert_eq!(path.to_string(), as_specified(&tile.path()));
        prop_assert_eq!(as_theirs(&path.to_string()), tile.path());
        prop_assert_eq!(path.to_string().parse::<TilePath>().unwrap(), path);
        prop_assert_eq!(same(Tile::from_path(&tile.path()).unwrap()), path);
    }

    /// A level above 63 and a width of zero are left out: at these `tlog_tiles` 0.2 panics.
    #[test]
    fn other_paths_are_refused_by_both(
        path in "tile/(0|1|7|00|63|-1|entries)/(x[0-9]{3}/|[0-9]{3}/|x[0-9]{2}/){0,3}x?[0-9]{2,4}(\\.p/0?[1-9][0-9]{0,2})?"
    ) {
        let ours = path.parse::<TilePath>().ok();
        let theirs = Tile::from_path(&as_theirs(&path)).ok();
        prop_assert_eq!(theirs.map(same), ours, "{}", path);
    }
}
