//! What an error of PostgreSQL means for the log.

use std::{future::Future, time::Duration};

use crate::storage::StoreFault;

/// How long to wait for the server. Longer than its own limits, so that it is the one who speaks; silence after this is a
/// connection that is gone.
const PATIENCE: Duration = Duration::from_secs(12);

/// What failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempted {
    /// Something before the commit: without one, nothing of it is there.
    Statement,
    /// The commit itself.
    Commit,
}

/// The meaning of an error, by its SQLSTATE. No text of the server goes further: it may quote values.
pub(super) fn fault(error: &sqlx::Error, attempted: Attempted) -> StoreFault {
    let lost = || match attempted {
        Attempted::Statement => StoreFault::Again("the connection was lost"),
        Attempted::Commit => StoreFault::Lost,
    };
    let code = match error {
        sqlx::Error::Database(cause) => cause.code().unwrap_or_default().into_owned(),
        sqlx::Error::PoolTimedOut => return StoreFault::Busy,
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => return lost(),
        sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) | sqlx::Error::PoolClosed => {
            return StoreFault::Busy;
        }
        // A row that does not read, a column that is not there: what is stored is not what this program stores.
        _ => return StoreFault::Fatal("PostgreSQL gave an answer that cannot be read".to_owned()),
    };
    match code.as_str() {
        "53100" => StoreFault::Full,
        "40001" => StoreFault::Again("transactions crossed"),
        "40P01" => StoreFault::Again("a deadlock"),
        // Waited as long as there is: for a lock, or for the statement. Or the server has no room for another session.
        "55P03" | "57014" | "53000" | "53200" | "53300" | "53400" => StoreFault::Busy,
        // A standby: the primary is elsewhere now.
        "25006" => StoreFault::Busy,
        // Shut down, crashed, starting up, or cut off while a transaction was idle.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" => lost(),
        code if code.starts_with("08") => lost(),
        // Who may not log in (any more) may be let in later; nothing was written.
        code if code.starts_with("28") => StoreFault::Busy,
        code => StoreFault::Fatal(format!("PostgreSQL error {code}")),
    }
}

/// Waits for a statement, though not for ever.
pub(super) async fn within<T>(doing: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreFault> {
    match tokio::time::timeout(PATIENCE, doing).await {
        Ok(done) => done.map_err(|error| fault(&error, Attempted::Statement)),
        Err(_) => Err(StoreFault::Busy),
    }
}

/// Waits for a commit. Silence leaves open whether it is there.
pub(super) async fn within_commit<T>(
    doing: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreFault> {
    match tokio::time::timeout(PATIENCE, doing).await {
        Ok(done) => done.map_err(|error| fault(&error, Attempted::Commit)),
        Err(_) => Err(StoreFault::Lost),
    }
}
