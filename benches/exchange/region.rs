//! The region that requests go through: the demo's certificates, registers and policies, a hundred made-up clients, and
//! one source that holds four fields about each.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::json;
use sluis::{
    client::Profile,
    consent::draft::FormDraft,
    demo::{World, WorldOptions, data},
    domain::{
        Bsn,
        time::{Clock as _, SystemClock},
    },
    identity::{Trust, TrustFiles, TrustStore, connect},
    proto::{self, consent_service_client::ConsentServiceClient},
};
use tonic::transport::Channel;
use uuid::Uuid;

use crate::common::Fault;

/// Whose certificates the processes have.
pub const GATEWAY: &str = "gateway";
/// The source, which also records the consents.
pub const SOURCE: &str = "kade";
/// Its number.
pub const SOURCE_OIN: &str = "00000099000003001000";
const REQUESTER: &str = "waterrijk";
const REQUESTER_OIN: &str = "00000099000001001000";
const PURPOSE: &str = "REINTEGRATION";
const ROLE: &str = "gem.klantmanager";
/// What is granted, asked and delivered: path and code.
const FIELDS: [(&str, &str); 4] = [
    ("support.guidance_needed", "VW-02"),
    ("support.job_coach_needed", "VW-04"),
    ("support.coaching_intensity", "VW-05"),
    ("support.low_stimulus_workplace", "VW-08"),
];
/// So many that requests about the same one seldom meet.
const CLIENTS: usize = 100;
const CONNECT: Duration = Duration::from_secs(5);

/// The region's folder.
#[derive(Debug)]
pub struct Region {
    folder: PathBuf,
}

