//! `sluis store backup` and `restore`: an embedded database, the clients' keys apart from everything else.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;

use crate::{
    cli::{erase::ERASE_AGAIN, failed, say},
    config::Settings,
    domain::Clock,
    storage::{
        DatabaseAddress,
        sqlite::backup::{backup, restore},
    },
};

/// Back up an embedded database, while a gateway uses it or not
///
/// Writes two files: the database without the clients' keys, and these keys alone. Keep the second kind apart, and no longer
/// than the gateway's `key_backups_days`: an erased client is gone when the last one from before is gone. Older ones in the
/// same folder are removed, also where no new backup can be made. Neither has the files in keys/; those never go into a backup
/// that has either of the two.
#[derive(Debug, Args)]
pub struct BackupArgs {
    /// Configuration of the gateway
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Put a backup in place of a database that is lost
///
/// The data folder must hold no database, and nothing that is left of one (sluis.db-wal). What was entered into the log after
/// the backup is lost with the database, but others hold receipts and checkpoints of it: no gateway may go on with that log.
/// docs/keys.md says what to do. Clients who were erased after the backup are back in it, and have to be erased again:
/// docs/erasure.md.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// Configuration of the gateway
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// The backup of the database
    #[arg(long, value_name = "FILE")]
    log: PathBuf,

    /// The backup of the clients' keys. Without it no consent can be used, and no sealed part be opened
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
}

fn embedded(config: &std::path::Path) -> Result<(Settings, PathBuf), String> {
    let settings = Settings::load(config).map_err(|fault| fault.to_string())?;
    match settings.database.clone() {
        DatabaseAddress::Folder(folder) => Ok((settings, folder)),
        DatabaseAddress::Postgres(_) => {
            Err("this gateway keeps its log in PostgreSQL; docs/erasure.md says how to back that up"
                .to_owned())
        }
    }
}

pub(super) async fn back_up(args: BackupArgs, clock: &dyn Clock) -> ExitCode {
    let run = match embedded(&args.config) {
        Ok((settings, folder)) => {
            let days = settings.retention.key_backups_days;
            backup(&folder, &args.out, days, clock.now()).await
        }
        Err(fault) => return failed(fault),
    };
    let written = run.written.as_ref().ok();
    if args.json {
        let (log, keys) = (written.map(|files| &files.log), written.map(|files| &files.keys));
        say(json!({ "log": log, "keys": keys, "removed": run.removed }));
    } else {
        if let Some(files) = written {
            say(format_args!("the database without the clients' keys: {}", files.log.display()));
            say(format_args!("the clients' keys: {}", files.keys.display()));
        }
        for path in &run.removed {
            say(format_args!("removed, too old: {}", path.display()));
        }
    }
    let not_removed =
        run.faults.iter().map(|fault| format!("an old backup of keys may still be there: {fault}"));
    let not_written = run.written.as_ref().err().map(|fault| format!("no backup was made: {fault}"));
    let faults: Vec<String> = not_written.into_iter().chain(not_removed).collect();
    if faults.is_empty() { ExitCode::SUCCESS } else { failed(faults.join("\n")) }
}

pub(super) async fn put_back(args: RestoreArgs) -> ExitCode {
    let done = match embedded(&args.config) {
        Ok((_, folder)) => {
            restore(&folder, &args.log, args.keys.as_deref()).await.map_err(|fault| fault.to_string())
        }
        Err(fault) => Err(fault),
    };
    match done {
        Ok(()) => {
            say(
                "the backup is in place; what came after it is lost, so the log does not go on from here (docs/keys.md)",
            );
            say(ERASE_AGAIN);
            ExitCode::SUCCESS
        }
        Err(fault) => failed(fault),
    }
}
