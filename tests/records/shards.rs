//! A log in several shards: each record names the one that its entry is in, and its index there.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    lab::{Region, places},
    receiver::{Receiver, text},
};

/// Name of the log, index in it and span, as the command writes them.
fn told(line: &Value) -> (String, String, String) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let position = &line["attributes"]["dpl.sluis.position"];
    (text(&line["resource"]["attributes"]["sluis.log"]), text(position), text(&line["span_id"]))
}

/// A logboek that is there later than the log gets all of it, whatever shard is written to by then.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_names_the_shard_that_it_is_in() {
    let (mut region, mut receiver) = (Region::new(|_| {}).await, Receiver::start(&[]).await);
    region.serve("sluis.toml").await;
    region.live().await;
    region.stop().await;
    region.rotate();
    region.serve("sluis.toml").await;
    region.look().await;
    region.stop().await;
    region.plain(receiver.address);
    region.serve("sluis.toml").await;
    region.look().await;
    let wanted = places(region.store().as_ref()).await;
    receiver.until("both shards", |stored| stored.places == wanted).await;
    region.stop().await;

    // The same as the command makes of the exports, with which the records are proven.
    let all = region.export("all", &["--all"]);
    let mut made = BTreeSet::new();
    for shard in std::fs::read_dir(all).unwrap() {
        made.extend(region.records(&shard.unwrap().path(), "ldv").iter().map(told));
    }
    let stored = receiver.stored.lock().unwrap();
    assert_eq!(stored.resources.len(), 2, "{:?}", stored.resources);
    for (span, times) in stored.spans.values() {
        let position = text(&span.attributes, "dpl.sluis.position").unwrap();
        let span = hex::encode(&span.span_id);
        let known = |(_, at, id): &&(String, String, String)| *at == position && *id == span;
        let (log, ..) = made.iter().find(known).unwrap();
        assert!(stored.places.contains(&(log.clone(), position.parse().unwrap())));
        assert_eq!(*times, 1);
    }
}
