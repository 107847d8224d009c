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
