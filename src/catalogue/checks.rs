//! Checks of single values, called by the code generated from the descriptors. A declared type is not enough: prost
//! keeps undeclared enum numbers, and proto3 knows no range.

use super::Field;
use crate::proto;

/// A statement breaks the catalogue. Names the field by its code and never its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{code}` {fault}")]
pub struct StatementFault {
    /// Code of the field, or path of the group.
    pub code: &'static str,
    /// What is wrong.
    pub fault: &'static str,
}

pub(super) fn fault<T>(field: Field, fault: &'static str) -> Result<T, StatementFault> {
    Err(StatementFault { code: field.entry().code, fault })
}

/// An enum value that is stated and declared.
fn declared<E: TryFrom<i32>>(field: Field, value: i32) -> Result<(), StatementFault> {
    if value == 0 || E::try_from(value).is_err() {
        return fault(field, "is not a code of its list");
    }
    Ok(())
}

pub(super) fn code<E: TryFrom<i32>>(field: Field, value: Option<i32>) -> Result<bool, StatementFault> {
    let Some(value) = value else { return Ok(false) };
    declared::<E>(field, value)?;
    Ok(true)
}

/// A list of flags. The implementations are generated.
pub(super) trait Flag: TryFrom<i32> {
    /// The value that says "assessed, and none of these", if the list has one.
    const NONE: Option<i32>;
}

pub(super) fn flags<E: Flag>(field: Field, values: &[i32]) -> Result<bool, StatementFault> {
    for value in values {
        declared::<E>(field, *value)?;
    }
    // One canonical order: neither repetition nor order can carry anything.
    if !values.iter().zip(values.iter().skip(1)).all(|(one, next)| one < next) {
        return fault(field, "must be in ascending order without repetition");
    }
    if values.len() > 1 && E::NONE.is_some_and(|none| values.contains(&none)) {
        return fault(field, "cannot have `NONE` beside other codes");
    }
    Ok(!values.is_empty())
}

pub(super) fn number(field: Field, value: Option<i32>, min: i32, max: i32) -> Result<bool, StatementFault> {
    let Some(value) = value else { return Ok(false) };
    if !(min..=max).contains(&value) {
        return fault(field, "is out of its range");
    }
    Ok(true)
}

/// The calendar day that a date stands for.
pub(super) fn day(date: &proto::Date) -> Option<time::Date> {
    let month = u8::try_from(date.month).ok().and_then(|month| time::Month::try_from(month).ok())?;
    let day = u8::try_from(date.day).ok()?;
    (1900..=2199).contains(&date.year).then(|| time::Date::from_calendar_date(date.year, month, day).ok())?
}

/// A date, and with `latest` one that is not after it.
pub(super) fn date(
    field: Field,
    value: Option<&proto::Date>,
    latest: Option<time::Date>,
) -> Result<bool, StatementFault> {
    let Some(date) = value else { return Ok(false) };
    let Some(day) = day(date) else { return fault(field, "is not a calendar day") };
    if latest.is_some_and(|latest| day > latest) {
        return fault(field, "lies in the future");
    }
    Ok(true)
}

/// MD of a group: needed where the group has a value, so that everything released says who assessed it and when.
pub(super) fn assessment(
    group: &'static str,
    any: bool,
    value: Option<&proto::Assessment>,
    latest: time::Date,
) -> Result<(), StatementFault> {
    let fault = |fault| Err(StatementFault { code: group, fault });
    let Some(assessment) = value else {
        return if any { fault("has no assessment: who determined it, and when") } else { Ok(()) };
    };
    let declared =
        |value: Option<i32>, known: fn(i32) -> bool| value.is_none_or(|value| value != 0 && known(value));
    if !declared(assessment.assessor_role, |v| proto::AssessorRole::try_from(v).is_ok())
        || !declared(assessment.instrument, |v| proto::Instrument::try_from(v).is_ok())
        || !declared(assessment.certainty, |v| proto::Certainty::try_from(v).is_ok())
    {
        return fault("has an assessment with a code that is not in its list");
    }
    if any && (assessment.assessor_role.is_none() || assessment.determined_on.is_none()) {
        return fault("has no assessor's role or no day of assessment");
    }
    let versions = [assessment.instrument_major, assessment.instrument_minor];
    if versions.into_iter().flatten().any(|version| !(0..=99).contains(&version)) {
        return fault("has an instrument version out of its range");
    }
    let dates = [assessment.determined_on.as_ref(), assessment.valid_until.as_ref()];
    let [determined, until] = dates.map(|date| date.map(day));
    if determined == Some(None) || until == Some(None) {
        return fault("has an assessment on a day that is not in the calendar");
    }
    let (determined, until) = (determined.flatten(), until.flatten());
    if determined.is_some_and(|determined| determined > latest) {
        return fault("has an assessment that lies in the future");
    }
    if determined.zip(until).is_some_and(|(determined, until)| until < determined) {
        return fault("has an assessment that ends before it was determined");
    }
    Ok(())
}
