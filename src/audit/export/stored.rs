//! An export of a stored log: page by page, up to the newest checkpoint.

use std::path::Path;

use super::{ExportFault, ExportRecord, ExportSummary, ExportWriter, SealedPart};
use crate::{
    audit::{
        checkpoint::{Checkpoint, CheckpointFault},
        leaf::Kind,
    },
    note::{Note, VerifierKey, cosignature::CosignerKey},
    storage::{EntryFilter, Head, Store, StoreFault},
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

/// Writes the log as it stands at its newest checkpoint.
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

/// The checkpoint that an export ends with, and its size.
fn end(head: Head, cosigned: Option<String>) -> Result<(u64, String), StoredExportFault> {
    let Some(note) = cosigned else { return Ok((head.size, head.checkpoint)) };
    let text = Note::parse(&note).map_err(CheckpointFault::from).map_err(ExportFault::from)?;
    let checkpoint = Checkpoint::parse(text.unverified_text()).map_err(ExportFault::from)?;
    if checkpoint.origin != head.origin || checkpoint.size > head.size {
        return Err(StoredExportFault::NotOfThisLog);
    }
    Ok((checkpoint.size, note))
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
    mut progress: impl FnMut(u64, u64),
) -> Result<ExportSummary, StoredExportFault> {
    let head = store.head().await?.ok_or(StoredExportFault::Empty)?;
    let (size, checkpoint) = end(head, witnessed.checkpoint)?;
    let mut writer = ExportWriter::create(dir)?.with_witnesses(witnessed.keys, witnessed.threshold);
    if openings.sealed {
        writer = writer.with_sealed();
    }
    let mut next = 0;
    while next < size {
        let page = store.entries(next, PAGE).await?;
        if page.is_empty() {
            return Err(StoreFault::Corrupt("the log has fewer entries than its head says").into());
        }
        for entry in page.into_iter().take_while(|entry| entry.position < size) {
            next = entry.position + 1;
            let detail = entry.detail.filter(|_| openings.details);
            let sealed = match (entry.sealed, &entry.facts) {
                (Some(sealed), _) => SealedPart::Present { key_hash: sealed.key_hash, bytes: sealed.bytes },
                (None, Some(_)) => SealedPart::Erased,
                (None, None) => SealedPart::Expired,
            };
            writer.push(ExportRecord {
                index: entry.position,
                leaf: entry.leaf,
                facts: entry.facts.map(|facts| (facts.salt, facts.json)),
                detail: detail.map(|detail| (detail.salt, detail.json)),
                sealed: Some(sealed),
            })?;
        }
        progress(next, size);
    }
    let filter =
        EntryFilter { kind: Some(Kind::Erasure.as_str().to_owned()), limit: 1, ..EntryFilter::default() };
    if store.search(&filter).await?.iter().any(|erasure| erasure.position >= size) {
        return Err(StoredExportFault::ForgottenMeanwhile);
    }
    Ok(writer.finish(&checkpoint, keys)?)
}
