//! The GGM: labels in the words of the catalogue, and what a join repeats.

use serde_json::json;

use super::{ANNE, import, said};
use crate::{
    catalogue::{Field, Form},
    source::adapters::ggm::terms::{CARRIED, Term},
};

fn cell(column: &str, value: &str) -> String {
    format!("bsn;{column}\n{ANNE};{value}\n")
}

#[test]
fn every_label_of_every_list_leads_to_its_value() {
    for (entity, attribute, term) in CARRIED {
        let Term::Field(field) = term else { continue };
        let column = format!("{entity}.{attribute}");
        let path = field.entry().path;
        match field.entry().form {
            Form::Code(list) | Form::Codes(list) => {
                for value in list.values {
                    for text in [value.label_nl.to_owned(), value.label_nl.to_uppercase().replace(' ', "_")] {
                        let found = said("ggm", &cell(&column, &text), path);
                        let found = found.as_array().map_or(&found, |flags| &flags[0]);
                        assert!(found.as_str().unwrap().ends_with(&format!("_{}", value.name)), "{text}");
                    }
                }
            }
            Form::YesNo => {
                assert_eq!(said("ggm", &cell(&column, "Ja"), path), true);
                assert_eq!(said("ggm", &cell(&column, "Nee"), path), false);
            }
            Form::Number { max, .. } => {
                assert_eq!(said("ggm", &cell(&column, &max.to_string()), path), max);
            }
            Form::Day => {
                let day = json!({ "year": 2026, "month": 10, "day": 1 });
                assert_eq!(said("ggm", &cell(&column, "2026-10-01"), path), day);
            }
            _ => panic!("{column} has an unexpected form"),
        }
    }
}

/// The catalogue says itself which of its fields come from the GGM; the others are these.
#[test]
fn what_is_carried_is_what_the_catalogue_has_from_the_ggm() {
    for (entity, attribute, term) in CARRIED {
        if let Term::Field(field) = term {
            let origin = field.entry().origin;
            let by_name = [Field::Wt10, Field::Rg01, Field::Av06].contains(&field);
            assert!(by_name || origin.contains("GGM"), "{entity}.{attribute}: {origin}");
        }
    }
}

#[test]
fn names_are_known_in_either_spelling() {
    for column in [
        "BeschikbaarVoorArbeid.DagBeschikbaarheid",
        "Beschikbaar voor arbeid.Dag beschikbaarheid",
        "beschikbaar_voor_arbeid.dag_beschikbaarheid",
    ] {
        let days = said("ggm", &cell(column, "zondag"), "working_hours.available_days");
        assert_eq!(days, json!(["WEEKDAY_SUNDAY"]), "{column}");
    }
}

#[test]
fn a_join_repeats_and_does_not_contradict() {
    let header = "bsn;Loonkostensubsidie.PercentageLoonwaardeWML;Voorkeur.SoortWerk;Bemiddelingstraject.IndicatiePlaatsing;Reintegratievoorziening.DatumStart";
    let text = format!(
        "{header}\n{ANNE};60;Maken;Ja;2026-09-01\n{ANNE};60;Helpen;Ja;2026-09-01\n{ANNE};60;Maken;;\n"
    );
    assert_eq!(said("ggm", &text, "schemes.wage_value_percent"), 60);
    assert_eq!(said("ggm", &text, "trajectory.placement"), json!({ "placed": true }));
    assert_eq!(
        said("ggm", &text, "matching.kinds_of_work"),
        json!(["KIND_OF_WORK_HELPING", "KIND_OF_WORK_MAKING"])
    );
    for other in ["70;;;", ";;Nee;", ";;;2026-09-02"] {
        let (refusals, ..) = import("ggm", &format!("{text}{ANNE};{other}\n"));
        assert_eq!(refusals[0].reason.id(), "twice", "{other}");
    }
}

#[test]
fn unknown_and_empty_say_nothing() {
    let header = "bsn;BeschikbaarVoorBemiddeling.IndicatieDirectBemiddelbaar;Doelgroepenregister.IndicatieDoelgroepenRegister;Participatieladder.Trede";
    let (refusals, imported, _) = import("ggm", &format!("{header}\n{ANNE};Onbekend;Leeg;4\n"));
    assert!(refusals.is_empty(), "{refusals:?}");
    assert!(imported.files()[0].to_string().contains("mapped: AV-06 1"));
}

#[test]
fn an_empty_column_of_what_never_enters_is_no_fault() {
    let header = "bsn;Ontheffing.MotivatieOntheffingsbesluit;Participatieladder.Trede;mijn kolom";
    let (refusals, ..) = import("ggm", &format!("{header}\n{ANNE};;4;\n"));
    assert!(refusals.is_empty(), "{refusals:?}");
}
