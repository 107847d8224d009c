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
use ring::signature::Ed25519KeyPair;
use serde_json::Value;
use sluis::{
    audit::receipt,
    consent::{
        Binding, BindingSalt, Form, Grant,
        draft::FormDraft,
        form::FORM_TYPE,
        grant::GRANT_TYPE,
        jws::{self, Unverified},
        reconfirmation::{RECONFIRMATION_TYPE, Reconfirmation},
    },
    demo::{World, WorldOptions},
    domain::Bsn,
    note::{NoteSigner, VerifierKey},
};
use time::macros::date;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Value {
    serde_json::from_slice(&std::fs::read(root().join(path)).unwrap()).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(value.as_str().unwrap()).unwrap()
}

/// What the Python client signed, and the draft that it signed.
const SIGNED: [(&str, &str); 2] = [
    ("clients/python/signed-main-form.json", "demo/forms/main.json"),
    ("clients/python/signed-full-form.json", "clients/python/full-form.json"),
];

/// The payload of a JWS, once its signature verifies under the key that stands beside it.
#[track_caller]
fn payload(signed: &Value, text: &Value, typ: &str) -> Vec<u8> {
    let public: [u8; 32] = bytes(&signed["public"]).try_into().unwrap();
    let unverified = Unverified::parse(text.as_str().unwrap(), typ).unwrap();
    assert_eq!(unverified.kid(), "kade-1");
    unverified.verify(&public).unwrap()
}

#[test]
fn a_form_signed_by_the_python_client_is_read() {
    for (signed, draft) in SIGNED {
        let (signed, draft) = (read(signed), read(draft));
        let form = Form::parse(&payload(&signed, &signed["form"], FORM_TYPE)).unwrap();
        assert_eq!(form.recorder.as_str(), draft["recorder"]);
        let bsn = Bsn::parse(draft["bsn"].as_str().unwrap()).unwrap();
        let grants = signed["grants"].as_array().unwrap();
        assert_eq!(form.grants.len(), grants.len());
        for (grant, named) in grants.iter().zip(&form.grants) {
            let payload = payload(&signed, &grant["jws"], GRANT_TYPE);
            let read = Grant::parse(&payload, "grant").unwrap();
            assert_eq!((read.id, Grant::digest(&payload)), *named);
            assert_eq!(
                (read.form, read.signed_on, read.evidence),
                (form.id, form.evidence.signed_on, form.evidence.sha256)
            );
            let salt = BindingSalt::from_bytes(&bytes(&grant["salt"])).unwrap();
            assert_eq!(read.person, Binding::of(&salt, &bsn));
        }
        let payload = payload(&signed, &signed["reconfirmation"], RECONFIRMATION_TYPE);
        let read = Reconfirmation::parse(&payload).unwrap();
        assert_eq!((read.form, read.recorder), (form.id, form.recorder));
        assert_eq!(read.payload().unwrap(), payload);
    }
}

#[test]
fn of_one_draft_both_sign_the_same_bytes() {
    // The signatures are not compared: with one key and the same bytes they are the same.
    let own_key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    for (signed, draft) in SIGNED {
        let (signed, text) = (read(signed), std::fs::read_to_string(root().join(draft)).unwrap());
        let bsn = Bsn::parse(read(draft)["bsn"].as_str().unwrap()).unwrap();
        let form_payload = payload(&signed, &signed["form"], FORM_TYPE);
        let form = Form::parse(&form_payload).unwrap();
        let grants = signed["grants"].as_array().unwrap();

        let ids: Vec<_> = form.grants.iter().map(|(id, _)| *id).collect();
        let today = date!(2026 - 11 - 23);
        let draft = FormDraft::parse(&text).unwrap();
        let own = draft.sign_as("kade-1", &own_key, today, form.id, &mut |index| ids[index]).unwrap();

        let mut own_form = Form::parse(&jws::stored_payload(&own.form, FORM_TYPE).unwrap()).unwrap();
        for (index, (own, grant)) in own.grants.iter().zip(grants).enumerate() {
            let mut own = Grant::parse(&jws::stored_payload(&own.jws, GRANT_TYPE).unwrap(), "grant").unwrap();
            // A salt is random, and by it alone the person differs, and by that the digest.
            let salt = BindingSalt::from_bytes(&bytes(&grant["salt"])).unwrap();
            own.person = Binding::of(&salt, &bsn);
            let own = own.payload().unwrap();
            own_form.grants[index].1 = Grant::digest(&own);
            assert_same(&own, &payload(&signed, &grant["jws"], GRANT_TYPE));
        }
        assert_same(&own_form.payload().unwrap(), &form_payload);
    }
}

#[track_caller]
fn assert_same(own: &[u8], theirs: &[u8]) {
    assert_eq!(String::from_utf8_lossy(own), String::from_utf8_lossy(theirs));
}

/// Runs a program of the Python client.
fn python(program: &str, arguments: &[&str]) -> Output {
    python_in(None, program, arguments)
}

/// The same; the tests that need a region find it by its profile.
fn python_in(profile: Option<&Path>, program: &str, arguments: &[&str]) -> Output {
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
    if let Some(profile) = profile {
        command.env("SLUIS_PROFILE", profile);
    }
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
    let report = receipt::verify_file(Path::new(kept), &trust, &[]);
    assert_eq!(report.exit_code(), 0, "{report}");
    tampered(Path::new(kept), &own, &trust);
    runtime.block_on(world.stop());
}

#[test]
fn the_python_client_takes_consents_through_their_life() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut options = WorldOptions::new(&folder.path().join("region"));
    options.database = runtime.block_on(database::chosen());
    let world = runtime.block_on(World::start(options)).unwrap();
    let profile = write_profile(&world);

    let example = python("example_consent.py", &["--profile", profile.to_str().unwrap()]);
    assert_status(&example, 0);
    let told = String::from_utf8(example.stdout).unwrap();
    for part in [
        "found: True; grants of it that end within a year: 2",
        "RENEWED, RENEWED",
        "PAUSED, PAUSED",
        "IN_FORCE, IN_FORCE",
        "WITHDRAWN, WITHDRAWN",
        "INVALIDATED, INVALIDATED",
        "told: invalidated",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let tests = python_in(Some(&profile), "test_life.py", &[]);
    assert_status(&tests, 0);
    // A test that does not find its region is skipped.
    let told = String::from_utf8(tests.stderr).unwrap();
    assert!(!told.contains("skipped"), "{told}");
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
        let report = receipt::verify_file(&path, trust, &[]);
        assert_ne!(report.exit_code(), 0, "{pointer}: {report}");
        assert_status(&python("sluis_receipt.py", &[path.to_str().unwrap(), "--log-vkey", own]), 1);
    }
}
