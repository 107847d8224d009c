//! The command line of a benchmark.

use std::{
    fmt::Display,
    fs,
    io::{self, Write as _},
};

use clap::Args;
use serde::Serialize;

use super::Fault;

/// What every benchmark can be told.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Print one JSON object, in place of a table
    #[arg(long)]
    json: bool,
    /// How long each measurement takes
    #[arg(long, default_value_t = 5.0, value_parser = seconds)]
    seconds: f64,
    /// How often each is done, in turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// One round of one second, to see that it runs
    #[arg(long)]
    quick: bool,
    /// Cargo adds this
    #[arg(long, hide = true)]
    bench: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=600.0).contains(seconds));
    seconds.ok_or_else(|| "must be 0.1 to 600".to_owned())
}

/// What a run was like.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Conditions {
    /// How long each measurement took.
    pub seconds: f64,
    /// How often each was done, in turns.
    pub rounds: u32,
    /// Processors that everything shared.
    pub processors: usize,
    /// What else ran: the load of the machine in the minute before.
    pub load_before: Option<f64>,
}

impl Options {
    /// What the run is to be like, and what the machine is like now.
    pub fn conditions(&self) -> Conditions {
        let (seconds, rounds) = if self.quick { (1.0, 1) } else { (self.seconds, self.rounds) };
        let loads = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Conditions {
            seconds,
            rounds,
            processors: std::thread::available_parallelism().map_or(0, Into::into),
            load_before: loads.split_whitespace().next().and_then(|load| load.parse().ok()),
        }
    }

    /// Prints what came of it.
    pub fn print(&self, report: &(impl Serialize + Display)) -> Result<(), Fault> {
        let mut output = io::stdout().lock();
        if self.json {
            writeln!(output, "{}", serde_json::to_string(report)?)?;
        } else {
            write!(output, "{report}")?;
        }
        Ok(())
    }
}

/// Tells whoever waits how far it is. What is printed in the end goes elsewhere.
pub fn progress(line: impl Display) {
    // Nobody has to listen.
    drop(writeln!(io::stderr(), "{line}"));
}
