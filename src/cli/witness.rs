//! `sluis witness`: cosigns what a log signs once it has seen that the log only grew; and compares what witnesses saw.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Subcommand};
use tokio::net::TcpListener;

use super::{audit::trusted, failed, say, serve::told_to_stop};
use crate::{
    domain::Clock,
    note::VerifierKey,
    witness::{
        client::WitnessClient,
        compare::{Outcome, View, compare},
        config::WitnessSettings,
        memory::Memory,
        server,
    },
};

/// Run a witness
///
/// A witness is run by somebody else than the gateway's operator: a municipality, UWV, an institution, a privacy officer.
/// Gateways send it each new checkpoint of their log with a proof that nothing before it was changed; it cosigns, and never
/// cosigns two histories of one log. It learns the size and the root of the log at fixed times, and nothing else. It speaks
/// the C2SP protocol tlog-witness, so other witnesses can take its place, and other logs can use it (docs/witness.md).
///
/// Prints its public key, for the `[[witness]]` of the gateways and for those who verify. Stops on SIGTERM or Ctrl-C.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct WitnessArgs {
    #[command(subcommand)]
    command: Option<WitnessCommand>,

    /// Configuration file
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum WitnessCommand {
    Compare(CompareArgs),
}

/// Compare what several witnesses, or several readers, were shown of one log
///
/// Two checkpoints that a log signed, of the same size and with different roots, prove that it has shown different histories
/// to different people (split view). Checkpoints of different sizes need an export to be compared: each of them must be a
/// beginning of it.
///
/// Exit status: 0 one history, 3 not shown either way, 4 split view, 5 unreadable or not signed by the log.
#[derive(Debug, Args)]
struct CompareArgs {
    /// Files with a signed checkpoint; with --url, addresses of them
    #[arg(value_name = "CHECKPOINT", required = true)]
    checkpoints: Vec<String>,

    /// The checkpoints are addresses, as in `https://witness.example/checkpoint/<SHA-256 of the log's name>`
    #[arg(long)]
    url: bool,

    /// Roots that the certificates of these addresses hang under, in PEM
    #[arg(long, value_name = "FILE", requires = "url")]
    roots: Vec<PathBuf>,

    /// Public keys of the log: a file with a C2SP policy, or with one verifier key per line
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,

    /// An export of the log that every checkpoint must be a beginning of
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
}

impl WitnessArgs {
    /// Whether it is a service that runs until it is told to stop.
    pub(super) const fn serves(&self) -> bool {
        self.command.is_none()
    }
}

pub(super) async fn run(args: WitnessArgs, clock: Arc<dyn Clock>) -> ExitCode {
    let done = match args.command {
        Some(WitnessCommand::Compare(args)) => return compared(&args).await,
        None => serve(&args.config.unwrap_or_default(), clock).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(fault),
    }
}

async fn serve(config: &Path, clock: Arc<dyn Clock>) -> Result<(), String> {
    let settings = WitnessSettings::load(config).map_err(|fault| fault.to_string())?;
    let listen = settings.listen;
    let memory = Memory::open(settings, clock).map_err(|fault| fault.to_string())?;
    let listener =
        TcpListener::bind(listen).await.map_err(|fault| format!("cannot listen on {listen}: {fault}"))?;
    let address = listener.local_addr().map_err(|fault| fault.to_string())?;
    say(format_args!("key of the witness: {}", memory.key()));
    say(format_args!("listening on http://{address}"));
    server::serve(listener, Arc::new(memory), told_to_stop()).await.map_err(|fault| fault.to_string())
}

/// The last part of an address is the path below the witness's own.
async fn fetch(url: &str, roots: &[PathBuf]) -> Result<String, String> {
    let (base, path) = url.split_once("/checkpoint/").ok_or_else(|| {
        format!("{url}: the address of a checkpoint ends in `/checkpoint/` and a hash in hexadecimal")
    })?;
    let client = WitnessClient::new(base, roots).map_err(|fault| fault.to_string())?;
    let found = client.get(&format!("checkpoint/{path}")).await.map_err(|fault| format!("{url}: {fault}"))?;
    found.ok_or_else(|| format!("{url}: there is no checkpoint"))
}

async fn views(args: &CompareArgs, trust: &[VerifierKey]) -> Result<Vec<View>, String> {
    let mut views = Vec::new();
    for from in &args.checkpoints {
        let note = if args.url {
            fetch(from, &args.roots).await?
        } else {
            std::fs::read_to_string(from).map_err(|fault| format!("cannot read `{from}`: {fault}"))?
        };
        views.push(View::read(from, &note, trust).map_err(|fault| fault.to_string())?);
    }
    Ok(views)
}

async fn compared(args: &CompareArgs) -> ExitCode {
    let unreadable = |fault: String| {
        failed(fault);
        ExitCode::from(5)
    };
    let trust = match trusted(&args.trust) {
        Ok(policy) => policy.logs().to_vec(),
        Err(fault) => return unreadable(fault),
    };
    let views = match views(args, &trust).await {
        Ok(views) => views,
        Err(fault) => return unreadable(fault),
    };
    for view in &views {
        let root = hex::encode(view.checkpoint.root);
        say(format_args!(
            "{}: `{}` at size {}, root {root}",
            view.from, view.checkpoint.origin, view.checkpoint.size
        ));
    }
    match compare(&views, args.export.as_deref(), &trust) {
        Ok(Outcome::OneHistory) => {
            say("one history");
            ExitCode::SUCCESS
        }
        Ok(Outcome::NotShown(which)) => {
            say(format_args!(
                "not shown: {} has another size; give a larger export with --export",
                which.join(", ")
            ));
            ExitCode::from(3)
        }
        Ok(Outcome::SplitView(how)) => {
            say(format_args!("split view: {how}"));
            ExitCode::from(4)
        }
        Err(fault) => unreadable(fault.to_string()),
    }
}
