//! A second reading of a source's answer, by the descriptors and the tables of the catalogue alone. Slow and plain: what
//! the generated checks let in is held against it.

use std::{borrow::Cow, sync::LazyLock};

use prost::{
    Message as _,
    encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field},
};
use prost_reflect::{DescriptorPool, DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, Value};

use crate::{
    catalogue::{ALL, Entry, Form, Mask, Part, groups, metadata},
    domain::Day,
    proto,
};

static RESPONSE: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).ok()?;
    pool.get_message_by_name("sluis.v1.GetStatementResponse")
});

/// An answer, read.
pub(super) struct Reading {
    /// Fields on the wire that no descriptor knows.
    pub(super) unknown: u32,
    /// Whether it both states something and declines.
    pub(super) both: bool,
    statement: Option<DynamicMessage>,
}

impl Reading {
    pub(super) fn of(wire: &[u8]) -> Option<Self> {
        let descriptor = RESPONSE.clone()?;
        let message = DynamicMessage::decode(descriptor.clone(), wire).ok()?;
        let has = |number| top_level(wire).is_some_and(|numbers| numbers.contains(&number));
        Some(Self {
            unknown: unknown(wire, &descriptor)?,
            both: has(1) && has(2),
            statement: inner(&message, "work_capacity").cloned(),
        })
    }

    /// The fields that the statement holds.
    pub(super) fn present(&self) -> Mask {
        let holds = |entry: &Entry| self.value(entry).is_some();
        ALL.into_iter().filter(|field| holds(field.entry())).collect()
    }

    /// A field, or place of an assessment, whose value the catalogue does not allow by itself.
    pub(super) fn fault(&self, today: Day) -> Option<&'static str> {
        let wrong = ALL
            .into_iter()
            .map(|field| field.entry())
            .find(|entry| self.value(entry).is_some_and(|value| !allowed(value, &entry.form)));
        wrong.map(|entry| entry.code).or_else(|| {
            let unassessed = groups().iter().find(|group| !self.assessed(group.name, today));
            unassessed.map(|group| group.code)
        })
    }

    /// A message of the values of these fields that are there, with their assessments, taken over one by one.
    pub(super) fn only(&self, asked: Mask) -> Option<Vec<u8>> {
        let mut built = DynamicMessage::new(self.statement.as_ref()?.descriptor());
        for group in groups() {
            let Some(from) = inner(self.statement.as_ref()?, group.name) else { continue };
            let mut to = DynamicMessage::new(from.descriptor());
            for field in group.fields().filter(|field| asked.has(*field)) {
                if let Some(value) = self.value(field.entry()) {
                    to.set_field_by_number(field.entry().number, declared(value));
                }
            }
            if to.fields().next().is_none() {
                continue;
            }
            to.set_field_by_name("assessment", declared(held(from, "assessment")?));
            built.set_field_by_name(group.name, Value::Message(to));
        }
        Some(built.encode_to_vec())
    }

    fn value(&self, entry: &Entry) -> Option<&Value> {
        let (_, name) = entry.path.split_once('.')?;
        held(inner(self.statement.as_ref()?, entry.group)?, name)
    }

    /// Whether a group is not there, or says by whom and when it was assessed and every part of that is allowed.
    fn assessed(&self, group: &str, today: Day) -> bool {
        let Some(message) = self.statement.as_ref().and_then(|statement| inner(statement, group)) else {
            return true;
        };
        let says_something = message.fields().any(|(field, _)| field.name() != "assessment");
        let Some(assessment) = inner(message, "assessment") else { return !says_something };
        let name = |entry: &'static Entry| entry.path.rsplit('.').next().unwrap_or_default();
        let fits = |entry: &'static Entry| {
            held(assessment, name(entry)).is_none_or(|value| allowed(value, &entry.form))
        };
        let lies_ahead = inner(assessment, "determined_on")
            .and_then(day)
            .is_some_and(|day| today.next_day().is_some_and(|tomorrow| day > tomorrow));
        let whole = ["assessor_role", "determined_on"].iter().all(|name| assessment.has_field_by_name(name));
        let of_statement = |entry: &&Entry| !matches!(entry.form, Form::Organisation);
        metadata().iter().filter(of_statement).all(fits) && !lies_ahead && (whole || !says_something)
    }
}

