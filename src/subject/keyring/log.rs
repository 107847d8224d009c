//! The log's keys: one pair for each shard. `log.key` is that of the first, `log-<n>.key` that of shard `n`, and beside each
//! stands its public half as a C2SP verifier key (`.pub`). The public halves stay for as long as the log is read, whatever
//! becomes of the private ones: what the gateway signed under any of them is told from what it did not.
//!
//! A key bears the name of its shard. One that no shard is signed with yet bears the gateway's name alone.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use ring::{
    rand::SystemRandom,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use zeroize::Zeroizing;

use super::{KeyRingFault, read, write_secret};
use crate::{
    domain::random,
    note::VerifierKey,
    replace::{Readers, replace},
};

/// A pair, or what is left of it.
struct LogKey {
    public: [u8; 32],
    /// The name that it bears, where there is a file with its public half.
    verifier: Option<VerifierKey>,
    private: Option<Zeroizing<Vec<u8>>>,
}

/// The log's keys, by the number of the shard.
pub struct LogKeys {
    folder: PathBuf,
    keys: BTreeMap<u64, LogKey>,
}

impl fmt::Debug for LogKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.verifiers().map(|(number, key)| (number, key.to_string()))).finish()
    }
}

/// The file of a shard's private key.
fn private_file(folder: &Path, number: u64) -> PathBuf {
    folder.join(if number == 0 { "log.key".to_owned() } else { format!("log-{number}.key") })
}

fn public_file(folder: &Path, number: u64) -> PathBuf {
    private_file(folder, number).with_extension("pub")
}

/// The shard that a file is of; `None` if it is no file of a log's key.
fn number_of(name: &str) -> Option<u64> {
    let stem = name.strip_suffix(".key").or_else(|| name.strip_suffix(".pub"))?;
    if stem == "log" {
        return Some(0);
    }
    let number = stem.strip_prefix("log-")?;
    number.parse().ok().filter(|known: &u64| *known > 0 && known.to_string() == number)
}

fn file_fault(path: &Path) -> impl Fn(io::Error) -> KeyRingFault {
    move |cause| KeyRingFault::File { path: path.to_owned(), cause }
}

/// Sees to it that a new name in a folder survives a loss of power.
fn sync_folder(folder: &Path) -> Result<(), KeyRingFault> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file_fault(folder))
}

fn read_pair(folder: &Path, number: u64) -> Result<Option<LogKey>, KeyRingFault> {
    let (private_path, public_path) = (private_file(folder, number), public_file(folder, number));
    let content = || KeyRingFault::Content(private_path.clone());
    let private = private_path.exists().then(|| read(&private_path)).transpose()?;
    let own: Option<[u8; 32]> = match &private {
        Some(pkcs8) => {
            let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| content())?;
            Some(pair.public_key().as_ref().try_into().map_err(|_| content())?)
        }
        None => None,
    };
    let verifier = match fs::read_to_string(&public_path) {
        Ok(text) => {
            let verifier: Result<VerifierKey, _> = text.trim_end().parse();
            Some(verifier.map_err(|_| KeyRingFault::Content(public_path.clone()))?)
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => None,
        Err(cause) => return Err(KeyRingFault::File { path: public_path, cause }),
    };
    let named = verifier.as_ref().map(|verifier| *verifier.public_key());
    if own.zip(named).is_some_and(|(own, named)| own != named) {
        return Err(KeyRingFault::OtherPair(private_path));
    }
    Ok(own.or(named).map(|public| LogKey { public, verifier, private }))
}

impl LogKeys {
    /// The keys in this folder; none is made.
    pub(super) fn open(folder: &Path) -> Result<Self, KeyRingFault> {
        let mut keys = BTreeMap::new();
        for file in fs::read_dir(folder).map_err(file_fault(folder))? {
            let name = file.map_err(file_fault(folder))?.file_name();
            let Some(number) = name.to_str().and_then(number_of) else { continue };
            if let Some(key) = read_pair(folder, number)? {
                keys.insert(number, key);
            }
        }
        Ok(Self { folder: folder.to_owned(), keys })
    }

    /// Whether there is no key at all, not even half of one.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The private key of a shard.
    pub(super) fn private(&self, number: u64) -> Result<Ed25519KeyPair, KeyRingFault> {
        let path = private_file(&self.folder, number);
        let private = self.keys.get(&number).and_then(|key| key.private.as_ref());
        let private = private.ok_or_else(|| KeyRingFault::Missing(path.clone()))?;
        Ed25519KeyPair::from_pkcs8(private).map_err(|_| KeyRingFault::Content(path))
    }

