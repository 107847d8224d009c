//! What the source checks by itself before it answers. The gateway did all of it before; the source need not believe so.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::RecorderKeys;
use crate::{
    catalogue::{self, Mask},
    consent::{
        Binding, BindingSalt, Grant,
        grant::GRANT_TYPE,
        jws::{self, Unverified},
        reconfirmation::{RECONFIRMATION_TYPE, Reconfirmation},
    },
    domain::{Bsn, Day, Oin, Purpose, Role, Timestamp},
    proto,
};

/// Why the source declined, for its own log. The gateway is not told (R21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objection {
    /// The question cannot be read.
    QuestionMalformed,
    /// The time to answer is over.
    DeadlinePassed,
    /// No grant was shown.
    NoGrant,
    /// A grant cannot be read.
    GrantUnreadable,
    /// A grant is signed with a key that is not registered for its recorder.
    RecorderKeyUnknown,
    /// A grant's signature does not verify.
    SignatureInvalid,
    /// A grant is about somebody else.
    BindingWrong,
    /// A grant names another source.
    SourceDiffers,
    /// A grant names another recipient.
    RecipientDiffers,
    /// A grant names another role.
    RoleDiffers,
    /// A grant names another purpose.
    PurposeDiffers,
    /// A grant was signed where the client was not free, and no reconfirmation of it is shown.
    NotReconfirmed,
    /// A grant is not in force now.
    NotInForce,
    /// More is asked than the grants give.
    FieldsBeyondGrants,
    /// The client is not known here.
    ClientUnknown,
    /// The source does not answer about this client.
    ClientDeclined,
}

impl Objection {
    /// The code in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QuestionMalformed => "QUESTION_MALFORMED",
            Self::DeadlinePassed => "DEADLINE_PASSED",
            Self::NoGrant => "NO_GRANT",
            Self::GrantUnreadable => "GRANT_UNREADABLE",
            Self::RecorderKeyUnknown => "RECORDER_KEY_UNKNOWN",
            Self::SignatureInvalid => "SIGNATURE_INVALID",
            Self::BindingWrong => "BINDING_WRONG",
            Self::SourceDiffers => "SOURCE_DIFFERS",
            Self::RecipientDiffers => "RECIPIENT_DIFFERS",
            Self::RoleDiffers => "ROLE_DIFFERS",
            Self::PurposeDiffers => "PURPOSE_DIFFERS",
            Self::NotReconfirmed => "NOT_RECONFIRMED",
            Self::NotInForce => "NOT_IN_FORCE",
            Self::FieldsBeyondGrants => "FIELDS_BEYOND_GRANTS",
            Self::ClientUnknown => "CLIENT_UNKNOWN",
            Self::ClientDeclined => "CLIENT_DECLINED",
        }
    }
}

/// A grant as the gateway shows it.
#[derive(Debug)]
struct Shown<'a> {
    jws: &'a str,
    salt: BindingSalt,
    reconfirmation: &'a str,
}

/// A question, read.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) bsn: Bsn,
    pub(super) fields: Mask,
    recipient: Oin,
    role: Role,
    purpose: Purpose,
    grants: Vec<Shown<'a>>,
    deadline: Timestamp,
}

impl<'a> Question<'a> {
    pub(super) fn read(message: &'a proto::GetStatementRequest) -> Result<Self, Objection> {
        let malformed = Objection::QuestionMalformed;
        let mut grants = Vec::with_capacity(message.grants.len());
        for grant in &message.grants {
            let salt = BindingSalt::from_bytes(&grant.binding_salt).ok_or(Objection::BindingWrong)?;
            grants.push(Shown { jws: &grant.jws, salt, reconfirmation: &grant.reconfirmation });
        }
        Ok(Self {
            bsn: Bsn::parse(&message.bsn).map_err(|_| malformed)?,
            fields: catalogue::from_codes(&message.fields).map_err(|_| malformed)?,
            recipient: message.recipient.parse().map_err(|_| malformed)?,
            role: message.role.parse().map_err(|_| malformed)?,
            purpose: message.purpose.parse().map_err(|_| malformed)?,
            grants,
            deadline: message.deadline.as_ref().map(Timestamp::from_proto).ok_or(malformed)?,
        })
    }
}

/// What the checks go by.
#[derive(Debug)]
pub(super) struct Checks<'a> {
    pub(super) own: Oin,
    pub(super) keys: &'a dyn RecorderKeys,
    pub(super) now: Timestamp,
}

