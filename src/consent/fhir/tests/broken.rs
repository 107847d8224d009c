//! Each fault once: the example with one thing wrong, and the path that is named.

use serde_json::{Value, json};

use super::{example, import, remove, set};
use crate::consent::fhir::FhirFault;

#[derive(Debug)]
enum Change {
    Set(&'static str, Value),
    Remove(&'static str),
}
use Change::{Remove, Set};

fn ours(name: &str) -> String {
    format!("https://sluis.example/fhir/StructureDefinition/{name}")
}

fn fault(change: &Change) -> FhirFault {
    let mut consent = example();
    match change {
        Set(pointer, value) => set(&mut consent, pointer, value.clone()),
        Remove(pointer) => remove(&mut consent, pointer),
    }
    match import(&consent) {
        Err(fault) => fault,
        Ok(_) => panic!("{change:?} is accepted"),
    }
}

fn check(cases: Vec<(Change, &str)>) {
    for (change, path) in cases {
        let fault = fault(&change);
        assert_eq!(fault.path(), path, "{change:?}: {fault}");
        assert!(!fault.accepted().is_empty(), "{change:?}");
    }
}

#[test]
fn of_the_consent_itself() {
    let coding = |system: &str, code: &str| json!({ "coding": [{ "system": system, "code": code }] });
    check(vec![
        (Set("/resourceType", json!("Observation")), "Consent.resourceType"),
        (Remove("/resourceType"), "Consent.resourceType"),
        (Set("/status", json!("draft")), "Consent.status"),
        (Set("/status", json!("proposed")), "Consent.status"),
        (Set("/status", json!("inactive")), "Consent.status"),
        (Set("/status", json!("entered-in-error")), "Consent.status"),
        (Set("/status", json!("rejected")), "Consent.status"),
        (Remove("/status"), "Consent.status"),
        (Set("/implicitRules", json!("https://other.example")), "Consent.implicitRules"),
        (Set("/modifierExtension", json!([])), "Consent.modifierExtension"),
        (Set("/contained/0/modifierExtension", json!([])), "Consent.contained[0].modifierExtension"),
        (Set("/text/modifierExtension", json!([])), "Consent.text.modifierExtension"),
        (Set("/decision", json!("permit")), "Consent"),
        (Set("/identifier", Value::Null), "Consent.identifier"),
        (Remove("/scope"), "Consent.scope"),
        (Set("/scope/coding/0/code", json!("research")), "Consent.scope"),
        (Set("/scope/coding/0/system", json!("https://other.example")), "Consent.scope.coding"),
        (Remove("/category"), "Consent.category"),
        (Set("/category/-", coding("http://loinc.org", "11488-4")), "Consent.category[1]"),
        (Set("/category/0", coding("https://other.example", "x")), "Consent.category[0].coding"),
        (Remove("/patient"), "Consent.patient"),
        (Remove("/dateTime"), "Consent.dateTime"),
        (Set("/dateTime", json!("2026-11")), "Consent.dateTime"),
        (Set("/dateTime", json!("2026-11-20T25:00:00Z")), "Consent.dateTime"),
        (Remove("/performer"), "Consent.performer"),
        (Set("/performer/-", json!({ "reference": "#ggz" })), "Consent.performer"),
        (Set("/performer/0/reference", json!("#ggz")), "Consent.performer[0].reference"),
        (Remove("/organization"), "Consent.organization"),
        (Set("/organization/-", json!({ "reference": "#gemeente" })), "Consent.organization"),
        (Set("/organization/0/reference", json!("#nobody")), "Consent.organization[0].reference"),
        (Set("/organization/0/reference", json!("#begeleider")), "Consent.organization[0].reference"),
        (Set("/organization/0/type", json!("Patient")), "Consent.organization[0].type"),
        (Set("/policyRule", coding("x", "OPTIN")), "Consent.policyRule"),
        (Set("/verification", json!([{ "verified": false }])), "Consent.verification[0].verified"),
        (Remove("/policy"), "Consent.policy"),
        (Set("/policy/-", json!({ "uri": "https://other.example" })), "Consent.policy"),
        (
            Set("/policy/0/uri", json!("https://sluis.example/fhir/explanation-text/02")),
            "Consent.policy[0].uri",
        ),
        (Remove("/sourceReference"), "Consent.sourceReference"),
        (Set("/sourceAttachment", json!({})), "Consent.sourceAttachment"),
        (Set("/sourceReference/reference", json!("#client")), "Consent.sourceReference.reference"),
        (Remove("/provision"), "Consent.provision"),
        (Set("/contained/-", json!({ "resourceType": "Condition" })), "Consent.contained[5].resourceType"),
    ]);
}

#[test]
fn of_our_extensions() {
    let unknown = json!({ "url": ours("retention"), "valueString": "x" });
    check(vec![
        (Set("/extension/-", unknown.clone()), "Consent.extension[4]"),
        (Set("/patient/extension", json!([unknown])), "Consent.patient.extension[0]"),
        (Set("/contained/0/name/0/extension", json!([unknown])), "Consent.contained[0].name"),
        (
            Set("/extension/1/extension/-", json!({ "url": "witness" })),
            "Consent.extension(collection).extension[7]",
        ),
        (Remove("/extension/0"), "Consent.extension(explanation)"),
        (Remove("/extension/1"), "Consent.extension(collection)"),
        (Remove("/extension/2"), "Consent.extension(client-age)"),
        (Set("/extension/3", json!({ "url": ours("client-age") })), "Consent.extension(client-age)"),
        (
            Set("/extension/0/extension/0/valueCode", json!("Dutch")),
            "Consent.extension(explanation).extension(language).valueCode",
        ),
        (
            Set("/extension/0/extension/1/valueCoding/code", json!("A1")),
            "Consent.extension(explanation).extension(reading-level).valueCoding.code",
        ),
        (
            Set("/extension/0/extension/2/valueCoding/code", json!("psychiater")),
            "Consent.extension(explanation).extension(explained-by).valueCoding.code",
        ),
        (
            Set("/extension/0/extension/3/valueDate", json!("2026-11-31")),
            "Consent.extension(explanation).extension(explained-on).valueDate",
        ),
        (
            Set("/extension/1/extension/0/valueCoding/code", json!("ELSEWHERE")),
            "Consent.extension(collection).extension(context).valueCoding.code",
        ),
        (
            Set("/extension/1/extension/0/valueCoding/system", json!("x")),
            "Consent.extension(collection).extension(context).valueCoding.system",
        ),
        (Remove("/extension/1/extension/1"), "Consent.extension(collection).extension(method)"),
        (Remove("/extension/1/extension/2"), "Consent.extension(collection).extension(alternative)"),
        (
            Set("/extension/1/extension/3/valueCoding/code", json!("FAX")),
            "Consent.extension(collection).extension(withdrawal).valueCoding.code",
        ),
        (
            Set("/extension/2/valueCoding/code", json!("UNDER_12")),
            "Consent.extension(client-age).valueCoding.code",
        ),
    ]);
}

#[test]
fn of_what_is_contained() {
    check(vec![
        (Set("/contained/0/active", json!(false)), "Consent.contained[0].active"),
        (Set("/contained/0/deceasedBoolean", json!(true)), "Consent.contained[0].deceasedBoolean"),
        (Set("/contained/0/deceasedDateTime", json!("2026-11-21")), "Consent.contained[0].deceasedDateTime"),
        (Set("/contained/0/link", json!([{}])), "Consent.contained[0].link"),
        (Set("/contained/0/diagnosis", json!("x")), "Consent.contained[0]"),
        (Set("/contained/0/identifier/0/value", json!("999990018")), "Consent.contained[0].identifier"),
        (Set("/contained/0/identifier/0/use", json!("old")), "Consent.contained[0].identifier[0].use"),
        (Remove("/contained/0/identifier/0"), "Consent.contained[0].identifier"),
        (
            Set("/contained/0/identifier/1/system", json!("http://fhir.nl/fhir/NamingSystem/bsn")),
            "Consent.contained[0].identifier",
        ),
        (Set("/contained/1/active", json!(false)), "Consent.contained[1].active"),
        (Remove("/contained/1/identifier/1"), "Consent.contained[1].identifier"),
        (Set("/contained/1/identifier/1/value", json!("1234")), "Consent.contained[1].identifier"),
        (Set("/contained/2/id", json!("ggz")), "Consent.organization[0].reference"),
        (Set("/contained/4/status", json!("superseded")), "Consent.contained[4].status"),
        (Set("/contained/4/docStatus", json!("preliminary")), "Consent.contained[4].docStatus"),
        (Set("/contained/4/type/coding/0/code", json!("34788-0")), "Consent.contained[4].type"),
        (Set("/contained/4/subject/reference", json!("#ggz")), "Consent.contained[4].subject.reference"),
        (Remove("/contained/4/custodian"), "Consent.contained[4].custodian"),
        (Remove("/contained/4/extension"), "Consent.contained[4].extension(printed-form)"),
        (
            Set("/contained/4/extension/0/extension/0/valuePositiveInt", json!(0)),
            "Consent.contained[4].extension(printed-form).extension(number).valuePositiveInt",
        ),
        (Set("/contained/4/content/-", json!({})), "Consent.contained[4].content"),
        (
            Set("/contained/4/content/0/attachment/contentType", json!("text/plain")),
            "Consent.contained[4].content[0].attachment.contentType",
        ),
        (
            Set("/contained/4/content/0/attachment/size", json!(-1)),
            "Consent.contained[4].content[0].attachment.size",
        ),
        (Remove("/contained/4/content/0/attachment/size"), "Consent.contained[4].content[0].attachment.size"),
        (
            Remove("/contained/4/content/0/attachment/extension"),
            "Consent.contained[4].content[0].attachment.extension(sha-256)",
        ),
        (
            Set("/contained/4/content/0/attachment/extension/0/valueString", json!("AB")),
            "Consent.contained[4].content[0].attachment.extension(sha-256).valueString",
        ),
    ]);
}

#[test]
fn r06_of_what_is_granted() {
    let permit = "/provision/provision/0";
    let path = "Consent.provision.provision[0]";
    let set = |name: &str, value| Set(Box::leak(format!("{permit}{name}").into_boxed_str()), value);
    let remove = |name: &str| Remove(Box::leak(format!("{permit}{name}").into_boxed_str()));
    let at = |name: &str| -> &'static str { Box::leak(format!("{path}{name}").into_boxed_str()) };
    check(vec![
        (Remove("/provision/type"), "Consent.provision.type"),
        (Set("/provision/type", json!("permit")), "Consent.provision.type"),
        (Set("/provision/period", json!({ "end": "2027-01-01" })), "Consent.provision.period"),
        (Set("/provision/actor", json!([])), "Consent.provision.actor"),
        (Set("/provision/purpose", json!([])), "Consent.provision.purpose"),
        (Set("/provision/securityLabel", json!([])), "Consent.provision.securityLabel"),
        (Set("/provision/class", json!([])), "Consent.provision.class"),
        (Set("/provision/data", json!([])), "Consent.provision.data"),
        (Set("/provision/provision", json!([])), "Consent.provision.provision"),
        (remove("/type"), at(".type")),
        (set("/type", json!("maybe")), at(".type")),
        (set("/type", json!("deny")), at(".period")),
        (remove("/period"), at(".period")),
        (remove("/period/end"), at(".period.end")),
        (set("/period/end", json!("2027-05")), at(".period.end")),
        (set("/period/end", json!("2026-11-19")), at(".period.end")),
        (set("/period/end", json!("9999-12-31")), at(".period.end")),
        (set("/period/start", json!("2026-11-20T10:00:00Z")), at(".period.start")),
        (remove("/actor"), at(".actor")),
        (remove("/actor/0"), at(".actor")),
        (remove("/actor/1"), at(".actor")),
        (set("/actor/1/role/coding/0/code", json!("IRCP")), at(".actor")),
        (set("/actor/1/role/coding/0/code", json!("AUT")), at(".actor[1].role")),
        (remove("/actor/1/role"), at(".actor[1].role")),
        (remove("/actor/1/reference"), at(".actor[1].reference")),
        (remove("/actor/0/extension"), at(".actor.extension(role)")),
        (
            set("/actor/0/extension/0/valueCoding/code", json!("gem.*")),
            at(".actor[0].extension(role).valueCoding.code"),
        ),
        (set("/actor/1/extension", json!([{ "url": ours("role") }])), at(".actor[1].extension[0]")),
        (remove("/purpose"), at(".purpose")),
        (set("/purpose/-", json!({})), at(".purpose")),
        (set("/purpose/0/code", json!("FRAUD")), at(".purpose[0].code")),
        (set("/purpose/0/code", json!("*")), at(".purpose[0].code")),
        (
            set("/purpose/0/system", json!("http://terminology.hl7.org/CodeSystem/v3-ActReason")),
            at(".purpose[0].system"),
        ),
        (remove("/securityLabel"), at(".securityLabel")),
        (set("/securityLabel/0/code", json!("WT")), at(".securityLabel[0].code")),
        (set("/securityLabel/0/code", json!("diagnose depressie")), at(".securityLabel[0].code")),
        (
            set("/securityLabel/0/system", json!("http://terminology.hl7.org/CodeSystem/v3-Confidentiality")),
            at(".securityLabel[0].system"),
        ),
        (
            set("/securityLabel/2/extension/0/valueBoolean", json!(false)),
            at(".securityLabel[2].extension(ticked-apart).valueBoolean"),
        ),
        (set("/action", json!([])), at(".action")),
        (set("/class", json!([])), at(".class")),
        (set("/code", json!([])), at(".code")),
        (set("/dataPeriod", json!({})), at(".dataPeriod")),
        (set("/data", json!([])), at(".data")),
        (set("/documentType", json!([])), "Consent.provision.provision[0]"),
        (set("/provision/0/type", json!("permit")), at(".provision[0].type")),
        (set("/provision/0/actor", json!([])), at(".provision[0].actor")),
        (set("/provision/0/code", json!([])), at(".provision[0].code")),
        (remove("/provision/0/securityLabel"), at(".provision[0].securityLabel")),
        (set("/provision/0/provision", json!([{ "type": "permit" }])), at(".provision[0].provision")),
        (
            set(
                "/provision/0/securityLabel/0/extension",
                json!([{ "url": ours("ticked-apart"), "valueBoolean": true }]),
            ),
            at(".provision[0].securityLabel"),
        ),
        (
            set("/extension", json!([{ "url": ours("uses"), "valuePositiveInt": 0 }])),
            at(".extension(uses).valuePositiveInt"),
        ),
        (
            set("/extension", json!([{ "url": ours("renews"), "valueUuid": "urn:uuid:x" }])),
            at(".extension(renews).valueUuid"),
        ),
        (
            set(
                "/extension",
                json!([{ "url": ours("grant-status"), "valueCoding": { "system": "https://sluis.example/fhir/CodeSystem/grant-status", "code": "WITHDRAWN" } }]),
            ),
            at(".extension(grant-status)"),
        ),
    ]);
}

#[test]
fn of_what_is_refused() {
    check(vec![
        (Set("/provision/provision/2/period", json!({})), "Consent.provision.provision[2].period"),
        (
            Set("/provision/provision/2/securityLabel", json!([])),
            "Consent.provision.provision[2].securityLabel",
        ),
        (Set("/provision/provision/2/provision", json!([])), "Consent.provision.provision[2].provision"),
        (Remove("/provision/provision/2/purpose"), "Consent.provision.provision[2].purpose"),
        (Remove("/provision/provision/2/actor/1"), "Consent.provision.provision[2].actor"),
        (
            Set("/provision/provision/2/extension", json!([{ "url": ours("grant-status") }])),
            "Consent.provision.provision[2].extension(grant-status)",
        ),
        (
            Set(
                "/provision/provision/2/actor/0/extension",
                json!([{ "url": ours("role"), "valueCoding": {
                "system": "https://sluis.example/fhir/CodeSystem/role", "code": "gem.jobcoach" } }]),
            ),
            "Consent.provision.provision[2].actor",
        ),
    ]);
}

#[test]
fn r39_what_is_medical_is_named_as_such() {
    for change in [
        Set("/provision/provision/0/class", json!([{ "code": "Condition" }])),
        Set("/provision/provision/0/code", json!([{ "text": "F32" }])),
        Set("/provision/provision/0/securityLabel/0/code", json!("diagnose depressie")),
        Set("/contained/-", json!({ "resourceType": "Condition" })),
        Set("/contained/4/type/coding/0/code", json!("34788-0")),
    ] {
        assert!(matches!(fault(&change), FhirFault::Medical { .. }), "{change:?}");
    }
}

#[test]
fn what_is_nested_too_deep_is_not_read() {
    let deep = (0..100).fold(json!({}), |inner, _| json!({ "text": inner }));
    assert!(fault(&Set("/text", deep)).path().starts_with("Consent.text.text"));
}
