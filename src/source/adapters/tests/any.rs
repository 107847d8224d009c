//! Whatever comes in: no panic, and no text of it in the report.

use std::path::Path;

use proptest::prelude::*;

use super::{ANNE, import_into, settings};
use crate::source::adapters::refusal_json;

const FORMATS: [&str; 3] = ["vum", "fml", "ggm"];

/// Everything that an import says, on paper and for programs.
fn told(format: &str, input: &[u8]) -> String {
    let (refusals, imported) = import_into(Path::new("/nowhere/none.json"), settings(format), input);
    let mut told: Vec<String> =
        refusals.iter().map(|refusal| refusal_json("", refusal).to_string()).collect();
    told.extend(imported.files().iter().flat_map(|file| [file.to_string(), file.json().to_string()]));
    told.join("\n")
}

/// A word that no report has of its own: no name of a format and no word of this program has a `q` between digits.
fn secret() -> impl Strategy<Value = String> {
    "[0-9]q[0-9a-zé ]{2,30}"
}

proptest! {
    #[test]
    fn bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for format in FORMATS {
            told(format, &bytes);
        }
    }

    #[test]
    fn tables_never_panic(
        rows in proptest::collection::vec("(999990019|999990032|x)[;,](VI-2|I-8|III-8|IV-2|\"|é)[;,][0-9\"]{0,2}", 0..12),
        break_ in "(\n|\r\n)",
    ) {
        for header in ["bsn;item;option", "bsn,item,option", "bsn;Voorkeur.SoortWerk;Participatieladder.Trede"] {
            let text = format!("{header}{break_}{}", rows.join(&break_));
            for format in FORMATS {
                told(format, text.as_bytes());
            }
        }
    }

    /// A secret anywhere in a profile: as a key, a name, a value of each type of property, free text.
    #[test]
    fn no_text_of_a_profile_is_told(secret in secret(), place in 0_usize..12) {
        let places = [
            format!(r#"{{"idWerkzoekende":"{secret}"}}"#),
            format!(r#"{{"idWerkzoekende":"a","{secret}":1}}"#),
            format!(r#"{{"idWerkzoekende":"a","persoonlijkePresentatie":"{secret}"}}"#),
            format!(r#"{{"idWerkzoekende":"a","mobiliteit":{{"bemiddelingspostcode":"{secret}"}}}}"#),
            format!(r#"{{"idWerkzoekende":"a","mobiliteit":{{"{secret}":{{"{secret}":["{secret}"]}}}}}}"#),
            format!(r#"{{"idWerkzoekende":"a","flexibiliteit":{{"datumAanvangBeschikbaarVoorWerk":"{secret}"}}}}"#),
            format!(r#"{{"idWerkzoekende":"a","contractvorm":[{{"codeTypeOvereenkomst":"{secret}"}}]}}"#),
            format!(r#"{{"idWerkzoekende":"a","sector":[{{"codeSbi":"{secret}"}}]}}"#),
            format!(r#"{{"idWerkzoekende":"a","emailadres":["{secret}"],"webadres":[{{"url":"{secret}"}}]}}"#),
            format!(r#"{{"idWerkzoekende":"a","arbeidsmarktkwalificatie":{{"taalbeheersing":[{{"codeTaal":"{secret}"}}]}}}}"#),
            format!(r#"{{"idWerkzoekende":"a","arbeidsmarktkwalificatie":{{"werkervaring":[{{"naamOrganisatie":"{secret}"}}]}}}}"#),
            secret.clone(),
        ];
        let told = told("vum", format!("[{}]", places[place]).as_bytes());
        prop_assert!(!told.contains(&secret), "{told}");
        prop_assert!(!told.contains(ANNE), "{told}");
    }

    #[test]
    fn no_text_of_a_table_is_told(secret in secret(), at in 0_usize..4) {
        let mut cells = [ANNE, "VI-2", "1", ""];
        cells[at] = &secret;
        let mut names = ["bsn", "item", "option", "note"];
        for header in [names.join(";"), { names[3] = &secret; names.join(";") }] {
            let told = told("fml", format!("{header}\n{}\n", cells.join(";")).as_bytes());
            prop_assert!(!told.contains(&secret), "{told}");
            prop_assert!(!told.contains(ANNE), "{told}");
        }
        let columns = ["Voorkeur.SoortWerk", "Ontheffing.RedenAanvraag", "Voorkeur.BrancheNaam"];
        for column in columns.into_iter().map(ToOwned::to_owned).chain([format!("Ontheffing.{secret}"), secret.clone()]) {
            let told = told("ggm", format!("bsn;{column}\n{ANNE};{secret}\n").as_bytes());
            prop_assert!(!told.contains(&secret), "{told}");
        }
    }
}