impl Checks<'_> {
    /// Whether the question may be answered.
    pub(super) fn question(&self, question: &Question<'_>) -> Result<(), Objection> {
        if self.now >= question.deadline {
            return Err(Objection::DeadlinePassed);
        }
        if question.grants.is_empty() {
            return Err(Objection::NoGrant);
        }
        let mut granted = Mask::EMPTY;
        for Shown { jws, salt, reconfirmation } in &question.grants {
            let grant = self.grant(jws, salt, &question.bsn)?;
            if !grant.context.is_free() {
                self.reconfirmed(&grant, reconfirmation)?;
            }
            let objection = if grant.recipient != question.recipient {
                Some(Objection::RecipientDiffers)
            } else if grant.role != question.role {
                Some(Objection::RoleDiffers)
            } else if grant.purpose != question.purpose {
                Some(Objection::PurposeDiffers)
            } else if self.now < grant.starts() || self.now >= grant.ends() {
                Some(Objection::NotInForce)
            } else {
                None
            };
            if let Some(objection) = objection {
                return Err(objection);
            }
            granted = granted.or(grant.fields);
        }
        if !question.fields.is_subset_of(granted) {
            return Err(Objection::FieldsBeyondGrants);
        }
        Ok(())
    }

    /// The grant, once its recorder's signature, its binding and its source hold.
    pub(super) fn grant(&self, jws: &str, salt: &BindingSalt, bsn: &Bsn) -> Result<Grant, Objection> {
        let unverified = Unverified::parse(jws, GRANT_TYPE).map_err(|_| Objection::GrantUnreadable)?;
        let claimed = Claimed::of(jws).ok_or(Objection::GrantUnreadable)?;
        let key = self.key(&claimed, unverified.kid()).ok_or(Objection::RecorderKeyUnknown)?;
        let payload = unverified.verify(&key).map_err(|_| Objection::SignatureInvalid)?;
        let grant = Grant::parse(&payload, "grant").map_err(|_| Objection::GrantUnreadable)?;
        if Binding::of(salt, bsn) != grant.person {
            return Err(Objection::BindingWrong);
        }
        if grant.source != self.own {
            return Err(Objection::SourceDiffers);
        }
        Ok(grant)
    }

    /// Whether the client has confirmed it where he was free, by the recorder's own signature (R13).
    fn reconfirmed(&self, grant: &Grant, jws: &str) -> Result<(), Objection> {
        let missing = |_| Objection::NotReconfirmed;
        let unverified = Unverified::parse(jws, RECONFIRMATION_TYPE).map_err(missing)?;
        let claimed = Claimed { recorder: grant.recorder, signed_on: grant.signed_on.to_string() };
        let key = self.key(&claimed, unverified.kid()).ok_or(Objection::RecorderKeyUnknown)?;
        let payload = unverified.verify(&key).map_err(|_| Objection::SignatureInvalid)?;
        let said = Reconfirmation::parse(&payload).map_err(|_| Objection::NotReconfirmed)?;
        let about = said.form == grant.form && said.recorder == grant.recorder;
        let holds = about && said.check(grant.signed_on, self.now.day()).is_ok();
        if holds { Ok(()) } else { Err(Objection::NotReconfirmed) }
    }

    /// The recorder signs some day between the client's signature and now, and may change its key later: a grant holds
    /// if the key was valid on one of those days. A consent lasts a year at most, so two years of days are enough.
    fn key(&self, claimed: &Claimed, kid: &str) -> Option<[u8; 32]> {
        let today = self.now.day();
        let on = |day: Day| self.keys.public_key(claimed.recorder, kid, day);
        let signed = crate::domain::time::parse_day(&claimed.signed_on).ok()?;
        let days = std::iter::successors(Some(signed), |day| day.next_day()).take_while(|day| *day < today);
        on(today).or_else(|| days.take(732).find_map(on))
    }
}

/// What an unverified grant says of its recorder: needed to find the key, and believed only once that key verifies it.
#[derive(Deserialize)]
struct Claimed {
    recorder: Oin,
    signed_on: String,
}

impl Claimed {
    fn of(jws: &str) -> Option<Self> {
        if jws.len() > jws::MAX_LENGTH {
            return None;
        }
        let payload = jws.split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}
