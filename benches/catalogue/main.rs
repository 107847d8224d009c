//! What it costs that every value is checked and every message built up from a mask, beside encoding alone.
//!
//! ```text
//! cargo bench --bench catalogue                # a table
//! cargo bench --bench catalogue -- --json      # one JSON object
//! cargo bench --bench catalogue -- --quick     # does it run? the figures are worth little
//! ```
//!
//! One thread. Each measurement is a loop over messages that were made before; what is done to a message, its end
//! included, counts. The pair of a ratio is measured in turns, in slices of some milliseconds.

#[path = "../common/figures.rs"]
mod figures;
#[path = "../common/options.rs"]
mod options;
mod report;
mod work;

use std::time::Duration;

use clap::Parser;

use self::{
    options::{Conditions, Options, progress},
    report::{Report, Row},
    work::{Task, tasks},
};

/// Whatever keeps a benchmark from its end.
pub type Fault = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, Parser)]
#[command(
    name = "catalogue",
    about = "What checking and masking a statement costs, beside encoding it alone"
)]
struct CommandLine {
    #[command(flatten)]
    options: Options,
}

fn main() -> Result<(), Fault> {
    let CommandLine { options } = CommandLine::parse();
    let conditions = options.conditions();
    options.print(&run(conditions)?)
}

fn run(conditions: Conditions) -> Result<Report, Fault> {
    let tasks = tasks()?;
    let mut measured = vec![Vec::new(); tasks.len()];
    for round in 1..=conditions.rounds {
        for (nanoseconds, rounds) in in_turns(&tasks, conditions.seconds).into_iter().zip(&mut measured) {
            rounds.push(nanoseconds);
        }
        progress(format_args!("round {round} of {}", conditions.rounds));
    }
    let rows = tasks.iter().zip(&measured).filter_map(|(task, rounds)| {
        let beside = task.beside.and_then(|name| {
            let at = tasks.iter().position(|task| task.name == name)?;
            Some((name, measured.get(at)?.as_slice()))
        });
        Row::new(task, rounds, beside)
    });
    Ok(Report { bench: "catalogue", conditions, tasks: rows.collect() })
}

/// Slice by slice of every task, until each had so many seconds. Gives the nanoseconds of one operation, by task.
fn in_turns(tasks: &[Task], seconds: f64) -> Vec<f64> {
    let mut spent = vec![(Duration::ZERO, 0_u32); tasks.len()];
    while spent.iter().any(|(time, _)| time.as_secs_f64() < seconds) {
        for (task, (time, operations)) in tasks.iter().zip(&mut spent) {
            let (took, count) = (task.slice)();
            *time += took;
            *operations += count;
        }
    }
    spent.iter().map(|(time, operations)| time.as_secs_f64() * 1e9 / f64::from(*operations)).collect()
}
