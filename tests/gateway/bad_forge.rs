//! A consent form taken apart, so that a test can change any part of it and sign it again as a recorder would.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sluis::{
    client::Profile,
    consent::{Grant, form::FORM_TYPE, grant::GRANT_TYPE, jws},
    demo::data,
    domain::{Clock as _, time::SystemClock},
    proto::{RecordConsentRequest, SignedGrant},
};
use uuid::Uuid;

use crate::lab::Lab;

/// The parts of a form. Before it is signed, the form is made to name its grants by id and hash.
#[derive(Clone)]
pub struct Forged {
    pub bsn: String,
    pub form: Value,
    pub grants: Vec<Value>,
    pub salts: Vec<Vec<u8>>,
    /// Whose key signs, under which name: the form, and the grants.
    pub form_key: (&'static str, &'static str),
    pub grant_key: (&'static str, &'static str),
    /// Whether the form names the grants as they are at the end.
    pub rename: bool,
}

/// A day counted from today, as on a form.
pub fn day(offset: i64) -> Value {
    let day = SystemClock.now().plus_millis(offset * 24 * 3_600_000).day();
    json!(day.to_string())
}

fn payload(jws: &str) -> Value {
    let payload = jws.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

pub fn canonical(value: &Value) -> Vec<u8> {
    serde_json_canonicalizer::to_vec(value).unwrap()
}

impl Forged {
    /// The main form of the demo, which records without a fault. Ids and salts are new each time.
    pub fn new(lab: &Lab) -> Self {
        Self::of(lab.sign("kade", data::MAIN_FORM), ("kade", "kade-1"))
    }

    /// A form that this recorder has signed with this key, taken apart.
    pub fn of(signed: RecordConsentRequest, signer: (&'static str, &'static str)) -> Self {
        Self {
            bsn: signed.bsn,
            form: payload(&signed.form),
            grants: signed.grants.iter().map(|grant| payload(&grant.jws)).collect(),
            salts: signed.grants.into_iter().map(|grant| grant.binding_salt).collect(),
            form_key: signer,
            grant_key: signer,
            rename: true,
        }
    }

    /// Sets a part of the form by its JSON pointer; what is missing on the way is made.
    pub fn set(&mut self, pointer: &str, value: Value) {
        set(&mut self.form, pointer, value);
    }

    /// Removes a part of the form.
    pub fn remove(&mut self, pointer: &str) {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        self.form.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    }

    /// Has the client refuse these on the form: recipient, purpose and source.
    pub fn refuse(&mut self, refused: &[(&str, &str, &str)]) {
        let refused = refused.iter().map(|(recipient, purpose, source)| {
            json!({ "recipient": recipient, "purpose": purpose, "source": source })
        });
        self.form["refusals"] = refused.collect();
    }

    /// Has a representative sign for a client of this age, by a right that began long ago.
    pub fn represented(&mut self, kind: &str, age: &str) {
        self.form["grantor"] = json!({
            "kind": kind, "client_age": age, "evidence_sha256": "ab".repeat(32), "from": "2026-01-01",
        });
        for grant in &mut self.grants {
            grant["given_by"] = json!(kind);
        }
    }

    /// Sets where the client was, on the form and its grants.
    pub fn context(&mut self, context: &str) {
        self.form["collection"]["context"] = json!(context);
        for grant in &mut self.grants {
            grant["context"] = json!(context);
        }
    }

    /// Sets a part of the first grant.
    pub fn grant(&mut self, name: &str, value: Value) {
        self.grants[0][name] = value;
    }

    /// Removes a part of the first grant.
    pub fn without(&mut self, name: &str) {
        self.grants[0].as_object_mut().unwrap().remove(name).unwrap();
    }

    /// So many copies of the first grant, each with an id of its own.
    pub fn multiply(&mut self, count: usize) {
        let copy = |_| {
            let mut grant = self.grants[0].clone();
            grant["grant_id"] = json!(Uuid::new_v4().to_string());
            grant
        };
        self.grants = (0..count).map(copy).collect();
        self.salts = vec![self.salts[0].clone(); count];
    }

    /// Signs it.
    pub fn sign(mut self, lab: &Lab) -> RecordConsentRequest {
        let key = |short| Profile::load(&lab.world.profile(short)).unwrap().signing_key().unwrap().1;
        let payloads: Vec<_> = self.grants.iter().map(canonical).collect();
        if self.rename {
            let named = self.grants.iter().zip(&payloads).map(|(grant, payload)| {
                json!({ "grant_id": grant["grant_id"], "sha256": hex::encode(Grant::digest(payload)) })
            });
            self.form["grants"] = named.collect();
        }
        let (short, kid) = self.grant_key;
        let grant_key = key(short);
        let grants = payloads.iter().zip(self.salts).map(|(payload, binding_salt)| SignedGrant {
            jws: jws::sign(payload, GRANT_TYPE, kid, &grant_key).unwrap(),
            binding_salt,
        });
        let grants = grants.collect();
        let (short, kid) = self.form_key;
        let form = jws::sign(&canonical(&self.form), FORM_TYPE, kid, &key(short)).unwrap();
        RecordConsentRequest { bsn: self.bsn, form, grants, validate_only: false }
    }
}

fn set(value: &mut Value, pointer: &str, new: Value) {
    let mut place = value;
    for name in pointer.split('/').skip(1) {
        place = match name.parse::<usize>() {
            Ok(index) => &mut place[index],
            Err(_) => &mut place[name],
        };
    }
    *place = new;
}
