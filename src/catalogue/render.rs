//! The catalogue for people and programs: JSON, CSV, text and Markdown, all from the same tables.

use super::{ALL, Entry, Form, List, Sensitivity, groups, metadata};

mod json;
mod markdown;
mod table;
mod text;

pub use json::{digest, json, printed};
pub use markdown::markdown;
pub use table::csv;
pub use text::text;

/// The language of labels and definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Dutch.
    Dutch,
    /// English.
    English,
}

impl Entry {
    /// Its label.
    #[must_use]
    pub const fn label(&self, language: Language) -> &'static str {
        match language {
            Language::Dutch => self.label_nl,
            Language::English => self.label_en,
        }
    }

    /// Its definition.
    #[must_use]
    pub const fn definition(&self, language: Language) -> &'static str {
        match language {
            Language::Dutch => self.definition_nl,
            Language::English => self.definition_en,
        }
    }
}

/// Fields of the groups and of MD, in the order of the catalogue.
fn entries() -> impl Iterator<Item = &'static Entry> {
    ALL.into_iter().map(super::Field::entry).chain(metadata())
}

/// The form of values in a word or two, with the name of the list.
fn form(form: &Form) -> String {
    match form {
        Form::Code(list) => format!("code of {}", list.name),
        Form::Codes(list) => format!("codes of {}", list.name),
        Form::Number { min, max } => format!("number {min} to {max}"),
        Form::YesNo => "yes or no".to_owned(),
        Form::Day => "day".to_owned(),
        Form::Organisation => "organisation".to_owned(),
        Form::Parts { parts, most } => {
            let parts: Vec<_> =
                parts.iter().map(|part| format!("{} ({})", part.name, self::form(&part.form))).collect();
            let times = if *most > 1 { format!("up to {most} times: ") } else { String::new() };
            times + &parts.join(", ")
        }
    }
}

/// The lists that a form names, each once.
fn lists_of(form: &Form) -> Vec<&'static List> {
    match form {
        Form::Code(list) | Form::Codes(list) => vec![list],
        Form::Parts { parts, .. } => {
            let mut lists: Vec<&'static List> = parts.iter().flat_map(|part| lists_of(&part.form)).collect();
            lists.dedup_by_key(|list| list.name);
            lists
        }
        Form::Number { .. } | Form::YesNo | Form::Day | Form::Organisation => Vec::new(),
    }
}

/// What a sensitivity means, for people.
const fn sensitivity(sensitivity: Sensitivity, language: Language) -> &'static str {
    match (sensitivity, language) {
        (Sensitivity::S0, Language::Dutch) => "S0, gewoon persoonsgegeven",
        (Sensitivity::S1, Language::Dutch) => "S1, gezondheid is eruit af te leiden",
        (Sensitivity::S2, Language::Dutch) => "S2, sterk onthullend: apart aan te kruisen",
        (Sensitivity::S0, Language::English) => "S0, ordinary personal data",
        (Sensitivity::S1, Language::English) => "S1, health can be inferred",
        (Sensitivity::S2, Language::English) => "S2, strongly revealing: a tick of its own",
    }
}

#[cfg(test)]
mod tests;
