//! SQLite as tables and rows.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite, sqlite::SqliteRow};

use super::{SqliteStore, fault, held::Held};
use crate::storage::{
    StoreFault, Transactions,
    schema::Table,
    tables::{self, Row, Session, Tables, Value},
};

/// SQLite takes 32,766 parameters a statement.
const PARAMETERS: usize = 30_000;

struct SqliteSession<'a> {
    held: Held<'a>,
}

tables::read_row!(SqliteRow);

#[async_trait]
impl Tables for SqliteStore {
    async fn session(&self) -> Result<Box<dyn Session + '_>, StoreFault> {
        let mut held = self.held().await?;
        sqlx::query("begin immediate").execute(&mut held.connection).await.map_err(fault)?;
        Ok(Box::new(SqliteSession { held }))
    }

    fn counts(&self) -> &Transactions {
        &self.transactions
    }
}

#[async_trait]
impl Session for SqliteSession<'_> {
    async fn hold(&mut self, _table: &Table) -> Result<(), StoreFault> {
        // The lock file keeps other processes out, and an immediate transaction everybody else.
        Ok(())
    }

    async fn read(
        &mut self,
        table: &Table,
        after: Option<&[Value]>,
        limit: u32,
    ) -> Result<Vec<Row>, StoreFault> {
        let mut query = sqlx::query(AssertSqlSafe(tables::select(table, after.is_some())));
        for value in after.unwrap_or_default() {
            query = match value {
                Value::Null => return Err(StoreFault::Corrupt("a key with nothing in it")),
                Value::Bytes(bytes) => query.bind(bytes.clone()),
                Value::Text(text) => query.bind(text.clone()),
                Value::Number(number) => query.bind(*number),
            };
        }
        let found = query.bind(i64::from(limit)).fetch_all(&mut self.held.connection).await.map_err(fault)?;
        found.iter().map(|row| read_row(table, row)).collect()
    }

    async fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreFault> {
        if rows.iter().any(|row| !tables::fits(table, row)) {
            return Err(StoreFault::Corrupt("a row of another table"));
        }
        let (columns, name) = (tables::columns(table), table.name);
        for some in rows.chunks(PARAMETERS / table.columns.len().max(1)) {
            let mut query = QueryBuilder::<Sqlite>::new(format!("insert into \"{name}\" ({columns}) "));
            query.push_values(some, |mut to, row| {
                for value in row {
                    match value {
                        Value::Null => to.push("null"),
                        Value::Bytes(bytes) => to.push_bind(bytes.clone()),
                        Value::Text(text) => to.push_bind(text.clone()),
                        Value::Number(number) => to.push_bind(*number),
                    };
                }
            });
            // No two pages need be as long, so there is nothing to prepare for a next time.
            let query = query.build().persistent(false);
            query.execute(&mut self.held.connection).await.map_err(fault)?;
        }
        Ok(())
    }

    async fn clear(&mut self, table: &Table) -> Result<(), StoreFault> {
        let statement = format!("delete from \"{}\"", table.name);
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut self.held.connection)
            .await
            .map(|_| ())
            .map_err(fault)
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreFault> {
        self.held.end("commit").await
    }

    async fn abandon(self: Box<Self>) {
        // One that fails closes the connection, which rolls back too.
        drop(self.held.end("rollback").await);
    }
}
