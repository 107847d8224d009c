//! The catalogue for a terminal: a field in a few lines, with the values of its lists.

use super::{
    super::{Entry, LeftOut, VERSION, never_carried, open},
    Language, form, groups, lists_of, metadata, sensitivity,
};

/// The whole catalogue, or these fields alone. A code that is left out is told with its reason; `None` if a code is not in
/// the catalogue at all.
#[must_use]
pub fn text(codes: &[String], language: Language) -> Option<String> {
    let mut out = String::new();
    if codes.is_empty() {
        whole(&mut out, language);
        return Some(out);
    }
    for code in codes {
        let entry = super::entries().find(|entry| entry.code == code);
        let row = || open().iter().chain(never_carried()).find(|row| row.code == code);
        match entry {
            Some(entry) => field(&mut out, entry, language),
            None => left_out(&mut out, row()?, language),
        }
    }
    Some(out)
}

fn whole(out: &mut String, language: Language) {
    let (title, md, open_title, never) = match language {
        Language::Dutch => {
            ("Catalogus", "Herkomst, komt mee met elke rubriek", "Nog open", "Nooit doorgegeven")
        }
        Language::English => ("Catalogue", "Metadata, comes with each group", "Open", "Never carried"),
    };
    line(out, format_args!("{title} {VERSION}\n"));
    for group in groups() {
        let label = if language == Language::Dutch { group.label_nl } else { group.label_en };
        line(out, format_args!("{}  {label}\n", group.code));
        group.fields().for_each(|of| field(out, of.entry(), language));
    }
    line(out, format_args!("MD  {md}\n"));
    metadata().iter().for_each(|entry| field(out, entry, language));
    line(out, format_args!("{open_title}\n"));
    open().iter().for_each(|row| left_out(out, row, language));
    line(out, format_args!("{never}\n"));
    never_carried().iter().for_each(|row| left_out(out, row, language));
}

fn field(out: &mut String, entry: &Entry, language: Language) {
    line(out, format_args!("{}  {}", entry.code, entry.label(language)));
    line(out, format_args!("    {}", entry.definition(language)));
    let icf = if entry.icf.is_empty() { String::new() } else { format!(", ICF {}", entry.icf) };
    let unit = if entry.unit.is_empty() { String::new() } else { format!(", {}", entry.unit) };
    line(out, format_args!("    {}{unit}; {}{icf}", form(&entry.form), entry.origin));
    line(
        out,
        format_args!("    {}; {}; {}", entry.path, entry.field_set, sensitivity(entry.sensitivity, language)),
    );
    for value in lists_of(&entry.form).into_iter().flat_map(|list| list.values) {
        let label = if language == Language::Dutch { value.label_nl } else { value.label_en };
        line(out, format_args!("      {}  {label}", value.name));
    }
    out.push('\n');
}

fn left_out(out: &mut String, row: &LeftOut, language: Language) {
    let (label, reason) = match language {
        Language::Dutch => (row.label_nl, row.reason_nl),
        Language::English => (row.label_en, row.reason_en),
    };
    line(out, format_args!("{}  {label}\n    {reason}\n", row.code));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.push_str(&text.to_string());
    out.push('\n');
}
