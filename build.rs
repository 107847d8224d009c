//! Compiles the protocol without protoc, and derives the catalogue's table and typed accessors from its descriptors,
//! so that a field is described once: in `proto/sluis/v1/work_capacity.proto`.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, Value};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PROTOS: [&str; 5] = ["exchange", "consent", "source", "audit", "work_capacity"];

fn main() -> Result<()> {
    println!("cargo:rerun-if-changed=proto");
    println!("cargo:rerun-if-changed=migrations");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let files: Vec<String> = PROTOS.iter().map(|name| format!("sluis/v1/{name}.proto")).collect();
    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_source_info(true).include_imports(true).open_files(&files)?;
    // The encoded form keeps the field options; the decoded one would lose them.
    let encoded = compiler.encode_file_descriptor_set();
    fs::write(out.join("descriptors.bin"), &encoded)?;
    tonic_prost_build::configure()
        .file_descriptor_set_path(out.join("set.bin"))
        .compile_fds(compiler.file_descriptor_set())?;
    let pool = DescriptorPool::decode(encoded.as_slice())?;
    fs::write(out.join("catalogue.rs"), catalogue(&pool)?)?;
    Ok(())
}

struct Row {
    code: String,
    ident: String,
    path: String,
    group_field: String,
    field: FieldDescriptor,
    entry: DynamicMessage,
}

fn option(message: &DynamicMessage, name: &str) -> Result<Value> {
    Ok(message.get_field_by_name(name).ok_or_else(|| format!("option {name} missing"))?.into_owned())
}

fn text(message: &DynamicMessage, name: &str) -> Result<String> {
    Ok(option(message, name)?.as_str().unwrap_or_default().to_owned())
}

fn number(message: &DynamicMessage, name: &str) -> Result<i32> {
    Ok(option(message, name)?.as_i32().unwrap_or_default())
}

/// The options message of a field under the extension of this name.
fn extension(pool: &DescriptorPool, field: &FieldDescriptor, name: &str) -> Result<Option<DynamicMessage>> {
    let extension = pool.get_extension_by_name(name).ok_or_else(|| format!("extension {name} missing"))?;
    let options = field.options();
    if !options.has_extension(&extension) {
        return Ok(None);
    }
    Ok(options.get_extension(&extension).as_message().cloned())
}

fn rows(pool: &DescriptorPool) -> Result<Vec<Row>> {
    let root = pool.get_message_by_name("sluis.v1.WorkCapacity").ok_or("WorkCapacity missing")?;
    let mut rows = Vec::new();
    for group in root.fields() {
        let Kind::Message(message) = group.kind() else { return Err("a group must be a message".into()) };
        for field in message.fields() {
            let Some(entry) = extension(pool, &field, "sluis.v1.field")? else { continue };
            let code = text(&entry, "code")?;
            rows.push(Row {
                ident: code.split('-').map(capitalised).collect(),
                path: format!("{}.{}", group.name(), field.name()),
                group_field: group.name().to_owned(),
                code,
                field,
                entry,
            });
        }
    }
    rows.sort_by_key(|row| (group_order(&row.group_field, &root), row.field.number()));
    Ok(rows)
}

fn group_order(name: &str, root: &prost_reflect::MessageDescriptor) -> u32 {
    root.get_field_by_name(name).map_or(u32::MAX, |field| field.number())
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + &letters.as_str().to_ascii_lowercase())
        .unwrap_or_default()
}

/// Rust path of a generated enum.
fn rust_enum(field: &FieldDescriptor) -> Result<String> {
    let Kind::Enum(descriptor) = field.kind() else { return Err("not an enum".into()) };
    Ok(format!("proto::{}", descriptor.name()))
}

/// What the generated check asks of one value.
fn check(row: &Row) -> Result<String> {
    let name = row.field.name();
    let field = format!("Field::{}", row.ident);
    let (min, max) = (number(&row.entry, "min")?, number(&row.entry, "max")?);
    Ok(match (row.field.kind(), row.field.is_list()) {
        (Kind::Enum(_), true) => {
            format!("checks::flags::<{}>({field}, &group.{name})?", rust_enum(&row.field)?)
        }
        (Kind::Enum(_), false) => {
            format!("checks::code::<{}>({field}, group.{name})?", rust_enum(&row.field)?)
        }
        (Kind::Int32, false) => format!("checks::number({field}, group.{name}, {min}, {max})?"),
        (Kind::Bool, false) => format!("group.{name}.is_some()"),
        (Kind::Message(message), list) => {
            let check = match (message.name(), list) {
                ("Date", false) => "date",
                ("Period", false) => "period",
                ("Placement", false) => "placement",
                ("AgreedAction", true) => "actions",
                (other, _) => return Err(format!("no check for {other} in {}", row.code).into()),
            };
            format!("checks::{check}({field}, group.{name}.as_{}())?", if list { "slice" } else { "ref" })
        }
        (kind, _) => return Err(format!("{} has a type that is not carried: {kind:?}", row.code).into()),
    })
}

