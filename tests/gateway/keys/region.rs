//! A region whose gateway is stopped and started again, on the same port and the same data.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use sluis::{
    app::{Gateway, StartFault, source_system::SourceSystem},
    audit::export::stored::{Openings, Witnessed, export_shard, extents},
    client::{Client, Profile},
    config::Settings,
    demo::{World, WorldOptions, data},
    domain::{
        Timestamp,
        time::{Clock, SystemClock},
    },
    note::VerifierKey,
    storage::{Database, EntryFilter},
    subject::KeyRing,
};
use tempfile::TempDir;
use tokio::time::timeout;

use crate::lab::{Entry, Lab, question, read_log};

pub const NEW_YEAR: &str = "2027-01-01T00:00:01.000Z";

/// Longer than upkeep takes for a look, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The clock of this machine, put forward. The command line has that of the machine, so what is put forward is not written
/// to from there any more.
#[derive(Debug, Default)]
pub struct Forward(AtomicI64);

impl Clock for Forward {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.0.load(Ordering::SeqCst))
    }
}

pub struct Region {
    pub dir: PathBuf,
    pub clock: Arc<Forward>,
    gateway: Option<Gateway>,
    pub others: Vec<Gateway>,
    folder: TempDir,
    // They answer for as long as they are there.
    _sources: BTreeMap<String, SourceSystem>,
}

/// The key in a C2SP verifier key, whatever name it bears.
pub fn key(verifier: &str) -> [u8; 32] {
    *verifier.parse::<VerifierKey>().unwrap().public_key()
}

impl Region {
    pub async fn start() -> Self {
        Self::with(|_| {}).await
    }

    /// With so many gateways on a PostgreSQL of their own.
    pub async fn on_postgres(instances: usize) -> Self {
        let database = crate::database::fresh().await.parse().unwrap();
        Self::with(|options| (options.instances, options.database) = (instances, Some(database))).await
    }

    /// With something changed.
    pub async fn with(change: impl FnOnce(&mut WorldOptions)) -> Self {
        let clock = Arc::new(Forward::default());
        let shared = Arc::clone(&clock);
        let Lab { world, folder } = Lab::start_with(|options| {
            options.clock = shared;
            // Into the new year, and a little.
            options.revocation_days = 60;
            change(options);
        })
        .await;
        let World { dir, gateway, others, sources, .. } = world;
        Self { dir, clock, gateway: Some(gateway), others, folder, _sources: sources }
    }

    pub fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    pub fn now(&self, time: &str) {
        let by = Timestamp::parse(time).unwrap().millis() - SystemClock.now().millis();
        self.clock.0.store(by, Ordering::SeqCst);
    }

    pub async fn is_over(&self) {
        timeout(PATIENCE, self.gateway().is_over()).await.unwrap();
    }

