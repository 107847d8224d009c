//! What goes wrong: a lost key, a database from an older copy, a crash in the middle.

use serde_json::{Value, json};
use sluis::audit::{
    entry::NewEntry,
    leaf::Kind,
    writer::{CommitFault, Work},
};

use super::region::{NEW_YEAR, Region};

/// Procedure: the key is lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_key_ends_its_shard_without_a_seal() {
    let mut region = Region::start().await;
    let first = region.gateway().verifier_key.clone();
    region.record().await;
    region.stop().await;
    let said = region.cli(&["log", "anew", "--reason", "key-lost"], 1);
    assert!(said.contains("can be continued"), "{said}");
    std::fs::remove_file(region.key_file("log.key")).unwrap();
    let said = region.refused().await;
    assert!(said.contains("log.key` is missing"), "{said}");
    let begun = region.cli(&["log", "anew", "--reason", "key-lost", "--json"], 0);
    let begun: Value = serde_json::from_str(&begun).unwrap();
    region.restart().await;
    assert_eq!(begun["key"], region.gateway().verifier_key);
    assert!(region.origin().await.ends_with("/2026.2"));
    assert!(region.is_released().await, "what was countersigned under the lost key stays good");
    let (old, new) = (region.shard("2026").await, region.shard("2026.2").await);
    assert_eq!(new[0].facts["reason"], "key_lost");
    assert_eq!((&new[0].facts["previous"]["size"], &new[0].facts["last"]), (&json!(old.len()), &Value::Null));
    region.stop().await;
    let (dirs, _out) = region.export_all().await;
    region.trust(&[&first, begun["key"].as_str().unwrap()]);
    region.verified(&dirs, 0);
    // Nothing vouches for the new key but whoever gave it.
    region.trust(&[&first]);
    region.verified(&dirs, 4);
}

/// Procedure: the database was put back from an older copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_restored_database_is_never_signed_again_with_the_old_key() {
    if crate::database::on_postgres() {
        // A copy of the file is a copy of the embedded database.
        return;
    }
    let mut region = Region::start().await;
    let first = region.gateway().verifier_key.clone();
    region.record().await;
    region.stop().await;
    region.copy_database(false);
    region.restart().await;
    assert!(region.is_released().await);
    let seen = region.gateway().store.head().await.unwrap().unwrap();
    std::fs::write(region.path("seen"), &seen.checkpoint).unwrap();
    region.stop().await;
    let (longer, _kept) = region.export_all().await;
    region.copy_database(true);

    // Nothing here tells that something is missing; whoever keeps a checkpoint does.
    let said = region.cli(&["log", "anew", "--reason", "restored"], 1);
    assert!(said.contains("can be continued"), "{said}");
    std::fs::write(region.path("other"), "no checkpoint\n").unwrap();
    let other = region.path("other");
    let other = other.to_str().unwrap();
    let said = region.cli(&["log", "anew", "--reason", "restored", "--last", other], 1);
    assert!(said.contains("is not one that a key of this gateway signed"), "{said}");
    let path = region.path("seen");
    let last = path.to_str().unwrap();
    let begun = region.cli(&["log", "anew", "--reason", "restored", "--json", "--last", last], 0);
    let begun: Value = serde_json::from_str(&begun).unwrap();
    region.restart().await;
    let (old, new) = (region.shard("2026").await, region.shard("2026.2").await);
    let genesis = &new[0].facts;
    assert_eq!((&genesis["reason"], &begun["erase_again"]), (&json!("restored"), &json!(true)));
    assert_eq!(
        (&genesis["previous"]["size"], &genesis["last"]["size"]),
        (&json!(old.len()), &json!(seen.size))
    );
    assert!(seen.size > old.len() as u64);
    assert_eq!(genesis["last"]["checkpoint"], seen.checkpoint);
    assert!(region.is_released().await);
    region.stop().await;
    assert!(!region.key_file("log.key").exists() && region.key_file("log.pub").exists());

    let (dirs, _out) = region.export_all().await;
    region.trust(&[&first, begun["key"].as_str().unwrap()]);
    region.verified(&dirs, 0);
    // An export from before the loss is longer, and begins as the new shard says.
    region.verified(&[longer[0].clone(), dirs[1].clone()], 0);

    // The same copy once more: the keys know better.
    region.copy_database(true);
    let said = region.refused().await;
    assert!(said.contains("/2026.2") && said.contains("--reason restored"), "{said}");
    let said = region.cli(&["log", "anew", "--reason", "restored"], 0);
    assert!(said.contains("erase them again"), "{said}");
    region.restart().await;
    assert!(region.origin().await.ends_with("/2026.3"), "no name is used twice");
    region.stop().await;

    // Nor does whoever puts a backup in place think that an erasure since then still holds.
    let out = region.path("backups");
    let made = region.cli(&["store", "backup", "--json", "--out", out.to_str().unwrap()], 0);
    let made: Value = serde_json::from_str(&made).unwrap();
    for file in ["sluis.db", "sluis.db-wal", "sluis.db-shm"] {
        std::fs::remove_file(region.key_file("..").join(file)).ok();
    }
    let said = region.cli(&["store", "restore", "--log", made["log"].as_str().unwrap()], 0);
    assert!(said.contains("erase them again"), "{said}");
}

