//! The story of the demo: one client, his consent, who asks what, and what comes of it. Every step is checked.

mod audit;
mod erasing;
mod people;
mod witness;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::{World, WorldFault, WorldOptions, tell::Teller};
use crate::{app::StartFault, cli::serve::told_to_stop, domain::RequestId, storage::PostgresUrl};

/// Start a whole region on this machine and play a story through it
///
/// Makes a certificate authority and certificates, starts a gateway on an embedded database (or several on a PostgreSQL)
/// and four source systems, all over mutual TLS on loopback, and loads synthetic clients. Then a mental-health institution records a client's
/// written consent, municipalities ask, the client withdraws, and the log is exported, verified, and tampered with.
/// Nothing leaves this machine, unless `--database` names another one; all people and numbers are made up.
///
/// Exit status 0 means that every step of the story held.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Print one JSON object per step: step, expect, outcome, ok
    #[arg(long)]
    json: bool,

    /// Keep everything running after the story, and print commands to try
    #[arg(long)]
    stay: bool,

    /// Folder for the demo's files: new or empty [default: a temporary one, removed at the end unless --stay]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// How many gateways serve, all on one PostgreSQL; each step is played through another one than the step before
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    instances: u8,

    /// Keep consents and log in this PostgreSQL, in place of an embedded database. It must hold no log yet
    #[arg(long, value_name = "postgres://...")]
    database: Option<PostgresUrl>,
}

/// Runs the demo.
pub async fn run(args: DemoArgs) -> ExitCode {
    let temporary = std::env::temp_dir().join(format!("sluis-demo-{}", RequestId::random()));
    let dir = args.data_dir.clone().unwrap_or_else(|| temporary.clone());
    let mut teller = Teller::new(args.json);
    let played = play(&mut teller, &dir, &args).await;
    if args.data_dir.is_none() && !args.stay {
        // What is left in the temporary folder is synthetic; the system cleans it up in the end.
        drop(std::fs::remove_dir_all(&temporary));
    }
    match played {
        Ok(()) if teller.held() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(fault) => {
            teller.tell("demo", "the demo runs", &fault, false, &[]);
            ExitCode::FAILURE
        }
    }
}

async fn play(teller: &mut Teller, dir: &Path, args: &DemoArgs) -> Result<(), String> {
    teller.say("Sluis, a region on this machine. All people, numbers and organisations are made up.");
    if args.instances > 1 && args.database.is_none() {
        return Err("several instances need a PostgreSQL that they share; give `--database postgres://...`"
            .to_owned());
    }
    let mut options = WorldOptions::new(dir);
    options.instances = args.instances.into();
    options.database.clone_from(&args.database);
    options.witness = true;
    let started = World::start(options).await;
    let world = match started {
        Ok(world) => world,
        Err(fault @ (WorldFault::NotEmpty(_) | WorldFault::File(..))) => return Err(fault.to_string()),
        Err(WorldFault::Gateway(StartFault::Log(fault))) => {
            return Err(format!("{fault}; the demo makes new keys and needs a database without a log"));
        }
        Err(fault) => return Err(format!("the region did not come up: {fault}")),
    };
    let others = world.others.iter().map(|gateway| format!("another gateway on {}", gateway.address));
    let sources = world
        .sources
        .iter()
        .map(|(short, system)| format!("source system {short} ({}) on {}", system.oin, system.address));
    let gateways = match args.instances {
        1 => "a gateway and its source systems start".to_owned(),
        n => format!("{n} gateways and their source systems start"),
    };
    let database = match &args.database {
        None => "an embedded database".to_owned(),
        Some(url) => format!("the database {url}"),
    };
    teller.tell(
        "start",
        &format!("{gateways}, over mutual TLS, on {database}"),
        &format!("gateway on {}, files in {}", world.gateway.address, dir.display()),
        true,
        &others.chain(sources).collect::<Vec<_>>(),
    );
    let told = people::story(teller, &world).await;
    let told = match told {
        Ok(()) => erasing::story(teller, &world).await,
        Err(fault) => Err(fault),
    };
    let told = match told {
        Ok(()) => audit::story(teller, &world, dir).await,
        Err(fault) => Err(fault),
    };
    let told = match told {
        Ok(()) => witness::story(teller, &world, dir).await,
        Err(fault) => Err(fault),
    };
    if told.is_ok() {
        let verdict = if teller.held() { "Every step held." } else { "NOT every step held." };
        teller.say(format_args!("\n{verdict} {} steps.", teller.count()));
    }
    if args.stay && told.is_ok() {
        teller.say(invitation(dir));
        told_to_stop().await;
    }
    world.stop().await;
    told
}

fn invitation(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "\nEverything keeps running; Ctrl-C stops it. Profiles of the participants are in {dir}/profiles. Try, in another terminal:

  sluis request --profile {dir}/profiles/waterrijk.toml --list
  sluis consent record --profile {dir}/profiles/kade.toml demo/forms/main.json
  sluis request --profile {dir}/profiles/waterrijk.toml --bsn 999990019 --purpose REINTEGRATION \\
      --role gem.klantmanager --fields working_hours,support --receipt receipt.json
  sluis audit verify receipt.json --trust {dir}/trust.txt
  sluis consent withdraw --profile {dir}/profiles/kade.toml --bsn 999990019
  sluis audit show --profile {dir}/profiles/fg.toml --kind outcome
  sluis audit export --data-dir {dir} --out export && sluis audit verify export --trust {dir}/trust.txt
  sluis audit verify {dir}/export-cosigned --trust {dir}/policy.txt --require-witness

(`sluis` is target/release/sluis after `cargo build --release`.)"
    )
}
