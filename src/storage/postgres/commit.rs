//! A commit: one transaction that holds the row of the log's head. Four round trips: begin and take the head,
//! look, write, commit. What is rare (forms, events, tiles, withdrawals, expired keys, the first entry of a log, more entries
//! than one message holds) has more of its own.

use async_trait::async_trait;
use sqlx::PgConnection;
use tokio::sync::MutexGuard;

use super::{
    faults::{within, within_commit},
    look, write,
};
use crate::{
    domain::{PairId, SubjectId},
    storage::{Commit, Look, Seen, StoreFault, Traces, Writes, forgetting, slot::Slot},
};

/// READ COMMITTED, and the head first: each later statement sees what was committed before the head was ours. Under
/// REPEATABLE READ every wait for the head would end in a serialisation failure.
const BEGIN: &str = "begin isolation level read committed read write; select 1 from head for update";
/// A limit on the statement would end the wait for a synchronous standby, and tell the commit as done.
const COMMIT: &str = "set local statement_timeout = 0; commit";

pub(super) struct PostgresCommit<'a> {
    slot: MutexGuard<'a, Slot<PgConnection>>,
    // Dropped with the commit unless that comes to a clean end: the server then rolls back.
    connection: PgConnection,
    // Bytes of one message at most.
    message: usize,
}

impl<'a> PostgresCommit<'a> {
    pub(super) async fn begin(
        slot: MutexGuard<'a, Slot<PgConnection>>,
        mut connection: PgConnection,
        message: usize,
        wanted: &Look,
    ) -> Result<(Seen, Self), StoreFault> {
        within(sqlx::raw_sql(BEGIN).execute(&mut connection)).await?;
        if let Some(now) = wanted.forget {
            let delete = sqlx::query("delete from client_key where expires is not null and expires <= $1");
            within(delete.bind(now.millis()).execute(&mut connection)).await?;
            within(sqlx::query(forgetting::ERASED_KEYS).execute(&mut connection)).await?;
            // What nobody can be led to any more covers nothing.
            let orphans = "delete from consent_stop s where not exists \
                           (select 1 from client_key k where k.subject = s.subject)";
            within(sqlx::query(orphans).execute(&mut connection)).await?;
        }
        let mut seen = look::look(&mut connection, wanted).await?;
        if seen.head.is_none() {
            // There is no row to hold yet. The table is held instead, and then looked at again: another instance may
            // have begun the log meanwhile, or somebody a copy into this store.
            within(sqlx::raw_sql("lock table head in exclusive mode").execute(&mut connection)).await?;
            look::refuse_moving(&mut connection).await?;
            seen = look::look(&mut connection, wanted).await?;
        }
        Ok((seen, Self { slot, connection, message }))
    }
}

#[async_trait]
impl Commit for PostgresCommit<'_> {
    async fn traces(&mut self, subject: SubjectId) -> Result<Traces, StoreFault> {
        forgetting::traces(&mut self.connection, subject).await
    }

    async fn open(&mut self, limit: u32) -> Result<Vec<PairId>, StoreFault> {
        forgetting::open(&mut self.connection, limit).await
    }

    async fn commit(self: Box<Self>, writes: &Writes) -> Result<(), StoreFault> {
        let Self { mut slot, mut connection, message } = *self;
        write::write(&mut connection, writes, message).await?;
        within_commit(sqlx::raw_sql(COMMIT).execute(&mut connection)).await?;
        slot.put_back(connection);
        Ok(())
    }

    async fn confirm(self: Box<Self>) -> Result<(), StoreFault> {
        let Self { mut slot, mut connection, .. } = *self;
        // A commit that has written something waits for the standby, and so for all that was written before it.
        within(sqlx::raw_sql("update head set size = size").execute(&mut connection)).await?;
        within_commit(sqlx::raw_sql(COMMIT).execute(&mut connection)).await?;
        slot.put_back(connection);
        Ok(())
    }

    async fn abandon(self: Box<Self>) {
        let Self { mut slot, mut connection, .. } = *self;
        if within(sqlx::raw_sql("rollback").execute(&mut connection)).await.is_ok() {
            slot.put_back(connection);
        }
    }
}
