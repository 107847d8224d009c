//! No data without a grant in force that names this recipient, role, purpose, source and these fields.
//!
//! The sources here believe every question, so what keeps the data in is the gateway alone.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use serde_json::json;
use sluis::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        writer::{CommitFault, Need, Work, Writer},
    },
    domain::{Clock as _, GrantId, PairId, Timestamp, time::ManualClock, time::SystemClock},
    proto::{self, get_statement_response::Result as Answer, withdraw_consent_request::Selector},
};
use tokio::sync::Notify;

use crate::{
    lab::Lab,
    promises::{
        BY_KADE, COACH, Given, Scripted, UWV, VEER, about, bsn, everything, log, outcome_of, reason_of,
        statement,
    },
};

const DAY_MILLIS: i64 = 24 * 3_600_000;

/// A region whose clock can be moved, with sources that give everything.
async fn gullible() -> (Lab, Scripted, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let shared = Arc::clone(&clock);
    let mut lab = Lab::start_with(|options| options.clock = shared).await;
    let kade = Scripted::take_over(&mut lab, "kade", everything).await;
    Scripted::take_over(&mut lab, "uwv", everything).await;
    (lab, kade, clock)
}

fn days_later(clock: &ManualClock, days: i64) -> Timestamp {
    clock.now().plus_millis(days * DAY_MILLIS)
}

async fn withdraw(lab: &Lab, grant: &str) -> u64 {
    let request = proto::WithdrawConsentRequest { selector: Some(Selector::GrantId(grant.to_owned())) };
    let withdrawn = lab.client("kade").await.consent().withdraw_consent(request).await;
    withdrawn.unwrap().into_inner().log_position
}

struct Case {
    name: &'static str,
    given: Given<'static>,
    asker: &'static str,
    role: &'static str,
    purpose: &'static str,
    reason: &'static str,
}

const CASE: Case = Case {
    name: "all in order",
    given: BY_KADE,
    asker: "waterrijk",
    role: "gem.klantmanager",
    purpose: "REINTEGRATION",
    reason: "RELEASED",
};

