//! A PostgreSQL that goes away for a while: nothing is served, health says so, and it goes on when the server is back.

use std::time::{Duration, Instant};

use tokio::time::sleep;
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    bad_tools::assert_refused,
    database,
    lab::{Lab, question},
    proxy::{Mood, Proxy},
};

/// Waits until health says this.
async fn until(health: &mut HealthClient<Channel>, status: ServingStatus) {
    let begun = Instant::now();
    loop {
        let now = health.check(HealthCheckRequest::default()).await.unwrap().into_inner().status();
        if now == status {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "health stays {now:?}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p04_while_the_database_is_away_nothing_is_served_and_health_says_so() {
    let proxy = Proxy::before(&database::fresh().await).await;
    let url = proxy.url.parse().unwrap();
    let lab = Lab::start_with(|options| options.database = Some(url)).await;
    lab.record_main().await;
    let client = lab.client("waterrijk").await;
    let mut health = HealthClient::new(client.channel());
    until(&mut health, ServingStatus::Serving).await;
    assert_eq!(lab.ask("waterrijk", question()).await.unwrap().disclosures.len(), 2);

    proxy.set(Mood::Away);
    for _ in 0..3 {
        let refused = lab.ask("waterrijk", question()).await.unwrap_err();
        assert_refused("away", &refused, (Code::Unavailable, "LOG_UNAVAILABLE", &[]));
    }
    until(&mut health, ServingStatus::NotServing).await;

    proxy.set(Mood::Good);
    assert_eq!(lab.ask("waterrijk", question()).await.unwrap().disclosures.len(), 2);
    until(&mut health, ServingStatus::Serving).await;
    lab.world.stop().await;
}
