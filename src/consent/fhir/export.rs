//! From a form to FHIR: a Bundle of one Consent, with what it refers to contained in it.

use serde_json::{Value, json};

use super::{
    draft::put,
    model::{Form, Grant, Refused},
    terms::{
        ALTERNATIVE, BASE, BSN, CLIENT, CLIENT_AGE, CONFIDENTIALITY, CONTEXT, DATA_ABSENT, EXPLANATION_TEXT,
        FIELD, GRANTOR, LOINC, LOINC_CONSENT, LOINC_RELEASE, METHOD, OIN, PARTICIPATION, PROFILE, PURPOSE,
        READING_LEVEL, ROLE, SCOPE, STATUS, WITHDRAWAL, code_system, extension,
    },
};
use crate::{
    catalogue::Mask,
    domain::{Bsn, Day, Oin, Role},
};

/// The Bundle of a form.
pub(super) fn bundle(form: &Form) -> Value {
    let mut entry = json!({ "resource": consent(form) });
    put(&mut entry, "fullUrl", form.recorded.map(|(id, _)| json!(format!("urn:uuid:{id}"))));
    json!({ "resourceType": "Bundle", "type": "collection", "entry": [entry] })
}

fn coding(system: &str, code: &str) -> Value {
    json!({ "system": system, "code": code })
}

fn ours(system: &str, code: &str) -> Value {
    coding(&code_system(system), code)
}

fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [coding(system, code)] })
}

/// A part of a complex extension; its url has no scheme.
fn part(url: &str, kind: &str, value: Value) -> Value {
    let mut part = json!({ "url": url });
    put(&mut part, kind, Some(value));
    part
}

fn coded(url: &str, system: &str, code: &str) -> Value {
    part(url, "valueCoding", ours(system, code))
}

fn role(url: &str, role: Role) -> Value {
    coded(url, ROLE, role.as_str())
}

fn day(url: &str, day: Day) -> Value {
    part(url, "valueDate", json!(day.to_string()))
}

/// A period that includes its end.
fn period(from: Day, until: Option<Day>) -> Value {
    let mut period = json!({ "start": from.to_string() });
    put(&mut period, "end", until.and_then(Day::previous_day).map(|end| json!(end.to_string())));
    period
}

/// Each organisation is contained once.
struct Organisations(Vec<Oin>);

impl Organisations {
    fn reference(&mut self, oin: Oin) -> Value {
        let at = self.0.iter().position(|known| *known == oin).unwrap_or_else(|| {
            self.0.push(oin);
            self.0.len() - 1
        });
        json!({ "reference": format!("#organisation-{}", at + 1) })
    }
}

fn consent(form: &Form) -> Value {
    let mut organisations = Organisations(Vec::new());
    let recorder = organisations.reference(form.recorder);
    let mut contained = vec![patient(form.bsn.as_ref()), paper(form, &mut organisations)];
    let signer = if form.grantor.kind == CLIENT {
        "#client"
    } else {
        contained.push(grantor(form));
        "#grantor"
    };
    let mut provisions: Vec<_> = form.grants.iter().map(|g| grant(g, &mut organisations)).collect();
    provisions.extend(form.refusals.iter().map(|refused| refusal(refused, &mut organisations)));
    for (at, oin) in organisations.0.iter().enumerate() {
        contained.push(json!({
            "resourceType": "Organization",
            "id": format!("organisation-{}", at + 1),
            "identifier": [{ "system": OIN, "value": oin.as_str() }],
        }));
    }
    let mut consent = json!({
        "resourceType": "Consent",
        "meta": { "profile": [PROFILE], "security": [coding(CONFIDENTIALITY, "R")] },
        "contained": contained,
        "extension": extensions(form),
        "status": status(form),
        "scope": concept(SCOPE, "patient-privacy"),
        "category": [concept(LOINC, LOINC_CONSENT)],
        "patient": { "reference": "#client" },
        "dateTime": form.signed_on.to_string(),
        "performer": [{ "reference": signer }],
        "organization": [recorder],
        "sourceReference": { "reference": "#form" },
        "policy": [{ "uri": format!("{EXPLANATION_TEXT}{}", form.explanation.text_version) }],
        "provision": { "type": "deny", "provision": provisions },
    });
    if let Some((id, _)) = form.recorded {
        put(&mut consent, "id", Some(json!(id.to_string())));
        let identifier = json!([{
            "system": format!("{BASE}/NamingSystem/form-id"),
            "value": format!("urn:uuid:{id}"),
        }]);
        put(&mut consent, "identifier", Some(identifier));
    }
    consent
}

/// `active` only if something is permitted: a reader who looks at the status alone must not be led to a wider answer.
fn status(form: &Form) -> &'static str {
    let is = |status: &str| form.grants.iter().any(|grant| grant.recorded.is_some_and(|(_, s)| s == status));
    if form.grants.is_empty() {
        "rejected"
    } else if form.grants.iter().any(Grant::permits) {
        "active"
    } else if is("RECORDED") || is("NOT_RECONFIRMED") {
        "proposed"
    } else {
        "inactive"
    }
}

