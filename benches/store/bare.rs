//! A bare group commit: one statement inserts what waits, and is its own transaction.

use std::path::Path;

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection, SqliteConnection,
    postgres::{PgConnectOptions, PgSslMode},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{mpsc, oneshot};

use crate::common::{Fault, load::Caller};

/// Most entries in one commit, as in the log's writer.
const BATCH: usize = 1_024;

type Waiting = (Vec<u8>, oneshot::Sender<()>);

/// Where it commits to.
enum Table {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Table {
    /// Inserts and commits these.
    async fn commit(&mut self, batch: &[Waiting]) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => {
                let rows = vec!["(?)"; batch.len()].join(", ");
                let mut insert =
                    sqlx::query(AssertSqlSafe(format!("insert into entry (bytes) values {rows}")));
                for (bytes, _) in batch {
                    insert = insert.bind(bytes.as_slice());
                }
                insert.execute(connection).await?;
            }
            Self::Postgres(connection) => {
                let bytes: Vec<_> = batch.iter().map(|(bytes, _)| bytes.as_slice()).collect();
                let insert = sqlx::query("insert into entry (bytes) select unnest($1::bytea[])");
                insert.bind(bytes).execute(connection).await?;
            }
        }
        Ok(())
    }
}

/// A bare group commit that runs, until its last caller is gone.
pub struct Bare {
    queue: mpsc::Sender<Waiting>,
    bytes: usize,
}

impl Bare {
    /// On an SQLite file of its own, with the log's settings of durability.
    pub async fn on_sqlite(file: &Path, bytes: usize) -> Result<Self, Fault> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // A statement for each size of a batch.
            .statement_cache_capacity(BATCH)
            .disable_statement_logging();
        let mut connection = SqliteConnection::connect_with(&options).await?;
        connection.execute("create table entry (position integer primary key, bytes blob not null)").await?;
        Ok(Self::start(Table::Sqlite(connection), bytes))
    }

    /// In a PostgreSQL database of its own. What is durable there is the server's to say, as it is for the log.
    pub async fn on_postgres(url: &str, bytes: usize) -> Result<Self, Fault> {
        let mut options = url.parse::<PgConnectOptions>()?.disable_statement_logging();
        if !url.contains("sslmode=") {
            // As the store does on this machine. With TLS, sqlx 0.9.0 waits 40 ms within each larger message.
            options = options.ssl_mode(PgSslMode::Disable);
        }
        let mut connection = PgConnection::connect_with(&options).await?;
        connection
            .execute(
                "create table entry (position bigint generated always as identity primary key, bytes bytea not null)",
            )
            .await?;
        Ok(Self::start(Table::Postgres(connection), bytes))
    }

    fn start(mut table: Table, bytes: usize) -> Self {
        let (queue, mut waiting) = mpsc::channel::<Waiting>(BATCH);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while waiting.recv_many(&mut batch, BATCH).await > 0 {
                // Without an answer the callers know that it failed.
                let committed = table.commit(&batch).await.is_ok();
                for (_, answer) in batch.drain(..).filter(|_| committed) {
                    answer.send(()).ok();
                }
            }
        });
        Self { queue, bytes }
    }

    /// Bytes of an entry.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Somebody who commits.
    pub fn caller(&self) -> Writing {
        Writing { queue: self.queue.clone(), bytes: self.bytes }
    }
}

/// Commits one entry after the other.
pub struct Writing {
    queue: mpsc::Sender<Waiting>,
    bytes: usize,
}

impl Caller for Writing {
    async fn call(&mut self) -> Result<(), Fault> {
        let (answer, answered) = oneshot::channel();
        self.queue.send((vec![0x5a; self.bytes], answer)).await?;
        answered.await.map_err(|_| "the bare commit failed".into())
    }
}
