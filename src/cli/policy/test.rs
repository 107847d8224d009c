//! `sluis policy test`: whether policies decide what their owners expect.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;

use crate::{
    cli::{failed, say},
    domain::Day,
    policy::PolicySet,
};

/// Run the cases in `tests/` of a folder of policies
///
/// Each case states a decision that the owners expect. The cases must be complete: every active purpose, role, kind of
/// source and field set, a permit and a denial for each rule that permits, and a denial for each guardrail.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Folder of the policies
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &TestArgs, today: Day) -> ExitCode {
    let set = match PolicySet::load(&args.dir, true, today) {
        Ok(set) => set,
        Err(faults) => return failed(faults),
    };
    let run = set.run_cases(&args.dir);
    let faults: Vec<_> = run.faults.iter().map(ToString::to_string).collect();
    if args.json {
        say(json!({
            "ok": faults.is_empty(),
            "hash": set.hash(),
            "decisions": run.decisions,
            "coverage": run
                .coverage
                .iter()
                .map(|(id, coverage)| (id, json!({ "permits": coverage.permits, "denies": coverage.denies })))
                .collect::<std::collections::BTreeMap<_, _>>(),
            "faults": faults,
        }));
    } else {
        for (id, coverage) in &run.coverage {
            say(format_args!("{:>6} permit {:>6} deny  {id}", coverage.permits, coverage.denies));
        }
        for fault in &faults {
            say(fault);
        }
        say(format_args!("{} decisions, {} faults", run.decisions, faults.len()));
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
