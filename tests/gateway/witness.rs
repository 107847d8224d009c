//! A gateway and its witnesses, each a process of its own: what a database that was set back, or a second one under the
//! same key, looks like from outside.

#[path = "../witness/lab.rs"]
#[allow(dead_code, reason = "shared with the tests of the witness")]
mod process;
mod scripted;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use process::{Witness, write_config};
use serde_json::json;
use sluis::{
    app::{Gateway, ShardFault, StartFault, WitnessFault, cosigned},
    audit::{checkpoint::Checkpoint, entry::NewEntry, leaf::Kind, trust::Policy, writer::Work},
    client::Profile,
    config::Settings,
    demo::{World, WorldOptions},
    domain::time::SystemClock,
    note::{VerifierKey, cosignature::CosignerKey},
    witness::checkpoint_path,
};
use tempfile::TempDir;
use tokio::time::timeout;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{database::on_postgres, lab::read_log, promises::copy};

/// Far longer than anything here takes.
const LONG: Duration = Duration::from_secs(30);

/// A region whose gateway has begun its log and is stopped.
struct Region {
    dir: PathBuf,
    key: VerifierKey,
    folder: TempDir,
}

impl Region {
    async fn begun() -> Self {
        let database = crate::database::chosen().await;
        Self::with(|options| options.database = database).await
    }

