//! P05 at full width: withdrawals, pauses and invalidations race thousands of requests, and the history is checked by
//! positions in the log alone.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use sluis::{
    proto::{
        self, invalidate_consent_request, pause_consent_request, resume_consent_request,
        withdraw_consent_request::Selector,
    },
    storage::DisclosureFilter,
};
use tokio::time::sleep;

use super::gullible;
use crate::{
    lab::Lab,
    promises::{BY_KADE, COACH, Random, about, bsn},
};

const CLIENTS: usize = 25;
const REQUESTS: usize = 80;

/// From where to where nothing may be released under a grant.
type Stopped = Vec<(u64, u64)>;

async fn change(lab: &Lab, grant: &str, random: u64) -> Stopped {
    let mut kade = lab.client("kade").await.consent();
    let id = grant.to_owned();
    match random % 4 {
        0 => {
            let selector = Some(Selector::GrantId(id));
            let done = kade.withdraw_consent(proto::WithdrawConsentRequest { selector }).await.unwrap();
            vec![(done.into_inner().log_position, u64::MAX)]
        }
        1 => {
            let selector = Some(invalidate_consent_request::Selector::GrantId(id));
            let reason = proto::InvalidationReason::WrongForm.into();
            let request = proto::InvalidateConsentRequest { selector, reason };
            vec![(kade.invalidate_consent(request).await.unwrap().into_inner().log_position, u64::MAX)]
        }
        _ => {
            let mut stopped = Stopped::new();
            for _ in 0..3 {
                let selector = Some(pause_consent_request::Selector::GrantId(id.clone()));
                let paused = kade.pause_consent(proto::PauseConsentRequest { selector }).await.unwrap();
                sleep(Duration::from_millis(40)).await;
                let selector = Some(resume_consent_request::Selector::GrantId(id.clone()));
                let resumed = kade.resume_consent(proto::ResumeConsentRequest { selector }).await.unwrap();
                stopped.push((paused.into_inner().log_position, resumed.into_inner().log_position));
                sleep(Duration::from_millis(40)).await;
            }
            stopped
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p05_thousands_of_requests_race_every_kind_of_stop() {
    let (lab, _) = gullible().await;
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random(seed);
    let grants = join_all((0..CLIENTS).map(|n| {
        let lab = &lab;
        async move { BY_KADE.give(lab, &bsn(n)).await }
    }))
    .await;
    let released = AtomicUsize::new(0);
    let asking = lab.client("waterrijk").await;
    let delays: Vec<Vec<u64>> =
        (0..CLIENTS).map(|_| (0..REQUESTS).map(|_| random.below(3_000)).collect()).collect();
    let ask = |client: usize, delay: u64| {
        let (mut exchange, released) = (asking.exchange(), &released);
        async move {
            sleep(Duration::from_millis(delay)).await;
            let answer = exchange.request_work_capacity(about(&bsn(client), &[COACH])).await;
            let given = answer.is_ok_and(|answer| !answer.into_inner().disclosures.is_empty());
            released.fetch_add(usize::from(given), Ordering::Relaxed);
        }
    };
    let asks = delays
        .iter()
        .enumerate()
        .flat_map(|(client, delays)| delays.iter().map(move |delay| (client, *delay)));
    let moments: Vec<_> = grants.iter().map(|grant| (grant, random.below(2_500), random.next())).collect();
    let changes = moments.into_iter().map(|(grant, moment, kind)| {
        let lab = &lab;
        async move {
            sleep(Duration::from_millis(moment)).await;
            (grant.clone(), change(lab, grant, kind).await)
        }
    });
    let (_, stopped) =
        tokio::join!(join_all(asks.map(|(client, delay)| ask(client, delay))), join_all(changes));
    let stopped: HashMap<_, _> = stopped.into_iter().collect();

    // What left, as the log and the store have it.
    let filter =
        DisclosureFilter { source: None, grants: None, client: None, below: None, limit: u32::MAX >> 1 };
    let left = lab.world.gateway.store.disclosures(&filter).await.unwrap();
    let log = crate::promises::log(&lab.world.gateway.store).await;
    for one in &left {
        assert_eq!(log[usize::try_from(one.position).unwrap()].facts["effect"], "released");
        for (from, to) in &stopped[&one.grant.to_string()] {
            assert!(one.position < *from || one.position > *to, "{} within {from} to {to}", one.position);
        }
    }
    let outcomes = log.iter().filter(|entry| entry.kind == "outcome").count();
    println!("{outcomes} outcomes, {} released, {} arrived", left.len(), released.load(Ordering::Relaxed));
    assert_eq!(outcomes, CLIENTS * REQUESTS, "each request has its outcome");
    assert!(left.len() >= released.load(Ordering::Relaxed), "nothing arrived that is not in the log");
    assert!(left.len() > REQUESTS && left.len() < CLIENTS * REQUESTS, "the race says something");
}
