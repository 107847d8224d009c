//! The turn to send to a Logboek Dataverwerkingen: a session that holds an advisory lock. The cursor moves in that same
//! session, so an instance that lost its turn without knowing cannot move it.

use async_trait::async_trait;
use sqlx::{PgConnection, postgres::PgConnectOptions};

use super::{
    connect,
    faults::{Attempted, fault, within, within_commit},
};
use crate::storage::{LogboekTurn, StoreFault, read::ACKNOWLEDGE};

/// The lock is of this database and schema, and goes with the session. The number is that of `TRY_ALONE`.
const TRY: &str = "select pg_try_advisory_lock(1397511497::int8 << 32 | 'logboek'::regclass::oid::int8)";
/// Whoever writes holds the head, so that a copy that holds it sees nothing change.
const BEGIN: &str = "begin isolation level read committed read write; select 1 from head for update";

pub(super) struct PostgresTurn {
    connection: PgConnection,
}

impl PostgresTurn {
    pub(super) async fn take(options: &PgConnectOptions) -> Result<Option<Self>, StoreFault> {
        let mut connection = connect(options).await.map_err(|error| fault(&error, Attempted::Statement))?;
        let taken: bool = within(sqlx::query_scalar(TRY).fetch_one(&mut connection)).await?;
        Ok(taken.then_some(Self { connection }))
    }
}

#[async_trait]
impl LogboekTurn for PostgresTurn {
    async fn acknowledged(&mut self, from: u64, to: u64) -> Result<(), StoreFault> {
        let number = |position| i64::try_from(position).map_err(|_| StoreFault::Corrupt("a position"));
        let (from, to) = (number(from)?, number(to)?);
        within(sqlx::raw_sql(BEGIN).execute(&mut self.connection)).await?;
        let query = sqlx::query(ACKNOWLEDGE).bind(from).bind(to);
        let done = within(query.execute(&mut self.connection)).await?;
        within_commit(sqlx::raw_sql("commit").execute(&mut self.connection)).await?;
        // After any fault the session is dropped with the turn.
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreFault::Busy) }
    }
}
