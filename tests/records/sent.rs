//! What the gateway sends by itself: everything, at least once, whatever the other side does and however often it restarts.

use std::collections::BTreeSet;

use opentelemetry_proto::tonic::trace::v1::Span;

use crate::{
    lab::{BSN, Region, UNKNOWN, handed_on},
    receiver::{Act, Receiver, acceptor, text},
};

async fn region() -> Region {
    Region::new(|_| {}).await
}

fn root(stored: &crate::receiver::Stored, effect: &str) -> Span {
    let mut roots = stored.spans.values().map(|(span, _)| span).filter(|span| span.parent_span_id.is_empty());
    let found = roots.find(|span| text(&span.attributes, "dpl.sluis.effect").as_deref() == Some(effect));
    found.unwrap_or_else(|| panic!("no {effect}")).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_arrives_as_a_span_of_the_standard() {
    let (mut region, mut receiver) = (region().await, Receiver::start(&[]).await);
    region.plain(receiver.address);
    region.serve("sluis.toml").await;
    region.live().await;
    let wanted = handed_on(region.store().as_ref()).await;
    receiver.until("all of it", |stored| stored.positions == wanted).await;
    region.stop().await;

    let stored = receiver.stored.lock().unwrap();
    assert_eq!(stored.resources.len(), 1, "{:?}", stored.resources);
    // A denial is no error to this log.
    for effect in ["released", "not_provided", "refused", "validated"] {
        let span = root(&stored, effect);
        assert_eq!(span.status.as_ref().unwrap().code, 0, "{effect}");
        assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
        assert!(span.start_time_unix_nano > 0 && span.start_time_unix_nano.is_multiple_of(1_000_000));
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
        let attribute = |name: &str| text(&span.attributes, name).unwrap_or_default();
        let purpose = if effect == "refused" { "FRAUD_DETECTION" } else { "REINTEGRATION" };
        let activity = format!("https://register.example/activities/{purpose}");
        assert_eq!(attribute("dpl.core.processing_activity_id"), activity);
        assert!(attribute("dpl.core.data_subject_id").parse::<uuid::Uuid>().is_ok());
        assert!(attribute("dpl.core.data_subject_id_type").starts_with("https://sluis.example/"));
    }
    let released = root(&stored, "released");
    let inside = stored.spans.values().filter(|(span, _)| span.parent_span_id == released.span_id);
    assert!(inside.count() > 0, "a span for each source that released something");
    // No two records have a reference in common, and no number went out.
    let roots = stored.spans.values().filter(|(span, _)| span.parent_span_id.is_empty());
    let references: Vec<_> =
        roots.filter_map(|(span, _)| text(&span.attributes, "dpl.core.data_subject_id")).collect();
    assert_eq!(references.iter().collect::<BTreeSet<_>>().len(), references.len());
    let all = format!("{:?}", stored.spans);
    for number in [BSN, UNKNOWN] {
        assert!(!all.contains(number));
    }
    assert!(!all.contains("NO_GRANT"), "why stays in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_to_a_logboek_that_refuses_takes_a_part_or_dies() {
    use Act::{Die, Refuse, Take, TakeSome};
    let acts = [Refuse, Refuse, Die, TakeSome, TakeSome, Take, Refuse, TakeSome, Die, Take, TakeSome, Refuse];
    let (mut region, mut receiver) = (region().await, Receiver::start(&acts).await);
    region.plain(receiver.address);
    region.serve("sluis.toml").await;
    region.live().await;
    for _ in 0..6 {
        region.look().await;
    }
    let wanted = handed_on(region.store().as_ref()).await;
    receiver.until("all of it", |stored| stored.positions == wanted).await;
    // Every call that was not acknowledged was made again, and what came twice had the same ids and was the same: the
    // receiver looks.
    let calls = receiver.stored.lock().unwrap().calls.len();
    receiver.until("the rest of the acts", |stored| stored.calls.len() >= calls).await;
    region.stop().await;
    let stored = receiver.stored.lock().unwrap();
    assert!(stored.spans.values().any(|(_, times)| *times > 1), "at least once is more than once here");
    assert_eq!(stored.at_once, 1, "one call at a time");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cursor_moves_on_an_acknowledgement_and_on_nothing_else() {
    let unwilling = [Act::Refuse, Act::TakeSome, Act::Die, Act::TakeSome, Act::Refuse, Act::TakeSome];
    let (mut region, mut receiver) = (region().await, Receiver::start(&unwilling).await);
    // Something is there from before: it is sent first, in the order of the log.
    region.serve("sluis.toml").await;
    region.live().await;
    region.stop().await;
    region.plain(receiver.address);
    region.serve("sluis.toml").await;
    receiver.until("some calls", |stored| stored.calls.len() >= 3).await;
    let first = *handed_on(region.store().as_ref()).await.first().unwrap();
    // What comes before the first that is handed on needs no acknowledgement.
    let cursor = region.store().logboek().await.unwrap();
    assert!(cursor <= first, "{cursor} of {first}");
    let wanted = handed_on(region.store().as_ref()).await;
    receiver.until("all of it", |stored| stored.positions == wanted).await;
    region.stop().await;
    let cursor = region.stored().await.logboek().await.unwrap();
    assert!(cursor <= wanted.last().unwrap() + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_arrives_over_restarts_and_none_is_sent_anew_that_was_acknowledged() {
    let (mut region, mut receiver) = (region().await, Receiver::start(&[]).await);
    region.plain(receiver.address);
    let mut wanted = BTreeSet::new();
    for round in 0..4 {
        if round == 2 {
            receiver.act(&[Act::Die, Act::Refuse]);
        }
        region.serve("sluis.toml").await;
        for _ in 0..5 {
            region.look().await;
        }
        wanted = handed_on(region.store().as_ref()).await;
        if round % 2 == 0 {
            receiver.until("all of this round", |stored| wanted.is_subset(&stored.positions)).await;
        }
        // In odd rounds it is stopped at whatever moment.
        region.stop().await;
    }
    region.serve("sluis.toml").await;
    receiver.until("all of it", |stored| wanted.is_subset(&stored.positions)).await;
    region.look().await;
    let last = handed_on(region.store().as_ref()).await;
    receiver.until("the last look", |stored| stored.positions == last).await;
    // The call with the last look came after everything before it was acknowledged.
    let again = receiver.stored.lock().unwrap().calls.last().copied();
    assert_eq!(again, Some(1), "only what is new");
    region.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exchange_does_not_wait_for_a_logboek_that_is_away() {
    let mut region = region().await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    region.plain(nobody);
    region.serve("sluis.toml").await;
    region.live().await;
    let first = *handed_on(region.store().as_ref()).await.first().unwrap();
    // What comes before the first that is handed on needs nobody's acknowledgement.
    assert!(region.store().logboek().await.unwrap() <= first);
    region.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_over_mutual_tls_to_the_organisation_that_was_named_and_to_no_other() {
    let mut region = region().await;
    let mut receiver = Receiver::start_with(acceptor(&region.dir, "kade")).await;
    let url = format!("https://localhost:{}", receiver.address.port());
    let to = |oin: &str| format!("url = \"{url}\"\noin = \"{oin}\"\n");
    region.logboek("sluis.toml", &to("00000099000002001000"));
    region.serve("sluis.toml").await;
    region.live().await;
    let first = *handed_on(region.store().as_ref()).await.first().unwrap();
    assert!(region.store().logboek().await.unwrap() <= first, "somebody else answers there");
    region.stop().await;
    assert!(receiver.stored.lock().unwrap().calls.is_empty());

    region.logboek("sluis.toml", &to("00000099000003001000"));
    region.serve("sluis.toml").await;
    let wanted = handed_on(region.store().as_ref()).await;
    receiver.until("all of it", |stored| stored.positions == wanted).await;
    region.stop().await;
}

/// The cursor can stand between a request and its outcome: what the request said is looked up then.
#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_whose_request_was_passed_before_a_restart_is_whole() {
    let (mut region, mut receiver) = (region().await, Receiver::start(&[]).await);
    region.serve("sluis.toml").await;
    assert_eq!(region.ask(|request| request.bsn = UNKNOWN.to_owned()).await, Some(0));
    let outcome = *handed_on(region.store().as_ref()).await.last().unwrap();
    region.stop().await;
    let store = region.stored().await;
    store.logboek_turn().await.unwrap().unwrap().acknowledged(0, outcome).await.unwrap();
    store.close().await;
    drop(store);

    region.plain(receiver.address);
    region.serve("sluis.toml").await;
    receiver.until("the outcome", |stored| stored.positions.contains(&outcome)).await;
    region.stop().await;
    let stored = receiver.stored.lock().unwrap();
    assert!(stored.positions.iter().all(|position| *position >= outcome), "what was acknowledged stays so");
    let span = root(&stored, "not_provided");
    // An answer that provides nothing leaves at a fixed time after its request.
    assert!(span.end_time_unix_nano - span.start_time_unix_nano >= 1_000_000_000);
}
