//! Standard base64 with padding, one text for each sequence of bytes (RFC 4648, section 4).

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::tree::Hash;

pub fn encode(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// `None` for any other alphabet, padding or rest bits.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

pub fn hash(text: &str) -> Option<Hash> {
    decode(text)?.try_into().ok()
}
