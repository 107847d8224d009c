//! What is not copied, and why; and what is copied wrong, and found.

use super::{
    lab::{Ground, KINDS, Kind, Log, copied, is_writable, moving_of, rows_of},
    *,
};
use crate::storage::schema::Kind as ColumnKind;

/// Copies, and undoes the last step: the source is left, and all rows but the head are in the target.
async fn broken_off(source: &Ground, target: &Ground) {
    let (from, to) = (source.open().await, target.open().await);
    copied(from.tables(), to.tables()).await.unwrap();
    let last = with_rows().pop().unwrap();
    let rows = to.tables().session().await.unwrap().read(last, None, 1000).await.unwrap();
    let mut cursor = Vec::new();
    key_of(last, rows.last().unwrap()).iter().for_each(|value| value.encode(&mut cursor));
    from.shared().close().await;
    to.shared().close().await;
    let (name, cursor) = (last.name, bytes(target, &hex::encode(cursor)));
    let back = format!(
        "insert into moving (id, state, origin, size, batch, place, cursor) \
         select id, 'arriving', origin, size + first, batch, '{name}', {cursor} from head"
    );
    target.run(&[&back, "delete from head"]).await.unwrap();
}

/// Bytes as SQL.
fn bytes(ground: &Ground, hex: &str) -> String {
    if ground.folder().is_some() { format!("x'{hex}'") } else { format!("'\\x{hex}'::bytea") }
}

#[tokio::test]
async fn a_source_without_a_log_of_its_own_is_refused() {
    let log = Log::new().await;
    for kind in KINDS {
        let (empty, to) = (Ground::new(kind).await, Ground::new(Kind::Sqlite).await);
        let (source, target) = (empty.open().await, to.open().await);
        assert_eq!(copied(source.tables(), target.tables()).await, Err(CopyFault::NoLog));
        assert_eq!(moving_of(target.tables()).await, None, "nothing was begun");

        // A store that is itself still arriving, and one that was left.
        let (from, half) = (log.ground(), Ground::new(kind).await);
        broken_off(&from, &half).await;
        let arriving = copied(half.open().await.tables(), target.tables()).await;
        assert_eq!(arriving, Err(CopyFault::SourceArriving));
        let left = copied(from.open().await.tables(), target.tables()).await;
        assert_eq!(left, Err(CopyFault::SourceLeft), "it would be a fork");
        assert_eq!(moving_of(target.tables()).await, None, "nothing was begun");
        // Not even once what it was left for is gone on.
        let there = half.open().await;
        let back = copied(there.tables(), from.open().await.tables()).await;
        assert_eq!(back, Err(CopyFault::SourceArriving));
    }
}

#[tokio::test]
async fn a_target_that_holds_something_else_is_refused() {
    let (log, other) = (Log::new().await, Log::new().await);
    for kind in KINDS {
        let taken = other.at(kind).await;
        let before = rows_of(taken.open().await.tables()).await;
        let source = log.open().await;
        let origin = "test.sluis.example/copy/2026".to_owned();
        let refused = copied(source.tables(), taken.open().await.tables()).await;
        assert_eq!(refused, Err(CopyFault::TargetTaken(origin.clone())));
        assert_eq!(rows_of(taken.open().await.tables()).await, before, "nothing was touched");

        let used = Ground::new(kind).await;
        drop(used.open().await);
        let zero = bytes(&used, "00");
        used.run(&[&format!("insert into used_request_id values ({zero}, 7)")]).await.unwrap();
        let refused = copied(source.tables(), used.open().await.tables()).await;
        assert_eq!(refused, Err(CopyFault::TargetNotEmpty("used_request_id")));

        let (further, to) = (other.ground(), Ground::new(Kind::Sqlite).await);
        copied(further.open().await.tables(), to.open().await.tables()).await.unwrap();
        let refused = copied(source.tables(), further.open().await.tables()).await;
        assert_eq!(refused, Err(CopyFault::TargetLeft(origin.clone())));

        // Half of a log with another name.
        let (from, half) = (other.ground(), Ground::new(kind).await);
        broken_off(&from, &half).await;
        half.run(&["update moving set origin = 'test.other/2026'"]).await.unwrap();
        let refused = copied(source.tables(), half.open().await.tables()).await;
        assert_eq!(refused, Err(CopyFault::OtherCopy("test.other/2026".to_owned())));
        assert!(is_writable(source.tables()).await);
        source.shared().close().await;
    }
}

#[tokio::test]
async fn a_source_that_moved_on_is_not_gone_on_with() {
    let log = Log::new().await;
    for kind in KINDS {
        let (from, half) = (log.ground(), Ground::new(kind).await);
        broken_off(&from, &half).await;
        // The log as it was before, opened by a gateway once more: seven requests get their outcome.
        let again = log.ground();
        log.close_requests(again.folder().unwrap()).await;
        let (source, target) = (again.open().await, half.open().await);
        let refused = copied(source.tables(), target.tables()).await.unwrap_err();
        let CopyFault::SourceMovedOn { then, now } = refused else { panic!("{refused}") };
        assert_eq!(now, then + 7);
        assert!(refused.to_string().contains("Empty the target"), "{refused}");
        assert!(is_writable(source.tables()).await && !is_writable(target.tables()).await);
    }
}

