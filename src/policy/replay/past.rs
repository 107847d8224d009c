//! A decision as the log keeps it: the facts of an `outcome` entry, and the detail that they commit to.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    catalogue::{self, Mask},
    domain::{Oin, OrganisationKind, Purpose, Role},
    policy::Facts,
};

/// A decision of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastDecision {
    /// Position of the outcome in the log.
    pub position: u64,
    /// Hash of the policies that it was decided under.
    pub policy: String,
    /// Who asked.
    pub recipient: Oin,
    /// In which role.
    pub role: Role,
    /// For which purpose.
    pub purpose: Purpose,
    /// What was requested.
    pub requested: Mask,
    /// What of that was above the ceiling.
    pub above_ceiling: Mask,
    /// Why the whole request was refused, if it was.
    pub refusal: Option<PastRefusal>,
    /// What was decided about each source.
    pub sources: Vec<PastSource>,
}

/// What was decided about one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastSource {
    /// The source.
    pub source: Oin,
    /// Its kind.
    pub source_kind: OrganisationKind,
    /// Agreements under which it was considered.
    pub agreements: Vec<String>,
    /// What was requested and agreed.
    pub agreed: Mask,
    /// What of that grants in force covered.
    pub granted: Mask,
    /// What was found to hold.
    pub facts: Facts,
    /// What the policies permitted to be asked for.
    pub permitted: Mask,
    /// What was released.
    pub released: Mask,
    /// The rules that decided.
    pub rules: Vec<String>,
    /// The reason of what came of it.
    pub reason: String,
}

/// Why a request was refused before any source was considered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastRefusal {
    /// Its purpose was not in the list.
    PurposeUnknown,
    /// Its purpose was not active.
    PurposeInactive,
    /// The policies gave its role nothing, or not on that day.
    NotForRole,
    /// Something that the policies have no part in.
    Other,
}

/// Why an entry cannot be decided again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PastFault {
    /// Written before decisions were logged with their facts, or its detail was left out of an export.
    #[error("its facts or its detail are not there; an export needs `--details`")]
    NotOpened,
    /// Not as this program writes it.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
}

#[derive(Deserialize)]
struct RawFacts {
    requester: Option<Oin>,
    role: Option<String>,
    purpose: Option<String>,
    fields: Option<Vec<String>>,
    effect: String,
    refusal: Option<String>,
    #[serde(default)]
    above_ceiling: Vec<String>,
    policy: Option<String>,
}

#[derive(Deserialize)]
struct RawDetail {
    sources: Vec<RawSource>,
}

#[derive(Deserialize)]
struct RawSource {
    source: Oin,
    source_kind: Option<OrganisationKind>,
    agreements: Vec<String>,
    agreed: Option<Vec<String>>,
    granted: Option<Vec<String>>,
    facts: Option<BTreeMap<String, bool>>,
    asked: Vec<String>,
    released: Vec<String>,
    rules: Vec<String>,
    reason: String,
}

impl PastDecision {
    /// Reads an outcome. `None` for one in which nothing was decided about a purpose: the request was malformed, only
    /// validated, or never came to an end.
    ///
    /// # Errors
    /// If it cannot be decided again.
    pub fn read(position: u64, facts: &[u8], detail: Option<&[u8]>) -> Result<Option<Self>, PastFault> {
        let unreadable = |what: &dyn ToString| PastFault::Unreadable(what.to_string());
        let facts: RawFacts = serde_json::from_slice(facts).map_err(|fault| unreadable(&fault))?;
        let refusal = match (facts.effect.as_str(), facts.refusal.as_deref()) {
            ("released" | "not_provided", _) => None,
            ("refused", Some("PURPOSE_UNKNOWN")) => Some(PastRefusal::PurposeUnknown),
            ("refused", Some("PURPOSE_INACTIVE")) => Some(PastRefusal::PurposeInactive),
            ("refused", Some("PURPOSE_NOT_FOR_ROLE" | "POLICY_NOT_IN_EFFECT")) => {
                Some(PastRefusal::NotForRole)
            }
            ("refused", _) => Some(PastRefusal::Other),
            _ => return Ok(None),
        };
        let (Some(recipient), Some(role), Some(purpose), Some(fields)) =
            (facts.requester, facts.role, facts.purpose, facts.fields)
        else {
            return Ok(None);
        };
        // A role or purpose that is none was refused for that, and no policy has a part in it.
        let (Ok(role), Ok(purpose)) = (role.parse(), purpose.parse()) else { return Ok(None) };
        let Some(policy) = facts.policy else { return Err(PastFault::NotOpened) };
        let sources = match (refusal, detail) {
            (Some(_), _) => Vec::new(),
            (None, None) => return Err(PastFault::NotOpened),
            (None, Some(detail)) => {
                let detail: RawDetail = serde_json::from_slice(detail).map_err(|fault| unreadable(&fault))?;
                detail.sources.into_iter().map(PastSource::read).collect::<Result<_, _>>()?
            }
        };
        Ok(Some(Self {
            position,
            policy,
            recipient,
            role,
            purpose,
            requested: mask(&fields)?,
            above_ceiling: mask(&facts.above_ceiling)?,
            refusal,
            sources,
        }))
    }
}

impl PastSource {
    fn read(raw: RawSource) -> Result<Self, PastFault> {
        let (Some(source_kind), Some(agreed), Some(granted), Some(named)) =
            (raw.source_kind, raw.agreed, raw.granted, raw.facts)
        else {
            return Err(PastFault::NotOpened);
        };
        let facts = Facts::from_named(&named)
            .ok_or_else(|| PastFault::Unreadable("it has other facts than this program".to_owned()))?;
        Ok(Self {
            source: raw.source,
            source_kind,
            agreements: raw.agreements,
            agreed: mask(&agreed)?,
            granted: mask(&granted)?,
            facts,
            permitted: mask(&raw.asked)?,
            released: mask(&raw.released)?,
            rules: raw.rules,
            reason: raw.reason,
        })
    }
}

fn mask(codes: &[String]) -> Result<Mask, PastFault> {
    catalogue::from_codes(codes)
        .map_err(|fault| PastFault::Unreadable(format!("it names a field that is none: {fault:?}")))
}
