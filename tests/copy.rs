//! `sluis store copy` as an operator meets it: what it prints, what it refuses, and what becomes of it when it is killed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "tests fail by panicking"
)]

#[path = "gateway/database.rs"]
#[allow(dead_code, reason = "shared with other tests, which use other parts of it")]
mod database;

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use sluis::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        writer::{Parts, Work, Writer},
    },
    domain::time::SystemClock,
    note::NoteSigner,
    storage::{Database, DatabaseAddress, OpenFault, Store as _, sqlite::SqliteStore},
    subject::KeyRing,
};

const ORIGIN: &str = "test.sluis.example/moved/2026";

fn copy(from: &str, to: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
    command.args(["store", "copy", "--json", "--from", from, "--to", to]);
    command
}

fn sluis(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluis")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Makes a log of so many entries in this folder. Gives its public key.
async fn make_log(folder: &Path, entries: usize) -> String {
    let store = Arc::new(SqliteStore::open(folder).await.unwrap());
    let keys = Arc::new(KeyRing::open(&folder.join("keys")).unwrap());
    let signer = NoteSigner::new(ORIGIN, keys.log_key(0).unwrap()).unwrap();
    let key = signer.verifier().to_string();
    let parts =
        Parts { store: Arc::<SqliteStore>::clone(&store), keys, signer, clock: Arc::new(SystemClock) };
    let (log, task) = Writer::start(parts, ORIGIN.to_owned()).await.unwrap();
    log.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, json!({})))).await.unwrap();
    // More at a time than the log's queue takes would be turned away.
    for some in (1..entries).collect::<Vec<_>>().chunks(1_000) {
        let commit = |n: &usize| {
            let entry = NewEntry::of_gateway(Kind::Policy, json!({ "n": n }));
            let log = log.clone();
            tokio::spawn(async move { log.commit(Work::Append(entry)).await.unwrap() })
        };
        for one in some.iter().map(commit).collect::<Vec<_>>() {
            one.await.unwrap();
        }
    }
    drop(log);
    task.await.unwrap();
    store.close().await;
    key
}

fn address(place: &str) -> DatabaseAddress {
    place.parse().unwrap()
}

/// How many entries a gateway that starts there would go on from; `None` if it would not start, or begin a log.
async fn writable(place: &str) -> Option<u64> {
    match Database::open(&address(place)).await {
        Ok(database) => {
            let head = database.shared().head().await.unwrap();
            database.shared().close().await;
            head.map(|head| head.size)
        }
        Err(OpenFault::Arriving | OpenFault::Left) => None,
        Err(fault) => panic!("{fault}"),
    }
}

#[tokio::test]
async fn a_moved_log_verifies_where_it_is_and_is_closed_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (first, last) = (folder.path().join("first"), folder.path().join("last"));
    let key = make_log(&first, 700).await;
    let postgres = database::fresh().await;
    let mut root = Value::Null;
    for (from, to) in [(path(&first), postgres.as_str()), (&postgres, path(&last))] {
        let done = copy(from, to).output().unwrap();
        assert!(done.status.success(), "{}", text(&done.stderr));
        assert_eq!(text(&done.stderr), "", "no progress where nobody looks");
        let printed = text(&done.stdout);
        assert!(!printed.contains("sluis:") && !printed.contains('@'), "no password, no user: {printed}");
        let told: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!((&told["entries"], &told["tables"]["entry"]), (&json!(700), &json!(700)));
        assert_eq!((&told["tables"]["tile"], &told["tables"]["head"]), (&json!(2), &json!(1)));
        assert_eq!((&told["origin"], &told["moved_before"]), (&json!(ORIGIN), &json!(false)));
        assert!(root.is_null() || root == told["root"]);
        root = told["root"].clone();
        assert_eq!((writable(from).await, writable(to).await), (None, Some(700)));

        // The same again finds that all is done.
        let again = copy(from, to).output().unwrap();
        let told: Value = serde_json::from_str(&text(&again.stdout)).unwrap();
        assert_eq!((&told["moved_before"], &told["root"]), (&json!(true), &root));
    }
    // A copy from where it was would be a second continuation.
    let fork = copy(path(&first), path(&folder.path().join("fork"))).output().unwrap();
    assert_eq!(fork.status.code(), Some(1));
    assert!(text(&fork.stderr).contains("second continuation"), "{}", text(&fork.stderr));
    let left =
        sluis(&["audit", "export", "--data-dir", path(&first), "--out", path(&folder.path().join("x"))]);
    assert_eq!(left.status.code(), Some(1), "no entry is written to a store that was left");

    // With its keys, it goes on and verifies under the same public key.
    std::fs::create_dir(last.join("keys")).unwrap();
    for file in std::fs::read_dir(first.join("keys")).unwrap() {
        let file = file.unwrap().path();
        std::fs::copy(&file, last.join("keys").join(file.file_name().unwrap())).unwrap();
    }
    let out = folder.path().join("out");
    let exported = sluis(&["audit", "export", "--data-dir", path(&last), "--out", path(&out), "--json"]);
    assert!(exported.status.success(), "{}", text(&exported.stderr));
    let told: Value = serde_json::from_slice(&exported.stdout).unwrap();
    assert_eq!((&told["entries"], &told["key"], &told["logged"]), (&json!(701), &json!(key), &json!(true)));
    let verified = sluis(&["audit", "verify", path(&out), "--trust", path(&out.join("policy.txt"))]);
    assert_eq!(verified.status.code(), Some(0), "{}", text(&verified.stdout));
}

