//! Asks each permitted source once, for what is left, all at the same time and each within its wait.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{
    Exchange, Rules,
    decision::{Allowed, PolicyStep, SourceDecision},
    received::Question,
};
use crate::{
    audit::{
        seal::{self, ClientKey},
        writer::{client_key_context, salt_context},
    },
    consent::BindingSalt,
    domain::{Oin, QueryId, Reason},
    source::{PresentedGrant, SourceQuestion, Statement, Surplus},
    storage::StoredGrant,
};

/// What came of one source.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) source: Oin,
    pub(super) agreements: Vec<String>,
    pub(super) step: PolicyStep,
    pub(super) query: Option<QueryId>,
    /// What it was permitted to be asked, and what it gave; or why it was not asked at all.
    pub(super) result: Result<(Allowed, Result<Statement, Reason>), Reason>,
}

impl Exchange {
    pub(super) async fn ask(
        &self,
        question: &Question,
        decisions: Vec<SourceDecision>,
        rules: &Rules,
    ) -> Vec<Part> {
        join_all(decisions.into_iter().map(|decision| self.ask_one(question, decision, rules))).await
    }

    async fn ask_one(&self, question: &Question, decision: SourceDecision, rules: &Rules) -> Part {
        let SourceDecision { source, agreements, step, verdict } = decision;
        let allowed = match verdict {
            Ok(allowed) => allowed,
            Err(reason) => return Part { source, agreements, step, query: None, result: Err(reason) },
        };
        let query = QueryId::random();
        let statement = self.statement(question, &allowed, query, rules).await;
        Part { source, agreements, step, query: Some(query), result: Ok((allowed, statement)) }
    }

    async fn statement(
        &self,
        question: &Question,
        allowed: &Allowed,
        query: QueryId,
        rules: &Rules,
    ) -> Result<Statement, Reason> {
        let permit = &allowed.permit;
        let connector = rules.sources.get(permit.source()).ok_or(Reason::SourceUnavailable)?;
        let grants =
            allowed.grants.iter().map(|usable| self.present(&usable.grant)).collect::<Option<Vec<_>>>();
        let grants = grants.ok_or(Reason::NoGrant)?;
        let wait = self.timing.source_wait;
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let asked = SourceQuestion {
            query,
            bsn: question.bsn.clone(),
            recipient: *permit.recipient(),
            role: permit.role(),
            purpose: permit.purpose().clone(),
            fields: permit.fields(),
            grants,
            deadline: self.clock.now().plus_millis(millis),
        };
        match tokio::time::timeout(wait, connector.statement(&asked, wait)).await {
            Ok(statement) => statement,
            Err(_) => Err(Reason::SourceTooLate),
        }
    }

    /// The grant with its salt opened, as its source is shown it.
    fn present(&self, grant: &StoredGrant) -> Option<PresentedGrant> {
        let year = client_key_context(grant.key_year);
        let opened = ClientKey::unwrap(&self.keys.master, &year, &grant.wrapped_key).and_then(|key| {
            let context = salt_context(grant.standing.id);
            seal::open(&key.entry_key(&context)?, &context, &grant.sealed_salt)
        });
        let salt = match opened {
            Ok(bytes) => BindingSalt::from_bytes(&bytes)?,
            Err(_) => {
                tracing::error!("the salt of a grant does not open under the client's key");
                return None;
            }
        };
        Some(PresentedGrant {
            jws: grant.jws.clone(),
            salt,
            reconfirmation: grant.reconfirmation.clone(),
            countersignature: Some(grant.countersignature.clone()),
        })
    }

    /// Tells sources what they delivered too much, after the outcome, with nobody waiting for it (P03).
    pub(super) fn report_surplus(&self, rules: &Arc<Rules>, surplus: Vec<(Oin, QueryId, Surplus)>) {
        for (source, query, surplus) in surplus {
            let Some(connector) = rules.sources.get(&source).cloned() else { continue };
            tokio::spawn(async move {
                if connector.report_surplus(query, &surplus).await.is_err() {
                    tracing::warn!(%source, "a source could not be told what it delivered too much");
                }
            });
        }
    }
}
