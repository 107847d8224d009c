//! What both databases read, in the same words. A database brings a way to fetch rows; the statements are here once, so
//! that no read can differ.

use std::future::Future;

use super::{
    Cursor, DisclosureFilter, EntryFilter, Expiring, Head, OpenRequest, Shard, StoreFault, StoredDisclosure,
    StoredEntry, StoredEvent, StoredForm, StoredGrant, WrappedKey,
    rows::{self, Columns},
};
use crate::{
    consent::Standing,
    domain::{FormId, GrantId, Oin, PairId, Purpose, Role, SubjectId, Timestamp},
    subject::Tag,
};

/// A parameter of a statement.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    Bytes(&'a [u8]),
    Text(&'a str),
    Number(i64),
}

/// The next numbered parameters of a statement.
#[derive(Default)]
struct Statement<'a> {
    text: String,
    values: Vec<Value<'a>>,
}

impl<'a> Statement<'a> {
    fn with(&mut self, text: &str, value: Value<'a>) {
        self.values.push(value);
        self.text.push_str(&format!("{text} ${}", self.values.len()));
    }
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
            rows::form(row, grants.iter().filter(|grant| grant.standing.form == id).cloned().collect())
        })
        .collect()
}

pub(super) async fn grant(from: &impl Fetch, id: GrantId) -> Result<Option<StoredGrant>, StoreFault> {
    let statement = format!("select {} from consent_grant g where g.id = $1", rows::GRANT);
    let found = from.fetch(statement, &[Value::Bytes(&id.bytes())]).await?;
    found.first().map(rows::grant).transpose()
}

pub(super) async fn disclosures(
    from: &impl Fetch,
    filter: &DisclosureFilter,
) -> Result<Vec<StoredDisclosure>, StoreFault> {
    let ids: Vec<_> = filter.grants.iter().flatten().map(GrantId::bytes).collect();
    let mut statement = Statement {
        text: "select d.position, d.time, d.grant_id, d.recipient, d.fields, g.role, g.purpose \
               from disclosure d join consent_grant g on g.id = d.grant_id where true"
            .to_owned(),
        values: Vec::new(),
    };
    if let Some(source) = &filter.source {
        statement.with(" and d.source =", Value::Text(source.as_str()));
    }
    if filter.grants.is_some() {
        statement.text.push_str(" and (false");
        ids.iter().for_each(|id| statement.with(" or d.grant_id =", Value::Bytes(id)));
        statement.text.push(')');
    }
    if let Some(tag) = &filter.client {
        let condition = " and g.subject in (select k.subject from client_key k where k.tag =";
        statement.with(condition, Value::Bytes(tag.bytes()));
        statement.text.push(')');
    }
    if let Some(below) = filter.below {
        statement.with(" and d.position <", Value::Number(stored(below)));
    }
    let limit = Value::Number(filter.limit.into());
    statement.with(" order by d.position desc, d.grant_id limit", limit);
    from.fetch(statement.text, &statement.values).await?.iter().map(rows::disclosure).collect()
}

pub(super) async fn events_after(
    from: &impl Fetch,
    of: Oin,
    position: u64,
    limit: u32,
) -> Result<Vec<StoredEvent>, StoreFault> {
    let statement = "select g.form, e.grant_id, e.kind, e.time, e.position \
         from consent_event e join consent_grant g on g.id = e.grant_id \
         where e.position > $1 and (g.recorder = $2 or g.source = $2) and g.recipient <> $2 \
         order by e.position, e.grant_id, e.kind limit $3";
    let values = [Value::Number(stored(position)), Value::Text(of.as_str()), Value::Number(limit.into())];
    let found = from.fetch(statement.to_owned(), &values).await?;
    let mut events = found.iter().map(rows::stored_event).collect::<Result<Vec<_>, _>>()?;
    events.sort_by_key(|row| (row.event.position, row.grant, row.event.kind));
    Ok(events)
}

pub(super) async fn received(
    from: &impl Fetch,
    recipient: Oin,
) -> Result<Vec<(Standing, Vec<u64>)>, StoreFault> {
    let statement = format!(
        "select {}, (select string_agg(cast(d.position as text), ' ' order by d.position) from disclosure d \
         where d.grant_id = g.id and d.recipient = $1) as positions \
         from consent_grant g where g.id in (select d.grant_id from disclosure d where d.recipient = $1)",
        rows::STANDING
    );
    let found = from.fetch(statement, &[Value::Text(recipient.as_str())]).await?;
    let row = |row: &_| Ok((rows::standing(row)?, rows::positions(row)?));
    found.iter().map(row).collect()
}

