//! The beginning of a batch: takes the head, and reads what the batch looks at.
//!
//! All of it is one text of several statements. sqlx runs SQLite on a thread of its own, and handing over to it and back
//! costs far more than most statements do.

use std::sync::LazyLock;

use sqlx::AssertSqlSafe;

use super::{SqliteStore, fault, held::Held};
use crate::storage::{
    Look, Seen, StoreFault,
    forgetting::ERASED_KEYS,
    rows::{self, Columns as _},
};

/// `part` tells which statement a row comes from. Lists of ids are JSON arrays of hexadecimal text, so that the text is the
/// same for every batch.
static STATEMENTS: LazyLock<String> = LazyLock::new(statements);

fn statements() -> String {
    let among = |number: u8| format!("in (select unhex(value) from json_each(${number}))");
    let client = format!("in (select subject from client_key where tag {})", among(12));
    let mut text = format!(
        "begin immediate; \
         delete from client_key where expires is not null and expires <= $1; \
         {ERASED_KEYS} and $1 is not null; \
         delete from consent_stop where $1 is not null and subject not in (select subject from client_key); \
         select 0 as part, {} from head; \
         select 1 as part, leaf from entry where position >= $2 order by position limit $3",
        rows::HEAD
    );
    for (part, columns, condition) in [
        (2, format!("{} from client_key", rows::KEY), format!("tag {}", among(4))),
        (2, format!("{} from client_key", rows::KEY), format!("subject {}", among(5))),
        (3, "key from used_request_id".to_owned(), format!("key {}", among(6))),
        (3, "key from claim".to_owned(), format!("key {}", among(6))),
        (4, "pair, erased from open_request".to_owned(), format!("pair {}", among(7))),
        (5, format!("{} from consent_grant g", rows::STANDING), format!("g.id {}", among(8))),
        (6, "id from consent_form".to_owned(), format!("id {}", among(9))),
        (7, "id from consent_grant".to_owned(), format!("id {}", among(10))),
        (5, format!("{} from consent_grant g", rows::STANDING), format!("g.form {}", among(11))),
        (5, format!("{} from consent_grant g", rows::STANDING), format!("g.subject {client}")),
        (
            8,
            concat!("subject, ", rows::stop_text!(), " as stop from consent_stop").to_owned(),
            format!("subject {client}"),
        ),
    ] {
        text.push_str(&format!("; select {part} as part, {columns} where {condition}"));
    }
    text
}

/// Ids as a JSON array of hexadecimal text.
pub(super) fn list<B: AsRef<[u8]>>(ids: impl IntoIterator<Item = B>) -> String {
    let mut text = "[".to_owned();
    for id in ids {
        if text.len() > 1 {
            text.push(',');
        }
        text.push('"');
        text.push_str(&hex::encode(id));
        text.push('"');
    }
    text.push(']');
    text
}

impl SqliteStore {
    pub(super) async fn look(&self, look: &Look) -> Result<(Seen, Held<'_>), StoreFault> {
        let mut held = self.held().await?;
        let found = sqlx::query(AssertSqlSafe(STATEMENTS.as_str()))
            .bind(look.forget.map(crate::domain::Timestamp::millis))
            .bind(i64::try_from(look.after).unwrap_or(i64::MAX))
            .bind(look.limit)
            .bind(list(look.tags.iter().map(crate::subject::Tag::bytes)))
            .bind(list(look.subjects.iter().map(crate::domain::SubjectId::bytes)))
            .bind(list(&look.claims))
            .bind(list(look.pairs.iter().map(crate::domain::PairId::bytes)))
            .bind(list(look.grants.iter().map(crate::domain::GrantId::bytes)))
            .bind(list(look.new_forms.iter().map(crate::domain::FormId::bytes)))
            .bind(list(look.new_grants.iter().map(crate::domain::GrantId::bytes)))
            .bind(list(look.forms.iter().map(crate::domain::FormId::bytes)))
            .bind(list(look.clients.iter().map(crate::subject::Tag::bytes)))
            .fetch_all(&mut held.connection)
            .await
            .map_err(fault)?;
        let mut seen = Seen::default();
        for row in &found {
            match row.number("part")? {
                0 => seen.head = Some(rows::head(row)?),
                1 => seen.leaves.push(row.bytes("leaf")?),
                2 => seen.keys.push(rows::key(row)?),
                3 => drop(seen.claimed.insert(rows::claim(row)?)),
                4 => {
                    let pair = rows::pair(row)?;
                    seen.open.insert(pair);
                    seen.erased.extend(row.number_or_null("erased")?.map(|_| pair));
                }
                5 => drop(seen.grants.insert(rows::grant_id(row, "id")?, rows::standing(row)?)),
                8 => seen.stops.push((rows::subject(row, "subject")?, rows::stop(&row.text("stop")?)?)),
                6 => drop(seen.used_forms.insert(rows::form_id(row, "id")?)),
                _ => drop(seen.used_grants.insert(rows::grant_id(row, "id")?)),
            }
        }
        Ok((seen, held))
    }
}
