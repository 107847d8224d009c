//! A form before it is signed: what a recorder's own system, or `sluis consent record`, starts from.

use ring::signature::Ed25519KeyPair;
use serde::Deserialize;

use super::{
    binding::{Binding, BindingSalt},
    form::{Alternative, Context, FORM_TYPE, Form, MediaType, Method, sha256_text},
    grant::{GRANT_TYPE, Grant},
    jws,
};
use crate::{
    catalogue,
    domain::{Bsn, Day, FormId, GrantId, Oin, Purpose, Role, time::parse_day},
    proto,
};

/// Why a draft cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum DraftFault {
    /// Not JSON of this form.
    #[error("the form is not valid: line {line}, column {column}")]
    Syntax {
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// A field that cannot be.
    #[error("`{field}` {what}")]
    Field {
        /// Where it stands.
        field: String,
        /// What is wrong.
        what: String,
    },
    /// No random bytes, or no JSON.
    #[error("the form cannot be signed")]
    Unsignable,
}

/// A form before it is signed. Days are `2026-11-23`, or `today`, `today-14`, `today+300`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FormDraft {
    bsn: String,
    recorder: Oin,
    form_number: u32,
    form_version: u32,
    signed_on: String,
    custodian: Oin,
    media_type: String,
    sha256: String,
    explanation: ExplanationDraft,
    collection: CollectionDraft,
    grants: Vec<GrantDraft>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplanationDraft {
    text_version: u32,
    explained_by: Role,
    explained_on: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CollectionDraft {
    context: String,
    method: String,
    alternative: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantDraft {
    recipient: Oin,
    role: Role,
    purpose: Purpose,
    source: Oin,
    fields: Vec<String>,
    #[serde(default)]
    sensitive: Vec<String>,
    valid_from: String,
    valid_until: String,
}

impl std::fmt::Debug for FormDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormDraft(redacted)")
    }
}

fn field(name: impl Into<String>, what: impl ToString) -> DraftFault {
    DraftFault::Field { field: name.into(), what: what.to_string() }
}

/// Reads a day, absolute or counted from today.
fn day(name: &str, text: &str, today: Day) -> Result<Day, DraftFault> {
    let Some(offset) = text.strip_prefix("today") else {
        return parse_day(text).map_err(|fault| field(name, fault));
    };
    let wrong = || field(name, "must be a day, or `today` with a number of days added or taken away");
    // More days than an `i32` has are no day of the calendar, and `Duration` panics at some of them.
    let days = if offset.is_empty() { 0 } else { offset.parse::<i32>().map_err(|_| wrong())? };
    today.checked_add(time::Duration::days(days.into())).ok_or_else(wrong)
}

impl FormDraft {
    /// Reads a draft.
    ///
    /// # Errors
    /// Tells the place, and nothing of the content.
    pub fn parse(json: &str) -> Result<Self, DraftFault> {
        serde_json::from_str(json)
            .map_err(|fault| DraftFault::Syntax { line: fault.line(), column: fault.column() })
    }

    /// Signs the form and each grant, ready to be recorded. Ids and salts are new each time.
    ///
    /// # Errors
    /// Names the field that cannot be.
    pub fn sign(
        &self,
        kid: &str,
        key: &Ed25519KeyPair,
        today: Day,
    ) -> Result<proto::RecordConsentRequest, DraftFault> {
        let bsn = Bsn::parse(&self.bsn).map_err(|fault| field("bsn", fault))?;
        let mut form = self.form(today)?;
        let mut grants = Vec::with_capacity(self.grants.len());
        for (index, draft) in self.grants.iter().enumerate() {
            let salt = BindingSalt::random().map_err(|_| DraftFault::Unsignable)?;
            let grant = draft.grant(&format!("grants[{index}]"), &form, Binding::of(&salt, &bsn), today)?;
            let payload = grant.payload().map_err(|_| DraftFault::Unsignable)?;
            form.grants.push((grant.id, Grant::digest(&payload)));
            let jws = jws::sign(&payload, GRANT_TYPE, kid, key).map_err(|_| DraftFault::Unsignable)?;
            grants.push(proto::SignedGrant { jws, binding_salt: salt.bytes().to_vec() });
        }
        let payload = form.payload().map_err(|_| DraftFault::Unsignable)?;
        let form = jws::sign(&payload, FORM_TYPE, kid, key).map_err(|_| DraftFault::Unsignable)?;
        Ok(proto::RecordConsentRequest { bsn: bsn.reveal_text(), form, grants })
    }

    fn form(&self, today: Day) -> Result<Form, DraftFault> {
        let Self { explanation, collection, .. } = self;
        Ok(Form {
            id: FormId::random(),
            recorder: self.recorder,
            form_number: self.form_number,
            form_version: self.form_version,
            signed_on: day("signed_on", &self.signed_on, today)?,
            custodian: self.custodian,
            media_type: MediaType::parse(&self.media_type).map_err(|fault| field("media_type", fault))?,
            sha256: sha256_text(&self.sha256).map_err(|fault| field("sha256", fault))?,
            explanation_version: explanation.text_version,
            explained_by: explanation.explained_by,
            explained_on: day("explanation.explained_on", &explanation.explained_on, today)?,
            context: Context::parse(&collection.context)
                .map_err(|fault| field("collection.context", fault))?,
            method: Method::parse(&collection.method).map_err(|fault| field("collection.method", fault))?,
            alternative: Alternative::parse(&collection.alternative)
                .map_err(|fault| field("collection.alternative", fault))?,
            grants: Vec::new(),
        })
    }
}

impl GrantDraft {
    fn grant(&self, path: &str, form: &Form, person: Binding, today: Day) -> Result<Grant, DraftFault> {
        let mask = |name: &str, codes: &[String]| {
            let wrong = |index| field(format!("{path}.{name}[{index}]"), "is not a code of the catalogue");
            catalogue::from_codes(codes).map_err(|fault| wrong(fault.index))
        };
        Ok(Grant {
            id: GrantId::random(),
            form: form.id,
            recorder: form.recorder,
            signed_on: form.signed_on,
            evidence: form.sha256,
            person,
            recipient: self.recipient,
            role: self.role,
            purpose: self.purpose.clone(),
            source: self.source,
            fields: mask("fields", &self.fields)?,
            sensitive: mask("sensitive", &self.sensitive)?,
            valid_from: day(&format!("{path}.valid_from"), &self.valid_from, today)?,
            valid_until: day(&format!("{path}.valid_until"), &self.valid_until, today)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_can_be_counted_from_today_within_the_calendar() {
        let today = time::macros::date!(2026 - 11 - 27);
        let read = |text| day("signed_on", text, today).ok().map(|day| day.to_string());
        assert_eq!(read("today").as_deref(), Some("2026-11-27"));
        assert_eq!(read("today-27").as_deref(), Some("2026-10-31"));
        assert_eq!(read("2026-12-01").as_deref(), Some("2026-12-01"));
        for far in
            ["today+2147483647", "today-2147483648", "today+9223372036854775807", "today+x", "today1e9"]
        {
            assert_eq!(read(far), None, "{far}");
        }
    }
}
