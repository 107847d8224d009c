//! JSON Web Signature (RFC 7515, compact) with EdDSA over Ed25519 (RFC 8037), on ring. One algorithm, no negotiation.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// Longest accepted JWS; a form with a few dozen grants stays far below.
pub const MAX_LENGTH: usize = 32 * 1024;

/// Why a text is not an acceptable JWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwsFault {
    /// Longer than [`MAX_LENGTH`].
    #[error("is longer than 32 KiB")]
    TooLong,
    /// Not three base64url parts, or the header is not JSON.
    #[error("is not a compact JWS")]
    Malformed,
    /// Another algorithm than EdDSA, another type than expected, or a header that is not known.
    #[error("must have the header `alg` EdDSA, the expected `typ` and a `kid`, and no other")]
    Header,
    /// The signature does not verify under the key.
    #[error("has a signature that does not verify")]
    Signature,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    typ: String,
}

/// A JWS that was taken apart, and not yet verified.
#[derive(Debug)]
pub struct Unverified<'a> {
    signed: &'a str,
    kid: String,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    /// Takes a compact JWS apart.
    ///
    /// # Errors
    /// If it is not one of this type.
    pub fn parse(text: &'a str, typ: &str) -> Result<Self, JwsFault> {
        if text.len() > MAX_LENGTH {
            return Err(JwsFault::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(JwsFault::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(JwsFault::Malformed)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsFault::Malformed);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| JwsFault::Header)?;
        if header.alg != "EdDSA" || header.typ != typ {
            return Err(JwsFault::Header);
        }
        Ok(Self { signed, kid: header.kid, payload: decode(payload)?, signature: decode(signature)? })
    }

    /// Which key it says that it was signed with.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The payload, once the signature verifies under this public key.
    ///
    /// # Errors
    /// If it does not.
    pub fn verify(self, public: &[u8; 32]) -> Result<Vec<u8>, JwsFault> {
        UnparsedPublicKey::new(&ED25519, public)
            .verify(self.signed.as_bytes(), &self.signature)
            .map_err(|_| JwsFault::Signature)?;
        Ok(self.payload)
    }
}

/// The payload of a JWS that was verified when it was stored. Says nothing about the signature now.
///
/// # Errors
/// If it is not a compact JWS of this type.
pub fn stored_payload(text: &str, typ: &str) -> Result<Vec<u8>, JwsFault> {
    Unverified::parse(text, typ).map(|unverified| unverified.payload)
}

/// Signs a payload.
///
/// # Errors
/// If the header cannot be written, which no `kid` or `typ` brings about.
pub fn sign(payload: &[u8], typ: &str, kid: &str, key: &Ed25519KeyPair) -> Result<String, serde_json::Error> {
    let header = Header { alg: "EdDSA".into(), kid: kid.into(), typ: typ.into() };
    let header = serde_json::to_vec(&header)?;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    Ok(format!("{signed}.{signature}"))
}

#[cfg(test)]
mod tests {
    use ring::{rand::SystemRandom, signature::KeyPair as _};

    use super::*;

    fn key() -> Ed25519KeyPair {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap()
    }

    fn public(key: &Ed25519KeyPair) -> [u8; 32] {
        key.public_key().as_ref().try_into().unwrap()
    }

    #[test]
    fn signs_and_verifies() {
        let key = key();
        let jws = sign(b"{}", "t", "k1", &key).unwrap();
        let unverified = Unverified::parse(&jws, "t").unwrap();
        assert_eq!(unverified.kid(), "k1");
        assert_eq!(unverified.verify(&public(&key)).unwrap(), b"{}");
    }

    #[test]
    fn refuses_another_key_algorithm_type_or_payload() {
        let key = key();
        let jws = sign(b"{}", "t", "k1", &key).unwrap();
        let other = public(&self::key());
        assert_eq!(Unverified::parse(&jws, "t").unwrap().verify(&other).unwrap_err(), JwsFault::Signature);
        assert_eq!(Unverified::parse(&jws, "u").unwrap_err(), JwsFault::Header);
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1","typ":"t"}"#);
        assert_eq!(Unverified::parse(&format!("{none}.e30."), "t").unwrap_err(), JwsFault::Header);
        let mut parts = jws.split('.');
        let (header, _, signature) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
        let swapped = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("[]"));
        let verdict = Unverified::parse(&swapped, "t").unwrap().verify(&public(&key));
        assert_eq!(verdict.unwrap_err(), JwsFault::Signature);
        assert_eq!(Unverified::parse("a.b", "t").unwrap_err(), JwsFault::Malformed);
    }
}
