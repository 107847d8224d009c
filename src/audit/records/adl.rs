//! The *Authorization Decision Log* (Logius, VNG): one line for each decision, with question and answer as AuthZEN has
//! them. In two editions, since the standard is under way: the fields of the drafts, each at the top of the line, and the
//! record of consultation version 1.0.0, which has the shape of OpenTelemetry.

use serde_json::{Map, Value, json};

use super::{Asked, Decided, Happened, Record};

/// Which fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// `timestamp`, `type`, `request`, `response` and so on, of the drafts before 1.0.0.
    Draft,
    /// `event_name`, `status`, `attributes` and `body`, of the consultation on 1.0.0 (April 2026).
    V1,
}

/// What a decision rests on, by the names that both editions use.
struct Parts {
    request: Value,
    response: Value,
    policies: Value,
    /// By reference.
    participants: Value,
    /// Source by source, where the export opens it.
    sources: Option<Value>,
    configuration: Value,
}

/// A line, if the entry is an attempt to decide. A request that only had itself checked decided nothing.
#[must_use]
pub fn json(record: &Record, edition: Edition) -> Option<Value> {
    let Happened::Request(asked, decided) = &record.happened else { return None };
    let truths = record.verdict().truths();
    if truths.decision.is_none() && truths.exception.is_none() {
        return None;
    }
    let parts = parts(record, asked, decided, truths.decision, truths.exception);
    Some(match edition {
        Edition::Draft => draft(record, parts),
        Edition::V1 => v1(record, parts, truths.decision.is_some(), truths.span.as_str()),
    })
}

/// An object of what there is.
fn some(members: Vec<(&str, Option<Value>)>) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

fn parts(
    record: &Record,
    asked: &Asked,
    decided: &Decided,
    decision: Option<bool>,
    exception: Option<&str>,
) -> Parts {
    let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
    let released: Vec<_> =
        decided.released.iter().map(|part| json!({ "source": part.source, "fields": part.fields })).collect();
    let codes = |codes: &[String]| (!codes.is_empty()).then(|| json!(codes));
    // Without a decision nothing is given: AuthZEN has no third answer, and a service that cannot decide says no.
    let decision = json!(decision.unwrap_or(false));
    let context = some(vec![
        ("effect", Some(json!(decided.effect))),
        ("reason", text(&decided.refusal).or(exception.map(|code| json!(code)))),
        ("above_ceiling", codes(&decided.above_ceiling)),
        ("not_provided", codes(&decided.not_provided)),
        ("released", (!released.is_empty()).then_some(Value::Array(released))),
    ]);
    let subject = some(vec![
        ("type", Some(json!("organisation"))),
        ("id", Some(json!(asked.requester.map_or_else(|| "unknown".to_owned(), |oin| oin.to_string())))),
        ("properties", asked.role.as_ref().map(|role| json!({ "role": role }))),
    ]);
    let resource = some(vec![
        ("type", Some(json!("work_capacity"))),
        ("id", record.subject_reference().map(|id| json!(id))),
        ("properties", asked.fields.as_ref().map(|fields| json!({ "fields": fields }))),
    ]);
    // The person, the user and the case are left out for privacy, and the line says so, as the standard asks.
    let request_context = some(vec![
        ("purpose", text(&asked.purpose)),
        ("necessity", text(&asked.necessity)),
        ("time", Some(json!(record.started.to_string()))),
        ("omitted", Some(json!(["person", "user", "case"]))),
    ]);
    Parts {
        request: json!({
            "subject": subject,
            "action": { "name": "request_work_capacity" },
            "resource": resource,
            "context": request_context,
        }),
        response: json!({ "decision": decision, "context": context }),
        policies: some(vec![("sluis", text(&decided.policy))]),
        participants: some(vec![("participants", text(&decided.participants))]),
        sources: decided.sources.clone(),
        configuration: some(vec![("catalogue", text(&decided.catalogue))]),
    }
}

fn is_something(value: &Value) -> bool {
    value.as_object().is_some_and(|members| !members.is_empty())
}

fn draft(record: &Record, parts: Parts) -> Value {
    let mut information = parts.participants;
    if let (Some(sources), Value::Object(members)) = (parts.sources, &mut information) {
        members.insert("sources".to_owned(), sources);
    }
    let optional = |value: Value| is_something(&value).then_some(value);
    some(vec![
        ("timestamp", Some(json!(record.ended.to_string()))),
        ("trace_id", Some(json!(record.trace_id().to_string()))),
        ("span_id", Some(json!(record.span_id().to_string()))),
        // The key of AuthZEN's endpoint, without `_endpoint`.
        ("type", Some(json!("access_evaluation"))),
        ("request", Some(parts.request)),
        ("response", Some(parts.response)),
        ("policies", optional(parts.policies)),
        ("information", optional(information)),
        ("configuration", optional(parts.configuration)),
    ])
}

fn v1(record: &Record, parts: Parts, decided: bool, status: &str) -> Value {
    let optional = |value: Value| is_something(&value).then_some(value);
    // Each of them stands in one place only: as a reference in the attributes, or in full in the body.
    let (by_reference, in_full) = match parts.sources {
        None => (optional(parts.participants), None),
        Some(sources) => {
            let mut all = parts.participants;
            if let Value::Object(members) = &mut all {
                members.insert("sources".to_owned(), sources);
            }
            (None, Some(all))
        }
    };
    let attributes = some(vec![
        ("adl.core.policies", optional(parts.policies)),
        ("adl.core.information", by_reference),
        ("adl.core.configuration", optional(parts.configuration)),
    ]);
    let body = some(vec![
        ("adl.core.request", Some(parts.request)),
        // May be left out where there is no decision, and there is none to tell.
        ("adl.core.response", decided.then_some(parts.response)),
        ("adl.core.information", in_full),
    ]);
    some(vec![
        ("trace_id", Some(json!(record.trace_id().to_string()))),
        ("span_id", Some(json!(record.span_id().to_string()))),
        ("event_name", Some(json!("adl.access_evaluation"))),
        ("timestamp", Some(json!(record.ended.millis()))),
        ("status", Some(json!(status))),
        ("attributes", optional(attributes)),
        ("resource", Some(json!({ "service.name": "sluis", "sluis.log": &*record.origin }))),
        ("body", Some(body)),
    ])
}
