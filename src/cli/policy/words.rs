//! What policies would change, in words.

use std::collections::BTreeMap;

use clap::ValueEnum;

use crate::{
    domain::{OrganisationKind, Purpose, Role},
    policy::replay::ReplayRow,
};

/// Language of what people read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Dutch
    Nl,
    /// English
    En,
}

/// A row of a replay in which something would change: a line for each thing, with the positions last.
pub(super) fn change_line(
    lang: Lang,
    purpose: &Purpose,
    role: Role,
    kind: Option<OrganisationKind>,
    row: &ReplayRow,
) -> Vec<String> {
    let nl = lang == Lang::Nl;
    let mut lines = vec![match (kind, nl) {
        (Some(kind), true) => {
            format!("{purpose}, {role}, bron {kind}: {} van {}", row.changed, row.decisions)
        }
        (Some(kind), false) => {
            format!("{purpose}, {role}, source {kind}: {} of {}", row.changed, row.decisions)
        }
        (None, true) => format!("{purpose}, {role}, de aanvraag zelf: {} van {}", row.changed, row.decisions),
        (None, false) => {
            format!("{purpose}, {role}, the request itself: {} of {}", row.changed, row.decisions)
        }
    }];
    let mut fields = |counts: &BTreeMap<&'static str, u64>, in_dutch: &str, in_english: &str| {
        if !counts.is_empty() {
            let told = counts.iter().map(|(code, count)| format!("{code} ({count})"));
            let told = told.collect::<Vec<_>>().join(", ");
            lines.push(format!("  {}: {told}", if nl { in_dutch } else { in_english }));
        }
    };
    fields(&row.lost, "niet meer gevraagd", "no longer asked for");
    fields(&row.gained, "ook gevraagd", "asked for too");
    fields(&row.now_above_ceiling, "nu boven de grens van het doel", "now above the ceiling");
    fields(
        &row.no_longer_above_ceiling,
        "niet meer boven de grens; of toestemming ze dekt staat niet vast",
        "no longer above the ceiling; whether consent covers them is not known",
    );
    let mut count = |count: u64, in_dutch: &str, in_english: &str| {
        if count > 0 {
            lines.push(format!("  {count} {}", if nl { in_dutch } else { in_english }));
        }
    };
    count(row.refused_now, "nu geweigerd", "refused now");
    count(row.admitted_now, "nu niet meer geweigerd om het doel", "no longer refused for the purpose");
    let positions: Vec<_> = row.positions.iter().map(ToString::to_string).collect();
    lines.push(format!(
        "  {} {}",
        if nl { "regels in het logboek:" } else { "entries:" },
        positions.join(", ")
    ));
    lines
}
