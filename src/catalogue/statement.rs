//! A source's statement whose every value was checked: the only thing that an answer is built from.

use super::{Mask, StatementFault, build, check, together};
use crate::proto;

/// A source's statement whose every value was checked.
#[derive(Clone, Debug)]
pub struct CheckedStatement {
    message: proto::WorkCapacity,
    present: Mask,
}

impl CheckedStatement {
    /// Checks every value of a statement, as of `today`: what has happened cannot lie ahead. A day of grace covers that
    /// days here are of UTC and those of a source are Dutch.
    ///
    /// # Errors
    /// Names the field whose value breaks the catalogue; the whole statement is refused then.
    pub fn new(message: proto::WorkCapacity, today: time::Date) -> Result<Self, StatementFault> {
        let present = check(&message, today.next_day().unwrap_or(today))?;
        together::check(&message)?;
        Ok(Self { message, present })
    }

    /// A statement that says nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self { message: proto::WorkCapacity::default(), present: Mask::EMPTY }
    }

    /// The fields it holds.
    #[must_use]
    pub const fn present(&self) -> Mask {
        self.present
    }

    /// A new message with the fields of `mask` that the statement holds, and nothing else (P02).
    #[must_use]
    pub fn build(&self, mask: Mask) -> proto::WorkCapacity {
        build(mask, &self.message)
    }

    /// A new statement with the fields of `mask` that this one holds, and nothing else (P02).
    #[must_use]
    pub fn narrowed(&self, mask: Mask) -> Self {
        Self { message: self.build(mask), present: self.present.and(mask) }
    }

    /// What leaves for a requester: built up from `mask`, and checked once more as it leaves, value by value. Gives the
    /// message and the fields that it holds.
    ///
    /// # Errors
    /// If the built message breaks the catalogue or holds more than the mask. It cannot, unless the way in was wrong.
    pub fn release(
        &self,
        mask: Mask,
        today: time::Date,
    ) -> Result<(proto::WorkCapacity, Mask), StatementFault> {
        let leaving = Self::new(self.build(mask), today)?;
        if !leaving.present.is_subset_of(mask) {
            return Err(StatementFault { code: "statement", fault: "holds more than its mask" });
        }
        Ok((leaving.message, leaving.present))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{Field, example};

    const TODAY: time::Date = time::macros::date!(2026 - 05 - 20);

    fn day(day: i32) -> Option<proto::Date> {
        Some(proto::Date { year: 2026, month: 5, day })
    }

    #[test]
    fn what_has_happened_does_not_lie_ahead() {
        let assessed = |determined_on, valid_until| {
            let mut statement = example::full(0);
            let assessment = statement.support.as_mut().unwrap().assessment.as_mut().unwrap();
            (assessment.determined_on, assessment.valid_until) = (determined_on, valid_until);
            CheckedStatement::new(statement, TODAY).err().map(|fault| (fault.code, fault.fault))
        };
        assert_eq!(assessed(day(21), None), None, "a day of grace");
        assert_eq!(assessed(day(22), None), Some(("support", "has an assessment that lies in the future")));
        assert_eq!(assessed(day(4), day(28)), None);
        let backwards = "has an assessment that ends before it was determined";
        assert_eq!(assessed(day(4), day(3)), Some(("support", backwards)));
        let wage = |value| {
            let mut statement = example::full(0);
            statement.schemes.as_mut().unwrap().wage_value_determined_on = value;
            CheckedStatement::new(statement, TODAY).err().map(|fault| fault.code)
        };
        assert_eq!((wage(day(20)), wage(day(25))), (None, Some("RG-07")));
    }

    #[test]
    fn p02_what_leaves_is_the_mask_and_is_checked_again() {
        let statement = CheckedStatement::new(example::full(5), TODAY).unwrap();
        let mask = [Field::Wt02, Field::Pf10, Field::Mt16].into_iter().collect();
        let (leaving, fields) = statement.release(mask, TODAY).unwrap();
        assert_eq!(fields, mask);
        assert_eq!(CheckedStatement::new(leaving, TODAY).unwrap().present(), mask);
        assert_eq!(statement.narrowed(mask).present(), mask);
        assert_eq!(statement.narrowed(Mask::EMPTY).message, proto::WorkCapacity::default());
        // A statement that could not have come in does not go out either.
        let mut broken = statement.clone();
        broken.message.working_hours.as_mut().unwrap().hours_per_day = Some(4711);
        assert_eq!(broken.release(mask, TODAY).unwrap_err().code, "WT-02");
        assert_eq!(broken.release(Mask::EMPTY.with(Field::Wt03), TODAY).unwrap().1.len(), 1);
    }
}
