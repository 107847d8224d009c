//! The register: who takes part (deelnemers), with which functions and roles, under which agreements (convenanten).
//!
//! Two TOML files, read and judged as a whole. A register that exists is one in which every rule below holds.

mod agreements;
mod faults;
mod forms;
mod participants;
pub mod sign;
mod text;

use std::{fs, path::Path};

pub use agreements::{
    Agreement, AgreementSignature, AgreementState, Party, REVIEW_WARNING_DAYS, Signatures, Terms,
};
pub use faults::{RegisterFault, RegisterFaults, RegisterFile};
pub use forms::PrintedForm;
pub use participants::{Contact, Function, Organisation, RoleGrant, SigningKey, SourceEndpoint};

use super::GatewayKind;
use crate::domain::Oin;

/// Who reads the files. It decides which numbers and which agreements may stand in them (P12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadAs<'a> {
    /// The gateway with this `origin`, which is the region of every agreement.
    Gateway(&'a str),
    /// Somebody else, who knows of the gateway its kind alone: a source system, a party that signs.
    Party(GatewayKind),
}

impl ReadAs<'_> {
    /// The kind of the gateway that the files are of.
    #[must_use]
    pub fn kind(self) -> GatewayKind {
        match self {
            Self::Gateway(origin) => GatewayKind::of_origin(origin),
            Self::Party(kind) => kind,
        }
    }
}

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
    pub fn load(participants: &Path, agreements: &Path, read_as: ReadAs<'_>) -> Result<Self, RegisterFaults> {
        let (participants, agreements) = read_texts(participants, agreements)?;
        Self::parse(&participants, &agreements, read_as)
    }

    /// Reads both texts.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn parse(participants: &str, agreements: &str, read_as: ReadAs<'_>) -> Result<Self, RegisterFaults> {
        let Examined { organisations, agreements: found, faults } =
            Examined::of(participants, agreements, read_as);
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
        self.agreements.iter().filter(move |agreement| agreement.terms.requester == requester)
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

/// What a look at both files shows, where they are not sound as a whole too. It decides nothing: that is for a [`Register`].
#[derive(Debug)]
pub struct Examined {
    organisations: Vec<Organisation>,
    /// The agreements without a fault of their own.
    pub agreements: Vec<Agreement>,
    /// Everything that is wrong.
    pub faults: RegisterFaults,
}

impl Examined {
    /// Looks at both files.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn load(participants: &Path, agreements: &Path, read_as: ReadAs<'_>) -> Result<Self, RegisterFaults> {
        let (participants, agreements) = read_texts(participants, agreements)?;
        Ok(Self::of(&participants, &agreements, read_as))
    }

    fn of(participants: &str, agreements: &str, read_as: ReadAs<'_>) -> Self {
        let mut faults = RegisterFaults::default();
        let organisations = participants::parse(participants, read_as.kind(), &mut faults);
        // Parties are looked up among sound participants only: one mistake there should not show up twice.
        let known = faults.is_empty().then_some(organisations.as_slice());
        let drafts = agreements::drafts(agreements, known, read_as, &mut faults);
        let agreements = agreements::judge(drafts, known, &mut faults);
        Self { organisations, agreements, faults }
    }
}

fn read_texts(participants: &Path, agreements: &Path) -> Result<(String, String), RegisterFaults> {
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
    Ok((participants, agreements))
}

fn hash(participants: &str, agreements: &str) -> String {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(participants.as_bytes());
    context.update(agreements.as_bytes());
    format!("sha256:{}", hex::encode(context.finish()))
}

#[cfg(test)]
mod tests;
