//! What the Python client signs, the gateway reads; and what the gateway answers, the Python client verifies.
//! `clients/python/test_sluis_client.py` writes the signed form again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

#[path = "gateway/database.rs"]
#[allow(dead_code, reason = "shared with the tests of the gateway")]
mod database;

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sluis::{
    audit::{
        note::{NoteSigner, VerifierKey},
        receipt,
    },
    consent::{
        Binding, BindingSalt, Form, Grant,
        form::FORM_TYPE,
        grant::GRANT_TYPE,
        jws::{self, Unverified},
    },
    demo::{World, WorldOptions},
    domain::Bsn,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(root().join(path)).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

#[test]
fn a_form_signed_by_the_python_client_is_read() {
    let (signed, written) = (read("clients/python/signed-main-form.json"), read("demo/forms/main.json"));
    let public: [u8; 32] = bytes(&signed["public"]).try_into().unwrap();
    let payload = |text: &Value, typ: &str| -> Result<Vec<u8>, jws::JwsFault> {
        let unverified = Unverified::parse(text.as_str().unwrap(), typ)?;
        assert_eq!(unverified.kid(), "kade-1");
        unverified.verify(&public)
    };
    let form = Form::parse(&payload(&signed["form"], FORM_TYPE).unwrap()).unwrap();
    assert_eq!(form.recorder.as_str(), written["recorder"]);
    let bsn = Bsn::parse(written["bsn"].as_str().unwrap()).unwrap();
    let grants = signed["grants"].as_array().unwrap();
    assert_eq!(form.grants.len(), grants.len());
    for (grant, named) in grants.iter().zip(&form.grants) {
        let payload = payload(&grant["jws"], GRANT_TYPE).unwrap();
        let read = Grant::parse(&payload, "grant").unwrap();
        assert_eq!((read.id, Grant::digest(&payload)), *named);
        assert_eq!((read.form, read.signed_on, read.evidence), (form.id, form.signed_on, form.sha256));
        let salt = BindingSalt::from_bytes(&bytes(&grant["salt"])).unwrap();
        assert_eq!(read.person, Binding::of(&salt, &bsn));
        assert_eq!(read.payload().unwrap(), payload, "both write the same canonical JSON");
    }
}

/// Runs a program of the Python client.
fn python(program: &str, arguments: &[&str]) -> Output {
    let Some(python) = std::env::var_os("SLUIS_PYTHON") else {
        panic!(
            "SLUIS_PYTHON must name a Python that has clients/python/requirements.txt; ./scripts/test makes one, or: \
             python3 -m venv target/python && target/python/bin/pip install -r clients/python/requirements.txt && \
             SLUIS_PYTHON=$PWD/target/python/bin/python cargo test"
        );
    };
    let folder = root().join("clients/python");
    let mut command = Command::new(python);
    // Compiled files would lie about in the repository.
    command.arg("-B").arg(folder.join(program)).args(arguments).current_dir(folder);
    command.output().expect("SLUIS_PYTHON can be run")
}

#[track_caller]
fn assert_status(output: &Output, status: i32) {
    let (told, faults) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{told}\n{faults}");
}

/// The profile that `example.py` takes, in the folder of a region.
fn write_profile(world: &World) -> PathBuf {
    let profile = serde_json::json!({
        "gateway": format!("localhost:{}", world.gateway.address.port()),
        "ca": "certs/ca.pem",
        "log_vkey": world.gateway.verifier_key,
        "recorder_certificate": "certs/kade.pem",
        "recorder_key": "certs/kade.key",
        "signing_key": "signing/kade-1.pem",
        "kid": "kade-1",
        "requester_certificate": "certs/waterrijk.pem",
        "requester_key": "certs/waterrijk.key",
        "form": root().join("demo/forms/main.json"),
    });
    let path = world.dir.join("python.json");
    std::fs::write(&path, profile.to_string()).unwrap();
    path
}

/// A key of the same name that did not sign this log.
fn other_key(world: &World) -> VerifierKey {
    let own: VerifierKey = world.gateway.verifier_key.parse().unwrap();
    let key = NoteSigner::generate_pkcs8().unwrap();
    NoteSigner::from_pkcs8(own.name(), &key).unwrap().verifier().clone()
}

#[test]
fn p07_the_python_example_records_asks_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut options = WorldOptions::new(&folder.path().join("region"));
    options.database = runtime.block_on(database::chosen());
    let world = runtime.block_on(World::start(options)).unwrap();
    let profile = write_profile(&world);
    let profile = profile.to_str().unwrap();
    let kept = folder.path().join("receipt.json");
    let kept = kept.to_str().unwrap();

    let example = python("example.py", &["--profile", profile, "--receipt", kept]);
    assert_status(&example, 0);
    let told = String::from_utf8(example.stdout).unwrap();
    for part in
        ["with 2 grants", "UWV Waterregio", "GGZ De Kade", "hours_per_week", "the receipt holds: 2 entries"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let other = other_key(&world).to_string();
    let with_other = python("example.py", &["--profile", profile, "--log-vkey", &other]);
    assert_status(&with_other, 1);
    let faults = String::from_utf8(with_other.stderr).unwrap();
    assert!(faults.contains("the receipt does not hold"), "{faults}");

    // The file that Python wrote, read by both.
    let own = world.gateway.verifier_key.clone();
    let trust: [VerifierKey; 1] = [own.parse().unwrap()];
    assert_status(&python("sluis_receipt.py", &[kept, "--log-vkey", &own]), 0);
    assert_status(&python("sluis_receipt.py", &[kept, "--log-vkey", &other]), 1);
    let report = receipt::verify_file(Path::new(kept), &trust);
    assert_eq!(report.exit_code(), 0, "{report}");
    tampered(Path::new(kept), &own, &trust);
    runtime.block_on(world.stop());
}

/// Both verifiers find what was changed in a receipt, part by part.
fn tampered(kept: &Path, own: &str, trust: &[VerifierKey]) {
    let good: Value = serde_json::from_slice(&std::fs::read(kept).unwrap()).unwrap();
    let path = kept.with_file_name("tampered.json");
    // Another first character is another value of what is in base64.
    let other_start = |text: &str| format!("{}{}", if text.starts_with('A') { "B" } else { "A" }, &text[1..]);
    let instead = |from: &'static str, to: &'static str| move |text: &str| text.replacen(from, to, 1);
    for (pointer, change) in [
        ("/answer", &other_start as &dyn Fn(&str) -> String),
        ("/answer_salt", &other_start),
        ("/entries/0/leaf", &instead("request", "outcome")),
        ("/entries/0/facts", &instead("REINTEGRATION", "JOB_PLACEMENT")),
        ("/entries/0/sealed", &other_start),
        ("/entries/1/facts", &instead("released", "refused")),
        ("/entries/1/proof", &instead("index ", "index 1")),
    ] {
        let mut bad = good.clone();
        let part = bad.pointer_mut(pointer).unwrap();
        *part = change(part.as_str().unwrap()).into();
        assert_ne!(bad, good, "{pointer}");
        std::fs::write(&path, bad.to_string()).unwrap();
        let report = receipt::verify_file(&path, trust);
        assert_ne!(report.exit_code(), 0, "{pointer}: {report}");
        assert_status(&python("sluis_receipt.py", &[path.to_str().unwrap(), "--log-vkey", own]), 1);
    }
}
