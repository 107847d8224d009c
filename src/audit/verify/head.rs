//! The checkpoint of an export, the keys, and an earlier checkpoint: what the rest is verified against.

use std::path::Path;

use super::{VerifyOptions, files, signatures};
use crate::audit::{
    checkpoint::Checkpoint,
    report::{Code, Report},
    tree::empty_root,
    trust,
};
use crate::note::{Note, VerifierKey};

/// What the export claims.
pub struct Head {
    pub checkpoint: Checkpoint,
    /// A checkpoint of the same log, not larger, that is signed as it should be.
    pub since: Option<Checkpoint>,
}

/// Reads the head. `None` if there is nothing to verify against; otherwise the rest is looked at too, even where a
/// signature fails, so that everything is found at once.
pub fn read(dir: &Path, options: &VerifyOptions<'_>, report: &mut Report) -> Option<Head> {
    let own = own_keys(dir, report);
    if let (Some(trusted), Some(own)) = (&options.trust, &own) {
        for key in own.iter().filter(|key| !trusted.contains(key)) {
            let detail = format!("`policy.txt` has a key of `{}` that is not trusted", key.name());
            report.find(None, Code::KeyNotTrusted, detail);
        }
    }
    let keys = options.trust.clone().or(own).unwrap_or_default();
    if options.trust.is_some() && keys.is_empty() {
        report.find(None, Code::KeysNotGiven, "the keys to trust are none");
    }
    let (checkpoint, note) = read_checkpoint(dir, report)?;
    report.origin = Some(checkpoint.origin.clone());
    report.size = Some(checkpoint.size);
    signatures(note, &checkpoint.origin, &keys, None, report);
    let since = options.since.as_ref().and_then(|text| read_since(text, &checkpoint, &keys, report));
    Some(Head { checkpoint, since })
}

fn own_keys(dir: &Path, report: &mut Report) -> Option<Vec<VerifierKey>> {
    let found = files::try_read(&dir.join("policy.txt"), files::MAX_TEXT_BYTES)
        .map_err(|(_, why)| why)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "is not text"))
        .and_then(|text| match trust::from_policy(&text) {
            Ok(keys) if trust::to_policy(&keys) == text => Ok(keys),
            _ => Err("is not the keys of a log as an export writes them"),
        });
    match found {
        Ok(keys) => Some(keys),
        Err(why) => {
            report.find(None, Code::KeysUnreadable, format!("`policy.txt` {why}"));
            None
        }
    }
}

fn taken_apart(text: &str) -> Option<(Checkpoint, Note)> {
    let note = Note::parse(text).ok()?;
    Some((Checkpoint::parse(note.unverified_text()).ok()?, note))
}

fn read_checkpoint(dir: &Path, report: &mut Report) -> Option<(Checkpoint, Note)> {
    match files::try_read(&dir.join("checkpoint"), files::MAX_TEXT_BYTES) {
        Ok(bytes) => {
            let read = String::from_utf8(bytes).ok().and_then(|text| taken_apart(&text));
            if read.is_none() {
                let detail = "`checkpoint` is not a signed checkpoint";
                report.find(None, Code::CheckpointMalformed, detail);
            }
            read
        }
        Err((_, why)) => {
            report.find(None, Code::CheckpointMissing, format!("`checkpoint` {why}"));
            None
        }
    }
}

fn read_since(
    text: &str,
    checkpoint: &Checkpoint,
    keys: &[VerifierKey],
    report: &mut Report,
) -> Option<Checkpoint> {
    let since = match Checkpoint::open(text, keys) {
        Ok((since, _)) => since,
        Err(fault) => {
            report.find(None, Code::SinceUnreadable, format!("the earlier checkpoint: {fault}"));
            return None;
        }
    };
    let inconsistent = if since.origin != checkpoint.origin {
        let detail = format!("the earlier checkpoint is of the log `{}`", since.origin);
        report.find(None, Code::SinceOtherLog, detail);
        return None;
    } else if since.size > checkpoint.size {
        format!("the log had {} entries and now has {}", since.size, checkpoint.size)
    } else if since.size == 0 && since.root != empty_root() {
        "the earlier checkpoint has no entries and not the root of that".to_owned()
    } else {
        return Some(since);
    };
    report.find(None, Code::SinceInconsistent, inconsistent);
    None
}
