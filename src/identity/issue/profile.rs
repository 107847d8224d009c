//! What to issue, as a file: the profile of the example certificates.

use serde::Deserialize;

use super::Usage;
use crate::domain::Oin;

/// A file that says which certificates a test environment has.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Name of the authority, without the word TEST that is put before it.
    pub authority: String,
    /// The certificates.
    #[serde(rename = "certificate")]
    pub certificates: Vec<ProfileEntry>,
}

/// One certificate of a profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileEntry {
    /// Name of its files, without extension.
    pub file: String,
    /// The organisation's number, a test number.
    pub oin: Oin,
    /// The organisation's name.
    pub organisation: String,
    /// Name of the system.
    pub common_name: String,
    /// Host names and addresses of the system; none for one that only calls.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// What it is for.
    pub usage: Usage,
}

/// The profile is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum ProfileFault {
    /// Not the expected TOML.
    #[error("the profile cannot be read: {0}")]
    Syntax(#[from] toml::de::Error),
    /// A number that could be a real organisation's.
    #[error(
        "`{0}` is not a test number (prefix 00000099); certificates of real organisations come from PKIoverheid"
    )]
    NotATestNumber(Oin),
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, ProfileFault> {
        let profile: Self = toml::from_str(text)?;
        for entry in &profile.certificates {
            must_be_test(entry.oin)?;
        }
        Ok(profile)
    }
}

/// A test authority vouches for test numbers only (P12).
///
/// # Errors
/// If it is not one.
pub fn must_be_test(oin: Oin) -> Result<(), ProfileFault> {
    if oin.is_test() { Ok(()) } else { Err(ProfileFault::NotATestNumber(oin)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p12_the_shipped_profile_has_test_numbers_only() {
        let shipped = include_str!("../../../certs-example/profile.toml");
        assert!(Profile::parse(shipped).unwrap().certificates.len() >= 4);
        let real = shipped.replace("00000099000000004000", "00000001002220647000");
        assert!(matches!(Profile::parse(&real), Err(ProfileFault::NotATestNumber(_))));
        let unknown = shipped.replace("common_name", "cn");
        assert!(matches!(Profile::parse(&unknown), Err(ProfileFault::Syntax(_))));
    }
}
