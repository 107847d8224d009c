//! `sluis log`: the keys of the log, and where it has to begin anew (docs/keys.md).

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{erase::ERASE_AGAIN, failed, say};
use crate::{
    app::{
        StartFault,
        shards::{self, Anew},
    },
    audit::shard::Reason,
    config::Settings,
    domain::Clock,
};

/// Look after the keys of the log
///
/// docs/keys.md has each procedure, step by step: the new year, a routine change, a stolen key, a lost key, a restored
/// database.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of each command stands with its arguments")]
pub enum LogCommand {
    #[command(subcommand)]
    Key(KeyCommand),
    Rotate(RotateArgs),
    Anew(AnewArgs),
}

/// The signing keys of the log
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of each command stands with its arguments")]
pub enum KeyCommand {
    Next(NextArgs),
}

/// Make the key of the next shard
///
/// Makes it in the key folder of this gateway, unless it is there, and prints its public half. The gateway announces it in
/// the log as soon as it sees it, running or not. Several gateways on one PostgreSQL need the same file: copy it to each.
/// Refused where this gateway has not the key of the shard that is written to, or another one was announced: one more key
/// copied over it would be the loss of it.
/// With an embedded database the gateway makes it by itself when it needs one.
#[derive(Debug, Args)]
pub struct NextArgs {
    /// Configuration of the gateway
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Order a new shard with a new key
///
/// Stop the gateway first, or, where several share a PostgreSQL, run it beside them. The order is an entry in the log. A
/// gateway that runs starts again by itself; one that was stopped follows the order when it starts.
#[derive(Debug, Args)]
pub struct RotateArgs {
    /// Configuration of the gateway
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Why. For a stolen key the one that lay ready beside it is made anew
    #[arg(long, value_name = "REASON")]
    reason: RotateReason,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum RotateReason {
    /// Nothing happened
    Routine,
    /// The key was stolen, or may have been
    Compromised,
}

/// Begin a new shard without the key of the old one
///
/// For a log whose key is lost, or whose database was put back from an older copy: such a log must not be signed again,
/// since others may have seen what is missing. Stop every gateway first. Refused where the log can be continued.
#[derive(Debug, Args)]
pub struct AnewArgs {
    /// Configuration of the gateway
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Why
    #[arg(long, value_name = "REASON")]
    reason: AnewReason,

    /// The newest checkpoint that anybody has: of a witness, a verifier, an export
    #[arg(long, value_name = "FILE")]
    last: Option<PathBuf>,

    /// The database is an older copy, and nobody has a newer checkpoint
    #[arg(long, conflicts_with = "last")]
    none_known: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AnewReason {
    /// The key is gone
    KeyLost,
    /// The database was put back from an older copy
    Restored,
}

pub(super) async fn run(command: LogCommand, clock: Arc<dyn Clock>) -> ExitCode {
    let done = match command {
        LogCommand::Key(KeyCommand::Next(args)) => next(&args).await,
        LogCommand::Rotate(args) => rotate(&args, clock).await,
        LogCommand::Anew(args) => anew(&args, clock).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(fault),
    }
}

fn settings(config: &std::path::Path) -> Result<Settings, String> {
    Settings::load(config).map_err(|fault| fault.to_string())
}

fn text(fault: StartFault) -> String {
    fault.to_string()
}

async fn next(args: &NextArgs) -> Result<(), String> {
    let settings = settings(&args.config)?;
    let (next, is_new) = shards::make_next(&settings).await.map_err(text)?;
    if args.json {
        say(json!({ "key": next.key.to_string(), "file": next.file, "new": is_new }));
        return Ok(());
    }
    say(format_args!("key of the next shard: {}", next.key));
    say(format_args!(
        "{} keys/{}; copy it to every other gateway on the same database",
        if is_new { "made" } else { "there already:" },
        next.file
    ));
    Ok(())
}

async fn rotate(args: &RotateArgs, clock: Arc<dyn Clock>) -> Result<(), String> {
    let settings = settings(&args.config)?;
    let is_stolen = args.reason == RotateReason::Compromised;
    let next = shards::order_rotation(&settings, clock, is_stolen).await.map_err(text)?;
    if args.json {
        say(json!({ "key": next.key.to_string(), "file": next.file }));
        return Ok(());
    }
    say(format_args!("key of the next shard: {}", next.key));
    say(format_args!("copy keys/{} to every other gateway on the same database", next.file));
    say("the next start of a gateway seals the shard and goes on with this key");
    if is_stolen {
        say(
            "whoever has the old key could announce another one: give everybody who verifies the new one yourself",
        );
    }
    Ok(())
}

async fn anew(args: &AnewArgs, clock: Arc<dyn Clock>) -> Result<(), String> {
    let settings = settings(&args.config)?;
    let last = args.last.as_ref().map(std::fs::read_to_string).transpose();
    let order = Anew {
        reason: match args.reason {
            AnewReason::KeyLost => Reason::KeyLost,
            AnewReason::Restored => Reason::Restored,
        },
        last: last.map_err(|fault| format!("cannot read the last checkpoint: {fault}"))?,
        none_known: args.none_known,
    };
    let begun = shards::anew(&settings, clock.as_ref(), &order).await.map_err(text)?;
    if args.json {
        say(json!({
            "origin": begun.key.name(),
            "key": begun.key.to_string(),
            "file": begun.file,
            "given_up": begun.given_up,
            "erase_again": args.reason == AnewReason::Restored,
        }));
        return Ok(());
    }
    say(format_args!("the log goes on as {}", begun.key.name()));
    say(format_args!("its key: {}", begun.key));
    say("nothing announced this key: give it to everybody who verifies the log yourself");
    if begun.given_up > 0 {
        say(format_args!("{} requests of the shard before will have no outcome", begun.given_up));
    }
    if args.reason == AnewReason::Restored {
        say(ERASE_AGAIN);
    }
    Ok(())
}
