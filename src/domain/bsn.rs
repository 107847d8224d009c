//! The citizen service number (burgerservicenummer).

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A valid BSN: nine digits that pass the elfproef. It has no `Display` and no `Serialize`, prints redacted, and wipes
/// itself: a BSN is in nothing the gateway writes (P08).
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Bsn([u8; 9]);

/// Why a text is not a BSN. Says nothing of the text itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BsnFault {
    /// Not nine characters. Eight-digit numbers must be written with their leading zero.
    #[error("must have nine digits")]
    Length,
    /// A character that is not a digit.
    #[error("must consist of digits")]
    NotDigits,
    /// Nine zeros: passes the sum, and is nobody's.
    #[error("must not be all zeros")]
    AllZeros,
    /// The weighted sum is not a multiple of eleven.
    #[error("must pass the elfproef")]
    Elfproef,
}

impl Bsn {
    /// Reads a BSN.
    ///
    /// # Errors
    /// Says which check failed.
    pub fn parse(text: &str) -> Result<Self, BsnFault> {
        let digits: [u8; 9] = text.as_bytes().try_into().map_err(|_| BsnFault::Length)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(BsnFault::NotDigits);
        }
        if digits.iter().all(|digit| *digit == b'0') {
            return Err(BsnFault::AllZeros);
        }
        // Weights 9, 8, ... 2 and -1 for the last digit.
        let weights = [9, 8, 7, 6, 5, 4, 3, 2, -1];
        let sum: i32 =
            digits.iter().zip(weights).map(|(digit, weight)| i32::from(digit - b'0') * weight).sum();
        if sum % 11 != 0 {
            return Err(BsnFault::Elfproef);
        }
        Ok(Self(digits))
    }

    /// Whether it lies in the range for tests, which is given to nobody: 9999 and five digits.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.0.starts_with(b"9999")
    }

    /// The nine digits, for the keyed hash and for the call to a source. Never for anything that is written.
    #[must_use]
    pub fn reveal(&self) -> &[u8; 9] {
        &self.0
    }

    /// The nine digits as text, for the call to a source.
    #[must_use]
    pub fn reveal_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl fmt::Debug for Bsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bsn(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_valid_numbers_only() {
        assert!(Bsn::parse("123456782").is_ok());
        assert!(Bsn::parse("999990019").unwrap().is_test());
        for (text, fault) in [
            ("12345678", BsnFault::Length),
            ("1234567820", BsnFault::Length),
            ("12345678a", BsnFault::NotDigits),
            ("000000000", BsnFault::AllZeros),
            ("123456789", BsnFault::Elfproef),
        ] {
            assert_eq!(Bsn::parse(text).unwrap_err(), fault, "{text}");
        }
    }

    #[test]
    fn p08_debug_is_redacted() {
        assert_eq!(format!("{:?}", Bsn::parse("123456782").unwrap()), "Bsn(redacted)");
    }
}
