//! An export of a stored log: page by page, up to the newest checkpoint.

use std::path::Path;

use super::{ExportFault, ExportRecord, ExportSummary, ExportWriter, SealedPart};
use crate::{
    note::VerifierKey,
    storage::{Store, StoreFault},
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
    mut progress: impl FnMut(u64, u64),
) -> Result<ExportSummary, StoredExportFault> {
    let head = store.head().await?.ok_or(StoredExportFault::Empty)?;
    let mut writer = ExportWriter::create(dir)?;
    if openings.sealed {
        writer = writer.with_sealed();
    }
    let mut next = 0;
    while next < head.size {
        let page = store.entries(next, PAGE).await?;
        if page.is_empty() {
            return Err(StoreFault::Corrupt("the log has fewer entries than its head says").into());
        }
        for entry in page.into_iter().take_while(|entry| entry.position < head.size) {
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
        progress(next, head.size);
    }
    Ok(writer.finish(&head.checkpoint, keys)?)
}
