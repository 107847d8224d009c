//! FHIR R4 AuditEvent by hand: which elements each type has here, how often, and of which type they are; the required
//! list; and what IHE BALP demands of a decision. A second reading of both, apart from the code.

use serde_json::Value;

/// Name, least, most (`*` is many, so a list), type.
type Element = (&'static str, u8, char, &'static str);

/// Types that are JSON strings.
const TEXTS: [&str; 6] = ["id", "uri", "code", "string", "instant", "canonical"];

fn elements(kind: &str) -> &'static [Element] {
    match kind {
        "AuditEvent" => &[
            ("id", 0, '1', "id"),
            ("meta", 0, '1', "Meta"),
            ("type", 1, '1', "Coding"),
            ("subtype", 0, '*', "Coding"),
            ("action", 0, '1', "code"),
            ("period", 0, '1', "Period"),
            ("recorded", 1, '1', "instant"),
            ("outcome", 0, '1', "code"),
            ("outcomeDesc", 0, '1', "string"),
            ("purposeOfEvent", 0, '*', "CodeableConcept"),
            ("agent", 1, '*', "agent"),
            ("source", 1, '1', "source"),
            ("entity", 0, '*', "entity"),
        ],
        "agent" => &[
            ("type", 0, '1', "CodeableConcept"),
            ("role", 0, '*', "CodeableConcept"),
            ("who", 0, '1', "Reference"),
            ("altId", 0, '1', "string"),
            ("name", 0, '1', "string"),
            ("requestor", 1, '1', "boolean"),
            ("policy", 0, '*', "uri"),
            ("network", 0, '1', "network"),
            ("purposeOfUse", 0, '*', "CodeableConcept"),
        ],
        "network" => {
            &[("extension", 0, '*', "Extension"), ("address", 0, '1', "string"), ("type", 0, '1', "code")]
        }
        "source" => {
            &[("site", 0, '1', "string"), ("observer", 1, '1', "Reference"), ("type", 0, '*', "Coding")]
        }
        "entity" => &[
            ("what", 0, '1', "Reference"),
            ("type", 0, '1', "Coding"),
            ("role", 0, '1', "Coding"),
            ("name", 0, '1', "string"),
            ("description", 0, '1', "string"),
            ("detail", 0, '*', "detail"),
        ],
        "detail" => &[("type", 1, '1', "string"), ("valueString", 1, '1', "string")],
        "Meta" => &[("profile", 0, '*', "canonical")],
        "CodeableConcept" => &[("coding", 0, '*', "Coding")],
        "Coding" => &[("system", 0, '1', "uri"), ("code", 0, '1', "code"), ("display", 0, '1', "string")],
        "Reference" => &[
            ("extension", 0, '*', "Extension"),
            ("reference", 0, '1', "string"),
            ("type", 0, '1', "uri"),
            ("identifier", 0, '1', "Identifier"),
            ("display", 0, '1', "string"),
        ],
        "Identifier" => &[("system", 0, '1', "uri"), ("value", 0, '1', "string")],
        "Period" => &[("start", 0, '1', "instant"), ("end", 0, '1', "instant")],
        "Extension" => &[("url", 1, '1', "uri"), ("valueCode", 1, '1', "code")],
        _ => panic!("{kind} is no type that is written"),
    }
}

fn check_as(value: &Value, kind: &str, path: &str) {
    if TEXTS.contains(&kind) {
        let text = value.as_str().unwrap_or_else(|| panic!("{path}: {value}"));
        assert!(!text.is_empty() && text.trim() == text, "{path}: {value}");
        match kind {
            "id" => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
                assert!(text.len() <= 64 && text.chars().all(plain), "{path}: {text}");
            }
            "code" | "uri" | "canonical" => assert!(!text.contains(' '), "{path}: {text}"),
            "instant" => drop(sluis::domain::Timestamp::parse(text).unwrap()),
            _ => {}
        }
        return;
    }
    if kind == "boolean" {
        return assert!(value.is_boolean(), "{path}");
    }
    let fields = value.as_object().unwrap_or_else(|| panic!("{path}: {value}"));
    // ele-1: an element has a value or children.
    assert!(!fields.is_empty(), "{path}");
    let elements = elements(kind);
    for name in fields.keys().filter(|name| *name != "resourceType") {
        assert!(elements.iter().any(|(known, ..)| known == name), "{path}.{name}");
    }
    for (name, least, most, inner) in elements {
        let path = format!("{path}.{name}");
        match (fields.get(*name), most) {
            (None, _) => assert_eq!(*least, 0, "{path}"),
            (Some(value), '1') => check_as(value, inner, &path),
            (Some(value), _) => {
                let items = value.as_array().unwrap_or_else(|| panic!("{path}"));
                assert!(!items.is_empty(), "{path}");
                items.iter().for_each(|item| check_as(item, inner, &path));
            }
        }
    }
}

