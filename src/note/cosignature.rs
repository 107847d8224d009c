//! Cosignatures of witnesses (<https://c2sp.org/tlog-cosignature>, Ed25519): a signature line on a checkpoint that says when
//! the witness saw it as the largest consistent one of its log.

use std::{fmt, str::FromStr};

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::{
    KeyId, Note, NoteFault, Signature, check_name, check_text, key_id, parse_vkey, signature_line, vkey_text,
};

/// Type of an Ed25519 cosignature, version 1.
const ED25519_COSIGNATURE: u8 = 4;
/// Bytes of a time and a signature.
const LENGTH: usize = 8 + 64;
/// The specification's bound: the largest time that fits a signed number.
const LATEST: u64 = i64::MAX.unsigned_abs();

/// What a cosignature is made over.
fn message(text: &str, time: u64) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// The public key of a witness. As text a C2SP vkey of type `0x04`.
#[derive(Clone, PartialEq, Eq)]
pub struct CosignerKey {
    name: String,
    id: KeyId,
    key: [u8; 32],
}

impl CosignerKey {
    /// From a name and the 32 bytes of an Ed25519 public key.
    ///
    /// # Errors
    /// If no key can have this name.
    pub fn new(name: &str, key: [u8; 32]) -> Result<Self, NoteFault> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), id: key_id(name, ED25519_COSIGNATURE, &key), key })
    }

    /// Name of the witness.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The public key itself.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.key
    }

    /// Whether a signature line bears this key's name and id.
    #[must_use]
    pub fn is_named(&self, signature: &Signature) -> bool {
        self.name == signature.name && self.id == signature.id
    }

    /// When this key cosigned the text, in seconds since 1970.
    ///
    /// # Errors
    /// [`NoteFault::BadSignature`] if it did not, or not at a time that a cosignature can have.
    pub fn verify(&self, text: &str, signature: &Signature) -> Result<u64, NoteFault> {
        let bad = || NoteFault::BadSignature(self.name.clone());
        if !self.is_named(signature) || signature.bytes.len() != LENGTH {
            return Err(bad());
        }
        let (time, bytes) = signature.bytes.split_first_chunk::<8>().ok_or_else(bad)?;
        let time = u64::from_be_bytes(*time);
        if time > LATEST {
            return Err(bad());
        }
        let key = UnparsedPublicKey::new(&ED25519, self.key);
        key.verify(message(text, time).as_bytes(), bytes).map(|()| time).map_err(|_| bad())
    }
}

impl FromStr for CosignerKey {
    type Err = NoteFault;

    fn from_str(text: &str) -> Result<Self, NoteFault> {
        let (name, key) = parse_vkey(text, ED25519_COSIGNATURE).ok_or(NoteFault::CosignerKey)?;
        let key = Self::new(name, key)?;
        if key.to_string() == text { Ok(key) } else { Err(NoteFault::CosignerKey) }
    }
}

impl fmt::Display for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&vkey_text(&self.name, self.id, ED25519_COSIGNATURE, &self.key))
    }
}

impl fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CosignerKey({self})")
    }
}

/// Cosigns checkpoints with a key of its own, which may sign nothing else.
pub struct Cosigner {
    verifier: CosignerKey,
    key: Ed25519KeyPair,
}

impl Cosigner {
    /// With this name and a stored private key (PKCS#8, version 2).
    ///
    /// # Errors
    /// If it is none, or no key can have this name.
    pub fn from_pkcs8(name: &str, pkcs8: &[u8]) -> Result<Self, NoteFault> {
        let key = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| NoteFault::PrivateKey)?;
        let public = key.public_key().as_ref().try_into().map_err(|_| NoteFault::PrivateKey)?;
        Ok(Self { verifier: CosignerKey::new(name, public)?, key })
    }

    /// What to give to those who verify.
    #[must_use]
    pub const fn verifier(&self) -> &CosignerKey {
        &self.verifier
    }

    /// The signature line for this text of a checkpoint at this time, in seconds since 1970.
    ///
    /// # Errors
    /// If no note can have this text, or no cosignature this time.
    pub fn cosign(&self, text: &str, time: u64) -> Result<String, NoteFault> {
        check_text(text)?;
        if time > LATEST {
            return Err(NoteFault::Time);
        }
        let mut bytes = time.to_be_bytes().to_vec();
        bytes.extend(self.key.sign(message(text, time).as_bytes()).as_ref());
        Ok(signature_line(&self.verifier.name, self.verifier.id, &bytes))
    }
}

