//! Rows to values. A row that does not read is [`StoreFault::Corrupt`]: it was not written by this program.

use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

use super::{
    Expiring, Head, KeyRow, OpenRequest, Opening, SealedBytes, Shard, ShardPlace, StoreFault,
    StoredDisclosure, StoredEntry, StoredEvent, StoredForm, StoredGrant,
};
use crate::{
    catalogue::{self, Mask},
    consent::{Event, EventKind, GrantState, Scope, Standing, Stop, grantor::GrantorKind, status::Use},
    domain::{Day, FormId, GrantId, PairId, SubjectId, Timestamp},
    subject::Tag,
};

/// What decides about a grant `g` beside its ids and its period, as one text; for [`packed`]. No code of it holds a `|`.
macro_rules! packed_text {
    () => {
        "g.recorder || '|' || g.recipient || '|' || g.role || '|' || g.purpose || '|' || g.source || '|' || g.given_by \
         || '|' || g.signed_on || '|' || g.free || '|' || coalesce(g.uses, 0) || '|' || g.fields || '|' || \
         (case when g.uses is null then 0 else \
            (select count(*) from disclosure d where d.grant_id = g.id and d.counted = 1) end) || '|' || \
         coalesce((case when g.uses is null then null else \
            (select d.time || ' ' || d.fields from disclosure d where d.grant_id = g.id and d.counted = 1 \
             order by d.position desc limit 1) end), '') || '|' || \
         (select count(*) from source_pause p where p.source = g.source)"
    };
}
pub(super) use packed_text;

/// What happened to a grant `g`, as one text; for [`events`].
macro_rules! events_text {
    () => {
        "(select string_agg(e.kind || ' ' || e.time || ' ' || e.position || ' ' || coalesce(e.fields, ''), ';' \
         order by e.position, e.kind) from consent_event e where e.grant_id = g.id)"
    };
}
pub(super) use events_text;

/// What a client said no to, as one text; for [`stop`].
macro_rules! stop_text {
    () => {
        "kind || '|' || day || '|' || coalesce(owner, '') || '|' || coalesce(recipient, '') || '|' || \
         coalesce(purpose, '') || '|' || coalesce(source, '') || '|' || parental || '|' || coalesce(fields, '')"
    };
}
pub(super) use stop_text;

/// Columns of a grant as it stands; for [`standing`].
pub(super) const STANDING: &str = concat!(
    "g.id, g.form, g.subject, g.starts, g.ends, g.renews, ",
    packed_text!(),
    " as packed, ",
    events_text!(),
    " as events"
);

/// Columns of a grant, with its events; for [`grant`].
pub(super) const GRANT: &str = concat!(
    "g.id, g.form, g.subject, g.starts, g.ends, g.renews, ",
    packed_text!(),
    " as packed, ",
    events_text!(),
    " as events, g.jws, g.countersignature, g.sealed_salt, g.key_year, \
     (select f.reconfirmation from consent_form f where f.id = g.form) as reconfirmation, \
     (select k.wrapped from client_key k where k.subject = g.subject and k.year = g.key_year) as wrapped_key"
);

/// Columns of the head; for [`head`].
pub(super) const HEAD: &str = "origin, size, time, frontier, checkpoint, batch, keys, number, first";

/// Columns of a closed shard; for [`shard`].
pub(super) const SHARD: &str = "number, origin, first, size, checkpoint, key, closed";

/// Columns of a form; for [`form`].
pub(super) const FORM: &str = "id, subject, recorder, recorded_at, jws";

/// Columns of a key; for [`key`].
pub(super) const KEY: &str = "tag, year, subject, wrapped, expires";

/// Columns of an entry; for [`entry`].
pub(super) const ENTRY: &str =
    "position, leaf, facts, facts_salt, detail, detail_salt, sealed, key_hash, subject";

/// A row of either database. Both keep bytes, text and numbers of 64 bits, and nothing else.
pub(super) trait Columns {
    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreFault>;
    fn bytes_or_null(&self, column: &str) -> Result<Option<Vec<u8>>, StoreFault>;
    fn text(&self, column: &str) -> Result<String, StoreFault>;
    fn text_or_null(&self, column: &str) -> Result<Option<String>, StoreFault>;
    fn number(&self, column: &str) -> Result<i64, StoreFault>;
    fn number_or_null(&self, column: &str) -> Result<Option<i64>, StoreFault>;
    /// What `exists (...)` gave.
    fn flag(&self, column: &str) -> Result<bool, StoreFault>;
}

