//! The manifest: which files make up a set of policies, in which version, decided by whom. It is a C2SP signed note
//! (<https://c2sp.org/signed-note>) whose text is TOML, so that any tool for such notes can check it.
//!
//! Every owner signs. A manifest that takes over from another one is also signed by every owner of that one, so that
//! nobody becomes or stays an owner by his own word, and the operator of a gateway alone can widen nothing (R18, R40).

use std::collections::BTreeMap;

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use crate::note::{Note, NoteFault, NoteSigner, VerifierKey};

/// Who decides on policies (beleidseigenaar): an organisation's board or manager, never a gateway's operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// With which he signs. Its name is the id that rules name him by.
    pub key: VerifierKey,
    /// Who that is, in words: organisation and function.
    pub name: String,
}

impl Owner {
    /// The id that rules name him by.
    #[must_use]
    pub fn id(&self) -> &str {
        self.key.name()
    }
}

/// A manifest that holds together: parsed, and signed by every owner that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    note: String,
    text: String,
    version: u32,
    owners: Vec<Owner>,
    files: BTreeMap<String, String>,
    signed_by: Vec<String>,
}

/// What is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// Not a signed note: no signatures, or none that can be read.
    #[error("is no signed note: {0}")]
    Note(NoteFault),
    /// The text does not parse.
    #[error("does not parse: {0}")]
    Syntax(String),
    /// Versions begin at 1.
    #[error("has no `version` of 1 or more")]
    Version,
    /// Nobody decides (R40).
    #[error("names no owner (R40)")]
    NoOwner,
    /// Two owners of one name.
    #[error("names the owner `{0}` twice")]
    OwnerTwice(String),
    /// An owner has not signed.
    #[error("is not signed by its owner `{0}` (R18, R40)")]
    NotSigned(String),
    /// A signature of an owner that he did not make, or not of this text.
    #[error("bears a signature of `{0}` that is not his, or of another text")]
    BadSignature(String),
    /// A file that is named and not there.
    #[error("names the file `{0}`, which is not there")]
    FileMissing(String),
    /// A file that is there and not named.
    #[error("does not name the file `{0}`")]
    FileUnnamed(String),
    /// Another file than was signed.
    #[error("was signed over another `{0}` than this one")]
    FileDiffers(String),
    /// An owner of the manifest in force has not signed the one that follows it.
    #[error("is not signed by `{0}`, an owner by the manifest in force (R18, R40)")]
    NotSignedByFormerOwner(String),
    /// The version does not go up.
    #[error("is version {version}, and version {in_force} is in force")]
    VersionNotHigher {
        /// Its version.
        version: u32,
        /// The version in force.
        in_force: u32,
    },
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    #[serde(default)]
    owner: Vec<RawOwner>,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawOwner {
    key: String,
    name: String,
}

/// The SHA-256 of a file, in hexadecimal, as `sha256sum` prints it.
pub(super) fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

/// The text of a manifest for these files. It is in force once every owner has signed it.
#[must_use]
pub fn text(version: u32, owners: &[Owner], files: &BTreeMap<String, String>) -> String {
    let mut text = format!(
        "# Which files make up this set of policies, and who decide on it. docs/policy.md.\nversion = {version}\n"
    );
    for owner in owners {
        let name = toml::Value::String(owner.name.clone());
        text.push_str(&format!("\n[[owner]]\nkey = \"{}\"\nname = {name}\n", owner.key));
    }
    text.push_str("\n[files]\n");
    for (name, content) in files {
        text.push_str(&format!("\"{name}\" = \"{}\"\n", sha256(content)));
    }
    text
}

/// The manifest with one more signature, or with that of this key anew. What is not signed yet is a bare text. Owners of
/// the manifest that it takes over from sign too, so that a key need not be one of its own owners.
///
/// # Errors
/// If it is no manifest.
pub fn sign(manifest: &str, signer: &NoteSigner) -> Result<String, ManifestFault> {
    let text = unsigned_text(manifest);
    raw(&text)?;
    let signed = signer.sign(&text).map_err(ManifestFault::Note)?;
    let line = signed.strip_prefix(&text).and_then(|rest| rest.strip_prefix('\n')).unwrap_or_default();
    let others = manifest.strip_prefix(&text).and_then(|rest| rest.strip_prefix('\n')).unwrap_or_default();
    let name = signer.verifier().name();
    let others = others.lines().filter(|line| line.split(' ').nth(1) != Some(name));
    let kept: String = others.map(|line| format!("{line}\n")).collect();
    Ok(format!("{text}\n{kept}{line}"))
}

/// The text of a manifest, signed or not.
#[must_use]
pub fn unsigned_text(manifest: &str) -> String {
    match Note::parse(manifest) {
        Ok(note) => note.unverified_text().to_owned(),
        Err(_) => manifest.to_owned(),
    }
}

fn raw(text: &str) -> Result<Raw, ManifestFault> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = super::files::line_at(text, error.span().map_or(0, |span| span.start));
        ManifestFault::Syntax(format!("line {line}: {}", error.message()))
    })
}

