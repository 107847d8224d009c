//! What stands behind the process in the middle: a source for the gateway, and for the relay a server that gives the
//! gateway's answer. Both answer from memory.

use std::path::Path;

use prost::Message as _;
use sluis::{
    identity::{Acceptor, Limits},
    proto::{
        self, exchange_service_server as exchange, get_statement_response::Result as Answer,
        source_service_server as source,
    },
};
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    child,
    common::Fault,
    region::{self, Region},
};

/// A source that holds the same about everybody, and trusts every question.
#[derive(Debug)]
struct Source(proto::GetStatementResponse);

#[tonic::async_trait]
impl source::SourceService for Source {
    async fn get_statement(
        &self,
        _: Request<proto::GetStatementRequest>,
    ) -> Result<Response<proto::GetStatementResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn review_grant(
        &self,
        _: Request<proto::ReviewGrantRequest>,
    ) -> Result<Response<proto::ReviewGrantResponse>, Status> {
        Ok(Response::new(proto::ReviewGrantResponse { confirmed: true }))
    }

    async fn report_surplus(
        &self,
        _: Request<proto::ReportSurplusRequest>,
    ) -> Result<Response<proto::ReportSurplusResponse>, Status> {
        Ok(Response::new(proto::ReportSurplusResponse {}))
    }
}

/// Gives the same answer to every question.
#[derive(Debug)]
struct Canned(proto::RequestWorkCapacityResponse);

#[tonic::async_trait]
impl exchange::ExchangeService for Canned {
    async fn request_work_capacity(
        &self,
        _: Request<proto::RequestWorkCapacityRequest>,
    ) -> Result<Response<proto::RequestWorkCapacityResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn list_my_purposes(
        &self,
        _: Request<proto::ListMyPurposesRequest>,
    ) -> Result<Response<proto::ListMyPurposesResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    async fn acknowledge_handover(
        &self,
        _: Request<proto::AcknowledgeHandoverRequest>,
    ) -> Result<Response<proto::AcknowledgeHandoverResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}

/// Plays the source of the region.
pub async fn source(folder: &Path) -> Result<(), Fault> {
    let region = Region::at(folder);
    let (listener, address) = child::listen().await?;
    let incoming = Acceptor::new(region.store(region::SOURCE)?, Limits::default()).incoming(listener);
    let answer = proto::GetStatementResponse { result: Some(Answer::WorkCapacity(region::statement()?)) };
    Server::builder()
        .add_service(source::SourceServiceServer::new(Source(answer)))
        .serve_with_incoming_shutdown(incoming, async { drop(child::serve_until_told(address).await) })
        .await?;
    Ok(())
}

/// Plays what the relay forwards to: gives the answer in this file, under the certificate of the source.
pub async fn target(folder: &Path, answer: &Path) -> Result<(), Fault> {
    let region = Region::at(folder);
    let (listener, address) = child::listen().await?;
    let incoming = Acceptor::new(region.store(region::SOURCE)?, Limits::default()).incoming(listener);
    let answer = proto::RequestWorkCapacityResponse::decode(std::fs::read(answer)?.as_slice())?;
    Server::builder()
        .add_service(exchange::ExchangeServiceServer::new(Canned(answer)))
        .serve_with_incoming_shutdown(incoming, async { drop(child::serve_until_told(address).await) })
        .await?;
    Ok(())
}