macro_rules! columns {
    ($row:ty) => {
        impl Columns for $row {
            fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreFault> {
                self.try_get(column).map_err(|_| StoreFault::Corrupt("a blob"))
            }
            fn bytes_or_null(&self, column: &str) -> Result<Option<Vec<u8>>, StoreFault> {
                self.try_get(column).map_err(|_| StoreFault::Corrupt("a blob"))
            }
            fn text(&self, column: &str) -> Result<String, StoreFault> {
                self.try_get(column).map_err(|_| StoreFault::Corrupt("a text"))
            }
            fn text_or_null(&self, column: &str) -> Result<Option<String>, StoreFault> {
                self.try_get(column).map_err(|_| StoreFault::Corrupt("a text"))
            }
            fn number(&self, column: &str) -> Result<i64, StoreFault> {
                self.try_get(column).map_err(|_| StoreFault::Corrupt("a number"))
            }
            fn number_or_null(&self, column: &str) -> Result<Option<i64>, StoreFault> {
                self.try_get(column).map_err(|_| StoreFault::Corrupt("a number"))
            }
            fn flag(&self, column: &str) -> Result<bool, StoreFault> {
                self.try_get(column).map_err(|_| StoreFault::Corrupt("a flag"))
            }
        }
    };
}
columns!(SqliteRow);
columns!(PgRow);

fn time(row: &impl Columns, column: &str) -> Result<Timestamp, StoreFault> {
    row.number(column).map(Timestamp::from_millis)
}

fn parsed<T: std::str::FromStr>(row: &impl Columns, column: &str) -> Result<T, StoreFault> {
    row.text(column)?.parse().map_err(|_| StoreFault::Corrupt("a coded text"))
}

pub(super) fn position(row: &impl Columns, column: &str) -> Result<u64, StoreFault> {
    u64::try_from(row.number(column)?).map_err(|_| StoreFault::Corrupt("a position"))
}

pub(super) fn subject(row: &impl Columns, column: &str) -> Result<SubjectId, StoreFault> {
    SubjectId::from_bytes(&row.bytes(column)?).map_err(|_| StoreFault::Corrupt("a subject"))
}

pub(super) fn open_request(row: &impl Columns) -> Result<OpenRequest, StoreFault> {
    let pair = pair(row)?;
    let requester = row.text_or_null("requester")?;
    let requester =
        requester.map(|oin| oin.parse().map_err(|_| StoreFault::Corrupt("a requester"))).transpose()?;
    Ok(OpenRequest { pair, requester })
}

pub(super) fn grant_id(row: &impl Columns, column: &str) -> Result<GrantId, StoreFault> {
    GrantId::from_bytes(&row.bytes(column)?).map_err(|_| StoreFault::Corrupt("a grant id"))
}

pub(super) fn form_id(row: &impl Columns, column: &str) -> Result<FormId, StoreFault> {
    FormId::from_bytes(&row.bytes(column)?).map_err(|_| StoreFault::Corrupt("a form id"))
}

fn mask(codes: &str) -> Result<Mask, StoreFault> {
    if codes.is_empty() {
        return Ok(Mask::EMPTY);
    }
    let codes: Vec<_> = codes.split(' ').collect();
    catalogue::from_codes(&codes).map_err(|_| StoreFault::Corrupt("a field code"))
}

fn coded<T: std::str::FromStr>(text: &str) -> Result<T, StoreFault> {
    text.parse().map_err(|_| StoreFault::Corrupt("a coded text"))
}

fn coded_or_empty<T: std::str::FromStr>(text: &str) -> Result<Option<T>, StoreFault> {
    if text.is_empty() { Ok(None) } else { coded(text).map(Some) }
}

fn day(text: &str) -> Result<Day, StoreFault> {
    coded(text).map(|millis| Timestamp::from_millis(millis).day())
}

/// The events of a grant, oldest first.
pub(super) fn events(text: &str) -> Result<Vec<Event>, StoreFault> {
    let odd = || StoreFault::Corrupt("an event");
    let event = |text: &str| {
        let mut parts = text.splitn(4, ' ');
        let mut next = || parts.next().ok_or_else(odd);
        Ok(Event {
            kind: EventKind::parse(next()?).ok_or_else(odd)?,
            time: Timestamp::from_millis(coded(next()?)?),
            position: coded(next()?)?,
            fields: mask(next()?)?,
        })
    };
    let mut events =
        text.split(';').filter(|event| !event.is_empty()).map(event).collect::<Result<Vec<_>, _>>()?;
    // Those of one entry in the order of their life, which no database knows.
    events.sort_by_key(|event| (event.position, event.kind));
    Ok(events)
}

