//! The policies that were in force, as the log tells: which took over when, signed by whom, and what decided then. Reading
//! it checks the chain, so that an export alone shows that nobody widened anything by himself (P10, R18, R38).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{
    PolicySet,
    fault::PolicyFaults,
    manifest::{Manifest, ManifestFault},
};

/// A set of policies that came into force.
#[derive(Debug)]
pub struct Version {
    /// Position of its entry in the log.
    pub position: u64,
    /// What its owners signed.
    pub manifest: Manifest,
    /// Hash of the files that decided.
    pub hash: String,
    /// The set itself, if its files are opened and this program can read them.
    pub set: Result<PolicySet, VersionFault>,
}

/// Why a set of the past cannot decide again.
#[derive(Debug, thiserror::Error)]
pub enum VersionFault {
    /// The export was made without details.
    #[error("its files are not opened; an export needs `--details`")]
    NotOpened,
    /// This program reads another form.
    #[error("this version of the program cannot read it: {0}")]
    Faults(PolicyFaults),
}

/// What is wrong with a chain of policies.
#[derive(Debug, thiserror::Error)]
pub enum HistoryFault {
    /// An entry that says nothing of a manifest, or not as this program writes it.
    #[error("entry {0} cannot be read as a policy entry: {1}")]
    Unreadable(u64, String),
    /// The manifest itself, or that it may not follow the one before.
    #[error("entry {0}: the manifest {1}")]
    Manifest(u64, ManifestFault),
    /// The first manifest is not the one that the log was begun with.
    #[error("entry {0}: the log was begun with the policies {1}, and these are {2}")]
    NotTheFirst(u64, String, String),
    /// The files are not those whose hash the entry names.
    #[error("entry {0}: its files are not those that it names")]
    OtherFiles(u64),
}

#[derive(Deserialize)]
struct Facts {
    hash: String,
    manifest: String,
}

#[derive(Deserialize)]
struct Detail {
    files: BTreeMap<String, String>,
}

/// The policies of a log, oldest first.
#[derive(Debug, Default)]
pub struct History {
    pinned: Option<String>,
    versions: Vec<Version>,
}

impl History {
    /// Takes in the hash of the manifest that `genesis` names.
    pub fn pin(&mut self, manifest: String) {
        self.pinned = Some(manifest);
    }

    /// Takes in the next `policy` entry.
    ///
    /// # Errors
    /// If it does not follow what came before.
    pub fn add(&mut self, position: u64, facts: &str, detail: Option<&str>) -> Result<(), HistoryFault> {
        let unreadable = |fault: serde_json::Error| HistoryFault::Unreadable(position, fault.to_string());
        let facts: Facts = serde_json::from_str(facts).map_err(unreadable)?;
        let manifest =
            Manifest::parse(&facts.manifest).map_err(|fault| HistoryFault::Manifest(position, fault))?;
        match (self.versions.last(), &self.pinned) {
            (Some(before), _) => manifest
                .may_follow(&before.manifest)
                .map_err(|fault| HistoryFault::Manifest(position, fault))?,
            (None, Some(pinned)) if *pinned != manifest.hash() => {
                return Err(HistoryFault::NotTheFirst(position, pinned.clone(), manifest.hash()));
            }
            (None, _) => {}
        }
        let set = match detail {
            None => Err(VersionFault::NotOpened),
            Some(detail) => {
                let Detail { files } = serde_json::from_str(detail).map_err(unreadable)?;
                PolicySet::of_the_past(files).map_err(VersionFault::Faults)
            }
        };
        if set.as_ref().is_ok_and(|set| set.hash() != facts.hash) {
            return Err(HistoryFault::OtherFiles(position));
        }
        self.versions.push(Version { position, manifest, hash: facts.hash, set });
        Ok(())
    }

    /// What was in force where this entry was written.
    #[must_use]
    pub fn before(&self, position: u64) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.position < position)
    }

    /// The newest set of this hash that came into force ahead of this entry. Instances may for a moment decide under the
    /// set before the newest, each as it has entered it.
    #[must_use]
    pub fn of(&self, hash: &str, position: u64) -> Option<&Version> {
        self.versions.iter().rev().find(|version| version.hash == hash && version.position < position)
    }

    /// Each of them, oldest first.
    #[must_use]
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }
}
