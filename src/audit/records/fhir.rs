//! FHIR R4 AuditEvent (HL7), with the fields that NEN 7513:2018 asks for. A decision is in the profile *Consent Authorized
//! Decision* of IHE BALP; other acts are plain AuditEvents, since BALP has no profile for them.
//!
//! What a profile demands and the log does not hold in the open (who the user was, which consent, from which address) is
//! there as an element that says that it is masked or unknown (`data-absent-reason`), never made up.

use serde_json::{Value, json};

use super::{Act, Asked, BASE, Decided, Happened, Record, Verdict};

mod terms;

use terms::{
    AUDIT_ENTITY, AUTHZ, DATA_ABSENT, DCM, LIFECYCLE, OBJECT_ROLE, OIN, PARTICIPATION, RESOURCE_TYPES,
    ROLE_CLASS, SECURITY_ROLE, SOURCE_TYPE,
};

/// The profile that a decision claims.
pub const PROFILE: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.AuthZconsent";

fn coding(system: &str, code: &str) -> Value {
    json!({ "system": system, "code": code })
}

fn ours(name: &str, code: &str) -> Value {
    coding(&format!("{BASE}/fhir/CodeSystem/{name}"), code)
}

fn identified(kind: &str, system: &str, value: &str) -> Value {
    json!({ "type": kind, "identifier": { "system": system, "value": value } })
}

/// An element that must be there, and says why it has no value.
fn absent(why: &str) -> Value {
    json!({ "extension": [{ "url": DATA_ABSENT, "valueCode": why }] })
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(name.to_owned(), value);
    }
}

/// The gateway's log, which recorded it. Wherever it stands it is the same, as BALP's rule `val-audit-source` asks.
fn observer(record: &Record) -> Value {
    identified("Device", &format!("{BASE}/fhir/NamingSystem/log"), &record.origin)
}

/// The AuditEvent of a record.
#[must_use]
pub fn json(record: &Record) -> Value {
    let truths = record.verdict().truths();
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": format!("{}-{}", record.pair, record.kind.as_str().replace('_', "-")),
        "recorded": record.ended.to_string(),
        "outcome": truths.audit.code(),
        "source": {
            "site": &*record.origin,
            "observer": observer(record),
            "type": [coding(SOURCE_TYPE, "6")],
        },
    });
    if record.started != record.ended {
        set(
            &mut event,
            "period",
            json!({ "start": record.started.to_string(), "end": record.ended.to_string() }),
        );
    }
    match &record.happened {
        Happened::Request(asked, decided) => decision(&mut event, record, asked, decided),
        Happened::Consent(act) => {
            let action = match act.name.as_str() {
                "recorded" => "C",
                _ if record.verdict() == Verdict::Done => "U",
                _ => "E",
            };
            plain(&mut event, record, act, coding(DCM, "110110"), action);
        }
        Happened::Look(act) => plain(&mut event, record, act, coding(DCM, "110101"), "R"),
        Happened::TakenOver(act) => plain(&mut event, record, act, coding(LIFECYCLE, "receive"), "R"),
        Happened::Erasure(act) => plain(&mut event, record, act, coding(LIFECYCLE, "destroy"), "D"),
        Happened::Unreadable => unreadable(&mut event, record),
    }
    event
}

/// What an outcome says to who may not know more, and if the export opens it, what each source came to.
fn explained(record: &Record, decided: &Decided) -> String {
    let code = decided.refusal.as_deref().or(record.verdict().truths().exception);
    let mut text = code.map_or_else(|| decided.effect.clone(), |code| format!("{}: {code}", decided.effect));
    let sources = decided.sources.as_ref().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for source in sources {
        let part = |name: &str| source.get(name).and_then(Value::as_str).unwrap_or_default();
        text.push_str(&format!("; {} {}", part("source"), part("reason")));
    }
    text
}

/// Texts beside an entity.
fn details(pairs: Vec<(&str, Option<String>)>) -> Value {
    let there = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let one = |(name, value): (&str, String)| json!({ "type": name, "valueString": value });
    Value::Array(there.filter(|(_, value)| !value.is_empty()).map(one).collect())
}

fn proof(record: &Record) -> Vec<(&'static str, Option<String>)> {
    vec![("log-position", Some(record.position.to_string())), ("log-entry", Some(hex::encode(record.leaf)))]
}

