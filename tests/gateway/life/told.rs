//! Who is told what, and when: recorders and sources as it happens, recipients once a day and without why.

use std::{sync::Arc, time::Duration};

use sluis::{
    domain::{Clock as _, time::ManualClock},
    proto::{self, consent_notice::Notice, withdraw_consent_request::Selector},
};
use tokio::time::timeout;
use tonic::Code;

use super::{DAY_MILLIS, asked, gullible};
use crate::{
    lab::{Lab, reason},
    promises::{BY_KADE, Given, UWV, bsn},
};

/// The notices that are there after a cursor.
async fn notices(lab: &Lab, short: &str, after: &str) -> Vec<proto::ConsentNotice> {
    let request = proto::WatchConsentEventsRequest { after: after.to_owned() };
    let watch = lab.client(short).await.consent().watch_consent_events(request).await;
    let mut watch = watch.unwrap().into_inner();
    let mut found = Vec::new();
    // Those that are there come at once; longer than the pause between two looks, nothing is there.
    while let Ok(next) = timeout(Duration::from_millis(2_500), watch.message()).await {
        found.push(next.unwrap().unwrap());
    }
    found
}

fn kinds(notices: &[proto::ConsentNotice]) -> Vec<String> {
    let kind = |notice: &proto::ConsentNotice| match notice.notice.as_ref().unwrap() {
        Notice::Grant(grant) => grant.kind.clone(),
        Notice::Ended(ended) => format!("ended on {}", ended.day),
    };
    notices.iter().map(kind).collect()
}

async fn withdraw(lab: &Lab, grant: &str) {
    let selector = Some(Selector::GrantId(grant.to_owned()));
    let request = proto::WithdrawConsentRequest { selector };
    lab.client("kade").await.consent().withdraw_consent(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn recorder_and_source_hear_in_order_and_go_on_where_they_acknowledged() {
    let (lab, _) = gullible().await;
    let given = Given { source: UWV, ..BY_KADE };
    let grant = given.give(&lab, &bsn(0)).await;
    withdraw(&lab, &grant).await;
    for short in ["kade", "uwv"] {
        let heard = notices(&lab, short, "").await;
        assert_eq!(kinds(&heard), ["recorded", "confirmed", "withdrawn"], "{short}");
        let Some(Notice::Grant(last)) = &heard[2].notice else { panic!("a grant") };
        assert_eq!(last.grant_id, grant);
        // Half-way through an entry is not through it: all of it comes again.
        assert_eq!(kinds(&notices(&lab, short, &heard[0].cursor).await), kinds(&heard), "{short}");
        // Resumed from any of them.
        assert_eq!(kinds(&notices(&lab, short, &heard[1].cursor).await), ["withdrawn"]);
        let request = proto::AcknowledgeConsentEventsRequest { cursor: heard[1].cursor.clone() };
        lab.client(short).await.consent().acknowledge_consent_events(request).await.unwrap();
        assert_eq!(kinds(&notices(&lab, short, "").await), ["withdrawn"]);
    }
    // It hears of it while it watches.
    let after = notices(&lab, "uwv", "").await[0].cursor.clone();
    let mut uwv = lab.client("uwv").await.consent();
    let watch = uwv.watch_consent_events(proto::WatchConsentEventsRequest { after }).await;
    let mut watch = watch.unwrap().into_inner();
    given.give(&lab, &bsn(1)).await;
    let next = timeout(Duration::from_secs(20), watch.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(kinds(&[next]), ["recorded"]);
    // Nobody else hears of it.
    assert!(notices(&lab, "veer", "").await.is_empty());
    for cursor in ["", "x", "99999999.0", "0.99999"] {
        let request = proto::AcknowledgeConsentEventsRequest { cursor: cursor.to_owned() };
        let refused =
            lab.client("uwv").await.consent().acknowledge_consent_events(request).await.unwrap_err();
        assert_eq!(reason(&refused), (Code::InvalidArgument, "CURSOR_INVALID".to_owned()), "{cursor}");
    }
}

async fn next_day(clock: &Arc<ManualClock>) {
    clock.set(clock.now().plus_millis(DAY_MILLIS));
}

/// R12, P09: a withdrawal, an expiry and an end that was due by use read the same, and come on the day after.
#[tokio::test(flavor = "multi_thread")]
async fn p09_a_recipient_hears_once_a_day_what_ended_and_not_why() {
    let (lab, clock) = gullible().await;
    let expires = Given { until: "today+1", ..BY_KADE };
    let (withdrawn, unused) = (BY_KADE.give(&lab, &bsn(0)).await, BY_KADE.give(&lab, &bsn(1)).await);
    expires.give(&lab, &bsn(2)).await;
    BY_KADE.give(&lab, &bsn(3)).await;
    // What it recorded and receives itself: it does not hear as its recorder what it may not hear as its recipient.
    let own = Given { recorder: ("waterrijk", crate::promises::WATERRIJK), ..BY_KADE };
    let own = own.give(&lab, &bsn(4)).await;
    withdraw(&lab, &own).await;
    for client in [0, 2, 3] {
        assert_eq!(asked(&lab, &bsn(client)).await, "RELEASED");
    }
    assert!(notices(&lab, "waterrijk", "").await.is_empty(), "nothing has ended");
    // Both end on the same day: one by the calendar, one by the client's word.
    next_day(&clock).await;
    let day = clock.now().day();
    withdraw(&lab, &withdrawn).await;
    withdraw(&lab, &unused).await;
    assert!(notices(&lab, "waterrijk", "").await.is_empty(), "not before the day is over");
    next_day(&clock).await;
    let heard = notices(&lab, "waterrijk", "").await;
    assert_eq!(kinds(&heard), [format!("ended on {day}")]);
    let Some(Notice::Ended(ended)) = &heard[0].notice else { panic!("an end") };
    // Two answers, and nothing of the grant under which nothing was received, nor of the one that stands.
    assert_eq!(ended.log_positions.len(), 2);
    assert!(ended.log_positions.is_sorted());
    let request = proto::AcknowledgeConsentEventsRequest { cursor: heard[0].cursor.clone() };
    lab.client("waterrijk").await.consent().acknowledge_consent_events(request).await.unwrap();
    assert!(notices(&lab, "waterrijk", "").await.is_empty());
    // Who received nothing hears nothing.
    assert!(notices(&lab, "sluisdam", "").await.is_empty());
}
