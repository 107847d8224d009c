//! `sluis agreement` as its users meet it: two parties sign in a file, and everybody sees what it is worth (R17, R19).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "tests fail by panicking"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use sluis::domain::{Clock as _, time::SystemClock};

const ORIGIN: &str = "test.sluis.example/regio";
const GGZ: &str = "00000099000000003000";
const GEMEENTE: &str = "00000099000000004000";

/// The registers of the examples in a folder of their own, with keys of both parties.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        let files = Self(tempfile::tempdir().unwrap());
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
        let mut participants = fs::read_to_string(examples.join("participants.toml")).unwrap();
        for kid in ["ggz-1", "gemeente-1"] {
            let made = sluis(&["consent", "key", files.path(&format!("{kid}.pem")).to_str().unwrap()]);
            participants = participants.replace(&format!("@{kid}"), text(&made.stdout).trim());
        }
        fs::write(files.path("participants.toml"), participants).unwrap();
        fs::copy(examples.join("agreements.toml"), files.path("agreements.toml")).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn agreements(&self) -> String {
        fs::read_to_string(self.path("agreements.toml")).unwrap()
    }

    fn edit(&self, from: &str, to: &str) {
        let before = self.agreements();
        assert!(before.contains(from), "{from}");
        fs::write(self.path("agreements.toml"), before.replacen(from, to, 1)).unwrap();
    }

    fn agreement(&self, command: &str, arguments: &[&str]) -> Output {
        let (participants, agreements) = (self.path("participants.toml"), self.path("agreements.toml"));
        let files = [
            "agreement",
            command,
            "--participants",
            participants.to_str().unwrap(),
            "--agreements",
            agreements.to_str().unwrap(),
        ];
        sluis(&[&files, arguments].concat())
    }

    fn sign(&self, id: &str, oin: &str, kid: &str) -> Output {
        let key = self.path(&format!("{kid}.pem"));
        self.agreement("sign", &["--id", id, "--as", oin, "--kid", kid, "--key", key.to_str().unwrap()])
    }

    fn check(&self) -> (Option<i32>, Vec<Value>) {
        let done = self.agreement("check", &["--origin", ORIGIN, "--json"]);
        let lines = text(&done.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (done.status.code(), lines)
    }
}

fn sluis(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluis")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn assert_signed(done: &Output) {
    assert!(done.status.success(), "{}", text(&done.stderr));
}

#[test]
fn r17_two_parties_sign_and_a_change_takes_it_away() {
    let files = Files::new();
    let (status, lines) = files.check();
    assert_eq!((status, lines.len()), (Some(1), 2), "{lines:?}");
    for (line, party) in lines.iter().zip(["source", "requester"]) {
        assert_eq!(line["item"], "agreement 1 (AGR-0001)");
        assert!(line["fault"].as_str().unwrap().contains(&format!("is not signed by the {party}")), "{line}");
    }
    let before = files.agreements();
    assert_signed(&files.sign("AGR-0001", GGZ, "ggz-1"));
    assert_eq!(files.check().0, Some(1), "one signature is none");
    assert_signed(&files.sign("AGR-0001", GEMEENTE, "gemeente-1"));
    assert!(files.agreements().starts_with(before.trim_end()), "the rest of the file stays as it is");

    let today = SystemClock.now().day();
    let (status, lines) = files.check();
    assert_eq!((status, lines.len()), (Some(0), 1), "{lines:?}");
    let shown = &lines[0];
    assert_eq!((&shown["agreement"], &shown["state"]), (&"AGR-0001".into(), &"active".into()), "{shown}");
    assert_eq!(shown["signed_by"], serde_json::json!({ "source": "ggz-1", "requester": "gemeente-1" }));
    let review = sluis::domain::time::parse_day("2028-06-30").unwrap();
    assert_eq!(shown["days_to_review"], (review - today).whole_days());
    let told = text(&files.agreement("list", &["--origin", ORIGIN]).stdout);
    assert!(told.contains("AGR-0001  active") && told.contains("signed with ggz-1 and gemeente-1"), "{told}");

    // Another gateway's is not this one's.
    let elsewhere = files.agreement("check", &["--origin", "test.sluis.example/elders"]);
    assert_eq!(elsewhere.status.code(), Some(1));
    let told = text(&elsewhere.stdout);
    assert!(told.contains("FAULT  agreements: agreement 1 (AGR-0001): `region` must be"), "{told}");

    files.edit("\"TR-04\"", "\"TR-05\"");
    let (status, lines) = files.check();
    assert_eq!((status, lines.len()), (Some(1), 2), "{lines:?}");
    for party in [(GGZ, "ggz-1"), (GEMEENTE, "gemeente-1")] {
        assert_signed(&files.sign("AGR-0001", party.0, party.1));
    }
    assert_eq!(files.check().0, Some(0), "signed anew, it holds again");
}

