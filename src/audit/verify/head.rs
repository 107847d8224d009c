//! The checkpoint of an export, the keys, and an earlier checkpoint: what the rest is verified against.

use std::path::Path;

use super::{VerifyOptions, Witnessing, files, later::Later, signatures};
use crate::audit::{
    checkpoint::Checkpoint,
    report::{Code, Cosigned, Report},
    tree::empty_root,
    trust::Policy,
};
use crate::note::{
    Note, VerifierKey,
    cosignature::{Cosignature, CosignerKey},
};

/// What the export claims.
pub struct Head {
    pub checkpoint: Checkpoint,
    /// Checkpoints of the same log, not larger, that are signed as they should be.
    pub since: Vec<Checkpoint>,
}

/// Reads the head. `None` if there is nothing to verify against; otherwise the rest is looked at too, even where a
/// signature fails, so that everything is found at once.
pub fn read(
    dir: &Path,
    options: &VerifyOptions<'_>,
    witnessing: &Witnessing,
    later: &Later<'_>,
    report: &mut Report,
) -> Option<Head> {
    let own = own_policy(dir, report);
    if let (Some(trusted), Some(own)) = (&options.trust, &own) {
        for key in own.logs().iter().filter(|key| !trusted.contains(key)) {
            let detail = format!("`policy.txt` has a key of `{}` that is not trusted", key.name());
            report.find(None, Code::KeyNotTrusted, detail);
        }
    }
    let own_logs = own.as_ref().map(|own| own.logs().to_vec());
    let keys = options.trust.clone().or(own_logs).unwrap_or_default();
    if options.trust.is_some() && keys.is_empty() {
        report.find(None, Code::KeysNotGiven, "the keys to trust are none");
    }
    let (checkpoint, note) = read_checkpoint(dir, report)?;
    report.origin = Some(checkpoint.origin.clone());
    report.size = Some(checkpoint.size);
    let note = witnesses(note, own.as_ref(), options, witnessing, report);
    signatures(note, &checkpoint.origin, &keys, None, report);
    let since = options.since.iter().chain(&later.left_at);
    let since = since.filter_map(|text| read_since(text, &checkpoint, &keys, report)).collect();
    Some(Head { checkpoint, since })
}

/// Takes the cosignatures of known witnesses out of the checkpoint, each verified, and counts them against the policy.
fn witnesses(
    note: Note,
    own: Option<&Policy>,
    options: &VerifyOptions<'_>,
    witnessing: &Witnessing,
    report: &mut Report,
) -> Note {
    let trusted = witnessing.trust.as_ref();
    let known: Vec<CosignerKey> = trusted.into_iter().chain(own).flat_map(Policy::cosigners).collect();
    let (note, found) = note.without_cosignatures(&known);
    let mut good = Vec::new();
    for Cosignature { by, time, .. } in found {
        match time {
            Some(time) => {
                report.cosigned.push(Cosigned { by: by.name().to_owned(), time });
                good.push(by);
            }
            None => {
                let detail = format!("the cosignature of the witness `{}` does not verify", by.name());
                report.find(None, Code::WitnessInvalid, detail);
            }
        }
    }
    // Once keys come from elsewhere, what the export says of its own witnesses counts for nothing.
    let policy = if options.trust.is_some() { trusted } else { trusted.or(own) };
    let detail = match policy {
        _ if !witnessing.required => return note,
        Some(policy) if policy.asks_for_witnesses() && policy.is_met_by(&good) => return note,
        Some(policy) if policy.asks_for_witnesses() => {
            format!("{} of the witnesses cosigned the checkpoint, which is not the quorum", good.len())
        }
        _ => "witnesses are required, and the keys that are trusted name none".to_owned(),
    };
    report.find(None, Code::WitnessMissing, detail);
    note
}

fn own_policy(dir: &Path, report: &mut Report) -> Option<Policy> {
    let found = files::try_read(&dir.join("policy.txt"), files::MAX_TEXT_BYTES)
        .map_err(|(_, why)| why)
        .and_then(|bytes| String::from_utf8(bytes).map_err(|_| "is not text"))
        .and_then(|text| match text.parse::<Policy>() {
            Ok(policy) if policy.to_string() == text => Ok(policy),
            _ => Err("is not the keys of a log as an export writes them"),
        });
    match found {
        Ok(policy) => Some(policy),
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
