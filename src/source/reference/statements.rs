//! The file that the reference source answers from: statements in the names of the catalogue, checked when it is read.

use std::{collections::HashMap, fmt, sync::LazyLock};

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::misbehaviour::Misbehaviour;
use crate::{
    catalogue::{CheckedStatement, StatementFault},
    domain::{Bsn, Day, bsn::BsnFault},
    proto,
};

#[expect(clippy::expect_used, reason = "INVARIANT: the build wrote these descriptors; a test reads them")]
static CAPACITY: LazyLock<MessageDescriptor> = LazyLock::new(|| {
    DescriptorPool::decode(proto::DESCRIPTORS)
        .ok()
        .and_then(|pool| pool.get_message_by_name("sluis.v1.WorkCapacity"))
        .expect("the descriptors hold the work capacity")
});

/// What is wrong with the file. Items are named by their number: neither a BSN nor a value of the file is repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// It is not a JSON list.
    #[error("is not a JSON list of items (line {line}, column {column})")]
    NotAList {
        /// Line at which reading ended.
        line: usize,
        /// Column at which reading ended.
        column: usize,
    },
    /// An item is wrong.
    #[error("item {number} {fault}")]
    Item {
        /// Number of the item, from 1.
        number: usize,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// What is wrong with an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another shape than an item has.
    #[error("must be an object with `bsn` and, if need be, `declines`, `behaviour` and `work_capacity`")]
    Shape,
    /// Its BSN is not valid.
    #[error("has a `bsn` that {0}")]
    Bsn(BsnFault),
    /// Its BSN stands in an earlier item too.
    #[error("is about the same client as item {0}")]
    Repeated(usize),
    /// A part of the statement is not in the catalogue.
    #[error("has a `work_capacity` that cannot be read{}", at(.0.as_deref()))]
    Unreadable(Option<String>),
    /// A value of the statement breaks the catalogue.
    #[error("has a `work_capacity` in which {0}")]
    Statement(StatementFault),
    /// It misbehaves, and this source may not.
    #[error("has a `behaviour`, which a test source alone may have")]
    Misbehaviour,
}

fn at(path: Option<&str>) -> String {
    path.map_or_else(
        || ": it names something outside the catalogue".to_owned(),
        |path| format!(" at `{path}`"),
    )
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    bsn: String,
    #[serde(default)]
    declines: bool,
    #[serde(default)]
    behaviour: Option<Misbehaviour>,
    #[serde(default)]
    work_capacity: Map<String, Value>,
}

/// What the source holds of one client.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) statement: CheckedStatement,
    pub(super) declines: bool,
    pub(super) behaviour: Option<Misbehaviour>,
}

/// The statements of a source, all of them checked.
pub struct Statements {
    clients: HashMap<[u8; 9], Client>,
    nobody: Client,
}

impl fmt::Debug for Statements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statements({} clients)", self.clients.len())
    }
}

impl Statements {
    /// Reads the file, as of `today`. A behaviour is refused unless this is a test source.
    ///
    /// # Errors
    /// Names the item by its number, and what is wrong with it.
    pub fn parse(json: &[u8], allow_misbehaviour: bool, today: Day) -> Result<Self, FileFault> {
        let items: Vec<Value> = serde_json::from_slice(json)
            .map_err(|error| FileFault::NotAList { line: error.line(), column: error.column() })?;
        let mut clients = HashMap::new();
        let mut numbers = HashMap::new();
        for (number, item) in (1..).zip(items) {
            let wrong = |fault| FileFault::Item { number, fault };
            let (bsn, client) = client(item, allow_misbehaviour, today).map_err(wrong)?;
            if let Some(earlier) = numbers.insert(*bsn.reveal(), number) {
                return Err(wrong(Fault::Repeated(earlier)));
            }
            clients.insert(*bsn.reveal(), client);
        }
        let statement = CheckedStatement::empty();
        Ok(Self { clients, nobody: Client { statement, declines: false, behaviour: None } })
    }

    /// Whether the client is known here.
    pub(super) fn knows(&self, bsn: &Bsn) -> bool {
        self.clients.contains_key(bsn.reveal())
    }

    /// What is held of a client; of an unknown one, nothing.
    pub(super) fn client(&self, bsn: &Bsn) -> &Client {
        self.clients.get(bsn.reveal()).unwrap_or(&self.nobody)
    }

    /// How many clients it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether it knows nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Which fields it holds of a client; for checks of test data.
    #[must_use]
    pub fn present(&self, bsn: &Bsn) -> crate::catalogue::Mask {
        self.client(bsn).statement.present()
    }
}

fn client(item: Value, allow_misbehaviour: bool, today: Day) -> Result<(Bsn, Client), Fault> {
    let item: Item = serde_json::from_value(item).map_err(|_| Fault::Shape)?;
    let bsn = Bsn::parse(&item.bsn).map_err(Fault::Bsn)?;
    if item.behaviour.is_some() && !allow_misbehaviour {
        return Err(Fault::Misbehaviour);
    }
    let message = capacity(Value::Object(item.work_capacity.clone()))
        .ok_or_else(|| Fault::Unreadable(culprit(&item.work_capacity)))?;
    let statement = CheckedStatement::new(message, today).map_err(Fault::Statement)?;
    let declines = item.declines || item.behaviour == Some(Misbehaviour::Declines);
    Ok((bsn, Client { statement, declines, behaviour: item.behaviour }))
}

/// Reads proto JSON; unknown fields and codes are refused.
fn capacity(json: Value) -> Option<proto::WorkCapacity> {
    DynamicMessage::deserialize(CAPACITY.clone(), json).ok()?.transcode_to().ok()
}

/// The first known field that cannot be read by itself. A name that is not known is not repeated: it could say anything.
fn culprit(groups: &Map<String, Value>) -> Option<String> {
    for (group, fields) in groups {
        let descriptor = CAPACITY.get_field_by_name(group)?;
        let Some(fields) = fields.as_object() else { return Some(group.clone()) };
        for (name, value) in fields {
            let known = descriptor.kind().as_message()?.get_field_by_name(name).is_some();
            let alone = serde_json::json!({ (group.as_str()): { (name.as_str()): value } });
            if known && capacity(alone).is_none() {
                return Some(format!("{group}.{name}"));
            }
        }
    }
    None
}
