//! The embedded store: SQLite with a write-ahead log and `synchronous = FULL`. One process per file.

pub mod backup;
mod commit;
mod forgetting;
mod held;
mod look;
mod tables;
mod turn;

use std::{
    fs,
    path::Path,
    sync::{
        PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use sqlx::{
    AssertSqlSafe, Connection as _, Sqlite, SqliteConnection,
    migrate::Migrator,
    query::Query,
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteRow, SqliteSynchronous},
};
use tokio::sync::Mutex;

use super::{
    Commit, Cursor, DisclosureFilter, EntryFilter, Expiring, Head, LogboekTurn, Look, OpenFault, OpenRequest,
    Seen, Shard, StoreFault, StoredDisclosure, StoredEntry, StoredEvent, StoredForm, StoredGrant, Terms,
    Traces, Transactions, WrappedKey,
    connections::Connections,
    read::{self, Fetch, Value},
    slot::Slot,
};
use crate::{
    consent::Standing,
    domain::{FormId, GrantId, Oin, PairId, Purpose, Role, SubjectId, Timestamp},
    lock::{FolderLock, LockFault},
    subject::Tag,
};

/// Connections that read.
const READERS: usize = 4;

/// What only the connection that writes has. Pages that a batch of the largest size changes stay in memory (32 MiB): most are
/// of indexes whose keys are random. The write-ahead log goes into the database every 16 MiB; a page that every batch
/// changes goes there once.
const WRITING: [(&str, &str); 2] = [("cache_size", "-32768"), ("wal_autocheckpoint", "4096")];

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore {
    options: SqliteConnectOptions,
    writer: Mutex<Slot<SqliteConnection>>,
    readers: Connections<SqliteConnection>,
    // Pages the database may have; 0 is no limit of ours. SQLite forgets it with the connection.
    page_limit: AtomicU32,
    transactions: Transactions,
    // A second gateway on the same file is refused until this store is closed or gone. Who only reads has none.
    lock: std::sync::Mutex<Option<FolderLock>>,
}

impl SqliteStore {
    /// Opens, or makes, the database in this folder.
    ///
    /// # Errors
    /// If the folder is in use, or the database does not open with the settings that durability needs.
    pub async fn open(folder: &Path) -> Result<Self, OpenFault> {
        fs::create_dir_all(folder)?;
        let lock = FolderLock::take(folder).map_err(|fault| match fault {
            LockFault::Taken => OpenFault::Locked,
            LockFault::File(cause) => OpenFault::Folder(cause),
        })?;
        let options = SqliteConnectOptions::new()
            .filename(folder.join("sluis.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            // Statements with as many rows as a batch has; each text is prepared once.
            .statement_cache_capacity(1024)
            .pragma("secure_delete", "on")
            // Statements name columns, never values; still, no statement goes to a log.
            .pragma("trusted_schema", "off");
        let options = sqlx::ConnectOptions::disable_statement_logging(options);
        let mut writer = SqliteConnection::connect_with(&writing(&options)).await?;
        MIGRATIONS.run(&mut writer).await?;
        let (mode,): (String,) = sqlx::query_as("pragma journal_mode").fetch_one(&mut writer).await?;
        if mode != "wal" {
            return Err(OpenFault::Setting("journal_mode = wal"));
        }
        let (synchronous,): (i64,) = sqlx::query_as("pragma synchronous").fetch_one(&mut writer).await?;
        if synchronous != 2 {
            return Err(OpenFault::Setting("synchronous = full"));
        }
        Ok(Self::on(options, Some(writer), Some(lock)))
    }

    fn on(options: SqliteConnectOptions, writer: Option<SqliteConnection>, lock: Option<FolderLock>) -> Self {
        Self {
            options,
            writer: Mutex::new(Slot::new(writer)),
            readers: Connections::new(READERS),
            page_limit: AtomicU32::new(0),
            transactions: Transactions::default(),
            lock: std::sync::Mutex::new(lock),
        }
    }

    /// Opens the database of a running gateway, to read alone: every commit fails.
    ///
    /// # Errors
    /// If the database does not open.
    pub async fn open_read_only(folder: &Path) -> Result<Self, OpenFault> {
        let options = SqliteConnectOptions::new().filename(folder.join("sluis.db")).read_only(true);
        let options = sqlx::ConnectOptions::disable_statement_logging(options);
        let store = Self::on(options, None, None);
        // Not later, when nobody would know why nothing can be read.
        store.fetch("select 1".to_owned(), &[]).await?;
        Ok(store)
    }

    /// Limits the size of the database to so many pages of 4096 bytes, as a full disk would. An operator can bound the
    /// file with it, and it makes the engine's own "full" error reachable.
    ///
    /// # Errors
    /// If the setting is not taken.
    pub async fn limit_pages(&self, pages: u32) -> Result<(), OpenFault> {
        self.page_limit.store(pages, Ordering::SeqCst);
        let mut held = self.held().await?;
        max_page_count(&mut held.connection, pages).await?;
        held.put_back();
        Ok(())
    }

    /// How many pages the database has now.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn pages(&self) -> Result<u32, OpenFault> {
        let mut held = self.held().await?;
        let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(&mut held.connection).await?;
        held.put_back();
        Ok(u32::try_from(pages).unwrap_or(u32::MAX))
    }

    async fn connect_writer(&self) -> Result<SqliteConnection, sqlx::Error> {
        let mut connection = SqliteConnection::connect_with(&writing(&self.options)).await?;
        let pages = self.page_limit.load(Ordering::SeqCst);
        if pages != 0 {
            max_page_count(&mut connection, pages).await?;
        }
        Ok(connection)
    }

    /// State of a copy from or into this store, if there is one.
    pub(super) async fn moving(&self) -> Result<Option<String>, StoreFault> {
        read::moving(self).await
    }
}

fn writing(options: &SqliteConnectOptions) -> SqliteConnectOptions {
    WRITING.iter().fold(options.clone(), |options, (name, value)| options.pragma(*name, *value))
}

async fn max_page_count(connection: &mut SqliteConnection, pages: u32) -> Result<(), sqlx::Error> {
    let statement = format!("pragma max_page_count = {pages}");
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(connection).await.map(|_| ())
}

/// What a database error means for the log (see `docs/storage.md`): full is survived, an I/O error is
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

/// A statement with its parameters.
fn bound<'q>(statement: String, values: &[Value<'_>]) -> Query<'q, Sqlite, SqliteArguments> {
    let mut query = sqlx::query(AssertSqlSafe(statement));
    for value in values {
        query = match *value {
            Value::Bytes(bytes) => query.bind(bytes.to_vec()),
            Value::Text(text) => query.bind(text.to_owned()),
            Value::Number(number) => query.bind(number),
        };
    }
    query
}

