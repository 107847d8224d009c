//! What a replay came to, for people: counts by purpose, role and kind of source, and the positions behind them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Changed, PastDecision};
use crate::{
    catalogue::{self, Mask},
    domain::{OrganisationKind, Purpose, Role},
};

/// Positions that are kept for each row. The log has the others.
const POSITIONS: usize = 20;

/// What would change for one purpose and role, from one kind of source; `None` is what concerns whole requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayRow {
    /// Decisions that were repeated.
    pub decisions: u64,
    /// Those in which something would change.
    pub changed: u64,
    /// How often each field would no longer have been asked for.
    pub lost: BTreeMap<&'static str, u64>,
    /// How often each field would have been asked for too.
    pub gained: BTreeMap<&'static str, u64>,
    /// How often each field would be above the ceiling, and was not.
    pub now_above_ceiling: BTreeMap<&'static str, u64>,
    /// How often each field was above the ceiling, and would not be.
    pub no_longer_above_ceiling: BTreeMap<&'static str, u64>,
    /// Requests that would be refused.
    pub refused_now: u64,
    /// Requests that were refused for their purpose, and would not be.
    pub admitted_now: u64,
    /// Positions of the first of those that would change.
    pub positions: Vec<u64>,
}

/// Everything that a replay found out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplaySummary {
    rows: BTreeMap<(Purpose, Role, Option<OrganisationKind>), ReplayRow>,
}

impl ReplaySummary {
    /// Takes in one decision and what would become of it.
    pub fn add(&mut self, decision: &PastDecision, changed: &Changed) {
        for source in &decision.sources {
            let row = self.row(decision, Some(source.source_kind));
            if let Some((lost, gained)) = changed.sources.get(&source.source) {
                count(&mut row.lost, *lost);
                count(&mut row.gained, *gained);
                row.mark(decision.position);
            }
        }
        let row = self.row(decision, None);
        count(&mut row.now_above_ceiling, changed.now_above_ceiling);
        count(&mut row.no_longer_above_ceiling, changed.no_longer_above_ceiling);
        row.refused_now += u64::from(changed.refused_now);
        row.admitted_now += u64::from(changed.admitted_now);
        if !changed.is_nothing() {
            row.mark(decision.position);
        }
    }

    fn row(&mut self, decision: &PastDecision, kind: Option<OrganisationKind>) -> &mut ReplayRow {
        let row = self.rows.entry((decision.purpose.clone(), decision.role, kind)).or_default();
        row.decisions += 1;
        row
    }

    /// Each row in which something would change.
    pub fn changes(&self) -> impl Iterator<Item = (&Purpose, Role, Option<OrganisationKind>, &ReplayRow)> {
        let rows = self.rows.iter().filter(|(_, row)| row.changed > 0);
        rows.map(|((purpose, role, kind), row)| (purpose, *role, *kind, row))
    }

    /// How many requests were repeated, and for how many something would change.
    #[must_use]
    pub fn totals(&self) -> (u64, u64) {
        let whole = self.rows.iter().filter(|((_, _, kind), _)| kind.is_none());
        whole.fold((0, 0), |(all, changed), (_, row)| (all + row.decisions, changed + row.changed))
    }

    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let row = |(purpose, role, kind, row): (&Purpose, Role, Option<OrganisationKind>, &ReplayRow)| {
            json!({
                "purpose": purpose,
                "role": role,
                "source_kind": kind,
                "decisions": row.decisions,
                "changed": row.changed,
                "lost": row.lost,
                "gained": row.gained,
                "now_above_ceiling": row.now_above_ceiling,
                "no_longer_above_ceiling": row.no_longer_above_ceiling,
                "refused_now": row.refused_now,
                "admitted_now": row.admitted_now,
                "positions": row.positions,
            })
        };
        let (decisions, changed) = self.totals();
        json!({
            "decisions": decisions,
            "changed": changed,
            "changes": self.changes().map(row).collect::<Vec<_>>(),
        })
    }
}

impl ReplayRow {
    fn mark(&mut self, position: u64) {
        self.changed += 1;
        if self.positions.len() < POSITIONS {
            self.positions.push(position);
        }
    }
}

fn count(counts: &mut BTreeMap<&'static str, u64>, fields: Mask) {
    for code in catalogue::codes(fields) {
        *counts.entry(code).or_default() += 1;
    }
}
