//! Random ids. All are version 4 UUIDs: an ordered id would show when, and a free text could carry content.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not a random UUID in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a random UUID (version 4) in lower case with hyphens")]
pub struct IdFault;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Uuid);

        impl $name {
            /// A new random id.
            #[must_use]
            pub fn random() -> Self {
                Self(Uuid::new_v4())
            }

            /// The sixteen bytes.
            #[must_use]
            pub fn bytes(&self) -> [u8; 16] {
                self.0.into_bytes()
            }

            /// From stored bytes.
            ///
            /// # Errors
            /// If there are not sixteen.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdFault> {
                Uuid::from_slice(bytes).map(Self).map_err(|_| IdFault)
            }
        }

        impl FromStr for $name {
            type Err = IdFault;

            fn from_str(text: &str) -> Result<Self, IdFault> {
                let id = Uuid::try_parse(text).map_err(|_| IdFault)?;
                if id.get_version_num() != 4 || id.hyphenated().to_string() != text {
                    return Err(IdFault);
                }
                Ok(Self(id))
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdFault;

            fn try_from(text: String) -> Result<Self, IdFault> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

id!(
    /// A requester's id of one request; used once.
    RequestId
);
id!(
    /// A requester's pseudonym of the user who asks.
    UserId
);
id!(
    /// A requester's case (zaak).
    CaseId
);
id!(
    /// A signed form.
    FormId
);
id!(
    /// A grant on a form.
    GrantId
);
id!(
    /// Binds the `request` and the `outcome` entry of one call; other entries have one of their own.
    PairId
);
id!(
    /// A client inside this gateway. It leads to a BSN only through the index key.
    SubjectId
);
id!(
    /// One question to one source.
    QueryId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_random_lower_case_uuids() {
        let id = RequestId::random();
        assert_eq!(id.to_string().parse::<RequestId>(), Ok(id));
        for text in [
            "",
            "F47AC10B-58CC-4372-A567-0E02B2C3D479",
            "f47ac10b58cc4372a5670e02b2c3d479",
            "018f3d2e-7b1a-7c3d-8e4f-5a6b7c8d9e0f",
            "Jan heeft een depressie",
        ] {
            assert!(text.parse::<RequestId>().is_err(), "{text}");
        }
    }
}
