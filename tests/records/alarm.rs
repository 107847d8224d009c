//! A logboek that stays behind raises an alarm.

use std::{sync::Arc, time::Duration};

use sluis::domain::{
    Clock as _,
    time::{ManualClock, SystemClock},
};
use tokio::sync::watch;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
    util::SubscriberInitExt as _,
};

use crate::lab::Region;

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

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_not_acknowledged_for_too_long_raises_an_alarm() {
    let (errors, mut seen) = watch::channel(0);
    tracing_subscriber::registry().with(Errors(errors)).init();
    let mut region = Region::new(|_| {}).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    region.plain(nobody);
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    region.serve_at("sluis.toml", clock.clone()).await;
    region.look().await;
    assert_eq!(*seen.borrow(), 0, "it may be behind for five minutes");
    clock.set(clock.now().plus_millis(6 * 60_000));
    let alarm = tokio::time::timeout(Duration::from_secs(150), seen.wait_for(|count| *count > 0)).await;
    assert!(alarm.is_ok());
    region.stop().await;
}
