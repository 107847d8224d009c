//! The FML: every item and option, as the catalogue's tables have them.

use serde_json::{Value, json};

use super::{ANNE, BERT, import, said};
use crate::catalogue::{ALL, Form};

fn line(item: &str, option: &str) -> String {
    format!("bsn;item;option\n{ANNE};{item};{option}\n")
}

#[test]
fn every_item_and_option_leads_to_the_value_with_its_code() {
    let mut options = 0;
    for field in ALL {
        let entry = field.entry();
        let Some(item) = entry.origin.strip_prefix("FML ") else { continue };
        let cases: Vec<(&str, Value)> = match entry.form {
            Form::YesNo => vec![("0", json!(false)), ("1", json!(true))],
            Form::Code(list) | Form::Codes(list) => {
                let value = |value: &crate::catalogue::Coded| {
                    assert!(!value.instrument_code.is_empty(), "{} has no code of the FML", value.name);
                    (value.instrument_code, json!(value.name))
                };
                list.values.iter().map(value).collect()
            }
            _ => panic!("{item} has an unexpected form"),
        };
        for (option, expected) in cases {
            options += 1;
            let found = said("fml", &line(item, option), entry.path);
            let found = found.as_array().map_or(&found, |flags| &flags[0]);
            match (found.as_str(), expected.as_str()) {
                (Some(found), Some(name)) => {
                    assert!(found.ends_with(&format!("_{name}")), "{item} {option}: {found}")
                }
                _ => assert_eq!(*found, expected, "{item} {option}"),
            }
        }
    }
    assert!(options > 200, "only {options} options were tried");
}

#[test]
fn an_allergy_is_a_further_restriction_and_no_more() {
    for (item, option) in
        [("III-8.1", "1"), ("III-8.2", "1"), ("III-8.3", "1"), ("III-8", "2"), ("III-8", "4")]
    {
        let (_, _, written) = import("fml", &line(item, option));
        let mut environment = written[0]["work_capacity"]["physical_environment"].clone();
        environment.as_object_mut().unwrap().remove("assessment");
        assert_eq!(environment, json!({ "other_physical_restriction": true }), "{item} {option}");
    }
    let both = format!("{}{ANNE};III-8.3;1\n{ANNE};III-8;1\n", line("III-8.1", "1"));
    assert_eq!(said("fml", &both, "physical_environment.other_physical_restriction"), true);
}

#[test]
fn an_option_of_a_list_of_conditions_is_its_item() {
    let text = format!("{}{ANNE};I-8;4\n", line("I-8", "1"));
    assert_eq!(said("fml", &text, "personal_functioning.low_distraction_work"), true);
    assert_eq!(said("fml", &text, "personal_functioning.few_deadlines"), true);
}

#[test]
fn items_of_more_options_have_a_line_each_and_order_does_not_matter() {
    let text = format!(
        "\u{feff}item,bsn,note,option\r\nI-5,{ANNE},,3\r\nI-5,{ANNE},\"a, b\",1\r\nVI-2,{BERT},,0\r\n"
    );
    let limits = said("fml", &text, "personal_functioning.goal_directed_action_limits");
    assert_eq!(limits, json!(["GOAL_DIRECTED_ACTION_LIMIT_STARTING", "GOAL_DIRECTED_ACTION_LIMIT_CHECKING"]));
    let (_, imported, written) = import("fml", &text);
    assert_eq!(written[1]["bsn"], BERT);
    let report = imported.files()[0].to_string();
    assert!(report.contains("not carried: free text: note (1)"), "{report}");
}

#[test]
fn a_line_that_cannot_be_read_spoils_the_records_beside_it() {
    let carl = "999990044";
    let text = format!(
        "bsn;item;option\n{carl};VI-2;1\n{ANNE};VI-2;1\n{ANNE};\"VI-3;1\n{BERT};VI-2;1\n{BERT};VI-3;1\n"
    );
    let (refusals, imported, written) = import("fml", &text);
    let told: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:?}");
    assert_eq!((imported.files()[0].read, imported.files()[0].mapped), (4, 1));
    assert_eq!(written.as_array().unwrap().len(), 1);
    assert_eq!(written[0]["bsn"], carl);
}

#[test]
fn a_client_with_two_records_has_neither() {
    let text = format!("{}{BERT};VI-2;1\n{ANNE};VI-3;1\n", line("VI-2", "1"));
    let (refusals, _, written) = import("fml", &text);
    let records: Vec<_> = refusals.iter().map(|refusal| refusal.place.record).collect();
    assert_eq!(records, [1, 3]);
    assert_eq!((written.as_array().unwrap().len(), &written[0]["bsn"]), (1, &json!(BERT)));
}
