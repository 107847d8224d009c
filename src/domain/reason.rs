//! Why something was not given, where that depends on the client. Stands in the log for those who may know; the
//! requester sees `not_provided` for all of them.

use serde::{Deserialize, Serialize};

/// The real reason behind a part of an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// Released.
    Released,
    /// No grant covers the question; an unknown client reads the same here too.
    NoGrant,
    /// A grant exists for a purpose that follows another, and none for that one is in force.
    NothingToFollow,
    /// A grant exists and its source has not confirmed it.
    NotConfirmed,
    /// The grant was withdrawn.
    Withdrawn,
    /// The grant was signed where the client was not free, and not reconfirmed since (R13).
    NotReconfirmed,
    /// The grant is paused by its recorder or its source.
    Paused,
    /// A later form of the client refuses it, or strikes out what was asked.
    Refused,
    /// The grant was replaced by its renewal.
    Renewed,
    /// The grant should never have been recorded.
    Invalidated,
    /// The grant was used as often as the client allowed.
    UsedUp,
    /// What is stored of the grant is not what was signed and countersigned.
    GrantNotVerified,
    /// The grant's period has not begun.
    NotYetInForce,
    /// The grant's period has ended.
    Expired,
    /// The grant was withdrawn, or otherwise no longer in force, when the commit came.
    WithdrawnBeforeCommit,
    /// The policy does not permit it, or its engine gave an error.
    PolicyDenied,
    /// The source declined (R21).
    SourceDeclined,
    /// The source holds none of the fields.
    SourceHoldsNothing,
    /// The source could not be reached.
    SourceUnavailable,
    /// The source did not answer in time.
    SourceTooLate,
    /// The source's certificate is not the one expected.
    SourceNotTrusted,
    /// The source's statement breaks the catalogue: undeclared code, range, date.
    SourceInvalid,
}

impl Reason {
    /// In Dutch, for those who may know.
    #[must_use]
    pub const fn nl(self) -> &'static str {
        match self {
            Self::Released => "gegeven",
            Self::NoGrant => "geen toestemming dekt dit",
            Self::NothingToFollow => "voor het traject waar dit bij hoort geldt geen toestemming",
            Self::NotConfirmed => "de bron heeft de toestemming nog niet bevestigd",
            Self::Withdrawn => "de toestemming is ingetrokken",
            Self::NotReconfirmed => {
                "de toestemming is gegeven waar de cliënt niet vrij was, en nog niet opnieuw bevestigd"
            }
            Self::Paused => "de toestemming staat op pauze",
            Self::Refused => "de cliënt heeft dit later geweigerd",
            Self::Renewed => "de toestemming is vervangen door een nieuwe",
            Self::Invalidated => "de toestemming had niet mogen worden vastgelegd",
            Self::UsedUp => "de toestemming is zo vaak gebruikt als mocht",
            Self::GrantNotVerified => "de bewaarde toestemming is niet wat is ondertekend",
            Self::NotYetInForce => "de toestemming is nog niet ingegaan",
            Self::Expired => "de toestemming is verlopen",
            Self::WithdrawnBeforeCommit => "de toestemming gold niet meer toen het antwoord klaar was",
            Self::PolicyDenied => "het beleid staat dit niet toe",
            Self::SourceDeclined => "de bron heeft het niet gegeven; een reden hoeft zij niet te noemen",
            Self::SourceHoldsNothing => "de bron heeft dit niet",
            Self::SourceUnavailable => "de bron was niet te bereiken",
            Self::SourceTooLate => "de bron antwoordde niet op tijd",
            Self::SourceNotTrusted => "het certificaat van de bron klopte niet",
            Self::SourceInvalid => "de bron gaf iets wat niet in de catalogus past",
        }
    }

    /// The code in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Released => "RELEASED",
            Self::NoGrant => "NO_GRANT",
            Self::NothingToFollow => "NOTHING_TO_FOLLOW",
            Self::NotConfirmed => "NOT_CONFIRMED",
            Self::Withdrawn => "WITHDRAWN",
            Self::NotReconfirmed => "NOT_RECONFIRMED",
            Self::Paused => "PAUSED",
            Self::Refused => "REFUSED",
            Self::Renewed => "RENEWED",
            Self::Invalidated => "INVALIDATED",
            Self::UsedUp => "USED_UP",
            Self::GrantNotVerified => "GRANT_NOT_VERIFIED",
            Self::NotYetInForce => "NOT_YET_IN_FORCE",
            Self::Expired => "EXPIRED",
            Self::WithdrawnBeforeCommit => "WITHDRAWN_BEFORE_COMMIT",
            Self::PolicyDenied => "POLICY_DENIED",
            Self::SourceDeclined => "SOURCE_DECLINED",
            Self::SourceHoldsNothing => "SOURCE_HOLDS_NOTHING",
            Self::SourceUnavailable => "SOURCE_UNAVAILABLE",
            Self::SourceTooLate => "SOURCE_TOO_LATE",
            Self::SourceNotTrusted => "SOURCE_NOT_TRUSTED",
            Self::SourceInvalid => "SOURCE_INVALID",
        }
    }
}
