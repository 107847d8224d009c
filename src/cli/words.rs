//! Words that several commands share: faults of the gateway, fields for people, numbers from the command line.

use std::io::Read as _;

use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions, Value};
use tonic::Status;
use tonic_types::StatusExt as _;

use crate::{
    catalogue::{self, CheckedStatement, Form, Group},
    domain::{Clock as _, time::SystemClock},
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
    let Ok(checked) = CheckedStatement::new(work_capacity.clone(), SystemClock.now().day()) else {
        return vec!["the answer does not keep to the catalogue".to_owned()];
    };
    let mut lines = Vec::new();
    for field in checked.present().iter() {
        let entry = field.entry();
        let value = entry.path.split_once('.').and_then(|(group, name)| {
            let group = message.get_field_by_name(group)?;
            Some(value_nl(&entry.form, group.as_message()?.get_field_by_name(name)?.as_ref()))
        });
        let unit = if entry.unit.is_empty() { String::new() } else { format!(" ({})", entry.unit) };
        lines.push(format!("{}  {}: {}{unit}", entry.code, entry.label_nl, value.unwrap_or_default()));
    }
    lines
}

/// A value as a person reads it: codes by their Dutch label, days as days.
fn value_nl(form: &Form, value: &Value) -> String {
    match (form, value) {
        (_, Value::List(values)) => {
            values.iter().map(|value| value_nl(form, value)).collect::<Vec<_>>().join(", ")
        }
        (Form::Code(list) | Form::Codes(list), Value::EnumNumber(number)) => {
            list.value(*number).map_or_else(|| number.to_string(), |value| value.label_nl.to_owned())
        }
        (Form::YesNo, Value::Bool(yes)) => (if *yes { "ja" } else { "nee" }).to_owned(),
        (Form::Day, Value::Message(date)) => day(date).unwrap_or_default(),
        (Form::Parts { parts, .. }, Value::Message(message)) => {
            let stated = parts.iter().filter(|part| message.has_field_by_name(part.name));
            let values = stated.filter_map(|part| {
                Some(value_nl(&part.form, message.get_field_by_name(part.name)?.as_ref()))
            });
            values.collect::<Vec<_>>().join(" / ")
        }
        (_, Value::I32(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn day(date: &DynamicMessage) -> Option<String> {
    let number = |name| date.get_field_by_name(name)?.as_i32();
    Some(format!("{:04}-{:02}-{:02}", number("year")?, number("month")?, number("day")?))
}

/// Who assessed the groups of a statement, and when: one line each.
pub(crate) fn assessments(work_capacity: &proto::WorkCapacity) -> Vec<String> {
    let message = dynamic("sluis.v1.WorkCapacity", work_capacity);
    let line = |group: &Group| {
        let held = message.as_ref()?.get_field_by_name(group.name)?;
        let assessment = held.as_message()?.get_field_by_name("assessment")?;
        let assessment = assessment.as_message()?;
        let role = assessment.get_field_by_name("assessor_role")?.as_enum_number()?;
        let role = proto::AssessorRole::try_from(role).ok()?.as_str_name().replace("ASSESSOR_ROLE_", "");
        let on = day(assessment.get_field_by_name("determined_on")?.as_message()?)?;
        assessment
            .has_field_by_name("determined_on")
            .then(|| format!("{} assessed by {role} on {on}", group.code))
    };
    catalogue::groups().iter().filter_map(line).collect()
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
