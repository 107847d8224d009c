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
        export::{read::ReadEntry, stored::Extent},
        leaf::{Leaf, commit_facts},
        records::{Reader, Record},
    },
    config::LogboekSettings,
    domain::random,
    storage::{LogboekTurn, Store, StoreFault, StoredEntry},
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

/// The turn to send, and what was read in it. The two end together: what another instance sends meanwhile is not read here,
/// and a request that was kept would wait for its outcome for ever.
struct Turn<'a> {
    held: Box<dyn LogboekTurn + 'a>,
    reader: Option<Reader>,
}

struct Sender<'a> {
    running: &'a Running,
    settings: &'a LogboekSettings,
    sending: Sending<'a>,
    turn: Option<Turn<'a>>,
    /// Entries of the next call: fewer after a part was not taken, so that one that is never taken holds up itself alone.
    most: u32,
    failures: u32,
    watched: Option<Instant>,
    alarmed: Option<Instant>,
}

/// The shard of the entry at this position; `None` if there is no such entry yet.
async fn shard_at(store: &dyn Store, position: u64) -> Result<Option<Extent>, StoreFault> {
    let Some(head) = store.head().await? else { return Ok(None) };
    if position >= head.end() {
        return Ok(None);
    }
    if position >= head.place.first {
        return Ok(Some(head.into()));
    }
    let closed = store.shard_of(position).await?;
    closed.map(|shard| Some(shard.into())).ok_or(StoreFault::Corrupt("an entry is in no shard"))
}

/// An entry of this shard as an export would give it. Facts that are not what the leaf commits to are read as an empty text,
/// which no facts are, so that the record says that the entry cannot be read. Only facts whose term is over are left out.
fn opened(shard: &Extent, entry: StoredEntry) -> Result<ReadEntry, Fault> {
    let leaf = Leaf::parse(&entry.leaf).map_err(|_| Fault::UnknownEntry(entry.position))?;
    let facts = entry.facts.map(|facts| {
        let fits = commit_facts(&facts.salt, &facts.json) == leaf.facts;
        if fits { String::from_utf8(facts.json).unwrap_or_default() } else { String::new() }
    });
    let position = entry.position.saturating_sub(shard.place.first);
    // The detail stays here: it says more than the logboek has to know.
    Ok(ReadEntry { position, leaf, facts, detail: None })
}

impl Turn<'_> {
    /// The records of these entries of a shard. What is forgotten has none.
    async fn records(
        &mut self,
        store: &dyn Store,
        shard: &Extent,
        entries: Vec<StoredEntry>,
    ) -> Result<Vec<Record>, Fault> {
        let begun = self.reader.take().filter(|reader| reader.origin() == shard.origin);
        let reader = self.reader.insert(begun.unwrap_or_else(|| Reader::new(&shard.origin)));
        let mut records = Vec::new();
        for entry in entries {
            let entry = opened(shard, entry)?;
            if reader.lacks_request_of(&entry.leaf)
                && let Some(request) = store.request_of(entry.leaf.pair).await?
            {
                reader.take(&opened(shard, request)?);
            }
            records.extend(reader.take(&entry).filter(|_| entry.facts.is_some()));
        }
        Ok(records)
    }
}

impl Sender<'_> {
    async fn round(&mut self) -> Result<Round, Fault> {
        let store = self.running.store.as_ref();
        if self.turn.is_none() {
            self.turn = store.logboek_turn().await?.map(|held| Turn { held, reader: None });
        }
        let Some(turn) = &mut self.turn else { return Ok(Round::Elsewhere) };
        // Read once the turn is ours: until then another instance may move it.
        let from = store.logboek().await?;
        let Some(shard) = shard_at(store, from).await? else { return Ok(Round::Idle) };
        // A call names one shard, so it ends where that ends.
        let end = shard.place.first.saturating_add(shard.size);
        let limit = u32::try_from(end.saturating_sub(from)).unwrap_or(u32::MAX).min(self.most);
        let mut entries = store.entries(from, limit).await?;
        entries.retain(|entry| entry.position < end);
        let Some(to) = entries.last().map(|entry| entry.position + 1) else {
            return Err(StoreFault::Corrupt("the log has fewer entries than its head says").into());
        };
        let records = turn.records(store, &shard, entries).await?;
        if !records.is_empty() {
            self.sending.send(&shard.origin, &records, &self.settings.register).await?;
        }
        turn.held.acknowledged(from, to).await?;
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

    /// Raises an alarm while the oldest entry that was not acknowledged is too old. By the time that has passed and whatever
    /// the last round came to: a logboek that takes less than there comes is never done, and falls behind all the same.
    async fn watch(&mut self) -> Result<(), StoreFault> {
        if self.watched.is_some_and(|before| before.elapsed() < self.settings.look_every) {
            return Ok(());
        }
        self.watched = Some(Instant::now());
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
    mut stopped: watch::Receiver<bool>,
) {
    let mut sender = Sender {
        running: &running,
        settings: &settings,
        sending: Sending::new(&settings.address, &running.trust),
        turn: None,
        most: MOST,
        failures: 0,
        watched: None,
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
        if sender.watch().await.is_err() {
            tracing::warn!("it cannot be seen how far the logboek is");
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
    }
}
