//! The one way through: nothing else in the program can send client data to a requester.
//!
//! ```text
//! request ─▶ received ─▶ [request entry] ─▶ admission ─▶ consent ─▶ policy ─▶ source ─▶ answer ─▶ [outcome entry] ─▶ reply
//! ```
//!
//! Each arrow can end the way; every end is an outcome in the log before anybody hears of it.

mod admission;
mod answer;
mod asking;
mod decision;
mod facts;
mod handover;
mod purposes;
mod received;
mod verified;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use futures_util::future::join_all;

pub use admission::{Admitted, admit_requester};
use answer::Draft;
pub use answer::Reply;
pub(crate) use received::Received;

use crate::{
    audit::writer::{CommitFault, Committed, Work, Writer},
    consent::Countersigner,
    domain::{Clock, Oin, PairId, Refusal, RefusalCode},
    identity::GatewayKind,
    proto,
    rules::{Rules, Timing},
    storage::Store,
    subject::KeyRing,
};

/// An answer that was not handed over so soon after its commit is dropped (P05).
pub const HAND_OVER: Duration = Duration::from_secs(1);

/// The exchange.
#[derive(Debug)]
pub struct Exchange {
    /// What decides now.
    pub rules: Arc<ArcSwap<Rules>>,
    /// Where grants are.
    pub store: Arc<dyn Store>,
    /// The log.
    pub log: Writer,
    /// Keys of the gateway.
    pub keys: Arc<KeyRing>,
    /// Knows the grants that this gateway recorded.
    pub countersigner: Arc<Countersigner>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Test or production.
    pub kind: GatewayKind,
    /// Times.
    pub timing: Timing,
}

/// A request on its way: what was received, and under which rules.
struct Passage {
    pair: PairId,
    caller: Oin,
    arrival: Instant,
    received: Received,
    rules: Arc<Rules>,
}

impl Exchange {
    /// Answers a request. It goes on to its outcome even if the caller hangs up: every request has one (P06). `entered`
    /// is called once the request is in the log; a request that the log could not take is not.
    ///
    /// # Errors
    /// Only what does not depend on the client.
    pub async fn request(
        self: &Arc<Self>,
        caller: Oin,
        message: proto::RequestWorkCapacityRequest,
        entered: impl FnOnce() + Send + 'static,
    ) -> Result<Reply, Refusal> {
        let (exchange, arrival) = (Arc::clone(self), Instant::now());
        let passage = tokio::spawn(async move { exchange.pass(caller, message, arrival, entered).await });
        passage.await.unwrap_or_else(|_| Err(RefusalCode::LogUnavailable.into()))
    }

    async fn pass(
        &self,
        caller: Oin,
        message: proto::RequestWorkCapacityRequest,
        arrival: Instant,
        entered: impl FnOnce() + Send,
    ) -> Result<Reply, Refusal> {
        let received = Received::read(&message, self.kind);
        drop(message);
        let passage =
            Passage { pair: PairId::random(), caller, arrival, received, rules: self.rules.load_full() };

        let request = self.log_request(&passage).await?;
        entered();
        if !request.id_was_new {
            return self.refuse(&passage, RefusalCode::RequestIdUsed.into()).await;
        }
        let question = match passage.received.question() {
            Ok(question) => question,
            Err(refusal) => return self.refuse(&passage, refusal).await,
        };
        let today = self.clock.now().day();
        let admitted = match Admitted::check(caller, &question, &passage.rules, today) {
            Ok(admitted) => admitted,
            Err(refusal) => return self.refuse(&passage, refusal).await,
        };
        if passage.received.validate_only {
            return self.validated(&passage, &admitted).await;
        }

        let tag = self.keys.index.tag(&question.bsn);
        let follows = passage.rules.policies.purpose(&question.purpose).map(|entry| entry.follows.as_slice());
        let purposes = std::iter::once(&question.purpose).chain(follows.unwrap_or_default());
        let found =
            join_all(purposes.map(|purpose| self.store.grants(&tag, caller, question.role, purpose))).await;
        let Ok(found) = found.into_iter().collect::<Result<Vec<_>, _>>() else {
            // No consent without the store of consents (R05); the same for every client.
            return self.refuse(&passage, RefusalCode::LogUnavailable.into()).await;
        };
        let mut found = found.into_iter();
        let grants = found.next().unwrap_or_default();
        let followed: Vec<_> = found.flatten().collect();
        let basis = decision::Basis {
            grants: &grants,
            followed: &followed,
            countersigner: &self.countersigner,
            rules: &passage.rules,
            now: self.clock.now(),
        };
        let decision = decision::decide(caller, &question, &admitted, &basis);
        let parts = self.ask(&question, decision, &passage.rules).await;
        let now = self.clock.now();
        match Draft::build(&passage, &question, &admitted, parts, now, self.timing.use_for) {
            Ok(draft) => self.release(&passage, draft, &request).await,
            Err(refusal) => self.refuse(&passage, refusal).await,
        }
    }

