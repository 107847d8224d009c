//! The gRPC server of the reference source. Its answers are encoded here, because a test source must be able to send a
//! field that no message type has.

use std::{
    convert::Infallible,
    task::{Context, Poll},
};

use http_body::Body as HttpBody;
use prost::{Message as _, bytes::BufMut as _};
use tonic::{
    Request, Response, Status,
    body::Body,
    codec::{BufferSettings, Codec, EncodeBuf, Encoder},
    codegen::{BoxFuture, Service, StdError},
    server::{Grpc, NamedService, UnaryService},
};
use tonic_prost::{ProstCodec, ProstDecoder};

use super::{Misbehaviour, ReferenceSource, misbehaviour};
use crate::{
    domain::Bsn,
    proto::{
        GetStatementRequest, GetStatementResponse,
        source_service_server::{SERVICE_NAME, SourceService as _, SourceServiceServer},
    },
};

/// Largest question taken, in bytes: 32 grants of 32 KiB.
const MAX_QUESTION: usize = 1024 * 1024 + 64 * 1024;

const GET_STATEMENT: &str = "/sluis.v1.SourceService/GetStatement";

/// The reference source as a service for a tonic router.
#[derive(Clone, Debug)]
pub struct ReferenceServer {
    source: ReferenceSource,
    plain: SourceServiceServer<ReferenceSource>,
}

impl ReferenceServer {
    pub(super) fn new(source: ReferenceSource) -> Self {
        let plain = SourceServiceServer::new(source.clone()).max_decoding_message_size(MAX_QUESTION);
        Self { source, plain }
    }
}

impl NamedService for ReferenceServer {
    const NAME: &'static str = SERVICE_NAME;
}

impl<B> Service<http::Request<B>> for ReferenceServer
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        if request.uri().path() != GET_STATEMENT {
            return self.plain.call(request);
        }
        let asked = Asked(self.source.clone());
        Box::pin(async move {
            let mut grpc = Grpc::new(ReplyCodec).max_decoding_message_size(MAX_QUESTION);
            Ok(grpc.unary(asked, request).await)
        })
    }
}

#[derive(Debug)]
struct Asked(ReferenceSource);

impl UnaryService<GetStatementRequest> for Asked {
    type Response = Reply;
    type Future = BoxFuture<Response<Reply>, Status>;

    fn call(&mut self, request: Request<GetStatementRequest>) -> Self::Future {
        let source = self.0.clone();
        Box::pin(async move {
            let behaviour = Bsn::parse(&request.get_ref().bsn)
                .ok()
                .and_then(|bsn| source.statements.client(&bsn).behaviour);
            let answer = source.get_statement(request).await?;
            Ok(answer.map(|message| Reply { message, behaviour }))
        })
    }
}

/// An answer, and how it is to be spoiled.
#[derive(Debug)]
struct Reply {
    message: GetStatementResponse,
    behaviour: Option<Misbehaviour>,
}

#[derive(Clone, Copy, Debug)]
struct ReplyCodec;

impl Codec for ReplyCodec {
    type Encode = Reply;
    type Decode = GetStatementRequest;
    type Encoder = Self;
    type Decoder = ProstDecoder<GetStatementRequest>;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstCodec::<GetStatementResponse, GetStatementRequest>::raw_decoder(BufferSettings::default())
    }
}

impl Encoder for ReplyCodec {
    type Item = Reply;
    type Error = Status;

    fn encode(&mut self, reply: Reply, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        let bytes = match reply.behaviour {
            Some(Misbehaviour::UnknownField) => misbehaviour::with_unknown_field(&reply.message),
            _ => reply.message.encode_to_vec(),
        };
        buf.put_slice(&bytes);
        Ok(())
    }
}
