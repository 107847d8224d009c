//! `sluis policy history`: which policies were in force, by whose signatures.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    audit::{export::read, leaf::Kind},
    cli::{failed, say},
    policy::History,
};

/// Show which policies were in force, and check that each was signed by those it took over from
///
/// Reads an export of the log (`sluis audit export`, with `--details` for the files themselves).
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// Folder of the export
    #[arg(long, value_name = "DIR")]
    export: PathBuf,

    /// Write the files of one version to a new folder: its number, then the folder
    #[arg(long, num_args = 2, value_names = ["VERSION", "DIR"])]
    extract: Option<Vec<String>>,

    /// Print one JSON object per version
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &HistoryArgs) -> ExitCode {
    let history = match history(args) {
        Ok(history) => history,
        Err(fault) => return failed(fault),
    };
    for (version, day) in &history.1 {
        let Some(of) = history.0.versions().iter().find(|of| of.position == *version) else { continue };
        let manifest = &of.manifest;
        if args.json {
            say(json!({
                "position": of.position,
                "time": day,
                "version": manifest.version(),
                "hash": of.hash,
                "manifest": manifest.hash(),
                "owners": manifest.owners().iter().map(|owner| owner.id()).collect::<Vec<_>>(),
                "signed_by": manifest.signed_by(),
                "readable": of.set.is_ok(),
            }));
        } else {
            say(format_args!(
                "version {} from {day}, entry {}: {}",
                manifest.version(),
                of.position,
                of.hash
            ));
            say(format_args!("  signed by {}", manifest.signed_by().join(", ")));
            if let Err(fault) = &of.set {
                say(format_args!("  {fault}"));
            }
        }
    }
    match args.extract.as_deref() {
        Some([version, dir]) => match extract(&history.0, version, Path::new(dir)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) => failed(fault),
        },
        _ => ExitCode::SUCCESS,
    }
}

type Times = Vec<(u64, String)>;

fn history(args: &HistoryArgs) -> Result<(History, Times), String> {
    let mut history = History::default();
    let mut times = Times::new();
    let mut fault = None;
    read::read(&args.export, |entry| {
        let Some(facts) = entry.facts else { return };
        match entry.leaf.kind {
            Kind::Genesis => {
                let facts: Value = serde_json::from_str(&facts).unwrap_or_default();
                if let Some(pinned) = facts.get("policies").and_then(Value::as_str) {
                    history.pin(pinned.to_owned());
                }
            }
            Kind::Policy => {
                times.push((entry.position, entry.leaf.time.to_string()));
                if let Err(found) = history.add(entry.position, &facts, entry.detail.as_deref()) {
                    fault.get_or_insert(found.to_string());
                }
            }
            _ => {}
        }
    })
    .map_err(|fault| fault.to_string())?;
    fault.map_or(Ok((history, times)), Err)
}

fn extract(history: &History, version: &str, dir: &Path) -> Result<(), String> {
    let wanted = history.versions().iter().find(|of| of.manifest.version().to_string() == version);
    let wanted = wanted.ok_or_else(|| format!("there is no version {version}"))?;
    let set = wanted.set.as_ref().map_err(ToString::to_string)?;
    if dir.exists() {
        return Err(format!("`{}` exists", dir.display()));
    }
    for (name, text) in set.files() {
        let path = dir.join(name);
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| fs::write(&path, text))
            .map_err(|fault| format!("`{}`: {fault}", path.display()))?;
    }
    Ok(())
}
