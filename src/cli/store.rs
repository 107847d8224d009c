//! `sluis store`: the database behind a gateway.

mod backup;
mod copy;

use std::process::ExitCode;

use clap::Subcommand;

use crate::domain::Clock;

/// Look after the database of a gateway
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of each command stands with its arguments")]
pub enum StoreCommand {
    Copy(copy::CopyArgs),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
}

pub(super) async fn run(command: StoreCommand, clock: &dyn Clock) -> ExitCode {
    match command {
        StoreCommand::Copy(args) => copy::run(args).await,
        StoreCommand::Backup(args) => backup::back_up(args, clock).await,
        StoreCommand::Restore(args) => backup::put_back(args).await,
    }
}
