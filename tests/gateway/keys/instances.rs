//! Several gateways on one PostgreSQL, and a new year.

use std::process::{Child, Command, Stdio};

use serde_json::json;
use sluis::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        writer::{CommitFault, Work},
    },
    domain::PairId,
    proto,
};
use tokio::time::timeout;

use super::region::{NEW_YEAR, PATIENCE, Region, key};
use crate::database;

/// Longer than a gateway rests before it tries again.
const LATER: &str = "2027-01-01T00:15:00.000Z";

#[tokio::test(flavor = "multi_thread")]
async fn instances_begin_a_new_year_together_once_they_have_the_key() {
    let mut region = Region::on_postgres(2).await;
    let first = region.gateway().verifier_key.clone();
    region.now(NEW_YEAR);
    // Without the next key the log goes on where it is.
    region.restart().await;
    assert!(region.origin().await.ends_with("/2026"));
    region.record().await;
    assert!(region.is_released().await);
    region.cli(&["log", "key", "next"], 0);
    region.is_over().await;
    let other = region.others.pop().unwrap();
    other.is_over().await;
    region.stop().await;
    other.stop().await;
    let (one, two) = tokio::join!(region.instance("sluis.toml"), region.instance("sluis-2.toml"));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.verifier_key, two.verifier_key);
    assert_ne!(key(&one.verifier_key), key(&first));
    for gateway in [&one, &two] {
        let head = gateway.store.head().await.unwrap().unwrap();
        assert!(head.origin.ends_with("/2027"));
        gateway.log.commit(an_entry()).await.unwrap();
    }
    assert_eq!(one.store.shards().await.unwrap().len(), 1);
    one.stop().await;
    two.stop().await;
    let (dirs, _out) = region.export_all().await;
    region.trust(&[&first]);
    region.verified(&dirs, 0);
}

/// One instance goes on in the next shard; another that still runs writes nothing any more, and says that it is over.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_was_left_behind_writes_nothing() {
    let mut region = Region::on_postgres(2).await;
    let other = region.others.pop().unwrap();
    // An order goes in beside running instances.
    region.cli(&["log", "rotate", "--reason", "routine"], 0);
    region.restart().await;
    assert!(region.origin().await.ends_with("/2026.2"));
    let late = other.log.commit(an_entry()).await.unwrap_err();
    assert_eq!(late, CommitFault::Closed);
    other.is_over().await;
    other.stop().await;
    region.stop().await;
}

/// The service itself: it starts again in its own process and on its own port, and stops when it is told to.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_starts_itself_again_in_the_new_shard() {
    let mut region = Region::on_postgres(1).await;
    region.record().await;
    region.stop().await;
    let mut service = Service::start(&region);
    let released = async || while !region.is_released().await {};
    timeout(PATIENCE, released()).await.unwrap();
    region.cli(&["log", "rotate", "--reason", "routine"], 0);
    let next = async || {
        let Some(officer) = region.try_client("fg").await else { return false };
        let answer = officer.audit().get_checkpoint(proto::GetCheckpointRequest::default()).await;
        answer.is_ok_and(|answer| answer.into_inner().checkpoint.lines().next().unwrap().ends_with("/2026.2"))
    };
    timeout(PATIENCE, async { while !next().await {} }).await.unwrap();
    timeout(PATIENCE, released()).await.unwrap();
    assert!(service.0.try_wait().unwrap().is_none(), "it is the same process");
    let told = Command::new("kill").arg(service.0.id().to_string()).status().unwrap();
    assert!(told.success());
    assert!(service.0.wait().unwrap().success(), "drained and stopped in order");
}

struct Service(Child);

impl Service {
    fn start(region: &Region) -> Self {
        let config = region.dir.join("sluis.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_sluis"));
        command.arg("serve").arg("--config").arg(config).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A request of another instance that does not come to its end keeps the shard open: the log goes on, and is sealed later.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_stays_open_keeps_last_years_shard_for_a_while() {
    let database = database::fresh().await.parse().unwrap();
    let mut region = Region::with(|options| {
        (options.instances, options.database) = (2, Some(database));
        // So that nobody takes the request for interrupted meanwhile.
        options.answer_after_ms = 60_000;
    })
    .await;
    region.cli(&["log", "key", "next"], 0);
    let other = region.others.pop().unwrap();
    region.now(NEW_YEAR);
    let pair = PairId::random();
    let entry = |kind| NewEntry { pair, ..NewEntry::of_gateway(kind, json!({ "effect": "nothing" })) };
    other.log.commit(Work::Request { entry: entry(Kind::Request), claim: None }).await.unwrap();
    region.restart().await;
    assert!(region.origin().await.ends_with("/2026"));
    region.gateway().log.commit(an_entry()).await.unwrap();
    other.log.commit(Work::Outcome { entry: entry(Kind::Outcome), needs: vec![] }).await.unwrap();
    region.now(LATER);
    region.is_over().await;
    region.restart().await;
    assert!(region.origin().await.ends_with("/2027"));
    other.is_over().await;
    other.stop().await;
    region.stop().await;
}

fn an_entry() -> Work {
    Work::Append(NewEntry::of_gateway(Kind::Access, json!({})))
}

/// An instance that was down while another began the next shard makes no second key for it: copied to the others, as the
/// command says, it would be written over the one that the log is signed with.
#[tokio::test(flavor = "multi_thread")]
async fn no_second_key_is_made_for_a_shard_in_use_or_announced() {
    let mut region = Region::on_postgres(1).await;
    let (keys, behind) = (region.key_file(""), region.dir.join("behind/keys"));
    std::fs::create_dir_all(&behind).unwrap();
    let copy = |name: &str| std::fs::copy(keys.join(name), behind.join(name)).unwrap();
    for name in ["index.key", "master.key", "log.key", "log.pub"] {
        copy(name);
    }
    let config = std::fs::read_to_string(region.dir.join("sluis.toml")).unwrap();
    let config = config.replace("data_dir = \"data\"", "data_dir = \"behind\"");
    // As a copy, so that nobody else may read the password in it.
    std::fs::copy(region.dir.join("sluis.toml"), region.dir.join("behind.toml")).unwrap();
    std::fs::write(region.dir.join("behind.toml"), config).unwrap();
    let made: serde_json::Value =
        serde_json::from_str(&region.cli(&["log", "key", "next", "--json"], 0)).unwrap();
    region.announced(made["key"].as_str().unwrap()).await;
    let said = region.cli_of("behind.toml", &["log", "key", "next"], 1);
    assert!(said.contains("keys/log-1.key from the instance that made it"), "{said}");
    region.now(NEW_YEAR);
    region.is_over().await;
    region.restart().await;
    assert!(region.origin().await.ends_with("/2027"));
    let said = region.cli_of("behind.toml", &["log", "key", "next"], 1);
    assert!(said.contains("log-1.key` is missing"), "{said}");
    assert!(!behind.join("log-1.key").exists());
    // With the key of the shard in use it is the next one that is made.
    copy("log-1.key");
    let said = region.cli_of("behind.toml", &["log", "key", "next", "--json"], 0);
    assert!(said.contains("log-2.key"), "{said}");
    region.stop().await;
}