impl Fetch for SqliteStore {
    type Row = SqliteRow;

    async fn fetch(&self, statement: String, values: &[Value<'_>]) -> Result<Vec<SqliteRow>, StoreFault> {
        let query = bound(statement, values);
        let options = self.options.clone().read_only(true);
        let open = async { SqliteConnection::connect_with(&options).await.map_err(fault) };
        let fetched = self.readers.with(open, async |reader| query.fetch_all(reader).await.map_err(fault));
        fetched.await
    }
}

#[async_trait]
impl super::Store for SqliteStore {
    async fn begin(&self, look: &Look) -> Result<(Seen, Box<dyn Commit + '_>), StoreFault> {
        let (seen, held) = self.look(look).await?;
        Ok((seen, Box::new(commit::SqliteCommit { held })))
    }

    async fn head(&self) -> Result<Option<Head>, StoreFault> {
        read::head(self).await
    }

    async fn grants(
        &self,
        tag: &Tag,
        recipient: Oin,
        role: Role,
        purpose: &Purpose,
    ) -> Result<Vec<StoredGrant>, StoreFault> {
        read::grants(self, tag, recipient, role, purpose).await
    }

    async fn form(&self, id: FormId) -> Result<Option<StoredForm>, StoreFault> {
        read::form(self, id).await
    }

