//! The record of a signed form (toestemmingsformulier): evidence, explanation, circumstances. No text about a client.

use serde_json::json;

use super::reader::Reader;
use crate::domain::{
    Day, FormId, GrantId, Oin, Role,
    refusal::{Refusal, RefusalCode},
    time::parse_day,
};

/// `typ` of the JWS and of the payload.
pub const FORM_TYPE: &str = "sluis.form";

macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$value_doc])* $value,)* }

        impl $name {
            /// The code on the form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$value => $text,)* }
            }

            pub(super) fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($text => Ok(Self::$value),)*
                    _ => Err(concat!("must be one of:", $(" ", $text),*).to_owned()),
                }
            }
        }
    };
}

closed_list! {
    /// Where the client was when he consented. In the last four he depends on the organisation too much to be free.
    Context {
        /// A talk in the course of guidance (begeleidingsgesprek).
        GuidanceTalk = "GUIDANCE_TALK",
        /// A talk of client and both organisations (driegesprek).
        ThreeWayTalk = "THREE_WAY_TALK",
        /// The client asked for it himself.
        ClientInitiative = "CLIENT_INITIATIVE",
        /// Intake.
        Intake = "INTAKE",
        /// A decision on access to a provision (toegangsverlening).
        AccessDecision = "ACCESS_DECISION",
        /// An application for a benefit.
        BenefitApplication = "BENEFIT_APPLICATION",
        /// A hearing about a sanction.
        SanctionHearing = "SANCTION_HEARING",
    }
}

impl Context {
    /// Whether consent can be free there (R13).
    #[must_use]
    pub const fn is_free(self) -> bool {
        matches!(self, Self::GuidanceTalk | Self::ThreeWayTalk | Self::ClientInitiative)
    }
}

closed_list! {
    /// How the client signed. Each is an affirmative act (R11).
    Method {
        /// A signature on paper, scanned.
        WetInk = "WET_INK",
        /// An electronic form, signed in with DigiD.
        EFormDigid = "E_FORM_DIGID",
        /// An advanced or qualified electronic signature.
        Eidas = "EIDAS_SIGNATURE",
    }
}

closed_list! {
    /// What the client was offered instead of consent (R12, R34).
    Alternative {
        /// He tells it himself.
        ClientTells = "CLIENT_TELLS_HIMSELF",
        /// A three-way talk.
        ThreeWayTalk = "THREE_WAY_TALK",
        /// A talk about the case without his identity.
        AnonymousCase = "ANONYMOUS_CASE",
    }
}

closed_list! {
    /// Media type of the kept form.
    MediaType {
        /// PDF.
        Pdf = "application/pdf",
        /// PNG image.
        Png = "image/png",
        /// JPEG image.
        Jpeg = "image/jpeg",
        /// TIFF image.
        Tiff = "image/tiff",
    }
}

/// A record of a signed form, every part of it checked for form. [`record`](super::record) checks what it says.
#[derive(Clone, Debug)]
pub struct Form {
    /// Random id.
    pub id: FormId,
    /// Organisation that recorded it.
    pub recorder: Oin,
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
    /// SHA-256 of what is kept.
    pub sha256: [u8; 32],
    /// Version of the text that explained it (R07).
    pub explanation_version: u32,
    /// Role of the person who explained it.
    pub explained_by: Role,
    /// Day on which it was explained.
    pub explained_on: Day,
    /// Where the client consented.
    pub context: Context,
    /// How he signed.
    pub method: Method,
    /// What he was offered instead.
    pub alternative: Alternative,
    /// The grants of the form: id, and SHA-256 of the payload.
    pub grants: Vec<(GrantId, [u8; 32])>,
}

pub(super) fn sha256_text(text: &str) -> Result<[u8; 32], &'static str> {
    let mut bytes = [0; 32];
    let lower = text.bytes().all(|c| c.is_ascii_digit() || (b'a'..=b'f').contains(&c));
    if !lower || hex::decode_to_slice(text, &mut bytes).is_err() {
        return Err("must be a SHA-256 in lower-case hexadecimal");
    }
    Ok(bytes)
}

impl Form {
    /// Reads the payload of a form.
    ///
    /// # Errors
    /// Names the field that is missing or malformed.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        use RefusalCode::{
            FormEvidenceMissing, FormExplanationMissing, FormNotFree, FormPressure, FormUnreadable,
        };
        let mut form = Reader::new(payload, "form")?;
        form.format(FORM_TYPE)?;
        let id = form.parsed("form_id", FormUnreadable, str::parse::<FormId>)?;
        let recorder = form.parsed("recorder", FormUnreadable, str::parse::<Oin>)?;

        let mut evidence = form.object("evidence", FormEvidenceMissing)?;
        let form_number = evidence.number("form_number", FormEvidenceMissing)?;
        let form_version = evidence.number("form_version", FormEvidenceMissing)?;
        let signed_on = evidence.parsed("signed_on", FormEvidenceMissing, parse_day)?;
        let custodian = evidence.parsed("custodian", FormEvidenceMissing, str::parse::<Oin>)?;
        let media_type = evidence.parsed("media_type", FormEvidenceMissing, MediaType::parse)?;
        let sha256 = evidence.parsed("sha256", FormEvidenceMissing, sha256_text)?;
        evidence.finish()?;

        let mut explanation = form.object("explanation", FormExplanationMissing)?;
        let explanation_version = explanation.number("text_version", FormExplanationMissing)?;
        let explained_by = explanation.parsed("explained_by", FormExplanationMissing, str::parse::<Role>)?;
        let explained_on = explanation.parsed("explained_on", FormExplanationMissing, parse_day)?;
        explanation.finish()?;

        let mut collection = form.object("collection", FormNotFree)?;
        let context = collection.parsed("context", FormNotFree, Context::parse)?;
        let method = collection.parsed("method", FormUnreadable, Method::parse)?;
        collection.must_be_true("refusal_without_consequence", FormPressure)?;
        let alternative = collection.parsed("alternative", FormPressure, Alternative::parse)?;
        collection.finish()?;

        let mut grants = Vec::new();
        for mut grant in form.objects("grants", RefusalCode::FormTooWide)? {
            let id = grant.parsed("grant_id", FormUnreadable, str::parse::<GrantId>)?;
            grants.push((id, grant.parsed("sha256", FormUnreadable, sha256_text)?));
            grant.finish()?;
        }
        form.finish()?;
        Ok(Self {
            id,
            recorder,
            form_number,
            form_version,
            signed_on,
            custodian,
            media_type,
            sha256,
            explanation_version,
            explained_by,
            explained_on,
            context,
            method,
            alternative,
            grants,
        })
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
        serde_json_canonicalizer::to_vec(&json!({
            "v": 1,
            "typ": FORM_TYPE,
            "form_id": self.id.to_string(),
            "recorder": self.recorder.as_str(),
            "evidence": {
                "form_number": self.form_number,
                "form_version": self.form_version,
                "signed_on": self.signed_on.to_string(),
                "custodian": self.custodian.as_str(),
                "media_type": self.media_type.as_str(),
                "sha256": hex::encode(self.sha256),
            },
            "explanation": {
                "text_version": self.explanation_version,
                "explained_by": self.explained_by.as_str(),
                "explained_on": self.explained_on.to_string(),
            },
            "collection": {
                "context": self.context.as_str(),
                "method": self.method.as_str(),
                "refusal_without_consequence": true,
                "alternative": self.alternative.as_str(),
            },
            "grants": grants,
        }))
    }
}
