//! The keys of the log: each procedure of docs/keys.md, walked through with the real gateway and the real command line.

mod instances;
mod region;
mod trouble;

use serde_json::Value;

use self::region::{NEW_YEAR, Region, key};

/// Procedure: a new year.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_year_begins_a_new_shard_and_consents_last() {
    let mut region = Region::start().await;
    region.record().await;
    assert!(region.is_released().await);
    let first = region.gateway().verifier_key.clone();
    region.key_is_there();
    region.now(NEW_YEAR);
    region.is_over().await;
    assert!(region.is_released().await, "until it starts again, it serves");
    region.restart().await;
    assert!(region.origin().await.ends_with("/2027"));
    assert!(region.is_released().await, "what was countersigned under the old key stays good");

    // The old shard ends with the announcement and the seal; the new one begins with what is in force.
    let (old, new) = (region.shard("2026").await, region.shard("2027").await);
    let [.., announced, seal] = old.as_slice() else { panic!() };
    let announced = if announced.kind == "key" {
        announced
    } else {
        old.iter().rev().find(|entry| entry.kind == "key").unwrap()
    };
    assert_eq!(
        (announced.facts["event"].as_str(), announced.facts["shard"].as_u64()),
        (Some("announced"), Some(1))
    );
    assert_eq!((seal.kind.as_str(), seal.facts["reason"].as_str()), ("seal", Some("year")));
    let genesis = &new[0];
    assert_eq!((genesis.kind.as_str(), genesis.facts["reason"].as_str()), ("genesis", Some("year")));
    assert_eq!(genesis.facts["previous"]["size"], old.len());
    assert_eq!(genesis.facts["first"], old.len());
    let carried: Vec<_> = new.iter().filter(|entry| entry.facts["carried"] == true).collect();
    let of = |kind: &str| carried.iter().filter(|entry| entry.kind == kind).count();
    assert_eq!((of("policy"), of("agreement")), (1, carried.len() - 1));
    assert!(of("agreement") > 0);
    let before = old.iter().rev().find(|entry| entry.kind == "policy").unwrap();
    let after = carried.iter().find(|entry| entry.kind == "policy").unwrap();
    assert_eq!(before.detail, after.detail, "each shard has the files that decide");
    assert_eq!(genesis.facts["policies"], old[0].facts["policies"]);

    // Whoever trusts the first key is led to the second.
    region.stop().await;
    let (dirs, out) = region.export_all().await;
    region.trust(&[&first]);
    region.verified(&dirs, 0);
    region.verified(&[dirs[1].clone(), dirs[0].clone()], 4);
    region.verified(&dirs[..1], 0);
    drop(out);

    // A start in the same year begins nothing, and reads nothing of the shard that is closed.
    let size = region.without_closed_entries().await;
    region.restart().await;
    assert!(region.origin().await.ends_with("/2027"));
    assert!(region.size().await > size);
    assert!(region.is_released().await);
    region.stop().await;
}

/// Procedure: a routine change of the key. And what the tools say while a gateway has the database.
#[tokio::test(flavor = "multi_thread")]
async fn a_routine_change_is_ordered_and_the_next_start_follows() {
    let mut region = Region::start().await;
    let first = region.gateway().verifier_key.clone();
    region.stop().await;
    let ordered = region.cli(&["log", "rotate", "--reason", "routine", "--json"], 0);
    let ordered: Value = serde_json::from_str(&ordered).unwrap();
    region.restart().await;
    assert!(region.origin().await.ends_with("/2026.2"));
    assert_eq!(key(&region.gateway().verifier_key), key(ordered["key"].as_str().unwrap()));
    let new = region.shard("2026.2").await;
    assert_eq!(new[0].facts["reason"], "rotation");
    region.stop().await;
    let (dirs, _out) = region.export_all_by_command();
    region.trust(&[&first]);
    region.verified(&dirs, 0);
    // One shard by its number.
    let (one, none) = (region.path("one"), region.path("none"));
    region.cli(&["audit", "export", "--shard", "0", "--out", one.to_str().unwrap()], 0);
    assert_eq!(region.verified(&[one], 0)["origin"], "test.sluis.example/waterregio/2026");
    let none = none.to_str().unwrap();
    let said = region.cli(&["audit", "export", "--shard", "2", "--out", none], 1);
    assert!(said.contains("there is no shard of that number"), "{said}");
    let said = region.cli(&["audit", "export", "--shard", "0", "--cosigned", "--out", none], 1);
    assert!(said.contains("is kept of the shard that is written, and of no other"), "{said}");
    // The order was followed once.
    region.restart().await;
    assert!(region.origin().await.ends_with("/2026.2"));
    // In its own year a shard with a number is followed as any other.
    region.key_is_there();
    region.now(NEW_YEAR);
    region.is_over().await;
    region.restart().await;
    assert!(region.origin().await.ends_with("/2027"));
    region.stop().await;
    let (dirs, _out) = region.export_all().await;
    region.verified(&dirs, 0);
    assert_eq!(dirs.len(), 3);
}

/// Procedure: the key was stolen. The one that lay ready beside it was stolen with it, although it was announced.
#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_key_is_followed_by_one_that_did_not_lie_beside_it() {
    let mut region = Region::start().await;
    let first = region.gateway().verifier_key.clone();
    let made: Value = serde_json::from_str(&region.cli(&["log", "key", "next", "--json"], 0)).unwrap();
    assert_eq!(made["new"], true);
    let again: Value = serde_json::from_str(&region.cli(&["log", "key", "next", "--json"], 0)).unwrap();
    assert_eq!((&again["key"], &again["new"]), (&made["key"], &Value::Bool(false)));
    region.announced(made["key"].as_str().unwrap()).await;
    region.stop().await;
    let ordered: Value =
        serde_json::from_str(&region.cli(&["log", "rotate", "--reason", "compromised", "--json"], 0))
            .unwrap();
    assert_ne!(ordered["key"], made["key"]);
    region.restart().await;
    let second = region.gateway().verifier_key.clone();
    assert_eq!(key(&second), key(ordered["key"].as_str().unwrap()));
    region.stop().await;
    let (dirs, _out) = region.export_all().await;
    region.trust(&[&first, &second]);
    region.verified(&dirs, 0);
    // What a stolen key announces is trusted by nobody.
    region.trust(&[&first]);
    region.verified(&dirs, 4);
}
