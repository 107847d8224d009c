//! `sluis policy key`, `manifest` and `sign`: how owners decide on policies.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    cli::{failed, say},
    consent::signing_key,
    note::{NoteSigner, VerifierKey},
    policy::{draft, manifest::Owner},
};

/// Make the key with which an owner signs policies
///
/// Writes a private key that only its owner may read, and prints the verifier key that a manifest names. The key stays
/// with the owner: whoever runs a gateway has no use for it.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// Id of the owner, as rules name it: no spaces and no `+`
    #[arg(long, value_name = "ID")]
    owner: String,

    /// File to write: it must not exist
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Draw up the manifest of a folder of policies, for its owners to sign
///
/// Lists every file with its SHA-256, and goes one version up. The owners are those of the manifest that is there, unless
/// `--owner` names others.
#[derive(Debug, Args)]
pub struct ManifestArgs {
    /// Folder of the policies
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// An owner in place of those that are there: verifier key, `=`, and who it is. May be given several times
    #[arg(long = "owner", value_name = "KEY=NAME")]
    owners: Vec<String>,
}

/// Sign the manifest of a folder of policies as one of its owners
///
/// Signs only if the files are those that the manifest lists.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// Folder of the policies
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Id of the owner
    #[arg(long, value_name = "ID")]
    owner: String,

    /// The owner's private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

pub(super) fn key(args: &KeyArgs) -> ExitCode {
    // A name that no key can have leaves no file behind.
    if let Err(fault) = VerifierKey::new(&args.owner, [0; 32]) {
        return failed(fault);
    }
    let made = signing_key::create(&args.out).map_err(|fault| fault.to_string());
    match made.and_then(|key| VerifierKey::new(&args.owner, key).map_err(|fault| fault.to_string())) {
        Ok(key) => {
            say(key);
            ExitCode::SUCCESS
        }
        Err(fault) => failed(fault),
    }
}

/// `key=who it is`. A verifier key is base64 and may end in `=`, so the last part that parses as a key counts.
fn owner(text: &str) -> Option<Owner> {
    text.match_indices('=').find_map(|(at, _)| {
        let (key, name) = (text.get(..at)?, text.get(at + 1..)?);
        let key: VerifierKey = key.parse().ok()?;
        (!name.trim().is_empty()).then(|| Owner { key, name: name.trim().to_owned() })
    })
}

pub(super) fn manifest(args: &ManifestArgs) -> ExitCode {
    let mut owners = Vec::new();
    for text in &args.owners {
        match owner(text) {
            Some(owner) => owners.push(owner),
            None => return failed("an `--owner` is a verifier key, `=`, and who it is"),
        }
    }
    match draft::draw_up(&args.dir, (!owners.is_empty()).then_some(owners)) {
        Ok(version) => {
            say(format_args!(
                "manifest.note is version {version}; every owner signs it with `sluis policy sign`"
            ));
            ExitCode::SUCCESS
        }
        Err(fault) => failed(fault),
    }
}

pub(super) fn sign(args: &SignArgs) -> ExitCode {
    let signer = signing_key::read(&args.key).map_err(|fault| fault.to_string());
    let signer = signer.and_then(|key| NoteSigner::new(&args.owner, key).map_err(|fault| fault.to_string()));
    let signed = signer.and_then(|signer| draft::sign(&args.dir, &signer).map_err(|fault| fault.to_string()));
    match signed {
        Ok(()) => {
            say(format_args!("signed by {}", args.owner));
            ExitCode::SUCCESS
        }
        Err(fault) => failed(fault),
    }
}
