//! The part of an entry that leads to a person: sealed under a key that can be destroyed (R20, P11).
//!
//! A client has one key per year; each entry has a key of its own, derived from it, so that opening one entry opens no
//! other. Destroying the client's key closes all of them for good, and the tree does not notice.

use std::fmt;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf,
};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::tree::{Hash, sha256};
use crate::domain::random::{self, NoRandom};

/// Sealed texts have a multiple of so many bytes, before the tag, so that their length tells nothing.
const BLOCK: usize = 256;
/// First byte of the padding; zeros follow.
const END: u8 = 0x80;
const ENTRY_INFO: &[u8] = b"sluis/v1/entry";

/// Why something cannot be sealed or opened. One reason for all that is wrong with a ciphertext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// Another key, another entry, or a changed byte.
    #[error("the sealed part does not open with this key")]
    Closed,
    /// The operating system gave no random bytes.
    #[error(transparent)]
    NoRandom(#[from] NoRandom),
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Zeroize, ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// From stored bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// A new random key.
            ///
            /// # Errors
            /// If the operating system gives no random bytes.
            pub fn random() -> Result<Self, NoRandom> {
                random::bytes().map(Self)
            }

            /// The key itself.
            #[must_use]
            pub const fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

secret!(
    /// Wraps the clients' keys where they are stored. It stays outside the database and its backups.
    MasterKey
);
secret!(
    /// Key of one client and year; destroying it is erasure.
    ClientKey
);
secret!(
    /// Key of the sealed part of one entry. It seals once: see [`seal`].
    EntryKey
);

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, SealFault> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| SealFault::Closed)
}

impl ClientKey {
    /// Key of one entry: HKDF-SHA256 without salt, `info` = `"sluis/v1/entry" ‖ id` (see
    /// [`entry_id`](super::leaf::entry_id)).
    ///
    /// # Errors
    /// None that can occur: the length asked is the hash's own.
    pub fn entry_key(&self, id: &[u8]) -> Result<EntryKey, SealFault> {
        let mut key = EntryKey([0; 32]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
            .extract(&self.0)
            .expand(&[ENTRY_INFO, id], hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key.0))
            .map_err(|_| SealFault::Closed)?;
        Ok(key)
    }

    /// For storing: AES-256-GCM under the master key. A random nonce of 12 bytes, then ciphertext and tag. `aad` says
    /// where it belongs, such as its row, so that no two can be swapped. One master key may wrap 2^32 times.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn wrap(&self, master: &MasterKey, aad: &[u8]) -> Result<Vec<u8>, SealFault> {
        let nonce: [u8; NONCE_LEN] = random::bytes()?;
        let mut key = Zeroizing::new(self.0);
        let tag = cipher(&master.0)?
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), key.as_mut())
            .map_err(|_| SealFault::Closed)?;
        Ok([nonce.as_slice(), key.as_slice(), tag.as_ref()].concat())
    }

    /// Opens what [`wrap`](Self::wrap) gave.
    ///
    /// # Errors
    /// [`SealFault::Closed`].
    pub fn unwrap(master: &MasterKey, aad: &[u8], wrapped: &[u8]) -> Result<Self, SealFault> {
        let (nonce, rest) = wrapped.split_first_chunk::<NONCE_LEN>().ok_or(SealFault::Closed)?;
        let mut bytes = Zeroizing::new(rest.to_vec());
        let key = cipher(&master.0)?
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut bytes)
            .map_err(|_| SealFault::Closed)?;
        <&[u8; 32]>::try_from(&*key).map(|key| Self(*key)).map_err(|_| SealFault::Closed)
    }
}

impl EntryKey {
    /// What the leaf commits to: `SHA-256(key)`. It may be stored beside the sealed part and tells nothing.
    #[must_use]
    pub fn hash(&self) -> Hash {
        sha256(&[&self.0])
    }
}

