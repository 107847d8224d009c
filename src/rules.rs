//! What decides, and how long things may take: read by the exchange, by the desk of consents and by the officer's view.

mod then;

use std::{collections::HashMap, sync::Arc, time::Duration};

pub use then::{Then, policies_then};

use crate::{
    domain::{Bsn, Oin, Refusal, RefusalCode},
    identity::{GatewayKind, Register},
    policy::SealedPolicies,
    source::SourceConnector,
};

/// What decides: replaced as a whole when files are reloaded, so that a request sees one state of them.
#[derive(Debug)]
pub struct Rules {
    /// Participants and agreements.
    pub register: Register,
    /// Policies.
    pub policies: SealedPolicies,
    /// A connector for each source.
    pub sources: HashMap<Oin, Arc<dyn SourceConnector>>,
}

/// Times of an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// How long a source may take.
    pub source_wait: Duration,
    /// When an incomplete answer leaves, counted from arrival. Longer than `source_wait`, so that every reason for an
    /// incomplete answer takes the same time (P09).
    pub answer_after: Duration,
    /// How long the receiver may use an answer.
    pub use_for: Duration,
}

/// A BSN that this gateway may handle: test numbers on a test gateway, and only there (P12).
///
/// # Errors
/// If it is malformed, or not for this gateway.
pub fn bsn(text: &str, kind: GatewayKind) -> Result<Bsn, Refusal> {
    let bsn = Bsn::parse(text).map_err(|fault| Refusal::at(RefusalCode::BsnMalformed, "bsn", fault))?;
    if bsn.is_test() != (kind == GatewayKind::Test) {
        return Err(Refusal::at(
            RefusalCode::BsnNotForThisGateway,
            "bsn",
            "must be in the test range on a test gateway, and nowhere else",
        ));
    }
    Ok(bsn)
}
