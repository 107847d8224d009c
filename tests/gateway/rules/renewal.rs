//! A renewal carries a consent on in time, and never to another party, purpose or field (R11).

use serde_json::{Value, json};
use sluis::proto::{GrantStatus, WithdrawConsentRequest, withdraw_consent_request::Selector};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{GUIDANCE, assert_refused, draft, reconfirm, reconfirmation, record, region, released, states};
use crate::{
    bad_forge::day,
    lab::Lab,
    promises::{BY_KADE, COACH, Given, KADE, SLUISDAM, UWV, WATERRIJK, about, bsn},
};

const OLD: Given<'static> = Given { purpose: "PLAN_ALIGNMENT", fields: &["VW-02", "VW-04"], ..BY_KADE };

fn renewing(bsn: &str, given: &Given<'_>, old: &str) -> Value {
    let mut draft = draft(bsn, &[*given]);
    draft["grants"][0]["renews"] = json!(old);
    draft
}

fn assert_no_renewal(what: &str, status: &Status) {
    assert_eq!(status.code(), Code::FailedPrecondition, "{what}: {status:?}");
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.metadata["rule"].as_str()), ("RENEWAL_INVALID", "R11"), "{what}");
    let said = status.message();
    assert!(said.contains("of the same recorder, parties and purpose, and no wider"), "{what}: {said}");
}

