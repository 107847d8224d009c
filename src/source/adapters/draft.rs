//! A statement in the making: values that came in, field by field, each mapped by the tables of the catalogue. There is
//! no way to put a text in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _, SerializeOptions, Value,
};

use super::fault::Reason;
use crate::{
    catalogue::{CheckedStatement, Coded, Field, Form, List, StatementFault, groups},
    domain::{Day, time::parse_day},
    proto,
};

static CAPACITY: LazyLock<Option<MessageDescriptor>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS).ok()?;
    pool.get_message_by_name("sluis.v1.WorkCapacity")
});

const UNDESCRIBED: StatementFault = StatementFault { code: "statement", fault: "is not described" };

/// What a format writes for the values of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Codes of the instrument; 0 and 1 for no and yes.
    Codes,
    /// Dutch labels, Ja and Nee; case, spaces and punctuation do not matter.
    Labels,
}

/// A name without case, spaces and punctuation.
pub(super) fn bare(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Words {
    fn find(self, list: &'static List, text: &str) -> Option<&'static Coded> {
        match self {
            Self::Codes => list.by_instrument_code(text),
            Self::Labels => {
                let bare_text = bare(text);
                let label = list.values.iter().find(|value| bare(value.label_nl) == bare_text);
                label.or_else(|| list.by_instrument_code(text))
            }
        }
    }

    fn yes_no(self, text: &str) -> Option<bool> {
        match (self, bare(text).as_str()) {
            (Self::Codes, "0") | (Self::Labels, "nee") => Some(false),
            (Self::Codes, "1") | (Self::Labels, "ja") => Some(true),
            _ => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Single {
    Code(i32),
    Number(i32),
    YesNo(bool),
    Day(Day),
}

/// A statement in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    singles: BTreeMap<Field, Single>,
    flags: BTreeMap<Field, BTreeSet<i32>>,
    /// Values that consist of parts.
    pub(super) composite: proto::WorkCapacity,
}

impl Draft {
    /// Puts the value that a text stands for. Gives whether it is new.
    pub(super) fn put(&mut self, field: Field, text: &str, words: Words) -> Result<bool, Reason> {
        let single = match field.entry().form {
            Form::Code(list) => Single::Code(words.find(list, text).ok_or(Reason::NotACode)?.number),
            Form::Codes(list) => {
                let value = words.find(list, text).ok_or(Reason::NotACode)?;
                return Ok(self.flag(field, value.number));
            }
            Form::Number { .. } => return self.number(field, text.parse().map_err(|_| Reason::Type)?),
            Form::YesNo => Single::YesNo(words.yes_no(text).ok_or(Reason::NotACode)?),
            Form::Day => Single::Day(parse_day(text).map_err(|_| Reason::NotADay)?),
            Form::Organisation | Form::Parts { .. } => return Err(Reason::Type),
        };
        self.single(field, single)
    }

    /// Puts a number.
    pub(super) fn number(&mut self, field: Field, number: i64) -> Result<bool, Reason> {
        let Form::Number { min, max } = field.entry().form else { return Err(Reason::Type) };
        let number = i32::try_from(number).ok().filter(|number| (min..=max).contains(number));
        self.single(field, Single::Number(number.ok_or(Reason::OutOfRange)?))
    }

    /// Puts yes or no.
    pub(super) fn yes_no(&mut self, field: Field, value: bool) -> Result<bool, Reason> {
        self.single(field, Single::YesNo(value))
    }

    /// Adds a flag by its number on the wire.
    pub(super) fn flag(&mut self, field: Field, number: i32) -> bool {
        self.flags.entry(field).or_default().insert(number)
    }

    fn single(&mut self, field: Field, value: Single) -> Result<bool, Reason> {
        match self.singles.insert(field, value) {
            None => Ok(true),
            Some(before) if before == value => Ok(false),
            Some(_) => Err(Reason::Twice),
        }
    }

    /// The statement, each of its groups with this assessment, checked by the catalogue.
    pub(super) fn finish(
        self,
        assessment: &proto::Assessment,
        today: Day,
    ) -> Result<CheckedStatement, StatementFault> {
        let message = self.message(assessment).ok_or(UNDESCRIBED)?;
        CheckedStatement::new(message, today)
    }

    fn message(self, assessment: &proto::Assessment) -> Option<proto::WorkCapacity> {
        let mut whole = DynamicMessage::new(CAPACITY.clone()?);
        whole.merge(self.composite.encode_to_vec().as_slice()).ok()?;
        for (field, single) in self.singles {
            set(&mut whole, field, |of| single.value(of))?;
        }
        for (field, numbers) in self.flags {
            let codes = numbers.into_iter().map(Value::EnumNumber).collect();
            set(&mut whole, field, |_| Some(Value::List(codes)))?;
        }
        for group in groups() {
            if !whole.has_field_by_name(group.name) {
                continue;
            }
            let message = whole.get_field_by_name_mut(group.name)?.as_message_mut()?;
            let of = message.descriptor().get_field_by_name("assessment")?.kind().as_message()?.clone();
            let bytes = assessment.encode_to_vec();
            let assessment = DynamicMessage::decode(of, bytes.as_slice()).ok()?;
            message.set_field_by_name("assessment", Value::Message(assessment));
        }
        whole.transcode_to().ok()
    }
}

fn set(
    whole: &mut DynamicMessage,
    field: Field,
    value: impl FnOnce(Option<&MessageDescriptor>) -> Option<Value>,
) -> Option<()> {
    let (group, name) = field.entry().path.split_once('.')?;
    let message = whole.get_field_by_name_mut(group)?.as_message_mut()?;
    let descriptor = message.descriptor().get_field_by_name(name)?;
    let value = value(descriptor.kind().as_message())?;
    message.set_field(&descriptor, value);
    Some(())
}

impl Single {
    fn value(self, of: Option<&MessageDescriptor>) -> Option<Value> {
        Some(match self {
            Self::Code(number) => Value::EnumNumber(number),
            Self::Number(number) => Value::I32(number),
            Self::YesNo(value) => Value::Bool(value),
            Self::Day(day) => {
                let mut date = DynamicMessage::new(of?.clone());
                let proto = date_of(day);
                date.merge(proto.encode_to_vec().as_slice()).ok()?;
                Value::Message(date)
            }
        })
    }
}

/// A day as the protocol writes it.
pub(super) fn date_of(day: Day) -> proto::Date {
    proto::Date { year: day.year(), month: u8::from(day.month()).into(), day: day.day().into() }
}

fn dynamic(statement: &proto::WorkCapacity) -> Option<DynamicMessage> {
    DynamicMessage::decode(CAPACITY.clone()?, statement.encode_to_vec().as_slice()).ok()
}

/// The statement in the JSON form of protobuf, by the names of the catalogue.
pub(super) fn to_json(statement: &proto::WorkCapacity) -> Option<serde_json::Value> {
    let options = SerializeOptions::new().use_proto_field_name(true);
    dynamic(statement)?.serialize_with_options(serde_json::value::Serializer, &options).ok()
}

/// A statement from its JSON form.
pub(super) fn from_json(json: serde_json::Value) -> Option<proto::WorkCapacity> {
    DynamicMessage::deserialize(CAPACITY.clone()?, json).ok()?.transcode_to().ok()
}

/// A group that both hold.
pub(super) fn shared_group(one: &proto::WorkCapacity, other: &proto::WorkCapacity) -> Option<&'static str> {
    let (one, other) = (dynamic(one)?, dynamic(other)?);
    let mut names = groups().iter().map(|group| group.name);
    names.find(|name| one.has_field_by_name(name) && other.has_field_by_name(name))
}

/// What was held, with the groups of `newer` in place of its own.
pub(super) fn with_groups(
    held: &proto::WorkCapacity,
    newer: &proto::WorkCapacity,
) -> Option<proto::WorkCapacity> {
    let (mut whole, newer) = (dynamic(held)?, dynamic(newer)?);
    for (field, value) in newer.fields() {
        whole.set_field(&field, value.clone());
    }
    whole.transcode_to().ok()
}
