//! An export of a stored log: page by page, up to the newest checkpoint.

use std::path::Path;

use super::{ExportFault, ExportRecord, ExportSummary, ExportWriter, SealedPart};
use crate::{
    audit::{
        checkpoint::{Checkpoint, CheckpointFault},
        leaf::{Kind, parse_facts},
    },
    note::{Note, VerifierKey, cosignature::CosignerKey},
    storage::{EntryFilter, Head, Shard, ShardPlace, Store, StoreFault, StoredEntry},
};

/// Entries read at a time.
const PAGE: u32 = 1024;

/// What an export opens beside the facts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Openings {
    /// The details of outcomes: real reasons. For the gateway's own officer.
    pub details: bool,
    /// The sealed parts. They stay sealed, and can be compared with the leaves.
    pub sealed: bool,
}

/// Why a stored log cannot be exported.
#[derive(Debug, thiserror::Error)]
pub enum StoredExportFault {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The files.
    #[error(transparent)]
    Export(#[from] ExportFault),
    /// No log yet.
    #[error("there is no log here yet")]
    Empty,
    /// A cosigned checkpoint of another log, or of more entries than there are.
    #[error("the cosigned checkpoint is not one of the log that is stored: was the database set back?")]
    NotOfThisLog,
    /// Something was forgotten, and this export ends before the entry that says so: it would look like a theft.
    #[error(
        "something was forgotten that this export would not account for, since it ends before the entry that says so. \
         Export once more; up to a cosigned checkpoint, when the witnesses have seen that entry"
    )]
    ForgottenMeanwhile,
    /// Details were asked for, and one is gone that the facts of this entry of the shard commit to.
    #[error(
        "the detail of entry {0} is gone, and its facts are there: no erasure and no term takes one without the other. \
         An export without details has the rest"
    )]
    DetailGone(u64),
}

/// What an export says of witnesses.
#[derive(Clone, Debug, Default)]
pub struct Witnessed {
    /// The witnesses to name in `policy.txt`.
    pub keys: Vec<CosignerKey>,
    /// How many of them must cosign.
    pub threshold: usize,
    /// A cosigned checkpoint of this log; the export ends there. Without one it ends at the newest checkpoint.
    pub checkpoint: Option<String>,
}

/// Which shard is exported, up to its last checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Its number and first position.
    pub place: ShardPlace,
    /// Its name.
    pub origin: String,
    /// Number of its entries.
    pub size: u64,
    /// Its last checkpoint.
    pub checkpoint: String,
}

impl From<Head> for Extent {
    fn from(Head { place, origin, size, checkpoint, .. }: Head) -> Self {
        Self { place, origin, size, checkpoint }
    }
}

impl From<Shard> for Extent {
    fn from(Shard { place, origin, size, checkpoint, .. }: Shard) -> Self {
        Self { place, origin, size, checkpoint }
    }
}

/// Every shard of a stored log, oldest first. Of one that begins while they are read nothing is told yet.
///
/// # Errors
/// If the store does not answer.
pub async fn extents(store: &dyn Store) -> Result<Vec<Extent>, StoredExportFault> {
    let head = store.head().await?.ok_or(StoredExportFault::Empty)?;
    let closed = store.shards().await?.into_iter();
    let closed = closed.filter(|shard| shard.place.number < head.place.number).map(Extent::from);
    Ok(closed.chain([head.clone().into()]).collect())
}

/// Writes the log, the shard that is written to, as it stands at its newest checkpoint.
///
/// # Errors
/// If the store does not answer, or a file cannot be written.
pub async fn export(
    store: &dyn Store,
    dir: &Path,
    keys: &[VerifierKey],
    openings: Openings,
    progress: impl FnMut(u64, u64),
) -> Result<ExportSummary, StoredExportFault> {
    export_witnessed(store, dir, keys, openings, Witnessed::default(), progress).await
}

/// Writes the log with the names of its witnesses, up to a checkpoint that they have cosigned.
///
/// # Errors
/// If the store does not answer, a file cannot be written, or the cosigned checkpoint is not one of this log.
pub async fn export_witnessed(
    store: &dyn Store,
    dir: &Path,
    keys: &[VerifierKey],
    openings: Openings,
    witnessed: Witnessed,
    progress: impl FnMut(u64, u64),
) -> Result<ExportSummary, StoredExportFault> {
    let head = store.head().await?.ok_or(StoredExportFault::Empty)?;
    export_shard(store, &head.into(), dir, keys, openings, witnessed, progress).await
}

