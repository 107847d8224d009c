//! The corpus in the repository: it is what its generator writes, it leaves out nothing that a small log can show, and
//! `sluis audit verify` says of it what stands there.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use sluis::audit::report::Code;

use crate::corpus::{self, files::Files};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken-logs")
}

#[test]
fn the_repository_holds_what_the_generator_writes() {
    let files = corpus::files().unwrap();
    for (path, content) in &files {
        let kept = fs::read(root().join(path)).unwrap_or_default();
        assert!(kept == *content, "{path} differs: run `cargo run --example broken_logs`");
    }
    let folders = corpus::FOLDERS.map(|folder| {
        let kept = Files::read(&root().join(folder)).unwrap().into_inner();
        kept.into_keys().map(move |name| format!("{folder}/{name}"))
    });
    let kept: BTreeSet<String> = folders.into_iter().flatten().collect();
    let generated: BTreeSet<String> = files.into_keys().filter(|path| path.contains('/')).collect();
    assert_eq!(kept, generated, "files that nobody writes any more: run `cargo run --example broken_logs`");
}

/// Read as anybody reads it, and run as anybody runs it.
#[test]
fn our_verifier_says_what_is_expected() {
    let expected: Value = serde_json::from_slice(&fs::read(root().join("expected.json")).unwrap()).unwrap();
    let mut exits = BTreeMap::<i64, u32>::new();
    for case in expected["cases"].as_array().unwrap() {
        let shards = case["shards"].as_array().map(Vec::as_slice).unwrap_or_default();
        let paths: Vec<&str> = shards.iter().chain([&case["path"]]).filter_map(Value::as_str).collect();
        let path = paths[0];
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
        command.current_dir(root()).args(["audit", "verify", "--json"]).args(&paths);
        if let Some(trust) = case["trust"].as_str() {
            command.args(["--trust", trust]);
        }
        if let Some(earlier) = case["earlier"].as_str() {
            command.args(["--since", earlier]);
        }
        let output = command.output().unwrap();
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("{path}: {fault}"));
        let exit = case["exit"].as_i64().unwrap();
        assert_eq!(output.status.code().map(i64::from), Some(exit), "{path}: {report}");
        let found = |value: &Value| {
            let findings = value.as_array().unwrap().iter();
            let mut found: Vec<_> =
                findings.map(|finding| (finding["position"].as_u64(), finding["code"].to_string())).collect();
            found.sort();
            found
        };
        // Of several shards what is found in each, and between them.
        let reports =
            report["shards"].as_array().map(Vec::as_slice).unwrap_or_default().iter().chain([&report]);
        let mut all: Vec<_> = reports.flat_map(|report| found(&report["findings"])).collect();
        all.sort();
        assert_eq!(all, found(&case["findings"]), "{path}: {report}");
        *exits.entry(exit).or_default() += 1;
    }
    assert_eq!(exits.keys().copied().collect::<Vec<_>>(), [0, 3, 4, 5]);
}

#[test]
fn every_code_has_a_case() {
    let found: BTreeSet<&str> = corpus::cases()
        .unwrap()
        .iter()
        .flat_map(|case| case.findings.iter().map(|(_, code)| *code))
        .collect();
    // A disk that fails, and a tile above level 0, which only 256 entries have. The order is that of the list of codes.
    let elsewhere = ["file_unreadable", "tile_mismatch"];
    let codes = Code::ALL.iter().map(|code| code.as_str());
    let left_out: Vec<&str> = codes.filter(|code| !found.contains(code)).collect();
    assert_eq!(left_out, elsewhere, "add a case to examples/broken_logs");
}
