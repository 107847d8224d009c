//! Writes a log as files that anybody can verify: the tlog-tiles layout, and beside it what the exporter may open.

pub(super) mod lines;
pub mod read;
pub mod stored;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    checkpoint::{Checkpoint, CheckpointFault},
    leaf::Salt,
    tiles::{Layer, TileFault, TilePath, TileStack, WIDTH, encode_bundle, encode_tile, index_path},
    tree::{Frontier, Hash, leaf_hash},
    trust::Policy,
};
use crate::note::{Note, VerifierKey, cosignature::CosignerKey};
use lines::{Line as _, OpenedLine, SealedLine};

/// Why an export cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportFault {
    /// The directory has something in it.
    #[error("the directory is not empty")]
    NotEmpty,
    /// A record out of order, or for a position that the checkpoint does not reach.
    #[error("entry {found} was given where entry {expected} comes")]
    Order {
        /// The position that comes next.
        expected: u64,
        /// The position that was given.
        found: u64,
    },
    /// The checkpoint has another size than there are entries.
    #[error("the checkpoint is of {size} entries, and {given} were given")]
    Size {
        /// What the checkpoint says.
        size: u64,
        /// Entries given.
        given: u64,
    },
    /// Facts that are not UTF-8.
    #[error("the facts of entry {0} are not text")]
    Facts(u64),
    /// No key to write into `policy.txt`.
    #[error("an export names the keys of its log")]
    NoKeys,
    /// The checkpoint cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointFault),
    /// An entry is too long.
    #[error(transparent)]
    Tile(#[from] TileFault),
    /// A file cannot be written.
    #[error("cannot write the export")]
    Io(#[from] io::Error),
}

/// The sealed part of an entry, as it stands beside the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealedPart {
    /// Still there, whether or not anybody can open it.
    Present {
        /// `SHA-256(entry key)`: with it anyone can check the bytes, and nobody can open them.
        key_hash: Hash,
        /// What [`seal`](super::seal::seal) gave.
        bytes: Vec<u8>,
    },
    /// Deleted; a later `erasure` entry names its pair in the list `pairs` of its facts.
    Erased,
    /// Deleted together with the facts; a later `erasure` entry says that the term of its kind is over.
    Expired,
}

/// One entry of an export.
#[derive(Clone, PartialEq, Eq)]
pub struct ExportRecord {
    /// Position in the log.
    pub index: u64,
    /// The leaf as stored.
    pub leaf: Vec<u8>,
    /// Salt and canonical JSON of the facts, where the exporter may see them.
    pub facts: Option<(Salt, Vec<u8>)>,
    /// Salt and canonical JSON of the detail that the facts commit to, where the exporter may see it.
    pub detail: Option<(Salt, Vec<u8>)>,
    /// The sealed part, where it goes along. Only written [with sealed parts](ExportWriter::with_sealed), but for
    /// [`SealedPart::Expired`], which is told of the facts too.
    pub sealed: Option<SealedPart>,
}

impl std::fmt::Debug for ExportRecord {
    /// The facts stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ExportRecord({}, redacted)", self.index)
    }
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportSummary {
    /// Number of entries.
    pub entries: u64,
    /// Root of the tree of these entries.
    pub root: Hash,
    /// Whether the checkpoint says the same. If not, the export stands as evidence, and will not verify.
    pub root_matches: bool,
}

/// Writes an export, 256 entries at a time. The checkpoint comes last: an export that was interrupted has none.
#[derive(Debug)]
pub struct ExportWriter {
    dir: PathBuf,
    tiles: TileStack,
    frontier: Frontier,
    bundle: Vec<Vec<u8>>,
    opened: String,
    sealed: Option<String>,
    witnesses: (Vec<CosignerKey>, usize),
}

impl ExportWriter {
    /// Starts an export in this directory, which is new or empty.
    ///
    /// # Errors
    /// If it is neither, or cannot be made.
    pub fn create(dir: &Path) -> Result<Self, ExportFault> {
        fs::create_dir_all(dir)?;
        if fs::read_dir(dir)?.next().is_some() {
            return Err(ExportFault::NotEmpty);
        }
        Ok(Self {
            dir: dir.to_owned(),
            tiles: TileStack::default(),
            frontier: Frontier::empty(),
            bundle: Vec::new(),
            opened: String::new(),
            sealed: None,
            witnesses: (Vec::new(), 0),
        })
    }

