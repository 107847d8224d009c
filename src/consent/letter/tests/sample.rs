//! Made-up letters.

use super::super::*;
use crate::domain::time::parse_day;

pub(super) fn party(name: &str, number: &str) -> Party {
    Party {
        name: name.to_owned(),
        contact_role: "balie".to_owned(),
        contact_phone: format!("088 000 {number}"),
        complaint: "klachten@test.example".to_owned(),
    }
}

fn of(name: &str, contact_role: &str, contact_phone: &str, complaint: &str) -> Party {
    let [name, contact_role, contact_phone, complaint] =
        [name, contact_role, contact_phone, complaint].map(ToOwned::to_owned);
    Party { name, contact_role, contact_phone, complaint }
}

fn mask(codes: &[&str]) -> Mask {
    codes.iter().map(|code| crate::catalogue::Field::from_code(code).unwrap()).collect()
}

/// Two grants and a refusal.
pub(super) fn sample(language: Language) -> Letter {
    let ggz = of("GGZ-instelling TEST", "trajectbegeleider arbeid", "088 000 3000", "klachten@ggz.example");
    let gemeente =
        of("Gemeente TEST", "teamleider werk en inkomen", "088 000 4000", "klachten@gemeente.example");
    let uwv = of("UWV TEST", "adviseur werk", "088 000 6000", "klachten@uwv.example");
    let day = |text| parse_day(text).unwrap();
    let say = |nl: &str, en: &str| if language == Language::Nl { nl.to_owned() } else { en.to_owned() };
    let plan = Item {
        recipient: gemeente.clone(),
        role_label: say("klantmanager", "case manager"),
        purpose_label: say("Re-integratieplan opstellen", "Drawing up a plan of approach to work"),
        source: ggz.clone(),
        fields: mask(&["WT-02", "WT-03", "WT-07", "VW-02", "VW-04", "VW-08", "TR-04"]),
        excluded: mask(&["PF-01", "VW-09"]),
        from: day("2026-11-23"),
        until: day("2027-06-01"),
        uses: None,
        needs_reconfirmation: false,
    };
    let coaching = Item {
        role_label: say("jobcoach", "job coach"),
        purpose_label: say(
            "Jobcoaching en werkplekondersteuning",
            "Job coaching and support at the workplace",
        ),
        source: uwv.clone(),
        fields: mask(&["WT-02", "FO-06", "VW-01"]),
        excluded: Mask::EMPTY,
        uses: Some(1),
        until: day("2027-03-01"),
        ..plan.clone()
    };
    let refused = Refused {
        recipient: uwv,
        purpose_label: say("Werk en behandeling afstemmen", "Aligning work and treatment"),
        source: ggz.clone(),
    };
    Letter {
        language,
        form: "7d1f2a0c-3b54-4e86-9a17-c05e8f6b2d43".parse().unwrap(),
        signed_on: day("2026-11-23"),
        recorded_on: day("2026-11-24"),
        recorder: ggz,
        by_representative: false,
        withdrawal: vec![
            WithdrawalWay::InPerson,
            WithdrawalWay::Phone,
            WithdrawalWay::Letter,
            WithdrawalWay::Portal,
        ],
        items: vec![plan, coaching],
        refused: vec![refused],
        log_position: Some(4127),
        evidence_sha256: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".to_owned(),
    }
}

/// A letter of each kind: every sentence stands in one of them.
pub(super) fn kinds(language: Language) -> Vec<Letter> {
    let usual = sample(language);
    let mut waits = usual.clone();
    waits.by_representative = true;
    waits.items.iter_mut().for_each(|item| item.needs_reconfirmation = true);
    waits.items[1].excluded = waits.items[1].fields;
    waits.items[0].uses = Some(3);
    waits.refused.clear();
    let mut refused = usual.clone();
    refused.items.clear();
    let mut wide = usual.clone();
    wide.items[0].fields = Mask::all();
    vec![usual, waits, refused, wide]
}

/// Everybody in it.
pub(super) fn parties(letter: &mut Letter) -> Vec<&mut Party> {
    let items = letter.items.iter_mut().flat_map(|item| [&mut item.recipient, &mut item.source]);
    let refused = letter.refused.iter_mut().flat_map(|refused| [&mut refused.recipient, &mut refused.source]);
    [&mut letter.recorder].into_iter().chain(items).chain(refused).collect()
}
