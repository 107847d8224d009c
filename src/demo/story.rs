//! The story of the demo: one client, his consent, who asks what, and what comes of it. Every step is checked.

mod audit;
mod people;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;

use super::{World, WorldFault, WorldOptions, tell::Teller};
use crate::{cli::serve::told_to_stop, domain::RequestId};

/// Start a whole region on this machine and play a story through it
///
/// Makes a certificate authority and certificates, starts a gateway on an embedded database and four source systems,
/// all over mutual TLS on loopback, and loads synthetic clients. Then a mental-health institution records a client's
/// written consent, municipalities ask, the client withdraws, and the log is exported, verified, and tampered with.
/// Nothing leaves this machine; all people and numbers are made up.
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
}

/// Runs the demo.
pub async fn run(args: DemoArgs) -> ExitCode {
    let temporary = std::env::temp_dir().join(format!("sluis-demo-{}", RequestId::random()));
    let dir = args.data_dir.clone().unwrap_or_else(|| temporary.clone());
    let mut teller = Teller::new(args.json);
    let played = play(&mut teller, &dir, args.stay).await;
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

async fn play(teller: &mut Teller, dir: &Path, stay: bool) -> Result<(), String> {
    teller.say("Sluis, a region on this machine. All people, numbers and organisations are made up.");
    let started = World::start(WorldOptions::new(dir)).await;
    let world = match started {
        Ok(world) => world,
        Err(fault @ (WorldFault::NotEmpty(_) | WorldFault::File(..))) => return Err(fault.to_string()),
        Err(fault) => return Err(format!("the region did not come up: {fault}")),
    };
    let sources: Vec<_> = world
        .sources
        .iter()
        .map(|(short, system)| format!("source system {short} ({}) on {}", system.oin, system.address))
        .collect();
    teller.tell(
        "start",
        "a gateway and its source systems start, over mutual TLS, on an embedded database",
        &format!("gateway on {}, files in {}", world.gateway.address, dir.display()),
        true,
        &sources,
    );
    let told = people::story(teller, &world).await;
    let told = match told {
        Ok(()) => audit::story(teller, &world, dir).await,
        Err(fault) => Err(fault),
    };
    if told.is_ok() {
        let verdict = if teller.held() { "Every step held." } else { "NOT every step held." };
        teller.say(format_args!("\n{verdict} {} steps.", teller.count()));
    }
    if stay && told.is_ok() {
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

(`sluis` is target/release/sluis after `cargo build --release`.)"
    )
}
