//! Spoils JSON and keeps it canonical, so that what reads canonical JSON gets further than its first check.

use serde_json::{Value, json};

use super::{random::Random, text};

pub const WAYS: [&str; 4] =
    ["value of another type", "value from elsewhere", "field left out", "unknown field"];

pub fn spoil(input: &[u8], other: &[u8], random: &mut Random) -> (Vec<u8>, &'static str) {
    let (Ok(mut document), Ok(other)) =
        (serde_json::from_slice::<Value>(input), serde_json::from_slice(other))
    else {
        return text::spoil(input, other, random);
    };
    let way = *random.of(&WAYS);
    let all = places(&document, String::new());
    let place = random.of(&all).clone();
    let elsewhere = random.of(&places(&other, String::new())).clone();
    let part = document.pointer_mut(&place).unwrap();
    match way {
        "value of another type" => {
            let others =
                [json!(null), json!(-1), json!(1e300), json!(true), json!([]), json!({}), json!("x*")];
            *part = random.of(&others).clone();
        }
        "value from elsewhere" => *part = other.pointer(&elsewhere).unwrap().clone(),
        "field left out" => match part {
            Value::Object(fields) if !fields.is_empty() => {
                let names: Vec<String> = fields.keys().cloned().collect();
                fields.remove(random.of(&names));
            }
            Value::Array(items) => drop(items.pop()),
            _ => *part = json!(""),
        },
        _ => match part {
            Value::Object(fields) => drop(fields.insert(format!("x{}", random.below(100)), json!(1))),
            Value::Array(items) => items.extend(items.clone()),
            _ => *part = json!(random.number().to_string()),
        },
    }
    (serde_json_canonicalizer::to_vec(&document).unwrap(), way)
}

fn places(value: &Value, at: String) -> Vec<String> {
    let inside: Vec<String> = match value {
        Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| places(value, format!("{at}/{name}"))).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(i, value)| places(value, format!("{at}/{i}"))).collect()
        }
        _ => Vec::new(),
    };
    [vec![at], inside].concat()
}
