//! Two purposes with a way of their own: a hand-over happens once and is acknowledged (WARM_HANDOVER, R10), and an update
//! on progress is given only while consent for the trajectory that it follows is in force (PROGRESS_UPDATE, R11, R02).

use std::sync::{Arc, Mutex};

use serde_json::Value;
use sluis::proto;
use tonic::Code;

use crate::{
    lab::{Lab, reason},
    promises::{BY_KADE, Given, KADE, Scripted, UWV, about, bsn, everything, log, outcome_of, reason_of},
};

const STATUS: &str = "trajectory.status";

const HANDOVER: Given<'static> =
    Given { recorder: ("uwv", UWV), purpose: "WARM_HANDOVER", source: UWV, fields: &["TR-03"], ..BY_KADE };
const PROGRESS: Given<'static> = Given { purpose: "PROGRESS_UPDATE", fields: &["TR-03"], ..BY_KADE };

fn asks(bsn: &str, purpose: &str) -> proto::RequestWorkCapacityRequest {
    proto::RequestWorkCapacityRequest { purpose: purpose.to_owned(), ..about(bsn, &[STATUS]) }
}

/// A region whose UWV and De Kade give whatever they are asked for.
async fn region() -> Lab {
    let mut lab = Lab::start().await;
    for short in ["uwv", "kade"] {
        Scripted::take_over(&mut lab, short, everything).await;
    }
    lab
}

/// Records a hand-over that may be used once.
async fn hand_over(
    lab: &Lab,
    bsn: &str,
    uses: Option<u64>,
) -> Result<proto::RecordConsentResponse, tonic::Status> {
    let mut form: Value = serde_json::from_str(&HANDOVER.form(bsn)).unwrap();
    if let Some(uses) = uses {
        form["grants"][0]["uses"] = uses.into();
    }
    let request = lab.sign("uwv", &form.to_string());
    lab.client("uwv").await.consent().record_consent(request).await.map(tonic::Response::into_inner)
}

