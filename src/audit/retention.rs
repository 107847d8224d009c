//! How long what is kept (bewaartermijnen), and the entry that says that a term is over.
//!
//! Of an entry whose term is over the facts, the detail and the sealed part are deleted. The leaf stays, with a time, a kind
//! and commitments that nothing can be compared with any more, so every proof stays what it was.

use serde_json::{Map, Value, json};

use super::{entry::NewEntry, leaf::Kind};
use crate::{
    domain::Timestamp,
    storage::{EntryTerm, Terms},
};

/// Milliseconds of a day.
const DAY: i64 = 24 * 3_600_000;

/// What is kept for the same time: its name, and its kinds of entries. Kinds that are in none of these concern no client
/// and are kept for as long as there is a log: without them nothing else could be judged.
const RECORDS: [(&str, &[Kind], &[&str]); 3] = [
    (
        "exchanges",
        &[Kind::Request, Kind::Outcome, Kind::Acknowledgement],
        &["request", "outcome", "acknowledgement"],
    ),
    ("consents", &[Kind::Consent], &["consent"]),
    ("looks", &[Kind::Access, Kind::TurnedAway], &["access", "turned_away"]),
];

/// Terms, in days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// How long what left has to be accounted for: so long its client is not erased (AVG 17, third paragraph, under b).
    pub account_for_days: u32,
    /// Requests, outcomes and acknowledgements.
    pub exchanges_days: u32,
    /// Entries about consents; and forms with their grants, counted from when the last of these was over.
    pub consents_days: u32,
    /// Who looked, and who was turned away.
    pub looks_days: u32,
    /// Ids of requests, which cannot be used twice while they are kept.
    pub request_ids_days: u32,
    /// Backups of clients' keys. When the last one from before is gone, an erasure is complete.
    pub key_backups_days: u32,
}

impl Retention {
    /// The start of the day that is so many days before now.
    fn before(now: Timestamp, days: u32) -> Timestamp {
        Timestamp::start_of(now.plus_millis(-DAY * i64::from(days)).day())
    }

    /// What left since then still has to be accounted for.
    #[must_use]
    pub fn account_since(&self, now: Timestamp) -> Timestamp {
        now.plus_millis(-DAY * i64::from(self.account_for_days))
    }

    /// When what left at this time no longer has to be accounted for.
    #[must_use]
    pub fn accounted_for(&self, left: Timestamp) -> Timestamp {
        Timestamp::start_of(left.plus_millis(DAY * (i64::from(self.account_for_days) + 1)).day())
    }

    /// When the last backup that has the keys of now is gone.
    #[must_use]
    pub fn complete_on(&self, now: Timestamp) -> Timestamp {
        Timestamp::start_of(now.plus_millis(DAY * i64::from(self.key_backups_days + 1)).day())
    }

    const fn days(&self, record: &str) -> u32 {
        match record.as_bytes() {
            b"exchanges" => self.exchanges_days,
            b"consents" => self.consents_days,
            _ => self.looks_days,
        }
    }

    /// The terms that are over now.
    #[must_use]
    pub fn terms(&self, now: Timestamp) -> Terms {
        let entries = RECORDS.iter().map(|(record, _, kinds)| EntryTerm {
            record,
            kinds,
            before: Self::before(now, self.days(record)),
        });
        let longest = RECORDS.iter().map(|(record, ..)| self.days(record)).max().unwrap_or_default();
        Terms {
            entries: entries.collect(),
            consents: Self::before(now, self.consents_days),
            key_year: Some(i64::from(Self::before(now, longest).year()) - 1),
            request_ids: Self::before(now, self.request_ids_days),
            ..self.erased(now)
        }
    }

    /// The term of who was erased alone: over in every log, however young, and without an entry, which would say no more than
    /// the one of the erasure.
    #[must_use]
    pub fn erased(&self, now: Timestamp) -> Terms {
        let never = Timestamp::from_millis(0);
        Terms {
            entries: Vec::new(),
            consents: never,
            key_year: None,
            request_ids: never,
            // A week more than a backup can be old.
            erased: Self::before(now, self.key_backups_days + 7),
        }
    }

    /// The entry that says that these terms are over.
    #[must_use]
    pub fn entry(&self, now: Timestamp) -> NewEntry {
        let mut before = Map::new();
        for (record, kinds, _) in RECORDS {
            let time = Self::before(now, self.days(record));
            before.extend(kinds.iter().map(|kind| (kind.as_str().to_owned(), json!(time.to_string()))));
        }
        let facts = json!({
            "event": "retention",
            "before": before,
            "forms_over_before": Self::before(now, self.consents_days).to_string(),
            "request_ids_before": Self::before(now, self.request_ids_days).to_string(),
        });
        NewEntry::of_gateway(Kind::Erasure, facts)
    }
}

/// Whether entries of this kind are ever over their term. Others stay for as long as the log, whatever an entry says.
pub(super) fn has_term(kind: Kind) -> bool {
    RECORDS.iter().any(|(_, kinds, _)| kinds.contains(&kind))
}

/// What an `erasure` entry says of terms that are over: for each kind the time before which its entries were emptied.
pub(super) fn over(facts: &Map<String, Value>) -> impl Iterator<Item = (Kind, Timestamp)> {
    let before = facts.get("before").and_then(Value::as_object).into_iter().flatten();
    before.filter_map(|(kind, time)| {
        let kind: Kind = kind.parse().ok()?;
        Some((kind, Timestamp::parse(time.as_str()?).ok()?)).filter(|_| has_term(kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_kinds_that_its_names_say() {
        for (record, kinds, names) in RECORDS {
            assert_eq!(kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(), names, "{record}");
        }
    }

    #[test]
    fn the_entry_says_what_the_store_is_told() {
        let retention = Retention {
            account_for_days: 1827,
            exchanges_days: 1827,
            consents_days: 2000,
            looks_days: 3000,
            request_ids_days: 400,
            key_backups_days: 30,
        };
        let now = Timestamp::parse("2036-03-01T12:00:00.000Z").unwrap();
        let entry = retention.entry(now);
        let said: Vec<_> = over(entry.facts.as_object().unwrap()).collect();
        let terms = retention.terms(now);
        for term in &terms.entries {
            for kind in term.kinds {
                assert!(said.contains(&(kind.parse().unwrap(), term.before)), "{kind}");
            }
        }
        assert_eq!(said.len(), 6);
        assert_eq!(entry.facts["before"]["request"], "2031-03-01T00:00:00.000Z");
        assert_eq!(retention.complete_on(now).to_string(), "2036-04-01T00:00:00.000Z");
        assert!(terms.key_year.unwrap() < i64::from(terms.entries[2].before.year()));
        assert_eq!(retention.erased(now).erased, terms.erased);
    }
}
