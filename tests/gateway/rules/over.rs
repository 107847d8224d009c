//! What is over is over: nothing can happen to a grant that ended, and no clock brings it back.

use serde_json::json;
use sluis::{
    domain::Clock as _,
    proto::{
        self, ConfirmGrantRequest, GrantStatus, PauseConsentRequest, ResumeConsentRequest,
        WithdrawConsentRequest, pause_consent_request, resume_consent_request, withdraw_consent_request,
    },
};
use tonic::{Code, Status};

use super::{DAY_MILLIS, ask, assert_refused, draft, reconfirm, reconfirmation, record, region, states};
use crate::{
    bad_forge::day,
    lab::{Lab, reason},
    promises::{BY_KADE, COACH, Given, KADE, UWV, WATERRIJK, about, bsn},
};

/// Admitted as the gateway's own officer, and as nothing else.
const FG: &str = "00000099000000101000";

async fn confirm(lab: &Lab, short: &str, grant_id: &str) -> Result<(), Status> {
    let request = ConfirmGrantRequest { grant_id: grant_id.to_owned() };
    lab.client(short).await.consent().confirm_grant(request).await.map(drop)
}

async fn pause(lab: &Lab, short: &str, grant: &str) -> Result<(), Status> {
    let selector = Some(pause_consent_request::Selector::GrantId(grant.to_owned()));
    lab.client(short).await.consent().pause_consent(PauseConsentRequest { selector }).await.map(drop)
}

async fn resume(lab: &Lab, short: &str, grant: &str) -> Result<(), Status> {
    let selector = Some(resume_consent_request::Selector::GrantId(grant.to_owned()));
    lab.client(short).await.consent().resume_consent(ResumeConsentRequest { selector }).await.map(drop)
}

