//! The file of statements: what is held stays, groups are added, nothing is half written.

use std::fs;

use serde_json::{Value, json};

use super::{ANNE, BERT, TODAY, import_into, settings};
use crate::{
    catalogue::groups,
    source::{
        adapters::{Event, HeldFault, Import, Keys},
        reference::Statements,
    },
};

fn fml(option: &str) -> String {
    format!("bsn;item;option\n{ANNE};VI-2;{option}\n")
}

const VUM: &str =
    r#"[{"idWerkzoekende":"a","werktijden":{"indicatieKantoortijden":1},"sector":[{"codeSbi":47}]}]"#;

#[test]
fn groups_of_two_imports_come_together_and_the_source_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statements.json");
    let held = json!([{ "bsn": BERT, "declines": true, "work_capacity": {} }]);
    fs::write(&path, held.to_string()).unwrap();
    let (_, first) = import_into(&path, settings("fml"), fml("3").as_bytes());
    first.write(&path).unwrap();

    let (refusals, _) = import_into(&path, settings("vum"), VUM.as_bytes());
    assert_eq!(refusals[0].place.field.as_deref(), Some("working_hours"));
    assert_eq!(refusals[0].reason.id(), "held");

    let only = groups().iter().find(|group| group.code == "MT").unwrap().mask();
    let (refusals, second) = import_into(&path, super::Settings { only, ..settings("vum") }, VUM.as_bytes());
    assert!(refusals.is_empty(), "{refusals:?}");
    second.write(&path).unwrap();
    let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(written[0], json!({ "bsn": BERT, "declines": true, "work_capacity": {} }));
    let capacity = &written[1]["work_capacity"];
    assert_eq!(capacity["working_hours"]["hours_per_day"], "HOURS_PER_DAY_ABOUT_FOUR");
    assert_eq!(capacity["working_hours"]["assessment"]["instrument"], "INSTRUMENT_FML");
    assert_eq!(capacity["matching"]["assessment"]["instrument"], "INSTRUMENT_VUM");
    let statements = Statements::parse(&fs::read(&path).unwrap(), false, TODAY).unwrap();
    assert_eq!(statements.len(), 2);
}

#[test]
fn a_group_is_replaced_whole_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statements.json");
    import_into(&path, settings("fml"), fml("3").as_bytes()).1.write(&path).unwrap();
    let replace = super::Settings { replace: true, ..settings("vum") };
    let (refusals, imported) = import_into(&path, replace, VUM.as_bytes());
    assert!(refusals.is_empty());
    imported.write(&path).unwrap();
    let written: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let hours = &written[0]["work_capacity"]["working_hours"];
    assert_eq!(
        (&hours["hours_per_day"], &hours["office_hours_only"]),
        (&Value::Null, &json!("YES_NO_UNKNOWN_YES"))
    );
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_it_and_nothing_is_left_beside_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statements.json");
    fs::write(&path, "[]").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    import_into(&path, settings("fml"), fml("3").as_bytes()).1.write(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    let blocked = folder.path().join("folder");
    fs::create_dir(&blocked).unwrap();
    let (_, imported) = import_into(&folder.path().join("none.json"), settings("fml"), fml("3").as_bytes());
    assert!(imported.write(&blocked).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "what was half written is gone");
}

#[test]
fn a_file_that_is_no_file_of_statements_is_not_added_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statements.json");
    let twice = json!([{ "bsn": ANNE }, { "bsn": ANNE }]);
    let wrong = json!([{ "bsn": ANNE, "work_capacity": { "working_hours": { "hours_per_week": 99 } } }]);
    for (text, told) in [
        ("{}".to_owned(), "is not a JSON list of statements"),
        (json!([{ "bsn": "1" }]).to_string(), "item 1 is not a statement of a client with one item"),
        (twice.to_string(), "item 2 is not a statement of a client with one item"),
        (wrong.to_string(), "item 1 is not a statement of a client with one item"),
    ] {
        fs::write(&path, &text).unwrap();
        let fault: HeldFault = Import::begin(settings("fml"), &path, |_: Event<'_>| {}).unwrap_err();
        assert_eq!(fault.to_string(), told);
    }
}

/// A file that breaks off has nothing in the statements, and what another file says of its client is refused as well.
#[test]
fn nothing_of_a_broken_file_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statements.json");
    let mut import = Import::begin(settings("vum"), &path, |_| {}).unwrap();
    let whole = r#"[{"idWerkzoekende":"b","werktijden":{"indicatieKantoortijden":1}}]"#;
    import.file("broken", &VUM.as_bytes()[..VUM.len() - 1]).unwrap();
    import.file("whole", whole.as_bytes()).unwrap();
    import.file("same", VUM.as_bytes()).unwrap();
    let imported = import.end();
    let counts: Vec<_> = imported.files().iter().map(|file| (file.read, file.mapped)).collect();
    assert_eq!((counts, imported.clients()), (vec![(1, 0), (1, 1), (1, 0)], 1));
    assert!(
        imported.files()[0].to_string().contains("nothing of this file is used: line 1 is not a JSON list")
    );
    assert!(!imported.is_clean());
}

#[test]
fn a_large_profile_is_refused_before_it_fills_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("statements.json");
    let text = format!(r#"[{{"idWerkzoekende":"a","persoonlijkePresentatie":"{}"}}]"#, "x".repeat(3_000_000));
    let (refusals, _) = import_into(&path, settings("vum"), text.as_bytes());
    assert_eq!(refusals[0].reason.id(), "too_long");
    let many = format!("[{}]", vec![VUM.trim_matches(['[', ']']); 40_000].join(","));
    assert!(many.len() > 2_000_000);
    let (refusals, imported) = import_into(&path, settings("vum"), many.as_bytes());
    assert_eq!(
        (imported.files()[0].read, refusals.len()),
        (40_000, 40_000),
        "a bound per profile, not per file"
    );
    assert!(imported.files()[0].to_string().contains("and 39980 more"));
}

#[test]
fn keys_are_one_to_one() {
    let read = |text: &str| Keys::read(text.as_bytes()).unwrap().map(|keys| keys.len());
    assert_eq!(read(&format!("\u{feff}id,bsn\r\nx,{ANNE}\r\ny,{BERT}\r\n")), Ok(2));
    for (text, told) in [
        (String::new(), "line 1 has no column `id`"),
        ("id;name\n".to_owned(), "line 1 has no column `bsn`"),
        ("id;bsn;name\n".to_owned(), "line 1 is not known here"),
        (format!("id;bsn\nx;{ANNE}\ny;{ANNE}\n"), "line 3, bsn is given twice"),
        (format!("id;bsn\nx;{ANNE}\nx;{BERT}\n"), "line 3, id is given twice"),
        ("id;bsn\nx;999990018\n".to_owned(), "line 2, bsn does not pass the elfproef"),
        (format!("id;bsn\n;{ANNE}\n"), "line 2, id names no client"),
        (format!("id;bsn\nx\u{7};{ANNE}\n"), "line 2, id sets off the detector HIDDEN"),
        (format!("id;bsn\nx;{ANNE};1\n"), "line 2 has not as many cells as the header"),
    ] {
        let fault = read(&text).unwrap_err();
        assert_eq!(fault.to_string(), told);
    }
}
