//! Kinds of organisation, and the roles that their people act in.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A kind of organisation that can be admitted. Employers, insurers and the police are none of them (R24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrganisationKind {
    /// A municipality (gemeente).
    Gemeente,
    /// The benefits agency UWV.
    Uwv,
    /// A mental-health institution (GGZ-instelling).
    Ggz,
    /// The operator of a gateway, for its own privacy officer.
    Gateway,
}

impl OrganisationKind {
    /// The name in files and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gemeente => "gemeente",
            Self::Uwv => "uwv",
            Self::Ggz => "ggz",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for OrganisationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A role from the closed list. A request, a grant and a policy all name exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// Municipal case manager (klantmanager).
    #[serde(rename = "gem.klantmanager")]
    GemKlantmanager,
    /// Municipal job coach.
    #[serde(rename = "gem.jobcoach")]
    GemJobcoach,
    /// Municipal account manager for employers. Never an employer.
    #[serde(rename = "gem.accounthouder")]
    GemAccounthouder,
    /// UWV labour expert (arbeidsdeskundige).
    #[serde(rename = "uwv.arbeidsdeskundige")]
    UwvArbeidsdeskundige,
    /// UWV work adviser (adviseur werk).
    #[serde(rename = "uwv.adviseur")]
    UwvAdviseur,
    /// GGZ employment specialist (trajectbegeleider).
    #[serde(rename = "ggz.trajectbegeleider")]
    GgzTrajectbegeleider,
}

/// The text names no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a role of the closed list")]
pub struct RoleFault;

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::GemKlantmanager,
        Self::GemJobcoach,
        Self::GemAccounthouder,
        Self::UwvArbeidsdeskundige,
        Self::UwvAdviseur,
        Self::GgzTrajectbegeleider,
    ];

    /// The name in requests, files and policies.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GemKlantmanager => "gem.klantmanager",
            Self::GemJobcoach => "gem.jobcoach",
            Self::GemAccounthouder => "gem.accounthouder",
            Self::UwvArbeidsdeskundige => "uwv.arbeidsdeskundige",
            Self::UwvAdviseur => "uwv.adviseur",
            Self::GgzTrajectbegeleider => "ggz.trajectbegeleider",
        }
    }

    /// What clients read for it, in Dutch.
    #[must_use]
    pub const fn label_nl(self) -> &'static str {
        match self {
            Self::GemKlantmanager => "klantmanager",
            Self::GemJobcoach => "jobcoach",
            Self::GemAccounthouder => "accounthouder voor werkgevers",
            Self::UwvArbeidsdeskundige => "arbeidsdeskundige",
            Self::UwvAdviseur => "adviseur werk",
            Self::GgzTrajectbegeleider => "trajectbegeleider",
        }
    }

    /// What clients read for it, in English.
    #[must_use]
    pub const fn label_en(self) -> &'static str {
        match self {
            Self::GemKlantmanager => "case manager",
            Self::GemJobcoach => "job coach",
            Self::GemAccounthouder => "account manager for employers",
            Self::UwvArbeidsdeskundige => "labour expert",
            Self::UwvAdviseur => "work adviser",
            Self::GgzTrajectbegeleider => "employment guide",
        }
    }

    /// The kind of organisation whose people can have it.
    #[must_use]
    pub const fn kind(self) -> OrganisationKind {
        match self {
            Self::GemKlantmanager | Self::GemJobcoach | Self::GemAccounthouder => OrganisationKind::Gemeente,
            Self::UwvArbeidsdeskundige | Self::UwvAdviseur => OrganisationKind::Uwv,
            Self::GgzTrajectbegeleider => OrganisationKind::Ggz,
        }
    }
}

impl FromStr for Role {
    type Err = RoleFault;

    fn from_str(text: &str) -> Result<Self, RoleFault> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(RoleFault)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
