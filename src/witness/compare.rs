//! Puts side by side what several witnesses, or several readers, were shown of one log.

use std::path::Path;

use crate::{
    audit::{
        checkpoint::Checkpoint,
        report::Code,
        verify::{VerifyOptions, verify_export},
    },
    note::VerifierKey,
};

/// A signed checkpoint, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// File or address.
    pub from: String,
    /// What was signed.
    pub checkpoint: Checkpoint,
    note: String,
}

/// A checkpoint that nothing can be concluded from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewFault {
    /// Not a checkpoint that the log signed.
    #[error("{from}: {cause}")]
    Unsigned {
        /// File or address.
        from: String,
        /// What is wrong.
        cause: crate::audit::checkpoint::CheckpointFault,
    },
    /// Checkpoints of different logs say nothing about each other.
    #[error("{0} is of another log")]
    OtherLog(String),
    /// The export that is to prove consistency does not verify by itself.
    #[error("the export does not verify; look at it with `sluis audit verify`")]
    Export,
}

/// What two views together say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of them are of one history.
    OneHistory,
    /// Sizes differ, and nothing shows that the smaller is the beginning of the larger. Names those.
    NotShown(Vec<String>),
    /// The log has signed two histories. Says which views show it.
    SplitView(String),
}

impl View {
    /// Reads a checkpoint that must be signed by one of these keys of its log.
    ///
    /// # Errors
    /// [`ViewFault::Unsigned`].
    pub fn read(from: &str, note: &str, trust: &[VerifierKey]) -> Result<Self, ViewFault> {
        let (checkpoint, _) = Checkpoint::open(note, trust)
            .map_err(|cause| ViewFault::Unsigned { from: from.to_owned(), cause })?;
        Ok(Self { from: from.to_owned(), checkpoint, note: note.to_owned() })
    }
}

/// Compares views of one log. With an export each of them that is not larger is held against its entries.
///
/// # Errors
/// If they are of several logs, or the export does not verify.
pub fn compare(views: &[View], export: Option<&Path>, trust: &[VerifierKey]) -> Result<Outcome, ViewFault> {
    let Some(first) = views.first() else { return Ok(Outcome::OneHistory) };
    if let Some(other) = views.iter().find(|view| view.checkpoint.origin != first.checkpoint.origin) {
        return Err(ViewFault::OtherLog(other.from.clone()));
    }
    for (at, one) in views.iter().enumerate() {
        let split = |other: &&View| {
            other.checkpoint.size == one.checkpoint.size && other.checkpoint.root != one.checkpoint.root
        };
        if let Some(other) = views.iter().skip(at + 1).find(split) {
            let size = one.checkpoint.size;
            let text = format!("{} and {} have different roots at size {size}", one.from, other.from);
            return Ok(Outcome::SplitView(text));
        }
    }
    let Some(dir) = export else {
        let other = views.iter().filter(|view| view.checkpoint.size != first.checkpoint.size);
        let others: Vec<String> = other.map(|view| view.from.clone()).collect();
        return Ok(if others.is_empty() { Outcome::OneHistory } else { Outcome::NotShown(others) });
    };
    let mut not_shown = Vec::new();
    for view in views {
        let options =
            VerifyOptions { trust: Some(trust.to_vec()), since: Some(view.note.clone()), progress: None };
        let report = verify_export(dir, &options);
        let found = |code| report.findings.iter().any(|finding| finding.code == code);
        if found(Code::SinceOtherLog) {
            return Err(ViewFault::OtherLog(dir.display().to_string()));
        }
        let is_larger = report.size.is_some_and(|size| view.checkpoint.size > size);
        // A larger view is inconsistent by its size alone; a request that is still open is no fault of the tree.
        let own = |code| !matches!(code, Code::SinceInconsistent | Code::RequestWithoutOutcome);
        if report.findings.iter().any(|finding| own(finding.code)) {
            return Err(ViewFault::Export);
        }
        if is_larger {
            not_shown.push(view.from.clone());
        } else if found(Code::SinceInconsistent) {
            let text = format!("the export {} does not begin with the log of {}", dir.display(), view.from);
            return Ok(Outcome::SplitView(text));
        }
    }
    Ok(if not_shown.is_empty() { Outcome::OneHistory } else { Outcome::NotShown(not_shown) })
}
