//! What a store does to forget (vergeten): one client on request, and anybody once a term is over. The statements are here
//! once, so that both databases forget the same.
//!
//! What is forgotten of an entry becomes empty. Its leaf stays, and with it every proof.

use std::future::Future;

use super::{
    StoreFault,
    read::{Fetch, Value},
    rows::{self, Columns},
};
use crate::{
    consent::Standing,
    domain::{FormId, PairId, SubjectId, Timestamp},
    subject::Tag,
};

/// Everything that leads to one client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// Pairs of the entries that are sealed under his keys, in order and each once.
    pub pairs: Vec<PairId>,
    /// How many entries these are.
    pub entries: u64,
    /// Years for which he has a key.
    pub years: Vec<i64>,
    /// His forms.
    pub forms: Vec<FormId>,
    /// His grants, as they stand.
    pub grants: Vec<Standing>,
    /// How many times he said no to something.
    pub stops: u64,
    /// How often something left about him.
    pub disclosures: u64,
    /// When that was the last time.
    pub last_disclosure: Option<Timestamp>,
}

/// Terms that are over (bewaartermijnen).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Of entries.
    pub entries: Vec<EntryTerm>,
    /// Of forms whose grants are all over: since before this moment.
    pub consents: Timestamp,
    /// Of keys: nothing that they seal is from this year or an earlier one. `None` leaves keys alone.
    pub key_year: Option<i64>,
    /// Of the ids of requests.
    pub request_ids: Timestamp,
    /// Of remembering who was erased.
    pub erased: Timestamp,
}

/// The term of one kind of record in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryTerm {
    /// Name of the kind of record.
    pub record: &'static str,
    /// Kinds of entries that belong to it.
    pub kinds: &'static [&'static str],
    /// Entries before this moment are over.
    pub before: Timestamp,
}

/// Everything but his grants, in one statement. `part` tells what a row is of, `id` and `n` what there is to know of it.
const PARTS: &str = "\
    select cast(0 as bigint) as part, pair as id, time as n from entry where subject = $1 \
    union all select 1, id, recorded_at from consent_form where subject = $1 \
    union all select 2, subject, year from client_key where subject = $1 \
    union all select 3, grant_id, time from disclosure \
        where grant_id in (select id from consent_grant where subject = $1) \
    union all select 4, subject, position from consent_stop where subject = $1";

/// His grants.
fn grants_of() -> String {
    format!("select {} from consent_grant g where g.subject = $1 order by g.id", rows::STANDING)
}

/// What deletes everything that leads to the client `$1` beside the log, in this order.
const FORGET: [&str; 6] = [
    "delete from disclosure where grant_id in (select id from consent_grant where subject = $1)",
    "delete from consent_event where grant_id in (select id from consent_grant where subject = $1)",
    "delete from consent_grant where subject = $1",
    "delete from consent_form where subject = $1",
    "delete from consent_stop where subject = $1",
    "delete from client_key where subject = $1",
];

/// What deletes the form `$1`, in this order.
const FORGET_FORM: [&str; 4] = [
    "delete from disclosure where grant_id in (select id from consent_grant where form = $1)",
    "delete from consent_event where grant_id in (select id from consent_grant where form = $1)",
    "delete from consent_grant where form = $1",
    "delete from consent_form where id = $1",
];

/// Forms whose grants are all over since before `$1`, at most `$2`, oldest first.
pub(super) const FORMS_OVER: &str = "select f.id from consent_form f where f.recorded_at < $1 and not exists \
    (select 1 from consent_grant g where g.form = f.id and g.ends >= $1 and not exists \
    (select 1 from consent_event e where e.grant_id = g.id and e.time < $1 \
    and e.kind in ('renewed', 'refused', 'withdrawn', 'invalidated'))) order by f.recorded_at limit $2";

/// Position of the first entry that is not before `$1`. Time never goes back in a log, so all before it is over and nothing
/// else is. By the index of times: nobody waits while a whole log is read because nothing of it is over.
pub(super) const BOUNDARY: &str = "select coalesce(\
    (select position from entry where time >= $1 order by time, position limit 1), \
    (select max(position) + 1 from entry), 0) as boundary";

