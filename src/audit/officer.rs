//! What a privacy officer may see of the log (functionaris gegevensbescherming). Every look is itself an entry.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    entry::NewEntry,
    leaf::{Kind, Leaf},
    lookup,
    writer::{Work, Writer},
};
use crate::{
    domain::{Oin, OrganisationKind, Refusal, RefusalCode},
    identity::Function,
    rules::Rules,
    storage::{EntryFilter, Store, StoredEntry},
};

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

    /// The newest signed checkpoint.
    ///
    /// # Errors
    /// If the log cannot be read or the look not be logged.
    pub async fn checkpoint(&self, caller: Oin) -> Result<String, Refusal> {
        self.look(caller, json!({ "checkpoint": true })).await?;
        let head = self.store.head().await.map_err(|_| unreadable())?;
        Ok(head.ok_or_else(unreadable)?.checkpoint)
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
        Ok(found.into_iter().map(|entry| shown(entry, scope)).collect())
    }

    /// One entry with its inclusion proof.
    ///
    /// # Errors
    /// The same for an entry that does not exist and for one that this officer may not see.
    pub async fn entry(&self, caller: Oin, scope: Scope, position: u64) -> Result<(Shown, String), Refusal> {
        let missing = || Refusal::from(RefusalCode::EntryNotFound);
        let size = self.store.head().await.map_err(|_| unreadable())?.map_or(0, |head| head.size);
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
        Ok((shown(entry, scope), proof.to_string()))
    }
}

fn unreadable() -> Refusal {
    RefusalCode::LogUnavailable.into()
}

/// Whose entry it is, as its facts say.
fn requester(entry: &StoredEntry) -> Option<Oin> {
    let facts: Value = serde_json::from_slice(&entry.facts.json).ok()?;
    let of = facts.get("requester").or_else(|| facts.get("organisation")).or_else(|| facts.get("by"))?;
    of.as_str()?.parse().ok()
}

fn shown(entry: StoredEntry, scope: Scope) -> Shown {
    Shown { entry, with_detail: scope == Scope::Gateway }
}

/// Kind of a stored entry, for listings.
#[must_use]
pub fn kind(entry: &StoredEntry) -> Option<Kind> {
    Leaf::parse(&entry.leaf).ok().map(|leaf| leaf.kind)
}
