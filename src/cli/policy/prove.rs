//! `sluis policy prove`: that no question leads out of the invariants, and what a change allows.

use std::{fs, path::PathBuf, process::ExitCode, time::Duration};

use clap::Args;
use serde_json::json;

use crate::{
    cli::{failed, say},
    domain::Day,
    policy::{
        PolicySet,
        proof::ProofRecord,
        prove::{Attempt, Finding, Property, SolverPath, Verdict, prove},
    },
};

/// Prove that policies keep to their invariants, and compare them with those before
///
/// Asks the solver cvc5 about every question that could ever be put: that no rule gives an error and each has an effect,
/// that whatever is permitted keeps to each invariant, and, with `--against`, whether more is allowed than before and that
/// the listed differences are all there are. Prints a question that shows it for whatever does not hold. If everything holds, writes the proof record `proof.toml`, which a gateway asks
/// for. That more is allowed than before is no fault: it stands in the record, and the owners sign that.
#[derive(Debug, Args)]
pub struct ProveArgs {
    /// Folder of the policies
    #[arg(value_name = "DIR")]
    dir: PathBuf,

    /// Folder of the policies in force. A gateway takes no change that was not compared with what it changes
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,

    /// Program of the solver, in place of `cvc5`
    #[arg(long, value_name = "FILE")]
    solver: Option<PathBuf>,

    /// Write no proof record
    #[arg(long)]
    dry_run: bool,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: ProveArgs, today: Day) -> ExitCode {
    match attempt(&args, today).await {
        Ok((set, attempt)) => told(&args, &set, &attempt, today),
        Err(fault) => failed(fault),
    }
}

async fn attempt(args: &ProveArgs, today: Day) -> Result<(PolicySet, Attempt), String> {
    let load = |dir, day| PolicySet::load(dir, true, day).map_err(|faults| faults.to_string());
    let set = load(&args.dir, today)?;
    // What was in force may be overdue: that can be why it is changed.
    let before = args.against.as_deref().map(|dir| load(dir, Day::MIN)).transpose()?;
    let solver = SolverPath::find(args.solver.clone());
    let attempt = prove(&set, before.as_ref(), &solver).await.map_err(|fault| fault.to_string())?;
    Ok((set, attempt))
}

fn told(args: &ProveArgs, set: &PolicySet, attempt: &Attempt, today: Day) -> ExitCode {
    let proven = attempt.proven();
    let written = match proven {
        Some(proven) if !args.dry_run => {
            let path = args.dir.join("proof.toml");
            if let Err(fault) = fs::write(&path, ProofRecord::of(proven, today).text()) {
                return failed(format_args!("`{}` cannot be written: {fault}", path.display()));
            }
            true
        }
        _ => false,
    };
    if args.json {
        print_json(set, attempt, written);
    } else {
        print(set, attempt, written);
    }
    if proven.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn print_json(set: &PolicySet, attempt: &Attempt, written: bool) {
    let findings = attempt.findings.iter().map(|finding| {
        let example = finding.counter_example();
        json!({
            "check": finding.property.code(),
            "id": finding.property.id(),
            "property": finding.property.to_string(),
            "says": says(set, &finding.property),
            "holds": finding.holds(),
            "counter_example": example,
            "nl": example.map(|example| example.nl()),
            "en": example.map(|example| example.en()),
            "ms": u64::try_from(finding.took.as_millis()).unwrap_or(u64::MAX),
        })
    });
    say(json!({
        "ok": attempt.proven().is_some(),
        "hash": set.hash(),
        "solver": attempt.solver(),
        "prover": attempt.prover(),
        "findings": findings.collect::<Vec<_>>(),
        "change": attempt.change.as_ref().map(|change| change.to_json()),
        "written": written,
    }));
}

/// What an invariant says in Dutch.
fn says<'a>(set: &'a PolicySet, property: &Property) -> Option<&'a str> {
    match property {
        Property::Keeps(id) => set.invariant_nl(id),
        _ => None,
    }
}

fn print(set: &PolicySet, attempt: &Attempt, written: bool) {
    say(format_args!("policies {}", set.hash()));
    say(format_args!("  asked of {}, by {}", attempt.solver(), attempt.prover()));
    print_rules(attempt, "none ever gives an error", |property| matches!(property, Property::NeverErrors(_)));
    print_rules(attempt, "each has an effect", |property| {
        matches!(property, Property::CanPermit(_) | Property::CanForbid(_))
    });
    for finding in &attempt.findings {
        let of_rules = !matches!(finding.property, Property::Keeps(_)) && finding.property.id().is_some();
        if !of_rules || !finding.holds() {
            print_finding(set, finding);
        }
    }
    if let Some(change) = &attempt.change {
        for (sign, list) in [('+', &change.wider), ('-', &change.narrower)] {
            for difference in list {
                say(format_args!("  {sign} {difference}"));
            }
        }
        say(format_args!(
            "  {} combinations are allowed that were not, {} no longer",
            change.wider.len(),
            change.narrower.len()
        ));
    }
    if written {
        say("  proof.toml is written; the manifest has to be drawn up and signed anew");
    }
}

/// One line for all rules, if it holds for all.
fn print_rules(attempt: &Attempt, what: &str, which: impl Fn(&Property) -> bool) {
    let rules: Vec<_> = attempt.findings.iter().filter(|finding| which(&finding.property)).collect();
    if rules.iter().all(|finding| finding.holds()) {
        let took: Duration = rules.iter().map(|finding| finding.took).sum();
        say(format_args!("  holds: of the {} rules {what} ({} ms)", rules.len(), took.as_millis()));
    }
}

fn print_finding(set: &PolicySet, finding: &Finding) {
    let holds = if finding.holds() { "holds" } else { "DOES NOT HOLD" };
    say(format_args!("  {holds}: {} ({} ms)", finding.property, finding.took.as_millis()));
    if let (false, Some(says)) = (finding.holds(), says(set, &finding.property)) {
        say(format_args!("    {says}"));
    }
    match &finding.verdict {
        Verdict::Holds => {}
        Verdict::Broken(example) => {
            say(format_args!("    {}", example.en()));
            say(format_args!("    {}", example.nl()));
        }
        Verdict::Idle => {
            say("    There is no question on which it has an effect.");
            say("    Er is geen vraag waarbij deze regel iets uitmaakt.");
        }
    }
}
