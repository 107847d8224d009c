//! Sources (bronnen): asking the organisation that holds the information, one client at a time.
//!
//! [`SourceConnector`] is the contract; [`grpc`] speaks it to a real source system and [`mod@reference`] is one.
//! [`adapters`] maps what a source's other systems export, at the source.
//! Nothing a source sent is stored, and what it sent beyond the question is dropped here, before anybody sees it (P03).

use std::{fmt, time::Duration};

use async_trait::async_trait;

use crate::{
    catalogue::{CheckedStatement, Mask},
    consent::BindingSalt,
    domain::{Bsn, Oin, Purpose, QueryId, Reason, Role, Timestamp},
};

pub mod adapters;
mod breaker;
pub mod grpc;
#[cfg(test)]
mod lab;
pub mod reference;

/// A grant as a source is shown it: what its recorder signed, and the salt with which it binds the person.
#[derive(Clone)]
pub struct PresentedGrant {
    /// The grant (JWS).
    pub jws: String,
    /// Salt of its binding.
    pub salt: BindingSalt,
    /// The recorder's reconfirmation (JWS), where the client was not free when he signed (R13).
    pub reconfirmation: Option<String>,
    /// The gateway's countersignature (JWS); `None` while the grant is being recorded.
    pub countersignature: Option<String>,
}

impl fmt::Debug for PresentedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresentedGrant(redacted)")
    }
}

/// A question to one source about one client. It holds the grants of this source and of no other.
#[derive(Clone, Debug)]
pub struct SourceQuestion {
    /// Random id of this question, of this source alone.
    pub query: QueryId,
    /// The client.
    pub bsn: Bsn,
    /// Organisation the answer goes to.
    pub recipient: Oin,
    /// Its role.
    pub role: Role,
    /// The one purpose (R01).
    pub purpose: Purpose,
    /// What is asked: requested, granted and permitted.
    pub fields: Mask,
    /// The grants that cover these fields.
    pub grants: Vec<PresentedGrant>,
    /// When the gateway stops waiting.
    pub deadline: Timestamp,
}

/// What a source sent beyond the question (P03). It went no further than here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Surplus {
    /// Fields of the catalogue that were delivered and not asked.
    pub fields: Mask,
    /// Fields in the message that the catalogue does not know.
    pub unknown_fields: u32,
}

impl Surplus {
    /// Whether nothing came too much.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.unknown_fields == 0
    }
}

/// A source's answer to a question.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Fields asked and no other, every value checked. Empty only where all that came was a surplus.
    pub checked: CheckedStatement,
    /// What had to be dropped.
    pub surplus: Surplus,
}

/// A way to one source.
///
/// Every error is a [`Reason`] of the log; the requester sees `not_provided` for all of them (P09). Implementations
/// write neither the client's number nor anything a source said about it, its error texts included.
#[async_trait]
pub trait SourceConnector: Send + Sync + fmt::Debug {
    /// Asks for a statement, and waits no longer than this.
    ///
    /// # Errors
    /// [`Reason::SourceDeclined`], [`Reason::SourceHoldsNothing`], [`Reason::SourceUnavailable`],
    /// [`Reason::SourceTooLate`], [`Reason::SourceNotTrusted`] or [`Reason::SourceInvalid`]. Where a source sent a
    /// surplus beside one of these, the connector itself reports it.
    async fn statement(&self, question: &SourceQuestion, wait: Duration) -> Result<Statement, Reason>;

    /// Asks whether the source confirms a grant that names it, and waits no longer than this.
    ///
    /// # Errors
    /// As for a statement, without [`Reason::SourceHoldsNothing`] and [`Reason::SourceInvalid`].
    async fn review(&self, bsn: &Bsn, grant: &PresentedGrant, wait: Duration) -> Result<bool, Reason>;

    /// Tells the source that it delivered too much (P03).
    ///
    /// # Errors
    /// If the source did not take note of it. Nothing depends on it: the surplus is gone already.
    async fn report_surplus(&self, query: QueryId, surplus: &Surplus) -> Result<(), Reason>;
}
