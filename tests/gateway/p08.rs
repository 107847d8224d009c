//! A BSN is in nothing that the gateway writes: no file, trace, error, receipt or entry. A run that puts numbers into
//! every field there is, and a search for each of them in every way it could be written.

use std::{collections::BTreeSet, fs, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use sluis::{
    audit::{leaf::Leaf, seal},
    catalogue::Mask,
    demo::data,
    proto::{
        self, invalidate_consent_request, pause_consent_request, resume_consent_request,
        withdraw_consent_request::Selector,
    },
};
use tonic::Status;
use uuid::Uuid;

use crate::{
    apart::{Captured, keep, run_apart},
    database::on_postgres,
    lab::{BSN, Lab, paths, question},
    promises::{BY_KADE, COACH, Given, KADE, about, bsn, item},
};

/// The ways to write a number that are looked for. Four bytes turn up by chance once in a while.
fn encodings(bsn: &str) -> Vec<(&'static str, Vec<u8>)> {
    let number: u32 = bsn.parse().unwrap();
    let utf16: Vec<u16> = bsn.encode_utf16().collect();
    let mut varint = Vec::new();
    prost::encoding::encode_varint(u64::from(number), &mut varint);
    let mut all = vec![
        ("text", bsn.as_bytes().to_vec()),
        ("UTF-16, little end first", utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect()),
        ("UTF-16, big end first", utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect()),
        ("varint", varint),
        ("eight bytes, little end first", u64::from(number).to_le_bytes().to_vec()),
        ("eight bytes, big end first", u64::from(number).to_be_bytes().to_vec()),
        ("four bytes, little end first", number.to_le_bytes().to_vec()),
        ("four bytes, big end first", number.to_be_bytes().to_vec()),
        ("hex of the text", hex::encode(bsn).into_bytes()),
    ];
    for (offset, name) in
        ["base64", "base64 after one byte", "base64 after two bytes"].into_iter().enumerate()
    {
        let text = STANDARD.encode([vec![0; offset], bsn.as_bytes().to_vec()].concat());
        // Only the characters that depend on the number alone.
        let (first, last) = ((offset * 8).div_ceil(6), (offset + 9) * 8 / 6);
        all.push((name, text.as_bytes()[first..last].to_vec()));
    }
    all
}

/// Where a number is found: file, encoding, number. The two encodings of four bytes stand apart.
fn search(files: &[(String, Vec<u8>)], numbers: &[String]) -> (Vec<String>, Vec<String>) {
    let at = |two: &[u8]| usize::from(two[0]) << 8 | usize::from(two[1]);
    let mut starts = vec![Vec::new(); 1 << 16];
    for number in numbers {
        for (name, pattern) in encodings(number) {
            starts[at(&pattern)].push((number, name, pattern));
        }
    }
    let (mut sure, mut short) = (BTreeSet::new(), BTreeSet::new());
    for (file, content) in files {
        for (place, two) in content.windows(2).enumerate() {
            for (number, name, pattern) in &starts[at(two)] {
                if content[place..].starts_with(pattern) {
                    let found = format!("{number} as {name} in {file}");
                    if name.starts_with("four") {
                        short.insert(found)
                    } else {
                        sure.insert(found)
                    };
                }
            }
        }
    }
    (sure.into_iter().collect(), short.into_iter().collect())
}

#[test]
fn p08_the_search_finds_a_planted_number_in_each_encoding() {
    let number = bsn(7);
    for (name, pattern) in encodings(&number) {
        let planted = [b"some words before ".as_slice(), &pattern, b" and after"].concat();
        let (sure, short) = search(&[("file".to_owned(), planted)], std::slice::from_ref(&number));
        assert!(sure.iter().chain(&short).any(|found| found.contains(&format!("as {name} in"))), "{name}");
    }
    let (sure, short) = search(&[("file".to_owned(), bsn(8).into_bytes())], &[number]);
    assert!(sure.is_empty() && short.is_empty());
    // At each alignment, inside a longer text.
    for before in 0..3 {
        let text = STANDARD.encode(format!("{}{}, and more", "x".repeat(before), bsn(7)));
        let (sure, _) = search(&[("file".to_owned(), text.into_bytes())], &[bsn(7)]);
        assert_eq!(sure.len(), 1, "after {before} bytes");
    }
}

/// A number that no gateway takes, one of a real person's range, and one of eight digits with a zero lost.
const WRONG: [&str; 3] = ["999995003", "123456782", "987654329"];

fn numbers() -> Vec<String> {
    let own = (0..12).map(bsn);
    own.chain([BSN.to_owned()]).chain(WRONG.map(ToOwned::to_owned)).collect()
}

const CHILD: &str = "SLUIS_P08_CHILD";

/// What participants get to see.
#[derive(Default)]
struct Seen(String);

impl Seen {
    fn note<T: std::fmt::Debug>(&mut self, result: Result<T, Status>) {
        match result {
            Ok(_) => {}
            Err(status) => {
                self.0 += &format!("{status:?}\n{}\n", String::from_utf8_lossy(status.details()));
            }
        }
    }

    fn answer(&mut self, answer: Result<proto::RequestWorkCapacityResponse, Status>) {
        if let Ok(answer) = &answer {
            self.0 += &format!("{answer:?}\n");
            for entry in answer.receipt.iter().flat_map(|receipt| &receipt.entries) {
                self.0 += &String::from_utf8_lossy(&entry.facts);
                let Ok(key) = <[u8; 32]>::try_from(entry.entry_key.as_slice()) else { continue };
                let leaf = Leaf::parse(&entry.leaf).unwrap();
                let opened = seal::open(&seal::EntryKey::from_bytes(key), &leaf.id(), &entry.sealed).unwrap();
                self.0 += &String::from_utf8_lossy(&opened);
            }
        }
        self.note(answer);
    }
}

/// The run, in a process of its own so that every trace of it is caught. Not a test by itself.
#[tokio::test(flavor = "multi_thread")]
async fn p08_child() {
    let Ok(out) = std::env::var(CHILD) else { return };
    let out = Path::new(&out);
    let captured = Captured::begin();

    let behaves = |n: usize, how: &str| item(&bsn(n), Mask::all(), json!({ "behaviour": how }));
    let mut items = vec![
        behaves(1, "over_deliver"),
        behaves(2, "unknown_field"),
        behaves(3, "undeclared_enum"),
        behaves(4, "slow"),
        behaves(5, "declines"),
    ];
    items.extend((0..1).map(|n| item(&bsn(n), Mask::all(), json!({}))));
    let lab = Lab::start_with(|options| {
        options.statements.insert(KADE.to_owned(), json!(items).to_string());
        options.allow_misbehaviour = true;
    })
    .await;
    let mut seen = Seen::default();
    lab.record_main().await;
    for n in 0..7 {
        seen.note(BY_KADE.record(&lab, &bsn(n)).await);
    }
    // Asked of a source that does not know the client, and by a recorder that receives.
    seen.note(
        Given { recorder: ("waterrijk", crate::promises::WATERRIJK), ..BY_KADE }.record(&lab, &bsn(7)).await,
    );
    // What is written to the client, and the whole life of a grant.
    let recorded = BY_KADE.record(&lab, &bsn(10)).await.unwrap();
    let mut kade = lab.client("kade").await.consent();
    let form_id = recorded.form_id.clone();
    let request = proto::GetConsentLetterRequest { form_id: form_id.clone(), language: String::new() };
    let letter = kade.get_consent_letter(request).await.unwrap().into_inner();
    seen.0 += &format!("{}\n{}\n", letter.text, letter.html);
    let shown = kade.get_consent(proto::GetConsentRequest { form_id: form_id.clone() }).await.unwrap();
    seen.0 += &format!("{:?}\n", shown.into_inner());
    kade.pause_source(proto::PauseSourceRequest {}).await.unwrap();
    kade.resume_source(proto::ResumeSourceRequest {}).await.unwrap();
    let selector = Some(invalidate_consent_request::Selector::FormId(form_id));
    let request = proto::InvalidateConsentRequest { selector, reason: 1 };
    seen.0 += &format!("{:?}\n", kade.invalidate_consent(request).await.unwrap().into_inner());
    let request = proto::WithdrawConsentRequest { selector: Some(Selector::EverythingOfBsn(bsn(11))) };
    kade.withdraw_consent(request).await.unwrap();
    seen.answer(lab.ask("waterrijk", question()).await);
    let answers = (0..9).map(|n| lab.ask("waterrijk", about(&bsn(n), &[COACH]))).collect::<Vec<_>>();
    for answer in futures_util::future::join_all(answers).await {
        seen.answer(answer);
    }

    for number in [BSN, &bsn(9), WRONG[0], WRONG[1], WRONG[2]] {
        let good = about(number, &[COACH]);
        let text = || number.to_owned();
        for wrong in [
            good.clone(),
            proto::RequestWorkCapacityRequest { request_id: text(), ..good.clone() },
            proto::RequestWorkCapacityRequest { purpose: text(), ..good.clone() },
            proto::RequestWorkCapacityRequest { role: text(), ..good.clone() },
            proto::RequestWorkCapacityRequest { user_id: text(), ..good.clone() },
            proto::RequestWorkCapacityRequest { case_id: text(), ..good.clone() },
            proto::RequestWorkCapacityRequest { fields: paths(&[number]), ..good.clone() },
            proto::RequestWorkCapacityRequest { necessity: number.parse().unwrap(), ..good.clone() },
            proto::RequestWorkCapacityRequest { bsn: format!("{number}0"), ..good.clone() },
            proto::RequestWorkCapacityRequest { validate_only: true, ..good.clone() },
        ] {
            // An id that was used would hide everything else.
            let id = if wrong.request_id == number { text() } else { Uuid::new_v4().to_string() };
            let wrong = proto::RequestWorkCapacityRequest { request_id: id, ..wrong };
            seen.answer(lab.ask("waterrijk", wrong).await);
        }
        let kade = lab.client("kade").await;
        let mut consent = kade.consent();
        for selector in [
            Selector::Bsn(text()),
            Selector::GrantId(text()),
            Selector::FormId(text()),
            Selector::Bsn(text() + "1"),
        ] {
            let request = proto::WithdrawConsentRequest { selector: Some(selector) };
            seen.note(consent.withdraw_consent(request).await);
        }
        seen.note(consent.get_consent(proto::GetConsentRequest { form_id: text() }).await);
        seen.note(consent.list_consents(proto::ListConsentsRequest { bsn: text() }).await);
        seen.note(consent.confirm_grant(proto::ConfirmGrantRequest { grant_id: text() }).await);
        let request = proto::WithdrawConsentRequest { selector: Some(Selector::EverythingOfBsn(text())) };
        seen.note(consent.withdraw_consent(request).await);
        let selector = Some(pause_consent_request::Selector::FormId(text()));
        seen.note(consent.pause_consent(proto::PauseConsentRequest { selector }).await);
        let selector = Some(resume_consent_request::Selector::GrantId(text()));
        seen.note(consent.resume_consent(proto::ResumeConsentRequest { selector }).await);
        let selector = Some(invalidate_consent_request::Selector::FormId(text()));
        let request = proto::InvalidateConsentRequest { selector, reason: 1 };
        seen.note(consent.invalidate_consent(request).await);
        let request = proto::ReconfirmConsentRequest { reconfirmation: text() };
        seen.note(consent.reconfirm_consent(request).await);
        for page_token in [String::new(), text() + "x"] {
            let request = proto::ListDisclosuresRequest { bsn: text(), page_size: 0, page_token };
            seen.note(consent.list_disclosures(request).await);
        }
        let request = proto::ListExpiringRequest { within_days: number.parse().unwrap() };
        seen.note(consent.list_expiring(request).await);
        for (form_id, language) in [(text(), String::new()), (Uuid::new_v4().to_string(), text())] {
            let request = proto::GetConsentLetterRequest { form_id, language };
            seen.note(consent.get_consent_letter(request).await);
        }
        seen.note(consent.watch_consent_events(proto::WatchConsentEventsRequest { after: text() }).await);
        let request = proto::AcknowledgeConsentEventsRequest { cursor: format!("{number}.{number}") };
        seen.note(consent.acknowledge_consent_events(request).await);
        let mut form = lab.sign("kade", data::MAIN_FORM);
        form.bsn = text();
        seen.note(consent.record_consent(form.clone()).await);
        form.form = text();
        form.grants[0].jws = text();
        seen.note(consent.record_consent(form).await);
        let search = proto::SearchEntriesRequest {
            requester: text(),
            purpose: text(),
            kind: text(),
            page_token: text(),
            ..Default::default()
        };
        let mut audit = lab.client("fg").await.audit();
        seen.note(audit.search_entries(search).await);
        let search = proto::SearchEntriesRequest { page_token: text() + "x", ..Default::default() };
        seen.note(audit.search_entries(search).await);
        let search = proto::SearchEntriesRequest {
            kind: text(),
            page_size: number.parse().unwrap(),
            ..Default::default()
        };
        seen.note(audit.search_entries(search).await);
        seen.note(audit.get_entry(proto::GetEntryRequest { position: number.parse().unwrap() }).await);
    }
    // What was sent wrong was read, each part of it.
    for code in [
        "REQUEST_ID_MALFORMED",
        "BSN_MALFORMED",
        "BSN_NOT_FOR_THIS_GATEWAY",
        "PURPOSE_MALFORMED",
        "ROLE_UNKNOWN",
        "USER_ID_MALFORMED",
        "CASE_ID_MALFORMED",
        "FIELD_UNKNOWN",
        "NECESSITY_MISSING",
        "CONSENT_NOT_FOUND",
        "FORM_UNREADABLE",
        "FORM_BINDING_WRONG",
        "PAGE_TOKEN_INVALID",
        "CURSOR_INVALID",
        "LANGUAGE_UNKNOWN",
        "LIMIT_INVALID",
        "ENTRY_NOT_FOUND",
    ] {
        assert!(seen.0.contains(code), "{code}");
    }
    // Everything an officer can read.
    let mut audit = lab.client("fg").await.audit();
    let entries =
        audit.search_entries(proto::SearchEntriesRequest { page_size: 200, ..Default::default() }).await;
    let entries = entries.unwrap().into_inner().entries;
    assert!(entries.len() > 100);
    for entry in entries {
        seen.0 += &format!("{}\n{}\n{}\n", entry.leaf, entry.facts, entry.detail);
    }

    keep(lab, out).await;
    fs::write(out.join("seen"), seen.0).unwrap();
    fs::write(out.join("trace"), captured.bytes()).unwrap();
}

fn run() -> (Vec<String>, Vec<String>) {
    let files = run_apart("p08::p08_child", CHILD);
    let size = |name: &str| {
        files.iter().filter(|(file, _)| file.contains(name)).map(|(_, c)| c.len()).sum::<usize>()
    };
    let sizes = ["running/sluis.db", "stopped/sluis.db", "stopped/keys", "seen", "trace"].map(size);
    println!("{sizes:?}");
    assert!(sizes.iter().all(|size| *size > 96), "there is something to search: {sizes:?}");
    assert!(on_postgres() || size("running/sluis.db-wal") > 1000);
    search(&files, &numbers())
}

#[test]
fn p08_no_number_is_in_anything_that_the_gateway_writes() {
    let (sure, short) = run();
    assert!(sure.is_empty(), "{sure:#?}");
    if !short.is_empty() {
        // Four random bytes can be any number. What is written is written again in a second run.
        let (sure, again) = run();
        assert!(sure.is_empty(), "{sure:#?}");
        let file = |found: &String| found.rsplit_once('/').map_or(found.clone(), |(_, file)| file.to_owned());
        let number = |found: &String| found.split(' ').next().map(ToOwned::to_owned);
        for found in &short {
            let twice =
                again.iter().any(|other| (number(other), file(other)) == (number(found), file(found)));
            assert!(!twice, "{short:?} and {again:?}");
        }
    }
}
