//! One batch: look, decide, sign and write in one transaction that holds the log's head.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use super::{
    CommitFault, Committed, OpenLogFault, Parts, Work,
    clients::{self, no_random},
    decide::{self, Verdict},
    published::{FOLLOW, Published, Standing, follow},
    row::row,
};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        leaf::Kind,
        tiles::{Layer, TileStack, encode_tile},
        tree::{Extension, Frontier, Hash, leaf_hash},
    },
    domain::{Timestamp, random},
    storage::{Head, Look, ShardPlace, StoreFault, TileRow, TransactionName, Writes},
};

/// How far the log may be ahead of the clock before nothing is written: more is a clock that was set back.
const MAX_SKEW_MILLIS: i64 = 10_000;
/// How often keys are looked through for expired ones.
const FORGET_EVERY_MILLIS: i64 = 3_600_000;

/// Every work is either accepted or has a fault; this stands for neither.
const LOST: CommitFault = CommitFault::Unavailable("the entry was lost");
/// Not a fault of the database, and nobody is to look for one there.
const BEHIND: CommitFault = CommitFault::Unavailable("the clock is behind the log");

type Results = Vec<Result<Committed, CommitFault>>;

/// The log between two batches.
#[derive(Debug)]
pub(super) struct State {
    parts: Parts,
    origin: String,
    published: Option<Published>,
    forgot: Option<Timestamp>,
    closed: Arc<AtomicBool>,
}

impl State {
    /// Opens the log: what is stored must hold together and be signed by this gateway.
    pub(super) async fn open(parts: Parts, origin: String) -> Result<Self, OpenLogFault> {
        let published = Published::read(&parts, &origin, None).await?;
        let state = Self { parts, origin, published, forgot: None, closed: Arc::default() };
        state.tell();
        Ok(state)
    }

