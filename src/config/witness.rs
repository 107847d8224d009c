//! The witnesses of a gateway: `[[witness]]`, and how many of them make a quorum.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;

use super::ConfigFault;
use crate::note::cosignature::CosignerKey;

/// Names that mean something else in a policy file.
const RESERVED: [&str; 2] = ["none", "witnesses"];

/// A witness as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawWitness {
    url: String,
    key: String,
    #[serde(default)]
    roots: Vec<PathBuf>,
}

/// How witnesses are asked, as the file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawWitnessing {
    every_s: u64,
    quorum: Option<usize>,
}

impl Default for RawWitnessing {
    fn default() -> Self {
        Self { every_s: 60, quorum: None }
    }
}

/// A witness that the gateway sends its checkpoints to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessAddress {
    /// Its address.
    pub url: String,
    /// Its key, which also names it.
    pub key: CosignerKey,
    /// Roots that its certificate hangs under.
    pub roots: Vec<PathBuf>,
}

/// The witnesses of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessing {
    /// Those that are asked.
    pub witnesses: Vec<WitnessAddress>,
    /// How many of them must cosign.
    pub quorum: usize,
    /// How often.
    pub every: Duration,
}

impl Witnessing {
    pub(super) fn check(
        witnesses: Vec<RawWitness>,
        how: &RawWitnessing,
        folder: &Path,
    ) -> Result<Self, ConfigFault> {
        let fault = |key, what| Err(ConfigFault::Value { key, what });
        if !(1..=3600).contains(&how.every_s) {
            return fault("witnessing.every_s", "must be 1 to 3600");
        }
        let quorum = how.quorum.unwrap_or(witnesses.len());
        if quorum > witnesses.len() || quorum == 0 && !witnesses.is_empty() {
            return fault("witnessing.quorum", "must be 1 to the number of witnesses");
        }
        let (mut checked, mut seen) = (Vec::new(), HashSet::new());
        for RawWitness { url, key, roots } in witnesses {
            let Ok(key) = key.parse::<CosignerKey>() else {
                return fault(
                    "witness.key",
                    "must be the key that `sluis witness` prints (a C2SP vkey of type 0x04)",
                );
            };
            if RESERVED.contains(&key.name()) || key.name().starts_with('#') {
                return fault("witness.key", "has a name that means something else in a policy");
            }
            if !seen.insert(key.name().to_owned()) || !seen.insert(hex::encode(key.public_key())) {
                return fault("witness.key", "stands twice; a witness counts once");
            }
            let roots = roots.iter().map(|path| folder.join(path)).collect();
            checked.push(WitnessAddress { url, key, roots });
        }
        Ok(Self { witnesses: checked, quorum, every: Duration::from_secs(how.every_s) })
    }
}
