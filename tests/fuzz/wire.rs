//! Spoils protobuf on the wire, field by field: what a source or requester could write that prost itself never would.

use prost::{
    bytes::{Buf as _, BufMut as _},
    encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint},
};

use super::{random::Random, text};

pub const WAYS: [&str; 13] = [
    "bit flip",
    "truncation",
    "splice",
    "unknown field",
    "undeclared code",
    "repeated field",
    "unpacked list",
    "overlong varint",
    "group",
    "deep nesting",
    "huge length",
    "field left out",
    "other order",
];

/// A field on the wire, or bytes in place of one.
#[derive(Clone)]
enum Field {
    Varint(u32, u64),
    Bytes(u32, Vec<u8>),
    Message(u32, Vec<Field>),
    Raw(Vec<u8>),
}

use Field::{Bytes, Message, Raw, Varint};

/// The fields of a message. What could be a message inside is taken for one: written again it is the same either way.
fn read(mut wire: &[u8]) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while wire.has_remaining() {
        let before = wire;
        let (number, kind) = decode_key(&mut wire).ok()?;
        fields.push(match kind {
            WireType::Varint => Varint(number, decode_varint(&mut wire).ok()?),
            WireType::LengthDelimited => {
                let length = usize::try_from(decode_varint(&mut wire).ok()?).ok()?;
                let (content, rest) = wire.split_at_checked(length)?;
                wire = rest;
                match read(content).filter(|fields| !fields.is_empty()) {
                    Some(fields) => Message(number, fields),
                    None => Bytes(number, content.to_vec()),
                }
            }
            WireType::SixtyFourBit | WireType::ThirtyTwoBit => {
                let length = before.len() - wire.len() + if kind == WireType::ThirtyTwoBit { 4 } else { 8 };
                let (raw, rest) = before.split_at_checked(length)?;
                wire = rest;
                Raw(raw.to_vec())
            }
            WireType::StartGroup | WireType::EndGroup => return None,
        });
    }
    Some(fields)
}

fn write(fields: &[Field]) -> Vec<u8> {
    let mut wire = Vec::new();
    let delimited = |number: u32, content: &[u8], wire: &mut Vec<u8>| {
        encode_key(number, WireType::LengthDelimited, wire);
        encode_varint(content.len() as u64, wire);
        wire.put_slice(content);
    };
    for field in fields {
        match field {
            Varint(number, value) => {
                encode_key(*number, WireType::Varint, &mut wire);
                encode_varint(*value, &mut wire);
            }
            Bytes(number, content) => delimited(*number, content, &mut wire),
            Message(number, inside) => delimited(*number, &write(inside), &mut wire),
            Raw(raw) => wire.put_slice(raw),
        }
    }
    wire
}

/// Some message in this one, this one included.
fn somewhere<'a>(fields: &'a mut Vec<Field>, random: &mut Random) -> &'a mut Vec<Field> {
    let count = fields.iter().filter(|field| matches!(field, Message(..))).count();
    if count == 0 || random.below(4) == 0 {
        return fields;
    }
    let mut inner = fields.iter_mut().filter_map(|field| match field {
        Message(_, inside) => Some(inside),
        _ => None,
    });
    somewhere(inner.nth(random.below(count)).expect("one of those counted"), random)
}

pub fn spoil(input: &[u8], other: &[u8], random: &mut Random) -> (Vec<u8>, &'static str) {
    let way = *random.of(&WAYS);
    let mut spoilt = input.to_vec();
    match (way, read(input)) {
        ("truncation", _) => spoilt.truncate(random.below(input.len())),
        ("bit flip", _) | (_, None) => {
            text::flip(&mut spoilt, random);
            return (spoilt, "bit flip");
        }
        ("splice", Some(mut fields)) => {
            if random.below(2) == 0 {
                fields.extend(read(other).unwrap_or_default());
                spoilt = write(&fields);
            } else {
                spoilt.truncate(random.below(input.len()));
                spoilt.extend(&other[random.below(other.len() + 1)..]);
            }
        }
        (way, Some(mut fields)) => {
            within(somewhere(&mut fields, random), way, random);
            spoilt = write(&fields);
        }
    }
    (spoilt, way)
}

/// Spoils one message in one way, where it has something to spoil.
fn within(fields: &mut Vec<Field>, way: &str, random: &mut Random) {
    let unknown = 200 + random.below(3_000) as u32;
    let at = random.below(fields.len());
    match way {
        "unknown field" => {
            let text = b"A text that no field has.".to_vec();
            let field =
                if random.below(2) == 0 { Varint(unknown, random.number()) } else { Bytes(unknown, text) };
            fields.insert(at, field);
        }
        "undeclared code" => {
            let values = [0, 999, 1 << 31, u64::MAX, u64::from(u32::MAX), 1 << 32, random.below(16) as u64];
            let value = *random.of(&values);
            match fields.get_mut(at) {
                Some(Varint(_, old)) => *old = value,
                Some(Bytes(_, content)) => encode_varint(value, content),
                _ => {}
            }
        }
        "repeated field" => fields.extend(fields.get(at).cloned()),
        "unpacked list" => {
            if let Some(Bytes(number, content)) = fields.get(at).cloned() {
                let values = content.iter().filter(|byte| **byte < 0x80);
                let values: Vec<_> = values.map(|value| Varint(number, u64::from(*value))).collect();
                fields.splice(at..=at, values);
            }
        }
        "overlong varint" => {
            if let Some(Varint(number, value)) = fields.get(at).cloned() {
                let mut raw = Vec::new();
                encode_key(number, WireType::Varint, &mut raw);
                encode_varint(value, &mut raw);
                let last = raw.len() - 1;
                raw[last] |= 0x80;
                raw.extend(vec![0x80; random.below(9)]);
                raw.push(0);
                fields[at] = Raw(raw);
            }
        }
        "group" => fields.insert(at, Raw(group(unknown, &[8, 1], random.below(4) == 0))),
        "deep nesting" => {
            let depth = 1 + random.below(150);
            let known = *random.of(&[1, unknown]);
            let deep = if random.below(2) == 0 {
                (0..depth).fold(Vec::new(), |inner, _| group(unknown, &inner, false))
            } else {
                (0..depth).fold(Vec::new(), |inner, _| write(&[Bytes(known, inner)]))
            };
            fields.insert(at, Raw(deep));
        }
        "huge length" => {
            let mut raw = Vec::new();
            encode_key(*random.of(&[1, unknown]), WireType::LengthDelimited, &mut raw);
            encode_varint(*random.of(&[1 << 20, 1 << 31, 1 << 40, u64::MAX]), &mut raw);
            fields.insert(at, Raw(raw));
        }
        "field left out" if !fields.is_empty() => drop(fields.remove(at)),
        "other order" if !fields.is_empty() => fields.swap(0, at),
        _ => {}
    }
}

fn group(number: u32, content: &[u8], open: bool) -> Vec<u8> {
    let mut raw = Vec::new();
    encode_key(number, WireType::StartGroup, &mut raw);
    raw.put_slice(content);
    if !open {
        encode_key(number, WireType::EndGroup, &mut raw);
    }
    raw
}