    /// What tells whether anything can still be written to this shard.
    pub(super) fn closed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.closed)
    }

    fn tell(&self) {
        if self.published.as_ref().is_some_and(|published| published.sealed) {
            self.closed.store(true, Ordering::SeqCst);
        }
    }

    /// Commits a batch. An error means that none of its works may be answered as done; otherwise each has its own result.
    pub(super) async fn commit(&mut self, works: &[Work]) -> Result<Results, StoreFault> {
        let store = Arc::clone(&self.parts.store);
        let mut tries = store.transactions().trying(TransactionName::Batch);
        loop {
            let result = self.attempt(works).await;
            if let Some(result) = tries.made(result).await {
                return result;
            }
        }
    }

    async fn attempt(&mut self, works: &[Work]) -> Result<Results, StoreFault> {
        let store = Arc::clone(&self.parts.store);
        let mut look = Look {
            after: self.end(),
            limit: FOLLOW.saturating_add(1),
            ..decide::wanted(works, &self.parts.keys.index)
        };
        clients::wanted(works, &mut look);
        let clock = self.parts.clock.now();
        let due = self.forgot.is_none_or(|forgot| clock.millis() >= forgot.millis() + FORGET_EVERY_MILLIS);
        look.forget = due.then_some(clock);
        let (seen, mut commit) = store.begin(&look).await?;
        let standing = follow(&self.parts, &self.origin, &mut self.published, &seen)?;
        self.tell();
        match standing {
            Standing::Level => {}
            Standing::Behind => {
                commit.abandon().await;
                return self.catch_up().await;
            }
            Standing::Closed => {
                // Nothing follows a seal, and nobody writes two shards.
                commit.abandon().await;
                self.closed.store(true, Ordering::SeqCst);
                return Ok(works.iter().map(|_| Err(CommitFault::Closed)).collect());
            }
        }
        let newest = seen.head.as_ref().map_or(clock, |head| head.time);
        if newest.millis() > clock.millis() + MAX_SKEW_MILLIS {
            tracing::error!("the clock is behind the log; nothing is written until it has caught up");
            commit.abandon().await;
            return Ok(works.iter().map(|_| Err(BEHIND)).collect());
        }
        let now = clock.max(newest);
        let (place, end) = (self.place(), self.end());
        let (keys, key_rows) = clients::keys(works, &seen, &self.parts.keys.master, now)?;
        let found = match decide::erased(works, &seen) {
            Some(subject) => Some((subject, commit.traces(subject).await?)),
            None => None,
        };
        let open = match works {
            [Work::Seal(_)] => !commit.open(1).await?.is_empty(),
            _ => false,
        };
        let context = decide::Context { keys: &keys, index: &self.parts.keys.index, found, open, end, now };
        let mut verdict = decide::decide(works, seen, context)?;
        if verdict.accepted.is_empty() {
            // Nothing to write; what the transaction touched rolls back.
            commit.abandon().await;
            let faults = &mut verdict.faults;
            return Ok((0..works.len()).map(|work| Err(faults.remove(&work).unwrap_or(LOST))).collect());
        }

        let Verdict {
            accepted,
            mut faults,
            claims,
            opened,
            closed,
            forms,
            events,
            stops,
            source_pauses,
            disclosures,
            reconfirmed,
            acknowledged,
            once,
            erased,
        } = verdict;
        let mut entries = Vec::with_capacity(accepted.len());
        let mut entry_keys = Vec::with_capacity(accepted.len());
        for (accepted, position) in accepted.iter().zip(end..) {
            let (row, key) = row(&accepted.entry, position, now, &keys)?;
            entries.push(row);
            entry_keys.push(key);
        }
        let hashes: Vec<Hash> = entries.iter().map(|row| leaf_hash(&row.leaf)).collect();
        let (frontier, mut stack) = self.published.as_ref().map_or_else(
            || (Frontier::empty(), TileStack::default()),
            |published| (published.frontier.clone(), published.tiles.clone()),
        );
        let tiles = finished(place.number, &mut stack, &hashes);
        let sealed = entries.last().is_some_and(|row| row.kind == Kind::Seal.as_str());
        let extension = Extension::new(&frontier, &hashes);
        let frontier = extension.frontier().clone();
        let head = self.head(&frontier, now)?;
        let writes = Writes {
            time: now,
            keys: key_rows,
            claims,
            opened,
            closed,
            forms,
            events,
            stops,
            source_pauses,
            disclosures,
            reconfirmed,
            acknowledged,
            once,
            erased,
            entries,
            tiles,
            closes: None,
            head,
        };
        let committed = commit.commit(&writes).await;
        let Writes { entries, head, .. } = writes;
        match committed {
            Ok(()) => {}
            Err(StoreFault::Lost) => {
                let first = entries.first().map(|entry| entry.leaf.as_slice());
                if !self.landed(end, first.unwrap_or_default()).await? {
                    return Err(StoreFault::Again("a commit was lost, and is not there"));
                }
            }
            Err(fault) => return Err(fault),
        }

        if due {
            self.forgot = Some(clock);
        }
        let (at, checkpoint) = (Instant::now(), Arc::<str>::from(head.checkpoint.as_str()));
        self.published = Some(Published { head, frontier, tiles: stack, sealed });
        self.tell();
        let mut committed: HashMap<usize, Committed> = accepted
            .iter()
            .zip(entries)
            .zip(entry_keys)
            .map(|((accepted, row), entry_key)| {
                let index = row.position.saturating_sub(place.first);
                let hashes = extension.inclusion(index).unwrap_or_default();
                let done = Committed {
                    position: row.position,
                    index,
                    at,
                    id_was_new: accepted.id_was_new,
                    leaf: row.leaf,
                    facts: row.facts,
                    entry_key,
                    sealed: row.sealed,
                    hashes,
                    checkpoint: Arc::clone(&checkpoint),
                };
                (accepted.work, done)
            })
            .collect();
        Ok((0..works.len())
            .map(|work| committed.remove(&work).ok_or_else(|| faults.remove(&work).unwrap_or(LOST)))
            .collect())
    }

    fn place(&self) -> ShardPlace {
        self.published.as_ref().map(|published| published.head.place).unwrap_or_default()
    }

    /// Position of the next entry.
    fn end(&self) -> u64 {
        self.published.as_ref().map_or(0, |published| published.head.end())
    }

    /// The signed head of a log with this frontier.
    fn head(&self, frontier: &Frontier, now: Timestamp) -> Result<Head, StoreFault> {
        let checkpoint =
            Checkpoint { origin: self.origin.clone(), size: frontier.size(), root: frontier.root() };
        let note = checkpoint
            .sign(&self.parts.signer)
            .map_err(|_| StoreFault::Corrupt("the checkpoint could not be signed"))?;
        let place = self.place();
        Ok(Head {
            origin: self.origin.clone(),
            place,
            size: frontier.size(),
            time: now,
            frontier: frontier.encode(),
            checkpoint: note,
            batch: random::bytes().map_err(no_random)?,
            keys: self.parts.keys.fingerprint(place.number),
        })
    }

    /// Takes over what others have appended, without the head in the hands; then the batch is tried again.
    async fn catch_up(&mut self) -> Result<Results, StoreFault> {
        // If the log goes on in another shard by now, the next look finds that.
        let read = Published::read(&self.parts, &self.origin, self.published.as_ref()).await;
        self.published = read.map_err(|fault| match fault {
            OpenLogFault::Store(fault) => fault,
            other => StoreFault::Fatal(other.to_string()),
        })?;
        Err(StoreFault::Again("others have appended much"))
    }

    /// Whether a batch whose commit was lost is in the log: whether its first leaf, which nothing else can equal, stands
    /// in its place. Beginning the next commit waits for the end of the lost one, so what is seen then is final.
    async fn landed(&self, position: u64, first: &[u8]) -> Result<bool, StoreFault> {
        let store = self.parts.store.as_ref();
        let mut tries = store.transactions().trying(TransactionName::Settle);
        loop {
            let looked = async {
                let look = Look { after: position, limit: 1, ..Look::default() };
                let (seen, commit) = store.begin(&look).await?;
                let there = seen.leaves.first().is_some_and(|leaf| leaf == first);
                if there {
                    commit.confirm().await?;
                } else {
                    commit.abandon().await;
                }
                Ok(there)
            };
            if let Some(result) = tries.made(looked.await).await {
                // Nobody is told that it is there, and nobody that it is not.
                return result.map_err(|_| StoreFault::Lost);
            }
        }
    }
}

/// The tiles of this shard that these leaves finish.
pub(super) fn finished(shard: u64, stack: &mut TileStack, leaves: &[Hash]) -> Vec<TileRow> {
    leaves
        .iter()
        .flat_map(|hash| stack.push(*hash))
        .filter_map(|(path, hashes)| match path.layer {
            Layer::Hashes(level) => {
                Some(TileRow { shard, level, number: path.index, hashes: encode_tile(&hashes) })
            }
            Layer::Entries => None,
        })
        .collect()
}
