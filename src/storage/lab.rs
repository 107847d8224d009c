//! A PostgreSQL schema for one test.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::PostgresUrl;
use crate::domain::random;

/// The server for tests, from the environment. A test that needs it fails without.
pub(crate) fn server() -> String {
    std::env::var("SLUIS_POSTGRES").unwrap_or_else(|_| {
        panic!("this test needs a PostgreSQL server: set SLUIS_POSTGRES or run ./scripts/with-postgres cargo test")
    })
}

/// A schema that nobody else uses, and that goes with this value.
#[derive(Debug)]
pub(crate) struct Scratch {
    name: String,
}

async fn run(statement: String) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(&server()).await?;
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await
}

impl Scratch {
    /// Makes one.
    pub(crate) async fn new() -> Self {
        let name = format!("t_{}", hex::encode(random::bytes::<12>().unwrap()));
        run(format!("create schema {name}")).await.unwrap();
        Self { name }
    }

    /// Its address: all tables that are made through it are in the schema.
    pub(crate) fn text(&self) -> String {
        let server = server();
        let mark = if server.contains('?') { '&' } else { '?' };
        format!("{server}{mark}options=-c%20search_path%3D{}", self.name)
    }

    /// Its address, for a store.
    pub(crate) fn url(&self) -> PostgresUrl {
        self.text().parse().unwrap()
    }
}

impl Drop for Scratch {
    /// Also when the test fails: a server that serves many runs should not fill up.
    fn drop(&mut self) {
        // A test that failed may still have a session with locks, on the very thread that waits here.
        let sessions = format!(
            "select pg_terminate_backend(pid) from pg_locks where relation in \
             (select oid from pg_class where relnamespace = '{}'::regnamespace) and pid <> pg_backend_pid()",
            self.name
        );
        let statement = format!("drop schema {} cascade", self.name);
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.map(|runtime| {
                runtime.block_on(async {
                    run(sessions).await?;
                    run(statement).await
                })
            })
        });
        drop(dropping.join());
    }
}
