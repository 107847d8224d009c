//! Signed notes (<https://c2sp.org/signed-note>) with Ed25519: a text, an empty line, signature lines.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::{
    digest::{Context, SHA256},
    rand::SystemRandom,
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};

pub mod cosignature;
#[cfg(test)]
mod tests;

/// Type of an Ed25519 signature over the text of the note.
const ED25519_NOTE: u8 = 1;
/// Starts each signature line: an em dash and a space.
const DASH: &str = "\u{2014} ";
/// More signatures than this on one note are refused; the specification asks for at least 16.
const MAX_SIGNATURES: usize = 64;

/// Why a note or a key of notes is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    /// A key's name is empty or has a space, a plus or a control character.
    #[error("the name of a key has no spaces, plus signs or control characters")]
    Name,
    /// Not `name+hex+base64`, of another type, or the key id is another key's.
    #[error("not a verifier key for Ed25519 notes")]
    VerifierKey,
    /// The same for the key of a witness.
    #[error("not a verifier key for Ed25519 cosignatures")]
    CosignerKey,
    /// A time that no cosignature can have.
    #[error("the time of a cosignature is at most 2^63 - 1 seconds")]
    Time,
    /// The bytes are no Ed25519 key.
    #[error("not an Ed25519 private key")]
    PrivateKey,
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandom,
    /// Not a text, an empty line and signature lines.
    #[error("not a signed note")]
    Malformed,
    /// A signature line bears a known key's name and id, but that key did not make it: tampering.
    #[error("the signature of `{0}` does not verify")]
    BadSignature(String),
    /// No signature of a known key.
    #[error("no signature by a known key")]
    Unsigned,
}

/// Id of a key: the first four bytes of `SHA-256(name ‖ 0x0a ‖ type ‖ public key)`.
pub type KeyId = [u8; 4];

fn key_id(name: &str, kind: u8, key: &[u8; 32]) -> KeyId {
    let mut hash = Context::new(&SHA256);
    for part in [name.as_bytes(), b"\n", &[kind], key] {
        hash.update(part);
    }
    // INVARIANT: a SHA-256 has 32 bytes.
    hash.finish().as_ref().first_chunk().copied().unwrap_or_default()
}

/// Name and public key of a vkey of this type. One text for each key: whoever parses compares the whole text as well.
fn parse_vkey(text: &str, kind: u8) -> Option<(&str, [u8; 32])> {
    let (name, rest) = text.split_once('+')?;
    let (_, encoded) = rest.split_once('+')?;
    let bytes = BASE64_STANDARD.decode(encoded).ok()?;
    let (found, key) = bytes.split_first()?;
    (*found == kind).then_some((name, key.try_into().ok()?))
}

fn vkey_text(name: &str, id: KeyId, kind: u8, key: &[u8; 32]) -> String {
    let mut bytes = vec![kind];
    bytes.extend(key);
    format!("{name}+{}+{}", hex::encode(id), BASE64_STANDARD.encode(&bytes))
}

fn signature_line(name: &str, id: KeyId, signature: &[u8]) -> String {
    let mut bytes = id.to_vec();
    bytes.extend(signature);
    format!("{DASH}{name} {}\n", BASE64_STANDARD.encode(&bytes))
}

fn check_name(name: &str) -> Result<(), NoteFault> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.contains(odd) { Err(NoteFault::Name) } else { Ok(()) }
}

fn check_text(text: &str) -> Result<(), NoteFault> {
    let odd = |c: char| c < ' ' && c != '\n';
    if text.is_empty() || !text.ends_with('\n') || text.contains(odd) {
        Err(NoteFault::Malformed)
    } else {
        Ok(())
    }
}

/// A public key of notes. As text, `name+hex id+base64`: a C2SP vkey.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: KeyId,
    key: [u8; 32],
}

impl VerifierKey {
    /// From a name and the 32 bytes of an Ed25519 public key.
    ///
    /// # Errors
    /// If no key can have this name.
    pub fn new(name: &str, key: [u8; 32]) -> Result<Self, NoteFault> {
        check_name(name)?;
        let id = key_id(name, ED25519_NOTE, &key);
        Ok(Self { name: name.to_owned(), id, key })
    }

    /// Name of the key; of a log's key, its origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Id of the key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The public key itself.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.key
    }

    fn made(&self, signature: &Signature, text: &str) -> bool {
        UnparsedPublicKey::new(&ED25519, self.key).verify(text.as_bytes(), &signature.bytes).is_ok()
    }
}

impl FromStr for VerifierKey {
    type Err = NoteFault;

