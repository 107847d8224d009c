//! What has a term that is over is forgotten, once a day: first the entry that says so, then the doing, a page at a time and
//! beside everything else, so that neither calls nor the end of the gateway wait for it.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;

use super::Running;
use crate::{
    audit::{
        leaf::Leaf,
        tree::sha256,
        writer::{CommitFault, Work},
    },
    domain::{Day, Timestamp},
    storage::{StoreFault, Terms},
};

/// How often it is looked whether a day has begun.
const LOOK: Duration = Duration::from_secs(30);
/// How long nobody tries to see to free pages again after that failed. It may have held up commits.
const SCRUB_AGAIN_MILLIS: i64 = 10 * 60_000;
/// Rows of each kind that are forgotten in one go, so that nobody waits long for the database.
const PAGE: u32 = 2_000;

/// Why not all was forgotten that is over.
#[derive(Debug, thiserror::Error)]
pub enum ForgetFault {
    /// The entry that says so.
    #[error("that terms are over could not be entered into the log: {0}")]
    Entry(#[from] CommitFault),
    /// The doing.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// What is still to be forgotten of the day that was begun.
#[derive(Debug, Default)]
pub(super) struct Forgetting {
    day: Option<Day>,
    left: Option<Terms>,
    // Whether free pages are to be seen to, and when that failed.
    scrub: bool,
    failed: Option<Timestamp>,
}

impl Forgetting {
    /// Forgets what is over today and was not forgotten yet. Whichever instance enters the day does it; what it does not come
    /// to is left for the next day.
    pub(super) async fn go_on(
        &mut self,
        running: &Running,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(), ForgetFault> {
        let now = running.clock.now();
        if self.day != Some(now.day()) {
            self.scrub |= running.store.expire(&running.settings.retention.erased(now), PAGE).await? > 0;
            self.left = begin(running, now).await?;
            self.day = Some(now.day());
        }
        if let Some(terms) = &self.left {
            while running.store.expire(terms, PAGE).await? > 0 {
                if *stopped.borrow() {
                    return Ok(());
                }
            }
            self.left = None;
            self.scrub = true;
        }
        self.scrub(running, now).await
    }

    /// Sees to free pages where something was deleted, also where an erasure did not come to it.
    async fn scrub(&mut self, running: &Running, now: Timestamp) -> Result<(), ForgetFault> {
        if self.failed.is_some_and(|failed| now < failed.plus_millis(SCRUB_AGAIN_MILLIS)) {
            return Ok(());
        }
        if self.scrub || running.store.is_scrub_due().await? {
            self.failed = Some(now);
            running.store.scrub().await?;
            self.scrub = false;
            self.failed = None;
        }
        Ok(())
    }
}

/// Enters that terms are over, if any can be and no other instance has today.
async fn begin(running: &Running, now: Timestamp) -> Result<Option<Terms>, ForgetFault> {
    let terms = running.settings.retention.terms(now);
    let newest =
        terms.entries.iter().map(|term| term.before).chain([terms.consents, terms.request_ids]).max();
    let first = running.store.entries(0, 1).await?.pop();
    let begun = first.and_then(|first| Leaf::parse(&first.leaf).ok()).map(|leaf| leaf.time);
    // In a log that is younger than every term nothing is over.
    if begun.is_none() || begun >= newest {
        return Ok(None);
    }
    let claim = sha256(&[b"sluis/v1/retention\0", now.day().to_string().as_bytes()]);
    let work = Work::Once { entry: running.settings.retention.entry(now), claim };
    match running.log.commit(work).await {
        Ok(_) => Ok(Some(terms)),
        Err(CommitFault::AlreadyDone) => Ok(None),
        Err(fault) => Err(fault.into()),
    }
}

pub(super) async fn run(running: Arc<Running>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        let went_on = running.forgetting.lock().await.go_on(&running, &stopped).await;
        if let Err(fault) = went_on {
            tracing::error!(%fault, "what has a term that is over could not be forgotten; it is tried again");
        }
    }
}
