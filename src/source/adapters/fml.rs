//! The FML of UWV as a table: a line per item, `bsn;item;option[;note]`. There is no public file format of the FML, so
//! this one is ours (docs/import.md). Items and options are looked up in the catalogue: an item is the `FML VI-2` that a
//! field comes from, an option is the code that a value has in the instrument. There is no second list of them here.

use super::{
    draft::{Draft, Words},
    fault::Reason,
    guard::{Expected, guard},
    record::{Intake, NotCarried},
    table::{BSN, Format, Header, unnamed},
};
use crate::catalogue::{ALL, Field};

const ITEM: &str = "item";
const OPTION: &str = "option";
const NOTE: &str = "note";

/// Items that are medical: the front page, and the side of the body. The rows of the catalogue that say so.
const MEDICAL: [(&str, &str); 3] = [("VB-1", "AV-10"), ("VB-2", "AV-11"), ("IV-2", "DH-02")];

/// Allergy, sensitivity to infection, skin barrier: of these goes on only that a further restriction exists (FO-09).
const FURTHER: [&str; 3] = ["III-8.1", "III-8.2", "III-8.3"];

/// The field that an item of the FML is the origin of.
fn field(item: &str) -> Option<Field> {
    ALL.into_iter().find(|field| field.entry().origin.strip_prefix("FML ") == Some(item))
}

/// Reads the lines of an FML.
#[derive(Debug)]
pub(super) struct Fml;

impl Format for Fml {
    const NEEDED: &'static [&'static str] = &[BSN, ITEM, OPTION];

    fn is_known(column: &str) -> bool {
        [BSN, ITEM, OPTION, NOTE].contains(&column)
    }

    fn header(&mut self, _: &Header) {}

    fn line(
        &self,
        header: &Header,
        cells: &[String],
        draft: &mut Draft,
        intake: &mut dyn Intake,
    ) -> Result<(), (String, Reason)> {
        let in_column = |column: &str| {
            let column = column.to_owned();
            move |reason| (column, reason)
        };
        for (at, (name, cell)) in header.columns().iter().zip(cells).enumerate() {
            let (known, expected) = match name.as_str() {
                BSN => (true, Expected::Bsn),
                ITEM | OPTION => (true, Expected::Code),
                NOTE => (true, Expected::FreeText),
                _ => (false, Expected::FreeText),
            };
            let place = || if known { name.clone() } else { unnamed(at) };
            if let Some(detector) = guard(cell, expected) {
                return Err((place(), Reason::Detected(detector)));
            }
            if !known && !cell.is_empty() {
                return Err((place(), Reason::Unknown));
            }
        }
        if !header.cell(cells, NOTE).is_empty() {
            intake.not_carried(NOTE, NotCarried::FreeText);
        }
        let (item, option) = (header.cell(cells, ITEM), header.cell(cells, OPTION));
        if let Some((_, code)) = MEDICAL.iter().find(|(medical, _)| *medical == item) {
            return Err((ITEM.to_owned(), Reason::NeverCarried(code)));
        }
        if FURTHER.contains(&item) {
            if option != "1" {
                return Err((OPTION.to_owned(), Reason::NotACode));
            }
            return draft.yes_no(Field::Fo08, true).map(drop).map_err(in_column(ITEM));
        }
        // A list of conditions, I-8 or II-12: its option is the item within it. An option of III-8 is a restriction.
        let listed = |option: &str| option != "0" && field(item).is_none_or(|field| field == Field::Fo08);
        if listed(option) && option.len() == 1 {
            let within = field(&format!("{item}.{option}"));
            let further = (item == "III-8" && ["1", "2", "3", "4"].contains(&option)).then_some(Field::Fo08);
            if let Some(field) = within.or(further) {
                return match draft.yes_no(field, true) {
                    Ok(new) if new || further.is_some() => Ok(()),
                    _ => Err((ITEM.to_owned(), Reason::Twice)),
                };
            }
        }
        let field = field(item).ok_or_else(|| (ITEM.to_owned(), Reason::Unknown))?;
        let new = draft.put(field, option, Words::Codes).map_err(|reason| {
            let column = if reason == Reason::Twice { ITEM } else { OPTION };
            (column.to_owned(), reason)
        })?;
        // Where III-8.1 said that a further restriction exists, III-8 may say so too.
        if new || field == Field::Fo08 { Ok(()) } else { Err((ITEM.to_owned(), Reason::Twice)) }
    }
}