impl Extent {
    /// The checkpoint that an export of it ends with, and its size.
    fn end(&self, cosigned: Option<String>) -> Result<(u64, String), StoredExportFault> {
        let Some(note) = cosigned else { return Ok((self.size, self.checkpoint.clone())) };
        let text = Note::parse(&note).map_err(CheckpointFault::from).map_err(ExportFault::from)?;
        let checkpoint = Checkpoint::parse(text.unverified_text()).map_err(ExportFault::from)?;
        if checkpoint.origin != self.origin || checkpoint.size > self.size {
            return Err(StoredExportFault::NotOfThisLog);
        }
        Ok((checkpoint.size, note))
    }
}

/// Writes one shard, with the names of its witnesses.
///
/// # Errors
/// If the store does not answer, a file cannot be written, or the cosigned checkpoint is not one of this shard.
pub async fn export_shard(
    store: &dyn Store,
    shard: &Extent,
    dir: &Path,
    keys: &[VerifierKey],
    openings: Openings,
    witnessed: Witnessed,
    mut progress: impl FnMut(u64, u64),
) -> Result<ExportSummary, StoredExportFault> {
    let first = shard.place.first;
    let (size, checkpoint) = shard.end(witnessed.checkpoint)?;
    let mut writer = ExportWriter::create(dir)?.with_witnesses(witnessed.keys, witnessed.threshold);
    if openings.sealed {
        writer = writer.with_sealed();
    }
    let mut next = 0;
    while next < size {
        let page = store.entries(first + next, PAGE).await?;
        if page.is_empty() {
            return Err(StoreFault::Corrupt("the log has fewer entries than its head says").into());
        }
        for entry in page.into_iter().take_while(|entry| entry.position < first + size) {
            let index = entry.position - first;
            next = index + 1;
            if openings.details && entry.detail.is_none() && commits_to_detail(&entry) {
                return Err(StoredExportFault::DetailGone(index));
            }
            let detail = entry.detail.filter(|_| openings.details);
            let sealed = match (entry.sealed, &entry.facts) {
                (Some(sealed), Some(_)) => {
                    SealedPart::Present { key_hash: sealed.key_hash, bytes: sealed.bytes }
                }
                (None, Some(_)) => SealedPart::Erased,
                // Only a term that is over takes facts, with everything else. Whether it is over is for the verifier, so
                // facts that somebody took may not read as left out.
                (_, None) => SealedPart::Expired,
            };
            writer.push(ExportRecord {
                index,
                leaf: entry.leaf,
                facts: entry.facts.map(|facts| (facts.salt, facts.json)),
                detail: detail.map(|detail| (detail.salt, detail.json)),
                sealed: Some(sealed),
            })?;
        }
        progress(next, size);
    }
    // The shard may have grown while it was read, and some of it may have been forgotten.
    if size < size_now(store, shard).await? && forgotten_since(store, first + size).await? {
        return Err(StoredExportFault::ForgottenMeanwhile);
    }
    Ok(writer.finish(&checkpoint, keys)?)
}

/// Whether the facts of an entry commit to a detail.
fn commits_to_detail(entry: &StoredEntry) -> bool {
    let facts = entry.facts.as_ref().and_then(|facts| parse_facts(&facts.json));
    facts.is_some_and(|facts| facts.contains_key("detail"))
}

/// Number of entries that a shard has by now.
async fn size_now(store: &dyn Store, shard: &Extent) -> Result<u64, StoredExportFault> {
    let now = extents(store).await?.into_iter().find(|now| now.place == shard.place);
    // It can end between two looks; then it may have any size.
    Ok(now.map_or(u64::MAX, |now| now.size))
}

/// Whether an `erasure` from this position on took anything away. One that was refused did not.
async fn forgotten_since(store: &dyn Store, position: u64) -> Result<bool, StoredExportFault> {
    let mut filter = EntryFilter {
        kind: Some(Kind::Erasure.as_str().to_owned()),
        since: Some(position),
        limit: PAGE,
        ..EntryFilter::default()
    };
    loop {
        let page = store.search(&filter).await?;
        if page.iter().any(|erasure| !is_refused(erasure)) {
            return Ok(true);
        }
        // Newest first.
        let Some(oldest) = page.last() else { return Ok(false) };
        filter.below = Some(oldest.position);
    }
}

/// Whether an `erasure` says that nothing was erased. One that does not read may have erased anything.
fn is_refused(erasure: &StoredEntry) -> bool {
    let facts = erasure.facts.as_ref().and_then(|facts| parse_facts(&facts.json));
    facts.is_some_and(|facts| facts.get("event").is_some_and(|event| event == "refused"))
}
