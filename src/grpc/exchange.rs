//! `ExchangeService` over gRPC.

use std::{sync::Arc, time::Instant};

use tonic::{Request, Response, Status};

use super::{calls::Caller, hand_over::HandOver};
use crate::{
    exchange::Exchange,
    proto::{self, exchange_service_server::ExchangeService},
};

/// The service.
#[derive(Debug)]
pub struct ExchangeApi {
    /// The exchange behind it.
    pub exchange: Arc<Exchange>,
}

#[tonic::async_trait]
impl ExchangeService for ExchangeApi {
    async fn request_work_capacity(
        &self,
        request: Request<proto::RequestWorkCapacityRequest>,
    ) -> Result<Response<proto::RequestWorkCapacityResponse>, Status> {
        let caller = Caller::of(&request)?;
        // Taken up once it is in the log. A request that the log could not take is counted as turned away.
        let noted = caller.clone();
        let reply = self.exchange.request(caller.oin, request.into_inner(), move || noted.take_up()).await?;
        let deadline = reply.deadline();
        let mut response = Response::new(reply.into_message(Instant::now())?);
        response.extensions_mut().insert(HandOver(deadline));
        Ok(response)
    }

    async fn acknowledge_handover(
        &self,
        request: Request<proto::AcknowledgeHandoverRequest>,
    ) -> Result<Response<proto::AcknowledgeHandoverResponse>, Status> {
        let caller = Caller::of(&request)?;
        let proto::AcknowledgeHandoverRequest { log_position, origin } = request.get_ref();
        self.exchange.acknowledge_handover(caller.oin, *log_position, origin).await?;
        caller.take_up();
        Ok(Response::new(proto::AcknowledgeHandoverResponse {}))
    }

    async fn list_my_purposes(
        &self,
        request: Request<proto::ListMyPurposesRequest>,
    ) -> Result<Response<proto::ListMyPurposesResponse>, Status> {
        let caller = Caller::of(&request)?;
        let purposes = self.exchange.purposes_of(caller.oin)?;
        Ok(Response::new(proto::ListMyPurposesResponse { purposes }))
    }
}
