//! The newest checkpoint that a quorum has cosigned, in a file beside the database and not in it: a database that is set
//! back does not take it along.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::opened;
use crate::{audit::checkpoint::Checkpoint, domain::RequestId, note::VerifierKey};

const NAME: &str = "cosigned";

/// The kept checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the cosigned checkpoint `{path}`: {cause}")]
pub struct KeptFault {
    path: PathBuf,
    cause: io::Error,
}

/// Where it is kept.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    dir: PathBuf,
}

/// The kept checkpoint with its cosignatures, as text. `None` if there is none yet.
///
/// # Errors
/// If it is there and cannot be read.
pub fn cosigned(data_dir: &Path) -> Result<Option<String>, KeptFault> {
    let path = data_dir.join(NAME);
    match fs::read_to_string(&path) {
        Ok(note) => Ok(Some(note)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(KeptFault { path, cause }),
    }
}

impl Kept {
    pub(super) fn at(data_dir: &Path) -> Self {
        Self { dir: data_dir.to_owned() }
    }

    /// What it says, if it is of this very log: the log of another year leaves the file of the last one behind.
    pub(super) fn read(&self, log_key: &VerifierKey) -> Result<Option<Checkpoint>, KeptFault> {
        Ok(cosigned(&self.dir)?
            .and_then(|note| opened(&note, log_key))
            .filter(|kept| kept.origin == log_key.name()))
    }

    /// Replaces it in one step.
    pub(super) fn write(&self, note: &str) -> io::Result<()> {
        // Instances may share the folder, so each has a file of its own until it stands there whole.
        let beside = self.dir.join(format!("{NAME}.{}.new", RequestId::random()));
        let mut file = fs::File::create(&beside)?;
        file.write_all(note.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, self.dir.join(NAME))
    }
}
