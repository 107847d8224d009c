//! What a recorder's system hands in: a draft, a signed record of a form, a grant.

use std::sync::LazyLock;

use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::silence::{assert_silent, assert_silent_draft};
use crate::{
    consent::{
        Form, Grant,
        draft::FormDraft,
        fhir,
        form::FORM_TYPE,
        grant::GRANT_TYPE,
        jws::{JwsFault, Unverified},
        reconfirmation::Reconfirmation,
    },
    domain::{Day, Refusal},
};

pub(super) const TODAY: Day = time::macros::date!(2026 - 11 - 27);

/// Signs what a draft becomes. It is nobody's key.
pub(super) static KEY: LazyLock<Option<Ed25519KeyPair>> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).ok());

/// The bytes as each of the five.
pub fn form(bytes: &[u8]) -> bool {
    let form = payload(bytes, Form::parse, |form| form.payload().ok());
    let grant = payload(bytes, |bytes| Grant::parse(bytes, "grants[0]"), |grant| grant.payload().ok());
    let text = String::from_utf8_lossy(bytes);
    if let Some(key) = KEY.as_ref() {
        let forged = Unverified::parse(&text, FORM_TYPE).and_then(|form| form.verify(&public(key)));
        assert!(forged.is_err(), "a signature was made up");
    }
    form || grant || reconfirmation(bytes) || fhir(bytes) || draft(&text)
}

/// One that is taken is the one way to write what it says.
fn reconfirmation(bytes: &[u8]) -> bool {
    Reconfirmation::parse(bytes).is_ok_and(|read| {
        let written = read.payload().ok();
        assert!(written.as_deref() == Some(bytes), "it is written otherwise than it was signed");
        true
    })
}

/// What FHIR brings in is a draft that can be read.
fn fhir(bytes: &[u8]) -> bool {
    let Ok(resource) = serde_json::from_slice(bytes) else { return false };
    fhir::import(&resource).is_ok_and(|(draft, _)| {
        assert!(FormDraft::parse(&draft.to_string()).is_ok(), "FHIR makes a draft that is none");
        true
    })
}

/// A payload that is taken is the one way to write what it says; one that is not is refused without a word of it.
fn payload<T>(
    bytes: &[u8],
    parse: impl Fn(&[u8]) -> Result<T, Refusal>,
    write: impl Fn(&T) -> Option<Vec<u8>>,
) -> bool {
    match parse(bytes) {
        Ok(read) => {
            assert!(write(&read).as_deref() == Some(bytes), "it is written otherwise than it was signed");
            true
        }
        Err(refusal) => {
            assert_silent(&refusal);
            false
        }
    }
}

/// What a draft that can be signed becomes is a form, and grants, that can be read.
fn draft(text: &str) -> bool {
    let draft = match FormDraft::parse(text) {
        Ok(draft) => draft,
        Err(fault) => {
            assert_silent_draft(&fault);
            return false;
        }
    };
    let Some(key) = KEY.as_ref() else { return false };
    match draft.sign("fuzz", key, TODAY) {
        Err(fault) => {
            assert_silent_draft(&fault);
            false
        }
        Ok(signed) => {
            let verified = |jws: &str, typ| -> Result<Vec<u8>, JwsFault> {
                Unverified::parse(jws, typ)?.verify(&public(key))
            };
            for grant in &signed.grants {
                let payload = verified(&grant.jws, GRANT_TYPE);
                assert!(payload.is_ok() || payload == Err(JwsFault::TooLong), "a grant does not verify");
            }
            match verified(&signed.form, FORM_TYPE) {
                Ok(payload) => {
                    // It can still say what is refused, such as form number 0, and is refused in silence.
                    self::payload(&payload, Form::parse, |form| form.payload().ok())
                }
                Err(fault) => {
                    assert!(fault == JwsFault::TooLong, "a form does not verify");
                    false
                }
            }
        }
    }
}

fn public(key: &Ed25519KeyPair) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(key.public_key().as_ref());
    bytes
}
