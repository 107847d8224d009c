//! Takes in connections: TLS handshakes side by side, bounded in number and time. One that fails is counted and ends
//! nothing else.

mod connection;
mod failures;

use std::{
    io,
    net::Shutdown,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

pub use connection::Connection;
pub use failures::{Failures, HandshakeFailure};
use futures_util::Stream;
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::{JoinHandle, JoinSet},
    time,
};
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use super::{peer::Peer, store::TrustStore, trust::HTTP2};

/// How much is taken in at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Handshakes at a time. Further callers wait in the listener's queue.
    pub handshakes: usize,
    /// How long one handshake may take.
    pub handshake_timeout: Duration,
    /// Open connections. Further callers are hung up on, which they notice at once.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { handshakes: 64, handshake_timeout: Duration::from_secs(5), connections: 1024 }
    }
}

/// Turns TCP connections into verified ones.
#[derive(Clone, Debug)]
pub struct Acceptor {
    store: Arc<TrustStore>,
    timeout: Duration,
    handshakes: Arc<Semaphore>,
    connections: Arc<Semaphore>,
    failures: Arc<Failures>,
}

impl Acceptor {
    /// An acceptor that goes by the trust which is in force when each handshake begins.
    #[must_use]
    pub fn new(store: Arc<TrustStore>, limits: Limits) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.clamp(1, Semaphore::MAX_PERMITS)));
        Self {
            store,
            timeout: limits.handshake_timeout,
            handshakes: semaphore(limits.handshakes),
            connections: semaphore(limits.connections),
            failures: Arc::new(Failures::default()),
        }
    }

    /// How many handshakes failed, by reason; for metrics.
    #[must_use]
    pub fn failures(&self) -> Arc<Failures> {
        Arc::clone(&self.failures)
    }

    /// Verified connections, for `serve_with_incoming`. Dropping it frees the port and gives up the handshakes
    /// that are under way; connections that were handed out live on. Needs a tokio runtime.
    #[must_use]
    pub fn incoming(&self, listener: TcpListener) -> Incoming {
        let (ready, connections) = mpsc::channel(1);
        let listener = Arc::new(listener);
        let accepting = tokio::spawn(self.clone().accept(Arc::clone(&listener), ready));
        Incoming { connections, listener, accepting }
    }

    async fn accept(self, listener: Arc<TcpListener>, ready: mpsc::Sender<Connection>) {
        // Dropped with this future, which gives up every handshake.
        let mut handshakes = JoinSet::new();
        loop {
            let Ok(slot) = Arc::clone(&self.handshakes).acquire_owned().await else { return };
            let tcp = match listener.accept().await {
                Ok((tcp, _)) => tcp,
                Err(_) if ready.is_closed() => return,
                Err(fault) => {
                    self.listener_failed(&fault).await;
                    continue;
                }
            };
            while handshakes.try_join_next().is_some() {}
            let Ok(place) = Arc::clone(&self.connections).try_acquire_owned() else {
                self.failed(&tcp, HandshakeFailure::TooManyConnections);
                continue;
            };
            handshakes.spawn(self.clone().handshake(tcp, slot, place, ready.clone()));
        }
    }

    /// One handshake. The slot is held until the connection is handed over, so that those who wait for that are
    /// bounded too.
    async fn handshake(
        self,
        tcp: TcpStream,
        slot: OwnedSemaphorePermit,
        place: OwnedSemaphorePermit,
        ready: mpsc::Sender<Connection>,
    ) {
        let address = tcp.peer_addr().ok();
        let outcome = time::timeout(self.timeout, self.verify(tcp, place)).await;
        match outcome.unwrap_or(Err(HandshakeFailure::TimedOut)) {
            // If nobody waits for connections any more, this one is dropped with them.
            Ok(connection) => drop(ready.send(connection).await),
            Err(failure) => self.count(address, failure),
        }
        drop(slot);
    }

    async fn verify(
        &self,
        tcp: TcpStream,
        place: OwnedSemaphorePermit,
    ) -> Result<Connection, HandshakeFailure> {
        // Small answers must not wait for a full packet.
        tcp.set_nodelay(true).map_err(|fault| HandshakeFailure::of(&fault))?;
        let tls = TlsAcceptor::from(self.store.trust().server_config())
            .accept(tcp)
            .await
            .map_err(|fault| HandshakeFailure::of(&fault))?;
        let (_, session) = tls.get_ref();
        if session.alpn_protocol() != Some(HTTP2) {
            return Err(HandshakeFailure::Protocol);
        }
        let chain = session.peer_certificates().ok_or(HandshakeFailure::NoCertificate)?;
        let peer = Peer::new(chain, Arc::clone(&self.store)).map_err(|_| HandshakeFailure::NoOin)?;
        Ok(Connection::new(tls, Arc::new(peer), place))
    }

    fn failed(&self, tcp: &TcpStream, failure: HandshakeFailure) {
        self.count(tcp.peer_addr().ok(), failure);
    }

    fn count(&self, address: Option<std::net::SocketAddr>, failure: HandshakeFailure) {
        self.failures.count(failure);
        info!(reason = failure.as_str(), address = ?address, "connection refused");
    }

    async fn listener_failed(&self, fault: &io::Error) {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
        if matches!(fault.kind(), ConnectionAborted | ConnectionReset | Interrupted) {
            return;
        }
        // Out of file descriptors or memory: asking again at once would only spin.
        warn!(%fault, "cannot take in connections");
        time::sleep(Duration::from_millis(100)).await;
    }
}

/// A stream of verified connections. It never ends by itself and yields no errors.
#[derive(Debug)]
pub struct Incoming {
    connections: mpsc::Receiver<Connection>,
    listener: Arc<TcpListener>,
    accepting: JoinHandle<()>,
}

impl Stream for Incoming {
    type Item = io::Result<Connection>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.connections.poll_recv(cx).map(|connection| connection.map(Ok))
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.connections.close();
        self.accepting.abort();
        // Whoever starts next may want the port at once. The task lets go of the listener when the runtime comes to it, and a
        // program that this process is just starting has it too, until it has begun. Where a listener cannot be shut down
        // (Linux can), the port is free then.
        drop(SockRef::from(self.listener.as_ref()).shutdown(Shutdown::Both));
    }
}

#[cfg(test)]
mod tests;
