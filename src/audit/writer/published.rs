//! What this instance knows of the log, and how it follows what other instances append. It goes on only from a log that
//! begins with what it has published itself: anything else is a database that was restored, exchanged or rewritten.

use super::{OpenLogFault, Parts};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        leaf::{Kind, Leaf},
        lookup,
        tiles::TileStack,
        tree::{Frontier, leaf_hash, verify_consistency},
    },
    note::VerifierKey,
    storage::{Head, Seen, ShardPlace, Store, StoreFault},
    subject::KeyRing,
};

/// Most entries of others that are taken over with the head in the hands. Of more, the bulk is read before.
pub(super) const FOLLOW: u32 = 4096;

/// A head that was checked, and what is derived from the log up to it.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) head: Head,
    pub(super) frontier: Frontier,
    pub(super) tiles: TileStack,
    /// Whether its last entry is a seal, which nothing follows.
    pub(super) sealed: bool,
}

/// Whether this instance is level with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is.
    Level,
    /// Others have appended too much to take over now.
    Behind,
    /// The shard is sealed, or the log goes on in another one.
    Closed,
}

fn rewritten(what: &str) -> StoreFault {
    StoreFault::Fatal(format!("the log is not as this gateway left it: {what}"))
}

/// The frontier of a stored head: signed by this gateway's key under its name, and written with its keys.
pub(super) fn checked(parts: &Parts, origin: &str, head: &Head) -> Result<Frontier, OpenLogFault> {
    if head.origin != origin {
        return Err(OpenLogFault::OtherOrigin(head.origin.clone()));
    }
    frontier(&parts.keys, parts.signer.verifier(), head)
}

/// Whether a stored head holds together: signed with this key, which bears its name, and written with these keys.
///
/// # Errors
/// What does not fit.
pub fn check_head(keys: &KeyRing, verifier: &VerifierKey, head: &Head) -> Result<(), OpenLogFault> {
    frontier(keys, verifier, head).map(|_| ())
}

fn frontier(keys: &KeyRing, verifier: &VerifierKey, head: &Head) -> Result<Frontier, OpenLogFault> {
    let trusted = std::slice::from_ref(verifier);
    let (checkpoint, _) = Checkpoint::open(&head.checkpoint, trusted)
        .map_err(|_| OpenLogFault::Head("its checkpoint is not one signed by this gateway's key"))?;
    let own = keys.fingerprint(head.place.number);
    if head.keys.is_some_and(|keys| Some(keys) != own) {
        return Err(OpenLogFault::OtherKeys);
    }
    let frontier =
        Frontier::decode(&head.frontier).map_err(|_| OpenLogFault::Head("its frontier does not read"))?;
    if (checkpoint.origin.as_str(), checkpoint.size, checkpoint.root)
        != (head.origin.as_str(), frontier.size(), frontier.root())
        || head.size != frontier.size()
    {
        return Err(OpenLogFault::Head("its checkpoint and its frontier differ"));
    }
    Ok(frontier)
}

impl Published {
    /// Reads the log as it stands. What was published before must be its beginning.
    pub(super) async fn read(
        parts: &Parts,
        origin: &str,
        before: Option<&Self>,
    ) -> Result<Option<Self>, OpenLogFault> {
        let store = parts.store.as_ref();
        let Some(head) = store.head().await? else { return Ok(None) };
        let frontier = checked(parts, origin, &head)?;
        if let Some(before) = before {
            if head.place != before.head.place {
                return Ok(Some(before.clone()));
            }
            let proof = lookup::consistency_in(store, head.place, before.frontier.size(), head.size).await?;
            let (old, new) = (&before.frontier, &frontier);
            verify_consistency(old.size(), new.size(), &old.root(), &new.root(), &proof)
                .map_err(|_| rewritten("it does not begin with what was published"))?;
        }
        let tiles = resume(store, head.place, head.size).await?;
        let last = match head.size {
            0 => None,
            _ => store.entries(head.end() - 1, 1).await?.pop(),
        };
        let sealed = last.is_some_and(|entry| is_seal(&entry.leaf));
        Ok(Some(Self { head, frontier, tiles, sealed }))
    }
}

/// Brings what is known to what was seen under the head.
pub(super) fn follow(
    parts: &Parts,
    origin: &str,
    published: &mut Option<Published>,
    seen: &Seen,
) -> Result<Standing, StoreFault> {
    let head = match (&seen.head, published.as_ref()) {
        (None, None) => return Ok(Standing::Level),
        (None, Some(_)) => return Err(rewritten("it is gone")),
        (Some(head), Some(known)) if *head == known.head => {
            return Ok(if known.sealed { Standing::Closed } else { Standing::Level });
        }
        (Some(head), Some(known)) if head.place.number > known.head.place.number => {
            return Ok(Standing::Closed);
        }
        (Some(head), None) if head.place.number > 0 => return Ok(Standing::Closed),
        (Some(head), _) => head,
    };
    if !parts.store.is_shared() {
        return Err(rewritten("only this gateway writes it, and it has changed"));
    }
    let (mut frontier, mut tiles) = published.as_ref().map_or_else(
        || (Frontier::empty(), TileStack::default()),
        |known| (known.frontier.clone(), known.tiles.clone()),
    );
    if published.as_ref().map(|known| known.head.place).unwrap_or_default() != head.place {
        return Err(rewritten("it goes on in an earlier shard"));
    }
    let fresh = head.size.checked_sub(frontier.size()).filter(|fresh| *fresh > 0);
    let fresh = fresh.ok_or_else(|| rewritten("it is not longer than before, and has changed"))?;
    if fresh > u64::from(FOLLOW) {
        return Ok(Standing::Behind);
    }
    if seen.leaves.len() as u64 != fresh {
        return Err(StoreFault::Corrupt("the log has other entries than its head says"));
    }
    let mut sealed = published.as_ref().is_some_and(|known| known.sealed);
    for leaf in &seen.leaves {
        if sealed {
            return Err(rewritten("something follows its seal"));
        }
        sealed = is_seal(leaf);
        let hash = leaf_hash(leaf);
        frontier.append(hash);
        // Finished tiles were stored by whoever finished them.
        tiles.push(hash);
    }
    let signed = checked(parts, origin, head).map_err(|fault| rewritten(&fault.to_string()))?;
    if signed != frontier {
        return Err(rewritten("it does not begin with what was published"));
    }
    *published = Some(Published { head: head.clone(), frontier, tiles, sealed });
    Ok(if sealed { Standing::Closed } else { Standing::Level })
}

fn is_seal(leaf: &[u8]) -> bool {
    Leaf::parse(leaf).is_ok_and(|leaf| leaf.kind == Kind::Seal)
}

/// The unfinished tiles of a stored log.
async fn resume(store: &dyn Store, place: ShardPlace, size: u64) -> Result<TileStack, StoreFault> {
    let (mut levels, mut complete) = (Vec::new(), size);
    for level in 0_u8.. {
        if complete == 0 {
            break;
        }
        let (finished, partial) = (complete / 256, complete % 256);
        let hashes =
            if partial == 0 { Vec::new() } else { lookup::tile(store, place, size, level, finished).await? };
        if hashes.len() as u64 != partial {
            return Err(StoreFault::Corrupt("the log has fewer entries than its head says"));
        }
        levels.push(hashes);
        complete = finished;
    }
    Ok(TileStack::resume(size, levels))
}
