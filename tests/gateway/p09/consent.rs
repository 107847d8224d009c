//! The same in `ConsentService`: for whoever withdraws, lists, looks up or records.

use std::time::Instant;

use sluis::proto::{self, GrantStatus, withdraw_consent_request::Selector};
use tonic::{Code, Status};
use uuid::Uuid;

use super::{region, who, withdraw};
use crate::{
    lab::{ANSWER_AFTER, Lab, reason},
    promises::{BY_KADE, Given, Logged, UWV, WATERRIJK, bsn, log},
};

/// What a status says, to compare.
fn said(status: &Status) -> (Code, String, Vec<u8>) {
    (status.code(), status.message().to_owned(), status.details().to_vec())
}

/// Entries that an act adds: kind, sizes and facts.
async fn growth<T>(lab: &Lab, act: impl Future<Output = T>) -> (T, Vec<(String, [usize; 3], String)>) {
    let before = log(&lab.world.gateway.store).await.len();
    let result = act.await;
    let after = log(&lab.world.gateway.store).await;
    let row = |entry: &Logged| (entry.kind.clone(), entry.sizes, entry.facts.to_string());
    (result, after[before..].iter().map(row).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_withdrawing_by_client_is_the_same_for_known_and_unknown() {
    let lab = region().await;
    // Never heard of; another's; own, withdrawn already; own.
    let clients = [bsn(40), who("not confirmed"), who("withdrawn"), who("slow")];
    let mut seen = Vec::new();
    for client in clients {
        let (position, growth) = growth(&lab, withdraw(&lab, "kade", Selector::Bsn(client))).await;
        assert_eq!(growth.len(), 1);
        assert!(position.unwrap() > 0);
        seen.push(growth);
    }
    // The source of "not confirmed" is De Kade too, so that one is withdrawn as well; to see, it is all one.
    assert!(seen.iter().all(|growth| *growth == seen[0]), "{seen:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_what_is_anothers_is_the_same_as_what_is_not() {
    let lab = region().await;
    let recorded = Given { recorder: ("kade", crate::promises::KADE), source: UWV, ..BY_KADE };
    let recorded = recorded.record(&lab, &bsn(41)).await.unwrap();
    let (form, grant) = (recorded.form_id, recorded.grants[0].grant_id.clone());
    let none = Uuid::new_v4().to_string();
    // Neither its recorder nor its source; and one that receives under it.
    for caller in ["veer", "waterrijk"] {
        let mut consent = lab.client(caller).await.consent();
        let mut get = async |id: &str| {
            said(&consent.get_consent(proto::GetConsentRequest { form_id: id.to_owned() }).await.unwrap_err())
        };
        let (foreign, unknown) = (get(&form).await, get(&none).await);
        assert_eq!(foreign, unknown);
        assert_eq!(unknown.0, Code::NotFound);

        for (theirs, nobodys) in [
            (Selector::FormId(form.clone()), Selector::FormId(none.clone())),
            (Selector::GrantId(grant.clone()), Selector::GrantId(none.clone())),
        ] {
            let (foreign, grown) = growth(&lab, withdraw(&lab, caller, theirs)).await;
            let (unknown, other) = growth(&lab, withdraw(&lab, caller, nobodys)).await;
            assert_eq!(said(&foreign.unwrap_err()), said(&unknown.unwrap_err()));
            assert_eq!(grown, other);
            assert_eq!(grown.len(), 1);
        }
        let confirm = async |id: &str| {
            let mut consent = lab.client(caller).await.consent();
            let request = proto::ConfirmGrantRequest { grant_id: id.to_owned() };
            consent.confirm_grant(request).await.unwrap_err()
        };
        let ((foreign, grown), (unknown, other)) =
            (growth(&lab, confirm(&grant)).await, growth(&lab, confirm(&none)).await);
        assert_eq!(said(&foreign), said(&unknown));
        assert_eq!(reason(&unknown).1, "CONSENT_NOT_FOUND");
        assert_eq!(grown, other);

        let list = async |bsn: String| {
            let mut consent = lab.client(caller).await.consent();
            consent.list_consents(proto::ListConsentsRequest { bsn }).await.unwrap().into_inner()
        };
        assert_eq!(list(bsn(41)).await, list(bsn(40)).await);
        assert_eq!(list(bsn(40)).await, proto::ListConsentsResponse::default());
    }
    // Its source may look it up, and lists what it recorded itself: nothing.
    let mut consent = lab.client("uwv").await.consent();
    let found = consent.list_consents(proto::ListConsentsRequest { bsn: bsn(41) }).await.unwrap();
    assert_eq!(found.into_inner(), proto::ListConsentsResponse::default());
    // Its recorder finds it, so the above says something.
    let mut consent = lab.client("kade").await.consent();
    let found =
        consent.list_consents(proto::ListConsentsRequest { bsn: bsn(41) }).await.unwrap().into_inner();
    assert_eq!(found.consents[0].form_id, form);
}

/// Waterrijk records what it will itself receive. De Kade knows one of the clients and not the other.
#[tokio::test(flavor = "multi_thread")]
async fn p09_a_recorder_that_receives_does_not_learn_whether_its_source_knows_the_client() {
    let lab = region().await;
    let own = Given { recorder: ("waterrijk", WATERRIJK), ..BY_KADE };
    let (known, unknown) = (who("slow"), bsn(40));
    let before = log(&lab.world.gateway.store).await.len();
    let begun = Instant::now();
    let recording = async {
        let timed = async |client: &str| {
            let begun = Instant::now();
            (own.record(&lab, client).await.unwrap(), begun.elapsed())
        };
        tokio::join!(timed(&known), timed(&unknown))
    };
    let watching = async {
        loop {
            let now = log(&lab.world.gateway.store).await;
            if begun.elapsed() >= ANSWER_AFTER {
                return;
            }
            assert_eq!(now.len(), before, "recorded before its time");
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let (recorded, ()) = tokio::join!(recording, watching);
    for (recorded, time) in [&recorded.0, &recorded.1] {
        assert!(*time >= ANSWER_AFTER, "{time:?}");
        assert_eq!(recorded.grants[0].status(), GrantStatus::Unspecified);
        let mut consent = lab.client("waterrijk").await.consent();
        let request = proto::GetConsentRequest { form_id: recorded.form_id.clone() };
        let got = consent.get_consent(request).await.unwrap().into_inner();
        assert_eq!(got.grants[0].status(), GrantStatus::Unspecified);
    }
    let mut rows = log(&lab.world.gateway.store).await.split_off(before);
    // Looking is an entry too, of its own kind.
    rows.retain(|row| row.kind == "consent");
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].sizes, &rows[0].facts), (rows[1].sizes, &rows[1].facts));
    for client in [known, unknown] {
        let mut consent = lab.client("waterrijk").await.consent();
        let listed = consent.list_consents(proto::ListConsentsRequest { bsn: client }).await.unwrap();
        let consents = listed.into_inner().consents;
        assert_eq!(consents.len(), 1);
        assert_eq!(consents[0].grants[0].status(), GrantStatus::Unspecified);
    }
}
