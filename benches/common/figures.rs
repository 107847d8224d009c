//! Figures of several rounds: median and spread, and the ratio of two variants, taken round by round.

use serde::Serialize;

/// A figure over the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spread {
    /// The one in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

/// With as many digits as such a figure is worth.
fn rounded(figure: f64) -> f64 {
    if figure.abs() < 100.0 { (figure * 1_000.0).round() / 1_000.0 } else { figure.round() }
}

impl Spread {
    /// Of these figures; of none there is none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let (first, last) = (figures.first()?, figures.last()?);
        let (low, high) = (figures.get((figures.len() - 1) / 2)?, figures.get(figures.len() / 2)?);
        Some(Self { median: rounded(low.midpoint(*high)), min: rounded(*first), max: rounded(*last) })
    }

    /// Of what the first variant is to the second in each round. What else the machine does falls on both alike then.
    pub fn ratio(first: &[f64], second: &[f64]) -> Option<Self> {
        Self::of(first.iter().zip(second).map(|(first, second)| first / second))
    }
}