fn catalogue(pool: &DescriptorPool) -> Result<String> {
    let rows = rows(pool)?;
    let root = pool.get_message_by_name("sluis.v1.WorkCapacity").ok_or("WorkCapacity missing")?;
    let mut code = String::new();
    let out = &mut code;
    writeln!(out, "/// A carried field, by its stable code.")?;
    writeln!(out, "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n#[repr(u8)]")?;
    writeln!(out, "pub enum Field {{")?;
    for row in &rows {
        writeln!(out, "    /// {}: {}.\n    {},", row.code, text(&row.entry, "label_en")?, row.ident)?;
    }
    writeln!(out, "}}\n\n/// Every carried field, in the order of the catalogue.")?;
    writeln!(out, "pub const ALL: [Field; {}] = [", rows.len())?;
    for row in &rows {
        writeln!(out, "    Field::{},", row.ident)?;
    }
    writeln!(out, "];\n\npub(super) static ENTRIES: [Entry; {}] = [", rows.len())?;
    for row in &rows {
        let entry = &row.entry;
        let sensitivity = option(entry, "sensitivity")?.as_enum_number().unwrap_or_default();
        if !(1..=3).contains(&sensitivity) {
            return Err(format!("{} has no sensitivity", row.code).into());
        }
        writeln!(
            out,
            "    Entry {{ code: {:?}, path: {:?}, group: {:?}, label_nl: {:?}, label_en: {:?}, origin: {:?}, icf: {:?}, \
             sensitivity: Sensitivity::S{}, field_set: {:?}, unit: {:?} }},",
            row.code,
            row.path,
            row.group_field,
            text(entry, "label_nl")?,
            text(entry, "label_en")?,
            text(entry, "origin")?,
            text(entry, "icf")?,
            sensitivity - 1,
            text(entry, "field_set")?,
            text(entry, "unit")?,
        )?;
    }
    writeln!(out, "];\n\n/// Names of the groups, in the order of the catalogue: path, code, Dutch label.")?;
    writeln!(out, "pub(super) static GROUPS: [(&str, &str, &str); {}] = [", root.fields().len())?;
    for group in root.fields() {
        let entry = extension(pool, &group, "sluis.v1.group")?.ok_or("group without an entry")?;
        writeln!(
            out,
            "    ({:?}, {:?}, {:?}),",
            group.name(),
            text(&entry, "code")?,
            text(&entry, "label_nl")?
        )?;
    }
    writeln!(out, "];\n")?;
    copies(out, &rows, &root)?;
    checks(out, &rows, &root)?;
    Ok(code)
}

/// One copier per group: reads only what the mask names, so a field that is not named is never touched.
fn copies(out: &mut String, rows: &[Row], root: &prost_reflect::MessageDescriptor) -> Result<()> {
    writeln!(
        out,
        "/// Builds a message that holds the fields of `mask` that `from` has, and nothing else (P02)."
    )?;
    writeln!(out, "pub(super) fn build(mask: Mask, from: &proto::WorkCapacity) -> proto::WorkCapacity {{")?;
    writeln!(out, "    let mut to = proto::WorkCapacity::default();")?;
    for group in root.fields() {
        let name = group.name();
        let Kind::Message(message) = group.kind() else { return Err("a group must be a message".into()) };
        writeln!(out, "    if let Some(group) = &from.{name} {{")?;
        writeln!(
            out,
            "        let mut built = proto::{}::default();\n        let mut any = false;",
            message.name()
        )?;
        for row in rows.iter().filter(|row| row.group_field == name) {
            let field = row.field.name();
            let present = if row.field.is_list() {
                format!("!group.{field}.is_empty()")
            } else {
                format!("group.{field}.is_some()")
            };
            let copied =
                if row.field.is_list() { format!("group.{field}.clone()") } else { format!("group.{field}") };
            writeln!(out, "        if mask.has(Field::{}) && {present} {{", row.ident)?;
            writeln!(out, "            built.{field} = {copied};\n            any = true;\n        }}")?;
        }
        writeln!(
            out,
            "        if any {{\n            built.assessment = group.assessment;\n            to.{name} = Some(built);\n        }}\n    }}"
        )?;
    }
    writeln!(out, "    to\n}}\n")?;
    Ok(())
}

fn checks(out: &mut String, rows: &[Row], root: &prost_reflect::MessageDescriptor) -> Result<()> {
    writeln!(out, "/// Checks every value, and tells which fields are there.")?;
    writeln!(out, "pub(super) fn check(message: &proto::WorkCapacity) -> Result<Mask, StatementFault> {{")?;
    writeln!(out, "    let mut present = Mask::EMPTY;")?;
    for group in root.fields() {
        let name = group.name();
        writeln!(out, "    if let Some(group) = &message.{name} {{\n        let before = present;")?;
        for row in rows.iter().filter(|row| row.group_field == name) {
            writeln!(
                out,
                "        if {} {{\n            present = present.with(Field::{});\n        }}",
                check(row)?,
                row.ident
            )?;
        }
        writeln!(
            out,
            "        checks::assessment({name:?}, present != before, group.assessment.as_ref())?;\n    }}"
        )?;
    }
    writeln!(out, "    Ok(present)\n}}")?;
    Ok(())
}
