//! Telling those who must know (AVG 19): recorders and sources as it happens, recipients once a day and without why (R12).

use std::collections::BTreeMap;

use serde_json::json;

use super::{ConsentDesk, entries, unavailable};
use crate::{
    audit::{entry::SubjectLink, writer::Work},
    domain::{FormId, GrantId, Oin, Refusal, RefusalCode, Timestamp},
    storage::{Cursor, StoredEvent},
};

const DAY_MILLIS: i64 = 24 * 3_600_000;
/// Most notices read at once.
const PAGE: u32 = 500;

/// That something happened; no content, and no client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Where it stands.
    pub cursor: Cursor,
    /// What.
    pub kind: NoticeKind,
}

/// What a notice says, by what the caller is to the grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// For the recorder and the source.
    Grant {
        /// Form.
        form: FormId,
        /// Grant.
        grant: GrantId,
        /// What happened, by its name in the log.
        event: &'static str,
        /// When.
        time: Timestamp,
    },
    /// For a recipient: what it was given and shall no longer use.
    Ended {
        /// Start of the day on which it ended.
        day: Timestamp,
        /// Positions of the outcomes on its receipts.
        positions: Vec<u64>,
    },
}

/// How far a watch is.
#[derive(Clone, Copy, Debug)]
pub struct Watch {
    cursor: Cursor,
    // Days up to this one were looked through. No part of the cursor: a notice has the same cursor each time it is told.
    looked: i64,
}

impl Watch {
    /// One that begins after a cursor.
    #[must_use]
    pub const fn after(cursor: Cursor) -> Self {
        Self { cursor, looked: cursor.day }
    }
}

/// A cursor as text.
#[must_use]
pub fn cursor_text(cursor: Cursor) -> String {
    format!("{}.{}", cursor.position, cursor.day)
}

/// Reads a cursor.
///
/// # Errors
/// If it is not one of this service.
pub fn parse_cursor(text: &str) -> Result<Cursor, Refusal> {
    let parsed = text.split_once('.').and_then(|(position, day)| {
        Some(Cursor { position: position.parse().ok()?, day: day.parse().ok().filter(|day| *day >= 0)? })
    });
    parsed
        .filter(|cursor| cursor_text(*cursor) == text)
        .ok_or_else(|| Refusal::at(RefusalCode::CursorInvalid, "cursor", "must be the `cursor` of a notice"))
}

impl ConsentDesk {
    /// Begins a watch: after this cursor, or where the caller has acknowledged. That somebody watches is in the log.
    ///
    /// # Errors
    /// If the log cannot be written, or the store does not answer.
    pub async fn watch(&self, caller: Oin, after: Option<Cursor>) -> Result<Watch, Refusal> {
        self.look(entries::looked(caller, "events", json!({}), SubjectLink::Nobody)).await?;
        let after = match after {
            Some(after) => after,
            None => self.store.acknowledged(caller).await.map_err(|_| unavailable())?,
        };
        Ok(Watch::after(after))
    }

    /// What a watch hears next, at most some hundreds of notices: none is left out that a later call would not give, and no
    /// day is looked through twice.
    ///
    /// # Errors
    /// If the store does not answer. The watch stays where it was.
    pub async fn notices(&self, caller: Oin, watch: &mut Watch) -> Result<Vec<Notice>, Refusal> {
        let after = watch.cursor;
        // Once: a midnight that passes meanwhile must not skip a day.
        let today = self.today();
        let found = self.store.events_after(caller, after.position, PAGE).await;
        let events = whole_positions(found.map_err(|_| unavailable())?);
        let mut position = after.position;
        let mut notices = Vec::with_capacity(events.len());
        for (index, StoredEvent { form, grant, event }) in events.iter().enumerate() {
            // An entry is dealt with at its last notice: whoever acknowledges an earlier one hears all of it again.
            if events.get(index + 1).is_none_or(|next| next.event.position != event.position) {
                position = event.position;
            }
            let (event, time) = (event.kind.as_str(), event.time);
            notices.push(Notice {
                cursor: Cursor { position, day: after.day },
                kind: NoticeKind::Grant { form: *form, grant: *grant, event, time },
            });
        }
        let mut day = after.day;
        for (ended, positions) in self.ended(caller, after.day.max(watch.looked), today).await? {
            day = ended;
            let start = Timestamp::from_millis(day * DAY_MILLIS);
            let kind = NoticeKind::Ended { day: start, positions };
            notices.push(Notice { cursor: Cursor { position, day }, kind });
        }
        *watch = Watch { cursor: Cursor { position, day }, looked: watch.looked.max(today - 1) };
        Ok(notices)
    }

    /// In days since 1970.
    fn today(&self) -> i64 {
        self.clock.now().millis().div_euclid(DAY_MILLIS)
    }

    /// What ended of what the caller was given, by day, after this day and before today: a day is told once it is over, so
    /// that neither the hour nor the order says why.
    async fn ended(&self, caller: Oin, after: i64, today: i64) -> Result<BTreeMap<i64, Vec<u64>>, Refusal> {
        let now = self.clock.now();
        let mut days: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
        if after + 1 >= today {
            return Ok(days);
        }
        for (standing, positions) in self.store.received(caller).await.map_err(|_| unavailable())? {
            let Some(ended) = standing.state.ended(now) else { continue };
            let day = ended.millis().div_euclid(DAY_MILLIS);
            if after < day && day < today {
                days.entry(day).or_default().extend(positions);
            }
        }
        for positions in days.values_mut() {
            positions.sort_unstable();
            positions.dedup();
        }
        Ok(days)
    }

    /// Takes note of how far the caller is. It is in the log: when a recipient was told that it must stop is part of the
    /// account.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub async fn acknowledge(&self, caller: Oin, cursor: Cursor) -> Result<u64, Refusal> {
        let head = self.store.head().await.map_err(|_| unavailable())?;
        let newest = head.map_or(0, |head| head.end());
        if cursor.position >= newest.max(1) || cursor.day >= self.today() {
            let refusal = Refusal::at(RefusalCode::CursorInvalid, "cursor", "lies ahead of what was told");
            return Err(self.refused(caller, "acknowledge", refusal).await);
        }
        let entry = entries::acknowledged(caller, &cursor_text(cursor));
        self.act(caller, "acknowledge", Work::Acknowledge { entry, by: caller, cursor }).await
    }
}

/// A page may end among the events of one entry: those are left to the next page, which begins with them.
fn whole_positions(mut events: Vec<StoredEvent>) -> Vec<StoredEvent> {
    if events.len() < PAGE as usize {
        return events;
    }
    let last = events.last().map(|event| event.event.position);
    if events.first().map(|event| event.event.position) != last {
        events.retain(|event| Some(event.event.position) != last);
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_form() {
        let cursor = Cursor { position: 12, day: 20_784 };
        assert_eq!(parse_cursor(&cursor_text(cursor)).unwrap(), cursor);
        for odd in ["", "12", "12.", ".1", "012.1", "12.-1", "12.1.2", "+1.2", "99999999999999999999.1"] {
            assert_eq!(parse_cursor(odd).unwrap_err().code, RefusalCode::CursorInvalid, "{odd}");
        }
    }
}
