//! How a client is found without storing his number: a look-up tag, and keys of his own per year.
//!
//! The tag is `HMAC(index key, BSN)`. There are only about 91 million numbers that pass the elfproef, so whoever holds
//! the index key and the database holds them all: the index key is never in the database or its backups.

use std::fmt;

use ring::hmac;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::domain::{Bsn, FormId, Oin, RequestId};

pub mod keyring;

pub use keyring::{KeyRing, KeyRingFault};

/// Look-up tag of a client.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag([u8; 32]);

impl Tag {
    /// The bytes, for the store.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From stored bytes; `None` if there are not 32.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tag(redacted)")
    }
}

/// Key of the tags. Never stored beside the database.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct IndexKey([u8; 32]);

impl IndexKey {
    /// From its bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        for part in parts {
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.sign().as_ref());
        bytes
    }

    /// The tag of a person.
    #[must_use]
    pub fn tag(&self, bsn: &Bsn) -> Tag {
        Tag(self.mac(&[b"sluis/v1/tag\0", bsn.reveal()]))
    }

    /// What is kept of the form of an erased client, so that it is not recorded once more.
    #[must_use]
    pub fn form_key(&self, form: FormId) -> [u8; 32] {
        self.mac(&[b"sluis/v1/form\0", &form.bytes()])
    }

    /// What names a client in an order to erase him. Whoever has this key finds it for every number that there is, so it never
    /// stands there as it is: [`Blinding`](crate::audit::erasure::Blinding).
    #[must_use]
    pub fn erasure_key(&self, client: &Tag, order: &[u8; 16]) -> [u8; 32] {
        self.mac(&[b"sluis/v1/erasure\0", client.bytes(), order])
    }

    /// What is kept of a request id so that it is used once. Not the id itself: it leads to a client through the
    /// requester's own files.
    #[must_use]
    pub fn request_key(&self, requester: &Oin, id: &RequestId) -> [u8; 32] {
        self.mac(&[b"sluis/v1/request\0", requester.as_str().as_bytes(), &id.bytes()])
    }
}

impl fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IndexKey(redacted)")
    }
}