#[test]
fn r19_states_and_all_faults_are_shown_at_once() {
    let files = Files::new();
    let first = files.agreements();
    let block = first.split_once("[[agreement]]").unwrap().1;
    let today = SystemClock.now().day();
    let on = |days: i64| (today + time::Duration::days(days)).to_string();
    let another = |id: &str, days: [i64; 3], renews: &str| {
        let [starts, ends, review] = days.map(on);
        let text = block
            .replace("AGR-0001", id)
            .replace("\"2026-01-01\"", &format!("{starts:?}"))
            .replace("\"2028-12-31\"", &format!("{ends:?}"))
            .replace("\"2028-06-30\"", &format!("{review:?}"));
        format!("\n[[agreement]]{text}{renews}")
    };
    let days = |n: i64| [0, 400 + n, 300 + n];
    let added = [
        another("AGR-0002", [0, 90, 60], ""),
        another("AGR-0003", days(0), ""),
        another("AGR-0004", [1, 401, 301], "renews = \"AGR-0003\"\n"),
        another("AGR-0005", [0, 40, 30], ""),
        another("AGR-0006", [31, 331, 231], "renews = \"AGR-0005\"\n"),
    ];
    // The examples' keys hold from 2026 on, so these agreements can start today.
    fs::write(files.path("agreements.toml"), first.clone() + &added.concat()).unwrap();
    for n in 1..=6 {
        let id = format!("AGR-000{n}");
        assert_signed(&files.sign(&id, GGZ, "ggz-1"));
        assert_signed(&files.sign(&id, GEMEENTE, "gemeente-1"));
    }
    let (status, lines) = files.check();
    assert_eq!(status, Some(0), "{lines:?}");
    let states: Vec<_> = lines.iter().map(|line| line["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["active", "review_due", "active", "not_yet", "active", "not_yet"]);
    assert_eq!(lines[2]["renewed_from"], on(1));
    assert_eq!(lines[3]["renews"], "AGR-0003");

    files.edit("AGR-0003\"\n", "AGR-0009\"\n");
    files.edit("JOB_COACHING", "FRAUD");
    let (status, lines) = files.check();
    assert_eq!(status, Some(1));
    let faults: Vec<_> = lines.iter().filter_map(|line| line["fault"].as_str()).collect();
    for said in ["never served", "renews `AGR-0003`, which is not in the file"] {
        assert!(faults.iter().any(|fault| fault.contains(said)), "{said}: {faults:?}");
    }
    assert!(
        lines.iter().any(|line| line["agreement"] == "AGR-0002"),
        "what is sound is shown too: {lines:?}"
    );
}

#[test]
fn a_signature_that_would_not_hold_is_not_made() {
    let files = Files::new();
    let before = files.agreements();
    for (done, said) in [
        (files.sign("AGR-0002", GGZ, "ggz-1"), "no agreement `AGR-0002`"),
        (files.sign("AGR-0001", "00000099000000005000", "ggz-1"), "neither source nor requester"),
        (files.sign("AGR-0001", GGZ, "gemeente-1"), "is not registered with"),
        (files.sign("AGR-0001", GGZ, "nobody-1"), "cannot read an Ed25519 key"),
    ] {
        assert_eq!(done.status.code(), Some(1));
        assert!(text(&done.stderr).contains(said), "{said}: {}", text(&done.stderr));
    }
    fs::copy(files.path("gemeente-1.pem"), files.path("ggz-1.pem")).unwrap();
    let done = files.sign("AGR-0001", GGZ, "ggz-1");
    assert!(text(&done.stderr).contains("is not the one that is registered as `ggz-1`"));
    assert_eq!(files.agreements(), before, "nothing was written");
}
