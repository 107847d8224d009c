//! Connections that read. sqlx's own pool asks every connection that comes back whether it is still alive, which costs as
//! much as the read did; here one that failed is dropped, and the next one is opened in its place.

use std::{future::Future, sync::Mutex, time::Duration};

use tokio::sync::Semaphore;

use super::StoreFault;

/// How long to wait for one to become free.
const PATIENCE: Duration = Duration::from_secs(5);

/// Idle connections, and how many more there may be.
#[derive(Debug)]
pub(super) struct Connections<C> {
    idle: Mutex<Vec<C>>,
    free: Semaphore,
}

impl<C: Send> Connections<C> {
    pub(super) fn new(most: usize) -> Self {
        Self { idle: Mutex::default(), free: Semaphore::new(most) }
    }

    /// Does something on a connection. One on which it failed, or that was given up half-way, is not used again.
    pub(super) async fn with<T>(
        &self,
        open: impl Future<Output = Result<C, StoreFault>> + Send,
        act: impl AsyncFnOnce(&mut C) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        let _turn = match tokio::time::timeout(PATIENCE, self.free.acquire()).await {
            Ok(Ok(turn)) => turn,
            Ok(Err(_)) | Err(_) => return Err(StoreFault::Busy),
        };
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => open.await?,
        };
        let done = act(&mut connection).await?;
        self.idle().push(connection);
        Ok(done)
    }

    /// Lets nobody in any more, and gives the idle ones.
    pub(super) fn close(&self) -> Vec<C> {
        self.free.close();
        std::mem::take(&mut *self.idle())
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<C>> {
        // Nothing can panic while it is held.
        self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_failed_is_not_used_again() {
        let connections = Connections::new(2);
        let opened = std::sync::atomic::AtomicUsize::new(0);
        let open = || async { Ok(opened.fetch_add(1, std::sync::atomic::Ordering::SeqCst)) };
        assert_eq!(connections.with(open(), async |one| Ok(*one)).await, Ok(0));
        assert_eq!(connections.with(open(), async |one| Ok(*one)).await, Ok(0));
        let failed = connections.with(open(), async |_| Err::<(), _>(StoreFault::Again("test"))).await;
        assert_eq!(failed, Err(StoreFault::Again("test")));
        assert_eq!(connections.with(open(), async |one| Ok(*one)).await, Ok(1));
        assert_eq!(connections.close(), [1]);
        assert_eq!(connections.with(open(), async |one| Ok(*one)).await, Err(StoreFault::Busy));
    }
}
