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

/// What counts of an export is its tree, and the log's signature on it: entries that are expired, erased or not opened say
/// nothing of another history.
#[test]
fn an_export_shows_which_views_are_a_beginning_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::new(ORIGIN);
    let path = |name: &str| folder.path().join(name);
    let (trust, export) = (path("trust.txt"), path("export"));
    fs::write(&trust, format!("{}\n", log.key())).unwrap();
    log.export(&export, 520);
    let view = |log: &Log, name: &str, size| {
        fs::write(path(name), log.signed(size)).unwrap();
        path(name).to_str().unwrap().to_owned()
    };
    let with = |views: &[&str]| compare(&trust, &[&["--export", export.to_str().unwrap()], views].concat());
    let sizes = [0, 1, 255, 256, 257, 512, 520];
    let own: Vec<String> = sizes.iter().map(|size| view(&log, &size.to_string(), *size)).collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    let (status, told) = with(&own);
    assert_eq!(status, Some(0), "{told}");
    let larger = view(&log, "larger", 521);
    let (status, told) = with(&[own[3], &larger]);
    assert_eq!((status, told.contains("larger")), (Some(3), true), "{told}");

    // Each of them alone, at a size that no other view has.
    log.rewrite(200);
    for size in [201, 255, 300, 519, 520] {
        let other = view(&log, "other", size);
        let (status, told) = with(&[own[0], &other, &larger]);
        assert_eq!((status, told.contains("does not begin with")), (Some(4), true), "{size}: {told}");
    }
    let before = view(&log, "before", 200);
    assert_eq!(with(&[&before]).0, Some(0), "up to there they are one");

    // Hashes that are not those that the log signed prove nothing, neither for nor against.
    let tile = export.join("tile/0/001");
    let mut bytes = fs::read(&tile).unwrap();
    bytes[40] ^= 1;
    fs::write(&tile, &bytes).unwrap();
    assert_eq!(with(&[own[1]]).0, Some(5));
    fs::remove_file(&tile).unwrap();
    assert_eq!(with(&[own[1]]).0, Some(5));
    log.export(&export, 520);
    assert_eq!(with(&[own[6], own[1]]).0, Some(4), "signed by the log, this one too");
    fs::write(export.join("checkpoint"), Log::new(ORIGIN).signed(520)).unwrap();
    assert_eq!(with(&[own[1]]).0, Some(5), "not by the log");
}
