//! Why handshakes fail, as counts. No certificate content is kept: it is unverified text from strangers.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use rustls::{CertificateError, Error};

use crate::identity::certificate::CertificateFault;

/// Why a connection was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HandshakeFailure {
    /// It took too long.
    TimedOut,
    /// No certificate was shown.
    NoCertificate,
    /// The certificate is of an authority that is not trusted.
    UnknownIssuer,
    /// The certificate has ended or not begun.
    OutOfDate,
    /// The certificate was revoked.
    Revoked,
    /// No fresh list says whether the certificate was revoked. The operator must act.
    RevocationUnknown,
    /// The certificate names no organisation.
    NoOin,
    /// The certificate is not for calling others, or faulty otherwise.
    BadCertificate,
    /// Not TLS 1.3 with HTTP/2.
    Protocol,
    /// The other side went away, or refused the gateway's certificate.
    Disconnected,
    /// There are as many open connections as may be.
    TooManyConnections,
}

impl HandshakeFailure {
    /// Every reason.
    pub const ALL: [Self; 11] = [
        Self::TimedOut,
        Self::NoCertificate,
        Self::UnknownIssuer,
        Self::OutOfDate,
        Self::Revoked,
        Self::RevocationUnknown,
        Self::NoOin,
        Self::BadCertificate,
        Self::Protocol,
        Self::Disconnected,
        Self::TooManyConnections,
    ];

    /// The name in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            Self::NoCertificate => "no_certificate",
            Self::UnknownIssuer => "unknown_issuer",
            Self::OutOfDate => "out_of_date",
            Self::Revoked => "revoked",
            Self::RevocationUnknown => "revocation_unknown",
            Self::NoOin => "no_oin",
            Self::BadCertificate => "bad_certificate",
            Self::Protocol => "protocol",
            Self::Disconnected => "disconnected",
            Self::TooManyConnections => "too_many_connections",
        }
    }

    /// What went wrong, from the error of a handshake.
    pub(super) fn of(fault: &io::Error) -> Self {
        match fault.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
            None | Some(Error::AlertReceived(_)) => Self::Disconnected,
            Some(Error::NoCertificatesPresented) => Self::NoCertificate,
            Some(Error::InvalidCertificate(fault)) => Self::of_certificate(fault),
            Some(_) => Self::Protocol,
        }
    }

    fn of_certificate(fault: &CertificateError) -> Self {
        use CertificateError as Fault;
        match fault {
            Fault::UnknownIssuer => Self::UnknownIssuer,
            Fault::Expired
            | Fault::ExpiredContext { .. }
            | Fault::NotValidYet
            | Fault::NotValidYetContext { .. } => Self::OutOfDate,
            Fault::Revoked => Self::Revoked,
            Fault::UnknownRevocationStatus
            | Fault::ExpiredRevocationList
            | Fault::ExpiredRevocationListContext { .. } => Self::RevocationUnknown,
            Fault::Other(other) if other.0.is::<CertificateFault>() => Self::NoOin,
            _ => Self::BadCertificate,
        }
    }
}

/// Counts since the start, by reason.
#[derive(Debug, Default)]
pub struct Failures([AtomicU64; HandshakeFailure::ALL.len()]);

impl Failures {
    pub(super) fn count(&self, failure: HandshakeFailure) {
        if let Some(counter) = self.0.get(failure as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often connections failed for this reason.
    #[must_use]
    pub fn of(&self, failure: HandshakeFailure) -> u64 {
        self.0.get(failure as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// Every reason with its count.
    pub fn iter(&self) -> impl Iterator<Item = (HandshakeFailure, u64)> + '_ {
        HandshakeFailure::ALL.into_iter().map(|failure| (failure, self.of(failure)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_a_counter_of_its_own() {
        let failures = Failures::default();
        for failure in HandshakeFailure::ALL {
            failures.count(failure);
        }
        assert!(failures.iter().all(|(_, count)| count == 1));
        let names: std::collections::BTreeSet<_> = HandshakeFailure::ALL.map(HandshakeFailure::as_str).into();
        assert_eq!(names.len(), HandshakeFailure::ALL.len());
    }
}