/// The value of a field that is there.
fn held<'a>(message: &'a DynamicMessage, name: &str) -> Option<&'a Value> {
    let value = message.has_field_by_name(name).then(|| message.get_field_by_name(name))??;
    if let Cow::Borrowed(value) = value { Some(value) } else { None }
}

fn inner<'a>(message: &'a DynamicMessage, name: &str) -> Option<&'a DynamicMessage> {
    held(message, name)?.as_message()
}

fn day(date: &DynamicMessage) -> Option<Day> {
    // A part that is 0 is not there.
    let part = |name| held(date, name).map_or(Some(0), Value::as_i32);
    let (year, month, day) = (part("year")?, u8::try_from(part("month")?).ok()?, part("day")?);
    Day::from_calendar_date(year, month.try_into().ok()?, u8::try_from(day).ok()?).ok()
}

/// Whether a value is one of its form, and is in the canonical order if there are several.
fn allowed(value: &Value, form: &Form) -> bool {
    match (form, value) {
        (Form::Code(list), Value::EnumNumber(number)) => list.value(*number).is_some(),
        (Form::Codes(list), Value::List(values)) => {
            let numbers: Vec<_> = values.iter().filter_map(Value::as_enum_number).collect();
            let none = list.values.iter().find(|value| value.name == "NONE").map(|value| value.number);
            numbers.len() == values.len()
                && numbers.is_sorted_by(|one, next| one < next)
                && numbers.iter().all(|number| list.value(*number).is_some())
                && (numbers.len() < 2 || none.is_none_or(|none| !numbers.contains(&none)))
        }
        (Form::Number { min, max }, Value::I32(number)) => (min..=max).contains(&number),
        (Form::YesNo, Value::Bool(_)) => true,
        (Form::Day, Value::Message(date)) => day(date).is_some_and(|day| (1900..=2199).contains(&day.year())),
        (Form::Parts { parts, .. }, Value::Message(whole)) => parts_allowed(whole, parts),
        (Form::Parts { parts, most }, Value::List(items)) => {
            items.len() <= *most
                && items.iter().all(|item| item.as_message().is_some_and(|item| parts_allowed(item, parts)))
        }
        _ => false,
    }
}

/// Whether every part that is there is allowed, and at least one is there.
fn parts_allowed(whole: &DynamicMessage, parts: &[Part]) -> bool {
    let mut there = parts.iter().filter_map(|part| Some((held(whole, part.name)?, part.form))).peekable();
    there.peek().is_some() && there.all(|(value, form)| allowed(value, &form))
}

/// The same value with nothing in it but declared fields.
fn declared(value: &Value) -> Value {
    match value {
        Value::Message(message) => {
            let mut plain = DynamicMessage::new(message.descriptor());
            for (field, value) in message.fields() {
                plain.set_field(&field, declared(value));
            }
            Value::Message(plain)
        }
        Value::List(values) => Value::List(values.iter().map(declared).collect()),
        scalar => scalar.clone(),
    }
}

/// Numbers of the outermost fields.
fn top_level(mut wire: &[u8]) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    while !wire.is_empty() {
        let (number, kind) = decode_key(&mut wire).ok()?;
        skip_field(kind, number, &mut wire, DecodeContext::default()).ok()?;
        numbers.push(number);
    }
    Some(numbers)
}

/// Fields that a message and everything in it has no descriptor for, counted on the wire.
fn unknown(mut wire: &[u8], message: &MessageDescriptor) -> Option<u32> {
    let mut count = 0;
    while !wire.is_empty() {
        let (number, kind) = decode_key(&mut wire).ok()?;
        let field = message.get_field(number);
        match (field.as_ref().map(|field| field.kind()), kind) {
            (Some(Kind::Message(inner)), WireType::LengthDelimited) => {
                let length = usize::try_from(decode_varint(&mut wire).ok()?).ok()?;
                let (content, rest) = wire.split_at_checked(length)?;
                count += unknown(content, &inner)?;
                wire = rest;
            }
            (known, kind) => {
                count += u32::from(known.is_none());
                skip_field(kind, number, &mut wire, DecodeContext::default()).ok()?;
            }
        }
    }
    Some(count)
}
