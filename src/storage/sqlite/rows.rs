//! Rows to values. A row that does not read is [`StoreFault::Corrupt`]: it was not written by this program.

use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    catalogue,
    consent::GrantState,
    domain::{FormId, GrantId, Oin, PairId, Purpose, Role, SubjectId, Timestamp},
    storage::{Head, OpenRequest, Opening, StoreFault, StoredEntry, StoredForm, StoredGrant},
};

/// Columns of a grant, with its events; for [`grant`].
pub(super) const GRANT: &str = "g.id, g.form, g.subject, g.recorder, g.recipient, g.role, g.purpose, g.source, \
     g.fields, g.starts, g.ends, g.jws, g.sealed_salt, g.key_year, \
     (select k.wrapped from client_key k where k.subject = g.subject and k.year = g.key_year) as wrapped_key, \
     exists (select 1 from consent_event e where e.grant_id = g.id and e.kind = 'confirmed') as confirmed, \
     exists (select 1 from consent_event e where e.grant_id = g.id and e.kind = 'withdrawn') as withdrawn";

pub(super) fn bytes(row: &SqliteRow, column: &str) -> Result<Vec<u8>, StoreFault> {
    row.try_get(column).map_err(|_| StoreFault::Corrupt("a blob"))
}

pub(super) fn text(row: &SqliteRow, column: &str) -> Result<String, StoreFault> {
    row.try_get(column).map_err(|_| StoreFault::Corrupt("a text"))
}

pub(super) fn number(row: &SqliteRow, column: &str) -> Result<i64, StoreFault> {
    row.try_get(column).map_err(|_| StoreFault::Corrupt("a number"))
}

fn time(row: &SqliteRow, column: &str) -> Result<Timestamp, StoreFault> {
    number(row, column).map(Timestamp::from_millis)
}

fn flag(row: &SqliteRow, column: &str) -> Result<bool, StoreFault> {
    number(row, column).map(|flag| flag != 0)
}

fn parsed<T: std::str::FromStr>(row: &SqliteRow, column: &str) -> Result<T, StoreFault> {
    text(row, column)?.parse().map_err(|_| StoreFault::Corrupt("a coded text"))
}

pub(super) fn position(row: &SqliteRow, column: &str) -> Result<u64, StoreFault> {
    u64::try_from(number(row, column)?).map_err(|_| StoreFault::Corrupt("a position"))
}

pub(super) fn subject(row: &SqliteRow, column: &str) -> Result<SubjectId, StoreFault> {
    SubjectId::from_bytes(&bytes(row, column)?).map_err(|_| StoreFault::Corrupt("a subject"))
}

pub(super) fn open_request(row: &SqliteRow) -> Result<OpenRequest, StoreFault> {
    let pair = PairId::from_bytes(&bytes(row, "pair")?).map_err(|_| StoreFault::Corrupt("a pair"))?;
    let requester: Option<String> =
        row.try_get("requester").map_err(|_| StoreFault::Corrupt("a requester"))?;
    let requester =
        requester.map(|oin| oin.parse().map_err(|_| StoreFault::Corrupt("a requester"))).transpose()?;
    Ok(OpenRequest { pair, requester })
}

pub(super) fn grant_id(row: &SqliteRow, column: &str) -> Result<GrantId, StoreFault> {
    GrantId::from_bytes(&bytes(row, column)?).map_err(|_| StoreFault::Corrupt("a grant id"))
}

pub(super) fn form_id(row: &SqliteRow, column: &str) -> Result<FormId, StoreFault> {
    FormId::from_bytes(&bytes(row, column)?).map_err(|_| StoreFault::Corrupt("a form id"))
}

pub(super) fn state(row: &SqliteRow) -> Result<GrantState, StoreFault> {
    Ok(GrantState {
        starts: time(row, "starts")?,
        ends: time(row, "ends")?,
        confirmed: flag(row, "confirmed")?,
        withdrawn: flag(row, "withdrawn")?,
    })
}

pub(super) fn grant(row: &SqliteRow) -> Result<StoredGrant, StoreFault> {
    let fields = text(row, "fields")?;
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
        jws: text(row, "jws")?,
        sealed_salt: bytes(row, "sealed_salt")?,
        key_year: i32::try_from(number(row, "key_year")?).map_err(|_| StoreFault::Corrupt("a year"))?,
        wrapped_key: bytes(row, "wrapped_key")?,
        state: state(row)?,
    })
}

pub(super) fn form(row: &SqliteRow, grants: Vec<StoredGrant>) -> Result<StoredForm, StoreFault> {
    Ok(StoredForm {
        id: form_id(row, "id")?,
        subject: subject(row, "subject")?,
        recorder: parsed(row, "recorder")?,
        recorded_at: time(row, "recorded_at")?,
        jws: text(row, "jws")?,
        grants,
    })
}

fn salt(bytes: Vec<u8>) -> Result<[u8; 32], StoreFault> {
    bytes.try_into().map_err(|_| StoreFault::Corrupt("a salt or a hash"))
}

pub(super) fn entry(row: &SqliteRow) -> Result<StoredEntry, StoreFault> {
    let optional = |column: &str| -> Result<Option<Vec<u8>>, StoreFault> {
        row.try_get(column).map_err(|_| StoreFault::Corrupt("a blob"))
    };
    let detail = match (optional("detail")?, optional("detail_salt")?) {
        (Some(json), Some(bytes)) => Some(Opening { json, salt: salt(bytes)? }),
        _ => None,
    };
    let subject = optional("subject")?
        .map(|bytes| SubjectId::from_bytes(&bytes).map_err(|_| StoreFault::Corrupt("a subject")))
        .transpose()?;
    Ok(StoredEntry {
        position: position(row, "position")?,
        leaf: bytes(row, "leaf")?,
        facts: Opening { json: bytes(row, "facts")?, salt: salt(bytes(row, "facts_salt")?)? },
        detail,
        sealed: bytes(row, "sealed")?,
        key_hash: salt(bytes(row, "key_hash")?)?,
        subject,
    })
}

pub(super) fn head(row: &SqliteRow) -> Result<Head, StoreFault> {
    Ok(Head {
        origin: text(row, "origin")?,
        size: position(row, "size")?,
        time: time(row, "time")?,
        frontier: bytes(row, "frontier")?,
        checkpoint: text(row, "checkpoint")?,
        batch: bytes(row, "batch")?.try_into().map_err(|_| StoreFault::Corrupt("a batch id"))?,
    })
}
