use std::{fs, path::Path};

use proptest::prelude::*;

use super::{
    block::{Block, Level},
    *,
};
use crate::{catalogue, domain::time::parse_day};

mod reading;
mod sample;

use sample::{party, sample};

const BOTH: [Language; 2] = [Language::Nl, Language::En];

/// Words that a client does not read, in either language; some also betray more than they should.
const JARGON: [&str; 35] = [
    "grant",
    "purpose",
    "controller",
    "processor",
    "data subject",
    "recipient",
    "recorder",
    "catalogue",
    "disclos",
    "revoke",
    "withdraw",
    "gdpr",
    "gateway",
    "mental",
    "psych",
    "hash",
    "sha-256",
    "sha256",
    "bsn",
    "oin ",
    "doelbinding",
    "verwerk",
    "toestemmingsregister",
    "catalogus",
    "betrokkene",
    "ontvanger",
    "verstrek",
    "grondslag",
    "intrek",
    "avg",
    "ggz",
    "rubriek",
    "bronhouder",
    "machtiging",
    "logboek",
];

/// What a reader of the page sees: without head, tags and escapes.
fn seen(html: &str) -> String {
    let body = html.split("<body>").nth(1).unwrap();
    let without_tags: String =
        body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    pairs.iter().fold(without_tags, |text, (from, to)| text.replace(from, to))
}

/// The words, without what marks a list or underlines a heading.
fn words(text: &str) -> Vec<String> {
    let mark = |word: &&str| !word.chars().all(|c| "-=".contains(c));
    text.split_whitespace().filter(mark).map(ToOwned::to_owned).collect()
}

fn flat(text: &str) -> String {
    words(text).join(" ")
}

#[test]
fn every_field_and_every_telephone_number_is_there() {
    for language in BOTH {
        let mut letter = sample(language);
        letter.items[0].fields = Mask::all();
        for said in [flat(&letter.text()), flat(&seen(&letter.html()))] {
            for field in Mask::all().iter() {
                let entry = field.entry();
                let label = if language == Language::Nl { entry.label_nl } else { entry.label_en };
                assert!(said.contains(&flat(label)), "{label}");
            }
            for phone in ["088 000 3000", "088 000 4000", "088 000 6000", "088 1805250"] {
                assert!(said.contains(phone), "{phone}");
            }
        }
        for phone in ["088 000 3000", "088 000 4000", "088 000 6000"] {
            assert!(letter.text().contains(phone), "{phone} is broken over two lines");
        }
    }
}

#[test]
fn a_field_stands_under_its_group_and_a_struck_out_one_is_not_told() {
    let mut letter = sample(Language::Nl);
    letter.items.truncate(1);
    let item = &mut letter.items[0];
    let [kept, out] = ["WT-02", "WT-03"].map(|code| catalogue::Field::from_code(code).unwrap());
    item.fields = Mask::EMPTY.with(kept).with(out);
    item.excluded = Mask::EMPTY.with(out);
    let text = letter.text();
    let (before, after) = text.split_once("Dit streepte u door.").unwrap();
    assert!(before.contains("\nWerktijden\n- Uren per dag\n") && !before.contains("Uren per week"), "{text}");
    assert!(after.contains("\nWerktijden\n- Uren per week\n") && !after.contains("Uren per dag"), "{text}");
    letter.items[0].excluded = letter.items[0].fields;
    let text = letter.text();
    assert!(text.contains("Gemeente TEST mag hierdoor niets over u weten."), "{text}");
    assert!(!text.contains("mag Gemeente TEST over u weten"), "{text}");
}

/// R11: who reads "nothing medical" is told that health can show through, where it can.
#[test]
fn a_hint_at_health_is_told_only_where_there_is_one() {
    let mut letter = sample(Language::Nl);
    letter.items.truncate(1);
    assert!(flat(&letter.text()).contains("iets zeggen over uw gezondheid"));
    letter.items[0].fields = Mask::EMPTY.with(catalogue::Field::from_code("MT-02").unwrap());
    assert!(!flat(&letter.text()).contains("iets zeggen over uw gezondheid"));
}

#[test]
fn text_and_page_say_the_same_words() {
    for language in BOTH {
        for letter in sample::kinds(language) {
            assert_eq!(words(&letter.text()), words(&seen(&letter.html())));
        }
    }
}

