//! Where consents are recorded, found, changed and told about. Every act, and every refusal of one, is in the log.
//!
//! A file per thing that somebody comes for: `recording`, `finding`, `changing`, and `telling` those who must know.

mod changing;
mod entries;
mod explaining;
mod finding;
mod recording;
mod telling;
mod view;
mod writing;

use std::sync::Arc;

pub use changing::{InvalidationReason, Selector};
pub use recording::Recorded;
pub use telling::{Notice, NoticeKind, Watch, cursor_text, parse_cursor};
pub use view::{ConsentView, GrantView};

use super::Countersigner;
use crate::{
    audit::{
        entry::NewEntry,
        writer::{CommitFault, Work, Writer},
    },
    domain::{Bsn, Clock, Oin, Refusal, RefusalCode},
    identity::{Function, GatewayKind},
    rules::{Rules, Timing},
    storage::Store,
    subject::KeyRing,
};

/// The desk of consents.
#[derive(Debug)]
pub struct ConsentDesk {
    /// What decides now; shared with the exchange.
    pub rules: Arc<arc_swap::ArcSwap<Rules>>,
    /// Where consents are.
    pub store: Arc<dyn Store>,
    /// The log.
    pub log: Writer,
    /// Keys of the gateway.
    pub keys: Arc<KeyRing>,
    /// Countersigns what is recorded.
    pub countersigner: Arc<Countersigner>,
    /// Name of the log.
    pub origin: String,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Test or production.
    pub kind: GatewayKind,
    /// Times.
    pub timing: Timing,
}

impl ConsentDesk {
    /// Whether the caller is admitted in one of these functions (R14).
    ///
    /// # Errors
    /// If not.
    pub fn admit(&self, caller: Oin, functions: &[Function]) -> Result<(), Refusal> {
        let rules = self.rules.load();
        let organisation =
            rules.register.organisation(&caller).ok_or(RefusalCode::OrganisationNotAdmitted)?;
        if functions.iter().any(|function| organisation.functions.contains(function)) {
            Ok(())
        } else {
            Err(RefusalCode::FunctionNotHeld.into())
        }
    }

    /// Reads a BSN that this gateway may handle.
    ///
    /// # Errors
    /// If it is malformed, or not for this gateway.
    pub fn bsn(&self, text: &str) -> Result<Bsn, Refusal> {
        crate::rules::bsn(text, self.kind)
    }

    /// Logs a look before anything is shown.
    async fn look(&self, entry: NewEntry) -> Result<(), Refusal> {
        let looked = self.log.commit(Work::Append(entry)).await;
        looked.map(|_| ()).map_err(|fault| RefusalCode::from(fault).into())
    }

    /// Commits an act. Gives its position in the log: what stands after it was decided with it.
    async fn act(&self, caller: Oin, act: &str, work: Work) -> Result<u64, Refusal> {
        match self.log.commit(work).await {
            Ok(committed) => Ok(committed.position),
            Err(fault) => Err(self.unlogged(caller, act, fault).await),
        }
    }

    async fn unlogged(&self, caller: Oin, act: &str, fault: CommitFault) -> Refusal {
        let code = RefusalCode::from(fault.clone());
        match fault {
            CommitFault::FormUsed
            | CommitFault::NotFound
            | CommitFault::GrantOver
            | CommitFault::NotRenewable => self.refused(caller, act, code.into()).await,
            _ => code.into(),
        }
    }

    /// Logs a refusal. Where even that fails, nothing is served.
    pub async fn refused(&self, caller: Oin, act: &str, refusal: Refusal) -> Refusal {
        match self.log.commit(Work::Append(entries::refused(caller, act, refusal.code))).await {
            Ok(_) => refusal,
            Err(fault) => RefusalCode::from(fault).into(),
        }
    }
}

fn unavailable() -> Refusal {
    RefusalCode::LogUnavailable.into()
}
