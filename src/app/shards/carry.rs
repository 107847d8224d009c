//! What is in force when a shard ends stands in the next one from the start: policies and agreements are entered anew, as
//! they are, so that each shard is read and decided from by itself.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ShardFault, StartFault};
use crate::{
    audit::{entry::NewEntry, leaf::Kind, vouched::Vouching},
    note::VerifierKey,
    policy::manifest::Manifest,
    storage::{EntryFilter, Head, Store, StoredEntry},
};

/// How many entries are read at a time.
const PAGE: u32 = 200;

/// What is carried over.
pub(super) struct Carried {
    /// The hash of the manifest in force, for `genesis`.
    pub(super) policies: String,
    /// The entries, to follow `genesis`.
    pub(super) entries: Vec<NewEntry>,
}

/// What the shard that ends says is in force. Only this shard is read: what was in force when it began stands in it too.
pub(super) async fn carried(
    store: &dyn Store,
    head: &Head,
    keys: &[VerifierKey],
) -> Result<Carried, StartFault> {
    // Every entry is vouched for, also one that a newer one supersedes: whoever could make it look like that would have an
    // older one carried in its place.
    let mut vouching = Vouching::of(store, head, keys);
    let (mut policies, mut entries) = (String::new(), Vec::new());
    let newest = page(store, head, Kind::Policy, head.end(), 1).await?.pop();
    if let Some(entry) = newest {
        let (facts, again) = anew(&mut vouching, &entry, Kind::Policy).await?;
        let manifest = facts.get("manifest").and_then(Value::as_str);
        let manifest = manifest.and_then(|note| Manifest::parse(note).ok());
        policies = manifest.ok_or(ShardFault::Unreadable(Kind::Policy))?.hash();
        entries.push(again);
    }
    let (mut known, mut below) = (BTreeSet::new(), head.end());
    loop {
        let found = page(store, head, Kind::Agreement, below, PAGE).await?;
        let Some(last) = found.last().map(|entry| entry.position) else { break };
        for entry in &found {
            let (facts, again) = anew(&mut vouching, entry, Kind::Agreement).await?;
            let text = |name: &str| facts.get(name).and_then(Value::as_str);
            let id = text("id").ok_or(ShardFault::Unreadable(Kind::Agreement))?;
            // Newest first: what is there already is newer. One that is gone is not in force.
            if known.insert(id.to_owned()) && text("state") != Some("removed") {
                let requester = text("requester").and_then(|oin| oin.parse().ok());
                entries.push(NewEntry { requester, ..again });
            }
        }
        below = last;
    }
    Ok(Carried { policies, entries })
}

/// Of this shard alone: another instance may have begun the next one meanwhile, and carried the same over.
async fn page(
    store: &dyn Store,
    head: &Head,
    kind: Kind,
    below: u64,
    limit: u32,
) -> Result<Vec<StoredEntry>, StartFault> {
    let (kind, since, below) = (Some(kind.as_str().to_owned()), Some(head.place.first), Some(below));
    Ok(store.search(&EntryFilter { kind, since, below, limit, ..EntryFilter::default() }).await?)
}

/// The same entry once more, and its facts.
async fn anew(
    vouching: &mut Vouching<'_>,
    entry: &StoredEntry,
    kind: Kind,
) -> Result<(Value, NewEntry), StartFault> {
    if !vouching.vouches(entry).await? {
        return Err(ShardFault::NotVouched(kind).into());
    }
    let unreadable = |_| ShardFault::Unreadable(kind);
    let mut facts: Value = serde_json::from_slice(entry.facts_json()).map_err(unreadable)?;
    let detail = entry.detail.as_ref().map(|detail| serde_json::from_slice(&detail.json));
    if let Some(facts) = facts.as_object_mut() {
        // The commitment is made anew, with a salt of its own.
        facts.remove("detail");
        facts.insert("carried".to_owned(), json!(true));
    }
    let mut again = NewEntry::of_gateway(kind, facts.clone());
    again.detail = detail.transpose().map_err(unreadable)?;
    Ok((facts, again))
}
