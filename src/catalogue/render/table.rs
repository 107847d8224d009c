//! The catalogue as CSV (RFC 4180): a header, and a row for each carried field.

use super::{Language, entries, form, lists_of};

/// Columns of the table. `code` stands first; scripts rely on the names.
const COLUMNS: [&str; 12] = [
    "code",
    "path",
    "label",
    "definition",
    "origin",
    "icf",
    "sensitivity",
    "field_set",
    "unit",
    "form",
    "list",
    "values",
];

/// The carried fields, MD included.
#[must_use]
pub fn csv(language: Language) -> String {
    let mut out = COLUMNS.join(",") + "\r\n";
    for entry in entries() {
        let lists = lists_of(&entry.form);
        let names: Vec<_> = lists.iter().map(|list| list.name).collect();
        let values: Vec<_> = lists.iter().flat_map(|list| list.values).map(|value| value.name).collect();
        let (form, names, values) = (form(&entry.form), names.join(" "), values.join(" "));
        let cells = [
            entry.code,
            entry.path,
            entry.label(language),
            entry.definition(language),
            entry.origin,
            entry.icf,
            entry.sensitivity.as_str(),
            entry.field_set,
            entry.unit,
            &form,
            &names,
            &values,
        ];
        out += &cells.map(quoted).join(",");
        out += "\r\n";
    }
    out
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
