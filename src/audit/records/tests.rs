//! What an entry becomes in each of the three, from facts as the gateway writes them.

use serde_json::{Value, json};

use super::*;
use crate::{
    audit::{
        export::read::ReadEntry,
        leaf::{Kind, Leaf},
    },
    domain::{Oin, PairId, Reason, RefusalCode, Timestamp, refusal::RefusalClass},
};

const ORIGIN: &str = "test.sluis.example/records/2026";
const REQUESTER: &str = "00000099000001001000";
const SOURCE: &str = "00000099000003001000";
const POLICY: &str = "sha256:aa";

fn entry(kind: Kind, position: u64, pair: PairId, facts: &Value, detail: Option<&Value>) -> ReadEntry {
    let time = Timestamp::parse("2026-11-23T09:30:00.000Z").unwrap();
    let byte = u8::try_from(position).unwrap();
    let leaf = Leaf {
        kind,
        time: time.plus_millis(i64::try_from(position).unwrap() * 250),
        pair,
        facts: [byte; 32],
        client: [byte; 32],
    };
    ReadEntry { position, leaf, facts: Some(facts.to_string()), detail: detail.map(Value::to_string) }
}

fn asked() -> Value {
    json!({
        "requester": REQUESTER,
        "role": "gem.klantmanager",
        "purpose": "REINTEGRATION",
        "fields": ["WT-02", "WT-03"],
        "necessity": "NECESSITY_PROFESSIONAL_ASSESSMENT_NEEDED",
        "validate_only": false,
    })
}

fn outcome(effect: &str, refusal: Option<&str>) -> Value {
    let released =
        if effect == "released" { json!([{ "source": SOURCE, "fields": ["WT-02"] }]) } else { json!([]) };
    json!({
        "requester": REQUESTER,
        "role": "gem.klantmanager",
        "purpose": "REINTEGRATION",
        "fields": ["WT-02", "WT-03"],
        "effect": effect,
        "refusal": refusal,
        "above_ceiling": [],
        "not_provided": ["WT-03"],
        "released": released,
        "policy": POLICY,
        "catalogue": "1.0",
        "participants": "sha256:bb",
        "answer": null,
        "detail": null,
    })
}

/// The record of a request and this outcome.
fn record(facts: &Value, detail: Option<&Value>) -> Record {
    let (mut reader, pair) = (Reader::new(ORIGIN), PairId::random());
    assert!(reader.take(&entry(Kind::Request, 0, pair, &asked(), None)).is_none());
    reader.take(&entry(Kind::Outcome, 1, pair, facts, detail)).unwrap()
}

fn register() -> ldv::Register {
    "https://register.example/activities/".parse().unwrap()
}

fn one(kind: Kind, facts: &Value) -> Option<Record> {
    Reader::new(ORIGIN).take(&entry(kind, 7, PairId::random(), facts, None))
}

#[test]
fn a_denial_is_no_error_a_failure_and_a_decision() {
    for facts in [outcome("not_provided", None), outcome("refused", Some("PURPOSE_NEVER_SERVED"))] {
        let record = record(&facts, None);
        assert_eq!(record.verdict(), Verdict::Denied);
        let span = &ldv::json(&record, &register())[0];
        assert_eq!((&span["status"], span["attributes"].get("exception.type")), (&json!("Unset"), None));
        assert_eq!(fhir::json(&record)["outcome"], "4");
        let line = adl::json(&record, adl::Edition::Draft).unwrap();
        assert_eq!(line["response"]["decision"], false);
        let line = adl::json(&record, adl::Edition::V1).unwrap();
        assert_eq!(
            (&line["status"], &line["body"]["adl.core.response"]["decision"]),
            (&json!("Unset"), &json!(false))
        );
    }
}

#[test]
fn a_permit_is_a_success_everywhere() {
    let record = record(&outcome("released", None), None);
    assert_eq!(ldv::json(&record, &register())[0]["status"], "Unset");
    assert_eq!(fhir::json(&record)["outcome"], "0");
    let line = adl::json(&record, adl::Edition::Draft).unwrap();
    assert_eq!(line["response"]["decision"], true);
    assert_eq!(line["response"]["context"]["released"][0]["source"], SOURCE);
}

