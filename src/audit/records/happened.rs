//! What an entry says, read from its facts and, where it is opened, its detail.

use serde::Deserialize;
use serde_json::Value;

use super::{Verdict, redacted};
use crate::{
    audit::leaf::Kind,
    domain::{Oin, RefusalCode, refusal::RefusalClass},
};

/// What was asked.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Asked {
    /// Who asked.
    pub requester: Option<Oin>,
    /// In which role.
    pub role: Option<String>,
    /// For which purpose.
    pub purpose: Option<String>,
    /// Codes of the fields.
    pub fields: Option<Vec<String>>,
    /// Why the client could not be asked himself.
    pub necessity: Option<String>,
}

/// What one source released.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Released {
    /// The source.
    pub source: Oin,
    /// Codes of the fields.
    pub fields: Vec<String>,
}

/// What was decided.
#[derive(Clone, PartialEq, Eq)]
pub struct Decided {
    /// `released`, `not_provided`, `refused`, `validated` or `interrupted`.
    pub effect: String,
    /// Code of the refusal.
    pub refusal: Option<String>,
    /// Fields that the purpose does not have.
    pub above_ceiling: Vec<String>,
    /// Fields that were asked and not given.
    pub not_provided: Vec<String>,
    /// What was released.
    pub released: Vec<Released>,
    /// Hash of the policies.
    pub policy: Option<String>,
    /// Version of the catalogue.
    pub catalogue: Option<String>,
    /// Hash of participants and agreements.
    pub participants: Option<String>,
    /// Source by source why, where the export opens it.
    pub sources: Option<Value>,
    verdict: Verdict,
}

/// An act of somebody that decides nothing about a release.
#[derive(Clone, PartialEq, Eq)]
pub struct Act {
    /// Its name, such as `recorded`.
    pub name: String,
    /// Who: an OIN, or `operator`.
    pub by: Option<String>,
    /// Purpose, where it has one.
    pub purpose: Option<String>,
    /// Code of a refusal, if it was refused.
    pub refusal: Option<String>,
    personal: bool,
    verdict: Verdict,
}

/// What an entry says.
#[derive(Clone, PartialEq, Eq)]
pub enum Happened {
    /// A request came to its outcome.
    Request(Box<Asked>, Box<Decided>),
    /// An act on a consent.
    Consent(Act),
    /// Somebody looked at the log or at consents.
    Look(Act),
    /// A receiver has taken a client over.
    TakenOver(Act),
    /// Keys were destroyed.
    Erasure(Act),
    /// The entry cannot be read.
    Unreadable,
}

redacted!(Asked, Released, Decided, Act, Happened);

#[derive(Deserialize)]
struct OutcomeFacts {
    #[serde(flatten)]
    asked: Asked,
    effect: String,
    refusal: Option<String>,
    #[serde(default)]
    above_ceiling: Vec<String>,
    #[serde(default)]
    not_provided: Vec<String>,
    #[serde(default)]
    released: Vec<Released>,
    policy: Option<String>,
    catalogue: Option<String>,
    participants: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    sources: Value,
}

#[derive(Deserialize)]
struct ActFacts {
    event: Option<String>,
    by: Option<String>,
    act: Option<String>,
    refusal: Option<String>,
    purpose: Option<String>,
    looked_at: Option<serde_json::Map<String, Value>>,
}

/// A refusal is a denial, unless it says that the gateway itself could not.
fn refused(code: Option<&str>) -> Verdict {
    let known = RefusalCode::ALL.iter().find(|known| code == Some(known.as_str()));
    match known.map(|code| (code.class(), code.as_str())) {
        Some((RefusalClass::Busy | RefusalClass::Unavailable, code)) => Verdict::Failed(code),
        _ => Verdict::Denied,
    }
}

impl Decided {
    fn verdict_of(effect: &str, refusal: Option<&str>) -> Option<Verdict> {
        Some(match effect {
            "released" => Verdict::Permitted,
            "not_provided" => Verdict::Denied,
            "refused" => refused(refusal),
            "validated" => Verdict::Checked,
            "interrupted" => Verdict::Interrupted,
            _ => return None,
        })
    }
}

impl Asked {
    /// With whatever is not said here taken from there: an outcome that was interrupted says little.
    fn or(self, other: Option<Self>) -> Self {
        let other = other.unwrap_or_default();
        Self {
            requester: self.requester.or(other.requester),
            role: self.role.or(other.role),
            purpose: self.purpose.or(other.purpose),
            fields: self.fields.or(other.fields),
            necessity: self.necessity.or(other.necessity),
        }
    }

    pub(super) fn read(facts: &str) -> Option<Self> {
        serde_json::from_str(facts).ok()
    }
}

