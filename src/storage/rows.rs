//! Rows to values. A row that does not read is [`StoreFault::Corrupt`]: it was not written by this program.

use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};

use super::{
    Head, KeyRow, OpenRequest, Opening, StoreFault, StoredEntry, StoredForm, StoredGrant, Withdrawable,
    Withdrawal,
};
use crate::{
    catalogue,
    consent::GrantState,
    domain::{FormId, GrantId, Oin, PairId, Purpose, Role, SubjectId, Timestamp},
    subject::Tag,
};

/// Columns of a grant's state, with its events; for [`state`].
pub(super) const STATE: &str = "g.id, g.starts, g.ends, \
     exists (select 1 from consent_event e where e.grant_id = g.id and e.kind = 'confirmed') as confirmed, \
     exists (select 1 from consent_event e where e.grant_id = g.id and e.kind = 'withdrawn') as withdrawn";

/// Grants to withdraw; a condition follows. For [`withdrawable`].
pub(super) const WITHDRAWABLE: &str = "select g.id, \
     exists (select 1 from consent_event e where e.grant_id = g.id and e.kind = 'withdrawn') as withdrawn \
     from consent_grant g where ";

/// The condition that selects grants, and its first parameter.
pub(super) fn withdrawal(selection: &Withdrawal) -> (&'static str, Vec<u8>) {
    match selection {
        Withdrawal::Grant(id) => ("g.id = $1", id.bytes().to_vec()),
        Withdrawal::Form(id) => ("g.form = $1", id.bytes().to_vec()),
        Withdrawal::Client(tag) => {
            ("g.subject in (select k.subject from client_key k where k.tag = $1)", tag.bytes().to_vec())
        }
    }
}

/// Columns of a grant, with its events; for [`grant`].
pub(super) const GRANT: &str = "g.id, g.form, g.subject, g.recorder, g.recipient, g.role, g.purpose, g.source, \
     g.fields, g.starts, g.ends, g.jws, g.sealed_salt, g.key_year, \
     (select k.wrapped from client_key k where k.subject = g.subject and k.year = g.key_year) as wrapped_key, \
     exists (select 1 from consent_event e where e.grant_id = g.id and e.kind = 'confirmed') as confirmed, \
     exists (select 1 from consent_event e where e.grant_id = g.id and e.kind = 'withdrawn') as withdrawn";

/// Columns of the head; for [`head`].
pub(super) const HEAD: &str = "origin, size, time, frontier, checkpoint, batch, keys";

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

pub(super) fn state(row: &impl Columns) -> Result<GrantState, StoreFault> {
    Ok(GrantState {
        starts: time(row, "starts")?,
        ends: time(row, "ends")?,
        confirmed: row.flag("confirmed")?,
        withdrawn: row.flag("withdrawn")?,
    })
}

pub(super) fn grant(row: &impl Columns) -> Result<StoredGrant, StoreFault> {
    let fields = row.text("fields")?;
    let codes: Vec<_> = fields.split(' ').collect();
    Ok(StoredGrant {
        id: grant_id(row, "id")?,
        form: form_id(row, "form")?,
        subject: subject(row, "subject")?,
        recorder: parsed::<Oin>(row, "recorder")?,
        recipient: parsed::<Oin>(row, "recipient")?,
        role: parsed::<Role>(row, "role")?,
        purpose: parsed::<Purpose>(row, "purpose")?,
        source: parsed::<Oin>(row, "source")?,
        fields: catalogue::from_codes(&codes).map_err(|_| StoreFault::Corrupt("a field code"))?,
        jws: row.text("jws")?,
        sealed_salt: row.bytes("sealed_salt")?,
        key_year: year(row, "key_year")?,
        wrapped_key: row.bytes("wrapped_key")?,
        state: state(row)?,
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
    Ok(StoredEntry {
        position: position(row, "position")?,
        leaf: row.bytes("leaf")?,
        facts: Opening { json: row.bytes("facts")?, salt: salt(row.bytes("facts_salt")?)? },
        detail,
        sealed: row.bytes("sealed")?,
        key_hash: salt(row.bytes("key_hash")?)?,
        subject,
    })
}

pub(super) fn head(row: &impl Columns) -> Result<Head, StoreFault> {
    Ok(Head {
        origin: row.text("origin")?,
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

pub(super) fn withdrawable(row: &impl Columns) -> Result<Withdrawable, StoreFault> {
    Ok(Withdrawable { grant: grant_id(row, "id")?, withdrawn: row.flag("withdrawn")? })
}

fn year(row: &impl Columns, column: &str) -> Result<i32, StoreFault> {
    i32::try_from(row.number(column)?).map_err(|_| StoreFault::Corrupt("a year"))
}
