//! The figures of a run, as JSON and as a table.

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Formatter},
};

use serde::Serialize;

use crate::{
    common::{figures::Spread, options::Conditions},
    load::{Measured, Shape},
};

/// A variant of the process in the middle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// A relay that checks nothing: the ceiling.
    A,
    /// Sluis on SQLite.
    B,
    /// Sluis on PostgreSQL.
    C,
}

impl Variant {
    /// What it is.
    pub const fn what(self) -> &'static str {
        match self {
            Self::A => "relay without checks",
            Self::B => "Sluis on SQLite",
            Self::C => "Sluis on PostgreSQL",
        }
    }
}

/// A variant over the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
struct Figures {
    variant: Variant,
    what: &'static str,
    requests_per_second: Spread,
    p50_ms: Spread,
    p99_ms: Spread,
    cpu_us_per_request: Spread,
    rss_mib: Spread,
    answer_bytes: usize,
}

impl Figures {
    fn of(variant: Variant, rounds: &[Measured]) -> Option<Self> {
        let spread = |figure: fn(&Measured) -> f64| Spread::of(rounds.iter().map(figure));
        Some(Self {
            variant,
            what: variant.what(),
            requests_per_second: spread(|round| round.per_second)?,
            p50_ms: spread(|round| round.p50_ms)?,
            p99_ms: spread(|round| round.p99_ms)?,
            cpu_us_per_request: spread(|round| round.cpu_us)?,
            rss_mib: spread(|round| round.rss_mib)?,
            answer_bytes: rounds.last()?.answer_bytes,
        })
    }
}

/// All variants with the same number of calls at all times.
#[derive(Debug, Serialize)]
pub struct Row {
    in_flight: usize,
    #[serde(flatten)]
    shape: Shape,
    variants: Vec<Figures>,
    /// Requests a second of B to those of A: median of the rounds.
    ratio_b_a: Option<f64>,
    ratio_b_a_spread: Option<Spread>,
    /// Requests a second of C to those of A: median of the rounds.
    ratio_c_a: Option<f64>,
    ratio_c_a_spread: Option<Spread>,
}

impl Row {
    /// From what each variant measured, round by round.
    pub fn new(shape: Shape, variants: &BTreeMap<Variant, Vec<Measured>>) -> Self {
        let speeds = |variant: Variant| {
            let found = variants.get(&variant);
            found.map(|rounds| rounds.iter().map(|round| round.per_second).collect::<Vec<_>>())
        };
        let ratio = |variant| Spread::ratio(&speeds(variant)?, &speeds(Variant::A)?);
        let (b_a, c_a) = (ratio(Variant::B), ratio(Variant::C));
        Self {
            in_flight: shape.connections * shape.streams,
            shape,
            variants: variants.iter().filter_map(|(of, rounds)| Figures::of(*of, rounds)).collect(),
            ratio_b_a: b_a.map(|ratio| ratio.median),
            ratio_b_a_spread: b_a,
            ratio_c_a: c_a.map(|ratio| ratio.median),
            ratio_c_a_spread: c_a,
        }
    }
}

/// A whole run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Always `exchange`.
    pub bench: &'static str,
    /// What it was like.
    #[serde(flatten)]
    pub conditions: Conditions,
    /// Bytes of a question.
    pub request_bytes: usize,
    /// By number of calls at all times.
    pub concurrency: Vec<Row>,
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Conditions { seconds, rounds, processors, .. } = self.conditions;
        writeln!(
            f,
            "mutual TLS on loopback, {processors} processors for client, middle, backend and database; {rounds} round(s) of {seconds} s;\n\
             medians, with the least and the greatest of the rounds; CPU and RSS are of the process in the middle\n",
        )?;
        writeln!(
            f,
            "{:>5}  {:<22}{:>24}{:>10}{:>10}{:>14}{:>10}{:>9}",
            "calls", "in the middle", "requests/s", "p50 ms", "p99 ms", "CPU us/req", "RSS MiB", "of A"
        )?;
        for row in &self.concurrency {
            for figures in &row.variants {
                let speed = figures.requests_per_second;
                let ratio = match figures.variant {
                    Variant::A => None,
                    Variant::B => row.ratio_b_a,
                    Variant::C => row.ratio_c_a,
                };
                writeln!(
                    f,
                    "{:>5}  {:<22}{:>24}{:>10.2}{:>10.2}{:>14.0}{:>10.1}{:>9}",
                    row.in_flight,
                    format!("{:?} {}", figures.variant, figures.what),
                    format!("{:.0} ({:.0}-{:.0})", speed.median, speed.min, speed.max),
                    figures.p50_ms.median,
                    figures.p99_ms.median,
                    figures.cpu_us_per_request.median,
                    figures.rss_mib.median,
                    ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
                )?;
            }
        }
        Ok(())
    }
}
