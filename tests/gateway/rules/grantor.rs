//! Who may consent for whom, by age, appointment and period: from 16 on the client himself, below it who has authority
//! over him, and for an adult who cannot a curator, mentor or authorised representative.

use serde_json::{Value, json};
use sluis::proto::GrantStatus;

use super::{Refusal, ask, assert_refused, draft, record, region, states};
use crate::promises::{BY_KADE, COACH, Given, UWV, bsn};

fn signed_by(bsn: &str, given: &Given<'_>, grantor: Value) -> Value {
    let mut draft = draft(bsn, &[*given]);
    draft["grantor"] = grantor;
    draft
}

/// Whoever is no client himself shows by what right, since long.
fn grantor(kind: &str, age: &str) -> Value {
    match kind {
        "CLIENT" => json!({ "kind": kind, "client_age": age }),
        _ => {
            json!({ "kind": kind, "client_age": age, "evidence_sha256": "ab".repeat(32), "from": "today-400" })
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_consent_goes_by_the_age_of_the_client() {
    const INVALID: &str = "FORM_GRANTOR_INVALID";
    const KIND: &str = "form.grantor.kind";
    const CHILD: Refusal = (INVALID, "R05", KIND, "must be PARENT or GUARDIAN");
    const YOUTH: Refusal = (INVALID, "R05", KIND, "must be CLIENT: from 16 on a client consents himself");
    const ADULT: Refusal =
        (INVALID, "R05", KIND, "must be CLIENT, CURATOR, MENTOR or AUTHORISED_REPRESENTATIVE");
    let cases = [
        ("UNDER_16", CHILD, ["PARENT", "GUARDIAN"].as_slice()),
        ("FROM_16", YOUTH, &["CLIENT"]),
        ("ADULT", ADULT, &["CLIENT", "CURATOR", "MENTOR", "AUTHORISED_REPRESENTATIVE"]),
    ];
    let kinds = ["CLIENT", "PARENT", "GUARDIAN", "CURATOR", "MENTOR", "AUTHORISED_REPRESENTATIVE"];
    let (lab, _) = region(cases.len() * kinds.len()).await;
    let mut clients = (0..).map(bsn);
    for (age, refusal, may) in cases {
        for kind in kinds {
            let client = clients.next().unwrap();
            let what = format!("{kind} for {age}");
            let recorded = record(&lab, "kade", &signed_by(&client, &BY_KADE, grantor(kind, age))).await;
            if may.contains(&kind) {
                let status = recorded.expect(&what).grants[0].status();
                assert_eq!(status, GrantStatus::InForce, "{what}");
                assert_eq!(ask(&lab, &client, &[COACH]).await.0, [COACH], "{what}: it counts");
            } else {
                assert_refused(&what, &recorded.expect_err(&what), refusal);
            }
        }
    }
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn from_16_on_the_clients_own_word_ends_what_a_parent_gave() {
    let (lab, _) = region(3).await;
    let by_uwv = Given { recorder: ("uwv", UWV), ..BY_KADE };
    let mut given = Vec::new();
    for (n, (kind, age)) in
        [("PARENT", "UNDER_16"), ("GUARDIAN", "UNDER_16"), ("CLIENT", "FROM_16")].iter().enumerate()
    {
        let form = signed_by(&bsn(n), &by_uwv, grantor(kind, age));
        given.push(record(&lab, "uwv", &form).await.unwrap().form_id);
        assert_eq!(ask(&lab, &bsn(n), &[COACH]).await.0, [COACH], "{kind}: before");
    }
    // Each decides for himself now, about something else and with another organisation.
    let own = Given { purpose: "PLAN_ALIGNMENT", fields: &["VW-02"], ..BY_KADE };
    for n in [0, 2] {
        let form = signed_by(&bsn(n), &own, grantor("CLIENT", "FROM_16"));
        record(&lab, "kade", &form).await.unwrap();
    }
    assert_eq!(states(&lab, "uwv", &given[0]).await, [GrantStatus::Refused], "what his parent gave is over");
    assert_eq!(ask(&lab, &bsn(0), &[COACH]).await, (Vec::new(), "REFUSED".to_owned()));
    assert_eq!(states(&lab, "uwv", &given[1]).await, [GrantStatus::InForce], "another child's is not");
    assert_eq!(ask(&lab, &bsn(1), &[COACH]).await.0, [COACH]);
    assert_eq!(states(&lab, "uwv", &given[2]).await, [GrantStatus::InForce], "what he gave himself is not");
    assert_eq!(ask(&lab, &bsn(2), &[COACH]).await.0, [COACH]);

    // A parent's form that was signed before and comes in only now counts no more either.
    let mut late = signed_by(&bsn(0), &Given { from: "today-30", ..by_uwv }, grantor("PARENT", "UNDER_16"));
    late["signed_on"] = json!("today-30");
    late["explanation"]["explained_on"] = json!("today-30");
    let late = record(&lab, "uwv", &late).await.unwrap();
    assert_eq!(states(&lab, "uwv", &late.form_id).await, [GrantStatus::Refused]);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_representative_decides_within_his_own_period() {
    const INVALID: &str = "FORM_GRANTOR_INVALID";
    let (lab, _) = region(3).await;
    for (n, kind) in ["CURATOR", "MENTOR", "AUTHORISED_REPRESENTATIVE"].into_iter().enumerate() {
        // The grant is until today+300.
        for (what, from, until, place, words) in [
            ("not yet", "today-13", "today+300", "form.grantor.from", "must not be after the signature"),
            ("no more", "today-400", "today-14", "form.grantor.until", "must be after the signature"),
            (
                "beyond",
                "today-400",
                "today+299",
                "grants[0].valid_until",
                "must not be after `form.grantor.until`",
            ),
        ] {
            let mut grantor = grantor(kind, "ADULT");
            grantor["from"] = json!(from);
            grantor["until"] = json!(until);
            let status = record(&lab, "kade", &signed_by(&bsn(n), &BY_KADE, grantor)).await.expect_err(what);
            assert_refused(&format!("{kind}, {what}"), &status, (INVALID, "R05", place, words));
        }
        let mut grantor = grantor(kind, "ADULT");
        grantor["from"] = json!("today-14");
        grantor["until"] = json!("today+300");
        let recorded = record(&lab, "kade", &signed_by(&bsn(n), &BY_KADE, grantor)).await;
        assert_eq!(recorded.expect(kind).grants[0].status(), GrantStatus::InForce, "{kind}, just within");
        assert_eq!(ask(&lab, &bsn(n), &[COACH]).await.0, [COACH], "{kind}");
    }
    lab.world.stop().await;
}
