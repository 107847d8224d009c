//! What is wrong with a register: all of it, so that it is mended in one go.

use std::fmt;

/// One of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterFile {
    /// Who takes part.
    Participants,
    /// What they agreed.
    Agreements,
}

impl fmt::Display for RegisterFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Participants => "participants",
            Self::Agreements => "agreements",
        })
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterFault {
    /// Where.
    pub file: RegisterFile,
    /// With which item: `organisation 2 (00000099000000003000)`.
    pub item: String,
    /// What is wrong, and what would be accepted.
    pub what: String,
}

impl fmt::Display for RegisterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.file, self.item, self.what)
    }
}

/// Everything that is wrong with a register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterFaults(Vec<RegisterFault>);

impl RegisterFaults {
    pub(super) fn add(&mut self, file: RegisterFile, item: impl fmt::Display, what: impl fmt::Display) {
        self.0.push(RegisterFault { file, item: item.to_string(), what: what.to_string() });
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn none(&self) -> Result<(), Self> {
        if self.is_empty() { Ok(()) } else { Err(self.clone()) }
    }

    /// Each fault.
    pub fn iter(&self) -> impl Iterator<Item = &RegisterFault> {
        self.0.iter()
    }
}

impl fmt::Display for RegisterFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RegisterFaults {}

/// Collects the faults of one item.
#[derive(Debug)]
pub(super) struct Item<'a> {
    file: RegisterFile,
    name: String,
    faults: &'a mut RegisterFaults,
    clean: bool,
}

impl<'a> Item<'a> {
    pub(super) fn new(file: RegisterFile, name: impl fmt::Display, faults: &'a mut RegisterFaults) -> Self {
        Self { file, name: name.to_string(), faults, clean: true }
    }

    pub(super) fn fault(&mut self, what: impl fmt::Display) {
        self.clean = false;
        self.faults.add(self.file, &self.name, what);
    }

    /// Whether nothing was wrong with it so far.
    pub(super) const fn is_clean(&self) -> bool {
        self.clean
    }

    /// A fault unless it holds.
    pub(super) fn must(&mut self, holds: bool, what: impl fmt::Display) {
        if !holds {
            self.fault(what);
        }
    }

    /// The value, or a fault about this key.
    pub(super) fn take<T, E: fmt::Display>(&mut self, key: &str, value: Result<T, E>) -> Option<T> {
        value.map_err(|fault| self.fault(format_args!("`{key}` {fault}"))).ok()
    }
}
