//! Backups of an embedded database: one without the clients' keys, and one of these keys alone, which is kept for a short
//! time only. What is sealed in an old backup of the first kind opens no more once the last of the second kind is gone
//! (P11).

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use sqlx::{
    AssertSqlSafe, Connection as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode},
};

use crate::{domain::Timestamp, storage::schema::CLIENT_KEY};

/// Milliseconds of a day.
const DAY: i64 = 24 * 3_600_000;

/// Why there is no backup, or nothing was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupFault {
    /// A file.
    #[error("cannot use `{0}`: {1}")]
    File(PathBuf, io::Error),
    /// The database.
    #[error("the database could not be copied: {0}")]
    Database(#[from] sqlx::Error),
    /// There is a database already.
    #[error("there is a database in `{0}` already; nothing is overwritten")]
    Taken(PathBuf),
    /// Not a time that a name can be made of.
    #[error("the clock gives no time that a file can be named after")]
    Time,
}

/// Files of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Everything but the clients' keys.
    pub log: PathBuf,
    /// The clients' keys and nothing else.
    pub keys: PathBuf,
    /// Older backups of keys that were removed.
    pub removed: Vec<PathBuf>,
}

/// `20261130T091500Z`, which sorts as time goes.
fn stamp(now: Timestamp) -> String {
    let text = now.to_string();
    let text = text.split_once('.').map_or(text.as_str(), |(seconds, _)| seconds);
    format!("{}Z", text.replace(['-', ':'], ""))
}

fn file_fault(path: &Path) -> impl Fn(io::Error) -> BackupFault + '_ {
    |cause| BackupFault::File(path.to_owned(), cause)
}

/// Backs up the database in `data`, which may be in use, into the folder `out`, and removes backups of keys there that are
/// older than so many days.
///
/// # Errors
/// If a file cannot be written, or the database not be read.
pub async fn backup(data: &Path, out: &Path, keep_days: u32, now: Timestamp) -> Result<Backup, BackupFault> {
    fs::create_dir_all(out).map_err(file_fault(out))?;
    let name = stamp(now);
    let log = out.join(format!("sluis-{name}.db"));
    let keys = out.join(format!("client-keys-{name}.db"));
    for path in [&log, &keys] {
        private(path)?;
    }
    let mut target = open(&log).await?;
    attach(&mut target, "source", &data.join("sluis.db")).await?;
    attach(&mut target, "keys", &keys).await?;
    // One transaction, and so one state of the source.
    run(&mut target, "begin").await?;
    let tables: Vec<(String, String)> = sqlx::query_as(
        "select name, sql from source.sqlite_schema where type = 'table' and name not like 'sqlite_%'",
    )
    .fetch_all(&mut target)
    .await?;
    for (table, sql) in &tables {
        run(&mut target, sql).await?;
        let copied = format!("select * from source.\"{table}\"");
        let copying = if table == CLIENT_KEY.name {
            format!("create table keys.\"{table}\" as {copied}")
        } else {
            format!("insert into main.\"{table}\" {copied}")
        };
        run(&mut target, &copying).await?;
    }
    let rest: Vec<(String,)> =
        sqlx::query_as("select sql from source.sqlite_schema where type <> 'table' and sql is not null")
            .fetch_all(&mut target)
            .await?;
    for (sql,) in &rest {
        run(&mut target, sql).await?;
    }
    run(&mut target, "commit").await?;
    target.close().await?;
    let removed = remove_old(out, &stamp(now.plus_millis(-DAY * i64::from(keep_days))))?;
    Ok(Backup { log, keys, removed })
}

/// Puts a backup into the folder `data`, which has no database, with the keys of a backup of keys if there is one.
///
/// # Errors
/// If there is a database, or a file cannot be read or written.
pub async fn restore(data: &Path, log: &Path, keys: Option<&Path>) -> Result<(), BackupFault> {
    let target = data.join("sluis.db");
    fs::create_dir_all(data).map_err(file_fault(data))?;
    if target.exists() {
        return Err(BackupFault::Taken(data.to_owned()));
    }
    private(&target)?;
    fs::copy(log, &target).map_err(file_fault(log))?;
    let mut connection = open(&target).await?;
    if let Some(keys) = keys {
        fs::metadata(keys).map_err(file_fault(keys))?;
        attach(&mut connection, "keys", keys).await?;
        run(&mut connection, "insert into main.client_key select * from keys.client_key").await?;
    }
    connection.close().await?;
    Ok(())
}

/// A new file that nobody else may read.
fn private(path: &Path) -> Result<(), BackupFault> {
    let mut options = fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop).map_err(file_fault(path))
}

async fn open(path: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Delete)
        // Rows come in an order that has parents first, but their definitions need not.
        .foreign_keys(false);
    SqliteConnection::connect_with(&sqlx::ConnectOptions::disable_statement_logging(options)).await
}

async fn attach(connection: &mut SqliteConnection, name: &str, path: &Path) -> Result<(), sqlx::Error> {
    let path = path.to_string_lossy().into_owned();
    let statement = format!("attach database ? as {name}");
    sqlx::query(AssertSqlSafe(statement)).bind(path).execute(connection).await.map(drop)
}

async fn run(connection: &mut SqliteConnection, statement: &str) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(statement.to_owned())).execute(connection).await.map(drop)
}

/// Removes the backups of keys whose name says that they are older.
fn remove_old(out: &Path, oldest: &str) -> Result<Vec<PathBuf>, BackupFault> {
    let mut removed = Vec::new();
    for file in fs::read_dir(out).map_err(file_fault(out))? {
        let path = file.map_err(file_fault(out))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let stamp = name.strip_prefix("client-keys-").and_then(|name| name.strip_suffix(".db"));
        if stamp.is_some_and(|stamp| stamp < oldest) {
            fs::remove_file(&path).map_err(file_fault(&path))?;
            removed.push(path);
        }
    }
    removed.sort();
    Ok(removed)
}
