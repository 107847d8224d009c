//! `sluis serve` and `sluis source`: services that run until they are told to stop.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Args, Subcommand};

use super::{failed, import};
use crate::{
    app::{
        Gateway,
        source_system::{SourceSettings, SourceSystem},
    },
    config::Settings,
    domain::Clock,
    storage::{DatabaseAddress, PostgresUrl},
};

/// Run a gateway
///
/// Reads one TOML file (docs/configuration.md explains it, key by key), checks certificates, participants, agreements,
/// policies and the stored log as a whole, and names every fault before it serves anything. Looks at the files again
/// every `timing.reload_s` seconds and at once on SIGHUP; what does not load leaves the old state in force.
///
/// Stops on SIGTERM or Ctrl-C, after the calls under way: exit status 0 means drained and stopped in order.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Keep consents and log in this PostgreSQL, whatever the configuration says. A password is better kept in the file
    /// or in a password file (PGPASSFILE): others on this machine can see a command line
    #[arg(long, value_name = "postgres://...")]
    database: Option<PostgresUrl>,
}

/// Run the reference source system
///
/// A small source system that serves statements from a JSON file over `SourceService`. It answers one gateway, checks
/// each grant itself (signature, person, source, recipient, purpose, fields, period) and may decline. For trying out
/// and for testing; what a real source system must do is in proto/sluis/v1/source.proto.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct SourceArgs {
    #[command(subcommand)]
    command: Option<SourceCommand>,

    /// Configuration file
    #[arg(long, value_name = "FILE", required = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum SourceCommand {
    Import(import::ImportArgs),
}

impl SourceArgs {
    /// Whether it is a service that runs until it is told to stop.
    pub(super) const fn serves(&self) -> bool {
        self.command.is_none()
    }
}

/// Waits for SIGTERM or Ctrl-C.
pub(crate) async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt => {}
            }
            return;
        }
    }
    drop(interrupt.await);
}

pub(super) async fn serve(args: ServeArgs, clock: Arc<dyn Clock>) -> ExitCode {
    let mut settings = match Settings::load(&args.config) {
        Ok(settings) => settings,
        Err(fault) => return failed(fault),
    };
    if let Some(url) = args.database {
        settings.database = DatabaseAddress::Postgres(url);
    }
    // One for all rounds: a signal between two of them must not get lost.
    let told = told_to_stop();
    tokio::pin!(told);
    loop {
        let gateway = match Gateway::start(settings.clone(), Arc::clone(&clock)).await {
            Ok(gateway) => gateway,
            Err(fault) => return failed(fault),
        };
        // Where the system chose the port, it stays the same.
        settings.listen = gateway.address;
        let told = tokio::select! {
            () = &mut told => true,
            () = gateway.is_over() => false,
        };
        gateway.stop().await;
        if told {
            return ExitCode::SUCCESS;
        }
    }
}

pub(super) async fn source(args: SourceArgs, clock: Arc<dyn Clock>) -> ExitCode {
    if let Some(SourceCommand::Import(args)) = &args.command {
        return import::run(args, clock.as_ref());
    }
    let settings = match SourceSettings::load(&args.config.unwrap_or_default()) {
        Ok(settings) => settings,
        Err(fault) => return failed(fault),
    };
    match SourceSystem::start(settings, clock).await {
        Ok(system) => {
            told_to_stop().await;
            system.stop().await;
            ExitCode::SUCCESS
        }
        Err(fault) => failed(fault),
    }
}
