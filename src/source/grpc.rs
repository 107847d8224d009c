//! A source that speaks `SourceService` over gRPC.
//!
//! The channel comes with mutual TLS and the source's OIN pinned. Nothing of the requester's call goes along: each call
//! is built anew, without its metadata, trace state or baggage, which would be a text channel to the source.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http::uri::PathAndQuery;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use tonic::{Request, Status, transport::Channel};

use self::{
    codec::{Delivered, StatementCodec},
    failure::{never_sent, reason},
};
use super::{PresentedGrant, SourceConnector, SourceQuestion, Statement, Surplus, breaker::Breaker};
use crate::{
    catalogue::{self, CheckedStatement, Mask},
    domain::{Bsn, Clock, Day, QueryId, Reason, time::SystemClock},
    proto::{self, get_statement_response::Result as Answer, source_service_client::SourceServiceClient},
};

mod codec;
mod failure;
#[cfg(test)]
mod tests;

/// Largest message taken from a source, in bytes. The fullest statement stays below a tenth of it.
pub const MAX_MESSAGE: usize = 64 * 1024;

/// How long the report of a surplus may take.
const REPORT_WAIT: Duration = Duration::from_secs(5);

/// How much one source is asked at once, and when it is left alone.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls at the same time; further ones wait, within their deadline.
    pub concurrent_calls: usize,
    /// Failures in a row after which it is left alone.
    pub failures: u32,
    /// How long it is left alone.
    pub open: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { concurrent_calls: 32, failures: 5, open: Duration::from_secs(10) }
    }
}

/// A way to one source over gRPC.
#[derive(Clone, Debug)]
pub struct GrpcSource {
    channel: Channel,
    slots: Arc<Semaphore>,
    breaker: Arc<Breaker>,
    clock: Arc<dyn Clock>,
}

impl GrpcSource {
    /// A source behind this channel, with the usual limits.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self::with_limits(channel, Limits::default(), Arc::new(SystemClock))
    }

    /// A source behind this channel, with limits of its own.
    #[must_use]
    pub fn with_limits(channel: Channel, limits: Limits, clock: Arc<dyn Clock>) -> Self {
        Self {
            channel,
            slots: Arc::new(Semaphore::new(limits.concurrent_calls)),
            breaker: Arc::new(Breaker::new(limits.failures, limits.open, Arc::clone(&clock))),
            clock,
        }
    }

    /// Whether the source is left alone now. It says so for every client alike.
    #[must_use]
    pub fn is_left_alone(&self) -> bool {
        self.breaker.is_open()
    }

    /// One call within its time: waits for a slot, asks the breaker, and tries a second time only where the request
    /// was never sent.
    async fn call<T, Calling>(&self, wait: Duration, call: impl Fn(Duration) -> Calling) -> Result<T, Reason>
    where
        Calling: Future<Output = Result<T, Status>>,
    {
        let end = Instant::now() + wait;
        let left = || end.saturating_duration_since(Instant::now());
        let Ok(Ok(_slot)) = timeout(wait, self.slots.acquire()).await else {
            return Err(Reason::SourceTooLate);
        };
        let attempt = self.breaker.attempt().ok_or(Reason::SourceUnavailable)?;
        let called = timeout(left(), async {
            match call(left()).await {
                Err(status) if never_sent(&status) => call(left()).await,
                called => called,
            }
        });
        let called = match called.await {
            Ok(called) => called.map_err(|status| reason(&status)),
            Err(_) => Err(Reason::SourceTooLate),
        };
        match called {
            Err(Reason::SourceUnavailable | Reason::SourceTooLate | Reason::SourceNotTrusted) => {
                attempt.failed()
            }
            _ => attempt.answered(),
        }
        called
    }

    fn client(&self) -> SourceServiceClient<Channel> {
        SourceServiceClient::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE)
    }

    async fn ask(&self, message: proto::GetStatementRequest, wait: Duration) -> Result<Delivered, Status> {
        let mut client =
            tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(MAX_MESSAGE);
        client.ready().await.map_err(|error| Status::from_error(error.into()))?;
        let path = PathAndQuery::from_static("/sluis.v1.SourceService/GetStatement");
        let delivered = client.unary(timed(message, wait), path, StatementCodec::default()).await?;
        Ok(delivered.into_inner())
    }

    /// Reports a surplus that came with nothing that could be read, so that nobody above hears of it.
    fn report_apart(&self, query: QueryId, surplus: Surplus) {
        let source = self.clone();
        let codes = catalogue::codes(surplus.fields);
        let unknown_fields = surplus.unknown_fields;
        tracing::warn!(fields = ?codes, unknown_fields, "a source delivered what was not asked, and nothing that can be used");
        tokio::spawn(async move { source.report_surplus(query, &surplus).await });
    }
}

