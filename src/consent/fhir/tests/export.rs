//! A recorded form, as the service gives it, becomes a Bundle.

use serde_json::{Value, json};

use super::{paths, r4, remove, set};
use crate::{
    consent::fhir::{export, import, terms::STATUS},
    domain::Bsn,
};

/// A record of the form of the example.
pub(super) fn record() -> Value {
    json!({
        "form_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "recorder": "00000099000000003000",
        "signed_on": "2026-11-20",
        "evidence_sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "recorded_at": "2026-11-20T15:00:00.123Z",
        "evidence": {
            "form_number": 12, "form_version": 1, "custodian": "00000099000000003000",
            "media_type": "application/pdf", "size": 48211,
        },
        "explanation": {
            "text_version": 2, "language": "nl", "reading_level": "B1",
            "explained_by": "ggz.trajectbegeleider", "explained_on": "2026-11-20",
        },
        "collection": {
            "context": "GUIDANCE_TALK", "method": "WET_INK", "alternative": "THREE_WAY_TALK",
            "withdrawal": ["IN_PERSON", "LETTER"], "verified_by": "ggz.trajectbegeleider", "verified_on": "2026-11-20",
        },
        "grantor": { "kind": "CLIENT", "client_age": "ADULT" },
        "grants": [{
            "grant_id": "9b2e4f6a-1c3d-4e5f-8a7b-6c5d4e3f2a1b",
            "recipient": "00000099000000004000", "role": "gem.klantmanager", "purpose": "REINTEGRATION",
            "source": "00000099000000003000", "fields": ["WT-02", "PF-01", "VW-04"], "sensitive": ["PF-01"],
            "excluded": ["WT-04"], "uses": 3, "used": 1,
            "valid_from": "2026-11-20T00:00:00Z", "valid_until": "2027-05-20T00:00:00Z",
            "status": "GRANT_STATUS_IN_FORCE", "countersignature": "eyJ.eyJ.c2ln",
        }],
        "refusals": [{
            "recipient": "00000099000000004000", "purpose": "WORKPLACE_ADJUSTMENT", "source": "00000099000000003000",
        }],
    })
}

fn consent(bundle: &Value) -> &Value {
    &bundle["entry"][0]["resource"]
}

#[test]
fn a_record_becomes_a_bundle_that_reads_as_a_draft_again() {
    let bsn = Bsn::parse("999990019").unwrap();
    let (bundle, report) = export(&record(), Some(&bsn)).unwrap();
    r4::check(&bundle);
    assert_eq!(paths(&report), ["consent.grants[0].countersignature", "consent.grants[0].used"]);
    assert_eq!(bundle["entry"][0]["fullUrl"], "urn:uuid:f47ac10b-58cc-4372-a567-0e02b2c3d479");
    let consent = consent(&bundle);
    assert_eq!(consent["status"], "active");
    let grant = &consent["provision"]["provision"][0];
    assert_eq!((&grant["type"], &grant["period"]["end"]), (&json!("permit"), &json!("2027-05-19")));

    let mut expected = super::draft();
    remove(&mut expected, "/grants/1");
    set(&mut expected, "/grants/0/uses", json!(3));
    let (draft, report) = import(&bundle).unwrap();
    assert_eq!(draft, expected);
    let lost = [
        "Bundle.entry[0].resource.provision.provision[0].extension(grant-status)",
        "Bundle.entry[0].resource.provision.provision[0].id",
        "Bundle.entry[0].resource.extension(recorded-at)",
        "Bundle.entry[0].resource.id",
        "Bundle.entry[0].resource.identifier",
    ];
    assert_eq!(paths(&report), lost);
}

#[test]
fn without_the_number_the_client_is_masked() {
    let (bundle, _) = export(&record(), None).unwrap();
    r4::check(&bundle);
    let patient = &consent(&bundle)["contained"][0];
    let reason = json!([{ "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked" }]);
    assert_eq!(patient["identifier"][0]["_value"]["extension"], reason);
    // What has no number is nobody's consent, and is not read back.
    assert_eq!(
        import(&bundle).unwrap_err().path(),
        "Bundle.entry[0].resource.contained[0].identifier[0].value"
    );
}

