//! `sluis policy prove` as its users meet it: what holds is written down, and what does not is shown by a question (P10).
//! These start cvc5.

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
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

const PLACEMENT: &str = "purposes/JOB_PLACEMENT.cedar";

fn shipped() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/policies"))
}

/// The shipped policies in a folder of their own, without their proof.
fn copy() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["", "purposes", "tests"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
        for entry in fs::read_dir(shipped().join(folder)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), dir.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    fs::remove_file(dir.path().join("proof.toml")).unwrap();
    dir
}

fn edit(dir: &Path, file: &str, from: &str, to: &str) {
    let text = fs::read_to_string(dir.join(file)).unwrap();
    assert!(text.contains(from), "there is no `{from}` in {file}");
    fs::write(dir.join(file), text.replace(from, to)).unwrap();
}

fn prove(dir: &Path, more: &[&str]) -> Output {
    let sluis = Path::new(env!("CARGO_BIN_EXE_sluis"));
    Command::new(sluis).args(["policy", "prove"]).arg(dir).args(more).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("{fault}: {output:?}"))
}

/// Job placement that asks the GGZ too, with everything that loading asks for.
fn with_trace_of_ggz() -> tempfile::TempDir {
    let dir = copy();
    edit(dir.path(), PLACEMENT, "[\"gemeente\", \"uwv\"]", "[\"gemeente\", \"uwv\", \"ggz\"]");
    edit(dir.path(), PLACEMENT, "@basis_receipt", "@basis_disclosure_ggz(\"BW 7:457\")\n@basis_receipt");
    edit(
        dir.path(),
        "guardrails.cedar",
        "when { context.purpose == \"JOB_PLACEMENT\" && context.source_kind == \"ggz\" }",
        "when { context.purpose == \"WAGE_VALUE\" && context.source_kind == \"ggz\" }",
    );
    dir
}

#[test]
fn p10_what_holds_is_written_down() {
    let dir = copy();
    let output = prove(dir.path(), &["--against", shipped().to_str().unwrap(), "--json"]);
    let told = json(&output);
    assert!(output.status.success() && told["ok"] == true && told["written"] == true, "{told}");
    assert!(told["solver"].as_str().unwrap().starts_with("cvc5 version "), "{told}");
    let findings = told["findings"].as_array().unwrap();
    assert!(findings.iter().all(|finding| finding["holds"] == true && finding["ms"].is_u64()), "{told}");
    for check in [
        "NEVER_ERRORS",
        "CAN_PERMIT",
        "CAN_FORBID",
        "KEEPS",
        "ALLOWS_NO_MORE",
        "WIDER_IS_ALL",
        "NARROWER_IS_ALL",
    ] {
        assert!(findings.iter().any(|finding| finding["check"] == check), "{check}");
    }
    let record = fs::read_to_string(dir.path().join("proof.toml")).unwrap();
    assert!(
        record.contains(told["hash"].as_str().unwrap()) && record.contains("allows_no_more = true"),
        "{record}"
    );

    fs::remove_file(dir.path().join("proof.toml")).unwrap();
    let output = prove(dir.path(), &["--dry-run"]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    for part in ["holds: of the", "none ever gives an error", "keeps to `invariant/consent-in-force`"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!dir.path().join("proof.toml").exists());
}

#[test]
fn p10_what_does_not_hold_is_shown_and_not_written_down() {
    let dir = with_trace_of_ggz();
    let output = prove(dir.path(), &[]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    for part in [
        "DOES NOT HOLD: everything that is permitted keeps to `invariant/no-trace-of-ggz`",
        "Geen spoor van de GGZ",
        "For the purpose \"JOB_PLACEMENT\"",
        "asks a source of the kind \"ggz\"",
        "vraagt voor het doel \"JOB_PLACEMENT\" bij een bron van de soort \"ggz\"",
        "Toegestaan door JOB_PLACEMENT/",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(told.matches("DOES NOT HOLD").count(), 1, "{told}");
    assert!(!dir.path().join("proof.toml").exists());

    let output = prove(dir.path(), &["--json", "--against", shipped().to_str().unwrap()]);
    let told = json(&output);
    assert!(!output.status.success() && told["ok"] == false && told["written"] == false, "{told}");
    let findings = told["findings"].as_array().unwrap();
    let broken: Vec<_> = findings.iter().filter(|finding| finding["holds"] == false).collect();
    let checks: Vec<_> = broken.iter().map(|finding| finding["check"].as_str().unwrap()).collect();
    assert_eq!(checks, ["KEEPS", "ALLOWS_NO_MORE"], "{told}");
    assert_eq!(broken[0]["id"], "invariant/no-trace-of-ggz");
    let example = &broken[0]["counter_example"];
    assert_eq!((&example["source_kind"], &example["permitted"]), (&"ggz".into(), &true.into()), "{example}");
    assert_eq!(told["change"]["wider"].as_array().unwrap().len(), 9, "{told}");
}

#[test]
fn without_a_solver_it_says_what_to_install() {
    let dir = copy();
    let sluis = Path::new(env!("CARGO_BIN_EXE_sluis"));
    let by_variable = Command::new(sluis)
        .args(["policy", "prove"])
        .arg(dir.path())
        .env("CVC5", "/nowhere/cvc5")
        .output()
        .unwrap();
    for output in [prove(dir.path(), &["--solver", "/nowhere/cvc5"]), by_variable] {
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("`/nowhere/cvc5`") && told.contains("apt-get install cvc5"), "{told}");
        assert!(output.stdout.is_empty() && !dir.path().join("proof.toml").exists());
    }
}
