//! The gateway's database from outside of the gateway: another connection to it, and a disk that is full.

use std::{fmt::Write as _, fs, path::Path};

use sluis::{
    config::Settings,
    storage::{Database, DatabaseAddress},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{database, lab::Lab};

/// A connection of our own to a gateway's database.
pub enum Outside {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Outside {
    /// To the database of the region in this folder.
    pub async fn open(dir: &Path) -> Self {
        match Settings::load(&dir.join("sluis.toml")).unwrap().database {
            DatabaseAddress::Folder(folder) => {
                let options = SqliteConnectOptions::new().filename(folder.join("sluis.db"));
                Self::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
            }
            DatabaseAddress::Postgres(url) => Self::Postgres(database::connect(url.reveal()).await),
        }
    }

    /// Kinds of the entries of a pair, in their order.
    pub async fn kinds(&mut self, pair: [u8; 16]) -> Vec<String> {
        let statement = "select kind from entry where pair = $1 order by position";
        match self {
            Self::Sqlite(file) => {
                sqlx::query_scalar(statement).bind(pair.to_vec()).fetch_all(file).await.unwrap()
            }
            Self::Postgres(server) => {
                sqlx::query_scalar(statement).bind(pair.to_vec()).fetch_all(server).await.unwrap()
            }
        }
    }

    /// Size of the log, as its head says.
    pub async fn size(&mut self) -> i64 {
        let statement = "select size from head";
        match self {
            Self::Sqlite(file) => sqlx::query_scalar(statement).fetch_one(file).await.unwrap(),
            Self::Postgres(server) => sqlx::query_scalar(statement).fetch_one(server).await.unwrap(),
        }
    }

    async fn run(&mut self, statements: &str) {
        let statements = AssertSqlSafe(statements.to_owned());
        match self {
            Self::Sqlite(file) => drop(sqlx::raw_sql(statements).execute(file).await.unwrap()),
            Self::Postgres(server) => drop(sqlx::raw_sql(statements).execute(server).await.unwrap()),
        }
    }

    /// Takes the log's head: nobody else can commit.
    pub async fn hold(&mut self) {
        let statements = match self {
            Self::Sqlite(_) => "begin immediate",
            Self::Postgres(_) => "begin; select 1 from head for update",
        };
        self.run(statements).await;
    }

    /// Lets it go.
    pub async fn let_go(&mut self) {
        self.run("rollback").await;
    }

    /// Writes every value of every table to a file, each as it is. For PostgreSQL; SQLite has a file itself.
    pub async fn dump(&mut self, to: &Path) {
        let Self::Postgres(server) = self else { panic!("an SQLite database is a file already") };
        let columns: Vec<(String, String, String)> = sqlx::query_as(
            "select table_name::text, column_name::text, data_type::text from information_schema.columns \
             where table_schema = current_schema()",
        )
        .fetch_all(&mut *server)
        .await
        .unwrap();
        let mut out = Vec::new();
        for (table, column, kind) in columns {
            let bytes =
                if kind == "bytea" { column.clone() } else { format!("convert_to({column}::text, 'UTF8')") };
            let statement = format!("select {bytes} from {table} where {column} is not null");
            let values: Vec<Vec<u8>> =
                sqlx::query_scalar(AssertSqlSafe(statement)).fetch_all(&mut *server).await.unwrap();
            for value in values {
                out.extend(value);
                out.push(b'\n');
            }
        }
        fs::write(to, out).unwrap();
    }
}

/// As many pages as SQLite allows.
const NO_LIMIT: u32 = 1_073_741_823;

/// What PostgreSQL says when it finds no room, for these entries. It is a real error of the server in a real transaction;
/// only what it looked at is not the disk.
fn full(which: &str) -> String {
    let mut text = "create or replace function no_room() returns trigger language plpgsql as $$ begin \
                    raise exception 'no room' using errcode = 'disk_full'; end $$; \
                    drop trigger if exists no_room on entry; "
        .to_owned();
    write!(
        text,
        "create trigger no_room before insert on entry for each row {which} execute function no_room()"
    )
    .unwrap();
    text
}

impl Lab {
    /// No room for anything that is not there yet.
    pub async fn no_room(&self) {
        match &self.world.gateway.database {
            Database::Sqlite(store) => store.limit_pages(store.pages().await.unwrap()).await.unwrap(),
            Database::Postgres(_) => Outside::open(&self.world.dir).await.run(&full("")).await,
        }
    }

    /// A little more room: sooner or later enough for a request, and not for its outcome.
    pub async fn a_little_room(&self) {
        match &self.world.gateway.database {
            Database::Sqlite(store) => store.limit_pages(store.pages().await.unwrap() + 1).await.unwrap(),
            Database::Postgres(_) => {
                let outcomes = full("when (new.kind = 'outcome')");
                Outside::open(&self.world.dir).await.run(&outcomes).await;
            }
        }
    }

    /// Room again.
    pub async fn room(&self) {
        match &self.world.gateway.database {
            Database::Sqlite(store) => store.limit_pages(NO_LIMIT).await.unwrap(),
            Database::Postgres(_) => {
                Outside::open(&self.world.dir).await.run("drop trigger if exists no_room on entry").await;
            }
        }
    }
}
