//! The organisation at the other end of a connection, asked again for every request.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rustls::pki_types::CertificateDer;

use super::{
    certificate::{self, CertificateFault},
    store::TrustStore,
};
use crate::domain::{Oin, Timestamp, refusal::RefusalCode};

/// How long a verification holds, in milliseconds, while nothing is reloaded. A list of revoked certificates that ends
/// in the meantime is noticed after this.
const RECHECK_AFTER_MILLIS: i64 = 60_000;

/// The last verification that succeeded.
#[derive(Clone, Copy)]
struct Verified {
    generation: u64,
    at: Timestamp,
}

/// Who called, by the certificate of the connection. HTTP/2 connections stay open for long, so a certificate that was
/// good in the handshake is verified again and again.
pub struct Peer {
    oin: Oin,
    not_after: Timestamp,
    chain: Vec<CertificateDer<'static>>,
    store: Arc<TrustStore>,
    verified: Mutex<Option<Verified>>,
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("oin", &self.oin).finish_non_exhaustive()
    }
}

impl Peer {
    /// From the chain that a handshake has verified.
    pub(super) fn new(
        chain: &[CertificateDer<'_>],
        store: Arc<TrustStore>,
    ) -> Result<Self, CertificateFault> {
        let first = chain.first().ok_or(CertificateFault::Unreadable)?;
        Ok(Self {
            oin: certificate::oin_of(first)?,
            not_after: certificate::not_after(first)?,
            chain: chain.iter().map(|certificate| certificate.clone().into_owned()).collect(),
            store,
            verified: Mutex::new(None),
        })
    }

    /// The organisation as the certificate names it, good or not. For counting what was turned away, and nothing else.
    #[must_use]
    pub const fn presented(&self) -> Oin {
        self.oin
    }

    /// The organisation that calls, if its certificate is good at this moment: in its dates, and verified against the
    /// current trust no longer than a minute ago.
    ///
    /// # Errors
    /// [`RefusalCode::CertificateNoLongerValid`] if it expired or was revoked, or its status is no longer known.
    pub fn identify(&self, now: Timestamp) -> Result<Oin, RefusalCode> {
        const REFUSED: RefusalCode = RefusalCode::CertificateNoLongerValid;
        if now > self.not_after {
            return Err(REFUSED);
        }
        let loaded = self.store.loaded();
        if !self.is_fresh(loaded.generation, now) {
            // Outside the lock: other requests of this connection verify for themselves meanwhile.
            if !loaded.trust.accepts(&self.chain, now) {
                return Err(REFUSED);
            }
            *self.verified.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(Verified { generation: loaded.generation, at: now });
        }
        Ok(self.oin)
    }

    fn is_fresh(&self, generation: u64, now: Timestamp) -> bool {
        let verified = *self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.is_some_and(|verified| {
            // A clock that was set back makes it stale too.
            verified.generation == generation
                && (0..RECHECK_AFTER_MILLIS).contains(&now.millis().saturating_sub(verified.at.millis()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{
        issue::{Issued, Revocation},
        lab::{self, GATEWAY, GEMEENTE, HOUR, Party},
    };

    fn peer(issued: &Issued, gateway: &Party) -> (Peer, Arc<TrustStore>) {
        let store = Arc::new(TrustStore::load(gateway.files.clone()).unwrap());
        (Peer::new(std::slice::from_ref(&issued.certificate), Arc::clone(&store)).unwrap(), store)
    }

    const REFUSED: Result<Oin, RefusalCode> = Err(RefusalCode::CertificateNoLongerValid);

    #[test]
    fn holds_until_the_certificate_ends() {
        let gateway = Party::new(GATEWAY);
        gateway.write_crl(&[], lab::Validity { until: lab::now().plus_millis(9 * HOUR), ..lab::validity() });
        let issued = lab::authority().issue(&lab::subject(GEMEENTE)).unwrap();
        let (peer, _) = peer(&issued, &gateway);
        let end = certificate::not_after(&issued.certificate).unwrap();
        assert_eq!(peer.identify(end).unwrap().as_str(), GEMEENTE);
        assert_eq!(peer.identify(end.plus_millis(1)), REFUSED);
    }

    #[test]
    fn a_list_that_ends_is_noticed_within_a_minute() {
        let gateway = Party::new(GATEWAY);
        let now = lab::now();
        gateway.write_crl(&[], lab::Validity { until: now.plus_millis(10_000), ..lab::validity() });
        let issued = lab::authority().issue(&lab::subject(GEMEENTE)).unwrap();
        let (peer, _) = peer(&issued, &gateway);
        assert!(peer.identify(now).is_ok());
        assert!(peer.identify(now.plus_millis(RECHECK_AFTER_MILLIS - 1)).is_ok());
        assert_eq!(peer.identify(now.plus_millis(RECHECK_AFTER_MILLIS)), REFUSED);
        // Back in time the list is good again, and this is looked at rather than remembered.
        assert!(peer.identify(now.plus_millis(-1)).is_ok());
    }

    #[test]
    fn a_reload_is_noticed_at_once() {
        let gateway = Party::new(GATEWAY);
        let issued = lab::authority().issue(&lab::subject(GEMEENTE)).unwrap();
        let (peer, store) = peer(&issued, &gateway);
        let now = lab::now();
        assert!(peer.identify(now).is_ok());
        gateway.write_crl(&[Revocation { serial: issued.serial.clone(), at: now }], lab::validity());
        assert!(peer.identify(now).is_ok(), "not before the reload");
        store.reload().unwrap();
        assert_eq!(peer.identify(now), REFUSED);
        gateway.write_crl(&[], lab::validity());
        store.reload().unwrap();
        assert!(peer.identify(now).is_ok(), "a refusal is not remembered");
    }

    #[test]
    fn prints_no_certificate() {
        let issued = lab::authority().issue(&lab::subject(GEMEENTE)).unwrap();
        let (peer, _) = peer(&issued, &Party::new(GATEWAY));
        assert_eq!(format!("{peer:?}"), format!("Peer {{ oin: Oin({GEMEENTE}), .. }}"));
    }
}
