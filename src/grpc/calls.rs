//! Around every call: who calls, checked anew each time; and whether a handler has taken the call up.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use futures_util::future::BoxFuture;
use tonic::{Status, body::Body};
use tower::{Layer, Service};

use super::{
    hand_over::{HandOver, guarded},
    status::status,
    turned_away::TurnedAway,
};
use crate::{
    domain::{Clock, Oin, Refusal, RefusalCode},
    identity::Peer,
};

/// The calling organisation, from the certificate of the connection. Never from a header.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Its OIN.
    pub oin: Oin,
    taken: Arc<AtomicBool>,
}

impl Caller {
    /// The caller of a request.
    ///
    /// # Errors
    /// If the call did not come through [`CallLayer`].
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, Status> {
        request.extensions().get::<Self>().cloned().ok_or_else(|| Status::internal("the call has no caller"))
    }

    /// Notes that a handler has read the call and answers for its entries in the log. A call that nobody takes up is
    /// counted as turned away (P06).
    pub fn take_up(&self) {
        self.taken.store(true, Ordering::SeqCst);
    }
}

/// Adds [`Caller`] to every call, and counts those that are turned away.
#[derive(Clone, Debug)]
pub struct CallLayer {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Counts of calls turned away.
    pub turned_away: Arc<TurnedAway>,
}

impl<S> Layer<S> for CallLayer {
    type Service = CallService<S>;

    fn layer(&self, inner: S) -> CallService<S> {
        CallService { inner, layer: self.clone() }
    }
}

/// See [`CallLayer`].
#[derive(Clone, Debug)]
pub struct CallService<S> {
    inner: S,
    layer: CallLayer,
}

impl<S> Service<http::Request<Body>> for CallService<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<Body>) -> Self::Future {
        let now = self.layer.clock.now();
        let Some(peer) = request.extensions().get::<Arc<Peer>>().cloned() else {
            let refused = Status::internal("the connection has no certificate").into_http();
            return Box::pin(async move { Ok(refused) });
        };
        let turned_away = Arc::clone(&self.layer.turned_away);
        let oin = match peer.identify(now) {
            Ok(oin) => oin,
            Err(code) => {
                turned_away.count(peer.presented(), now);
                let refused = status(&Refusal::from(code)).into_http();
                return Box::pin(async move { Ok(refused) });
            }
        };
        let taken = Arc::new(AtomicBool::new(false));
        request.extensions_mut().insert(Caller { oin, taken: Arc::clone(&taken) });
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?;
            if let Some(HandOver(deadline)) = response.extensions_mut().remove::<HandOver>() {
                response = response.map(|body| guarded(body, deadline));
            }
            // A refusal without content has its status in the headers.
            let refused = response.headers().get("grpc-status").is_some_and(|status| status != "0");
            if refused && !taken.load(Ordering::SeqCst) {
                turned_away.count(oin, now);
            }
            Ok(response)
        })
    }
}

/// The status of a refusal.
impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        status(&refusal)
    }
}

impl From<RefusalCode> for Status {
    fn from(code: RefusalCode) -> Self {
        status(&Refusal::from(code))
    }
}
