//! A form before it is signed: what a recorder's own system, or `sluis consent record`, starts from.

use ring::signature::Ed25519KeyPair;
use serde::Deserialize;

use super::{
    binding::{Binding, BindingSalt},
    form::{
        Alternative, Collection, Context, Evidence, Explanation, FORM_TYPE, Form, Language, MediaType,
        Method, ReadingLevel, Refused, sha256_text, withdrawal_ways,
    },
    grant::{GRANT_TYPE, Grant},
    grantor::{Authority, ClientAge, Grantor, GrantorKind},
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
    size: u32,
    sha256: String,
    explanation: ExplanationDraft,
    collection: CollectionDraft,
    grantor: GrantorDraft,
    #[serde(default)]
    grants: Vec<GrantDraft>,
    #[serde(default)]
    refusals: Vec<RefusedDraft>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplanationDraft {
    text_version: u32,
    language: String,
    reading_level: String,
    explained_by: Role,
    explained_on: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CollectionDraft {
    context: String,
    method: String,
    alternative: String,
    withdrawal: Vec<String>,
    verified_by: Role,
    verified_on: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GrantorDraft {
    kind: String,
    client_age: String,
    evidence_sha256: Option<String>,
    from: Option<String>,
    until: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RefusedDraft {
    recipient: Oin,
    purpose: Purpose,
    source: Oin,
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
    #[serde(default)]
    excluded: Vec<String>,
    uses: Option<u32>,
    renews: Option<String>,
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

    /// Organisation that records it.
    #[must_use]
    pub const fn recorder(&self) -> Oin {
        self.recorder
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
        self.sign_as(kid, key, today, FormId::random(), &mut |_| GrantId::random())
    }

    /// Signs it with given ids, for whoever must be able to send the same form again and have it recorded once.
    ///
    /// # Errors
    /// Names the field that cannot be.
    pub fn sign_as(
        &self,
        kid: &str,
        key: &Ed25519KeyPair,
        today: Day,
        id: FormId,
        grant_id: &mut dyn FnMut(usize) -> GrantId,
    ) -> Result<proto::RecordConsentRequest, DraftFault> {
        let bsn = Bsn::parse(&self.bsn).map_err(|fault| field("bsn", fault))?;
        let mut form = self.form(id, today)?;
        let mut grants = Vec::with_capacity(self.grants.len());
        for (index, draft) in self.grants.iter().enumerate() {
            let salt = BindingSalt::random().map_err(|_| DraftFault::Unsignable)?;
            let path = format!("grants[{index}]");
            let grant = draft.grant(&path, grant_id(index), &form, Binding::of(&salt, &bsn), today)?;
            let payload = grant.payload().map_err(|_| DraftFault::Unsignable)?;
            form.grants.push((grant.id, Grant::digest(&payload)));
            let jws = jws::sign(&payload, GRANT_TYPE, kid, key).map_err(|_| DraftFault::Unsignable)?;
            grants.push(proto::SignedGrant { jws, binding_salt: salt.bytes().to_vec() });
        }
        let payload = form.payload().map_err(|_| DraftFault::Unsignable)?;
        let form = jws::sign(&payload, FORM_TYPE, kid, key).map_err(|_| DraftFault::Unsignable)?;
        Ok(proto::RecordConsentRequest { bsn: bsn.reveal_text(), form, grants, validate_only: false })
    }

    fn form(&self, id: FormId, today: Day) -> Result<Form, DraftFault> {
        let evidence = Evidence {
            form_number: self.form_number,
            form_version: self.form_version,
            signed_on: day("signed_on", &self.signed_on, today)?,
            custodian: self.custodian,
            media_type: coded("media_type", &self.media_type, MediaType::parse)?,
            size: self.size,
            sha256: coded("sha256", &self.sha256, sha256_text)?,
        };
        let refused = |refused: &RefusedDraft| Refused {
            recipient: refused.recipient,
            purpose: refused.purpose.clone(),
            source: refused.source,
        };
        Ok(Form {
            id,
            recorder: self.recorder,
            evidence,
            explanation: self.explanation.read(today)?,
            collection: self.collection.read(today)?,
            grantor: self.grantor.read(today)?,
            grants: Vec::new(),
            refusals: self.refusals.iter().map(refused).collect(),
        })
    }
}

/// Reads a coded text.
fn coded<T, E: ToString>(
    name: &str,
    text: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, DraftFault> {
    parse(text).map_err(|fault| field(name, fault))
}

impl ExplanationDraft {
    fn read(&self, today: Day) -> Result<Explanation, DraftFault> {
        Ok(Explanation {
            text_version: self.text_version,
            language: coded("explanation.language", &self.language, Language::parse)?,
            reading_level: coded("explanation.reading_level", &self.reading_level, ReadingLevel::parse)?,
            explained_by: self.explained_by,
            explained_on: day("explanation.explained_on", &self.explained_on, today)?,
        })
    }
}

impl CollectionDraft {
    fn read(&self, today: Day) -> Result<Collection, DraftFault> {
        Ok(Collection {
            context: coded("collection.context", &self.context, Context::parse)?,
            method: coded("collection.method", &self.method, Method::parse)?,
            alternative: coded("collection.alternative", &self.alternative, Alternative::parse)?,
            withdrawal: withdrawal_ways(&self.withdrawal)
                .map_err(|fault| field("collection.withdrawal", fault))?,
            verified_by: self.verified_by,
            verified_on: day("collection.verified_on", &self.verified_on, today)?,
        })
    }
}

impl GrantorDraft {
    fn read(&self, today: Day) -> Result<Grantor, DraftFault> {
        let kind = coded("grantor.kind", &self.kind, GrantorKind::parse)?;
        let authority = match (&self.evidence_sha256, &self.from, &self.until) {
            (Some(sha256), Some(from), until) => Some(Authority {
                sha256: coded("grantor.evidence_sha256", sha256, sha256_text)?,
                from: day("grantor.from", from, today)?,
                until: until.as_ref().map(|until| day("grantor.until", until, today)).transpose()?,
            }),
            (None, None, None) => None,
            _ => return Err(field("grantor", "needs `evidence_sha256` and `from` together")),
        };
        if authority.is_some() != kind.is_representative() {
            let what = "must have `evidence_sha256` and `from` if it is not the client, and not if it is";
            return Err(field("grantor", what));
        }
        let client_age = coded("grantor.client_age", &self.client_age, ClientAge::parse)?;
        Ok(Grantor { kind, client_age, authority })
    }
}

impl GrantDraft {
    fn grant(
        &self,
        path: &str,
        id: GrantId,
        form: &Form,
        person: Binding,
        today: Day,
    ) -> Result<Grant, DraftFault> {
        let mask = |name: &str, codes: &[String]| {
            let wrong = |index| field(format!("{path}.{name}[{index}]"), "is not a code of the catalogue");
            catalogue::from_codes(codes).map_err(|fault| wrong(fault.index))
        };
        Ok(Grant {
            id,
            form: form.id,
            recorder: form.recorder,
            signed_on: form.evidence.signed_on,
            evidence: form.evidence.sha256,
            person,
            recipient: self.recipient,
            role: self.role,
            purpose: self.purpose.clone(),
            source: self.source,
            fields: mask("fields", &self.fields)?,
            sensitive: mask("sensitive", &self.sensitive)?,
            excluded: mask("excluded", &self.excluded)?,
            given_by: form.grantor.kind,
            context: form.collection.context,
            uses: self.uses,
            renews: self
                .renews
                .as_ref()
                .map(|id| coded(&format!("{path}.renews"), id, str::parse::<GrantId>))
                .transpose()?,
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