impl Region {
    /// One that was built.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Builds it as the demo does, and keeps the files alone.
    pub async fn build(folder: &Path) -> Result<Self, Fault> {
        let world = World::start(WorldOptions::new(folder)).await?;
        world.stop().await;
        Ok(Self::at(folder))
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn trust_files(&self, short: &str) -> TrustFiles {
        let file = |name: String| self.folder.join("certs").join(name);
        TrustFiles {
            roots: vec![file("ca.pem".to_owned())],
            crls: vec![file("crl.pem".to_owned())],
            certificate: file(format!("{short}.pem")),
            key: file(format!("{short}.key")),
        }
    }

    /// What a server of this name goes by.
    pub fn store(&self, short: &str) -> Result<Arc<TrustStore>, Fault> {
        Ok(Arc::new(TrustStore::load(self.trust_files(short))?))
    }

    /// Tells the gateways where the source is.
    pub fn source_at(&self, url: &str) -> Result<(), Fault> {
        let path = self.folder.join("participants.toml");
        let text = fs::read_to_string(&path)?;
        let (before, after) = text
            .split_once(&format!("oin = \"{SOURCE_OIN}\""))
            .ok_or("the source is missing in the register of participants")?;
        let lines = after.lines().scan(false, |found, line| {
            let replaced = !*found && line.starts_with("url = ");
            *found |= replaced;
            Some(if replaced { format!("url = \"{url}\"\n") } else { format!("{line}\n") })
        });
        let after: String = lines.collect();
        Ok(fs::write(path, format!("{before}oin = \"{SOURCE_OIN}\"{after}"))?)
    }

    /// Writes the configuration of a gateway with a log of its own: in a data folder, or in a PostgreSQL database.
    pub fn gateway(&self, name: &str, database: Option<&str>) -> Result<PathBuf, Fault> {
        let text = fs::read_to_string(self.folder.join("sluis.toml"))?;
        let (before, after) = text
            .split_once("data_dir = \"data\"\n")
            .ok_or("the gateway's configuration has no data folder")?;
        let database = database.map(|url| format!("database = \"{url}\"\n")).unwrap_or_default();
        let path = self.folder.join(format!("{name}.toml"));
        // The address holds a password.
        let mut file = File::options().create_new(true).write(true).mode(0o600).open(&path)?;
        write!(file, "{before}data_dir = \"{name}\"\n{database}{after}")?;
        Ok(path)
    }

    /// A connection of the requester to a gateway, or to what stands in its place.
    pub async fn requester(&self, url: &str) -> Result<Channel, Fault> {
        self.connect(REQUESTER, url).await
    }

    async fn connect(&self, short: &str, url: &str) -> Result<Channel, Fault> {
        let trust = Trust::load(&self.trust_files(short))?;
        Ok(connect(url, &trust, Some(data::GATEWAY_OIN.parse()?), CONNECT).await?)
    }

    /// Records with this gateway what every client signed.
    pub async fn record_consents(&self, url: &str) -> Result<(), Fault> {
        let (kid, key) =
            Profile::load(&self.folder.join(format!("profiles/{SOURCE}.toml")))?.signing_key()?;
        let mut recorder = ConsentServiceClient::new(self.connect(SOURCE, url).await?);
        for bsn in clients() {
            let form = FormDraft::parse(&form(&bsn))?.sign(&kid, &key, SystemClock.now().day())?;
            recorder.record_consent(form).await?;
        }
        Ok(())
    }
}

/// Test numbers above those of the demo.
fn clients() -> impl Iterator<Item = String> {
    let numbers = (999_995_000_u32..1_000_000_000).map(|number| number.to_string());
    numbers.filter(|number| Bsn::parse(number).is_ok()).take(CLIENTS)
}

fn form(bsn: &str) -> String {
    json!({
        "bsn": bsn, "recorder": SOURCE_OIN, "form_number": 1, "form_version": 3, "signed_on": "today-14",
        "custodian": SOURCE_OIN, "media_type": "application/pdf", "size": 48_211, "sha256": "9d".repeat(32),
        "explanation": {
            "text_version": 2, "language": "nl", "reading_level": "B1", "explained_by": "ggz.trajectbegeleider",
            "explained_on": "today-14",
        },
        "collection": {
            "context": "CLIENT_INITIATIVE", "method": "WET_INK", "alternative": "CLIENT_TELLS_HIMSELF",
            "withdrawal": ["IN_PERSON"], "verified_by": "ggz.trajectbegeleider", "verified_on": "today-14",
        },
        "grantor": { "kind": "CLIENT", "client_age": "ADULT" },
        "grants": [{
            "recipient": REQUESTER_OIN, "role": ROLE, "purpose": PURPOSE, "source": SOURCE_OIN,
            "fields": FIELDS.map(|(_, code)| code), "sensitive": [],
            "valid_from": "today-14", "valid_until": "today+300",
        }],
    })
    .to_string()
}

/// What the source holds about everybody: the fields granted, and no other.
pub fn statement() -> Result<proto::WorkCapacity, Fault> {
    let pool = DescriptorPool::decode(proto::DESCRIPTORS)?;
    let descriptor = pool.get_message_by_name("sluis.v1.WorkCapacity").ok_or("there is no WorkCapacity")?;
    let statement = json!({ "support": {
        "guidance_needed": "YES_NO_UNKNOWN_YES",
        "job_coach_needed": "JOB_COACH_NEED_EXTERNAL",
        "coaching_intensity": "COACHING_INTENSITY_MEDIUM",
        "low_stimulus_workplace": true,
        "assessment": {
            "determined_on": { "year": 2026, "month": 9, "day": 7 },
            "valid_until": { "year": 2027, "month": 9, "day": 7 },
            "assessor_role": "ASSESSOR_ROLE_EMPLOYMENT_SPECIALIST",
            "instrument": "INSTRUMENT_OWN",
            "certainty": "CERTAINTY_ESTABLISHED",
        },
    } });
    Ok(DynamicMessage::deserialize(descriptor, &statement)?.transcode_to()?)
}

/// Questions about one client after the other.
#[derive(Debug)]
pub struct Questions {
    clients: Vec<String>,
    next: AtomicUsize,
}

impl Questions {
    /// From the first client.
    pub fn new() -> Self {
        Self { clients: clients().collect(), next: AtomicUsize::new(0) }
    }

    /// The next question. Its id is new, as the gateway asks.
    pub fn next(&self) -> proto::RequestWorkCapacityRequest {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        let client = self.clients.get(next % self.clients.len().max(1));
        proto::RequestWorkCapacityRequest {
            request_id: Uuid::new_v4().to_string(),
            bsn: client.cloned().unwrap_or_default(),
            purpose: PURPOSE.to_owned(),
            role: ROLE.to_owned(),
            user_id: Uuid::new_v4().to_string(),
            fields: Some(prost_types::FieldMask {
                paths: FIELDS.iter().map(|(path, _)| (*path).to_owned()).collect(),
            }),
            necessity: proto::Necessity::ProfessionalAssessmentNeeded.into(),
            case_id: String::new(),
            validate_only: false,
        }
    }
}

/// Whether an answer holds all that was asked, with its receipt. One that holds nothing leaves at a fixed time, and
/// would measure that.
pub fn is_full(answer: &proto::RequestWorkCapacityResponse) -> bool {
    let is_empty =
        |mask: &Option<prost_types::FieldMask>| mask.as_ref().is_none_or(|mask| mask.paths.is_empty());
    answer.disclosures.len() == 1
        && answer.disclosures.iter().all(|disclosure| disclosure.work_capacity.is_some())
        && is_empty(&answer.not_provided)
        && is_empty(&answer.above_ceiling)
        && answer.receipt.as_ref().is_some_and(|receipt| receipt.entries.len() == 2)
}
