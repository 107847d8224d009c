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

#[cfg(test)]
mod tests {
    use crate::{
        catalogue::{CheckedStatement, example},
        proto::{self, *},
    };

    const TODAY: time::Date = time::macros::date!(2026 - 05 - 20);

    fn on(month: i32, day: i32) -> Option<Date> {
        Some(Date { year: 2026, month, day })
    }

    /// What is wrong with a full statement once this is changed in it.
    fn wrong(change: impl FnOnce(&mut Trajectory, &mut Matching)) -> Option<(&'static str, &'static str)> {
        let mut statement: proto::WorkCapacity = example::full(0);
        let (trajectory, matching) = (&mut statement.trajectory, &mut statement.matching);
        change(trajectory.as_mut().unwrap(), matching.as_mut().unwrap());
        CheckedStatement::new(statement, TODAY).err().map(|fault| (fault.code, fault.fault))
    }

    #[test]
    fn periods_and_placements() {
        let period = |start, expected_end| {
            wrong(|trajectory, _| trajectory.period = Some(Period { start, expected_end }))
        };
        assert_eq!(period(on(2, 1), on(2, 1)), None);
        assert_eq!(period(on(2, 1), None), None);
        assert_eq!(period(on(2, 2), on(2, 1)), Some(("TR-02", "ends before it starts")));
        assert_eq!(period(None, None), Some(("TR-02", "has neither start nor end")));
        assert_eq!(period(on(2, 30), None), Some(("TR-02", "is not a calendar day")));
        let placement =
            |placed, on| wrong(|trajectory, _| trajectory.placement = Some(Placement { placed, on }));
        assert_eq!(placement(Some(true), on(5, 21)), None, "a day of grace");
        assert_eq!(placement(Some(true), on(5, 22)), Some(("TR-05", "lies in the future")));
        assert_eq!(placement(Some(false), on(1, 1)), Some(("TR-05", "has a day without a placement")));
        assert_eq!(placement(None, on(1, 1)), Some(("TR-05", "does not say whether the person was placed")));
    }

    #[test]
    fn lists_have_one_order_and_an_end() {
        let order = "must have its items in ascending order without repetition";
        let many = "has more items than the catalogue allows";
        assert_eq!(wrong(|_, matching| matching.languages.swap(0, 1)), Some(("MT-16", order)));
        assert_eq!(
            wrong(|_, matching| matching.languages[1] = matching.languages[0]),
            Some(("MT-16", order))
        );
        assert_eq!(
            wrong(|_, matching| matching.languages.push(matching.languages[9])),
            Some(("MT-16", many))
        );
        assert_eq!(wrong(|_, matching| matching.competence_mastery.swap(3, 4)), Some(("MT-18", order)));
        assert_eq!(wrong(|trajectory, _| trajectory.agreed_actions.reverse()), Some(("TR-06", order)));
        let eleven = |trajectory: &mut Trajectory, _: &mut Matching| {
            trajectory.agreed_actions.push(trajectory.agreed_actions[9]);
        };
        assert_eq!(wrong(eleven), Some(("TR-06", many)));
    }

    #[test]
    fn items_say_something() {
        let language = "needs a language and a level each";
        assert_eq!(wrong(|_, m| m.languages[0].language = None), Some(("MT-16", language)));
        let mute = |_: &mut Trajectory, matching: &mut Matching| {
            matching.languages[0] = LanguageSkill { language: Some(1), ..Default::default() };
        };
        assert_eq!(wrong(mute), Some(("MT-16", language)));
        assert_eq!(
            wrong(|_, m| m.languages[0].speaking = Some(7)),
            Some(("MT-16", "is not a code of its list"))
        );
        assert_eq!(
            wrong(|_, m| m.competence_mastery[0].level = None),
            Some(("MT-18", "needs a competence and a level each"))
        );
        assert_eq!(
            wrong(|_, m| m.vehicle_use = Some(VehicleUse::default())),
            Some(("MT-10", "says nothing"))
        );
        assert_eq!(
            wrong(|t, _| t.agreed_actions[0].owner = None),
            Some(("TR-06", "needs an action and an owner each"))
        );
    }
}
