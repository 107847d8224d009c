//! What both formats say: a form, its grants and its refusals. The draft, the record and the FHIR resources are each read
//! into this and written from it, so that there is one mapping and not four.

use crate::{
    catalogue::Mask,
    domain::{Bsn, Day, FormId, GrantId, Oin, Purpose, Role, Timestamp},
};

/// A form.
#[derive(Debug)]
pub(super) struct Form {
    /// The client. A record does not have it.
    pub(super) bsn: Option<Bsn>,
    /// Id and time of recording. A draft has neither.
    pub(super) recorded: Option<(FormId, Option<Timestamp>)>,
    pub(super) recorder: Oin,
    pub(super) custodian: Oin,
    pub(super) form_number: u32,
    pub(super) form_version: u32,
    pub(super) signed_on: Day,
    pub(super) media_type: &'static str,
    /// Lower-case hexadecimal.
    pub(super) sha256: String,
    pub(super) size: u32,
    pub(super) explanation: Explanation,
    pub(super) collection: Collection,
    pub(super) grantor: Grantor,
    pub(super) grants: Vec<Grant>,
    pub(super) refusals: Vec<Refused>,
}

/// How it was explained (R07).
#[derive(Debug)]
pub(super) struct Explanation {
    pub(super) text_version: u32,
    /// Two or three lower-case letters.
    pub(super) language: String,
    pub(super) reading_level: &'static str,
    pub(super) explained_by: Role,
    pub(super) explained_on: Day,
}

/// How it was signed (R11, R12, R13).
#[derive(Debug)]
pub(super) struct Collection {
    pub(super) context: &'static str,
    pub(super) method: &'static str,
    pub(super) alternative: &'static str,
    pub(super) withdrawal: Vec<&'static str>,
    pub(super) verified_by: Role,
    pub(super) verified_on: Day,
}

/// Who gave it.
#[derive(Debug)]
pub(super) struct Grantor {
    pub(super) kind: &'static str,
    pub(super) client_age: &'static str,
    /// Of who signs for the client. A draft has it, a record does not tell it.
    pub(super) authority: Option<Authority>,
}

/// The proof that somebody may decide for the client.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) sha256: String,
    pub(super) from: Day,
    /// First day on which it no longer holds.
    pub(super) until: Option<Day>,
}

/// One recipient and role, one purpose, one source, explicit fields, a period (R06).
#[derive(Debug)]
pub(super) struct Grant {
    /// Id and status, if it is recorded.
    pub(super) recorded: Option<(GrantId, &'static str)>,
    pub(super) recipient: Oin,
    pub(super) role: Role,
    pub(super) purpose: Purpose,
    pub(super) source: Oin,
    pub(super) fields: Mask,
    pub(super) sensitive: Mask,
    /// Struck out by the client, on this form or by a later one.
    pub(super) excluded: Mask,
    pub(super) uses: Option<u32>,
    pub(super) renews: Option<GrantId>,
    pub(super) valid_from: Day,
    /// First day on which it is no longer in force.
    pub(super) valid_until: Day,
}

impl Grant {
    /// Whether it permits anything. A status that is not known to permit does not.
    pub(super) fn permits(&self) -> bool {
        self.recorded.is_none_or(|(_, status)| ["IN_FORCE", "NOT_YET_IN_FORCE"].contains(&status))
    }
}

/// What the client refused.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) recipient: Oin,
    pub(super) purpose: Purpose,
    pub(super) source: Oin,
}

/// Where a refusal stands that refuses what the same form grants. Which of both the client meant is not for us to say.
pub(super) fn contradiction(grants: &[Grant], refusals: &[Refused]) -> Option<usize> {
    let granted = |refused: &Refused| {
        grants.iter().any(|grant| {
            (grant.recipient, &grant.purpose, grant.source)
                == (refused.recipient, &refused.purpose, refused.source)
        })
    };
    refusals.iter().position(granted)
}

/// The language of an explanation, if it is a code of two or three letters.
pub(super) fn language(text: &str) -> Option<String> {
    ((2..=3).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_lowercase())).then(|| text.to_owned())
}

/// A SHA-256 in lower-case hexadecimal.
pub(super) fn sha256(text: &str) -> Option<String> {
    let lower = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    (text.len() == 64 && text.bytes().all(lower)).then(|| text.to_owned())
}

/// What is accepted as a SHA-256.
pub(super) const SHA256: &str = "a SHA-256 in lower-case hexadecimal";
/// What is accepted as a language.
pub(super) const LANGUAGE: &str = "a language code of two or three lower-case letters";
