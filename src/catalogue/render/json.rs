//! The catalogue as JSON: everything there is, in one order, so that its SHA-256 names it.

use ring::digest::{SHA256, digest as hash};
use serde_json::{Value, json};

use super::super::{Entry, Form, LeftOut, List, VERSION, groups, lists, metadata, never_carried, open};

/// All of the catalogue.
#[must_use]
pub fn json() -> Value {
    let of_group = |group: &super::super::Group| {
        json!({
            "code": group.code, "path": group.name, "number": group.number,
            "label_nl": group.label_nl, "label_en": group.label_en,
            "fields": group.fields().map(|field| entry(field.entry())).collect::<Vec<_>>(),
        })
    };
    json!({
        "version": VERSION,
        "groups": groups().iter().map(of_group).collect::<Vec<_>>(),
        "metadata": metadata().iter().map(entry).collect::<Vec<_>>(),
        "lists": lists().iter().map(|list| listed(list)).collect::<Vec<_>>(),
        "open": open().iter().map(left_out).collect::<Vec<_>>(),
        "never_carried": never_carried().iter().map(left_out).collect::<Vec<_>>(),
    })
}

/// SHA-256 of the JSON as it is printed, in hexadecimal.
#[must_use]
pub fn digest() -> String {
    hex::encode(hash(&SHA256, printed().as_bytes()))
}

/// The JSON as it is printed, with the line end.
#[must_use]
pub fn printed() -> String {
    format!("{:#}\n", json())
}

fn entry(entry: &Entry) -> Value {
    json!({
        "code": entry.code, "path": entry.path, "number": entry.number,
        "label_nl": entry.label_nl, "label_en": entry.label_en,
        "definition_nl": entry.definition_nl, "definition_en": entry.definition_en,
        "origin": entry.origin, "icf": entry.icf, "sensitivity": entry.sensitivity.as_str(),
        "field_set": entry.field_set, "unit": entry.unit, "form": form(&entry.form),
    })
}

fn form(of: &Form) -> Value {
    match of {
        Form::Code(list) => json!({ "code_of": list.name }),
        Form::Codes(list) => json!({ "codes_of": list.name }),
        Form::Number { min, max } => json!({ "number": { "min": min, "max": max } }),
        Form::YesNo => json!("yes_no"),
        Form::Day => json!("day"),
        Form::Organisation => json!("organisation"),
        Form::Parts { parts, most } => {
            let part = |part: &super::super::Part| json!({ "name": part.name, "definition_en": part.definition_en, "form": form(&part.form) });
            json!({ "parts": parts.iter().map(part).collect::<Vec<_>>(), "most": most })
        }
    }
}

fn listed(list: &List) -> Value {
    let value = |value: &super::super::Coded| {
        json!({
            "number": value.number, "name": value.name, "label_nl": value.label_nl,
            "label_en": value.label_en, "instrument_code": value.instrument_code,
        })
    };
    json!({
        "name": list.name, "definition_en": list.definition_en,
        "values": list.values.iter().map(value).collect::<Vec<_>>(),
    })
}

fn left_out(row: &LeftOut) -> Value {
    json!({
        "code": row.code, "label_nl": row.label_nl, "label_en": row.label_en,
        "reason_nl": row.reason_nl, "reason_en": row.reason_en,
    })
}
