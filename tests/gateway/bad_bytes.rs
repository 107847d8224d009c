//! Calls that no handler can read: too large, no message, no method. They are turned away and counted.

use prost::{
    Message as _,
    bytes::{Buf as _, BufMut as _},
};
use sluis::{
    grpc::MAX_MESSAGE,
    proto::{RecordConsentRequest, RequestWorkCapacityRequest, RequestWorkCapacityResponse},
};
use tonic::{
    Code, Request, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::Channel,
};

use crate::{
    bad_tools::{FREE_TEXT, REAL_BSN, assert_pairs, assert_refused_pair},
    lab::{Lab, question, reason},
};

const ASK: &str = "/sluis.v1.ExchangeService/RequestWorkCapacity";
const RECORD: &str = "/sluis.v1.ConsentService/RecordConsent";
const CHECKPOINT: &str = "/sluis.v1.AuditService/GetCheckpoint";

/// Bytes as they are, both ways.
#[derive(Clone, Copy)]
pub struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buf: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buf.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buf.copy_to_bytes(buf.remaining()).to_vec()))
    }
}

async fn send(channel: &Channel, path: &'static str, bytes: Vec<u8>) -> Result<Vec<u8>, Status> {
    send_request(channel, path, Request::new(bytes)).await
}

/// Sends a request of any bytes, with any metadata.
pub async fn send_request(
    channel: &Channel,
    path: &str,
    request: Request<Vec<u8>>,
) -> Result<Vec<u8>, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.unwrap();
    let path = path.parse::<http::uri::PathAndQuery>().unwrap();
    client.unary(request, path, Bytes).await.map(tonic::Response::into_inner)
}

/// A question followed by these bytes.
fn question_and(more: &[u8]) -> Vec<u8> {
    [&question().encode_to_vec(), more].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn p06_what_cannot_be_read_is_turned_away_and_counted() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let channel = lab.client("waterrijk").await.channel();
    let before = lab.size().await;
    let large = |text: &str| text.repeat(MAX_MESSAGE / text.len() + 1);
    let wide = RequestWorkCapacityRequest { bsn: large(REAL_BSN), ..question() };
    let many = RequestWorkCapacityRequest {
        fields: crate::lab::paths(&vec!["working_hours"; 20_000]),
        ..question()
    };
    let form = RecordConsentRequest { form: large(FREE_TEXT), ..RecordConsentRequest::default() };
    let mut cut = question().encode_to_vec();
    cut.truncate(cut.len() - 3);
    let cases: Vec<(&str, &'static str, Vec<u8>, Code)> = vec![
        ("a large number", ASK, wide.encode_to_vec(), Code::OutOfRange),
        ("many fields", ASK, many.encode_to_vec(), Code::OutOfRange),
        ("a large form", RECORD, form.encode_to_vec(), Code::OutOfRange),
        ("no message", ASK, FREE_TEXT.as_bytes().to_vec(), Code::Internal),
        ("no message at all", RECORD, vec![0xff; 64], Code::Internal),
        ("half a message", ASK, cut, Code::Internal),
        ("a text that is none", ASK, question_and(&[0x12, 2, 0xc3, 0x28]), Code::Internal),
        ("a text that is a number", ASK, question_and(&[0x10, 1]), Code::Internal),
        ("groups without an end", ASK, question_and(&[0x0b; 200]), Code::Internal),
        ("an empty form", CHECKPOINT, vec![0x08], Code::Internal),
        ("no such method", "/sluis.v1.ExchangeService/RequestEverything", Vec::new(), Code::Unimplemented),
        ("no such service", "/sluis.v1.BulkService/ListClients", Vec::new(), Code::Unimplemented),
        ("a service of sources", "/sluis.v1.SourceService/GetStatement", Vec::new(), Code::Unimplemented),
    ];
    for (what, path, bytes, code) in &cases {
        let status = send(&channel, path, bytes.clone()).await.expect_err(what);
        assert_eq!(status.code(), *code, "{what}: {status:?}");
        let said = format!("{status:?}");
        assert!(!said.contains("depressie") && !said.contains(REAL_BSN), "{what}: {said}");
    }
    assert_eq!(lab.size().await, before, "nothing was read");
    let counts = lab.turned_away().await;
    assert_eq!(counts, [(lab.oin("waterrijk"), cases.len() as u64)].into());
    for text in ["depressie", REAL_BSN] {
        lab.assert_written_nowhere(text).await;
    }

    // The smallest message that can be read has its pair, and the next good one its answer.
    let before = lab.size().await;
    let status = send(&channel, ASK, Vec::new()).await.unwrap_err();
    assert_eq!(reason(&status), (Code::InvalidArgument, "REQUEST_ID_MALFORMED".to_owned()));
    assert_refused_pair("empty", &lab.log(before).await, &lab.oin("waterrijk"), "REQUEST_ID_MALFORMED");
    // A field that the message does not know goes no further than the wire.
    let mut unknown = question().encode_to_vec();
    prost::encoding::string::encode(2000, &FREE_TEXT.to_owned(), &mut unknown);
    let answer = send(&channel, ASK, unknown).await.unwrap();
    let answer = RequestWorkCapacityResponse::decode(answer.as_slice()).unwrap();
    assert_eq!(answer.disclosures.len(), 2);
    lab.assert_written_nowhere("depressie").await;
    assert_pairs(&lab.log(0).await);
    lab.world.stop().await;
}
