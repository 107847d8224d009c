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
};

/// What an outcome says to whom it was told.
#[derive(Deserialize)]
struct Told {
    requester: Oin,
    purpose: Option<Purpose>,
    effect: String,
}

impl Exchange {
    /// Enters that the caller has taken over what an outcome released to it. Again is the same as once.
    ///
    /// # Errors
    /// The same for an entry that does not exist, is another's, released nothing, or is of a purpose that is not for one
    /// time.
    pub async fn acknowledge_handover(&self, caller: Oin, position: u64) -> Result<(), Refusal> {
        let missing = || Refusal::from(RefusalCode::EntryNotFound);
        let rules = self.rules.load_full();
        admission::admit_requester(&rules.register, caller)?;
        let unreadable = || Refusal::from(RefusalCode::LogUnavailable);
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
}
