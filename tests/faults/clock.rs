//! A clock that is set back, or was ahead.

use std::sync::Arc;

use sluis::{
    audit::writer::CommitFault,
    domain::{PairId, time::ManualClock},
};

use crate::{lab::time, site::Site, tasks::Task, told::Told};

crate::on_both!(p04_a_clock_that_is_set_back, p04_a_clock_that_was_ahead);

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const YEAR: i64 = 365 * 24 * 60 * MINUTE;

/// The reason that the gateway's log and its operator see; a caller gets `LOG_UNAVAILABLE`.
const BEHIND: CommitFault = CommitFault::Unavailable("the clock is behind the log");

/// A few seconds are bridged: the log's time stands still. More is refused until the clock has caught up.
async fn p04_a_clock_that_is_set_back(site: Site) {
    let clock = Arc::new(ManualClock::new(time(0)));
    let site = site.with_clock(Arc::<ManualClock>::clone(&clock));
    let running = site.start_alone().await;
    let mut told = Told::default();
    let pair = PairId::random();
    let mut now = 0;
    for (back, bridged) in [(5 * SECOND, true), (MINUTE, false), (YEAR, false)] {
        told.take(&running.log.commit(Task::ask(pair_of(now, pair), 1).work()).await.unwrap());
        let size = running.store.head().await.unwrap().unwrap().size;
        clock.set(time(now - back));
        for task in [Task::Close(pair_of(now, pair)), Task::note()] {
            let result = running.log.commit(task.work()).await;
            match result {
                Ok(committed) if bridged => told.take(&committed),
                Err(fault) if !bridged => assert_eq!(fault, BEHIND),
                other => panic!("{back} ms back: {other:?}"),
            }
        }
        let there = running.store.head().await.unwrap().unwrap().size - size;
        assert_eq!(there, if bridged { 2 } else { 0 }, "{back} ms back");
        assert!(running.log.is_writing(), "it does not need a restart");
        now += MINUTE;
        clock.set(time(now));
        if !bridged {
            told.take(&running.log.commit(Task::Close(pair_of(now - MINUTE, pair)).work()).await.unwrap());
        }
    }
    told.check(&site, running.store.as_ref(), &[]).await;
    running.stop().await;
}

/// A pair for each turn.
fn pair_of(turn: i64, first: PairId) -> PairId {
    let mut bytes = first.bytes();
    bytes[0] ^= u8::try_from(turn / MINUTE).unwrap();
    PairId::from_bytes(&bytes).unwrap()
}

/// What was written by a clock that was ahead stands, and nothing follows it before its time has come.
async fn p04_a_clock_that_was_ahead(site: Site) {
    let clock = Arc::new(ManualClock::new(time(0)));
    let site = site.with_clock(Arc::<ManualClock>::clone(&clock));
    let running = site.start_alone().await;
    let mut told = Told::default();
    clock.set(time(YEAR));
    told.take(&running.log.commit(Task::note().work()).await.unwrap());
    clock.set(time(0));
    assert_eq!(running.log.commit(Task::note().work()).await.unwrap_err(), BEHIND);
    clock.set(time(YEAR - 20 * SECOND));
    assert_eq!(running.log.commit(Task::note().work()).await.unwrap_err(), BEHIND);
    clock.set(time(YEAR - 9 * SECOND));
    told.take(&running.log.commit(Task::note().work()).await.unwrap());
    told.check(&site, running.store.as_ref(), &[]).await;
    running.stop().await;
}
