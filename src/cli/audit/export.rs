//! `sluis audit export`: the log as files, straight from the store.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use serde_json::json;

use crate::{
    audit::{
        entry::NewEntry,
        export::stored::{self, Openings},
        leaf::Kind,
        writer::{Parts, Work, Writer},
    },
    cli::{failed, say},
    config::Settings,
    domain::Clock,
    note::{NoteSigner, VerifierKey},
    storage::{Database, DatabaseAddress, OpenFault},
    subject::KeyRing,
};

/// Export the log as files that anyone can verify
///
/// Writes the C2SP tlog-tiles layout (checkpoint, tiles, entries), the opened facts and the log's public key to a new
/// folder. `sluis audit verify` checks it without a network or a database. The facts name organisations, purposes and
/// fields, no client.
///
/// An export is itself an entry in the log. While a gateway is running on the same embedded database it alone can write
/// that, so the export is then read only, and says so; an officer's look through the gateway (`sluis audit show`) is
/// always logged.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub struct ExportArgs {
    /// Configuration of the gateway
    #[arg(long, group = "which", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Data folder of the gateway, or the folder of a demo
    #[arg(long, group = "which", value_name = "DIR")]
    data_dir: Option<PathBuf>,

    /// Folder to write to: new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Open the real reasons of outcomes too. They can tell that a client is known; for the gateway's own officer
    #[arg(long)]
    details: bool,

    /// Take the sealed parts along. They stay sealed
    #[arg(long)]
    sealed: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Data folder and database: of the configuration, of a demo, or the folder itself.
fn place(args: &ExportArgs) -> Result<(PathBuf, DatabaseAddress), String> {
    let config = match (&args.config, &args.data_dir) {
        (Some(config), _) => Some(config.clone()),
        (None, Some(dir)) => Some(dir.join("sluis.toml")).filter(|config| config.exists()),
        (None, None) => None,
    };
    match config {
        Some(config) => {
            let settings = Settings::load(&config).map_err(|fault| fault.to_string())?;
            Ok((settings.data_dir, settings.database))
        }
        None => {
            let folder = args.data_dir.clone().unwrap_or_default();
            Ok((folder.clone(), DatabaseAddress::Folder(folder)))
        }
    }
}

pub(super) async fn run(args: ExportArgs, clock: Arc<dyn Clock>) -> ExitCode {
    let (folder, database) = match place(&args) {
        Ok(place) => place,
        Err(fault) => return failed(fault),
    };
    match export(&args, &folder, &database, clock).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(fault),
    }
}

/// Opens the store for writing, or, if a gateway has an embedded one, for reading.
async fn open(address: &DatabaseAddress) -> Result<(Database, bool), String> {
    // Opening makes what is not there, and a mistyped folder should not become a gateway's.
    if let DatabaseAddress::Folder(folder) = address
        && !folder.join("sluis.db").exists()
    {
        return Err(format!("there is no log in `{}`", folder.display()));
    }
    match (Database::open(address).await, address) {
        (Ok(database), _) => Ok((database, true)),
        (Err(OpenFault::Locked), DatabaseAddress::Folder(folder)) => {
            let database = Database::open_read_only(folder).await;
            database.map(|database| (database, false)).map_err(|fault| fault.to_string())
        }
        (Err(fault), _) => Err(fault.to_string()),
    }
}

async fn export(
    args: &ExportArgs,
    folder: &Path,
    address: &DatabaseAddress,
    clock: Arc<dyn Clock>,
) -> Result<(), String> {
    let (database, writable) = open(address).await?;
    let store = database.shared();
    let head = store.head().await.map_err(|fault| fault.to_string())?;
    let origin = head.ok_or_else(|| format!("there is no log in `{address}` yet"))?.origin;
    let keys = Arc::new(KeyRing::open(&folder.join("keys")).map_err(|fault| fault.to_string())?);
    let key = keys.log_key().map_err(|fault| fault.to_string())?;
    let signer = NoteSigner::new(&origin, key).map_err(|fault| fault.to_string())?;
    let verifier: VerifierKey = signer.verifier().clone();
    let openings = Openings { details: args.details, sealed: args.sealed };
    if writable {
        let parts = Parts { store: Arc::clone(&store), keys, signer, clock };
        let (log, task) = Writer::start(parts, origin).await.map_err(|fault| fault.to_string())?;
        let facts = json!({
            "by": "operator",
            "looked_at": { "export": true, "details": args.details, "sealed": args.sealed },
        });
        let entry = NewEntry::of_gateway(Kind::Access, facts);
        log.commit(Work::Append(entry)).await.map_err(|fault| fault.to_string())?;
        drop(log);
        drop(task.await);
    }
    let show = std::io::stderr().is_terminal();
    let progress = |done: u64, of: u64| {
        if show {
            // Progress is for eyes; losing it loses nothing.
            drop(write!(std::io::stderr(), "\rexported {done} of {of} entries"));
        }
    };
    let summary =
        stored::export(store.as_ref(), &args.out, std::slice::from_ref(&verifier), openings, progress)
            .await
            .map_err(|fault| fault.to_string())?;
    if show {
        drop(writeln!(std::io::stderr()));
    }
    store.close().await;
    if args.json {
        say(json!({
            "entries": summary.entries,
            "root": hex::encode(summary.root),
            "root_matches": summary.root_matches,
            "key": verifier.to_string(),
            "logged": writable,
        }));
    } else {
        say(format_args!("{} entries exported to {}", summary.entries, args.out.display()));
        say(format_args!("key of the log: {verifier}"));
        if !writable {
            say("a gateway is running on this data, so this export has no entry in the log");
        }
    }
    if summary.root_matches {
        Ok(())
    } else {
        Err("the exported entries do not have the root of the signed checkpoint; verify the export"
            .to_owned())
    }
}