#[async_trait]
impl SourceConnector for GrpcSource {
    async fn statement(&self, question: &SourceQuestion, wait: Duration) -> Result<Statement, Reason> {
        let message = message(question);
        let delivered = self.call(wait, |left| self.ask(message.clone(), left)).await?;
        let (surplus, checked) = weigh(delivered, question.fields, self.clock.now().day());
        if checked.is_err() && !surplus.is_empty() {
            self.report_apart(question.query, surplus);
        }
        Ok(Statement { checked: checked?, surplus })
    }

    async fn review(&self, bsn: &Bsn, grant: &PresentedGrant, wait: Duration) -> Result<bool, Reason> {
        let message = proto::ReviewGrantRequest { bsn: bsn.reveal_text(), grant: Some(presented(grant)) };
        let reviewed = self.call(wait, |left| {
            let (mut client, request) = (self.client(), timed(message.clone(), left));
            async move { client.review_grant(request).await }
        });
        Ok(reviewed.await?.into_inner().confirmed)
    }

    async fn report_surplus(&self, query: QueryId, surplus: &Surplus) -> Result<(), Reason> {
        let message = proto::ReportSurplusRequest {
            query_id: query.to_string(),
            fields: catalogue::codes(surplus.fields).into_iter().map(ToOwned::to_owned).collect(),
            unknown_fields: surplus.unknown_fields,
        };
        let reported = self.call(REPORT_WAIT, |left| {
            let (mut client, request) = (self.client(), timed(message.clone(), left));
            async move { client.report_surplus(request).await }
        });
        reported.await.map(|_| ())
    }
}

/// A request with its time (`grpc-timeout`), and no other metadata.
fn timed<T>(message: T, wait: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(wait);
    request
}

fn presented(grant: &PresentedGrant) -> proto::PresentedGrant {
    proto::PresentedGrant {
        jws: grant.jws.clone(),
        binding_salt: grant.salt.bytes().to_vec(),
        reconfirmation: grant.reconfirmation.clone().unwrap_or_default(),
        countersignature: grant.countersignature.clone().unwrap_or_default(),
    }
}

fn message(question: &SourceQuestion) -> proto::GetStatementRequest {
    proto::GetStatementRequest {
        query_id: question.query.to_string(),
        bsn: question.bsn.reveal_text(),
        recipient: question.recipient.to_string(),
        role: question.role.to_string(),
        purpose: question.purpose.to_string(),
        fields: catalogue::codes(question.fields).into_iter().map(ToOwned::to_owned).collect(),
        grants: question.grants.iter().map(presented).collect(),
        deadline: Some(question.deadline.to_proto()),
    }
}

/// What becomes of these bytes if a source answers with them. For fuzzing, which needs no connection.
pub(crate) fn received(wire: &[u8], asked: Mask, today: Day) -> (Surplus, Result<CheckedStatement, Reason>) {
    weigh(codec::read(wire), asked, today)
}

/// What of the answer may go on: the fields asked, every value checked; and what was too much.
fn weigh(delivered: Delivered, asked: Mask, today: Day) -> (Surplus, Result<CheckedStatement, Reason>) {
    let Delivered::Read { message, unknown_fields } = delivered else {
        return (Surplus::default(), Err(Reason::SourceInvalid));
    };
    let mut surplus = Surplus { fields: Mask::EMPTY, unknown_fields };
    let Some(Answer::WorkCapacity(capacity)) = message.result else {
        return (surplus, Err(Reason::SourceDeclined));
    };
    // One wrong value, asked or not, and nothing of the statement is trusted.
    let Ok(delivered) = CheckedStatement::new(capacity, today) else {
        return (surplus, Err(Reason::SourceInvalid));
    };
    surplus.fields = delivered.present().minus(asked);
    // With a surplus, an empty statement goes on in its place: whoever keeps the log must hear of the surplus.
    if delivered.present().and(asked).is_empty() && surplus.is_empty() {
        return (surplus, Err(Reason::SourceHoldsNothing));
    }
    (surplus, Ok(delivered.narrowed(asked)))
}
