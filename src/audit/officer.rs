//! What a privacy officer may see of the log (functionaris gegevensbescherming). Every look is itself an entry.

mod erasing;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    entry::NewEntry,
    leaf::{Kind, Leaf},
    lookup,
    retention::Retention,
    tree::Hash,
    writer::{Work, Writer},
};
use crate::{
    catalogue::{self, Mask},
    domain::{Clock, Oin, OrganisationKind, Refusal, RefusalCode},
    identity::{Function, GatewayKind},
    policy::{Explanation, replay::PastDecision},
    rules::{Rules, policies_then},
    storage::{EntryFilter, Store, StoredEntry},
    subject::KeyRing,
};

pub use erasing::{Erased, ErasurePlan};

/// The officers' desk.
#[derive(Debug)]
pub struct OfficerDesk {
    /// What decides now.
    pub rules: Arc<arc_swap::ArcSwap<Rules>>,
    /// Where the log is.
    pub store: Arc<dyn Store>,
    /// The log.
    pub log: Writer,
    /// The log's public key, as a C2SP verifier key.
    pub verifier_key: String,
    /// Name of the log.
    pub origin: String,
    /// Keys of the gateway.
    pub keys: Arc<KeyRing>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Test or production.
    pub kind: GatewayKind,
    /// How long what is kept.
    pub retention: Retention,
}

/// How far an officer sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The gateway's own officer: everything.
    Gateway,
    /// The officer of a requester: its own entries, and of an outcome only what it was told.
    Requester(Oin),
}

/// An entry as an officer sees it.
#[derive(Debug)]
pub struct Shown {
    /// The entry.
    pub entry: StoredEntry,
    /// Whether its detail may be shown too.
    pub with_detail: bool,
    /// Name of its shard.
    pub origin: String,
}

impl OfficerDesk {
    /// How far this caller sees.
    ///
    /// # Errors
    /// If it is not admitted as officer.
    pub fn scope(&self, caller: Oin) -> Result<Scope, Refusal> {
        let rules = self.rules.load();
        let organisation =
            rules.register.organisation(&caller).ok_or(RefusalCode::OrganisationNotAdmitted)?;
        if !organisation.functions.contains(&Function::Officer) {
            return Err(RefusalCode::FunctionNotHeld.into());
        }
        Ok(match organisation.kind {
            OrganisationKind::Gateway => Scope::Gateway,
            OrganisationKind::Gemeente | OrganisationKind::Uwv | OrganisationKind::Ggz => {
                Scope::Requester(caller)
            }
        })
    }

    /// Logs a look before anything is shown.
    async fn look(&self, caller: Oin, what: Value) -> Result<(), Refusal> {
        let facts = json!({ "by": caller, "looked_at": what });
        let entry = NewEntry { requester: Some(caller), ..NewEntry::of_gateway(Kind::Access, facts) };
        let looked = self.log.commit(Work::Append(entry)).await;
        looked.map(|_| ()).map_err(|fault| RefusalCode::from(fault).into())
    }

    /// The newest signed checkpoint, and the proof that the log had these first entries before.
    ///
    /// # Errors
    /// If the log cannot be read or the look not be logged.
    pub async fn checkpoint(&self, caller: Oin, since_size: u64) -> Result<(String, Vec<Hash>), Refusal> {
        self.look(caller, json!({ "checkpoint": true })).await?;
        let head = self.store.head().await.map_err(|_| unreadable())?.ok_or_else(unreadable)?;
        let proof = if (1..head.size).contains(&since_size) {
            let proof = lookup::consistency_in(self.store.as_ref(), head.place, since_size, head.size).await;
            proof.map_err(|_| unreadable())?
        } else {
            Vec::new()
        };
        Ok((head.checkpoint, proof))
    }

    /// Entries that match, newest first, within what this officer may see.
    ///
    /// # Errors
    /// If the log cannot be read or the look not be logged.
    pub async fn search(
        &self,
        caller: Oin,
        scope: Scope,
        mut filter: EntryFilter,
    ) -> Result<Vec<Shown>, Refusal> {
        if let Scope::Requester(own) = scope {
            if filter.requester.is_some_and(|wanted| wanted != own) {
                return Ok(Vec::new());
            }
            filter.requester = Some(own);
        }
        let what = json!({
            "from": filter.from.map(|time| time.to_string()),
            "until": filter.until.map(|time| time.to_string()),
            "requester": filter.requester,
            "purpose": filter.purpose,
            "kind": filter.kind,
        });
        self.look(caller, what).await?;
        let found = self.store.search(&filter).await.map_err(|_| unreadable())?;
        self.shown(found, scope).await
    }

