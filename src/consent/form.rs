//! The record of a signed form (toestemmingsformulier): evidence, explanation, circumstances. No text about a client.

mod lists;

use serde_json::{Value, json};

pub(in crate::consent) use lists::closed_list;
pub use lists::{Alternative, Context, Language, MediaType, Method, ReadingLevel, WithdrawalWay};

use super::{grantor::Grantor, reader::Reader};
use crate::domain::{
    Day, FormId, GrantId, Oin, Purpose, Role,
    purpose::PurposeFault,
    refusal::{Refusal, RefusalCode},
    time::parse_day,
};

/// `typ` of the JWS and of the payload.
pub const FORM_TYPE: &str = "sluis.form";
/// Largest kept form, in bytes.
pub const MAX_EVIDENCE: u32 = 100_000_000;

/// What a client refused on a form (weigering): whatever this recipient asks of this source for this purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Organisation that would receive.
    pub recipient: Oin,
    /// The purpose.
    pub purpose: Purpose,
    /// Organisation that would disclose.
    pub source: Oin,
}

/// The kept form (bewijsstuk): what and where it is, never the form itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Number of the printed form, from the recorder's own list.
    pub form_number: u32,
    /// Version of the printed form.
    pub form_version: u32,
    /// Day on which the client signed.
    pub signed_on: Day,
    /// Organisation that keeps it.
    pub custodian: Oin,
    /// Media type of what is kept.
    pub media_type: MediaType,
    /// Its length in bytes.
    pub size: u32,
    /// SHA-256 of what is kept.
    pub sha256: [u8; 32],
}

/// How it was explained (voorlichting, R07).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Version of the text.
    pub text_version: u32,
    /// Its language.
    pub language: Language,
    /// Its reading level.
    pub reading_level: ReadingLevel,
    /// Role of the person who explained it.
    pub explained_by: Role,
    /// Day on which it was explained.
    pub explained_on: Day,
}

/// How it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Where the client consented.
    pub context: Context,
    /// How he signed.
    pub method: Method,
    /// What he was offered instead.
    pub alternative: Alternative,
    /// How he can withdraw.
    pub withdrawal: Vec<WithdrawalWay>,
    /// Role of who saw that it was he who signed.
    pub verified_by: Role,
    /// Day on which that was seen.
    pub verified_on: Day,
}

/// A record of a signed form, every part of it checked for form. [`record`](super::record) checks what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Random id.
    pub id: FormId,
    /// Organisation that recorded it.
    pub recorder: Oin,
    /// The kept form.
    pub evidence: Evidence,
    /// How it was explained.
    pub explanation: Explanation,
    /// How it was signed.
    pub collection: Collection,
    /// Who gave the consent.
    pub grantor: Grantor,
    /// The grants of the form: id, and SHA-256 of the payload.
    pub grants: Vec<(GrantId, [u8; 32])>,
    /// What the client refused on it.
    pub refusals: Vec<Refused>,
}

pub(super) fn sha256_text(text: &str) -> Result<[u8; 32], &'static str> {
    let mut bytes = [0; 32];
    let lower = text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    if !lower || hex::decode_to_slice(text, &mut bytes).is_err() {
        return Err("must be a SHA-256 in lower-case hexadecimal");
    }
    Ok(bytes)
}

/// Which refusal a purpose that does not parse is.
pub(super) const fn purpose_code(fault: &PurposeFault) -> RefusalCode {
    match fault {
        PurposeFault::Malformed => RefusalCode::PurposeMalformed,
        PurposeFault::NeverServed => RefusalCode::PurposeNeverServed,
    }
}

/// The ways to withdraw; each once.
pub(super) fn withdrawal_ways(texts: &[String]) -> Result<Vec<WithdrawalWay>, String> {
    let mut ways = Vec::with_capacity(texts.len());
    for text in texts {
        let way = WithdrawalWay::parse(text)?;
        if ways.contains(&way) {
            return Err("must name each way once".to_owned());
        }
        ways.push(way);
    }
    if ways.is_empty() {
        return Err("must name at least one way to withdraw".to_owned());
    }
    Ok(ways)
}

impl Evidence {
    fn parse(form: &mut Reader) -> Result<Self, Refusal> {
        use RefusalCode::FormEvidenceMissing as Missing;
        let mut evidence = form.object("evidence", Missing)?;
        let parsed = Self {
            form_number: evidence.number("form_number", Missing)?,
            form_version: evidence.number("form_version", Missing)?,
            signed_on: evidence.parsed("signed_on", Missing, parse_day)?,
            custodian: evidence.parsed("custodian", Missing, str::parse::<Oin>)?,
            media_type: evidence.parsed("media_type", Missing, MediaType::parse)?,
            size: evidence.number_up_to("size", MAX_EVIDENCE, Missing)?,
            sha256: evidence.parsed("sha256", Missing, sha256_text)?,
        };
        evidence.finish()?;
        Ok(parsed)
    }

    fn to_json(&self) -> Value {
        json!({
            "form_number": self.form_number,
            "form_version": self.form_version,
            "signed_on": self.signed_on.to_string(),
            "custodian": self.custodian.as_str(),
            "media_type": self.media_type.as_str(),
            "size": self.size,
            "sha256": hex::encode(self.sha256),
        })
    }
}

impl Explanation {
    fn parse(form: &mut Reader) -> Result<Self, Refusal> {
        use RefusalCode::FormExplanationMissing as Missing;
        let mut explanation = form.object("explanation", Missing)?;
        let parsed = Self {
            text_version: explanation.number("text_version", Missing)?,
            language: explanation.parsed("language", Missing, Language::parse)?,
            reading_level: explanation.parsed("reading_level", Missing, ReadingLevel::parse)?,
            explained_by: explanation.parsed("explained_by", Missing, str::parse::<Role>)?,
            explained_on: explanation.parsed("explained_on", Missing, parse_day)?,
        };
        explanation.finish()?;
        Ok(parsed)
    }

