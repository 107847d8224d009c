//! The walk over an export: bundle by bundle, each entry against its hash, its neighbours and what stands beside it.

use std::path::Path;

use super::{Progress, duplicates::Seen, files, head::Head, later::Later, parts::Parts, story::Story};
use crate::audit::{
    checkpoint::Checkpoint,
    leaf::{Leaf, LeafFault},
    report::{Code, EntryState, Report},
    tiles::{Layer, TilePath, TileStack, WIDTH, decode_bundle, decode_tile},
    tree::{Frontier, Hash, leaf_hash},
};

/// Verifies everything below the head, with about so many ids in memory at once.
pub fn run(
    dir: &Path,
    head: &Head,
    later: &Later<'_>,
    at_once: u64,
    progress: Option<&dyn Fn(Progress)>,
    report: &mut Report,
) {
    let size = head.checkpoint.size;
    let present = files::look_through(dir, size, report);
    let bundles = files::bundles_to_read(size, present);
    let mut walk = Walk {
        dir,
        head,
        tree: Some((TileStack::default(), Frontier::empty())),
        entries: Some(Frontier::empty()),
        story: Story::default(),
        parts: Parts::new(dir, later),
        seen: Seen::new(bundles * WIDTH, at_once),
        progress,
    };
    for bundle in 0..bundles {
        walk.bundle(bundle, report);
    }
    let rest = size.div_ceil(WIDTH) - bundles;
    if rest > 0 {
        let detail = format!("the files of {rest} more bundles, from bundle {bundles}, are missing");
        report.find(None, Code::FileMissing, detail);
        walk.gap();
    }
    walk.end(bundles, report);
}

struct Walk<'a> {
    dir: &'a Path,
    head: &'a Head,
    /// Grows from the tiles at level 0. `None` once a hash is missing.
    tree: Option<(TileStack, Frontier)>,
    /// Grows from the entries themselves. `None` once an entry is missing.
    entries: Option<Frontier>,
    story: Story,
    parts: Parts<'a>,
    seen: Seen,
    progress: Option<&'a dyn Fn(Progress)>,
}

