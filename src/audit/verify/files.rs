//! Files of an export: read with a limit, and looked through for what does not belong there.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use crate::audit::{
    report::{Code, Report},
    tiles::{Layer, TILE_BYTES, TilePath, WIDTH, parse_index},
};

/// No line of `opened` or `sealed` is longer than an entry's worth of facts; 256 of them fit with room to spare.
pub const MAX_LINES_BYTES: usize = 256 << 20;
/// 256 entries, each with its length.
pub const MAX_BUNDLE_BYTES: usize = 256 * (2 + 65_535);
/// A full tile.
pub const MAX_TILE_BYTES: usize = TILE_BYTES;
/// A checkpoint or a policy.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// Reads a file of the export. `None`, with the finding, if that does not succeed.
pub fn read(dir: &Path, name: &str, limit: usize, report: &mut Report) -> Option<Vec<u8>> {
    match try_read(&dir.join(name), limit) {
        Ok(bytes) => Some(bytes),
        Err((code, why)) => {
            report.find(None, code, format!("`{name}` {why}"));
            None
        }
    }
}

pub fn try_read(path: &Path, limit: usize) -> Result<Vec<u8>, (Code, &'static str)> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => (Code::FileMissing, "is missing"),
        _ => (Code::FileUnreadable, "cannot be read"),
    };
    // Asked first, so that a pipe in its place does not keep us waiting.
    if !fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err((Code::FileMalformed, "is not a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit { Err((Code::FileMalformed, "is too large")) } else { Ok(bytes) }
}

/// Whether an export of this size has a file of this name.
fn belongs(name: &str, size: u64) -> bool {
    if let Ok(path) = name.parse::<TilePath>() {
        return TilePath::at(path.layer, path.index, size) == Some(path);
    }
    let lines = ["opened/", "sealed/"].iter().find_map(|folder| name.strip_prefix(folder));
    match lines.and_then(|name| parse_index(name.strip_suffix(".jsonl")?)) {
        Some(index) => TilePath::at(Layer::Entries, index, size).is_some(),
        None => matches!(name, "checkpoint" | "policy.txt"),
    }
}

/// Looks through every folder. Finds the files that do not belong, and counts those that do.
pub fn look_through(dir: &Path, size: u64, report: &mut Report) -> u64 {
    let mut present = 0;
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let Ok(items) = fs::read_dir(dir.join(&folder)) else {
            let name = folder.display();
            report.find(None, Code::FileUnreadable, format!("the folder `{name}` cannot be read"));
            continue;
        };
        for item in items {
            let found = item.and_then(|item| Ok((folder.join(item.file_name()), item.file_type()?)));
            let Ok((path, kind)) = found else {
                report.find(None, Code::FileUnreadable, "a folder cannot be read to its end");
                break;
            };
            if kind.is_dir() {
                folders.push(path);
            } else if path.to_str().is_some_and(|name| kind.is_file() && belongs(name, size)) {
                present += 1;
            } else {
                let name = path.display();
                report.find(None, Code::FileSurplus, format!("`{name}` does not belong to this export"));
            }
        }
    }
    present
}

/// How many bundles to look for. A false size in a checkpoint must not make us ask for files without end: at most a few
/// more than there are files.
pub fn bundles_to_read(size: u64, present: u64) -> u64 {
    size.div_ceil(WIDTH).min(present.saturating_add(16))
}