/// Killed without warning, again and again, a little later each time.
async fn killed_until_it_is_done(from: &str, to: &str, entries: u64) {
    let (mut kills, mut patience) = (0, Duration::from_millis(30));
    let told = loop {
        let running = copy(from, to).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut running = running.unwrap();
        let done = tokio::time::timeout(patience, async {
            // Looks often, so that the time of the kill is not in steps.
            while running.try_wait().unwrap().is_none() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        if done.await.is_ok() {
            let done = running.wait_with_output().unwrap();
            assert!(done.status.success(), "after {kills} kills: {}", text(&done.stderr));
            break serde_json::from_slice::<Value>(&done.stdout).unwrap();
        }
        running.kill().unwrap();
        running.wait().unwrap();
        kills += 1;
        patience += Duration::from_millis(60);
        let (left, right) = (writable(from).await, writable(to).await);
        assert!(left.is_none() || right.is_none(), "two logs after {kills} kills");
        assert!([left, right].iter().flatten().all(|size| *size == entries));
    };
    assert!(kills > 0, "the log is too short for this test");
    assert_eq!(told["entries"], entries);
    assert_eq!((writable(from).await, writable(to).await), (None, Some(entries)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (first, last) = (folder.path().join("first"), folder.path().join("last"));
    make_log(&first, 6_000).await;
    let postgres = database::fresh().await;
    killed_until_it_is_done(path(&first), &postgres, 6_000).await;
    killed_until_it_is_done(&postgres, path(&last), 6_000).await;
}

#[tokio::test]
async fn a_store_that_a_gateway_uses_is_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let (first, other) = (folder.path().join("first"), folder.path().join("other"));
    make_log(&first, 3).await;
    let postgres = database::fresh().await;
    for place in [path(&first), postgres.as_str()] {
        let gateway = Database::open(&address(place)).await.unwrap();
        for (from, to) in [(place, path(&other)), (path(&other), place)] {
            if from == path(&other) {
                make_log(&other, 3).await;
            }
            let refused = copy(from, to).output().unwrap();
            assert_eq!(refused.status.code(), Some(1));
            let told = text(&refused.stderr);
            assert!(told.contains("is in use; stop every gateway"), "{told}");
            assert!(!told.contains('@'), "no password, no user: {told}");
        }
        gateway.shared().close().await;
        drop(gateway);
        std::fs::remove_dir_all(&other).unwrap();
    }
    let nothing = copy(path(&folder.path().join("nowhere")), &postgres).output().unwrap();
    assert!(text(&nothing.stderr).contains("there is no log in"), "{}", text(&nothing.stderr));
    assert!(!folder.path().join("nowhere").exists(), "looking for a log does not make one");
    let same = copy(path(&first), path(&folder.path().join("first/../first"))).output().unwrap();
    assert!(text(&same.stderr).contains("the same place"), "{}", text(&same.stderr));
}
