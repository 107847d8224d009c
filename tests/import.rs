//! `sluis source import` as an operator meets it: the walk of docs/import.md, exit statuses, what is written and told.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

const ANNE: &str = "999990019";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Imports files, written here, as an FML into `statements.json` of a folder.
fn import(folder: &Path, files: &[(&str, &str)], extra: &[&str]) -> (i32, String, String) {
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
    }
    let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    let fixed =
        ["--assessor-role", "labour_expert", "--determined-on", "2026-09-14", "--out", "statements.json"];
    let format: &[&str] = if extra.contains(&"--format") { &[] } else { &["--format", "fml-csv"] };
    let arguments = [&["source", "import"], format, &fixed, extra, &names].concat();
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_sluis")).args(arguments).current_dir(folder).output().unwrap();
    (status.code().unwrap(), text(&stdout), text(&stderr))
}

fn fml(lines: &str) -> String {
    format!("bsn;item;option;note\n{}\n", lines.replace('@', ANNE))
}

fn statements(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("statements.json")).unwrap()).unwrap()
}

/// The commands of the page run as they stand there, and what comes of them is the file beside the examples.
#[test]
fn the_walk_of_the_page_gives_the_statements_of_the_examples() {
    let page = fs::read_to_string(root().join("docs/import.md")).unwrap();
    let walk = page.split("```sh\n").nth(1).unwrap().split("```").next().unwrap().replace("\\\n", " ");
    let folder = tempfile::tempdir().unwrap();
    let mut ran = 0;
    for line in walk.lines() {
        let words = line.split_whitespace().skip(1).map(|word| match word {
            "statements.json" => folder.path().join(word).display().to_string(),
            word => word.to_owned(),
        });
        let done =
            Command::new(env!("CARGO_BIN_EXE_sluis")).args(words).current_dir(root()).output().unwrap();
        assert!(done.status.success(), "{line}\n{}{}", text(&done.stdout), text(&done.stderr));
        ran += 1;
    }
    assert_eq!(ran, 3);
    let expected = fs::read(root().join("docs/examples/import/statements.json")).unwrap();
    assert_eq!(statements(folder.path()), serde_json::from_slice::<Value>(&expected).unwrap());
}

#[test]
fn good_records_are_written_and_refused_ones_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let good = fml("@;VI-2;3;Zie de rapportage");
    let bad = fml("999990032;VI-2;3;\n999990032;IV-2;1;geheim");
    let (code, told, fault) = import(folder.path(), &[("good.csv", &good), ("bad.csv", &bad)], &[]);
    assert_eq!((code, fault.as_str()), (1, ""));
    assert_eq!(
        told,
        "good.csv: 1 records read, 1 mapped, 0 refused\n  mapped: WT-02 1\n  not carried: free text: note (1)\n\
         bad.csv: 1 records read, 0 mapped, 1 refused\n  1 refused: is never carried (DH-02)\n    record 1, line 3, item\n  \
         not carried: free text: note (1)\nstatements of 1 clients in statements.json\n"
    );
    let written = statements(folder.path());
    assert_eq!((written.as_array().unwrap().len(), &written[0]["bsn"]), (1, &Value::from(ANNE)));
    assert!(!written.to_string().contains("Zie"));
}

#[test]
fn strict_and_dry_runs_write_nothing() {
    let files = [("good.csv", fml("@;VI-2;3;")), ("bad.csv", fml("999990032;VI-2;9;"))];
    let [good, bad] = [0, 1].map(|at| (files[at].0, files[at].1.as_str()));
    for (files, extra, expected) in
        [(vec![good, bad], "--strict", 1), (vec![good], "--dry-run", 0), (vec![good, bad], "--dry-run", 1)]
    {
        let folder = tempfile::tempdir().unwrap();
        let (code, told, _) = import(folder.path(), &files, &[extra]);
        assert_eq!(code, expected, "{told}");
        assert!(told.ends_with("nothing was written to statements.json\n"), "{told}");
        assert!(!folder.path().join("statements.json").exists());
    }
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(import(folder.path(), &[good], &["--strict"]).0, 0);
    assert_eq!(statements(folder.path()).as_array().unwrap().len(), 1);
}

