//! The figures of a run, as JSON and as a table.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use serde::Serialize;

use crate::common::{figures::Spread, load::Times, options::Conditions};

/// A store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// Embedded.
    Sqlite,
    /// Shared.
    Postgres,
}

/// What is measured on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// The log.
    Log,
    /// The bare group commit.
    Bare,
}

/// One of these over the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Figures {
    store: Store,
    variant: Variant,
    entries_per_second: Spread,
    p50_ms: Spread,
    p99_ms: Spread,
}

/// Everything with the same number of callers.
#[derive(Debug, Serialize)]
pub struct Row {
    callers: usize,
    variants: Vec<Figures>,
    /// Entries a second of the log to those of the bare commit, by store: median of the rounds.
    ratio: BTreeMap<Store, f64>,
    ratio_spread: BTreeMap<Store, Spread>,
}

impl Row {
    /// From what was measured, round by round.
    pub fn new(callers: usize, measured: &BTreeMap<(Store, Variant), Vec<Times>>) -> Self {
        let variants = measured.iter().filter_map(|((store, variant), rounds)| {
            let spread = |figure: fn(&Times) -> f64| Spread::of(rounds.iter().map(figure));
            Some(Figures {
                store: *store,
                variant: *variant,
                entries_per_second: spread(Times::per_second)?,
                p50_ms: spread(|times| times.percentile(0.5))?,
                p99_ms: spread(|times| times.percentile(0.99))?,
            })
        });
        let speeds = |store, variant| {
            let rounds = measured.get(&(store, variant))?;
            Some(rounds.iter().map(Times::per_second).collect::<Vec<_>>())
        };
        let ratio = |store| {
            let ratio = Spread::ratio(&speeds(store, Variant::Log)?, &speeds(store, Variant::Bare)?)?;
            Some((store, ratio))
        };
        let ratio_spread: BTreeMap<_, _> =
            [Store::Sqlite, Store::Postgres].into_iter().filter_map(ratio).collect();
        Self {
            callers,
            variants: variants.collect(),
            ratio: ratio_spread.iter().map(|(store, ratio)| (*store, ratio.median)).collect(),
            ratio_spread,
        }
    }
}

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Always `store`.
    pub bench: &'static str,
    /// What it was like.
    #[serde(flatten)]
    pub conditions: Conditions,
    /// Bytes of an entry, by store: what the log stores for one on average, and the bare commit for each.
    pub entry_bytes: BTreeMap<Store, usize>,
    /// By number of callers.
    pub callers: Vec<Row>,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Conditions { seconds, rounds, processors, .. } = self.conditions;
        writeln!(
            f,
            "durable entries; {processors} processors for callers and database; {rounds} round(s) of {seconds} s;\n\
             medians, with the least and the greatest of the rounds\n\n\
             {:>7}  {:<16}{:>28}{:>10}{:>10}{:>9}",
            "callers", "", "entries/s", "p50 ms", "p99 ms", "of bare"
        )?;
        for row in &self.callers {
            for figures in &row.variants {
                let speed = figures.entries_per_second;
                let ratio = row.ratio.get(&figures.store).filter(|_| figures.variant == Variant::Log);
                writeln!(
                    f,
                    "{:>7}  {:<16}{:>28}{:>10.2}{:>10.2}{:>9}",
                    row.callers,
                    format!("{:?} {:?}", figures.store, figures.variant).to_lowercase(),
                    format!("{:.0} ({:.0}-{:.0})", speed.median, speed.min, speed.max),
                    figures.p50_ms.median,
                    figures.p99_ms.median,
                    ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
                )?;
            }
        }
        Ok(())
    }
}
