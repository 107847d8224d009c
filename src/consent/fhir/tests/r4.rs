//! FHIR R4 by hand: which elements each type has here, how often, and of which type they are. A second reading of the
//! standard, apart from the lists that the import uses.

use serde_json::Value;

/// Name, least, most (`*` is many, so a list), type.
type Element = (&'static str, u8, char, &'static str);

/// Types that are JSON strings.
const TEXTS: [&str; 9] = ["id", "uri", "code", "string", "date", "dateTime", "instant", "uuid", "canonical"];

fn elements(kind: &str) -> &'static [Element] {
    match kind {
        "Bundle" => &[("type", 1, '1', "code"), ("entry", 0, '*', "entry")],
        "entry" => &[("fullUrl", 0, '1', "uri"), ("resource", 0, '1', "Resource")],
        "Consent" => &[
            ("id", 0, '1', "id"),
            ("meta", 0, '1', "Meta"),
            ("contained", 0, '*', "Resource"),
            ("extension", 0, '*', "Extension"),
            ("identifier", 0, '*', "Identifier"),
            ("status", 1, '1', "code"),
            ("scope", 1, '1', "CodeableConcept"),
            ("category", 1, '*', "CodeableConcept"),
            ("patient", 0, '1', "Reference"),
            ("dateTime", 0, '1', "dateTime"),
            ("performer", 0, '*', "Reference"),
            ("organization", 0, '*', "Reference"),
            ("sourceReference", 0, '1', "Reference"),
            ("policy", 0, '*', "policy"),
            ("provision", 0, '1', "provision"),
        ],
        "policy" => &[("uri", 0, '1', "uri")],
        "provision" => &[
            ("id", 0, '1', "string"),
            ("extension", 0, '*', "Extension"),
            ("type", 0, '1', "code"),
            ("period", 0, '1', "Period"),
            ("actor", 0, '*', "actor"),
            ("securityLabel", 0, '*', "Coding"),
            ("purpose", 0, '*', "Coding"),
            ("provision", 0, '*', "provision"),
        ],
        "actor" => &[
            ("extension", 0, '*', "Extension"),
            ("role", 1, '1', "CodeableConcept"),
            ("reference", 1, '1', "Reference"),
        ],
        "Patient" => &[("id", 0, '1', "id"), ("identifier", 0, '*', "Identifier")],
        "Organization" => &[("id", 0, '1', "id"), ("identifier", 0, '*', "Identifier")],
        "RelatedPerson" => &[
            ("id", 0, '1', "id"),
            ("extension", 0, '*', "Extension"),
            ("patient", 1, '1', "Reference"),
            ("relationship", 0, '*', "CodeableConcept"),
            ("period", 0, '1', "Period"),
        ],
        "DocumentReference" => &[
            ("id", 0, '1', "id"),
            ("extension", 0, '*', "Extension"),
            ("status", 1, '1', "code"),
            ("type", 0, '1', "CodeableConcept"),
            ("subject", 0, '1', "Reference"),
            ("custodian", 0, '1', "Reference"),
            ("content", 1, '*', "content"),
        ],
        "content" => &[("attachment", 1, '1', "Attachment")],
        "Attachment" => &[
            ("extension", 0, '*', "Extension"),
            ("contentType", 0, '1', "code"),
            ("size", 0, '1', "unsignedInt"),
        ],
        "Meta" => &[("profile", 0, '*', "canonical"), ("security", 0, '*', "Coding")],
        "CodeableConcept" => &[("coding", 0, '*', "Coding")],
        "Coding" => &[
            ("extension", 0, '*', "Extension"),
            ("system", 0, '1', "uri"),
            ("code", 0, '1', "code"),
            ("display", 0, '1', "string"),
        ],
        "Reference" => &[("reference", 0, '1', "string")],
        "Identifier" => {
            &[("system", 0, '1', "uri"), ("value", 0, '1', "string"), ("_value", 0, '1', "Element")]
        }
        "Element" => &[("extension", 0, '*', "Extension")],
        "Period" => &[("start", 0, '1', "dateTime"), ("end", 0, '1', "dateTime")],
        "Extension" => &[
            ("url", 1, '1', "uri"),
            ("extension", 0, '*', "Extension"),
            ("valueBoolean", 0, '1', "boolean"),
            ("valueCode", 0, '1', "code"),
            ("valueCoding", 0, '1', "Coding"),
            ("valueDate", 0, '1', "date"),
            ("valueInstant", 0, '1', "instant"),
            ("valuePositiveInt", 0, '1', "unsignedInt"),
            ("valueString", 0, '1', "string"),
            ("valueUuid", 0, '1', "uuid"),
        ],
        _ => panic!("{kind} is no type that is exported"),
    }
}

/// Panics if the Bundle is no R4 as far as these lists go.
pub(super) fn check(bundle: &Value) {
    check_as(bundle, "Bundle");
    for entry in bundle["entry"].as_array().unwrap() {
        let consent = &entry["resource"];
        assert_eq!(consent["resourceType"], "Consent");
        // ppc-1: a policy or a policy rule.
        assert!(consent.get("policy").is_some());
        // dom-3: what is contained is referred to.
        let text = consent.to_string();
        for contained in consent["contained"].as_array().unwrap() {
            let id = contained["id"].as_str().unwrap();
            assert!(text.contains(&format!("\"reference\":\"#{id}\"")), "{id}");
        }
    }
}

fn check_as(value: &Value, kind: &str) {
    let kind = if kind == "Resource" { value["resourceType"].as_str().unwrap() } else { kind };
    if TEXTS.contains(&kind) {
        assert!(
            value.as_str().is_some_and(|text| !text.is_empty() && text.trim() == text),
            "{kind}: {value}"
        );
        return;
    }
    match kind {
        "boolean" => return assert!(value.is_boolean()),
        "unsignedInt" => return assert!(value.is_u64()),
        _ => {}
    }
    let fields = value.as_object().unwrap_or_else(|| panic!("{kind}"));
    assert!(!fields.is_empty(), "{kind}");
    let elements = elements(kind);
    for name in fields.keys().filter(|name| *name != "resourceType") {
        assert!(elements.iter().any(|(known, ..)| known == name), "{kind}.{name}");
    }
    for (name, least, most, inner) in elements {
        match (fields.get(*name), most) {
            (None, _) => assert_eq!(*least, 0, "{kind}.{name}"),
            (Some(value), '1') => check_as(value, inner),
            (Some(value), _) => {
                let items = value.as_array().unwrap_or_else(|| panic!("{kind}.{name}"));
                assert!(!items.is_empty(), "{kind}.{name}");
                items.iter().for_each(|item| check_as(item, inner));
            }
        }
    }
    if kind == "Extension" {
        // ext-1: a value or extensions, not both.
        let values = fields.keys().filter(|name| name.starts_with("value")).count();
        assert_eq!(values + usize::from(fields.contains_key("extension")), 1, "{value}");
    }
    if kind == "Period"
        && let (Some(start), Some(end)) = (fields.get("start"), fields.get("end"))
    {
        // per-1: the start is not after the end.
        assert!(start.as_str().unwrap() <= end.as_str().unwrap());
    }
}
