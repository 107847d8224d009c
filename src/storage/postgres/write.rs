//! What a batch writes: one statement for what nearly every batch has, one more for each of the rest.

use sqlx::{PgConnection, Postgres, postgres::PgArguments};

mod life;

use super::faults::within;
use crate::{
    catalogue::{self, Mask},
    domain::Timestamp,
    storage::{EntryRow, StoreFault, Writes},
};

macro_rules! insert_entries {
    () => {
        "insert into entry (position, pair, kind, time, leaf, facts, facts_salt, detail, detail_salt, sealed, key_hash, \
            subject, requester, purpose) \
         select * from unnest($1::int8[], $2::bytea[], $3::text[], $4::int8[], $5::bytea[], $6::bytea[], $7::bytea[], \
            $8::bytea[], $9::bytea[], $10::bytea[], $11::bytea[], $12::bytea[], $13::text[], $14::text[])"
    };
}

/// Entries alone: those that are too much for one message.
const ENTRIES: &str = insert_entries!();

/// Entries, keys, claims, requests opened and closed, what left, head. Arrays, so that the text is the same for every batch.
const BATCH: &str = concat!(
    "with e as (",
    insert_entries!(),
    "), \
     k as (insert into client_key (tag, year, subject, wrapped, expires) \
        select * from unnest($15::bytea[], $16::int8[], $17::bytea[], $18::bytea[], $19::int8[]) \
        on conflict (tag, year) do update set expires = excluded.expires), \
     c as (insert into used_request_id (key, time) select key, $20 from unnest($21::bytea[]) as t (key)), \
     o as (insert into open_request (pair, requester, time) \
        select pair, requester, $20 from unnest($22::bytea[], $23::text[]) as t (pair, requester)), \
     d as (delete from open_request where pair = any($24::bytea[])), \
     l as (insert into disclosure (grant_id, position, source, recipient, fields, counted, time) \
        select *, $20 from unnest($31::bytea[], $32::int8[], $33::text[], $34::text[], $35::text[], $36::int8[])) \
     insert into head (id, origin, size, time, frontier, checkpoint, batch, keys, number, first) \
     values (1, $25, $26, $20, $27, $28, $29, $30, $37, $38) \
     on conflict (id) do update set origin = excluded.origin, size = excluded.size, time = excluded.time, \
     frontier = excluded.frontier, checkpoint = excluded.checkpoint, batch = excluded.batch, keys = excluded.keys, \
     number = excluded.number, first = excluded.first"
);

fn stored(number: u64) -> Result<i64, StoreFault> {
    i64::try_from(number).map_err(|_| StoreFault::Corrupt("a position"))
}

/// A column of values, one for each row.
fn column<'a, R, T>(rows: &'a [R], value: impl Fn(&'a R) -> T) -> Vec<T> {
    rows.iter().map(value).collect()
}

/// Writes a batch, in messages of about so many bytes.
pub(super) async fn write(
    connection: &mut PgConnection,
    writes: &Writes,
    message: usize,
) -> Result<(), StoreFault> {
    forms(connection, writes).await?;
    events(connection, writes).await?;
    life::write(connection, writes).await?;
    tiles(connection, writes).await?;
    let (keys, head, left) = (&writes.keys, &writes.head, &writes.disclosures);
    let mut entries = writes.entries.as_slice();
    while let Some((some, rest)) = first(entries, message).filter(|(_, rest)| !rest.is_empty()) {
        within(bound(sqlx::query(ENTRIES), some)?.execute(&mut *connection)).await?;
        entries = rest;
    }
    let query = bound(sqlx::query(BATCH), entries)?
        .bind(column(keys, |key| key.tag.bytes().as_slice()))
        .bind(column(keys, |key| i64::from(key.year)))
        .bind(column(keys, |key| key.subject.bytes().to_vec()))
        .bind(column(keys, |key| key.wrapped.as_slice()))
        .bind(column(keys, |key| key.expires.map(Timestamp::millis)))
        .bind(writes.time.millis())
        .bind(column(&writes.claims, |key| key.as_slice()))
        .bind(column(&writes.opened, |request| request.pair.bytes().to_vec()))
        .bind(column(&writes.opened, |request| request.requester.map(|oin| oin.to_string())))
        .bind(column(&writes.closed, |pair| pair.bytes().to_vec()))
        .bind(head.origin.as_str())
        .bind(stored(head.size)?)
        .bind(head.frontier.as_slice())
        .bind(head.checkpoint.as_str())
        .bind(head.batch.as_slice())
        .bind(head.keys.as_ref().map(<[u8; 32]>::as_slice))
        .bind(column(left, |row| row.grant.bytes().to_vec()))
        .bind(left.iter().map(|row| stored(row.position)).collect::<Result<Vec<_>, _>>()?)
        .bind(column(left, |row| row.source.to_string()))
        .bind(column(left, |row| row.recipient.to_string()))
        .bind(column(left, |row| catalogue::codes(row.fields).join(" ")))
        .bind(column(left, |row| i64::from(row.counted)))
        .bind(stored(head.place.number)?)
        .bind(stored(head.place.first)?);
    within(query.execute(connection)).await.map(drop)
}

