//! Copies between both kinds of store: whole ones, here; interrupted and refused ones, below.

mod interrupted;
mod lab;
mod refused;

use super::*;
use lab::{Ground, KINDS, Kind, Log, copied, export_of, moving_of, rows_of, verify};

/// Along every way between the two kinds of store, and at the end the log is still the one it was, and goes on.
#[tokio::test]
async fn p07_a_log_that_was_moved_there_and_back_again_is_the_same_log() {
    let log = Log::new().await;
    let (before, rows) = (log.export().await, rows_of(log.open().await.tables()).await);
    assert_eq!(verify(&before, &log), 3, "requests are open");
    let way = [Kind::Sqlite, Kind::Postgres, Kind::Postgres, Kind::Sqlite, Kind::Sqlite];
    let mut grounds = vec![log.ground()];
    for kind in &way[1..] {
        let (from, to) = (grounds.last().unwrap(), Ground::new(*kind).await);
        let (source, target) = (from.open().await, to.open().await);
        let moved = copied(source.tables(), target.tables()).await.unwrap();
        assert_eq!((moved.entries, moved.before), (rows["entry"].len() as u64, false));
        assert!(moved.entries >= 600);
        let counts: Vec<_> = moved.tables.iter().map(|(table, count)| (*table, *count)).collect();
        let expected = TABLES.iter().filter(|table| table.copied != Copied::Never);
        let expected = expected.map(|table| (table.name, rows[table.name].len() as u64));
        assert_eq!(counts, expected.collect::<Vec<_>>());
        assert!(counts.iter().all(|(table, count)| *count > 0 || panic!("the test has no `{table}`")));
        assert_eq!(rows_of(target.tables()).await, rows, "every row is there");
        assert_eq!(moving_of(target.tables()).await, None);

        // The source has everything it had, but nobody writes there any more.
        let (left, head) = moving_of(source.tables()).await.unwrap();
        assert_eq!((left.as_str(), head), ("left", Some(false)), "its head has another batch");
        let mut rest = rows_of(source.tables()).await;
        assert_ne!(rest["head"], rows["head"]);
        rest.insert("head", rows["head"].clone());
        assert_eq!(rest, rows);
        source.shared().close().await;
        target.shared().close().await;
        grounds.push(to);
    }
    let last = grounds.last().unwrap();
    let folder = last.folder().unwrap();
    assert_eq!(export_of(folder, &log).await, before, "file by file");

    // It is a log like any other: open requests are closed, new entries come, and all of it verifies.
    log.close_requests(folder).await;
    let after = export_of(folder, &log).await;
    assert_eq!(verify(&after, &log), 0);
    assert_ne!(after["checkpoint"], before["checkpoint"]);
}

/// Once it is done, the same command finds nothing to do, and says so after it has checked again.
#[tokio::test]
async fn a_copy_that_is_done_may_be_run_again() {
    let log = Log::new().await;
    let to = Ground::new(Kind::Postgres).await;
    let (source, target) = (log.open().await, to.open().await);
    let first = copied(source.tables(), target.tables()).await.unwrap();
    let again = copied(source.tables(), target.tables()).await.unwrap();
    assert_eq!(again, Moved { before: true, ..first });
}

/// While a PostgreSQL source is held, others read there and do not write; a gateway that was kept waiting finds another
/// batch in the head afterwards.
#[tokio::test]
async fn while_a_source_is_held_a_gateway_reads_and_does_not_write() {
    let log = Log::new().await;
    let (ground, other) = (Ground::new(Kind::Postgres).await, Ground::new(Kind::Sqlite).await);
    let (first, source, target) = (log.open().await, ground.open().await, other.open().await);
    copied(first.tables(), source.tables()).await.unwrap();
    let mut held = source.tables().session().await.unwrap();
    held.hold(&HEAD).await.unwrap();
    let begun = ["begin", "set local lock_timeout = '50ms'"];
    let read = [&begun[..], &["select * from head", "select * from entry limit 1"]].concat();
    ground.run(&read).await.unwrap();
    for write in ["select * from head for update", "update head set size = size + 1"] {
        let fault = ground.run(&[&begun[..], &[write]].concat()).await.unwrap_err();
        assert!(fault.contains("lock timeout"), "{fault}");
    }
    drop(held);
    let before = rows_of(source.tables()).await["head"].clone();
    copied(source.tables(), target.tables()).await.unwrap();
    assert_ne!(rows_of(source.tables()).await["head"], before);
}

/// Gateways that were there all the time, and that looked at `moving` before there was anything in it: one that wrote the
/// newest entry, one that has yet to see it, and one that is about to start. None of them goes on.
#[tokio::test]
async fn p07_no_gateway_goes_on_with_a_log_that_was_moved() {
    let log = Log::new().await;
    let (ground, other) = (log.at(Kind::Postgres).await, Ground::new(Kind::Sqlite).await);
    let stores = [ground.open().await, ground.open().await, ground.open().await, ground.open().await];
    let ((ahead, _a), (behind, _b)) =
        (log.gateway(stores[0].shared()).await.unwrap(), log.gateway(stores[1].shared()).await.unwrap());
    lab::append(&behind).await.unwrap();
    lab::append(&ahead).await.unwrap();
    let target = other.open().await;
    let moved = copied(stores[2].tables(), target.tables()).await.unwrap();
    for gateway in [&ahead, &behind] {
        assert!(lab::append(gateway).await.is_err());
        assert!(!gateway.is_writing(), "until a restart");
    }
    let late = log.gateway(stores[3].shared()).await.map(drop).unwrap_err();
    assert!(late.contains("checkpoint"), "{late}");
    // Where it was moved to, it goes on.
    let (there, _c) = log.gateway(target.shared()).await.unwrap();
    lab::append(&there).await.unwrap();
    let size = target.shared().head().await.unwrap().unwrap().end();
    assert_eq!(size, moved.entries + 1);
    assert_eq!(rows_of(stores[2].tables()).await["entry"].len() as u64, moved.entries);
}

/// Progress goes up to the number of entries, and every table is told when it is checked.
#[tokio::test]
async fn progress_tells_how_far_it_is() {
    let log = Log::new().await;
    let to = Ground::new(KINDS[0]).await;
    let (source, target) = (log.open().await, to.open().await);
    let mut told = Vec::new();
    let mut proof = crate::audit::stored_check::StoredCheck::default();
    let moved =
        copy(source.tables(), target.tables(), &mut proof, &mut |step| told.push(step)).await.unwrap();
    let entries: Vec<_> = told.iter().filter(|step| step.table == "entry").collect();
    let last = |step| entries.iter().rfind(|progress| progress.step == step).map(|told| (told.rows, told.of));
    for step in [Step::Copying, Step::Checking] {
        assert_eq!(last(step), Some((moved.entries, moved.entries)));
    }
    assert!(entries.iter().filter(|progress| progress.step == Step::Copying).count() >= 3, "page by page");
    let checkpoint = rows_of(target.tables()).await["head"].len();
    assert_eq!((checkpoint, proof.root() == [0; 32]), (1, false));
}