    /// Writes sealed parts as well. To be said before the first entry.
    #[must_use]
    pub fn with_sealed(self) -> Self {
        Self { sealed: Some(String::new()), ..self }
    }

    /// Names these witnesses in `policy.txt`, with the number of them that must cosign.
    #[must_use]
    pub fn with_witnesses(self, keys: Vec<CosignerKey>, threshold: usize) -> Self {
        Self { witnesses: (keys, threshold), ..self }
    }

    /// Adds the next entry.
    ///
    /// # Errors
    /// If it is not the next, or a file cannot be written.
    pub fn push(&mut self, record: ExportRecord) -> Result<(), ExportFault> {
        let index = self.frontier.size();
        if record.index != index {
            return Err(ExportFault::Order { expected: index, found: record.index });
        }
        let text = |part: Option<(Salt, Vec<u8>)>| match part {
            Some((salt, json)) => {
                String::from_utf8(json).map(|json| Some((salt, json))).map_err(|_| ExportFault::Facts(index))
            }
            None => Ok(None),
        };
        let (facts, detail) = (text(record.facts)?, text(record.detail)?);
        let opened = match record.sealed {
            Some(SealedPart::Expired) => OpenedLine::expired(index),
            _ => OpenedLine::new(index, facts, detail),
        };
        self.opened.push_str(&opened.encode());
        if let Some(sealed) = &mut self.sealed {
            sealed.push_str(&SealedLine::new(index, record.sealed).encode());
        }
        let leaf = leaf_hash(&record.leaf);
        self.frontier.append(leaf);
        for (path, hashes) in self.tiles.push(leaf) {
            self.write(&path.to_string(), &encode_tile(&hashes))?;
        }
        self.bundle.push(record.leaf);
        if self.frontier.size().is_multiple_of(WIDTH) { self.write_bundle() } else { Ok(()) }
    }

    /// Ends the export with the checkpoint of these entries, verbatim, and the keys that verify it.
    ///
    /// # Errors
    /// If the checkpoint is of another size, or a file cannot be written.
    pub fn finish(
        mut self,
        checkpoint_note: &str,
        keys: &[VerifierKey],
    ) -> Result<ExportSummary, ExportFault> {
        if keys.is_empty() {
            return Err(ExportFault::NoKeys);
        }
        let note = Note::parse(checkpoint_note).map_err(CheckpointFault::from)?;
        let checkpoint = Checkpoint::parse(note.unverified_text())?;
        let entries = self.frontier.size();
        if checkpoint.size != entries {
            return Err(ExportFault::Size { size: checkpoint.size, given: entries });
        }
        if !self.bundle.is_empty() {
            self.write_bundle()?;
        }
        for (path, hashes) in self.tiles.partial() {
            self.write(&path.to_string(), &encode_tile(hashes))?;
        }
        let (witnesses, threshold) = &self.witnesses;
        let policy = Policy::witnessed(keys.to_vec(), witnesses, *threshold);
        self.write("policy.txt", policy.to_string().as_bytes())?;
        self.write("checkpoint", checkpoint_note.as_bytes())?;
        let root = self.frontier.root();
        Ok(ExportSummary { entries, root, root_matches: root == checkpoint.root })
    }

    fn write_bundle(&mut self) -> Result<(), ExportFault> {
        let size = self.frontier.size();
        let index = (size - 1) / WIDTH;
        let entries = std::mem::take(&mut self.bundle);
        if let Some(path) = TilePath::at(Layer::Entries, index, size) {
            self.write(&path.to_string(), &encode_bundle(&entries)?)?;
        }
        let opened = std::mem::take(&mut self.opened);
        self.write(&lines::path("opened", index), opened.as_bytes())?;
        if let Some(sealed) = self.sealed.as_mut().map(std::mem::take) {
            self.write(&lines::path("sealed", index), sealed.as_bytes())?;
        }
        Ok(())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), ExportFault> {
        let path = self.dir.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, bytes)?)
    }
}