/// Version and owners of a manifest, as its text says and nobody has checked: to draw up the next one.
///
/// # Errors
/// If the text does not parse.
pub fn unverified(manifest: &str) -> Result<(u32, Vec<Owner>), ManifestFault> {
    let raw = raw(&unsigned_text(manifest))?;
    Ok((raw.version, owners(raw.owner)?))
}

fn owners(raw: Vec<RawOwner>) -> Result<Vec<Owner>, ManifestFault> {
    let mut owners: Vec<Owner> = Vec::new();
    for RawOwner { key, name } in raw {
        let key: VerifierKey = key.parse().map_err(ManifestFault::Note)?;
        if owners.iter().any(|other| other.id() == key.name()) {
            return Err(ManifestFault::OwnerTwice(key.name().to_owned()));
        }
        owners.push(Owner { key, name });
    }
    if owners.is_empty() { Err(ManifestFault::NoOwner) } else { Ok(owners) }
}

impl Manifest {
    /// Reads a manifest and checks the signatures of its own owners.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn parse(note: &str) -> Result<Self, ManifestFault> {
        let parsed = Note::parse(note).map_err(ManifestFault::Note)?;
        let text = parsed.unverified_text().to_owned();
        let Raw { version, owner, files } = raw(&text)?;
        if version == 0 {
            return Err(ManifestFault::Version);
        }
        let owners = owners(owner)?;
        let keys: Vec<_> = owners.iter().map(|owner| owner.key.clone()).collect();
        let signed_by = parsed.signatures().iter().map(|signature| signature.name.clone()).collect();
        let checked = signed(parsed, &keys)?;
        if let Some(owner) = owners.iter().find(|owner| !checked.contains(&owner.key)) {
            return Err(ManifestFault::NotSigned(owner.id().to_owned()));
        }
        Ok(Self { note: note.to_owned(), text, version, owners, files, signed_by })
    }

    /// The manifest as it was signed.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// `sha256:` and the hexadecimal hash of its text, signatures left out: what `genesis` pins.
    #[must_use]
    pub fn hash(&self) -> String {
        format!("sha256:{}", sha256(&self.text))
    }

    /// Its version; each is higher than the one before.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Who decide.
    #[must_use]
    pub fn owners(&self) -> &[Owner] {
        &self.owners
    }

    /// Names of the keys whose signatures it bears; those of its own owners were checked.
    #[must_use]
    pub fn signed_by(&self) -> &[String] {
        &self.signed_by
    }

    /// Whether it may take over from the one in force: a higher version, signed by every owner of that one too.
    ///
    /// # Errors
    /// What is missing.
    pub fn may_follow(&self, in_force: &Self) -> Result<(), ManifestFault> {
        if self.text == in_force.text {
            return Ok(());
        }
        if self.version <= in_force.version {
            return Err(ManifestFault::VersionNotHigher {
                version: self.version,
                in_force: in_force.version,
            });
        }
        let keys: Vec<_> = in_force.owners.iter().map(|owner| owner.key.clone()).collect();
        let note = Note::parse(&self.note).map_err(ManifestFault::Note)?;
        let signed_by = match signed(note, &keys) {
            Ok(signed_by) => signed_by,
            Err(ManifestFault::Note(NoteFault::Unsigned)) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        match in_force.owners.iter().find(|owner| !signed_by.contains(&owner.key)) {
            Some(owner) => Err(ManifestFault::NotSignedByFormerOwner(owner.id().to_owned())),
            None => Ok(()),
        }
    }

    /// Everything in which these files are not the ones that were signed.
    pub(super) fn faults_of(&self, files: &BTreeMap<String, String>) -> Vec<ManifestFault> {
        differences(&self.files, files)
    }
}

/// The same for a manifest that is not signed in full yet.
pub(super) fn faults_of_text(
    manifest: &str,
    files: &BTreeMap<String, String>,
) -> Result<Vec<ManifestFault>, ManifestFault> {
    Ok(differences(&raw(&unsigned_text(manifest))?.files, files))
}

fn differences(signed: &BTreeMap<String, String>, files: &BTreeMap<String, String>) -> Vec<ManifestFault> {
    let mut faults = Vec::new();
    for (name, hash) in signed {
        match files.get(name) {
            None => faults.push(ManifestFault::FileMissing(name.clone())),
            Some(content) if sha256(content) != *hash => {
                faults.push(ManifestFault::FileDiffers(name.clone()));
            }
            Some(_) => {}
        }
    }
    let unnamed = files.keys().filter(|name| !signed.contains_key(*name));
    faults.extend(unnamed.map(|name| ManifestFault::FileUnnamed(name.clone())));
    faults
}

fn signed(note: Note, keys: &[VerifierKey]) -> Result<Vec<VerifierKey>, ManifestFault> {
    match note.verify(keys) {
        Ok(opened) => Ok(opened.signed_by),
        Err(NoteFault::BadSignature(name)) => Err(ManifestFault::BadSignature(name)),
        Err(fault) => Err(ManifestFault::Note(fault)),
    }
}

#[cfg(test)]
mod tests;