/// The entries that make up one message, at least one, and the rest. `None` if there are none.
fn first(entries: &[EntryRow], message: usize) -> Option<(&[EntryRow], &[EntryRow])> {
    let size = |entry: &EntryRow| {
        let detail = entry.detail.as_ref().map_or(0, |detail| detail.json.len());
        // Ids, hashes, salts and lengths beside what is as long as it is.
        entry.leaf.len() + entry.facts.json.len() + entry.sealed.len() + detail + 300
    };
    let mut bytes = 0;
    let fits = entries.iter().take_while(|entry| {
        bytes += size(entry);
        bytes <= message
    });
    entries.split_at_checked(fits.count().max(1))
}

type Query<'q> = sqlx::query::Query<'q, Postgres, PgArguments>;

/// Binds entries to the first fourteen parameters.
fn bound<'q>(query: Query<'q>, entries: &[EntryRow]) -> Result<Query<'q>, StoreFault> {
    let positions = entries.iter().map(|entry| stored(entry.position)).collect::<Result<Vec<_>, _>>()?;
    let detail = |entry: &EntryRow| entry.detail.clone();
    Ok(query
        .bind(positions)
        .bind(column(entries, |entry| entry.pair.bytes().to_vec()))
        .bind(column(entries, |entry| entry.kind))
        .bind(column(entries, |entry| entry.time.millis()))
        .bind(column(entries, |entry| entry.leaf.as_slice()))
        .bind(column(entries, |entry| entry.facts.json.as_slice()))
        .bind(column(entries, |entry| entry.facts.salt.as_slice()))
        .bind(column(entries, |entry| detail(entry).map(|detail| detail.json)))
        .bind(column(entries, |entry| detail(entry).map(|detail| detail.salt.to_vec())))
        .bind(column(entries, |entry| entry.sealed.as_slice()))
        .bind(column(entries, |entry| entry.key_hash.as_slice()))
        .bind(column(entries, |entry| entry.subject.map(|subject| subject.bytes().to_vec())))
        .bind(column(entries, |entry| entry.requester.map(|oin| oin.to_string())))
        .bind(column(entries, |entry| entry.purpose.as_ref().map(ToString::to_string))))
}

