//! Verifying an export, beside hashing the same files and no more.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use serde::Serialize;
use sluis::audit::{
    export::stored::{Openings, export},
    verify::{VerifyOptions, verify_export},
};

use crate::{
    common::{Fault, figures::Spread},
    grown::Grown,
};

/// What verifying costs.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Verified {
    /// Entries of the export.
    pub entries: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Entries a second that were exported.
    pub exported_per_second: f64,
    /// Entries a second that were verified.
    pub entries_per_second: Spread,
    /// Entries a second whose files were read and hashed with SHA-256, and no more.
    pub hashed_per_second: Spread,
    /// How often as long as hashing alone.
    pub times_hashing: Spread,
}

/// Exports the log with all that goes along, and verifies it so often.
pub async fn measure(grown: &Grown, rounds: u32) -> Result<Verified, Fault> {
    let (trust, out) = (grown.trust()?, tempfile::tempdir()?);
    let begun = Instant::now();
    let openings = Openings { details: true, sealed: true };
    let entries = export(grown.store()?.as_ref(), out.path(), &trust, openings, |_, _| {}).await?.entries;
    let exported = begun.elapsed().as_secs_f64();
    let mut files = Vec::new();
    list(out.path(), &mut files)?;
    let (mut verifying, mut hashing, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..rounds {
        let begun = Instant::now();
        let options = VerifyOptions { trust: Some(trust.clone()), since: None, progress: None };
        let report = verify_export(out.path(), &options);
        verifying.push(begun.elapsed().as_secs_f64());
        if report.exit_code() != 0 {
            return Err(format!("the export does not verify: {:?}", report.findings).into());
        }
        let begun = Instant::now();
        bytes = 0;
        for file in &files {
            let content = fs::read(file)?;
            bytes += content.len() as u64;
            std::hint::black_box(ring::digest::digest(&ring::digest::SHA256, &content));
        }
        hashing.push(begun.elapsed().as_secs_f64());
    }
    let per_second = |seconds: &[f64]| Spread::of(seconds.iter().map(|seconds| entries as f64 / seconds));
    let none = "there were no rounds";
    Ok(Verified {
        entries,
        bytes,
        exported_per_second: entries as f64 / exported,
        entries_per_second: per_second(&verifying).ok_or(none)?,
        hashed_per_second: per_second(&hashing).ok_or(none)?,
        times_hashing: Spread::ratio(&verifying, &hashing).ok_or(none)?,
    })
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Fault> {
    for item in fs::read_dir(folder)? {
        let item = item?;
        if item.file_type()?.is_dir() {
            list(&item.path(), files)?;
        } else {
            files.push(item.path());
        }
    }
    Ok(())
}
