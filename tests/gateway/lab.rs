//! A region for one test, in a folder of its own, and short words for what its participants do.

use std::{path::PathBuf, time::Duration};

use serde_json::Value;
use sluis::{
    client::{Client, Profile},
    consent::draft::FormDraft,
    demo::{World, WorldOptions, data},
    domain::time::{Clock as _, SystemClock},
    proto,
    storage::{Store, StoredEntry},
};
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// The main character of the demo.
pub const BSN: &str = "999990019";

/// When an incomplete answer leaves in these regions. Far beyond what an honest source needs on a machine that runs all
/// tests at once, so that the reason of an outcome is the one that the test is about.
pub const ANSWER_AFTER: Duration = Duration::from_millis(1_700);

/// A region that runs, and goes when the test ends.
pub struct Lab {
    pub world: World,
    pub folder: TempDir,
}

impl Lab {
    /// The demo's region with short times.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A region with something changed.
    pub async fn start_with(change: impl FnOnce(&mut WorldOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = WorldOptions::new(&folder.path().join("region"));
        options.source_wait_ms = 1_500;
        options.answer_after_ms = ANSWER_AFTER.as_millis().try_into().unwrap();
        options.database = crate::database::chosen().await;
        change(&mut options);
        Self { world: World::start(options).await.unwrap(), folder }
    }

    /// A path that goes when the test ends.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub async fn client(&self, short: &str) -> Client {
        self.world.client(short).await.unwrap()
    }

    /// Signs a form, given as JSON text, as this recorder.
    pub fn sign(&self, short: &str, form: &str) -> proto::RecordConsentRequest {
        let profile = Profile::load(&self.world.profile(short)).unwrap();
        let (kid, key) = profile.signing_key().unwrap();
        FormDraft::parse(form).unwrap().sign(&kid, &key, SystemClock.now().day()).unwrap()
    }

    /// Records the form of the demo's main character.
    pub async fn record_main(&self) -> proto::RecordConsentResponse {
        let request = self.sign("kade", data::MAIN_FORM);
        self.client("kade").await.consent().record_consent(request).await.unwrap().into_inner()
    }

    /// Asks as this participant.
    pub async fn ask(
        &self,
        short: &str,
        request: proto::RequestWorkCapacityRequest,
    ) -> Result<proto::RequestWorkCapacityResponse, Status> {
        let answer = self.client(short).await.exchange().request_work_capacity(request).await;
        answer.map(tonic::Response::into_inner)
    }
}

/// A question that the main character's form covers in full.
pub fn question() -> proto::RequestWorkCapacityRequest {
    proto::RequestWorkCapacityRequest {
        request_id: Uuid::new_v4().to_string(),
        bsn: BSN.to_owned(),
        purpose: "REINTEGRATION".to_owned(),
        role: "gem.klantmanager".to_owned(),
        user_id: Uuid::new_v4().to_string(),
        fields: paths(&["working_hours.hours_per_week", "support.job_coach_needed"]),
        necessity: proto::Necessity::ProfessionalAssessmentNeeded.into(),
        case_id: String::new(),
        validate_only: false,
    }
}

pub fn paths(paths: &[&str]) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
}

/// Reason and code of a refusal.
pub fn reason(status: &Status) -> (Code, String) {
    let details = status.get_error_details();
    (status.code(), details.error_info().map(|info| info.reason.clone()).unwrap_or_default())
}

/// An entry of the log with everything opened that the gateway can open.
#[derive(Debug)]
pub struct Entry {
    pub kind: String,
    pub pair: String,
    pub facts: Value,
    pub detail: Value,
}

impl Lab {
    /// The log from this position, in its order.
    pub async fn log(&self, from: usize) -> Vec<Entry> {
        read_log(self.world.gateway.store.as_ref(), from).await
    }

    /// How many entries the log has.
    pub async fn size(&self) -> usize {
        let head = self.world.gateway.store.head().await.unwrap();
        usize::try_from(head.unwrap().size).unwrap()
    }
}

/// The entries of a store from this position, in their order.
pub async fn read_log(store: &dyn Store, from: usize) -> Vec<Entry> {
    let json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let open = |entry: StoredEntry| {
        let leaf = json(&entry.leaf);
        let text = |name: &str| leaf[name].as_str().unwrap().to_owned();
        let detail = entry.detail.map_or(Value::Null, |detail| json(&detail.json));
        Entry {
            kind: text("kind"),
            pair: text("pair"),
            facts: entry.facts.map_or(Value::Null, |facts| json(&facts.json)),
            detail,
        }
    };
    store.entries(from as u64, 100_000).await.unwrap().into_iter().map(open).collect()
}