/// A transaction in a database, for what both do in the same words.
pub(super) trait Session {
    type Row: Columns;

    /// The rows of a statement.
    fn rows(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<Vec<Self::Row>, StoreFault>> + Send;

    /// How many rows a statement changed.
    fn change(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
    ) -> impl Future<Output = Result<u64, StoreFault>> + Send;
}

/// Deletes the keys of erased clients that came back with an older copy of them.
pub(super) const ERASED_KEYS: &str = "delete from client_key where subject in (select subject from erased)";

/// Requests without an outcome.
pub(super) async fn open(session: &mut impl Session, limit: u32) -> Result<Vec<PairId>, StoreFault> {
    let statement = "select pair from open_request order by pair limit $1";
    let found = session.rows(statement, &[Value::Number(limit.into())]).await?;
    found.iter().map(rows::pair).collect()
}

/// What leads to a client.
pub(super) async fn traces(session: &mut impl Session, subject: SubjectId) -> Result<Traces, StoreFault> {
    let id = subject.bytes();
    let values = [Value::Bytes(&id)];
    let parts = session.rows(PARTS, &values).await?;
    let grants = session.rows(&grants_of(), &values).await?;
    Traces::of(&parts, &grants)
}

/// Forgets a client: what leads to him is deleted, and what is sealed under his keys with it.
pub(super) async fn forget(
    session: &mut impl Session,
    subject: SubjectId,
    now: Timestamp,
) -> Result<(), StoreFault> {
    let id = subject.bytes();
    for statement in FORGET {
        session.change(statement, &[Value::Bytes(&id)]).await?;
    }
    // What comes of it later is about nobody: under a key of his it would lead to him again, by its pair.
    let open =
        "update open_request set erased = $2 where pair in (select pair from entry where subject = $1)";
    session.change(open, &[Value::Bytes(&id), Value::Number(now.millis())]).await?;
    let emptied = "update entry set sealed = $2, key_hash = $2, subject = null where subject = $1";
    session.change(emptied, &[Value::Bytes(&id), Value::Bytes(&[])]).await?;
    let remembered = "insert into erased (subject, time) values ($1, $2) on conflict (subject) do nothing";
    session.change(remembered, &[Value::Bytes(&id), Value::Number(now.millis())]).await.map(drop)
}

/// Forgets at most about `limit` rows of each kind whose term is over, and tells how many there were.
pub(super) async fn expire(session: &mut impl Session, terms: &Terms, limit: u32) -> Result<u64, StoreFault> {
    let mut done = 0;
    for term in &terms.entries {
        done += entries_over(session, term, limit).await?;
    }
    let limit = Value::Number(limit.into());
    let consents = [Value::Number(terms.consents.millis()), limit];
    for form in session.rows(FORMS_OVER, &consents).await? {
        let id = form.bytes("id")?;
        for statement in FORGET_FORM {
            session.change(statement, &[Value::Bytes(&id)]).await?;
        }
        done += 1;
    }
    let ids =
        "delete from used_request_id where key in (select key from used_request_id where time < $1 limit $2)";
    done += session.change(ids, &[Value::Number(terms.request_ids.millis()), limit]).await?;
    // Few, and none that anything depends on.
    let erased = "delete from erased where time < $1";
    done += session.change(erased, &[Value::Number(terms.erased.millis())]).await?;
    if let Some(year) = terms.key_year.filter(|_| done == 0) {
        done += keys_over(session, year).await?;
    }
    Ok(done)
}

/// Clients who were erased, and what was deleted of them may stand in free pages.
const UNSCRUBBED: &str = "select subject from erased where scrubbed is null";

/// Whether there are any.
pub(super) async fn is_scrub_due(from: &impl Fetch) -> Result<bool, StoreFault> {
    Ok(!from.fetch(format!("{UNSCRUBBED} limit 1"), &[]).await?.is_empty())
}

/// Which these are, before free pages are seen to.
pub(super) async fn unscrubbed(session: &mut impl Session) -> Result<Vec<SubjectId>, StoreFault> {
    session.rows(UNSCRUBBED, &[]).await?.iter().map(|row| rows::subject(row, "subject")).collect()
}

/// Notes that it was done, for those who were erased before it.
pub(super) async fn scrubbed(session: &mut impl Session, subjects: &[SubjectId]) -> Result<(), StoreFault> {
    for subject in subjects {
        let done = "update erased set scrubbed = 1 where subject = $1";
        session.change(done, &[Value::Bytes(&subject.bytes())]).await?;
    }
    Ok(())
}

async fn entries_over(session: &mut impl Session, term: &EntryTerm, limit: u32) -> Result<u64, StoreFault> {
    let record = Value::Text(term.record);
    let known = session.rows("select position from expired where record = $1", &[record]).await?;
    let from = known.first().map_or(Ok(0), |row| row.number("position"))?;
    let boundary = session.rows(BOUNDARY, &[Value::Number(term.before.millis())]).await?;
    let boundary = boundary.first().map_or(Ok(0), |row| row.number("boundary"))?;
    let end = boundary.min(from.saturating_add(limit.into()));
    if end <= from {
        return Ok(0);
    }
    let kinds: Vec<String> = term.kinds.iter().map(|kind| format!("'{kind}'")).collect();
    let emptied = format!(
        "update entry set facts = $3, facts_salt = $3, detail = null, detail_salt = null, sealed = $3, key_hash = $3, \
         subject = null, requester = null, purpose = null \
         where position >= $1 and position < $2 and kind in ({})",
        kinds.join(", ")
    );
    session.change(&emptied, &[Value::Number(from), Value::Number(end), Value::Bytes(&[])]).await?;
    let upto = "insert into expired (record, position) values ($1, $2) \
        on conflict (record) do update set position = excluded.position";
    session.change(upto, &[record, Value::Number(end)]).await?;
    Ok(u64::try_from(end - from).unwrap_or_default())
}

/// Keys that open nothing any more: of a client without forms and without an entry; and those of a year that is over,
/// unless a grant's salt is sealed under them.
async fn keys_over(session: &mut impl Session, year: i64) -> Result<u64, StoreFault> {
    let clients = "delete from client_key where expires is null \
        and not exists (select 1 from consent_form f where f.subject = client_key.subject) \
        and not exists (select 1 from entry e where e.subject = client_key.subject)";
    let years = "delete from client_key where year <= $1 and not exists (select 1 from consent_grant g \
        where g.subject = client_key.subject and g.key_year = client_key.year)";
    let mut done = session.change(clients, &[]).await?;
    done += session.change(years, &[Value::Number(year)]).await?;
    Ok(done)
}

impl Traces {
    fn of<R: Columns>(parts: &[R], grants: &[R]) -> Result<Self, StoreFault> {
        let mut traces =
            Self { grants: grants.iter().map(rows::standing).collect::<Result<_, _>>()?, ..Self::default() };
        for row in parts {
            let number = row.number("n")?;
            match row.number("part")? {
                0 => {
                    traces.entries += 1;
                    traces.pairs.push(
                        PairId::from_bytes(&row.bytes("id")?).map_err(|_| StoreFault::Corrupt("a pair"))?,
                    );
                }
                1 => traces.forms.push(rows::form_id(row, "id")?),
                2 => traces.years.push(number),
                3 => {
                    traces.disclosures += 1;
                    traces.last_disclosure = traces.last_disclosure.max(Some(Timestamp::from_millis(number)));
                }
                _ => traces.stops += 1,
            }
        }
        traces.pairs.sort_unstable();
        traces.pairs.dedup();
        traces.years.sort_unstable();
        Ok(traces)
    }
}

/// The client of a tag.
pub(super) async fn subject_of(from: &impl Fetch, tag: &Tag) -> Result<Option<SubjectId>, StoreFault> {
    let statement = "select subject from client_key where tag = $1 limit 1".to_owned();
    let found = from.fetch(statement, &[Value::Bytes(tag.bytes())]).await?;
    found.first().map(|row| rows::subject(row, "subject")).transpose()
}
