//! Writes the two functions that touch a statement's values: one that builds a message up from a mask (P02), and one
//! that checks every value (R03).

use std::fmt::Write as _;

use prost_reflect::Kind;

use crate::{
    Result,
    descriptors::{Catalogue, Field, flag, number},
};

pub fn write(out: &mut String, catalogue: &Catalogue) -> Result<()> {
    build(out, catalogue)?;
    check(out, catalogue)
}

/// One copier per group: reads only what the mask names, so a field that is not named is never touched.
fn build(out: &mut String, catalogue: &Catalogue) -> Result<()> {
    writeln!(
        out,
        "/// Builds a message that holds the fields of `mask` that `from` has, and nothing else (P02)."
    )?;
    writeln!(out, "pub(super) fn build(mask: Mask, from: &proto::WorkCapacity) -> proto::WorkCapacity {{")?;
    writeln!(out, "    let mut to = proto::WorkCapacity::default();")?;
    for group in &catalogue.groups {
        let (name, message) = (&group.name, group.message.name());
        writeln!(out, "    if let Some(group) = &from.{name} {{")?;
        writeln!(out, "        let mut built = proto::{message}::default();\n        let mut any = false;")?;
        for field in &group.fields {
            let (name, ident) = (field.descriptor.name(), field.ident());
            let (present, copied) = if field.descriptor.is_list() {
                (format!("!group.{name}.is_empty()"), format!("group.{name}.clone()"))
            } else {
                (format!("group.{name}.is_some()"), format!("group.{name}"))
            };
            writeln!(out, "        if mask.has(Field::{ident}) && {present} {{")?;
            writeln!(out, "            built.{name} = {copied};\n            any = true;\n        }}")?;
        }
        writeln!(out, "        if any {{\n            built.assessment = group.assessment;")?;
        writeln!(out, "            to.{name} = Some(built);\n        }}\n    }}")?;
    }
    writeln!(out, "    to\n}}\n")?;
    Ok(())
}

fn check(out: &mut String, catalogue: &Catalogue) -> Result<()> {
    writeln!(out, "/// Checks every value by itself, and tells which fields are there.")?;
    writeln!(
        out,
        "pub(super) fn check(message: &proto::WorkCapacity, latest: time::Date) -> Result<Mask, StatementFault> {{"
    )?;
    writeln!(out, "    let mut present = Mask::EMPTY;")?;
    for group in &catalogue.groups {
        let name = &group.name;
        writeln!(out, "    if let Some(group) = &message.{name} {{\n        let before = present;")?;
        for field in &group.fields {
            writeln!(out, "        if {} {{", value(field)?)?;
            writeln!(out, "            present = present.with(Field::{});\n        }}", field.ident())?;
        }
        writeln!(
            out,
            "        checks::assessment({name:?}, present != before, group.assessment.as_ref(), latest)?;\n    }}"
        )?;
    }
    writeln!(out, "    Ok(present)\n}}")?;
    Ok(())
}

/// What the generated check asks of one value: an expression that tells whether the field is there.
fn value(field: &Field) -> Result<String> {
    let (name, ident) = (field.descriptor.name(), field.ident());
    let place = format!("Field::{ident}, ");
    let bound = |name| number(&field.entry, name);
    let past = if flag(&field.entry, "past")? { "Some(latest)" } else { "None" };
    Ok(match (field.descriptor.kind(), field.descriptor.is_list()) {
        (Kind::Enum(list), true) => format!("checks::flags::<proto::{}>({place}&group.{name})?", list.name()),
        (Kind::Enum(list), false) => format!("checks::code::<proto::{}>({place}group.{name})?", list.name()),
        (Kind::Int32, false) => {
            format!("checks::number({place}group.{name}, {}, {})?", bound("min")?, bound("max")?)
        }
        (Kind::Bool, false) => format!("group.{name}.is_some()"),
        (Kind::Message(message), false) => match message.name() {
            "Date" => format!("checks::date({place}group.{name}.as_ref(), {past})?"),
            "Period" => format!("parts::period({place}group.{name}.as_ref())?"),
            "Placement" => format!("parts::placement({place}group.{name}.as_ref(), {past})?"),
            "VehicleUse" => format!("parts::vehicle_use({place}group.{name}.as_ref())?"),
            other => return Err(format!("no check for {other} in {}", field.code).into()),
        },
        (Kind::Message(message), true) => {
            let check = match message.name() {
                "AgreedAction" => "actions",
                "LanguageSkill" => "languages",
                "CompetenceMastery" => "masteries",
                other => return Err(format!("no check for {other} in {}", field.code).into()),
            };
            let most = bound("max_items")?;
            if most < 1 {
                return Err(format!("{} has no bound on its items", field.code).into());
            }
            format!("parts::{check}({place}&group.{name}, {most})?")
        }
        (kind, _) => return Err(format!("{} has a type that is not carried: {kind:?}", field.code).into()),
    })
}
