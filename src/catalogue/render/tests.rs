use super::*;

#[test]
fn the_page_is_what_the_program_prints() {
    let page = include_str!("../../../docs/catalogue.md");
    assert_eq!(page, markdown(), "run `sluis catalogue --format markdown > docs/catalogue.md`");
}

/// 168 rows: 156 that may be carried, of which three wait, and 12 that are never carried.
#[test]
fn r30_every_row_of_the_catalogue_is_there() {
    let csv = csv(Language::Dutch);
    let rows: Vec<_> = csv.lines().collect();
    assert!(rows[0].starts_with("code,path,label,"));
    assert_eq!(rows.len(), 1 + 153);
    let counts: Vec<_> = groups()
        .iter()
        .map(|group| (group.code, group.fields().count()))
        .chain([("MD", metadata().len())])
        .collect();
    let expected = [
        ("WT", 13),
        ("PF", 16),
        ("SF", 18),
        ("FO", 8),
        ("DH", 20),
        ("SH", 10),
        ("VW", 16),
        ("AV", 9),
        ("RG", 9),
        ("MT", 18),
        ("TR", 9),
        ("MD", 7),
    ];
    assert_eq!(counts, expected);
    let codes = |rows: &[super::super::LeftOut]| rows.iter().map(|row| row.code).collect::<Vec<_>>();
    assert_eq!(codes(super::super::open()), ["MT-01", "MT-13", "MT-19"]);
    let never = [
        "FO-09", "DH-02", "AV-10", "AV-11", "AV-12", "RG-10", "RG-11", "MT-22", "MT-23", "MT-24", "MT-25",
        "TR-09",
    ];
    assert_eq!(codes(super::super::never_carried()), never);
    for code in never.iter().chain(&["MT-01", "MT-13", "MT-19"]) {
        assert_eq!(super::super::Field::from_code(code), None);
    }
    let sensitive = entries().filter(|entry| entry.sensitivity == Sensitivity::S2).count();
    assert_eq!(sensitive, 19);
}

#[test]
fn a_cell_with_a_comma_is_quoted() {
    let csv = csv(Language::English);
    let row = csv.lines().find(|row| row.starts_with("PF-06,")).unwrap();
    assert!(row.contains("\"d175, d177\""), "{row}");
    assert!(csv.lines().next().unwrap().ends_with(",values"));
}

#[test]
fn one_field_from_its_proto_line_to_its_label() {
    let proto = include_str!("../../../proto/sluis/v1/work_capacity_working_hours.proto");
    let said = text(&["WT-02".to_owned()], Language::Dutch).unwrap();
    for part in
        ["Uren per dag", "Hoeveel uur per dag iemand kan werken, in de stappen van de FML.", "Ongeveer 4 uur"]
    {
        assert!(proto.contains(part) && said.contains(part), "{part}");
    }
    let english = text(&["WT-02".to_owned()], Language::English).unwrap();
    assert!(english.contains("Hours per day") && english.contains("About four"), "{english}");
    assert!(text(&["TR-09".to_owned()], Language::Dutch).unwrap().contains("Reden van pauze of stop"));
    assert_eq!(text(&["WT-99".to_owned()], Language::Dutch), None);
    let whole = text(&[], Language::English).unwrap();
    assert!(entries().all(|entry| whole.contains(entry.label_en)));
}

/// A person reads these, and tells them apart by them.
#[test]
fn labels_and_definitions_are_there_and_differ() {
    for language in [Language::Dutch, Language::English] {
        for entry in entries() {
            assert!(entry.definition(language).ends_with('.'), "{}", entry.code);
            assert!(
                entry.definition(language).len() < 200 && entry.label(language).len() < 80,
                "{}",
                entry.code
            );
        }
        for group in groups() {
            let labels: std::collections::BTreeSet<_> =
                group.fields().map(|field| field.entry().label(language)).collect();
            assert_eq!(labels.len(), group.fields().count(), "{}", group.code);
        }
    }
    for list in super::super::lists() {
        let labels: std::collections::BTreeSet<_> = list.values.iter().map(|value| value.label_nl).collect();
        assert_eq!(labels.len(), list.values.len(), "{}", list.name);
        assert!(list.values.iter().all(|value| !value.label_en.is_empty()), "{}", list.name);
    }
}

/// Body functions (b) and structures (s) are medical, and some activities and surroundings are about care.
#[test]
fn p03_icf_tags_are_of_activities_and_environment() {
    for tag in entries().flat_map(|entry| entry.icf.split(", ")).filter(|tag| !tag.is_empty()) {
        assert!(tag.starts_with(['d', 'e']), "{tag}");
        assert!(!["d570", "e1101", "e355", "e450", "e580"].iter().any(|care| tag.starts_with(care)), "{tag}");
    }
}