#[test]
fn no_word_that_a_client_does_not_read() {
    for language in BOTH {
        for mut letter in sample::kinds(language) {
            // The names are given; what is added to them is looked at. So are the labels of the catalogue.
            for party in sample::parties(&mut letter) {
                "Organisatie".clone_into(&mut party.name);
                "plek".clone_into(&mut party.complaint);
            }
            let said = flat(&letter.text()).to_lowercase();
            for word in JARGON {
                assert!(!said.contains(word), "{word}: {said}");
            }
            let code = |word: &str| {
                catalogue::ALL.iter().any(|field| word.contains(&field.entry().code.to_lowercase()))
            };
            assert!(!said.split(' ').any(code), "{said}");
        }
    }
}

#[test]
fn names_are_escaped_and_stay_on_one_line() {
    let mut letter = sample(Language::Nl);
    letter.recorder = party("<script>alert('1 & 2')</script>\nKlachten: \"hier\"", "9");
    letter.items[0].role_label = "<b>".to_owned();
    letter.refused[0].purpose_label = "a\u{7}\u{2028}<i>".to_owned();
    let html = letter.html();
    assert!(
        html.contains("&lt;script&gt;alert(&#39;1 &amp; 2&#39;)&lt;/script&gt; Klachten: &quot;hier&quot;")
    );
    for tag in ["<script", "<b>", "<i>", "\u{7}", "\u{2028}"] {
        assert!(!html.contains(tag), "{tag}");
    }
    assert_eq!(words(&letter.text()), words(&seen(&html)));
    assert!(!letter.text().contains("\nKlachten: \"hier\""));
}

