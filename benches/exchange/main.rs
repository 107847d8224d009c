//! What a request costs: a relay that checks nothing, Sluis on SQLite and Sluis on PostgreSQL, in turns.
//!
//! ```text
//! cargo bench --bench exchange                     # a table
//! cargo bench --bench exchange -- --json           # one JSON object
//! cargo bench --bench exchange -- --quick          # does it run? the figures are worth little
//! ```
//!
//! Client, process in the middle and backend are processes of their own and speak mutual TLS over loopback. The relay
//! has the TLS of Sluis and passes on messages of the same size: it is the ceiling. Needs Linux, for what a process has
//! used. Without `SLUIS_POSTGRES` in the environment it runs itself again under `scripts/with-postgres`.

mod backend;
mod child;
#[path = "../common/mod.rs"]
mod common;
mod load;
mod middle;
mod process;
mod region;
mod report;

use std::{collections::BTreeMap, ffi::OsStr, fs, path::PathBuf, sync::Arc};

use clap::{Parser, Subcommand};
use prost::Message as _;
use sluis::proto::exchange_service_client::ExchangeServiceClient;

use self::{
    child::Served,
    common::{
        Fault,
        database::Database,
        options::{Conditions, Options, progress},
        server::Server,
    },
    load::{Measured, Shape},
    region::{Questions, Region},
    report::{Report, Row, Variant},
};

const SHAPES: [Shape; 3] = [
    Shape { connections: 1, streams: 1 },
    Shape { connections: 4, streams: 4 },
    Shape { connections: 8, streams: 8 },
];

#[derive(Debug, Parser)]
#[command(name = "exchange", about = "What a request costs, beside a relay that checks nothing")]
struct CommandLine {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    part: Option<Part>,
}

/// The parts that this program plays for itself.
#[derive(Debug, Subcommand)]
enum Part {
    #[command(hide = true)]
    Source { folder: PathBuf },
    #[command(hide = true)]
    Target { folder: PathBuf, answer: PathBuf },
    #[command(hide = true)]
    Relay { folder: PathBuf, target: String },
    #[command(hide = true)]
    Gateway { config: PathBuf },
}

fn main() -> Result<(), Fault> {
    let CommandLine { options, server, part } = CommandLine::parse();
    // As `sluis` has it.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match part {
        Some(Part::Source { folder }) => runtime.block_on(backend::source(&folder)),
        Some(Part::Target { folder, answer }) => runtime.block_on(backend::target(&folder, &answer)),
        Some(Part::Relay { folder, target }) => runtime.block_on(middle::relay(&folder, &target)),
        Some(Part::Gateway { config }) => runtime.block_on(middle::gateway(&config)),
        None => {
            let database = server.database()?;
            options.print(&runtime.block_on(report(options.conditions(), database))?)
        }
    }
}

/// Everything that serves. What is dropped first stands first.
#[derive(Debug)]
struct Processes {
    middle: Vec<(Variant, Served)>,
    _backends: [Served; 2],
}

/// Starts it all: source and gateways, and then the relay, whose answer is one of the gateway's own.
async fn start(
    region: &Region,
    questions: &Arc<Questions>,
    database: Option<&str>,
) -> Result<Processes, Fault> {
    let (folder, part) = (region.folder(), OsStr::new);
    let source = Served::start(folder, "source", [part("source"), folder.as_os_str()])?;
    region.source_at(&source.url())?;
    let mut gateways = Vec::new();
    let sqlite = (Variant::B, "sqlite", None);
    let postgres = database.map(|url| (Variant::C, "postgres", Some(url)));
    for (variant, name, database) in std::iter::once(sqlite).chain(postgres) {
        let config = region.gateway(name, database)?;
        let gateway = Served::start(folder, name, [part("gateway"), config.as_os_str()])?;
        region.record_consents(&gateway.url()).await?;
        // Proofs in an answer grow with the log. A log of some thousand entries makes them nearly as long as they get.
        load::measure(
            region,
            questions,
            (&gateway.url(), gateway.id()),
            Shape { connections: 4, streams: 4 },
            1.0,
        )
        .await?;
        gateways.push((variant, gateway));
    }
    let (_, gateway) = gateways.first().ok_or("there is no gateway")?;
    let mut client = ExchangeServiceClient::new(region.requester(&gateway.url()).await?);
    let answer = client.request_work_capacity(questions.next()).await?.into_inner();
    let path = folder.join("answer");
    fs::write(&path, answer.encode_to_vec())?;
    let target = Served::start(folder, "target", [part("target"), folder.as_os_str(), path.as_os_str()])?;
    let relay = Served::start(folder, "relay", [part("relay"), folder.as_os_str(), part(&target.url())])?;
    let mut middle = vec![(Variant::A, relay)];
    middle.append(&mut gateways);
    Ok(Processes { middle, _backends: [source, target] })
}

/// Runs it, with a database of its own.
async fn report(conditions: Conditions, server: Option<String>) -> Result<Report, Fault> {
    let Some(server) = server else { return run(conditions, None).await };
    let database = Database::create(&server).await?;
    let report = run(conditions, Some(&database.url)).await;
    database.remove().await?;
    report
}

async fn run(conditions: Conditions, database: Option<&str>) -> Result<Report, Fault> {
    let Conditions { seconds, rounds, .. } = conditions;
    let folder = tempfile::tempdir()?;
    let region = Region::build(&folder.path().join("region")).await?;
    let questions = Arc::new(Questions::new());
    let processes = start(&region, &questions, database).await?;
    // By shape and by variant, round by round.
    let mut measured = SHAPES.map(|shape| (shape, BTreeMap::<Variant, Vec<Measured>>::new()));
    for round in 1..=rounds {
        for (shape, variants) in &mut measured {
            for (variant, served) in &processes.middle {
                let process = (served.url(), served.id());
                let figures =
                    load::measure(&region, &questions, (&process.0, process.1), *shape, seconds).await?;
                let (calls, what) = (shape.connections * shape.streams, variant.what());
                progress(format_args!(
                    "round {round} of {rounds}, {calls} calls, {what}: {:.0}/s",
                    figures.per_second
                ));
                variants.entry(*variant).or_default().push(figures);
            }
        }
    }
    Ok(Report {
        bench: "exchange",
        conditions,
        request_bytes: questions.next().encoded_len(),
        concurrency: measured.iter().map(|(shape, variants)| Row::new(*shape, variants)).collect(),
    })
}
