//! Checks of composite values, called by the code generated from the descriptors: parts that belong together, each in
//! one canonical form, so that neither order nor repetition nor an empty item can carry anything.

use super::{
    Field, StatementFault,
    checks::{code, date, day, fault},
};
use crate::proto;

pub(super) fn period(field: Field, value: Option<&proto::Period>) -> Result<bool, StatementFault> {
    let Some(period) = value else { return Ok(false) };
    let start = date(field, period.start.as_ref(), None)?;
    let end = date(field, period.expected_end.as_ref(), None)?;
    if !start && !end {
        return fault(field, "has neither start nor end");
    }
    if let (Some(start), Some(end)) =
        (period.start.as_ref().and_then(day), period.expected_end.as_ref().and_then(day))
        && end < start
    {
        return fault(field, "ends before it starts");
    }
    Ok(true)
}

pub(super) fn placement(
    field: Field,
    value: Option<&proto::Placement>,
    latest: Option<time::Date>,
) -> Result<bool, StatementFault> {
    let Some(placement) = value else { return Ok(false) };
    date(field, placement.on.as_ref(), latest)?;
    match placement.placed {
        None => fault(field, "does not say whether the person was placed"),
        Some(false) if placement.on.is_some() => fault(field, "has a day without a placement"),
        Some(_) => Ok(true),
    }
}

pub(super) fn vehicle_use(field: Field, value: Option<&proto::VehicleUse>) -> Result<bool, StatementFault> {
    let Some(used) = value else { return Ok(false) };
    let commute = code::<proto::YesNoUnknown>(field, used.commute)?;
    let at_work = code::<proto::YesNoUnknown>(field, used.at_work)?;
    if !commute && !at_work {
        return fault(field, "says nothing");
    }
    Ok(true)
}

pub(super) fn actions(
    field: Field,
    values: &[proto::AgreedAction],
    most: usize,
) -> Result<bool, StatementFault> {
    bounded(field, values.len(), most)?;
    for value in values {
        if !code::<proto::ActionCode>(field, value.action)?
            || !code::<proto::ContactRole>(field, value.owner)?
        {
            return fault(field, "needs an action and an owner each");
        }
        date(field, value.due.as_ref(), None)?;
    }
    let keys = values.iter().map(|value| (value.due.as_ref().and_then(day), value.action, value.owner));
    ascending(field, keys)?;
    Ok(!values.is_empty())
}

pub(super) fn languages(
    field: Field,
    values: &[proto::LanguageSkill],
    most: usize,
) -> Result<bool, StatementFault> {
    bounded(field, values.len(), most)?;
    for value in values {
        let mut stated = false;
        for level in [value.speaking, value.writing, value.reading, value.listening] {
            stated |= code::<proto::LanguageLevel>(field, level)?;
        }
        if !code::<proto::Language>(field, value.language)? || !stated {
            return fault(field, "needs a language and a level each");
        }
    }
    ascending(field, values.iter().map(|value| value.language))?;
    Ok(!values.is_empty())
}

pub(super) fn masteries(
    field: Field,
    values: &[proto::CompetenceMastery],
    most: usize,
) -> Result<bool, StatementFault> {
    bounded(field, values.len(), most)?;
    for value in values {
        if !code::<proto::Competence>(field, value.competence)?
            || !code::<proto::MasteryLevel>(field, value.level)?
        {
            return fault(field, "needs a competence and a level each");
        }
    }
    ascending(field, values.iter().map(|value| value.competence))?;
    Ok(!values.is_empty())
}

fn bounded(field: Field, count: usize, most: usize) -> Result<(), StatementFault> {
    if count > most {
        return fault(field, "has more items than the catalogue allows");
    }
    Ok(())
}

fn ascending<K: PartialOrd>(
    field: Field,
    keys: impl Iterator<Item = K> + Clone,
) -> Result<(), StatementFault> {
    if !keys.clone().zip(keys.skip(1)).all(|(one, next)| one < next) {
        return fault(field, "must have its items in ascending order without repetition");
    }
    Ok(())
}
