//! What the catalogue says, read from the descriptors: groups, fields, lists, and what is left out.

use prost_reflect::{
    DescriptorPool, DynamicMessage, EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor,
    Value,
};

use crate::Result;

/// All of it, in the order in which the files declare it.
pub struct Catalogue {
    pub version: String,
    pub groups: Vec<Group>,
    /// MD: granted with each group.
    pub metadata: Vec<Field>,
    pub open: Vec<DynamicMessage>,
    pub never: Vec<DynamicMessage>,
}

pub struct Group {
    /// Name of the field in `WorkCapacity`.
    pub name: String,
    /// Its number there.
    pub number: u32,
    pub message: MessageDescriptor,
    pub entry: DynamicMessage,
    pub fields: Vec<Field>,
}

pub struct Field {
    pub code: String,
    pub path: String,
    pub definition_en: String,
    pub descriptor: FieldDescriptor,
    pub entry: DynamicMessage,
}

impl Field {
    /// Name of the variant of `catalogue::Field`: `WT-02` is `Wt02`.
    pub fn ident(&self) -> String {
        self.code.split('-').map(capitalised).collect()
    }
}

impl Catalogue {
    pub fn read(pool: &DescriptorPool) -> Result<Self> {
        let root = message(pool, "WorkCapacity")?;
        let options = root.options();
        let extension = |name: &str| {
            pool.get_extension_by_name(&format!("sluis.v1.{name}")).ok_or(format!("no extension {name}"))
        };
        let version = options.get_extension(&extension("catalogue_version")?);
        let left_out = |name: &str| -> Result<Vec<DynamicMessage>> {
            let rows = options.get_extension(&extension(name)?);
            let rows = rows.as_list().ok_or("a list of what is left out")?;
            Ok(rows.iter().filter_map(Value::as_message).cloned().collect())
        };
        let mut groups = Vec::new();
        for group in declared(&root) {
            let Kind::Message(message) = group.kind() else { return Err("a group must be a message".into()) };
            let entry = extension_of(pool, &group, "group")?.ok_or("a group without an entry")?;
            groups.push(Group {
                name: group.name().to_owned(),
                number: group.number(),
                fields: fields(pool, &message, group.name())?,
                entry,
                message,
            });
        }
        let mut metadata = fields(pool, &message(pool, "Assessment")?, "assessment")?;
        metadata.extend(fields(pool, &message(pool, "Disclosure")?, "disclosure")?);
        metadata.sort_by(|one, other| one.code.cmp(&other.code));
        Ok(Self {
            version: version.as_str().unwrap_or_default().to_owned(),
            groups,
            metadata,
            open: left_out("open_field")?,
            never: left_out("never_carried")?,
        })
    }

    /// Fields of all groups.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.groups.iter().flat_map(|group| &group.fields)
    }
}

fn message(pool: &DescriptorPool, name: &str) -> Result<MessageDescriptor> {
    Ok(pool.get_message_by_name(&format!("sluis.v1.{name}")).ok_or(format!("{name} missing"))?)
}

/// The fields in the order of the file, not of their numbers.
fn declared(message: &MessageDescriptor) -> Vec<FieldDescriptor> {
    let names = message.descriptor_proto().field.iter();
    names.filter_map(|field| message.get_field_by_name(field.name())).collect()
}

fn fields(pool: &DescriptorPool, message: &MessageDescriptor, group: &str) -> Result<Vec<Field>> {
    let mut fields = Vec::new();
    for descriptor in declared(message) {
        let Some(entry) = extension_of(pool, &descriptor, "field")? else { continue };
        let code = text(&entry, "code")?;
        let comment = comment(&descriptor.parent_file(), descriptor.path())?;
        let definition =
            comment.strip_prefix(&format!("{code}. ")).ok_or(format!("{code} has no definition"))?;
        fields.push(Field {
            path: format!("{group}.{}", descriptor.name()),
            definition_en: definition.to_owned(),
            code,
            descriptor,
            entry,
        });
    }
    Ok(fields)
}

fn extension_of(
    pool: &DescriptorPool,
    field: &FieldDescriptor,
    name: &str,
) -> Result<Option<DynamicMessage>> {
    let extension =
        pool.get_extension_by_name(&format!("sluis.v1.{name}")).ok_or(format!("no extension {name}"))?;
    let options = field.options();
    if !options.has_extension(&extension) {
        return Ok(None);
    }
    Ok(options.get_extension(&extension).as_message().cloned())
}

/// The comment above a declaration, as one line.
pub fn comment(file: &FileDescriptor, path: &[i32]) -> Result<String> {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let mut locations = info.into_iter().flat_map(|info| &info.location);
    let comment =
        locations.find(|location| location.path == path).and_then(|found| found.leading_comments.as_ref());
    let comment = comment.ok_or_else(|| format!("{} has a declaration without a comment", file.name()))?;
    Ok(comment.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned())
}

/// Text that a value of an enum has under the extension of this name; empty if it has none.
pub fn value_option(list: &EnumDescriptor, number: i32, name: &str) -> Result<String> {
    let extension =
        list.parent_pool().get_extension_by_name(&format!("sluis.v1.{name}")).ok_or("no extension")?;
    let options = list.get_value(number).ok_or("no such value")?.options();
    Ok(options.get_extension(&extension).as_str().unwrap_or_default().to_owned())
}

fn option(message: &DynamicMessage, name: &str) -> Result<Value> {
    Ok(message.get_field_by_name(name).ok_or_else(|| format!("option {name} missing"))?.into_owned())
}

pub fn text(message: &DynamicMessage, name: &str) -> Result<String> {
    Ok(option(message, name)?.as_str().unwrap_or_default().to_owned())
}

pub fn number(message: &DynamicMessage, name: &str) -> Result<i64> {
    let value = option(message, name)?;
    let signed = value.as_i32().map(i64::from).or(value.as_u32().map(i64::from));
    Ok(signed.or(value.as_enum_number().map(i64::from)).unwrap_or_default())
}

pub fn flag(message: &DynamicMessage, name: &str) -> Result<bool> {
    Ok(option(message, name)?.as_bool().unwrap_or_default())
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase().to_string()).unwrap_or_default();
    first + &letters.as_str().to_ascii_lowercase()
}

/// `HoursPerDay` as `HOURS_PER_DAY`.
pub fn screaming(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(c.to_ascii_uppercase());
    }
    out
}