/// A region whose gateway was killed between the seal and the next shard, and the key of the sealed one.
async fn sealed() -> (Region, String) {
    let mut region = Region::start().await;
    let first = region.gateway().verifier_key.clone();
    let made: Value = serde_json::from_str(&region.cli(&["log", "key", "next", "--json"], 0)).unwrap();
    region.announced(made["key"].as_str().unwrap()).await;
    let facts = json!({ "reason": "year", "because": null, "next": made["key"] });
    let log = &region.gateway().log;
    log.commit(Work::Seal(NewEntry::of_gateway(Kind::Seal, facts))).await.unwrap();
    let late = log.commit(Work::Append(NewEntry::of_gateway(Kind::Access, json!({})))).await;
    assert_eq!(late.unwrap_err(), CommitFault::Closed);
    region.is_over().await;
    region.stop().await;
    (region, first)
}

/// A crash between the seal and the next shard: the next start goes on from there.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_after_a_seal_goes_on_with_the_next_shard() {
    let (mut region, first) = sealed().await;
    // Without the key that was announced there is no way on in order, and no other key is made.
    let (key, aside) = (region.key_file("log-1.key"), region.path("aside"));
    std::fs::rename(&key, &aside).unwrap();
    let said = region.refused().await;
    assert!(said.contains("is sealed"), "{said}");
    assert!(!key.exists());
    std::fs::rename(&aside, &key).unwrap();
    region.now(NEW_YEAR);
    region.restart().await;
    assert!(region.origin().await.ends_with("/2027"));
    region.stop().await;
    let (dirs, _out) = region.export_all().await;
    region.trust(&[&first]);
    let report = region.verified(&dirs, 0);
    assert_eq!(report["findings"], json!([]));
}

/// The same, and the key that was announced is lost for good: a start says what to do, and that is what helps.
#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_shard_whose_next_key_is_lost_is_followed_by_a_log_begun_anew() {
    let (mut region, first) = sealed().await;
    let said = region.cli(&["log", "anew", "--reason", "key-lost"], 1);
    assert!(said.contains("can be continued"), "{said}");
    let (key, public) = (region.key_file("log-1.key"), region.key_file("log-1.pub"));
    std::fs::remove_file(&key).unwrap();
    std::fs::remove_file(&public).unwrap();
    let said = region.refused().await;
    assert!(said.contains("is sealed") && said.contains("log anew --reason key-lost"), "{said}");
    assert!(!key.exists());
    let begun = region.cli(&["log", "anew", "--reason", "key-lost", "--json"], 0);
    let begun: Value = serde_json::from_str(&begun).unwrap();
    region.restart().await;
    assert_eq!(begun["key"], region.gateway().verifier_key);
    assert!(region.origin().await.ends_with("/2026.2"));
    let (old, new) = (region.shard("2026").await, region.shard("2026.2").await);
    assert_eq!((old.last().unwrap().kind.as_str(), &new[0].facts["reason"]), ("seal", &json!("key_lost")));
    assert_eq!(new[0].facts["previous"]["size"], old.len());
    region.stop().await;
    let (dirs, _out) = region.export_all().await;
    region.trust(&[&first, begun["key"].as_str().unwrap()]);
    let report = region.verified(&dirs, 0);
    assert_eq!(report["findings"], json!([]));
    // Nothing vouches for the new key but whoever gave it.
    region.trust(&[&first]);
    region.verified(&dirs, 4);
}

/// Whoever can write into the database and nothing more ends no shard, and hides no end.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_the_signed_log_does_not_have_is_not_acted_on() {
    let (mut region, _) = sealed().await;
    let text = if crate::database::on_postgres() {
        ("convert_from(facts, 'UTF8')", "convert_to(replace(", ", 'year', 'rotation'), 'UTF8')")
    } else {
        ("cast(facts as text)", "cast(replace(", ", 'year', 'rotation') as blob)")
    };
    let (read, before, after) = text;
    let last = "where position = (select first + size - 1 from head)";
    region.written_to(&format!("create table kept as select * from entry {last}")).await;
    region.written_to(&format!("update entry set facts = {before}{read}{after} {last}")).await;
    let said = region.refused().await;
    assert!(said.contains("a `seal` entry is not what the signed log has there"), "{said}");
    let said = region.cli(&["log", "anew", "--reason", "key-lost"], 1);
    assert!(said.contains("a `seal` entry is not what the signed log has there"), "{said}");
    // The leaf of another entry in its place.
    let other = "(select leaf from entry where kind = 'key' order by position desc limit 1)";
    region.written_to(&format!("update entry set leaf = {other} {last}")).await;
    let said = region.refused().await;
    assert!(said.contains("a `key` entry is not what the signed log has there"), "{said}");
    region.written_to(&format!("delete from entry {last}")).await;
    let said = region.refused().await;
    assert!(said.contains("is missing"), "{said}");
    region.written_to("insert into entry select * from kept; drop table kept").await;
    region.restart().await;
    assert!(region.origin().await.ends_with("/2026.2"));
    region.stop().await;
}
