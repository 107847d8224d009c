//! What a batch looks at: one statement with a part for each question, since each round trip holds up every instance.

use sqlx::{PgConnection, postgres::PgRow};

use super::faults::within;
use crate::{
    consent::Standing,
    domain::{GrantId, PairId, Timestamp},
    storage::{
        Head, KeyRow, Look, Seen, ShardPlace, StoreFault,
        rows::{self, Columns, GrantColumns},
    },
    subject::Tag,
};

/// Grants that meet a condition, for [`LOOK`].
macro_rules! grants {
    ($condition:literal) => {
        concat!(
            "select 5, g.id, g.form, g.subject, g.renews, g.starts, g.ends, ",
            rows::packed_text!(),
            ", ",
            rows::events_text!(),
            ", null, null from consent_grant g where ",
            $condition
        )
    };
}

/// `part` tells which part a row belongs to. The others are what that part needs: bytes `a` to `d`, numbers `m`, `n`,
/// texts `s`, `t`, flags `f`, `g`.
///
/// The settings that durability rests on come along each time: they can be changed while the server runs.
const LOOK: &str = concat!(
    "select 0::int8 as part, h.frontier as a, h.batch as b, h.keys as c, null::bytea as d, h.size as m, h.time as n, \
            h.number || ' ' || h.first || ' ' || h.origin as s, h.checkpoint as t, \
            current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on' \
            and current_setting('synchronous_commit') in ('on', 'remote_apply') as f, h.id is not null as g \
       from (select 1) as one left join head h on true \
     union all \
     (select 1, leaf, null, null, null, position, null, null, null, null, null from entry where position >= $1 \
       order by position limit $2) \
     union all \
     select 2, tag, subject, wrapped, null, year, expires, null, null, null, null from client_key \
       where tag = any($3) \
     union all \
     select 2, tag, subject, wrapped, null, year, expires, null, null, null, null from client_key \
       where subject = any($4) \
     union all \
     select 3, key, null, null, null, null, null, null, null, null, null from used_request_id where key = any($5) \
     union all \
     select 3, key, null, null, null, null, null, null, null, null, null from claim where key = any($5) \
     union all \
     select 4, pair, null, null, null, erased, null, null, null, null, null from open_request where pair = any($6) \
     union all ",
    grants!("g.id = any($7)"),
    " union all \
     select 6, id, null, null, null, null, null, null, null, null, null from consent_form where id = any($8) \
     union all \
     select 7, id, null, null, null, null, null, null, null, null, null from consent_grant where id = any($9) \
     union all ",
    grants!("g.form = any($10)"),
    " union all ",
    grants!("g.subject in (select subject from client_key where tag = any($11))"),
    " union all select 8, subject, null, null, null, null, null, ",
    rows::stop_text!(),
    ", null, null, null from consent_stop where subject in (select subject from client_key where tag = any($11))"
);