    async fn with(change: impl FnOnce(&mut WorldOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = WorldOptions::new(&folder.path().join("region"));
        change(&mut options);
        let world = World::start(options).await.unwrap();
        let (dir, key) = (world.dir.clone(), world.gateway.verifier_key.parse().unwrap());
        world.stop().await;
        Self { dir, key, folder }
    }

    fn witness(&self, name: &str) -> Witness {
        Witness::start(&write_config(self.folder.path(), name, &self.key))
    }

    /// A configuration of this gateway, with another data folder and with this witness.
    fn config(&self, name: &str, data: &str, address: &str, witness: &Witness) -> PathBuf {
        self.witnessed_by(name, data, &[(address, &witness.key)])
    }

    /// The same with these witnesses, all of which must cosign.
    fn witnessed_by(&self, name: &str, data: &str, witnesses: &[(&str, &CosignerKey)]) -> PathBuf {
        let text = fs::read_to_string(self.dir.join("sluis.toml")).unwrap();
        let text = text.replace("data_dir = \"data\"", &format!("data_dir = \"{data}\""));
        self.write(name, text, witnesses)
    }

    fn write(&self, name: &str, text: String, witnesses: &[(&str, &CosignerKey)]) -> PathBuf {
        let path = self.dir.join(format!("{name}.toml"));
        let listen = text.lines().find(|line| line.starts_with("listen")).unwrap();
        let mut text = text.replace(listen, "listen = \"127.0.0.1:0\"");
        text.push_str("[witnessing]\nevery_s = 1\n");
        for (address, key) in witnesses {
            text.push_str(&format!("[[witness]]\nurl = \"http://{address}/\"\nkey = \"{key}\"\n"));
        }
        fs::write(&path, text).unwrap();
        // It may hold the password of the database.
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path
    }
}

impl Region {
    /// A connection to this gateway, whose port no profile knows.
    async fn channel(&self, gateway: &Gateway) -> tonic::transport::Channel {
        let path = self.dir.join("profiles/fg.toml");
        let text = fs::read_to_string(&path).unwrap();
        let line = text.lines().find(|line| line.starts_with("gateway = ")).unwrap();
        let port = gateway.address.port();
        fs::write(&path, text.replace(line, &format!("gateway = \"https://localhost:{port}\""))).unwrap();
        Profile::load(&path).unwrap().connect().await.unwrap().channel()
    }
}

async fn start(config: &Path) -> Result<Gateway, StartFault> {
    Gateway::start(Settings::load(config).unwrap(), Arc::new(SystemClock)).await
}

async fn append(gateway: &Gateway) {
    let entry = NewEntry::of_gateway(Kind::Access, json!({ "looked_at": "x" }));
    gateway.log.commit(Work::Append(entry)).await.unwrap();
}

async fn size(gateway: &Gateway) -> u64 {
    gateway.store.head().await.unwrap().unwrap().size
}

/// Looks again until it is so.
async fn until<F: Future<Output = bool>>(what: &str, mut look: impl FnMut() -> F) {
    let looking = async {
        let mut tick = tokio::time::interval(Duration::from_millis(20));
        while !look().await {
            tick.tick().await;
        }
    };
    assert!(timeout(LONG, looking).await.is_ok(), "never: {what}");
}

/// Waits until all that the log has now is cosigned.
async fn all_cosigned(gateway: &Gateway, data: &Path, key: &VerifierKey) {
    let wanted = size(gateway).await;
    until("all is cosigned", || async {
        let kept = cosigned(data).unwrap();
        kept.is_some_and(|note| Checkpoint::open(&note, std::slice::from_ref(key)).unwrap().0.size >= wanted)
    })
    .await;
}

fn sluis(arguments: &[&str]) -> (Option<i32>, String) {
    let out: Output = Command::new(env!("CARGO_BIN_EXE_sluis")).args(arguments).output().unwrap();
    (out.status.code(), String::from_utf8([out.stdout, out.stderr].concat()).unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cosigned_export_verifies_with_the_witness_that_one_trusts() {
    let region = Region::begun().await;
    let witness = region.witness("w1");
    let config = region.config("one", "data", &witness.address, &witness);
    let gateway = start(&config).await.unwrap();
    append(&gateway).await;
    all_cosigned(&gateway, &region.dir.join("data"), &region.key).await;
    let path = |name: &str| region.folder.path().join(name);
    let (out, plain, trust) = (path("out"), path("plain"), path("trust.txt"));
    fs::write(
        &trust,
        Policy::witnessed(vec![region.key.clone()], std::slice::from_ref(&witness.key), 1).to_string(),
    )
    .unwrap();
    let (status, told) =
        sluis(&["audit", "export", "--config", text(&config), "--cosigned", "--out", text(&out)]);
    assert_eq!(status, Some(0), "{told}");
    let verify = |dir: &Path, more: &[&str]| {
        let (status, told) = sluis(&[&["audit", "verify", text(dir)], more].concat());
        (status.unwrap(), told)
    };
    let (status, told) = verify(&out, &["--trust", text(&trust), "--require-witness"]);
    assert_eq!(status, 0, "{told}");
    assert!(told.contains("cosigned by `witness.example/w1` at 20"), "{told}");
    assert_eq!(verify(&out, &["--require-witness"]).0, 0, "by its own policy");
    assert_eq!(fs::read_to_string(out.join("policy.txt")).unwrap(), fs::read_to_string(&trust).unwrap());

    // The bare key names no witness; and another witness has not cosigned.
    let bare = path("bare.txt");
    fs::write(&bare, format!("{}\n", region.key)).unwrap();
    let (status, told) = verify(&out, &["--trust", text(&bare), "--require-witness"]);
    assert_eq!((status, told.contains("witness_missing")), (3, true), "{told}");
    assert_eq!(verify(&out, &["--trust", text(&bare)]).0, 0);
    let other = region.witness("w2");
    fs::write(
        &trust,
        Policy::witnessed(vec![region.key.clone()], std::slice::from_ref(&other.key), 1).to_string(),
    )
    .unwrap();
    assert_eq!(verify(&out, &["--trust", text(&trust)]).0, 3, "a policy that asks for witnesses is held to");

    // Once the gateway has stopped an export is an entry, and nobody has cosigned that yet.
    gateway.stop().await;
    let (status, told) = sluis(&["audit", "export", "--config", text(&config), "--out", text(&plain)]);
    assert_eq!(status, Some(0), "{told}");
    assert_eq!(verify(&plain, &[]).0, 0);
    assert_eq!(verify(&plain, &["--require-witness"]).0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_set_back_does_not_start() {
    if on_postgres() {
        return;
    }
    let region = Region::begun().await;
    let witness = region.witness("w1");
    let config = region.config("one", "data", &witness.address, &witness);
    let (data, older) = (region.dir.join("data"), region.folder.path().join("older"));
    let gateway = start(&config).await.unwrap();
    all_cosigned(&gateway, &data, &region.key).await;
    gateway.stop().await;
    copy(&data, &older);
    let gateway = start(&config).await.unwrap();
    append(&gateway).await;
    all_cosigned(&gateway, &data, &region.key).await;
    let newest = size(&gateway).await;
    gateway.stop().await;

    let refused = async |by: &str| {
        let before = fs::read(data.join("sluis.db")).unwrap();
        match start(&config).await.map(|_| ()).unwrap_err() {
            StartFault::Witness(WitnessFault::SetBack { by: found, known, stored }) => {
                assert_eq!((found.as_str(), known), (by, newest));
                assert!(stored < known);
            }
            other => panic!("{other}"),
        }
        assert!(before == fs::read(data.join("sluis.db")).unwrap(), "nothing was written");
    };
    // The database alone: what was kept beside it tells.
    let restore = |name: &str| fs::copy(older.join(name), data.join(name)).unwrap();
    restore("sluis.db");
    refused("the cosigned checkpoint in the data folder").await;
    // The whole folder: only the witness knows.
    restore("cosigned");
    refused("witness.example/w1").await;
    // A new database under the old keys is set back to nothing.
    for name in ["sluis.db", "sluis.db-wal", "sluis.db-shm", "cosigned"] {
        drop(fs::remove_file(data.join(name)));
    }
    match start(&config).await.map(|_| ()).unwrap_err() {
        // The folder of keys tells already what they have signed.
        StartFault::Shard(ShardFault::Older { .. }) => {}
        other => panic!("{other}"),
    }
    for file in fs::read_dir(data.join("keys")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "pub") {
            fs::remove_file(path).unwrap();
        }
    }
    match start(&config).await.map(|_| ()).unwrap_err() {
        StartFault::Witness(WitnessFault::SetBack { known, stored: 0, .. }) => assert_eq!(known, newest),
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_comes_back_stops_a_gateway_that_was_set_back_meanwhile() {
    if on_postgres() {
        return;
    }
    let region = Region::begun().await;
    let mut witness = region.witness("w1");
    let address = witness.address.clone();
    let config = region.config("one", "data", &address, &witness);
    let (data, older) = (region.dir.join("data"), region.folder.path().join("older"));
    copy(&data, &older);
    let gateway = start(&config).await.unwrap();
    for _ in 0..20 {
        append(&gateway).await;
    }
    all_cosigned(&gateway, &data, &region.key).await;
    gateway.stop().await;

    witness.kill();
    fs::remove_dir_all(&data).unwrap();
    copy(&older, &data);
    // Nobody can tell; an unreachable witness does not stop the exchange.
    let gateway = start(&config).await.unwrap();
    let from = size(&gateway).await;
    append(&gateway).await;
    until("the log says that a witness is missed", || async {
        let entries = read_log(gateway.store.as_ref(), usize::try_from(from).unwrap()).await;
        entries.iter().any(|entry| entry.kind == "witness" && entry.facts["event"] == "missed")
    })
    .await;
    assert!(gateway.log.is_writing());

    // The same witness, at the same place.
    let file = region.folder.path().join("w1.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("127.0.0.1:0", &address)).unwrap();
    let _witness = Witness::start(&file);
    until("the gateway has stopped writing", || async { !gateway.log.is_writing() }).await;
    let entry = NewEntry::of_gateway(Kind::Access, json!({}));
    assert!(gateway.log.commit(Work::Append(entry)).await.is_err());
    let channel = region.channel(&gateway).await;
    until("health says that it does not serve", || async {
        let health = HealthClient::new(channel.clone()).check(HealthCheckRequest::default()).await;
        health.unwrap().into_inner().status == 2
    })
    .await;
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_was_missed_and_is_back_stands_in_the_log() {
    let region = Region::begun().await;
    let mut witness = region.witness("w1");
    let address = witness.address.clone();
    let config = region.config("one", "data", &address, &witness);
    let gateway = start(&config).await.unwrap();
    all_cosigned(&gateway, &region.dir.join("data"), &region.key).await;
    let from = usize::try_from(size(&gateway).await).unwrap();
    witness.kill();
    let says = async |event: &str| {
        let entries = read_log(gateway.store.as_ref(), from).await;
        entries.into_iter().find(|entry| entry.kind == "witness" && entry.facts["event"] == event)
    };
    until("it is missed", || async { says("missed").await.is_some() }).await;
    let file = region.folder.path().join("w1.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("127.0.0.1:0", &address)).unwrap();
    let _witness = Witness::start(&file);
    until("it is back", || async { says("again").await.is_some() }).await;
    let (missed, again) = (says("missed").await.unwrap(), says("again").await.unwrap());
    assert_eq!(missed.facts["name"], "witness.example/w1");
    assert_eq!(missed.facts["since"], again.facts["since"]);
    all_cosigned(&gateway, &region.dir.join("data"), &region.key).await;
    gateway.stop().await;
}

/// One key, two databases: each gateway looks right to its own witness. Side by side they do not.
#[tokio::test(flavor = "multi_thread")]
async fn two_databases_under_one_key_are_a_split_view() {
    if on_postgres() {
        return;
    }
    let region = Region::begun().await;
    let (w1, w2) = (region.witness("w1"), region.witness("w2"));
    copy(&region.dir.join("data"), &region.dir.join("data2"));
    let one = region.config("one", "data", &w1.address, &w1);
    let two = region.config("two", "data2", &w2.address, &w2);
    let (a, b) = (start(&one).await.unwrap(), start(&two).await.unwrap());
    for gateway in [&a, &b] {
        append(gateway).await;
    }
    assert_eq!(size(&a).await, size(&b).await);
    all_cosigned(&a, &region.dir.join("data"), &region.key).await;
    all_cosigned(&b, &region.dir.join("data2"), &region.key).await;
    let trust = region.folder.path().join("trust.txt");
    fs::write(&trust, format!("{}\n", region.key)).unwrap();
    let url =
        |witness: &Witness| format!("http://{}/{}", witness.address, checkpoint_path(region.key.name()));
    let compare = |more: &[&str]| {
        sluis(
            &[&["witness", "compare", "--trust", text(&trust), "--url", &url(&w1), &url(&w2)], more].concat(),
        )
    };
    let (status, told) = compare(&[]);
    assert_eq!((status, told.contains("split view")), (Some(4), true), "{told}");

    // At different sizes an export has to show it.
    append(&a).await;
    all_cosigned(&a, &region.dir.join("data"), &region.key).await;
    assert_eq!(compare(&[]).0, Some(3));
    let export = region.folder.path().join("export");
    let (status, told) = sluis(&["audit", "export", "--config", text(&one), "--out", text(&export)]);
    assert_eq!(status, Some(0), "{told}");
    let (status, told) = compare(&["--export", text(&export)]);
    assert_eq!((status, told.contains("does not begin with the log of")), (Some(4), true), "{told}");
    b.stop().await;

    // The first gateway, once it is shown to the witness of the second.
    a.stop().await;
    let crossed = region.config("crossed", "data", &w2.address, &w2);
    match start(&crossed).await.map(|_| ()).unwrap_err() {
        StartFault::Witness(WitnessFault::SplitView { by, .. }) => assert_eq!(by, "witness.example/w2"),
        other => panic!("{other}"),
    }
}
