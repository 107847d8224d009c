//! The figures of a run, as JSON and as tables.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::{
    common::{figures::Spread, load::Times, options::Conditions},
    grown::Growth,
    timed::Timed,
    verified::Verified,
};

/// Durable entries with one number of callers: medians of the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Commits {
    callers: usize,
    log_per_second: Spread,
    log_p50_ms: Spread,
    log_p99_ms: Spread,
    bare_per_second: Spread,
    bare_p50_ms: Spread,
    bare_p99_ms: Spread,
    /// Of the log to the bare commit.
    ratio: Spread,
}

impl Commits {
    /// From what was measured, round by round.
    pub fn of(callers: usize, log: &[Times], bare: &[Times]) -> Option<Self> {
        let spread = |times: &[Times], figure: fn(&Times) -> f64| Spread::of(times.iter().map(figure));
        let (p50, p99) = (|times: &Times| times.percentile(0.5), |times: &Times| times.percentile(0.99));
        let speeds = |times: &[Times]| times.iter().map(Times::per_second).collect::<Vec<_>>();
        Some(Self {
            callers,
            log_per_second: spread(log, Times::per_second)?,
            log_p50_ms: spread(log, p50)?,
            log_p99_ms: spread(log, p99)?,
            bare_per_second: spread(bare, Times::per_second)?,
            bare_p50_ms: spread(bare, p50)?,
            bare_p99_ms: spread(bare, p99)?,
            ratio: Spread::ratio(&speeds(log), &speeds(bare))?,
        })
    }
}

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Always `log`.
    pub bench: &'static str,
    /// What it was like.
    #[serde(flatten)]
    pub conditions: Conditions,
    /// Bytes of an entry, of the log on average and of the bare commit for each.
    pub entry_bytes: usize,
    /// By number of callers.
    pub commits: Vec<Commits>,
    /// By size of the log.
    pub verified: Vec<Verified>,
    /// By size of the log.
    pub growth: Vec<Growth>,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Conditions { seconds, rounds, processors, load_before } = self.conditions;
        let load = load_before.map_or_else(|| "unknown".to_owned(), |load| format!("{load:.1}"));
        writeln!(
            f,
            "{processors} processors for callers and database; load before: {load}; {rounds} round(s) of {seconds} s; \
             medians\n\ndurable entries of {} bytes, SQLite\n\
             {:>12}{:>12}{:>10}{:>10}{:>12}{:>10}{:>10}{:>9}",
            self.entry_bytes, "callers", "log/s", "p50 ms", "p99 ms", "bare/s", "p50 ms", "p99 ms", "of bare"
        )?;
        for row in &self.commits {
            writeln!(
                f,
                "{:>12}{:>12.0}{:>10.2}{:>10.2}{:>12.0}{:>10.2}{:>10.2}{:>9.2}",
                row.callers,
                row.log_per_second.median,
                row.log_p50_ms.median,
                row.log_p99_ms.median,
                row.bare_per_second.median,
                row.bare_p50_ms.median,
                row.bare_p99_ms.median,
                row.ratio.median,
            )?;
        }
        writeln!(
            f,
            "\nverifying an export with facts, details and sealed parts; one processor\n\
             {:>12}{:>12}{:>14}{:>14}{:>14}{:>15}",
            "entries", "MB", "exported/s", "verified/s", "hashed/s", "times hashing"
        )?;
        for row in &self.verified {
            writeln!(
                f,
                "{:>12}{:>12.1}{:>14.0}{:>14.0}{:>14.0}{:>15.1}",
                row.entries,
                row.bytes as f64 / 1e6,
                row.exported_per_second,
                row.entries_per_second.median,
                row.hashed_per_second.median,
                row.times_hashing.median,
            )?;
        }
        writeln!(
            f,
            "\ngrowth; one caller, p50 / p99 in ms\n{:>12}{:>9}{:>18}{:>18}{:>18}{:>18}{:>18}{:>8}{:>8}{:>9}{:>10}",
            "entries",
            "clients",
            "commit",
            "proof",
            "grants",
            "disclosures",
            "search",
            "open",
            "start",
            "B/entry",
            "built/s"
        )?;
        let pair = |timed: &Timed| format!("{:.2} / {:.2}", timed.p50_ms, timed.p99_ms);
        for row in &self.growth {
            writeln!(
                f,
                "{:>12}{:>9}{:>18}{:>18}{:>18}{:>18}{:>18}{:>8.1}{:>8.1}{:>9.0}{:>10.0}",
                row.entries,
                row.clients,
                pair(&row.commit),
                pair(&row.proof),
                pair(&row.grants),
                pair(&row.disclosures),
                pair(&row.search),
                row.open_ms,
                row.start_ms,
                row.bytes_per_entry,
                row.built_per_second,
            )?;
        }
        Ok(())
    }
}
