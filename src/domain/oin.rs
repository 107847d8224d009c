//! The organisation identification number (Organisatie-identificatienummer, OIN) of Logius.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A well-formed OIN: 20 positions with a prefix that Logius has issued.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oin([u8; 20]);

/// Why a text is not an OIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OinFault {
    /// Not twenty positions.
    #[error("an OIN has 20 positions")]
    Length,
    /// A character that no OIN has.
    #[error("an OIN consists of digits, with capital letters only in its main number")]
    Character,
    /// The first eight positions name no register.
    #[error("the first eight positions are no prefix that Logius has issued")]
    Prefix,
    /// The last three positions are not zeros.
    #[error("an OIN ends in three zeros")]
    Suffix,
}

const TEST_PREFIX: &str = "00000099";
/// RSIN, FI, KVK, SubOIN, Logius, BRIN, foreign, UZI register, TRR-BD, test.
const PREFIXES: [&str; 10] = [
    "00000001",
    "00000002",
    "00000003",
    "00000004",
    "00000006",
    "00000007",
    "00000008",
    "00000009",
    "00000010",
    TEST_PREFIX,
];

impl Oin {
    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // INVARIANT: only ASCII gets in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether it is a test number (prefix 00000099), valid on a test gateway only.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.as_str().starts_with(TEST_PREFIX)
    }
}

impl FromStr for Oin {
    type Err = OinFault;

    fn from_str(text: &str) -> Result<Self, OinFault> {
        let positions: [u8; 20] = text.as_bytes().try_into().map_err(|_| OinFault::Length)?;
        let (prefix, rest) = text.split_at_checked(8).ok_or(OinFault::Character)?;
        if !prefix.bytes().all(|c| c.is_ascii_digit())
            || !rest.bytes().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase())
        {
            return Err(OinFault::Character);
        }
        if !PREFIXES.contains(&prefix) {
            return Err(OinFault::Prefix);
        }
        if !rest.ends_with("000") {
            return Err(OinFault::Suffix);
        }
        Ok(Self(positions))
    }
}

impl TryFrom<String> for Oin {
    type Error = OinFault;

    fn try_from(text: String) -> Result<Self, OinFault> {
        text.parse()
    }
}

impl From<Oin> for String {
    fn from(oin: Oin) -> Self {
        oin.as_str().to_owned()
    }
}

impl fmt::Display for Oin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Oin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oin({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_positions_prefix_and_suffix() {
        assert!("00000001002220647000".parse::<Oin>().is_ok());
        assert!("00000004114202890000".parse::<Oin>().is_ok());
        assert!("00000099000000001000".parse::<Oin>().unwrap().is_test());
        for (text, fault) in [
            ("0000000100222064700", OinFault::Length),
            ("0000000100222064700x", OinFault::Character),
            ("00000055002220647000", OinFault::Prefix),
            ("00000001002220647001", OinFault::Suffix),
        ] {
            assert_eq!(text.parse::<Oin>().unwrap_err(), fault, "{text}");
        }
    }
}
