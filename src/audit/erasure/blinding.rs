//! What hides a client in the order to erase him. The signed order stays in the log for good, beside the pairs of his entries,
//! and there are few enough numbers to try them all with the index key: without this nobody can tell which one it is about,
//! not even the gateway.

use std::{fmt, str::FromStr};

use ring::hmac;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::{OrderFault, fixed};
use crate::domain::random;

/// Before it in the file of an order.
const NAME: &str = "blinding ";

/// A random value that stands beside an order: in its file and in the call, and in no entry, table or log.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Blinding([u8; 32]);

impl Blinding {
    /// A new one.
    ///
    /// # Errors
    /// If the operating system gives no random bytes.
    pub fn random() -> Result<Self, random::NoRandom> {
        random::bytes().map(Self)
    }

    /// From its bytes; `None` if there are not 32.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes, for whoever draws up or carries out the order.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// What stands in the order in place of this [`erasure_key`](crate::subject::IndexKey::erasure_key).
    #[must_use]
    pub fn hide(&self, client: &[u8; 32]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        context.update(b"sluis/v1/erasure-client\0");
        context.update(client);
        let mut hidden = [0; 32];
        hidden.copy_from_slice(context.sign().as_ref());
        hidden
    }
}

impl fmt::Debug for Blinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Blinding(redacted)")
    }
}

/// An order as a file: a line with its blinding, and the note under it, signed or not yet. It goes once the order was carried
/// out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderFile {
    /// What hides the client.
    pub blinding: Blinding,
    /// The order, as far as it is signed.
    pub note: String,
}

impl fmt::Display for OrderFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{NAME}{}\n{}", hex::encode(self.blinding.bytes()), self.note)
    }
}

impl FromStr for OrderFile {
    type Err = OrderFault;

    fn from_str(text: &str) -> Result<Self, OrderFault> {
        let (first, note) = text.split_once('\n').ok_or(OrderFault::Form)?;
        let blinding = Blinding(fixed(first.strip_prefix(NAME).ok_or(OrderFault::Form)?)?);
        Ok(Self { blinding, note: note.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let file = OrderFile { blinding: Blinding([7; 32]), note: "an order\n".to_owned() };
        let text = file.to_string();
        assert_eq!(text.parse(), Ok(file));
        for wrong in ["", "blinding 07\nan order\n", "an order\n", text.trim_start_matches("blinding ")] {
            assert_eq!(wrong.parse::<OrderFile>(), Err(OrderFault::Form), "{wrong}");
        }
    }

    #[test]
    fn each_blinding_hides_a_client_in_a_way_of_its_own_and_is_not_shown() {
        let (first, second) = (Blinding([1; 32]), Blinding([2; 32]));
        assert_eq!(first.hide(&[7; 32]), first.clone().hide(&[7; 32]));
        assert_ne!(first.hide(&[7; 32]), second.hide(&[7; 32]));
        assert_ne!(first.hide(&[7; 32]), first.hide(&[8; 32]));
        assert_eq!(format!("{first:?}"), "Blinding(redacted)");
        assert_eq!(Blinding::from_bytes(&[1; 31]), None);
    }
}
