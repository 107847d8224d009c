//! Policies that may decide: checked, proven, and signed by their owners (P10).

use std::{ops::Deref, path::Path};

use super::{
    PolicySet,
    fault::{PolicyFault, PolicyFaults, Problem},
    files::{MANIFEST, PROOF},
    load::refused,
    manifest::{Manifest, ManifestFault},
    proof::ProofRecord,
};
use crate::domain::Day;

/// A set of policies with the manifest that its owners signed. Only this gives permits.
///
/// It does not know what was in force before: whoever takes it into use compares its manifest with the one in force
/// ([`Manifest::may_follow`]).
#[derive(Debug)]
pub struct SealedPolicies {
    set: PolicySet,
    manifest: Manifest,
    proof: ProofRecord,
}

impl SealedPolicies {
    /// Reads a policy directory: everything that [`PolicySet::load`] checks, then the proof record and the manifest with
    /// the signatures of its owners (P10).
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn load(dir: &Path, test_gateway: bool, today: Day) -> Result<Self, PolicyFaults> {
        let set = PolicySet::load(dir, test_gateway, today)?;
        let (manifest, mut faults) = check_manifest(&set);
        let (proof, fault) = check_proof(&set);
        faults.extend(fault);
        match (manifest, proof) {
            (Some(manifest), Some(proof)) if faults.is_empty() => Ok(Self { set, manifest, proof }),
            _ => Err(refused(faults, &set.files)),
        }
    }

    /// What was proven of them.
    #[must_use]
    pub const fn proof(&self) -> &ProofRecord {
        &self.proof
    }

    /// What the owners signed.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

impl Deref for SealedPolicies {
    type Target = PolicySet;

    fn deref(&self) -> &PolicySet {
        &self.set
    }
}

fn check_manifest(set: &PolicySet) -> (Option<Manifest>, Vec<PolicyFault>) {
    let fault = |fault: ManifestFault| PolicyFault::new(MANIFEST, Problem::Manifest(fault));
    let Some(note) = set.files.text(MANIFEST) else {
        return (None, vec![PolicyFault::new(MANIFEST, Problem::NotSigned)]);
    };
    let manifest = match Manifest::parse(note) {
        Ok(manifest) => manifest,
        Err(found) => return (None, vec![fault(found)]),
    };
    let mut faults: Vec<_> = manifest.faults_of(&set.files.listed()).into_iter().map(fault).collect();
    for ((purpose, _), rule) in set.permits() {
        for owner in &rule.terms.owners {
            if !manifest.owners().iter().any(|known| known.id() == owner) {
                let problem = Problem::UnknownOwner { id: rule.id.clone(), owner: owner.clone() };
                faults.push(PolicyFault::new(&format!("purposes/{purpose}.cedar"), problem));
            }
        }
    }
    (Some(manifest), faults)
}

fn check_proof(set: &PolicySet) -> (Option<ProofRecord>, Option<PolicyFault>) {
    let Some(text) = set.files.text(PROOF) else {
        return (None, Some(PolicyFault::new(PROOF, Problem::NotProven)));
    };
    match ProofRecord::parse(text).and_then(|proof| proof.covers(set).map(|()| proof)) {
        Ok(proof) => (Some(proof), None),
        Err(fault) => (None, Some(PolicyFault::new(PROOF, Problem::Proof(fault)))),
    }
}
