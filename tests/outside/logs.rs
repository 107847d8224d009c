//! Logs of any size, and exports of them on disk.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

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
    // Not truncated first: ext4 then waits for the disk when the file is closed, thousands of times.
    let open = || OpenOptions::new().write(true).create(true).truncate(false).open(&path);
    let mut file = open().or_else(|_| {
        fs::create_dir_all(path.parent().unwrap())?;
        open()
    });
    let file = file.as_mut().unwrap();
    file.write_all(bytes).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
}
