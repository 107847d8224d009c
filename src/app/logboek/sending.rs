//! One call to the logboek: OTLP over gRPC, over our own TLS, or in the clear on this machine.

use std::time::Duration;

use http::uri::PathAndQuery;
use tonic::{
    Code,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

use crate::{
    audit::records::{
        Record,
        ldv::Register,
        otlp::{EXPORT, ExportRequest, ExportResponse},
    },
    config::LogboekAddress,
    identity::{ConnectFault, TrustStore, connect_lazy},
};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(2);
/// How long an acknowledgement may take. One that comes later is as good as none.
const ANSWER: Duration = Duration::from_secs(10);

/// Why something was not acknowledged. The texts of the other side are not repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendFault {
    /// No way to it.
    #[error(transparent)]
    Connect(#[from] ConnectFault),
    /// It refused, or was not there.
    #[error("the logboek answered {0:?}")]
    Refused(Code),
    /// No answer in time.
    #[error("the logboek did not answer in time")]
    TooLate,
    /// It took a part only, and does not say which.
    #[error("the logboek did not take {0} of the records")]
    Rejected(i64),
}

/// The way to the logboek.
pub(super) struct Sending<'a> {
    address: &'a LogboekAddress,
    trust: &'a TrustStore,
    /// With the generation of the trust that it was made under.
    channel: Option<(u64, Channel)>,
}

impl<'a> Sending<'a> {
    pub(super) const fn new(address: &'a LogboekAddress, trust: &'a TrustStore) -> Self {
        Self { address, trust, channel: None }
    }

    /// The next call opens a new connection.
    pub(super) fn hang_up(&mut self) {
        self.channel = None;
    }

    fn channel(&mut self) -> Result<Channel, ConnectFault> {
        let generation = self.trust.generation();
        if let Some((made, channel)) = &self.channel
            && *made == generation
        {
            return Ok(channel.clone());
        }
        let channel = match self.address {
            LogboekAddress::Tls { url, oin } => connect_lazy(url, &self.trust.trust(), Some(*oin), CONNECT)?,
            LogboekAddress::Loopback { url } => Endpoint::from_shared(url.clone())
                .map_err(|_| ConnectFault::Url(url.clone()))?
                .connect_timeout(CONNECT)
                .connect_lazy(),
        };
        self.channel = Some((generation, channel.clone()));
        Ok(channel)
    }

    /// Sends records, and returns once the other side has acknowledged every one of them.
    pub(super) async fn send(
        &mut self,
        origin: &str,
        records: &[Record],
        register: &Register,
    ) -> Result<(), SendFault> {
        let request = ExportRequest::new(origin, records, register);
        let mut client = tonic::client::Grpc::new(self.channel()?);
        let call = async {
            client.ready().await.map_err(|_| SendFault::Refused(Code::Unavailable))?;
            let codec = ProstCodec::<ExportRequest, ExportResponse>::default();
            let path = PathAndQuery::from_static(EXPORT);
            let answer = client.unary(tonic::Request::new(request), path, codec).await;
            answer.map_err(|status| SendFault::Refused(status.code()))
        };
        let answer = tokio::time::timeout(ANSWER, call).await.map_err(|_| SendFault::TooLate)??;
        match answer.into_inner().rejected() {
            0 => Ok(()),
            // Below zero is no number of spans; what it means is not guessed.
            rejected => Err(SendFault::Rejected(rejected)),
        }
    }
}
