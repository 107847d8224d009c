//! The part of the story that a privacy officer plays: export, verify, and find what was tampered with.

use std::{fs, path::Path};

use super::super::{World, tell::Teller};
use crate::audit::{
    export::stored::{self, Openings},
    report::Report,
    verify::{VerifyOptions, verify_export},
};
use crate::note::VerifierKey;

fn verified(dir: &Path, key: &VerifierKey) -> Report {
    verify_export(dir, &VerifyOptions { trust: Some(vec![key.clone()]), since: None, progress: None })
}

pub(super) async fn story(teller: &mut Teller, world: &World, dir: &Path) -> Result<(), String> {
    let key: VerifierKey = world.gateway.verifier_key.parse().map_err(|_| "the log has no key".to_owned())?;
    fs::write(dir.join("trust.txt"), format!("{key}\n")).map_err(|fault| fault.to_string())?;
    let out = dir.join("export");
    let openings = Openings { details: false, sealed: true };
    // Whichever instance it is exported through, it is one log.
    let gateway = world.others.last().unwrap_or(&world.gateway);
    let store = gateway.store.as_ref();
    let summary = stored::export(store, &out, std::slice::from_ref(&key), openings, |_, _| {})
        .await
        .map_err(|fault| fault.to_string())?;
    teller.tell(
        "export",
        "the log is exported as files",
        &format!("{} entries in {}", summary.entries, out.display()),
        summary.root_matches,
        &[],
    );
    let report = verified(&out, &key);
    teller.tell(
        "verify",
        "the export verifies offline: signature, root, every entry, every request with one outcome",
        &format!(
            "{} entries, {} findings, exit status {}",
            report.entries,
            report.findings.len(),
            report.exit_code()
        ),
        report.exit_code() == 0 && report.anchored,
        &report.to_string().lines().map(ToOwned::to_owned).collect::<Vec<_>>(),
    );
    tamper(teller, &out, &key)
}

/// Flips the lowest bit of one byte in the middle of the entries.
fn tamper(teller: &mut Teller, out: &Path, key: &VerifierKey) -> Result<(), String> {
    let entries = out.join("tile/entries");
    let bundle = first_file(&entries).ok_or("the export has no entries")?;
    let mut bytes = fs::read(&bundle).map_err(|fault| fault.to_string())?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    fs::write(&bundle, &bytes).map_err(|fault| fault.to_string())?;
    let report = verified(out, key);
    let found = report.findings.first().map(ToString::to_string).unwrap_or_default();
    teller.tell(
        "tamper",
        "one bit of the export is flipped: the verifier finds it",
        &format!("exit status {}: {found}", report.exit_code()),
        report.exit_code() == 4,
        &[],
    );
    // Put back, so that whoever looks at the export later finds it whole.
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    fs::write(&bundle, &bytes).map_err(|fault| fault.to_string())
}

/// The first file in a folder, however deep.
fn first_file(folder: &Path) -> Option<std::path::PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.into_iter().find_map(|path| if path.is_dir() { first_file(&path) } else { Some(path) })
}
