//! How long something takes, done many times by one caller.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::common::Fault;

/// Milliseconds that half of them, and all but one in a hundred, did not exceed.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Timed {
    /// Half.
    pub p50_ms: f64,
    /// All but one in a hundred.
    pub p99_ms: f64,
}

impl Timed {
    /// Does it so often.
    pub async fn of(
        times: usize,
        mut act: impl AsyncFnMut(usize) -> Result<(), Fault>,
    ) -> Result<Self, Fault> {
        let mut took = Vec::with_capacity(times);
        for n in 0..times {
            let begun = Instant::now();
            act(n).await?;
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        let share = |share: usize| {
            let at = (took.len() * share / 100).min(took.len().saturating_sub(1));
            took.get(at).map_or(f64::NAN, millis)
        };
        Ok(Self { p50_ms: share(50), p99_ms: share(99) })
    }
}

/// In milliseconds, to the microsecond.
fn millis(time: &Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
