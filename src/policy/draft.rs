//! From a changed directory to one that its owners can sign.

use std::{fs, io, path::Path};

use super::{
    fault::{PolicyFault, PolicyFaults, Problem},
    files::{Files, MANIFEST},
    manifest::{self, ManifestFault, Owner},
};
use crate::note::NoteSigner;

/// Why a manifest cannot be drawn up or signed.
#[derive(Debug, thiserror::Error)]
pub enum DraftFault {
    /// Files that are missing, unreadable or unknown.
    #[error("{0}")]
    Files(PolicyFaults),
    /// The manifest that is there.
    #[error("manifest.note {0}")]
    Manifest(#[from] ManifestFault),
    /// There is none yet, and no owners were named.
    #[error("there is no manifest.note yet: name the owners")]
    NoOwners,
    /// It cannot be written or read.
    #[error("manifest.note: {0}")]
    File(#[from] io::Error),
}

/// Draws up the manifest of a directory as it is now, unsigned, and writes it: the owners of the one that is there, unless
/// others are named, and the version after it. Gives the version.
///
/// # Errors
/// If a file is missing or unknown, or nobody owns it.
pub fn draw_up(dir: &Path, owners: Option<Vec<Owner>>) -> Result<u32, DraftFault> {
    let (files, faults) = Files::read(dir);
    if !faults.is_empty() {
        return Err(DraftFault::Files(PolicyFaults(faults)));
    }
    let former = files.text(MANIFEST).map(manifest::unverified).transpose()?;
    let version = former.as_ref().map_or(1, |(version, _)| version.saturating_add(1));
    let owners = owners.or(former.map(|(_, owners)| owners)).ok_or(DraftFault::NoOwners)?;
    if owners.is_empty() {
        return Err(ManifestFault::NoOwner.into());
    }
    fs::write(dir.join(MANIFEST), manifest::text(version, &owners, &files.listed()))?;
    Ok(version)
}

/// Adds a signature to the manifest of a directory, if its files are those that it lists: nobody signs something else
/// than what he has before him.
///
/// # Errors
/// If they are not, or there is no manifest.
pub fn sign(dir: &Path, signer: &NoteSigner) -> Result<(), DraftFault> {
    let (files, mut faults) = Files::read(dir);
    let note = fs::read_to_string(dir.join(MANIFEST))?;
    let differing = manifest::faults_of_text(&note, &files.listed())?;
    faults.extend(differing.into_iter().map(|fault| PolicyFault::new(MANIFEST, Problem::Manifest(fault))));
    if !faults.is_empty() {
        return Err(DraftFault::Files(PolicyFaults(faults)));
    }
    fs::write(dir.join(MANIFEST), manifest::sign(&note, signer)?)?;
    Ok(())
}