    /// The first entry: durable before a consent is looked up or a source is called.
    async fn log_request(&self, passage: &Passage) -> Result<Committed, Refusal> {
        let claim = passage.received.request_id.map(|id| self.keys.index.request_key(&passage.caller, &id));
        let entry = facts::request(passage, &self.keys);
        let committed = self.log.commit(Work::Request { entry, claim }).await;
        committed.map_err(|fault| Refusal::from(RefusalCode::from(fault)))
    }

    /// A refusal, logged. It does not depend on the client, so it leaves at once.
    async fn refuse(&self, passage: &Passage, refusal: Refusal) -> Result<Reply, Refusal> {
        let entry = facts::refused(passage, &self.keys, refusal.code);
        self.log
            .commit(Work::Outcome { entry, needs: Vec::new() })
            .await
            .map_err(|fault| Refusal::from(RefusalCode::from(fault)))?;
        Err(refusal)
    }

    /// `validate_only`: the checks that do not depend on the client held.
    async fn validated(&self, passage: &Passage, admitted: &Admitted) -> Result<Reply, Refusal> {
        let entry = facts::validated(passage, &self.keys, admitted);
        let outcome = self.log.commit(Work::Outcome { entry, needs: Vec::new() }).await;
        let outcome = outcome.map_err(|fault| Refusal::from(RefusalCode::from(fault)))?;
        Ok(Reply::validated(&passage.received, admitted, &outcome))
    }

    /// The second entry, and the answer only after it. A complete answer leaves at once; anything less is committed and
    /// leaves at a fixed time after arrival, so that neither time nor the growth of the log tells why (P09).
    async fn release(&self, passage: &Passage, draft: Draft, request: &Committed) -> Result<Reply, Refusal> {
        let leaves = passage.arrival + self.timing.answer_after;
        if !draft.is_complete() {
            tokio::time::sleep_until(leaves.into()).await;
        }
        let unwritten = |fault: CommitFault| Refusal::from(RefusalCode::from(fault));
        let draft = if draft.releases() {
            let surplus = draft.surplus();
            match self.log.release(facts::released(passage, &self.keys, &draft), draft.needs()).await {
                Ok(grant) => {
                    self.report_surplus(&passage.rules, surplus);
                    return Ok(draft.hand_over(&grant, request));
                }
                Err(CommitFault::GrantNotInForce) => draft.without_content(),
                Err(fault) => return Err(unwritten(fault)),
            }
        } else {
            draft
        };
        if !draft.is_complete() {
            tokio::time::sleep_until(leaves.into()).await;
        }
        let entry = facts::not_provided(passage, &self.keys, &draft);
        let work = Work::Outcome { entry, needs: Vec::new() };
        let outcome = self.log.commit(work).await.map_err(unwritten)?;
        self.report_surplus(&passage.rules, draft.surplus());
        Ok(draft.nothing_provided(request, &outcome))
    }
}