#[test]
fn what_was_cut_off_or_broke_is_an_error_and_no_decision() {
    // All that the log says of a request that was closed after a crash.
    let cut = json!({ "requester": REQUESTER, "effect": "interrupted" });
    let broke = outcome("refused", Some("LOG_UNAVAILABLE"));
    for (facts, exception) in [(cut, "INTERRUPTED"), (broke, "LOG_UNAVAILABLE")] {
        let record = record(&facts, None);
        let span = &ldv::json(&record, &register())[0];
        assert_eq!(span["status"], "Error");
        assert_eq!(span["attributes"]["exception.type"], exception);
        // The purpose is known from the request.
        let activity = &span["attributes"]["dpl.core.processing_activity_id"];
        assert_eq!(activity, "https://register.example/activities/REINTEGRATION");
        assert_eq!(fhir::json(&record)["outcome"], "8");
        let line = adl::json(&record, adl::Edition::Draft).unwrap();
        assert_eq!(line["response"]["decision"], false, "nothing is given");
        assert_eq!(line["response"]["context"]["reason"], exception);
        let line = adl::json(&record, adl::Edition::V1).unwrap();
        assert_eq!(line["status"], "Error");
        assert!(line["body"].get("adl.core.response").is_none(), "there is no decision to tell");
    }
}

#[test]
fn every_refusal_is_a_denial_unless_the_gateway_could_not() {
    for code in RefusalCode::ALL {
        let failed = matches!(code.class(), RefusalClass::Busy | RefusalClass::Unavailable);
        let expected = if failed { Verdict::Failed(code.as_str()) } else { Verdict::Denied };
        assert_eq!(record(&outcome("refused", Some(code.as_str())), None).verdict(), expected, "{code:?}");
    }
    assert_eq!(record(&outcome("refused", Some("OF_A_LATER_VERSION")), None).verdict(), Verdict::Denied);
}

#[test]
fn a_check_decides_nothing() {
    let record = record(&outcome("validated", None), None);
    assert_eq!(record.verdict(), Verdict::Checked);
    assert!(adl::json(&record, adl::Edition::V1).is_none());
    assert_eq!(fhir::json(&record)["outcome"], "0");
}

#[test]
fn an_outcome_and_its_request_are_one_record() {
    let record = record(&outcome("released", None), None);
    assert_eq!(record.started.to_string(), "2026-11-23T09:30:00.000Z");
    assert_eq!(record.ended.to_string(), "2026-11-23T09:30:00.250Z");
    let spans = ldv::json(&record, &register());
    assert_eq!(spans.len(), 2, "one for the source inside it");
    assert_eq!(spans[0]["trace_id"], spans[1]["trace_id"]);
    assert_eq!(spans[0]["span_id"], spans[1]["parent_span_id"]);
    assert_ne!(spans[0]["span_id"], spans[1]["span_id"]);
    let processor = &spans[1]["attributes"]["dpl.core.foreign_operation.processor"];
    assert_eq!(processor, &format!("urn:oin:{SOURCE}"));
}

#[test]
fn ids_are_the_same_each_time_and_lead_to_nobody() {
    let (pair, facts) = (PairId::random(), outcome("released", None));
    let make = |position| {
        let mut reader = Reader::new(ORIGIN);
        reader.take(&entry(Kind::Outcome, position, pair, &facts, None)).unwrap()
    };
    let (first, again, other) = (make(1), make(1), make(2));
    assert_eq!(first.span_id(), again.span_id());
    assert_eq!(first.subject_reference(), again.subject_reference());
    assert_eq!(first.trace_id(), other.trace_id(), "of one call");
    assert_ne!(first.span_id(), other.span_id());
    assert_ne!(first.subject_reference(), other.subject_reference(), "good for one record alone");
    assert!(!first.trace_id().to_string().contains(&hex::encode(pair.bytes())));
    assert_eq!((first.trace_id().to_string().len(), first.span_id().to_string().len()), (32, 16));
}

#[test]
fn only_what_is_a_processing_of_somebodys_data_is_handed_on() {
    let by = |event: &str| json!({ "event": event, "by": SOURCE });
    for (kind, facts) in [
        (Kind::Consent, by("recorded")),
        (Kind::Access, json!({ "by": SOURCE, "looked_at": { "checkpoint": true } })),
        (Kind::Acknowledgement, json!({ "by": SOURCE, "outcome": 3, "purpose": "REINTEGRATION" })),
        (Kind::Erasure, json!({ "pairs": [] })),
    ] {
        assert!(one(kind, &facts).is_some(), "{kind}");
    }
    for kind in Kind::ALL {
        let handed = matches!(
            kind,
            Kind::Outcome | Kind::Consent | Kind::Access | Kind::Acknowledgement | Kind::Erasure
        );
        assert_eq!(one(kind, &json!({ "effect": "released" })).is_some(), handed, "{kind}");
    }
}

