//! `sluis store copy`: a log with everything beside it, to another store.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use clap::Args;
use serde_json::{Map, json};

use crate::{
    audit::stored_check::StoredCheck,
    cli::{failed, say},
    storage::{
        Database, DatabaseAddress, OpenFault,
        copy::{Moved, Progress, Step, copy},
    },
};

/// How often to look whether a database is free. The sessions of a command that was killed end within moments.
const LOOKS: u32 = 8;
const BETWEEN: Duration = Duration::from_millis(500);

/// Move a log, with everything beside it, to another store
///
/// A PLACE is a data folder (SQLite, in the file sluis.db) or the address of a PostgreSQL database (postgres://...). Stop
/// every gateway on both. Every row is copied, compared and counted, and the root of the log is recomputed from what
/// arrived, before the new store is the log. From that moment on the old one cannot be written to any more: two
/// continuations of one log would be a fork.
///
/// If it is interrupted, the same command goes on from there. The keys are not in the database: the gateway on the new
/// store needs the folder keys/ of the old one's data folder.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// The store that has the log
    #[arg(long, value_name = "PLACE")]
    from: String,

    /// An empty store, or one into which this copy was begun
    #[arg(long, value_name = "PLACE")]
    to: String,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: CopyArgs) -> ExitCode {
    match moved(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(fault),
    }
}

/// Opens a store that nobody else is using.
async fn open(address: &DatabaseAddress, side: &str) -> Result<Database, String> {
    let in_use =
        || format!("the {side} `{address}` is in use; stop every gateway and every other command on it");
    for look in 1.. {
        let database = match Database::open_for_copy(address).await {
            Ok(database) => database,
            Err(OpenFault::Locked) => return Err(in_use()),
            Err(fault) => return Err(format!("the {side} `{address}`: {fault}")),
        };
        let store = database.shared();
        if store.is_alone() {
            return Ok(database);
        }
        store.close().await;
        if look == LOOKS {
            break;
        }
        tokio::time::sleep(BETWEEN).await;
    }
    Err(in_use())
}

/// Whether both are one place. What looks different and is the same is found later: the target then holds a log.
fn are_same(from: &DatabaseAddress, to: &DatabaseAddress) -> bool {
    match (from, to) {
        (DatabaseAddress::Folder(from), DatabaseAddress::Folder(to)) => {
            from == to || from.canonicalize().ok().is_some_and(|from| to.canonicalize().ok() == Some(from))
        }
        (from, to) => from == to,
    }
}

async fn moved(args: &CopyArgs) -> Result<(), String> {
    let address = |text: &str, option: &str| {
        text.parse::<DatabaseAddress>().map_err(|fault| format!("{option}: {fault}"))
    };
    let (from, to) = (address(&args.from, "--from")?, address(&args.to, "--to")?);
    if are_same(&from, &to) {
        return Err("--from and --to are the same place".to_owned());
    }
    // Opening makes what is not there; where a log should be, that would hide a slip of the pen.
    if let DatabaseAddress::Folder(folder) = &from
        && !folder.join("sluis.db").exists()
    {
        return Err(format!("there is no log in `{from}`"));
    }
    let source = open(&from, "source").await?;
    let result = match open(&to, "target").await {
        Ok(target) => {
            let mut proof = StoredCheck::default();
            let result = copy(source.tables(), target.tables(), &mut proof, &mut progress()).await;
            if std::io::stderr().is_terminal() {
                drop(writeln!(std::io::stderr()));
            }
            target.shared().close().await;
            result.map(|moved| (moved, proof.root())).map_err(|fault| fault.to_string())
        }
        Err(fault) => Err(fault),
    };
    source.shared().close().await;
    let (moved, root) = result?;
    tell(args.json, &from, &to, &moved, &hex::encode(root));
    Ok(())
}

/// Tells how far it is, for eyes.
fn progress() -> impl FnMut(Progress) + Send {
    let show = std::io::stderr().is_terminal();
    move |progress: Progress| {
        if !show {
            return;
        }
        let doing = match progress.step {
            Step::Copying => "copying",
            Step::Checking => "checking",
        };
        let of = if progress.of == 0 { String::new() } else { format!(" of {}", progress.of) };
        // Losing it loses nothing. The blanks wipe out a longer line before.
        let line = format!("{doing} {}: {}{of} rows", progress.table, progress.rows);
        drop(write!(std::io::stderr(), "\r{line:<60}"));
    }
}

fn tell(as_json: bool, from: &DatabaseAddress, to: &DatabaseAddress, moved: &Moved, root: &str) {
    if as_json {
        let tables: Map<_, _> =
            moved.tables.iter().map(|(table, rows)| ((*table).to_owned(), json!(rows))).collect();
        say(json!({
            "from": from.to_string(),
            "to": to.to_string(),
            "origin": moved.origin,
            "entries": moved.entries,
            "root": root,
            "tables": tables,
            "moved_before": moved.before,
        }));
        return;
    }
    if moved.before {
        say("this log was moved before; it was checked again");
    }
    say(format_args!("{} entries of {} are in {to}", moved.entries, moved.origin));
    say(format_args!("root: {root}"));
    for (table, rows) in &moved.tables {
        say(format_args!("  {table}: {rows} rows"));
    }
    say(format_args!("{from} can no longer be written to"));
    say("the keys are not in the database: the gateway needs the folder keys/ as before");
}