impl Happened {
    /// Reads facts and detail of an entry of this kind. `None` for kinds that are no processing of anybody's data: those
    /// stay in the log alone.
    pub(super) fn read(
        kind: Kind,
        facts: &str,
        detail: Option<&str>,
        request: Option<Asked>,
    ) -> Option<Self> {
        let act = |make: fn(Act) -> Self, name: &str, personal| {
            Some(Act::read(facts, name, personal).map_or(Self::Unreadable, make))
        };
        match kind {
            Kind::Outcome => Some(Self::outcome(facts, detail, request).unwrap_or(Self::Unreadable)),
            Kind::Consent => act(Self::Consent, "consent", true),
            Kind::Access => act(Self::Look, "looked", false),
            Kind::Acknowledgement => act(Self::TakenOver, "taken_over", true),
            // Terms that are over are nobody's in particular.
            Kind::Erasure => act(Self::Erasure, "erased", !facts.contains("\"event\":\"retention\"")),
            Kind::Genesis
            | Kind::Request
            | Kind::Policy
            | Kind::Participants
            | Kind::Agreement
            | Kind::Key
            | Kind::TurnedAway
            | Kind::Witness
            | Kind::Seal => None,
        }
    }

    fn outcome(facts: &str, detail: Option<&str>, request: Option<Asked>) -> Option<Self> {
        let facts: OutcomeFacts = serde_json::from_str(facts).ok()?;
        let verdict = Decided::verdict_of(&facts.effect, facts.refusal.as_deref())?;
        let sources = match detail {
            Some(detail) => Some(serde_json::from_str::<Detail>(detail).ok()?.sources),
            None => None,
        };
        let decided = Decided {
            effect: facts.effect,
            refusal: facts.refusal,
            above_ceiling: facts.above_ceiling,
            not_provided: facts.not_provided,
            released: facts.released,
            policy: facts.policy,
            catalogue: facts.catalogue,
            participants: facts.participants,
            sources,
            verdict,
        };
        Some(Self::Request(Box::new(facts.asked.or(request)), Box::new(decided)))
    }

    /// How it ended.
    pub(super) const fn verdict(&self) -> Verdict {
        match self {
            Self::Request(_, decided) => decided.verdict,
            Self::Consent(act) | Self::Look(act) | Self::TakenOver(act) | Self::Erasure(act) => act.verdict,
            Self::Unreadable => Verdict::Unreadable,
        }
    }

    /// Whether it is about one person, as far as the facts tell. Every request is: whether its number was known or not, or
    /// was none, reads the same (P09).
    pub(super) const fn concerns_a_person(&self) -> bool {
        match self {
            Self::Request(..) => true,
            Self::Consent(act) | Self::Look(act) | Self::TakenOver(act) | Self::Erasure(act) => act.personal,
            Self::Unreadable => false,
        }
    }

    /// Purpose, or what stands for it in a register of processing activities.
    #[must_use]
    pub fn activity(&self) -> &str {
        match self {
            Self::Request(asked, _) => asked.purpose.as_deref().unwrap_or("UNKNOWN"),
            Self::Consent(_) => "CONSENT",
            Self::Look(_) => "LOG_ACCESS",
            Self::TakenOver(act) => act.purpose.as_deref().unwrap_or("UNKNOWN"),
            Self::Erasure(_) => "ERASURE",
            Self::Unreadable => "UNKNOWN",
        }
    }

    /// Name of the operation.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Request(..) => "request_work_capacity".to_owned(),
            Self::Consent(act) => format!("consent.{}", act.name),
            Self::Look(act) => format!("log.{}", act.name),
            Self::TakenOver(_) => "handover.acknowledged".to_owned(),
            Self::Erasure(act) => format!("log.{}", act.name),
            Self::Unreadable => "unreadable".to_owned(),
        }
    }
}

/// Acts on all consents of a source, or on none: about nobody.
const ABOUT_NOBODY: [&str; 3] = ["source_paused_all", "source_resumed_all", "acknowledged"];

impl Act {
    fn read(facts: &str, name: &str, personal: bool) -> Option<Self> {
        let facts: ActFacts = serde_json::from_str(facts).ok()?;
        let name = facts.event.or(facts.act.clone()).unwrap_or_else(|| name.to_owned());
        let one = facts.looked_at.as_ref().is_some_and(|what| what.contains_key("consents_by"));
        let verdict = match (&facts.refusal, name.as_str()) {
            (Some(code), _) => refused(Some(code)),
            (None, "validated") => Verdict::Checked,
            (None, _) => Verdict::Done,
        };
        Some(Self {
            personal: (personal || one) && !ABOUT_NOBODY.contains(&name.as_str()),
            name,
            by: facts.by,
            purpose: facts.purpose,
            refusal: facts.refusal,
            verdict,
        })
    }
}
