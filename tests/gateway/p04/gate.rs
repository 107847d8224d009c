//! A store whose commits wait at a gate, to look at the moment in which an entry is written and not yet durable.

use std::{path::Path, sync::Arc};

use sluis::storage::{Commit, Look, Seen, StoreFault, Writes, sqlite::SqliteStore};
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::forwarding::{forward_commit, forward_store};

/// What becomes of a commit that stands at the gate.
#[derive(Debug)]
pub enum Fate {
    /// It is made.
    Made,
    /// It is not made, and fails.
    Lost(StoreFault),
    /// It is made, and fails all the same.
    MadeAndLost(StoreFault),
}

type Waiting = oneshot::Sender<Fate>;

#[derive(Debug)]
pub struct GatedStore {
    pub inner: SqliteStore,
    gate: mpsc::UnboundedSender<Waiting>,
}

/// Where the commits come by.
pub type Gate = Mutex<mpsc::UnboundedReceiver<Waiting>>;

pub async fn open(folder: &Path) -> (Arc<GatedStore>, Gate) {
    let (gate, waiting) = mpsc::unbounded_channel();
    let inner = SqliteStore::open(folder).await.unwrap();
    (Arc::new(GatedStore { inner, gate }), Mutex::new(waiting))
}

struct GatedCommit<'a> {
    inner: Box<dyn Commit + 'a>,
    gate: mpsc::UnboundedSender<Waiting>,
}

type Result<T> = std::result::Result<T, StoreFault>;

forward_store! { sluis, GatedStore,
    async fn begin(&self, look: &Look) -> Result<(Seen, Box<dyn Commit + '_>)> {
        let (seen, inner) = self.inner.begin(look).await?;
        Ok((seen, Box::new(GatedCommit { inner, gate: self.gate.clone() })))
    }
}

forward_commit! { sluis, GatedCommit<'_>,
    async fn commit(self: Box<Self>, writes: &Writes) -> Result<()> {
        let (open, opened) = oneshot::channel();
        self.gate.send(open).unwrap();
        match opened.await.unwrap() {
            Fate::Made => self.inner.commit(writes).await,
            Fate::Lost(fault) => Err(fault),
            Fate::MadeAndLost(fault) => {
                self.inner.commit(writes).await?;
                Err(fault)
            }
        }
    }

    async fn confirm(self: Box<Self>) -> Result<()> {
        self.inner.confirm().await
    }
}
