//! Which store a gateway has: the embedded one in its data folder, or a PostgreSQL that several share.

use std::{
    convert::Infallible,
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use super::{
    Store, StoreFault,
    postgres::{PostgresStore, PostgresUrl, UrlFault},
    sqlite::SqliteStore,
    tables::Tables,
};

/// Why the store does not open. Each says what to mend; none shows a password.
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
    /// The address is not one.
    #[error(transparent)]
    Url(#[from] UrlFault),
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Store(#[from] StoreFault),
    /// A copy into it never came to its end.
    #[error("a copy into this store is not finished; run `sluis store copy` again, or empty the store")]
    Arriving,
    /// Its log goes on elsewhere.
    #[error(
        "this log was copied to another store and goes on there; to write on here too would be a second continuation of it"
    )]
    Left,
}

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseAddress {
    /// A data folder, with an SQLite file.
    Folder(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresUrl),
}

impl FromStr for DatabaseAddress {
    type Err = UrlFault;

    fn from_str(text: &str) -> Result<Self, UrlFault> {
        if text.contains("://") {
            text.parse().map(Self::Postgres)
        } else {
            let Ok(folder): Result<PathBuf, Infallible> = text.parse();
            Ok(Self::Folder(folder))
        }
    }
}

impl fmt::Display for DatabaseAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.display().fmt(f),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// An open store, by its kind.
#[derive(Clone, Debug)]
pub enum Database {
    /// Embedded.
    Sqlite(Arc<SqliteStore>),
    /// Shared.
    Postgres(Arc<PostgresStore>),
}

impl Database {
    /// Opens the store of a gateway, and makes its tables if there are none.
    ///
    /// # Errors
    /// If it does not open with the settings that durability needs, or its log is on the way elsewhere.
    pub async fn open(address: &DatabaseAddress) -> Result<Self, OpenFault> {
        let database = Self::open_for_copy(address).await?;
        let state = match &database {
            Self::Sqlite(store) => store.moving().await,
            Self::Postgres(store) => store.moving().await,
        };
        let fault = match state {
            Ok(None) => return Ok(database),
            Ok(Some(state)) if state == "arriving" => OpenFault::Arriving,
            Ok(Some(_)) => OpenFault::Left,
            Err(fault) => fault.into(),
        };
        database.shared().close().await;
        Err(fault)
    }

    /// Opens a store to copy from or into, whatever the state of a copy.
    ///
    /// # Errors
    /// If it does not open with the settings that durability needs.
    pub async fn open_for_copy(address: &DatabaseAddress) -> Result<Self, OpenFault> {
        Ok(match address {
            DatabaseAddress::Folder(folder) => Self::Sqlite(Arc::new(SqliteStore::open(folder).await?)),
            DatabaseAddress::Postgres(url) => Self::Postgres(Arc::new(PostgresStore::open(url).await?)),
        })
    }

    /// Opens the SQLite file of a running gateway, to read alone: every commit fails.
    ///
    /// # Errors
    /// If the file does not open.
    pub async fn open_read_only(folder: &Path) -> Result<Self, OpenFault> {
        Ok(Self::Sqlite(Arc::new(SqliteStore::open_read_only(folder).await?)))
    }

    /// The store as tables, for a copy.
    #[must_use]
    pub fn tables(&self) -> &dyn Tables {
        match self {
            Self::Sqlite(store) => store.as_ref(),
            Self::Postgres(store) => store.as_ref(),
        }
    }

    /// The store, whatever its kind.
    #[must_use]
    pub fn shared(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => Arc::<SqliteStore>::clone(store),
            Self::Postgres(store) => Arc::<PostgresStore>::clone(store),
        }
    }
}
