//! The end of a batch: writes it and commits, in one hand-over to SQLite's thread (see `look`). Rare things go before.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::{fault, held::Held, look::list};
use crate::{
    catalogue,
    domain::Timestamp,
    storage::{Commit, EntryRow, EventRow, StoreFault, Writes, batch::NewGrant},
};

/// Rows inserted by one statement at most. Few, so that the texts of all sizes stay prepared.
const ROWS: usize = 64;

const ENTRY: &str = "insert into entry (position, pair, kind, time, leaf, facts, facts_salt, detail, detail_salt, \
     sealed, key_hash, subject, requester, purpose) values ";
/// Columns of an entry.
const COLUMNS: usize = 14;

/// What every batch writes beside its entries; one row for each client, known or not (P09). No parameter has a name or a
/// number: SQLite looks each of those up from the first one on.
const REST: &str = "\
     insert into client_key (tag, subject, wrapped, year, expires) \
        select unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4 from json_each(?) \
        where true on conflict (tag, year) do update set expires = excluded.expires; \
     insert into used_request_id (key, time) select unhex(value), ? from json_each(?); \
     insert into open_request (pair, requester, time) \
        select unhex(value ->> 0), value ->> 1, ? from json_each(?); \
     delete from open_request where pair in (select unhex(value) from json_each(?)); \
     insert into head (id, origin, size, time, frontier, checkpoint, batch, keys) \
        values (1, ?, ?, ?, ?, ?, ?, ?) \
        on conflict (id) do update set origin = excluded.origin, size = excluded.size, time = excluded.time, \
        frontier = excluded.frontier, checkpoint = excluded.checkpoint, batch = excluded.batch, keys = excluded.keys; \
     commit";

pub(super) struct SqliteCommit<'a> {
    pub(super) held: Held<'a>,
}

fn stored(number: u64) -> Result<i64, StoreFault> {
    i64::try_from(number).map_err(|_| StoreFault::Corrupt("a position"))
}

#[async_trait]
impl Commit for SqliteCommit<'_> {
    async fn commit(mut self: Box<Self>, writes: &Writes) -> Result<(), StoreFault> {
        let connection = &mut self.held.connection;
        forms(connection, writes).await?;
        events(connection, &writes.events, writes.time).await?;
        insert(connection, "tile (level, number, hashes)", "", &writes.tiles, |row, tile| {
            row.push_bind(i64::from(tile.level))
                .push_bind(stored(tile.number)?)
                .push_bind(tile.hashes.clone());
            Ok(())
        })
        .await?;
        let mut entries = writes.entries.as_slice();
        while let Some((some, rest)) = entries.split_at_checked(ROWS).filter(|(_, rest)| !rest.is_empty()) {
            let query = sqlx::query(AssertSqlSafe(insert_entries(some.len())));
            bound(query, some)?.execute(&mut *connection).await.map_err(fault)?;
            entries = rest;
        }
        let mut statements = REST.to_owned();
        if !entries.is_empty() {
            statements = format!("{}; {REST}", insert_entries(entries.len()));
        }
        let head = &writes.head;
        let time = writes.time.millis();
        let query = bound(sqlx::query(AssertSqlSafe(statements)), entries)?
            .bind(keys(writes))
            .bind(time)
            .bind(list(&writes.claims))
            .bind(time)
            .bind(opened(writes))
            .bind(list(writes.closed.iter().map(crate::domain::PairId::bytes)))
            .bind(head.origin.clone())
            .bind(stored(head.size)?)
            .bind(time)
            .bind(head.frontier.clone())
            .bind(head.checkpoint.clone())
            .bind(head.batch.to_vec())
            .bind(head.keys.map(|keys| keys.to_vec()));
        query.execute(&mut *connection).await.map_err(fault)?;
        self.held.put_back();
        Ok(())
    }

    async fn confirm(self: Box<Self>) -> Result<(), StoreFault> {
        // What is seen here was flushed.
        self.held.end("rollback").await
    }

    async fn abandon(self: Box<Self>) {
        // One that fails closes the connection, which rolls back too.
        drop(self.held.end("rollback").await);
    }
}

/// The statement for so many entries.
fn insert_entries(count: usize) -> String {
    let row = format!("({})", ["?"; COLUMNS].join(", "));
    format!("{ENTRY}{}", vec![row; count].join(", "))
}

type Bound<'q> = Query<'q, Sqlite, SqliteArguments>;

