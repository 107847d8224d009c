//! Looking at the files again: certificates and revocation lists, participants, agreements, policies. A change is in the
//! log before it decides anything, and a file that does not load leaves the old state in force.

use std::sync::{Arc, atomic::Ordering};

use serde_json::json;
use tokio::sync::watch;

use super::{Running, StartFault, load_rules, policies};
use crate::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        writer::{Work, Writer},
    },
    domain::Day,
    note::VerifierKey,
    rules::Rules,
    storage::Store,
};

/// Enters into the log what decides from now on.
pub(super) async fn announce(
    store: &dyn Store,
    keys: &[VerifierKey],
    log: &Writer,
    rules: &Rules,
    today: Day,
) -> Result<(), StartFault> {
    let participants = json!({ "hash": rules.register.hash() });
    log.commit(Work::Append(NewEntry::of_gateway(Kind::Participants, participants))).await?;
    policies::enter(store, keys, log, &rules.policies).await?;
    for (rule, days) in rules.policies.reviews_due(today) {
        tracing::warn!(rule, days, "a rule must be reviewed soon, or it permits nothing any more (R19)");
    }
    Ok(())
}

pub(super) async fn reload(running: &Running) -> Result<(), StartFault> {
    running.trust.reload()?;
    // Compared with what the channels have, not with before this reload: an earlier one may have failed half-way.
    let generation = running.trust.generation();
    let today = running.clock.now().day();
    let new = load_rules(&running.settings, &running.trust, today)?;
    let old = running.rules.load_full();
    let decides =
        |rules: &Rules| (rules.register.hash().to_owned(), rules.policies.manifest().note().to_owned());
    let same = decides(&old) == decides(&new);
    if same && running.channels.load(Ordering::SeqCst) == generation {
        return Ok(());
    }
    // Held until the new rules are in force, so that no look in between goes by the old ones.
    let mut agreements = running.agreements.lock().await;
    if !same {
        announce(running.store.as_ref(), &running.log_keys, &running.log, &new, today).await?;
        agreements.announce(&new.register, today).await?;
        tracing::info!("participants, agreements or policies were reloaded");
    }
    // New certificates need new connections to the sources.
    running.rules.store(Arc::new(new));
    drop(agreements);
    running.channels.store(generation, Ordering::SeqCst);
    Ok(())
}

/// Looks again at every interval, and at once on SIGHUP.
pub(super) async fn run(running: Arc<Running>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(running.settings.reload_every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    tick.tick().await;
    #[cfg(unix)]
    let mut hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()).ok();
    loop {
        #[cfg(unix)]
        let asked = async {
            match &mut hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        #[cfg(not(unix))]
        let asked = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = tick.tick() => {}
            _ = asked => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        if let Err(fault) = reload(&running).await {
            tracing::error!(%fault, "a reload failed; the old state stays in force");
        }
    }
}