impl fmt::Debug for Cosigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cosigner({}, private key redacted)", self.verifier)
    }
}

/// A signature line that bears the name and id of a known witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness.
    pub by: CosignerKey,
    /// The line as it stood.
    pub signature: Signature,
    /// When it cosigned; `None` if it did not make this signature.
    pub time: Option<u64>,
}

impl Note {
    /// Takes the lines of these witnesses out of the note, each verified. What is left can be
    /// [verified](Note::verify) as if they had not been there.
    #[must_use]
    pub fn without_cosignatures(self, known: &[CosignerKey]) -> (Self, Vec<Cosignature>) {
        let (mut rest, mut found) = (Vec::new(), Vec::new());
        for signature in self.signatures {
            match known.iter().find(|key| key.is_named(&signature)) {
                Some(key) => {
                    let time = key.verify(&self.text, &signature).ok();
                    found.push(Cosignature { by: key.clone(), signature, time });
                }
                None => rest.push(signature),
            }
        }
        (Self { text: self.text, signatures: rest }, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::NoteSigner;

    fn cosigner(name: &str) -> Cosigner {
        Cosigner::from_pkcs8(name, &NoteSigner::generate_pkcs8().unwrap()).unwrap()
    }

    const TEXT: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    #[test]
    fn signs_the_message_of_the_specification() {
        assert_eq!(message(TEXT, 1_679_315_147), format!("cosignature/v1\ntime 1679315147\n{TEXT}"));
        // The line in the specification's own example: its id, and its time in eight bytes.
        let line = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dl\
                    rDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        let note = Note::parse(&format!("{TEXT}\n{line}")).unwrap();
        let signature = &note.signatures()[0];
        assert_eq!(signature.bytes.len(), LENGTH);
        assert_eq!(signature.bytes[..8], 1_679_315_147_u64.to_be_bytes());
        assert_eq!(signature.line(), line);
    }

    #[test]
    fn a_cosignature_says_when_and_of_which_text() {
        let witness = cosigner("witness.example/w1");
        let line = witness.cosign(TEXT, 7).unwrap();
        let note = Note::parse(&format!("{TEXT}\n{line}")).unwrap();
        let keys = [witness.verifier().clone()];
        let (rest, found) = note.clone().without_cosignatures(&keys);
        assert!(rest.signatures().is_empty());
        assert_eq!(found[0].time, Some(7));
        for (text, at, bit) in
            [(TEXT.replace('3', "4"), 0, 0), (TEXT.to_owned(), 7, 1), (TEXT.to_owned(), 20, 1)]
        {
            let mut signature = note.signatures()[0].clone();
            signature.bytes[at] ^= bit;
            assert_eq!(
                keys[0].verify(&text, &signature),
                Err(NoteFault::BadSignature("witness.example/w1".to_owned()))
            );
        }
        let mut late = note.signatures()[0].clone();
        late.bytes[0] |= 0x80;
        assert!(keys[0].verify(TEXT, &late).is_err());
        assert_eq!(witness.cosign(TEXT, LATEST + 1), Err(NoteFault::Time));
        assert!(witness.cosign(TEXT, LATEST).is_ok());
        let (rest, found) = note.without_cosignatures(&[cosigner("witness.example/w1").verifier().clone()]);
        assert_eq!((rest.signatures().len(), found.len()), (1, 0), "another key of this name is unknown");
    }

    #[test]
    fn a_key_of_a_witness_is_not_one_of_a_log() {
        let witness = cosigner("witness.example/w1");
        let vkey = witness.verifier().to_string();
        assert_eq!(vkey.parse::<CosignerKey>().as_ref(), Ok(witness.verifier()));
        assert_eq!(vkey.parse::<crate::note::VerifierKey>(), Err(NoteFault::VerifierKey));
        let log =
            crate::note::VerifierKey::new("witness.example/w1", *witness.verifier().public_key()).unwrap();
        assert_eq!(log.to_string().parse::<CosignerKey>(), Err(NoteFault::CosignerKey));
        assert_ne!(log.id(), witness.verifier().id);
        let other = CosignerKey::new("witness.example/w2", *witness.verifier().public_key()).unwrap();
        let mixed = vkey.replacen(&hex::encode(witness.verifier().id), &hex::encode(other.id), 1);
        assert_eq!(mixed.parse::<CosignerKey>(), Err(NoteFault::CosignerKey));
        assert!(!format!("{witness:?}").contains("key:"));
    }
}
