use std::{collections::BTreeSet, time::Instant};

use proptest::prelude::*;

use super::{Detector::*, *};

mod disguises;

fn text(text: &str) -> Option<Detector> {
    scan(text, Expected::Text)
}

/// For each detector what it finds. A sample stands for its detector alone, or for the most telling of several.
pub(super) const SAMPLES: &[(Detector, &[&str])] = &[
    (
        Icd10,
        &["F20", "F32.1", "M54", "F 32.1", "F.32.1", "F-32.1", "F321", "f33.41", "code F60.3 vastgesteld"],
    ),
    (Icd11, &["6A70", "6B20.1", "6C40.2Z", "6A05", "QE84.0"]),
    (Dsm, &["DSM", "DSM-5", "DSM IV-TR", "dsm5", "DSM-V"]),
    (Icpc, &["ICPC", "icpc-2", "U71"]),
    (Dbc, &["DBC", "zorgprestatie 12", "zorgvraagtypering", "diagnosegroep"]),
    (Snomed, &["35489007", "73211009", "364703007 |arbeid|", "35.489.007", "35 489 007", "sct:314845004"]),
    (Atc, &["N06AB04", "N05AX12", "N06-AB04", "N 06 AB 04", "N06AB"]),
    (GStandaard, &["HPK 1234567", "gpk-code: 12345678", "ZI-nummer 15123456"]),
    (Dose, &["50 mg", "0,5mg", "2dd1", "1 dd 20", "3x daags"]),
    (Loinc, &["10157-6", "2160-0", "718-7", "LOINC"]),
    (Unit, &["5,6 mmol/l", "120 mmHg", "7 mg/dl", "mmol"]),
    (Icf, &["b152.2", "b130", "s73001", "d570", "e1101", "e355", "e450.2", "e580+1"]),
    (Score, &["HoNOS", "GAF 45", "OQ-45", "BDI", "PHQ-9", "MANSA", "IQ 82", "iq: 101", "ROM 12"]),
    (WordDisorder, &["depressie", "angststoornis", "autisme", "PTSS", "Medical.diagnosis", "oudeDiagnoses"]),
    (WordMedicine, &["antidepressivum", "sertraline", "Lithium", "medicatielijst", "ssri's"]),
    (WordMeasurement, &["bloedspiegel", "urinecontrole", "labuitslagen"]),
    (WordCare, &["behandelplan", "crisisdienst", "IBS", "Wvggz", "opnameafdeling", "EMDR", "verslaafd"]),
    (WordCarer, &["psychiater", "huisarts", "behandelaar", "kliniek"]),
    (Practitioner, &["AGB 03012345", "BIG-nummer: 49012345601", "uzi 123456789"]),
    (WordReport, &["namelijk", "sociaal-medisch advies"]),
    (WordDomain, &["ZRM", "zelfredzaamheidsmatrix", "huiselijke relaties"]),
    (
        ClinicalUri,
        &[
            "http://snomed.info/sct",
            "https://loinc.org",
            "http://hl7.org/fhir/sid/icd-10",
            "2.16.840.1.113883.2.4.3",
            "urn:oid:1.2",
        ],
    ),
    (WordSpecial, &["reclassering", "strafblad", "detentie", "moslim", "transgender", "etniciteit"]),
    (WordFamily, &["echtscheiding", "mantelzorger", "haar zoon"]),
    (WordFinance, &["schuldsanering", "loonbeslag", "Wajong"]),
    (Bsn, &["999990019", "9999.90.019", "9999 90 019", "999-990-019", "nr 999990019.", "BSN"]),
    (Birth, &["geboortedatum", "geboren op 3 mei", "dateOfBirth"]),
    (Iban, &["NL91ABNA0417164300", "NL91 ABNA 0417 1643 00"]),
    (Email, &["a.b@sluis.test", "a.b (at) sluis.test"]),
    (Phone, &["06-12345678", "+31 6 12345678", "088 000 0101", "0031612345678"]),
    (
        Document,
        &[
            "%PDF-1.7",
            "<div>",
            "{\"a\":1}",
            "MSH|^~",
            "data:image/png;base64,",
            "JVBERi0xLjcK",
            "resourceType",
        ],
    ),
    (Url, &["https://sluis.test/a", "www.sluis.test", "HTTP://x"]),
    (Encoded, &["dGhpcyBpcyBub3RoaW5nIGF0IGFsbA", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"]),
    (Hidden, &["we\u{200b}rk", "werk\u{202e}", "a\u{7}b", "we\u{ad}rk", "\u{e0041}"]),
    (Script, &["работа", "ｗerk", "𝐰erk", "w\u{435}rk", "wérk\u{338}", "💼"]),
];

#[test]
fn each_detector_finds_what_it_is_for() {
    let mut faults = Vec::new();
    for (detector, samples) in SAMPLES {
        for sample in *samples {
            let found = text(sample);
            if found != Some(*detector) {
                faults.push(format!("{sample}: {found:?}, not {detector}"));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    let shown: BTreeSet<_> = SAMPLES.iter().map(|(detector, _)| *detector).chain([TooLong]).collect();
    assert_eq!(shown.len(), Detector::ALL.len(), "every detector has a sample");
}

#[test]
fn near_misses_are_left_alone() {
    for near in [
        // check digit, partition, length, and zeros
        "999990018",
        "000000000",
        "35489008",
        "35489937",
        "10157-7",
        "2026-11-23",
        "NL92ABNA0417164300",
        // licences, levels of language, postcodes, roads in three digits, a price
        "C1E",
        "D1E",
        "A2",
        "B1",
        "1234 AB",
        "6511AB",
        "N201",
        "A325",
        "appels a 12,50",
        // ICF that is carried, and other forms that are close
        "d850",
        "d166",
        "e590",
        "N06A8",
        "6Z70",
        "u7",
        "9 kg",
        "10 km",
        "2 dagen",
        "iq",
        "gaf",
        "zi 12",
        "12345678901234567890",
        "DSMB",
        // words that have a word in them
        "langstaand",
        "nautisch",
        "manicure",
        "schadebehandelaar",
        "Germanie",
        "etc",
        "ziek melden",
        "opnemen",
        "medically",
        "Medisch urenbeperkt",
    ] {
        assert_eq!(text(near), None, "{near}");
    }
}

/// The false hits that are known, and are put up with where text is refused anyway.
#[test]
fn known_false_hits_are_these() {
    for (sample, detector) in [
        ("langs de A59", Icd10),
        ("via de E40", Icd10),
        ("2026-W38", Icd10),
        ("gebouw B 12.3", Icd10),
        ("lokaal B123", Icf),
        ("vlucht U21", Icpc),
    ] {
        assert_eq!(text(sample), Some(detector), "{sample}");
    }
}

#[test]
fn benign_texts_are_no_hits() {
    let corpus = include_str!("tests/benign.txt");
    let texts: Vec<_> = corpus.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(texts.len() > 300, "{}", texts.len());
    let hits: Vec<_> = texts.iter().filter_map(|line| Some((line, text(line)?))).collect();
    assert!(hits.is_empty(), "{hits:#?}");
}

#[test]
fn what_a_place_expects_is_no_hit_and_anything_else_is() {
    for (expected, fits, hits) in [
        (
            Expected::Date,
            &["2026-11-23", "23-11-2026", "20261123"] as &[_],
            &["F32.1", "35489007", "2026-99-99 BSN"] as &[_],
        ),
        (Expected::Number, &["0", "-12", "47110", "12,5"], &["999990019", "35489007", "12 mg"]),
        (Expected::Code, &["ibs", "gaf", "NL", "24100"], &["F32", "N06AB04", "BDI ", "35489007"]),
        (
            Expected::Uuid,
            &["3f2b8c1e-7d4a-4c1b-9a6e-2f1d0c9b8a77"],
            &["F32.1", "3f2b8c1e-7d4a-4c1b-9a6e-2f1d0c9b8a77 F20"],
        ),
        (Expected::Bsn, &["999990019", "123456782"], &["999990019 ", "F32.1"]),
        (Expected::Postcode, &["6511", "6511 AB", "6511AB"], &["6A70", "F32.1", "6511 AB F20"]),
        (
            Expected::Phone,
            &["088 000 0101", "+31 (0)30 286 00 00", "112"],
            &["999990019", "35489007", "bel 5 mg"],
        ),
        (
            Expected::Address,
            &["klachten@sluis.test", "https://ggz.sluis.test/klachten", "088 000 0101"],
            &["verslaving@sluis.test", "https://sluis.test/depressie", "http://snomed.info/sct"],
        ),
    ] {
        for sample in fits {
            assert_eq!(scan(sample, expected), None, "{expected:?}: {sample}");
        }
        for sample in hits {
            assert!(scan(sample, expected).is_some(), "{expected:?}: {sample}");
        }
    }
}

#[test]
fn what_is_medical_is_told_from_what_identifies() {
    for (sample, medical) in
        [("diagnosis", true), ("icd_10", true), ("999990019", false), ("loonbeslag", false)]
    {
        assert_eq!(text(sample).unwrap().is_medical(), medical, "{sample}");
    }
    // The most telling one is told.
    assert_eq!(text("999990019 heeft F32.1"), Some(Icd10));
    for detector in Detector::ALL {
        let number = detector.class().strip_prefix('N').and_then(|number| number.parse::<u8>().ok());
        assert_eq!(detector.is_medical(), number.is_some_and(|number| number <= 10), "{detector}");
    }
}

#[test]
fn too_much_text_is_a_hit() {
    assert_eq!(text(&"werk ".repeat(819)), None);
    assert_eq!(text(&"werk ".repeat(820)), Some(TooLong));
    assert_eq!(text(&format!("depressie {}", "werk ".repeat(10_000))), Some(WordDisorder));
}

/// The rates that section 6.2 of the catalogue's proposal states, over numbers that are spread evenly.
#[test]
fn false_hits_are_as_rare_as_the_page_says() {
    let spread = |count: u64, range: u64| (1..=count).map(move |n| n * 7_919_777 % range);
    let share = |hits: usize, of: u64| hits as f64 / of as f64;
    let bsn = |n: u64| crate::domain::Bsn::parse(&format!("{n:09}")).is_ok();
    let rate = share(spread(100_000, 1_000_000_000).filter(|n| bsn(*n)).count(), 100_000);
    assert!((0.085..0.097).contains(&rate), "{rate} of nine digits pass the elfproef");
    let valid: Vec<_> = spread(400_000, 1_000_000_000).filter(|n| bsn(*n)).collect();
    let rate = share(valid.iter().filter(|n| digits::is_snomed(&n.to_string())).count(), valid.len() as u64);
    assert!((0.003..0.009).contains(&rate), "{rate} of BSNs pass for SNOMED CT");
    let days = (1950..2030)
        .flat_map(|y| (1..=12).flat_map(move |m| (1..=28).map(move |d| format!("{y}{m:02}{d:02}"))));
    let days: Vec<_> = days.collect();
    let rate = share(days.iter().filter(|day| digits::is_snomed(day)).count(), days.len() as u64);
    assert!((0.015..0.035).contains(&rate), "{rate} of days pass for SNOMED CT");
}

#[test]
fn the_lexicon_is_well_formed() {
    let entries = lexicon::entries();
    assert!(entries.len() > 900, "{}", entries.len());
    let file = include_str!("lexicon.txt");
    let lines = file.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '['])).count();
    assert_eq!(entries.len(), lines, "every section is a detector");
    let mut seen = BTreeSet::new();
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert!(seen.insert(line), "{line} stands twice");
        let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == ' ';
        assert!(line.starts_with('[') || line.trim_matches('*').chars().all(fit), "{line}");
        let anywhere = line.starts_with('*') && line.ends_with('*');
        assert!(!anywhere || line.len() >= 8, "{line} is too short to be looked for anywhere");
    }
    for entry in entries {
        assert!(text(&entry.text).is_some_and(|found| found <= entry.detector), "{}", entry.text);
    }
}

#[test]
fn the_page_lists_every_detector() {
    let page = include_str!("../../docs/firewall.md");
    let table = page.split("<!-- detectors -->").nth(1).expect("the page marks its table");
    let rows: Vec<(String, String)> = table
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>())
        .map(|cells| (cells[1].clone(), cells[2].clone()))
        .collect();
    let code: Vec<_> =
        Detector::ALL.iter().map(|found| (found.id().to_owned(), found.class().to_owned())).collect();
    assert_eq!(rows, code);
}

