//! A form signed where the client was not free, confirmed by him where he was (R13).

use serde_json::json;

use super::{form::Context, reader::Reader};
use crate::domain::{
    Day, FormId, Oin, Role,
    refusal::{Refusal, RefusalCode},
    time::parse_day,
};

/// `typ` of the JWS and of the payload.
pub const RECONFIRMATION_TYPE: &str = "sluis.reconfirmation";

/// A reconfirmation, every part of it checked for form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconfirmation {
    /// The form that is confirmed.
    pub form: FormId,
    /// Organisation that recorded it.
    pub recorder: Oin,
    /// Where the client confirmed it.
    pub context: Context,
    /// Day on which he did.
    pub confirmed_on: Day,
    /// Role of who spoke with him.
    pub confirmed_with: Role,
}

impl Reconfirmation {
    /// Reads the payload, and checks that the client was free.
    ///
    /// # Errors
    /// Names the field, and what would be accepted.
    pub fn parse(payload: &[u8]) -> Result<Self, Refusal> {
        use RefusalCode::{FormNotFree, FormUnreadable};
        let mut read = Reader::new(payload, "reconfirmation")?;
        read.format(RECONFIRMATION_TYPE)?;
        let form = read.parsed("form_id", FormUnreadable, str::parse::<FormId>)?;
        let recorder = read.parsed("recorder", FormUnreadable, str::parse::<Oin>)?;
        let context = read.parsed("context", FormNotFree, Context::parse)?;
        let confirmed_on = read.parsed("confirmed_on", FormUnreadable, parse_day)?;
        let confirmed_with = read.parsed("confirmed_with", FormUnreadable, str::parse::<Role>)?;
        read.finish()?;
        if !context.is_free() {
            return Err(Refusal::at(FormNotFree, "reconfirmation.context", Context::FREE));
        }
        Ok(Self { form, recorder, context, confirmed_on, confirmed_with })
    }

    /// The payload as its recorder signs it: canonical JSON.
    ///
    /// # Errors
    /// If it cannot be written, which no value of it brings about.
    pub fn payload(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json_canonicalizer::to_vec(&json!({
            "v": 2,
            "typ": RECONFIRMATION_TYPE,
            "form_id": self.form.to_string(),
            "recorder": self.recorder.as_str(),
            "context": self.context.as_str(),
            "confirmed_on": self.confirmed_on.to_string(),
            "confirmed_with": self.confirmed_with.as_str(),
        }))
    }

    /// Whether it can be about a form signed on this day: not before it, and not in the same talk.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self, signed_on: Day, today: Day) -> Result<(), Refusal> {
        let at = |text: &str| {
            Err(Refusal::at(RefusalCode::ReconfirmationInvalid, "reconfirmation.confirmed_on", text))
        };
        if self.confirmed_on <= signed_on {
            return at("must be a later day than that of the signature: another talk, in another context");
        }
        if self.confirmed_on > today {
            return at("must not lie in the future");
        }
        Ok(())
    }
}