    /// Entries as this officer sees them, each with the name of its shard.
    async fn shown(&self, entries: Vec<StoredEntry>, scope: Scope) -> Result<Vec<Shown>, Refusal> {
        let head = self.store.head().await.map_err(|_| unreadable())?.ok_or_else(unreadable)?;
        let is_old = entries.iter().any(|entry| entry.position < head.place.first);
        let closed = if is_old { self.store.shards().await.map_err(|_| unreadable())? } else { Vec::new() };
        let origin = |position: u64| {
            let shard = closed.iter().rev().find(|shard| shard.place.first <= position);
            let shard = shard.filter(|_| position < head.place.first);
            shard.map_or(&head.origin, |shard| &shard.origin).clone()
        };
        let with_detail = scope == Scope::Gateway;
        let shown = |entry: StoredEntry| Shown { origin: origin(entry.position), entry, with_detail };
        Ok(entries.into_iter().map(shown).collect())
    }

    /// One entry with its inclusion proof.
    ///
    /// # Errors
    /// The same for an entry that does not exist and for one that this officer may not see.
    pub async fn entry(&self, caller: Oin, scope: Scope, position: u64) -> Result<(Shown, String), Refusal> {
        let missing = || Refusal::from(RefusalCode::EntryNotFound);
        let size = self.store.head().await.map_err(|_| unreadable())?.map_or(0, |head| head.end());
        // Only a position that exists is written down: any other number may be anything (P08).
        self.look(caller, json!({ "position": (position < size).then_some(position) })).await?;
        let found = self.store.entries(position, 1).await.map_err(|_| unreadable())?;
        let entry = found.into_iter().find(|entry| entry.position == position).ok_or_else(missing)?;
        if let Scope::Requester(own) = scope
            && requester(&entry) != Some(own)
        {
            return Err(missing());
        }
        let proof = lookup::proof(self.store.as_ref(), position).await.map_err(|_| unreadable())?;
        let shown = self.shown(vec![entry], scope).await?.pop().ok_or_else(missing)?;
        Ok((shown, proof.to_string()))
    }
}

/// A decision, explained as far as an officer may know.
#[derive(Debug)]
pub struct Explained {
    /// The decision.
    pub decision: PastDecision,
    /// What was asked and not given, beside what is above the ceiling.
    pub not_provided: Mask,
    /// Why, source by source; for the gateway's own officer.
    pub sources: Vec<Explanation>,
    /// Code of the refusal, if the request was refused.
    pub refusal: String,
    /// Version of the manifest, if the policies are those in force.
    pub version: Option<u32>,
}

/// What an outcome says to everybody who may see it.
#[derive(Deserialize)]
struct Told {
    #[serde(default)]
    not_provided: Vec<String>,
    refusal: Option<String>,
}

impl OfficerDesk {
    /// Explains a decision.
    ///
    /// # Errors
    /// The same for an entry that does not exist, is no decision, or is not for this officer's eyes.
    pub async fn explain(&self, caller: Oin, scope: Scope, position: u64) -> Result<Explained, Refusal> {
        let missing = || Refusal::from(RefusalCode::EntryNotFound);
        let size = self.store.head().await.map_err(|_| unreadable())?.map_or(0, |head| head.end());
        self.look(caller, json!({ "explained": (position < size).then_some(position) })).await?;
        let found = self.store.entries(position, 1).await.map_err(|_| unreadable())?;
        let entry = found.into_iter().find(|entry| entry.position == position).ok_or_else(missing)?;
        let is_own = match scope {
            Scope::Gateway => true,
            Scope::Requester(own) => requester(&entry) == Some(own),
        };
        if !is_own || kind(&entry) != Some(Kind::Outcome) {
            return Err(missing());
        }
        let told: Told = serde_json::from_slice(entry.facts_json()).map_err(|_| missing())?;
        let detail = entry.detail.as_ref().map(|detail| detail.json.as_slice());
        let decision = PastDecision::read(position, entry.facts_json(), detail);
        let decision = decision.ok().flatten().ok_or_else(missing)?;
        let rules = self.rules.load_full();
        let version = (rules.policies.hash() == decision.policy).then(|| rules.policies.manifest().version());
        let sources = if scope == Scope::Gateway {
            let then = policies_then(self.store.as_ref(), rules, &decision.policy).await;
            let then = then.map_err(|_| unreadable())?.ok_or_else(missing)?;
            decision.explain(&then)
        } else {
            Vec::new()
        };
        Ok(Explained {
            not_provided: catalogue::from_codes(&told.not_provided).map_err(|_| missing())?,
            refusal: told.refusal.unwrap_or_default(),
            decision,
            sources,
            version,
        })
    }
}

fn unreadable() -> Refusal {
    RefusalCode::LogUnavailable.into()
}

/// Whose entry it is, as its facts say.
fn requester(entry: &StoredEntry) -> Option<Oin> {
    let facts: Value = serde_json::from_slice(entry.facts_json()).ok()?;
    let of = facts.get("requester").or_else(|| facts.get("organisation")).or_else(|| facts.get("by"))?;
    of.as_str()?.parse().ok()
}

/// Kind of a stored entry, for listings.
#[must_use]
pub fn kind(entry: &StoredEntry) -> Option<Kind> {
    Leaf::parse(&entry.leaf).ok().map(|leaf| leaf.kind)
}
