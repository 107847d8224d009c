//! The closed catalogue of work capacity (R03, R04), derived from `proto/sluis/v1/work_capacity_<group>.proto`.
//!
//! Messages are built up from a [`Mask`], never cut down (P02), and every value is checked on the way in and out.

mod checks;
mod entry;
pub mod example;
mod mask;
mod parts;
mod paths;
pub mod release;
pub mod render;
mod statement;
mod together;

pub use checks::StatementFault;
pub use entry::{Coded, Entry, Form, Group, LeftOut, List, Part, Sensitivity};
pub use mask::Mask;
pub use paths::{PathFault, codes, from_codes, from_paths, to_paths};
pub use statement::CheckedStatement;

use crate::proto;

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

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
        find(&BY_CODE, code)
    }

    /// The field at this path, `working_hours.hours_per_day`.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        find(&BY_PATH, path)
    }
}

fn find(table: &[(&str, Field)], text: &str) -> Option<Field> {
    let at = table.binary_search_by_key(&text, |(key, _)| key).ok()?;
    table.get(at).map(|(_, field)| *field)
}

/// The groups (rubrieken), in the order of the catalogue.
#[must_use]
pub fn groups() -> &'static [Group] {
    &GROUPS
}

/// MD: what comes with each group and cannot be asked alone (herkomst).
#[must_use]
pub fn metadata() -> &'static [Entry] {
    &METADATA
}

/// The code lists, sorted by name.
#[must_use]
pub fn lists() -> &'static [&'static List] {
    &LISTS
}

/// Rows that could be carried once a question is answered.
#[must_use]
pub fn open() -> &'static [LeftOut] {
    &OPEN
}

/// Rows that are never carried (SX).
#[must_use]
pub fn never_carried() -> &'static [LeftOut] {
    &NEVER
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

#[cfg(test)]
mod tests;
