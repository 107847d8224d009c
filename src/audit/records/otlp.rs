//! Spans as OTLP has them: the messages of `opentelemetry/proto/collector/trace/v1` (opentelemetry-proto 1.x), as far as a
//! span of *Logboek Dataverwerkingen* fills them. Written out rather than taken from the crate of that name, which brings
//! an SDK along that cannot confirm that a record arrived. The tests receive with that crate's own types.

use super::{
    Record, SpanStatus,
    ldv::{self, Register},
    redacted,
};

/// Path of the one method.
pub const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// `SPAN_KIND_SERVER` and `SPAN_KIND_CLIENT`: a call that was answered, and one that was made for it.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
/// `STATUS_CODE_UNSET` and `STATUS_CODE_ERROR`.
const UNSET: i32 = 0;
const ERROR: i32 = 2;

/// `ExportTraceServiceRequest`.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct ExportRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<ResourceSpans>,
}

/// `ExportTraceServiceResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ExportResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

/// `ExportTracePartialSuccess`. Its text is not kept: what a receiver says is for its own log.
#[derive(Clone, PartialEq, prost::Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected_spans: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<ScopeSpans>,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct Resource {
    #[prost(message, repeated, tag = "1")]
    attributes: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    spans: Vec<WireSpan>,
}

/// `InstrumentationScope`.
#[derive(Clone, PartialEq, prost::Message)]
struct Scope {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    version: String,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct WireSpan {
    #[prost(bytes = "vec", tag = "1")]
    trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    name: String,
    #[prost(int32, tag = "6")]
    kind: i32,
    #[prost(fixed64, tag = "7")]
    start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    attributes: Vec<KeyValue>,
    #[prost(message, optional, tag = "15")]
    status: Option<Status>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Status {
    #[prost(int32, tag = "3")]
    code: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct KeyValue {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(message, optional, tag = "2")]
    value: Option<AnyValue>,
}

/// `AnyValue`, of which a text is used alone.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct AnyValue {
    #[prost(oneof = "Text", tags = "1")]
    value: Option<Text>,
}

#[derive(Clone, PartialEq, Eq, prost::Oneof)]
#[prost(skip_debug)]
enum Text {
    #[prost(string, tag = "1")]
    String(String),
}

redacted!(ExportRequest, ResourceSpans, Resource, ScopeSpans, WireSpan, KeyValue, AnyValue, Text);

fn attributes(pairs: Vec<(&'static str, String)>) -> Vec<KeyValue> {
    let one = |(key, value): (&str, String)| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Text::String(value)) }),
    };
    pairs.into_iter().map(one).collect()
}

fn wire(span: ldv::Span) -> WireSpan {
    let nanos = |millis: i64| u64::try_from(millis).unwrap_or_default().saturating_mul(1_000_000);
    WireSpan {
        trace_id: span.trace_id.0.to_vec(),
        span_id: span.span_id.0.to_vec(),
        kind: if span.parent_span_id.is_some() { CLIENT } else { SERVER },
        parent_span_id: span.parent_span_id.map(|id| id.0.to_vec()).unwrap_or_default(),
        name: span.name,
        start_time_unix_nano: nanos(span.start.millis()),
        end_time_unix_nano: nanos(span.end.millis()),
        attributes: attributes(span.attributes),
        status: Some(Status {
            code: match span.status {
                SpanStatus::Unset => UNSET,
                SpanStatus::Error => ERROR,
            },
        }),
    }
}

impl ExportRequest {
    /// A request with the spans of these records, which are of one log.
    #[must_use]
    pub fn new(origin: &str, records: &[Record], register: &Register) -> Self {
        let spans = records.iter().flat_map(|record| ldv::spans(record, register)).map(wire).collect();
        let scope =
            Scope { name: "sluis.audit.records".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() };
        Self {
            resource_spans: vec![ResourceSpans {
                resource: Some(Resource { attributes: attributes(ldv::resource(origin)) }),
                scope_spans: vec![ScopeSpans { scope: Some(scope), spans }],
            }],
        }
    }
}

impl ExportResponse {
    /// How many spans were not taken. The receiver does not say which.
    #[must_use]
    pub fn rejected(&self) -> i64 {
        self.partial_success.as_ref().map_or(0, |partial| partial.rejected_spans)
    }
}