#[test]
fn json_is_an_object_for_each_refusal_and_a_summary() {
    let folder = tempfile::tempdir().unwrap();
    let bad = fml("@;VI-2;9;\n999990032;VI-2;1;");
    let (code, told, _) = import(folder.path(), &[("bad.csv", &bad)], &["--json"]);
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((code, lines.len()), (1, 2), "{told}");
    let refusal = &lines[0];
    assert_eq!((&refusal["file"], &refusal["reason"]), (&"bad.csv".into(), &"not_a_code".into()));
    assert_eq!((&refusal["line"], &refusal["field"]), (&2.into(), &"option".into()));
    let (file, written) = (&lines[1]["files"][0], &lines[1]["written"]);
    assert_eq!(
        (&file["read"], &file["mapped"], &file["refused"], written),
        (&2.into(), &1.into(), &1.into(), &true.into())
    );
    assert_eq!(file["codes"]["WT-02"], 1);
}

#[test]
fn held_groups_stay_unless_they_are_to_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (fml("@;VI-2;3;"), fml("@;VI-2;1;\n@;V-1;1;"));
    assert_eq!(import(folder.path(), &[("one.csv", &one)], &[]).0, 0);
    let (code, told, _) = import(folder.path(), &[("two.csv", &two)], &[]);
    assert_eq!(code, 1);
    assert!(told.contains(
        "is held already of this client; --replace replaces it\n    record 1, line 2, working_hours"
    ));
    assert_eq!(import(folder.path(), &[("two.csv", &two)], &["--only", "SH"]).0, 0);
    let hours = |folder| statements(folder)[0]["work_capacity"]["working_hours"]["hours_per_day"].clone();
    assert_eq!(hours(folder.path()), "HOURS_PER_DAY_ABOUT_FOUR");
    assert_eq!(import(folder.path(), &[("two.csv", &two)], &["--replace"]).0, 0);
    assert_eq!(hours(folder.path()), "HOURS_PER_DAY_ABOUT_EIGHT");
}

#[test]
fn wrong_command_lines_and_files_have_their_statuses() {
    let folder = tempfile::tempdir().unwrap();
    let good = fml("@;VI-2;3;");
    let files = [("good.csv", good.as_str())];
    assert_eq!(import(folder.path(), &[], &[]).0, 2, "no file");
    assert_eq!(import(folder.path(), &files, &["--format", "vum"]).0, 2, "no keys");
    assert_eq!(import(folder.path(), &files, &["--only", "XX"]).0, 2);
    assert_eq!(import(folder.path(), &files, &["--assessor-role", "doctor"]).0, 2);
    let (code, _, fault) = import(folder.path(), &files, &["--keys", "good.csv"]);
    assert_eq!((code, fault.as_str()), (1, "sluis: --keys is for VUM: the other formats have BSNs\n"));
    let (code, _, fault) = import(folder.path(), &files, &["--format", "vum", "--keys", "good.csv"]);
    assert_eq!((code, fault.as_str()), (1, "sluis: the keys `good.csv`: line 1 has no column `id`\n"));
    fs::write(folder.path().join("statements.json"), "{}").unwrap();
    let (code, _, fault) = import(folder.path(), &files, &[]);
    assert_eq!(
        (code, fault.as_str()),
        (1, "sluis: the statements `statements.json`: is not a JSON list of statements\n")
    );
    let serve =
        Command::new(env!("CARGO_BIN_EXE_sluis")).args(["source", "--config", "/nowhere"]).output().unwrap();
    assert_eq!(serve.status.code(), Some(1), "a source is still started as before");
}