/// The budget is that of a build for tests on a busy machine; a release build takes a twentieth of it.
#[test]
fn a_look_is_cheap() {
    let line =
        "kan vanaf maandag vier dagen van zes uur werken, liefst buiten, in een klein team zonder deadlines";
    assert_eq!(text(line), None);
    let start = Instant::now();
    for _ in 0..200 {
        assert_eq!(text(line), None);
    }
    let each = start.elapsed() / 200;
    println!("{} characters in {each:?}", line.len());
    assert!(each.as_millis() < 20, "{each:?}");
}

proptest! {
    /// Whatever the text, a scan ends, and a hit says nothing of it.
    #[test]
    fn a_hit_tells_nothing_of_the_text(text in "\\PC{0,80}", word in "[g-z]{5,9}") {
        for sample in [text.clone(), format!("F32.1 {word} {text}")] {
            if let Some(found) = scan(&sample, Expected::Text) {
                prop_assert!(Detector::ALL.contains(&found));
                let said = format!("{found:?} {found}");
                prop_assert!(!said.contains(&word));
                prop_assert_eq!(size_of_val(&found), 1);
            }
        }
    }

    #[test]
    fn a_code_is_found_wherever_it_stands(before in "[a-z ]{0,20}", after in "[a-z ]{0,20}") {
        for code in ["F32.1", "N06AB04", "35489007", "999990019"] {
            let sample = format!("{before} {code} {after}");
            prop_assert!(scan(&sample, Expected::Text).is_some(), "{}", code);
        }
    }
}
