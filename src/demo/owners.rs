//! The owners of the demo's policies: their keys are made when the region is built, so that whoever plays with it can
//! change a policy and have it signed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::data;
use crate::{
    consent::signing_key::{self, SigningKeyFault},
    domain::Day,
    note::{NoteFault, NoteSigner, VerifierKey},
    policy::{
        PolicyFaults, PolicySet,
        draft::{self, DraftFault},
        manifest::{self, ManifestFault, Owner},
        proof::ProofRecord,
        prove::{ProveFault, SolverPath, prove},
    },
};

/// Why the demo's policies cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum OwnerFault {
    /// A key file.
    #[error(transparent)]
    Key(#[from] SigningKeyFault),
    /// A key that no owner can have.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// The manifest inside the program.
    #[error(transparent)]
    Manifest(#[from] ManifestFault),
    /// The manifest of the folder.
    #[error(transparent)]
    Draft(#[from] DraftFault),
    /// The policies as they are now.
    #[error("{0}")]
    Policies(PolicyFaults),
    /// There is no proof.
    #[error(transparent)]
    Prove(#[from] ProveFault),
    /// Something does not hold.
    #[error("the policies leave their invariants; `sluis policy prove` shows where")]
    NotProven,
    /// The folder of keys.
    #[error("cannot read the folder of the owners' keys: {0}")]
    Folder(#[from] std::io::Error),
}

/// Makes a key in `keys` for each owner of the policies inside the program.
///
/// # Errors
/// If a key cannot be made.
pub fn create(keys: &Path) -> Result<Vec<Owner>, OwnerFault> {
    fs::create_dir_all(keys)?;
    let shipped = data::POLICIES.iter().find(|(name, _)| *name == "manifest.note");
    let (_, shipped) = manifest::unverified(shipped.map(|(_, text)| *text).unwrap_or_default())?;
    shipped
        .into_iter()
        .map(|owner| {
            let public = signing_key::create(&file(keys, owner.id()))?;
            Ok(Owner { key: VerifierKey::new(owner.id(), public)?, name: owner.name })
        })
        .collect()
}

fn file(keys: &Path, owner: &str) -> PathBuf {
    keys.join(format!("{owner}.pem"))
}

/// Draws up the manifest of `policies`, and signs it with every key in `keys`.
///
/// # Errors
/// If it cannot be drawn up or signed.
pub fn seal(policies: &Path, keys: &Path, owners: Option<Vec<Owner>>) -> Result<u32, OwnerFault> {
    let version = draft::draw_up(policies, owners)?;
    for entry in fs::read_dir(keys)? {
        let path = entry?.path();
        let Some(owner) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        let signer = NoteSigner::new(owner, signing_key::read(&path)?)?;
        draft::sign(policies, &signer)?;
    }
    Ok(version)
}

/// Has the owners of a region decide on its policies as they are now: proven, compared with those before, drawn up and
/// signed by each.
///
/// # Errors
/// If they do not hold, or cannot be signed.
pub async fn decide(region: &Path, before: Option<&PolicySet>, today: Day) -> Result<u32, OwnerFault> {
    let policies = region.join("policies");
    // Whether this is a test gateway is for the gateway to say.
    let set = PolicySet::load(&policies, true, today).map_err(OwnerFault::Policies)?;
    let attempt = prove(&set, before, &SolverPath::find(None)).await?;
    let proven = attempt.proven().ok_or(OwnerFault::NotProven)?;
    fs::write(policies.join("proof.toml"), ProofRecord::of(proven, today).text())?;
    seal(&region.join("policies"), &region.join("owners"), None)
}
