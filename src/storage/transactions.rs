//! Transactions by name: which faults ask for the same again, how often at most, and what became of each.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use super::StoreFault;

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransactionName {
    /// A batch of the log.
    Batch,
    /// Looking whether a batch whose commit was lost is there.
    Settle,
    /// A page of a copy.
    Copy,
}

impl TransactionName {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Batch, Self::Settle, Self::Copy];

    /// The name in counts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Settle => "settle",
            Self::Copy => "copy",
        }
    }
}

/// What became of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attempt {
    /// Committed.
    Committed,
    /// Rolled back, and to be tried again.
    Again,
    /// Rolled back: no room.
    Full,
    /// Rolled back: busy, or tried often enough.
    Busy,
    /// Unknown: the connection was lost during the commit.
    Lost,
    /// Failed for good.
    Failed,
}

impl Attempt {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Committed, Self::Again, Self::Full, Self::Busy, Self::Lost, Self::Failed];

    /// The name in counts.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Again => "again",
            Self::Full => "full",
            Self::Busy => "busy",
            Self::Lost => "lost",
            Self::Failed => "failed",
        }
    }

    const fn of<T>(result: &Result<T, StoreFault>) -> Self {
        match result {
            Ok(_) => Self::Committed,
            Err(StoreFault::Again(_)) => Self::Again,
            Err(StoreFault::Full) => Self::Full,
            Err(StoreFault::Busy) => Self::Busy,
            Err(StoreFault::Lost) => Self::Lost,
            Err(StoreFault::Fatal(_) | StoreFault::Corrupt(_)) => Self::Failed,
        }
    }
}

/// How often a transaction is tried at most.
pub const MOST_ATTEMPTS: u32 = 4;

/// Counts of a store's transactions, by name and by what became of them.
#[derive(Default)]
pub struct Transactions {
    counts: [[AtomicU64; Attempt::ALL.len()]; TransactionName::ALL.len()],
}

impl Transactions {
    fn counter(&self, name: TransactionName, attempt: Attempt) -> Option<&AtomicU64> {
        self.counts.get(name as usize)?.get(attempt as usize)
    }

    /// How many attempts at this transaction ended so.
    #[must_use]
    pub fn count(&self, name: TransactionName, attempt: Attempt) -> u64 {
        self.counter(name, attempt).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    fn add(&self, name: TransactionName, attempt: Attempt) {
        if let Some(count) = self.counter(name, attempt) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Begins to try a transaction.
    #[must_use]
    pub const fn trying(&self, name: TransactionName) -> Tries<'_> {
        Tries { counts: self, name, made: 0 }
    }

    /// All counts that are not zero.
    pub fn all(&self) -> impl Iterator<Item = (TransactionName, Attempt, u64)> {
        let every = TransactionName::ALL.into_iter();
        let every = every.flat_map(|name| Attempt::ALL.map(|attempt| (name, attempt)));
        every
            .map(|(name, attempt)| (name, attempt, self.count(name, attempt)))
            .filter(|(_, _, count)| *count > 0)
    }
}

impl fmt::Debug for Transactions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self
            .all()
            .map(|(name, attempt, count)| (format!("{}.{}", name.as_str(), attempt.as_str()), count));
        f.debug_map().entries(named).finish()
    }
}

/// The attempts at one transaction.
#[derive(Debug)]
pub struct Tries<'a> {
    counts: &'a Transactions,
    name: TransactionName,
    made: u32,
}

impl Tries<'_> {
    /// Counts an attempt. `None` asks for another one, after a short wait that has passed already.
    pub async fn made<T>(&mut self, result: Result<T, StoreFault>) -> Option<Result<T, StoreFault>> {
        self.made += 1;
        self.counts.add(self.name, Attempt::of(&result));
        match result {
            Err(StoreFault::Again(why)) if self.made < MOST_ATTEMPTS => {
                tracing::warn!(transaction = self.name.as_str(), attempt = self.made, why, "tried again");
                // 10, 40, 90 ms, and up to as much again by chance, so that two that crossed do not cross once more.
                let wait = u64::from(10 * self.made * self.made);
                let chance = crate::domain::random::bytes::<1>().map_or(0, |[byte]| u64::from(byte));
                tokio::time::sleep(Duration::from_millis(wait + wait * chance / 256)).await;
                None
            }
            Err(StoreFault::Again(_)) => Some(Err(StoreFault::Busy)),
            result => Some(result),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_asks_for_it_is_tried_again_and_not_for_ever() {
        let counts = Transactions::default();
        let mut tries = counts.trying(TransactionName::Batch);
        let mut made = 0;
        let last = loop {
            made += 1;
            if let Some(last) = tries.made::<()>(Err(StoreFault::Again("deadlock"))).await {
                break last;
            }
        };
        assert_eq!((made, last), (MOST_ATTEMPTS, Err(StoreFault::Busy)));
        for fault in [StoreFault::Full, StoreFault::Busy, StoreFault::Lost, StoreFault::Corrupt("x")] {
            let mut tries = counts.trying(TransactionName::Settle);
            assert_eq!(tries.made::<()>(Err(fault.clone())).await, Some(Err(fault)));
        }
        assert_eq!(counts.trying(TransactionName::Batch).made(Ok(7)).await, Some(Ok(7)));
        assert_eq!(counts.count(TransactionName::Batch, Attempt::Again), u64::from(MOST_ATTEMPTS));
        assert_eq!(
            format!("{counts:?}"),
            "{\"batch.committed\": 1, \"batch.again\": 4, \"settle.full\": 1, \
             \"settle.busy\": 1, \"settle.lost\": 1, \"settle.failed\": 1}"
        );
    }
}