    fn to_json(&self) -> Value {
        json!({
            "text_version": self.text_version,
            "language": self.language.as_str(),
            "reading_level": self.reading_level.as_str(),
            "explained_by": self.explained_by.as_str(),
            "explained_on": self.explained_on.to_string(),
        })
    }
}

impl Collection {
    fn parse(form: &mut Reader) -> Result<Self, Refusal> {
        use RefusalCode::{
            FormEvidenceMissing, FormNotFree, FormPressure, FormUnreadable, FormWithdrawalHarder,
        };
        let mut collection = form.object("collection", FormNotFree)?;
        let context = collection.parsed("context", FormNotFree, Context::parse)?;
        let method = collection.parsed("method", FormUnreadable, Method::parse)?;
        collection.must_be_true("refusal_without_consequence", FormPressure)?;
        let alternative = collection.parsed("alternative", FormPressure, Alternative::parse)?;
        let path = collection.path("withdrawal");
        let ways = collection.texts("withdrawal", FormWithdrawalHarder, false)?;
        let withdrawal =
            withdrawal_ways(&ways).map_err(|fault| Refusal::at(FormWithdrawalHarder, path, fault))?;
        let verified_by = collection.parsed("verified_by", FormEvidenceMissing, str::parse::<Role>)?;
        let verified_on = collection.parsed("verified_on", FormEvidenceMissing, parse_day)?;
        collection.finish()?;
        Ok(Self { context, method, alternative, withdrawal, verified_by, verified_on })
    }

    fn to_json(&self) -> Value {
        let ways: Vec<_> = self.withdrawal.iter().map(|way| way.as_str()).collect();
        json!({
            "context": self.context.as_str(),
            "method": self.method.as_str(),
            "refusal_without_consequence": true,
            "alternative": self.alternative.as_str(),
            "withdrawal": ways,
            "verified_by": self.verified_by.as_str(),
            "verified_on": self.verified_on.to_string(),
        })
    }
}

impl Refused {
    fn parse(mut refused: Reader) -> Result<Self, Refusal> {
        use RefusalCode::{FormTooWide, FormUnreadable};
        let path = refused.path("purpose");
        let parsed = Self {
            recipient: refused.parsed("recipient", FormUnreadable, str::parse::<Oin>)?,
            purpose: refused
                .text("purpose", FormTooWide)?
                .parse()
                .map_err(|fault| Refusal::at(purpose_code(&fault), path, fault))?,
            source: refused.parsed("source", FormUnreadable, str::parse::<Oin>)?,
        };
        refused.finish()?;
        Ok(parsed)
    }

    fn to_json(&self) -> Value {
        json!({
            "recipient": self.recipient.as_str(),
            "purpose": self.purpose.as_str(),
            "source": self.source.as_str(),
        })
    }
}

impl Form {
    /// Reads the payload of a form.
    ///
    /// # Errors
    /// Names the field that is missing or malformed.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        use RefusalCode::{FormTooWide, FormUnreadable};
        let mut form = Reader::new(payload, "form")?;
        form.format(FORM_TYPE)?;
        // The one kind of consent there is here (R11).
        form.must_be("consent_type", "EXPLICIT_WRITTEN_SIGNED", RefusalCode::FormNotExplicit)?;
        let id = form.parsed("form_id", FormUnreadable, str::parse::<FormId>)?;
        let recorder = form.parsed("recorder", FormUnreadable, str::parse::<Oin>)?;
        let evidence = Evidence::parse(&mut form)?;
        let explanation = Explanation::parse(&mut form)?;
        let collection = Collection::parse(&mut form)?;
        let grantor = Grantor::parse(&mut form)?;
        let mut grants = Vec::new();
        for mut grant in form.objects("grants", FormTooWide)? {
            let id = grant.parsed("grant_id", FormUnreadable, str::parse::<GrantId>)?;
            grants.push((id, grant.parsed("sha256", FormUnreadable, sha256_text)?));
            grant.finish()?;
        }
        let mut refusals = Vec::new();
        if form.has("refusals") {
            let path = form.path("refusals");
            for refused in form.objects("refusals", FormUnreadable)? {
                refusals.push(Refused::parse(refused)?);
            }
            if refusals.is_empty() {
                return Err(Refusal::at(FormUnreadable, path, "is empty: leave it out"));
            }
        }
        form.finish()?;
        Ok(Self { id, recorder, evidence, explanation, collection, grantor, grants, refusals })
    }

    /// The payload as its recorder signs it: canonical JSON.
    ///
    /// # Errors
    /// If it cannot be written, which no value of a form brings about.
    pub fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        let grants: Vec<_> = self
            .grants
            .iter()
            .map(|(id, sha256)| json!({ "grant_id": id.to_string(), "sha256": hex::encode(sha256) }))
            .collect();
        let mut payload = json!({
            "v": 2,
            "typ": FORM_TYPE,
            "consent_type": "EXPLICIT_WRITTEN_SIGNED",
            "form_id": self.id.to_string(),
            "recorder": self.recorder.as_str(),
            "evidence": self.evidence.to_json(),
            "explanation": self.explanation.to_json(),
            "collection": self.collection.to_json(),
            "grantor": self.grantor.to_json(),
            "grants": grants,
        });
        if let (false, Some(payload)) = (self.refusals.is_empty(), payload.as_object_mut()) {
            payload.insert("refusals".into(), self.refusals.iter().map(Refused::to_json).collect());
        }
        serde_json_canonicalizer::to_vec(&payload)
    }
}