    pub async fn stop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await;
        }
    }

    pub async fn instance(&self, file: &str) -> Result<Gateway, StartFault> {
        let settings = Settings::load(&self.dir.join(file)).unwrap();
        let clock = Arc::clone(&self.clock);
        Gateway::start(settings, clock).await
    }

    pub async fn try_restart(&mut self) -> Result<(), StartFault> {
        self.stop().await;
        self.gateway = Some(self.instance("sluis.toml").await?);
        Ok(())
    }

    pub async fn restart(&mut self) {
        self.try_restart().await.unwrap();
    }

    /// Why it does not start.
    pub async fn refused(&mut self) -> String {
        self.try_restart().await.unwrap_err().to_string()
    }

    /// On a database that several gateways share, the operator makes the key.
    pub fn key_is_there(&self) {
        if crate::database::on_postgres() {
            self.cli(&["log", "key", "next"], 0);
        }
    }

    /// `None` where no gateway answers.
    pub async fn try_client(&self, short: &str) -> Option<Client> {
        Profile::load(&self.dir.join(format!("profiles/{short}.toml"))).unwrap().connect().await.ok()
    }

    pub async fn client(&self, short: &str) -> Client {
        self.try_client(short).await.unwrap()
    }

    pub async fn record(&self) {
        let profile = Profile::load(&self.dir.join("profiles/kade.toml")).unwrap();
        let (kid, key) = profile.signing_key().unwrap();
        let draft = sluis::consent::draft::FormDraft::parse(data::MAIN_FORM).unwrap();
        let request = draft.sign(&kid, &key, SystemClock.now().day()).unwrap();
        self.client("kade").await.consent().record_consent(request).await.unwrap();
    }

    /// Whether something about the main character leaves now.
    pub async fn is_released(&self) -> bool {
        let Some(client) = self.try_client("waterrijk").await else { return false };
        let answer = client.exchange().request_work_capacity(question()).await;
        answer.is_ok_and(|answer| !answer.into_inner().disclosures.is_empty())
    }

    pub async fn origin(&self) -> String {
        self.gateway().store.head().await.unwrap().unwrap().origin
    }

    pub async fn size(&self) -> u64 {
        self.gateway().store.head().await.unwrap().unwrap().size
    }

    /// The entries of a shard.
    pub async fn shard(&self, year: &str) -> Vec<Entry> {
        let store = self.gateway().store.as_ref();
        let head = store.head().await.unwrap().unwrap();
        let closed = store.shards().await.unwrap();
        let all = closed.into_iter().map(|shard| (shard.origin, shard.place.first, shard.size));
        let mut all = all.chain([(head.origin, head.place.first, head.size)]);
        let (_, first, size) = all.find(|(origin, ..)| origin.ends_with(&format!("/{year}"))).unwrap();
        let mut entries = read_log(store, usize::try_from(first).unwrap()).await;
        entries.truncate(usize::try_from(size).unwrap());
        entries
    }

    /// Waits until the gateway has announced this key.
    pub async fn announced(&self, key: &str) {
        let filter = EntryFilter { kind: Some("key".to_owned()), limit: 1, ..EntryFilter::default() };
        let there = async {
            loop {
                let found = self.gateway().store.search(&filter).await.unwrap();
                if found.iter().any(|entry| String::from_utf8_lossy(entry.facts_json()).contains(key)) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, there).await.unwrap();
    }

    /// Runs a command with the gateway's configuration, and expects this status. Gives what it printed.
    pub fn cli(&self, arguments: &[&str], status: i32) -> String {
        self.cli_of("sluis.toml", arguments, status)
    }

    /// The same with the configuration of another instance.
    pub fn cli_of(&self, file: &str, arguments: &[&str], status: i32) -> String {
        let config = self.dir.join(file);
        run(arguments.iter().map(AsRef::as_ref).chain(["--config".as_ref(), config.as_os_str()]), status)
    }

    /// Every shard, each in a folder of its own, oldest first. The gateway has stopped.
    pub async fn export_all(&self) -> (Vec<PathBuf>, TempDir) {
        let out = tempfile::tempdir().unwrap();
        let settings = Settings::load(&self.dir.join("sluis.toml")).unwrap();
        let database = Database::open(&settings.database).await.unwrap();
        let (store, keys) = (database.shared(), KeyRing::open(&self.key_file("")).unwrap());
        let openings = Openings { details: true, sealed: true };
        let mut dirs = Vec::new();
        for extent in extents(store.as_ref()).await.unwrap() {
            let dir = out.path().join(extent.origin.rsplit('/').next().unwrap());
            let key =
                VerifierKey::new(&extent.origin, keys.log.public(extent.place.number).unwrap()).unwrap();
            export_shard(store.as_ref(), &extent, &dir, &[key], openings, Witnessed::default(), |_, _| {})
                .await
                .unwrap();
            dirs.push(dir);
        }
        store.close().await;
        (dirs, out)
    }

    /// The same with the command, which enters it into the log.
    pub fn export_all_by_command(&self) -> (Vec<PathBuf>, TempDir) {
        let out = tempfile::tempdir().unwrap();
        let all = out.path().join("all");
        let told = self.cli(&["audit", "export", "--all", "--json", "--out", all.to_str().unwrap()], 0);
        let told: Vec<serde_json::Value> = serde_json::from_str(&told).unwrap();
        (told.iter().map(|one| PathBuf::from(one["folder"].as_str().unwrap())).collect(), out)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Keys that the verifier trusts.
    pub fn trust(&self, keys: &[&str]) {
        std::fs::write(self.path("trusted"), keys.join("\n")).unwrap();
    }

    /// Verifies exports, and expects this status. Gives the report.
    pub fn verified(&self, dirs: &[PathBuf], status: i32) -> serde_json::Value {
        let trusted = self.path("trusted");
        let arguments = ["audit", "verify", "--json", "--trust"].map(AsRef::as_ref);
        let dirs = dirs.iter().map(|dir| dir.as_os_str());
        let told = run(arguments.into_iter().chain([trusted.as_os_str()]).chain(dirs), status);
        serde_json::from_str(&told).unwrap()
    }

    /// Takes every entry and tile of closed shards out of the database. Gives the size of the open one.
    pub async fn without_closed_entries(&self) -> u64 {
        let statements = "delete from tile where shard < (select number from head); \
                          delete from entry where position < (select first from head)";
        self.written_to(statements).await
    }

    /// Writes into the database past the gateway, which has stopped. Gives the size of the open shard.
    pub async fn written_to(&self, statements: &str) -> u64 {
        let settings = Settings::load(&self.dir.join("sluis.toml")).unwrap();
        use sluis::storage::DatabaseAddress;
        use sqlx::Connection as _;
        match &settings.database {
            DatabaseAddress::Folder(folder) => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("sluis.db"));
                let mut file = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
                sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned())).execute(&mut file).await.unwrap();
                let size: i64 =
                    sqlx::query_scalar("select size from head").fetch_one(&mut file).await.unwrap();
                file.close().await.unwrap();
                size.try_into().unwrap()
            }
            DatabaseAddress::Postgres(url) => {
                let mut server = crate::database::connect(url.reveal()).await;
                sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned())).execute(&mut server).await.unwrap();
                let size: i64 =
                    sqlx::query_scalar("select size from head").fetch_one(&mut server).await.unwrap();
                size.try_into().unwrap()
            }
        }
    }

    /// A copy of the embedded database as it is now, or that copy put back.
    pub fn copy_database(&self, back: bool) {
        let (live, kept) = (self.dir.join("data"), self.path("kept"));
        let (from, to) = if back { (kept, live) } else { (live, kept) };
        std::fs::create_dir_all(&to).unwrap();
        for file in ["sluis.db", "sluis.db-wal", "sluis.db-shm"] {
            std::fs::remove_file(to.join(file)).ok();
            if from.join(file).exists() {
                std::fs::copy(from.join(file), to.join(file)).unwrap();
            }
        }
    }

    pub fn key_file(&self, name: &str) -> PathBuf {
        Path::new(&self.dir).join("data/keys").join(name)
    }
}

fn run<'a>(arguments: impl Iterator<Item = &'a std::ffi::OsStr>, status: i32) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_sluis")).args(arguments).output().unwrap();
    let (out, errors) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert_eq!(done.status.code(), Some(status), "{out}{errors}");
    format!("{out}{errors}")
}