/// What a grant is from its columns.
pub(super) struct GrantColumns {
    pub(super) id: GrantId,
    pub(super) form: FormId,
    pub(super) subject: SubjectId,
    pub(super) starts: Timestamp,
    pub(super) ends: Timestamp,
    pub(super) renews: Option<Vec<u8>>,
}

impl GrantColumns {
    pub(super) fn standing(self, packed: &str, events: &[Event]) -> Result<Standing, StoreFault> {
        let odd = || StoreFault::Corrupt("a grant");
        let parts: Vec<_> = packed.split('|').collect();
        let &[
            recorder,
            recipient,
            role,
            purpose,
            source,
            given_by,
            signed_on,
            free,
            uses,
            fields,
            used,
            last_use,
            paused,
        ] = parts.as_slice()
        else {
            return Err(odd());
        };
        let last_use = match last_use.split_once(' ') {
            Some((time, fields)) => {
                Some(Use { time: Timestamp::from_millis(coded(time)?), fields: mask(fields)? })
            }
            None => None,
        };
        let uses: u32 = coded(uses)?;
        let mut state = GrantState {
            free: free == "1",
            limit: (uses > 0).then_some(uses),
            used: coded(used)?,
            last_use,
            source_paused: paused != "0",
            ..GrantState::new(self.starts, self.ends, mask(fields)?)
        };
        events.iter().for_each(|event| state.apply(event));
        let renews = self.renews.map(|id| GrantId::from_bytes(&id).map_err(|_| odd())).transpose()?;
        Ok(Standing {
            id: self.id,
            form: self.form,
            subject: self.subject,
            recorder: coded(recorder)?,
            recipient: coded(recipient)?,
            role: coded(role)?,
            purpose: coded(purpose)?,
            source: coded(source)?,
            given_by: GrantorKind::parse(given_by).map_err(|_| odd())?,
            signed_on: day(signed_on)?,
            renews,
            state,
        })
    }
}

fn grant_columns(row: &impl Columns) -> Result<GrantColumns, StoreFault> {
    Ok(GrantColumns {
        id: grant_id(row, "id")?,
        form: form_id(row, "form")?,
        subject: subject(row, "subject")?,
        starts: time(row, "starts")?,
        ends: time(row, "ends")?,
        renews: row.bytes_or_null("renews")?,
    })
}

fn events_of(row: &impl Columns) -> Result<Vec<Event>, StoreFault> {
    events(&row.text_or_null("events")?.unwrap_or_default())
}

pub(super) fn standing(row: &impl Columns) -> Result<Standing, StoreFault> {
    grant_columns(row)?.standing(&row.text("packed")?, &events_of(row)?)
}

pub(super) fn grant(row: &impl Columns) -> Result<StoredGrant, StoreFault> {
    let events = events_of(row)?;
    Ok(StoredGrant {
        standing: grant_columns(row)?.standing(&row.text("packed")?, &events)?,
        events,
        jws: row.text("jws")?,
        countersignature: row.text("countersignature")?,
        reconfirmation: row.text_or_null("reconfirmation")?,
        sealed_salt: row.bytes("sealed_salt")?,
        key_year: year(row, "key_year")?,
        wrapped_key: row.bytes("wrapped_key")?,
    })
}

/// What a client said no to.
pub(super) fn stop(text: &str) -> Result<Stop, StoreFault> {
    let odd = || StoreFault::Corrupt("a refusal");
    let parts: Vec<_> = text.split('|').collect();
    let &[kind, on, owner, recipient, purpose, source, parental, fields] = parts.as_slice() else {
        return Err(odd());
    };
    Ok(Stop {
        scope: Scope {
            owner: coded_or_empty(owner)?,
            recipient: coded_or_empty(recipient)?,
            purpose: coded_or_empty(purpose)?,
            source: coded_or_empty(source)?,
            parental: parental == "1",
        },
        day: day(on)?,
        kind: EventKind::parse(kind).ok_or_else(odd)?,
        fields: mask(fields)?,
    })
}

pub(super) fn disclosure(row: &impl Columns) -> Result<StoredDisclosure, StoreFault> {
    Ok(StoredDisclosure {
        position: position(row, "position")?,
        time: time(row, "time")?,
        grant: grant_id(row, "grant_id")?,
        recipient: parsed(row, "recipient")?,
        role: parsed(row, "role")?,
        purpose: parsed(row, "purpose")?,
        fields: mask(&row.text("fields")?)?,
    })
}

/// Positions in one text, separated by spaces.
pub(super) fn positions(row: &impl Columns) -> Result<Vec<u64>, StoreFault> {
    row.text("positions")?.split(' ').map(coded).collect()
}

