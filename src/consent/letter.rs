//! The letter that a client gets after signing a consent form: what was agreed, and how to stop it (R07, R12, R27).
//!
//! Written for somebody who reads little and is in a hurry: reading level B1, "u", one idea a sentence. `compose` puts
//! the parts in order, once, into a list of blocks; a wording gives the sentences of one language; the plain
//! text and the page are both printed from the blocks, so that they cannot differ.

mod block;
mod compose;
mod dutch;
mod english;
mod html;
mod parties;
mod text;
mod wording;

use super::form::WithdrawalWay;
use crate::{
    catalogue::Mask,
    domain::{Day, FormId},
};

/// The language of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Dutch.
    Nl,
    /// English.
    En,
}

impl Language {
    /// The language with this code.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Nl, Self::En].into_iter().find(|language| language.as_str() == text)
    }

    /// `nl` or `en`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nl => "nl",
            Self::En => "en",
        }
    }
}

/// An organisation as the client needs it: by name, with whom to call (R28) and where to complain (R27).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// Its name. Nothing is added to it: a kind of care could be read from what is.
    pub name: String,
    /// Whom to ask for: a function, never a person.
    pub contact_role: String,
    /// Telephone number of that function.
    pub contact_phone: String,
    /// Where to complain: an address of any kind.
    pub complaint: String,
}

/// One grant: what one recipient may ask of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Who may ask.
    pub recipient: Party,
    /// Which kind of employee there, in the language of the letter.
    pub role_label: String,
    /// For what, in the language of the letter.
    pub purpose_label: String,
    /// Who may tell.
    pub source: Party,
    /// What may be told. A field that is struck out may stand here as well; it counts as struck out.
    pub fields: Mask,
    /// What the client struck out.
    pub excluded: Mask,
    /// First day on which it is in force.
    pub from: Day,
    /// First day on which it is no longer in force.
    pub until: Day,
    /// How often it may be used, if that is limited.
    pub uses: Option<u32>,
    /// Whether it was signed where the client was not free (R13), so that it counts after a second talk only.
    pub needs_reconfirmation: bool,
}

/// What the client was asked and said no to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Who wanted to ask.
    pub recipient: Party,
    /// For what, in the language of the letter.
    pub purpose_label: String,
    /// Who would have told.
    pub source: Party,
}

/// All that a letter says. It names no client, and has no number of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its language.
    pub language: Language,
    /// The form that it is about.
    pub form: FormId,
    /// Day on which the form was signed.
    pub signed_on: Day,
    /// Day on which it was recorded.
    pub recorded_on: Day,
    /// Who recorded it, and sends the letter.
    pub recorder: Party,
    /// Whether somebody signed for the client; the letter is for that person too.
    pub by_representative: bool,
    /// The ways to stop.
    pub withdrawal: Vec<WithdrawalWay>,
    /// What the client agreed to.
    pub items: Vec<Item>,
    /// What the client refused.
    pub refused: Vec<Refused>,
    /// Place of the recording in the log, where a grant leads to it; a form of refusals alone has none to say.
    pub log_position: Option<u64>,
    /// SHA-256 of the kept form, in hexadecimal.
    pub evidence_sha256: String,
}

impl Letter {
    /// The letter as plain text, in lines of at most 72 characters.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(&compose::blocks(self))
    }

    /// The letter as one HTML page to print.
    #[must_use]
    pub fn html(&self) -> String {
        html::html(&compose::blocks(self), self.language)
    }
}

#[cfg(test)]
mod tests;