/// An entry key seals once, so its nonce need not vary: twelve zeros.
fn only_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// Seals what leads to a person, or nothing at all: AES-256-GCM with the entry's id as additional data and a nonce of
/// zeros. The plaintext is padded with `0x80` and zeros to the next multiple of 256 bytes; the tag follows.
///
/// INVARIANT: a key seals one text. It does, where the key is derived from the entry's id or random: an entry has one
/// text. An entry without a client takes [`EntryKey::random`], an empty text, and forgets the key, so that every leaf
/// has the same shape.
///
/// # Errors
/// If the text is longer than the cipher takes (64 GiB).
pub fn seal(key: &EntryKey, id: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, SealFault> {
    let padded = (plaintext.len() / BLOCK + 1) * BLOCK;
    let mut bytes = Vec::with_capacity(padded + AES_256_GCM.tag_len());
    bytes.extend(plaintext);
    bytes.push(END);
    bytes.resize(padded, 0);
    cipher(&key.0)?
        .seal_in_place_append_tag(only_nonce(), Aad::from(id), &mut bytes)
        .map_err(|_| SealFault::Closed)?;
    Ok(bytes)
}

/// Opens what [`seal`] gave. Check the leaf's commitment too: GCM alone lets one ciphertext open under two keys.
///
/// # Errors
/// [`SealFault::Closed`].
pub fn open(key: &EntryKey, id: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealFault> {
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let length = {
        let padded = cipher(&key.0)?
            .open_in_place(only_nonce(), Aad::from(id), &mut bytes)
            .map_err(|_| SealFault::Closed)?;
        let length = padded.iter().rposition(|byte| *byte != 0).ok_or(SealFault::Closed)?;
        let whole = !padded.is_empty() && padded.len().is_multiple_of(BLOCK);
        if !whole || padded.get(length) != Some(&END) || padded.len() - length > BLOCK {
            return Err(SealFault::Closed);
        }
        length
    };
    bytes.truncate(length);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_length_tells_nothing() {
        let lengths = |text: &[u8]| seal(&EntryKey::from_bytes([1; 32]), b"id", text).unwrap().len();
        assert_eq!([0, 1, 255].map(|n| lengths(&vec![b'x'; n])), [272; 3]);
        assert_eq!(lengths(&[b'x'; 256]), 528);
    }

    #[test]
    fn opens_with_its_own_key_for_its_own_entry() {
        let client = ClientKey::random().unwrap();
        let (key, other) = (client.entry_key(b"one").unwrap(), client.entry_key(b"two").unwrap());
        let sealed = seal(&key, b"one", b"who").unwrap();
        assert_eq!(open(&key, b"one", &sealed).unwrap().as_slice(), b"who");
        assert_eq!(open(&other, b"one", &sealed), Err(SealFault::Closed));
        assert_eq!(open(&key, b"two", &sealed), Err(SealFault::Closed));
        for bit in 0..sealed.len() * 8 {
            let mut wrong = sealed.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, b"one", &wrong).is_err());
        }
        assert!(open(&key, b"one", &[]).is_err());
    }

    #[test]
    fn other_padding_is_refused() {
        let key = EntryKey::from_bytes([1; 32]);
        let sealed = |padded: &[u8]| {
            let mut bytes = padded.to_vec();
            cipher(&key.0)
                .unwrap()
                .seal_in_place_append_tag(only_nonce(), Aad::from(b"id"), &mut bytes)
                .unwrap();
            open(&key, b"id", &bytes).map(|text| text.to_vec())
        };
        let with = |length: usize, end: usize, byte: u8| {
            let mut padded = vec![0; length];
            padded[end] = byte;
            padded
        };
        assert_eq!(sealed(&with(256, 3, END)), Ok(vec![0; 3]));
        for bad in [vec![], vec![0; 256], with(256, 3, 1), with(255, 3, END), with(512, 3, END)] {
            assert_eq!(sealed(&bad), Err(SealFault::Closed), "{} bytes", bad.len());
        }
    }

    #[test]
    fn the_entry_key_is_hkdf_as_everyone_has_it() {
        // HMAC(HMAC(zeros, key), info ‖ 0x01), the first block of RFC 5869.
        use ring::hmac;
        let step = |key: &[u8], data: &[u8]| {
            hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data).as_ref().to_vec()
        };
        let expected = step(&step(&[0; 32], &[5; 32]), b"sluis/v1/entryid\x01");
        let key = ClientKey::from_bytes([5; 32]).entry_key(b"id").unwrap();
        assert_eq!(key.expose().as_slice(), expected);
    }

    #[test]
    fn a_wrapped_key_opens_in_its_own_place() {
        let (master, client) = (MasterKey::random().unwrap(), ClientKey::random().unwrap());
        let wrapped = client.wrap(&master, b"row 1").unwrap();
        assert_ne!(wrapped, client.wrap(&master, b"row 1").unwrap());
        assert_eq!(ClientKey::unwrap(&master, b"row 1", &wrapped).unwrap().expose(), client.expose());
        assert!(ClientKey::unwrap(&master, b"row 2", &wrapped).is_err());
        assert!(ClientKey::unwrap(&MasterKey::random().unwrap(), b"row 1", &wrapped).is_err());
        for short in [0, 12, 59] {
            assert!(ClientKey::unwrap(&master, b"row 1", &wrapped[..short]).is_err());
        }
    }

    #[test]
    fn keys_do_not_show() {
        let shown = format!("{:?}{:?}", ClientKey::from_bytes([65; 32]), EntryKey::from_bytes([65; 32]));
        assert_eq!(shown, "ClientKey(redacted)EntryKey(redacted)");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in prop::collection::vec(any::<u8>(), 0..600)) {
            let key = EntryKey::from_bytes([3; 32]);
            let opened = open(&key, b"id", &seal(&key, b"id", &text).unwrap()).unwrap();
            prop_assert_eq!(opened.as_slice(), text);
        }
    }
}
