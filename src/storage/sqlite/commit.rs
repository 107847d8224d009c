//! A commit: one immediate transaction, so that the log's head cannot move under it.

use std::collections::HashMap;

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, QueryBuilder, Sqlite, Transaction};

use super::{fault, read, rows};
use crate::{
    catalogue,
    consent::{EventKind, GrantState},
    domain::{GrantId, Oin, PairId, SubjectId, Timestamp},
    storage::{Commit, EntryRow, Head, KeyWanted, NewForm, OpenRequest, StoreFault, Withdrawal, WrappedKey},
};

/// SQLite takes 32,766 parameters a statement; rows are inserted in groups far below it.
const ROWS: usize = 256;

pub(super) struct SqliteCommit {
    transaction: Transaction<'static, Sqlite>,
}

impl SqliteCommit {
    pub(super) const fn new(transaction: Transaction<'static, Sqlite>) -> Self {
        Self { transaction }
    }
}

fn stored(number: u64) -> Result<i64, StoreFault> {
    i64::try_from(number).map_err(|_| StoreFault::Corrupt("a position"))
}

#[async_trait]
impl Commit for SqliteCommit {
    async fn head(&mut self) -> Result<Option<Head>, StoreFault> {
        let row = sqlx::query("select * from head").fetch_optional(&mut *self.transaction).await;
        row.map_err(fault)?.as_ref().map(rows::head).transpose()
    }

    async fn client_keys(&mut self, wanted: &[KeyWanted]) -> Result<Vec<WrappedKey>, StoreFault> {
        let mut keys = Vec::with_capacity(wanted.len());
        for want in wanted {
            // The same statement for a known and an unknown client (P09). A client keeps his id over the years, and a
            // recorded consent ends the short life of a key that only questions had made.
            let row = sqlx::query(
                "insert into client_key (tag, year, subject, wrapped, expires) values (?1, ?2, \
                 coalesce((select subject from client_key where tag = ?1 limit 1), ?3), ?4, ?5) \
                 on conflict (tag, year) do update set expires = \
                 case when expires is null or excluded.expires is null then null else max(expires, excluded.expires) end \
                 returning subject, wrapped",
            )
            .bind(want.tag.bytes().as_slice())
            .bind(want.year)
            .bind(want.proposed.subject.bytes().as_slice())
            .bind(want.proposed.wrapped.as_slice())
            .bind(want.expires.map(Timestamp::millis))
            .fetch_one(&mut *self.transaction)
            .await
            .map_err(fault)?;
            keys.push(WrappedKey {
                subject: rows::subject(&row, "subject")?,
                wrapped: rows::bytes(&row, "wrapped")?,
            });
        }
        Ok(keys)
    }

    async fn subject_key(
        &mut self,
        subject: SubjectId,
        year: i32,
        proposed: &[u8],
    ) -> Result<Option<WrappedKey>, StoreFault> {
        let row = sqlx::query(
            "insert into client_key (tag, year, subject, wrapped, expires) \
             select tag, ?2, subject, ?3, expires from client_key where subject = ?1 limit 1 \
             on conflict (tag, year) do update set expires = client_key.expires returning wrapped",
        )
        .bind(subject.bytes().as_slice())
        .bind(year)
        .bind(proposed)
        .fetch_optional(&mut *self.transaction)
        .await
        .map_err(fault)?;
        row.map(|row| Ok(WrappedKey { subject, wrapped: rows::bytes(&row, "wrapped")? })).transpose()
    }

    async fn forget_expired(&mut self, now: Timestamp) -> Result<u64, StoreFault> {
        let done = sqlx::query("delete from client_key where expires is not null and expires <= ?")
            .bind(now.millis())
            .execute(&mut *self.transaction)
            .await
            .map_err(fault)?;
        Ok(done.rows_affected())
    }