    async fn forms_of(&self, tag: &Tag, recorder: Oin) -> Result<Vec<StoredForm>, StoreFault> {
        read::forms_of(self, tag, recorder).await
    }

    async fn grant(&self, id: GrantId) -> Result<Option<StoredGrant>, StoreFault> {
        read::grant(self, id).await
    }

    async fn disclosures(&self, filter: &DisclosureFilter) -> Result<Vec<StoredDisclosure>, StoreFault> {
        read::disclosures(self, filter).await
    }

    async fn events_after(&self, of: Oin, position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreFault> {
        read::events_after(self, of, position, limit).await
    }

    async fn received(&self, recipient: Oin) -> Result<Vec<(Standing, Vec<u64>)>, StoreFault> {
        read::received(self, recipient).await
    }

    async fn expiring(
        &self,
        recorder: Oin,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Expiring>, StoreFault> {
        read::expiring(self, recorder, from, until).await
    }

    async fn acknowledged(&self, organisation: Oin) -> Result<Cursor, StoreFault> {
        read::acknowledged(self, organisation).await
    }

    async fn client_key(&self, subject: SubjectId, year: i32) -> Result<Option<WrappedKey>, StoreFault> {
        read::client_key(self, subject, year).await
    }

    async fn entries(&self, from: u64, limit: u32) -> Result<Vec<StoredEntry>, StoreFault> {
        read::entries(self, from, limit).await
    }

    async fn search(&self, filter: &EntryFilter) -> Result<Vec<StoredEntry>, StoreFault> {
        read::search(self, filter).await
    }

    async fn tiles(
        &self,
        shard: u64,
        level: u8,
        from: u64,
        limit: u32,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreFault> {
        read::tiles(self, shard, level, from, limit).await
    }

    async fn shards(&self) -> Result<Vec<Shard>, StoreFault> {
        read::shards(self).await
    }

    async fn shard_of(&self, position: u64) -> Result<Option<Shard>, StoreFault> {
        read::shard_of(self, position).await
    }

    async fn subject_of(&self, tag: &Tag) -> Result<Option<SubjectId>, StoreFault> {
        super::forgetting::subject_of(self, tag).await
    }

    async fn traces(&self, subject: SubjectId) -> Result<Traces, StoreFault> {
        self.traces_of(subject).await
    }

    async fn expire(&self, terms: &Terms, limit: u32) -> Result<u64, StoreFault> {
        self.forget_over(terms, limit).await
    }

    async fn scrub(&self) -> Result<(), StoreFault> {
        self.cut_log().await
    }

    async fn is_scrub_due(&self) -> Result<bool, StoreFault> {
        super::forgetting::is_scrub_due(self).await
    }

    async fn request_of(&self, pair: PairId) -> Result<Option<StoredEntry>, StoreFault> {
        read::request_of(self, pair).await
    }

    async fn logboek(&self) -> Result<u64, StoreFault> {
        read::logboek(self).await
    }

    async fn logboek_turn(&self) -> Result<Option<Box<dyn LogboekTurn + '_>>, StoreFault> {
        Ok(Some(Box::new(turn::SqliteTurn(self))))
    }

    async fn open_requests(&self, before: Timestamp) -> Result<Vec<OpenRequest>, StoreFault> {
        read::open_requests(self, before).await
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn is_alone(&self) -> bool {
        true
    }

    fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    /// Closes the connections, folds the write-ahead log into the file, and frees the folder, even where somebody still has
    /// this store: nothing is written with it any more.
    async fn close(&self) {
        let writer = self.writer.lock().await.close();
        for connection in self.readers.close().into_iter().chain(writer) {
            // What is committed is durable, whether the last connection folds it into the file or not.
            drop(connection.close().await);
        }
        // Nothing can panic while it is held.
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(lock);
    }
}
