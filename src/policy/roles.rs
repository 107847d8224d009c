//! The catalogue of roles (rollen), from `roles.toml`: what people read about the closed list of the program.

use serde::Deserialize;

use super::{
    fault::{PolicyFault, Problem},
    files::{ROLES, line_at},
};
use crate::domain::Role;

/// A role as people read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleEntry {
    /// The role.
    pub role: Role,
    /// What its people do, in a Dutch sentence.
    pub does_nl: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    #[serde(default)]
    role: Vec<Raw>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    kind: String,
    label_nl: String,
    label_en: String,
    does_nl: String,
}

/// Reads the catalogue: every role of the program once, and nothing else.
pub(super) fn parse(text: &str, faults: &mut Vec<PolicyFault>) -> Vec<RoleEntry> {
    let catalogue: Catalogue = match toml::from_str(text) {
        Ok(catalogue) => catalogue,
        Err(error) => {
            let line = line_at(text, error.span().map_or(0, |span| span.start));
            faults.push(
                PolicyFault::new(ROLES, Problem::Syntax(error.message().trim_end().to_owned())).at(line),
            );
            return Vec::new();
        }
    };
    let mut entries: Vec<RoleEntry> = Vec::new();
    let mut fault = |problem| faults.push(PolicyFault::new(ROLES, problem));
    for raw in catalogue.role {
        let Ok(role) = raw.name.parse::<Role>() else {
            fault(Problem::RoleNotOfTheProgram(raw.name));
            continue;
        };
        // The labels stand in letters to clients too: one text for both.
        let same = (raw.kind.as_str(), raw.label_nl.as_str(), raw.label_en.as_str())
            == (role.kind().as_str(), role.label_nl(), role.label_en());
        if !same || raw.does_nl.trim().is_empty() {
            fault(Problem::RoleDiffers(role));
        } else if entries.iter().any(|entry| entry.role == role) {
            fault(Problem::RoleDuplicate(role));
        } else {
            entries.push(RoleEntry { role, does_nl: raw.does_nl });
        }
    }
    if faults.is_empty() {
        let listed = |role: &Role| entries.iter().any(|entry| entry.role == *role);
        faults.extend(
            Role::ALL
                .into_iter()
                .filter(|role| !listed(role))
                .map(|role| PolicyFault::new(ROLES, Problem::RoleMissing(role))),
        );
    }
    entries
}