    async fn claim_request_ids(
        &mut self,
        keys: &[[u8; 32]],
        time: Timestamp,
    ) -> Result<Vec<bool>, StoreFault> {
        let mut fresh = Vec::with_capacity(keys.len());
        for key in keys {
            let done = sqlx::query("insert or ignore into used_request_id (key, time) values (?, ?)")
                .bind(key.as_slice())
                .bind(time.millis())
                .execute(&mut *self.transaction)
                .await
                .map_err(fault)?;
            fresh.push(done.rows_affected() == 1);
        }
        Ok(fresh)
    }

    async fn open(&mut self, requests: &[OpenRequest], time: Timestamp) -> Result<(), StoreFault> {
        for some in requests.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new("insert into open_request (pair, requester, time) ");
            query.push_values(some, |mut row, request| {
                row.push_bind(request.pair.bytes().to_vec())
                    .push_bind(request.requester.map(|oin| oin.to_string()))
                    .push_bind(time.millis());
            });
            query.build().execute(&mut *self.transaction).await.map_err(fault)?;
        }
        Ok(())
    }

    async fn close(&mut self, pair: PairId) -> Result<bool, StoreFault> {
        let done = sqlx::query("delete from open_request where pair = ?")
            .bind(pair.bytes().as_slice())
            .execute(&mut *self.transaction)
            .await
            .map_err(fault)?;
        Ok(done.rows_affected() == 1)
    }

    async fn record(
        &mut self,
        subject: SubjectId,
        form: &NewForm,
        time: Timestamp,
    ) -> Result<bool, StoreFault> {
        let mut used = QueryBuilder::<Sqlite>::new("select (select count(*) from consent_form where id = ");
        used.push_bind(form.id.bytes().to_vec())
            .push(") + (select count(*) from consent_grant where id in (");
        let mut ids = used.separated(", ");
        for (grant, ..) in &form.grants {
            ids.push_bind(grant.id.bytes().to_vec());
        }
        used.push("))");
        let row = used.build().fetch_one(&mut *self.transaction).await.map_err(fault)?;
        if read::count(&row)? != 0 {
            return Ok(false);
        }
        sqlx::query(
            "insert into consent_form (id, subject, recorder, recorded_at, jws) values (?, ?, ?, ?, ?)",
        )
        .bind(form.id.bytes().as_slice())
        .bind(subject.bytes().as_slice())
        .bind(form.recorder.as_str())
        .bind(time.millis())
        .bind(form.jws.as_str())
        .execute(&mut *self.transaction)
        .await
        .map_err(fault)?;
        let mut query = QueryBuilder::<Sqlite>::new(
            "insert into consent_grant (id, form, subject, recorder, recipient, role, purpose, source, fields, \
             starts, ends, jws, sealed_salt, key_year) ",
        );
        query.push_values(&form.grants, |mut row, (grant, jws, sealed_salt)| {
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
                .push_bind(jws.clone())
                .push_bind(sealed_salt.clone())
                .push_bind(time.year());
        });
        query.build().execute(&mut *self.transaction).await.map_err(fault)?;
        Ok(true)
    }

    async fn withdrawable(
        &mut self,
        selection: &Withdrawal,
        by: Oin,
    ) -> Result<(Vec<GrantId>, bool), StoreFault> {
        let condition = match selection {
            Withdrawal::Grant(_) => "g.id = ?",
            Withdrawal::Form(_) => "g.form = ?",
            Withdrawal::Client(_) => "g.subject in (select k.subject from client_key k where k.tag = ?)",
        };
        let bound = match selection {
            Withdrawal::Grant(id) => id.bytes().to_vec(),
            Withdrawal::Form(id) => id.bytes().to_vec(),
            Withdrawal::Client(tag) => tag.bytes().to_vec(),
        };
        let statement = format!(
            "select g.id, exists (select 1 from consent_event e where e.grant_id = g.id and e.kind = 'withdrawn') \
             as withdrawn from consent_grant g where {condition} and (g.recorder = ? or g.source = ?) order by g.id"
        );
        let found = sqlx::query(AssertSqlSafe(statement))
            .bind(bound)
            .bind(by.as_str())
            .bind(by.as_str())
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(fault)?;
        let mut grants = Vec::new();
        for row in &found {
            if rows::number(row, "withdrawn")? == 0 {
                grants.push(rows::grant_id(row, "id")?);
            }
        }
        Ok((grants, !found.is_empty()))
    }

    async fn event(
        &mut self,
        grants: &[GrantId],
        kind: EventKind,
        time: Timestamp,
        position: u64,
    ) -> Result<(), StoreFault> {
        let position = stored(position)?;
        for some in grants.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "insert or ignore into consent_event (grant_id, kind, time, position) ",
            );
            query.push_values(some, |mut row, grant| {
                row.push_bind(grant.bytes().to_vec())
                    .push_bind(kind.as_str())
                    .push_bind(time.millis())
                    .push_bind(position);
            });
            query.build().execute(&mut *self.transaction).await.map_err(fault)?;
        }
        Ok(())
    }

    async fn states(&mut self, grants: &[GrantId]) -> Result<HashMap<GrantId, GrantState>, StoreFault> {
        let mut states = HashMap::with_capacity(grants.len());
        for some in grants.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(format!(
                "select {} from consent_grant g where g.id in (",
                rows::GRANT
            ));
            let mut ids = query.separated(", ");
            for grant in some {
                ids.push_bind(grant.bytes().to_vec());
            }
            query.push(")");
            for row in query.build().fetch_all(&mut *self.transaction).await.map_err(fault)? {
                states.insert(rows::grant_id(&row, "id")?, rows::state(&row)?);
            }
        }
        Ok(states)
    }

    async fn append(&mut self, entries: &[EntryRow], tiles: &[(u8, u64, Vec<u8>)]) -> Result<(), StoreFault> {
        for some in entries.chunks(ROWS) {
            let mut query = QueryBuilder::<Sqlite>::new(
                "insert into entry (position, pair, kind, time, leaf, facts, facts_salt, detail, detail_salt, sealed, \
                 key_hash, subject, requester, purpose) ",
            );
            query.push_values(some, |mut row, entry| {
                row.push_bind(i64::try_from(entry.position).unwrap_or(i64::MAX))
                    .push_bind(entry.pair.bytes().to_vec())
                    .push_bind(entry.kind)
                    .push_bind(entry.time.millis())
                    .push_bind(entry.leaf.clone())
                    .push_bind(entry.facts.json.clone())
                    .push_bind(entry.facts.salt.to_vec())
                    .push_bind(entry.detail.as_ref().map(|detail| detail.json.clone()))
                    .push_bind(entry.detail.as_ref().map(|detail| detail.salt.to_vec()))
                    .push_bind(entry.sealed.clone())
                    .push_bind(entry.key_hash.to_vec())
                    .push_bind(entry.subject.map(|subject| subject.bytes().to_vec()))
                    .push_bind(entry.requester.map(|oin| oin.to_string()))
                    .push_bind(entry.purpose.as_ref().map(ToString::to_string));
            });
            query.build().execute(&mut *self.transaction).await.map_err(fault)?;
        }
        for (level, number, hashes) in tiles {
            sqlx::query("insert into tile (level, number, hashes) values (?, ?, ?)")
                .bind(*level)
                .bind(stored(*number)?)
                .bind(hashes.as_slice())
                .execute(&mut *self.transaction)
                .await
                .map_err(fault)?;
        }
        Ok(())
    }

    async fn advance(&mut self, head: &Head) -> Result<(), StoreFault> {
        sqlx::query(
            "insert into head (id, origin, size, time, frontier, checkpoint, batch) values (1, ?, ?, ?, ?, ?, ?) \
             on conflict (id) do update set origin = excluded.origin, size = excluded.size, time = excluded.time, \
             frontier = excluded.frontier, checkpoint = excluded.checkpoint, batch = excluded.batch",
        )
        .bind(head.origin.as_str())
        .bind(stored(head.size)?)
        .bind(head.time.millis())
        .bind(head.frontier.as_slice())
        .bind(head.checkpoint.as_str())
        .bind(head.batch.as_slice())
        .execute(&mut *self.transaction)
        .await
        .map_err(fault)?;
        Ok(())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreFault> {
        self.transaction.commit().await.map_err(fault)
    }
}
