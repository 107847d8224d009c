//! The shared store: PostgreSQL. Several gateways write one log through it; the row of the log's head orders them.
//!
//! Each instance has one connection that commits, and some that read. Nothing is read from a standby.

mod address;
mod commit;
mod faults;
mod forgetting;
mod look;
mod tables;
mod turn;
mod write;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, Postgres,
    migrate::Migrator,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use tokio::sync::Mutex;

use self::faults::{Attempted, fault, within};
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
    subject::Tag,
};

pub use address::{PostgresUrl, UrlFault};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Oldest version that is maintained.
const OLDEST: i32 = 140_000;
/// Connections that read.
const READERS: usize = 8;
/// How long a connection may take to open, or to become free.
const CONNECT: Duration = Duration::from_secs(5);
/// Bytes of one message at most.
const MESSAGE: usize = 1 << 20;
/// The same where TLS cuts messages into records. sqlx 0.9.0 leaves Nagle's algorithm on (its issue 4335): the second record
/// would wait for the server's delayed acknowledgement of the first, 40 ms. One record is 16 KiB.
const TLS_RECORD: usize = 12_000;

/// What every session has. A gateway that hangs with the head in its hands is cut off, so that the others go on.
const SESSION: [(&str, &str); 7] = [
    ("statement_timeout", "5s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "10s"),
    ("tcp_user_timeout", "10s"),
    ("tcp_keepalives_idle", "30"),
    ("timezone", "UTC"),
    ("client_min_messages", "warning"),
];

/// Whether no other instance is there. Every instance holds this lock for as long as its session lasts, shared; it goes
/// with the process, however that ends.
const TRY_ALONE: &str = "select pg_try_advisory_lock(1397511497::int8 << 32 | 'head'::regclass::oid::int8)";
const PRESENT: &str = "select pg_advisory_lock_shared(1397511497::int8 << 32 | 'head'::regclass::oid::int8)";
const ABSENT: &str = "select pg_advisory_unlock_shared(1397511497::int8 << 32 | 'head'::regclass::oid::int8)";
const NOT_ALONE: &str = "select pg_advisory_unlock(1397511497::int8 << 32 | 'head'::regclass::oid::int8)";

/// The shared store.
pub struct PostgresStore {
    options: PgConnectOptions,
    readers: Connections<PgConnection>,
    // Bytes of one message at most.
    message: usize,
    // Taken out while a commit is under way; not put back unless that came to a clean end. Its session tells other
    // instances that this one is there.
    writer: Mutex<Slot<PgConnection>>,
    alone: bool,
    transactions: Transactions,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("transactions", &self.transactions).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Opens the database, and makes its tables if there are none. Several instances may do so at the same time.
    ///
    /// # Errors
    /// If it does not answer, is too old or a standby, or has not the settings that durability needs.
    pub async fn open(url: &PostgresUrl) -> Result<Self, OpenFault> {
        let options = url.options()?.options(SESSION).application_name("sluis");
        let options = sqlx::ConnectOptions::disable_statement_logging(options);
        let mut first = connect(&options).await?;
        check(&mut first).await?;
        // Under an advisory lock of the database: who comes second finds everything made. Waiting for it, and what a
        // migration does to a large table, may take long.
        sqlx::raw_sql("set statement_timeout = 0; set lock_timeout = 0").execute(&mut first).await?;
        MIGRATIONS.run(&mut first).await?;
        sqlx::raw_sql("reset statement_timeout; reset lock_timeout").execute(&mut first).await?;
        let alone = sqlx::query_scalar(TRY_ALONE).fetch_one(&mut first).await?;
        sqlx::raw_sql(PRESENT).execute(&mut first).await?;
        if alone {
            sqlx::raw_sql(NOT_ALONE).execute(&mut first).await?;
        }
        let message = if url.is_encrypted() { TLS_RECORD } else { MESSAGE };
        Ok(Self {
            options,
            readers: Connections::new(READERS),
            message,
            writer: Mutex::new(Slot::new(Some(first))),
            alone,
            transactions: Transactions::default(),
        })
    }

    async fn reconnect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = connect(&self.options).await?;
        sqlx::raw_sql(PRESENT).execute(&mut connection).await?;
        Ok(connection)
    }

    /// State of a copy from or into this store, if there is one.
    pub(super) async fn moving(&self) -> Result<Option<String>, StoreFault> {
        read::moving(self).await
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut connection = tokio::time::timeout(CONNECT, PgConnection::connect_with(options))
        .await
        .map_err(|_| sqlx::Error::PoolTimedOut)??;
    refuse_standby(&mut connection).await?;
    Ok(connection)
}

/// A standby may be behind: a withdrawal could be missing there.
async fn refuse_standby(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    if sqlx::query_scalar("select pg_is_in_recovery()").fetch_one(connection).await? {
        return Err(sqlx::Error::Configuration(
            "the server is a standby; give the address of the primary".into(),
        ));
    }
    Ok(())
}

/// What is asserted at the start; the first three again in every commit.
async fn check(connection: &mut PgConnection) -> Result<(), OpenFault> {
    let setting = async |connection: &mut PgConnection, name: &str| -> Result<String, sqlx::Error> {
        sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(connection).await
    };
    if setting(connection, "fsync").await? != "on" {
        return Err(OpenFault::Setting("fsync = on"));
    }
    if setting(connection, "full_page_writes").await? != "on" {
        return Err(OpenFault::Setting("full_page_writes = on"));
    }
    if !["on", "remote_apply"].contains(&setting(connection, "synchronous_commit").await?.as_str()) {
        return Err(OpenFault::Setting("synchronous_commit = on (or remote_apply)"));
    }
    if setting(connection, "server_encoding").await? != "UTF8" {
        return Err(OpenFault::Setting("server_encoding = UTF8"));
    }
    if setting(connection, "server_version_num").await?.parse().is_ok_and(|version: i32| version < OLDEST) {
        return Err(OpenFault::Setting("server_version >= 14"));
    }
    Ok(())
}

/// A statement with its parameters.
fn bound<'q>(statement: String, values: &[Value<'_>]) -> Query<'q, Postgres, PgArguments> {
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

