//! The closed catalogue of work capacity (R03, R04), derived from `proto/sluis/v1/work_capacity.proto`.
//!
//! Messages are built up from a [`Mask`], never cut down (P02), and every value is checked on the way in and out.

mod checks;
mod mask;
mod medical;
mod paths;

pub use checks::StatementFault;
pub use mask::Mask;
pub use medical::looks_medical;
pub use paths::{PathFault, codes, from_codes, from_paths, to_paths};

use crate::proto;

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// How revealing a field is (gevoeligheid).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensitivity {
    /// Ordinary personal data.
    S0,
    /// Health data by inference; granted within its group.
    S1,
    /// Strongly revealing; needs a tick of its own.
    S2,
}

/// What the catalogue says of a field.
#[derive(Debug)]
pub struct Entry {
    /// Stable code, `WT-02`.
    pub code: &'static str,
    /// Path in `WorkCapacity`, `working_hours.hours_per_day`.
    pub path: &'static str,
    /// Path of its group, `working_hours`.
    pub group: &'static str,
    /// Dutch label.
    pub label_nl: &'static str,
    /// English label.
    pub label_en: &'static str,
    /// Instrument or law it comes from.
    pub origin: &'static str,
    /// ICF tags, or empty.
    pub icf: &'static str,
    /// How revealing it is.
    pub sensitivity: Sensitivity,
    /// The set that policies speak of.
    pub field_set: &'static str,
    /// Unit of a number, or empty.
    pub unit: &'static str,
}

impl Field {
    /// Its catalogue entry.
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "INVARIANT: the table and the enum are generated from the same rows"
    )]
    pub fn entry(self) -> &'static Entry {
        &ENTRIES[self as usize]
    }

    /// The field with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        ALL.into_iter().find(|field| field.entry().code == code)
    }
}

/// Names of the field sets that policies speak of, sorted.
#[must_use]
pub fn field_sets() -> Vec<&'static str> {
    let mut sets: Vec<_> = ENTRIES.iter().map(|entry| entry.field_set).collect();
    sets.sort_unstable();
    sets.dedup();
    sets
}

/// The fields of a field set; empty for an unknown name.
#[must_use]
pub fn field_set(name: &str) -> Mask {
    ALL.into_iter().filter(|field| field.entry().field_set == name).collect()
}

/// A source's statement whose every value was checked.
#[derive(Clone, Debug)]
pub struct CheckedStatement {
    message: proto::WorkCapacity,
    present: Mask,
}

impl CheckedStatement {
    /// Checks every value of a statement.
    ///
    /// # Errors
    /// Names the field whose value breaks the catalogue; the whole statement is refused then.
    pub fn new(message: proto::WorkCapacity) -> Result<Self, StatementFault> {
        let present = check(&message)?;
        Ok(Self { message, present })
    }

    /// The fields it holds.
    #[must_use]
    pub const fn present(&self) -> Mask {
        self.present
    }

    /// A new message with the fields of `mask` that the statement holds, and nothing else (P02).
    #[must_use]
    pub fn build(&self, mask: Mask) -> proto::WorkCapacity {
        build(mask, &self.message)
    }
}

#[cfg(test)]
mod tests;
