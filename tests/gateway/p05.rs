//! No outcome that releases under a grant stands after that grant's withdrawal. Positions are compared, not clocks.

use std::time::Duration;

use futures_util::future::join_all;
use sluis::{
    audit::proof::TlogProof,
    catalogue::Mask,
    proto::{self, get_statement_response::Result as Answer, withdraw_consent_request::Selector},
};
use tokio::time::sleep;

use crate::{
    database,
    lab::Lab,
    promises::{BY_KADE, COACH, Random, Scripted, about, bsn, log, statement},
};

const ROUNDS: usize = 8;
const REQUESTS: usize = 24;

/// Asks often and withdraws once, all at random moments. Gives the position of the withdrawal and of each outcome that
/// came with content.
async fn round(lab: &Lab, bsn: &str, random: &mut Random) -> (u64, Vec<u64>) {
    let grant = BY_KADE.give(lab, bsn).await;
    // Each through another instance, where there are several.
    let asking = [lab.client("waterrijk").await, lab.client("waterrijk").await];
    let withdrawing = lab.client("kade").await;
    let delays: Vec<_> = (0..REQUESTS).map(|_| Duration::from_millis(random.below(200))).collect();
    let requests = delays.into_iter().zip(asking.iter().cycle()).map(|(delay, asking)| {
        let mut exchange = asking.exchange();
        async move {
            sleep(delay).await;
            exchange.request_work_capacity(about(bsn, &[COACH])).await.unwrap().into_inner()
        }
    });
    let moment = Duration::from_millis(60 + random.below(160));
    let withdrawal = async {
        sleep(moment).await;
        let request = proto::WithdrawConsentRequest { selector: Some(Selector::GrantId(grant)) };
        withdrawing.consent().withdraw_consent(request).await.unwrap().into_inner().log_position
    };
    let (answers, withdrawn) = tokio::join!(join_all(requests), withdrawal);
    let with_content = answers.into_iter().filter(|answer| !answer.disclosures.is_empty());
    let outcomes = with_content.map(|answer| {
        let receipt = answer.receipt.unwrap();
        receipt.entries[1].proof.parse::<TlogProof>().unwrap().index
    });
    (withdrawn, outcomes.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn p05_no_release_stands_after_the_withdrawal_of_its_grant() {
    race(Lab::start().await).await;
}

/// A grant is withdrawn through one gateway while others release under it.
#[tokio::test(flavor = "multi_thread")]
async fn p05_no_release_of_another_instance_stands_after_the_withdrawal() {
    let url = database::fresh().await.parse().unwrap();
    let lab = Lab::start_with(|options| {
        options.database = Some(url);
        options.instances = 3;
    });
    race(lab.await).await;
}

async fn race(mut lab: Lab) {
    Scripted::take_over(&mut lab, "kade", |_| async {
        // Long enough for a withdrawal to come between the decision and the commit.
        sleep(Duration::from_millis(15)).await;
        Answer::WorkCapacity(statement(Mask::all()))
    })
    .await;
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    let mut random = Random(seed);
    let (mut before, mut refused) = (0, 0);
    for n in 0..ROUNDS {
        let start = log(&lab.world.gateway.store).await.len() as u64;
        let (withdrawn, mut arrived) = round(&lab, &bsn(n), &mut random).await;
        let log = log(&lab.world.gateway.store).await;
        assert_eq!(log[usize::try_from(withdrawn).unwrap()].facts["event"], "withdrawn");
        let released = log.iter().filter(|entry| entry.facts["effect"] == "released");
        let released: Vec<_> = released.map(|entry| entry.position).filter(|at| *at >= start).collect();
        assert!(released.iter().all(|at| *at < withdrawn), "{released:?} and {withdrawn}");
        arrived.sort_unstable();
        assert!(arrived.iter().all(|at| released.contains(at)), "{arrived:?} and {released:?}");
        before += released.len();
        refused += log.iter().filter(|entry| entry.detail.to_string().contains("BEFORE_COMMIT")).count();
    }
    println!("{before} released, {refused} withdrawn in between");
    assert!(before > 0 && before < ROUNDS * REQUESTS, "the rounds say something");
}
