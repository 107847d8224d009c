//! The command line, a file per command. Names and exit statuses are part of the interface: 0 is done as asked, 1 is a
//! fault, 2 is a wrong command line; `audit verify` has statuses of its own.

pub mod acknowledge;
pub mod agreement;
pub mod audit;
pub mod catalogue;
pub mod certs;
pub mod consent;
pub mod demo;
pub mod erase;
pub mod import;
pub mod log;
pub mod policy;
pub mod request;
pub mod serve;
pub mod store;
pub mod witness;
pub(crate) mod words;

use std::{
    fmt::Display,
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    sync::Arc,
};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::domain::{Clock, time::SystemClock};

/// Consent-based exchange of work capacity between municipalities, UWV and mental-health institutions
///
/// Start with `sluis demo`: a whole region on this machine, and a story that shows what the gateway does.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Source(serve::SourceArgs),
    Witness(witness::WitnessArgs),
    Demo(demo::DemoArgs),
    Certs(certs::CertsArgs),
    Request(request::RequestArgs),
    Acknowledge(acknowledge::AcknowledgeArgs),
    Catalogue(catalogue::CatalogueArgs),
    #[command(subcommand)]
    Agreement(agreement::AgreementCommand),
    #[command(subcommand)]
    Consent(consent::ConsentCommand),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    #[command(subcommand)]
    Erase(erase::EraseCommand),
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    #[command(subcommand)]
    Log(log::LogCommand),
    #[command(subcommand)]
    Store(store::StoreCommand),
}

/// Runs a command.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    let quiet = match &cli.command {
        Command::Serve(_) => false,
        Command::Source(args) => !args.serves(),
        Command::Witness(args) => !args.serves(),
        _ => true,
    };
    // A demo or a client tells its own story; what services log goes to those who run them.
    let default = if quiet { "error" } else { "info" };
    let filter = EnvFilter::try_from_env("SLUIS_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(fault) => return failed(fault),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    runtime.block_on(async move {
        match cli.command {
            Command::Serve(args) => serve::serve(args, clock).await,
            Command::Source(args) => serve::source(args, clock).await,
            Command::Witness(args) => witness::run(args, clock).await,
            Command::Demo(args) => demo::run(args).await,
            Command::Certs(args) => match certs::run(&args, clock.as_ref(), &mut std::io::stdout().lock()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(fault) => failed(fault),
            },
            Command::Request(args) => request::run(args).await,
            Command::Acknowledge(args) => acknowledge::run(args).await,
            Command::Catalogue(args) => catalogue::run(&args),
            Command::Agreement(command) => agreement::run(command, clock.as_ref()),
            Command::Consent(command) => consent::run(command, clock.as_ref()).await,
            Command::Policy(command) => policy::run(command, clock.as_ref()).await,
            Command::Erase(command) => erase::run(command).await,
            Command::Audit(command) => audit::run(command, clock).await,
            Command::Log(command) => log::run(command, clock).await,
            Command::Store(command) => store::run(command, clock.as_ref()).await,
        }
    })
}

/// Says a fault, with what caused it, and gives the status for it.
fn failed(fault: impl Display) -> ExitCode {
    // Nobody is left to tell if even that fails.
    drop(writeln!(std::io::stderr(), "sluis: {fault}"));
    ExitCode::FAILURE
}

/// Prints a line. A reader that has gone away is no fault of ours.
fn say(line: impl Display) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
