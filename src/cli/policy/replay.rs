//! `sluis policy replay`: past decisions again, under the policies of their day and under others.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;

use super::words::{Lang, change_line};
use crate::{
    audit::{export::read, leaf::Kind},
    cli::{failed, say},
    domain::Day,
    policy::{
        History, PolicySet,
        replay::{PastDecision, ReplaySummary},
    },
};

/// Repeat past decisions, and see what other policies would have changed
///
/// Reads an export of the log (`sluis audit export --details`), and nothing else: each decision stands there with its
/// facts, and each policy that was in force with its files. Every decision must come out as it did under the policies of
/// its day. With `--against`, tells what would have been different under others: before they decide anything. What no
/// consent covered stays out, however wide a policy is.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Folder of the export. Verify it first: `sluis audit verify`
    #[arg(long, value_name = "DIR")]
    export: PathBuf,

    /// Folder of the other policies
    #[arg(long, value_name = "DIR")]
    against: Option<PathBuf>,

    /// First day of decisions to look at, such as 2026-10-01
    #[arg(long, value_name = "DAY", value_parser = crate::domain::time::parse_day)]
    from: Option<Day>,

    /// Last day
    #[arg(long, value_name = "DAY", value_parser = crate::domain::time::parse_day)]
    until: Option<Day>,

    /// Language of the report
    #[arg(long, value_enum, default_value_t = Lang::Nl)]
    lang: Lang,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What came of a replay.
#[derive(Default)]
struct Replay {
    repeated: u64,
    differs: Vec<String>,
    /// Why decisions could not be repeated, and how many.
    left_out: BTreeMap<String, u64>,
    summary: ReplaySummary,
}

pub(super) fn run(args: &ReplayArgs) -> ExitCode {
    match replay(args) {
        Ok(replay) => told(args, &replay),
        Err(fault) => failed(fault),
    }
}

fn replay(args: &ReplayArgs) -> Result<Replay, String> {
    let against = args.against.as_deref().map(|dir| PolicySet::load(dir, true, Day::MIN));
    let against = against.transpose().map_err(|faults| faults.to_string())?;
    let mut history = History::default();
    let mut replay = Replay::default();
    let mut fault = None;
    read::read(&args.export, |entry| {
        if let Err(found) = step(args, entry, &mut history, against.as_ref(), &mut replay) {
            fault.get_or_insert(found);
        }
    })
    .map_err(|fault| fault.to_string())?;
    fault.map_or(Ok(replay), Err)
}

fn step(
    args: &ReplayArgs,
    entry: read::ReadEntry,
    history: &mut History,
    against: Option<&PolicySet>,
    replay: &mut Replay,
) -> Result<(), String> {
    let position = entry.position;
    let Some(facts) = entry.facts else { return Ok(()) };
    match entry.leaf.kind {
        Kind::Genesis => {
            let facts: serde_json::Value = serde_json::from_str(&facts).map_err(|fault| fault.to_string())?;
            if let Some(pinned) = facts.get("policies").and_then(serde_json::Value::as_str) {
                history.pin(pinned.to_owned());
            }
        }
        Kind::Policy => {
            history.add(position, &facts, entry.detail.as_deref()).map_err(|fault| fault.to_string())?;
        }
        Kind::Outcome => {
            let day = entry.leaf.time.day();
            if args.from.is_some_and(|from| day < from) || args.until.is_some_and(|until| day > until) {
                return Ok(());
            }
            let detail = entry.detail.as_deref().map(str::as_bytes);
            let mut leave_out = |why: &dyn ToString| {
                *replay.left_out.entry(why.to_string()).or_default() += 1;
            };
            let decision = match PastDecision::read(position, facts.as_bytes(), detail) {
                Ok(Some(decision)) => decision,
                Ok(None) => return Ok(()),
                Err(fault) => {
                    leave_out(&fault);
                    return Ok(());
                }
            };
            match history.of(&decision.policy, position).map(|version| &version.set) {
                Some(Ok(then)) => {
                    replay.repeated += 1;
                    replay.differs.extend(decision.repeat(then).iter().map(ToString::to_string));
                }
                Some(Err(fault)) => leave_out(fault),
                // P10: what decides stands in the log before.
                None => replay.differs.push(format!(
                    "entry {position}: it was decided under the policies {}, which had not come into force",
                    decision.policy
                )),
            }
            if let Some(others) = against {
                replay.summary.add(&decision, &decision.against(others));
            }
        }
        _ => {}
    }
    Ok(())
}

fn told(args: &ReplayArgs, replay: &Replay) -> ExitCode {
    let ok = replay.differs.is_empty();
    if args.json {
        say(json!({
            "ok": ok,
            "repeated": replay.repeated,
            "differs": replay.differs,
            "left_out": replay.left_out,
            "against": args.against.as_ref().map(|_| replay.summary.to_json()),
        }));
    } else {
        let nl = args.lang == Lang::Nl;
        say(match nl {
            true => format!(
                "{} beslissingen opnieuw genomen onder het beleid van toen; {} kwamen anders uit",
                replay.repeated,
                replay.differs.len()
            ),
            false => format!(
                "{} decisions repeated under the policies of their day; {} came out otherwise",
                replay.repeated,
                replay.differs.len()
            ),
        });
        for line in &replay.differs {
            say(format_args!("  {line}"));
        }
        for (why, count) in &replay.left_out {
            say(match nl {
                true => format!("  {count} niet te herhalen: {why}"),
                false => format!("  {count} could not be repeated: {why}"),
            });
        }
        if args.against.is_some() {
            let (decisions, changed) = replay.summary.totals();
            say(match nl {
                true => format!(
                    "onder het andere beleid waren {changed} van {decisions} aanvragen anders beslist"
                ),
                false => format!(
                    "under the other policies {changed} of {decisions} requests were decided otherwise"
                ),
            });
            for (purpose, role, kind, row) in replay.summary.changes() {
                for line in change_line(args.lang, purpose, role, kind, row) {
                    say(format_args!("  {line}"));
                }
            }
        }
    }
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
