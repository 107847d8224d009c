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

/// For `#[serde(with = "b64::field")]` on bytes that may be absent.
pub mod field {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::{decode, encode};

    #[expect(clippy::ref_option, reason = "the form that serde asks for")]
    pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        match bytes {
            Some(bytes) => to.serialize_str(&encode(bytes)),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text = String::deserialize(from)?;
        decode(&text).map(Some).ok_or_else(|| D::Error::custom("not base64"))
    }
}
