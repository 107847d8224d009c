//! What has to be done again and again: counts of calls turned away, requests that never came to an end, health.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::sync::watch;
use tonic_health::server::HealthReporter;

use super::{Running, shards};
use crate::{
    audit::{
        entry::{NewEntry, SubjectLink},
        leaf::Kind,
        writer::{CommitFault, Work, Writer},
    },
    config::Settings,
    domain::{Clock, Timestamp},
    grpc::server,
    storage::{OpenRequest, Store},
};

/// How long after its answer was due a request counts as interrupted.
const GRACE: Duration = Duration::from_secs(30);

fn interrupted(request: &OpenRequest) -> NewEntry {
    NewEntry {
        kind: Kind::Outcome,
        pair: request.pair,
        facts: json!({ "requester": request.requester, "effect": "interrupted" }),
        detail: None,
        client: json!({}),
        subject: SubjectLink::Nobody,
        requester: request.requester,
        purpose: None,
    }
}

/// Requests that began before this time, and are still open, were interrupted.
pub(super) fn interrupted_before(settings: &Settings, clock: &dyn Clock) -> Timestamp {
    let grace = settings.timing.answer_after + GRACE;
    clock.now().plus_millis(-i64::try_from(grace.as_millis()).unwrap_or(i64::MAX))
}

/// Gives every request that began before this time, and has no outcome, the outcome `interrupted` (P06). A late outcome
/// of its own then loses, and releases nothing.
pub(super) async fn close_interrupted(
    store: &dyn Store,
    log: &Writer,
    before: Option<Timestamp>,
) -> Result<(), CommitFault> {
    let before = before.unwrap_or(Timestamp::from_millis(i64::MAX));
    loop {
        let open = store.open_requests(before).await;
        let open = open.map_err(|_| CommitFault::Unavailable("open requests cannot be read"))?;
        if open.is_empty() {
            return Ok(());
        }
        for request in &open {
            let work = Work::Outcome { entry: interrupted(request), needs: Vec::new() };
            match log.commit(work).await {
                Ok(_) | Err(CommitFault::AlreadyClosed) => {}
                Err(fault) => return Err(fault),
            }
        }
    }
}

/// Enters what a new day has made of agreements.
async fn follow_agreements(running: &Running) -> Result<(), CommitFault> {
    let mut agreements = running.agreements.lock().await;
    let rules = running.rules.load_full();
    agreements.follow(&rules.register, running.clock.now().day()).await
}

pub(super) async fn run(running: Arc<Running>, health: HealthReporter, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(Duration::from_secs(5));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut serving = true;
    let mut watched = shards::Watched::default();
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        let now = running.clock.now();
        let flushed = running.turned_away.flush(&running.log, Some(now)).await;
        let before = interrupted_before(&running.settings, running.clock.as_ref());
        let closed = close_interrupted(running.store.as_ref(), &running.log, Some(before)).await;
        let followed = follow_agreements(&running).await;
        if flushed.is_err() || closed.is_err() || followed.is_err() {
            tracing::error!("counts, interrupted requests or agreements could not be written to the log");
        }
        if !*running.over.borrow() {
            match shards::watch(&running, &mut watched).await {
                Ok(false) => {}
                Ok(true) => {
                    tracing::info!("the shard of the log is over; this gateway has to start again");
                    running.over.send_replace(true);
                }
                Err(fault) => tracing::error!(%fault, "the next shard of the log could not be looked to"),
            }
        }
        // A database that is away for a while is no reason to stop, and no state to send callers to. Nor is a shard that is
        // over: they are sent to another instance until this one is back.
        let over = *running.over.borrow();
        let able = running.log.is_writing() && running.store.head().await.is_ok() && !over;
        if serving != able {
            serving = able;
            server::report_health(&health, serving).await;
        }
    }
}
