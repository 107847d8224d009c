//! The one connection that writes, while it is in use. It is put back at a clean end only: after anything else it is
//! dropped, which rolls back, and the next use opens another one.

use sqlx::{AssertSqlSafe, SqliteConnection};
use tokio::sync::MutexGuard;

use super::{SqliteStore, fault};
use crate::storage::{StoreFault, slot::Slot};

pub(super) struct Held<'a> {
    slot: MutexGuard<'a, Slot<SqliteConnection>>,
    pub(super) connection: SqliteConnection,
}

impl SqliteStore {
    /// Takes it, without a transaction.
    pub(super) async fn held(&self) -> Result<Held<'_>, StoreFault> {
        let mut slot = self.writer.lock().await;
        let connection = match slot.take()? {
            Some(connection) => connection,
            None => self.connect_writer().await.map_err(fault)?,
        };
        Ok(Held { slot, connection })
    }
}

impl Held<'_> {
    /// Ends the transaction with `commit` or `rollback`.
    pub(super) async fn end(mut self, statement: &'static str) -> Result<(), StoreFault> {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut self.connection).await.map_err(fault)?;
        self.put_back();
        Ok(())
    }

    /// After a clean end.
    pub(super) fn put_back(mut self) {
        self.slot.put_back(self.connection);
    }
}