pub(super) async fn expiring(
    from: &impl Fetch,
    recorder: Oin,
    start: Timestamp,
    until: Timestamp,
) -> Result<Vec<Expiring>, StoreFault> {
    let statement = concat!(
        "select g.id, g.form, g.recipient, g.ends, ",
        rows::events_text!(),
        " as events from consent_grant g where g.recorder = $1 and g.ends > $2 and g.ends <= $3 \
         order by g.ends, g.id limit 10000"
    );
    let values =
        [Value::Text(recorder.as_str()), Value::Number(start.millis()), Value::Number(until.millis())];
    from.fetch(statement.to_owned(), &values).await?.iter().map(rows::expiring).collect()
}

pub(super) async fn acknowledged(from: &impl Fetch, organisation: Oin) -> Result<Cursor, StoreFault> {
    let statement = "select position, day from acknowledged where organisation = $1".to_owned();
    let found = from.fetch(statement, &[Value::Text(organisation.as_str())]).await?;
    let cursor = |row: &_| {
        Ok(Cursor { position: rows::position(row, "position")?, day: Columns::number(row, "day")? })
    };
    found.first().map_or_else(|| Ok(Cursor::default()), cursor)
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
    let mut statement =
        Statement { text: format!("select {} from entry where true", rows::ENTRY), values: Vec::new() };
    let limits = [(" and time >=", filter.from), (" and time <", filter.until)];
    for (text, time) in limits {
        if let Some(time) = time {
            statement.with(text, Value::Number(time.millis()));
        }
    }
    if let Some(requester) = &filter.requester {
        statement.with(" and requester =", Value::Text(requester.as_str()));
    }
    if let Some(purpose) = &filter.purpose {
        statement.with(" and purpose =", Value::Text(purpose.as_str()));
    }
    if let Some(kind) = &filter.kind {
        statement.with(" and kind =", Value::Text(kind));
    }
    if let Some(below) = filter.below {
        statement.with(" and position <", Value::Number(stored(below)));
    }
    if let Some(since) = filter.since {
        statement.with(" and position >=", Value::Number(stored(since)));
    }
    statement.with(" order by position desc limit", Value::Number(filter.limit.into()));
    from.fetch(statement.text, &statement.values).await?.iter().map(rows::entry).collect()
}

pub(super) async fn shards(from: &impl Fetch) -> Result<Vec<Shard>, StoreFault> {
    let statement = format!("select {} from shard order by number", rows::SHARD);
    from.fetch(statement, &[]).await?.iter().map(rows::shard).collect()
}

pub(super) async fn shard_of(from: &impl Fetch, position: u64) -> Result<Option<Shard>, StoreFault> {
    // They are few, and none of them overlaps another.
    let statement = format!("select {} from shard where first <= $1 and first + size > $1", rows::SHARD);
    from.fetch(statement, &[Value::Number(stored(position))]).await?.first().map(rows::shard).transpose()
}

pub(super) async fn tiles(
    from: &impl Fetch,
    shard: u64,
    level: u8,
    first: u64,
    limit: u32,
) -> Result<Vec<(u64, Vec<u8>)>, StoreFault> {
    let statement = "select number, hashes from tile where shard = $1 and level = $2 and number >= $3 \
         order by number limit $4";
    let values = [
        Value::Number(stored(shard)),
        Value::Number(level.into()),
        Value::Number(stored(first)),
        Value::Number(limit.into()),
    ];
    let found = from.fetch(statement.to_owned(), &values).await?;
    found.iter().map(|row| Ok((rows::position(row, "number")?, row.bytes("hashes")?))).collect()
}

pub(super) async fn request_of(from: &impl Fetch, pair: PairId) -> Result<Option<StoredEntry>, StoreFault> {
    let statement = format!("select {} from entry where pair = $1 and kind = 'request'", rows::ENTRY);
    let found = from.fetch(statement, &[Value::Bytes(&pair.bytes())]).await?;
    found.first().map(rows::entry).transpose()
}

pub(super) async fn logboek(from: &impl Fetch) -> Result<u64, StoreFault> {
    let found = from.fetch("select position from logboek".to_owned(), &[]).await?;
    found.first().map_or(Ok(0), |row| rows::position(row, "position"))
}

/// Moves the cursor of the logboek from where it was, `$1`, to `$2`; one row if that could be done. Not while the log is
/// moved: a copy would not be what it was made of.
pub(super) const ACKNOWLEDGE: &str = "insert into logboek (id, position) \
     select 1, $2 where not exists (select 1 from moving) \
     and $1 = coalesce((select l.position from logboek l), 0) \
     on conflict (id) do update set position = excluded.position";

pub(super) async fn open_requests(
    from: &impl Fetch,
    before: Timestamp,
) -> Result<Vec<OpenRequest>, StoreFault> {
    let statement =
        "select pair, requester from open_request where time < $1 order by time limit 1000".to_owned();
    let found = from.fetch(statement, &[Value::Number(before.millis())]).await?;
    found.iter().map(rows::open_request).collect()
}
