//! Writes what the catalogue says of its fields and groups as tables.

use std::fmt::Write as _;

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind};

use crate::{
    Result,
    descriptors::{Catalogue, Field, comment, number, screaming, text},
};

pub fn write(out: &mut String, catalogue: &Catalogue) -> Result<()> {
    let fields: Vec<&Field> = catalogue.fields().collect();
    let count = fields.len();
    writeln!(out, "/// Version of the catalogue.\npub const VERSION: &str = {:?};\n", catalogue.version)?;
    writeln!(out, "/// A carried field, by its stable code.")?;
    writeln!(out, "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n#[repr(u8)]")?;
    writeln!(out, "pub enum Field {{")?;
    for field in &fields {
        writeln!(
            out,
            "    /// {}: {}.\n    {},",
            field.code,
            text(&field.entry, "label_en")?,
            field.ident()
        )?;
    }
    writeln!(out, "}}\n\n/// Every carried field, in the order of the catalogue.")?;
    writeln!(out, "pub const ALL: [Field; {count}] = [")?;
    for field in &fields {
        writeln!(out, "    Field::{},", field.ident())?;
    }
    writeln!(out, "];\n")?;
    sorted(out, "BY_CODE", &fields, |field| &field.code)?;
    sorted(out, "BY_PATH", &fields, |field| &field.path)?;
    writeln!(out, "pub(super) static ENTRIES: [Entry; {count}] = [")?;
    for group in &catalogue.groups {
        for field in &group.fields {
            entry(out, field, &group.name)?;
        }
    }
    writeln!(out, "];\n\npub(super) static METADATA: [Entry; {}] = [", catalogue.metadata.len())?;
    for field in &catalogue.metadata {
        entry(out, field, "assessment")?;
    }
    writeln!(out, "];\n\npub(super) static GROUPS: [Group; {}] = [", catalogue.groups.len())?;
    for group in &catalogue.groups {
        let first = group.fields.first().ok_or("a group without a field")?;
        let last = group.fields.last().ok_or("a group without a field")?;
        writeln!(
            out,
            "    Group {{ name: {:?}, number: {}, code: {:?}, label_nl: {:?}, label_en: {:?}, first: Field::{}, last: Field::{} }},",
            group.name,
            group.number,
            text(&group.entry, "code")?,
            text(&group.entry, "label_nl")?,
            text(&group.entry, "label_en")?,
            first.ident(),
            last.ident(),
        )?;
    }
    writeln!(out, "];\n")?;
    left_out(out, "OPEN", &catalogue.open)?;
    left_out(out, "NEVER", &catalogue.never)
}

/// A table for looking a field up by a text, sorted by that text.
fn sorted(out: &mut String, name: &str, fields: &[&Field], key: fn(&Field) -> &String) -> Result<()> {
    let mut fields = fields.to_vec();
    fields.sort_by_key(|field| key(field));
    writeln!(out, "static {name}: [(&str, Field); {}] = [", fields.len())?;
    for field in fields {
        writeln!(out, "    ({:?}, Field::{}),", key(field), field.ident())?;
    }
    writeln!(out, "];\n")?;
    Ok(())
}

fn entry(out: &mut String, field: &Field, group: &str) -> Result<()> {
    let entry = &field.entry;
    let sensitivity = number(entry, "sensitivity")?;
    if !(1..=3).contains(&sensitivity) {
        return Err(format!("{} has no sensitivity", field.code).into());
    }
    let texts = ["label_nl", "label_en", "definition_nl", "origin", "icf", "field_set", "unit"];
    let mut said = String::new();
    for name in texts {
        let value = text(entry, name)?;
        if value.is_empty() && !["icf", "unit"].contains(&name) {
            return Err(format!("{} has no {name}", field.code).into());
        }
        write!(said, "{name}: {value:?}, ")?;
    }
    writeln!(
        out,
        "    Entry {{ code: {:?}, path: {:?}, group: {group:?}, number: {}, {said}definition_en: {:?}, \
         sensitivity: Sensitivity::S{}, form: {} }},",
        field.code,
        field.path,
        field.descriptor.number(),
        field.definition_en,
        sensitivity - 1,
        form(&field.descriptor, Some(entry))?,
    )?;
    Ok(())
}

/// The form that a field's values take.
fn form(field: &FieldDescriptor, entry: Option<&DynamicMessage>) -> Result<String> {
    let bound = |name| entry.map_or(Ok(0), |entry| number(entry, name));
    Ok(match field.kind() {
        Kind::Enum(list) => {
            let kind = if field.is_list() { "Codes" } else { "Code" };
            format!("Form::{kind}(&LIST_{})", screaming(list.name()))
        }
        Kind::Bool => "Form::YesNo".to_owned(),
        Kind::Int32 => format!("Form::Number {{ min: {}, max: {} }}", bound("min")?, bound("max")?),
        Kind::Message(message) if message.name() == "Date" => "Form::Day".to_owned(),
        Kind::Message(message) if message.name() == "SourceOrganisation" => "Form::Organisation".to_owned(),
        Kind::Message(message) => {
            let mut parts = String::new();
            for part in message.fields() {
                let says = comment(&part.parent_file(), part.path())?;
                let form = form(&part, None)?;
                write!(parts, "Part {{ name: {:?}, definition_en: {says:?}, form: {form} }}, ", part.name())?;
            }
            let most = if field.is_list() { bound("max_items")? } else { 1 };
            format!("Form::Parts {{ parts: &[{parts}], most: {most} }}")
        }
        kind => return Err(format!("{} has a type that is not carried: {kind:?}", field.full_name()).into()),
    })
}

fn left_out(out: &mut String, name: &str, rows: &[DynamicMessage]) -> Result<()> {
    writeln!(out, "pub(super) static {name}: [LeftOut; {}] = [", rows.len())?;
    for row in rows {
        write!(out, "    LeftOut {{ ")?;
        for name in ["code", "label_nl", "label_en", "reason_nl", "reason_en"] {
            write!(out, "{name}: {:?}, ", text(row, name)?)?;
        }
        writeln!(out, "}},")?;
    }
    writeln!(out, "];\n")?;
    Ok(())
}
