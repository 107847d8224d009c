//! The statements that a source holds already, in the file of the reference source: what is in it stays, and groups are
//! added to it, client by client.

use std::{
    collections::HashMap,
    fmt, fs,
    io::{self, BufWriter, Write as _},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    draft::{from_json, shared_group, to_json, with_groups},
    fault::Reason,
};
use crate::{
    catalogue::CheckedStatement,
    domain::{Bsn, Day},
    proto,
    replace::{Readers, replace_with},
};

/// Why the file of statements cannot be added to. Items are named by their number.
#[derive(Debug, thiserror::Error)]
pub enum HeldFault {
    /// It cannot be read or written.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is not a list of statements.
    #[error("is not a JSON list of statements")]
    NotStatements,
    /// An item is not a statement.
    #[error("item {0} is not a statement of a client with one item")]
    Item(usize),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    bsn: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    declines: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    behaviour: Option<Value>,
    #[serde(default)]
    work_capacity: Value,
}

struct Client {
    bsn: Bsn,
    declines: Option<bool>,
    behaviour: Option<Value>,
    statement: proto::WorkCapacity,
}

/// Statements by client, in the order of the file.
#[derive(Default)]
pub(super) struct Held {
    clients: Vec<Client>,
    places: HashMap<[u8; 9], usize>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({} clients)", self.clients.len())
    }
}

impl Held {
    /// Reads the file, if there is one.
    pub(super) fn read(path: &Path, today: Day) -> Result<Self, HeldFault> {
        let json = match fs::read(path) {
            Ok(json) => json,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(fault) => return Err(fault.into()),
        };
        let items: Vec<Value> = serde_json::from_slice(&json).map_err(|_| HeldFault::NotStatements)?;
        let mut held = Self::default();
        for (number, item) in (1..).zip(items) {
            let client = client(item, today).ok_or(HeldFault::Item(number))?;
            if held.places.insert(*client.bsn.reveal(), held.clients.len()).is_some() {
                return Err(HeldFault::Item(number));
            }
            held.clients.push(client);
        }
        Ok(held)
    }

    /// What the client's statement becomes. Gives the group that is in the way, where nothing may be replaced.
    pub(super) fn with(
        &self,
        bsn: &Bsn,
        newer: &proto::WorkCapacity,
        replace: bool,
    ) -> Result<proto::WorkCapacity, (&'static str, Reason)> {
        let place = self.places.get(bsn.reveal()).and_then(|place| self.clients.get(*place));
        let Some(held) = place else { return Ok(newer.clone()) };
        match shared_group(&held.statement, newer) {
            Some(group) if !replace => Err((group, Reason::Held)),
            _ => with_groups(&held.statement, newer)
                .ok_or(("statement", Reason::Catalogue("cannot be put together"))),
        }
    }

    /// Puts a client's statement in.
    pub(super) fn put(&mut self, bsn: Bsn, statement: proto::WorkCapacity) {
        let place = *self.places.entry(*bsn.reveal()).or_insert(self.clients.len());
        match self.clients.get_mut(place) {
            Some(client) => client.statement = statement,
            None => self.clients.push(Client { bsn, declines: None, behaviour: None, statement }),
        }
    }

    /// How many clients it holds.
    pub(super) fn len(&self) -> usize {
        self.clients.len()
    }

    /// Writes the file in one step, readable by its owner only: a reader sees the old statements or the new ones.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        replace_with(path, Readers::Owner, |file| {
            let mut file = BufWriter::new(file);
            self.print(&mut file)?;
            file.flush()
        })
    }

    /// Prints the statements, one at a time.
    pub(super) fn print(&self, to: &mut impl io::Write) -> io::Result<()> {
        let mut before = "[";
        for client in &self.clients {
            let item = Item {
                bsn: client.bsn.reveal_text(),
                declines: client.declines,
                behaviour: client.behaviour.clone(),
                work_capacity: to_json(&client.statement).ok_or(io::ErrorKind::InvalidData)?,
            };
            writeln!(to, "{before}")?;
            serde_json::to_writer_pretty(&mut *to, &item)?;
            before = ",";
        }
        writeln!(to, "{}\n]", if self.clients.is_empty() { "[" } else { "" })
    }
}

fn client(item: Value, today: Day) -> Option<Client> {
    let Item { bsn, declines, behaviour, work_capacity } = serde_json::from_value(item).ok()?;
    let bsn = Bsn::parse(&bsn).ok()?;
    let json = if work_capacity.is_null() { Value::Object(serde_json::Map::new()) } else { work_capacity };
    let statement = from_json(json)?;
    CheckedStatement::new(statement.clone(), today).ok()?;
    Some(Client { bsn, declines, behaviour, statement })
}
