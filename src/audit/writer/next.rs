//! The first entries of the next shard, and the end of the one before: one transaction, so that at every moment there is one
//! shard that is written to.

use serde_json::json;

use super::{
    batch::finished,
    clients::{Keys, no_random},
    row::row,
};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        entry::NewEntry,
        tiles::TileStack,
        tree::{Frontier, leaf_hash},
    },
    domain::{Clock, random},
    note::NoteSigner,
    storage::{Head, Look, Shard, ShardPlace, Store, StoreFault, TransactionName, Writes},
    subject::KeyRing,
};

/// The shard that a log goes on in.
#[derive(Debug)]
pub struct Next<'a> {
    /// The log as it was looked at. If it has changed since, nothing is done.
    pub from: &'a Head,
    /// The public key of that shard.
    pub key: String,
    /// Number of the next shard.
    pub number: u64,
    /// Key of the next shard, which bears its name.
    pub signer: &'a NoteSigner,
    /// Its first entries, `genesis` ahead of all.
    pub entries: Vec<NewEntry>,
    /// Whether requests of the shard before may be open. They are given up then: their outcome could only stand in the wrong
    /// shard. The first entry says how many.
    pub gives_up: bool,
}

/// Opens the next shard, and gives how many requests of the one before were given up. Also where another instance has done it
/// meanwhile this is `Ok`.
///
/// # Errors
/// If the store does not answer, or holds another log than what was looked at.
pub async fn open_next(
    store: &dyn Store,
    keys: &KeyRing,
    clock: &dyn Clock,
    next: &Next<'_>,
) -> Result<usize, StoreFault> {
    let mut tries = store.transactions().trying(TransactionName::Batch);
    // Kept from one attempt to the next, for a commit that was lost and is there after all.
    let mut given_up = 0;
    loop {
        let result = match attempt(store, keys, clock, next, &mut given_up).await {
            // Whether it is there shows at the next look.
            Err(StoreFault::Lost) => Err(StoreFault::Again("a commit was lost")),
            result => result,
        };
        if let Some(result) = tries.made(result).await {
            return result.map(|()| given_up);
        }
    }
}

async fn attempt(
    store: &dyn Store,
    keys: &KeyRing,
    clock: &dyn Clock,
    next: &Next<'_>,
    given_up: &mut usize,
) -> Result<(), StoreFault> {
    let from = next.from;
    let look = Look { after: from.end(), limit: 1, ..Look::default() };
    let (seen, mut commit) = store.begin(&look).await?;
    let is_same = seen.head.as_ref() == Some(from);
    let is_done = seen.head.is_some_and(|head| head.place.number >= next.number);
    if !is_same {
        commit.abandon().await;
        return if is_done {
            Ok(())
        } else {
            Err(StoreFault::Fatal("the log has changed while its next shard was to begin".to_owned()))
        };
    }
    let open = commit.open(u32::MAX).await?;
    if !open.is_empty() && !next.gives_up {
        commit.abandon().await;
        return Err(StoreFault::Corrupt("requests are open in a sealed shard"));
    }
    *given_up = open.len();
    let writes = writes(keys, clock, next, open)?;
    commit.commit(&writes).await
}

fn writes(
    keys: &KeyRing,
    clock: &dyn Clock,
    next: &Next<'_>,
    closed: Vec<crate::domain::PairId>,
) -> Result<Writes, StoreFault> {
    let Next { from, number, signer, .. } = *next;
    let place = ShardPlace { number, first: from.end() };
    let now = clock.now().max(from.time);
    let mut entries = Vec::with_capacity(next.entries.len());
    for (entry, position) in next.entries.iter().zip(place.first..) {
        let is_genesis = position == place.first;
        let entry = if is_genesis && next.gives_up { &with_given_up(entry, closed.len()) } else { entry };
        entries.push(row(entry, position, now, &Keys::default())?.0);
    }
    let hashes: Vec<_> = entries.iter().map(|row| leaf_hash(&row.leaf)).collect();
    let (mut frontier, mut stack) = (Frontier::empty(), TileStack::default());
    hashes.iter().for_each(|hash| frontier.append(*hash));
    let tiles = finished(number, &mut stack, &hashes);
    let origin = signer.verifier().name().to_owned();
    let checkpoint = Checkpoint { origin: origin.clone(), size: frontier.size(), root: frontier.root() };
    let checkpoint =
        checkpoint.sign(signer).map_err(|_| StoreFault::Corrupt("the checkpoint could not be signed"))?;
    let head = Head {
        origin,
        place,
        size: frontier.size(),
        time: now,
        frontier: frontier.encode(),
        checkpoint,
        batch: random::bytes().map_err(no_random)?,
        keys: keys.fingerprint(number),
    };
    let closes = Shard {
        place: from.place,
        origin: from.origin.clone(),
        size: from.size,
        checkpoint: from.checkpoint.clone(),
        key: next.key.clone(),
        closed: now,
    };
    Ok(Writes { closed, entries, tiles, closes: Some(closes), ..Writes::only(head) })
}

/// The first entry, with how many requests of the shard before have no outcome: counted under the head, where they are closed.
fn with_given_up(entry: &NewEntry, count: usize) -> NewEntry {
    let mut entry = entry.clone();
    if let Some(facts) = entry.facts.as_object_mut() {
        facts.insert("given_up".to_owned(), json!(count));
    }
    entry
}
