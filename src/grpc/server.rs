//! The gRPC server: services, limits, health and reflection over the acceptor's connections.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic_health::server::HealthReporter;

use super::{
    MAX_MESSAGE, audit::AuditApi, calls::CallLayer, catalogue::CatalogueApi, consent::ConsentApi,
    exchange::ExchangeApi,
};
use crate::{
    audit::officer::OfficerDesk,
    consent::ConsentDesk,
    exchange::Exchange,
    identity::Acceptor,
    proto::{
        self, audit_service_server::AuditServiceServer, catalogue_service_server::CatalogueServiceServer,
        consent_service_server::ConsentServiceServer, exchange_service_server::ExchangeServiceServer,
    },
};

/// Calls that one connection may have under way.
const STREAMS: u32 = 128;

/// What the services work with.
#[derive(Clone, Debug)]
pub struct Desks {
    /// The exchange.
    pub exchange: Arc<Exchange>,
    /// The desk of consents.
    pub consent: Arc<ConsentDesk>,
    /// The desk of the officers.
    pub officer: Arc<OfficerDesk>,
}

/// Why the server ended.
#[derive(Debug, thiserror::Error)]
pub enum ServerFault {
    /// The descriptors for reflection do not load.
    #[error("cannot offer reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("the server failed: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Sets the health of all services.
pub async fn report_health(reporter: &HealthReporter, serving: bool) {
    if serving {
        reporter.set_serving::<ExchangeServiceServer<ExchangeApi>>().await;
        reporter.set_serving::<ConsentServiceServer<ConsentApi>>().await;
        reporter.set_serving::<AuditServiceServer<AuditApi>>().await;
        reporter.set_serving::<CatalogueServiceServer<CatalogueApi>>().await;
    } else {
        reporter.set_not_serving::<ExchangeServiceServer<ExchangeApi>>().await;
        reporter.set_not_serving::<ConsentServiceServer<ConsentApi>>().await;
        reporter.set_not_serving::<AuditServiceServer<AuditApi>>().await;
        reporter.set_not_serving::<CatalogueServiceServer<CatalogueApi>>().await;
    }
    let all =
        if serving { tonic_health::ServingStatus::Serving } else { tonic_health::ServingStatus::NotServing };
    reporter.set_service_status("", all).await;
}

/// Serves until `stop` is done, and then finishes the calls that are under way.
///
/// # Errors
/// If the server cannot be built or its transport fails.
pub async fn serve(
    listener: TcpListener,
    acceptor: &Acceptor,
    desks: Desks,
    calls: CallLayer,
    health: tonic_health::pb::health_server::HealthServer<impl tonic_health::pb::health_server::Health>,
    stop: impl Future<Output = ()>,
) -> Result<(), ServerFault> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let catalogue = CatalogueServiceServer::new(CatalogueApi { exchange: Arc::clone(&desks.exchange) })
        .max_decoding_message_size(MAX_MESSAGE);
    let exchange = ExchangeServiceServer::new(ExchangeApi { exchange: desks.exchange })
        .max_decoding_message_size(MAX_MESSAGE);
    let consent =
        ConsentServiceServer::new(ConsentApi { desk: desks.consent }).max_decoding_message_size(MAX_MESSAGE);
    let audit =
        AuditServiceServer::new(AuditApi { desk: desks.officer }).max_decoding_message_size(MAX_MESSAGE);
    Server::builder()
        .max_concurrent_streams(STREAMS)
        .http2_keepalive_interval(Some(Duration::from_secs(30)))
        .http2_keepalive_timeout(Some(Duration::from_secs(10)))
        .layer(calls)
        .add_service(health)
        .add_service(reflection)
        .add_service(exchange)
        .add_service(consent)
        .add_service(audit)
        .add_service(catalogue)
        .serve_with_incoming_shutdown(acceptor.incoming(listener), stop)
        .await?;
    Ok(())
}
