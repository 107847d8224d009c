//! Why nothing is provided does not show: a requester cannot tell one end of a consent from another (R12).

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluis::{
    domain::Clock as _,
    proto::{
        self, InvalidateConsentRequest, InvalidationReason, PauseConsentRequest, RequestWorkCapacityResponse,
        WithdrawConsentRequest, invalidate_consent_request, pause_consent_request, withdraw_consent_request,
    },
};

use super::{DAY_MILLIS, ask, draft, record, refusal, region};
use crate::{
    lab::Lab,
    promises::{BY_KADE, COACH, Given, KADE, Logged, about, bsn, log, outcome_of, reason_of},
};

const REASONS: [(&str, &str); 10] = [
    ("never asked", "NO_GRANT"),
    ("refused", "REFUSED"),
    ("struck out", "REFUSED"),
    ("withdrawn", "WITHDRAWN"),
    ("expired", "EXPIRED"),
    ("paused", "PAUSED"),
    ("paused by its source", "PAUSED"),
    ("used up", "USED_UP"),
    ("not reconfirmed", "NOT_RECONFIRMED"),
    ("invalidated", "INVALIDATED"),
];

async fn pause(lab: &Lab, short: &str, grant: String) {
    let request = PauseConsentRequest { selector: Some(pause_consent_request::Selector::GrantId(grant)) };
    lab.client(short).await.consent().pause_consent(request).await.unwrap();
}

/// Has it come about for this client.
async fn bring_about(lab: &Lab, name: &str, client: &str) {
    let one = Given { recorder: ("uwv", crate::promises::UWV), ..BY_KADE };
    let mut form = draft(client, &[one]);
    match name {
        "never asked" => return,
        "expired" => form["grants"][0]["valid_until"] = json!("today+1"),
        "used up" => form["grants"][0]["uses"] = json!(1),
        "not reconfirmed" => form["collection"]["context"] = json!("INTAKE"),
        _ => {}
    }
    let grant = record(lab, "uwv", &form).await.unwrap().grants[0].grant_id.clone();
    let mut uwv = lab.client("uwv").await.consent();
    match name {
        "refused" => drop(record(lab, "kade", &refusal(client, &BY_KADE)).await.unwrap()),
        "struck out" => {
            let mut later = draft(client, &[Given { fields: &["VW-02"], ..BY_KADE }]);
            later["grants"][0]["excluded"] = json!(["VW-04"]);
            record(lab, "kade", &later).await.unwrap();
        }
        "withdrawn" => {
            let selector = Some(withdraw_consent_request::Selector::GrantId(grant));
            uwv.withdraw_consent(WithdrawConsentRequest { selector }).await.unwrap();
        }
        "paused" => pause(lab, "uwv", grant).await,
        "paused by its source" => pause(lab, "kade", grant).await,
        "used up" => assert_eq!(ask(lab, client, &[COACH]).await.0, [COACH], "the one use"),
        "invalidated" => {
            let selector = Some(invalidate_consent_request::Selector::GrantId(grant));
            let reason = InvalidationReason::WrongPerson.into();
            uwv.invalidate_consent(InvalidateConsentRequest { reason, selector }).await.unwrap();
        }
        _ => {}
    }
}

/// An answer without what differs from one request to the next.
fn shape(answer: &RequestWorkCapacityResponse) -> (String, Vec<[usize; 5]>) {
    let receipt = answer.receipt.as_ref().unwrap();
    let sizes = receipt.entries.iter().map(|entry| {
        [&entry.leaf, &entry.facts, &entry.facts_salt, &entry.entry_key, &entry.sealed].map(Vec::len)
    });
    let rest = RequestWorkCapacityResponse { request_id: String::new(), receipt: None, ..answer.clone() };
    (format!("{rest:?}"), sizes.collect())
}

/// The facts of an outcome, without the commitment to the rest, which is random.
fn facts(outcome: &Logged) -> Value {
    let mut facts = outcome.facts.clone();
    facts.as_object_mut().unwrap().remove("detail").unwrap();
    facts
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_every_end_of_a_consent_reads_the_same() {
    let (lab, clock) = region(REASONS.len()).await;
    for (n, (name, _)) in REASONS.into_iter().enumerate() {
        bring_about(&lab, name, &bsn(n)).await;
    }
    clock.set(clock.now().plus_millis(2 * DAY_MILLIS));
    let before = log(&lab.world.gateway.store).await.len();
    let asking = (0..REASONS.len()).map(|n| lab.ask("waterrijk", about(&bsn(n), &[COACH])));
    let answers: Vec<proto::RequestWorkCapacityResponse> =
        join_all(asking).await.into_iter().map(Result::unwrap).collect();
    let log = log(&lab.world.gateway.store).await;
    assert_eq!(log.len() - before, 2 * REASONS.len(), "two entries for each, whatever the reason");
    let first = outcome_of(&log, &answers[0]);
    for ((name, reason), answer) in REASONS.into_iter().zip(&answers) {
        let outcome = outcome_of(&log, answer);
        assert_eq!(reason_of(outcome, KADE), reason, "{name}: what the officer reads");
        assert!(answer.disclosures.is_empty(), "{name}");
        assert_eq!(shape(answer), shape(&answers[0]), "{name}: the answer and its receipt");
        assert_eq!((outcome.sizes, facts(outcome)), (first.sizes, facts(first)), "{name}: the entry");
    }
    lab.world.stop().await;
}
