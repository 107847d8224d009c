//! Erasing a client (wissen, P11): what an officer sees before it is done, and the doing.

use serde_json::json;

use super::{OfficerDesk, Scope, unreadable};
use crate::{
    audit::{
        entry::NewEntry,
        erasure::{Ground, Order, OrderFault, SignedOrder},
        leaf::Kind,
        writer::{CommitFault, Work},
    },
    domain::{Oin, Refusal, RefusalCode, Timestamp},
    note::VerifierKey,
    rules::bsn,
    storage::Traces,
};

/// What erasing a client would do.
#[derive(Debug)]
pub struct ErasurePlan {
    /// The text for two officers to sign.
    pub order: String,
    /// What leads to the client.
    pub traces: Traces,
    /// What keeps it from being done now.
    pub obstacles: Vec<RefusalCode>,
    /// From when on no term runs any more, if one does.
    pub not_before: Option<Timestamp>,
    /// When it would be complete, if it were done now.
    pub complete_on: Timestamp,
}

/// What was done.
#[derive(Debug)]
pub struct Erased {
    /// Position of the entry.
    pub position: u64,
    /// When the last backup that has the keys is gone.
    pub complete_on: Timestamp,
}

impl OfficerDesk {
    /// Only the gateway's own officers erase.
    fn may_erase(scope: Scope) -> Result<(), Refusal> {
        match scope {
            Scope::Gateway => Ok(()),
            Scope::Requester(_) => Err(RefusalCode::FunctionNotHeld.into()),
        }
    }

    /// Draws up an order to erase a client, and changes nothing (proefdraai).
    ///
    /// # Errors
    /// If nothing leads to the client, or the log cannot be read or written.
    pub async fn plan_erasure(
        &self,
        caller: Oin,
        scope: Scope,
        number: &str,
        ground: Ground,
    ) -> Result<ErasurePlan, Refusal> {
        Self::may_erase(scope)?;
        let tag = self.keys.index.tag(&bsn(number, self.kind)?);
        self.look(caller, json!({ "erasure": "planned" })).await?;
        let unknown = || Refusal::from(RefusalCode::ErasureClientUnknown);
        let subject = self.store.subject_of(&tag).await.map_err(|_| unreadable())?.ok_or_else(unknown)?;
        let traces = self.store.traces(subject).await.map_err(|_| unreadable())?;
        let now = self.clock.now();
        let number = Order::number().map_err(|_| unreadable())?;
        let order = Order {
            origin: self.origin.clone(),
            number,
            client: self.keys.index.erasure_key(&tag, &number),
            ground,
            drawn: now,
        };
        let mut obstacles = Vec::new();
        if !traces.grants.iter().all(|standing| standing.state.is_over(now)) {
            obstacles.push(RefusalCode::ErasureConsentNotOver);
        }
        let runs = traces.last_disclosure.filter(|last| *last >= self.retention.account_since(now));
        if runs.is_some() {
            obstacles.push(RefusalCode::ErasureTermRuns);
        }
        Ok(ErasurePlan {
            order: order.to_string(),
            obstacles,
            not_before: runs.map(|last| self.retention.accounted_for(last)),
            complete_on: self.retention.complete_on(now),
            traces,
        })
    }

    /// Erases a client by an order that two officers signed. What was refused for a reason that is the client's is an entry
    /// too: that somebody tried is to be seen.
    ///
    /// # Errors
    /// If the order is none of this log about this client, has too few signatures, or something keeps it from being done.
    pub async fn erase(
        &self,
        caller: Oin,
        scope: Scope,
        number: &str,
        note: &str,
    ) -> Result<Erased, Refusal> {
        Self::may_erase(scope)?;
        let tag = self.keys.index.tag(&bsn(number, self.kind)?);
        let now = self.clock.now();
        let invalid = |what: &str| Refusal::at(RefusalCode::ErasureOrderInvalid, "order", what);
        let signed = SignedOrder::open(note, &self.officers()).map_err(|fault| match fault {
            OrderFault::Signatures(_) => Refusal::at(RefusalCode::ErasureNeedsTwo, "order", fault),
            other => invalid(&other.to_string()),
        })?;
        let SignedOrder { order, signed_by, note } = signed;
        // One that was drawn up just before a new shard began is an order all the same.
        let is_ours = self.keys.log.verifiers().any(|(_, key)| key.name() == order.origin);
        if order.origin != self.origin && !is_ours {
            return Err(invalid("is of another log"));
        }
        if !order.is_fresh(now) {
            return Err(invalid(
                "was drawn up more than a fortnight ago, or in the future; draw up another one",
            ));
        }
        if order.client != self.keys.index.erasure_key(&tag, &order.number) {
            return Err(invalid("is about another client"));
        }
        let complete_on = self.retention.complete_on(now);
        let facts = |event: &str| {
            json!({
                "event": event,
                "by": caller,
                "ground": order.ground.as_str(),
                "order": note,
                "signed_by": signed_by,
            })
        };
        let mut erased = facts("erased");
        if let Some(facts) = erased.as_object_mut() {
            facts.insert("complete_on".to_owned(), json!(complete_on.to_string()));
        }
        let entry = NewEntry { requester: Some(caller), ..NewEntry::of_gateway(Kind::Erasure, erased) };
        let work = Work::Erase { entry, client: tag, disclosed_since: self.retention.account_since(now) };
        match self.log.commit(work).await {
            Ok(committed) => {
                if let Err(fault) = self.store.scrub().await {
                    tracing::warn!(%fault, "what was erased may stand in free pages until the next upkeep");
                }
                Ok(Erased { position: committed.position, complete_on })
            }
            Err(fault @ (CommitFault::ConsentNotOver | CommitFault::TermRuns | CommitFault::NotFound)) => {
                let code = match fault {
                    CommitFault::NotFound => RefusalCode::ErasureClientUnknown,
                    other => RefusalCode::from(other),
                };
                let mut refused = facts("refused");
                if let Some(facts) = refused.as_object_mut() {
                    facts.insert("refusal".to_owned(), json!(code.as_str()));
                }
                let entry =
                    NewEntry { requester: Some(caller), ..NewEntry::of_gateway(Kind::Erasure, refused) };
                self.log.commit(Work::Append(entry)).await.map_err(RefusalCode::from)?;
                Err(code.into())
            }
            Err(fault) => Err(RefusalCode::from(fault).into()),
        }
    }

    /// Keys of the gateway's officers who may sign.
    fn officers(&self) -> Vec<VerifierKey> {
        let rules = self.rules.load();
        rules
            .register
            .organisations()
            .iter()
            .flat_map(|organisation| organisation.officer_keys.clone())
            .collect()
    }
}
