//! Calls to others: gRPC channels over our own TLS, pinned to the organisation that is meant.

use std::{io, sync::Arc, time::Duration};

use http::{Uri, uri::Scheme};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::transport::{Channel, Endpoint};

use super::trust::{HTTP2, Trust};
use crate::domain::Oin;

/// A channel could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFault {
    /// The address is not one to call.
    #[error("`{0}` must be an address as in `https://host:port`")]
    Url(String),
    /// The cryptography cannot do TLS 1.3.
    #[error("the certificate cannot be used: {0}")]
    Tls(#[from] rustls::Error),
    /// Nobody answered, or not the one that was meant.
    #[error("no connection to `{url}`")]
    Unreachable {
        /// Whom we called.
        url: String,
        /// What went wrong.
        source: tonic::transport::Error,
    },
}

/// A channel to `url` (`https://host:port`), once it stands. With `expected`, only to that organisation. It reconnects
/// by itself, with the trust it was made with: make a new one when the [store](super::TrustStore) has a new generation.
///
/// # Errors
/// If nobody answers in time, or the other side's certificate does not verify or names somebody else.
pub async fn connect(
    url: &str,
    trust: &Trust,
    expected: Option<Oin>,
    connect_timeout: Duration,
) -> Result<Channel, ConnectFault> {
    let (endpoint, target) = prepare(url, trust, expected)?;
    endpoint
        .connect_timeout(connect_timeout)
        .connect_with_connector(tower::service_fn(move |_| target.clone().open()))
        .await
        .map_err(|source| ConnectFault::Unreachable { url: url.to_owned(), source })
}

/// As [`connect`], and connects at the first call.
///
/// # Errors
/// If the address is not one to call.
pub fn connect_lazy(
    url: &str,
    trust: &Trust,
    expected: Option<Oin>,
    connect_timeout: Duration,
) -> Result<Channel, ConnectFault> {
    let (endpoint, target) = prepare(url, trust, expected)?;
    Ok(endpoint
        .connect_timeout(connect_timeout)
        .connect_with_connector_lazy(tower::service_fn(move |_| target.clone().open())))
}

/// Whom to call, and how.
#[derive(Clone)]
struct Target {
    host: String,
    port: u16,
    name: ServerName<'static>,
    config: Arc<ClientConfig>,
}

impl Target {
    async fn open(self) -> io::Result<TokioIo<TlsStream<TcpStream>>> {
        let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
        tcp.set_nodelay(true)?;
        let tls = TlsConnector::from(self.config).connect(self.name, tcp).await?;
        if tls.get_ref().1.alpn_protocol() != Some(HTTP2) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the other side does not speak HTTP/2"));
        }
        Ok(TokioIo::new(tls))
    }
}

fn prepare(url: &str, trust: &Trust, expected: Option<Oin>) -> Result<(Endpoint, Target), ConnectFault> {
    let (origin, host, port) = parts(url).ok_or_else(|| ConnectFault::Url(url.to_owned()))?;
    let name = ServerName::try_from(host.clone()).map_err(|_| ConnectFault::Url(url.to_owned()))?;
    let config = Arc::new(trust.client_config(expected)?);
    // tonic refuses `https` with a connector that is not its own; the origin still says what is spoken.
    let inside = url.replacen("https", "http", 1);
    let endpoint = Endpoint::from_shared(inside)
        .map_err(|_| ConnectFault::Url(url.to_owned()))?
        .origin(origin)
        // A dead connection is noticed while calls are under way. Idle ones are left alone: many servers hang up on
        // clients that ping without calling.
        .http2_keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    Ok((endpoint, Target { host, port, name, config }))
}

/// The address, its host without brackets, and its port.
fn parts(url: &str) -> Option<(Uri, String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let bare = uri.scheme() == Some(&Scheme::HTTPS)
        && uri.path_and_query().is_none_or(|path| path == "/")
        && !uri.authority()?.as_str().contains('@');
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
    let port = uri.port_u16()?;
    bare.then_some((uri, host, port))
}

/// Whether it reads `https://host:port`, with a host that a certificate can name.
pub(super) fn is_address(url: &str) -> bool {
    parts(url).is_some_and(|(_, host, _)| ServerName::try_from(host).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_scheme_host_and_port() {
        for url in
            ["https://127.0.0.1:7443", "https://localhost:7443/", "https://[::1]:7443", "https://a.nl:1"]
        {
            assert!(is_address(url), "{url}");
        }
        for url in [
            "",
            "http://localhost:7443",
            "https://localhost",
            "localhost:7443",
            "https://u:p@localhost:7443",
            "https://localhost:7443/path",
            "https://localhost:7443/?q",
            "https://not a host:1",
        ] {
            assert!(!is_address(url), "{url}");
        }
    }
}
