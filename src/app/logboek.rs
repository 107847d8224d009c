//! Sends the log as *Logboek Dataverwerkingen*: reads it in its order, sends what it read, and moves a stored cursor only
//! once the other side has acknowledged all of it. Nothing is sampled and nothing passed over. What may have arrived before
//! is sent again, with the same ids. An exchange never waits for any of this.

mod sending;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use self::sending::{SendFault, Sending};
use super::Running;
use crate::{
    audit::{
        export::read::ReadEntry,
        leaf::{Leaf, commit_facts},
        records::{Reader, Record},
    },
    config::LogboekSettings,
    domain::random,
    storage::{LogboekTurn, StoreFault, StoredEntry},
};

/// Entries that go in one call at most.
const MOST: u32 = 256;
/// How long to wait at most before the next attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What stands in the way. None of these carries anything of an entry.
#[derive(Debug, thiserror::Error)]
enum Fault {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The other side.
    #[error(transparent)]
    Send(#[from] SendFault),
    /// An entry of a kind that this version does not know: a newer instance can send it.
    #[error("entry {0} is of a kind that this version does not know")]
    UnknownEntry(u64),
}

/// What a round came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Round {
    /// Something was sent, and there may be more.
    More,
    /// There is nothing to send.
    Idle,
    /// Another instance sends.
    Elsewhere,
}

struct Sender<'a> {
    running: &'a Running,
    settings: &'a LogboekSettings,
    origin: &'a str,
    sending: Sending<'a>,
    reader: Reader,
    turn: Option<Box<dyn LogboekTurn + 'a>>,
    /// Entries of the next call: fewer after a part was not taken, so that one that is never taken holds up itself alone.
    most: u32,
    failures: u32,
    alarmed: Option<Instant>,
}

/// A stored entry as an export would give it. Facts that are not what the leaf commits to are left out.
fn opened(entry: StoredEntry) -> Result<ReadEntry, Fault> {
    let leaf = Leaf::parse(&entry.leaf).map_err(|_| Fault::UnknownEntry(entry.position))?;
    let facts = entry.facts.filter(|facts| commit_facts(&facts.salt, &facts.json) == leaf.facts);
    let facts = facts.and_then(|facts| String::from_utf8(facts.json).ok());
    // The detail stays here: it says more than the logboek has to know.
    Ok(ReadEntry { position: entry.position, leaf, facts, detail: None })
}

impl Sender<'_> {
    async fn records(&mut self, entries: Vec<StoredEntry>) -> Result<Vec<Record>, Fault> {
        let mut records = Vec::new();
        for entry in entries {
            let entry = opened(entry)?;
            if self.reader.lacks_request_of(&entry.leaf)
                && let Some(request) = self.running.store.request_of(entry.leaf.pair).await?
            {
                self.reader.take(&opened(request)?);
            }
            records.extend(self.reader.take(&entry));
        }
        Ok(records)
    }

    async fn round(&mut self) -> Result<Round, Fault> {
        let store = self.running.store.as_ref();
        if self.turn.is_none() {
            self.turn = store.logboek_turn().await?;
        }
        if self.turn.is_none() {
            return Ok(Round::Elsewhere);
        }
        // Read once the turn is ours: until then another instance may move it.
        let from = store.logboek().await?;
        let size = store.head().await?.map_or(0, |head| head.end());
        let waiting = u32::try_from(size.saturating_sub(from)).unwrap_or(u32::MAX);
        if waiting == 0 {
            return Ok(Round::Idle);
        }
        let entries = store.entries(from, waiting.min(self.most)).await?;
        let Some(to) = entries.last().map(|entry| entry.position + 1) else {
            return Err(StoreFault::Corrupt("the log has fewer entries than its head says").into());
        };
        let records = self.records(entries).await?;
        if !records.is_empty() {
            self.sending.send(self.origin, &records, &self.settings.register).await?;
        }
        if let Some(turn) = &mut self.turn {
            turn.acknowledged(from, to).await?;
        }
        self.most = (self.most * 2).min(MOST);
        Ok(Round::More)
    }

    /// How long to wait after a failure: twice as long each time, and up to a quarter more by chance, so that many gateways
    /// do not come back to one logboek at once.
    fn wait(&mut self) -> Duration {
        let doubled = self.settings.look_every.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let wait = doubled.min(LONGEST_WAIT);
        let chance = random::bytes::<1>().map_or(0, |[byte]| u32::from(byte));
        wait + wait.saturating_mul(chance) / 1024
    }

    fn failed(&mut self, fault: &Fault) -> Duration {
        match fault {
            Fault::Store(_) | Fault::UnknownEntry(_) => self.turn = None,
            Fault::Send(SendFault::Rejected(_)) => self.most = (self.most / 2).max(1),
            Fault::Send(_) => self.sending.hang_up(),
        }
        tracing::warn!(%fault, "the log could not be sent to the logboek; it is tried again");
        self.wait()
    }

    /// Raises an alarm while the oldest entry that was not acknowledged is too old.
    async fn watch(&mut self) -> Result<(), StoreFault> {
        let store = self.running.store.as_ref();
        let from = store.logboek().await?;
        let size = store.head().await?.map_or(0, |head| head.end());
        let oldest = if from < size { store.entries(from, 1).await?.into_iter().next() } else { None };
        let Some(leaf) = oldest.and_then(|entry| Leaf::parse(&entry.leaf).ok()) else {
            self.alarmed = None;
            return Ok(());
        };
        let age = self.running.clock.now().millis().saturating_sub(leaf.time.millis());
        let age = Duration::from_millis(u64::try_from(age).unwrap_or_default());
        let again = self.alarmed.is_none_or(|before| before.elapsed() >= LONGEST_WAIT);
        if age > self.settings.alarm_after && again {
            self.alarmed = Some(Instant::now());
            tracing::error!(
                entries = size - from,
                oldest_s = age.as_secs(),
                "the logboek is behind: entries were not acknowledged in time"
            );
        }
        Ok(())
    }
}

pub(super) async fn run(
    running: Arc<Running>,
    settings: LogboekSettings,
    origin: String,
    mut stopped: watch::Receiver<bool>,
) {
    let mut sender = Sender {
        running: &running,
        settings: &settings,
        origin: &origin,
        sending: Sending::new(&settings.address, &running.trust),
        reader: Reader::new(&origin),
        turn: None,
        most: MOST,
        failures: 0,
        alarmed: None,
    };
    loop {
        // A call that is cut off here is sent again after the next start.
        let round = tokio::select! {
            round = sender.round() => round,
            _ = stopped.wait_for(|stop| *stop) => return,
        };
        let wait = match &round {
            Ok(Round::More) => Duration::ZERO,
            Ok(Round::Idle) => settings.look_every,
            // To ask for the turn takes a session of the database each time.
            Ok(Round::Elsewhere) => settings.look_every.saturating_mul(10),
            Err(fault) => sender.failed(fault),
        };
        if round.is_ok() {
            sender.failures = 0;
        }
        if !matches!(round, Ok(Round::More)) && sender.watch().await.is_err() {
            tracing::warn!("it cannot be seen how far the logboek is");
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}
