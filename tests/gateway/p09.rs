//! What a requester sees tells nothing about whether, or where, the client is known: one answer, one receipt, one growth
//! of the log and one time for every reason.

mod consent;
mod officer;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use serde_json::{Value, json};
use sluis::{
    catalogue::{self, Mask},
    domain::{Clock as _, time::ManualClock, time::SystemClock},
    proto::{self, withdraw_consent_request::Selector},
};
use tokio::{sync::Notify, time::sleep};

use crate::{
    lab::{ANSWER_AFTER, Lab},
    promises::{
        BY_KADE, COACH, Given, KADE, Logged, SLUISDAM, Scripted, UWV, VEER, about, bsn, everything, item,
        log, outcome_of, reason_of,
    },
};

/// Why nothing is provided, by the number of the client of whom it is so.
const REASONS: [(&str, &str); 14] = [
    ("unknown client", "NO_GRANT"),
    ("other fields", "NO_GRANT"),
    ("other recipient", "NO_GRANT"),
    ("not confirmed", "NOT_CONFIRMED"),
    ("withdrawn", "WITHDRAWN"),
    ("not yet in force", "NOT_YET_IN_FORCE"),
    ("expired", "EXPIRED"),
    ("declines", "SOURCE_DECLINED"),
    ("client unknown to the source", "SOURCE_HOLDS_NOTHING"),
    ("holds other fields", "SOURCE_HOLDS_NOTHING"),
    ("sends other fields", "SOURCE_HOLDS_NOTHING"),
    ("sends nonsense", "SOURCE_INVALID"),
    ("slow", "SOURCE_TOO_LATE"),
    ("down", "SOURCE_UNAVAILABLE"),
];

/// The client of whom a part is provided, and the one of whom all is.
const PARTLY: usize = 20;
const WHOLLY: usize = 21;

fn who(name: &str) -> String {
    bsn(REASONS.iter().position(|(reason, _)| *reason == name).unwrap())
}

async fn withdraw(lab: &Lab, short: &str, selector: Selector) -> Result<u64, tonic::Status> {
    let request = proto::WithdrawConsentRequest { selector: Some(selector) };
    let withdrawn = lab.client(short).await.consent().withdraw_consent(request).await;
    withdrawn.map(|answer| answer.into_inner().log_position)
}

/// A region in which each reason holds for one client.
async fn region() -> Lab {
    let mask = |codes: &[&str]| catalogue::from_codes(codes).unwrap();
    let items = [
        item(&who("declines"), mask(&["VW-04"]), json!({ "declines": true })),
        item(&who("holds other fields"), mask(&["VW-02"]), json!({})),
        item(&who("sends other fields"), mask(&["VW-02"]), json!({ "behaviour": "over_deliver" })),
        item(&who("sends nonsense"), mask(&["VW-04"]), json!({ "behaviour": "undeclared_enum" })),
        item(&who("slow"), mask(&["VW-04"]), json!({ "behaviour": "slow" })),
        item(&who("withdrawn"), Mask::all(), json!({})),
        item(&who("expired"), Mask::all(), json!({})),
        item(&bsn(PARTLY), Mask::all(), json!({})),
        item(&bsn(WHOLLY), Mask::all(), json!({})),
    ];
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let shared = Arc::clone(&clock);
    let mut lab = Lab::start_with(|options| {
        options.statements.insert(KADE.to_owned(), json!(items).to_string());
        options.allow_misbehaviour = true;
        options.clock = shared;
    })
    .await;
    for (name, _) in REASONS {
        let given = match name {
            "unknown client" => continue,
            "other fields" => Given { fields: &["VW-02"], ..BY_KADE },
            "other recipient" => Given { recipient: SLUISDAM, ..BY_KADE },
            "not confirmed" => Given { recorder: ("uwv", UWV), ..BY_KADE },
            "not yet in force" => Given { from: "today+9", ..BY_KADE },
            "expired" => Given { until: "today+1", ..BY_KADE },
            "down" => Given { recorder: ("veer", VEER), source: VEER, ..BY_KADE },
            _ => BY_KADE,
        };
        let grant = given.give(&lab, &who(name)).await;
        if name == "withdrawn" {
            withdraw(&lab, "kade", Selector::GrantId(grant)).await.unwrap();
        }
    }
    for n in [PARTLY, WHOLLY] {
        BY_KADE.give(&lab, &bsn(n)).await;
    }
    lab.world.sources.remove("veer").unwrap().stop().await;
    clock.set(clock.now().plus_millis(2 * 24 * 3_600_000));
    lab
}

