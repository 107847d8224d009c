//! A source that answers with any bytes, and with any error.

use std::{
    collections::VecDeque,
    convert::Infallible,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use prost::{Message as _, encoding};
use sluis::proto::{self, get_statement_response::Result as Answer, source_service_server::SERVICE_NAME};
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    codegen::{BoxFuture, Service},
    metadata::MetadataValue,
    server::{Grpc, NamedService, UnaryService},
};

use super::contents::Sample;
use crate::{bad_bytes::Bytes, promises::statement};

/// Where in an answer a source could put what it may not say.
pub const PLACES: [&str; 11] = [
    "unknown field of the answer",
    "unknown field of the statement",
    "unknown field of a group",
    "unknown field of an assessment",
    "unknown field of an item",
    "text in place of a number",
    "numbers of codes",
    "numbers out of range",
    "a list of codes",
    "error of the source: message and details",
    "error of the source: metadata",
];

/// The answer with the sample at this place.
pub fn spoiled(place: &str, sample: &Sample) -> Result<Vec<u8>, Status> {
    let text = &sample.text;
    let mut full = statement(sluis::catalogue::Mask::all());
    let answer = |statement: &proto::WorkCapacity| {
        let result = Some(Answer::WorkCapacity(statement.clone()));
        proto::GetStatementResponse { result }.encode_to_vec()
    };
    // A message inside a message, given by the bytes of both.
    let within = |number: u32, inner: &[u8]| {
        let mut bytes = Vec::new();
        encoding::bytes::encode(number, &inner.to_vec(), &mut bytes);
        bytes
    };
    let unknown = |mut bytes: Vec<u8>| {
        encoding::string::encode(2000, text, &mut bytes);
        bytes
    };
    let numbers = || {
        text.as_bytes()
            .chunks(4)
            .map(|four| four.iter().fold(0_i32, |number, byte| number << 8 | i32::from(*byte)))
    };
    let support = full.support.clone().unwrap();
    let assessment = support.assessment.unwrap();
    match place {
        "unknown field of the answer" => Ok(unknown(answer(&full))),
        "unknown field of the statement" => Ok(within(1, &unknown(full.encode_to_vec()))),
        // Merged with what stands before it, as protobuf does.
        "unknown field of a group" => {
            full.support = None;
            Ok([answer(&full), within(1, &within(2, &unknown(support.encode_to_vec())))].concat())
        }
        "unknown field of an assessment" => {
            let group = [support.encode_to_vec(), within(100, &unknown(assessment.encode_to_vec()))].concat();
            Ok(within(1, &within(2, &group)))
        }
        "unknown field of an item" => {
            let trajectory = full.trajectory.clone().unwrap();
            let item = unknown(trajectory.agreed_actions[0].encode_to_vec());
            let rest = proto::Trajectory { agreed_actions: Vec::new(), ..trajectory }.encode_to_vec();
            let group = [rest, within(6, &item)].concat();
            full.trajectory = None;
            Ok([answer(&full), within(1, &within(4, &group))].concat())
        }
        "text in place of a number" => {
            let group = [support.encode_to_vec(), within(4, text.as_bytes())].concat();
            Ok(within(1, &within(2, &group)))
        }
        "numbers of codes" => {
            // The last one counts; all of them were on the way.
            let mut group = support.encode_to_vec();
            for number in numbers() {
                encoding::int32::encode(4, &number, &mut group);
            }
            Ok(within(1, &within(2, &group)))
        }
        "numbers out of range" => {
            let mut group = full.working_hours.clone().unwrap();
            group.min_hours_per_week = numbers().next();
            full.working_hours = Some(group);
            Ok(answer(&full))
        }
        "a list of codes" => {
            let mut group = support.clone();
            group.adaptation_kinds = text.bytes().map(|byte| i32::from(byte % 6) + 1).collect();
            full.support = Some(group);
            Ok(answer(&full))
        }
        "error of the source: message and details" => {
            let details = prost::bytes::Bytes::copy_from_slice(text.as_bytes());
            Err(Status::with_details(Code::InvalidArgument, text.clone(), details))
        }
        "error of the source: metadata" => {
            let mut status = Status::new(Code::PermissionDenied, "");
            let metadata = status.metadata_mut();
            metadata.insert_bin("surplus-bin", MetadataValue::from_bytes(text.as_bytes()));
            if let Ok(value) = text.parse::<MetadataValue<_>>() {
                metadata.insert("surplus", value);
            }
            Err(status)
        }
        place => panic!("{place} is no place"),
    }
}

/// Answers to come, in their order.
type Answers = VecDeque<Result<Vec<u8>, Status>>;

/// Gives the next answer of a list to each question, whatever it is.
#[derive(Clone)]
pub struct Spoiling(pub Arc<Mutex<Answers>>);

impl NamedService for Spoiling {
    const NAME: &'static str = SERVICE_NAME;
}

impl Service<http::Request<Body>> for Spoiling {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let asked =
            request.uri().path().ends_with("/GetStatement").then(|| self.0.lock().unwrap().pop_front());
        Box::pin(async move { Ok(Grpc::new(Bytes).unary(Given(asked.flatten()), request).await) })
    }
}

struct Given(Option<Result<Vec<u8>, Status>>);

impl UnaryService<Vec<u8>> for Given {
    type Response = Vec<u8>;
    type Future = BoxFuture<Response<Vec<u8>>, Status>;

    fn call(&mut self, _: Request<Vec<u8>>) -> Self::Future {
        // Reports of a surplus are taken note of.
        let given = self.0.take().unwrap_or_else(|| Ok(Vec::new()));
        Box::pin(async move { given.map(Response::new) })
    }
}
