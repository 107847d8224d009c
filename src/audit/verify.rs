//! Verifies an export: no network, no database, and no more memory for a longer log, but for what each erased entry, each
//! pair that an `erasure` names and each open request takes: less than a hundred bytes.

pub mod chain;
mod duplicates;
pub(super) mod files;
mod head;
mod later;
mod links;
mod parts;
mod run;
mod story;
#[cfg(test)]
mod tests;

use std::{fmt, path::Path};

use duplicates::IDS_AT_ONCE;
use later::Later;

use super::{
    report::{Code, EntryState, Report},
    trust::Policy,
};
use crate::note::{Note, NoteFault, VerifierKey};

/// How far a verification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The entry that was just looked at.
    pub position: u64,
    /// Number of entries in the log.
    pub of: u64,
    /// How that entry stands. An erasure that no later entry names is corrected in the report only.
    pub state: EntryState,
}

/// What to verify with.
#[derive(Clone, Default)]
pub struct VerifyOptions<'a> {
    /// Keys of logs that are trusted. Without them the keys of the export itself serve, and the report says that it is
    /// not anchored.
    pub trust: Option<Vec<VerifierKey>>,
    /// An earlier signed checkpoint of the same log, with which it must be consistent.
    pub since: Option<String>,
    /// Called once for each entry.
    pub progress: Option<&'a dyn Fn(Progress)>,
}

impl fmt::Debug for VerifyOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOptions")
            .field("trust", &self.trust)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

/// What is asked of witnesses. Cosignatures of witnesses that are known, from the export or from elsewhere, are verified
/// in any case.
#[derive(Clone, Debug, Default)]
pub struct Witnessing {
    /// The policy that is trusted, from elsewhere. Without one, the policy of the export itself serves.
    pub trust: Option<Policy>,
    /// Whether the quorum of that policy must have cosigned the checkpoint.
    pub required: bool,
}

/// Verifies the export in this directory. Reports everything that is wrong, not the first thing only.
#[must_use]
pub fn verify_export(dir: &Path, options: &VerifyOptions<'_>) -> Report {
    verify_witnessed(dir, options, &Witnessing::default())
}

/// As [`verify_export`], and holds the checkpoint to what is asked of witnesses.
#[must_use]
pub fn verify_witnessed(dir: &Path, options: &VerifyOptions<'_>, witnessing: &Witnessing) -> Report {
    verify_shard(dir, options, witnessing, &Later::unknown())
}

/// The same of a shard, with what later shards say of it.
fn verify_shard(
    dir: &Path,
    options: &VerifyOptions<'_>,
    witnessing: &Witnessing,
    later: &Later<'_>,
) -> Report {
    verify_in_parts(dir, options, witnessing, later, IDS_AT_ONCE)
}

/// The same, with about so many ids in memory at once.
fn verify_in_parts(
    dir: &Path,
    options: &VerifyOptions<'_>,
    witnessing: &Witnessing,
    later: &Later<'_>,
    at_once: u64,
) -> Report {
    let mut report = Report::new(options.trust.as_ref().is_some_and(|trust| !trust.is_empty()));
    if let Some(head) = head::read(dir, options, witnessing, later, &mut report) {
        run::run(dir, &head, later, at_once, options.progress, &mut report);
    }
    report
}

/// Checks the signatures on a checkpoint: one by the log itself, none by a key that is not known.
pub(super) fn signatures(
    note: Note,
    origin: &str,
    keys: &[VerifierKey],
    position: Option<u64>,
    report: &mut Report,
) {
    for line in note.signatures() {
        if !keys.iter().any(|key| key.name() == line.name && key.id() == line.id) {
            let detail = format!("the checkpoint has a signature by the unknown key `{}`", line.name);
            report.find(position, Code::SignatureUnknown, detail);
        }
    }
    let (code, detail) = match note.verify(keys) {
        Ok(opened) if opened.signed_by.iter().any(|key| key.name() == origin) => return,
        Err(fault @ NoteFault::BadSignature(_)) => (Code::SignatureInvalid, fault.to_string()),
        _ => {
            (Code::SignatureMissing, format!("the checkpoint has no signature by a known key of `{origin}`"))
        }
    };
    report.find(position, code, detail);
}