impl Walk<'_> {
    fn size(&self) -> u64 {
        self.head.checkpoint.size
    }

    /// An entry is not there: what it would have explained cannot be held against others.
    const fn gap(&mut self) {
        self.story.gap();
        self.parts.gap();
    }

    fn bundle(&mut self, bundle: u64, report: &mut Report) {
        let Some(path) = TilePath::at(Layer::Entries, bundle, self.size()) else { return };
        let (start, width) = (bundle * WIDTH, usize::from(path.width));
        let bytes = files::read(self.dir, &path.to_string(), files::MAX_BUNDLE_BYTES, report);
        let entries = bytes.as_deref().and_then(|bytes| match decode_bundle(bytes) {
            Ok(entries) if entries.len() == width => Some(entries),
            _ => malformed(path, report),
        });
        let path = TilePath { layer: Layer::Hashes(0), ..path };
        let bytes = files::read(self.dir, &path.to_string(), files::MAX_TILE_BYTES, report);
        let hashes = bytes.as_deref().and_then(|bytes| match decode_tile(bytes) {
            Ok(hashes) if hashes.len() == width => Some(hashes),
            _ => malformed(path, report),
        });
        let parts = self.parts.read(bundle, start, width as u64, report);
        for (offset, position) in (0..width).zip(start..) {
            let entry = entries.as_ref().and_then(|entries| entries.get(offset).copied());
            let hash = hashes.and_then(|hashes| hashes.get(offset).copied());
            self.grow(position, entry, hash, report);
            let state = match entry {
                None => {
                    self.gap();
                    EntryState::Missing
                }
                Some(entry) => {
                    report.entries += 1;
                    match self.leaf(position, entry, report) {
                        Ok(leaf) => self.parts.check(&parts, position, &leaf, report),
                        Err(state) => state,
                    }
                }
            };
            report.states.count(state);
            if let Some(progress) = self.progress {
                progress(Progress { position, of: self.size(), state });
            }
        }
    }

    /// Both trees: from the hashes, or the entry where its hash is missing, and from the entries alone.
    fn grow(&mut self, position: u64, entry: Option<&[u8]>, hash: Option<Hash>, report: &mut Report) {
        let own = entry.map(leaf_hash);
        if let (Some(own), Some(hash)) = (own, hash)
            && own != hash
        {
            let detail = "the entry is not the one whose hash stands in the tree";
            report.find(Some(position), Code::EntryMismatch, detail);
        }
        self.entries = self.entries.take().zip(own).map(|(mut frontier, own)| {
            frontier.append(own);
            frontier
        });
        let Some(((mut tiles, mut frontier), hash)) = self.tree.take().zip(hash.or(own)) else { return };
        frontier.append(hash);
        for (path, hashes) in tiles.push(hash) {
            self.compare(path, &hashes, report);
        }
        let forked = |since: &&Checkpoint| since.size == frontier.size() && since.root != frontier.root();
        for since in self.head.since.iter().filter(forked) {
            let detail = format!("the first {} entries are not those of the earlier checkpoint", since.size);
            report.find(None, Code::SinceInconsistent, detail);
        }
        self.tree = Some((tiles, frontier));
    }

    /// A tile above level 0 is what the tiles below it give.
    fn compare(&self, path: TilePath, hashes: &[Hash], report: &mut Report) {
        if path.layer == Layer::Hashes(0) {
            return;
        }
        let name = path.to_string();
        let Some(bytes) = files::read(self.dir, &name, files::MAX_TILE_BYTES, report) else { return };
        if bytes != hashes.as_flattened() {
            let detail = format!("`{name}` is not what the tiles below it give");
            report.find(None, Code::TileMismatch, detail);
        }
    }

    fn leaf(&mut self, position: u64, entry: &[u8], report: &mut Report) -> Result<Leaf, EntryState> {
        let leaf = Leaf::parse(entry).map_err(|fault| match fault {
            LeafFault::Malformed => {
                self.gap();
                report.find(Some(position), Code::LeafMalformed, fault.to_string());
                EntryState::Mismatch
            }
            LeafFault::UnknownKind(_) => {
                report.find(Some(position), Code::KindUnknown, fault.to_string());
                EntryState::Sealed
            }
        })?;
        report.count_kind(leaf.kind);
        self.story.entry(position, &leaf, report);
        self.repeated(position, &leaf, report);
        Ok(leaf)
    }

    fn repeated(&mut self, position: u64, leaf: &Leaf, report: &mut Report) {
        if self.seen.repeats(leaf.pair, leaf.kind) {
            let detail = format!("another `{}` entry of the same pair stands ahead of it", leaf.kind);
            report.find(Some(position), Code::EntryRepeated, detail);
        }
    }

    fn end(mut self, bundles: u64, report: &mut Report) {
        while self.seen.next_part() {
            self.look_for_repeats(bundles, report);
        }
        let checkpoint = &self.head.checkpoint;
        if let Some((tiles, frontier)) = &self.tree
            && frontier.size() == checkpoint.size
        {
            for (path, hashes) in tiles.partial() {
                self.compare(path, hashes, report);
            }
            if frontier.root() != checkpoint.root {
                let detail = "the hashes do not give the root in the checkpoint";
                report.find(None, Code::RootMismatch, detail);
            }
        }
        if let Some(frontier) = &self.entries
            && frontier.size() == checkpoint.size
            && frontier.root() != checkpoint.root
        {
            let detail = "the entries do not give the root in the checkpoint";
            report.find(None, Code::EntriesRootMismatch, detail);
        }
        self.story.end(report);
        self.parts.end(report);
    }

    /// One more walk, for ids only. What cannot be read was found the first time.
    fn look_for_repeats(&mut self, bundles: u64, report: &mut Report) {
        for bundle in 0..bundles {
            let Some(path) = TilePath::at(Layer::Entries, bundle, self.size()) else { return };
            let file = self.dir.join(path.to_string());
            let Ok(bytes) = files::try_read(&file, files::MAX_BUNDLE_BYTES) else { continue };
            for (entry, position) in decode_bundle(&bytes).unwrap_or_default().iter().zip(bundle * WIDTH..) {
                if let Ok(leaf) = Leaf::parse(entry) {
                    self.repeated(position, &leaf, report);
                }
            }
        }
    }
}

fn malformed<T>(path: TilePath, report: &mut Report) -> Option<T> {
    report.find(None, Code::FileMalformed, format!("`{path}` does not have the {} it must have", path.width));
    None
}
