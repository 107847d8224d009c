//! The agreements (convenanten, R17): between which source and requester, for which purposes, how far and until when,
//! signed by both, and carried on by renewals (R19).

mod read;
mod renewal;
mod signature;

use std::collections::BTreeSet;

use time::Duration;

pub(super) use read::{Draft, drafts};
pub use signature::{AgreementSignature, Party, Signatures};
pub(super) use signature::{SIGNED_PARTIES, public_of};

use super::{
    Organisation,
    faults::{Item, RegisterFaults},
};
use crate::{
    catalogue::Mask,
    domain::{Day, Oin, Purpose},
};

/// How many days before the review the parties are warned (R19).
pub const REVIEW_WARNING_DAYS: i64 = 60;

/// What a source and a requester agreed: everything that both sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Its name, unique in the register.
    pub id: String,
    /// The one gateway that it holds for: the name of its log, without the year (regio).
    pub region: String,
    /// Who answers.
    pub source: Oin,
    /// Who asks.
    pub requester: Oin,
    /// For which purposes; at least one.
    pub purposes: BTreeSet<Purpose>,
    /// The most that may be asked and given; at least one field.
    pub fields: Mask,
    /// First day.
    pub starts: Day,
    /// Last day.
    pub ends: Day,
    /// The day by which it must have been reviewed; it lapses after this (R19).
    pub review: Day,
    /// Hash of the signed document.
    pub document_sha256: [u8; 32],
    /// The agreement of the same parties that it takes over from on its first day.
    pub renews: Option<String>,
}

/// An agreement of a sound register: signed by both parties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// What was agreed.
    pub terms: Terms,
    /// That both agreed it.
    pub signatures: Signatures,
    /// First day of the agreement that takes over from this one, if there is one.
    pub renewed_from: Option<Day>,
}

/// Whether an agreement carries an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreementState {
    /// It has not begun.
    NotYet,
    /// It is in force.
    Active,
    /// It is in force, and its review is near: the parties must be warned.
    ReviewDue,
    /// Its review date has passed without a review.
    Lapsed,
    /// Its last day has passed.
    Ended,
    /// Another one has taken over from it.
    Renewed,
}

impl AgreementState {
    /// Whether it carries an exchange (R17).
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::Active | Self::ReviewDue)
    }

    /// The name in the log and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotYet => "not_yet",
            Self::Active => "active",
            Self::ReviewDue => "review_due",
            Self::Lapsed => "lapsed",
            Self::Ended => "ended",
            Self::Renewed => "renewed",
        }
    }
}

impl Agreement {
    /// Its state on a day. First day, last day and review date are days on which it is in force, unless another one has
    /// taken over. Nobody is warned of a review that a renewal comes in time for.
    #[must_use]
    pub fn state(&self, today: Day) -> AgreementState {
        let Terms { starts, ends, review, .. } = self.terms;
        if today < starts {
            AgreementState::NotYet
        } else if self.renewed_from.is_some_and(|from| from <= today) {
            AgreementState::Renewed
        } else if today > ends {
            AgreementState::Ended
        } else if today > review {
            AgreementState::Lapsed
        } else if review - today <= Duration::days(REVIEW_WARNING_DAYS) && !self.is_carried_on() {
            AgreementState::ReviewDue
        } else {
            AgreementState::Active
        }
    }

    /// Whether a renewal starts on the day after the last one at the latest, so that no day lies between.
    #[must_use]
    pub fn is_carried_on(&self) -> bool {
        self.renewed_from.is_some_and(|from| from - self.terms.review <= Duration::days(1))
    }
}

/// The agreements that hold together, of these that were read; what is wrong with the rest is among the faults. Signatures
/// are checked where the participants are known: without them nobody's key is.
pub(super) fn judge(
    drafts: Vec<Draft>,
    known: Option<&[Organisation]>,
    faults: &mut RegisterFaults,
) -> Vec<Agreement> {
    let renewed = renewal::resolve(&drafts, faults);
    let mut sound = Vec::new();
    for (draft, renewed_from) in drafts.into_iter().zip(renewed) {
        let mut item = Item::new(read::FILE, &draft.name, faults);
        let signatures = signature::both(&draft, known, &mut item);
        if let Some(signatures) = signatures.filter(|_| draft.once) {
            sound.push(Agreement { terms: draft.terms, signatures, renewed_from });
        }
    }
    sound
}
