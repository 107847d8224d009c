//! Who calls: certificates, participants, roles, agreements (identiteit).
//!
//! A connection's organisation is the OIN in its verified certificate and nothing else; what that organisation may do
//! stands in the [`Register`]. No identity is ever taken from a header.

pub mod acceptor;
pub mod certificate;
pub mod connect;
pub(crate) mod files;
pub mod issue;
pub mod peer;
pub mod register;
pub mod store;
pub mod trust;
mod verify;
pub mod web;

#[cfg(test)]
mod lab;

use std::fmt;

pub use acceptor::{Acceptor, Connection, Limits};
pub use certificate::{CertificateFault, not_after, oin_of};
pub use connect::{ConnectFault, connect, connect_lazy};
pub use peer::Peer;
pub use register::{
    Agreement, AgreementState, Contact, Function, Organisation, ReadAs, Register, RegisterFaults, RoleGrant,
    SigningKey, SourceEndpoint,
};
use serde::{Deserialize, Serialize};
pub use store::TrustStore;
pub use trust::{Trust, TrustFault, TrustFiles};

use crate::domain::Oin;

/// Whether a gateway serves tests or real people. It decides which data is accepted and skips no check (P12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GatewayKind {
    /// Test OINs, test BSNs and example policies only.
    Test,
    /// None of these.
    Production,
}

impl GatewayKind {
    /// By the name of a gateway's log, and by nothing else (P12).
    #[must_use]
    pub fn of_origin(origin: &str) -> Self {
        if origin.starts_with("test.") { Self::Test } else { Self::Production }
    }

    /// The kind of gateway that an organisation with this number can take part in.
    #[must_use]
    pub fn of_oin(oin: &Oin) -> Self {
        if oin.is_test() { Self::Test } else { Self::Production }
    }
}

impl fmt::Display for GatewayKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Test => "test",
            Self::Production => "production",
        })
    }
}
