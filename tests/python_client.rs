//! What the Python client signs, the gateway reads. `clients/python/test_sluis_client.py` writes the same file again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail in any way")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use sluis::{
    consent::{
        Binding, BindingSalt, Form, Grant,
        form::FORM_TYPE,
        grant::GRANT_TYPE,
        jws::{self, Unverified},
    },
    domain::Bsn,
};

fn read(path: &str) -> Value {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(root.join(path)).unwrap()).unwrap()
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
