//! Where the one connection that writes is while nobody uses it, until the store is closed.

use super::StoreFault;

/// Empty when the connection is in use or was given up: the next use opens another one then. After the end nothing is taken
/// out of it any more, since somebody else may write then.
#[derive(Debug)]
pub(super) struct Slot<C> {
    idle: Option<C>,
    is_closed: bool,
}

impl<C> Slot<C> {
    pub(super) fn new(idle: Option<C>) -> Self {
        Self { idle, is_closed: false }
    }

    /// The connection, or none if another one has to be opened.
    ///
    /// # Errors
    /// If the store is closed.
    pub(super) fn take(&mut self) -> Result<Option<C>, StoreFault> {
        if self.is_closed {
            return Err(StoreFault::Fatal("the store is closed".to_owned()));
        }
        Ok(self.idle.take())
    }

    /// After a clean end.
    pub(super) fn put_back(&mut self, connection: C) {
        self.idle = Some(connection);
    }

    /// Lets nobody write any more, and gives the connection.
    pub(super) fn close(&mut self) -> Option<C> {
        self.is_closed = true;
        self.idle.take()
    }
}
