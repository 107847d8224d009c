//! A circuit breaker: a source that failed several times in a row is left alone for a while, and then tried once.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::domain::{Clock, Timestamp};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Calls pass; so many failed in a row.
    Closed { failures: u32 },
    /// No call passes.
    Open { since: Timestamp },
    /// One call is out to try.
    Trying { since: Timestamp },
}

/// The breaker of one source.
#[derive(Debug)]
pub(super) struct Breaker {
    state: Mutex<State>,
    threshold: u32,
    open_millis: i64,
    clock: Arc<dyn Clock>,
}

/// Leave for one call. Says how the call went; dropped without a word, it counts as neither.
#[derive(Debug)]
#[must_use]
pub(super) struct Attempt<'a> {
    breaker: &'a Breaker,
    trial: bool,
    told: bool,
}

impl Breaker {
    /// Opens after `threshold` failures in a row, for `open`.
    pub(super) fn new(threshold: u32, open: Duration, clock: Arc<dyn Clock>) -> Self {
        let open_millis = i64::try_from(open.as_millis()).unwrap_or(i64::MAX);
        Self { state: Mutex::new(State::Closed { failures: 0 }), threshold, open_millis, clock }
    }

    // A thread that panicked cannot have left half a state: it is one word that is replaced as a whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it was open for long enough. A clock that was set back must not keep it open for ever.
    fn is_over(&self, since: Timestamp) -> bool {
        let now = self.clock.now();
        now < since || now >= since.plus_millis(self.open_millis)
    }

    /// Leave for one call; none while it is open, or while another call is out to try.
    pub(super) fn attempt(&self) -> Option<Attempt<'_>> {
        let mut state = self.state();
        let trial = match *state {
            State::Closed { .. } => false,
            // A trial that never came back is replaced by another one.
            State::Open { since } | State::Trying { since } if self.is_over(since) => {
                *state = State::Trying { since: self.clock.now() };
                true
            }
            State::Open { .. } | State::Trying { .. } => return None,
        };
        Some(Attempt { breaker: self, trial, told: false })
    }

    /// Whether a call would be turned away now.
    pub(super) fn is_open(&self) -> bool {
        match *self.state() {
            State::Closed { .. } => false,
            State::Open { since } | State::Trying { since } => !self.is_over(since),
        }
    }
}

impl Attempt<'_> {
    /// The source answered, whatever it said.
    pub(super) fn answered(mut self) {
        self.told = true;
        *self.breaker.state() = State::Closed { failures: 0 };
    }

    /// The source did not answer.
    pub(super) fn failed(mut self) {
        self.told = true;
        let now = self.breaker.clock.now();
        let mut state = self.breaker.state();
        *state = match *state {
            State::Closed { failures } if failures + 1 < self.breaker.threshold => {
                State::Closed { failures: failures + 1 }
            }
            State::Closed { .. } => State::Open { since: now },
            State::Trying { .. } if self.trial => State::Open { since: now },
            // A call from before it opened: it tells nothing new.
            open => open,
        };
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.trial && !self.told {
            // The caller went away before the source could show anything: let the next call try.
            let mut state = self.breaker.state();
            if let State::Trying { since } = *state {
                *state = State::Open { since: since.plus_millis(-self.breaker.open_millis) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::ManualClock;

    const START: i64 = 1_000_000;

    fn breaker() -> (Breaker, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(START)));
        (Breaker::new(3, Duration::from_secs(10), Arc::clone(&clock) as Arc<dyn Clock>), clock)
    }

    fn fail(breaker: &Breaker, times: usize) {
        for _ in 0..times {
            breaker.attempt().unwrap().failed();
        }
    }

    #[test]
    fn opens_after_failures_in_a_row_only() {
        let (breaker, _clock) = breaker();
        fail(&breaker, 2);
        breaker.attempt().unwrap().answered();
        fail(&breaker, 2);
        assert!(!breaker.is_open());
        fail(&breaker, 1);
        assert!(breaker.is_open());
        assert!(breaker.attempt().is_none());
    }

    #[test]
    fn tries_once_when_its_time_is_over() {
        let (breaker, clock) = breaker();
        fail(&breaker, 3);
        clock.set(Timestamp::from_millis(START + 10_000));
        let trial = breaker.attempt().unwrap();
        assert!(breaker.attempt().is_none(), "one trial at a time");
        trial.failed();
        assert!(breaker.attempt().is_none(), "a failed trial opens it again");
        clock.set(Timestamp::from_millis(START + 20_000));
        breaker.attempt().unwrap().answered();
        assert!(!breaker.is_open());
    }

    #[test]
    fn a_trial_that_was_dropped_is_no_verdict() {
        let (breaker, clock) = breaker();
        fail(&breaker, 3);
        clock.set(Timestamp::from_millis(START + 10_000));
        drop(breaker.attempt().unwrap());
        breaker.attempt().unwrap().answered();
        assert!(!breaker.is_open());
    }

    #[test]
    fn a_late_failure_of_an_older_call_does_not_prolong_it() {
        let (breaker, clock) = breaker();
        let old = breaker.attempt().unwrap();
        fail(&breaker, 3);
        clock.set(Timestamp::from_millis(START + 9_000));
        old.failed();
        clock.set(Timestamp::from_millis(START + 10_000));
        assert!(breaker.attempt().is_some());
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_open() {
        let (breaker, clock) = breaker();
        fail(&breaker, 3);
        clock.set(Timestamp::from_millis(0));
        assert!(breaker.attempt().is_some());
    }
}
