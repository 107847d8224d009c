//! What the parties of an agreement sign, and whether they did (R17).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{Organisation, text},
    Draft, Item, Terms,
};
use crate::{
    catalogue,
    domain::{Oin, Purpose},
};

/// What the signed object says that it is, so that no other signed thing can be taken for it.
const TYPE: &str = "sluis/v1/agreement";

/// One of the two parties of an agreement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Who answers.
    Source,
    /// Who asks.
    Requester,
}

/// Both, in the order of the file.
pub(in crate::identity::register) const SIGNED_PARTIES: [Party; 2] = [Party::Source, Party::Requester];

impl Party {
    /// The name in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Requester => "requester",
        }
    }

    /// Its number in an agreement.
    #[must_use]
    pub const fn of(self, terms: &Terms) -> Oin {
        match self {
            Self::Source => terms.source,
            Self::Requester => terms.requester,
        }
    }
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A party's signature under an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreementSignature {
    /// Name of the key.
    pub kid: String,
    /// The Ed25519 signature over [`Terms::to_sign`].
    pub signature: [u8; 64],
}

impl AgreementSignature {
    /// The signature as the file and the log have it: base64url without padding.
    #[must_use]
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.signature)
    }
}

/// The signatures of both parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signatures {
    /// Of who answers.
    pub source: AgreementSignature,
    /// Of who asks.
    pub requester: AgreementSignature,
}

/// Signatures as they stand in the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::identity::register) struct RawSignatures {
    source: Option<RawSignature>,
    requester: Option<RawSignature>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignature {
    kid: String,
    signature: String,
}

impl RawSignatures {
    const fn of(&self, party: Party) -> Option<&RawSignature> {
        match party {
            Party::Source => self.source.as_ref(),
            Party::Requester => self.requester.as_ref(),
        }
    }

    /// Whether something stands there as this party's signature.
    pub(in crate::identity::register) const fn has(&self, party: Party) -> bool {
        self.of(party).is_some()
    }
}

/// The signed object. Every part of the terms stands in it.
#[derive(Serialize)]
struct Signed<'a> {
    #[serde(rename = "type")]
    typ: &'static str,
    id: &'a str,
    region: &'a str,
    source: Oin,
    requester: Oin,
    purposes: Vec<&'a str>,
    fields: Vec<&'static str>,
    starts: String,
    ends: String,
    review: String,
    document_sha256: String,
    renews: Option<&'a str>,
}

impl Terms {
    /// The codes of its fields, sorted.
    #[must_use]
    pub fn codes(&self) -> Vec<&'static str> {
        let mut codes = catalogue::codes(self.fields);
        codes.sort_unstable();
        codes
    }

    /// The bytes that each party signs: canonical JSON (RFC 8785) of every term. Groups are written out as codes, so that
    /// a later catalogue never widens what was signed.
    ///
    /// # Errors
    /// If they have no JSON form, which no terms that were read lack.
    pub fn to_sign(&self) -> Result<Vec<u8>, serde_json::Error> {
        // The pattern names every term: a new one cannot be left unsigned.
        let Self {
            id,
            region,
            source,
            requester,
            purposes,
            fields: _,
            starts,
            ends,
            review,
            document_sha256,
            renews,
        } = self;
        serde_json_canonicalizer::to_vec(&Signed {
            typ: TYPE,
            id,
            region,
            source: *source,
            requester: *requester,
            purposes: purposes.iter().map(Purpose::as_str).collect(),
            fields: self.codes(),
            starts: starts.to_string(),
            ends: ends.to_string(),
            review: review.to_string(),
            document_sha256: hex::encode(document_sha256),
            renews: renews.as_deref(),
        })
    }

    /// SHA-256 of what was signed, in hexadecimal: the one name of exactly these terms.
    ///
    /// # Errors
    /// As [`to_sign`](Self::to_sign).
    pub fn hash(&self) -> Result<String, serde_json::Error> {
        self.to_sign().map(|bytes| hex::encode(digest(&SHA256, &bytes)))
    }

    /// Signs them.
    ///
    /// # Errors
    /// As [`to_sign`](Self::to_sign).
    pub(in crate::identity::register) fn sign(
        &self,
        kid: &str,
        key: &Ed25519KeyPair,
    ) -> Result<AgreementSignature, serde_json::Error> {
        let bytes = key.sign(&self.to_sign()?);
        let mut signature = [0; 64];
        // An Ed25519 signature is 64 bytes; another length stays one that verifies under no key.
        if let Ok(bytes) = bytes.as_ref().try_into() {
            signature = bytes;
        }
        Ok(AgreementSignature { kid: kid.to_owned(), signature })
    }
}

/// The public half of a key.
pub(in crate::identity::register) fn public_of(key: &Ed25519KeyPair) -> &[u8] {
    key.public_key().as_ref()
}

/// Both signatures, if both are there and hold. Without known participants only that they are there.
pub(super) fn both(draft: &Draft, known: Option<&[Organisation]>, item: &mut Item<'_>) -> Option<Signatures> {
    let [source, requester] = SIGNED_PARTIES.map(|party| {
        let Some(raw) = draft.signatures.of(party) else {
            item.fault(format_args!(
                "is not signed by the {party} `{}`: `sluis agreement sign` writes `signature.{party}` (R17)",
                party.of(&draft.terms)
            ));
            return None;
        };
        known.and_then(|known| one(&draft.terms, party, raw, known, item))
    });
    Some(Signatures { source: source?, requester: requester? })
}

fn one(
    terms: &Terms,
    party: Party,
    raw: &RawSignature,
    known: &[Organisation],
    item: &mut Item<'_>,
) -> Option<AgreementSignature> {
    let at = format!("signature.{party}");
    let kid = item.take(&format!("{at}.kid"), text::harmless_name(&raw.kid))?;
    let signature: Option<[u8; 64]> =
        URL_SAFE_NO_PAD.decode(&raw.signature).ok().and_then(|bytes| bytes.try_into().ok());
    let Some(signature) = signature else {
        item.fault(format_args!(
            "`{at}.signature` must be the 64 bytes of an Ed25519 signature in base64url"
        ));
        return None;
    };
    let oin = party.of(terms);
    let holder = known.iter().find(|organisation| organisation.signing_keys.iter().any(|key| key.kid == kid));
    let Some(holder) = holder else {
        item.fault(format_args!("`{at}` names the key `{kid}`, which nobody has registered"));
        return None;
    };
    if holder.oin != oin {
        item.fault(format_args!(
            "`{at}` names the key `{kid}`, which is of `{}` and not of the {party} `{oin}`",
            holder.oin
        ));
        return None;
    }
    let key = holder.signing_keys.iter().find(|key| key.kid == kid)?;
    if !key.holds_on(terms.starts) {
        item.fault(format_args!(
            "`{at}` names the key `{kid}`, which does not hold on {}, the first day of the agreement",
            terms.starts
        ));
        return None;
    }
    let signed = terms
        .to_sign()
        .is_ok_and(|bytes| UnparsedPublicKey::new(&ED25519, key.public).verify(&bytes, &signature).is_ok());
    if !signed {
        item.fault(format_args!(
            "`{at}` is no signature of these terms by the key `{kid}`: something was changed after it was signed, or \
             another key signed it"
        ));
        return None;
    }
    Some(AgreementSignature { kid, signature })
}
