//! The gateway's own keys, in files of mode 0600 that are made at the first start: the log's signing key, the index key
//! of the tags, and the master key that wraps the clients' keys.

use std::{
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use zeroize::Zeroizing;

use super::IndexKey;
use crate::{audit::seal::MasterKey, domain::random};

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
    log_pkcs8: Zeroizing<Vec<u8>>,
    log: Ed25519KeyPair,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("log_public", &hex::encode(self.log.public_key().as_ref())).finish()
    }
}

const FILES: [&str; 3] = ["log.key", "index.key", "master.key"];

impl KeyRing {
    /// Opens the keys in this folder, or makes all three if none is there.
    ///
    /// # Errors
    /// If a file is missing, unreadable, open to others or holds no key.
    pub fn open(folder: &Path) -> Result<Self, KeyRingFault> {
        let paths = FILES.map(|name| folder.join(name));
        if paths.iter().all(|path| !path.exists()) {
            Self::create(folder, &paths)?;
        }
        if let Some(missing) = paths.iter().find(|path| !path.exists()) {
            return Err(KeyRingFault::Missing(missing.clone()));
        }
        let [log, index, master] = &paths;
        let log_pkcs8 = read(log)?;
        let pair = Ed25519KeyPair::from_pkcs8(&log_pkcs8).map_err(|_| KeyRingFault::Content(log.clone()))?;
        Ok(Self {
            index: IndexKey::new(read_key(index)?),
            master: MasterKey::from_bytes(read_key(master)?),
            log_pkcs8,
            log: pair,
        })
    }

    fn create(folder: &Path, [log, index, master]: &[PathBuf; 3]) -> Result<(), KeyRingFault> {
        fs::create_dir_all(folder).map_err(|cause| KeyRingFault::File { path: folder.to_owned(), cause })?;
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| random::NoRandom)?;
        write_secret(log, pkcs8.as_ref())?;
        write_secret(index, Zeroizing::new(random::bytes::<32>()?).as_slice())?;
        write_secret(master, Zeroizing::new(random::bytes::<32>()?).as_slice())
    }

    /// What tells whether two instances have the same keys, and nothing about them.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.index.mac(&[b"sluis/v1/keys\0", self.master.expose(), self.log.public_key().as_ref()])
    }

    /// A second handle on the log's signing key.
    ///
    /// # Errors
    /// If the key cannot be read again, which its first reading rules out.
    pub fn log_key(&self) -> Result<Ed25519KeyPair, KeyRingFault> {
        Ed25519KeyPair::from_pkcs8(&self.log_pkcs8)
            .map_err(|_| KeyRingFault::Content(PathBuf::from("log.key")))
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
