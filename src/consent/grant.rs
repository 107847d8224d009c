//! A grant: one recipient and role, one purpose, one source, explicit fields, a period. Nothing in it is wide (R06).

use ring::digest::{SHA256, digest};
use serde_json::json;

use super::{
    binding::Binding,
    form::{Context, purpose_code, sha256_text},
    grantor::GrantorKind,
    reader::Reader,
    status::GrantState,
};
use crate::{
    catalogue::{self, Mask},
    domain::{
        Day, FormId, GrantId, Oin, Purpose, Role, Timestamp,
        refusal::{Refusal, RefusalCode},
        time::parse_day,
    },
};

/// Most uses that a counted grant can have. More than so many is as often as needed.
pub const MAX_USES: u32 = 100;

/// `typ` of the JWS and of the payload.
pub const GRANT_TYPE: &str = "sluis.grant";

/// A grant, every part of it checked for form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Random id.
    pub id: GrantId,
    /// Form it stands on.
    pub form: FormId,
    /// Organisation that recorded it.
    pub recorder: Oin,
    /// Day on which the client signed.
    pub signed_on: Day,
    /// SHA-256 of the kept form.
    pub evidence: [u8; 32],
    /// The person, as SHA-256(salt, BSN).
    pub person: Binding,
    /// Organisation that receives.
    pub recipient: Oin,
    /// Role that receives.
    pub role: Role,
    /// The one purpose.
    pub purpose: Purpose,
    /// Organisation that may disclose.
    pub source: Oin,
    /// Granted fields.
    pub fields: Mask,
    /// Strongly revealing fields (S2) that were ticked apart.
    pub sensitive: Mask,
    /// Fields that the client struck out on the form; none of the granted ones.
    pub excluded: Mask,
    /// Who gave it.
    pub given_by: GrantorKind,
    /// Where the client was.
    pub context: Context,
    /// How often it may be used; `None` is as often as needed within its period.
    pub uses: Option<u32>,
    /// The grant that it renews.
    pub renews: Option<GrantId>,
    /// First day on which it is in force (UTC).
    pub valid_from: Day,
    /// First day on which it is no longer in force (UTC).
    pub valid_until: Day,
}

/// Texts with which a form tries to name everything.
fn is_wildcard(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    text.contains('*') || ["", "all", "any", "alle", "alles", "every", "ieder"].contains(&lower.as_str())
}