fn person(record: &Record, more: Vec<(&'static str, Option<String>)>) -> Option<Value> {
    let reference = record.subject_reference()?;
    let system = format!("{BASE}/fhir/NamingSystem/subject-reference");
    let mut all = proof(record);
    all.extend(more);
    Some(json!({
        "what": identified("Patient", &system, &reference),
        "type": coding(AUDIT_ENTITY, "1"),
        "role": coding(OBJECT_ROLE, "1"),
        "detail": details(all),
    }))
}

fn decision(event: &mut Value, record: &Record, asked: &Asked, decided: &Decided) {
    let requester = asked
        .requester
        .map_or_else(|| absent("unknown"), |oin| identified("Organization", OIN, oin.as_str()));
    let purpose = asked.purpose.as_ref().map(|purpose| json!([{ "coding": [ours("purpose", purpose)] }]));
    let mut user = json!({
        "type": { "coding": [coding(PARTICIPATION, "IRCP")] },
        "who": absent("masked"),
        "requestor": true,
    });
    if let Some(role) = &asked.role {
        set(&mut user, "role", json!([{ "coding": [ours("role", role)] }]));
    }
    if let Some(policy) = &decided.policy {
        set(&mut user, "policy", json!([format!("urn:{policy}")]));
    }
    if let Some(purpose) = &purpose {
        set(&mut user, "purposeOfUse", purpose.clone());
        set(event, "purposeOfEvent", purpose.clone());
    }
    let client = json!({
        "type": { "coding": [coding(DCM, "110150")] },
        "who": requester.clone(),
        "requestor": false,
        // The log holds no address.
        "network": absent("unknown"),
    });
    let organisation = json!({
        "type": { "coding": [coding(ROLE_CLASS, "PROV")] },
        "who": requester,
        "requestor": false,
    });
    let authorizer = json!({
        "type": { "coding": [coding(SECURITY_ROLE, "authserver")] },
        "who": observer(record),
        "requestor": false,
    });
    set(event, "meta", json!({ "profile": [PROFILE] }));
    set(event, "type", coding(DCM, "110113"));
    set(event, "subtype", json!([coding(AUTHZ, "AuthZ-Consent")]));
    set(event, "action", json!("E"));
    set(event, "outcomeDesc", json!(explained(record, decided)));
    set(event, "agent", json!([client, user, organisation, authorizer]));
    let codes = |codes: &[String]| Some(codes.join(" "));
    let mut more = vec![
        ("fields-asked", asked.fields.as_deref().and_then(codes)),
        ("fields-not-provided", codes(&decided.not_provided)),
        ("fields-above-ceiling", codes(&decided.above_ceiling)),
        ("necessity", asked.necessity.clone()),
        ("catalogue", decided.catalogue.clone()),
        ("participants", decided.participants.clone()),
    ];
    for released in &decided.released {
        more.push((
            "fields-released",
            Some(format!("{OIN}|{} {}", released.source, released.fields.join(" "))),
        ));
    }
    // Whether there is a consent at all is not told: this element is the same for every client (P09).
    let consent = json!({ "what": absent("masked"), "type": coding(RESOURCE_TYPES, "Consent") });
    let entities: Vec<_> = person(record, more).into_iter().chain([consent]).collect();
    set(event, "entity", Value::Array(entities));
}

fn plain(event: &mut Value, record: &Record, act: &Act, kind: Value, action: &str) {
    set(event, "type", kind);
    set(event, "subtype", json!([ours("act", &act.name)]));
    set(event, "action", json!(action));
    if let Some(code) = &act.refusal {
        set(event, "outcomeDesc", json!(format!("refused: {code}")));
    }
    if let Some(purpose) = &act.purpose {
        set(event, "purposeOfEvent", json!([{ "coding": [ours("purpose", purpose)] }]));
    }
    let who = match act.by.as_deref() {
        Some(by) if by.parse::<crate::domain::Oin>().is_ok() => identified("Organization", OIN, by),
        // Somebody at the machine of the gateway itself.
        Some("operator") => observer(record),
        _ => absent("unknown"),
    };
    set(event, "agent", json!([{ "who": who, "requestor": true }]));
    set(event, "entity", json!([person(record, Vec::new()).unwrap_or_else(|| entry(record))]));
}

/// The entry itself, where it is about no one person.
fn entry(record: &Record) -> Value {
    let system = format!("{BASE}/fhir/NamingSystem/log-entry");
    json!({
        "what": { "identifier": { "system": system, "value": hex::encode(record.leaf) } },
        "type": coding(AUDIT_ENTITY, "2"),
        "role": coding(OBJECT_ROLE, "13"),
        "detail": details(proof(record)),
    })
}

fn unreadable(event: &mut Value, record: &Record) {
    set(event, "type", coding(DCM, "110113"));
    set(event, "action", json!("E"));
    set(event, "outcomeDesc", json!("the entry cannot be read; verify the log"));
    set(event, "agent", json!([{ "who": observer(record), "requestor": false }]));
    set(event, "entity", json!([entry(record)]));
}
