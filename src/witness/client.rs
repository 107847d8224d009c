//! Calls to a witness: a log's side of the protocol, and a look at what a witness has cosigned.

use std::{io, net::IpAddr, path::PathBuf, time::Duration};

use http::{Method, Request, StatusCode, Uri, header, uri::Scheme};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};

use super::{
    checkpoint_path,
    request::{size, write},
};
use crate::{
    audit::tree::Hash,
    identity::web::{WebFault, WebTrust},
};

/// A call takes at most this long, from the connection to the last byte.
const CALL: Duration = Duration::from_secs(10);
/// An answer is at most this long.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why a witness cannot be called at all.
#[derive(Debug, thiserror::Error)]
pub enum AddressFault {
    /// Not an address of a witness.
    #[error(
        "`{0}` must be an address as in `https://host/`; `http://` only reaches a witness on this machine, since on the way \
         to another one anybody could answer that the log was set back"
    )]
    Url(String),
    /// The roots of its certificate.
    #[error(transparent)]
    Web(#[from] WebFault),
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum CallFault {
    /// No connection.
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    /// The other side does not keep to HTTP.
    #[error("no answer: {0}")]
    Http(#[from] hyper::Error),
    /// It took too long.
    #[error("no answer in time")]
    Slow,
    /// An answer that is none of the protocol's.
    #[error("an answer that is not understood (status {0})")]
    Answer(StatusCode),
}

/// What a witness says to a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Added {
    /// Its signature lines, not verified.
    Cosigned(String),
    /// The newest checkpoint that it cosigned has this size.
    Conflict(u64),
    /// It says that the proof does not prove.
    BadProof,
    /// It does not witness this log, or not with this key.
    Unknown,
}

/// How to reach a witness.
#[derive(Clone, Debug)]
pub struct WitnessClient {
    host: String,
    port: u16,
    /// What its paths begin with; ends in a slash.
    prefix: String,
    tls: Option<WebTrust>,
}

/// Whether a host is this machine, whoever resolves its name.
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl WitnessClient {
    /// For a witness at this address, whose certificate hangs under one of these roots.
    ///
    /// # Errors
    /// If it is no address of a witness, or the roots do not load.
    pub fn new(url: &str, roots: &[PathBuf]) -> Result<Self, AddressFault> {
        let fault = || AddressFault::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| fault())?;
        let authority = uri.authority().ok_or_else(fault)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if authority.as_str().contains('@') || uri.query().is_some() {
            return Err(fault());
        }
        let (tls, usual) = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => (Some(WebTrust::load(roots)?), 443),
            Some(scheme) if *scheme == Scheme::HTTP && is_here(&host) => (None, 80),
            _ => return Err(fault()),
        };
        let prefix = format!("{}/", uri.path().trim_end_matches('/'));
        Ok(Self { host, port: authority.port_u16().unwrap_or(usual), prefix, tls })
    }

    /// Sends a checkpoint with the proof that it goes on from `old_size`.
    ///
    /// # Errors
    /// If no answer comes that the protocol knows.
    pub async fn add(&self, old_size: u64, proof: &[Hash], checkpoint: &str) -> Result<Added, CallFault> {
        let body = write(old_size, proof, checkpoint);
        let (status, answer) = self.call(Method::POST, "add-checkpoint", body).await?;
        match status {
            StatusCode::OK => Ok(Added::Cosigned(answer)),
            StatusCode::CONFLICT => {
                answer.strip_suffix('\n').and_then(size).map(Added::Conflict).ok_or(CallFault::Answer(status))
            }
            StatusCode::UNPROCESSABLE_ENTITY => Ok(Added::BadProof),
            StatusCode::NOT_FOUND | StatusCode::FORBIDDEN => Ok(Added::Unknown),
            _ => Err(CallFault::Answer(status)),
        }
    }

    /// The newest checkpoint that it has cosigned of this log, not verified. `None` if it has none, or is a witness that does
    /// not show it.
    ///
    /// # Errors
    /// If no such answer comes.
    pub async fn newest(&self, origin: &str) -> Result<Option<String>, CallFault> {
        self.get(&checkpoint_path(origin)).await
    }

    /// What stands at this path below the witness's address.
    ///
    /// # Errors
    /// If no answer comes, or another one than yes or no.
    pub async fn get(&self, path: &str) -> Result<Option<String>, CallFault> {
        let (status, answer) = self.call(Method::GET, path, String::new()).await?;
        match status {
            StatusCode::OK => Ok(Some(answer)),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(CallFault::Answer(status)),
        }
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, String), CallFault> {
        let call = async {
            match &self.tls {
                Some(tls) => self.over(tls.open(&self.host, self.port).await?, method, path, body).await,
                None => {
                    let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
                    self.over(tcp, method, path, body).await
                }
            }
        };
        timeout(CALL, call).await.map_err(|_| CallFault::Slow)?
    }

    async fn over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        method: Method,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, String), CallFault> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // Ends with the answer, or when the sender is dropped.
        tokio::spawn(connection);
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header(header::HOST, format!("{host}:{}", self.port))
            .header(header::CONNECTION, "close")
            .body(Full::new(Bytes::from(body)))
            .map_err(io::Error::other)?;
        let response = sender.send_request(request).await?;
        let status = response.status();
        let read = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        let bytes = read.map_err(|_| CallFault::Answer(status))?.to_bytes();
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| CallFault::Answer(status))?;
        Ok((status, text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        for url in ["http://127.0.0.1:7500", "http://[::1]:7500/", "http://localhost/witness"] {
            assert!(WitnessClient::new(url, &[]).is_ok(), "{url}");
        }
        assert_eq!(WitnessClient::new("http://localhost/a/b/", &[]).unwrap().prefix, "/a/b/");
        for url in [
            "http://witness.example/",
            "ftp://localhost",
            "localhost:1",
            "http://u@localhost/",
            "http://localhost/?q",
        ] {
            assert!(matches!(WitnessClient::new(url, &[]), Err(AddressFault::Url(_))), "{url}");
        }
        assert!(matches!(
            WitnessClient::new("https://witness.example", &[]),
            Err(AddressFault::Web(WebFault::NoRoots))
        ));
    }
}
