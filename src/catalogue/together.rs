//! Values that are each allowed and cannot both be true. A statement that says such a thing is wrong somewhere, and
//! nobody can tell where, so it is refused as a whole.

use super::{
    Field, StatementFault,
    checks::{day, fault},
};
use crate::proto;

pub(super) fn check(message: &proto::WorkCapacity) -> Result<(), StatementFault> {
    if let Some(hours) = &message.working_hours {
        if hours.min_hours_per_week.zip(hours.max_hours_per_week).is_some_and(|(min, max)| max < min) {
            return fault(Field::Wt06, "is less than the minimum");
        }
        in_order(Field::Wt10, hours.available_from.as_ref(), hours.available_until.as_ref())?;
    }
    if let Some(schemes) = &message.schemes {
        in_order(Field::Rg03, schemes.registered_on.as_ref(), schemes.registration_ends_on.as_ref())?;
    }
    Ok(())
}

fn in_order(
    field: Field,
    from: Option<&proto::Date>,
    until: Option<&proto::Date>,
) -> Result<(), StatementFault> {
    if from.and_then(day).zip(until.and_then(day)).is_some_and(|(from, until)| until < from) {
        return fault(field, "ends before it starts");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{CheckedStatement, example};

    const TODAY: time::Date = time::macros::date!(2026 - 05 - 20);

    fn wrong(change: impl FnOnce(&mut proto::WorkCapacity)) -> Option<&'static str> {
        let mut statement = example::full(0);
        change(&mut statement);
        CheckedStatement::new(statement, TODAY).err().map(|fault| fault.code)
    }

    fn day(day: i32) -> Option<proto::Date> {
        Some(proto::Date { year: 2026, month: 4, day })
    }

    #[test]
    fn bounds_are_in_order() {
        let hours = |min, max| {
            wrong(|statement| {
                let group = statement.working_hours.as_mut().unwrap();
                (group.min_hours_per_week, group.max_hours_per_week) = (min, max);
            })
        };
        assert_eq!(hours(Some(12), Some(12)), None);
        assert_eq!(hours(Some(12), None), None);
        assert_eq!(hours(Some(13), Some(12)), Some("WT-06"));
        let available = |from, until| {
            wrong(|statement| {
                let group = statement.working_hours.as_mut().unwrap();
                (group.available_from, group.available_until) = (from, until);
            })
        };
        assert_eq!(available(day(3), day(3)), None);
        assert_eq!(available(day(4), day(3)), Some("WT-10"));
        let registered = |from, until| {
            wrong(|statement| {
                let group = statement.schemes.as_mut().unwrap();
                (group.registered_on, group.registration_ends_on) = (from, until);
            })
        };
        assert_eq!(registered(day(3), None), None);
        assert_eq!(registered(day(4), day(3)), Some("RG-03"));
    }
}