/// Two copies into one target, at the same time, from two files that hold the same log: one of them gets through at most,
/// and neither harms the other.
#[tokio::test]
async fn of_two_copies_at_once_one_gives_way() {
    let log = Log::new().await;
    let to = Ground::new(Kind::Postgres).await;
    let (one, two, target) = (log.ground(), log.ground(), to.open().await);
    let rows = rows_of(log.open().await.tables()).await;
    let (first, second) = (one.open().await, two.open().await);
    let (a, b) =
        tokio::join!(copied(first.tables(), target.tables()), copied(second.tables(), target.tables()));
    assert_eq!([&a, &b].into_iter().filter(|result| result.is_ok()).count(), 1, "{a:?} {b:?}");
    assert_eq!(rows_of(target.tables()).await, rows);
}

/// One bit of one row, in any table and in either kind of store.
#[tokio::test]
async fn p07_a_row_that_changed_on_the_way_is_found() {
    let log = Log::new().await;
    for kind in KINDS {
        for table in with_rows() {
            let (from, half) = (log.ground(), Ground::new(kind).await);
            broken_off(&from, &half).await;
            // One that every row has.
            let column = table.columns.iter();
            let column = column.rev().find(|column| !column.nullable && !table.key.contains(&column.name));
            let column = column.unwrap();
            let leaf = if table.name == "entry" { "leaf" } else { column.name };
            let changed = match (table.columns[table.column(leaf).unwrap()].kind, kind) {
                (ColumnKind::Number, _) => format!("{leaf} + 1"),
                (ColumnKind::Text, _) => format!("{leaf} || 'x'"),
                (ColumnKind::Bytes, Kind::Sqlite) => format!("zeroblob(length({leaf}))"),
                (ColumnKind::Bytes, Kind::Postgres) => {
                    format!("set_byte({leaf}, 5, get_byte({leaf}, 5) # 1)")
                }
            };
            let name = table.name;
            let key = table.key[0];
            let one = format!(
                "update {name} set {leaf} = {changed} where {key} = (select {key} from {name} \
                 where {leaf} is not null order by {key} desc limit 1)"
            );
            half.run(&[&one]).await.unwrap();
            let (source, target) = (from.open().await, half.open().await);
            let found = copied(source.tables(), target.tables()).await.unwrap_err();
            let CopyFault::Differs { table: at, sent, arrived } = found else { panic!("{name}: {found}") };
            assert_eq!((at, sent), (name, arrived), "{found}");
            // The source, which had been left, is the log again; what arrived never will be.
            assert!(is_writable(source.tables()).await && !is_writable(target.tables()).await);
            let again = copied(source.tables(), target.tables()).await.unwrap_err();
            assert!(matches!(again, CopyFault::SourceMovedOn { .. }), "{again}");
        }
    }
}

/// A row too few, and a row too many.
#[tokio::test]
async fn a_row_that_is_missing_or_too_many_is_found() {
    let log = Log::new().await;
    for (kind, more) in KINDS.into_iter().flat_map(|kind| [(kind, -1), (kind, 1)]) {
        let (from, half) = (log.ground(), Ground::new(kind).await);
        broken_off(&from, &half).await;
        let zero = bytes(&half, "00");
        let change = if more < 0 {
            "delete from entry where position = 300".to_owned()
        } else {
            format!("insert into used_request_id values ({zero}, 7)")
        };
        half.run(&[&change]).await.unwrap();
        let found = copied(from.open().await.tables(), half.open().await.tables()).await.unwrap_err();
        let CopyFault::Differs { sent, arrived, .. } = found else { panic!("{found}") };
        assert_eq!(arrived.cast_signed() - sent.cast_signed(), more);
    }
}

/// A source that is itself no longer what it signed is not left for a faithful copy of that.
#[tokio::test]
async fn p07_a_log_that_does_not_verify_is_not_moved() {
    let log = Log::new().await;
    for (change, said) in [
        ("update entry set leaf = x'00' where position = 561", "tile/0/001 is not the one of the entries"),
        ("update tile set hashes = x'00' where number = 1", "tile/0/001 is not the one of the entries"),
        ("delete from tile where number = 1", "tile/0/001 is missing"),
        (
            "update entry set leaf = x'00' where position = 258",
            "the shard `test.sluis.example/copy/2025`: the entries do not have the root of the signed checkpoint",
        ),
        (
            "update shard set size = size - 1",
            "the shard `test.sluis.example/copy/2025`: the entries do not have the root of the signed checkpoint",
        ),
        (
            "update shard set first = first + 1",
            "the shard `test.sluis.example/copy/2025` does not begin where the one before it ends",
        ),
        ("update head set size = size - 1", "the entries do not have the root of the signed checkpoint"),
    ] {
        let (from, to) = (log.ground(), Ground::new(Kind::Sqlite).await);
        drop(from.open().await);
        from.run(&[change]).await.unwrap();
        let (source, target) = (from.open().await, to.open().await);
        let refused = copied(source.tables(), target.tables()).await;
        assert_eq!(refused, Err(CopyFault::Proof(said.to_owned())), "{change}");
        assert!(is_writable(source.tables()).await && !is_writable(target.tables()).await);
    }
}
