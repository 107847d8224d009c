//! What this instance knows of the log, and how it follows what other instances append. It goes on only from a log that
//! begins with what it has published itself: anything else is a database that was restored, exchanged or rewritten.

use super::{OpenLogFault, Parts};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        lookup,
        tiles::TileStack,
        tree::{Frontier, leaf_hash, verify_consistency},
    },
    storage::{Head, Seen, Store, StoreFault},
};

/// Most entries of others that are taken over with the head in the hands. Of more, the bulk is read before.
pub(super) const FOLLOW: u32 = 4096;

/// A head that was checked, and what is derived from the log up to it.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) head: Head,
    pub(super) frontier: Frontier,
    pub(super) tiles: TileStack,
}

/// Whether this instance is level with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is.
    Level,
    /// Others have appended too much to take over now.
    Behind,
}

fn rewritten(what: &str) -> StoreFault {
    StoreFault::Fatal(format!("the log is not as this gateway left it: {what}"))
}

/// The frontier of a stored head: signed by this gateway's key under its name, and written with its keys.
pub(super) fn checked(parts: &Parts, origin: &str, head: &Head) -> Result<Frontier, OpenLogFault> {
    if head.origin != origin {
        return Err(OpenLogFault::OtherOrigin(head.origin.clone()));
    }
    let trusted = std::slice::from_ref(parts.signer.verifier());
    let (checkpoint, _) = Checkpoint::open(&head.checkpoint, trusted)
        .map_err(|_| OpenLogFault::Head("its checkpoint is not one signed by this gateway's key"))?;
    if head.keys.is_some_and(|keys| keys != parts.keys.fingerprint()) {
        return Err(OpenLogFault::OtherKeys);
    }
    let frontier =
        Frontier::decode(&head.frontier).map_err(|_| OpenLogFault::Head("its frontier does not read"))?;
    if (checkpoint.origin.as_str(), checkpoint.size, checkpoint.root)
        != (origin, frontier.size(), frontier.root())
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
            let proof = lookup::consistency(store, before.frontier.size(), head.size).await?;
            let (old, new) = (&before.frontier, &frontier);
            verify_consistency(old.size(), new.size(), &old.root(), &new.root(), &proof)
                .map_err(|_| rewritten("it does not begin with what was published"))?;
        }
        let tiles = resume(store, head.size).await?;
        Ok(Some(Self { head, frontier, tiles }))
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
        (Some(head), Some(known)) if *head == known.head => return Ok(Standing::Level),
        (Some(head), _) => head,
    };
    if !parts.store.is_shared() {
        return Err(rewritten("only this gateway writes it, and it has changed"));
    }
    let (mut frontier, mut tiles) = published.as_ref().map_or_else(
        || (Frontier::empty(), TileStack::default()),
        |known| (known.frontier.clone(), known.tiles.clone()),
    );
    let fresh = head.size.checked_sub(frontier.size()).filter(|fresh| *fresh > 0);
    let fresh = fresh.ok_or_else(|| rewritten("it is not longer than before, and has changed"))?;
    if fresh > u64::from(FOLLOW) {
        return Ok(Standing::Behind);
    }
    if seen.leaves.len() as u64 != fresh {
        return Err(StoreFault::Corrupt("the log has other entries than its head says"));
    }
    for leaf in &seen.leaves {
        let hash = leaf_hash(leaf);
        frontier.append(hash);
        // Finished tiles were stored by whoever finished them.
        tiles.push(hash);
    }
    let signed = checked(parts, origin, head).map_err(|fault| rewritten(&fault.to_string()))?;
    if signed != frontier {
        return Err(rewritten("it does not begin with what was published"));
    }
    *published = Some(Published { head: head.clone(), frontier, tiles });
    Ok(Standing::Level)
}

/// The unfinished tiles of a stored log.
async fn resume(store: &dyn Store, size: u64) -> Result<TileStack, StoreFault> {
    let (mut levels, mut complete) = (Vec::new(), size);
    for level in 0_u8.. {
        if complete == 0 {
            break;
        }
        let (finished, partial) = (complete / 256, complete % 256);
        let hashes =
            if partial == 0 { Vec::new() } else { lookup::tile(store, size, level, finished).await? };
        if hashes.len() as u64 != partial {
            return Err(StoreFault::Corrupt("the log has fewer entries than its head says"));
        }
        levels.push(hashes);
        complete = finished;
    }
    Ok(TileStack::resume(size, levels))
}
