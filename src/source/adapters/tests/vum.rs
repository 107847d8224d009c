//! VUM: every code of every list, and what belongs together.

use serde_json::{Value, json};

use super::{import, said};
use crate::catalogue::{Field, Form, List};

/// Where a field of the catalogue stands in a profile, with `@` for its value.
const PLACES: [(Field, &str); 17] = [
    (Field::Vw01, r#""eisAanWerk":{"indicatieAanpassingWerkomgeving":@}"#),
    (Field::Vw02, r#""eisAanWerk":{"indicatieBegeleiding":@}"#),
    (Field::Vw03, r#""eisAanWerk":{"indicatieWerkvariatie":@}"#),
    (Field::Wt07, r#""werktijden":{"indicatieKantoortijden":@}"#),
    (Field::Wt08, r#""flexibiliteit":{"indicatieOnregelmatigWerkOfPloegendienst":@}"#),
    (Field::Mt03, r#""contractvorm":[{"codeTypeArbeidscontract":"@"}]"#),
    (Field::Mt04, r#""contractvorm":[{"codeTypeOvereenkomst":"@"}]"#),
    (Field::Mt08, r#""flexibiliteit":{"codeRegiostraal":@}"#),
    (Field::Mt09, r#""vervoermiddel":[{"codeVervoermiddel":@}]"#),
    (Field::Mt11, r#""arbeidsmarktkwalificatie":{"rijbewijs":[{"codeSoortRijbewijs":"@"}]}"#),
    (Field::Mt12, r#""arbeidsmarktkwalificatie":{"opleiding":[{"codeNiveauOpleiding":@}]}"#),
    (
        Field::Mt14,
        r#""arbeidsmarktkwalificatie":{"opleiding":[{"codeNiveauOpleiding":1,"indicatieDiploma":@}]}"#,
    ),
    (
        Field::Mt15,
        r#""arbeidsmarktkwalificatie":{"opleiding":[{"codeNiveauOpleiding":1,"codeStatusOpleiding":@}]}"#,
    ),
    (Field::Mt17, r#""arbeidsmarktkwalificatie":{"gedragscompetentie":[{"codeGedragscompetentie":@}]}"#),
    (Field::Mt21, r#""voorkeursland":[{"landencodeIso":"@"}]"#),
    (Field::Av07, r#""arbeidsmarktkwalificatie":{"codeWerkEnDenkniveauWerkzoekende":@}"#),
    (Field::Rg01, r#""indicatieLdrRegistratie":@"#),
];

fn profile(inside: &str) -> String {
    format!(r#"[{{"idWerkzoekende":"a",{inside}}}]"#)
}

fn assert_value(found: &Value, name: &str, what: &str) {
    let found = found.as_array().map_or(found, |flags| &flags[0]);
    assert!(found.as_str().is_some_and(|found| found.ends_with(&format!("_{name}"))), "{what}: {found}");
}

#[test]
fn every_code_of_every_list_leads_to_its_value() {
    for (field, place) in PLACES {
        let path = field.entry().path;
        match field.entry().form {
            Form::Code(list) | Form::Codes(list) => {
                for value in list.values {
                    // VUM knows no presumption of a registration.
                    if (field, value.name) == (Field::Rg01, "PRESUMED") {
                        continue;
                    }
                    assert!(!value.instrument_code.is_empty(), "{} has no code of VUM", value.name);
                    let text = profile(&place.replace('@', value.instrument_code));
                    assert_value(&said("vum", &text, path), value.name, &text);
                }
            }
            Form::Number { min, max } => {
                for number in min..=max {
                    let text = profile(&place.replace('@', &number.to_string()));
                    assert_eq!(said("vum", &text, path), number, "{text}");
                }
            }
            _ => panic!("{path} has an unexpected form"),
        }
    }
}

fn part(field: Field, name: &str) -> &'static List {
    let Form::Parts { parts, .. } = field.entry().form else { panic!("{field:?} has no parts") };
    let part = parts.iter().find(|part| part.name == name).unwrap();
    let Form::Code(list) = part.form else { panic!("{name} is no code") };
    list
}

#[test]
fn every_language_level_and_mastery_leads_to_its_value() {
    for (name, property) in [
        ("speaking", "codeNiveauTaalbeheersingMondeling"),
        ("writing", "codeNiveauTaalbeheersingSchriftelijk"),
        ("reading", "codeNiveauTaalbeheersingLezen"),
        ("listening", "codeNiveauTaalbeheersingLuisteren"),
    ] {
        for language in part(Field::Mt16, "language").values {
            for level in part(Field::Mt16, name).values {
                let (code, step) = (language.instrument_code, level.instrument_code);
                let text = profile(&format!(
                    r#""arbeidsmarktkwalificatie":{{"taalbeheersing":[{{"codeTaal":"{code}","{property}":{step}}}]}}"#
                ));
                let found = said("vum", &text, "matching.languages");
                assert_value(&found[0]["language"], language.name, &text);
                assert_value(&found[0][name], level.name, &text);
            }
        }
    }
    for competence in part(Field::Mt18, "competence").values {
        for level in part(Field::Mt18, "level").values {
            let (code, step) = (competence.instrument_code, level.instrument_code);
            let text = profile(&format!(
                r#""arbeidsmarktkwalificatie":{{"gedragscompetentie":[{{"codeGedragscompetentie":{code},"codeBeheersingGedragscompetentie":{step}}}]}}"#
            ));
            let found = said("vum", &text, "matching.competence_mastery");
            assert_value(&found[0]["competence"], competence.name, &text);
            assert_value(&found[0]["level"], level.name, &text);
        }
    }
}

#[test]
fn what_is_not_in_a_list_that_is_a_part_is_another_one() {
    let text = profile(
        r#""arbeidsmarktkwalificatie":{"taalbeheersing":[{"codeTaal":"isl","codeNiveauTaalbeheersingLezen":3}]}"#,
    );
    assert_eq!(said("vum", &text, "matching.languages")[0]["language"], "LANGUAGE_OTHER");
    let text =
        profile(r#""voorkeursland":[{"landencodeIso":"JP"},{"landencodeIso":"NL"},{"landencodeIso":"BR"}]"#);
    let countries = said("vum", &text, "matching.preferred_countries");
    assert_eq!(countries, json!(["COUNTRY_NL", "COUNTRY_OTHER"]));
}

#[test]
fn the_highest_education_alone_goes_on() {
    let of =
        |educations: &str| profile(&format!(r#""arbeidsmarktkwalificatie":{{"opleiding":[{educations}]}}"#));
    let text = of(
        r#"{"codeNiveauOpleiding":9},{"codeNiveauOpleiding":4,"indicatieDiploma":2},{"codeNiveauOpleiding":2,"indicatieDiploma":1}"#,
    );
    assert_eq!(said("vum", &text, "matching.education_level"), "EDUCATION_LEVEL_MBO");
    assert_eq!(said("vum", &text, "matching.diploma"), "DIPLOMA_NO");
    let (refusals, ..) = import(
        "vum",
        &of(
            r#"{"codeNiveauOpleiding":4,"indicatieDiploma":2},{"codeNiveauOpleiding":4,"indicatieDiploma":1}"#,
        ),
    );
    assert_eq!(refusals[0].to_string(), "record 1, $.arbeidsmarktkwalificatie.opleiding[1] is given twice");
}

#[test]
fn one_vehicle_that_can_be_used_is_enough() {
    let text = profile(
        r#""vervoermiddel":[{"codeVervoermiddel":3,"indicatieBeschikbaarVoorWoonWerkverkeer":1,"indicatieBeschikbaarVoorUitvoeringWerk":2},{"codeVervoermiddel":1,"indicatieBeschikbaarVoorWoonWerkverkeer":2,"indicatieBeschikbaarVoorUitvoeringWerk":0}]"#,
    );
    let expected = json!({ "commute": "YES_NO_UNKNOWN_YES", "at_work": "YES_NO_UNKNOWN_UNKNOWN" });
    assert_eq!(said("vum", &text, "matching.vehicle_use"), expected);
    assert_eq!(said("vum", &text, "matching.vehicles"), json!(["VEHICLE_CAR", "VEHICLE_BICYCLE"]));
}

#[test]
fn a_postcode_loses_its_letters_and_a_sector_its_number() {
    let text = profile(
        r#""mobiliteit":{"bemiddelingspostcode":"2611ab"},"sector":[{"codeSbi":47111},{"codeSbi":1110}]"#,
    );
    assert_eq!(said("vum", &text, "matching.postcode_area"), 2611);
    assert_eq!(said("vum", &text, "matching.sectors"), json!(["SECTOR_AGRICULTURE", "SECTOR_TRADE"]));
}

#[test]
fn null_is_not_stated_and_the_key_may_come_last() {
    let text = r#"[{"persoonlijkePresentatie":null,"werktijden":{"aantalWerkurenPerWeekMinimaal":8,"indicatieKantoortijden":null},"sector":null,"idWerkzoekende":"b"}]"#;
    let (refusals, _, written) = import("vum", text);
    assert!(refusals.is_empty(), "{refusals:?}");
    assert_eq!(written[0]["bsn"], super::BERT);
    assert_eq!(written[0]["work_capacity"]["working_hours"]["assessment"]["instrument"], "INSTRUMENT_VUM");
}
