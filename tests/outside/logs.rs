//! Logs of any size, and exports of them on disk.

use std::{fs, path::Path};

use serde_json::json;
use sluis::audit::leaf::Kind;
use tempfile::TempDir;

use crate::corpus::{files::Files, log::Log};

/// A log of this many entries in which nothing is wrong.
pub fn long(name: &'static str, size: u64) -> Log {
    let mut log = Log::new(name).unwrap();
    log.add(Kind::Genesis, 0, json!({})).unwrap();
    while log.size() < size {
        let pair = log.size();
        if pair % 7 == 3 || pair + 1 == size {
            log.add(Kind::Consent, pair, json!({ "event": "recorded" })).unwrap();
        } else {
            log.add(Kind::Request, pair, json!({ "purpose": "REINTEGRATION" })).unwrap();
            log.add(Kind::Outcome, pair, json!({ "effect": "deny" })).unwrap();
        }
    }
    log
}

/// These files, in a folder of their own.
pub fn on_disk(files: Files) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files.into_inner() {
        write(dir.path(), &name, &bytes);
    }
    dir
}

/// One file of an export.
pub fn write(dir: &Path, name: &str, bytes: &[u8]) {
    let path = dir.join(name);
    if fs::write(&path, bytes).is_err() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}