async fn forms(connection: &mut PgConnection, writes: &Writes) -> Result<(), StoreFault> {
    let forms = &writes.forms;
    if forms.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(
        "insert into consent_form (id, subject, recorder, recorded_at, jws) \
         select id, subject, recorder, $5, jws \
         from unnest($1::bytea[], $2::bytea[], $3::text[], $4::text[]) as t (id, subject, recorder, jws)",
    )
    .bind(column(forms, |(_, form)| form.id.bytes().to_vec()))
    .bind(column(forms, |(subject, _)| subject.bytes().to_vec()))
    .bind(column(forms, |(_, form)| form.recorder.to_string()))
    .bind(column(forms, |(_, form)| form.jws.as_str()))
    .bind(writes.time.millis());
    within(query.execute(&mut *connection)).await?;
    let grants: Vec<_> = writes.new_grants().collect();
    let query = sqlx::query(
        "insert into consent_grant (id, form, subject, recorder, recipient, role, purpose, source, fields, starts, \
         ends, jws, sealed_salt, given_by, signed_on, free, uses, renews, countersignature, key_year) \
         select *, $20 from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::text[], $5::text[], $6::text[], \
         $7::text[], $8::text[], $9::text[], $10::int8[], $11::int8[], $12::text[], $13::bytea[], $14::text[], \
         $15::int8[], $16::int8[], $17::int8[], $18::bytea[], $19::text[])",
    )
    .bind(column(&grants, |row| row.new.grant.id.bytes().to_vec()))
    .bind(column(&grants, |row| row.form.id.bytes().to_vec()))
    .bind(column(&grants, |row| row.subject.bytes().to_vec()))
    .bind(column(&grants, |row| row.form.recorder.to_string()))
    .bind(column(&grants, |row| row.new.grant.recipient.to_string()))
    .bind(column(&grants, |row| row.new.grant.role.as_str()))
    .bind(column(&grants, |row| row.new.grant.purpose.to_string()))
    .bind(column(&grants, |row| row.new.grant.source.to_string()))
    .bind(column(&grants, |row| catalogue::codes(row.new.grant.fields).join(" ")))
    .bind(column(&grants, |row| row.new.grant.starts().millis()))
    .bind(column(&grants, |row| row.new.grant.ends().millis()))
    .bind(column(&grants, |row| row.new.jws.clone()))
    .bind(column(&grants, |row| row.new.salt.clone()))
    .bind(column(&grants, |row| row.new.grant.given_by.as_str()))
    .bind(column(&grants, |row| Timestamp::start_of(row.new.grant.signed_on).millis()))
    .bind(column(&grants, |row| i64::from(row.new.grant.context.is_free())))
    .bind(column(&grants, |row| row.new.grant.uses.map(i64::from)))
    .bind(column(&grants, |row| row.new.grant.renews.map(|id| id.bytes().to_vec())))
    .bind(column(&grants, |row| row.new.countersignature.clone()))
    .bind(i64::from(writes.time.year()));
    within(query.execute(connection)).await.map(drop)
}

async fn events(connection: &mut PgConnection, writes: &Writes) -> Result<(), StoreFault> {
    let events = &writes.events;
    if events.is_empty() {
        return Ok(());
    }
    let positions = events.iter().map(|row| stored(row.event.position)).collect::<Result<Vec<_>, _>>()?;
    let query = sqlx::query(
        "insert into consent_event (grant_id, position, kind, time, fields) \
         select * from unnest($1::bytea[], $2::int8[], $3::text[], $4::int8[], $5::text[])",
    )
    .bind(column(events, |row| row.grant.bytes().to_vec()))
    .bind(positions)
    .bind(column(events, |row| row.event.kind.as_str()))
    .bind(column(events, |row| row.event.time.millis()))
    .bind(column(events, |row| codes(row.event.fields)));
    within(query.execute(connection)).await.map(drop)
}

/// Field codes, or nothing where there are none.
fn codes(fields: Mask) -> Option<String> {
    (!fields.is_empty()).then(|| catalogue::codes(fields).join(" "))
}

async fn tiles(connection: &mut PgConnection, writes: &Writes) -> Result<(), StoreFault> {
    let tiles = &writes.tiles;
    if tiles.is_empty() {
        return Ok(());
    }
    let shards = tiles.iter().map(|tile| stored(tile.shard)).collect::<Result<Vec<_>, _>>()?;
    let numbers = tiles.iter().map(|tile| stored(tile.number)).collect::<Result<Vec<_>, _>>()?;
    let query = sqlx::query(
        "insert into tile (shard, level, number, hashes) \
         select * from unnest($1::int8[], $2::int8[], $3::int8[], $4::bytea[])",
    )
    .bind(shards)
    .bind(column(tiles, |tile| i64::from(tile.level)))
    .bind(numbers)
    .bind(column(tiles, |tile| tile.hashes.as_slice()));
    within(query.execute(connection)).await.map(drop)
}