/// Reads one named party, purpose or day; a wildcard or nothing at all is a blanket authorisation (R06).
fn named<T>(
    reader: &mut Reader,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, Refusal> {
    let path = reader.path(name);
    let text = reader.text(name, RefusalCode::FormTooWide)?;
    if is_wildcard(&text) {
        return Err(Refusal::at(RefusalCode::FormTooWide, path, "is too wide: name exactly one"));
    }
    parse(&text).map_err(|fault| Refusal::at(RefusalCode::FormUnreadable, path, fault))
}

fn fields(reader: &mut Reader, name: &str, optional: bool) -> Result<Mask, Refusal> {
    let path = reader.path(name);
    let left_out = optional && !reader.has(name);
    let codes = reader.texts(name, RefusalCode::FormTooWide, optional)?;
    if let Some(index) = codes.iter().position(|code| is_wildcard(code)) {
        let at = format!("{path}[{index}]");
        return Err(Refusal::at(RefusalCode::FormTooWide, at, "is too wide: name each field by its code"));
    }
    if codes.is_empty() && optional && !left_out {
        return Err(Refusal::at(RefusalCode::FormUnreadable, path, "is empty: leave it out"));
    }
    if codes.is_empty() && !optional {
        return Err(Refusal::at(RefusalCode::FormTooWide, path, "is empty: name each field by its code"));
    }
    let mask = catalogue::from_codes(&codes).map_err(|fault| {
        let code = if fault.medical { RefusalCode::FieldMedical } else { RefusalCode::FieldUnknown };
        Refusal::at(
            code,
            format!("{path}[{}]", fault.index),
            "is not a code of the catalogue, such as `WT-02`",
        )
    })?;
    if catalogue::codes(mask) != codes {
        return Err(Refusal::at(
            RefusalCode::FormUnreadable,
            path,
            "must list codes in the order of the catalogue, each once",
        ));
    }
    Ok(mask)
}

impl Grant {
    /// Reads the payload of a grant. `root` is where it stands in the message, for faults.
    ///
    /// # Errors
    /// Names the field that is missing, malformed or too wide.
    pub fn parse(payload: &[u8], root: &str) -> Result<Self, Refusal> {
        use RefusalCode::FormUnreadable;
        let mut grant = Reader::new(payload, root)?;
        grant.format(GRANT_TYPE)?;
        let id = grant.parsed("grant_id", FormUnreadable, str::parse::<GrantId>)?;
        let form = grant.parsed("form_id", FormUnreadable, str::parse::<FormId>)?;
        let recorder = grant.parsed("recorder", FormUnreadable, str::parse::<Oin>)?;
        let signed_on = grant.parsed("signed_on", RefusalCode::FormEvidenceMissing, parse_day)?;
        let evidence = grant.parsed("evidence_sha256", RefusalCode::FormEvidenceMissing, sha256_text)?;
        let person = grant.parsed("person", RefusalCode::FormBindingWrong, |text| {
            Binding::parse(text).ok_or("must be the base64url text of a SHA-256")
        })?;
        let recipient =
            named(&mut grant, "recipient", |text| text.parse::<Oin>().map_err(|f| f.to_string()))?;
        let role = named(&mut grant, "role", |text| text.parse::<Role>().map_err(|f| f.to_string()))?;
        let path = grant.path("purpose");
        let purpose = named(&mut grant, "purpose", |text| Ok(text.parse::<Purpose>()))?
            .map_err(|fault| Refusal::at(purpose_code(&fault), path, fault))?;
        let source = named(&mut grant, "source", |text| text.parse::<Oin>().map_err(|f| f.to_string()))?;
        let fields = self::fields(&mut grant, "fields", false)?;
        let sensitive = self::fields(&mut grant, "sensitive", true)?;
        let excluded = self::fields(&mut grant, "excluded", true)?;
        let given_by = grant.parsed("given_by", RefusalCode::FormGrantorInvalid, GrantorKind::parse)?;
        let context = grant.parsed("context", RefusalCode::FormNotFree, Context::parse)?;
        let uses = if grant.has("uses") {
            Some(grant.number_up_to("uses", MAX_USES, RefusalCode::FormTooWide)?)
        } else {
            None
        };
        let renews = if grant.has("renews") {
            Some(grant.parsed("renews", FormUnreadable, str::parse::<GrantId>)?)
        } else {
            None
        };
        let day = |text: &str| parse_day(text).map_err(|fault| fault.to_string());
        let valid_from = named(&mut grant, "valid_from", day)?;
        let valid_until = named(&mut grant, "valid_until", day)?;
        grant.finish()?;
        Ok(Self {
            id,
            form,
            recorder,
            signed_on,
            evidence,
            person,
            recipient,
            role,
            purpose,
            source,
            fields,
            sensitive,
            excluded,
            given_by,
            context,
            uses,
            renews,
            valid_from,
            valid_until,
        })
    }

    /// The payload as its recorder signs it: canonical JSON.
    ///
    /// # Errors
    /// If it cannot be written, which no value of a grant brings about.
    pub fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut payload = json!({
            "v": 2,
            "typ": GRANT_TYPE,
            "grant_id": self.id.to_string(),
            "form_id": self.form.to_string(),
            "recorder": self.recorder.as_str(),
            "signed_on": self.signed_on.to_string(),
            "evidence_sha256": hex::encode(self.evidence),
            "person": self.person.encode(),
            "recipient": self.recipient.as_str(),
            "role": self.role.as_str(),
            "purpose": self.purpose.as_str(),
            "source": self.source.as_str(),
            "fields": catalogue::codes(self.fields),
            "given_by": self.given_by.as_str(),
            "context": self.context.as_str(),
            "valid_from": self.valid_from.to_string(),
            "valid_until": self.valid_until.to_string(),
        });
        if let Some(payload) = payload.as_object_mut() {
            for (name, mask) in [("sensitive", self.sensitive), ("excluded", self.excluded)] {
                if !mask.is_empty() {
                    payload.insert(name.into(), json!(catalogue::codes(mask)));
                }
            }
            if let Some(uses) = self.uses {
                payload.insert("uses".into(), uses.into());
            }
            if let Some(renews) = self.renews {
                payload.insert("renews".into(), renews.to_string().into());
            }
        }
        serde_json_canonicalizer::to_vec(&payload)
    }

    /// SHA-256 of a payload, as the form names it.
    #[must_use]
    pub fn digest(payload: &[u8]) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, payload).as_ref());
        bytes
    }

    /// The state of this grant before anything happened to it.
    #[must_use]
    pub fn state(&self) -> GrantState {
        GrantState {
            free: self.context.is_free(),
            limit: self.uses,
            ..GrantState::new(self.starts(), self.ends(), self.fields)
        }
    }

    /// First moment at which it is in force.
    #[must_use]
    pub fn starts(&self) -> Timestamp {
        Timestamp::start_of(self.valid_from)
    }

    /// First moment at which it is no longer in force.
    #[must_use]
    pub fn ends(&self) -> Timestamp {
        Timestamp::start_of(self.valid_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_ticks_that_is_empty_is_left_out() {
        let grant = |sensitive: &str| {
            let payload = format!(r#"{{"fields":["WT-01"],{sensitive}"source":"x"}}"#);
            let mut reader = Reader::new(payload.as_bytes(), "grant").unwrap();
            fields(&mut reader, "sensitive", true)
        };
        assert_eq!(grant("").unwrap(), Mask::EMPTY);
        assert_eq!(grant(r#""sensitive":["WT-01"],"#).unwrap().len(), 1);
        assert_eq!(grant(r#""sensitive":[],"#).unwrap_err().code, RefusalCode::FormUnreadable);
    }
}