pub(super) fn stored_event(row: &impl Columns) -> Result<StoredEvent, StoreFault> {
    let kind = EventKind::parse(&row.text("kind")?).ok_or(StoreFault::Corrupt("an event"))?;
    Ok(StoredEvent {
        form: form_id(row, "form")?,
        grant: grant_id(row, "grant_id")?,
        event: Event {
            kind,
            time: time(row, "time")?,
            position: position(row, "position")?,
            fields: Mask::EMPTY,
        },
    })
}

pub(super) fn expiring(row: &impl Columns) -> Result<Expiring, StoreFault> {
    Ok(Expiring {
        form: form_id(row, "form")?,
        grant: grant_id(row, "id")?,
        recipient: parsed(row, "recipient")?,
        ends: time(row, "ends")?,
        over: events_of(row)?.iter().any(|event| event.kind.ends()),
    })
}

pub(super) fn form(row: &impl Columns, grants: Vec<StoredGrant>) -> Result<StoredForm, StoreFault> {
    Ok(StoredForm {
        id: form_id(row, "id")?,
        subject: subject(row, "subject")?,
        recorder: parsed(row, "recorder")?,
        recorded_at: time(row, "recorded_at")?,
        jws: row.text("jws")?,
        grants,
    })
}

fn salt(bytes: Vec<u8>) -> Result<[u8; 32], StoreFault> {
    bytes.try_into().map_err(|_| StoreFault::Corrupt("a salt or a hash"))
}

pub(super) fn entry(row: &impl Columns) -> Result<StoredEntry, StoreFault> {
    let detail = match (row.bytes_or_null("detail")?, row.bytes_or_null("detail_salt")?) {
        (Some(json), Some(bytes)) => Some(Opening { json, salt: salt(bytes)? }),
        _ => None,
    };
    let subject = row
        .bytes_or_null("subject")?
        .map(|bytes| SubjectId::from_bytes(&bytes).map_err(|_| StoreFault::Corrupt("a subject")))
        .transpose()?;
    // What was forgotten is empty, and nothing that is there can be.
    let facts = match row.bytes("facts")? {
        json if json.is_empty() => None,
        json => Some(Opening { json, salt: salt(row.bytes("facts_salt")?)? }),
    };
    let sealed = match row.bytes("sealed")? {
        bytes if bytes.is_empty() => None,
        bytes => Some(SealedBytes { bytes, key_hash: salt(row.bytes("key_hash")?)? }),
    };
    Ok(StoredEntry {
        position: position(row, "position")?,
        leaf: row.bytes("leaf")?,
        facts,
        detail,
        sealed,
        subject,
    })
}

fn place(row: &impl Columns) -> Result<ShardPlace, StoreFault> {
    Ok(ShardPlace { number: position(row, "number")?, first: position(row, "first")? })
}

pub(super) fn shard(row: &impl Columns) -> Result<Shard, StoreFault> {
    Ok(Shard {
        place: place(row)?,
        origin: row.text("origin")?,
        size: position(row, "size")?,
        checkpoint: row.text("checkpoint")?,
        key: row.text("key")?,
        closed: time(row, "closed")?,
    })
}

pub(super) fn head(row: &impl Columns) -> Result<Head, StoreFault> {
    Ok(Head {
        origin: row.text("origin")?,
        place: place(row)?,
        size: position(row, "size")?,
        time: time(row, "time")?,
        frontier: row.bytes("frontier")?,
        checkpoint: row.text("checkpoint")?,
        batch: row.bytes("batch")?.try_into().map_err(|_| StoreFault::Corrupt("a batch id"))?,
        keys: row.bytes_or_null("keys")?.map(salt).transpose()?,
    })
}

/// The key of a used request id.
pub(super) fn claim(row: &impl Columns) -> Result<[u8; 32], StoreFault> {
    salt(row.bytes("key")?)
}

pub(super) fn pair(row: &impl Columns) -> Result<PairId, StoreFault> {
    PairId::from_bytes(&row.bytes("pair")?).map_err(|_| StoreFault::Corrupt("a pair"))
}

pub(super) fn key(row: &impl Columns) -> Result<KeyRow, StoreFault> {
    Ok(KeyRow {
        tag: Tag::from_bytes(&row.bytes("tag")?).ok_or(StoreFault::Corrupt("a tag"))?,
        year: year(row, "year")?,
        subject: subject(row, "subject")?,
        wrapped: row.bytes("wrapped")?,
        expires: row.number_or_null("expires")?.map(Timestamp::from_millis),
    })
}

fn year(row: &impl Columns, column: &str) -> Result<i32, StoreFault> {
    i32::try_from(row.number(column)?).map_err(|_| StoreFault::Corrupt("a year"))
}
