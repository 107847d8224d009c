//! The command line as a script meets it: names, JSON, exit statuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "tests fail by panicking"
)]

#[path = "gateway/database.rs"]
#[allow(dead_code, reason = "shared with the tests of the gateway")]
mod database;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

fn sluis(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluis")).args(arguments).output().unwrap()
}

/// The demo in this folder. Where this run is about PostgreSQL, with two gateways on it.
fn demo(folder: &Path) -> Output {
    let mut arguments = vec!["demo", "--json", "--data-dir", path(folder)];
    let url;
    if database::on_postgres() {
        url = tokio::runtime::Runtime::new().unwrap().block_on(database::fresh());
        arguments.extend(["--instances", "2", "--database", &url]);
    }
    sluis(&arguments)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The whole story by its JSON; then its export, by the verifier's exit statuses.
#[test]
fn the_demo_holds_and_its_export_verifies_until_it_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    let region = folder.path().join("region");
    let told = demo(&region);
    let lines = text(&told.stdout);
    let steps: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(told.status.success(), "{lines}\n{}", text(&told.stderr));
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "start",
            "record_consent",
            "ask",
            "receipt",
            "above_ceiling",
            "other_municipality",
            "unknown_client",
            "enforcement",
            "withdraw",
            "ask_again",
            "erase",
            "export",
            "verify",
            "tamper",
            "witness",
        ]
    );
    for step in &steps {
        assert_eq!(step["ok"], true, "{step}");
        assert!(step["expect"].is_string() && step["outcome"].is_string(), "{step}");
    }

    // The gateway has stopped, so this export is itself an entry.
    let out = folder.path().join("out");
    let exported = sluis(&[
        "audit",
        "export",
        "--data-dir",
        path(&region),
        "--out",
        path(&out),
        "--json",
        "--details",
        "--sealed",
    ]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    let exported: Value = serde_json::from_slice(&exported.stdout).unwrap();
    assert_eq!(exported["logged"], true);
    let trust = region.join("trust.txt");
    let verify = |extra: &[&str]| {
        let arguments = [&["audit", "verify", path(&out), "--json"], extra].concat();
        let done = sluis(&arguments);
        (done.status.code().unwrap(), text(&done.stdout))
    };
    let (code, report) = verify(&["--trust", path(&trust)]);
    assert_eq!(code, 0, "{report}");
    assert_eq!(serde_json::from_str::<Value>(&report).unwrap()["anchored"], true);
    let (code, report) = verify(&[]);
    assert_eq!(
        (code, serde_json::from_str::<Value>(&report).unwrap()["anchored"].clone()),
        (0, Value::Bool(false))
    );
    let human = text(&sluis(&["audit", "verify", path(&out)]).stdout);
    assert!(human.contains("keys from the export itself, not anchored"), "{human}");

    let opened = out.join("opened/000.jsonl");
    let whole = fs::read_to_string(&opened).unwrap();
    fs::write(&opened, whole.replacen("NO_GRANT", "RELEASED", 1)).unwrap();
    assert_eq!(verify(&[]).0, 4, "a changed reason is found");
    fs::write(&opened, whole).unwrap();
    fs::remove_file(out.join("checkpoint")).unwrap();
    assert_eq!(verify(&[]).0, 5, "an export without a checkpoint is unreadable");
}

#[test]
fn a_folder_that_is_in_use_or_empty_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("something"), "here").unwrap();
    let told = sluis(&["demo", "--json", "--data-dir", path(folder.path())]);
    assert_eq!(told.status.code(), Some(1));
    let step: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((step["step"].as_str(), &step["ok"]), (Some("demo"), &Value::Bool(false)));
    let out = folder.path().join("out");
    let exported = sluis(&["audit", "export", "--data-dir", path(folder.path()), "--out", path(&out)]);
    assert_eq!(exported.status.code(), Some(1));
    assert!(!folder.path().join("sluis.db").exists(), "looking for a log does not make one");
}

#[test]
fn wrong_command_lines_and_files_have_their_statuses() {
    assert_eq!(sluis(&[]).status.code(), Some(2));
    assert_eq!(sluis(&["request"]).status.code(), Some(2));
    assert_eq!(sluis(&["serve", "--config", "/nowhere/sluis.toml"]).status.code(), Some(1));
    assert_eq!(sluis(&["audit", "verify", "/nowhere"]).status.code(), Some(5));
    for command in [
        &["serve"][..],
        &["source"],
        &["demo"],
        &["certs"],
        &["request"],
        &["agreement", "sign"],
        &["agreement", "check"],
        &["consent", "record"],
        &["consent", "show"],
        &["consent", "withdraw"],
        &["consent", "key"],
        &["log", "key", "next"],
        &["log", "rotate"],
        &["log", "anew"],
        &["audit", "export"],
        &["audit", "verify"],
        &["audit", "show"],
    ] {
        let help = sluis(&[command, &["--help"]].concat());
        assert!(help.status.success(), "{command:?}");
        assert!(text(&help.stdout).lines().count() > 8, "the help of {command:?} is worth reading");
    }
}

#[test]
fn a_receipt_is_verified_by_itself_and_several_shards_in_either_language() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/broken-logs");
    let at = |name: &str| path(&corpus.join(name)).to_owned();
    let (receipt, trust) = (at("receipts/granted.json"), at("trust.txt"));
    let verify = ["audit", "verify", &receipt, "--trust", &trust];
    assert_eq!(sluis(&verify).status.code(), Some(0));
    for refused in [&["--since", &at("earlier/whole")][..], &["--require-witness"]] {
        let done = sluis(&[&verify, refused].concat());
        assert_eq!(done.status.code(), Some(1), "{refused:?}");
        assert!(text(&done.stderr).contains("receipt"), "{refused:?}");
    }
    let shards = [at("exports/whole"), at("exports/whole-erased")];
    let told = |language: &str| {
        let verify = ["audit", "verify", &shards[0], &shards[1], "--trust", &trust, "--language", language];
        text(&sluis(&verify).stdout)
    };
    assert!(told("en").contains("2 shards as a whole: tampered"), "{}", told("en"));
    assert!(told("nl").contains("2 delen als geheel: ermee geknoeid"), "{}", told("nl"));
}
