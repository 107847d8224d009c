//! The newest checkpoint that a quorum has cosigned, in a file beside the database and not in it: a database that is set
//! back does not take it along.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::opened;
use crate::{
    audit::{checkpoint::Checkpoint, shard::log_name},
    note::{Note, VerifierKey},
    replace::{Readers, replace},
};

const NAME: &str = "cosigned";

/// The kept checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeptFault {
    /// The file cannot be read or written.
    #[error("cannot use the cosigned checkpoint `{path}`: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// It does not hold what was written to it.
    #[error(
        "`{0}` is not a checkpoint that this log signed; restore it, since without it a database that was set back is not found \
         out here. If it is of another log, or lost for good, move it away once a witness has shown its newest checkpoint"
    )]
    Damaged(PathBuf),
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
        Err(cause) => Err(KeptFault::File { path, cause }),
    }
}

impl Kept {
    pub(super) fn at(data_dir: &Path) -> Self {
        Self { dir: data_dir.to_owned() }
    }

    /// What it says, if it is of this very shard: that of another year leaves the file of the last one behind. One that does
    /// not read is not taken for none, or whoever damages it switches off what it is kept for.
    pub(super) fn read(&self, log_key: &VerifierKey) -> Result<Option<Checkpoint>, KeptFault> {
        let Some(note) = cosigned(&self.dir)? else { return Ok(None) };
        let damaged = || KeptFault::Damaged(self.dir.join(NAME));
        let told = told(&note).ok_or_else(damaged)?;
        if told.origin == log_key.name() {
            return opened(&note, log_key).map(Some).ok_or_else(damaged);
        }
        let is_other_shard = log_name(&told.origin) == log_name(log_key.name());
        if is_other_shard { Ok(None) } else { Err(damaged()) }
    }

    /// Replaces it in one step, unless what is there is further on in the same shard: instances may share the folder, and what
    /// one of them has seen cosigned is not forgotten for another that comes later with less.
    pub(super) fn write(&self, note: &str) -> Result<(), KeptFault> {
        let path = self.dir.join(NAME);
        if let Some(kept) = cosigned(&self.dir)? {
            let kept = told(&kept).ok_or_else(|| KeptFault::Damaged(path.clone()))?;
            if told(note).is_some_and(|new| kept.origin == new.origin && kept.size > new.size) {
                return Ok(());
            }
        }
        replace(&path, Readers::Usual, note.as_bytes()).map_err(|cause| KeptFault::File { path, cause })
    }
}

/// What a note says, whoever signed it.
fn told(note: &str) -> Option<Checkpoint> {
    Checkpoint::parse(Note::parse(note).ok()?.unverified_text()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteSigner;

    fn signer(origin: &str) -> NoteSigner {
        NoteSigner::from_pkcs8(origin, &NoteSigner::generate_pkcs8().unwrap()).unwrap()
    }

    fn note(signer: &NoteSigner, size: u64) -> String {
        let origin = signer.verifier().name().to_owned();
        Checkpoint { origin, size, root: [7; 32] }.sign(signer).unwrap()
    }

    #[test]
    fn a_damaged_file_is_a_fault_and_not_none() {
        let folder = tempfile::tempdir().unwrap();
        let (kept, path) = (Kept::at(folder.path()), folder.path().join(NAME));
        let own = signer("test.example/2027");
        let key = own.verifier();
        assert!(kept.read(key).unwrap().is_none());
        kept.write(&note(&own, 9)).unwrap();
        assert_eq!(kept.read(key).unwrap().unwrap().size, 9);
        // The shard of the year before.
        fs::write(&path, note(&signer("test.example/2026"), 12)).unwrap();
        assert!(kept.read(key).unwrap().is_none());
        let whole = note(&own, 9);
        let (half, other) = (whole.lines().next().unwrap(), whole.replace("\n9\n", "\n8\n"));
        let forged = note(&signer("test.example/2027"), 1);
        let elsewhere = note(&signer("test.elsewhere/2027"), 1);
        for damaged in ["", half, &other, &forged, &elsewhere] {
            fs::write(&path, damaged).unwrap();
            let fault = kept.read(key).unwrap_err();
            assert!(matches!(&fault, KeptFault::Damaged(found) if *found == path), "{damaged}: {fault}");
        }
        fs::write(&path, half).unwrap();
        assert!(matches!(kept.write(&whole), Err(KeptFault::Damaged(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), half, "what is left of it is kept");
    }

    #[test]
    fn what_is_further_on_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(folder.path());
        let (own, next) = (signer("test.example/2026"), signer("test.example/2027"));
        for (written, size) in [(5, 5), (9, 9), (7, 9), (9, 9), (10, 10)] {
            kept.write(&note(&own, written)).unwrap();
            assert_eq!(kept.read(own.verifier()).unwrap().unwrap().size, size);
        }
        kept.write(&note(&next, 1)).unwrap();
        assert_eq!(
            kept.read(next.verifier()).unwrap().unwrap().size,
            1,
            "sizes of two shards are not compared"
        );
    }
}
