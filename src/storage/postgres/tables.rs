//! PostgreSQL as tables and rows.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, PgConnection, Row as _, postgres::PgRow};
use tokio::sync::MutexGuard;

use super::{
    PostgresStore,
    faults::{Attempted, fault, within, within_commit},
};
use crate::storage::{
    StoreFault, Transactions,
    schema::{Kind, Table},
    slot::Slot,
    tables::{self, Row, Session, Tables, Value},
};

/// Each statement sees what was committed before it: after a lock, what was committed before that was ours.
const BEGIN: &str = "begin isolation level read committed read write";
/// A limit on the statement would end the wait for a synchronous standby, and tell the commit as done.
const COMMIT: &str = "set local statement_timeout = 0; commit";
/// For as long as the transaction lasts. The server must not end it while a long copy is busy elsewhere: then others
/// could write again. A gateway's commit that is under way is waited for.
const HOLDING: &str = "set local idle_in_transaction_session_timeout = 0; set local statement_timeout = 0; \
     set local lock_timeout = '10s'";

struct PostgresSession<'a> {
    slot: MutexGuard<'a, Slot<PgConnection>>,
    // Dropped with the session unless that came to a clean end: the server then rolls back.
    connection: PgConnection,
}

tables::read_row!(PgRow);

#[async_trait]
impl Tables for PostgresStore {
    async fn session(&self) -> Result<Box<dyn Session + '_>, StoreFault> {
        let mut slot = self.writer.lock().await;
        let mut connection = match slot.take()? {
            Some(connection) => connection,
            None => self.reconnect().await.map_err(|error| fault(&error, Attempted::Statement))?,
        };
        within(sqlx::raw_sql(BEGIN).execute(&mut connection)).await?;
        Ok(Box::new(PostgresSession { slot, connection }))
    }

    fn counts(&self) -> &Transactions {
        &self.transactions
    }
}

impl PostgresSession<'_> {
    async fn run(&mut self, statement: String) -> Result<(), StoreFault> {
        let running = sqlx::raw_sql(AssertSqlSafe(statement));
        within(running.execute(&mut self.connection)).await.map(drop)
    }
}

#[async_trait]
impl Session for PostgresSession<'_> {
    async fn hold(&mut self, table: &Table) -> Result<(), StoreFault> {
        self.run(format!("{HOLDING}; lock table \"{}\" in exclusive mode", table.name)).await
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
        let found = within(query.bind(i64::from(limit)).fetch_all(&mut self.connection)).await?;
        found.iter().map(|row| read_row(table, row)).collect()
    }

    async fn insert(&mut self, table: &Table, rows: &[Row]) -> Result<(), StoreFault> {
        if rows.iter().any(|row| !tables::fits(table, row)) {
            return Err(StoreFault::Corrupt("a row of another table"));
        }
        let lists: Vec<String> = (1..)
            .zip(table.columns)
            .map(|(n, column)| match column.kind {
                Kind::Bytes => format!("${n}::bytea[]"),
                Kind::Text => format!("${n}::text[]"),
                Kind::Number => format!("${n}::bigint[]"),
            })
            .collect();
        // One list for each column: the same statement for any number of rows.
        let (columns, name, lists) = (tables::columns(table), table.name, lists.join(", "));
        let statement = format!("insert into \"{name}\" ({columns}) select * from unnest({lists})");
        let mut query = sqlx::query(AssertSqlSafe(statement));
        for (at, column) in table.columns.iter().enumerate() {
            let values = rows.iter().map(|row| row.get(at));
            query = match column.kind {
                Kind::Bytes => query.bind(values.map(|value| value?.as_bytes()).collect::<Vec<_>>()),
                Kind::Text => query.bind(values.map(|value| value?.as_text()).collect::<Vec<_>>()),
                Kind::Number => query.bind(values.map(|value| value?.as_number()).collect::<Vec<_>>()),
            };
        }
        within(query.execute(&mut self.connection)).await.map(drop)
    }

    async fn clear(&mut self, table: &Table) -> Result<(), StoreFault> {
        self.run(format!("delete from \"{}\"", table.name)).await
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreFault> {
        let Self { mut slot, mut connection } = *self;
        within_commit(sqlx::raw_sql(COMMIT).execute(&mut connection)).await?;
        slot.put_back(connection);
        Ok(())
    }

    async fn abandon(self: Box<Self>) {
        let Self { mut slot, mut connection } = *self;
        if within(sqlx::raw_sql("rollback").execute(&mut connection)).await.is_ok() {
            slot.put_back(connection);
        }
    }
}
