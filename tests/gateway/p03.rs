//! What a source sends too much goes no further: it is dropped, counted, and reported to that source.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use sluis::{
    catalogue::{self, Field, Mask},
    proto,
};

use crate::{
    lab::Lab,
    p02::{disclosed, wire},
    promises::{BY_KADE, COACH, KADE, Scripted, about, bsn, everything, item, log, statement},
};

/// Asks as Waterrijk; gives what was disclosed, and the detail about De Kade in the outcome.
async fn ask(lab: &Lab, bsn: &str) -> (BTreeSet<String>, serde_json::Value) {
    let wire = wire(lab, about(bsn, &[COACH])).await;
    let log = log(&lab.world.gateway.store).await;
    let outcome = log.iter().rfind(|entry| entry.kind == "outcome").unwrap();
    let sources = outcome.detail["sources"].as_array().unwrap();
    let detail = sources.iter().find(|row| row["source"] == KADE).unwrap().clone();
    (disclosed(&wire).remove(KADE).unwrap_or_default(), detail)
}

async fn report(source: &Scripted) -> proto::ReportSurplusRequest {
    for _ in 0..200 {
        if let Some(report) = source.reports.lock().unwrap().pop() {
            return report;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the source was told nothing")
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_fields_that_were_not_asked_are_dropped_counted_and_reported() {
    let mut lab = Lab::start().await;
    let kade = Scripted::take_over(&mut lab, "kade", everything).await;
    BY_KADE.give(&lab, &bsn(0)).await;
    let (disclosed, detail) = ask(&lab, &bsn(0)).await;
    assert_eq!(disclosed, BTreeSet::from([COACH.to_owned()]));
    let all =
        catalogue::CheckedStatement::new(statement(Mask::all()), crate::promises::today()).unwrap().present();
    let surplus = catalogue::codes(all.minus(catalogue::from_codes(&["VW-04"]).unwrap()));
    assert!(surplus.len() > 20);
    assert_eq!(detail["surplus_fields"], json!(surplus));
    let report = report(&kade).await;
    assert_eq!(report.fields, surplus);
    assert_eq!(report.query_id, kade.asked.lock().unwrap()[0].query_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_source_that_sends_only_what_was_not_asked_is_told_too() {
    let mut lab = Lab::start().await;
    let hours = Mask::all().iter().find(|field| field.entry().code == "WT-02").unwrap();
    let kade = Scripted::take_over(&mut lab, "kade", move |_| async move {
        let only = Mask::EMPTY.with(hours);
        proto::get_statement_response::Result::WorkCapacity(statement(only))
    })
    .await;
    BY_KADE.give(&lab, &bsn(0)).await;
    let (disclosed, detail) = ask(&lab, &bsn(0)).await;
    assert!(disclosed.is_empty());
    assert_eq!(detail["reason"], "SOURCE_HOLDS_NOTHING");
    assert_eq!(report(&kade).await.fields, ["WT-02"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn p03_a_field_that_the_catalogue_does_not_know_is_dropped_and_counted() {
    let coach = Mask::EMPTY.with(Field::from_code("VW-04").unwrap());
    let items = [item(&bsn(0), coach, json!({ "behaviour": "unknown_field" }))];
    let lab = Lab::start_with(|options| {
        options.statements.insert(KADE.to_owned(), json!(items).to_string());
        options.allow_misbehaviour = true;
    })
    .await;
    BY_KADE.give(&lab, &bsn(0)).await;
    let (disclosed, detail) = ask(&lab, &bsn(0)).await;
    assert_eq!(disclosed, BTreeSet::from([COACH.to_owned()]));
    assert_eq!(detail["surplus_unknown"], 1);
}

/// A number that stands for no code could stand for anything.
#[tokio::test(flavor = "multi_thread")]
async fn p03_a_value_outside_its_list_spoils_the_whole_statement() {
    let mut lab = Lab::start().await;
    Scripted::take_over(&mut lab, "kade", |_| async {
        let mut all = statement(Mask::all());
        all.support.as_mut().unwrap().job_coach_needed = Some(4711);
        proto::get_statement_response::Result::WorkCapacity(all)
    })
    .await;
    BY_KADE.give(&lab, &bsn(0)).await;
    let (disclosed, detail) = ask(&lab, &bsn(0)).await;
    assert!(disclosed.is_empty());
    assert_eq!(detail["reason"], "SOURCE_INVALID");
}