fn extensions(form: &Form) -> Value {
    let (explanation, collection) = (&form.explanation, &form.collection);
    let mut signing = vec![
        coded("context", CONTEXT.system, collection.context),
        coded("method", METHOD.system, collection.method),
        coded("alternative", ALTERNATIVE.system, collection.alternative),
    ];
    signing.extend(collection.withdrawal.iter().map(|way| coded("withdrawal", WITHDRAWAL.system, way)));
    signing.push(role("verified-by", collection.verified_by));
    signing.push(day("verified-on", collection.verified_on));
    let mut extensions = vec![
        json!({
            "url": extension("explanation"),
            "extension": [
                part("language", "valueCode", json!(explanation.language)),
                coded("reading-level", READING_LEVEL.system, explanation.reading_level),
                role("explained-by", explanation.explained_by),
                day("explained-on", explanation.explained_on),
            ],
        }),
        json!({ "url": extension("collection"), "extension": signing }),
        coded(&extension("client-age"), CLIENT_AGE.system, form.grantor.client_age),
    ];
    if let Some((_, Some(time))) = form.recorded {
        extensions.push(part(&extension("recorded-at"), "valueInstant", json!(time.to_string())));
    }
    Value::from(extensions)
}

/// Without a number the client is there, and masked: a record does not have it.
fn patient(bsn: Option<&Bsn>) -> Value {
    let identifier = match bsn {
        Some(bsn) => json!({ "system": BSN, "value": bsn.reveal_text() }),
        None => json!({
            "system": BSN,
            "_value": { "extension": [{ "url": DATA_ABSENT, "valueCode": "masked" }] },
        }),
    };
    json!({ "resourceType": "Patient", "id": "client", "identifier": [identifier] })
}

fn grantor(form: &Form) -> Value {
    let mut person = json!({
        "resourceType": "RelatedPerson",
        "id": "grantor",
        "patient": { "reference": "#client" },
        "relationship": [{ "coding": [ours(GRANTOR.system, form.grantor.kind)] }],
    });
    if let Some(authority) = &form.grantor.authority {
        let proof = json!([{
            "url": extension("authority"),
            "extension": [part("evidence-sha256", "valueString", json!(authority.sha256))],
        }]);
        put(&mut person, "extension", Some(proof));
        put(&mut person, "period", Some(period(authority.from, authority.until)));
    }
    person
}

/// `attachment.hash` is a SHA-1 in R4, so the SHA-256 stands in an extension.
fn paper(form: &Form, organisations: &mut Organisations) -> Value {
    json!({
        "resourceType": "DocumentReference",
        "id": "form",
        "extension": [{
            "url": extension("printed-form"),
            "extension": [
                part("number", "valuePositiveInt", json!(form.form_number)),
                part("version", "valuePositiveInt", json!(form.form_version)),
            ],
        }],
        "status": "current",
        "type": concept(LOINC, LOINC_RELEASE),
        "subject": { "reference": "#client" },
        "custodian": organisations.reference(form.custodian),
        "content": [{ "attachment": {
            "extension": [part(&extension("sha-256"), "valueString", json!(form.sha256))],
            "contentType": form.media_type,
            "size": form.size,
        }}],
    })
}

fn actor(role: &str, reference: Value) -> Value {
    json!({ "role": concept(PARTICIPATION, role), "reference": reference })
}

fn labels(fields: Mask, ticked: Mask) -> Value {
    let label = |field: crate::catalogue::Field| {
        let mut label = ours(FIELD, field.entry().code);
        put(&mut label, "display", Some(json!(field.entry().label_nl)));
        let tick =
            ticked.has(field).then(|| json!([part(&extension("ticked-apart"), "valueBoolean", json!(true))]));
        put(&mut label, "extension", tick);
        label
    };
    fields.iter().map(label).collect()
}

fn grant(grant: &Grant, organisations: &mut Organisations) -> Value {
    let mut recipient = actor("IRCP", organisations.reference(grant.recipient));
    put(&mut recipient, "extension", Some(json!([role(&extension("role"), grant.role)])));
    let mut provision = json!({
        "type": if grant.permits() { "permit" } else { "deny" },
        "period": period(grant.valid_from, Some(grant.valid_until)),
        "actor": [recipient, actor("CST", organisations.reference(grant.source))],
        "securityLabel": labels(grant.fields, grant.sensitive),
        "purpose": [ours(PURPOSE, grant.purpose.as_str())],
    });
    let mut extensions = Vec::new();
    if let Some(uses) = grant.uses {
        extensions.push(part(&extension("uses"), "valuePositiveInt", json!(uses)));
    }
    if let Some(id) = grant.renews {
        extensions.push(part(&extension("renews"), "valueUuid", json!(format!("urn:uuid:{id}"))));
    }
    if let Some((id, status)) = grant.recorded {
        put(&mut provision, "id", Some(json!(id.to_string())));
        extensions.push(coded(&extension("grant-status"), STATUS.system, status));
    }
    put(&mut provision, "extension", (!extensions.is_empty()).then(|| json!(extensions)));
    let denied = json!([{ "type": "deny", "securityLabel": labels(grant.excluded, Mask::EMPTY) }]);
    put(&mut provision, "provision", (!grant.excluded.is_empty()).then_some(denied));
    provision
}

fn refusal(refused: &Refused, organisations: &mut Organisations) -> Value {
    json!({
        "type": "deny",
        "actor": [
            actor("IRCP", organisations.reference(refused.recipient)),
            actor("CST", organisations.reference(refused.source)),
        ],
        "purpose": [ours(PURPOSE, refused.purpose.as_str())],
    })
}
