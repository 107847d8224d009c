//! What the log costs, and whether it stays so when it grows.
//!
//! ```text
//! cargo bench --bench log                # a table; logs of up to a million entries
//! cargo bench --bench log -- --full      # and of ten million: about 20 GB of disk, and an hour
//! cargo bench --bench log -- --json      # one JSON object
//! cargo bench --bench log -- --quick --up-to 10000   # does it run? the figures are worth little
//! ```
//!
//! Three things, each beside something that does no more than it must, in the same run: durable entries beside a bare group
//! commit of as many bytes; verifying an export beside hashing its files; a log of a million entries beside one of ten
//! thousand. All on SQLite; the bench `store` has the first on PostgreSQL too.

#[path = "../store/bare.rs"]
#[allow(dead_code, reason = "shared with the bench of the stores")]
mod bare;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "shared with other benches")]
mod common;
mod grown;
#[path = "../store/log.rs"]
mod log;
mod report;
mod timed;
mod verified;

use clap::Parser;

use self::{
    bare::Bare,
    common::{
        Fault,
        load::{self, Times},
        options::{Conditions, Options, progress},
    },
    grown::Grown,
    log::Log,
    report::{Commits, Report},
};

/// Callers at a time.
const CALLERS: [usize; 4] = [1, 8, 32, 128];
/// Entries of the logs that are looked at, up to where it is to go.
const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, LARGEST];
const LARGEST: u64 = 10_000_000;
/// A larger log is not exported: its files would be as many bytes again.
const EXPORTED: u64 = 1_000_000;

#[derive(Debug, Parser)]
#[command(name = "log", about = "What the log costs, and whether it stays so when it grows")]
struct CommandLine {
    #[command(flatten)]
    options: Options,
    /// Entries of the largest log
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(10_000..))]
    up_to: u64,
    /// Up to ten million entries
    #[arg(long)]
    full: bool,
}

fn main() -> Result<(), Fault> {
    let CommandLine { options, up_to, full } = CommandLine::parse();
    let up_to = if full { LARGEST } else { up_to };
    let sizes: Vec<u64> = SIZES.into_iter().filter(|size| *size <= up_to).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    options.print(&runtime.block_on(run(options.conditions(), &sizes))?)
}

async fn run(conditions: Conditions, sizes: &[u64]) -> Result<Report, Fault> {
    let (entry_bytes, commits) = commits(conditions).await?;
    let mut grown = Grown::begin().await?;
    let (mut growth, mut verified) = (Vec::new(), Vec::new());
    for size in sizes {
        let built = grown.grow_to(*size).await?;
        progress(format_args!("{size} entries, {built:.0}/s"));
        growth.push(grown.measure(built).await?);
        if *size <= EXPORTED {
            let row = verified::measure(&grown, conditions.rounds).await?;
            progress(format_args!("{} entries/s verified", row.entries_per_second.median));
            verified.push(row);
        }
    }
    grown.end().await;
    Ok(Report { bench: "log", conditions, entry_bytes, commits, verified, growth })
}

/// Durable entries by number of callers, of the log and of a bare group commit in turns.
async fn commits(conditions: Conditions) -> Result<(usize, Vec<Commits>), Fault> {
    let Conditions { seconds, rounds, .. } = conditions;
    let folder = tempfile::tempdir()?;
    let log = Log::start(folder.path(), "sqlite", None).await?;
    let bare = Bare::on_sqlite(&folder.path().join("bare.db"), log.entry_bytes().await?).await?;
    let mut rows: [(usize, Vec<Times>, Vec<Times>); 4] =
        CALLERS.map(|callers| (callers, Vec::new(), Vec::new()));
    for round in 1..=rounds {
        for (callers, of_log, of_bare) in &mut rows {
            let times = load::drive((0..*callers).map(|n| log.caller(n)), seconds, || Ok(())).await?;
            progress(format_args!("round {round}, {callers} callers, log: {:.0}/s", times.per_second()));
            of_log.push(times);
            let times = load::drive((0..*callers).map(|_| bare.caller()), seconds, || Ok(())).await?;
            progress(format_args!("round {round}, {callers} callers, bare: {:.0}/s", times.per_second()));
            of_bare.push(times);
        }
    }
    let bytes = bare.bytes();
    log.stop().await;
    let rows = rows.iter().filter_map(|(callers, log, bare)| Commits::of(*callers, log, bare));
    Ok((bytes, rows.collect()))
}
