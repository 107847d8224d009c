//! R17 and R19 over mutual TLS: nothing is asked without an agreement in force, a lapse and a renewal take effect on their
//! day while the gateway runs, and each is in the log once.

use std::{slice, sync::Arc, time::Duration};

use serde_json::Value;
use sluis::{
    app::Gateway,
    config::Settings,
    demo::data,
    domain::{
        Clock as _, Day,
        time::{ManualClock, SystemClock},
    },
};
use tokio::net::TcpListener;
use tonic::Code;

use crate::{
    database::on_postgres,
    lab::{Entry, Lab, question, read_log, reason},
    rules::DAY_MILLIS,
};

/// How often the upkeep of a gateway looks.
const UPKEEP: Duration = Duration::from_secs(5);

/// The demo's first agreement, between UWV and Waterrijk, under this name and with days from today.
fn agreement(id: &str, today: Day, [starts, review, ends]: [i64; 3], more: &str) -> String {
    let block = data::AGREEMENTS.split("[[agreement]]").nth(1).unwrap();
    let lines = block.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let day = |after: i64| today + time::Duration::days(after);
        match line.split_once(" = ") {
            Some(("id", _)) => format!("id = {id:?}\n"),
            Some(("starts", _)) => format!("starts = {}\n", day(starts)),
            Some(("review", _)) => format!("review = {}\n", day(review)),
            Some(("ends", _)) => format!("ends = {}\n", day(ends)),
            _ => format!("{line}\n"),
        }
    });
    format!("[[agreement]]\n{}{more}\n", lines.collect::<String>())
}

/// A region with these agreements, whose clock can be moved. On PostgreSQL with two gateways.
async fn region(agreements: impl FnOnce(Day) -> String) -> (Lab, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let shared = Arc::clone(&clock);
    let agreements = agreements(clock.now().day());
    let lab = Lab::start_with(|options| {
        options.clock = shared;
        options.agreements = Some(agreements);
        options.instances = if on_postgres() { 2 } else { 1 };
    })
    .await;
    (lab, clock)
}

/// What the log says of agreements: id, state before, state.
fn changes(log: &[Entry]) -> Vec<(String, Value, String)> {
    let entries = log.iter().filter(|entry| entry.kind == "agreement").map(|entry| {
        let text = |name: &str| entry.facts[name].as_str().unwrap().to_owned();
        (text("id"), entry.facts["previous"].clone(), text("state"))
    });
    entries.collect()
}

fn change(id: &str, before: Option<&str>, state: &str) -> (String, Value, String) {
    (id.to_owned(), before.map_or(Value::Null, Value::from), state.to_owned())
}

