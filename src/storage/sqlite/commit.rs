//! The end of a batch: writes it and commits, in one hand-over to SQLite's thread (see `look`). Rare things go before.

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite, SqliteConnection, query::Query, sqlite::SqliteArguments};

use super::{fault, held::Held, look::list};
use crate::{
    catalogue::{self, Mask},
    domain::{PairId, SubjectId, Timestamp},
    storage::{
        Commit, EntryRow, EventRow, SourcePauseRow, StopRow, StoreFault, Traces, Writes, batch::NewRow,
        forgetting,
    },
};

/// Rows inserted by one statement at most. Few, so that the texts of all sizes stay prepared.
const ROWS: usize = 64;

// Everything a batch writes is `insert or rollback`: a conflict ends the transaction, as it does in any case. Plain inserts of
// several rows would be able to end alone, for which SQLite copies each page before it changes it.

const ENTRY: &str = "insert or rollback into entry (position, pair, kind, time, leaf, facts, facts_salt, detail, detail_salt, \
     sealed, key_hash, subject, requester, purpose) values ";
/// Columns of an entry.
const COLUMNS: usize = 14;

/// What every batch writes beside its entries; one row for each client, known or not (P09). No parameter has a name or a
/// number: SQLite looks each of those up from the first one on.
const REST: &str = "\
     insert or rollback into client_key (tag, subject, wrapped, year, expires) \
        select unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4 from json_each(?) \
        where true on conflict (tag, year) do update set expires = excluded.expires; \
     insert or rollback into used_request_id (key, time) select unhex(value), ? from json_each(?); \
     insert or rollback into open_request (pair, requester, time) \
        select unhex(value ->> 0), value ->> 1, ? from json_each(?); \
     delete from open_request where pair in (select unhex(value) from json_each(?)); \
     insert or rollback into disclosure (grant_id, position, source, recipient, fields, counted, time) \
        select unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, ? from json_each(?); \
     insert or rollback into head (id, origin, size, time, frontier, checkpoint, batch, keys, number, first) \
        values (1, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
        on conflict (id) do update set origin = excluded.origin, size = excluded.size, time = excluded.time, \
        frontier = excluded.frontier, checkpoint = excluded.checkpoint, batch = excluded.batch, keys = excluded.keys, \
        number = excluded.number, first = excluded.first; \
     commit";

pub(super) struct SqliteCommit<'a> {
    pub(super) held: Held<'a>,
}

fn stored(number: u64) -> Result<i64, StoreFault> {
    i64::try_from(number).map_err(|_| StoreFault::Corrupt("a position"))
}