#[test]
fn p01_only_a_grant_in_force_is_permitted() {
    for status in STATUS.codes {
        let mut record = record();
        set(&mut record, "/grants/0/status", json!(format!("GRANT_STATUS_{status}")));
        let (bundle, _) = export(&record, None).unwrap();
        r4::check(&bundle);
        let (expected, consent_status) = match *status {
            "IN_FORCE" | "NOT_YET_IN_FORCE" => ("permit", "active"),
            "RECORDED" | "NOT_RECONFIRMED" => ("deny", "proposed"),
            _ => ("deny", "inactive"),
        };
        assert_eq!(consent(&bundle)["provision"]["provision"][0]["type"], expected, "{status}");
        assert_eq!(consent(&bundle)["status"], consent_status, "{status}");
    }
    let mut record = record();
    remove(&mut record, "/grants/0/status");
    let (bundle, report) = export(&record, None).unwrap();
    assert_eq!(consent(&bundle)["provision"]["provision"][0]["type"], "deny");
    assert!(paths(&report).contains(&"consent.grants[0].status"));
}

#[test]
fn what_a_later_form_struck_out_is_denied() {
    let mut record = record();
    set(&mut record, "/grants/0/struck", json!(["VW-04"]));
    let bsn = Bsn::parse("999990019").unwrap();
    let (bundle, _) = export(&record, Some(&bsn)).unwrap();
    let denied = &consent(&bundle)["provision"]["provision"][0]["provision"][0]["securityLabel"];
    let codes: Vec<_> =
        denied.as_array().unwrap().iter().map(|label| label["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["WT-04", "VW-04"]);
    assert_eq!(import(&bundle).unwrap().0["grants"][0]["fields"], json!(["WT-02", "PF-01"]));
}

#[test]
fn defaults_that_protobuf_leaves_out_can_be_absent() {
    let mut sparse = record();
    for pointer in ["/recorded_at", "/refusals", "/grants/0/uses", "/grants/0/used", "/grants/0/excluded"] {
        remove(&mut sparse, pointer);
    }
    r4::check(&export(&sparse, None).unwrap().0);
    let mut refusals = record();
    remove(&mut refusals, "/grants");
    let (bundle, _) = export(&refusals, None).unwrap();
    r4::check(&bundle);
    assert_eq!(consent(&bundle)["status"], "rejected");
    let mut zero = record();
    set(&mut zero, "/grants/0/uses", json!(0));
    assert_eq!(
        consent(&export(&zero, None).unwrap().0)["provision"]["provision"][0]["extension"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_representative_is_a_related_person() {
    let mut record = record();
    set(&mut record, "/grantor/kind", json!("MENTOR"));
    let (bundle, _) = export(&record, None).unwrap();
    r4::check(&bundle);
    assert_eq!(consent(&bundle)["performer"][0]["reference"], "#grantor");
}

#[test]
fn what_cannot_be_a_record_is_refused() {
    for (pointer, value, path) in [
        ("/form_id", json!("7"), "consent.form_id"),
        ("/bsn", json!("999990019"), "consent.bsn"),
        ("/recorder", json!("1"), "consent.recorder"),
        ("/evidence_sha256", json!("AB"), "consent.evidence_sha256"),
        ("/recorded_at", json!("yesterday"), "consent.recorded_at"),
        ("/grants/0/status", json!("IN_FORCE"), "consent.grants[0].status"),
        ("/grants/0/status", json!("GRANT_STATUS_NEW"), "consent.grants[0].status"),
        ("/grants/0/fields", json!([]), "consent.grants[0].fields"),
        ("/grants/0/fields", json!(["WT"]), "consent.grants[0].fields"),
        ("/grants/0/sensitive", json!(["PF-02"]), "consent.grants[0].sensitive"),
        ("/grants/0/valid_until", json!("2027-05-20T12:00:00Z"), "consent.grants[0].valid_until"),
        ("/grants/0/valid_until", json!("2026-11-20T00:00:00Z"), "consent.grants[0].valid_until"),
        ("/grants/0/purpose", json!("SANCTION"), "consent.grants[0].purpose"),
        ("/collection/withdrawal", json!([]), "consent.collection.withdrawal"),
        ("/explanation/language", json!("Dutch"), "consent.explanation.language"),
    ] {
        let mut record = record();
        set(&mut record, pointer, value);
        assert_eq!(export(&record, None).unwrap_err().path(), path);
    }
    for pointer in ["/form_id", "/evidence", "/explanation", "/collection", "/grantor", "/grants/0/grant_id"]
    {
        let mut record = record();
        remove(&mut record, pointer);
        let path = pointer.replacen('/', "consent.", 1).replace("/0/", "[0].");
        assert_eq!(export(&record, None).unwrap_err().path(), path);
    }
}

#[test]
fn what_is_new_in_a_record_is_a_loss() {
    let mut record = record();
    set(&mut record, "/grants/0/colour", json!("red"));
    let (_, report) = export(&record, None).unwrap();
    assert!(paths(&report).contains(&"consent.grants[0]"));
}
