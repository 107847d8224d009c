//! The figures of a run, as JSON and as a table.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::{figures::Spread, options::Conditions, work::Task};

/// One operation over the rounds.
#[derive(Debug, Serialize)]
pub struct Row {
    task: &'static str,
    nanoseconds: Spread,
    /// What it is held against.
    beside: Option<&'static str>,
    /// Its time to that of the other, round by round.
    ratio: Option<Spread>,
}

impl Row {
    /// From the nanoseconds of an operation in each round, and those of the task that it is held against.
    pub fn new(task: &Task, rounds: &[f64], beside: Option<(&'static str, &[f64])>) -> Option<Self> {
        Some(Self {
            task: task.name,
            nanoseconds: Spread::of(rounds.iter().copied())?,
            beside: beside.map(|(name, _)| name),
            ratio: beside.and_then(|(_, others)| Spread::ratio(rounds, others)),
        })
    }
}

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Always `catalogue`.
    pub bench: &'static str,
    /// What it was like.
    #[serde(flatten)]
    pub conditions: Conditions,
    /// By task.
    pub tasks: Vec<Row>,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Conditions { seconds, rounds, .. } = self.conditions;
        writeln!(
            f,
            "one thread; {rounds} round(s) of {seconds} s; medians, with the least and the greatest of the rounds\n\n\
             {:<48}{:>24}  {:<18}",
            "", "ns", "of the other alone"
        )?;
        let spread = |spread: &Spread, digits| {
            let Spread { median, min, max } = spread;
            format!("{median:.digits$} ({min:.digits$}-{max:.digits$})")
        };
        for row in &self.tasks {
            let ratio = row.ratio.as_ref().map(|ratio| spread(ratio, 2)).unwrap_or_default();
            writeln!(f, "{:<48}{:>24}  {ratio:<18}", row.task, spread(&row.nanoseconds, 0))?;
        }
        Ok(())
    }
}
