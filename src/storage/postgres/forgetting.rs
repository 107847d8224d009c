//! Forgetting, in PostgreSQL.

use sqlx::{Connection as _, PgConnection, postgres::PgRow};

use super::{
    PostgresStore, bound, connect,
    faults::{Attempted, fault, within, within_commit},
};
use crate::{
    domain::SubjectId,
    storage::{
        StoreFault,
        forgetting::{self, Session, Terms, Traces},
        read::Value,
    },
};

impl Session for PgConnection {
    type Row = PgRow;

    async fn rows(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<PgRow>, StoreFault> {
        within(bound(statement.to_owned(), values).fetch_all(self)).await
    }

    async fn change(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreFault> {
        within(bound(statement.to_owned(), values).execute(self)).await.map(|done| done.rows_affected())
    }
}

impl PostgresStore {
    /// A connection of its own: this is rare, may be slow, and holds no head.
    async fn aside(&self) -> Result<PgConnection, StoreFault> {
        connect(&self.options).await.map_err(|error| fault(&error, Attempted::Statement))
    }

    pub(super) async fn traces_of(&self, subject: SubjectId) -> Result<Traces, StoreFault> {
        let mut session = self.aside().await?;
        let traces = forgetting::traces(&mut session, subject).await?;
        drop(session.close().await);
        Ok(traces)
    }

    pub(super) async fn forget_over(&self, terms: &Terms, limit: u32) -> Result<u64, StoreFault> {
        let mut session = self.aside().await?;
        within(sqlx::raw_sql("begin").execute(&mut session)).await?;
        let done = forgetting::expire(&mut session, terms, limit).await?;
        within_commit(sqlx::raw_sql("commit").execute(&mut session)).await?;
        drop(session.close().await);
        Ok(done)
    }

    /// A deleted row stays in its page until that is written anew. The keys are what everything hangs on, and few: their
    /// table is rewritten. What they sealed is noise without them.
    pub(super) async fn rewrite_keys(&self) -> Result<(), StoreFault> {
        let mut session = self.aside().await?;
        let erased = forgetting::unscrubbed(&mut session).await?;
        within(sqlx::raw_sql("vacuum full client_key").execute(&mut session)).await?;
        forgetting::scrubbed(&mut session, &erased).await?;
        drop(session.close().await);
        Ok(())
    }
}
