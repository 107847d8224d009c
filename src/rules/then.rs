//! The policies that an old decision was taken under, from the log itself (R38).

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use serde::Deserialize;

use super::Rules;
use crate::{
    policy::PolicySet,
    storage::{EntryFilter, Store, StoreFault},
};

/// Policy entries read at a time.
const PAGE: u32 = 16;

/// The policies of a day.
#[derive(Debug)]
pub enum Then {
    /// Those that are in force now.
    Now(Arc<Rules>),
    /// Others, from the log.
    Past(Box<PolicySet>),
}

impl Deref for Then {
    type Target = PolicySet;

    fn deref(&self) -> &PolicySet {
        match self {
            Self::Now(rules) => &rules.policies,
            Self::Past(set) => set,
        }
    }
}

#[derive(Deserialize)]
struct Facts {
    hash: String,
}

#[derive(Deserialize)]
struct Detail {
    files: BTreeMap<String, String>,
}

/// The policies of this hash; `None` if the log does not have them, or this program cannot read them.
///
/// # Errors
/// If the store does not answer.
pub async fn policies_then(
    store: &dyn Store,
    now: Arc<Rules>,
    hash: &str,
) -> Result<Option<Then>, StoreFault> {
    if now.policies.hash() == hash {
        return Ok(Some(Then::Now(now)));
    }
    let mut filter = EntryFilter { kind: Some("policy".to_owned()), limit: PAGE, ..EntryFilter::default() };
    loop {
        let page = store.search(&filter).await?;
        let Some(last) = page.last().map(|entry| entry.position) else { return Ok(None) };
        for entry in page {
            let facts: Option<Facts> = serde_json::from_slice(entry.facts_json()).ok();
            if facts.is_none_or(|facts| facts.hash != hash) {
                continue;
            }
            let detail: Option<Detail> =
                entry.detail.and_then(|detail| serde_json::from_slice(&detail.json).ok());
            // Of several entries with the same files one may be older than the files in the log.
            if let Some(set) = detail.and_then(|detail| PolicySet::of_the_past(detail.files).ok())
                && set.hash() == hash
            {
                return Ok(Some(Then::Past(Box::new(set))));
            }
        }
        filter.below = Some(last);
    }
}