#[async_trait]
impl Commit for SqliteCommit<'_> {
    async fn traces(&mut self, subject: SubjectId) -> Result<Traces, StoreFault> {
        forgetting::traces(&mut self.held.connection, subject).await
    }

    async fn open(&mut self, limit: u32) -> Result<Vec<PairId>, StoreFault> {
        forgetting::open(&mut self.held.connection, limit).await
    }

    async fn commit(mut self: Box<Self>, writes: &Writes) -> Result<(), StoreFault> {
        let connection = &mut self.held.connection;
        forms(connection, writes).await?;
        events(connection, &writes.events).await?;
        life(connection, writes).await?;
        insert(connection, "tile (shard, level, number, hashes)", "", &writes.tiles, |row, tile| {
            row.push_bind(stored(tile.shard)?)
                .push_bind(i64::from(tile.level))
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
            .bind(time)
            .bind(disclosed(writes))
            .bind(head.origin.clone())
            .bind(stored(head.size)?)
            .bind(time)
            .bind(head.frontier.clone())
            .bind(head.checkpoint.clone())
            .bind(head.batch.to_vec())
            .bind(head.keys.map(|keys| keys.to_vec()))
            .bind(stored(head.place.number)?)
            .bind(stored(head.place.first)?);
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

fn disclosed(writes: &Writes) -> String {
    let rows = writes.disclosures.iter().map(|left| {
        let (grant, fields) = (hex::encode(left.grant.bytes()), catalogue::codes(left.fields).join(" "));
        serde_json::json!([
            grant,
            left.position,
            left.source,
            left.recipient,
            fields,
            i64::from(left.counted)
        ])
    });
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
        let mut query = QueryBuilder::<Sqlite>::new(format!("insert or rollback into {into} "));
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
                jws, sealed_salt, key_year, given_by, signed_on, free, uses, renews, countersignature)";
    insert(connection, into, "", &grants, |row, NewRow { subject, form, new }| {
        let grant = &new.grant;
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
            .push_bind(new.jws.clone())
            .push_bind(new.salt.clone())
            .push_bind(i64::from(writes.time.year()))
            .push_bind(grant.given_by.as_str())
            .push_bind(Timestamp::start_of(grant.signed_on).millis())
            .push_bind(i64::from(grant.context.is_free()))
            .push_bind(grant.uses.map(i64::from))
            .push_bind(grant.renews.map(|id| id.bytes().to_vec()))
            .push_bind(new.countersignature.clone());
        Ok(())
    })
    .await
}

/// Field codes, or nothing where there are none.
fn codes(fields: Mask) -> Option<String> {
    (!fields.is_empty()).then(|| catalogue::codes(fields).join(" "))
}

async fn events(connection: &mut SqliteConnection, events: &[EventRow]) -> Result<(), StoreFault> {
    let into = "consent_event (grant_id, position, kind, time, fields)";
    insert(connection, into, "", events, |row, EventRow { grant, event }| {
        row.push_bind(grant.bytes().to_vec())
            .push_bind(stored(event.position)?)
            .push_bind(event.kind.as_str())
            .push_bind(event.time.millis())
            .push_bind(codes(event.fields));
        Ok(())
    })
    .await
}

/// What else becomes of grants, seldom.
async fn life(connection: &mut SqliteConnection, writes: &Writes) -> Result<(), StoreFault> {
    let into = "consent_stop (subject, position, number, kind, day, owner, recipient, purpose, source, parental, fields)";
    let numbered: Vec<_> = (0_i64..).zip(&writes.stops).collect();
    insert(connection, into, "", &numbered, |row, (number, StopRow { subject, position, stop })| {
        let scope = &stop.scope;
        row.push_bind(subject.bytes().to_vec())
            .push_bind(stored(*position)?)
            .push_bind(*number)
            .push_bind(stop.kind.as_str())
            .push_bind(Timestamp::start_of(stop.day).millis())
            .push_bind(scope.owner.map(|oin| oin.to_string()))
            .push_bind(scope.recipient.map(|oin| oin.to_string()))
            .push_bind(scope.purpose.as_ref().map(ToString::to_string))
            .push_bind(scope.source.map(|oin| oin.to_string()))
            .push_bind(i64::from(scope.parental))
            .push_bind(codes(stop.fields));
        Ok(())
    })
    .await?;
    for SourcePauseRow { source, paused, position } in &writes.source_pauses {
        let query = if *paused {
            sqlx::query(
                "insert into source_pause (source, time, position) values (?, ?, ?) on conflict (source) do nothing",
            )
            .bind(source.to_string())
            .bind(writes.time.millis())
            .bind(stored(*position)?)
        } else {
            sqlx::query("delete from source_pause where source = ?").bind(source.to_string())
        };
        query.execute(&mut *connection).await.map_err(fault)?;
    }
    for (form, jws) in &writes.reconfirmed {
        let query = sqlx::query("update consent_form set reconfirmation = ? where id = ?");
        let query = query.bind(jws.clone()).bind(form.bytes().to_vec());
        query.execute(&mut *connection).await.map_err(fault)?;
    }
    for key in &writes.once {
        let query = sqlx::query("insert into claim (key, time) values (?, ?)");
        let query = query.bind(key.to_vec()).bind(writes.time.millis());
        query.execute(&mut *connection).await.map_err(fault)?;
    }
    for subject in &writes.erased {
        forgetting::forget(connection, *subject, writes.time).await?;
    }
    if let Some(shard) = &writes.closes {
        let query = sqlx::query(
            "insert into shard (number, origin, first, size, checkpoint, key, closed) values (?, ?, ?, ?, ?, ?, ?)",
        );
        let query = query
            .bind(stored(shard.place.number)?)
            .bind(shard.origin.clone())
            .bind(stored(shard.place.first)?)
            .bind(stored(shard.size)?)
            .bind(shard.checkpoint.clone())
            .bind(shard.key.clone())
            .bind(shard.closed.millis());
        query.execute(&mut *connection).await.map_err(fault)?;
    }
    for (organisation, cursor) in &writes.acknowledged {
        let query = sqlx::query(
            "insert into acknowledged (organisation, position, day) values (?, ?, ?) on conflict (organisation) \
             do update set position = excluded.position, day = excluded.day",
        );
        let query = query.bind(organisation.to_string()).bind(stored(cursor.position)?).bind(cursor.day);
        query.execute(&mut *connection).await.map_err(fault)?;
    }
    Ok(())
}
