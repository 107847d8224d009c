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
