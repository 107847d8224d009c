//! A witness behind a proxy that speaks TLS, as a gateway elsewhere reaches it.

use std::{fs, path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use sluis::witness::client::{Added, CallFault, WitnessClient};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use crate::lab::{Log, ORIGIN, Witness, write_config};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Ends TLS and passes on what is inside, and gives its port.
async fn proxy(to: String, authority: &CertifiedIssuer<'static, KeyPair>, host: &str) -> u16 {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut outside) = acceptor.accept(stream).await else { continue };
            let mut inside = TcpStream::connect(&to).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut outside, &mut inside).await });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_elsewhere_is_reached_under_the_roots_that_were_named_and_no_others() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(ORIGIN);
    let witness = Witness::start(&write_config(folder.path(), "w1", log.key()));
    let (ours, other) = (authority(), authority());
    let write = |name: &str, authority: &CertifiedIssuer<'static, KeyPair>| -> PathBuf {
        let path = folder.path().join(name);
        fs::write(&path, authority.pem()).unwrap();
        path
    };
    let (trusted, strange) = (write("ours.pem", &ours), write("other.pem", &other));
    let port = proxy(witness.address.clone(), &ours, "localhost").await;
    let url = format!("https://localhost:{port}/");
    let client = WitnessClient::new(&url, std::slice::from_ref(&trusted)).unwrap();
    assert!(matches!(client.newest(ORIGIN).await, Ok(None)));
    let added = client.add(0, &[], &log.signed(5)).await.unwrap();
    assert!(matches!(added, Added::Cosigned(_)), "{added:?}");
    assert_eq!(client.add(0, &[], &log.signed(5)).await.unwrap(), Added::Conflict(5));
    assert!(client.newest(ORIGIN).await.unwrap().unwrap().starts_with(ORIGIN));

    let client = WitnessClient::new(&url, &[strange]).unwrap();
    assert!(matches!(client.newest(ORIGIN).await, Err(CallFault::Connect(_))));
    // A certificate of the right authority, for another host.
    let port = proxy(witness.address.clone(), &ours, "elsewhere.example").await;
    let client = WitnessClient::new(&format!("https://localhost:{port}/"), &[trusted]).unwrap();
    assert!(matches!(client.newest(ORIGIN).await, Err(CallFault::Connect(_))));
}
