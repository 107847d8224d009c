//! The forms of what is verified: base64, JSON, times, and as much of protobuf as is needed.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ring::digest;
use serde_json::{Map, Value};

/// The members of an object in JSON.
pub type Object = Map<String, Value>;

pub const KINDS: [&str; 13] = [
    "genesis",
    "request",
    "outcome",
    "consent",
    "policy",
    "participants",
    "agreement",
    "acknowledgement",
    "key",
    "access",
    "turned_away",
    "erasure",
    "seal",
];

pub fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    digest::digest(&digest::SHA256, &parts.concat()).as_ref().to_vec()
}

/// With padding and no rest bits, as this engine has it.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

/// Decimal digits without a leading zero.
pub fn number(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

pub fn text<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    object.get(name)?.as_str()
}

pub fn bytes(object: &Object, name: &str) -> Option<Vec<u8>> {
    base64(text(object, name)?)
}

pub fn hash(object: &Object, name: &str) -> Option<Vec<u8>> {
    bytes(object, name).filter(|hash| hash.len() == 32)
}

/// The object of a receipt file, if it has the members of one and no others, none twice, and what is bytes is base64.
pub fn receipt_form<'a>(file: &[u8], value: &'a Value) -> Option<&'a Object> {
    let form = |value: &'a Value, texts: &[&str], parts: &[&str]| {
        let object = value.as_object()?;
        let known = |(name, value): (&String, &Value)| {
            let name = name.as_str();
            texts.contains(&name) && value.is_string()
                || parts.contains(&name) && value.as_str().and_then(base64).is_some()
                || name == "entries" && value.is_array() && texts.is_empty()
        };
        object.iter().all(known).then_some(object)
    };
    let receipt = form(value, &[], &["answer", "answer_salt"])?;
    for entry in receipt.get("entries")?.as_array()? {
        let entry = form(entry, &["facts", "leaf", "proof"], &["entry_key", "facts_salt", "sealed"])?;
        ["facts", "leaf", "proof", "facts_salt"].iter().all(|name| entry.contains_key(*name)).then_some(())?;
    }
    // The reader keeps the last of two members of one name; then the text has more colons than there are members.
    (colons(file) == members(value)).then_some(receipt)
}

fn colons(json: &[u8]) -> usize {
    let (mut found, mut quoted, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b':' if !quoted => found += 1,
            _ => {}
        }
    }
    found
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(object) => object.values().map(|value| 1 + members(value)).sum(),
        _ => 0,
    }
}

/// The object that this text is the canonical form of (RFC 8785).
pub fn canonical_object(text: &str) -> Option<Object> {
    let object: Object = serde_json::from_str(text).ok()?;
    (canonical(&Value::Object(object.clone()))? == text).then_some(object)
}

fn canonical(value: &Value) -> Option<String> {
    Some(match value {
        Value::Array(items) => {
            let items = items.iter().map(canonical).collect::<Option<Vec<_>>>()?;
            format!("[{}]", items.join(","))
        }
        Value::Object(object) => {
            let mut members: Vec<_> = object.iter().collect();
            members.sort_by_key(|(name, _)| name.encode_utf16().collect::<Vec<_>>());
            let member = |(name, value): (&String, &Value)| {
                Some(format!("{}:{}", Value::from(name.as_str()), canonical(value)?))
            };
            let members = members.into_iter().map(member).collect::<Option<Vec<_>>>()?;
            format!("{{{}}}", members.join(","))
        }
        Value::Number(number) => shortest(number.as_f64()?),
        // Without escapes but those that must be, as the RFC has it.
        plain => plain.to_string(),
    })
}

/// A number as ECMAScript writes it, which RFC 8785 asks for. Rust finds the same digits.
fn shortest(number: f64) -> String {
    let scientific = format!("{:e}", number.abs());
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits = digits.replace('.', "");
    let (length, point) = (digits.len() as i32, exponent.parse::<i32>().unwrap_or(0) + 1);
    let zeros = |count: i32| "0".repeat(count.unsigned_abs() as usize);
    let sign = if number < 0.0 { "-" } else { "" };
    let (head, tail) = digits.split_at(point.clamp(0, length).unsigned_abs() as usize);
    match point {
        1..=21 if length <= point => format!("{sign}{digits}{}", zeros(point - length)),
        1..=21 => format!("{sign}{head}.{tail}"),
        -5..=0 => format!("{sign}0.{}{digits}", zeros(point)),
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            format!("{sign}{first}{dot}{rest}e{:+}", point - 1)
        }
    }
}

/// The bytes of a random UUID (version 4), in lower case with hyphens.
pub fn uuid(text: &str) -> Option<Vec<u8>> {
    let places = text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'4',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
    });
    (places && text.len() == 36).then(|| hex::decode(text.replace('-', "")).ok())?
}

/// Whether this is a moment as in `2026-11-23T09:30:00.000Z`, on a day that exists.
pub fn is_moment(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let parts: Vec<u32> =
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect();
    let (true, [year, month, day, hour, minute, second, _]) =
        (shape == "0000-00-00T00:00:00.000Z", parts.as_slice())
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=days).contains(day) && *hour < 24 && *minute < 60 && *second < 60
}

/// Whether these are the bytes of an answer without disclosures, which would be field 3.
pub fn discloses_nothing(answer: &[u8]) -> Option<()> {
    let fields = fields(answer)?;
    let utf8 = |part: &Option<&[u8]>| std::str::from_utf8((*part)?).ok().map(drop);
    for (field, part) in &fields {
        match field {
            1 | 2 => utf8(part)?,
            3 => return None,
            4 | 5 => {
                for (_, path) in self::fields((*part)?)?.iter().filter(|(field, _)| *field == 1) {
                    utf8(path)?;
                }
            }
            6 => part.map(drop)?,
            _ => {}
        }
    }
    Some(())
}

type Field<'a> = (u64, Option<&'a [u8]>);

/// Number of each field of a message, and its bytes where it has a length. Groups, which no answer has, are refused.
fn fields(mut message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message).filter(|tag| (8..=u64::from(u32::MAX)).contains(tag))?;
        let length = match tag & 7 {
            0 => varint(&mut message).map(|_| 0)?,
            1 => 8,
            2 => usize::try_from(varint(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        let (part, rest) = message.split_at_checked(length)?;
        found.push((tag >> 3, (tag & 7 == 2).then_some(part)));
        message = rest;
    }
    Some(found)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u128;
    for shift in (0..70).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        value |= u128::from(byte & 127) << shift;
        if byte < 128 {
            return u64::try_from(value).ok();
        }
    }
    None
}
