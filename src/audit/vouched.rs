//! Whether a stored entry is what the signed log holds in its place: for those who act on what an entry says, and must not
//! be misled by whoever can write into the database and nothing more.

use super::{
    b64,
    checkpoint::Checkpoint,
    leaf::{Leaf, commit_detail, commit_facts, parse_facts},
    lookup,
};
use crate::{
    note::VerifierKey,
    storage::{Store, StoreFault, StoredEntry},
};

/// Whether facts and detail of an entry are those that its leaf commits to, and the leaf is in the tree that the newest
/// checkpoint is of (the last one, where its shard is closed), signed by one of these keys.
///
/// # Errors
/// If the store does not answer, or does not hold what its head says.
pub async fn vouched(
    store: &dyn Store,
    entry: &StoredEntry,
    keys: &[VerifierKey],
) -> Result<bool, StoreFault> {
    if !is_opened_rightly(entry) {
        return Ok(false);
    }
    let proof = lookup::proof(store, entry.position).await?;
    let Ok((checkpoint, _)) = Checkpoint::open(&proof.checkpoint, keys) else {
        return Ok(false);
    };
    Ok(proof.root(&entry.leaf, checkpoint.size) == Ok(checkpoint.root))
}

fn is_opened_rightly(entry: &StoredEntry) -> bool {
    let Ok(leaf) = Leaf::parse(&entry.leaf) else { return false };
    let Some(opening) = &entry.facts else { return false };
    if commit_facts(&opening.salt, &opening.json) != leaf.facts {
        return false;
    }
    let Some(facts) = parse_facts(&opening.json) else { return false };
    let committed = facts.get("detail").and_then(|detail| b64::hash(detail.as_str()?));
    let opened = entry.detail.as_ref().map(|detail| commit_detail(&detail.salt, &detail.json));
    committed == opened
}
