//! The reference source system (bronsysteem): answers from a file, and trusts the gateway with nothing it can check
//! itself. A real system does the same checks over its own records.
//!
//! It is asked by one gateway only, known by the OIN in its certificate. For every question it checks each grant: the
//! recorder's signature, the binding to the person, and that it names this source, this recipient and role, this
//! purpose and these fields, now. What does not hold is declined without a word; the reason stands in its own log.

use std::{fmt, sync::Arc};

use tonic::{Extensions, Request, Response, Status};

use self::{grants::Question, statements::Client};
use crate::{
    catalogue,
    consent::BindingSalt,
    domain::{Bsn, Clock, Day, Oin},
    proto::{self, get_statement_response::Result as Answer, source_service_server::SourceService},
};

mod grants;
mod misbehaviour;
mod server;
mod statements;
#[cfg(test)]
mod tests;

pub use self::{
    grants::Objection,
    misbehaviour::Misbehaviour,
    server::ReferenceServer,
    statements::{Fault, FileFault, Statements},
};

/// Public keys that recorders sign with, as registered.
pub trait RecorderKeys: Send + Sync + fmt::Debug {
    /// The Ed25519 key of this recorder with this id, if it is registered and valid on this day.
    fn public_key(&self, recorder: Oin, kid: &str, on: Day) -> Option<[u8; 32]>;
}

/// Who is calling, from what the connection knows of its certificate. Never from a header.
pub trait CallerIdentity: Send + Sync + fmt::Debug {
    /// The caller's OIN.
    fn caller(&self, connection: &Extensions) -> Option<Oin>;
}

/// A source system that answers from a file.
#[derive(Clone, Debug)]
pub struct ReferenceSource {
    own: Oin,
    gateway: Oin,
    statements: Arc<Statements>,
    keys: Arc<dyn RecorderKeys>,
    callers: Arc<dyn CallerIdentity>,
    clock: Arc<dyn Clock>,
}

impl ReferenceSource {
    /// The system of the organisation `own`, which answers the gateway and nobody else.
    #[must_use]
    pub fn new(
        own: Oin,
        gateway: Oin,
        statements: Statements,
        keys: Arc<dyn RecorderKeys>,
        callers: Arc<dyn CallerIdentity>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { own, gateway, statements: Arc::new(statements), keys, callers, clock }
    }

    /// The gRPC service, for a server's router.
    #[must_use]
    pub fn into_server(self) -> ReferenceServer {
        ReferenceServer::new(self)
    }

    fn admit(&self, connection: &Extensions) -> Result<(), Status> {
        if self.callers.caller(connection) == Some(self.gateway) {
            return Ok(());
        }
        tracing::warn!(code = "CALLER_NOT_THE_GATEWAY", "the source refused a caller");
        Err(Status::permission_denied("this source answers its gateway only"))
    }

    fn checks(&self) -> grants::Checks<'_> {
        grants::Checks { own: self.own, keys: self.keys.as_ref(), now: self.clock.now() }
    }

    /// What it answers, and about whom, so that a test source can spoil it.
    fn answer(
        &self,
        message: &proto::GetStatementRequest,
    ) -> Result<(proto::WorkCapacity, &Client), Objection> {
        let question = Question::read(message)?;
        self.checks().question(&question)?;
        // An unknown client and one without these fields read the same: nothing is held.
        let client = self.statements.client(&question.bsn);
        if client.declines {
            return Err(Objection::ClientDeclined);
        }
        Ok((client.statement.build(question.fields), client))
    }

    fn confirms(&self, message: &proto::ReviewGrantRequest) -> Result<(), Objection> {
        let bsn = Bsn::parse(&message.bsn).map_err(|_| Objection::QuestionMalformed)?;
        let grant = message.grant.as_ref().ok_or(Objection::NoGrant)?;
        let salt = BindingSalt::from_bytes(&grant.binding_salt).ok_or(Objection::BindingWrong)?;
        self.checks().grant(&grant.jws, &salt, &bsn)?;
        if !self.statements.knows(&bsn) {
            return Err(Objection::ClientUnknown);
        }
        if self.statements.client(&bsn).declines {
            return Err(Objection::ClientDeclined);
        }
        Ok(())
    }
}

fn declined(objection: Objection) -> proto::GetStatementResponse {
    tracing::info!(code = objection.as_str(), "the source declined");
    proto::GetStatementResponse { result: Some(Answer::Declined(proto::Declined {})) }
}

#[tonic::async_trait]
impl SourceService for ReferenceSource {
    async fn get_statement(
        &self,
        request: Request<proto::GetStatementRequest>,
    ) -> Result<Response<proto::GetStatementResponse>, Status> {
        self.admit(request.extensions())?;
        let message = request.into_inner();
        let response = match self.answer(&message) {
            Err(objection) => declined(objection),
            Ok((statement, client)) => misbehaviour::answer(statement, client, &message, &*self.clock).await,
        };
        Ok(Response::new(response))
    }

    async fn review_grant(
        &self,
        request: Request<proto::ReviewGrantRequest>,
    ) -> Result<Response<proto::ReviewGrantResponse>, Status> {
        self.admit(request.extensions())?;
        let verdict = self.confirms(request.get_ref());
        if let Err(objection) = verdict {
            tracing::info!(code = objection.as_str(), "the source did not confirm a grant");
        }
        Ok(Response::new(proto::ReviewGrantResponse { confirmed: verdict.is_ok() }))
    }

    async fn report_surplus(
        &self,
        request: Request<proto::ReportSurplusRequest>,
    ) -> Result<Response<proto::ReportSurplusResponse>, Status> {
        self.admit(request.extensions())?;
        let message = request.get_ref();
        // Read as codes first: what goes into a log is never a text that somebody sent.
        let fields = catalogue::from_codes(&message.fields)
            .map_err(|_| Status::invalid_argument("a surplus is named by codes of the catalogue"))?;
        let (fields, unknown_fields) = (catalogue::codes(fields), message.unknown_fields);
        tracing::warn!(?fields, unknown_fields, "this source delivered more than was asked");
        Ok(Response::new(proto::ReportSurplusResponse {}))
    }
}
