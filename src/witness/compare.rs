//! Puts side by side what several witnesses, or several readers, were shown of one log.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use crate::{
    audit::{
        checkpoint::Checkpoint,
        tiles::{Layer, TILE_BYTES, TilePath, WIDTH, decode_tile},
        tree::{Frontier, Hash},
    },
    note::VerifierKey,
};

/// A signed checkpoint with the cosignatures of its witnesses is at most this long.
const MAX_NOTE_BYTES: usize = 64 * 1024;

/// A signed checkpoint, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// File or address.
    pub from: String,
    /// What was signed.
    pub checkpoint: Checkpoint,
}

/// A checkpoint that nothing can be concluded from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewFault {
    /// Not a checkpoint that the log signed.
    #[error("{from}: {cause}")]
    Unsigned {
        /// File or address.
        from: String,
        /// What is wrong.
        cause: crate::audit::checkpoint::CheckpointFault,
    },
    /// Checkpoints of different logs say nothing about each other.
    #[error("{0} is of another log")]
    OtherLog(String),
    /// The hashes of the export that is to prove consistency are not those of a checkpoint that the log signed.
    #[error("the tree of the export does not verify; look at it with `sluis audit verify`")]
    Export,
}

/// What two views together say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of them are of one history.
    OneHistory,
    /// Sizes differ, and nothing shows that the smaller is the beginning of the larger. Names those.
    NotShown(Vec<String>),
    /// The log has signed two histories. Says which views show it.
    SplitView(String),
}

impl View {
    /// Reads a checkpoint that must be signed by one of these keys of its log.
    ///
    /// # Errors
    /// [`ViewFault::Unsigned`].
    pub fn read(from: &str, note: &str, trust: &[VerifierKey]) -> Result<Self, ViewFault> {
        let (checkpoint, _) = Checkpoint::open(note, trust)
            .map_err(|cause| ViewFault::Unsigned { from: from.to_owned(), cause })?;
        Ok(Self { from: from.to_owned(), checkpoint })
    }
}

/// Reads a file that is no longer than it may be.
fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// The checkpoint of an export, signed by the log.
fn signed(dir: &Path, trust: &[VerifierKey]) -> Option<Checkpoint> {
    let text = String::from_utf8(read(&dir.join("checkpoint"), MAX_NOTE_BYTES).ok()?).ok()?;
    Checkpoint::open(&text, trust).ok().map(|(checkpoint, _)| checkpoint)
}

/// The roots that an export had at these sizes, none of them above its own. One walk over its hashes, which must give the
/// root that the log signed; then they are the hashes of its entries, whatever stands or is missing beside those.
fn roots(dir: &Path, export: &Checkpoint, sizes: impl Iterator<Item = u64>) -> Option<BTreeMap<u64, Hash>> {
    let mut frontier = Frontier::empty();
    let mut roots: BTreeMap<u64, Hash> = sizes.map(|size| (size, frontier.root())).collect();
    for index in 0..export.size.div_ceil(WIDTH) {
        let path = TilePath::at(Layer::Hashes(0), index, export.size)?;
        let bytes = read(&dir.join(path.to_string()), TILE_BYTES).ok()?;
        for hash in decode_tile(&bytes).ok()? {
            frontier.append(*hash);
            if let Some(root) = roots.get_mut(&frontier.size()) {
                *root = frontier.root();
            }
        }
    }
    (frontier.size() == export.size && frontier.root() == export.root).then_some(roots)
}

/// Compares views of one log. With an export each of them that is not larger is held against its tree.
///
/// # Errors
/// If they are of several logs, or the tree of the export does not verify.
pub fn compare(views: &[View], export: Option<&Path>, trust: &[VerifierKey]) -> Result<Outcome, ViewFault> {
    let Some(first) = views.first() else { return Ok(Outcome::OneHistory) };
    if let Some(other) = views.iter().find(|view| view.checkpoint.origin != first.checkpoint.origin) {
        return Err(ViewFault::OtherLog(other.from.clone()));
    }
    for (at, one) in views.iter().enumerate() {
        let split = |other: &&View| {
            other.checkpoint.size == one.checkpoint.size && other.checkpoint.root != one.checkpoint.root
        };
        if let Some(other) = views.iter().skip(at + 1).find(split) {
            let size = one.checkpoint.size;
            let text = format!("{} and {} have different roots at size {size}", one.from, other.from);
            return Ok(Outcome::SplitView(text));
        }
    }
    let Some(dir) = export else {
        let other = views.iter().filter(|view| view.checkpoint.size != first.checkpoint.size);
        let others: Vec<String> = other.map(|view| view.from.clone()).collect();
        return Ok(if others.is_empty() { Outcome::OneHistory } else { Outcome::NotShown(others) });
    };
    let export = signed(dir, trust).ok_or(ViewFault::Export)?;
    if export.origin != first.checkpoint.origin {
        return Err(ViewFault::OtherLog(dir.display().to_string()));
    }
    let (within, larger): (Vec<&View>, Vec<&View>) =
        views.iter().partition(|view| view.checkpoint.size <= export.size);
    let sizes = within.iter().map(|view| view.checkpoint.size);
    let roots = roots(dir, &export, sizes).ok_or(ViewFault::Export)?;
    let differs = |view: &&&View| roots.get(&view.checkpoint.size) != Some(&view.checkpoint.root);
    if let Some(view) = within.iter().find(differs) {
        let text = format!("the export {} does not begin with the log of {}", dir.display(), view.from);
        return Ok(Outcome::SplitView(text));
    }
    let not_shown: Vec<String> = larger.iter().map(|view| view.from.clone()).collect();
    Ok(if not_shown.is_empty() { Outcome::OneHistory } else { Outcome::NotShown(not_shown) })
}
