//! Writes the code lists: each enum that a field of the catalogue uses.

use std::{collections::BTreeMap, fmt::Write as _};

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind};

use crate::{
    Result,
    descriptors::{Catalogue, comment, screaming, value_option},
};

pub fn write(out: &mut String, catalogue: &Catalogue) -> Result<()> {
    let (mut lists, mut flags) = (BTreeMap::new(), BTreeMap::new());
    for field in catalogue.fields().chain(&catalogue.metadata) {
        collect(&field.descriptor, &mut lists);
        if let (Kind::Enum(list), true) = (field.descriptor.kind(), field.descriptor.is_list()) {
            flags.insert(list.name().to_owned(), list);
        }
    }
    for (name, list) in &lists {
        table(out, name, list)?;
    }
    let names: Vec<_> = lists.keys().map(|name| format!("&LIST_{}", screaming(name))).collect();
    writeln!(out, "pub(super) static LISTS: [&List; {}] = [{}];\n", names.len(), names.join(", "))?;
    for (name, list) in &flags {
        let none = list.get_value_by_name(&format!("{}_NONE", screaming(name)));
        let none = none.map_or("None".to_owned(), |value| format!("Some({})", value.number()));
        writeln!(out, "impl checks::Flag for proto::{name} {{\n    const NONE: Option<i32> = {none};\n}}\n")?;
    }
    Ok(())
}

/// The lists of a field and of its parts.
fn collect(field: &FieldDescriptor, lists: &mut BTreeMap<String, EnumDescriptor>) {
    match field.kind() {
        Kind::Enum(list) => {
            lists.insert(list.name().to_owned(), list);
        }
        Kind::Message(message) if message.name() != "SourceOrganisation" => {
            message.fields().for_each(|part| collect(&part, lists));
        }
        _ => {}
    }
}

fn table(out: &mut String, name: &str, list: &EnumDescriptor) -> Result<()> {
    let prefix = screaming(name) + "_";
    let says = comment(&list.parent_file(), list.path())?;
    writeln!(out, "static LIST_{}: List = List {{", screaming(name))?;
    writeln!(out, "    name: {name:?},\n    definition_en: {says:?},\n    values: &[")?;
    for value in list.values().filter(|value| value.number() != 0) {
        let (number, label_nl) = (value.number(), value_option(list, value.number(), "value_nl")?);
        let label_en = comment(&list.parent_file(), value.path())?;
        let short = value.name().strip_prefix(&prefix).ok_or("a value without the prefix of its list")?;
        if label_nl.is_empty() {
            return Err(format!("{} has no Dutch label", value.name()).into());
        }
        writeln!(
            out,
            "        Coded {{ number: {number}, name: {short:?}, label_nl: {label_nl:?}, label_en: {:?}, instrument_code: {:?} }},",
            label_en.trim_end_matches('.'),
            value_option(list, number, "instrument_code")?,
        )?;
    }
    writeln!(out, "    ],\n}};\n")?;
    Ok(())
}
