//! The canary corpus at the adapters (P03): what may never pass, in every disguise, in every place of a file that a source
//! imports. Nothing of it goes into the statements or the report. The output shows what was tried where, and how much of
//! it refused its record.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

use std::collections::BTreeMap;

use aho_corasick::AhoCorasick;
use serde_json::json;
use sluis::{
    catalogue::Mask,
    proto,
    source::adapters::{Event, Format, Import, Keys, Settings, refusal_json},
};

#[path = "gateway/canary/contents.rs"]
mod contents;

use contents::{CONTENTS, DISGUISES, needles, samples};

const BSN: &str = "999990019";

/// What an import says and writes, and whether it was clean.
struct Said {
    text: String,
    clean: bool,
}

fn cell(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

fn profile(change: impl FnOnce(&mut serde_json::Value)) -> (String, String) {
    let mut profile = json!({ "idWerkzoekende": "a", "werktijden": { "aantalWerkurenPerWeekMinimaal": 12 } });
    change(&mut profile);
    ("vum".to_owned(), json!([profile]).to_string())
}

/// Places of a file, and the file with a text in one of them.
const PLACES: [&str; 21] = [
    "vum: name of a property",
    "vum: key of the client",
    "vum: personal presentation",
    "vum: explanation of work",
    "vum: name of an organisation",
    "vum: address on the web",
    "vum: contact",
    "vum: code of a language",
    "vum: country",
    "vum: postcode",
    "vum: text for a number",
    "vum: occupation",
    "fml: name of a column",
    "fml: item",
    "fml: option",
    "fml: note",
    "fml: one cell too many",
    "ggm: name of a column",
    "ggm: cell of a list",
    "ggm: explanation",
    "name of the file",
];

fn file(place: &str, text: &str) -> (String, String) {
    let fml = |line: String| ("fml".to_owned(), format!("bsn;item;option;note\n{line}\n"));
    let ggm = |column: &str, cell: &str| ("ggm".to_owned(), format!("bsn;{column}\n{BSN};{cell}\n"));
    match place {
        "vum: name of a property" => profile(|p| p[text] = json!(1)),
        "vum: key of the client" => profile(|p| p["idWerkzoekende"] = json!(text)),
        "vum: personal presentation" => profile(|p| p["persoonlijkePresentatie"] = json!(text)),
        "vum: explanation of work" => profile(|p| {
            p["arbeidsmarktkwalificatie"] = json!({ "werkervaring": [{ "toelichtingWerkervaring": text }] });
        }),
        "vum: name of an organisation" => profile(|p| {
            p["arbeidsmarktkwalificatie"] = json!({ "werkervaring": [{ "naamOrganisatie": text }] });
        }),
        "vum: address on the web" => profile(|p| p["webadres"] = json!([{ "codeWebadres": 1, "url": text }])),
        "vum: contact" => profile(|p| p["contactpersoon"] = json!([{ "naamContactpersoonAfdeling": text }])),
        "vum: code of a language" => profile(|p| {
            let language = json!({ "codeTaal": text, "codeNiveauTaalbeheersingMondeling": 3 });
            p["arbeidsmarktkwalificatie"] = json!({ "taalbeheersing": [language] });
        }),
        "vum: country" => profile(|p| p["voorkeursland"] = json!([{ "landencodeIso": text }])),
        "vum: postcode" => profile(|p| p["mobiliteit"] = json!({ "bemiddelingspostcode": text })),
        "vum: text for a number" => profile(|p| p["mobiliteit"] = json!({ "maximaleReistijd": text })),
        "vum: occupation" => {
            profile(|p| p["bemiddelingsberoep"] = json!([{ "naamBeroepOngecodeerd": text }]))
        }
        "fml: name of a column" => {
            ("fml".to_owned(), format!("bsn;item;option;{}\n{BSN};VI-2;1;1\n", cell(text)))
        }
        "fml: item" => fml(format!("{BSN};{};1;", cell(text))),
        "fml: option" => fml(format!("{BSN};VI-2;{};", cell(text))),
        "fml: note" => fml(format!("{BSN};VI-2;1;{}", cell(text))),
        "fml: one cell too many" => fml(format!("{BSN};VI-2;1;;{}", cell(text))),
        "ggm: name of a column" => ggm(&cell(text), "1"),
        "ggm: cell of a list" => ggm("Voorkeur.SoortWerk", &cell(text)),
        "ggm: explanation" => ggm("Mobiliteit.ToelichtingVervoermiddel", &cell(text)),
        "name of the file" => fml(format!("{BSN};VI-2;1;")),
        place => panic!("{place} is no place"),
    }
}

fn import(place: &str, text: &str) -> Said {
    let (format, content) = file(place, text);
    let keys = format!("id;bsn\na;{BSN}\n");
    let settings = Settings {
        format: match format.as_str() {
            "vum" => Format::Vum(Keys::read(keys.as_bytes()).unwrap().unwrap()),
            "fml" => Format::FmlCsv,
            _ => Format::GgmCsv,
        },
        assessor: proto::AssessorRole::CaseManager,
        determined_on: time::macros::date!(2026 - 09 - 14),
        today: time::macros::date!(2026 - 11 - 23),
        only: Mask::all(),
        replace: false,
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("statements.json");
    let mut said = String::new();
    let tell = |event: Event<'_>| {
        if let Event::Refused { file, refusal } = event {
            said += &format!("{file}: {refusal} {}\n", refusal_json(file, refusal));
        }
    };
    let mut import = Import::begin(settings, &out, tell).unwrap();
    let name = if place == "name of the file" { format!("in/{text}") } else { "in/export".to_owned() };
    import.file(&name, content.as_bytes()).unwrap();
    let imported = import.end();
    let clean = imported.is_clean();
    for file in imported.files() {
        said += &format!("{file}\n{}\n", file.json());
    }
    imported.write(&out).unwrap();
    said += &std::fs::read_to_string(&out).unwrap();
    Said { text: said, clean }
}

#[test]
fn p03_nothing_medical_enters_by_an_adapter_or_comes_back_from_one() {
    let needles = needles();
    let search = AhoCorasick::new(&needles).unwrap();
    let mut refused: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for place in PLACES {
        for sample in samples() {
            let said = import(place, &sample.text);
            if let Some(found) = search.find(&said.text) {
                let needle = &needles[found.pattern().as_usize()];
                panic!(
                    "{place}: `{needle}` came back of {} as {}: {}",
                    sample.class, sample.disguise, said.text
                );
            }
            *refused.entry(place).or_default().entry(sample.class).or_default() += usize::from(!said.clean);
            // What is no free text is a code, a number or a name, and this is none.
            let free = [
                "presentation",
                "explanation",
                "organisation",
                "web",
                "contact",
                "occupation",
                "note",
                "file",
            ];
            let takes_text = free.iter().any(|word| place.contains(word));
            assert!(!said.clean || takes_text, "{place}: {} as {} was taken", sample.class, sample.disguise);
            // Free text is never carried. As plain as here, it refuses its record too, unless it names nothing.
            let plain = sample.disguise == "plain" && sample.class != "N15" && !place.contains("file");
            assert!(!(plain && said.clean), "{place}: {} passed the tripwire", sample.class);
        }
    }
    let classes = CONTENTS.map(|(class, _)| class);
    println!(
        "{:34} {}   (refused, of {})",
        "place",
        classes.map(|c| format!("{c:>4}")).join(""),
        DISGUISES.len()
    );
    for (place, row) in &refused {
        println!("{place:34} {}", classes.map(|class| format!("{:4}", row[class])).join(""));
    }
    println!(
        "{} tried: {} places, {} samples",
        PLACES.len() * samples().len(),
        PLACES.len(),
        samples().len()
    );
    // The tripwire sees through disguises: of all free text, at least nine in ten that name something are refused.
    let text = refused.iter().filter(|(place, _)| place.contains("presentation") || place.contains("note"));
    for (place, row) in text {
        let named: usize = row.iter().filter(|(class, _)| **class != "N15").map(|(_, count)| count).sum();
        let all = (classes.len() - 1) * DISGUISES.len();
        assert!(named * 10 >= all * 9, "{place}: {named} of {all}");
    }
}

/// Without the text in it, each of these files is taken: the text is what is wrong with it.
#[test]
fn the_same_files_without_it_are_taken() {
    for (place, ordinary) in [
        ("vum: key of the client", "a"),
        ("vum: personal presentation", "Werkt graag buiten."),
        ("vum: country", "NL"),
        ("vum: postcode", "6511AB"),
        ("vum: code of a language", "nld"),
        ("fml: item", "VI-3"),
        ("fml: option", "2"),
        ("fml: note", "Werkt graag buiten."),
        ("ggm: cell of a list", "Maken"),
        ("name of the file", "export.csv"),
    ] {
        let said = import(place, ordinary);
        assert!(said.clean, "{place}: {}", said.text);
    }
}
