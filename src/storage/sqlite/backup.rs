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

use crate::{
    domain::Timestamp,
    replace::{Readers, new_file, put},
    storage::schema::CLIENT_KEY,
};

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
    /// What is left of another database would become a part of the one that is put back.
    #[error(
        "`{0}` is left of a database that stood here, and would be read into the one that is put back; move it away, to where \
         the file sluis.db of that database is"
    )]
    Leftover(PathBuf),
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
}

/// What came of a run. The old backups of keys go whatever came of the new one: a disk that is full for weeks must not keep
/// what erases nobody as long as it is there (P11).
#[derive(Debug)]
pub struct Run {
    /// The new backup.
    pub written: Result<Backup, BackupFault>,
    /// Older backups of keys that were removed.
    pub removed: Vec<PathBuf>,
    /// Why others were not.
    pub faults: Vec<BackupFault>,
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
pub async fn backup(data: &Path, out: &Path, keep_days: u32, now: Timestamp) -> Run {
    let written = write(data, out, &stamp(now)).await;
    let (removed, faults) = remove_old(out, &stamp(now.plus_millis(-DAY * i64::from(keep_days))));
    Run { written, removed, faults }
}

async fn write(data: &Path, out: &Path, stamp: &str) -> Result<Backup, BackupFault> {
    fs::create_dir_all(out).map_err(file_fault(out))?;
    let log = Unfinished::beside(out.join(format!("sluis-{stamp}.db")))?;
    let keys = Unfinished::beside(out.join(format!("client-keys-{stamp}.db")))?;
    copy(data, &log.path, &keys.path).await?;
    let keys = keys.finish()?;
    match log.finish() {
        Ok(log) => Ok(Backup { log, keys }),
        Err(fault) => {
            // One without the other would look like a backup.
            drop(fs::remove_file(&keys));
            Err(fault)
        }
    }
}

/// Copies the clients' keys into the one file, and everything else into the other.
async fn copy(data: &Path, log: &Path, keys: &Path) -> Result<(), BackupFault> {
    let mut target = open(log).await?;
    attach(&mut target, "source", &data.join("sluis.db")).await?;
    attach(&mut target, "keys", keys).await?;
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
    Ok(())
}

/// What SQLite keeps beside a database, and reads into whatever stands there under its name.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Puts a backup into the folder `data`, which has no database, with the keys of a backup of keys if there is one. Where that
/// fails nothing is there that looks like a database.
///
/// # Errors
/// If there is a database or something left of one, or a file cannot be read or written.
pub async fn restore(data: &Path, log: &Path, keys: Option<&Path>) -> Result<(), BackupFault> {
    let target = data.join("sluis.db");
    fs::create_dir_all(data).map_err(file_fault(data))?;
    if target.try_exists().map_err(file_fault(&target))? {
        return Err(BackupFault::Taken(data.to_owned()));
    }
    for left in BESIDE.map(|end| with(&target, end)) {
        if left.try_exists().map_err(file_fault(&left))? {
            return Err(BackupFault::Leftover(left));
        }
    }
    // Of one that was killed.
    Unfinished::remove(&with(&target, NEW));
    let new = Unfinished::beside(target)?;
    let mut source = fs::File::open(log).map_err(file_fault(log))?;
    let copied = fs::File::options().write(true).open(&new.path);
    copied.and_then(|mut copied| io::copy(&mut source, &mut copied)).map_err(file_fault(&new.path))?;
    let mut connection = open(&new.path).await?;
    if let Some(keys) = keys {
        fs::metadata(keys).map_err(file_fault(keys))?;
        attach(&mut connection, "keys", keys).await?;
        run(&mut connection, "insert into main.client_key select * from keys.client_key").await?;
    }
    connection.close().await?;
    new.finish().map(drop)
}

/// How the name of a file ends as long as it is not whole.
const NEW: &str = ".new";

/// A database that is being written, under a name that is not its own. Unless it comes to its end it is removed.
struct Unfinished {
    path: PathBuf,
    target: PathBuf,
    is_finished: bool,
}

impl Unfinished {
    /// A new file that nobody else may read, for a name that nothing has.
    fn beside(target: PathBuf) -> Result<Self, BackupFault> {
        if target.try_exists().map_err(file_fault(&target))? {
            return Err(BackupFault::File(target, io::ErrorKind::AlreadyExists.into()));
        }
        let path = with(&target, NEW);
        new_file(&path, Readers::Owner).map_err(file_fault(&path))?;
        Ok(Self { path, target, is_finished: false })
    }

    /// Gives it its name.
    fn finish(mut self) -> Result<PathBuf, BackupFault> {
        put(&self.path, &self.target).map_err(file_fault(&self.target))?;
        self.is_finished = true;
        Ok(self.target.clone())
    }

    fn remove(path: &Path) {
        drop(fs::remove_file(path));
        BESIDE.iter().for_each(|end| drop(fs::remove_file(with(path, end))));
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            Self::remove(&self.path);
        }
    }
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

/// The time in the name of a backup of keys, or of one that was begun and never came to its end.
fn stamp_of(name: &str) -> Option<&str> {
    let (stamp, end) = name.strip_prefix("client-keys-")?.split_once(".db")?;
    let end = end.strip_prefix(NEW).unwrap_or(end);
    (end.is_empty() || BESIDE.contains(&end)).then_some(stamp)
}

/// Removes the backups of keys whose name says that they are older. One that cannot be removed keeps no other.
fn remove_old(out: &Path, oldest: &str) -> (Vec<PathBuf>, Vec<BackupFault>) {
    let (mut removed, mut faults) = (Vec::new(), Vec::new());
    let files = match fs::read_dir(out) {
        Ok(files) => files,
        Err(cause) => return (removed, vec![file_fault(out)(cause)]),
    };
    for file in files {
        let path = match file {
            Ok(file) => file.path(),
            Err(cause) => {
                faults.push(file_fault(out)(cause));
                continue;
            }
        };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if stamp_of(name).is_some_and(|stamp| stamp < oldest) {
            match fs::remove_file(&path) {
                Ok(()) => removed.push(path),
                Err(cause) => faults.push(BackupFault::File(path, cause)),
            }
        }
    }
    removed.sort();
    (removed, faults)
}
