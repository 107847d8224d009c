//! Words that several commands share: faults of the gateway, fields for people, numbers from the command line.

use std::io::Read as _;

use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::{
    catalogue::{ALL, CheckedStatement},
    proto,
};

/// A refusal as a person reads it: reason, rule, fields.
pub(crate) fn refusal(status: &Status) -> String {
    let details = status.get_error_details();
    let mut text = match details.error_info() {
        None => format!("{}: {}", status.code(), status.message()),
        Some(info) => {
            let rule = info.metadata.get("rule").map(|rule| format!(" ({rule})")).unwrap_or_default();
            format!("{}{rule}: {}", info.reason, status.message())
        }
    };
    for violation in details.bad_request().into_iter().flat_map(|bad| &bad.field_violations) {
        text.push_str(&format!("\n  {} {}", violation.field, violation.description));
    }
    text
}

/// A message in the JSON form of protobuf.
pub(crate) fn json(name: &str, message: &impl prost::Message) -> serde_json::Value {
    let descriptor =
        DescriptorPool::decode(proto::DESCRIPTORS).ok().and_then(|pool| pool.get_message_by_name(name));
    let value = descriptor
        .and_then(|descriptor| DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok())
        .and_then(|message| {
            let options = SerializeOptions::new().use_proto_field_name(true);
            message.serialize_with_options(serde_json::value::Serializer, &options).ok()
        });
    value.unwrap_or_default()
}

/// The fields of a statement, one line each: code, Dutch label, value.
pub(crate) fn fields(work_capacity: &proto::WorkCapacity) -> Vec<String> {
    let Ok(checked) = CheckedStatement::new(work_capacity.clone()) else {
        return vec!["the answer does not keep to the catalogue".to_owned()];
    };
    let values = json("sluis.v1.WorkCapacity", work_capacity);
    let mut lines = Vec::new();
    for field in ALL.into_iter().filter(|field| checked.present().has(*field)) {
        let entry = field.entry();
        let pointer = format!("/{}", entry.path.replace('.', "/"));
        let value = values.pointer(&pointer).map(short).unwrap_or_default();
        lines.push(format!("{}  {}: {value}", entry.code, entry.label_nl));
    }
    lines
}

/// Who assessed the groups of a statement, and when: one line each.
pub(crate) fn assessments(work_capacity: &proto::WorkCapacity) -> Vec<String> {
    let groups = [
        ("WT", work_capacity.working_hours.as_ref().and_then(|group| group.assessment)),
        ("VW", work_capacity.support.as_ref().and_then(|group| group.assessment)),
        ("AV", work_capacity.work_ability.as_ref().and_then(|group| group.assessment)),
        ("TR", work_capacity.trajectory.as_ref().and_then(|group| group.assessment)),
    ];
    groups
        .into_iter()
        .filter_map(|(code, assessment)| {
            let assessment = assessment?;
            let role = assessment.assessor_role().as_str_name().replace("ASSESSOR_ROLE_", "");
            let on = assessment.determined_on?;
            Some(format!("{code} assessed by {role} on {:04}-{:02}-{:02}", on.year, on.month, on.day))
        })
        .collect()
}

/// A value without the prefix of its list, dates as dates.
fn short(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(parts) => {
            let number = |name| parts.get(name).and_then(serde_json::Value::as_i64);
            if let (Some(year), Some(month), Some(day)) = (number("year"), number("month"), number("day")) {
                return format!("{year:04}-{month:02}-{day:02}");
            }
            let parts = parts.iter().map(|(name, value)| format!("{name} {}", short(value)));
            parts.collect::<Vec<_>>().join(", ")
        }
        serde_json::Value::Array(values) => values.iter().map(short).collect::<Vec<_>>().join("; "),
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A BSN from the command line, or from standard input if it is `-`, where no other user of the machine sees it.
pub(crate) fn bsn(argument: &str) -> std::io::Result<String> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().lock().take(64).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}