pub(super) async fn look(connection: &mut PgConnection, wanted: &Look) -> Result<Seen, StoreFault> {
    let ids = |ids: &[GrantId]| ids.iter().map(|id| id.bytes().to_vec()).collect::<Vec<_>>();
    let query = sqlx::query(LOOK)
        .bind(i64::try_from(wanted.after).unwrap_or(i64::MAX))
        .bind(i64::from(wanted.limit))
        .bind(wanted.tags.iter().map(|tag| tag.bytes().to_vec()).collect::<Vec<_>>())
        .bind(wanted.subjects.iter().map(|id| id.bytes().to_vec()).collect::<Vec<_>>())
        .bind(wanted.claims.iter().map(|key| key.to_vec()).collect::<Vec<_>>())
        .bind(wanted.pairs.iter().map(|pair| pair.bytes().to_vec()).collect::<Vec<_>>())
        .bind(ids(&wanted.grants))
        .bind(wanted.new_forms.iter().map(|id| id.bytes().to_vec()).collect::<Vec<_>>())
        .bind(ids(&wanted.new_grants))
        .bind(wanted.forms.iter().map(|id| id.bytes().to_vec()).collect::<Vec<_>>())
        .bind(wanted.clients.iter().map(|tag| tag.bytes().to_vec()).collect::<Vec<_>>());
    let mut seen = Seen::default();
    let mut leaves = Vec::new();
    for row in within(query.fetch_all(&mut *connection)).await? {
        match row.number("part")? {
            0 => seen.head = head(&row)?,
            1 => leaves.push((row.number("m")?, row.bytes("a")?)),
            2 => seen.keys.push(key(&row)?),
            3 => {
                let key = row.bytes("a")?.try_into().map_err(|_| StoreFault::Corrupt("a request key"))?;
                seen.claimed.insert(key);
            }
            4 => {
                let pair = PairId::from_bytes(&row.bytes("a")?).map_err(|_| StoreFault::Corrupt("a pair"))?;
                seen.open.insert(pair);
                seen.erased.extend(row.number_or_null("m")?.map(|_| pair));
            }
            5 => {
                let standing = standing(&row)?;
                seen.grants.insert(standing.id, standing);
            }
            8 => seen.stops.push((rows::subject(&row, "a")?, rows::stop(&row.text("s")?)?)),
            6 => {
                seen.used_forms.insert(rows::form_id(&row, "a")?);
            }
            _ => {
                seen.used_grants.insert(rows::grant_id(&row, "a")?);
            }
        }
    }
    leaves.sort_unstable_by_key(|(position, _)| *position);
    seen.leaves = leaves.into_iter().map(|(_, leaf)| leaf).collect();
    Ok(seen)
}

fn head(row: &PgRow) -> Result<Option<Head>, StoreFault> {
    if !row.flag("f")? {
        return Err(StoreFault::Fatal(
            "the server no longer has the settings that durability needs".to_owned(),
        ));
    }
    if !row.flag("g")? {
        return Ok(None);
    }
    let hash = |bytes: Vec<u8>| bytes.try_into().map_err(|_| StoreFault::Corrupt("a fingerprint"));
    let named = row.text("s")?;
    let mut parts = named.splitn(3, ' ');
    let mut number = || parts.next()?.parse().ok();
    let place = number().zip(number()).map(|(number, first)| ShardPlace { number, first });
    let (Some(place), Some(origin)) = (place, parts.next()) else {
        return Err(StoreFault::Corrupt("the place of a shard"));
    };
    Ok(Some(Head {
        origin: origin.to_owned(),
        place,
        size: rows::position(row, "m")?,
        time: Timestamp::from_millis(row.number("n")?),
        frontier: row.bytes("a")?,
        checkpoint: row.text("t")?,
        batch: row.bytes("b")?.try_into().map_err(|_| StoreFault::Corrupt("a batch id"))?,
        keys: row.bytes_or_null("c")?.map(hash).transpose()?,
    }))
}

fn key(row: &PgRow) -> Result<KeyRow, StoreFault> {
    Ok(KeyRow {
        tag: Tag::from_bytes(&row.bytes("a")?).ok_or(StoreFault::Corrupt("a tag"))?,
        year: i32::try_from(row.number("m")?).map_err(|_| StoreFault::Corrupt("a year"))?,
        subject: rows::subject(row, "b")?,
        wrapped: row.bytes("c")?,
        expires: row.number_or_null("n")?.map(Timestamp::from_millis),
    })
}

fn standing(row: &PgRow) -> Result<Standing, StoreFault> {
    let columns = GrantColumns {
        id: rows::grant_id(row, "a")?,
        form: rows::form_id(row, "b")?,
        subject: rows::subject(row, "c")?,
        starts: Timestamp::from_millis(row.number("m")?),
        ends: Timestamp::from_millis(row.number("n")?),
        renews: row.bytes_or_null("d")?,
    };
    let events = rows::events(&row.text_or_null("t")?.unwrap_or_default())?;
    columns.standing(&row.text("s")?, &events)
}

/// A log does not begin in a store that another one is being copied into.
pub(super) async fn refuse_moving(connection: &mut PgConnection) -> Result<(), StoreFault> {
    let query = sqlx::query_scalar::<_, bool>("select exists (select 1 from moving)");
    if within(query.fetch_one(connection)).await? {
        return Err(StoreFault::Fatal("a log is being copied into this store".to_owned()));
    }
    Ok(())
}
