//! The trust that is in force now, replaced without dropping a call.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::trust::{Trust, TrustFault, TrustFiles};

/// Trust as it was loaded, and which time of loading that was.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) trust: Trust,
    pub(super) generation: u64,
    /// Of the files as they were; `None` if one could not be read for it.
    fingerprint: Option<[u8; 32]>,
}

/// Holds the current [`Trust`]. Connections that are open notice a reload by its generation.
#[derive(Debug)]
pub struct TrustStore {
    files: TrustFiles,
    current: ArcSwap<Loaded>,
}

impl TrustStore {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// As [`Trust::load`].
    pub fn load(files: TrustFiles) -> Result<Self, TrustFault> {
        let fingerprint = files.fingerprint();
        let trust = Trust::load(&files)?;
        let loaded = Loaded { trust, generation: 0, fingerprint };
        Ok(Self { files, current: ArcSwap::from_pointee(loaded) })
    }

    /// The trust in force.
    #[must_use]
    pub fn trust(&self) -> Trust {
        self.current.load().trust.clone()
    }

    /// Grows with every reload that found something else. A channel to somebody else was made under one generation; make a new one after it.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.current.load().generation
    }

    pub(super) fn loaded(&self) -> Arc<Loaded> {
        self.current.load_full()
    }

    /// Reads the files again. New connections and every next request on open ones go by the new trust. Files that are as
    /// they were change nothing.
    ///
    /// # Errors
    /// As [`Trust::load`], or if the certificate is of another organisation; what was in force stays in force then.
    pub fn reload(&self) -> Result<(), TrustFault> {
        // Before they are read to be used: a change in between shows the next time.
        let fingerprint = self.files.fingerprint();
        if fingerprint.is_some() && fingerprint == self.loaded().fingerprint {
            return Ok(());
        }
        let trust = Trust::load(&self.files)?;
        let (own, found) = (self.trust().oin(), trust.oin());
        if own != found {
            return Err(TrustFault::OtherOrganisation { own, found });
        }
        self.current.rcu(|old| Loaded {
            trust: trust.clone(),
            generation: old.generation.saturating_add(1),
            fingerprint,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::lab::{self, GATEWAY, GGZ, Party};

    #[test]
    fn a_bad_reload_leaves_the_old_in_force() {
        let party = Party::new(GATEWAY);
        let store = TrustStore::load(party.files.clone()).unwrap();
        store.reload().unwrap();
        assert_eq!(store.generation(), 0, "nothing has changed");
        let list = std::fs::read_to_string(party.path("crl.pem")).unwrap();
        lab::write(&party.path("crl.pem"), &format!("the same list\n{list}"));
        store.reload().unwrap();
        assert_eq!(store.generation(), 1);
        lab::write(&party.path("crl.pem"), "half a fi");
        assert!(matches!(store.reload(), Err(TrustFault::Malformed { .. })));
        assert_eq!(store.generation(), 1);
        assert_eq!(store.trust().oin().as_str(), GATEWAY);
    }

    #[test]
    fn a_reload_cannot_change_who_we_are() {
        let party = Party::new(GATEWAY);
        let store = TrustStore::load(party.files.clone()).unwrap();
        let other = lab::authority().issue(&lab::subject(GGZ)).unwrap();
        std::fs::write(party.path("own.pem"), &other.certificate_pem).unwrap();
        std::fs::write(party.path("own.key"), other.key_pem.as_bytes()).unwrap();
        assert!(matches!(store.reload(), Err(TrustFault::OtherOrganisation { .. })));
    }
}
