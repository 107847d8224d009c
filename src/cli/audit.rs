//! `sluis audit`: exporting, verifying, reading and handing on the log.

mod checkpoint;
mod export;
mod records;
mod show;
mod verify;

use std::{process::ExitCode, sync::Arc};

use clap::Subcommand;

pub(super) use verify::trusted;

use crate::domain::Clock;

/// Export, verify and read the audit log
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of each command stands with its arguments")]
pub enum AuditCommand {
    Export(export::ExportArgs),
    Verify(verify::VerifyArgs),
    Show(show::ShowArgs),
    Checkpoint(checkpoint::CheckpointArgs),
    Records(records::RecordsArgs),
}

pub(super) async fn run(command: AuditCommand, clock: Arc<dyn Clock>) -> ExitCode {
    match command {
        AuditCommand::Export(args) => export::run(args, clock).await,
        AuditCommand::Verify(args) => verify::run(&args),
        AuditCommand::Show(args) => show::run(args).await,
        AuditCommand::Checkpoint(args) => checkpoint::run(args).await,
        AuditCommand::Records(args) => records::run(&args),
    }
}
