//! What an export makes of a database in which somebody else has written, and of one that forgets while it is read.

use std::sync::Arc;

use serde_json::json;
use sluis::{
    audit::{
        entry::NewEntry,
        export::stored::{Extent, Openings, StoredExportFault, Witnessed, export_shard},
        leaf::Kind,
        report::{Code, Report},
        verify::{VerifyOptions, verify_export},
        writer::{Work, Writer},
    },
    domain::time::SystemClock,
    note::NoteSigner,
    storage::Store,
};

use crate::{
    forgetting,
    lab::{KADE, ORIGIN, Place, form, time},
    log::record,
};

crate::on_both!(
    facts_that_somebody_took_are_not_read_as_left_out,
    a_detail_that_somebody_took_is_missed,
    what_is_forgotten_while_it_is_exported_is_not_taken_for_a_theft,
);

/// Exports what there was at this moment, and verifies it.
async fn exported(
    place: &Place,
    store: &Arc<dyn Store>,
    extent: &Extent,
    details: bool,
) -> Result<Report, StoredExportFault> {
    let signer = NoteSigner::new(ORIGIN, place.keys().log_key(0).unwrap()).unwrap();
    let trust = vec![signer.verifier().clone()];
    let out = tempfile::tempdir().unwrap();
    let openings = Openings { details, sealed: true };
    export_shard(store.as_ref(), extent, out.path(), &trust, openings, Witnessed::default(), |_, _| {})
        .await?;
    Ok(verify_export(out.path(), &VerifyOptions { trust: Some(trust), ..VerifyOptions::default() }))
}

async fn now(store: &Arc<dyn Store>) -> Extent {
    store.head().await.unwrap().unwrap().into()
}

fn entry(kind: Kind, facts: serde_json::Value) -> Work {
    Work::Append(NewEntry::of_gateway(kind, facts))
}

/// Three entries, the last with a detail.
async fn begun(log: &Writer) {
    log.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, json!({})))).await.unwrap();
    log.commit(entry(Kind::Consent, json!({ "event": "recorded" }))).await.unwrap();
    let detail = Some(json!({ "files": {} }));
    let policy = NewEntry { detail, ..NewEntry::of_gateway(Kind::Policy, json!({ "hash": "" })) };
    log.commit(Work::Append(policy)).await.unwrap();
}

/// The store again, after somebody has written into it.
async fn after(place: &Place, statements: &'static str) -> Arc<dyn Store> {
    let store = place.open().await;
    let log = place.writer(&store).await;
    begun(&log).await;
    drop(log);
    store.close().await;
    drop(store);
    place.run(statements).await;
    place.open().await
}

async fn facts_that_somebody_took_are_not_read_as_left_out(place: Place) {
    let store = after(&place, "update entry set facts = substr(facts, 1, 0) where position > 0").await;
    let report = exported(&place, &store, &now(&store).await, true).await.unwrap();
    let found: Vec<_> = report.findings.iter().map(|finding| (finding.position, finding.code)).collect();
    assert_eq!(report.exit_code(), 4, "{report}");
    for position in [1, 2] {
        assert!(found.contains(&(Some(position), Code::RetentionUnnamed)), "{report}");
    }
}

async fn a_detail_that_somebody_took_is_missed(place: Place) {
    let store = after(&place, "update entry set detail = null, detail_salt = null").await;
    let extent = now(&store).await;
    let refused = exported(&place, &store, &extent, true).await.unwrap_err();
    assert!(matches!(refused, StoredExportFault::DetailGone(2)), "{refused}");
    let report = exported(&place, &store, &extent, false).await.unwrap();
    assert_eq!((report.exit_code(), report.details_left_out), (0, 1), "{report}");
}

async fn what_is_forgotten_while_it_is_exported_is_not_taken_for_a_theft(place: Place) {
    let store = place.open().await;
    let log = place.try_writer(&store, Arc::new(SystemClock)).await.unwrap();
    log.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, json!({})))).await.unwrap();
    log.commit(record(0, &form(&[KADE]))).await.unwrap();
    log.commit(forgetting::withdraw(0)).await.unwrap();
    // The head is read, and then it goes on. What is refused takes nothing.
    let before = now(&store).await;
    log.commit(entry(Kind::Erasure, json!({ "event": "refused" }))).await.unwrap();
    assert_eq!(exported(&place, &store, &before, true).await.unwrap().exit_code(), 0);
    log.commit(forgetting::erase(0, time(0))).await.unwrap();
    log.commit(entry(Kind::Erasure, json!({ "event": "refused" }))).await.unwrap();
    let refused = exported(&place, &store, &before, true).await.unwrap_err();
    assert!(matches!(refused, StoredExportFault::ForgottenMeanwhile), "{refused}");
    assert_eq!(exported(&place, &store, &now(&store).await, true).await.unwrap().exit_code(), 0);
}
