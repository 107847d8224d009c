//! The databases of the tests. Every test has one of its own: a folder for SQLite, a schema for PostgreSQL.
//!
//! `SLUIS_POSTGRES` is the address of a PostgreSQL for tests (`./scripts/with-postgres` starts one). Tests that are about
//! PostgreSQL always use it. `SLUIS_TEST_STORE=postgres` makes all others use it too, in place of SQLite.

use sluis::storage::PostgresUrl;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Whether this run is about PostgreSQL.
pub fn on_postgres() -> bool {
    match std::env::var("SLUIS_TEST_STORE").as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("SLUIS_TEST_STORE is `{other}`; it can be `sqlite` or `postgres`"),
    }
}

/// Address of the PostgreSQL for tests.
pub fn server() -> String {
    std::env::var("SLUIS_POSTGRES")
        .expect("set SLUIS_POSTGRES to a PostgreSQL for tests, or run `./scripts/with-postgres cargo test`")
}

/// The database of a region in this run: none for the embedded one.
pub async fn chosen() -> Option<PostgresUrl> {
    if on_postgres() { Some(fresh().await.parse().unwrap()) } else { None }
}

/// A connection to it, not through any store.
pub async fn connect(url: &str) -> PgConnection {
    PgConnection::connect(url).await.expect("the PostgreSQL for tests does not answer")
}

/// Address of a schema of its own on it, empty. It goes with the server.
pub async fn fresh() -> String {
    let server = server();
    let name = format!("t_{}", uuid::Uuid::new_v4().simple());
    let mut connection = connect(&server).await;
    sqlx::query(AssertSqlSafe(format!("create schema {name}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let mark = if server.contains('?') { '&' } else { '?' };
    format!("{server}{mark}options=-c%20search_path%3D{name}")
}
