//! A store as nothing but tables and rows, for [`copy`](super::copy). Whoever copies needs no more of a store than this,
//! and a store needs no more to be copied.

use async_trait::async_trait;

use super::{
    StoreFault, Transactions,
    schema::{Kind, Table},
};

/// What stands in one column of a row.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// Bytes.
    Bytes(Vec<u8>),
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
}

/// A row: a value for each of the table's columns, in their order.
pub type Row = Vec<Value>;

impl std::fmt::Debug for Value {
    /// Rows stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Bytes(_) => "Bytes(redacted)",
            Self::Text(_) => "Text(redacted)",
            Self::Number(_) => "Number(redacted)",
        })
    }
}

impl Value {
    /// The bytes, if that is what it is.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The text, if that is what it is.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if that is what it is.
    #[must_use]
    pub const fn as_number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// Length of [`Value::encode`], more or less.
    #[must_use]
    pub const fn size(&self) -> usize {
        match self {
            Self::Null => 1,
            Self::Number(_) => 9,
            Self::Bytes(bytes) => 9 + bytes.len(),
            Self::Text(text) => 9 + text.len(),
        }
    }

    /// Adds it to bytes, so that no two lists of values have the same.
    pub fn encode(&self, to: &mut Vec<u8>) {
        let mut long = |kind: u8, bytes: &[u8]| {
            to.push(kind);
            to.extend((bytes.len() as u64).to_be_bytes());
            to.extend(bytes);
        };
        match self {
            Self::Null => to.push(b'0'),
            Self::Bytes(bytes) => long(b'b', bytes),
            Self::Text(text) => long(b't', text.as_bytes()),
            Self::Number(number) => {
                to.push(b'n');
                to.extend(number.to_be_bytes());
            }
        }
    }

    /// Reads a list of encoded values. `None` if it is none.
    #[must_use]
    pub fn decode_all(mut from: &[u8]) -> Option<Vec<Self>> {
        let mut values = Vec::new();
        while let Some((kind, rest)) = from.split_first() {
            let (value, rest) = match kind {
                b'0' => (Self::Null, rest),
                b'n' => {
                    let (number, rest) = rest.split_first_chunk::<8>()?;
                    (Self::Number(i64::from_be_bytes(*number)), rest)
                }
                b'b' | b't' => {
                    let (length, rest) = rest.split_first_chunk::<8>()?;
                    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
                    let (bytes, rest) = rest.split_at_checked(length)?;
                    let bytes = bytes.to_vec();
                    let text = |bytes| String::from_utf8(bytes).ok().map(Self::Text);
                    (if *kind == b't' { text(bytes)? } else { Self::Bytes(bytes) }, rest)
                }
                _ => return None,
            };
            values.push(value);
            from = rest;
        }
        Some(values)
    }
}

/// The primary key of a row.
#[must_use]
pub fn key_of(table: &Table, row: &[Value]) -> Vec<Value> {
    table.key.iter().filter_map(|name| row.get(table.column(name)?).cloned()).collect()
}

/// A store as tables.
#[async_trait]
pub trait Tables: Send + Sync + std::fmt::Debug {
    /// Begins a transaction.
    async fn session(&self) -> Result<Box<dyn Session + '_>, StoreFault>;

    /// What became of its transactions so far.
    fn counts(&self) -> &Transactions;
}

/// A transaction on tables. Dropping it rolls back.
#[async_trait]
pub trait Session: Send {
    /// Waits until nobody else writes to a table, and keeps it so until the transaction ends, however long that takes.
    /// Others may go on reading.
    async fn hold(&mut self, table: &Table) -> Result<(), StoreFault>;

