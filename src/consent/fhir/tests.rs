//! The example as a GGZ system would send it, whole and broken; every draft there and back; records out.

mod agrees;
mod broken;
mod export;
mod r4;
mod round;
mod silence;

use serde_json::{Value, json};

use super::*;

const CONSENT: &str = include_str!("../../../docs/examples/fhir/consent.json");
const DRAFT: &str = include_str!("../../../docs/examples/fhir/draft.json");

fn example() -> Value {
    serde_json::from_str(CONSENT).unwrap()
}

fn draft() -> Value {
    serde_json::from_str(DRAFT).unwrap()
}

/// Puts a value at a JSON pointer; the last step may be a new member, or `-` to append to a list.
fn set(value: &mut Value, pointer: &str, new: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    match parent {
        Value::Object(fields) => drop(fields.insert(last.to_owned(), new)),
        Value::Array(items) if last == "-" => items.push(new),
        Value::Array(items) => items[last.parse::<usize>().unwrap()] = new,
        _ => panic!("{pointer}"),
    }
}

fn remove(value: &mut Value, pointer: &str) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let gone = match value.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}")) {
        Value::Object(fields) => fields.remove(last),
        Value::Array(items) => Some(items.remove(last.parse().unwrap())),
        _ => None,
    };
    assert!(gone.is_some(), "{pointer}");
}

fn paths(report: &LossReport) -> Vec<&str> {
    report.lines.iter().map(|loss| loss.path.as_str()).collect()
}

