//! The life of a consent as recorders, sources and recipients see it: pausing, invalidating, withdrawing, being told, and
//! what becomes of a database that somebody has written into.

mod race;
mod told;

use std::sync::Arc;

use sluis::{
    domain::{Clock as _, time::ManualClock},
    proto::{
        self, invalidate_consent_request, pause_consent_request, resume_consent_request,
        withdraw_consent_request::Selector,
    },
};
use sqlx::{Connection as _, SqliteConnection};
use tonic::Code;

use crate::{
    database::on_postgres,
    lab::{Lab, reason},
    promises::{
        BY_KADE, COACH, Given, KADE, Scripted, UWV, VEER, about, bsn, everything, log, outcome_of, reason_of,
    },
};

const DAY_MILLIS: i64 = 24 * 3_600_000;

/// A region whose clock can be moved, with sources that give everything.
pub(crate) async fn gullible() -> (Lab, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(sluis::domain::time::SystemClock.now()));
    let shared = Arc::clone(&clock);
    let mut lab = Lab::start_with(|options| options.clock = shared).await;
    Scripted::take_over(&mut lab, "kade", everything).await;
    Scripted::take_over(&mut lab, "uwv", everything).await;
    (lab, clock)
}

/// Whether anything is released about this client now; and if not, why, as the gateway's officer reads it.
async fn asked(lab: &Lab, client: &str) -> String {
    let answer = lab.ask("waterrijk", about(client, &[COACH])).await.unwrap();
    let log = log(&lab.world.gateway.store).await;
    let outcome = outcome_of(&log, &answer);
    let reason = reason_of(outcome, KADE);
    assert_eq!(answer.disclosures.len(), usize::from(reason == "RELEASED"), "{reason}");
    reason
}

