//! `sluis witness compare`: two witnesses, each shown another history.

use std::{fs, path::Path, process::Command};

use sluis::witness::checkpoint_path;

use crate::{
    http::{get, post},
    lab::{Log, ORIGIN, Witness, write_config},
};

fn compare(trust: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_sluis"))
        .args(["witness", "compare", "--trust"])
        .arg(trust)
        .args(arguments)
        .output()
        .unwrap();
    let told = [out.stdout, out.stderr].concat();
    (out.status.code(), String::from_utf8(told).unwrap())
}

#[test]
fn two_histories_show_as_soon_as_two_witnesses_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::new(ORIGIN);
    let trust = folder.path().join("trust.txt");
    fs::write(&trust, format!("{}\n", log.key())).unwrap();
    let start = |name: &str| Witness::start(&write_config(folder.path(), name, log.key()));
    let (one, two, three) = (start("w1"), start("w2"), start("w3"));
    let url = |witness: &Witness| format!("http://{}/{}", witness.address, checkpoint_path(ORIGIN));
    let add = |log: &Log, witness: &Witness, size| {
        assert_eq!(post(&witness.address, &log.request(0, size)).unwrap().status, 200);
    };
    add(&log, &one, 50);
    let (status, told) = compare(&trust, &["--url", &url(&one), &url(&two)]);
    assert_eq!(status, Some(5), "{told}");
    add(&log, &two, 50);
    let (status, told) = compare(&trust, &["--url", &url(&one), &url(&two)]);
    assert_eq!(status, Some(0), "{told}");
    log.rewrite(20);
    add(&log, &three, 50);
    let (status, told) = compare(&trust, &["--url", &url(&one), &url(&two), &url(&three)]);
    assert_eq!(status, Some(4), "{told}");
    assert!(told.contains("split view") && told.contains(&three.address), "{told}");

    // The same as files, which may have gone from hand to hand.
    let file = |name: &str, note: String| {
        let path = folder.path().join(name);
        fs::write(&path, note).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let shown =
        |witness: &Witness| get(&witness.address, &format!("/{}", checkpoint_path(ORIGIN))).unwrap().body;
    let (a, b) = (file("a", shown(&one)), file("b", shown(&three)));
    assert_eq!(compare(&trust, &[&a, &b]).0, Some(4));
    let c = file("c", log.signed(60));
    let (status, told) = compare(&trust, &[&b, &c]);
    assert_eq!(status, Some(3), "{told}");
    let forged = file("d", log.signed(50).replacen("\n50\n", "\n51\n", 1));
    assert_eq!(compare(&trust, &[&b, &forged]).0, Some(5));
    let other = file("e", Log::new(ORIGIN).signed(50));
    assert_eq!(compare(&trust, &[&b, &other]).0, Some(5), "not the log's key: proves nothing");
}