/// Asks about all of these at the same time. Gives each answer with the time it took, and the log entries that were
/// there shortly before the first answer was due.
async fn ask_all(
    lab: &Lab,
    questions: Vec<proto::RequestWorkCapacityRequest>,
) -> (Vec<(proto::RequestWorkCapacityResponse, Duration)>, Vec<Logged>) {
    let client = lab.client("waterrijk").await;
    let begun = Instant::now();
    let asking = join_all(questions.into_iter().map(|question| {
        let mut exchange = client.exchange();
        async move {
            let begun = Instant::now();
            let answer = exchange.request_work_capacity(question).await.unwrap().into_inner();
            (answer, begun.elapsed())
        }
    }));
    let watching = async {
        let mut seen = Vec::new();
        // Looked at until just before; one that is read too late to tell is dropped.
        loop {
            let now = log(&lab.world.gateway.store).await;
            if begun.elapsed() >= ANSWER_AFTER {
                return seen;
            }
            seen = now;
            sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::join!(asking, watching)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

/// An answer without what differs from one request to the next.
fn shape(answer: &proto::RequestWorkCapacityResponse) -> Value {
    let receipt = answer.receipt.as_ref().unwrap();
    let entries = receipt.entries.iter().map(|entry| {
        let parts = [&entry.leaf, &entry.facts, &entry.facts_salt, &entry.entry_key, &entry.sealed];
        json!([parts.map(Vec::len), String::from_utf8_lossy(&entry.facts)])
    });
    let entries: Vec<_> = entries.collect();
    let mut rest = answer.clone();
    rest.request_id.clear();
    rest.receipt = None;
    json!([format!("{rest:?}"), entries, receipt.answer_salt.len()])
}

/// The facts of an outcome as the requester may see them; the commitment to the rest is random.
fn facts(outcome: &Logged) -> Value {
    let mut facts = outcome.facts.clone();
    let detail = facts.as_object_mut().unwrap().remove("detail");
    assert_eq!(detail.unwrap().as_str().unwrap().len(), 44);
    facts
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_every_reason_reads_the_same_grows_the_log_the_same_and_takes_the_same_time() {
    const ROUNDS: usize = 5;
    let lab = region().await;
    let mut times = vec![Vec::new(); REASONS.len()];
    for round in 0..ROUNDS {
        let before = log(&lab.world.gateway.store).await.len();
        let questions = (0..REASONS.len()).map(|n| about(&bsn(n), &[COACH])).collect();
        let (answers, early) = ask_all(&lab, questions).await;
        let after = log(&lab.world.gateway.store).await;

        let new = &early[before..];
        assert!(new.iter().all(|entry| entry.kind == "request"), "an outcome before its time: {new:?}");
        assert_eq!(after.len() - before, 2 * REASONS.len(), "two entries each");
        let first = (shape(&answers[0].0), outcome_of(&after, &answers[0].0));
        for (n, ((answer, time), (name, reason))) in answers.iter().zip(REASONS).enumerate() {
            let outcome = outcome_of(&after, answer);
            let source = if name == "down" { VEER } else { KADE };
            assert_eq!(reason_of(outcome, source), reason, "{name}, round {round}");
            assert_eq!(shape(answer), first.0, "{name}: the answer");
            assert_eq!(outcome.sizes, first.1.sizes, "{name}: the entry");
            assert_eq!(facts(outcome), facts(first.1), "{name}: the facts");
            let request = after.iter().find(|e| e.pair == outcome.pair && e.kind == "request").unwrap();
            assert_eq!(request.sizes, after[before].sizes, "{name}: the request");
            assert!(*time >= ANSWER_AFTER, "{name}: {time:?}");
            times[n].push(*time);
        }
    }
    let medians: Vec<_> = times.into_iter().map(median).collect();
    let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
    println!("{medians:?}");
    // All were under way together, so a slow machine slows all of them. The reasons themselves lie more than a second apart.
    assert!(*most - *least < Duration::from_millis(100), "{medians:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_a_part_leaves_at_the_time_of_nothing_and_the_whole_at_once() {
    let lab = region().await;
    let before = log(&lab.world.gateway.store).await.len();
    let asked = [COACH, "support.guidance_needed"];
    let questions = vec![about(&bsn(PARTLY), &asked), about(&who("unknown client"), &asked)];
    let (answers, early) = ask_all(&lab, questions).await;
    assert!(early[before..].iter().all(|entry| entry.kind == "request"));
    let (part, nothing) = (&answers[0], &answers[1]);
    assert_eq!(part.0.disclosures.len(), 1);
    assert_eq!(part.0.not_provided.as_ref().unwrap().paths, [asked[1]]);
    assert!(nothing.0.disclosures.is_empty());
    assert!(part.1 >= ANSWER_AFTER && nothing.1 >= ANSWER_AFTER);
    let log = log(&lab.world.gateway.store).await;
    assert_eq!(log.len() - before, 4);

    let begun = Instant::now();
    let whole = lab.ask("waterrijk", about(&bsn(WHOLLY), &[COACH])).await.unwrap();
    assert_eq!(whole.disclosures.len(), 1);
    assert!(begun.elapsed() < ANSWER_AFTER);
}

/// The answer would have been whole, and would have left at once.
#[tokio::test(flavor = "multi_thread")]
async fn p09_a_grant_withdrawn_in_between_reads_as_nothing_too() {
    let (begun, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let mut lab = Lab::start().await;
    let (tell, wait) = (Arc::clone(&begun), Arc::clone(&go));
    Scripted::take_over(&mut lab, "kade", move |question| {
        let (tell, wait) = (Arc::clone(&tell), Arc::clone(&wait));
        async move {
            tell.notify_one();
            wait.notified().await;
            everything(question).await
        }
    })
    .await;
    let grant = BY_KADE.give(&lab, &bsn(0)).await;
    let withdrawing = async {
        begun.notified().await;
        withdraw(&lab, "kade", Selector::GrantId(grant)).await.unwrap();
        go.notify_one();
    };
    let questions = vec![about(&bsn(0), &[COACH]), about(&bsn(1), &[COACH])];
    let both = async { tokio::join!(ask_all(&lab, questions), withdrawing) };
    let ((answers, early), ()) = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    assert!(early.iter().all(|entry| entry.kind != "outcome"), "before its time");
    let log = log(&lab.world.gateway.store).await;
    let [withdrawn, unknown] = [0, 1].map(|n| outcome_of(&log, &answers[n].0));
    assert_eq!(reason_of(withdrawn, KADE), "WITHDRAWN_BEFORE_COMMIT");
    assert_eq!(shape(&answers[0].0), shape(&answers[1].0));
    assert_eq!((withdrawn.sizes, facts(withdrawn)), (unknown.sizes, facts(unknown)));
    assert!(answers[0].1 >= ANSWER_AFTER);
}
