//! A recorder's signing key in a file: Ed25519 as PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it.

use std::path::{Path, PathBuf};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use zeroize::Zeroizing;

use crate::{
    domain::random,
    subject::keyring::{KeyRingFault, write_secret},
};

/// What precedes the seed in a PKCS#8 version 1 key of Ed25519 (RFC 8410).
const PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// Why a signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyFault {
    /// The file cannot be read, or holds no PEM key.
    #[error("cannot read an Ed25519 key in PKCS#8 PEM from `{0}`")]
    Unreadable(PathBuf),
    /// The file cannot be made.
    #[error(transparent)]
    Write(#[from] KeyRingFault),
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] random::NoRandom),
}

/// Reads a signing key.
///
/// # Errors
/// If the file does not hold one.
pub fn read(path: &Path) -> Result<Ed25519KeyPair, SigningKeyFault> {
    let unreadable = || SigningKeyFault::Unreadable(path.to_owned());
    let der = PrivatePkcs8KeyDer::from_pem_file(path).map_err(|_| unreadable())?;
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()).map_err(|_| unreadable())
}

/// Makes a signing key in a new file of mode 0600, and gives its public key.
///
/// # Errors
/// If the file exists or cannot be made.
pub fn create(path: &Path) -> Result<[u8; 32], SigningKeyFault> {
    let seed = Zeroizing::new(random::bytes::<32>()?);
    let der = Zeroizing::new([PREFIX.as_slice(), seed.as_slice()].concat());
    let pem = Zeroizing::new(format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(&*der)
    ));
    write_secret(path, pem.as_bytes())?;
    let pair = read(path)?;
    pair.public_key().as_ref().try_into().map_err(|_| SigningKeyFault::Unreadable(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_key_that_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing.pem");
        let public = create(&path).unwrap();
        assert_eq!(read(&path).unwrap().public_key().as_ref(), public);
        assert!(create(&path).is_err(), "an existing key is never overwritten");
    }
}
