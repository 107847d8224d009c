//! `sluis audit export`: the log as files, straight from the store.

use std::{
    io::{IsTerminal as _, Write as _},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use serde_json::json;

use crate::{
    app,
    audit::{
        checkpoint::Checkpoint,
        entry::NewEntry,
        export::stored::{self, Openings, Witnessed},
        leaf::Kind,
        shard,
        writer::{Parts, Work, Writer},
    },
    cli::{failed, say},
    config::{Settings, Witnessing},
    domain::Clock,
    note::{Note, NoteSigner, VerifierKey},
    storage::{Database, DatabaseAddress, OpenFault, ShardPlace, Store},
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

    /// The shard of this number instead of the one that is written
    #[arg(long, value_name = "N", conflicts_with = "all")]
    shard: Option<u64>,

    /// Every shard, each in a folder of its own
    #[arg(long)]
    all: bool,

    /// Open the real reasons of outcomes too. They can tell that a client is known; for the gateway's own officer
    #[arg(long)]
    details: bool,

    /// Take the sealed parts along. They stay sealed
    #[arg(long)]
    sealed: bool,

    /// End at the newest checkpoint that a quorum of witnesses has cosigned, instead of the newest of all. What came later
    /// is left out; `sluis audit verify --require-witness` takes no other export
    #[arg(long)]
    cosigned: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Where a log is, and who cosigns it.
struct Place {
    folder: PathBuf,
    database: DatabaseAddress,
    /// Unknown where there is no configuration.
    witnessing: Option<Witnessing>,
}

/// The place that the configuration names, that of a demo, or the folder itself.
fn place(args: &ExportArgs) -> Result<Place, String> {
    let config = match (&args.config, &args.data_dir) {
        (Some(config), _) => Some(config.clone()),
        (None, Some(dir)) => Some(dir.join("sluis.toml")).filter(|config| config.exists()),
        (None, None) => None,
    };
    match config {
        Some(config) => {
            let settings = Settings::load(&config).map_err(|fault| fault.to_string())?;
            Ok(Place {
                folder: settings.data_dir,
                database: settings.database,
                witnessing: Some(settings.witnessing),
            })
        }
        None => {
            let folder = args.data_dir.clone().unwrap_or_default();
            Ok(Place { folder: folder.clone(), database: DatabaseAddress::Folder(folder), witnessing: None })
        }
    }
}

pub(super) async fn run(args: ExportArgs, clock: Arc<dyn Clock>) -> ExitCode {
    let place = match place(&args) {
        Ok(place) => place,
        Err(fault) => return failed(fault),
    };
    match export(&args, &place, clock).await {
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

/// What the export says of witnesses. A cosigned checkpoint goes along where it is asked for, and where it is the newest one
/// anyway.
fn witnessed(args: &ExportArgs, place: &Place, newest: &stored::Extent) -> Result<Witnessed, String> {
    let found = app::cosigned(&place.folder).map_err(|fault| fault.to_string())?;
    let fits = |note: &String| {
        let note = Note::parse(note).ok()?;
        let cosigned = Checkpoint::parse(note.unverified_text()).ok()?;
        // The log of another year leaves its last one behind.
        Some(cosigned.origin == newest.origin && (args.cosigned || cosigned.size == newest.size))
    };
    let checkpoint = found.filter(|note| fits(note) == Some(true));
    if args.cosigned && checkpoint.is_none() {
        return Err("a quorum of witnesses has not cosigned this log yet".to_owned());
    }
    let Some(witnessing) = &place.witnessing else {
        return if args.cosigned {
            Err("which witnesses there are stands in the configuration; give it with `--config`".to_owned())
        } else {
            Ok(Witnessed::default())
        };
    };
    let keys = witnessing.witnesses.iter().map(|witness| witness.key.clone()).collect();
    Ok(Witnessed { keys, threshold: witnessing.quorum, checkpoint })
}

async fn export(args: &ExportArgs, place: &Place, clock: Arc<dyn Clock>) -> Result<(), String> {
    let Place { folder, database: address, .. } = place;
    let (database, writable) = open(address).await?;
    let store = database.shared();
    let head = store.head().await.map_err(|fault| fault.to_string())?;
    let head = head.ok_or_else(|| format!("there is no log in `{address}` yet"))?;
    let origin = head.origin;
    let keys = Arc::new(KeyRing::open(&folder.join("keys")).map_err(|fault| fault.to_string())?);
    let openings = Openings { details: args.details, sealed: args.sealed };
    let chosen = chosen(args, store.as_ref(), &keys).await?;
    // Before it is entered as an export, and once more when that took time.
    can_be_cosigned(args, &chosen, head.place)?;
    // A database from an older copy is read, and not signed again.
    let name = shard::log_name(&origin).unwrap_or_default();
    let is_older = keys
        .log
        .verifiers()
        .any(|(number, key)| number > head.place.number && shard::is_of(key.name(), name));
    let logged = writable && !is_older && keys.log.has_private(head.place.number);
    if logged {
        let key = keys.log_key(head.place.number).map_err(|fault| fault.to_string())?;
        let signer = NoteSigner::new(&origin, key).map_err(|fault| fault.to_string())?;
        let parts = Parts { store: Arc::clone(&store), keys, signer, clock };
        let (log, task) = Writer::start(parts, origin.clone()).await.map_err(|fault| fault.to_string())?;
        let facts = json!({
            "by": "operator",
            "looked_at": {
                "export": true,
                "details": args.details,
                "sealed": args.sealed,
                "shards": chosen.iter().map(|(extent, ..)| extent.origin.as_str()).collect::<Vec<_>>(),
            },
        });
        let entry = NewEntry::of_gateway(Kind::Access, facts);
        log.commit(Work::Append(entry)).await.map_err(|fault| fault.to_string())?;
        drop(log);
        drop(task.await);
    }
    // As they are by now: the one that is written has the entry about this export.
    let now = stored::extents(store.as_ref()).await.map_err(|fault| fault.to_string())?;
    let newest = now.last().ok_or_else(|| format!("there is no log in `{address}` yet"))?;
    can_be_cosigned(args, &chosen, newest.place)?;
    let witnessed = witnessed(args, place, newest)?;
    let show = std::io::stderr().is_terminal();
    let progress = |done: u64, of: u64| {
        if show {
            // Progress is for eyes; losing it loses nothing.
            drop(write!(std::io::stderr(), "\rexported {done} of {of} entries"));
        }
    };
    let mut done = Vec::new();
    for (extent, key, out) in chosen {
        let extent = now.iter().find(|now| now.place == extent.place).unwrap_or(&extent);
        let witnessed = if extent == newest { witnessed.clone() } else { Witnessed::default() };
        let keys = std::slice::from_ref(&key);
        let summary = stored::export_shard(store.as_ref(), extent, &out, keys, openings, witnessed, progress)
            .await
            .map_err(|fault| fault.to_string())?;
        if show {
            drop(writeln!(std::io::stderr()));
        }
        done.push((summary, key, out));
    }
    store.close().await;
    let objects: Vec<_> = done
        .iter()
        .map(|(summary, key, out)| {
            json!({
                "entries": summary.entries,
                "root": hex::encode(summary.root),
                "root_matches": summary.root_matches,
                "key": key.to_string(),
                "origin": key.name(),
                "folder": out,
                "logged": logged,
            })
        })
        .collect();
    match objects.as_slice() {
        [one] if args.json && !args.all => say(one),
        all if args.json => say(json!(all)),
        _ => {
            for (summary, key, out) in &done {
                say(format_args!("{} entries exported to {}", summary.entries, out.display()));
                say(format_args!("key of the log: {key}"));
            }
            if !writable {
                say("a gateway is running on this data, so this export has no entry in the log");
            } else if !logged {
                say(
                    "this log cannot be signed here any more, so this export has no entry in it (docs/keys.md)",
                );
            }
        }
    }
    if done.iter().all(|(summary, ..)| summary.root_matches) {
        Ok(())
    } else {
        Err("the exported entries do not have the root of the signed checkpoint; verify the export"
            .to_owned())
    }
}

/// A shard to export, with its key and its folder.
type Chosen = (stored::Extent, VerifierKey, PathBuf);

/// Whether the shard that is written, of which alone a cosigned checkpoint is kept, is exported where one is asked for.
fn can_be_cosigned(args: &ExportArgs, chosen: &[Chosen], written: ShardPlace) -> Result<(), String> {
    if args.cosigned && chosen.iter().all(|(extent, ..)| extent.place != written) {
        return Err("a cosigned checkpoint is kept of the shard that is written, and of no other".to_owned());
    }
    Ok(())
}

/// The shards to export.
async fn chosen(args: &ExportArgs, store: &dyn Store, keys: &KeyRing) -> Result<Vec<Chosen>, String> {
    let extents = stored::extents(store).await.map_err(|fault| fault.to_string())?;
    let last = extents.last().map(|extent| extent.place.number);
    let wanted = |extent: &stored::Extent| args.all || Some(extent.place.number) == args.shard.or(last);
    let chosen: Vec<_> = extents.into_iter().filter(wanted).collect();
    if chosen.is_empty() {
        return Err("there is no shard of that number".to_owned());
    }
    let with_key = |extent: stored::Extent| {
        let public = keys.log.public(extent.place.number);
        let public = public.ok_or_else(|| {
            format!("the public key of the shard `{}` is not in the key folder", extent.origin)
        })?;
        let key = VerifierKey::new(&extent.origin, public).map_err(|fault| fault.to_string())?;
        let folder = extent.origin.rsplit('/').next().unwrap_or_default();
        let out = if args.all { args.out.join(folder) } else { args.out.clone() };
        Ok((extent, key, out))
    };
    chosen.into_iter().map(with_key).collect()
}
