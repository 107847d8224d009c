//! Callers that do not get in, and bytes that are no call: nobody is answered, and the next good caller is.

use std::{fs, net::SocketAddr, path::PathBuf, sync::Arc};

use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig,
    client::ResolvesClientCert,
    pki_types::{PrivateKeyDer, pem::PemObject as _},
    sign::{CertifiedKey, SingleCertAndKey},
};
use sluis::{
    domain::{Clock as _, Timestamp, time::ManualClock, time::SystemClock},
    identity::{
        Trust, TrustFiles,
        issue::{Authority, CertificateFolder, Issued, Subject, Usage, Validity},
    },
    proto::{ListMyPurposesRequest, exchange_service_client::ExchangeServiceClient},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

use crate::{
    bad_tools::{Expected, assert_pairs, assert_refused},
    lab::{Lab, question},
};

const HOUR: i64 = 3_600_000;
const NO_LONGER_VALID: Expected = (Code::Unauthenticated, "CERTIFICATE_NO_LONGER_VALID", &[]);

fn hours(from: i64, until: i64) -> Validity {
    let now = SystemClock.now();
    Validity { from: now.plus_millis(from * HOUR), until: now.plus_millis(until * HOUR) }
}

impl Lab {
    fn certificates(&self) -> PathBuf {
        self.world.dir.join("certs")
    }

    fn authority(&self) -> Authority {
        let text = |name: &str| fs::read_to_string(self.certificates().join(name)).unwrap();
        Authority::from_pem(&text("ca.pem"), &text("ca.key")).unwrap()
    }

    /// Writes the list of revoked certificates: these, for so long.
    fn write_crl(&self, revoked: &[&str], validity: Validity) {
        let mut folder = CertificateFolder::open(&self.certificates(), "", hours(-1, 1)).unwrap();
        for name in revoked {
            folder.revoke(&self.certificates().join(format!("{name}.pem")), SystemClock.now()).unwrap();
        }
        folder.write_crl(validity).unwrap();
    }

    /// A channel that shows this certificate, or none. It connects at the first call.
    fn channel(&self, shown: Option<&Issued>) -> Channel {
        channel(self.world.gateway.address, self.client_config(shown))
    }

    fn client_config(&self, shown: Option<&Issued>) -> ClientConfig {
        let file = |name: &str| self.certificates().join(name);
        let files = TrustFiles {
            roots: vec![file("ca.pem")],
            crls: vec![file("crl.pem")],
            certificate: file("sluisdam.pem"),
            key: file("sluisdam.key"),
        };
        let mut config = Trust::load(&files).unwrap().client_config(None).unwrap();
        config.client_auth_cert_resolver = match shown {
            None => Arc::new(NoCertificate),
            Some(issued) => {
                let key = PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap();
                let provider = rustls::crypto::ring::default_provider();
                let own = CertifiedKey::from_der(vec![issued.certificate.clone()], key, &provider);
                Arc::new(SingleCertAndKey::from(own.unwrap()))
            }
        };
        config
    }
}

#[derive(Debug)]
struct NoCertificate;

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

fn channel(address: SocketAddr, config: ClientConfig) -> Channel {
    let config = Arc::new(config);
    let connect = move |_| {
        let connector = TlsConnector::from(Arc::clone(&config));
        async move {
            let tcp = TcpStream::connect(address).await?;
            connector.connect("localhost".try_into().unwrap(), tcp).await.map(TokioIo::new)
        }
    };
    Endpoint::from_static("http://localhost").connect_with_connector_lazy(tower::service_fn(connect))
}

async fn call(channel: Channel) -> Result<usize, Status> {
    let listed = ExchangeServiceClient::new(channel).list_my_purposes(ListMyPurposesRequest {}).await;
    listed.map(|listed| listed.into_inner().purposes.len())
}

/// The connection ended, and no word of the gateway came over it.
async fn assert_not_let_in(what: &str, channel: Channel) {
    let status = call(channel).await.expect_err(what);
    assert!(std::error::Error::source(&status).is_some(), "{what}: made on this side: {status:?}");
    assert!(status.details().is_empty(), "{what}: {status:?}");
}

fn subject(lab: &Lab) -> Subject {
    Subject {
        oin: lab.oin("waterrijk").parse().unwrap(),
        organisation: "Gemeente Waterrijk".to_owned(),
        common_name: "waterrijk.sluis.example".to_owned(),
        hosts: vec!["localhost".to_owned()],
        usage: Usage::Both,
        validity: hours(-1, 1),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_a_good_certificate_is_not_let_in() {
    let lab = Lab::start().await;
    let (authority, subject) = (lab.authority(), subject(&lab));
    let good = authority.issue(&subject).unwrap();
    assert!(call(lab.channel(Some(&good))).await.unwrap() > 0, "these certificates do let in");

    let dated = |validity| authority.issue(&Subject { validity, ..subject.clone() }).unwrap();
    let for_use = |usage| authority.issue(&Subject { usage, ..subject.clone() }).unwrap();
    let named = |number| authority.issue_with_serial_number(&subject, number).unwrap();
    let stranger = Authority::create("stranger", hours(-1, 1)).unwrap();
    let namesake = Authority::create("Sluis demo", hours(-1, 1)).unwrap();
    let (before, cases) = (
        lab.size().await,
        [
            ("another authority's", stranger.issue(&subject).unwrap()),
            ("a namesake authority's", namesake.issue(&subject).unwrap()),
            ("expired", dated(hours(-2, -1))),
            ("not valid yet", dated(hours(1, 2))),
            ("for servers", for_use(Usage::Server)),
            ("no OIN", named(None)),
            ("a KVK number", named(Some("KVK 12345678"))),
            ("too short an OIN", named(Some("0000009900000100100"))),
            ("an OIN of no register", named(Some("00000055000001001000"))),
            ("an OIN that does not end in zeros", named(Some("00000099000001001001"))),
            ("two OINs", named(Some("00000099000001001000 00000099000002001000"))),
        ],
    );
    assert_not_let_in("no certificate", lab.channel(None)).await;
    for (what, issued) in &cases {
        assert_not_let_in(what, lab.channel(Some(issued))).await;
        assert!(call(lab.channel(Some(&good))).await.is_ok(), "a good caller after `{what}`");
    }
    // Whoever was not let in is nobody: there is no organisation to count him for.
    assert!(lab.turned_away().await.is_empty());
    assert_eq!(lab.size().await, before);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_revoked_stops_an_open_connection_and_a_new_one() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let (open, other) = (lab.client("waterrijk").await, lab.client("oeverstad").await);
    assert_eq!(
        open.exchange().request_work_capacity(question()).await.unwrap().into_inner().disclosures.len(),
        2
    );

    lab.write_crl(&["waterrijk"], hours(-1, 24));
    lab.world.gateway.reload().await.unwrap();
    let before = lab.size().await;
    let status = open.exchange().request_work_capacity(question()).await.unwrap_err();
    assert_refused("the open connection", &status, NO_LONGER_VALID);
    assert_refused("another service on it", &Lab::purposes(&open).await.unwrap_err(), NO_LONGER_VALID);
    assert_eq!(lab.size().await, before, "turned away unread");
    // A client of TLS 1.3 believes itself connected before it is refused.
    if let Ok(new) = lab.world.client("waterrijk").await {
        assert_not_let_in("a new connection", new.channel()).await;
    }
    assert_eq!(lab.turned_away().await, [(lab.oin("waterrijk"), 2)].into());
    assert!(Lab::purposes(&other).await.is_ok(), "others go on, on connections that are open");
    assert!(Lab::purposes(&lab.client("sluisdam").await).await.is_ok(), "and on new ones");
    assert_pairs(&lab.log(0).await);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_fresh_list_of_revoked_certificates_nobody_is_let_in() {
    let lab = Lab::start().await;
    let open = lab.client("waterrijk").await;
    assert!(Lab::purposes(&open).await.is_ok());
    // Callers hold lists of their own, which are read before this one goes stale.
    let good = lab.authority().issue(&subject(&lab)).unwrap();
    let new = lab.client_config(Some(&good));

    lab.write_crl(&[], hours(-2, -1));
    lab.world.gateway.reload().await.unwrap();
    let address = lab.world.gateway.address;
    assert_not_let_in("a stale list", channel(address, new.clone())).await;
    assert_refused("the open connection", &Lab::purposes(&open).await.unwrap_err(), NO_LONGER_VALID);
    let status = open.exchange().request_work_capacity(question()).await.unwrap_err();
    assert_refused("the open connection", &status, NO_LONGER_VALID);

    // A list that cannot be read leaves the stale one in force: still nobody.
    fs::write(lab.certificates().join("crl.pem"), "no list").unwrap();
    assert!(lab.world.gateway.reload().await.is_err());
    assert_not_let_in("no list", channel(address, new.clone())).await;

    fs::remove_file(lab.certificates().join("crl.pem")).unwrap();
    lab.write_crl(&[], hours(-1, 24));
    lab.world.gateway.reload().await.unwrap();
    assert!(call(channel(address, new)).await.is_ok());
    assert!(Lab::purposes(&open).await.is_ok(), "a refusal is not remembered");
    assert_eq!(lab.turned_away().await, [(lab.oin("waterrijk"), 2)].into());
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_while_a_connection_is_open_ends_the_connection() {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let moved = Arc::clone(&clock);
    let lab = Lab::start_with(|options| options.clock = moved).await;
    let open = lab.client("waterrijk").await;
    assert!(Lab::purposes(&open).await.is_ok());
    let days = |days: i64| Timestamp::from_millis(SystemClock.now().millis() + days * 24 * HOUR);
    clock.set(days(8));
    assert_refused("the list ended", &Lab::purposes(&open).await.unwrap_err(), NO_LONGER_VALID);
    lab.write_crl(&[], hours(-1, 200 * 24));
    lab.world.gateway.reload().await.unwrap();
    assert!(Lab::purposes(&open).await.is_ok());
    clock.set(days(91));
    assert_refused("the certificate ended", &Lab::purposes(&open).await.unwrap_err(), NO_LONGER_VALID);
    lab.world.stop().await;
}