#[test]
fn the_page_stands_alone() {
    for (language, tag) in [(Language::Nl, "<html lang=\"nl\">"), (Language::En, "<html lang=\"en\">")] {
        let letter = sample(language);
        let html = letter.html();
        assert!(html.starts_with("<!doctype html>\n") && html.contains(tag));
        for part in ["<meta charset=\"utf-8\">", "size: A4", "break-inside: avoid", "<title>", "</html>"] {
            assert!(html.contains(part), "{part}");
        }
        for part in ["<script", "<link", "<img", "<a ", "url(", "@import", "http"] {
            assert!(!html.contains(part), "{part}");
        }
        for tag in ["section", "ul", "h1", "h2", "h3", "h4", "p", "li"] {
            let opened =
                html.matches(&format!("<{tag}>")).count() + html.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, html.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert_eq!(html.matches("<section>").count(), letter.items.len());
        assert_eq!(html.matches("<h1>").count(), 1);
    }
}

#[test]
fn a_letter_of_refusals_only() {
    for (language, title, absent) in [
        (
            Language::Nl,
            "U gaf geen toestemming\n",
            ["Waarvoor gaf u toestemming", "Hoe kunt u stoppen", "laatste dag"],
        ),
        (
            Language::En,
            "You did not give permission\n",
            ["give permission for", "How can you stop", "last day"],
        ),
    ] {
        let mut letter = sample(language);
        letter.items.clear();
        let text = letter.text();
        assert!(text.starts_with(title), "{text}");
        for part in absent {
            assert!(!text.contains(part), "{part}: {text}");
        }
        assert!(text.contains("088 000 3000") && text.contains("088 000 6000"), "{text}");
        letter.refused.clear();
        assert!(!letter.text().contains("Waar zei u nee tegen"));
    }
}

#[test]
fn days_times_and_conditions_are_told() {
    let mut letter = sample(Language::Nl);
    letter.items.truncate(1);
    let item = &mut letter.items[0];
    item.until = parse_day("2027-04-01").unwrap();
    item.uses = Some(1);
    assert!(
        letter.text().contains("- Laatste dag: 31 maart 2027\n- Hoe vaak: één keer\n"),
        "{}",
        letter.text()
    );
    assert!(!letter.text().contains("dit geldt nu nog niet"));
    letter.items[0].needs_reconfirmation = true;
    letter.items[0].uses = Some(3);
    assert!(letter.text().contains("dit geldt nu nog niet"));
    assert!(letter.text().contains("niet vaker dan 3 keer"));
    letter.language = Language::En;
    assert!(letter.text().contains("- Last day: 31 March 2027\n- How often: not more than 3 times\n"));
    letter.items[0].uses = Some(1);
    assert!(letter.text().contains("- How often: one time\n"));
    letter.items[0].until = Day::MIN;
    assert!(letter.text().contains("Last day: 1 January -9999"), "no day before the first");
}

#[test]
fn every_month_has_its_name() {
    let mut letter = sample(Language::Nl);
    let names = "januari februari maart april mei juni juli augustus september oktober november december";
    for (at, name) in names.split(' ').enumerate() {
        letter.signed_on = parse_day(&format!("2027-{:02}-05", at + 1)).unwrap();
        assert!(flat(&letter.text()).contains(&format!("Op 5 {name} 2027 tekende u")), "{name}");
    }
}

/// R12: as easy as consenting, at each organisation that can do it, and no more promised than it can do.
#[test]
fn each_way_and_place_to_stop_is_told() {
    let mut letter = sample(Language::Nl);
    let text = flat(&letter.text());
    for way in ["Zeg het in een gesprek", "Schrijf op", "Bel een van de nummers", "Log in op de website"] {
        assert!(text.contains(way), "{way}");
    }
    assert!(
        text.contains("088 000 3000. Vraag naar: trajectbegeleider arbeid. Hier kunt u met alles stoppen.")
    );
    assert!(text.contains(
        "088 000 6000. Vraag naar: adviseur werk. Hier kunt u stoppen met wat deze organisatie vertelt."
    ));
    letter.withdrawal.clear();
    let text = flat(&letter.text());
    assert!(!text.contains("Zo kunt u stoppen") && text.contains("Hier kunt u met alles stoppen"));
    letter.items.truncate(1);
    letter.recorder = letter.items[0].recipient.clone();
    assert_eq!(flat(&letter.text()).matches("Hier kunt u met alles stoppen.").count(), 2);
}

#[test]
fn who_signed_for_the_client_is_spoken_to() {
    for (language, signed, also) in [
        (Language::Nl, "tekende iemand voor u een formulier", "kan ook voor u stoppen"),
        (Language::En, "somebody signed a form for you", "can also stop for you"),
    ] {
        let mut letter = sample(language);
        assert!(!flat(&letter.text()).contains(also));
        letter.by_representative = true;
        let text = flat(&letter.text());
        assert!(text.contains(signed) && text.contains(also), "{text}");
    }
}

#[test]
fn an_organisation_is_told_once_in_each_list() {
    let text = flat(&sample(Language::Nl).text());
    assert_eq!(text.matches("Gemeente TEST: klachten@gemeente.example").count(), 1);
    assert_eq!(text.matches("GGZ-instelling TEST: klachten@ggz.example").count(), 1);
}

#[test]
fn the_receipt_can_be_read_out() {
    let text = sample(Language::Nl).text();
    assert!(flat(&text).contains("2c26b46b 68ffc68f f99b453c 1d304134 13422d70 6483bfa0 f98a5e88 6266e7ae"));
    assert!(text.contains("Plaats in het register: 4127\n"));
}

#[test]
fn a_number_and_a_day_stay_on_one_line() {
    for width in 1..80 {
        let mut letter = sample(Language::Nl);
        letter.recorder.name = "x".repeat(width);
        letter.recorder.contact_phone = "+31 88 000 3000".to_owned();
        let text = letter.text();
        for whole in ["+31 88 000 3000", "23 november 2026", "24 november 2026"] {
            assert!(text.contains(whole), "{whole}: {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 82), "{text}");
    }
}

#[test]
fn languages_have_codes() {
    for language in BOTH {
        assert_eq!(Language::parse(language.as_str()), Some(language));
    }
    assert_eq!(Language::parse("NL"), None);
}

fn example(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples").join(name)
}

/// Where they differ, what the program writes is left for whoever means it to be so.
#[test]
fn the_example_is_what_is_written() {
    let letter = sample(Language::Nl);
    for (name, said) in [("brief.txt", letter.text()), ("brief.html", letter.html())] {
        if fs::read_to_string(example(name)).unwrap_or_default() != said {
            let written = std::env::temp_dir().join(name);
            fs::write(&written, said).unwrap();
            panic!("docs/examples/{name} is not what is written now: {}", written.display());
        }
    }
}

proptest! {
    #[test]
    fn any_name_reads_the_same_in_both(name in "\\PC{1,200}", sha in "\\PC{0,80}", position: u64) {
        let mut letter = sample(Language::Nl);
        letter.recorder.name = name;
        letter.evidence_sha256 = sha;
        letter.log_position = position.checked_sub(1);
        prop_assert_eq!(words(&letter.text()), words(&seen(&letter.html())));
    }
}