async fn acknowledge(lab: &Lab, short: &str, log_position: u64) -> Result<(), tonic::Status> {
    let request = proto::AcknowledgeHandoverRequest { log_position, origin: String::new() };
    lab.client(short).await.exchange().acknowledge_handover(request).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn r10_a_hand_over_happens_once_and_is_acknowledged() {
    let lab = region().await;
    let client = bsn(0);
    for uses in [None, Some(2)] {
        let status = hand_over(&lab, &client, uses).await.unwrap_err();
        assert_eq!(reason(&status), (Code::InvalidArgument, "FORM_TOO_WIDE".to_owned()), "{uses:?}");
    }
    hand_over(&lab, &client, Some(1)).await.unwrap();

    let answer = lab.ask("waterrijk", asks(&client, "WARM_HANDOVER")).await.unwrap();
    assert_eq!(answer.disclosures.len(), 1);
    let entries = log(&lab.world.gateway.store).await;
    let position = outcome_of(&entries, &answer).position;

    // Only to whom it was told, only a release, only of such a purpose.
    BY_KADE.give(&lab, &client).await;
    let other = lab.ask("waterrijk", about(&client, &[crate::promises::COACH])).await.unwrap();
    let entries = log(&lab.world.gateway.store).await;
    let other = outcome_of(&entries, &other).position;
    for (who, position) in
        [("sluisdam", position), ("waterrijk", other), ("waterrijk", 0), ("waterrijk", 1 << 40)]
    {
        let status = acknowledge(&lab, who, position).await.unwrap_err();
        assert_eq!(reason(&status), (Code::NotFound, "ENTRY_NOT_FOUND".to_owned()), "{who} {position}");
    }
    for _ in 0..2 {
        acknowledge(&lab, "waterrijk", position).await.unwrap();
    }
    let entries = lab.log(0).await;
    let told: Vec<_> = entries.iter().filter(|entry| entry.kind == "acknowledgement").collect();
    assert_eq!(told.len(), 1, "once, however often it is said");
    assert_eq!(told[0].facts["outcome"], Value::from(position));
    assert_eq!(told[0].facts["by"], Value::from(crate::promises::WATERRIJK));
}

#[tokio::test(flavor = "multi_thread")]
async fn r11_progress_is_given_only_beside_what_it_follows() {
    let lab = region().await;
    let given = async |client: &str| {
        let answer = lab.ask("waterrijk", asks(client, "PROGRESS_UPDATE")).await.unwrap();
        let entries = log(&lab.world.gateway.store).await;
        (answer.disclosures.len(), reason_of(outcome_of(&entries, &answer), KADE))
    };
    let client = bsn(0);
    PROGRESS.give(&lab, &client).await;
    assert_eq!(given(&client).await, (0, "NOTHING_TO_FOLLOW".to_owned()));
    // Another role's, another source's: not what it follows.
    let jobcoach = Given { role: "gem.jobcoach", purpose: "JOB_COACHING", ..BY_KADE };
    jobcoach.give(&lab, &client).await;
    let elsewhere = Given { recorder: ("uwv", UWV), source: UWV, ..BY_KADE };
    elsewhere.give(&lab, &client).await;
    assert_eq!(given(&client).await, (0, "NOTHING_TO_FOLLOW".to_owned()));

    let followed = BY_KADE.give(&lab, &client).await;
    assert_eq!(given(&client).await, (1, "RELEASED".to_owned()));
    let selector = proto::withdraw_consent_request::Selector::GrantId(followed);
    let request = proto::WithdrawConsentRequest { selector: Some(selector) };
    lab.client("kade").await.consent().withdraw_consent(request).await.unwrap();
    assert_eq!(given(&client).await, (0, "NOTHING_TO_FOLLOW".to_owned()));
    // And what is followed gives nothing by itself.
    assert_eq!(given(&bsn(1)).await, (0, "NO_GRANT".to_owned()));
    BY_KADE.give(&lab, &bsn(1)).await;
    assert_eq!(given(&bsn(1)).await, (0, "NO_GRANT".to_owned()));
}

/// P01, P05: what is followed is checked again inside the commit.
#[tokio::test(flavor = "multi_thread")]
async fn p01_p05_what_is_followed_stands_at_the_commit_or_nothing_leaves() {
    let mut lab = Lab::start().await;
    let client = bsn(0);
    let (asked, wait) = tokio::sync::oneshot::channel::<()>();
    let (go, gone) = tokio::sync::oneshot::channel::<()>();
    let gate = Arc::new(Mutex::new(Some((asked, gone))));
    let source = Scripted::take_over(&mut lab, "kade", move |request| {
        let gate = gate.lock().unwrap().take();
        async move {
            if let Some((asked, gone)) = gate {
                asked.send(()).unwrap();
                gone.await.unwrap();
            }
            everything(request).await
        }
    })
    .await;
    PROGRESS.give(&lab, &client).await;
    let followed = BY_KADE.give(&lab, &client).await;
    let withdrawing = async {
        wait.await.unwrap();
        let selector = proto::withdraw_consent_request::Selector::GrantId(followed);
        let request = proto::WithdrawConsentRequest { selector: Some(selector) };
        lab.client("kade").await.consent().withdraw_consent(request).await.unwrap();
        go.send(()).unwrap();
    };
    let asking = lab.ask("waterrijk", asks(&client, "PROGRESS_UPDATE"));
    let (answer, ()) = tokio::join!(asking, withdrawing);
    let answer = answer.unwrap();
    assert!(answer.disclosures.is_empty(), "{answer:?}");
    assert_eq!(source.times_asked(), 1);
    let entries = log(&lab.world.gateway.store).await;
    assert_eq!(reason_of(outcome_of(&entries, &answer), KADE), "WITHDRAWN_BEFORE_COMMIT");
}
