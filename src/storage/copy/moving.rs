//! The one row of the table `moving`, and the head as a copy sees it.

use crate::storage::{
    StoreFault,
    schema::{HEAD, MOVING, Table},
    tables::{Row, Session, Value},
};

/// A log at one moment. Two stores with the same batch hold the same log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Log {
    pub(super) origin: String,
    pub(super) size: u64,
    pub(super) batch: Vec<u8>,
}

/// What the row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A copy into this store is unfinished.
    Arriving,
    /// This store was copied to another, and its log goes on there.
    Left,
}

/// How far a copy has come: all tables before this one are there, and this one up to the key. In a store that was left, the
/// table is `head`, and in place of a key stands the whole row as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) table: String,
    pub(super) key: Vec<Value>,
}

/// The row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moving {
    pub(super) state: State,
    pub(super) log: Log,
    pub(super) place: Place,
}

const ODD: StoreFault = StoreFault::Corrupt("the row in `moving`");

fn text(table: &Table, row: &Row, column: &str) -> Option<String> {
    row.get(table.column(column)?)?.as_text().map(str::to_owned)
}

fn bytes(table: &Table, row: &Row, column: &str) -> Option<Vec<u8>> {
    row.get(table.column(column)?)?.as_bytes().map(<[u8]>::to_vec)
}

fn size(table: &Table, row: &Row) -> Option<u64> {
    u64::try_from(row.get(table.column("size")?)?.as_number()?).ok()
}

impl Log {
    fn read(table: &Table, row: &Row) -> Option<Self> {
        Some(Self {
            origin: text(table, row, "origin")?,
            size: size(table, row)?,
            batch: bytes(table, row, "batch")?,
        })
    }

    /// The log that a head is the head of, with the entries of all its shards.
    pub(super) fn of_head(row: &Row) -> Result<Self, StoreFault> {
        let read = || {
            let log = Self::read(&HEAD, row)?;
            let first = u64::try_from(row.get(HEAD.column("first")?)?.as_number()?).ok()?;
            Some(Self { size: first.checked_add(log.size)?, ..log })
        };
        read().ok_or(StoreFault::Corrupt("the row in `head`"))
    }
}

impl Moving {
    fn read(row: &Row) -> Option<Self> {
        let state = match text(&MOVING, row, "state")?.as_str() {
            "arriving" => State::Arriving,
            "left" => State::Left,
            _ => return None,
        };
        let key = Value::decode_all(&bytes(&MOVING, row, "cursor")?)?;
        let place = Place { table: text(&MOVING, row, "place")?, key };
        Some(Self { state, log: Log::read(&MOVING, row)?, place })
    }

    /// The row to store.
    pub(super) fn row(&self) -> Result<Row, StoreFault> {
        let mut cursor = Vec::new();
        self.place.key.iter().for_each(|value| value.encode(&mut cursor));
        let state = match self.state {
            State::Arriving => "arriving",
            State::Left => "left",
        };
        let by_name = |name: &str| match name {
            "id" => Some(Value::Number(1)),
            "state" => Some(Value::Text(state.to_owned())),
            "origin" => Some(Value::Text(self.log.origin.clone())),
            "size" => i64::try_from(self.log.size).ok().map(Value::Number),
            "batch" => Some(Value::Bytes(self.log.batch.clone())),
            "place" => Some(Value::Text(self.place.table.clone())),
            "cursor" => Some(Value::Bytes(cursor.clone())),
            _ => None,
        };
        MOVING.columns.iter().map(|column| by_name(column.name)).collect::<Option<Row>>().ok_or(ODD)
    }
}

/// The row of a store, if there is one.
pub(super) async fn moving(session: &mut (dyn Session + '_)) -> Result<Option<Moving>, StoreFault> {
    let rows = session.read(&MOVING, None, 1).await?;
    rows.first().map(|row| Moving::read(row).ok_or(ODD)).transpose()
}

/// The head of a store, if there is one.
pub(super) async fn head(session: &mut (dyn Session + '_)) -> Result<Option<Row>, StoreFault> {
    Ok(session.read(&HEAD, None, 1).await?.pop())
}

fn with(mut head: Row, column: &str, new: Value) -> Row {
    if let Some(value) = HEAD.column(column).and_then(|at| head.get_mut(at)) {
        *value = new;
    }
    head
}

/// A head with another batch.
pub(super) fn with_batch(head: &Row, batch: &[u8]) -> Row {
    with(head.clone(), "batch", Value::Bytes(batch.to_vec()))
}

/// A head that no gateway goes on from. One that wrote the last entry finds another batch than its own; one that has yet
/// to follow what others wrote, or that is about to start, finds nothing that is signed.
pub(super) fn closed(head: &Row, batch: &[u8]) -> Row {
    let head = with_batch(head, batch);
    let head = with(head, "frontier", Value::Bytes(Vec::new()));
    with(head, "checkpoint", Value::Text("moved to another store\n".to_owned()))
}
