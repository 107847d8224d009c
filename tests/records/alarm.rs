//! A logboek that stays behind raises an alarm.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use sluis::{
    audit::{entry::NewEntry, leaf::Kind, writer::Work},
    domain::{
        Clock as _,
        time::{ManualClock, SystemClock},
    },
};
use tokio::sync::{Mutex, MutexGuard, watch};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

use crate::{
    lab::{Region, handed_on},
    receiver::Receiver,
};

/// Counts errors of the sender.
struct Errors(watch::Sender<usize>);

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let of = event.metadata();
        if *of.level() == Level::ERROR && of.target() == "sluis::app::logboek" {
            self.0.send_modify(|count| *count += 1);
        }
    }
}

/// Errors of all senders so far, and who looks at them now.
async fn errors() -> (watch::Receiver<usize>, MutexGuard<'static, ()>) {
    static SEEN: OnceLock<watch::Receiver<usize>> = OnceLock::new();
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let alone = ONE_AT_A_TIME.lock().await;
    let seen = SEEN.get_or_init(|| {
        let (errors, seen) = watch::channel(0);
        tracing_subscriber::registry().with(Errors(errors)).init();
        seen
    });
    (seen.clone(), alone)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_not_acknowledged_for_too_long_raises_an_alarm() {
    let (mut seen, _alone) = errors().await;
    let before = *seen.borrow();
    let mut region = Region::new(|_| {}).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    region.plain(nobody);
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    region.serve_at("sluis.toml", clock.clone()).await;
    region.look().await;
    assert_eq!(*seen.borrow(), before, "it may be behind for five minutes");
    clock.set(clock.now().plus_millis(6 * 60_000));
    let alarm = tokio::time::timeout(Duration::from_secs(150), seen.wait_for(|count| *count > before)).await;
    assert!(alarm.is_ok());
    region.stop().await;
}

/// A logboek that takes all that it is given, and is never done: there is more after each call.
#[tokio::test(flavor = "multi_thread")]
async fn a_logboek_that_takes_less_than_there_comes_raises_an_alarm() {
    let (seen, _alone) = errors().await;
    let before = *seen.borrow();
    let (mut region, mut receiver) = (Region::new(|_| {}).await, Receiver::start(&[]).await);
    region.serve("sluis.toml").await;
    let look = || NewEntry::of_gateway(Kind::Access, json!({ "looked_at": { "checkpoint": true } }));
    let log = &region.gateways[0].log;
    // More than three calls hold.
    for done in join_all((0..800).map(|_| log.commit(Work::Append(look())))).await {
        done.unwrap();
    }
    region.stop().await;
    region.plain(receiver.address);
    let later = SystemClock.now().plus_millis(6 * 60_000);
    region.serve_at("sluis.toml", Arc::new(ManualClock::new(later))).await;
    let wanted = handed_on(region.store().as_ref()).await;
    receiver.until("all of it", |stored| stored.positions.is_superset(&wanted)).await;
    // Not one call failed, and between two of them the log was behind.
    assert!(*seen.borrow() > before);
    region.stop().await;
}