async fn withdraw(lab: &Lab, short: &str, grant: &str) -> Result<(), Status> {
    let selector = Some(withdraw_consent_request::Selector::GrantId(grant.to_owned()));
    lab.client(short).await.consent().withdraw_consent(WithdrawConsentRequest { selector }).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_happens_to_a_grant_that_has_ended() {
    let (lab, clock) = region(4).await;
    // Waits for its source, so that there is something to confirm; and signed at intake, so that there is to reconfirm.
    let client = bsn(9);
    let mut form = draft(&client, &[Given { recorder: ("uwv", UWV), ..BY_KADE }]);
    form["collection"]["context"] = json!("INTAKE");
    let waiting = record(&lab, "uwv", &form).await.unwrap();
    form["bsn"] = json!(bsn(8));
    form["grants"][0]["valid_until"] = json!("today+1");
    let short = record(&lab, "uwv", &form).await.unwrap();
    withdraw(&lab, "uwv", &waiting.grants[0].grant_id).await.unwrap();
    clock.set(clock.now().plus_millis(2 * DAY_MILLIS));

    for (what, form, status) in
        [("withdrawn", &waiting, GrantStatus::Withdrawn), ("expired", &short, GrantStatus::Expired)]
    {
        let grant = &form.grants[0].grant_id;
        let word = reconfirmation(&lab, "uwv", &form.form_id, UWV, "GUIDANCE_TALK", &day(-3));
        let acts = [
            ("confirmed", confirm(&lab, "kade", grant).await),
            ("reconfirmed", reconfirm(&lab, "uwv", word).await.map(drop)),
            ("paused", pause(&lab, "uwv", grant).await),
            ("paused by its source", pause(&lab, "kade", grant).await),
            ("resumed", resume(&lab, "uwv", grant).await),
        ];
        for (act, done) in acts {
            let refused = done.expect_err(act);
            assert_eq!(reason(&refused), (Code::FailedPrecondition, "GRANT_OVER".into()), "{what}: {act}");
            let said = refused.message();
            assert!(said.contains("nothing can happen to it any more"), "{what}: {act}: {said}");
        }
        assert_eq!(states(&lab, "uwv", &form.form_id).await, [status], "{what}");
        assert!(withdraw(&lab, "uwv", grant).await.is_ok(), "{what}: withdrawing is harmless, always");
    }
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_what_could() {
    let (lab, _) = region(1).await;
    let client = bsn(0);
    let of = |given: Given<'static>| draft(&client, &[given]);
    let mut keeper = of(BY_KADE);
    keeper["custodian"] = json!("00000099000009009000");
    let period = "FORM_PERIOD_INVALID";
    let party = "FORM_PARTY_NOT_ADMITTED";
    let asks = "must be an organisation admitted as requester";
    for (what, form, expected) in [
        (
            "an end in the past",
            of(Given { until: "today-1", ..BY_KADE }),
            (period, "R06", "grants[0].valid_until", "must lie in the future"),
        ),
        (
            "an end today",
            of(Given { until: "today", ..BY_KADE }),
            (period, "R06", "grants[0].valid_until", "must lie in the future"),
        ),
        (
            "an end before its start",
            of(Given { from: "today+9", until: "today+8", ..BY_KADE }),
            (period, "R06", "grants[0].valid_until", "must be after `valid_from`"),
        ),
        (
            "more than a year",
            of(Given { until: "today+353", ..BY_KADE }),
            ("FORM_PERIOD_TOO_LONG", "R06", "grants[0].valid_until", "must be at most 12 months"),
        ),
        (
            "an unknown recipient",
            of(Given { recipient: "00000099000009009000", ..BY_KADE }),
            (party, "R14", "grants[0].recipient", asks),
        ),
        (
            "a recipient that is not admitted to ask",
            of(Given { recipient: FG, ..BY_KADE }),
            (party, "R14", "grants[0].recipient", asks),
        ),
        (
            "an unknown source",
            of(Given { source: "00000099000009009000", ..BY_KADE }),
            (party, "R14", "grants[0].source", "must be an organisation admitted as source"),
        ),
        (
            "kept by an unknown organisation",
            keeper,
            (party, "R14", "form.evidence.custodian", "must be an admitted organisation"),
        ),
    ] {
        assert_refused(what, &record(&lab, "kade", &form).await.expect_err(what), expected);
    }
    assert!(record(&lab, "kade", &of(Given { until: "today+1", ..BY_KADE })).await.is_ok(), "until tomorrow");
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_confirmed_by_the_source_that_it_names() {
    let (lab, _) = region(1).await;
    let recorded = Given { recorder: ("uwv", UWV), ..BY_KADE }.record(&lab, &bsn(9)).await.unwrap();
    let grant = &recorded.grants[0].grant_id;
    for short in ["uwv", "veer", "waterrijk"] {
        let refused = confirm(&lab, short, grant).await.expect_err(short);
        assert_eq!(reason(&refused), (Code::NotFound, "CONSENT_NOT_FOUND".into()), "{short}");
    }
    assert_eq!(states(&lab, "uwv", &recorded.form_id).await, [GrantStatus::Recorded], "not confirmed");
    assert_eq!(ask(&lab, &bsn(9), &[COACH]).await, (Vec::new(), "NOT_CONFIRMED".to_owned()));
    confirm(&lab, "kade", grant).await.unwrap();
    assert_eq!(states(&lab, "uwv", &recorded.form_id).await, [GrantStatus::InForce], "by its source");
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_goes_back_does_not_bring_back_what_has_expired() {
    let (lab, clock) = region(2).await;
    let begun = clock.now();
    let given = Given { until: "today+1", ..BY_KADE };
    let form = given.record(&lab, &bsn(0)).await.unwrap().form_id;
    assert_eq!(ask(&lab, &bsn(0), &[COACH]).await.0, [COACH], "while it holds");
    let end = sluis::domain::Timestamp::start_of(crate::promises::today().next_day().unwrap());
    clock.set(end.plus_millis(2_000));
    assert_eq!(ask(&lab, &bsn(0), &[COACH]).await, (Vec::new(), "EXPIRED".to_owned()));
    assert_eq!(states(&lab, "kade", &form).await, [GrantStatus::Expired]);

    // A little, as when clocks are set right: the log knows that its end was there.
    clock.set(end.plus_millis(-2_000));
    assert!(ask(&lab, &bsn(0), &[COACH]).await.0.is_empty(), "four seconds back");

    // Far, as when somebody wants it back: nothing is served at all.
    clock.set(begun);
    let status = lab.ask("waterrijk", about(&bsn(0), &[COACH])).await.unwrap_err();
    assert_eq!(reason(&status), (Code::Unavailable, "LOG_UNAVAILABLE".into()), "back to the beginning");

    clock.set(end.plus_millis(60_000));
    assert_eq!(ask(&lab, &bsn(0), &[COACH]).await, (Vec::new(), "EXPIRED".to_owned()), "and right again");
    lab.world.stop().await;
}

/// A recipient that recorded the grant itself is not told what became of it, by no act (R12, P09).
#[tokio::test(flavor = "multi_thread")]
async fn r12_a_recipient_does_not_learn_by_its_acts_that_its_grant_was_withdrawn() {
    let (lab, _) = region(2).await;
    let own = Given { recorder: ("waterrijk", WATERRIJK), ..BY_KADE };
    let (stands, withdrawn) = (own.give(&lab, &bsn(0)).await, own.give(&lab, &bsn(1)).await);
    assert_eq!(own.source, KADE);
    withdraw(&lab, "kade", &withdrawn).await.unwrap();
    let told = |done: Result<(), Status>| done.map_err(|status| reason(&status));
    for act in ["resume", "pause"] {
        let acts = async |grant: &str| match act {
            "resume" => resume(&lab, "waterrijk", grant).await,
            _ => pause(&lab, "waterrijk", grant).await,
        };
        let (one, other) = (told(acts(&stands).await), told(acts(&withdrawn).await));
        assert_eq!(one, other, "{act}: the same for a grant that stands and for one that was withdrawn");
    }
    // The same where it is asked to reconfirm.
    let mut told_of = Vec::new();
    for n in [0, 1] {
        let mut form = draft(&bsn(n), &[own]);
        form["collection"]["context"] = json!("INTAKE");
        let form = record(&lab, "waterrijk", &form).await.unwrap();
        if n == 1 {
            withdraw(&lab, "kade", &form.grants[0].grant_id).await.unwrap();
        }
        let word = reconfirmation(&lab, "waterrijk", &form.form_id, WATERRIJK, "GUIDANCE_TALK", &day(-3));
        told_of.push(told(reconfirm(&lab, "waterrijk", word).await.map(drop)));
    }
    assert_eq!(told_of[0], told_of[1], "reconfirm: the same for both");
    let request = proto::ListConsentsRequest { bsn: bsn(1) };
    let listed = lab.client("waterrijk").await.consent().list_consents(request).await.unwrap();
    assert_eq!(listed.into_inner().consents[0].grants[0].status(), GrantStatus::Unspecified);
    lab.world.stop().await;
}