    /// At most so many rows in the order of the primary key, after this key or from the beginning.
    async fn read(
        &mut self,
        table: &Table,
        after: Option<&[Value]>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreFault>;

    /// Adds rows. One whose key is there already is a fault.
    async fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreFault>;

    /// Deletes all rows.
    async fn clear(&mut self, table: &Table) -> Result<(), StoreFault>;

    /// Makes it durable.
    async fn commit(self: Box<Self>) -> Result<(), StoreFault>;

    /// Rolls back, and gives the connection back in good order.
    async fn abandon(self: Box<Self>);
}

fn names<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns.map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// The columns of a table, for a statement.
pub(super) fn columns(table: &Table) -> String {
    names(table.columns.iter().map(|column| column.name))
}

/// The statement of [`Session::read`]: the key comes as the first parameters, the limit as the last. Both databases read
/// `$1`. Names are quoted, as some are words of SQL.
pub(super) fn select(table: &Table, after: bool) -> String {
    let (columns, name, key) = (columns(table), table.name, names(table.key.iter().copied()));
    if !after {
        return format!("select {columns} from \"{name}\" order by {key} limit $1");
    }
    let places = (1..=table.key.len()).map(|n| format!("${n}")).collect::<Vec<_>>().join(", ");
    let limit = table.key.len() + 1;
    format!("select {columns} from \"{name}\" where ({key}) > ({places}) order by {key} limit ${limit}")
}

/// Whether values are what the table's columns hold.
pub(super) fn fits(table: &Table, row: &[Value]) -> bool {
    row.len() == table.columns.len()
        && table.columns.iter().zip(row).all(|(column, value)| match value {
            Value::Null => column.nullable,
            Value::Bytes(_) => column.kind == Kind::Bytes,
            Value::Text(_) => column.kind == Kind::Text,
            Value::Number(_) => column.kind == Kind::Number,
        })
}

/// Implements reading for a row of one database.
macro_rules! read_row {
    ($row:ty) => {
        fn read_row(
            table: &$crate::storage::schema::Table,
            row: &$row,
        ) -> Result<$crate::storage::tables::Row, $crate::storage::StoreFault> {
            use $crate::storage::{schema::Kind, tables::Value};
            let odd = |_| $crate::storage::StoreFault::Corrupt("a column of another kind");
            let mut values = Vec::with_capacity(table.columns.len());
            for (at, column) in table.columns.iter().enumerate() {
                values.push(
                    match column.kind {
                        Kind::Bytes => row.try_get::<Option<_>, _>(at).map_err(odd)?.map(Value::Bytes),
                        Kind::Text => row.try_get::<Option<_>, _>(at).map_err(odd)?.map(Value::Text),
                        Kind::Number => row.try_get::<Option<_>, _>(at).map_err(odd)?.map(Value::Number),
                    }
                    .unwrap_or(Value::Null),
                );
            }
            Ok(values)
        }
    };
}
pub(super) use read_row;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::schema;

    #[test]
    fn values_are_read_back_and_nothing_else_is_read() {
        let values = vec![
            Value::Null,
            Value::Bytes(vec![0, 1, 255]),
            Value::Text("é".to_owned()),
            Value::Number(-7),
            Value::Bytes(Vec::new()),
        ];
        let mut bytes = Vec::new();
        values.iter().for_each(|value| value.encode(&mut bytes));
        assert_eq!(Value::decode_all(&bytes), Some(values));
        assert_eq!(Value::decode_all(&[]), Some(vec![]));
        for end in 1..bytes.len() {
            let part = Value::decode_all(&bytes[..end]);
            assert!(part.is_none_or(|values| values.len() < 5), "{end}");
        }
        for odd in [&b"x"[..], b"n1234567", b"t\0\0\0\0\0\0\0\x01\xff", b"b\xff\xff\xff\xff\xff\xff\xff\xff"]
        {
            assert_eq!(Value::decode_all(odd), None);
        }
    }

    #[test]
    fn a_page_is_read_by_the_whole_key() {
        let select = |after| super::select(&schema::CONSENT_EVENT, after);
        assert_eq!(
            select(true),
            "select \"grant_id\", \"position\", \"kind\", \"time\", \"fields\" from \"consent_event\" \
             where (\"grant_id\", \"position\", \"kind\") > ($1, $2, $3) \
             order by \"grant_id\", \"position\", \"kind\" limit $4"
        );
        let first = "from \"consent_event\" order by \"grant_id\", \"position\", \"kind\" limit $1";
        assert!(select(false).ends_with(first));
    }

    #[test]
    fn a_row_shows_nothing_of_itself() {
        let row =
            vec![Value::Text("999990019".to_owned()), Value::Number(999_990_019), Value::Bytes(vec![9; 3])];
        let shown = format!("{row:?}");
        assert_eq!(shown, "[Text(redacted), Number(redacted), Bytes(redacted)]");
    }
}
