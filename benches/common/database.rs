//! A PostgreSQL database for one run, on the server at hand. What others keep there is not touched.

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use super::Fault;

/// A database of its own. Ask for its end: it stays otherwise, as an aborted run leaves it.
#[derive(Debug)]
pub struct Database {
    server: String,
    name: String,
    /// Its address.
    pub url: String,
}

impl Database {
    /// Makes one, beside the database at this address.
    pub async fn create(address: &str) -> Result<Self, Fault> {
        let name = format!("sluis_bench_{}", Uuid::new_v4().simple());
        let (path, parameters) = address.find('?').map_or((address, ""), |at| address.split_at(at));
        let (host, _) = path.rsplit_once('/').ok_or("the address names no database")?;
        let url = format!("{host}/{name}{parameters}");
        let mut connection = PgConnection::connect(address).await?;
        connection.execute(AssertSqlSafe(format!("create database {name}"))).await?;
        connection.close().await?;
        Ok(Self { server: address.to_owned(), name, url })
    }

    /// Removes it.
    pub async fn remove(self) -> Result<(), Fault> {
        let mut connection = PgConnection::connect(&self.server).await?;
        connection.execute(AssertSqlSafe(format!("drop database {} with (force)", self.name))).await?;
        Ok(connection.close().await?)
    }
}
