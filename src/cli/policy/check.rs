//! `sluis policy check`: whether a gateway would load these policies.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;

use crate::{
    cli::{failed, say},
    domain::Day,
    policy::{PolicyFaults, PolicySet, SealedPolicies},
};

/// Check whether a gateway would load these policies
///
/// Reads them as a gateway does at its start: every file known, parsed and valid, every rule with its terms and bases, the
/// proof record of exactly these files, and the manifest signed by every owner. Prints every fault with file and line.
/// Whether they may take over from those in force is decided by the gateway, which knows these.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Folder of the policies
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Leave out proof and signatures: for policies that are being changed
    #[arg(long)]
    draft: bool,

    /// As a production gateway, which refuses examples
    #[arg(long)]
    production: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &CheckArgs, today: Day) -> ExitCode {
    let test_gateway = !args.production;
    if args.draft {
        match PolicySet::load(&args.dir, test_gateway, today) {
            Ok(set) => told(args, &set, None, today),
            Err(faults) => refused(args, &faults),
        }
    } else {
        match SealedPolicies::load(&args.dir, test_gateway, today) {
            Ok(sealed) => told(args, &sealed, Some(&sealed), today),
            Err(faults) => refused(args, &faults),
        }
    }
}

fn refused(args: &CheckArgs, faults: &PolicyFaults) -> ExitCode {
    if !args.json {
        return failed(faults);
    }
    let told = faults
        .faults()
        .iter()
        .map(|fault| json!({ "file": fault.file, "line": fault.line, "problem": fault.problem.to_string() }));
    say(json!({ "ok": false, "faults": told.collect::<Vec<_>>() }));
    ExitCode::FAILURE
}

fn told(args: &CheckArgs, set: &PolicySet, sealed: Option<&SealedPolicies>, today: Day) -> ExitCode {
    let active = set.purposes().filter(|entry| entry.active).count();
    let inactive = set.purposes().count() - active;
    let due = set.reviews_due(today);
    let due = due.iter().map(|(id, days)| format!("{id} must be reviewed within {days} days (R19)"));
    let due: Vec<_> = due.collect();
    if args.json {
        say(json!({
            "ok": true,
            "hash": set.hash(),
            "version": sealed.map(|sealed| sealed.manifest().version()),
            "manifest": sealed.map(|sealed| sealed.manifest().hash()),
            "signed_by": sealed.map(|sealed| sealed.manifest().signed_by()),
            "active": active,
            "inactive": inactive,
            "rules": set.permits().count(),
            "warnings": due,
        }));
        return ExitCode::SUCCESS;
    }
    say(format_args!("policies {}", set.hash()));
    say(format_args!(
        "  {active} active purposes with {} permits, {inactive} not active",
        set.permits().count()
    ));
    match sealed {
        Some(sealed) => {
            let manifest = sealed.manifest();
            say(format_args!("  version {}, manifest {}", manifest.version(), manifest.hash()));
            for owner in manifest.owners() {
                say(format_args!("  signed by {}: {}", owner.id(), owner.name));
            }
        }
        None => say("  a draft: neither proof nor signatures were looked at"),
    }
    for line in due {
        say(format_args!("  warning: {line}"));
    }
    ExitCode::SUCCESS
}