fn bound<'q>(mut query: Bound<'q>, entries: &[EntryRow]) -> Result<Bound<'q>, StoreFault> {
    for entry in entries {
        query = query
            .bind(stored(entry.position)?)
            .bind(entry.pair.bytes().to_vec())
            .bind(entry.kind)
            .bind(entry.time.millis())
            .bind(entry.leaf.clone())
            .bind(entry.facts.json.clone())
            .bind(entry.facts.salt.to_vec())
            .bind(entry.detail.as_ref().map(|detail| detail.json.clone()))
            .bind(entry.detail.as_ref().map(|detail| detail.salt.to_vec()))
            .bind(entry.sealed.clone())
            .bind(entry.key_hash.to_vec())
            .bind(entry.subject.map(|subject| subject.bytes().to_vec()))
            .bind(entry.requester.map(|oin| oin.to_string()))
            .bind(entry.purpose.as_ref().map(ToString::to_string));
    }
    Ok(query)
}

fn keys(writes: &Writes) -> String {
    let rows = writes.keys.iter().map(|key| {
        let (tag, subject) = (hex::encode(key.tag.bytes()), hex::encode(key.subject.bytes()));
        let expires = key.expires.map(Timestamp::millis);
        serde_json::json!([tag, subject, hex::encode(&key.wrapped), key.year, expires])
    });
    serde_json::Value::Array(rows.collect()).to_string()
}

fn opened(writes: &Writes) -> String {
    let rows = writes.opened.iter();
    let rows = rows.map(|request| serde_json::json!([hex::encode(request.pair.bytes()), request.requester]));
    serde_json::Value::Array(rows.collect()).to_string()
}

type Row<'a, 'b> = sqlx::query_builder::Separated<'a, Sqlite, &'b str>;

/// Inserts rows, several at a time.
async fn insert<T: Sync>(
    connection: &mut SqliteConnection,
    into: &str,
    after: &str,
    rows: &[T],
    bind: impl for<'a, 'b, 'c> Fn(&'a mut Row<'b, 'c>, &T) -> Result<(), StoreFault> + Send,
) -> Result<(), StoreFault> {
    for some in rows.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new(format!("insert into {into} "));
        let mut bound = Ok(());
        query.push_values(some, |mut row, value| {
            if bound.is_ok() {
                bound = bind(&mut row, value);
            }
        });
        bound?;
        query.push(after);
        query.build().execute(&mut *connection).await.map_err(fault)?;
    }
    Ok(())
}

async fn forms(connection: &mut SqliteConnection, writes: &Writes) -> Result<(), StoreFault> {
    let into = "consent_form (id, subject, recorder, recorded_at, jws)";
    insert(connection, into, "", &writes.forms, |row, (subject, form)| {
        row.push_bind(form.id.bytes().to_vec())
            .push_bind(subject.bytes().to_vec())
            .push_bind(form.recorder.to_string())
            .push_bind(writes.time.millis())
            .push_bind(form.jws.clone());
        Ok(())
    })
    .await?;
    let grants: Vec<_> = writes.new_grants().collect();
    let into = "consent_grant (id, form, subject, recorder, recipient, role, purpose, source, fields, starts, ends, \
                jws, sealed_salt, key_year)";
    insert(connection, into, "", &grants, |row, NewGrant { subject, form, grant, jws, sealed_salt }| {
        row.push_bind(grant.id.bytes().to_vec())
            .push_bind(form.id.bytes().to_vec())
            .push_bind(subject.bytes().to_vec())
            .push_bind(form.recorder.to_string())
            .push_bind(grant.recipient.to_string())
            .push_bind(grant.role.as_str())
            .push_bind(grant.purpose.to_string())
            .push_bind(grant.source.to_string())
            .push_bind(catalogue::codes(grant.fields).join(" "))
            .push_bind(grant.starts().millis())
            .push_bind(grant.ends().millis())
            .push_bind((*jws).to_owned())
            .push_bind(sealed_salt.to_vec())
            .push_bind(i64::from(writes.time.year()));
        Ok(())
    })
    .await
}

async fn events(
    connection: &mut SqliteConnection,
    events: &[EventRow],
    time: Timestamp,
) -> Result<(), StoreFault> {
    let into = "consent_event (grant_id, kind, time, position)";
    let after = " on conflict (grant_id, kind) do nothing";
    insert(connection, into, after, events, |row, event| {
        row.push_bind(event.grant.bytes().to_vec())
            .push_bind(event.kind.as_str())
            .push_bind(time.millis())
            .push_bind(stored(event.position)?);
        Ok(())
    })
    .await
}