#[test]
fn acts_name_the_person_only_where_there_is_one() {
    let references = |kind, facts: &Value| one(kind, facts).unwrap().subject_reference().is_some();
    assert!(references(Kind::Consent, &json!({ "event": "withdrawn", "by": SOURCE })));
    assert!(!references(Kind::Consent, &json!({ "event": "source_paused_all", "by": SOURCE })));
    assert!(references(Kind::Access, &json!({ "by": SOURCE, "looked_at": { "consents_by": "client" } })));
    assert!(!references(Kind::Access, &json!({ "by": "operator", "looked_at": { "export": true } })));
}

#[test]
fn a_refused_act_is_a_denial_too() {
    let facts = json!({ "event": "refused", "by": SOURCE, "act": "record", "refusal": "FORM_UNREADABLE" });
    let record = one(Kind::Consent, &facts).unwrap();
    assert_eq!(record.verdict(), Verdict::Denied);
    assert!(adl::json(&record, adl::Edition::Draft).is_none(), "no decision on a release");
    assert_eq!(fhir::json(&record)["outcomeDesc"], "refused: FORM_UNREADABLE");
}

#[test]
fn what_cannot_be_read_is_said_and_not_passed_over() {
    for facts in [json!({ "effect": "of a later version" }), json!({}), json!({ "effect": 1 })] {
        let record = one(Kind::Outcome, &facts).unwrap();
        assert_eq!(record.verdict(), Verdict::Unreadable);
        let span = &ldv::json(&record, &register())[0];
        assert_eq!(span["attributes"]["exception.type"], "ENTRY_UNREADABLE");
        assert_eq!(fhir::json(&record)["outcome"], "8");
    }
}

#[test]
fn why_is_told_only_where_the_export_opens_it() {
    let facts = outcome("not_provided", None);
    let source = json!({ "source": SOURCE, "reason": Reason::Withdrawn.as_str(), "rules": ["r1"] });
    let detail = json!({ "sources": [source] });
    let texts = |record: &Record| {
        let lines = [
            fhir::json(record),
            adl::json(record, adl::Edition::Draft).unwrap(),
            adl::json(record, adl::Edition::V1).unwrap(),
        ];
        lines.map(|line| line.to_string().contains("WITHDRAWN"))
    };
    assert_eq!(texts(&record(&facts, None)), [false; 3]);
    assert_eq!(texts(&record(&facts, Some(&detail))), [true; 3]);
    let spans = ldv::json(&record(&facts, Some(&detail)), &register());
    assert!(!Value::Array(spans).to_string().contains("WITHDRAWN"), "never to the logboek");
    // In one place of the record, as the standard has it: in full now, by reference otherwise.
    let line = adl::json(&record(&facts, Some(&detail)), adl::Edition::V1).unwrap();
    assert!(line["attributes"].get("adl.core.information").is_none());
    assert_eq!(line["body"]["adl.core.information"]["participants"], "sha256:bb");
}

#[test]
fn p08_records_show_nothing_when_they_are_printed() {
    let record = record(&outcome("released", None), None);
    let request = otlp::ExportRequest::new(ORIGIN, std::slice::from_ref(&record), &register());
    let shown = format!("{record:?} {:?} {request:?}", record.happened);
    assert_eq!(shown, "Record(redacted) Happened(redacted) ExportRequest(redacted)");
    let oin: Oin = REQUESTER.parse().unwrap();
    assert!(fhir::json(&record).to_string().contains(oin.as_str()), "an organisation is named");
}

#[test]
fn a_register_is_an_address_that_a_name_can_follow() {
    for good in
        ["https://register.example/a/", "https://register.example/?id=", "https://register.example/x:"]
    {
        assert!(good.parse::<ldv::Register>().is_ok(), "{good}");
    }
    for bad in ["", "/", "http://register.example/", "https://register.example/a", "urn:x:"] {
        assert!(bad.parse::<ldv::Register>().is_err(), "{bad}");
    }
}
