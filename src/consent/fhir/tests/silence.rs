//! No value of the input, and no name that the standard does not have, is in what is said about it (P08).

use serde_json::{Value, json};

use super::{draft, example, export::record, import};
use crate::consent::fhir::{FhirFault, LossReport, export, export_draft};

const CANARY: &str = "Kanarie Zeldzaam";

/// Every way to put the canary in: in place of a string, behind one, as a new name, and in place of a name.
fn variants(value: &Value) -> Vec<Value> {
    match value {
        Value::String(text) => {
            vec![json!(CANARY), json!(format!("{text}{CANARY}")), json!(format!("{text}-{CANARY}"))]
        }
        Value::Array(items) => {
            let mut all = Vec::new();
            for (index, item) in items.iter().enumerate() {
                for variant in variants(item) {
                    let mut items = items.clone();
                    items[index] = variant;
                    all.push(Value::Array(items));
                }
            }
            all
        }
        Value::Object(fields) => {
            let mut all = Vec::new();
            for (name, item) in fields {
                for variant in variants(item) {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), variant);
                    all.push(Value::Object(fields));
                }
                let mut renamed = fields.clone();
                let item = renamed.remove(name).unwrap();
                renamed.insert(CANARY.to_owned(), item);
                all.push(Value::Object(renamed));
            }
            let mut more = fields.clone();
            more.insert(CANARY.to_owned(), json!({ "modifierExtension": [] }));
            all.push(Value::Object(more.clone()));
            more.insert(CANARY.to_owned(), json!(CANARY));
            all.push(Value::Object(more));
            all
        }
        _ => vec![json!(CANARY)],
    }
}

fn check(value: &Value, run: impl Fn(&Value) -> Result<(Value, LossReport), FhirFault>) {
    let all = variants(value);
    assert!(all.len() > 100);
    for variant in all {
        let said = match run(&variant) {
            Ok((output, report)) => format!("{output} {report} {report:?}"),
            Err(fault) => format!("{fault} {fault:?}"),
        };
        assert!(!said.contains(CANARY), "{said}");
        assert!(!said.contains("Zeldzaam"), "{said}");
    }
}

#[test]
fn p08_import_repeats_nothing() {
    check(&example(), import);
}

#[test]
fn p08_export_repeats_nothing() {
    check(&draft(), export_draft);
    check(&record(), |record| export(record, None));
}

#[test]
fn p08_no_number_of_a_client_is_in_a_report() {
    let (_, report) = import(&example()).unwrap();
    let mut broken = example();
    super::set(&mut broken, "/contained/0/identifier/0/value", json!("999990018"));
    let fault = import(&broken).unwrap_err();
    let mut other = record();
    super::set(&mut other, "/bsn", json!("999990019"));
    let third = export(&other, None).unwrap_err();
    let said = format!("{report} {report:?} {fault} {fault:?} {third} {third:?}");
    assert!(!said.contains("99999001"), "{said}");
}
