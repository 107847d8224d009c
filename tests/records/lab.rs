//! A region whose gateway can be stopped and started, with and without a logboek, and something that happens in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use serde_json::Value;
use sluis::{
    app::{Gateway, source_system::SourceSystem},
    audit::export::stored::extents,
    client::{Client, Profile},
    config::Settings,
    consent::draft::FormDraft,
    demo::{World, WorldOptions, data},
    domain::{Clock, time::SystemClock},
    proto,
    storage::{Database, Store},
};
use tempfile::TempDir;
use uuid::Uuid;

/// The main character of the demo, and somebody whom nobody knows.
pub const BSN: &str = "999990019";
pub const UNKNOWN: &str = "999990925";

/// Kinds of entry that are handed on.
const HANDED_ON: [&str; 5] = ["outcome", "consent", "access", "acknowledgement", "erasure"];

pub struct Region {
    pub folder: TempDir,
    pub dir: PathBuf,
    pub gateways: Vec<Gateway>,
    // They answer as long as the region is there.
    _sources: BTreeMap<String, SourceSystem>,
}

impl Region {
    /// A region whose gateways are stopped: as many as there are files for.
    pub async fn new(change: impl FnOnce(&mut WorldOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = WorldOptions::new(&folder.path().join("region"));
        options.answer_after_ms = 1_600;
        options.database = crate::database::chosen().await;
        change(&mut options);
        let World { dir, gateway, others, sources, .. } = World::start(options).await.unwrap();
        for gateway in others.into_iter().chain([gateway]) {
            gateway.stop().await;
        }
        Self { folder, dir, gateways: Vec::new(), _sources: sources }
    }

    /// Says in a gateway's file where the logboek is.
    pub fn logboek(&self, file: &str, section: &str) {
        let path = self.dir.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let before = text.split("[logboek]").next().unwrap();
        let activities = "activities = \"https://register.example/activities/\"\nlook_every_ms = 20\n";
        std::fs::write(&path, format!("{before}[logboek]\n{section}{activities}")).unwrap();
    }

    pub fn plain(&self, address: SocketAddr) {
        self.logboek("sluis.toml", &format!("url = \"http://{address}\"\n"));
    }

    /// Starts a gateway.
    pub async fn serve(&mut self, file: &str) {
        self.serve_at(file, Arc::new(SystemClock)).await;
    }

    /// Starts a gateway that goes by this clock.
    pub async fn serve_at(&mut self, file: &str, clock: Arc<dyn Clock>) {
        let settings = Settings::load(&self.dir.join(file)).unwrap();
        self.gateways.push(Gateway::start(settings, clock).await.unwrap());
    }

    pub async fn stop(&mut self) {
        for gateway in self.gateways.drain(..) {
            gateway.stop().await;
        }
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        &self.gateways[0].store
    }

    /// The store of a region whose gateway is stopped.
    pub async fn stored(&self) -> Arc<dyn Store> {
        let settings = Settings::load(&self.dir.join("sluis.toml")).unwrap();
        Database::open(&settings.database).await.unwrap().shared()
    }

    pub async fn client(&self, short: &str) -> Client {
        let path = self.dir.join(format!("profiles/{short}.toml"));
        Profile::load(&path).unwrap().connect().await.unwrap()
    }

    pub async fn record_form(&self) {
        let profile = Profile::load(&self.dir.join("profiles/kade.toml")).unwrap();
        let (kid, key) = profile.signing_key().unwrap();
        let form = FormDraft::parse(data::MAIN_FORM).unwrap();
        let form = form.sign(&kid, &key, SystemClock.now().day()).unwrap();
        self.client("kade").await.consent().record_consent(form).await.unwrap();
    }

    /// Asks, and gives how many sources answered.
    pub async fn ask(&self, change: impl FnOnce(&mut proto::RequestWorkCapacityRequest)) -> Option<usize> {
        let paths = ["working_hours.hours_per_week", "support.job_coach_needed"].map(ToOwned::to_owned);
        let mut request = proto::RequestWorkCapacityRequest {
            request_id: Uuid::new_v4().to_string(),
            bsn: BSN.to_owned(),
            purpose: "REINTEGRATION".to_owned(),
            role: "gem.klantmanager".to_owned(),
            user_id: Uuid::new_v4().to_string(),
            fields: Some(prost_types::FieldMask { paths: paths.into() }),
            necessity: proto::Necessity::ProfessionalAssessmentNeeded.into(),
            case_id: String::new(),
            validate_only: false,
        };
        change(&mut request);
        let answer = self.client("waterrijk").await.exchange().request_work_capacity(request).await;
        answer.ok().map(|answer| answer.into_inner().disclosures.len())
    }

    /// One of each: a form, a permit, a denial for want of consent, a refusal, a mere check, and a look at the log.
    pub async fn live(&self) {
        self.record_form().await;
        assert!(self.ask(|_| {}).await.is_some_and(|sources| sources > 0));
        assert_eq!(self.ask(|request| request.bsn = UNKNOWN.to_owned()).await, Some(0));
        assert_eq!(self.ask(|request| request.purpose = "FRAUD_DETECTION".to_owned()).await, None);
        assert_eq!(self.ask(|request| request.validate_only = true).await, Some(0));
        self.look().await;
    }

    /// A look of the officer, which is an entry.
    pub async fn look(&self) {
        let request = proto::SearchEntriesRequest { page_size: 1, ..Default::default() };
        self.client("fg").await.audit().search_entries(request).await.unwrap();
    }

    /// Runs the command.
    pub fn sluis(&self, args: &[&str]) -> (bool, String) {
        let done = Command::new(env!("CARGO_BIN_EXE_sluis")).args(args).output().unwrap();
        let text = [done.stdout, done.stderr].concat();
        (done.status.success(), String::from_utf8(text).unwrap())
    }

    /// Orders a new shard of the log of a region whose gateway is stopped. The next start begins it.
    pub fn rotate(&self) {
        let config = self.dir.join("sluis.toml");
        let (done, said) =
            self.sluis(&["log", "rotate", "--reason", "routine", "--config", config.to_str().unwrap()]);
        assert!(done, "{said}");
    }

    /// Exports the log of a region whose gateway is stopped.
    pub fn export(&self, name: &str, more: &[&str]) -> PathBuf {
        let out = self.folder.path().join(name);
        let config = self.dir.join("sluis.toml");
        let args = ["audit", "export", "--config", config.to_str().unwrap(), "--out", out.to_str().unwrap()];
        let (done, said) = self.sluis(&[&args[..], more].concat());
        assert!(done, "{said}");
        out
    }

    /// Lines of an export in a standard.
    pub fn records(&self, export: &Path, standard: &str) -> Vec<Value> {
        let out = self.folder.path().join(format!("{}.ndjson", Uuid::new_v4()));
        let (from, to) = (export.to_str().unwrap(), out.to_str().unwrap());
        let mut args = vec!["audit", "records", "--in", from, "--as", standard, "--out", to];
        if standard == "ldv" {
            args.extend(["--activities", "https://register.example/activities/"]);
        }
        let (done, said) = self.sluis(&args);
        assert!(done, "{said}");
        let text = std::fs::read_to_string(out).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Positions of the entries that are handed on, among those from this position.
pub async fn handed_on(store: &dyn Store) -> BTreeSet<u64> {
    let entries = store.entries(0, 100_000).await.unwrap();
    let is = |leaf: &[u8]| {
        let leaf: Value = serde_json::from_slice(leaf).unwrap();
        HANDED_ON.contains(&leaf["kind"].as_str().unwrap())
    };
    entries.iter().filter(|entry| is(&entry.leaf)).map(|entry| entry.position).collect()
}

/// The same, each by the name of its shard and its index in it.
pub async fn places(store: &dyn Store) -> BTreeSet<(String, u64)> {
    let extents = extents(store).await.unwrap();
    let place = |position: u64| {
        let shard = extents.iter().rev().find(|shard| shard.place.first <= position).unwrap();
        (shard.origin.clone(), position - shard.place.first)
    };
    handed_on(store).await.into_iter().map(place).collect()
}
