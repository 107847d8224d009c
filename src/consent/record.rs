//! What is checked when a form is recorded (R05, R06, R07, R11, R12, R13, R14), each fault with its field and rule.

use super::{
    binding::{Binding, BindingSalt},
    form::{FORM_TYPE, Form},
    grant::{GRANT_TYPE, Grant},
    jws::{JwsFault, Unverified},
};
use crate::{
    catalogue::{Mask, Sensitivity},
    domain::{
        Bsn, Day, Oin,
        refusal::{Refusal, RefusalCode},
    },
    identity::{Function, Register},
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
    check_form(&form, register, today)?;
    if !(1..=MAX_GRANTS).contains(&submission.grants.len()) {
        let text = format!("must be 1 to {MAX_GRANTS} grants");
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
            || grant.signed_on != form.signed_on
            || grant.evidence != form.sha256
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
        check_grant(&grant, &path, register, policies, today)?;
        grants.push(RecordedGrant { grant, jws: (*jws).to_owned(), salt });
    }
    let mut ids: Vec<_> = grants.iter().map(|recorded| recorded.grant.id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() != grants.len() {
        return Err(Refusal::at(RefusalCode::FormIdUsed, "grants", "must have an id each"));
    }
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

fn check_form(form: &Form, register: &Register, today: Day) -> Result<(), Refusal> {
    if !form.context.is_free() {
        return Err(Refusal::at(
            RefusalCode::FormNotFree,
            "form.collection.context",
            "consent given there is not free; accepted: GUIDANCE_TALK, THREE_WAY_TALK, CLIENT_INITIATIVE",
        ));
    }
    if form.signed_on > today {
        let text = "must not lie in the future";
        return Err(Refusal::at(RefusalCode::FormEvidenceMissing, "form.evidence.signed_on", text));
    }
    if form.explained_on > form.signed_on {
        let text = "must not be after the signature";
        return Err(Refusal::at(RefusalCode::FormExplanationMissing, "form.explanation.explained_on", text));
    }
    if register.organisation(&form.custodian).is_none() {
        let text = "must be an admitted organisation";
        return Err(Refusal::at(RefusalCode::FormPartyNotAdmitted, "form.evidence.custodian", text));
    }
    Ok(())
}

fn check_grant(
    grant: &Grant,
    path: &str,
    register: &Register,
    policies: &PolicySet,
    today: Day,
) -> Result<(), Refusal> {
    let at = |code, name: &str, text: &str| Err(Refusal::at(code, format!("{path}.{name}"), text));
    let recipient = register.organisation(&grant.recipient);
    if recipient.is_none_or(|organisation| !organisation.functions.contains(&Function::Requester)) {
        return at(
            RefusalCode::FormPartyNotAdmitted,
            "recipient",
            "must be an organisation admitted as requester",
        );
    }
    if recipient.is_none_or(|organisation| organisation.kind != grant.role.kind()) {
        return at(RefusalCode::FormPartyNotAdmitted, "role", "must be a role of the recipient's kind");
    }
    let Some(source) =
        register.organisation(&grant.source).filter(|o| o.functions.contains(&Function::Source))
    else {
        return at(RefusalCode::FormPartyNotAdmitted, "source", "must be an organisation admitted as source");
    };
    if grant.source == grant.recipient {
        return at(RefusalCode::FormTooWide, "source", "must be another organisation than the recipient");
    }
    let Some(purpose) = policies.purpose(&grant.purpose) else {
        return at(RefusalCode::PurposeUnknown, "purpose", "is not in the list of purposes");
    };
    if !purpose.active {
        return at(RefusalCode::PurposeInactive, "purpose", "has no agreed legal basis yet");
    }
    check_period(grant, path, purpose.max_months, today)?;
    let ceiling = policies.ceiling(&grant.purpose, grant.role, source.kind);
    let above = grant.fields.minus(ceiling);
    if !above.is_empty() {
        let codes = crate::catalogue::codes(above).join(", ");
        let text = format!("has fields above the ceiling of the purpose for this role and source: {codes}");
        return Err(Refusal::at(RefusalCode::FormFieldsAboveCeiling, format!("{path}.fields"), text));
    }
    let revealing: Mask =
        grant.fields.iter().filter(|field| field.entry().sensitivity == Sensitivity::S2).collect();
    if revealing != grant.sensitive {
        let codes = crate::catalogue::codes(revealing).join(", ");
        let text =
            format!("must list exactly the strongly revealing fields of the grant, ticked apart: {codes}");
        return Err(Refusal::at(RefusalCode::FormSensitiveNotTicked, format!("{path}.sensitive"), text));
    }
    Ok(())
}

fn check_period(grant: &Grant, path: &str, max_months: u8, today: Day) -> Result<(), Refusal> {
    let at = |code, name: &str, text: &str| Err(Refusal::at(code, format!("{path}.{name}"), text));
    if grant.valid_from < grant.signed_on {
        return at(RefusalCode::FormPeriodInvalid, "valid_from", "must not be before the signature");
    }
    if grant.valid_until <= grant.valid_from {
        return at(RefusalCode::FormPeriodInvalid, "valid_until", "must be after `valid_from`");
    }
    if grant.valid_until <= today {
        return at(RefusalCode::FormPeriodInvalid, "valid_until", "must lie in the future");
    }
    // Counted from the signature, so that a late start cannot stretch a consent.
    if grant.valid_until > months_later(grant.signed_on, max_months) {
        let text = format!("must be at most {max_months} months after the signature");
        return at(RefusalCode::FormPeriodTooLong, "valid_until", &text);
    }
    Ok(())
}

/// The same day so many months later, or the last day of that month.
fn months_later(day: Day, months: u8) -> Day {
    let zero_based = i32::from(u8::from(day.month())) - 1 + i32::from(months);
    let year = day.year() + zero_based / 12;
    let month = u8::try_from(zero_based % 12 + 1).ok().and_then(|m| time::Month::try_from(m).ok());
    let Some(month) = month else { return day };
    let last = month.length(year);
    Day::from_calendar_date(year, month, day.day().min(last)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_day;

    #[test]
    fn months_end_on_days_that_exist() {
        for (from, months, until) in [
            ("2026-01-31", 1, "2026-02-28"),
            ("2026-11-23", 12, "2027-11-23"),
            ("2026-12-31", 2, "2027-02-28"),
            ("2024-02-29", 12, "2025-02-28"),
        ] {
            assert_eq!(months_later(parse_day(from).unwrap(), months), parse_day(until).unwrap());
        }
    }
}
