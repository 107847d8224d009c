//! The process in the middle: a relay that checks nothing, or a gateway.

use std::{path::Path, sync::Arc, time::Duration};

use sluis::{
    app::Gateway,
    config::Settings,
    domain::time::SystemClock,
    identity::{Acceptor, Limits, connect},
    proto::{
        self,
        exchange_service_client::ExchangeServiceClient,
        exchange_service_server::{ExchangeService, ExchangeServiceServer},
    },
};
use tonic::{
    Request, Response, Status,
    transport::{Channel, Server},
};

use crate::{
    child,
    common::Fault,
    region::{self, Region},
};

/// Passes on what it gets, over one connection, as the gateway has one to each source.
#[derive(Debug)]
struct Relay(ExchangeServiceClient<Channel>);

#[tonic::async_trait]
impl ExchangeService for Relay {
    async fn request_work_capacity(
        &self,
        request: Request<proto::RequestWorkCapacityRequest>,
    ) -> Result<Response<proto::RequestWorkCapacityResponse>, Status> {
        let answer = self.0.clone().request_work_capacity(request.into_inner()).await?;
        Ok(Response::new(answer.into_inner()))
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

/// Plays the relay to this address, under the gateway's certificate and with its TLS.
pub async fn relay(folder: &Path, target: &str) -> Result<(), Fault> {
    let region = Region::at(folder);
    let store = region.store(region::GATEWAY)?;
    let source = region::SOURCE_OIN.parse()?;
    let channel = connect(target, &store.trust(), Some(source), Duration::from_secs(5)).await?;
    let (listener, address) = child::listen().await?;
    let incoming = Acceptor::new(store, Limits::default()).incoming(listener);
    Server::builder()
        .add_service(ExchangeServiceServer::new(Relay(ExchangeServiceClient::new(channel))))
        .serve_with_incoming_shutdown(incoming, async { drop(child::serve_until_told(address).await) })
        .await?;
    Ok(())
}

/// Plays the gateway of this configuration. It logs what `sluis serve` logs.
pub async fn gateway(config: &Path) -> Result<(), Fault> {
    tracing_subscriber::fmt()
        .with_env_filter("info")
        .with_ansi(false)
        .with_writer(std::io::stderr)
        .try_init()?;
    let (listener, address) = child::listen().await?;
    let gateway = Gateway::start_on(listener, Settings::load(config)?, Arc::new(SystemClock)).await?;
    child::serve_until_told(address).await?;
    gateway.stop().await;
    Ok(())
}
