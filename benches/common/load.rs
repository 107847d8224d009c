//! Load with a fixed number of callers, each of whom calls again as soon as the last call was answered.

use std::time::{Duration, Instant};

use tokio::{task::JoinSet, time};

use super::Fault;

/// Somebody who calls.
pub trait Caller: Send + 'static {
    /// One call. A fault ends the measurement: what failed is not what was to be measured.
    fn call(&mut self) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// How long the calls took that were answered while it counted, the shortest first.
#[derive(Debug)]
pub struct Times {
    sorted: Vec<Duration>,
    seconds: f64,
}

impl Times {
    /// How many they are.
    pub fn count(&self) -> f64 {
        self.sorted.len() as f64
    }

    /// How many were answered in a second.
    pub fn per_second(&self) -> f64 {
        self.count() / self.seconds
    }

    /// What this share of them did not exceed, in milliseconds.
    pub fn percentile(&self, share: f64) -> f64 {
        let rank = (self.count() * share).ceil() as usize;
        self.sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |time| time.as_secs_f64() * 1_000.0)
    }
}

/// Lets them all call for so long. Before that, a fifth as long, the same calls are not counted. `at_edge` is called when
/// the count begins and when it ends.
pub async fn drive<C: Caller>(
    callers: impl IntoIterator<Item = C>,
    seconds: f64,
    mut at_edge: impl FnMut() -> Result<(), Fault>,
) -> Result<Times, Fault> {
    let from = Instant::now() + Duration::from_secs_f64(seconds / 5.0);
    let until = from + Duration::from_secs_f64(seconds);
    let mut calling = JoinSet::new();
    for mut caller in callers {
        calling.spawn(async move {
            let mut times = Vec::new();
            loop {
                let called = Instant::now();
                if called >= until {
                    return Ok::<_, Fault>(times);
                }
                caller.call().await?;
                let answered = Instant::now();
                if (from..until).contains(&answered) {
                    times.push(answered - called);
                }
            }
        });
    }
    time::sleep_until(from.into()).await;
    at_edge()?;
    time::sleep_until(until.into()).await;
    at_edge()?;
    let mut sorted = Vec::new();
    while let Some(times) = calling.join_next().await {
        sorted.append(&mut times??);
    }
    sorted.sort_unstable();
    Ok(Times { sorted, seconds })
}
