//! How a grant names a person without naming him: SHA-256(salt, BSN).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{Context, SHA256};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::{Bsn, random};

/// Salt of one grant's binding. Whoever has it and the binding can try all numbers, so the gateway keeps it sealed
/// under the client's key, and it goes only to the grant's own source, with the call.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct BindingSalt([u8; 32]);

impl BindingSalt {
    /// A fresh salt.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn random() -> Result<Self, random::NoRandom> {
        Ok(Self(random::bytes()?))
    }

    /// From the bytes of a message.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, for the source and for sealing.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for BindingSalt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BindingSalt(redacted)")
    }
}

/// What stands in the grant for the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding([u8; 32]);

impl Binding {
    /// The binding of this person under this salt.
    #[must_use]
    pub fn of(salt: &BindingSalt, bsn: &Bsn) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&salt.0);
        context.update(bsn.reveal());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }

    /// Reads the base64url text of a grant.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// The base64url text of a grant.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binds_one_person_under_one_salt() {
        let (one, other) = (Bsn::parse("999990019").unwrap(), Bsn::parse("999993653").unwrap());
        let salt = BindingSalt::random().unwrap();
        let binding = Binding::of(&salt, &one);
        assert_eq!(Binding::parse(&binding.encode()), Some(binding));
        assert_ne!(Binding::of(&salt, &other), binding);
        assert_ne!(Binding::of(&BindingSalt::random().unwrap(), &one), binding);
    }
}
