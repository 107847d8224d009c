//! The proof record: that a solver has shown of exactly these files that the rules keep to the invariants. A gateway needs
//! no solver; it reads the record, which the owners sign together with the files that it is about (P10).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{PolicySet, prove::Proven};
use crate::domain::{Day, time::parse_day};

/// Version of the format.
const FORMAT: u32 = 1;

/// What was proven, of which files, by what and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofRecord {
    format: u32,
    /// Hash of the files that decide: [`PolicySet::hash`].
    pub set: String,
    /// The solver, as it names itself.
    pub solver: String,
    /// What put the questions to it.
    pub prover: String,
    /// The day.
    pub proven_on: String,
    /// Invariants that everything keeps to which the rules permit.
    pub invariants: Vec<String>,
    /// Rules that never give an error.
    pub never_errors: Vec<String>,
    /// The difference from the set before; none for a first set.
    pub change: Option<ProvenChange>,
}

/// What changed, as those who signed it saw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenChange {
    /// Hash of the set before.
    pub against: String,
    /// Whether it is proven that the new set allows no more than that one.
    pub allows_no_more: bool,
    /// What only the new one allows.
    pub wider: Vec<String>,
    /// What only the old one allows.
    pub narrower: Vec<String>,
}

/// What is wrong with a proof record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// It does not parse.
    #[error("does not parse: {0}")]
    Syntax(String),
    /// Of a version that this program does not know.
    #[error("has the format {0}, and this program reads {FORMAT}")]
    Format(u32),
    /// Of other files.
    #[error(
        "is a proof of {of}, and these policies are {are}: prove them anew with `sluis policy prove` (P10)"
    )]
    OtherSet {
        /// What it is a proof of.
        of: String,
        /// The files that are there.
        are: String,
    },
    /// It leaves an invariant out.
    #[error("does not prove `{0}` (P10)")]
    InvariantMissing(String),
    /// It leaves a rule out.
    #[error("does not prove that `{0}` never gives an error (P10)")]
    RuleMissing(String),
    /// It says that a change allows no more, and lists what it does.
    #[error("says that the change allows no more, and lists {0} that it does (P10)")]
    Contradiction(usize),
}

impl ProofRecord {
    /// The record of what was proven.
    #[must_use]
    pub fn of(proven: &Proven, today: Day) -> Self {
        Self {
            format: FORMAT,
            set: proven.set.clone(),
            solver: proven.solver.clone(),
            prover: proven.prover.clone(),
            proven_on: today.to_string(),
            invariants: proven.invariants.clone(),
            never_errors: proven.never_errors.clone(),
            change: proven.change.clone(),
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, ProofFault> {
        let record: Self = toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = super::files::line_at(text, error.span().map_or(0, |span| span.start));
            ProofFault::Syntax(format!("line {line}: {}", error.message()))
        })?;
        if record.format != FORMAT {
            return Err(ProofFault::Format(record.format));
        }
        match parse_day(&record.proven_on) {
            Ok(_) => Ok(record),
            Err(_) => Err(ProofFault::Syntax(format!("`{}` is no day", record.proven_on))),
        }
    }

    /// As it stands in `proof.toml`.
    #[must_use]
    pub fn text(&self) -> String {
        let head = "# What `sluis policy prove` has shown of these policies. Not for editing: a gateway compares it with the files.\n";
        // A record of texts, lists and truths always has a TOML form.
        format!("{head}{}", toml::to_string(self).unwrap_or_default())
    }

    /// Whether it is a proof of exactly this set, with every invariant and every rule.
    ///
    /// # Errors
    /// What it is not a proof of.
    pub fn covers(&self, set: &PolicySet) -> Result<(), ProofFault> {
        if self.set != set.hash() {
            return Err(ProofFault::OtherSet { of: self.set.clone(), are: set.hash().to_owned() });
        }
        let lacking = |proven: &[String], mut all: Vec<String>| {
            let proven: BTreeSet<_> = proven.iter().collect();
            all.retain(|id| !proven.contains(id));
            all.into_iter().next()
        };
        if let Some(id) = lacking(&self.invariants, set.invariants().collect()) {
            return Err(ProofFault::InvariantMissing(id));
        }
        if let Some(id) = lacking(&self.never_errors, set.engine.rules().into_keys().collect()) {
            return Err(ProofFault::RuleMissing(id));
        }
        match &self.change {
            Some(change) if change.allows_no_more && !change.wider.is_empty() => {
                Err(ProofFault::Contradiction(change.wider.len()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
