//! The printed forms that a recorder has in use. A consent on any other form, or version of it, is not recorded (R05).

use serde::Deserialize;

use super::{faults::Item, text};
use crate::domain::Day;

/// A version of a printed form (toestemmingsformulier), with the texts that explain it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedForm {
    /// Its number, from the recorder's own list.
    pub number: u32,
    /// Its version.
    pub version: u32,
    /// Versions of the explanation that go with it (R07).
    pub explanations: Vec<u32>,
    /// First day on which it may have been signed.
    pub from: Day,
    /// Last day, if it has one.
    pub until: Option<Day>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawForm {
    number: u32,
    version: u32,
    explanations: Vec<u32>,
    from: toml::Value,
    until: Option<toml::Value>,
}

pub(super) fn printed_form(raw: &RawForm, item: &mut Item<'_>) -> Option<PrintedForm> {
    let from = item.take("form.from", text::day(&raw.from));
    let until = raw.until.as_ref().map(|until| item.take("form.until", text::day(until)));
    // An end that cannot be read must not become no end.
    let until = until.map_or(Some(None), |until| until.map(Some))?;
    let form = PrintedForm {
        number: raw.number,
        version: raw.version,
        explanations: raw.explanations.clone(),
        from: from?,
        until,
    };
    let name = format!("the form {} version {}", form.number, form.version);
    let in_range = |number: &u32| (1..=9999).contains(number);
    let numbers = [form.number, form.version].into_iter().chain(form.explanations.iter().copied());
    item.must(
        numbers.into_iter().all(|n| in_range(&n)),
        format_args!("{name} has a number outside 1 to 9999"),
    );
    item.must(!form.explanations.is_empty(), format_args!("{name} has no explanation (R07)"));
    item.must(
        form.until.is_none_or(|until| form.from <= until),
        format_args!("{name} ends before it starts"),
    );
    Some(form)
}
