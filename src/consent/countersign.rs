//! The gateway's countersignature: that it recorded this grant at this time, under this catalogue, policy and legal bases,
//! and had found its recorder's signature good. With it a recorder's key may end without its grants, and a database in
//! which somebody has changed a grant gives itself away at the next use.

use ring::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde::{Deserialize, Serialize};

use super::{
    form::sha256_text,
    grant::{GRANT_TYPE, Grant},
    jws::{self, Unverified},
};
use crate::domain::{Timestamp, random};

/// `typ` of the JWS.
pub const COUNTERSIGNATURE_TYPE: &str = "sluis.countersignature";

/// What was found when a grant was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Random id of the receipt (ISO/IEC TS 27560 receipt id).
    pub receipt_id: String,
    /// Name of the log.
    pub origin: String,
    /// When, in milliseconds since 1970.
    pub recorded_at: i64,
    /// Version of the catalogue.
    pub catalogue: String,
    /// Hash of the policies.
    pub policy: String,
    /// Legal basis on which the source may disclose (R15).
    pub basis_disclosure: String,
    /// Legal basis on which the recipient may process it.
    pub basis_receipt: String,
}

#[derive(Serialize, Deserialize)]
struct Payload {
    v: u32,
    typ: String,
    grant_id: String,
    form_id: String,
    /// SHA-256 of the grant's JWS, its recorder's signature included.
    grant_sha256: String,
    /// SHA-256 of the form's JWS.
    form_sha256: String,
    #[serde(flatten)]
    recorded: Recorded,
    // What holds of every exchange through a gateway (ISO/IEC TS 27560, AVG 13, 22, 44).
    special_category: String,
    processing: String,
    automated_decision: bool,
    onward_sharing: bool,
    storage: String,
    authority: String,
}

/// Why a stored grant is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountersignFault {
    /// No countersignature of this gateway.
    #[error("the countersignature is not one of this gateway")]
    NotOurs,
    /// It is about another grant or another text.
    #[error("the countersignature is not about this grant")]
    OtherGrant,
    /// The grant does not read.
    #[error("the grant does not read")]
    Unreadable,
}

/// Signs what was recorded, and checks it.
pub struct Countersigner {
    key: Ed25519KeyPair,
    kid: String,
    /// Names and public keys of every key of this gateway, the one that signs among them.
    known: Vec<(String, [u8; 32])>,
}

impl std::fmt::Debug for Countersigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Countersigner").field("kid", &self.kid).finish_non_exhaustive()
    }
}

fn kid(public: &[u8; 32]) -> String {
    let name: String = hex::encode(digest(&SHA256, public)).chars().take(8).collect();
    format!("gateway-{name}")
}

fn sha256_hex(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}

impl Countersigner {
    /// Signs with the gateway's newest key. What it signed under any of the others stays good: a consent lasts longer than a
    /// key. The name of a key comes from the key, so that it tells which of several it was.
    #[must_use]
    pub fn new(key: Ed25519KeyPair, others: impl IntoIterator<Item = [u8; 32]>) -> Self {
        let mut public = [0; 32];
        public.copy_from_slice(key.public_key().as_ref());
        let known: Vec<_> = [public].into_iter().chain(others).map(|key| (kid(&key), key)).collect();
        Self { key, kid: kid(&public), known }
    }

    /// Countersigns a grant.
    ///
    /// # Errors
    /// If it cannot be written, which no grant brings about.
    pub fn sign(
        &self,
        grant: &Grant,
        grant_jws: &str,
        form_jws: &str,
        recorded: Recorded,
    ) -> Result<String, serde_json::Error> {
        let payload = Payload {
            v: 1,
            typ: COUNTERSIGNATURE_TYPE.to_owned(),
            grant_id: grant.id.to_string(),
            form_id: grant.form.to_string(),
            grant_sha256: sha256_hex(grant_jws),
            form_sha256: sha256_hex(form_jws),
            recorded,
            special_category: "health".to_owned(),
            processing: "RETRIEVE_ON_REQUEST".to_owned(),
            automated_decision: false,
            onward_sharing: false,
            storage: "NL".to_owned(),
            authority: "Autoriteit Persoonsgegevens".to_owned(),
        };
        jws::sign(&serde_json_canonicalizer::to_vec(&payload)?, COUNTERSIGNATURE_TYPE, &self.kid, &self.key)
    }

    /// The grant as it was signed, if this gateway countersigned exactly this text.
    ///
    /// # Errors
    /// If it did not.
    pub fn verify(&self, countersignature: &str, grant_jws: &str) -> Result<Grant, CountersignFault> {
        let unverified = Unverified::parse(countersignature, COUNTERSIGNATURE_TYPE)
            .map_err(|_| CountersignFault::NotOurs)?;
        let known = self.known.iter().find(|(kid, _)| unverified.kid() == kid);
        let (_, public) = known.ok_or(CountersignFault::NotOurs)?;
        let payload = unverified.verify(public).map_err(|_| CountersignFault::NotOurs)?;
        let payload: Payload = serde_json::from_slice(&payload).map_err(|_| CountersignFault::NotOurs)?;
        let about = sha256_text(&payload.grant_sha256).map_err(|_| CountersignFault::NotOurs)?;
        if about.as_slice() != digest(&SHA256, grant_jws.as_bytes()).as_ref() {
            return Err(CountersignFault::OtherGrant);
        }
        let grant = jws::stored_payload(grant_jws, GRANT_TYPE).map_err(|_| CountersignFault::Unreadable)?;
        Grant::parse(&grant, "grant").map_err(|_| CountersignFault::Unreadable)
    }
}

impl Recorded {
    /// A receipt's id and time; the rest is filled in by whoever knows the rules.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn at(now: Timestamp) -> Result<Self, random::NoRandom> {
        let id = uuid::Builder::from_random_bytes(random::bytes()?).into_uuid();
        Ok(Self {
            receipt_id: id.to_string(),
            origin: String::new(),
            recorded_at: now.millis(),
            catalogue: String::new(),
            policy: String::new(),
            basis_disclosure: String::new(),
            basis_receipt: String::new(),
        })
    }
}
