//! The receiver of a hand-over acknowledges it (R10): one entry in the log, which says that the client was taken over.

use serde::Deserialize;
use serde_json::json;

use super::{Exchange, admission};
use crate::{
    audit::{
        entry::NewEntry,
        leaf::{Kind, Leaf},
        tree,
        writer::{CommitFault, Work},
    },
    domain::{Oin, Purpose, Refusal, RefusalCode},
    storage::StoreFault,
};

/// What an outcome says to whom it was told.
#[derive(Deserialize)]
struct Told {
    requester: Oin,
    purpose: Option<Purpose>,
    effect: String,
}

impl Exchange {
    /// Enters that the caller has taken over what an outcome released to it. Again is the same as once. The position is that in
    /// the shard of this name, as a receipt has it, or in the log as a whole where there is no name.
    ///
    /// # Errors
    /// The same for an entry that does not exist, is another's, released nothing, or is of a purpose that is not for one
    /// time.
    pub async fn acknowledge_handover(
        &self,
        caller: Oin,
        position: u64,
        origin: &str,
    ) -> Result<(), Refusal> {
        let missing = || Refusal::from(RefusalCode::EntryNotFound);
        let rules = self.rules.load_full();
        admission::admit_requester(&rules.register, caller)?;
        let unreadable = || Refusal::from(RefusalCode::LogUnavailable);
        let position =
            self.position(position, origin).await.map_err(|_| unreadable())?.ok_or_else(missing)?;
        let found = self.store.entries(position, 1).await.map_err(|_| unreadable())?;
        let entry = found.into_iter().find(|entry| entry.position == position).ok_or_else(missing)?;
        let kind = Leaf::parse(&entry.leaf).map(|leaf| leaf.kind);
        if kind != Ok(Kind::Outcome) {
            return Err(missing());
        }
        let told: Told = serde_json::from_slice(entry.facts_json()).map_err(|_| missing())?;
        let purpose = told.purpose.filter(|_| told.requester == caller && told.effect == "released");
        let purpose = purpose
            .filter(|purpose| rules.policies.purpose(purpose).is_some_and(|entry| entry.one_time))
            .ok_or_else(missing)?;
        let facts = json!({ "by": caller, "outcome": position, "purpose": purpose });
        let acknowledgement = NewEntry {
            requester: Some(caller),
            purpose: Some(purpose),
            ..NewEntry::of_gateway(Kind::Acknowledgement, facts)
        };
        let claim = tree::sha256(&[b"sluis/v1/handover-acknowledged\0", &position.to_be_bytes()]);
        match self.log.commit(Work::Once { entry: acknowledgement, claim }).await {
            Ok(_) | Err(CommitFault::AlreadyDone) => Ok(()),
            Err(fault) => Err(RefusalCode::from(fault).into()),
        }
    }

    /// The position in the log as a whole.
    async fn position(&self, position: u64, origin: &str) -> Result<Option<u64>, StoreFault> {
        if origin.is_empty() {
            return Ok(Some(position));
        }
        let head = self.store.head().await?;
        let place = match head.filter(|head| head.origin == origin) {
            Some(head) => Some((head.place, head.size)),
            None => {
                let closed = self.store.shards().await?.into_iter();
                closed.rev().find(|shard| shard.origin == origin).map(|shard| (shard.place, shard.size))
            }
        };
        Ok(place.filter(|(_, size)| position < *size).map(|(place, _)| place.first.saturating_add(position)))
    }
}
