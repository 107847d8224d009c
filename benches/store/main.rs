//! How many entries a second the log makes durable, beside a bare group commit of as many bytes, on each store.
//!
//! ```text
//! cargo bench --bench store                # a table
//! cargo bench --bench store -- --json      # one JSON object
//! cargo bench --bench store -- --quick     # does it run? the figures are worth little
//! ```
//!
//! Callers commit the two entries of one request after the other, about a hundred clients. The bare commit takes what
//! waits, as the log's writer does, and has the same settings of durability; it inserts into one table, and neither
//! looks, hashes, seals nor signs. Without `SLUIS_POSTGRES` in the environment the benchmark runs itself again under
//! `scripts/with-postgres`.

mod bare;
#[path = "../common/mod.rs"]
mod common;
mod log;
mod report;

use std::collections::BTreeMap;

use clap::Parser;

use self::{
    bare::Bare,
    common::{
        Fault,
        database::Database,
        load::{self, Times},
        options::{Conditions, Options, progress},
        server::Server,
    },
    log::Log,
    report::{Report, Row, Store, Variant},
};

/// Callers at a time.
const CALLERS: [usize; 4] = [1, 8, 32, 128];

#[derive(Debug, Parser)]
#[command(name = "store", about = "Durable entries a second, beside a bare group commit of as many bytes")]
struct CommandLine {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    server: Server,
}

fn main() -> Result<(), Fault> {
    let CommandLine { options, server } = CommandLine::parse();
    let database = server.database()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    options.print(&runtime.block_on(report(options.conditions(), database))?)
}

/// A log, and what it is set beside.
struct Pair {
    store: Store,
    log: Log,
    bare: Bare,
}

async fn measure(pair: &Pair, what: Variant, callers: usize, seconds: f64) -> Result<Times, Fault> {
    match what {
        Variant::Log => load::drive((0..callers).map(|n| pair.log.caller(n)), seconds, || Ok(())).await,
        Variant::Bare => load::drive((0..callers).map(|_| pair.bare.caller()), seconds, || Ok(())).await,
    }
}

/// Runs it, with databases of its own for log and bare commit.
async fn report(conditions: Conditions, server: Option<String>) -> Result<Report, Fault> {
    let Some(server) = server else { return run(conditions, None).await };
    let databases = [Database::create(&server).await?, Database::create(&server).await?];
    let report = run(conditions, Some(&databases)).await;
    for database in databases {
        database.remove().await?;
    }
    report
}

async fn run(conditions: Conditions, databases: Option<&[Database; 2]>) -> Result<Report, Fault> {
    let Conditions { seconds, rounds, .. } = conditions;
    let folder = tempfile::tempdir()?;
    let mut pairs = Vec::new();
    {
        let log = Log::start(folder.path(), "sqlite", None).await?;
        let bare = Bare::on_sqlite(&folder.path().join("bare.db"), log.entry_bytes().await?).await?;
        pairs.push(Pair { store: Store::Sqlite, log, bare });
    }
    if let Some([database, other]) = databases {
        let log = Log::start(folder.path(), "postgres", Some(&database.url)).await?;
        let bare = Bare::on_postgres(&other.url, log.entry_bytes().await?).await?;
        pairs.push(Pair { store: Store::Postgres, log, bare });
    }
    let mut rows = CALLERS.map(|callers| (callers, BTreeMap::<(Store, Variant), Vec<Times>>::new()));
    for round in 1..=rounds {
        for (callers, measured) in &mut rows {
            for pair in &pairs {
                for what in [Variant::Log, Variant::Bare] {
                    let times = measure(pair, what, *callers, seconds).await?;
                    progress(format_args!(
                        "round {round} of {rounds}, {callers} callers, {:?} {what:?}: {:.0}/s",
                        pair.store,
                        times.per_second()
                    ));
                    measured.entry((pair.store, what)).or_default().push(times);
                }
            }
        }
    }
    let mut entry_bytes = BTreeMap::new();
    for pair in pairs {
        entry_bytes.insert(pair.store, pair.bare.bytes());
        pair.log.stop().await;
    }
    Ok(Report {
        bench: "store",
        conditions,
        entry_bytes,
        callers: rows.iter().map(|(callers, measured)| Row::new(*callers, measured)).collect(),
    })
}
