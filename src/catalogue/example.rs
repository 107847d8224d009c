//! Made-up statements that hold every field of the catalogue, derived from its tables: for documentation, tests and
//! benchmarks. A field that is added to the catalogue is in them without further ado.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _, Value};

use super::{ALL, Entry, Form, List, groups, metadata};
use crate::proto;

static CAPACITY: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).ok()?;
    pool.get_message_by_name("sluis.v1.WorkCapacity")
});

/// A statement that holds every field, each with a value that the catalogue allows. Other turns give other values.
#[must_use]
pub fn full(turn: u32) -> proto::WorkCapacity {
    build(turn).unwrap_or_default()
}

fn build(turn: u32) -> Option<proto::WorkCapacity> {
    let mut statement = DynamicMessage::new(CAPACITY.clone()?);
    for group in groups() {
        let descriptor = statement.descriptor().get_field_by_name(group.name)?;
        let message = descriptor.kind().as_message()?.clone();
        let mut filled = DynamicMessage::new(message.clone());
        for field in ALL.into_iter().filter(|field| field.entry().group == group.name) {
            fill(&mut filled, field.entry(), turn)?;
        }
        let assessment = message.get_field_by_name("assessment")?;
        let mut assessed = DynamicMessage::new(assessment.kind().as_message()?.clone());
        for entry in metadata().iter().filter(|entry| !matches!(entry.form, Form::Organisation)) {
            fill(&mut assessed, entry, turn)?;
        }
        assessed.set_field_by_name("instrument_minor", Value::I32(1));
        filled.set_field(&assessment, Value::Message(assessed));
        statement.set_field(&descriptor, Value::Message(filled));
    }
    statement.transcode_to().ok()
}

fn fill(message: &mut DynamicMessage, entry: &Entry, turn: u32) -> Option<()> {
    let (_, name) = entry.path.split_once('.')?;
    let field = message.descriptor().get_field_by_name(name)?;
    let of = field.kind().as_message().cloned();
    let value = match (entry.form, of) {
        (Form::Parts { parts, most }, Some(of)) if field.is_list() => {
            // Item by item in the ascending order that the checks ask for.
            let item = |number: u32| {
                let mut item = DynamicMessage::new(of.clone());
                for (at, part) in parts.iter().enumerate() {
                    let turn = if at == 0 { number } else { turn };
                    let field = of.get_field_by_name(part.name)?;
                    let day = 1 + number % 28;
                    item.set_field(&field, single(&part.form, turn, day, field.kind().as_message())?);
                }
                Some(Value::Message(item))
            };
            Value::List((0..u32::try_from(most).ok()?).map(item).collect::<Option<_>>()?)
        }
        (Form::Parts { parts, .. }, Some(of)) => {
            let mut whole = DynamicMessage::new(of.clone());
            for part in parts {
                let field = of.get_field_by_name(part.name)?;
                whole.set_field(&field, single(&part.form, 0, 1 + turn % 28, field.kind().as_message())?);
            }
            Value::Message(whole)
        }
        (Form::Codes(list), _) => {
            let some = list.values.iter().filter(|value| value.name != "NONE");
            let some: Vec<_> = some.map(|value| Value::EnumNumber(value.number)).collect();
            let count = some.len() - (turn as usize % some.len());
            Value::List(some.into_iter().take(count).collect())
        }
        (form, of) => single(&form, turn, 1 + turn % 28, of.as_ref())?,
    };
    message.set_field(&field, value);
    Some(())
}

fn single(form: &Form, turn: u32, day: u32, of: Option<&MessageDescriptor>) -> Option<Value> {
    Some(match form {
        Form::Code(list) => Value::EnumNumber(pick(list, turn)?),
        Form::Number { min, max } => Value::I32(min + i32::try_from(turn).ok()? % (max - min + 1)),
        Form::YesNo => Value::Bool(turn.is_multiple_of(2)),
        Form::Day => {
            let mut date = DynamicMessage::new(of?.clone());
            for (part, number) in [("year", 2026), ("month", 3), ("day", i32::try_from(day).ok()?)] {
                date.set_field_by_name(part, Value::I32(number));
            }
            Value::Message(date)
        }
        Form::Codes(_) | Form::Organisation | Form::Parts { .. } => return None,
    })
}

fn pick(list: &List, turn: u32) -> Option<i32> {
    let count = u32::try_from(list.values.len()).ok()?;
    list.values.get((turn % count) as usize).map(|value| value.number)
}