    /// The public key of a shard.
    #[must_use]
    pub fn public(&self, number: u64) -> Option<[u8; 32]> {
        self.keys.get(&number).map(|key| key.public)
    }

    /// Every public key, whatever became of the private one.
    pub fn publics(&self) -> impl Iterator<Item = [u8; 32]> {
        self.keys.values().map(|key| key.public)
    }

    /// Every public key under the name that it bears, by the number of its shard.
    pub fn verifiers(&self) -> impl Iterator<Item = (u64, &VerifierKey)> {
        self.keys.iter().filter_map(|(number, key)| Some((*number, key.verifier.as_ref()?)))
    }

    /// The name of a shard, if its key bears one.
    #[must_use]
    pub fn name(&self, number: u64) -> Option<&str> {
        self.keys.get(&number)?.verifier.as_ref().map(VerifierKey::name)
    }

    /// Writes down that the key of this shard bears this name.
    ///
    /// # Errors
    /// If there is no such key, no key can have this name, or the file cannot be written.
    pub fn bear(&mut self, number: u64, name: &str) -> Result<(), KeyRingFault> {
        let path = public_file(&self.folder, number);
        let key = self.keys.get_mut(&number);
        let key = key.ok_or_else(|| KeyRingFault::Missing(private_file(&self.folder, number)))?;
        let verifier = VerifierKey::new(name, key.public).map_err(|_| KeyRingFault::Content(path.clone()))?;
        if key.verifier.as_ref() != Some(&verifier) {
            let line = format!("{verifier}\n");
            replace(&path, Readers::Usual, line.as_bytes()).map_err(file_fault(&path))?;
            key.verifier = Some(verifier);
        }
        Ok(())
    }

    /// Makes the key of a shard that nothing is signed with yet, in place of one that is there.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn make(&mut self, number: u64, name: &str) -> Result<(), KeyRingFault> {
        self.forget(number)?;
        let public = public_file(&self.folder, number);
        match fs::remove_file(&public) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(file_fault(&public)(cause)),
            _ => {}
        }
        let path = private_file(&self.folder, number);
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| random::NoRandom)?;
        write_secret(&path, pkcs8.as_ref())?;
        sync_folder(&self.folder)?;
        let key = read_pair(&self.folder, number)?.ok_or(KeyRingFault::Missing(path))?;
        self.keys.insert(number, key);
        self.bear(number, name)
    }

    /// Deletes the private key of a shard that is never to be signed again. The public one stays.
    ///
    /// # Errors
    /// If the file cannot be deleted.
    pub fn forget(&mut self, number: u64) -> Result<(), KeyRingFault> {
        let path = private_file(&self.folder, number);
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(file_fault(&path)(cause)),
            _ => {}
        }
        if let Some(key) = self.keys.get_mut(&number) {
            key.private = None;
        }
        sync_folder(&self.folder)
    }

    /// Whether the private key of a shard is here.
    #[must_use]
    pub fn has_private(&self, number: u64) -> bool {
        self.keys.get(&number).is_some_and(|key| key.private.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_told_from_half_of_one_and_from_two_that_do_not_belong_together() {
        let folder = tempfile::tempdir().unwrap();
        let mut keys = LogKeys::open(folder.path()).unwrap();
        assert!(keys.is_empty());
        keys.make(0, "test.example/2026").unwrap();
        keys.make(1, "test.example").unwrap();
        assert_ne!(keys.public(0), keys.public(1));
        keys.bear(1, "test.example/2027").unwrap();
        keys.forget(0).unwrap();
        let again = LogKeys::open(folder.path()).unwrap();
        assert_eq!((again.has_private(0), again.has_private(1)), (false, true));
        assert_eq!((again.public(0), again.name(1)), (keys.public(0), Some("test.example/2027")));
        assert!(matches!(again.private(0), Err(KeyRingFault::Missing(path)) if path.ends_with("log.key")));

        // Of a key that is made anew only the new one is there.
        let before = keys.public(1);
        keys.make(1, "test.example").unwrap();
        assert_ne!(keys.public(1), before);
        fs::copy(folder.path().join("log.pub"), folder.path().join("log-1.pub")).unwrap();
        assert!(matches!(LogKeys::open(folder.path()), Err(KeyRingFault::OtherPair(_))));
    }

    #[test]
    fn other_files_are_none_of_its() {
        let numbers = ["log.key", "log.pub", "log-7.key", "log-12.pub"].map(number_of);
        assert_eq!(numbers, [Some(0), Some(0), Some(7), Some(12)]);
        for other in ["log-0.key", "log-07.key", "log-x.key", "log.key.old", "index.key", "log-1", "log-.pub"]
        {
            assert_eq!(number_of(other), None, "{other}");
        }
    }
}
