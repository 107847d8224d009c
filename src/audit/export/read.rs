//! Reads an export again, entry by entry, for those who decide again or explain what was decided. What is opened is
//! compared with its leaf; whether the leaves are those of the signed tree is for [`verify`](crate::audit::verify).

use std::path::Path;

use super::lines::{self, Line as _, OpenedLine, OpenedPart};
use crate::{
    audit::{
        b64,
        checkpoint::{Checkpoint, CheckpointFault},
        leaf::{Leaf, LeafFault, commit_detail, commit_facts, parse_facts},
        tiles::{Layer, TileFault, TilePath, WIDTH, decode_bundle},
        verify::files::{self, MAX_BUNDLE_BYTES, MAX_LINES_BYTES, MAX_TEXT_BYTES},
    },
    note::{Note, NoteFault},
};

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// A file, and why.
    #[error("`{0}` {1}")]
    File(String, &'static str),
    /// The checkpoint is no note.
    #[error("the checkpoint {0}")]
    Note(#[from] NoteFault),
    /// The checkpoint is none.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    /// A bundle of entries.
    #[error(transparent)]
    Tile(#[from] TileFault),
    /// An entry.
    #[error("entry {0}: {1}")]
    Leaf(u64, LeafFault),
    /// What is opened is not what the leaf commits to, or is missing.
    #[error("entry {0}: what is opened is not what its leaf commits to; verify the export")]
    Opened(u64),
}

/// An entry of an export.
#[derive(Clone, Debug)]
pub struct ReadEntry {
    /// Index in the log, which is a shard.
    pub position: u64,
    /// What the tree holds of it.
    pub leaf: Leaf,
    /// The facts, if they are opened and not forgotten.
    pub facts: Option<String>,
    /// The detail, if it is opened.
    pub detail: Option<String>,
}

/// Gives each entry of an export, in the order of the log, and how many there were.
///
/// # Errors
/// The first thing that cannot be read.
pub fn read(dir: &Path, mut take: impl FnMut(ReadEntry)) -> Result<u64, ReadFault> {
    let file = |name: &str, limit: usize| {
        files::try_read(&dir.join(name), limit).map_err(|(_, why)| ReadFault::File(name.to_owned(), why))
    };
    let checkpoint = String::from_utf8_lossy(&file("checkpoint", MAX_TEXT_BYTES)?).into_owned();
    let size = Checkpoint::parse(Note::parse(&checkpoint)?.unverified_text())?.size;
    for bundle in 0..size.div_ceil(WIDTH) {
        let Some(path) = TilePath::at(Layer::Entries, bundle, size) else { break };
        let leaves = file(&path.to_string(), MAX_BUNDLE_BYTES)?;
        let opened = file(&lines::path("opened", bundle), MAX_LINES_BYTES)?;
        let opened = String::from_utf8_lossy(&opened);
        let mut opened = opened.lines().map(OpenedLine::decode);
        for (leaf, position) in decode_bundle(&leaves)?.into_iter().zip(bundle * WIDTH..) {
            let leaf = Leaf::parse(leaf).map_err(|fault| ReadFault::Leaf(position, fault))?;
            let unlike = || ReadFault::Opened(position);
            let (index, part) = opened.next().flatten().ok_or_else(unlike)?;
            if index != position {
                return Err(unlike());
            }
            let (facts, detail) = match part {
                OpenedPart::LeftOut | OpenedPart::Expired => (None, None),
                OpenedPart::Opened(part) => (Some(part.facts), part.detail),
            };
            let facts = match facts {
                Some((salt, facts)) if commit_facts(&salt, facts.as_bytes()) == leaf.facts => Some(facts),
                Some(_) => return Err(unlike()),
                None => None,
            };
            let committed = facts.as_deref().and_then(|facts| {
                let facts = parse_facts(facts.as_bytes())?;
                b64::hash(facts.get("detail")?.as_str()?)
            });
            let detail = match detail {
                Some((salt, detail)) if Some(commit_detail(&salt, detail.as_bytes())) == committed => {
                    Some(detail)
                }
                Some(_) => return Err(unlike()),
                None => None,
            };
            take(ReadEntry { position, leaf, facts, detail });
        }
    }
    Ok(size)
}
