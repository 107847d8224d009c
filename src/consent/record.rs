//! What is checked when a form is recorded, each fault with its field and rule: here what the form and its grants are to
//! each other and who signed; what the form says in `circumstances`, what a grant says in `grants`.

mod circumstances;
mod grants;

use super::{
    binding::{Binding, BindingSalt},
    cover::{Scope, Stop},
    form::{FORM_TYPE, Form},
    grant::{GRANT_TYPE, Grant},
    grantor::{ClientAge, GrantorKind},
    jws::{JwsFault, Unverified},
    status::EventKind,
};
use crate::{
    catalogue::Mask,
    domain::{
        Bsn, Day, Oin,
        refusal::{Refusal, RefusalCode},
    },
    identity::Register,
    policy::PolicySet,
};

/// Most grants on one form.
pub const MAX_GRANTS: usize = 32;

/// What a recorder submits.
#[derive(Debug)]
pub struct Submission<'a> {
    /// Organisation that submits, from its certificate.
    pub caller: Oin,
    /// The person.
    pub bsn: &'a Bsn,
    /// JWS of the form.
    pub form: &'a str,
    /// JWS of each grant, and the salt of its binding.
    pub grants: Vec<(&'a str, &'a [u8])>,
}

/// A form whose signatures, bindings and rules were all checked. Made by [`check`] alone.
#[derive(Debug)]
pub struct Recording {
    form: Form,
    jws: String,
    grants: Vec<RecordedGrant>,
}

/// A grant of a [`Recording`].
#[derive(Debug)]
pub struct RecordedGrant {
    /// The grant.
    pub grant: Grant,
    /// As it was signed.
    pub jws: String,
    /// Salt of its binding.
    pub salt: BindingSalt,
}

impl Recording {
    /// The form.
    #[must_use]
    pub const fn form(&self) -> &Form {
        &self.form
    }

    /// The form as it was signed.
    #[must_use]
    pub fn jws(&self) -> &str {
        &self.jws
    }

    /// The grants, in the order of the form.
    #[must_use]
    pub fn grants(&self) -> &[RecordedGrant] {
        &self.grants
    }

    /// What the client says no to on it: refusals, fields struck out, and, where he decides for himself from 16 on, what a
    /// parent or guardian had consented to.
    #[must_use]
    pub fn stops(&self) -> Vec<Stop> {
        let day = self.form.evidence.signed_on;
        let refused = self.form.refusals.iter().map(|refused| Stop {
            scope: Scope {
                recipient: Some(refused.recipient),
                purpose: Some(refused.purpose.clone()),
                source: Some(refused.source),
                ..Scope::default()
            },
            day,
            kind: EventKind::Refused,
            fields: Mask::EMPTY,
        });
        let excluding = self.grants.iter().filter(|recorded| !recorded.grant.excluded.is_empty());
        let struck = excluding.map(|RecordedGrant { grant, .. }| Stop {
            scope: Scope {
                recipient: Some(grant.recipient),
                purpose: Some(grant.purpose.clone()),
                source: Some(grant.source),
                ..Scope::default()
            },
            day,
            kind: EventKind::Struck,
            fields: grant.excluded,
        });
        let grantor = &self.form.grantor;
        let decides = grantor.kind == GrantorKind::Client && grantor.client_age == ClientAge::From16;
        let own = decides.then(|| Stop {
            scope: Scope { parental: true, ..Scope::default() },
            day,
            kind: EventKind::Refused,
            fields: Mask::EMPTY,
        });
        refused.chain(struck).chain(own).collect()
    }
}

/// Checks a submission as a whole.
///
/// # Errors
/// The first fault, naming the field and the rule, and nothing that was sent.
pub fn check(
    submission: &Submission<'_>,
    register: &Register,
    policies: &PolicySet,
    today: Day,
) -> Result<Recording, Refusal> {
    let caller = submission.caller;
    let payload = verify(submission.form, FORM_TYPE, "form", register, caller, today)?;
    let form = Form::parse(&payload)?;
    if form.recorder != caller {
        return Err(Refusal::at(RefusalCode::FormRecorderMismatch, "form.recorder", "must be the caller"));
    }
    circumstances::check(&form, register, policies, today)?;
    // A form may hold refusals alone.
    if submission.grants.is_empty() && form.refusals.is_empty() || submission.grants.len() > MAX_GRANTS {
        let text = format!("must be 1 to {MAX_GRANTS} grants, or none on a form of refusals");
        return Err(Refusal::at(RefusalCode::FormTooWide, "grants", text));
    }
    if form.grants.len() != submission.grants.len() {
        let text = "must name exactly the grants that are submitted";
        return Err(Refusal::at(RefusalCode::FormBindingWrong, "form.grants", text));
    }
    let mut grants = Vec::with_capacity(submission.grants.len());
    for (index, ((jws, salt), named)) in submission.grants.iter().zip(&form.grants).enumerate() {
        let path = format!("grants[{index}]");
        let payload = verify(jws, GRANT_TYPE, &path, register, caller, today)?;
        let grant = Grant::parse(&payload, &path)?;
        let salt = BindingSalt::from_bytes(salt).ok_or_else(|| {
            Refusal::at(RefusalCode::FormBindingWrong, format!("{path}.binding_salt"), "must be 32 bytes")
        })?;
        if (grant.id, Grant::digest(&payload)) != *named
            || grant.form != form.id
            || grant.recorder != caller
            || grant.signed_on != form.evidence.signed_on
            || grant.evidence != form.evidence.sha256
            || grant.given_by != form.grantor.kind
            || grant.context != form.collection.context
        {
            return Err(Refusal::at(
                RefusalCode::FormBindingWrong,
                path,
                "is not the grant that the form names",
            ));
        }
        if Binding::of(&salt, submission.bsn) != grant.person {
            let person = format!("{path}.person");
            return Err(Refusal::at(RefusalCode::FormBindingWrong, person, "does not bind this person"));
        }
        grants::check(&grant, &path, &form, register, policies, today)?;
        grants.push(RecordedGrant { grant, jws: (*jws).to_owned(), salt });
    }
    let mut ids: Vec<_> = grants.iter().map(|recorded| recorded.grant.id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != grants.len() {
        return Err(Refusal::at(RefusalCode::FormIdUsed, "grants", "must have an id each"));
    }
    let all: Vec<_> = grants.iter().map(|recorded| &recorded.grant).collect();
    grants::check_together(&all, &form, policies)?;
    Ok(Recording { form, jws: submission.form.to_owned(), grants })
}

/// The payload of a JWS signed by this organisation with a key that is registered for it now.
///
/// # Errors
/// If the key is not registered, or the signature does not verify.
pub fn verify(
    jws: &str,
    typ: &str,
    path: &str,
    register: &Register,
    signer: Oin,
    today: Day,
) -> Result<Vec<u8>, Refusal> {
    let malformed = |fault: JwsFault| {
        let code = match fault {
            JwsFault::Signature => RefusalCode::FormSignatureInvalid,
            JwsFault::TooLong | JwsFault::Malformed | JwsFault::Header => RefusalCode::FormUnreadable,
        };
        Refusal::at(code, path, fault)
    };
    let unverified = Unverified::parse(jws, typ).map_err(malformed)?;
    let key = register
        .organisation(&signer)
        .and_then(|organisation| {
            organisation.signing_keys.iter().find(|key| key.kid == unverified.kid() && key.holds_on(today))
        })
        .ok_or_else(|| {
            Refusal::at(
                RefusalCode::FormKeyUnknown,
                path,
                "must be signed with a key registered for the recorder",
            )
        })?;
    unverified.verify(&key.public).map_err(malformed)
}
