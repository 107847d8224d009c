//! The embedded store: SQLite with a write-ahead log and `synchronous = FULL`. One process per file.

mod commit;
mod read;
mod rows;

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{
    SqliteConnection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Commit, StoreFault};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Why the store does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenFault {
    /// The folder cannot be used.
    #[error("cannot use the data folder: {0}")]
    Folder(#[from] std::io::Error),
    /// Another process has it.
    #[error("another process is using this data folder; one gateway per SQLite file")]
    Locked,
    /// The database does not open.
    #[error("cannot open the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema is not one that this version knows.
    #[error("cannot bring the database to this version: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A setting that durability needs is not in force.
    #[error("the database setting `{0}` is not as durability needs it")]
    Setting(&'static str),
}

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    // Pages the database may have; 0 is no limit of ours. SQLite forgets it with the connection.
    page_limit: Arc<AtomicU32>,
    // Held as long as the store is; a second gateway on the same file is refused. A reader has none.
    _lock: Option<fs::File>,
}

impl SqliteStore {
    /// Opens, or makes, the database in this folder.
    ///
    /// # Errors
    /// If the folder is in use, or the database does not open with the settings that durability needs.
    pub async fn open(folder: &Path) -> Result<Self, OpenFault> {
        fs::create_dir_all(folder)?;
        let lock = fs::File::options().create(true).truncate(false).write(true).open(folder.join("lock"))?;
        lock.try_lock().map_err(|fault| match fault {
            fs::TryLockError::WouldBlock => OpenFault::Locked,
            fs::TryLockError::Error(cause) => OpenFault::Folder(cause),
        })?;
        let options = SqliteConnectOptions::new()
            .filename(folder.join("sluis.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(256)
            .pragma("secure_delete", "on")
            // Statements name columns, never values; still, no statement goes to a log.
            .pragma("trusted_schema", "off");
        let options = sqlx::ConnectOptions::disable_statement_logging(options);
        let page_limit = Arc::new(AtomicU32::new(0));
        let limit = Arc::clone(&page_limit);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .after_connect(move |connection, _| {
                let pages = limit.load(Ordering::SeqCst);
                Box::pin(
                    async move { if pages == 0 { Ok(()) } else { max_page_count(connection, pages).await } },
                )
            })
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        MIGRATIONS.run(&writer).await?;
        let (mode,): (String,) = sqlx::query_as("pragma journal_mode").fetch_one(&writer).await?;
        if mode != "wal" {
            return Err(OpenFault::Setting("journal_mode = wal"));
        }
        let (synchronous,): (i64,) = sqlx::query_as("pragma synchronous").fetch_one(&writer).await?;
        if synchronous != 2 {
            return Err(OpenFault::Setting("synchronous = full"));
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .min_connections(1)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.read_only(true))
            .await?;
        Ok(Self { writer, readers, page_limit, _lock: Some(lock) })
    }

    /// Opens the database of a running gateway, to read alone: every commit fails.
    ///
    /// # Errors
    /// If the database does not open.
    pub async fn open_read_only(folder: &Path) -> Result<Self, OpenFault> {
        let options = SqliteConnectOptions::new().filename(folder.join("sluis.db")).read_only(true);
        let options = sqlx::ConnectOptions::disable_statement_logging(options);
        let readers = SqlitePoolOptions::new().max_connections(2).connect_with(options).await?;
        Ok(Self { writer: readers.clone(), readers, page_limit: Arc::default(), _lock: None })
    }

    /// Limits the size of the database to so many pages of 4096 bytes, as a full disk would. An operator can bound the
    /// file with it, and it makes the engine's own "full" error reachable.
    ///
    /// # Errors
    /// If the setting is not taken.
    pub async fn limit_pages(&self, pages: u32) -> Result<(), OpenFault> {
        self.page_limit.store(pages, Ordering::SeqCst);
        let mut writer = self.writer.acquire().await?;
        Ok(max_page_count(&mut writer, pages).await?)
    }

    /// How many pages the database has now.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn pages(&self) -> Result<u32, OpenFault> {
        let (pages,): (i64,) = sqlx::query_as("pragma page_count").fetch_one(&self.writer).await?;
        Ok(u32::try_from(pages).unwrap_or(u32::MAX))
    }

    /// Closes the connections and folds the write-ahead log into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn max_page_count(connection: &mut SqliteConnection, pages: u32) -> Result<(), sqlx::Error> {
    let statement = format!("pragma max_page_count = {pages}");
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(connection).await.map(|_| ())
}

/// What a database error means for the log (see `audit-log` in the documentation): full is survived, an I/O error is
/// not, for after a failed fsync nothing on that handle is sure.
#[expect(clippy::needless_pass_by_value, reason = "used as a function in map_err")]
fn fault(error: sqlx::Error) -> StoreFault {
    const FULL: i32 = 13;
    const BUSY: [i32; 2] = [5, 6];
    let code = match &error {
        sqlx::Error::Database(cause) => cause.code().and_then(|code| code.parse::<i32>().ok()),
        sqlx::Error::PoolTimedOut => return StoreFault::Busy,
        _ => None,
    };
    match code.map(|code| code & 0xff) {
        Some(FULL) => StoreFault::Full,
        Some(code) if BUSY.contains(&code) => StoreFault::Busy,
        Some(code) => StoreFault::Fatal(format!("SQLite error {code}")),
        // The text of other errors names columns and types, never values.
        None => StoreFault::Fatal("the connection to the database failed".to_owned()),
    }
}

#[async_trait]
impl super::Store for SqliteStore {
    async fn begin(&self) -> Result<Box<dyn Commit + '_>, StoreFault> {
        let begun = match self.writer.begin_with("begin immediate").await {
            // A full SQLite rolls back by itself. sqlx does not notice, and takes that transaction for open for ever:
            // only a new connection knows better.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.writer.acquire().await.map_err(fault)?.close().await.map_err(fault)?;
                self.writer.begin_with("begin immediate").await
            }
            begun => begun,
        };
        let transaction = begun.map_err(fault)?;
        Ok(Box::new(commit::SqliteCommit::new(transaction)))
    }

    async fn head(&self) -> Result<Option<super::Head>, StoreFault> {
        read::head(&self.readers).await
    }

    async fn grants(
        &self,
        tag: &crate::subject::Tag,
        recipient: crate::domain::Oin,
        role: crate::domain::Role,
        purpose: &crate::domain::Purpose,
    ) -> Result<Vec<super::StoredGrant>, StoreFault> {
        read::grants(&self.readers, tag, recipient, role, purpose).await
    }

    async fn form(&self, id: crate::domain::FormId) -> Result<Option<super::StoredForm>, StoreFault> {
        read::form(&self.readers, id).await
    }

    async fn forms_of(
        &self,
        tag: &crate::subject::Tag,
        recorder: crate::domain::Oin,
    ) -> Result<Vec<super::StoredForm>, StoreFault> {
        read::forms_of(&self.readers, tag, recorder).await
    }

    async fn grant(&self, id: crate::domain::GrantId) -> Result<Option<super::StoredGrant>, StoreFault> {
        read::grant(&self.readers, id).await
    }

    async fn client_key(
        &self,
        subject: crate::domain::SubjectId,
        year: i32,
    ) -> Result<Option<super::WrappedKey>, StoreFault> {
        read::client_key(&self.readers, subject, year).await
    }

    async fn entries(&self, from: u64, limit: u32) -> Result<Vec<super::StoredEntry>, StoreFault> {
        read::entries(&self.readers, from, limit).await
    }

    async fn search(&self, filter: &super::EntryFilter) -> Result<Vec<super::StoredEntry>, StoreFault> {
        read::search(&self.readers, filter).await
    }

    async fn tile(&self, level: u8, number: u64) -> Result<Option<Vec<u8>>, StoreFault> {
        read::tile(&self.readers, level, number).await
    }

    async fn open_requests(
        &self,
        before: crate::domain::Timestamp,
    ) -> Result<Vec<super::OpenRequest>, StoreFault> {
        read::open_requests(&self.readers, before).await
    }
}
