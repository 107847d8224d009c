//! The same for a requester's officer: its own entries, and of an outcome what the requester was told.

use std::collections::BTreeSet;

use serde_json::Value;
use sluis::proto;

use super::{REASONS, ask_all, region};
use crate::{
    lab::{Lab, reason},
    promises::{COACH, SLUISDAM, WATERRIJK, about, bsn, log},
};

async fn search(lab: &Lab, short: &str, filter: proto::SearchEntriesRequest) -> Vec<proto::AuditEntry> {
    let request = proto::SearchEntriesRequest { page_size: 200, ..filter };
    lab.client(short).await.audit().search_entries(request).await.unwrap().into_inner().entries
}

fn facts(entry: &proto::AuditEntry) -> Value {
    serde_json::from_str(&entry.facts).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_a_requesters_officer_sees_what_the_requester_was_told() {
    let lab = region().await;
    let questions = (0..REASONS.len()).map(|n| about(&bsn(n), &[COACH])).collect();
    ask_all(&lab, questions).await;
    lab.ask("sluisdam", about(&bsn(0), &[COACH])).await.unwrap();

    let all = proto::SearchEntriesRequest::default();
    let entries = search(&lab, "waterrijk", all.clone()).await;
    for entry in &entries {
        let facts = facts(entry);
        let of = facts.get("requester").or_else(|| facts.get("by")).unwrap();
        assert_eq!(of, WATERRIJK, "{entry:?}");
        assert!(entry.detail.is_empty() && entry.detail_salt.is_empty(), "{entry:?}");
    }
    let outcomes = entries.iter().map(facts).filter(|facts| facts["effect"] == "not_provided");
    let outcomes: Vec<_> = outcomes
        .map(|mut facts| {
            facts.as_object_mut().unwrap().remove("detail");
            facts.to_string()
        })
        .collect();
    assert_eq!(outcomes.len(), REASONS.len());
    assert_eq!(BTreeSet::from_iter(&outcomes).len(), 1, "{outcomes:#?}");
    // The gateway's own officer sees why.
    let own = search(&lab, "fg", proto::SearchEntriesRequest { kind: "outcome".to_owned(), ..all }).await;
    assert!(own.iter().any(|entry| entry.detail.contains("SOURCE_DECLINED")));

    let theirs = proto::SearchEntriesRequest { requester: SLUISDAM.to_owned(), ..Default::default() };
    assert_eq!(search(&lab, "waterrijk", theirs).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_anothers_entry_is_the_same_as_none() {
    let lab = region().await;
    lab.ask("sluisdam", about(&bsn(0), &[COACH])).await.unwrap();
    lab.ask("waterrijk", about(&bsn(0), &[COACH])).await.unwrap();
    let entries = log(&lab.world.gateway.store).await;
    let mut audit = lab.client("waterrijk").await.audit();
    let mut get = async |position| audit.get_entry(proto::GetEntryRequest { position }).await;
    let nothing = get(1_000_000).await.unwrap_err();
    assert_eq!(reason(&nothing).1, "ENTRY_NOT_FOUND");
    let mut seen = Vec::new();
    for entry in entries {
        match get(entry.position).await {
            Ok(found) => {
                assert_eq!(entry.facts["requester"], WATERRIJK);
                assert!(found.into_inner().detail.is_empty());
                seen.push(entry.kind);
            }
            Err(refused) => {
                assert_ne!(entry.facts["requester"], WATERRIJK, "its own");
                assert_eq!(
                    (refused.code(), refused.message(), refused.details()),
                    (nothing.code(), nothing.message(), nothing.details()),
                );
            }
        }
    }
    // Its question, and the three agreements under which it may ask.
    seen.sort_unstable();
    assert_eq!(seen, ["agreement", "agreement", "agreement", "outcome", "request"]);
}
