//! `sluis audit verify`: offline, without a database.

use std::{
    cell::Cell,
    fmt::Display,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;

use crate::{
    audit::{
        receipt,
        report::{Dutch, DutchChain},
        trust::Policy,
        verify::{Progress, VerifyOptions, Witnessing, chain::verify_chain, verify_witnessed},
    },
    cli::{failed, say},
    note::VerifierKey,
};

/// Verify an export or a receipt, offline
///
/// Needs no network, no database and no gateway. Checks signatures, the root from all tiles and all entries, an earlier
/// checkpoint if you have one, that every request has exactly one outcome, and every commitment that is opened. Tells
/// everything it finds, not only the first.
///
/// With --require-witness the checkpoint must bear the cosignatures of a quorum of witnesses: of the policy that --trust
/// names, or without --trust of the one in the export. Who trusts witnesses only as the export names them trusts the export.
/// Of several shards it is the last one that must be cosigned.
///
/// Without --trust it goes by the keys in the export itself, and says that they are not anchored: get the log's public
/// key another way once, and keep it. A receipt brings no key along, so it needs --trust.
///
/// Exit status: 0 verified, 3 incomplete, 4 tampered, 5 unreadable.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Folder of an export, or file of a receipt. Several folders are the shards of one log, oldest first: then it is
    /// checked too that each begins where the one before ends, with the key that was announced there
    #[arg(value_name = "DIR|RECEIPT", required = true)]
    paths: Vec<PathBuf>,

    /// Public keys that you trust: a file with a C2SP policy, or with one verifier key per line
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,

    /// A checkpoint of the same log that you kept from before. For exports
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,

    /// Refuse an export whose checkpoint a quorum of witnesses has not cosigned (exit status 3). For exports; it is also asked
    /// for by a policy in --trust that has a quorum
    #[arg(long)]
    require_witness: bool,

    /// Language of the report (taal van het verslag)
    #[arg(long, value_enum, default_value = "en")]
    language: Language,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Languages of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Language {
    En,
    Nl,
}

/// Reads what is trusted: a policy, or bare verifier keys of logs.
pub(in crate::cli) fn trusted(path: &Path) -> Result<Policy, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|fault| format!("cannot read `{}`: {fault}", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let bare: Result<Vec<VerifierKey>, _> = lines.map(str::parse).collect();
    match bare {
        Ok(keys) if !keys.is_empty() => Ok(Policy::of_logs(keys)),
        _ => text.parse::<Policy>().map_err(|fault| format!("`{}`: {fault}", path.display())),
    }
}

pub(super) fn run(args: &VerifyArgs) -> ExitCode {
    let policy = match args.trust.as_deref().map(trusted).transpose() {
        Ok(policy) => policy,
        Err(fault) => return failed(fault),
    };
    let trust = policy.as_ref().map(|policy| policy.logs().to_vec());
    let since = match args.since.as_deref().map(std::fs::read_to_string).transpose() {
        Ok(since) => since,
        Err(fault) => return failed(format!("cannot read the earlier checkpoint: {fault}")),
    };
    let (show, shown) = (std::io::stderr().is_terminal(), Cell::new(0));
    let progress = |progress: Progress| {
        let percent = (progress.position + 1) * 100 / progress.of.max(1);
        if show && percent != shown.replace(percent) {
            // Progress is for eyes; losing it loses nothing.
            drop(write!(std::io::stderr(), "\rverified {percent} %"));
        }
    };
    let options = VerifyOptions { trust, since, progress: Some(&progress) };
    // A policy that asks for witnesses is held to, whether or not the command line asks too.
    let required = args.require_witness || policy.as_ref().is_some_and(Policy::asks_for_witnesses);
    let done = || {
        if show {
            drop(writeln!(std::io::stderr()));
        }
    };
    match args.paths.as_slice() {
        [path] if path.is_dir() => {
            let witnessing = Witnessing { trust: policy, required };
            let report = verify_witnessed(path, &options, &witnessing);
            done();
            told(args, &report, Dutch(&report), report.exit_code())
        }
        [_] if args.require_witness => failed(
            "a receipt is given out before any witness has seen its entry: verify an export by its quorum",
        ),
        [_] if args.since.is_some() => {
            failed("a receipt is verified by itself: verify an export with an earlier checkpoint")
        }
        [path] => {
            let witnesses = policy.as_ref().map(Policy::cosigners).unwrap_or_default();
            let trust = options.trust.as_deref().unwrap_or_default();
            let report = receipt::verify_file(path, trust, &witnesses);
            told(args, &report, Dutch(&report), report.exit_code())
        }
        paths => {
            let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
            let report = verify_chain(&paths, &options, &Witnessing { trust: policy, required });
            done();
            told(args, &report, DutchChain(&report), report.exit_code())
        }
    }
}

/// Prints a report in the form and the language that was asked for, and gives the status for it.
fn told(args: &VerifyArgs, report: &(impl Display + Serialize), dutch: impl Display, status: u8) -> ExitCode {
    match (args.json, args.language) {
        (true, _) => match serde_json::to_string(report) {
            Ok(json) => say(json),
            Err(fault) => return failed(fault),
        },
        (false, Language::Nl) => say(dutch),
        (false, Language::En) => say(report),
    }
    ExitCode::from(status)
}
