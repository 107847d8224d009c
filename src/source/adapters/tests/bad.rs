//! Input that is refused, with the place that is told and never the text.

use super::{ANNE, import};

/// What is told of a profile with this inside.
const PROFILES: [(&str, &str); 37] = [
    (r#""schoenmaat":44"#, "record 1, $[property 2] is not known here"),
    (r#""mobiliteit":{"auto":1}"#, "record 1, $.mobiliteit[property 1] is not known here"),
    (r#""diagnose":"x""#, "record 1, $[property 2] sets off the detector WORD_DISORDER"),
    (r#""kleur":"x""#, "record 1, $[property 2] is not known here"),
    (r#""idWerkzoekende":"b""#, "record 1, $.idWerkzoekende is given twice"),
    (r#""werktijden":[]"#, "record 1, $.werktijden is not what the format has here"),
    (r#""sector":{"codeSbi":47}"#, "record 1, $.sector is not what the format has here"),
    (r#""sector":[47]"#, "record 1, $.sector[0] is not what the format has here"),
    (r#""sector":[{"codeSbi":"47"}]"#, "record 1, $.sector[0].codeSbi is not what the format has here"),
    (r#""sector":[{"codeSbi":47.5}]"#, "record 1, $.sector[0].codeSbi is not what the format has here"),
    (r#""sector":[{"codeSbi":0}]"#, "record 1, $.sector[0].codeSbi is out of its range"),
    (r#""sector":[{"codeSbi":34000}]"#, "record 1, $.sector[0].codeSbi is in no section of the SBI"),
    (
        r#""sector":[{"codeSbi":47},{"codeSbi":6201}]"#,
        "record 1, $.sector[1].codeSbi can be read in two sections of the SBI",
    ),
    (r#""indicatieLdrRegistratie":3"#, "record 1, $.indicatieLdrRegistratie is not a code of its list"),
    (r#""indicatieLdrRegistratie":0"#, "record 1, $.indicatieLdrRegistratie is not a code of its list"),
    (
        r#""indicatieLdrRegistratie":true"#,
        "record 1, $.indicatieLdrRegistratie is not what the format has here",
    ),
    (r#""persoonlijkePresentatie":7"#, "record 1, $.persoonlijkePresentatie is not what the format has here"),
    (
        r#""persoonlijkePresentatie":"a\u0000b""#,
        "record 1, $.persoonlijkePresentatie sets off the detector HIDDEN",
    ),
    (r#""emailadres":["a\u0007"]"#, "record 1, $.emailadres[0] sets off the detector HIDDEN"),
    (r#""a\u0001b":1"#, "record 1, $[property 2] sets off the detector HIDDEN"),
    (
        r#""mobiliteit":{"bemiddelingspostcode":"261AB"}"#,
        "record 1, $.mobiliteit.bemiddelingspostcode is not a postcode",
    ),
    (
        r#""mobiliteit":{"bemiddelingspostcode":"2611SS"}"#,
        "record 1, $.mobiliteit.bemiddelingspostcode is not a postcode",
    ),
    (
        r#""mobiliteit":{"bemiddelingspostcode":"0611AB"}"#,
        "record 1, $.mobiliteit.bemiddelingspostcode is not a postcode",
    ),
    (
        r#""mobiliteit":{"bemiddelingspostcode":"26é1A"}"#,
        "record 1, $.mobiliteit.bemiddelingspostcode is not a postcode",
    ),
    (
        r#""mobiliteit":{"maximaleReisafstand":1000}"#,
        "record 1, $.mobiliteit.maximaleReisafstand is out of its range",
    ),
    (
        r#""mobiliteit":{"maximaleReistijd":-1}"#,
        "record 1, $.mobiliteit.maximaleReistijd is out of its range",
    ),
    (
        r#""mobiliteit":{"maximaleReistijd":99999999999999999999}"#,
        "record 1, $.mobiliteit.maximaleReistijd is not what the format has here",
    ),
    (
        r#""flexibiliteit":{"codeRegiostraal":0}"#,
        "record 1, $.flexibiliteit.codeRegiostraal is not a code of its list",
    ),
    (
        r#""flexibiliteit":{"datumAanvangBeschikbaarVoorWerk":"2026-02-30"}"#,
        "record 1, $.flexibiliteit.datumAanvangBeschikbaarVoorWerk is not a calendar day",
    ),
    (
        r#""flexibiliteit":{"datumAanvangBeschikbaarVoorWerk":"2026-10-02","datumEindeBeschikbaarVoorWerk":"2026-10-01"}"#,
        "record 1, WT-10 ends before it starts",
    ),
    (
        r#""werktijden":{"aantalWerkurenPerWeekMinimaal":24,"aantalWerkurenPerWeekMaximaal":16}"#,
        "record 1, WT-06 is less than the minimum",
    ),
    (
        r#""contractvorm":[{"codeTypeArbeidscontract":"X"}]"#,
        "record 1, $.contractvorm[0].codeTypeArbeidscontract is not a code of its list",
    ),
    (
        r#""voorkeursland":[{"landencodeIso":"nl"}]"#,
        "record 1, $.voorkeursland[0].landencodeIso is not a code of its list",
    ),
    (
        r#""vervoermiddel":[{"indicatieBeschikbaarVoorWoonWerkverkeer":1}]"#,
        "record 1, $.vervoermiddel[0].codeVervoermiddel lacks a part that belongs to it",
    ),
    (
        r#""vervoermiddel":[{"codeVervoermiddel":1,"indicatieBeschikbaarVoorWoonWerkverkeer":7}]"#,
        "record 1, $.vervoermiddel[0].indicatieBeschikbaarVoorWoonWerkverkeer is not a code of its list",
    ),
    (
        r#""emailadres":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]"#,
        "record 1, $.emailadres[0] is not what the format has here",
    ),
    (r#""indicatieBeschikbaarheidContactgegevens":1"#, "record 1 holds nothing to carry"),
];

/// What is told of the qualification of a profile with this inside.
const QUALIFICATIONS: [(&str, &str); 8] = [
    (r#""codeWerkEnDenkniveauWerkzoekende":8"#, "codeWerkEnDenkniveauWerkzoekende is not a code of its list"),
    (
        r#""taalbeheersing":[{"codeTaal":"Nld","codeNiveauTaalbeheersingLezen":1}]"#,
        "taalbeheersing[0].codeTaal is not a code of its list",
    ),
    (r#""taalbeheersing":[{"codeTaal":"nld"}]"#, "taalbeheersing[0] lacks a part that belongs to it"),
    (
        r#""taalbeheersing":[{"codeTaal":"nld","codeNiveauTaalbeheersingLezen":5}]"#,
        "taalbeheersing[0].codeNiveauTaalbeheersingLezen is not a code of its list",
    ),
    (
        r#""taalbeheersing":[{"codeTaal":"isl","codeNiveauTaalbeheersingLezen":1},{"codeTaal":"jpx","codeNiveauTaalbeheersingLezen":2}]"#,
        "taalbeheersing[1].codeTaal is given twice",
    ),
    (
        r#""gedragscompetentie":[{"codeGedragscompetentie":24103}]"#,
        "gedragscompetentie[0].codeGedragscompetentie is not a code of its list",
    ),
    (
        r#""gedragscompetentie":[{"codeBeheersingGedragscompetentie":1}]"#,
        "gedragscompetentie[0].codeGedragscompetentie lacks a part that belongs to it",
    ),
    (
        r#""opleiding":[{"indicatieDiploma":1}]"#,
        "opleiding[0].codeNiveauOpleiding lacks a part that belongs to it",
    ),
];

/// Whole files of profiles.
const FILES: [(&str, &str); 11] = [
    ("", "line 1 is not a JSON list of objects"),
    ("{}", "line 1 is not a JSON list of objects"),
    ("[", "line 1 is not a JSON list of objects"),
    ("[] []", "line 1 is not a JSON list of objects"),
    ("[\n{\"a\":\n\"\t\"}]", "line 3 is not a JSON list of objects"),
    ("[1]", "record 1, $ is not what the format has here"),
    ("[{}]", "record 1, $.idWerkzoekende names no client"),
    (r#"[{"idWerkzoekende":""}]"#, "record 1, $.idWerkzoekende names no client"),
    (r#"[{"idWerkzoekende":7}]"#, "record 1, $.idWerkzoekende is not what the format has here"),
    (r#"[{"idWerkzoekende":"nobody"}]"#, "record 1, $.idWerkzoekende is not among the keys"),
    (r#"[{"idWerkzoekende":"a\u0000"}]"#, "record 1, $.idWerkzoekende sets off the detector HIDDEN"),
];

fn told(format: &str, text: &str) -> String {
    let (refusals, imported, written) = import(format, text);
    assert!(!imported.is_clean(), "{text}");
    assert!(written.as_array().unwrap().is_empty(), "{text}: nothing of a refused record is written");
    refusals.first().map(ToString::to_string).unwrap_or_default()
}

#[test]
fn profiles_are_refused_with_record_and_path() {
    for (inside, expected) in PROFILES {
        assert_eq!(told("vum", &format!(r#"[{{"idWerkzoekende":"a",{inside}}}]"#)), expected, "{inside}");
    }
    for (inside, expected) in QUALIFICATIONS {
        let text = format!(r#"[{{"idWerkzoekende":"a","arbeidsmarktkwalificatie":{{{inside}}}}}]"#);
        assert_eq!(told("vum", &text), format!("record 1, $.arbeidsmarktkwalificatie.{expected}"));
    }
    for (text, expected) in FILES {
        assert_eq!(told("vum", text), expected, "{text}");
    }
}

/// However deep a profile is, it is read to its end, and so is the next one.
#[test]
fn depth_is_bounded() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let next = r#"{"idWerkzoekende":"b","werktijden":{"indicatieKantoortijden":1}}"#;
    let text = format!(r#"[{{"idWerkzoekende":"a","emailadres":{deep}}},{next}]"#);
    let (refusals, imported, _) = import("vum", &text);
    assert_eq!(refusals[0].to_string(), "record 1, $.emailadres[0] is not what the format has here");
    assert_eq!((imported.files()[0].read, imported.files()[0].mapped), (2, 1));
}

/// Lines of an FML below `bsn;item;option;note;dossier`, `@` for a client.
const ITEMS: [(&str, &str); 24] = [
    ("@;VII-1;1;;", "record 1, line 2, item is not known here"),
    ("@;vi-2;1;;", "record 1, line 2, item is not known here"),
    ("@;;1;;", "record 1, line 2, item is not known here"),
    ("@;I-8;0;;", "record 1, line 2, item is not known here"),
    ("@;I-8;9;;", "record 1, line 2, item is not known here"),
    ("@;VI-2;5;;", "record 1, line 2, option is not a code of its list"),
    ("@;VI-2;;;", "record 1, line 2, option is not a code of its list"),
    ("@;VI-2;01;;", "record 1, line 2, option is not a code of its list"),
    ("@;VI-4;2;;", "record 1, line 2, option is not a code of its list"),
    ("@;IV-2;1;;", "record 1, line 2, item is never carried (DH-02)"),
    ("@;VB-1;1;;", "record 1, line 2, item is never carried (AV-10)"),
    ("@;VB-2;1;;", "record 1, line 2, item is never carried (AV-11)"),
    ("@;III-8.1;0;;", "record 1, line 2, option is not a code of its list"),
    ("@;VI-2;1;;\n@;VI-2;2;;", "record 1, line 3, item is given twice"),
    ("@;VI-2;1;;\n@;VI-2;1;;", "record 1, line 3, item is given twice"),
    ("@;I-5;1;;\n@;I-5;1;;", "record 1, line 3, item is given twice"),
    ("@;I-5;0;;\n@;I-5;1;;", "record 1, line 2, PF-05 cannot have `NONE` beside other codes"),
    ("@;VI-2;1;;extra", "record 1, line 2, column 5 is not known here"),
    ("@;VI-2;1;\u{7};", "record 1, line 2, note sets off the detector HIDDEN"),
    ("@;VI-2\t;1;;", "record 1, line 2, item is not known here"),
    (";VI-2;1;;", "record 1, line 2, bsn names no client"),
    ("999990018;VI-2;1;;", "record 1, line 2, bsn does not pass the elfproef"),
    ("@;VI-2;1;", "record 1, line 2 has not as many cells as the header"),
    ("@;VI-2;1;\"a;", "record 1, line 2 has quotes that do not match"),
];

/// Lines of a GGM extract, each with its column.
const CELLS: [(&str, &str, &str); 14] = [
    (
        "Loonkostensubsidie.PercentageLoonwaardeWML",
        "101",
        "Loonkostensubsidie.PercentageLoonwaardeWML is out of its range",
    ),
    (
        "loonkostensubsidie.percentage_loonwaarde_wml",
        "45,5",
        "Loonkostensubsidie.PercentageLoonwaardeWML is not what the format has here",
    ),
    (
        "Arbeidsvermogen.CodeArbeidsvermogen",
        "ziek",
        "Arbeidsvermogen.CodeArbeidsvermogen is not a code of its list",
    ),
    ("Voorkeur.SoortWerk", "Onbekend", "Voorkeur.SoortWerk is not a code of its list"),
    ("Participatieladder.Trede", "7", "Participatieladder.Trede is not a code of its list"),
    (
        "BeschikbaarVoorArbeid.StartdatumBeschikbaarheid",
        "1-10-2026",
        "BeschikbaarVoorArbeid.StartdatumBeschikbaarheid is not a calendar day",
    ),
    (
        "Bemiddelingstraject.IndicatiePlaatsing",
        "1",
        "Bemiddelingstraject.IndicatiePlaatsing is not a code of its list",
    ),
    ("Ontheffing.MotivatieOntheffingsbesluit", "x", "Ontheffing is never carried (RG-11)"),
    ("Ontheffing.wat dan ook", "x", "Ontheffing is never carried (RG-11)"),
    ("ZelfredzaamheidScore.ZRM score", "3", "ZelfredzaamheidScore is never carried (AV-12)"),
    ("Doelgroepenregister.Grondslag", "a", "Doelgroepenregister.Grondslag is never carried (RG-10)"),
    ("Voorkeur.Schoenmaat", "44", "column 2 is not known here"),
    ("naam", "Jansen", "column 2 is not known here"),
    ("Voorkeur.BrancheNaam", "a\u{1}", "Voorkeur.BrancheNaam sets off the detector HIDDEN"),
];

#[test]
fn lines_are_refused_with_line_and_column() {
    for (lines, expected) in ITEMS {
        let text = format!("bsn;item;option;note;dossier\n{}\n", lines.replace('@', ANNE));
        assert_eq!(told("fml", &text), expected, "{lines}");
    }
    for (column, cell, expected) in CELLS {
        let text = format!("bsn;{column}\n{ANNE};\"{cell}\"\n");
        assert_eq!(told("ggm", &text), format!("record 1, line 2, {expected}"), "{column}");
    }
}

#[test]
fn headers_are_refused_with_their_column() {
    for (format, text, expected) in [
        ("fml", "", "line 1 has no column `bsn`"),
        ("fml", "bsn;item\n", "line 1 has no column `option`"),
        ("fml", "bsn;item;option;item\n", "line 1, column 4 names a column twice"),
        ("fml", "bsn;item;option;\u{1}\n", "line 1, column 4 sets off the detector HIDDEN"),
        ("fml", "\n\nbsn;item;\"option\n", "line 3 has quotes that do not match"),
        ("ggm", "Participatieladder.Trede\n", "line 1 has no column `bsn`"),
    ] {
        assert_eq!(told(format, text), expected, "{text}");
    }
}
