//! `sluis policy`: what those who own policies, and those who check them, do with a directory of policies.

mod check;
mod explain;
mod history;
mod prove;
mod replay;
mod sign;
mod table;
mod test;
mod words;

use std::process::ExitCode;

use clap::Subcommand;

use crate::domain::Clock;

/// Check, test, prove, compare, sign and explain policies (beleid)
///
/// docs/policy.md goes through a change from the first edit to the day that it decides.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of each command stands with its arguments")]
pub enum PolicyCommand {
    Check(check::CheckArgs),
    Test(test::TestArgs),
    Prove(prove::ProveArgs),
    Explain(explain::ExplainArgs),
    Table(table::TableArgs),
    Replay(replay::ReplayArgs),
    History(history::HistoryArgs),
    Key(sign::KeyArgs),
    Manifest(sign::ManifestArgs),
    Sign(sign::SignArgs),
}

/// Runs it.
pub async fn run(command: PolicyCommand, clock: &dyn Clock) -> ExitCode {
    match command {
        PolicyCommand::Check(args) => check::run(&args, clock.now().day()),
        PolicyCommand::Test(args) => test::run(&args, clock.now().day()),
        PolicyCommand::Prove(args) => prove::run(args, clock.now().day()).await,
        PolicyCommand::Explain(args) => explain::run(args).await,
        PolicyCommand::Table(args) => table::run(&args),
        PolicyCommand::Replay(args) => replay::run(&args),
        PolicyCommand::History(args) => history::run(&args),
        PolicyCommand::Key(args) => sign::key(&args),
        PolicyCommand::Manifest(args) => sign::manifest(&args),
        PolicyCommand::Sign(args) => sign::sign(&args),
    }
}
