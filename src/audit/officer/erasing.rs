//! Erasing a client (wissen, P11): what an officer sees before it is done, and the doing.

use serde_json::{Map, Value, json};

use super::{OfficerDesk, Scope, unreadable};
use crate::{
    audit::{
        entry::NewEntry,
        erasure::{Blinding, Ground, Order, OrderFault, SignedOrder},
        leaf::Kind,
        writer::{CommitFault, Work},
    },
    domain::{Oin, Refusal, RefusalCode, Timestamp},
    note::VerifierKey,
    rules::bsn,
    storage::Traces,
    subject::Tag,
};

/// What erasing a client would do.
#[derive(Debug)]
pub struct ErasurePlan {
    /// The text for two officers to sign.
    pub order: String,
    /// What hides the client in it. Nothing of it is kept here.
    pub blinding: Blinding,
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
    /// The client of this number, for the gateway's own officers, who alone erase.
    ///
    /// # Errors
    /// If it is another officer, or no number that this gateway may handle.
    pub fn erasable(&self, scope: Scope, number: &str) -> Result<Tag, Refusal> {
        match scope {
            Scope::Gateway => Ok(self.keys.index.tag(&bsn(number, self.kind)?)),
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
        client: Tag,
        ground: Ground,
    ) -> Result<ErasurePlan, Refusal> {
        self.look(caller, json!({ "erasure": "planned" })).await?;
        let unknown = || Refusal::from(RefusalCode::ErasureClientUnknown);
        let subject = self.store.subject_of(&client).await.map_err(|_| unreadable())?.ok_or_else(unknown)?;
        let traces = self.store.traces(subject).await.map_err(|_| unreadable())?;
        let now = self.clock.now();
        let number = Order::number().map_err(|_| unreadable())?;
        let blinding = Blinding::random().map_err(|_| unreadable())?;
        let order = Order {
            origin: self.origin.clone(),
            number,
            client: blinding.hide(&self.keys.index.erasure_key(&client, &number)),
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
            blinding,
            obstacles,
            not_before: runs.map(|last| self.retention.accounted_for(last)),
            complete_on: self.retention.complete_on(now),
            traces,
        })
    }

    /// Erases a client by an order that two officers signed. What was refused is an entry too: that somebody tried is to be
    /// seen.
    ///
    /// # Errors
    /// If the order is none of this log about this client, has too few signatures, or something keeps it from being done.
    pub async fn erase(
        &self,
        caller: Oin,
        client: Tag,
        note: &str,
        blinding: &[u8],
    ) -> Result<Erased, Refusal> {
        let now = self.clock.now();
        let signed = match self.order(&client, note, blinding, now) {
            Ok(signed) => signed,
            Err(refusal) => return Err(self.refused(caller, None, refusal).await),
        };
        let complete_on = self.retention.complete_on(now);
        let mut facts = facts("erased", caller, Some(&signed));
        facts.insert("complete_on".to_owned(), json!(complete_on.to_string()));
        let work = Work::Erase {
            entry: entry(caller, facts),
            client,
            claim: signed.order.claim(),
            disclosed_since: self.retention.account_since(now),
        };
        let refusal: Refusal = match self.log.commit(work).await {
            Ok(committed) => {
                if let Err(fault) = self.store.scrub().await {
                    tracing::warn!(%fault, "what was erased may still stand in free pages; that is tried again");
                }
                return Ok(Erased { position: committed.position, complete_on });
            }
            Err(CommitFault::NotFound) => RefusalCode::ErasureClientUnknown.into(),
            Err(CommitFault::AlreadyDone) => {
                let what = "was carried out before; draw up another one";
                Refusal::at(RefusalCode::ErasureOrderInvalid, "order", what)
            }
            Err(fault @ (CommitFault::ConsentNotOver | CommitFault::TermRuns)) => {
                RefusalCode::from(fault).into()
            }
            // Nothing was decided, and nothing can be written.
            Err(fault) => return Err(RefusalCode::from(fault).into()),
        };
        Err(self.refused(caller, Some(&signed), refusal).await)
    }

    /// An order that holds: signed by two officers, fresh, of this log and about this client.
    fn order(
        &self,
        client: &Tag,
        note: &str,
        blinding: &[u8],
        now: Timestamp,
    ) -> Result<SignedOrder, Refusal> {
        let invalid = |what: &str| Refusal::at(RefusalCode::ErasureOrderInvalid, "order", what);
        let signed = SignedOrder::open(note, &self.officers()).map_err(|fault| match fault {
            OrderFault::Signatures(_) => Refusal::at(RefusalCode::ErasureNeedsTwo, "order", fault),
            other => invalid(&other.to_string()),
        })?;
        let order = &signed.order;
        // An order outlives the year in which it was drawn up.
        let is_ours = self.keys.log.verifiers().any(|(_, key)| key.name() == order.origin);
        if order.origin != self.origin && !is_ours {
            return Err(invalid("is of another log"));
        }
        if !order.is_fresh(now) {
            return Err(invalid(
                "was drawn up more than a fortnight ago, or in the future; draw up another one",
            ));
        }
        let Some(blinding) = Blinding::from_bytes(blinding) else {
            let what = "must be the 32 bytes that came with the order";
            return Err(Refusal::at(RefusalCode::ErasureOrderInvalid, "blinding", what));
        };
        if order.client != blinding.hide(&self.keys.index.erasure_key(client, &order.number)) {
            return Err(invalid("is about another client, or came with another blinding"));
        }
        Ok(signed)
    }

    /// Enters that an erasure was refused. Gives the refusal, or that not even that could be entered.
    async fn refused(&self, caller: Oin, order: Option<&SignedOrder>, refusal: Refusal) -> Refusal {
        let mut facts = facts("refused", caller, order);
        facts.insert("refusal".to_owned(), json!(refusal.code.as_str()));
        let entered = self.log.commit(Work::Append(entry(caller, facts))).await;
        entered.map_or_else(|fault| RefusalCode::from(fault).into(), |_| refusal)
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

/// What is said of an order that holds; of one that does not nothing is repeated (P08).
fn facts(event: &str, by: Oin, signed: Option<&SignedOrder>) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("event".to_owned(), json!(event));
    facts.insert("by".to_owned(), json!(by));
    if let Some(SignedOrder { order, signed_by, note }) = signed {
        facts.insert("ground".to_owned(), json!(order.ground.as_str()));
        facts.insert("order".to_owned(), json!(note));
        facts.insert("signed_by".to_owned(), json!(signed_by));
    }
    facts
}

fn entry(by: Oin, facts: Map<String, Value>) -> NewEntry {
    NewEntry { requester: Some(by), ..NewEntry::of_gateway(Kind::Erasure, Value::Object(facts)) }
}
