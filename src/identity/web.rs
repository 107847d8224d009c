//! Calls over HTTPS to a server that is no participant: a witness. Its certificate names a host and no OIN, and hangs
//! under roots of its own. A cosignature and a checkpoint are signed, so that nobody else can make one. That it has another
//! size, or that a proof is false (409 and 422), is signed by nobody: for these TLS alone says who speaks, and they stop a
//! gateway (docs/witness.md).

use std::{io, path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// Why no such calls can be made.
#[derive(Debug, thiserror::Error)]
pub enum WebFault {
    /// A file of roots.
    #[error("`{}` holds no readable certificates in PEM", .0.display())]
    Roots(PathBuf),
    /// No root at all.
    #[error(
        "a server that is reached over https needs `roots`: the PEM files that its certificate hangs under"
    )]
    NoRoots,
    /// The cryptography cannot do TLS 1.3.
    #[error("the roots cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

/// Roots to call under.
#[derive(Clone, Debug)]
pub struct WebTrust {
    config: Arc<ClientConfig>,
}

impl WebTrust {
    /// Reads the roots.
    ///
    /// # Errors
    /// If there are none, or a file holds none.
    pub fn load(roots: &[PathBuf]) -> Result<Self, WebFault> {
        let mut store = RootCertStore::empty();
        for path in roots {
            let fault = || WebFault::Roots(path.clone());
            let before = store.len();
            for certificate in CertificateDer::pem_file_iter(path).map_err(|_| fault())? {
                store.add(certificate.map_err(|_| fault())?).map_err(|_| fault())?;
            }
            if store.len() == before {
                return Err(fault());
            }
        }
        if store.is_empty() {
            return Err(WebFault::NoRoots);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])?
            .with_root_certificates(store)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config) })
    }

    /// Opens a connection to this host, which its certificate must name.
    ///
    /// # Errors
    /// If nobody answers, or not the one that was meant.
    pub async fn open(&self, host: &str, port: u16) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let tcp = TcpStream::connect((host, port)).await?;
        tcp.set_nodelay(true)?;
        TlsConnector::from(Arc::clone(&self.config)).connect(name, tcp).await
    }
}
