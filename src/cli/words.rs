//! Words that several commands share: faults of the gateway, fields for people, numbers from the command line.

use std::io::Read as _;

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, Kind, ReflectMessage as _, SerializeOptions, Value,
};
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

/// A message as its descriptor sees it.
fn dynamic(name: &str, message: &impl prost::Message) -> Option<DynamicMessage> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).ok()?;
    let descriptor = pool.get_message_by_name(name)?;
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice()).ok()
}

/// A message in the JSON form of protobuf.
pub(crate) fn json(name: &str, message: &impl prost::Message) -> serde_json::Value {
    let value = dynamic(name, message).and_then(|message| {
        let options = SerializeOptions::new().use_proto_field_name(true);
        message.serialize_with_options(serde_json::value::Serializer, &options).ok()
    });
    value.unwrap_or_default()
}

/// The fields of a statement, one line each: code, Dutch label, value with its Dutch label.
pub(crate) fn fields(work_capacity: &proto::WorkCapacity) -> Vec<String> {
    let Some(message) = dynamic("sluis.v1.WorkCapacity", work_capacity) else { return Vec::new() };
    let Ok(checked) = CheckedStatement::new(work_capacity.clone()) else {
        return vec!["the answer does not keep to the catalogue".to_owned()];
    };
    let mut lines = Vec::new();
    for field in ALL.into_iter().filter(|field| checked.present().has(*field)) {
        let entry = field.entry();
        let value = entry.path.split_once('.').and_then(|(group, name)| {
            let group = message.get_field_by_name(group)?;
            let group = group.as_message()?;
            let field = group.descriptor().get_field_by_name(name)?;
            Some(value_nl(&field.kind(), &group.get_field(&field)))
        });
        let unit = if entry.unit.is_empty() { String::new() } else { format!(" ({})", entry.unit) };
        lines.push(format!("{}  {}: {}{unit}", entry.code, entry.label_nl, value.unwrap_or_default()));
    }
    lines
}

/// A value as a person reads it: codes by their Dutch label, days as days.
fn value_nl(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (_, Value::List(values)) => {
            values.iter().map(|value| value_nl(kind, value)).collect::<Vec<_>>().join(", ")
        }
        (Kind::Enum(list), Value::EnumNumber(number)) => label_nl(list, *number),
        (_, Value::Bool(yes)) => (if *yes { "ja" } else { "nee" }).to_owned(),
        (_, Value::Message(message)) => {
            let number = |name| message.get_field_by_name(name).and_then(|value| value.as_i32());
            if let (Some(year), Some(month), Some(day)) = (number("year"), number("month"), number("day")) {
                return format!("{year:04}-{month:02}-{day:02}");
            }
            let set = message.fields().map(|(field, value)| value_nl(&field.kind(), value));
            set.collect::<Vec<_>>().join(" / ")
        }
        (_, Value::I32(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// Dutch label of a coded value; its name if it has none.
fn label_nl(list: &EnumDescriptor, number: i32) -> String {
    let Some(value) = list.get_value(number) else { return number.to_string() };
    let extension = list.parent_pool().get_extension_by_name("sluis.v1.value_nl");
    let label = extension.and_then(|extension| {
        let options = value.options();
        options
            .has_extension(&extension)
            .then(|| options.get_extension(&extension).as_str().map(ToOwned::to_owned))?
    });
    label.unwrap_or_else(|| value.name().to_owned())
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

/// A BSN from the command line, or from standard input if it is `-`, where no other user of the machine sees it.
pub(crate) fn bsn(argument: &str) -> std::io::Result<String> {
    if argument != "-" {
        return Ok(argument.to_owned());
    }
    let mut text = String::new();
    std::io::stdin().lock().take(64).read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}
