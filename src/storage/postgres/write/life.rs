//! What becomes of grants beside their events, seldom.

use sqlx::PgConnection;

use super::{super::faults::within, codes, column, stored};
use crate::{
    domain::Timestamp,
    storage::{SourcePauseRow, StoreFault, Writes, forgetting},
};

pub(super) async fn write(connection: &mut PgConnection, writes: &Writes) -> Result<(), StoreFault> {
    stops(connection, writes).await?;
    for SourcePauseRow { source, paused, position } in &writes.source_pauses {
        let query = if *paused {
            sqlx::query(
                "insert into source_pause (source, time, position) values ($1, $2, $3) \
                 on conflict (source) do nothing",
            )
            .bind(source.to_string())
            .bind(writes.time.millis())
            .bind(stored(*position)?)
        } else {
            sqlx::query("delete from source_pause where source = $1").bind(source.to_string())
        };
        within(query.execute(&mut *connection)).await?;
    }
    for (form, jws) in &writes.reconfirmed {
        let query = sqlx::query("update consent_form set reconfirmation = $1 where id = $2");
        within(query.bind(jws.as_str()).bind(form.bytes().to_vec()).execute(&mut *connection)).await?;
    }
    if !writes.once.is_empty() {
        let query =
            sqlx::query("insert into claim (key, time) select key, $1 from unnest($2::bytea[]) as t (key)");
        let query = query.bind(writes.time.millis()).bind(column(&writes.once, |key| key.as_slice()));
        within(query.execute(&mut *connection)).await?;
    }
    for subject in &writes.erased {
        forgetting::forget(connection, *subject, writes.time).await?;
    }
    if let Some(shard) = &writes.closes {
        let query = sqlx::query(
            "insert into shard (number, origin, first, size, checkpoint, key, closed) \
             values ($1, $2, $3, $4, $5, $6, $7)",
        );
        let query = query
            .bind(stored(shard.place.number)?)
            .bind(shard.origin.as_str())
            .bind(stored(shard.place.first)?)
            .bind(stored(shard.size)?)
            .bind(shard.checkpoint.as_str())
            .bind(shard.key.as_str())
            .bind(shard.closed.millis());
        within(query.execute(&mut *connection)).await?;
    }
    for (organisation, cursor) in &writes.acknowledged {
        let query = sqlx::query(
            "insert into acknowledged (organisation, position, day) values ($1, $2, $3) on conflict (organisation) \
             do update set position = excluded.position, day = excluded.day",
        );
        let query = query.bind(organisation.to_string()).bind(stored(cursor.position)?).bind(cursor.day);
        within(query.execute(&mut *connection)).await?;
    }
    Ok(())
}

async fn stops(connection: &mut PgConnection, writes: &Writes) -> Result<(), StoreFault> {
    let stops = &writes.stops;
    if stops.is_empty() {
        return Ok(());
    }
    let positions = stops.iter().map(|row| stored(row.position)).collect::<Result<Vec<_>, _>>()?;
    let query = sqlx::query(
        "insert into consent_stop (subject, position, number, kind, day, owner, recipient, purpose, source, parental, \
         fields) select * from unnest($1::bytea[], $2::int8[], $3::int8[], $4::text[], $5::int8[], $6::text[], \
         $7::text[], $8::text[], $9::text[], $10::int8[], $11::text[])",
    )
    .bind(column(stops, |row| row.subject.bytes().to_vec()))
    .bind(positions)
    .bind((0_i64..).take(stops.len()).collect::<Vec<_>>())
    .bind(column(stops, |row| row.stop.kind.as_str()))
    .bind(column(stops, |row| Timestamp::start_of(row.stop.day).millis()))
    .bind(column(stops, |row| row.stop.scope.owner.map(|oin| oin.to_string())))
    .bind(column(stops, |row| row.stop.scope.recipient.map(|oin| oin.to_string())))
    .bind(column(stops, |row| row.stop.scope.purpose.as_ref().map(ToString::to_string)))
    .bind(column(stops, |row| row.stop.scope.source.map(|oin| oin.to_string())))
    .bind(column(stops, |row| i64::from(row.stop.scope.parental)))
    .bind(column(stops, |row| codes(row.stop.fields)));
    within(query.execute(connection)).await.map(drop)
}
