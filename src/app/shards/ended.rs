//! How a shard ended: its seal, if it has one, and whether the key that it is to go on with is here.

use serde_json::Value;

use super::{ShardFault, StartFault, news::News};
use crate::{
    audit::{
        leaf::{Kind, Leaf},
        shard::Reason,
        vouched::Vouching,
    },
    note::VerifierKey,
    storage::{Head, Store, StoreFault},
};

/// Why the shard ends, if its last entry is a seal. Whatever that entry is, it must be the one in the tree: who can write into
/// the database and nothing more must not end a shard, say why it ended, or have it go on after its end.
pub(super) async fn sealed(
    store: &dyn Store,
    head: &Head,
    keys: &[VerifierKey],
) -> Result<Option<Reason>, StartFault> {
    if head.size == 0 {
        return Ok(None);
    }
    let last = store.entries(head.end() - 1, 1).await?.pop();
    let last = last.ok_or(StoreFault::Corrupt("the last entry is missing"))?;
    let kind = Leaf::parse(&last.leaf).map_err(|_| StoreFault::Corrupt("the last entry does not read"))?.kind;
    let mut vouching = Vouching::of(store, head, keys);
    if kind != Kind::Seal {
        // What stands beside the leaf of another kind may be forgotten by now, and is not acted on.
        let is_there = vouching.has(&last).await?;
        return if is_there { Ok(None) } else { Err(ShardFault::NotVouched(kind).into()) };
    }
    if !vouching.vouches(&last).await? {
        return Err(ShardFault::NotVouched(kind).into());
    }
    let facts: Value = serde_json::from_slice(last.facts_json()).map_err(|_| ShardFault::Unreadable(kind))?;
    let reason = facts.get("reason").and_then(Value::as_str).and_then(Reason::parse);
    Ok(Some(reason.ok_or(ShardFault::Unreadable(kind))?))
}

/// Whether a sealed shard can go on with this key: a seal is followed by the key that was announced, or by none.
pub(super) fn goes_on_with(news: &News, own: Option<&VerifierKey>) -> bool {
    own.is_some() && news.announced.as_ref() == own
}
