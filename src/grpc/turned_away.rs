//! Calls turned away unread: counted per organisation and minute, each count one entry in the log (P06).

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use serde_json::json;

use crate::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        writer::{CommitFault, Work, Writer},
    },
    domain::{Oin, Timestamp},
};

/// Milliseconds in a minute.
const MINUTE: i64 = 60_000;

/// Counts that are not in the log yet.
#[derive(Debug, Default)]
pub struct TurnedAway {
    counts: Mutex<BTreeMap<(i64, Oin), u64>>,
}

impl TurnedAway {
    /// Counts a call of this organisation.
    pub fn count(&self, caller: Oin, now: Timestamp) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((now.millis().div_euclid(MINUTE), caller)).or_default() += 1;
    }

    /// Writes the counts of minutes that are over; all of them if `now` is `None`. What cannot be written is kept.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub async fn flush(&self, log: &Writer, now: Option<Timestamp>) -> Result<(), CommitFault> {
        let current = now.map_or(i64::MAX, |now| now.millis().div_euclid(MINUTE));
        loop {
            let next = {
                let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
                match counts.first_key_value() {
                    Some(((minute, _), _)) if *minute < current => counts.pop_first(),
                    _ => None,
                }
            };
            let Some(((minute, caller), count)) = next else { return Ok(()) };
            let facts = json!({
                "organisation": caller,
                "minute": Timestamp::from_millis(minute * MINUTE).to_string(),
                "count": count,
            });
            let entry = NewEntry { requester: Some(caller), ..NewEntry::of_gateway(Kind::TurnedAway, facts) };
            if let Err(fault) = log.commit(Work::Append(entry)).await {
                let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
                *counts.entry((minute, caller)).or_default() += count;
                return Err(fault);
            }
        }
    }
}
