//! A log on a store, started and stopped as a gateway does it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde_json::json;
use sluis::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        writer::{CommitFault, Parts, Work, Writer},
    },
    domain::{Clock, Timestamp, time::SystemClock},
    note::{NoteSigner, VerifierKey},
    storage::{Database, DatabaseAddress, OpenFault, Store},
    subject::KeyRing,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::{
    database,
    lab::{ORIGIN, time},
};

/// The operating system's clock, moved so that the grants of the tests are in force.
#[derive(Debug)]
pub struct Shifted(pub i64);

impl Shifted {
    /// From now on it is the day of the tests.
    pub fn from_now() -> Self {
        Self(time(0).millis() - SystemClock.now().millis())
    }
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.0)
    }
}

/// Where a log is.
pub struct Site {
    pub folder: PathBuf,
    pub address: DatabaseAddress,
    pub clock: Arc<dyn Clock>,
    _kept: Option<TempDir>,
}

/// A log that can be written.
pub struct Running {
    pub store: Arc<dyn Store>,
    pub log: Writer,
    task: JoinHandle<()>,
}

impl Site {
    pub fn sqlite() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let site = Self::at(kept.path(), DatabaseAddress::Folder(kept.path().join("data")));
        Self { _kept: Some(kept), ..site }
    }

    pub async fn postgres() -> Self {
        let kept = tempfile::tempdir().unwrap();
        let site = Self::at(kept.path(), database::fresh().await.parse().unwrap());
        Self { _kept: Some(kept), ..site }
    }

    /// One that is there already, or begins.
    pub fn at(folder: &Path, address: DatabaseAddress) -> Self {
        let clock = Arc::new(Shifted::from_now());
        let site = Self { folder: folder.to_owned(), address, clock, _kept: None };
        site.keys();
        site
    }

    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Address of the store, with its password.
    pub fn reveal(&self) -> String {
        match &self.address {
            DatabaseAddress::Folder(folder) => folder.to_str().unwrap().to_owned(),
            DatabaseAddress::Postgres(url) => url.reveal().to_owned(),
        }
    }

    fn keys(&self) -> Arc<KeyRing> {
        Arc::new(KeyRing::open(&self.folder.join("keys")).unwrap())
    }

    fn signer(&self) -> NoteSigner {
        NoteSigner::new(ORIGIN, self.keys().log_key(0).unwrap()).unwrap()
    }

    pub fn trust(&self) -> Vec<VerifierKey> {
        vec![self.signer().verifier().clone()]
    }

    pub async fn open(&self) -> Arc<dyn Store> {
        loop {
            match Database::open(&self.address).await {
                Ok(database) => return database.shared(),
                // Who had it before lets go of it when its last task has ended.
                Err(OpenFault::Locked) => tokio::task::yield_now().await,
                Err(fault) => panic!("{fault}"),
            }
        }
    }

    /// The writer on an open store, and the first entry.
    pub async fn writer_on(&self, store: Arc<dyn Store>) -> Running {
        self.try_writer_on(store).await.unwrap()
    }

    /// The same, or why it does not start.
    pub async fn try_writer_on(&self, store: Arc<dyn Store>) -> Result<Running, String> {
        let parts = Parts {
            store: Arc::clone(&store),
            keys: self.keys(),
            signer: self.signer(),
            clock: Arc::clone(&self.clock),
        };
        let started = Writer::start(parts, ORIGIN.to_owned()).await;
        let (log, task) = started.map_err(|fault| fault.to_string())?;
        match log.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, json!({})))).await {
            Ok(_) | Err(CommitFault::AlreadyBegun) => Ok(Running { store, log, task }),
            Err(fault) => Err(fault.to_string()),
        }
    }

    /// Starts where nobody else does. What is open was interrupted.
    pub async fn start_alone(&self) -> Running {
        let running = loop {
            let store = self.open().await;
            if store.is_alone() {
                break self.writer_on(store).await;
            }
            // A server needs a moment to see that a killed process is gone.
            store.close().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        running.close_interrupted(Timestamp::from_millis(i64::MAX)).await.unwrap();
        running
    }
}

impl Running {
    /// Gives what began before this time, and is open, the outcome `interrupted`; as a gateway's upkeep does.
    pub async fn close_interrupted(&self, before: Timestamp) -> Result<(), CommitFault> {
        for request in self.store.open_requests(before).await.unwrap_or_default() {
            let facts = json!({ "effect": "interrupted" });
            let entry = NewEntry { pair: request.pair, ..NewEntry::of_gateway(Kind::Outcome, facts) };
            match self.log.commit(Work::Outcome { entry, needs: Vec::new() }).await {
                Ok(_) | Err(CommitFault::AlreadyClosed) => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }

    pub async fn stop(self) {
        drop(self.log);
        self.task.await.unwrap();
        self.store.close().await;
    }
}
