//! Whether a stored entry is what the signed log holds in its place: for those who act on what an entry says, and must not
//! be misled by whoever can write into the database and nothing more.

use super::{
    b64,
    checkpoint::Checkpoint,
    leaf::{Leaf, commit_detail, commit_facts, parse_facts},
    lookup::{self, ShardTree},
    tree::{leaf_hash, root_from_inclusion},
};
use crate::{
    note::VerifierKey,
    storage::{Head, ShardPlace, Store, StoreFault, StoredEntry},
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

/// The same for several entries of one shard, all under one head: that is read once, and so is each tile.
#[derive(Debug)]
pub struct Vouching<'a> {
    place: ShardPlace,
    /// What the head says, if one of the keys has signed it.
    signed: Option<Checkpoint>,
    tree: ShardTree<'a>,
}

impl<'a> Vouching<'a> {
    /// Of the shard that this is the head of. Where none of these keys has signed it, it vouches for nothing.
    #[must_use]
    pub fn of(store: &'a dyn Store, head: &'a Head, keys: &[VerifierKey]) -> Self {
        let signed = Checkpoint::open(&head.checkpoint, keys).ok().map(|(checkpoint, _)| checkpoint);
        let signed = signed.filter(|signed| (&signed.origin, signed.size) == (&head.origin, head.size));
        Self { place: head.place, signed, tree: ShardTree::new(store, head.place, head.size) }
    }

    /// Whether facts and detail of an entry are those that its leaf commits to, and the leaf is in the tree.
    ///
    /// # Errors
    /// If the store does not answer, or does not hold what its head says.
    pub async fn vouches(&mut self, entry: &StoredEntry) -> Result<bool, StoreFault> {
        Ok(is_opened_rightly(entry) && self.has(entry).await?)
    }

    /// Whether the leaf of an entry is in the tree, whatever stands beside it.
    ///
    /// # Errors
    /// As for [`Vouching::vouches`].
    pub async fn has(&mut self, entry: &StoredEntry) -> Result<bool, StoreFault> {
        let Some(signed) = &self.signed else { return Ok(false) };
        let index = entry.position.checked_sub(self.place.first).filter(|index| *index < signed.size);
        let Some(index) = index else { return Ok(false) };
        let hashes = self.tree.inclusion(index).await?;
        Ok(root_from_inclusion(index, signed.size, leaf_hash(&entry.leaf), &hashes) == Ok(signed.root))
    }
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