/// Waits until the log tells so many changes, and then for one more look of every gateway.
async fn settled(lab: &Lab, count: usize) -> Vec<(String, Value, String)> {
    for _ in 0..100 {
        if changes(&lab.log(0).await).len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tokio::time::sleep(UPKEEP + Duration::from_secs(1)).await;
    changes(&lab.log(0).await)
}

/// Agreements that the newest outcome names.
async fn named(lab: &Lab) -> Vec<String> {
    let log = lab.log(0).await;
    let outcome = log.iter().rev().find(|entry| entry.kind == "outcome").unwrap();
    let sources = outcome.detail["sources"].as_array().unwrap();
    let named = sources.iter().flat_map(|source| source["agreements"].as_array().unwrap());
    named.map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_an_agreement_lapses_while_the_gateway_runs() {
    let (lab, clock) = region(|today| agreement("AGR-0001", today, [-30, 1, 90], "")).await;
    lab.record_main().await;
    let start = clock.now();
    let first = change("AGR-0001", None, "review_due");
    assert_eq!(changes(&lab.log(0).await), slice::from_ref(&first), "entered before anything was asked");
    for day in [0, 1] {
        clock.set(start.plus_millis(day * DAY_MILLIS));
        assert!(lab.ask("waterrijk", question()).await.is_ok(), "day {day}");
        assert_eq!(named(&lab).await, ["AGR-0001"]);
    }
    clock.set(start.plus_millis(2 * DAY_MILLIS));
    let status = lab.ask("waterrijk", question()).await.unwrap_err();
    assert_eq!(reason(&status), (Code::PermissionDenied, "AGREEMENT_LAPSED".to_owned()));
    let lapsed = change("AGR-0001", Some("review_due"), "lapsed");
    assert_eq!(settled(&lab, 2).await, [first, lapsed], "the lapse is in the log, once");
    let status = lab.ask("waterrijk", question()).await.unwrap_err();
    assert_eq!(reason(&status).1, "AGREEMENT_LAPSED");
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_a_renewal_carries_on_without_a_refused_call() {
    let (lab, clock) = region(|today| {
        agreement("AGR-0001", today, [-30, 1, 90], "")
            + &agreement("AGR-0101", today, [2, 200, 300], "renews = \"AGR-0001\"")
    })
    .await;
    lab.record_main().await;
    let start = clock.now();
    let mut answers = Vec::new();
    for (day, expected) in [(0, "AGR-0001"), (1, "AGR-0001"), (2, "AGR-0101"), (3, "AGR-0101")] {
        clock.set(start.plus_millis(day * DAY_MILLIS));
        let answer = lab.ask("waterrijk", question()).await.unwrap();
        assert_eq!(named(&lab).await, [expected], "day {day}");
        // The requester is told what it was told before.
        answers.push((answer.disclosures.len(), answer.not_provided, answer.above_ceiling));
    }
    assert!(answers.windows(2).all(|two| two[0] == two[1]), "{answers:?}");
    assert!(answers[0].0 > 0, "something was released");
    assert_eq!(
        settled(&lab, 4).await,
        [
            change("AGR-0001", None, "active"),
            change("AGR-0101", None, "not_yet"),
            change("AGR-0001", Some("active"), "renewed"),
            change("AGR-0101", Some("not_yet"), "active"),
        ],
        "nobody was warned of a review that a renewal comes in time for"
    );
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r17_the_log_has_every_term_and_both_signatures_and_says_it_once() {
    let lab = Lab::start().await;
    let log = lab.log(0).await;
    let agreements: Vec<_> = log.iter().filter(|entry| entry.kind == "agreement").collect();
    assert_eq!(agreements.len(), 15, "each agreement of the demo");
    let facts = &agreements[0].facts;
    assert_eq!(facts["id"], "AGR-0001");
    assert_eq!(facts["region"], "test.sluis.example/waterregio");
    assert_eq!((&facts["state"], &facts["previous"]), (&"active".into(), &Value::Null));
    assert_eq!(facts["signatures"]["source"]["kid"], "uwv-1");
    assert_eq!(facts["signatures"]["requester"]["kid"], "waterrijk-1");
    assert_eq!((&facts["starts"], &facts["review"]), (&"2026-01-01".into(), &"2028-06-30".into()));
    assert!(facts["fields"].as_array().unwrap().len() > 100);
    for agreement in &agreements {
        for name in ["agreement_sha256", "document_sha256"] {
            assert_eq!(agreement.facts[name].as_str().unwrap().len(), 64, "{name}");
        }
        assert_eq!(agreement.facts["renews"], Value::Null);
    }
    assert_eq!(agreements[14].facts["state"], "ended");

    // A reload that changes nothing about them, and a restart, repeat nothing.
    let path = lab.world.dir.join("participants.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}\n# Looked at again.\n")).unwrap();
    lab.world.gateway.reload().await.unwrap();
    assert_eq!(changes(&lab.log(0).await).len(), 15);
    let dir = lab.world.dir.clone();
    lab.world.stop().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = Settings::load(&dir.join("sluis.toml")).unwrap();
    let gateway = Gateway::start_on(listener, settings, Arc::new(SystemClock)).await.unwrap();
    assert_eq!(changes(&read_log(gateway.store.as_ref(), 0).await).len(), 15);

    // One that is gone from the file is said to be, with everything that was known of it.
    let path = dir.join("agreements.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (rest, last) = text.rsplit_once("[[agreement]]").unwrap();
    assert!(last.contains("AGR-0015"));
    std::fs::write(&path, rest).unwrap();
    gateway.reload().await.unwrap();
    let log = read_log(gateway.store.as_ref(), 0).await;
    assert_eq!(changes(&log).last(), Some(&change("AGR-0015", Some("ended"), "removed")));
    let gone = log.iter().rev().find(|entry| entry.kind == "agreement").unwrap();
    let mut before = agreements[14].facts.clone();
    for name in ["state", "previous", "on"] {
        before[name] = gone.facts[name].clone();
    }
    assert_eq!(gone.facts, before);
    gateway.stop().await;
}
