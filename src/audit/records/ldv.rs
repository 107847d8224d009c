//! *Logboek Dataverwerkingen* 1.0.0 (Logius): one span for each processing, and one inside it for each source that
//! released something. It names organisations and a reference to the person, never a user.

use serde_json::{Map, Value, json};

use super::{Happened, OIN_URI, Record, SpanId, SpanStatus, TraceId, redacted};
use crate::domain::Timestamp;

/// What kind of code [`Record::subject_reference`] is: not a BSN, nor anything made of one.
pub const SUBJECT_ID_TYPE: &str = "https://sluis.example/logboek/subject-reference";

/// Where the register of processing activities is (register van verwerkingsactiviteiten, AVG 30): what the address of an
/// activity begins with. A purpose, or `CONSENT`, `LOG_ACCESS` or `ERASURE`, comes after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register(String);

/// The text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must begin with https:// and end with `/`, `#`, `=` or `:`")]
pub struct RegisterFault;

impl std::str::FromStr for Register {
    type Err = RegisterFault;

    fn from_str(text: &str) -> Result<Self, RegisterFault> {
        let uri = text.parse::<http::Uri>().map_err(|_| RegisterFault)?;
        let open = text.ends_with(['/', '#', '=', ':']);
        let whole = uri.scheme_str() == Some("https") && uri.host().is_some();
        if whole && open { Ok(Self(text.to_owned())) } else { Err(RegisterFault) }
    }
}

impl Register {
    fn activity(&self, name: &str) -> String {
        format!("{}{name}", self.0)
    }
}

/// A span.
#[derive(Clone, PartialEq, Eq)]
pub struct Span {
    /// `trace_id`.
    pub trace_id: TraceId,
    /// `span_id`.
    pub span_id: SpanId,
    /// `parent_span_id`.
    pub parent_span_id: Option<SpanId>,
    /// `status`.
    pub status: SpanStatus,
    /// `name`.
    pub name: String,
    /// `start_time`, in milliseconds.
    pub start: Timestamp,
    /// `end_time`, in milliseconds.
    pub end: Timestamp,
    /// `attributes`, in the order of their names.
    pub attributes: Vec<(&'static str, String)>,
}

redacted!(Span);

/// `resource.attributes`: which program, and which log.
#[must_use]
pub fn resource(origin: &str) -> Vec<(&'static str, String)> {
    vec![
        ("service.name", "sluis".to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("sluis.log", origin.to_owned()),
    ]
}

/// The spans of a record, the outermost first.
#[must_use]
pub fn spans(record: &Record, register: &Register) -> Vec<Span> {
    let truths = record.verdict().truths();
    let activity = register.activity(record.happened.activity());
    let subject = record.subject_reference();
    let attributes = |more: Vec<(&'static str, Option<String>)>| {
        let mut all = vec![
            ("dpl.core.data_subject_id", subject.clone()),
            ("dpl.core.data_subject_id_type", subject.as_ref().map(|_| SUBJECT_ID_TYPE.to_owned())),
            ("dpl.core.processing_activity_id", Some(activity.clone())),
            ("dpl.sluis.entry", Some(hex::encode(record.leaf))),
            ("dpl.sluis.position", Some(record.position.to_string())),
        ];
        all.extend(more);
        all.sort_by_key(|(name, _)| *name);
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    };
    let effect = if let Happened::Request(_, decided) = &record.happened {
        Some(decided.effect.clone())
    } else {
        None
    };
    let whole = Span {
        trace_id: record.trace_id(),
        span_id: record.span_id(),
        parent_span_id: None,
        status: truths.span,
        name: record.happened.name(),
        start: record.started,
        end: record.ended,
        attributes: attributes(vec![
            ("dpl.sluis.effect", effect),
            ("exception.type", truths.exception.map(ToOwned::to_owned)),
        ]),
    };
    let mut spans = vec![whole];
    if let Happened::Request(_, decided) = &record.happened {
        for released in &decided.released {
            // Another organisation's processing: the attribute names whose log goes on from here.
            let processor = format!("{OIN_URI}{}", released.source);
            spans.push(Span {
                trace_id: record.trace_id(),
                span_id: record.source_span_id(released.source.as_str()),
                parent_span_id: Some(record.span_id()),
                status: SpanStatus::Unset,
                name: "ask_source".to_owned(),
                start: record.started,
                end: record.ended,
                attributes: attributes(vec![("dpl.core.foreign_operation.processor", Some(processor))]),
            });
        }
    }
    spans
}

/// The spans of a record as JSON, with the names of the standard.
#[must_use]
pub fn json(record: &Record, register: &Register) -> Vec<Value> {
    let object = |pairs: Vec<(&'static str, String)>| {
        Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect())
    };
    let one = |span: Span| {
        let mut line = Map::new();
        line.insert("trace_id".to_owned(), json!(span.trace_id.to_string()));
        line.insert("span_id".to_owned(), json!(span.span_id.to_string()));
        if let Some(parent) = span.parent_span_id {
            line.insert("parent_span_id".to_owned(), json!(parent.to_string()));
        }
        line.insert("status".to_owned(), json!(span.status.as_str()));
        line.insert("name".to_owned(), json!(span.name));
        line.insert("start_time".to_owned(), json!(span.start.millis()));
        line.insert("end_time".to_owned(), json!(span.end.millis()));
        line.insert("resource".to_owned(), json!({ "attributes": object(resource(&record.origin)) }));
        line.insert("attributes".to_owned(), object(span.attributes));
        Value::Object(line)
    };
    spans(record, register).into_iter().map(one).collect()
}
