//! Forgetting, in SQLite.

use sqlx::{SqliteConnection, sqlite::SqliteRow};

use super::{SqliteStore, bound, fault};
use crate::{
    domain::SubjectId,
    storage::{
        StoreFault,
        forgetting::{self, Session, Terms, Traces},
        read::Value,
    },
};

impl Session for SqliteConnection {
    type Row = SqliteRow;

    async fn rows(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<SqliteRow>, StoreFault> {
        bound(statement.to_owned(), values).fetch_all(self).await.map_err(fault)
    }

    async fn change(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreFault> {
        bound(statement.to_owned(), values)
            .execute(self)
            .await
            .map(|done| done.rows_affected())
            .map_err(fault)
    }
}

impl SqliteStore {
    pub(super) async fn traces_of(&self, subject: SubjectId) -> Result<Traces, StoreFault> {
        let mut held = self.held().await?;
        let traces = forgetting::traces(&mut held.connection, subject).await?;
        held.put_back();
        Ok(traces)
    }

    pub(super) async fn forget_over(&self, terms: &Terms, limit: u32) -> Result<u64, StoreFault> {
        let mut held = self.held().await?;
        held.connection.change("begin immediate", &[]).await?;
        let done = forgetting::expire(&mut held.connection, terms, limit).await?;
        held.end("commit").await?;
        Ok(done)
    }

    /// The write-ahead log still has the pages as they were before. It is folded into the file and cut to nothing; in the file
    /// what is deleted is overwritten (`secure_delete`).
    pub(super) async fn cut_log(&self) -> Result<(), StoreFault> {
        let mut held = self.held().await?;
        let erased = forgetting::unscrubbed(&mut held.connection).await?;
        let (busy,): (i64,) = {
            let query = sqlx::query_as("pragma wal_checkpoint(truncate)");
            let row: (i64, i64, i64) = query.fetch_one(&mut held.connection).await.map_err(fault)?;
            (row.0,)
        };
        if busy == 0 {
            forgetting::scrubbed(&mut held.connection, &erased).await?;
        }
        held.put_back();
        if busy == 0 { Ok(()) } else { Err(StoreFault::Busy) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::rows::Columns as _;

    /// Whoever looks for what is over holds the one lock there is: what is not over is not read for it.
    #[tokio::test]
    async fn what_is_over_is_found_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path()).await.unwrap();
        let mut held = store.held().await.unwrap();
        let (before, limit) = (Value::Number(5), Value::Number(10));
        for (statement, values, index) in [
            (forgetting::BOUNDARY, &[before][..], "SEARCH entry USING COVERING INDEX entry_time (time>?)"),
            (
                forgetting::FORMS_OVER,
                &[before, limit],
                "SEARCH f USING COVERING INDEX consent_form_recorded (recorded_at<?)",
            ),
        ] {
            let plan =
                held.connection.rows(&format!("explain query plan {statement}"), values).await.unwrap();
            let plan: Vec<_> = plan.iter().map(|row| row.text("detail").unwrap()).collect();
            assert!(plan.iter().any(|step| step == index), "{plan:?}");
            let sorts_or_reads_all = |step: &&String| {
                (step.starts_with("SCAN") && *step != "SCAN CONSTANT ROW") || step.contains("USE TEMP B-TREE")
            };
            assert_eq!(plan.iter().find(sorts_or_reads_all), None, "{plan:?}");
        }
    }
}