async fn ask(lab: &Lab, bsn: &str, paths: &[&str]) -> Vec<String> {
    let question =
        sluis::proto::RequestWorkCapacityRequest { purpose: OLD.purpose.to_owned(), ..about(bsn, paths) };
    released(&lab.ask("waterrijk", question).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn r11_a_renewal_goes_to_nobody_else_and_gives_no_more() {
    let (lab, _) = region(3).await;
    let client = bsn(0);
    let old = OLD.record(&lab, &client).await.unwrap();
    let (form, grant) = (&old.form_id, old.grants[0].grant_id.as_str());
    let of_another = Given { ..OLD }.give(&lab, &bsn(1)).await;
    let later = Given { until: "today+340", ..OLD };
    let cases = [
        ("another recipient", Given { recipient: SLUISDAM, ..later }, grant),
        ("another role", Given { role: "gem.jobcoach", ..later }, grant),
        ("another purpose", Given { purpose: "REINTEGRATION", ..later }, grant),
        ("another source", Given { source: UWV, ..later }, grant),
        ("one field more", Given { fields: &["VW-02", "VW-04", "VW-05"], ..later }, grant),
        ("another field", Given { fields: &["VW-05"], ..later }, grant),
        ("another recorder", Given { recorder: ("uwv", UWV), ..later }, grant),
        ("the grant of another client", later, of_another.as_str()),
        ("no grant at all", later, "0b2f6d1e-7a55-4c43-9d0e-5f1f0f6f8a11"),
    ];
    for (what, given, old) in cases {
        let status = record(&lab, given.recorder.0, &renewing(&client, &given, old)).await.expect_err(what);
        assert_no_renewal(what, &status);
        assert_eq!(states(&lab, "kade", form).await, [GrantStatus::InForce], "{what}: the old one stands");
    }
    assert_eq!(ask(&lab, &client, &[COACH, GUIDANCE]).await, [GUIDANCE, COACH], "under the old one");

    let request = WithdrawConsentRequest { selector: Some(Selector::GrantId(of_another.clone())) };
    lab.client("kade").await.consent().withdraw_consent(request).await.unwrap();
    let status = record(&lab, "kade", &renewing(&bsn(1), &later, &of_another)).await.unwrap_err();
    assert_no_renewal("of a grant that was withdrawn", &status);
    assert!(ask(&lab, &bsn(1), &[COACH]).await.is_empty(), "and what was withdrawn stays so");

    // What a recipient records itself it cannot renew: the answer would tell whether the old one was withdrawn (P09).
    let own = Given { recorder: ("waterrijk", WATERRIJK), ..later };
    let given = own.give(&lab, &bsn(2)).await;
    let status = record(&lab, "waterrijk", &renewing(&bsn(2), &own, &given)).await.unwrap_err();
    let expected = ("FORM_TOO_WIDE", "R06", "grants[0].renews", "a recipient records a new consent");
    assert_refused("by its recipient", &status, expected);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r11_a_renewal_takes_the_place_of_the_old_grant() {
    let (lab, _) = region(2).await;
    let client = bsn(0);
    let old = OLD.record(&lab, &client).await.unwrap();
    let grant = &old.grants[0].grant_id;
    let narrower = Given { fields: &["VW-04"], until: "today+340", ..OLD };
    let new = record(&lab, "kade", &renewing(&client, &narrower, grant)).await.unwrap();
    assert_eq!(new.grants[0].renews, *grant);
    assert_eq!(states(&lab, "kade", &old.form_id).await, [GrantStatus::Renewed], "the old one has ended");
    assert_eq!(states(&lab, "kade", &new.form_id).await, [GrantStatus::InForce], "the new one is in force");
    assert_eq!(ask(&lab, &client, &[COACH]).await, [COACH], "under the new one");
    assert!(ask(&lab, &client, &[GUIDANCE]).await.is_empty(), "what is not renewed is over");
    let status = record(&lab, "kade", &renewing(&client, &narrower, grant)).await.unwrap_err();
    assert_no_renewal("a second renewal of the same grant", &status);
    lab.world.stop().await;
}

/// Another organisation's word comes between: until its source confirms the renewal, the old grant is the one that counts.
#[tokio::test(flavor = "multi_thread")]
async fn r11_an_unconfirmed_renewal_ends_nothing() {
    let (lab, _) = region(1).await;
    let client = bsn(5);
    let of_kade = Given { recorder: ("uwv", UWV), ..OLD };
    let old = of_kade.record(&lab, &client).await.unwrap();
    assert_eq!(old.grants[0].status(), GrantStatus::Recorded, "De Kade does not know this client");
    let confirm = async |id: &str| {
        let request = sluis::proto::ConfirmGrantRequest { grant_id: id.to_owned() };
        lab.client("kade").await.consent().confirm_grant(request).await.unwrap();
    };
    confirm(&old.grants[0].grant_id).await;
    let later = Given { until: "today+340", ..of_kade };
    let new = record(&lab, "uwv", &renewing(&client, &later, &old.grants[0].grant_id)).await.unwrap();
    assert_eq!(states(&lab, "uwv", &new.form_id).await, [GrantStatus::Recorded]);
    assert_eq!(states(&lab, "uwv", &old.form_id).await, [GrantStatus::InForce], "not renewed yet");
    confirm(&new.grants[0].grant_id).await;
    assert_eq!(states(&lab, "uwv", &new.form_id).await, [GrantStatus::InForce]);
    assert_eq!(states(&lab, "uwv", &old.form_id).await, [GrantStatus::Renewed]);
    assert_eq!(of_kade.source, KADE);
    lab.world.stop().await;
}

/// Who renews in good time, or has yet to be asked again, does not lose what he has.
#[tokio::test(flavor = "multi_thread")]
async fn r11_a_renewal_that_is_not_in_force_yet_ends_nothing() {
    let (lab, _) = region(2).await;
    let (early, unfree) = (bsn(0), bsn(1));
    let old = OLD.record(&lab, &early).await.unwrap();
    let later = Given { from: "today+100", until: "today+340", ..OLD };
    let new = record(&lab, "kade", &renewing(&early, &later, &old.grants[0].grant_id)).await.unwrap();
    assert_eq!(states(&lab, "kade", &new.form_id).await, [GrantStatus::NotYetInForce]);
    assert_eq!(states(&lab, "kade", &old.form_id).await, [GrantStatus::InForce]);
    assert_eq!(ask(&lab, &early, &[COACH]).await, [COACH], "under the old one");

    let old = OLD.record(&lab, &unfree).await.unwrap();
    let later = Given { until: "today+340", ..OLD };
    let mut renewal = renewing(&unfree, &later, &old.grants[0].grant_id);
    renewal["collection"]["context"] = json!("INTAKE");
    let new = record(&lab, "kade", &renewal).await.unwrap();
    assert_eq!(states(&lab, "kade", &new.form_id).await, [GrantStatus::NotReconfirmed]);
    assert_eq!(ask(&lab, &unfree, &[COACH]).await, [COACH], "under the old one");
    let word = reconfirmation(&lab, "kade", &new.form_id, KADE, "GUIDANCE_TALK", &day(-3));
    reconfirm(&lab, "kade", word).await.unwrap();
    assert_eq!(states(&lab, "kade", &new.form_id).await, [GrantStatus::InForce]);
    assert_eq!(states(&lab, "kade", &old.form_id).await, [GrantStatus::Renewed]);
    assert_eq!(ask(&lab, &unfree, &[COACH]).await, [COACH], "under the new one");
    lab.world.stop().await;
}
