//! Reads, on connections that cannot write.

use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite, SqlitePool};

use super::{fault, rows};
use crate::{
    domain::{FormId, GrantId, Oin, Purpose, Role, SubjectId, Timestamp},
    storage::{EntryFilter, Head, OpenRequest, StoreFault, StoredEntry, StoredForm, StoredGrant, WrappedKey},
    subject::Tag,
};

const ENTRY: &str = "position, leaf, facts, facts_salt, detail, detail_salt, sealed, key_hash, subject";

pub(super) async fn head(pool: &SqlitePool) -> Result<Option<Head>, StoreFault> {
    let row = sqlx::query("select * from head").fetch_optional(pool).await.map_err(fault)?;
    row.as_ref().map(rows::head).transpose()
}

pub(super) async fn grants(
    pool: &SqlitePool,
    tag: &Tag,
    recipient: Oin,
    role: Role,
    purpose: &Purpose,
) -> Result<Vec<StoredGrant>, StoreFault> {
    let statement = format!(
        "select {} from consent_grant g where g.recipient = ? and g.role = ? and g.purpose = ? \
         and g.subject in (select k.subject from client_key k where k.tag = ?) order by g.ends desc",
        rows::GRANT
    );
    let found = sqlx::query(AssertSqlSafe(statement))
        .bind(recipient.as_str())
        .bind(role.as_str())
        .bind(purpose.as_str())
        .bind(tag.bytes().as_slice())
        .fetch_all(pool)
        .await
        .map_err(fault)?;
    found.iter().map(rows::grant).collect()
}

async fn grants_of(pool: &SqlitePool, form: &FormId) -> Result<Vec<StoredGrant>, StoreFault> {
    let statement = format!("select {} from consent_grant g where g.form = ? order by g.id", rows::GRANT);
    let found = sqlx::query(AssertSqlSafe(statement))
        .bind(form.bytes().as_slice())
        .fetch_all(pool)
        .await
        .map_err(fault)?;
    found.iter().map(rows::grant).collect()
}

pub(super) async fn form(pool: &SqlitePool, id: FormId) -> Result<Option<StoredForm>, StoreFault> {
    let row = sqlx::query("select * from consent_form where id = ?")
        .bind(id.bytes().as_slice())
        .fetch_optional(pool)
        .await
        .map_err(fault)?;
    let Some(row) = row else { return Ok(None) };
    rows::form(&row, grants_of(pool, &id).await?).map(Some)
}

pub(super) async fn forms_of(
    pool: &SqlitePool,
    tag: &Tag,
    recorder: Oin,
) -> Result<Vec<StoredForm>, StoreFault> {
    let found = sqlx::query(
        "select * from consent_form where recorder = ? \
         and subject in (select k.subject from client_key k where k.tag = ?) order by recorded_at desc, id",
    )
    .bind(recorder.as_str())
    .bind(tag.bytes().as_slice())
    .fetch_all(pool)
    .await
    .map_err(fault)?;
    // One read for the grants of all forms.
    let statement = format!(
        "select {} from consent_grant g where g.recorder = ? \
         and g.subject in (select k.subject from client_key k where k.tag = ?) order by g.id",
        rows::GRANT
    );
    let grants = sqlx::query(AssertSqlSafe(statement))
        .bind(recorder.as_str())
        .bind(tag.bytes().as_slice())
        .fetch_all(pool)
        .await
        .map_err(fault)?;
    let grants = grants.iter().map(rows::grant).collect::<Result<Vec<_>, _>>()?;
    found
        .iter()
        .map(|row| {
            let id = rows::form_id(row, "id")?;
            rows::form(row, grants.iter().filter(|grant| grant.form == id).cloned().collect())
        })
        .collect()
}

pub(super) async fn grant(pool: &SqlitePool, id: GrantId) -> Result<Option<StoredGrant>, StoreFault> {
    let statement = format!("select {} from consent_grant g where g.id = ?", rows::GRANT);
    let row = sqlx::query(AssertSqlSafe(statement))
        .bind(id.bytes().as_slice())
        .fetch_optional(pool)
        .await
        .map_err(fault)?;
    row.as_ref().map(rows::grant).transpose()
}

pub(super) async fn client_key(
    pool: &SqlitePool,
    subject: SubjectId,
    year: i32,
) -> Result<Option<WrappedKey>, StoreFault> {
    let row = sqlx::query("select wrapped from client_key where subject = ? and year = ?")
        .bind(subject.bytes().as_slice())
        .bind(year)
        .fetch_optional(pool)
        .await
        .map_err(fault)?;
    row.map(|row| Ok(WrappedKey { subject, wrapped: rows::bytes(&row, "wrapped")? })).transpose()
}

pub(super) async fn entries(
    pool: &SqlitePool,
    from: u64,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreFault> {
    let statement = format!("select {ENTRY} from entry where position >= ? order by position limit ?");
    let found = sqlx::query(AssertSqlSafe(statement))
        .bind(i64::try_from(from).unwrap_or(i64::MAX))
        .bind(limit)
        .fetch_all(pool)
        .await
        .map_err(fault)?;
    found.iter().map(rows::entry).collect()
}

pub(super) async fn search(pool: &SqlitePool, filter: &EntryFilter) -> Result<Vec<StoredEntry>, StoreFault> {
    let mut query = QueryBuilder::<Sqlite>::new(format!("select {ENTRY} from entry where 1 = 1"));
    if let Some(from) = filter.from {
        query.push(" and time >= ").push_bind(from.millis());
    }
    if let Some(until) = filter.until {
        query.push(" and time < ").push_bind(until.millis());
    }
    if let Some(requester) = &filter.requester {
        query.push(" and requester = ").push_bind(requester.to_string());
    }
    if let Some(purpose) = &filter.purpose {
        query.push(" and purpose = ").push_bind(purpose.to_string());
    }
    if let Some(kind) = &filter.kind {
        query.push(" and kind = ").push_bind(kind.clone());
    }
    if let Some(below) = filter.below {
        query.push(" and position < ").push_bind(i64::try_from(below).unwrap_or(i64::MAX));
    }
    query.push(" order by position desc limit ").push_bind(filter.limit);
    let found = query.build().fetch_all(pool).await.map_err(fault)?;
    found.iter().map(rows::entry).collect()
}

pub(super) async fn tile(pool: &SqlitePool, level: u8, number: u64) -> Result<Option<Vec<u8>>, StoreFault> {
    let row = sqlx::query("select hashes from tile where level = ? and number = ?")
        .bind(level)
        .bind(i64::try_from(number).unwrap_or(i64::MAX))
        .fetch_optional(pool)
        .await
        .map_err(fault)?;
    row.map(|row| rows::bytes(&row, "hashes")).transpose()
}

pub(super) async fn open_requests(
    pool: &SqlitePool,
    before: Timestamp,
) -> Result<Vec<OpenRequest>, StoreFault> {
    let found =
        sqlx::query("select pair, requester from open_request where time < ? order by time limit 1000")
            .bind(before.millis())
            .fetch_all(pool)
            .await
            .map_err(fault)?;
    found.iter().map(rows::open_request).collect()
}

/// Number of rows a statement counted.
pub(super) fn count(row: &sqlx::sqlite::SqliteRow) -> Result<i64, StoreFault> {
    row.try_get(0).map_err(|_| StoreFault::Corrupt("a count"))
}
