//! `sluis store`: the database behind a gateway.

mod copy;

use std::process::ExitCode;

use clap::Subcommand;

/// Look after the database of a gateway
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of each command stands with its arguments")]
pub enum StoreCommand {
    Copy(copy::CopyArgs),
}

pub(super) async fn run(command: StoreCommand) -> ExitCode {
    match command {
        StoreCommand::Copy(args) => copy::run(args).await,
    }
}