async fn status_of(lab: &Lab, short: &str, form: &str, grant: &str) -> proto::GrantStatus {
    let request = proto::GetConsentRequest { form_id: form.to_owned() };
    let consent = lab.client(short).await.consent().get_consent(request).await.unwrap().into_inner();
    consent.grants.iter().find(|known| known.grant_id == grant).unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_stops_a_grant_and_only_who_put_it_on_lifts_it() {
    let (lab, _) = gullible().await;
    // Recorded by De Kade, about what UWV holds.
    let given = Given { source: UWV, ..BY_KADE };
    let recorded = given.record(&lab, &bsn(0)).await.unwrap();
    let (form, grant) = (recorded.form_id, recorded.grants[0].grant_id.clone());
    let uwv = async || {
        let answer = lab.ask("waterrijk", about(&bsn(0), &[COACH])).await.unwrap();
        let log = log(&lab.world.gateway.store).await;
        reason_of(outcome_of(&log, &answer), UWV)
    };
    let pause = async |short: &str| {
        let selector = Some(pause_consent_request::Selector::GrantId(grant.clone()));
        let request = proto::PauseConsentRequest { selector };
        lab.client(short).await.consent().pause_consent(request).await
    };
    let resume = async |short: &str| {
        let selector = Some(resume_consent_request::Selector::FormId(form.clone()));
        let request = proto::ResumeConsentRequest { selector };
        lab.client(short).await.consent().resume_consent(request).await
    };
    assert_eq!(uwv().await, "RELEASED");
    let first = pause("uwv").await.unwrap().into_inner().log_position;
    assert_eq!(status_of(&lab, "kade", &form, &grant).await, proto::GrantStatus::Paused);
    assert_eq!(uwv().await, "PAUSED");
    assert!(pause("uwv").await.unwrap().into_inner().log_position > first, "again is harmless");
    resume("kade").await.unwrap();
    assert_eq!(uwv().await, "PAUSED", "the recorder does not lift what the source put on");
    pause("kade").await.unwrap();
    resume("uwv").await.unwrap();
    assert_eq!(uwv().await, "PAUSED", "nor the source what the recorder did");
    resume("kade").await.unwrap();
    assert_eq!(uwv().await, "RELEASED");
    assert_eq!(reason(&pause("veer").await.unwrap_err()), (Code::NotFound, "CONSENT_NOT_FOUND".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_stops_everything_of_its_own_at_once_and_goes_on() {
    let (lab, _) = gullible().await;
    BY_KADE.give(&lab, &bsn(0)).await;
    assert_eq!(asked(&lab, &bsn(0)).await, "RELEASED");
    let kade = lab.client("kade").await;
    let paused = kade.consent().pause_source(proto::PauseSourceRequest {}).await.unwrap().into_inner();
    assert_eq!(asked(&lab, &bsn(0)).await, "PAUSED");
    // What is recorded meanwhile is paused as well.
    BY_KADE.give(&lab, &bsn(1)).await;
    assert_eq!(asked(&lab, &bsn(1)).await, "PAUSED");
    // Others go on.
    let by_uwv = Given { recorder: ("uwv", UWV), source: UWV, fields: &["WT-02"], ..BY_KADE };
    by_uwv.give(&lab, &bsn(0)).await;
    let hours = about(&bsn(0), &["working_hours.hours_per_day"]);
    assert_eq!(lab.ask("waterrijk", hours).await.unwrap().disclosures.len(), 1);
    let resumed = kade.consent().resume_source(proto::ResumeSourceRequest {}).await.unwrap().into_inner();
    assert!(resumed.log_position > paused.log_position);
    assert_eq!(asked(&lab, &bsn(1)).await, "RELEASED");
    let log = log(&lab.world.gateway.store).await;
    let event = |position: u64| log[usize::try_from(position).unwrap()].facts["event"].clone();
    assert_eq!(event(paused.log_position), "source_paused_all");
    assert_eq!(event(resumed.log_position), "source_resumed_all");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_sees_what_left_it_and_nobody_elses() {
    let (lab, _) = gullible().await;
    let grant = BY_KADE.give(&lab, &bsn(0)).await;
    BY_KADE.give(&lab, &bsn(1)).await;
    for client in [0, 1, 0] {
        assert_eq!(asked(&lab, &bsn(client)).await, "RELEASED");
    }
    let list = async |short: &str, bsn: String, page_size: u32, page_token: String| {
        let request = proto::ListDisclosuresRequest { bsn, page_size, page_token };
        lab.client(short).await.consent().list_disclosures(request).await.map(tonic::Response::into_inner)
    };
    // Under two grants of one source at once.
    Given { fields: &["VW-02"], ..BY_KADE }.give(&lab, &bsn(2)).await;
    BY_KADE.give(&lab, &bsn(2)).await;
    let both = about(&bsn(2), &[COACH, "support.guidance_needed"]);
    assert_eq!(lab.ask("waterrijk", both).await.unwrap().disclosures.len(), 1);
    assert_eq!(asked(&lab, &bsn(0)).await, "RELEASED");
    let all = list("kade", String::new(), 0, String::new()).await.unwrap();
    assert_eq!(all.disclosures.len(), 6);
    let newest = &all.disclosures[0];
    assert_eq!((newest.grant_id.as_str(), newest.recipient.as_str()), (grant.as_str(), BY_KADE.recipient));
    assert_eq!(
        (newest.fields.as_slice(), newest.purpose.as_str()),
        (&["VW-04".to_owned()][..], "REINTEGRATION")
    );
    assert!(all.disclosures.windows(2).all(|two| two[0].log_position >= two[1].log_position));
    assert_eq!(list("kade", bsn(1), 0, String::new()).await.unwrap().disclosures.len(), 1);
    assert!(list("uwv", String::new(), 0, String::new()).await.unwrap().disclosures.is_empty());
    // Page by page, the same.
    let (mut paged, mut token) = (Vec::new(), String::new());
    loop {
        let page = list("kade", String::new(), 1, token).await.unwrap();
        paged.extend(page.disclosures);
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(paged, all.disclosures);
    let too_many = list("kade", String::new(), 501, String::new()).await.unwrap_err();
    assert_eq!(reason(&too_many), (Code::InvalidArgument, "LIMIT_INVALID".to_owned()));
    let odd = list("kade", String::new(), 1, "01".to_owned()).await.unwrap_err();
    assert_eq!(reason(&odd), (Code::InvalidArgument, "PAGE_TOKEN_INVALID".to_owned()));
    let requester = list("sluisdam", String::new(), 0, String::new()).await.unwrap_err();
    assert_eq!(reason(&requester).0, Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalidating_lists_what_was_released_and_tells_the_officer() {
    let (lab, _) = gullible().await;
    let recorded = BY_KADE.record(&lab, &bsn(0)).await.unwrap();
    let (form, grant) = (recorded.form_id, recorded.grants[0].grant_id.clone());
    assert_eq!(asked(&lab, &bsn(0)).await, "RELEASED");
    let invalidate = async |short: &str, reason: proto::InvalidationReason| {
        let selector = Some(invalidate_consent_request::Selector::FormId(form.clone()));
        let request = proto::InvalidateConsentRequest { selector, reason: reason.into() };
        let answer = lab.client(short).await.consent().invalidate_consent(request).await;
        answer.map(tonic::Response::into_inner)
    };
    let without = invalidate("kade", proto::InvalidationReason::Unspecified).await.unwrap_err();
    assert_eq!(reason(&without), (Code::InvalidArgument, "INVALIDATION_REASON_MISSING".to_owned()));
    let other = invalidate("uwv", proto::InvalidationReason::WrongForm).await.unwrap_err();
    assert_eq!(reason(&other), (Code::NotFound, "CONSENT_NOT_FOUND".to_owned()));
    let done = invalidate("kade", proto::InvalidationReason::WrongPerson).await.unwrap();
    assert_eq!(done.disclosures.len(), 1);
    assert_eq!(done.disclosures[0].grant_id, grant);
    assert_eq!(asked(&lab, &bsn(0)).await, "INVALIDATED");
    assert_eq!(status_of(&lab, "kade", &form, &grant).await, proto::GrantStatus::Invalidated);
    let again = invalidate("kade", proto::InvalidationReason::WrongPerson).await.unwrap();
    assert_eq!(again.disclosures, done.disclosures, "again is harmless");
    // What the officer finds.
    let search = proto::SearchEntriesRequest { kind: "consent".to_owned(), ..Default::default() };
    let found = lab.client("fg").await.audit().search_entries(search).await.unwrap().into_inner();
    let entry = found.entries.iter().find(|entry| entry.position == done.log_position).unwrap();
    assert!(entry.facts.contains("\"possible_breach\":true") && entry.facts.contains("WRONG_PERSON"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_withdraws_himself_goes_whoever_recorded_it_and_whenever() {
    let (lab, clock) = gullible().await;
    BY_KADE.give(&lab, &bsn(0)).await;
    let by_veer = Given { recorder: ("veer", VEER), source: KADE, fields: &["VW-02"], ..BY_KADE };
    let recorded = by_veer.record(&lab, &bsn(0)).await.unwrap();
    let other = BY_KADE.give(&lab, &bsn(1)).await;
    let withdraw = async |selector| {
        let request = proto::WithdrawConsentRequest { selector: Some(selector) };
        lab.client("uwv").await.consent().withdraw_consent(request).await.unwrap().into_inner()
    };
    // UWV has nothing of its own of this client: by client that is the same success, and changes nothing.
    withdraw(Selector::Bsn(bsn(0))).await;
    assert_eq!(asked(&lab, &bsn(0)).await, "RELEASED");
    // The client says so himself, to whomever he happens to speak to.
    withdraw(Selector::EverythingOfBsn(bsn(0))).await;
    assert_eq!(asked(&lab, &bsn(0)).await, "WITHDRAWN");
    let veers = status_of(&lab, "veer", &recorded.form_id, &recorded.grants[0].grant_id).await;
    assert_eq!(veers, proto::GrantStatus::Withdrawn);
    assert_eq!(asked(&lab, &bsn(1)).await, "RELEASED", "another client's {other} stands");
    // A form that he had signed before, recorded only now: it was withdrawn before it came.
    let late = BY_KADE.record(&lab, &bsn(0)).await.unwrap();
    assert_eq!(late.grants[0].status(), proto::GrantStatus::Withdrawn);
    assert_eq!(asked(&lab, &bsn(0)).await, "WITHDRAWN");
    // What he signs afterwards counts.
    clock.set(clock.now().plus_millis(DAY_MILLIS));
    let today = clock.now().day().to_string();
    let later = BY_KADE.form(&bsn(0)).replace("today-14", &today);
    let request = lab.sign("kade", &later);
    lab.client("kade").await.consent().record_consent(request).await.unwrap();
    assert_eq!(asked(&lab, &bsn(0)).await, "RELEASED");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_that_is_struck_out_is_taken_from_what_was_signed_before() {
    let (lab, _) = gullible().await;
    let wide = Given { fields: &["VW-02", "VW-04", "VW-05"], ..BY_KADE };
    let earlier = wide.record(&lab, &bsn(0)).await.unwrap();
    assert_eq!(asked(&lab, &bsn(0)).await, "RELEASED");
    let two = [Given { fields: &["VW-05"], ..BY_KADE }, Given { fields: &["VW-07"], ..BY_KADE }];
    let mut form: serde_json::Value = serde_json::from_str(&crate::promises::form(&bsn(0), &two)).unwrap();
    form["grants"][0]["excluded"] = serde_json::json!(["VW-02"]);
    form["grants"][1]["excluded"] = serde_json::json!(["VW-04", "VW-14"]);
    let request = lab.sign("kade", &form.to_string());
    lab.client("kade").await.consent().record_consent(request).await.unwrap();
    let request = proto::GetConsentRequest { form_id: earlier.form_id };
    let kade = lab.client("kade").await;
    let shown = kade.consent().get_consent(request).await.unwrap().into_inner();
    assert_eq!(shown.grants[0].struck, ["VW-02", "VW-04"]);
    assert_eq!(shown.grants[0].status(), proto::GrantStatus::InForce, "for the third field");
    assert_eq!(asked(&lab, &bsn(0)).await, "REFUSED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_checked_without_being_recorded() {
    let (lab, _) = gullible().await;
    let kade = lab.client("kade").await;
    let mut request = lab.sign("kade", &BY_KADE.form(&bsn(0)));
    request.validate_only = true;
    let checked = kade.consent().record_consent(request.clone()).await.unwrap().into_inner();
    assert_eq!((checked.log_position, checked.grants.len()), (0, 1));
    assert_eq!(asked(&lab, &bsn(0)).await, "NO_GRANT");
    request.validate_only = false;
    kade.consent().record_consent(request).await.unwrap();
    assert_eq!(asked(&lab, &bsn(0)).await, "RELEASED");
    let mut wrong = lab.sign("kade", &Given { until: "today+900", ..BY_KADE }.form(&bsn(1)));
    wrong.validate_only = true;
    let refused = kade.consent().record_consent(wrong).await.unwrap_err();
    assert_eq!(reason(&refused), (Code::InvalidArgument, "FORM_PERIOD_TOO_LONG".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_soon_is_listed_for_its_recorder_and_tells_a_recipient_nothing() {
    let (lab, _) = gullible().await;
    let soon = Given { until: "today+30", ..BY_KADE };
    let (grant, withdrawn) = (soon.give(&lab, &bsn(0)).await, soon.give(&lab, &bsn(1)).await);
    let own = Given { recorder: ("waterrijk", crate::promises::WATERRIJK), until: "today+30", ..BY_KADE };
    let received = own.give(&lab, &bsn(2)).await;
    for (short, id) in [("kade", &withdrawn), ("kade", &received)] {
        let selector = Some(Selector::GrantId(id.clone()));
        let request = proto::WithdrawConsentRequest { selector };
        lab.client(short).await.consent().withdraw_consent(request).await.unwrap();
    }
    let expiring = async |short: &str, within_days| {
        let request = proto::ListExpiringRequest { within_days };
        let found = lab.client(short).await.consent().list_expiring(request).await?.into_inner();
        Ok::<_, tonic::Status>(found.grants.into_iter().map(|grant| grant.grant_id).collect::<Vec<_>>())
    };
    assert_eq!(expiring("kade", 60).await.unwrap(), [grant]);
    assert!(expiring("kade", 29).await.unwrap().is_empty());
    // Nor does a pause of it fail.
    let selector = Some(pause_consent_request::Selector::GrantId(received.clone()));
    let waterrijk = lab.client("waterrijk").await;
    waterrijk.consent().pause_consent(proto::PauseConsentRequest { selector }).await.unwrap();
    // Waterrijk recorded what it receives itself: whether it still stands is not told by this list either.
    assert_eq!(expiring("waterrijk", 0).await.unwrap(), [received]);
    assert_eq!(reason(&expiring("kade", 367).await.unwrap_err()).1, "LIMIT_INVALID");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_letter_is_for_the_recorder_to_give_and_says_who_may_ask() {
    let (lab, _) = gullible().await;
    let recorded = BY_KADE.record(&lab, &bsn(0)).await.unwrap();
    let letter = async |short: &str, language: &str| {
        let (form_id, language) = (recorded.form_id.clone(), language.to_owned());
        let request = proto::GetConsentLetterRequest { form_id, language };
        lab.client(short).await.consent().get_consent_letter(request).await.map(tonic::Response::into_inner)
    };
    let dutch = letter("kade", "").await.unwrap();
    assert!(
        dutch.text.contains("Gemeente Waterrijk") && dutch.text.contains("Jobcoach nodig"),
        "{}",
        dutch.text
    );
    assert!(dutch.html.starts_with("<!doctype html>") && dutch.html.contains("Gemeente Waterrijk"));
    assert!(dutch.text.contains(&format!("Plaats in het register: {}", recorded.log_position)));
    assert!(letter("kade", "en").await.unwrap().text.contains("case manager"));
    // A recorder that is the recipient has a letter to give too, with its place in the register.
    let own = Given { recorder: ("waterrijk", crate::promises::WATERRIJK), ..BY_KADE };
    let of_own = own.record(&lab, &bsn(1)).await.unwrap();
    let request = proto::GetConsentLetterRequest { form_id: of_own.form_id, language: String::new() };
    let given = lab.client("waterrijk").await.consent().get_consent_letter(request).await.unwrap();
    assert!(given.into_inner().text.contains(&format!("Plaats in het register: {}\n", of_own.log_position)));
    assert_eq!(reason(&letter("kade", "fr").await.unwrap_err()).1, "LANGUAGE_UNKNOWN");
    assert_eq!(reason(&letter("uwv", "nl").await.unwrap_err()).1, "CONSENT_NOT_FOUND");
}

/// P01: what decides is what was signed and countersigned, not what stands in a column.
#[tokio::test(flavor = "multi_thread")]
async fn p01_a_grant_that_was_changed_in_the_database_is_not_used() {
    if on_postgres() {
        // The embedded database is written into below; the check is the same code for both.
        return;
    }
    let (lab, _) = gullible().await;
    let database = lab.world.dir.join("data").join("sluis.db");
    let write = async |statement: &'static str| {
        let mut connection = SqliteConnection::connect(&database.display().to_string()).await.unwrap();
        sqlx::query(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    };
    for (n, (statement, back)) in [
        ("update consent_grant set fields = 'VW-02 VW-04'", "update consent_grant set fields = 'VW-04'"),
        (
            "update consent_grant set ends = ends + 86400000",
            "update consent_grant set ends = ends - 86400000",
        ),
        ("update consent_grant set uses = 5", "update consent_grant set uses = null"),
        ("update consent_grant set given_by = 'MENTOR'", "update consent_grant set given_by = 'CLIENT'"),
        (
            "update consent_grant set countersignature = 'e30' || countersignature",
            "update consent_grant set countersignature = substr(countersignature, 4)",
        ),
        (
            "update consent_grant set jws = jws || 'A'",
            "update consent_grant set jws = substr(jws, 1, length(jws) - 1)",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let client = bsn(n);
        BY_KADE.give(&lab, &client).await;
        assert_eq!(asked(&lab, &client).await, "RELEASED");
        write(statement).await;
        assert_eq!(asked(&lab, &client).await, "GRANT_NOT_VERIFIED", "{statement}");
        write(back).await;
        assert_eq!(asked(&lab, &client).await, "RELEASED", "{back}");
    }
}

/// A recorder's key may end without its grants: the gateway had found the signature good when it recorded them.
#[tokio::test(flavor = "multi_thread")]
async fn a_recorders_key_is_changed_and_its_grants_go_on() {
    let lab = Lab::start().await;
    let main = lab.record_main().await;
    let participants = lab.world.dir.join("participants.toml");
    let before = std::fs::read_to_string(&participants).unwrap();
    let kid = "kid = \"kade-1\"";
    let yesterday = sluis::domain::time::SystemClock.now().plus_millis(-DAY_MILLIS).day();
    let text = before.replace(kid, &format!("{kid}\nuntil = \"{yesterday}\""));
    assert_ne!(text, before);
    let other = lab.path("kade-2.pem");
    let public = sluis::consent::signing_key::create(&other).unwrap();
    let public = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, public);
    let at = text.find("[[organisation.signing_key]]\nkid = \"kade-1\"").unwrap();
    let key = format!(
        "[[organisation.signing_key]]\nkid = \"kade-2\"\npublic = \"{public}\"\nfrom = \"2026-01-01\"\n"
    );
    std::fs::write(&participants, format!("{}{key}{}", &text[..at], &text[at..])).unwrap();
    lab.world.gateway.reload().await.unwrap();
    // What was signed with the old key is used, by the gateway and by both sources.
    let answer = lab.ask("waterrijk", crate::lab::question()).await.unwrap();
    assert_eq!(answer.disclosures.len(), 2, "{:?}", main.grants);
    // What is signed with it from now on is refused; with the new one it is recorded.
    let old = BY_KADE.record(&lab, &bsn(0)).await.unwrap_err();
    assert_eq!(reason(&old), (Code::InvalidArgument, "FORM_KEY_UNKNOWN".to_owned()));
    let key = sluis::consent::signing_key::read(&other).unwrap();
    let draft = sluis::consent::draft::FormDraft::parse(&BY_KADE.form(&bsn(0))).unwrap();
    let signed = draft.sign("kade-2", &key, sluis::domain::time::SystemClock.now().day()).unwrap();
    lab.client("kade").await.consent().record_consent(signed).await.unwrap();
}