#[test]
fn the_example_is_this_draft_and_these_losses() {
    let (found, report) = import(&example()).unwrap();
    assert_eq!(found, draft());
    let mut found = paths(&report);
    found.sort_unstable();
    let expected = [
        "Consent.contained[0].birthDate",
        "Consent.contained[0].identifier[1]",
        "Consent.contained[0].name",
        "Consent.contained[1].identifier[0]",
        "Consent.contained[1].name",
        "Consent.contained[2].name",
        "Consent.contained[3]",
        "Consent.contained[4].author",
        "Consent.contained[4].content[0].attachment.hash",
        "Consent.contained[4].content[0].attachment.title",
        "Consent.contained[4].custodian.display",
        "Consent.contained[4].date",
        "Consent.contained[4].type.coding[0].display",
        "Consent.dateTime",
        "Consent.extension[3]",
        "Consent.id",
        "Consent.identifier",
        "Consent.language",
        "Consent.meta.lastUpdated",
        "Consent.meta.versionId",
        "Consent.provision.provision[1].period.start",
        "Consent.text",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_bundle_is_read_like_a_consent() {
    let mut consent = example();
    let contained = consent["contained"].take();
    remove(&mut consent, "/contained");
    let entries: Vec<_> =
        contained.as_array().unwrap().iter().map(|resource| json!({ "resource": resource })).collect();
    let mut bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": entries });
    set(&mut bundle, "/entry/-", json!({ "resource": consent }));
    // Half by their address, half by type and id.
    let mut text = bundle.to_string();
    for (index, resource) in contained.as_array().unwrap().iter().enumerate() {
        let (kind, id) = (resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let address = if index % 2 == 0 { format!("urn:uuid:{index}") } else { format!("{kind}/{id}") };
        text = text.replace(&format!("\"#{id}\""), &format!("\"{address}\""));
    }
    let mut bundle: Value = serde_json::from_str(&text).unwrap();
    for index in 0..5 {
        set(&mut bundle, &format!("/entry/{index}/fullUrl"), json!(format!("urn:uuid:{index}")));
    }
    let (found, report) = import(&bundle).unwrap();
    assert_eq!(found, draft());
    assert!(paths(&report).contains(&"Bundle.entry[3].resource"), "{report}");

    let mut two = bundle.clone();
    let consent = bundle["entry"][5].clone();
    set(&mut two, "/entry/-", consent);
    assert_eq!(import(&two).unwrap_err().path(), "Bundle.entry");
    let mut none = bundle.clone();
    remove(&mut none, "/entry/5");
    assert_eq!(import(&none).unwrap_err().path(), "Bundle.entry");
    // Two resources by one address: it is unclear which is meant.
    set(&mut bundle, "/entry/1/fullUrl", json!("urn:uuid:0"));
    assert_eq!(import(&bundle).unwrap_err().path(), "Bundle.entry[5].resource.patient.reference");
    set(&mut bundle, "/type", json!("transaction"));
    assert_eq!(import(&bundle).unwrap_err().path(), "Bundle.type");
}

#[test]
fn an_organisation_can_be_named_by_its_number_alone() {
    let mut consent = example();
    let number = json!({ "system": terms::OIN, "value": "00000099000000003000" });
    set(&mut consent, "/organization/0", json!({ "type": "Organization", "identifier": number }));
    assert_eq!(import(&consent).unwrap().0, draft());
    set(&mut consent, "/organization/0/type", json!("Patient"));
    assert_eq!(import(&consent).unwrap_err().path(), "Consent.organization[0].type");
    set(&mut consent, "/organization/0", json!({ "reference": "#gemeente", "identifier": number }));
    assert_eq!(import(&consent).unwrap_err().path(), "Consent.organization[0].identifier.value");
}

#[test]
fn foreign_extensions_are_losses_wherever_they_stand() {
    let foreign = json!({ "url": "https://other.example/x", "valueString": "something" });
    for (pointer, path) in [
        ("/patient/extension", "Consent.patient.extension[0]"),
        ("/contained/0/extension", "Consent.contained[0].extension[0]"),
        ("/provision/extension", "Consent.provision.extension[0]"),
        ("/provision/provision/0/extension", "Consent.provision.provision[0].extension[0]"),
        ("/provision/provision/0/period/extension", "Consent.provision.provision[0].period.extension[0]"),
        ("/provision/provision/0/actor/1/extension", "Consent.provision.provision[0].actor[1].extension[0]"),
        ("/scope/coding/0/extension", "Consent.scope.coding[0].extension[0]"),
    ] {
        let mut consent = example();
        set(&mut consent, pointer, json!([foreign]));
        let (found, report) = import(&consent).unwrap();
        assert_eq!(found, draft(), "{pointer}");
        assert!(paths(&report).contains(&path), "{pointer}: {report}");
    }
    // On a primitive, beside it.
    let mut consent = example();
    set(&mut consent, "/_dateTime", json!({ "extension": [foreign] }));
    assert!(paths(&import(&consent).unwrap().1).contains(&"Consent._dateTime"));
}

#[test]
fn fields_that_are_both_permitted_and_denied_are_denied() {
    let mut consent = example();
    set(&mut consent, "/provision/provision/0/provision/0/securityLabel/0/code", json!("PF-01"));
    let (found, report) = import(&consent).unwrap();
    assert_eq!(found["grants"][0]["fields"], json!(["WT-02", "VW-04"]));
    assert_eq!(found["grants"][0]["excluded"], json!(["PF-01"]));
    assert_eq!(found["grants"][0].get("sensitive"), None);
    assert!(paths(&report).contains(&"Consent.provision.provision[0].securityLabel"));
}

#[test]
fn a_form_of_refusals_alone_is_rejected() {
    let mut consent = example();
    let refusal = consent["provision"]["provision"][2].clone();
    set(&mut consent, "/provision/provision", json!([refusal]));
    set(&mut consent, "/status", json!("rejected"));
    let (found, _) = import(&consent).unwrap();
    assert_eq!(
        (found["grants"].clone(), found["refusals"].clone()),
        (json!([]), draft()["refusals"].clone())
    );
}

#[test]
fn a_number_in_a_reference_is_that_of_the_client() {
    for pointer in ["/patient/identifier", "/performer/0/identifier", "/contained/4/subject/identifier"] {
        let mut consent = example();
        set(&mut consent, pointer, json!({ "system": terms::BSN, "value": "999990019" }));
        assert_eq!(import(&consent).unwrap().0, draft());
        set(&mut consent, pointer, json!({ "system": terms::BSN, "value": "999990032" }));
        assert!(import(&consent).unwrap_err().path().ends_with(".identifier.value"), "{pointer}");
    }
}

#[test]
fn what_the_consent_contains_is_not_seen_from_another_resource() {
    let mut consent = example();
    let paper = consent["contained"][4].clone();
    remove(&mut consent, "/contained/4");
    set(&mut consent, "/sourceReference/reference", json!("DocumentReference/formulier"));
    let bundle = json!({ "resourceType": "Bundle", "type": "collection", "entry": [
        { "resource": consent }, { "resource": paper },
    ] });
    assert_eq!(import(&bundle).unwrap_err().path(), "Bundle.entry[1].resource.subject.reference");
}

#[test]
fn a_form_that_grants_and_refuses_the_same_is_refused() {
    let mut consent = example();
    set(&mut consent, "/provision/provision/2/purpose/0/code", json!("REINTEGRATION"));
    assert_eq!(import(&consent).unwrap_err().path(), "Consent.provision.provision");
    let mut draft = draft();
    set(&mut draft, "/refusals/0/purpose", json!("REINTEGRATION"));
    assert_eq!(export_draft(&draft).unwrap_err().path(), "draft.refusals[0]");
}
