//! What a witness keeps on disk: its key, and per log the newest checkpoint that it cosigned. A file is on the disk before
//! anybody hears of it.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    lock::{FolderLock, LockFault},
    note::{NoteFault, NoteSigner, cosignature::Cosigner},
    replace::{Readers, replace},
};

/// Why the folder of a witness cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderFault {
    /// A file or folder.
    #[error("cannot use `{path}`: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// Another process has it.
    #[error("another witness is running on `{0}`")]
    Locked(PathBuf),
    /// Others than the owner may read the key.
    #[error("others may read the key file `{0}`; run `chmod 600` on it")]
    Exposed(PathBuf),
    /// The key file holds no key.
    #[error("the key file `{path}`: {cause}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        cause: NoteFault,
    },
    /// The key is gone while there is something that it cosigned.
    #[error("the key file `{0}` is missing, and this witness has cosigned before; restore it")]
    KeyMissing(PathBuf),
    /// A stored checkpoint is not one that this witness cosigned.
    #[error(
        "`{0}` is not a checkpoint that this witness cosigned; restore it, since without it a log could be set back"
    )]
    Damaged(PathBuf),
}

/// The folder of a witness, which no other process has while this lives.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    _lock: FolderLock,
}

fn at<T>(path: &Path, done: io::Result<T>) -> Result<T, FolderFault> {
    done.map_err(|cause| FolderFault::File { path: path.to_owned(), cause })
}

/// Sees the names in a folder onto the disk.
fn sync_folder(dir: &Path) -> io::Result<()> {
    fs::File::open(dir)?.sync_all()
}

impl Folder {
    /// Opens the folder, or makes it.
    ///
    /// # Errors
    /// If it cannot be used, or another witness runs on it.
    pub fn open(dir: &Path) -> Result<Self, FolderFault> {
        let logs = dir.join("logs");
        at(&logs, fs::create_dir_all(&logs))?;
        at(dir, sync_folder(dir))?;
        match FolderLock::take(dir) {
            Ok(lock) => Ok(Self { dir: dir.to_owned(), _lock: lock }),
            Err(LockFault::Taken) => Err(FolderFault::Locked(dir.to_owned())),
            Err(LockFault::File(cause)) => Err(FolderFault::File { path: dir.join("lock"), cause }),
        }
    }

    /// The witness's key, made at the first start.
    ///
    /// # Errors
    /// If it is missing where it must be there, cannot be read or made, is open to others, or is none.
    pub fn cosigner(&self, name: &str) -> Result<Cosigner, FolderFault> {
        let path = self.dir.join("witness.key");
        if !path.exists() {
            if !self.checkpoints()?.is_empty() {
                return Err(FolderFault::KeyMissing(path));
            }
            let key = NoteSigner::generate_pkcs8()
                .map_err(|cause| FolderFault::Key { path: path.clone(), cause })?;
            at(&path, write_private(&path, &key))?;
            at(&self.dir, sync_folder(&self.dir))?;
        }
        if at(&path, crate::identity::files::is_exposed(&path))? {
            return Err(FolderFault::Exposed(path));
        }
        let key = Zeroizing::new(at(&path, fs::read(&path))?);
        Cosigner::from_pkcs8(name, &key).map_err(|cause| FolderFault::Key { path, cause })
    }

    /// Every checkpoint that is stored, with its file.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn checkpoints(&self) -> Result<Vec<(PathBuf, String)>, FolderFault> {
        let dir = self.dir.join("logs");
        let mut found = Vec::new();
        for entry in at(&dir, fs::read_dir(&dir))? {
            let path = at(&dir, entry)?.path();
            // A new file that was not renamed was told to nobody.
            if path.extension().is_none() {
                let text = at(&path, fs::read_to_string(&path))?;
                found.push((path, text));
            }
        }
        Ok(found)
    }

    /// Replaces the checkpoint of a log in one step. When this returns `Ok`, it survives a loss of power.
    ///
    /// # Errors
    /// If it cannot be written; whether the old one or the new one stands there then is not known.
    pub fn store(&self, name: &str, note: &str) -> io::Result<()> {
        replace(&self.dir.join("logs").join(name), Readers::Usual, note.as_bytes())
    }

    /// Keeps a checkpoint that contradicts what was cosigned, for whoever has to find out what happened.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_evidence(&self, name: &str, note: &str) -> io::Result<PathBuf> {
        let dir = self.dir.join("evidence");
        fs::create_dir_all(&dir)?;
        let path = dir.join(name);
        fs::write(&path, note)?;
        Ok(path)
    }
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
