//! A logboek: an OTLP receiver with OpenTelemetry's own types, that can be made to behave badly.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
    trace::v1::Span,
};
use sluis::identity::{Acceptor, Limits, TrustStore};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// What becomes of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Stored, and acknowledged.
    Take,
    /// Not stored, and refused.
    Refuse,
    /// Every second span stored; the answer is a success that says so.
    TakeSome,
    /// Stored, and the answer is lost.
    Die,
}

/// What has come in.
#[derive(Debug, Default)]
pub struct Stored {
    /// Spans by their id, with how often each was stored.
    pub spans: BTreeMap<Vec<u8>, (Span, usize)>,
    /// Positions of the entries that are there in full.
    pub positions: BTreeSet<u64>,
    /// The same, each with the name of the log that it is said to be in.
    pub places: BTreeSet<(String, u64)>,
    /// Calls so far, with how many spans each had.
    pub calls: Vec<usize>,
    /// Resource of each call.
    pub resources: BTreeSet<String>,
    /// Calls under way, and the most that there ever were at once.
    pub under_way: usize,
    pub at_once: usize,
}

#[derive(Clone)]
struct Logboek {
    stored: Arc<Mutex<Stored>>,
    acts: Arc<Mutex<VecDeque<Act>>>,
    changed: watch::Sender<()>,
}

pub struct Receiver {
    pub address: SocketAddr,
    pub stored: Arc<Mutex<Stored>>,
    acts: Arc<Mutex<VecDeque<Act>>>,
    changed: watch::Receiver<()>,
    server: JoinHandle<()>,
}

pub fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

impl Logboek {
    fn store(&self, spans: impl Iterator<Item = (String, Span)>) {
        let mut stored = self.stored.lock().unwrap();
        for (log, span) in spans {
            if span.parent_span_id.is_empty() {
                let position = text(&span.attributes, "dpl.sluis.position").unwrap().parse().unwrap();
                stored.positions.insert(position);
                stored.places.insert((log, position));
            }
            let entry = stored.spans.entry(span.span_id.clone()).or_insert_with(|| (span.clone(), 0));
            assert_eq!(entry.0, span, "what is sent again is the same");
            entry.1 += 1;
        }
    }
}

#[tonic::async_trait]
impl TraceService for Logboek {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let request = request.into_inner();
        let mut spans = Vec::new();
        for resource in &request.resource_spans {
            let log = text(&resource.resource.as_ref().unwrap().attributes, "sluis.log").unwrap();
            let inside = resource.scope_spans.iter().flat_map(|scope| scope.spans.clone());
            spans.extend(inside.map(|span| (log.clone(), span)));
        }
        {
            let mut stored = self.stored.lock().unwrap();
            stored.under_way += 1;
            stored.at_once = stored.at_once.max(stored.under_way);
            stored.calls.push(spans.len());
            stored.resources.extend(spans.iter().map(|(log, _)| log.clone()));
        }
        // So that a second sender, if there were one, could come in between.
        tokio::task::yield_now().await;
        let act = self.acts.lock().unwrap().pop_front().unwrap_or(Act::Take);
        let count = spans.len();
        let partial = match act {
            Act::Take | Act::Die => {
                self.store(spans.into_iter());
                None
            }
            Act::TakeSome => {
                let (taken, left): (Vec<_>, Vec<_>) =
                    spans.into_iter().enumerate().partition(|(n, _)| n % 2 == 1);
                self.store(taken.into_iter().map(|(_, span)| span));
                let rejected_spans = i64::try_from(left.len()).unwrap();
                Some(ExportTracePartialSuccess { rejected_spans, error_message: "too many".to_owned() })
            }
            Act::Refuse => None,
        };
        assert!(count > 0, "nothing is sent where there is nothing to send");
        self.stored.lock().unwrap().under_way -= 1;
        self.changed.send_replace(());
        match act {
            Act::Refuse => Err(Status::unavailable("not now")),
            Act::Die => Err(Status::cancelled("gone")),
            Act::Take | Act::TakeSome => {
                Ok(Response::new(ExportTraceServiceResponse { partial_success: partial }))
            }
        }
    }
}

impl Receiver {
    /// Listens on this machine, in the clear.
    pub async fn start(acts: &[Act]) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), acts, None).await
    }

    /// Listens over mutual TLS, with these certificates.
    pub async fn start_with(acceptor: Acceptor) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), &[], Some(acceptor)).await
    }

    async fn start_at(address: SocketAddr, acts: &[Act], acceptor: Option<Acceptor>) -> Self {
        let (changed, seen) = watch::channel(());
        let logboek = Logboek {
            stored: Arc::default(),
            acts: Arc::new(Mutex::new(acts.iter().copied().collect())),
            changed,
        };
        let (stored, acts) = (Arc::clone(&logboek.stored), Arc::clone(&logboek.acts));
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Server::builder().add_service(TraceServiceServer::new(logboek));
        let server = tokio::spawn(async move {
            match acceptor {
                Some(acceptor) => router.serve_with_incoming(acceptor.incoming(listener)).await.unwrap(),
                None => router.serve_with_incoming(TcpListenerStream::new(listener)).await.unwrap(),
            }
        });
        Self { address, stored, acts, changed: seen, server }
    }

    /// What becomes of the next calls.
    pub fn act(&self, acts: &[Act]) {
        self.acts.lock().unwrap().extend(acts);
    }

    /// Waits until what is stored is as wanted.
    pub async fn until(&mut self, what: &str, wanted: impl Fn(&Stored) -> bool) {
        let wait = async {
            loop {
                if wanted(&self.stored.lock().unwrap()) {
                    return;
                }
                self.changed.changed().await.unwrap();
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(150), wait).await;
        assert!(done.is_ok(), "{what}: {:?}", self.stored.lock().unwrap().positions);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An acceptor with the certificate of this participant of a region.
pub fn acceptor(region: &std::path::Path, short: &str) -> Acceptor {
    let certs = region.join("certs");
    let files = sluis::identity::TrustFiles {
        roots: vec![certs.join("ca.pem")],
        crls: vec![certs.join("crl.pem")],
        certificate: certs.join(format!("{short}.pem")),
        key: certs.join(format!("{short}.key")),
    };
    Acceptor::new(Arc::new(TrustStore::load(files).unwrap()), Limits::default())
}
