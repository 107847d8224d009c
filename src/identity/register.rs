//! The register: who takes part (deelnemers), with which functions and roles, under which agreements (convenanten).
//!
//! Two TOML files, read and judged as a whole. A register that exists is one in which every rule below holds.

mod agreements;
mod faults;
mod forms;
mod participants;
mod text;

use std::{fs, path::Path};

pub use agreements::{Agreement, AgreementState, REVIEW_WARNING_DAYS};
pub use faults::{RegisterFault, RegisterFaults, RegisterFile};
pub use forms::PrintedForm;
pub use participants::{Contact, Function, Organisation, RoleGrant, SigningKey, SourceEndpoint};

use super::GatewayKind;
use crate::domain::Oin;

/// Everybody who takes part, and what was agreed between them.
#[derive(Clone, Debug)]
pub struct Register {
    organisations: Vec<Organisation>,
    agreements: Vec<Agreement>,
    hash: String,
}

impl Register {
    /// Reads both files.
    ///
    /// # Errors
    /// Every fault in them, each with its file and item.
    pub fn load(participants: &Path, agreements: &Path, kind: GatewayKind) -> Result<Self, RegisterFaults> {
        let mut faults = RegisterFaults::default();
        let mut read = |file, path: &Path| {
            fs::read_to_string(path).unwrap_or_else(|fault| {
                faults.add(file, path.display(), format_args!("cannot be read: {fault}"));
                String::new()
            })
        };
        let participants = read(RegisterFile::Participants, participants);
        let agreements = read(RegisterFile::Agreements, agreements);
        faults.none()?;
        Self::parse(&participants, &agreements, kind)
    }

    /// Reads both texts.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn parse(participants: &str, agreements: &str, kind: GatewayKind) -> Result<Self, RegisterFaults> {
        let mut faults = RegisterFaults::default();
        let organisations = participants::parse(participants, kind, &mut faults);
        // Parties are looked up among sound participants only: one mistake there should not show up twice.
        let known = faults.is_empty().then_some(organisations.as_slice());
        let found = agreements::parse(agreements, known, &mut faults);
        faults.none()?;
        Ok(Self { organisations, agreements: found, hash: hash(participants, agreements) })
    }

    /// The organisation with this number, if it takes part.
    #[must_use]
    pub fn organisation(&self, oin: &Oin) -> Option<&Organisation> {
        self.organisations.iter().find(|organisation| organisation.oin == *oin)
    }

    /// Everybody who takes part, in the order of the file.
    #[must_use]
    pub fn organisations(&self) -> &[Organisation] {
        &self.organisations
    }

    /// What was agreed with this requester, whatever its state.
    pub fn agreements(&self, requester: Oin) -> impl Iterator<Item = &Agreement> {
        self.agreements.iter().filter(move |agreement| agreement.requester == requester)
    }

    /// Every agreement, in the order of the file.
    #[must_use]
    pub fn all_agreements(&self) -> &[Agreement] {
        &self.agreements
    }

    /// `sha256:` and the hash, in hex, of the participants file followed by the agreements file.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }
}

fn hash(participants: &str, agreements: &str) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(participants.as_bytes());
    context.update(agreements.as_bytes());
    format!("sha256:{}", hex::encode(context.finish()))
}

#[cfg(test)]
mod tests;
