//! What both databases read, in the same words. A database brings a way to fetch rows; the statements are here once, so
//! that no read can differ.

use std::future::Future;

use super::{
    EntryFilter, Head, OpenRequest, StoreFault, StoredEntry, StoredForm, StoredGrant, WrappedKey,
    rows::{self, Columns},
};
use crate::{
    domain::{FormId, GrantId, Oin, Purpose, Role, SubjectId, Timestamp},
    subject::Tag,
};

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Bytes(&'a [u8]),
    Text(&'a str),
    Number(i64),
}

/// Fetches rows, on connections that decide nothing.
pub(super) trait Fetch: Sync {
    type Row: Columns + Send;

    fn fetch(
        &self,
        statement: String,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Self::Row>, StoreFault>> + Send;
}

fn stored(number: u64) -> i64 {
    // More than there can be finds nothing.
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) async fn head(from: &impl Fetch) -> Result<Option<Head>, StoreFault> {
    let found = from.fetch(format!("select {} from head", rows::HEAD), &[]).await?;
    found.first().map(rows::head).transpose()
}

/// State of a copy from or into the store, if there is one.
pub(super) async fn moving(from: &impl Fetch) -> Result<Option<String>, StoreFault> {
    let found = from.fetch("select state from moving".to_owned(), &[]).await?;
    found.first().map(|row| row.text("state")).transpose()
}

pub(super) async fn grants(
    from: &impl Fetch,
    tag: &Tag,
    recipient: Oin,
    role: Role,
    purpose: &Purpose,
) -> Result<Vec<StoredGrant>, StoreFault> {
    let statement = format!(
        "select {} from consent_grant g where g.recipient = $1 and g.role = $2 and g.purpose = $3 \
         and g.subject in (select k.subject from client_key k where k.tag = $4) order by g.ends desc, g.id",
        rows::GRANT
    );
    let values = [
        Value::Text(recipient.as_str()),
        Value::Text(role.as_str()),
        Value::Text(purpose.as_str()),
        Value::Bytes(tag.bytes()),
    ];
    from.fetch(statement, &values).await?.iter().map(rows::grant).collect()
}

pub(super) async fn form(from: &impl Fetch, id: FormId) -> Result<Option<StoredForm>, StoreFault> {
    let id = id.bytes();
    let statement = format!("select {} from consent_form where id = $1", rows::FORM);
    let found = from.fetch(statement, &[Value::Bytes(&id)]).await?;
    let Some(row) = found.first() else { return Ok(None) };
    let statement = format!("select {} from consent_grant g where g.form = $1 order by g.id", rows::GRANT);
    let grants = from.fetch(statement, &[Value::Bytes(&id)]).await?;
    rows::form(row, grants.iter().map(rows::grant).collect::<Result<_, _>>()?).map(Some)
}

pub(super) async fn forms_of(
    from: &impl Fetch,
    tag: &Tag,
    recorder: Oin,
) -> Result<Vec<StoredForm>, StoreFault> {
    let values = [Value::Text(recorder.as_str()), Value::Bytes(tag.bytes())];
    let statement = format!(
        "select {} from consent_form where recorder = $1 \
         and subject in (select k.subject from client_key k where k.tag = $2) order by recorded_at desc, id",
        rows::FORM
    );
    let found = from.fetch(statement, &values).await?;
    // One read for the grants of all forms.
    let statement = format!(
        "select {} from consent_grant g where g.recorder = $1 \
         and g.subject in (select k.subject from client_key k where k.tag = $2) order by g.id",
        rows::GRANT
    );
    let grants = from.fetch(statement, &values).await?;
    let grants = grants.iter().map(rows::grant).collect::<Result<Vec<_>, _>>()?;
    found
        .iter()
        .map(|row| {
            let id = rows::form_id(row, "id")?;
            rows::form(row, grants.iter().filter(|grant| grant.form == id).cloned().collect())
        })
        .collect()
}

pub(super) async fn grant(from: &impl Fetch, id: GrantId) -> Result<Option<StoredGrant>, StoreFault> {
    let statement = format!("select {} from consent_grant g where g.id = $1", rows::GRANT);
    let found = from.fetch(statement, &[Value::Bytes(&id.bytes())]).await?;
    found.first().map(rows::grant).transpose()
}

pub(super) async fn client_key(
    from: &impl Fetch,
    subject: SubjectId,
    year: i32,
) -> Result<Option<WrappedKey>, StoreFault> {
    let statement = "select wrapped from client_key where subject = $1 and year = $2".to_owned();
    let values = [Value::Bytes(&subject.bytes()), Value::Number(year.into())];
    let found = from.fetch(statement, &values).await?;
    found.first().map(|row| Ok(WrappedKey { subject, wrapped: row.bytes("wrapped")? })).transpose()
}

pub(super) async fn entries(
    from: &impl Fetch,
    position: u64,
    limit: u32,
) -> Result<Vec<StoredEntry>, StoreFault> {
    let statement =
        format!("select {} from entry where position >= $1 order by position limit $2", rows::ENTRY);
    let values = [Value::Number(stored(position)), Value::Number(limit.into())];
    from.fetch(statement, &values).await?.iter().map(rows::entry).collect()
}

pub(super) async fn search(from: &impl Fetch, filter: &EntryFilter) -> Result<Vec<StoredEntry>, StoreFault> {
    let mut statement = format!("select {} from entry where true", rows::ENTRY);
    let mut values = Vec::new();
    let mut with = |text: &str, value| {
        values.push(value);
        statement.push_str(&format!("{text} ${}", values.len()));
    };
    let limits = [(" and time >=", filter.from), (" and time <", filter.until)];
    for (text, time) in limits {
        if let Some(time) = time {
            with(text, Value::Number(time.millis()));
        }
    }
    if let Some(requester) = &filter.requester {
        with(" and requester =", Value::Text(requester.as_str()));
    }
    if let Some(purpose) = &filter.purpose {
        with(" and purpose =", Value::Text(purpose.as_str()));
    }
    if let Some(kind) = &filter.kind {
        with(" and kind =", Value::Text(kind));
    }
    if let Some(below) = filter.below {
        with(" and position <", Value::Number(stored(below)));
    }
    with(" order by position desc limit", Value::Number(filter.limit.into()));
    from.fetch(statement, &values).await?.iter().map(rows::entry).collect()
}

pub(super) async fn tile(from: &impl Fetch, level: u8, number: u64) -> Result<Option<Vec<u8>>, StoreFault> {
    let statement = "select hashes from tile where level = $1 and number = $2".to_owned();
    let found = from.fetch(statement, &[Value::Number(level.into()), Value::Number(stored(number))]).await?;
    found.first().map(|row| row.bytes("hashes")).transpose()
}

pub(super) async fn open_requests(
    from: &impl Fetch,
    before: Timestamp,
) -> Result<Vec<OpenRequest>, StoreFault> {
    let statement =
        "select pair, requester from open_request where time < $1 order by time limit 1000".to_owned();
    let found = from.fetch(statement, &[Value::Number(before.millis())]).await?;
    found.iter().map(rows::open_request).collect()
}
