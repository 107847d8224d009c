//! The row of an entry: commitments, sealed part, leaf.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::clients::{Keys, no_random, unsealable};
use crate::{
    audit::{
        entry::NewEntry,
        leaf::{self, Leaf},
        seal::{self, EntryKey},
    },
    domain::{Timestamp, random},
    storage::{EntryRow, Opening, StoreFault},
};

/// The row of an entry: commitments, sealed part, leaf.
pub(super) fn row(
    entry: &NewEntry,
    position: u64,
    now: Timestamp,
    keys: &Keys,
) -> Result<(EntryRow, EntryKey), StoreFault> {
    let unwritable = |_| StoreFault::Corrupt("an entry could not be written as JSON");
    let id = leaf::entry_id(entry.pair, entry.kind);
    let mut facts = entry.facts.clone();
    let detail = match &entry.detail {
        None => None,
        Some(detail) => {
            let opening = Opening {
                json: leaf::canonical(detail).map_err(unwritable)?,
                salt: random::bytes().map_err(no_random)?,
            };
            if let Value::Object(facts) = &mut facts {
                let commitment = leaf::commit_detail(&opening.salt, &opening.json);
                facts.insert("detail".to_owned(), json!(STANDARD.encode(commitment)));
            }
            Some(opening)
        }
    };
    let facts = Opening {
        json: leaf::canonical(&facts).map_err(unwritable)?,
        salt: random::bytes().map_err(no_random)?,
    };
    let known = keys.of(entry);
    let entry_key = match known {
        Some((_, key)) => key.entry_key(&id).map_err(unsealable)?,
        None => EntryKey::random().map_err(no_random)?,
    };
    let client = leaf::canonical(&entry.client).map_err(unwritable)?;
    let sealed = seal::seal(&entry_key, &id, &client).map_err(unsealable)?;
    let leaf = Leaf {
        kind: entry.kind,
        time: now,
        pair: entry.pair,
        facts: leaf::commit_facts(&facts.salt, &facts.json),
        client: leaf::commit_client(&id, &entry_key, &sealed),
    };
    let row = EntryRow {
        position,
        pair: entry.pair,
        kind: entry.kind.as_str(),
        time: now,
        leaf: leaf.encode(),
        facts,
        detail,
        sealed,
        key_hash: entry_key.hash(),
        subject: known.map(|(subject, _)| subject),
        requester: entry.requester,
        purpose: entry.purpose.clone(),
    };
    Ok((row, entry_key))
}