    fn from_str(text: &str) -> Result<Self, NoteFault> {
        let (name, key) = parse_vkey(text, ED25519_NOTE).ok_or(NoteFault::VerifierKey)?;
        let key = Self::new(name, key)?;
        // One text for each key: this compares the id as well.
        if key.to_string() == text { Ok(key) } else { Err(NoteFault::VerifierKey) }
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&vkey_text(&self.name, self.id, ED25519_NOTE, &self.key))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// Signs notes with a key of its own.
pub struct NoteSigner {
    verifier: VerifierKey,
    key: Ed25519KeyPair,
}

impl NoteSigner {
    /// With this name and key.
    ///
    /// # Errors
    /// If no key can have this name.
    pub fn new(name: &str, key: Ed25519KeyPair) -> Result<Self, NoteFault> {
        let public = key.public_key().as_ref().try_into().map_err(|_| NoteFault::PrivateKey)?;
        Ok(Self { verifier: VerifierKey::new(name, public)?, key })
    }

    /// From a stored private key (PKCS#8, version 2).
    ///
    /// # Errors
    /// If it is none, or no key can have this name.
    pub fn from_pkcs8(name: &str, pkcs8: &[u8]) -> Result<Self, NoteFault> {
        Self::new(name, Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| NoteFault::PrivateKey)?)
    }

    /// A new private key (PKCS#8) to store and to load with [`from_pkcs8`](Self::from_pkcs8).
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn generate_pkcs8() -> Result<zeroize::Zeroizing<Vec<u8>>, NoteFault> {
        let document =
            Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| NoteFault::NoRandom)?;
        Ok(zeroize::Zeroizing::new(document.as_ref().to_vec()))
    }

    /// What to give to those who verify.
    #[must_use]
    pub const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The signed note of this text, which ends in a newline.
    ///
    /// # Errors
    /// If no note can have this text.
    pub fn sign(&self, text: &str) -> Result<String, NoteFault> {
        check_text(text)?;
        let signature = self.key.sign(text.as_bytes());
        Ok(format!("{text}\n{}", signature_line(&self.verifier.name, self.verifier.id, signature.as_ref())))
    }
}

impl fmt::Debug for NoteSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteSigner({}, private key redacted)", self.verifier)
    }
}

/// A signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key.
    pub name: String,
    /// Id of the key.
    pub id: KeyId,
    /// The signature itself.
    pub bytes: Vec<u8>,
}

impl Signature {
    /// The line that it stands on, with its newline.
    #[must_use]
    pub fn line(&self) -> String {
        signature_line(&self.name, self.id, &self.bytes)
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(DASH)?.split_once(' ')?;
        check_name(name).ok()?;
        let bytes = BASE64_STANDARD.decode(encoded).ok()?;
        let (id, rest) = bytes.split_first_chunk::<4>()?;
        (!rest.is_empty()).then(|| Self { name: name.to_owned(), id: *id, bytes: rest.to_vec() })
    }
}

/// A note taken apart, with nothing verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// What is known of a note that bears a good signature of a known key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The signed text.
    pub text: String,
    /// The known keys that signed it.
    pub signed_by: Vec<VerifierKey>,
    /// Signature lines of keys that are not known.
    pub unknown: Vec<Signature>,
}

impl Note {
    /// Takes a note apart.
    ///
    /// # Errors
    /// [`NoteFault::Malformed`], also where two lines bear the same key's name and id.
    pub fn parse(note: &str) -> Result<Self, NoteFault> {
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteFault::Malformed)?;
        let text = format!("{text}\n");
        check_text(&text)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteFault::Malformed)?;
        let mut signatures: Vec<Signature> = Vec::new();
        for line in lines.split('\n') {
            let signature = Signature::parse(line).ok_or(NoteFault::Malformed)?;
            let twice = |other: &Signature| other.name == signature.name && other.id == signature.id;
            if signatures.len() >= MAX_SIGNATURES || signatures.iter().any(twice) {
                return Err(NoteFault::Malformed);
            }
            signatures.push(signature);
        }
        Ok(Self { text, signatures })
    }

    /// The text, which nobody may trust before [`verify`](Self::verify).
    #[must_use]
    pub fn unverified_text(&self) -> &str {
        &self.text
    }

    /// The signature lines.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Checks each signature of a known key.
    ///
    /// # Errors
    /// [`NoteFault::BadSignature`] if a known key did not make the signature that bears its name and id,
    /// [`NoteFault::Unsigned`] if there is none of a known key.
    pub fn verify(self, keys: &[VerifierKey]) -> Result<Opened, NoteFault> {
        let (mut signed_by, mut unknown) = (Vec::new(), Vec::new());
        for signature in self.signatures {
            let same = |key: &&VerifierKey| key.name == signature.name && key.id == signature.id;
            match keys.iter().find(same) {
                Some(key) if key.made(&signature, &self.text) => signed_by.push(key.clone()),
                Some(key) => return Err(NoteFault::BadSignature(key.name.clone())),
                None => unknown.push(signature),
            }
        }
        if signed_by.is_empty() {
            return Err(NoteFault::Unsigned);
        }
        Ok(Opened { text: self.text, signed_by, unknown })
    }
}

/// Takes a note apart and checks it: [`Note::parse`], then [`Note::verify`].
///
/// # Errors
/// As these two.
pub fn open(note: &str, keys: &[VerifierKey]) -> Result<Opened, NoteFault> {
    Note::parse(note)?.verify(keys)
}
