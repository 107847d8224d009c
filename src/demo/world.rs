//! Builds the region in a folder and starts it: certificates, keys, registers, gateway, source systems, profiles.

use std::{
    collections::BTreeMap,
    fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio::net::TcpListener;

use super::{data, owners, witness};
use crate::{
    app::{
        Gateway, StartFault,
        source_system::{SourceFault, SourceSettings, SourceSystem},
    },
    client::{Client, ClientFault, Profile},
    config::{ConfigFault, Settings},
    consent::signing_key::{self, SigningKeyFault},
    domain::{Clock, Oin, time::SystemClock},
    identity::{
        GatewayKind, ReadAs,
        files::write_private,
        issue::{CertificateFolder, FolderFault, Subject, Usage, Validity},
        register::sign::{SignFault, sign_missing},
    },
    note::VerifierKey,
    storage::PostgresUrl,
};

const MANIFEST: &str = "manifest.note";
/// Names of the keys with which the gateway's two officers sign.
pub const OFFICERS: [&str; 2] = ["fg-1", "fg-2"];
/// Name of the gateway's log, without the year: the region of its agreements.
const ORIGIN: &str = "test.sluis.example/waterregio";
/// Days for which the certificates of a demo hold.
const CERTIFICATE_DAYS: i64 = 90;
const DAY_MILLIS: i64 = 24 * 3_600_000;

/// Why the region does not come up.
#[derive(Debug, thiserror::Error)]
pub enum WorldFault {
    /// A file.
    #[error("cannot use `{0}`: {1}")]
    File(PathBuf, io::Error),
    /// The folder holds another demo.
    #[error("`{0}` is not empty; give a new folder with `--data-dir`, or remove it")]
    NotEmpty(PathBuf),
    /// The participants of the demo do not read.
    #[error("the participants of the demo do not read: {0}")]
    Participants(Box<toml::de::Error>),
    /// Certificates.
    #[error(transparent)]
    Certificates(#[from] FolderFault),
    /// Signing keys.
    #[error(transparent)]
    Keys(#[from] SigningKeyFault),
    /// Keys and signatures of the owners of policies.
    #[error(transparent)]
    Owners(#[from] owners::OwnerFault),
    /// Agreements that cannot be signed.
    #[error(transparent)]
    Agreements(#[from] SignFault),
    /// Configuration.
    #[error(transparent)]
    Config(#[from] ConfigFault),
    /// The gateway.
    #[error(transparent)]
    Gateway(#[from] StartFault),
    /// A source system.
    #[error(transparent)]
    Source(#[from] SourceFault),
    /// A participant.
    #[error(transparent)]
    Client(#[from] ClientFault),
    /// The witness.
    #[error(transparent)]
    Witness(#[from] witness::WitnessFault),
}

/// How the region is built.
#[derive(Clone, Debug)]
pub struct WorldOptions {
    /// Where its files go.
    pub dir: PathBuf,
    /// How long a source may take, in milliseconds.
    pub source_wait_ms: u64,
    /// When an incomplete answer leaves, in milliseconds.
    pub answer_after_ms: u64,
    /// Statements in place of those of the demo, by the OIN of the source.
    pub statements: BTreeMap<String, String>,
    /// Agreements in place of those of the demo. What is not signed is signed by the region's keys.
    pub agreements: Option<String>,
    /// Whether sources act out the misbehaviours in their statements. For tests.
    pub allow_misbehaviour: bool,
    /// The clock of gateway and sources.
    pub clock: Arc<dyn Clock>,
    /// Terms in place of those of a gateway: what stands in the section `retention` of its configuration.
    pub retention: String,
    /// The database of the gateway: embedded, unless a PostgreSQL is named.
    pub database: Option<PostgresUrl>,
    /// How many days the list of revoked certificates holds.
    pub revocation_days: i64,
    /// How many gateways serve, all on the same database. More than one needs a PostgreSQL.
    pub instances: usize,
    /// Whether a witness cosigns the log.
    pub witness: bool,
}

impl WorldOptions {
    /// The demo's own, in this folder.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            source_wait_ms: 1_500,
            answer_after_ms: 1_600,
            statements: BTreeMap::new(),
            agreements: None,
            allow_misbehaviour: false,
            clock: Arc::new(SystemClock),
            retention: String::new(),
            database: None,
            revocation_days: 7,
            instances: 1,
            witness: false,
        }
    }
}

#[derive(Deserialize)]
struct Participants {
    organisation: Vec<Participant>,
}

#[derive(Deserialize)]
struct Participant {
    oin: Oin,
    name: String,
    #[serde(default)]
    signing_key: Vec<Key>,
    endpoint: Option<toml::Value>,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
}

impl Participant {
    /// Its name in files: that of its signing key without the number, or `fg` for the privacy officer.
    fn short(&self) -> &str {
        let kid = self.signing_key.first().and_then(|key| key.kid.split('-').next());
        kid.unwrap_or("fg")
    }
}

/// A region that runs.
#[derive(Debug)]
pub struct World {
    /// Its folder.
    pub dir: PathBuf,
    /// Its gateway; the first, if there are several.
    pub gateway: Gateway,
    /// Further instances of it.
    pub others: Vec<Gateway>,
    // Which instance the next connection goes to.
    turn: AtomicUsize,
    /// Its source systems, by short name.
    pub sources: BTreeMap<String, SourceSystem>,
    /// Its witness, if it has one.
    pub witness: Option<witness::Running>,
    /// Its participants, by short name: OIN and name.
    pub participants: BTreeMap<String, (Oin, String)>,
}

fn write(path: &Path, text: &str) -> Result<(), WorldFault> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, text)).map_err(|cause| WorldFault::File(path.to_owned(), cause))
}

/// The file of an instance: the first has none of its own.
fn numbered(name: &str, instance: usize) -> String {
    if instance == 1 { format!("{name}.toml") } else { format!("{name}-{instance}.toml") }
}

fn tls(short: &str, above: &str) -> String {
    format!(
        "[tls]\nroots = [\"{above}certs/ca.pem\"]\ncrls = [\"{above}certs/crl.pem\"]\n\
         certificate = \"{above}certs/{short}.pem\"\nkey = \"{above}certs/{short}.key\"\n"
    )
}

async fn listen() -> Result<(TcpListener, SocketAddr), WorldFault> {
    let failed = |cause| WorldFault::File(PathBuf::from("127.0.0.1"), cause);
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

impl World {
    /// Builds the region in an empty folder, and starts it.
    ///
    /// # Errors
    /// Whatever keeps it from coming up.
    pub async fn start(options: WorldOptions) -> Result<Self, WorldFault> {
        let dir = options.dir.clone();
        let file_fault = |cause| WorldFault::File(dir.clone(), cause);
        fs::create_dir_all(&dir).map_err(file_fault)?;
        if fs::read_dir(&dir).map_err(file_fault)?.next().is_some() {
            return Err(WorldFault::NotEmpty(dir));
        }
        let Participants { organisation } =
            toml::from_str(data::PARTICIPANTS).map_err(|fault| WorldFault::Participants(Box::new(fault)))?;

        let certificates = Self::certificates(&options, &organisation)?;
        certificates.write_crl(validity(&options, options.revocation_days))?;
        let mut text = data::PARTICIPANTS.to_owned();
        fs::create_dir_all(dir.join("signing")).map_err(file_fault)?;
        for key in organisation.iter().flat_map(|participant| &participant.signing_key) {
            let path = dir.join("signing").join(format!("{}.pem", key.kid));
            let public = signing_key::create(&path)?;
            text = text.replace(&format!("@key:{}", key.kid), &URL_SAFE_NO_PAD.encode(public));
        }
        for name in OFFICERS {
            let public = signing_key::create(&dir.join("signing").join(format!("{name}.pem")))?;
            let key = VerifierKey::new(name, public).map_err(owners::OwnerFault::from)?;
            text = text.replace(&format!("@officer:{name}"), &key.to_string());
        }
        let mut listeners = Vec::new();
        for participant in organisation.iter().filter(|participant| participant.endpoint.is_some()) {
            let (listener, address) = listen().await?;
            let url = format!("https://localhost:{}", address.port());
            text = text.replace(&format!("@url:{}", participant.oin), &url);
            listeners.push((participant, listener, address));
        }
        write(&dir.join("participants.toml"), &text)?;
        let agreements = options.agreements.as_deref().unwrap_or(data::AGREEMENTS);
        write(&dir.join("agreements.toml"), &signed_agreements(&dir, agreements)?)?;
        for (name, text) in data::POLICIES.iter().filter(|(name, _)| *name != MANIFEST) {
            write(&dir.join("policies").join(name), text)?;
        }
        // The keys of the shipped manifest's owners are nobody's; these owners can sign a change.
        let owners = owners::create(&dir.join("owners"))?;
        owners::seal(&dir.join("policies"), &dir.join("owners"), Some(owners))?;
        let mut sources = BTreeMap::new();
        for (participant, listener, address) in listeners {
            let settings = Self::source_settings(&options, participant, address)?;
            let system = SourceSystem::start_on(listener, settings, Arc::clone(&options.clock))?;
            sources.insert(participant.short().to_owned(), system);
        }
        let witness = match options.witness {
            true => Some(witness::start(&dir, ORIGIN, &options.clock).await?),
            false => None,
        };
        let witnesses = witness.as_ref().map_or_else(String::new, witness::Running::section);
        let gateway = Self::start_gateway(&options, &witnesses, 1).await?;
        let mut others = Vec::new();
        for instance in 2..=options.instances {
            others.push(Self::start_gateway(&options, &witnesses, instance).await?);
        }
        for participant in &organisation {
            for (instance, gateway) in (1..).zip(std::iter::once(&gateway).chain(&others)) {
                Self::write_profile(&dir, participant, gateway.address, instance)?;
            }
        }
        let participants = organisation
            .iter()
            .map(|participant| (participant.short().to_owned(), (participant.oin, participant.name.clone())))
            .collect();
        Ok(Self { dir, gateway, others, turn: AtomicUsize::new(0), sources, witness, participants })
    }

    fn certificates(
        options: &WorldOptions,
        participants: &[Participant],
    ) -> Result<CertificateFolder, WorldFault> {
        let folder = options.dir.join("certs");
        let folder = CertificateFolder::open(&folder, "Sluis demo", validity(options, CERTIFICATE_DAYS))?;
        let gateway = data::GATEWAY_OIN.parse().ok().map(|oin| ("gateway", oin, "Sluis Waterregio"));
        let others = participants.iter().map(|p| (p.short(), p.oin, p.name.as_str()));
        for (short, oin, name) in others.chain(gateway) {
            let subject = Subject {
                oin,
                organisation: name.to_owned(),
                common_name: format!("{short}.sluis.example"),
                hosts: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
                usage: Usage::Both,
                validity: validity(options, CERTIFICATE_DAYS),
            };
            folder.issue(short, &subject)?;
        }
        Ok(folder)
    }

    fn source_settings(
        options: &WorldOptions,
        participant: &Participant,
        address: SocketAddr,
    ) -> Result<SourceSettings, WorldFault> {
        let (short, oin) = (participant.short(), participant.oin.to_string());
        let embedded = data::STATEMENTS.iter().find(|(of, _)| *of == oin).map(|(_, json)| *json);
        let statements = options.statements.get(&oin).map(String::as_str).or(embedded).unwrap_or("[]");
        write(&options.dir.join(format!("statements/{short}.json")), statements)?;
        let path = options.dir.join(format!("source-{short}.toml"));
        let text = format!(
            "# The source system of {}.\nlisten = \"{address}\"\ngateway = \"{}\"\n\
             statements = \"statements/{short}.json\"\nparticipants = \"participants.toml\"\n\
             agreements = \"agreements.toml\"\n{}",
            participant.name,
            data::GATEWAY_OIN,
            tls(short, ""),
        );
        write(&path, &text)?;
        let mut settings = SourceSettings::load(&path)?;
        settings.allow_misbehaviour = options.allow_misbehaviour;
        Ok(settings)
    }

    /// Starts an instance. They differ in their ports and in nothing else: the same keys, the same database.
    async fn start_gateway(
        options: &WorldOptions,
        witnesses: &str,
        instance: usize,
    ) -> Result<Gateway, WorldFault> {
        let (listener, address) = listen().await?;
        let path = options.dir.join(numbered("sluis", instance));
        let database = options
            .database
            .as_ref()
            .map_or_else(String::new, |url| format!("database = \"{}\"\n", url.reveal()));
        let text = format!(
            "# The gateway of the demo.\norigin = \"{ORIGIN}\"\nlisten = \"{address}\"\n\
             data_dir = \"data\"\n{database}participants = \"participants.toml\"\nagreements = \"agreements.toml\"\n\
             policies = \"policies\"
{}[timing]
source_wait_ms = {}
answer_after_ms = {}
\
             [retention]
{}
{witnesses}",
            tls("gateway", ""),
            options.source_wait_ms,
            options.answer_after_ms,
            options.retention,
        );
        // It may hold the password of the database.
        write_private(&path, &text).map_err(|cause| WorldFault::File(path.clone(), cause))?;
        let settings = Settings::load(&path)?;
        Ok(Gateway::start_on(listener, settings, Arc::clone(&options.clock)).await?)
    }

    fn write_profile(
        dir: &Path,
        participant: &Participant,
        gateway: SocketAddr,
        instance: usize,
    ) -> Result<(), WorldFault> {
        let short = participant.short();
        let signing = participant.signing_key.first().map_or_else(String::new, |key| {
            format!("[signing]\nkid = \"{0}\"\nkey = \"../signing/{0}.pem\"\n", key.kid)
        });
        let text = format!(
            "# {}\ngateway = \"https://localhost:{}\"\ngateway_oin = \"{}\"\n{}{signing}",
            participant.name,
            gateway.port(),
            data::GATEWAY_OIN,
            tls(short, "../"),
        );
        write(&dir.join("profiles").join(numbered(short, instance)), &text)
    }

    /// Path of a participant's profile.
    #[must_use]
    pub fn profile(&self, short: &str) -> PathBuf {
        self.dir.join(format!("profiles/{short}.toml"))
    }

    /// A connection of a participant, to each instance in turn.
    ///
    /// # Errors
    /// If it cannot connect.
    pub async fn client(&self, short: &str) -> Result<Client, ClientFault> {
        self.next_client(short).await.map(|(client, _)| client)
    }

    /// The same, and which instance it goes to, from 1.
    ///
    /// # Errors
    /// If it cannot connect.
    pub async fn next_client(&self, short: &str) -> Result<(Client, usize), ClientFault> {
        let instance = 1 + self.turn.fetch_add(1, Ordering::Relaxed) % (1 + self.others.len());
        let profile = Profile::load(&self.dir.join("profiles").join(numbered(short, instance)))?;
        Ok((profile.connect().await?, instance))
    }

    /// Stops everything in order.
    pub async fn stop(self) {
        for gateway in self.others {
            gateway.stop().await;
        }
        self.gateway.stop().await;
        for source in self.sources.into_values() {
            source.stop().await;
        }
        if let Some(witness) = self.witness {
            witness.stop().await;
        }
    }
}

/// These agreements with every signature that they lack, by the keys in the folder of a region. Both parties' keys are in
/// one hand here, as they are nowhere else.
///
/// # Errors
/// If the participants of the region cannot be read, or the text is no file of agreements.
pub fn signed_agreements(dir: &Path, agreements: &str) -> Result<String, WorldFault> {
    let path = dir.join("participants.toml");
    let participants = fs::read_to_string(&path).map_err(|cause| WorldFault::File(path, cause))?;
    let key = |kid: &str| signing_key::read(&dir.join("signing").join(format!("{kid}.pem"))).ok();
    Ok(sign_missing(&participants, agreements, ReadAs::Party(GatewayKind::Test), key)?)
}

fn validity(options: &WorldOptions, days: i64) -> Validity {
    let now = options.clock.now();
    // An hour back, for clocks that differ a little.
    Validity { from: now.plus_millis(-3_600_000), until: now.plus_millis(days * DAY_MILLIS) }
}
