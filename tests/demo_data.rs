//! The data of the demo: what is in the repository is what the generator writes, and all of it can be used.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail in any way")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use sluis::{
    catalogue::{self, Mask, Sensitivity},
    domain::{Bsn, Day, Oin, Purpose, Role, time::parse_day},
    source::reference::Statements,
};
use time::Duration;

/// The day on which the data was made up: nothing in it that has happened lies behind this day.
const TODAY: Day = time::macros::date!(2026 - 11 - 01);

#[path = "../examples/generate_demo/demo.rs"]
mod demo;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("demo")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn json(path: &str) -> Value {
    serde_json::from_str(&read(path)).unwrap()
}

fn names(folder: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    entries.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().display())).collect()
}

#[test]
fn the_repository_holds_what_the_generator_writes() {
    let files = demo::files().unwrap();
    for (path, content) in &files {
        assert_eq!(&read(path), content, "{path} differs: run `cargo run --example generate_demo`");
    }
    let generated: BTreeSet<_> = files.into_keys().filter(|path| path.contains('/')).collect();
    let found = &names("forms") | &names("statements");
    assert_eq!(found, generated, "files that nobody writes any more");
}

fn participants() -> BTreeMap<String, toml::Table> {
    let file: toml::Table = read("participants.toml").parse().unwrap();
    let organisations = file["organisation"].as_array().unwrap();
    let by_oin = |value: &toml::Value| {
        let organisation = value.as_table().unwrap().clone();
        let oin: Oin = organisation["oin"].as_str().unwrap().parse().unwrap();
        assert!(oin.is_test(), "{oin}");
        (oin.to_string(), organisation)
    };
    organisations.iter().map(by_oin).collect()
}

fn is(organisation: &toml::Table, function: &str) -> bool {
    organisation["functions"].as_array().unwrap().iter().any(|held| held.as_str() == Some(function))
}

#[test]
fn agreements_are_between_a_source_and_a_requester() {
    let participants = participants();
    let file: toml::Table = read("agreements.toml").parse().unwrap();
    for agreement in file["agreement"].as_array().unwrap() {
        let party = |name: &str| &participants[agreement[name].as_str().unwrap()];
        assert!(is(party("source"), "source") && is(party("requester"), "requester"), "{agreement}");
        for purpose in agreement["purposes"].as_array().unwrap() {
            purpose.as_str().unwrap().parse::<Purpose>().unwrap();
        }
        let day = |name: &str| parse_day(agreement[name].as_str().unwrap()).unwrap();
        assert!(day("starts") < day("review") && day("review") < day("ends"));
    }
}

#[test]
fn statements_load_in_a_source() {
    let participants = participants();
    let sources: BTreeSet<_> = participants
        .iter()
        .filter(|(_, organisation)| is(organisation, "source"))
        .map(|(oin, _)| format!("statements/{oin}.json"))
        .collect();
    assert_eq!(names("statements"), sources);
    for path in sources {
        let statements = Statements::parse(read(&path).as_bytes(), false, TODAY).unwrap();
        assert!(statements.len() >= 10, "{path}");
    }
}

#[test]
fn all_clients_are_from_the_test_range() {
    let clients = json("clients.json");
    let numbers: BTreeSet<_> =
        clients.as_array().unwrap().iter().map(|c| c["bsn"].as_str().unwrap().to_owned()).collect();
    assert_eq!(numbers.len(), 40);
    assert!(numbers.iter().all(|number| Bsn::parse(number).unwrap().is_test()));
    for path in &names("forms") | &names("statements") {
        let file = json(&path);
        let items = file.as_array().cloned().unwrap_or_else(|| vec![file]);
        for item in items {
            assert!(numbers.contains(item["bsn"].as_str().unwrap()), "{path}");
        }
    }
}

/// Reads `today-14` and `today+300` as `demo/README.md` says.
fn relative(value: &Value, today: Day) -> Day {
    let offset = value.as_str().unwrap().strip_prefix("today").unwrap();
    assert!(offset.starts_with(['+', '-']), "{value}");
    today + Duration::days(offset.parse().unwrap())
}

fn codes(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect()
}

#[test]
fn forms_can_be_recorded() {
    let (participants, today) = (participants(), parse_day("2028-02-29").unwrap());
    assert!((28..=32).contains(&names("forms").len()));
    for path in names("forms") {
        let form = json(&path);
        let party = |value: &Value| &participants[value.as_str().unwrap()];
        assert!(is(party(&form["recorder"]), "recorder") && form["recorder"] == form["custodian"], "{path}");
        let explained_by: Role = form["explanation"]["explained_by"].as_str().unwrap().parse().unwrap();
        assert_eq!(party(&form["recorder"])["kind"].as_str(), Some(explained_by.kind().as_str()), "{path}");
        let signed = relative(&form["signed_on"], today);
        assert!(signed <= today && relative(&form["explanation"]["explained_on"], today) <= signed, "{path}");
        for grant in form["grants"].as_array().unwrap() {
            let (recipient, source) = (party(&grant["recipient"]), party(&grant["source"]));
            assert!(is(recipient, "requester") && is(source, "source") && recipient != source, "{path}");
            let role: Role = grant["role"].as_str().unwrap().parse().unwrap();
            assert_eq!(recipient["kind"].as_str(), Some(role.kind().as_str()), "{path}");
            let purpose = grant["purpose"].as_str().unwrap();
            assert!(purpose != "JOB_PLACEMENT" || source["kind"].as_str() != Some("ggz"), "{path}");
            let fields = catalogue::from_codes(&codes(&grant["fields"])).unwrap();
            assert!(!fields.is_empty() && catalogue::codes(fields) == codes(&grant["fields"]), "{path}");
            let within: Mask =
                fields.iter().filter(|field| allowed(purpose, field.entry().field_set)).collect();
            assert_eq!(within, fields, "{path}");
            let revealing: Mask =
                fields.iter().filter(|field| field.entry().sensitivity == Sensitivity::S2).collect();
            assert_eq!(catalogue::codes(revealing), codes(&grant["sensitive"]), "{path}");
            let (from, until) =
                (relative(&grant["valid_from"], today), relative(&grant["valid_until"], today));
            assert!(
                signed <= from && from < until && until > today && until - signed < Duration::days(364),
                "{path}"
            );
        }
    }
}

fn allowed(purpose: &str, field_set: &str) -> bool {
    match purpose {
        "REINTEGRATION" => ["WT", "VW_BASIC", "VW_DETAIL", "AV", "AV_OUTLOOK", "TR"].contains(&field_set),
        "PLAN_ALIGNMENT" | "JOB_COACHING" => ["WT", "VW_BASIC", "VW_DETAIL", "TR"].contains(&field_set),
        "JOB_PLACEMENT" => ["WT", "VW_BASIC"].contains(&field_set),
        _ => false,
    }
}

#[test]
fn the_main_character_gets_a_complete_answer() {
    let form = json("forms/main.json");
    let bsn = Bsn::parse(form["bsn"].as_str().unwrap()).unwrap();
    let grants = form["grants"].as_array().unwrap();
    assert_eq!(grants.len(), 2);
    for grant in grants {
        let path = format!("statements/{}.json", grant["source"].as_str().unwrap());
        let statements = Statements::parse(read(&path).as_bytes(), true, TODAY).unwrap();
        let granted = catalogue::from_codes(&codes(&grant["fields"])).unwrap();
        assert!(granted.is_subset_of(statements.present(&bsn)), "{path}");
        assert_ne!(granted, statements.present(&bsn), "his source holds more than he lets it tell");
    }
}
