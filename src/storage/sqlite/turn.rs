//! The turn to send to a Logboek Dataverwerkingen. One process has the file, so the turn is always there.

use async_trait::async_trait;

use super::{SqliteStore, fault};
use crate::storage::{LogboekTurn, StoreFault, read::ACKNOWLEDGE};

pub(super) struct SqliteTurn<'a>(pub(super) &'a SqliteStore);

#[async_trait]
impl LogboekTurn for SqliteTurn<'_> {
    async fn acknowledged(&mut self, from: u64, to: u64) -> Result<(), StoreFault> {
        let number = |position| i64::try_from(position).map_err(|_| StoreFault::Corrupt("a position"));
        // One statement is a transaction of its own, and the connection that writes is ours alone meanwhile.
        let mut held = self.0.held().await?;
        let query = sqlx::query(ACKNOWLEDGE).bind(number(from)?).bind(number(to)?);
        let done = query.execute(&mut held.connection).await.map_err(fault)?;
        held.put_back();
        if done.rows_affected() == 1 { Ok(()) } else { Err(StoreFault::Busy) }
    }
}
