//! Which client a key of the source's own system stands for. The source keeps this file; it goes nowhere.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    io::{self, BufRead},
};

use super::{
    fault::{Reason, Refusal},
    guard::{Expected, guard},
    lines::Lines,
    table::{BSN, Header, unnamed},
};
use crate::domain::Bsn;

const ID: &str = "id";

/// Clients by their keys.
#[derive(Default)]
pub struct Keys(HashMap<String, Bsn>);

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({} clients)", self.0.len())
    }
}

impl Keys {
    /// Reads a table with the columns `id` and `bsn`. A key with two clients, or a client with two keys, is refused.
    ///
    /// # Errors
    /// If the file cannot be read; or, inside, the line and what is wrong with it.
    pub fn read(reader: impl BufRead) -> io::Result<Result<Self, Refusal>> {
        let mut lines = Lines::new(reader);
        let mut header: Option<Header> = None;
        let (mut keys, mut clients) = (HashMap::new(), HashSet::new());
        while let Some((line, text)) = lines.next()? {
            let refused =
                |field: Option<String>, reason| Ok(Err(Refusal::of_file(Some(line), field, reason)));
            let text = match text {
                Ok(text) => text,
                Err(reason) => return refused(None, reason),
            };
            let Some(columns) = &header else {
                match Header::read(&text, &[ID, BSN], |name| [ID, BSN].contains(&name)) {
                    Ok(read) if read.columns().len() == 2 => header = Some(read),
                    Ok(_) => return refused(None, Reason::Unknown),
                    Err((at, reason)) => return refused(at.map(unnamed), reason),
                }
                continue;
            };
            let cells = match columns.cells(&text) {
                Ok(cells) => cells,
                Err(reason) => return refused(None, reason),
            };
            let (id, bsn) = (columns.cell(&cells, ID), columns.cell(&cells, BSN));
            for (column, cell, expected) in [(ID, id, Expected::Key), (BSN, bsn, Expected::Bsn)] {
                if let Some(detector) = guard(cell, expected) {
                    return refused(Some(column.to_owned()), Reason::Detected(detector));
                }
            }
            let bsn = match Bsn::parse(bsn) {
                Ok(bsn) if !id.is_empty() => bsn,
                Ok(_) => return refused(Some(ID.to_owned()), Reason::NoClient),
                Err(fault) => return refused(Some(BSN.to_owned()), fault.into()),
            };
            if !clients.insert(*bsn.reveal()) {
                return refused(Some(BSN.to_owned()), Reason::Twice);
            }
            if keys.insert(id.to_owned(), bsn).is_some() {
                return refused(Some(ID.to_owned()), Reason::Twice);
            }
        }
        if header.is_none() {
            return Ok(Err(Refusal::of_file(Some(1), None, Reason::NoColumn(ID))));
        }
        Ok(Ok(Self(keys)))
    }

    pub(super) fn bsn(&self, id: &str) -> Option<Bsn> {
        self.0.get(id).cloned()
    }

    /// How many clients it names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it names nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
