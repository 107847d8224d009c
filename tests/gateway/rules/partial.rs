//! What a client consents to is his own choice, in part as well as whole (R36), and without it nothing moves between any
//! two organisations (R16).

use serde_json::json;
use sluis::proto::{self, GrantStatus, RequestWorkCapacityRequest};

use super::{
    GUIDANCE, INTENSITY, ask, assert_refused, draft, record, refusal, region, released, shown, states,
};
use crate::{
    lab::question,
    promises::{BY_KADE, COACH, Given, KADE, SLUISDAM, UWV, WATERRIJK, about, bsn},
};

/// Recorded by UWV, from De Kade to Waterrijk.
const BY_UWV: Given<'static> = Given { recorder: ("uwv", UWV), fields: &["VW-02", "VW-04"], ..BY_KADE };

#[tokio::test(flavor = "multi_thread")]
async fn r16_between_uwv_and_a_municipality_too_nothing_moves_without_consent() {
    const HOURS: &str = "working_hours.hours_per_week";
    let (lab, _) = region(2).await;
    let (with, without) = (bsn(0), bsn(1));
    let to_uwv = Given {
        recorder: ("uwv", UWV),
        recipient: UWV,
        role: "uwv.adviseur",
        source: WATERRIJK,
        fields: &["WT-03"],
        ..BY_KADE
    };
    let to_waterrijk = Given { recorder: ("uwv", UWV), source: UWV, fields: &["WT-03"], ..BY_KADE };
    to_uwv.give(&lab, &with).await;
    to_waterrijk.give(&lab, &with).await;
    // What GGZ may give says nothing of what UWV may.
    BY_KADE.give(&lab, &without).await;
    for (asker, role) in [("waterrijk", "gem.klantmanager"), ("uwv", "uwv.adviseur")] {
        let ask = async |client: &str| {
            let question = RequestWorkCapacityRequest { role: role.to_owned(), ..about(client, &[HOURS]) };
            lab.ask(asker, question).await.unwrap()
        };
        assert_eq!(released(&ask(&with).await), [HOURS], "{asker}: with consent");
        let answer = ask(&without).await;
        assert!(released(&answer).is_empty(), "{asker}: both know the client, and nothing moves");
        assert_eq!(answer.not_provided.unwrap().paths, [HOURS], "{asker}");
    }
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_consent_in_part_works_in_full_for_that_part() {
    let (lab, _) = region(1).await;
    let client = bsn(0);
    let mut form = draft(&client, &[Given { fields: &["VW-02", "VW-04"], ..BY_KADE }]);
    form["grants"][0]["excluded"] = json!(["VW-05"]);
    form["refusals"] = json!([{ "recipient": SLUISDAM, "purpose": "REINTEGRATION", "source": KADE }]);
    let recorded = record(&lab, "kade", &form).await.unwrap();
    assert_eq!(recorded.grants[0].excluded, ["VW-05"]);
    assert_eq!(states(&lab, "kade", &recorded.form_id).await, [GrantStatus::InForce]);
    let seen = shown(&lab, "kade", &recorded.form_id).await;
    assert_eq!((seen.refusals.len(), seen.refusals[0].recipient.as_str()), (1, SLUISDAM), "to its recorder");

    let whole = ask(&lab, &client, &[COACH, GUIDANCE]).await;
    assert_eq!(whole, (vec![GUIDANCE.to_owned(), COACH.to_owned()], "RELEASED".to_owned()));
    let answer = lab.ask("waterrijk", about(&client, &[COACH, INTENSITY])).await.unwrap();
    assert_eq!(released(&answer), [COACH], "what is not struck out");
    assert_eq!(answer.not_provided.unwrap().paths, [INTENSITY], "what is struck out");
    let refused = lab.ask("sluisdam", about(&client, &[COACH])).await.unwrap();
    assert!(released(&refused).is_empty(), "the organisation that he refused");
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_later_form_strikes_a_field_out_of_an_earlier_grant() {
    let (lab, _) = region(2).await;
    let (client, other) = (bsn(0), bsn(1));
    let earlier = record(&lab, "uwv", &draft(&client, &[BY_UWV])).await.unwrap();
    let unrelated = record(&lab, "uwv", &draft(&other, &[BY_UWV])).await.unwrap();
    assert_eq!(ask(&lab, &client, &[COACH]).await.0, [COACH], "before");
    let mut later = draft(&client, &[Given { fields: &["VW-05"], ..BY_KADE }]);
    later["grants"][0]["excluded"] = json!(["VW-04"]);
    record(&lab, "kade", &later).await.unwrap();

    let nothing = (Vec::new(), "REFUSED".to_owned());
    assert_eq!(ask(&lab, &client, &[COACH]).await, nothing, "the field is gone, whoever recorded it");
    assert_eq!(ask(&lab, &client, &[GUIDANCE, INTENSITY]).await.0, [GUIDANCE, INTENSITY], "the rest stands");
    let seen = shown(&lab, "uwv", &earlier.form_id).await;
    assert_eq!(seen.grants[0].struck, ["VW-04"], "its recorder sees what was struck out");
    assert_eq!(seen.grants[0].status(), GrantStatus::InForce);
    let untouched = shown(&lab, "uwv", &unrelated.form_id).await;
    assert!(untouched.grants[0].struck.is_empty(), "another client's grant is left alone");
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_later_refusal_ends_an_earlier_grant_of_another_recorder() {
    let (lab, _) = region(1).await;
    let client = bsn(0);
    let earlier = record(&lab, "uwv", &draft(&client, &[BY_UWV])).await.unwrap();
    let plan = Given { purpose: "PLAN_ALIGNMENT", ..BY_UWV };
    let kept = record(&lab, "uwv", &draft(&client, &[plan])).await.unwrap();
    assert_eq!(ask(&lab, &client, &[COACH]).await.0, [COACH], "before");
    let refused = record(&lab, "kade", &refusal(&client, &BY_KADE)).await.unwrap();
    assert!(refused.grants.is_empty(), "a form may hold refusals alone");
    assert_eq!(states(&lab, "uwv", &earlier.form_id).await, [GrantStatus::Refused]);
    assert_eq!(states(&lab, "uwv", &kept.form_id).await, [GrantStatus::InForce], "for another purpose");
    assert_eq!(ask(&lab, &client, &[COACH]).await, (Vec::new(), "REFUSED".to_owned()));

    // Signed before the refusal and recorded after it: the refusal is the later word.
    let mut late = draft(&client, &[Given { from: "today-20", ..BY_UWV }]);
    late["signed_on"] = json!("today-20");
    late["explanation"]["explained_on"] = json!("today-20");
    let late = record(&lab, "uwv", &late).await.unwrap();
    assert_eq!(states(&lab, "uwv", &late.form_id).await, [GrantStatus::Refused], "from its first moment");
    assert!(ask(&lab, &client, &[COACH]).await.0.is_empty());

    // Signed after it: he changed his mind, and may.
    let mut anew = draft(&client, &[Given { from: "today-2", ..BY_UWV }]);
    anew["signed_on"] = json!("today-2");
    anew["explanation"]["explained_on"] = json!("today-2");
    anew["collection"]["verified_on"] = json!("today-2");
    let anew = record(&lab, "uwv", &anew).await.unwrap();
    assert_eq!(states(&lab, "uwv", &anew.form_id).await, [GrantStatus::InForce]);
    assert_eq!(ask(&lab, &client, &[COACH]).await.0, [COACH]);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_form_does_not_say_yes_and_no_to_the_same() {
    const SAME: &str = "FORM_CONTRADICTORY";
    let (lab, _) = region(1).await;
    let two = [BY_KADE, Given { recipient: SLUISDAM, ..BY_KADE }];
    let mut refused = draft(&bsn(0), &two);
    refused["refusals"] = json!([{ "recipient": SLUISDAM, "purpose": "REINTEGRATION", "source": KADE }]);
    let mut struck = draft(&bsn(0), &two);
    struck["grants"][0]["excluded"] = json!(["VW-04"]);
    let mut between = draft(&bsn(0), &[BY_KADE, Given { fields: &["VW-05"], ..BY_KADE }]);
    between["grants"][1]["excluded"] = json!(["VW-04"]);
    let mut twice = refusal(&bsn(0), &BY_KADE);
    twice["refusals"] = json!([twice["refusals"][0], twice["refusals"][0]]);
    for (what, form, place, words) in [
        ("refused and given", &refused, "grants[1]", "is refused on the same form"),
        ("struck out and given", &struck, "grants[0].excluded", "granted as well: VW-04"),
        (
            "struck out of another grant",
            &between,
            "grants[0].fields",
            "another grant of the form strikes out",
        ),
        ("refused twice", &twice, "form.refusals[1]", "is there twice"),
    ] {
        let status = record(&lab, "kade", form).await.expect_err(what);
        assert_refused(what, &status, (SAME, "R36", place, words));
    }
    let request = proto::ListConsentsRequest { bsn: bsn(0) };
    let listed = lab.client("kade").await.consent().list_consents(request).await.unwrap().into_inner();
    assert!(listed.consents.is_empty(), "none of it is recorded");
    assert!(lab.ask("waterrijk", question()).await.unwrap().disclosures.is_empty());
    lab.world.stop().await;
}
