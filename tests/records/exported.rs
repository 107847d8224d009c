//! The command, on an export of a region in which one of each has happened.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    lab::{BSN, Region, UNKNOWN, handed_on},
    r4,
};

async fn lived() -> Region {
    let mut region = Region::new(|_| {}).await;
    region.serve("sluis.toml").await;
    region.live().await;
    region.stop().await;
    region
}

/// Lines by trace.
fn by_trace(lines: &[Value]) -> BTreeMap<String, &Value> {
    lines.iter().map(|line| (line["trace_id"].as_str().unwrap().to_owned(), line)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_entries_are_told_in_three_standards() {
    let region = lived().await;
    let export = region.export("plain", &[]);
    let store = region.stored().await;
    let wanted = handed_on(store.as_ref()).await;
    let (ldv, fhir) = (region.records(&export, "ldv"), region.records(&export, "fhir"));
    let (adl, adl_1) = (region.records(&export, "adl"), region.records(&export, "adl-1.0"));

    let roots: Vec<_> = ldv.iter().filter(|span| span.get("parent_span_id").is_none()).cloned().collect();
    let positions = roots
        .iter()
        .map(|span| span["attributes"]["dpl.sluis.position"].as_str().unwrap().parse::<u64>().unwrap());
    assert_eq!(positions.collect::<std::collections::BTreeSet<_>>(), wanted);
    assert_eq!(fhir.len(), wanted.len(), "one AuditEvent for each entry");
    assert_eq!((adl.len(), adl_1.len()), (3, 3), "a permit, a denial and a refusal; a check is no decision");

    // The same decision, in each log's own words.
    let spans = by_trace(&roots);
    let newer = by_trace(&adl_1);
    let expected = [("released", true, "0"), ("not_provided", false, "4"), ("refused", false, "4")];
    for line in &adl {
        let trace = line["trace_id"].as_str().unwrap();
        let (span, other) = (spans[trace], newer[trace]);
        assert_eq!(line["span_id"], span["span_id"]);
        let effect = line["response"]["context"]["effect"].as_str().unwrap();
        let (_, decision, outcome) = expected.iter().find(|(name, ..)| *name == effect).unwrap();
        assert_eq!((&span["status"], &other["status"]), (&"Unset".into(), &"Unset".into()));
        assert_eq!(line["response"]["decision"], *decision);
        assert_eq!(other["body"]["adl.core.response"], line["response"]);
        assert_eq!(other["event_name"], "adl.access_evaluation");
        let position = &span["attributes"]["dpl.sluis.position"];
        let event = fhir.iter().find(|event| {
            let details = event["entity"][0]["detail"].as_array().unwrap();
            details
                .iter()
                .any(|detail| detail["type"] == "log-position" && detail["valueString"] == *position)
        });
        assert_eq!(event.unwrap()["outcome"], *outcome, "{effect}");
    }
    for name in ["timestamp", "type", "request", "response", "trace_id", "span_id", "policies", "information"]
    {
        assert!(adl.iter().all(|line| line.get(name).is_some()), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_r4_and_every_decision_is_balp() {
    let region = lived().await;
    for (name, more) in [("plain", &[][..]), ("details", &["--details"][..])] {
        let events = region.records(&region.export(name, more), "fhir");
        let mut decisions = 0;
        for event in &events {
            r4::check(event);
            if event["id"].as_str().unwrap().ends_with("-outcome") {
                decisions += 1;
                r4::check_decision(event);
            }
        }
        assert!(decisions >= 4 && decisions < events.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p08_records_name_no_person_and_nothing_that_was_exchanged() {
    let region = lived().await;
    let (plain, details) = (region.export("plain", &[]), region.export("details", &["--details"]));
    for standard in ["ldv", "adl", "adl-1.0", "fhir"] {
        for (export, opened) in [(&plain, false), (&details, true)] {
            let lines = region.records(export, standard);
            let text = Value::Array(lines).to_string();
            for number in [BSN, UNKNOWN] {
                assert!(!text.contains(number), "{standard}");
            }
            // Why a source gave nothing depends on the client: only where the details are opened, never in the logboek.
            assert_eq!(text.contains("NO_GRANT"), opened && standard != "ldv", "{standard}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_says_what_it_lacks() {
    let region = lived().await;
    let export = region.export("plain", &[]);
    let from = export.to_str().unwrap();
    let out = region.folder.path().join("out.ndjson");
    let args =
        |standard| ["audit", "records", "--in", from, "--as", standard, "--out", out.to_str().unwrap()];
    let (done, said) = region.sluis(&args("ldv"));
    assert!(!done && said.contains("--activities"), "{said}");
    let (done, said) = region.sluis(&args("fhir"));
    assert!(done && said.contains("records of"), "{said}");
    let (done, said) = region.sluis(&args("fhir"));
    assert!(!done && said.contains("cannot write"), "nothing is written over: {said}");
    // One flipped character of what is opened: nothing is made of it.
    let lines = export.join("opened/000.jsonl");
    let text = std::fs::read_to_string(&lines).unwrap();
    std::fs::write(&lines, text.replacen("not_provided", "not_pr0vided", 1)).unwrap();
    std::fs::remove_file(&out).unwrap();
    let (done, said) = region.sluis(&args("fhir"));
    assert!(!done && said.contains("verify the export"), "{said}");
}
