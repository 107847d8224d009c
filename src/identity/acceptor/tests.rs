//! Real handshakes on loopback.

use std::net::SocketAddr;

use futures_util::StreamExt as _;
use rustls::{ClientConfig, pki_types::PrivateKeyDer, pki_types::pem::PemObject as _};
use tokio::io::AsyncReadExt as _;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::{Request, Status, transport::Server, transport::server::Connected as _};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
    health_server::HealthServer,
};

use super::*;
use crate::identity::{
    ConnectFault, connect, connect_lazy,
    issue::{Authority, Issued, Revocation, Subject, Usage},
    lab::{self, GATEWAY, GEMEENTE, GGZ, Party},
};

const SOON: Duration = Duration::from_secs(10);
const LIMITS: Limits = Limits { handshakes: 4, handshake_timeout: SOON, connections: 8 };

/// A listening gateway.
struct Gateway {
    party: Party,
    store: Arc<TrustStore>,
    failures: Arc<Failures>,
    incoming: Incoming,
    address: SocketAddr,
}

impl Gateway {
    async fn start(limits: Limits) -> Self {
        let party = Party::new(GATEWAY);
        let store = Arc::new(TrustStore::load(party.files.clone()).unwrap());
        let acceptor = Acceptor::new(Arc::clone(&store), limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (failures, incoming) = (acceptor.failures(), acceptor.incoming(listener));
        Self { party, store, failures, incoming, address }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    /// Both ends of a connection that is let in.
    async fn admit(&mut self, issued: &Issued) -> (TlsStream<TcpStream>, Connection) {
        let call = call(self.address, client(Some(issued)));
        let (client, connection) = tokio::join!(call, self.incoming.next());
        (client.unwrap(), connection.unwrap().unwrap())
    }

    /// Whether a client gets in; it does not know before it reads, since TLS 1.3 clients finish first.
    async fn refuses(&self, config: ClientConfig, reason: HandshakeFailure) {
        let before = self.failures.of(reason);
        if let Ok(mut tls) = call(self.address, config).await {
            let said = time::timeout(SOON, tls.read_u8()).await.expect("an end");
            assert!(said.is_err(), "nothing is said to a refused client");
        }
        assert_eq!(self.failures.of(reason), before + 1, "{reason:?}, not {:?}", self.failures);
    }
}

async fn call(address: SocketAddr, config: ClientConfig) -> io::Result<TlsStream<TcpStream>> {
    let tcp = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect("localhost".try_into().unwrap(), tcp).await
}

/// Settings of a client with this certificate, or none.
fn client(issued: Option<&Issued>) -> ClientConfig {
    let trust = crate::identity::Trust::load(&Party::new(GEMEENTE).files).unwrap();
    let mut config = trust.client_config(None).unwrap();
    config.client_auth_cert_resolver = match issued {
        None => Arc::new(NoCertificate),
        Some(issued) => {
            let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
            let provider = rustls::crypto::ring::default_provider();
            let chain = vec![issued.certificate.clone()];
            let own = rustls::sign::CertifiedKey::from_der(chain, key, &provider).unwrap();
            Arc::new(rustls::sign::SingleCertAndKey::from(own))
        }
    };
    config
}

#[derive(Debug)]
struct NoCertificate;

impl rustls::client::ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

fn issue(change: impl FnOnce(&mut Subject)) -> Issued {
    let mut subject = lab::subject(GEMEENTE);
    change(&mut subject);
    lab::authority().issue(&subject).unwrap()
}

#[tokio::test]
async fn the_port_is_free_as_soon_as_it_ends() {
    let gateway = Gateway::start(LIMITS).await;
    drop(gateway.incoming);
    // On this thread the task has not been given up yet: the listener itself is still there.
    TcpListener::bind(gateway.address).await.unwrap();
}

#[tokio::test]
async fn a_listener_that_was_ended_is_not_asked_again() {
    let gateway = Gateway::start(LIMITS).await;
    let (ready, connections) = mpsc::channel(1);
    drop(connections);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    SockRef::from(&listener).shutdown(Shutdown::Both).unwrap();
    let accepting = Acceptor::new(gateway.store, LIMITS).accept(Arc::new(listener), ready);
    time::timeout(SOON, accepting).await.unwrap();
}

#[tokio::test]
async fn the_oin_of_a_good_certificate_is_seen() {
    let mut gateway = Gateway::start(LIMITS).await;
    let issued = issue(|subject| subject.usage = Usage::Client);
    let (_client, connection) = gateway.admit(&issued).await;
    assert_eq!(connection.connect_info().identify(lab::now()).unwrap().as_str(), GEMEENTE);
}

#[tokio::test]
async fn bad_certificates_are_refused_and_end_nothing() {
    let mut gateway = Gateway::start(LIMITS).await;
    let authority = lab::authority();
    let subject = lab::subject(GEMEENTE);
    let named = |number| authority.issue_with_serial_number(&subject, number).unwrap();
    let stranger = Authority::create("stranger", lab::validity()).unwrap();
    let namesake = Authority::create("lab", lab::validity()).unwrap();

    gateway.refuses(client(None), HandshakeFailure::NoCertificate).await;
    let cases = [
        (stranger.issue(&subject).unwrap(), HandshakeFailure::UnknownIssuer),
        (namesake.issue(&subject).unwrap(), HandshakeFailure::BadCertificate),
        (issue(|subject| subject.validity = lab::over()), HandshakeFailure::OutOfDate),
        (issue(|subject| subject.usage = Usage::Server), HandshakeFailure::BadCertificate),
        (named(None), HandshakeFailure::NoOin),
        (named(Some("KVK 12345678")), HandshakeFailure::NoOin),
    ];
    for (issued, reason) in cases {
        gateway.refuses(client(Some(&issued)), reason).await;
    }

    let good = issue(|_| ());
    gateway.admit(&good).await;
}

#[tokio::test]
async fn revoked_certificates_and_stale_lists_are_refused() {
    let gateway = Gateway::start(LIMITS).await;
    let issued = issue(|_| ());
    gateway.party.write_crl(&[Revocation { serial: issued.serial.clone(), at: lab::now() }], lab::validity());
    gateway.store.reload().unwrap();
    gateway.refuses(client(Some(&issued)), HandshakeFailure::Revoked).await;
    gateway.party.write_crl(&[], lab::over());
    gateway.store.reload().unwrap();
    gateway.refuses(client(Some(&issued)), HandshakeFailure::RevocationUnknown).await;
    // A list of another authority says nothing of this certificate.
    let other = Authority::create("other", lab::validity()).unwrap();
    lab::write(&gateway.party.path("crl.pem"), &other.crl(&[], lab::validity()).unwrap());
    gateway.store.reload().unwrap();
    gateway.refuses(client(Some(&issued)), HandshakeFailure::RevocationUnknown).await;
}

#[tokio::test]
async fn an_open_connection_notices_its_revocation() {
    let mut gateway = Gateway::start(LIMITS).await;
    let issued = issue(|_| ());
    let (_client, connection) = gateway.admit(&issued).await;
    let peer = connection.connect_info();
    assert!(peer.identify(lab::now()).is_ok());
    gateway.party.write_crl(&[Revocation { serial: issued.serial.clone(), at: lab::now() }], lab::validity());
    gateway.store.reload().unwrap();
    assert!(peer.identify(lab::now()).is_err());
}

#[tokio::test]
async fn http2_is_spoken_and_nothing_else() {
    let gateway = Gateway::start(LIMITS).await;
    for protocols in [vec![], vec![b"http/1.1".to_vec()]] {
        let mut config = client(Some(&issue(|_| ())));
        config.alpn_protocols = protocols;
        gateway.refuses(config, HandshakeFailure::Protocol).await;
    }
}

#[tokio::test]
async fn one_that_says_nothing_is_hung_up_on_and_holds_nobody_up() {
    let limits = Limits { handshake_timeout: Duration::from_millis(20), ..LIMITS };
    let mut gateway = Gateway::start(limits).await;
    let mut silent = TcpStream::connect(gateway.address).await.unwrap();
    assert_eq!(silent.read(&mut [0]).await.unwrap_or(0), 0);
    assert_eq!(gateway.failures.of(HandshakeFailure::TimedOut), 1);

    let limits = Limits { handshakes: 2, ..LIMITS };
    gateway = Gateway::start(limits).await;
    let _silent = TcpStream::connect(gateway.address).await.unwrap();
    let good = issue(|_| ());
    gateway.admit(&good).await;
}

#[tokio::test]
async fn open_connections_are_bounded() {
    let mut gateway = Gateway::start(Limits { connections: 1, ..LIMITS }).await;
    let good = issue(|_| ());
    let (_first, connection) = gateway.admit(&good).await;
    assert!(call(gateway.address, client(Some(&good))).await.is_err());
    assert_eq!(gateway.failures.of(HandshakeFailure::TooManyConnections), 1);
    drop(connection);
    gateway.admit(&good).await;
}

/// Serves health checks to the municipality, for as long as it identifies.
async fn serve(gateway: Gateway) {
    // Moved in as a whole: its folder must stay.
    let Gateway { incoming, party: _party, .. } = gateway;
    let (reporter, _) = tonic_health::server::health_reporter();
    let service = tonic_health::server::HealthService::from_health_reporter(reporter);
    let identify = |request: Request<()>| {
        let peer = request.extensions().get::<Arc<Peer>>().expect("a peer");
        match peer.identify(lab::now()) {
            Ok(oin) if oin.as_str() == GEMEENTE => Ok(request),
            _ => Err(Status::unauthenticated("not good any more")),
        }
    };
    let service = HealthServer::with_interceptor(service, identify);
    Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
}

#[tokio::test]
async fn callers_check_the_name_and_the_lists_too() {
    let gateway = Gateway::start(LIMITS).await;
    let party = Party::new(GEMEENTE);
    let fails = async |name: &str, says: &str| {
        let trust = crate::identity::Trust::load(&party.files).unwrap();
        let config = Arc::new(trust.client_config(None).unwrap());
        let tcp = TcpStream::connect(gateway.address).await.unwrap();
        let name = name.to_owned().try_into().unwrap();
        let fault = TlsConnector::from(config).connect(name, tcp).await.unwrap_err();
        assert!(format!("{fault:?}").contains(says), "{fault:?}");
    };
    fails("another.test", "NotValidForName").await;
    party.write_crl(&[], lab::over());
    fails("localhost", "ExpiredRevocationList").await;
    let revoked = Revocation { serial: gateway.party.serial.clone(), at: lab::now() };
    party.write_crl(&[revoked], lab::validity());
    fails("localhost", "Revoked").await;
}

#[tokio::test]
async fn grpc_round_trip_with_pinning() {
    let gateway = Gateway::start(LIMITS).await;
    let (url, port) = (gateway.url(), gateway.address.port());
    let (store, crl) = (Arc::clone(&gateway.store), gateway.party.path("crl.pem"));
    let serving = tokio::spawn(serve(gateway));

    let issued = issue(|_| ());
    let trust = crate::identity::Trust::load(&Party::with(&issued).files).unwrap();
    let expected = Some(GATEWAY.parse().unwrap());
    let check = |channel| async move {
        HealthClient::new(channel)
            .check(HealthCheckRequest::default())
            .await
            .map(|answer| answer.into_inner())
    };

    let channel = connect(&url, &trust, expected, SOON).await.unwrap();
    let answer = check(channel.clone()).await.unwrap();
    assert_eq!(answer.status(), ServingStatus::Serving);

    let by_address = format!("https://127.0.0.1:{port}");
    let lazy = connect_lazy(&by_address, &trust, expected, SOON).unwrap();
    assert!(check(lazy).await.is_ok());

    let fault = connect(&url, &trust, Some(GGZ.parse().unwrap()), SOON).await.unwrap_err();
    assert!(matches!(fault, ConnectFault::Unreachable { .. }));
    assert!(format!("{fault:?}").contains("OtherOrganisation"), "{fault:?}");
    let list = lab::authority()
        .crl(&[Revocation { serial: issued.serial.clone(), at: lab::now() }], lab::validity())
        .unwrap();
    lab::write(&crl, &list);
    store.reload().unwrap();
    assert_eq!(check(channel).await.unwrap_err().code(), tonic::Code::Unauthenticated);
    serving.abort();
}
