//! The gateway's own keys, in files of mode 0600 that are made at the first start: the log's signing keys, the index key
//! of the tags, and the master key that wraps the clients' keys.

mod log;

use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ring::signature::Ed25519KeyPair;
use zeroize::Zeroizing;

pub use log::LogKeys;

use super::IndexKey;
use crate::{
    audit::seal::MasterKey,
    domain::random,
    note::{NoteSigner, VerifierKey},
};

/// Why the keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyRingFault {
    /// A file cannot be read or made.
    #[error("cannot use the key file `{path}`: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
    /// Others than the owner may read it.
    #[error("others may read the key file `{0}`; run `chmod 600` on it")]
    Open(PathBuf),
    /// It does not hold a key.
    #[error("the key file `{0}` does not hold a key of the expected length")]
    Content(PathBuf),
    /// The halves of a pair do not belong together.
    #[error("the key file `{0}` is not the private half of the public key beside it; put the right one back")]
    OtherPair(PathBuf),
    /// Some keys are there and some are not: new ones would make old data unreadable.
    #[error("the key file `{0}` is missing while others are there; restore it, a new one cannot replace it")]
    Missing(PathBuf),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] random::NoRandom),
}

/// The gateway's keys.
pub struct KeyRing {
    /// Key of the look-up tags.
    pub index: IndexKey,
    /// Key that wraps the clients' keys.
    pub master: MasterKey,
    /// Keys of the log, one for each shard.
    pub log: LogKeys,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("log", &self.log).finish_non_exhaustive()
    }
}

const FILES: [&str; 2] = ["index.key", "master.key"];

impl KeyRing {
    /// Opens the keys in this folder, or makes them if none is there. Of a log's key that was lost the public half is enough:
    /// whoever wants to sign with it is told.
    ///
    /// # Errors
    /// If a file is missing, unreadable, open to others or holds no key.
    pub fn open(folder: &Path) -> Result<Self, KeyRingFault> {
        let file = |cause| KeyRingFault::File { path: folder.to_owned(), cause };
        fs::create_dir_all(folder).map_err(file)?;
        let paths = FILES.map(|name| folder.join(name));
        let [index, master] = &paths;
        let mut log = LogKeys::open(folder)?;
        if log.is_empty() && paths.iter().all(|path| !path.exists()) {
            let pkcs8 = NoteSigner::generate_pkcs8().map_err(|_| random::NoRandom)?;
            write_secret(&folder.join("log.key"), &pkcs8)?;
            write_secret(index, Zeroizing::new(random::bytes::<32>()?).as_slice())?;
            write_secret(master, Zeroizing::new(random::bytes::<32>()?).as_slice())?;
            log = LogKeys::open(folder)?;
        }
        if let Some(missing) = paths.iter().find(|path| !path.exists()) {
            return Err(KeyRingFault::Missing(missing.clone()));
        }
        if log.is_empty() {
            return Err(KeyRingFault::Missing(folder.join("log.key")));
        }
        Ok(Self {
            index: IndexKey::new(read_key(index)?),
            master: MasterKey::from_bytes(read_key(master)?),
            log,
        })
    }

    /// What tells whether two instances write a shard with the same keys, and nothing about them. `None` where the public
    /// key of the shard is not known.
    #[must_use]
    pub fn fingerprint(&self, shard: u64) -> Option<[u8; 32]> {
        let public = self.log.public(shard)?;
        Some(self.index.mac(&[b"sluis/v1/keys\0", self.master.expose(), &public]))
    }

    /// The signing key of a shard of the log.
    ///
    /// # Errors
    /// If it is not here.
    pub fn log_key(&self, shard: u64) -> Result<Ed25519KeyPair, KeyRingFault> {
        self.log.private(shard)
    }

    /// The public keys of all shards that these keys know, by the names of the shards.
    #[must_use]
    pub fn log_verifiers(&self) -> Vec<VerifierKey> {
        self.log.verifiers().map(|(_, verifier)| verifier.clone()).collect()
    }
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyRingFault> {
    let fault = |cause| KeyRingFault::File { path: path.to_owned(), cause };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path).map_err(fault)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyRingFault::Open(path.to_owned()));
        }
    }
    fs::read(path).map(Zeroizing::new).map_err(fault)
}

fn read_key(path: &Path) -> Result<[u8; 32], KeyRingFault> {
    read(path)?.as_slice().try_into().map_err(|_| KeyRingFault::Content(path.to_owned()))
}

/// Writes a new file that only its owner may read, and sees it onto the disk.
///
/// # Errors
/// If the file exists or cannot be written.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), KeyRingFault> {
    let write = || -> io::Result<()> {
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
    };
    write().map_err(|cause| KeyRingFault::File { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_keys_once_and_never_replaces_a_lost_one() {
        let folder = tempfile::tempdir().unwrap();
        let first = KeyRing::open(folder.path()).unwrap();
        let again = KeyRing::open(folder.path()).unwrap();
        assert_eq!(first.master.expose(), again.master.expose());
        fs::remove_file(folder.path().join("index.key")).unwrap();
        assert!(matches!(KeyRing::open(folder.path()), Err(KeyRingFault::Missing(_))));
    }

    #[test]
    fn p08_debug_shows_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let ring = KeyRing::open(folder.path()).unwrap();
        let shown = format!("{ring:?} {:?} {:?}", ring.index, ring.master);
        assert!(!shown.contains(&hex::encode(ring.master.expose())));
    }
}