/// Panics if it is no R4 AuditEvent as far as these lists go.
pub fn check(event: &Value) {
    assert_eq!(event["resourceType"], "AuditEvent");
    check_as(event, "AuditEvent", "AuditEvent");
    // The two required lists of the resource.
    if let Some(action) = event.get("action") {
        assert!(["C", "R", "U", "D", "E"].contains(&action.as_str().unwrap()), "{action}");
    }
    if let Some(outcome) = event.get("outcome") {
        assert!(["0", "4", "8", "12"].contains(&outcome.as_str().unwrap()), "{outcome}");
    }
    let period = &event["period"];
    if let (Some(start), Some(end)) = (period["start"].as_str(), period["end"].as_str()) {
        assert!(start <= end, "per-1");
    }
}

fn has_type(coded: &Value, system: &str, code: &str) -> bool {
    coded["system"] == system && coded["code"] == code
}

/// The one agent of this type.
fn agent<'a>(event: &'a Value, system: &str, code: &str) -> &'a Value {
    let agents = event["agent"].as_array().unwrap().iter();
    let of_type: Vec<_> =
        agents.filter(|agent| has_type(&agent["type"]["coding"][0], system, code)).collect();
    assert_eq!(of_type.len(), 1, "{code}");
    assert!(of_type[0].get("who").is_some(), "{code}");
    of_type[0]
}

/// Elements that the profile forbids.
fn without(agent: &Value, names: &[&str]) {
    for name in names.iter().chain(&["altId", "location", "media"]) {
        assert!(agent.get(name).is_none(), "{name}");
    }
}

/// Panics if it is no *Consent Authorized Decision* of IHE BALP.
pub fn check_decision(event: &Value) {
    const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";
    let profile = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.AuthZconsent";
    assert_eq!(event["meta"]["profile"][0], profile);
    assert!(event.get("modifierExtension").is_none());
    assert!(has_type(&event["type"], DCM, "110113"));
    let subtypes = event["subtype"].as_array().unwrap();
    let of_profile = |subtype: &Value| {
        has_type(subtype, "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType", "AuthZ-Consent")
    };
    assert!(subtypes.iter().all(of_profile), "the binding is required");
    assert_eq!(event["action"], "E");
    assert!(event.get("outcome").is_some());

    let client = agent(event, DCM, "110150");
    assert!(client.get("network").is_some());
    without(client, &["role", "name", "purposeOfUse"]);
    let user = agent(event, "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP");
    assert_eq!(user["requestor"], true);
    without(user, &["network"]);
    let organisation = agent(event, "http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV");
    assert_eq!(organisation["requestor"], false);
    without(organisation, &["role", "name", "policy", "network"]);
    let authorizer =
        agent(event, "http://terminology.hl7.org/CodeSystem/extra-security-role-type", "authserver");
    assert_eq!(authorizer["requestor"], false);
    assert_eq!(authorizer["who"], event["source"]["observer"], "val-audit-source");
    without(authorizer, &["role", "name", "policy", "network", "purposeOfUse"]);

    let (mut patients, mut consents) = (0, 0);
    for entity in event["entity"].as_array().unwrap() {
        assert!(entity.get("what").is_some());
        if has_type(&entity["type"], "http://terminology.hl7.org/CodeSystem/audit-entity-type", "1") {
            patients += 1;
            assert!(has_type(&entity["role"], "http://terminology.hl7.org/CodeSystem/object-role", "1"));
            assert_eq!(entity["what"]["type"], "Patient");
        } else if has_type(&entity["type"], "http://hl7.org/fhir/resource-types", "Consent") {
            consents += 1;
        } else {
            panic!("the slices of entity are closed: {entity}");
        }
    }
    assert!(patients == 1 && consents >= 1);
}