impl Fetch for PostgresStore {
    type Row = PgRow;

    async fn fetch(&self, statement: String, values: &[Value<'_>]) -> Result<Vec<PgRow>, StoreFault> {
        let mut tries = 1;
        loop {
            let query = bound(statement.clone(), values);
            let open =
                async { connect(&self.options).await.map_err(|error| fault(&error, Attempted::Statement)) };
            let fetched = self.readers.with(open, async |reader| within(query.fetch_all(reader)).await);
            match fetched.await {
                // After the server was away, every connection that waited is dead.
                Err(StoreFault::Again(_)) if tries <= READERS => tries += 1,
                Err(StoreFault::Again(_)) => return Err(StoreFault::Busy),
                result => return result,
            }
        }
    }
}

#[async_trait]
impl super::Store for PostgresStore {
    async fn begin(&self, look: &Look) -> Result<(Seen, Box<dyn Commit + '_>), StoreFault> {
        let mut slot = self.writer.lock().await;
        let connection = match slot.take()? {
            Some(connection) => connection,
            None => self.reconnect().await.map_err(|error| fault(&error, Attempted::Statement))?,
        };
        let (seen, commit) = commit::PostgresCommit::begin(slot, connection, self.message, look).await?;
        Ok((seen, Box::new(commit)))
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
        self.rewrite_keys().await
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
        let turn = turn::PostgresTurn::take(&self.options).await?;
        Ok(turn.map(|turn| -> Box<dyn LogboekTurn + '_> { Box::new(turn) }))
    }

    async fn open_requests(&self, before: Timestamp) -> Result<Vec<OpenRequest>, StoreFault> {
        read::open_requests(self, before).await
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn is_alone(&self) -> bool {
        self.alone
    }

    fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    async fn close(&self) {
        let mut writer = self.writer.lock().await.close();
        if let Some(writer) = &mut writer {
            // Who starts now is alone, and does not have to wait until the server has seen the session go.
            drop(within(sqlx::raw_sql(ABSENT).execute(writer)).await);
        }
        for connection in self.readers.close().into_iter().chain(writer) {
            // The server sees the connection go, with or without a farewell.
            drop(connection.close().await);
        }
    }
}