fn cases() -> Vec<Case> {
    let none = Case { reason: "NO_GRANT", ..CASE };
    let plan = Given { purpose: "PLAN_ALIGNMENT", ..BY_KADE };
    vec![
        CASE,
        Case { name: "other recipient", asker: "sluisdam", ..none },
        Case { name: "other role", given: plan, role: "gem.jobcoach", purpose: "PLAN_ALIGNMENT", ..none },
        Case { name: "other purpose", purpose: "PLAN_ALIGNMENT", ..none },
        Case { name: "other source", given: Given { source: VEER, ..BY_KADE }, ..none },
        Case { name: "other fields", given: Given { fields: &["VW-02"], ..BY_KADE }, ..none },
        Case {
            name: "not yet in force",
            given: Given { from: "today+9", ..BY_KADE },
            reason: "NOT_YET_IN_FORCE",
            ..CASE
        },
        Case { name: "expired", given: Given { until: "today+1", ..BY_KADE }, reason: "EXPIRED", ..CASE },
        Case {
            name: "not confirmed",
            given: Given { recorder: ("uwv", UWV), ..BY_KADE },
            reason: "NOT_CONFIRMED",
            ..CASE
        },
        Case { name: "withdrawn", reason: "WITHDRAWN", ..CASE },
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_take_away_any_part_of_the_grant_and_nothing_leaves() {
    let (lab, kade, clock) = gullible().await;
    kade.confirms.store(false, Ordering::SeqCst);
    for (n, case) in cases().iter().enumerate() {
        let grant = case.given.give(&lab, &bsn(n)).await;
        if case.name == "withdrawn" {
            withdraw(&lab, &grant).await;
        }
    }
    clock.set(days_later(&clock, 2));

    let lab = &lab;
    let answers = join_all(cases().into_iter().enumerate().map(|(n, case)| async move {
        let question = proto::RequestWorkCapacityRequest {
            role: case.role.to_owned(),
            purpose: case.purpose.to_owned(),
            ..about(&bsn(n), &[COACH])
        };
        (bsn(n), case.name, case.reason, lab.ask(case.asker, question).await.unwrap())
    }))
    .await;
    let log = log(&lab.world.gateway.store).await;
    for (bsn, name, reason, answer) in answers {
        let released = reason == "RELEASED";
        let asked = kade.asked.lock().unwrap().iter().any(|question| question.bsn == bsn);
        assert_eq!(asked, released, "{name}: asked");
        assert_eq!(!answer.disclosures.is_empty(), released, "{name}: released");
        assert_eq!(reason_of(outcome_of(&log, &answer), BY_KADE.source), reason, "{name}");
    }
}

/// The grant of one client opens nothing of another, whose grant gives something else.
#[tokio::test(flavor = "multi_thread")]
async fn p01_a_grant_is_about_one_client() {
    let (lab, kade, _) = gullible().await;
    BY_KADE.give(&lab, &bsn(0)).await;
    Given { fields: &["VW-02"], ..BY_KADE }.give(&lab, &bsn(1)).await;
    let answer = lab.ask("waterrijk", about(&bsn(1), &[COACH])).await.unwrap();
    assert!(answer.disclosures.is_empty());
    assert_eq!(kade.times_asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_a_grant_withdrawn_while_the_source_answers_releases_nothing() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let mut lab = Lab::start().await;
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go));
    let kade = Scripted::take_over(&mut lab, "kade", move |_| {
        let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
        async move {
            tell.notify_one();
            wait.notified().await;
            Answer::WorkCapacity(statement(sluis::catalogue::Mask::all()))
        }
    })
    .await;
    let grant = BY_KADE.give(&lab, &bsn(0)).await;
    let asking = lab.ask("waterrijk", about(&bsn(0), &[COACH]));
    let withdrawing = async {
        begun.notified().await;
        let position = withdraw(&lab, &grant).await;
        go.notify_one();
        position
    };
    let both = async { tokio::join!(asking, withdrawing) };
    let (answer, withdrawn) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    let answer = answer.unwrap();
    assert_eq!(kade.times_asked(), 1);
    assert!(answer.disclosures.is_empty(), "{answer:?}");
    let log = log(&lab.world.gateway.store).await;
    let outcome = outcome_of(&log, &answer);
    assert_eq!(reason_of(outcome, BY_KADE.source), "WITHDRAWN_BEFORE_COMMIT");
    assert!(outcome.position > withdrawn);
}

/// Opens a pair as a request does, and releases under these grants: what the writer checks by itself.
async fn release(log: &Writer, needs: Vec<GrantId>) -> Result<(), CommitFault> {
    let entry = |kind, pair| NewEntry { pair, ..NewEntry::of_gateway(kind, json!({})) };
    let pair = PairId::random();
    log.commit(Work::Request { entry: entry(Kind::Request, pair), claim: None }).await.unwrap();
    let fields = sluis::catalogue::from_paths(&[COACH]).unwrap();
    let needs = needs.into_iter().map(|grant| Need { grant, fields, follows: None }).collect();
    log.release(entry(Kind::Outcome, pair), needs).await.map(drop)
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_the_commit_by_itself_refuses_a_grant_that_is_not_in_force() {
    let (lab, kade, clock) = gullible().await;
    kade.confirms.store(false, Ordering::SeqCst);
    let refused = Err(CommitFault::GrantNotInForce);
    let mut given = Vec::new();
    for (n, case) in cases().into_iter().enumerate() {
        let id = case.given.give(&lab, &bsn(n)).await;
        if case.name == "withdrawn" {
            withdraw(&lab, &id).await;
        }
        given.push((case.name, id.parse::<GrantId>().unwrap()));
    }
    clock.set(days_later(&clock, 2));
    let log = &lab.world.gateway.log;
    let good = given[0].1;
    assert_eq!(release(log, vec![good]).await, Ok(()));
    for name in ["not yet in force", "expired", "not confirmed", "withdrawn"] {
        let bad = given.iter().find(|(case, _)| *case == name).unwrap().1;
        assert_eq!(release(log, vec![bad]).await, refused, "{name}");
        assert_eq!(release(log, vec![good, bad]).await, refused, "{name} beside a good one");
    }
    assert_eq!(release(log, vec![GrantId::random()]).await, refused, "unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn p01_a_release_without_a_grant_is_refused() {
    let lab = Lab::start().await;
    assert_eq!(release(&lab.world.gateway.log, Vec::new()).await, Err(CommitFault::GrantNotInForce));
}
