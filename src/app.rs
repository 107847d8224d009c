//! The only place that names concrete types: store, signer, sources, clock; and the order of start and stop.

mod agreements;
mod forgetting;
mod logboek;
mod policies;
mod reload;
pub mod shards;
pub mod source_system;
mod upkeep;
mod witnesses;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    task::JoinHandle,
};

pub use forgetting::ForgetFault;
pub use policies::PolicyChangeFault;
pub use shards::ShardFault;
pub use witnesses::{WitnessFault, cosigned};

use self::{agreements::Agreements, forgetting::Forgetting, shards::Settled, witnesses::Witnesses};
use crate::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        officer::OfficerDesk,
        writer::{CommitFault, OpenLogFault, Parts, Work, Writer},
    },
    config::Settings,
    consent::{ConsentDesk, Countersigner},
    domain::{Clock, Day, Oin, Timestamp},
    exchange::Exchange,
    grpc::{
        calls::CallLayer,
        server::{self, Desks, ServerFault},
        turned_away::TurnedAway,
    },
    identity::{
        Acceptor, ConnectFault, Function, GatewayKind, Limits, ReadAs, Register, RegisterFaults, TrustFault,
        TrustStore, connect_lazy,
    },
    note::{NoteFault, NoteSigner, VerifierKey},
    policy::{PolicyFaults, SealedPolicies},
    rules::Rules,
    source::{SourceConnector, grpc::GrpcSource},
    storage::{Database, ShardPlace, Store, StoreFault},
    subject::{KeyRing, KeyRingFault},
};

/// How long a connection to a source may take to open.
const CONNECT: Duration = Duration::from_secs(2);

/// Why a gateway does not start. Each says what to mend.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// Certificates.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// Participants or agreements.
    #[error("{0}")]
    Register(RegisterFaults),
    /// Policies.
    #[error("{0}")]
    Policy(PolicyFaults),
    /// Policies that may not take over from those in force.
    #[error(transparent)]
    PolicyChange(#[from] PolicyChangeFault),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] KeyRingFault),
    /// The database.
    #[error(transparent)]
    Open(#[from] crate::storage::OpenFault),
    /// The database, later.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The log.
    #[error(transparent)]
    Log(#[from] OpenLogFault),
    /// The shards of the log.
    #[error(transparent)]
    Shard(#[from] ShardFault),
    /// The name of the log.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// The first entries.
    #[error("the first entries could not be written: {0}")]
    First(#[from] CommitFault),
    /// A source's address.
    #[error("the endpoint of the source {0} cannot be used: {1}")]
    Source(Oin, ConnectFault),
    /// The port.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// The witnesses, or what they know.
    #[error(transparent)]
    Witness(#[from] WitnessFault),
    /// The certificate is not the gateway's kind.
    #[error(
        "a test gateway needs a certificate with a test OIN (prefix 00000099), and no other gateway may have one"
    )]
    Kind,
}

/// A gateway that serves.
#[derive(Debug)]
pub struct Gateway {
    /// Where it listens.
    pub address: SocketAddr,
    /// The log's public key, as a C2SP verifier key.
    pub verifier_key: String,
    /// The desks behind its services.
    pub desks: Desks,
    /// Its store.
    pub store: Arc<dyn Store>,
    /// The same, by its kind.
    pub database: Database,
    /// Its log.
    pub log: Writer,
    parts: Arc<Running>,
    renewal: watch::Receiver<bool>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    server: JoinHandle<Result<(), ServerFault>>,
    writer: JoinHandle<()>,
}

/// What runs beside the services.
#[derive(Debug)]
struct Running {
    settings: Settings,
    trust: Arc<TrustStore>,
    /// Generation of the trust that the channels to the sources were made under.
    channels: AtomicU64,
    rules: Arc<ArcSwap<Rules>>,
    agreements: Mutex<Agreements>,
    forgetting: Mutex<Forgetting>,
    log: Writer,
    /// With which what the log says is checked: the keys of all shards.
    log_keys: Vec<VerifierKey>,
    /// The shard that is written.
    place: ShardPlace,
    /// Whether the next shard was due at the start, and could not begin for a while.
    rests: bool,
    started: Timestamp,
    /// Told when the shard is over, so that this gateway has to start again.
    over: watch::Sender<bool>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    turned_away: Arc<TurnedAway>,
}

/// Reads what decides, as a whole.
fn load_rules(settings: &Settings, trust: &TrustStore, today: Day) -> Result<Rules, StartFault> {
    let kind = settings.kind();
    let read_as = ReadAs::Gateway(&settings.origin);
    let register = Register::load(&settings.participants, &settings.agreements, read_as)
        .map_err(StartFault::Register)?;
    let policies = SealedPolicies::load(&settings.policies, kind == GatewayKind::Test, today)
        .map_err(StartFault::Policy)?;
    let mut sources: HashMap<Oin, Arc<dyn SourceConnector>> = HashMap::new();
    for organisation in register.organisations() {
        let endpoint = organisation.endpoint.as_ref();
        let Some(endpoint) = endpoint.filter(|_| organisation.has(Function::Source)) else { continue };
        let channel = connect_lazy(&endpoint.url, &trust.trust(), Some(organisation.oin), CONNECT)
            .map_err(|fault| StartFault::Source(organisation.oin, fault))?;
        sources.insert(organisation.oin, Arc::new(GrpcSource::new(channel)));
    }
    Ok(Rules { register, policies, sources })
}

/// Writes the first entry of a log, unless there is one, of this or of another instance.
async fn begin(log: &Writer, facts: serde_json::Value) -> Result<(), CommitFault> {
    match log.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, facts))).await {
        Ok(_) | Err(CommitFault::AlreadyBegun) => Ok(()),
        Err(fault) => Err(fault),
    }
}

impl Gateway {
    /// Starts a gateway. When this returns, its first entries are in the log and it serves.
    ///
    /// # Errors
    /// Whatever keeps it from starting; nothing is served then.
    pub async fn start(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartFault> {
        let listening = TcpListener::bind(settings.listen).await;
        let listener = listening.map_err(|cause| StartFault::Listen(settings.listen, cause))?;
        Self::start_on(listener, settings, clock).await
    }

    /// Starts a gateway on a port that is open already.
    ///
    /// # Errors
    /// As for [`Gateway::start`].
    pub async fn start_on(
        listener: TcpListener,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartFault> {
        let kind = settings.kind();
        let to_logboek = settings.logboek.clone();
        let trust = Arc::new(TrustStore::load(settings.tls.clone())?);
        if trust.trust().oin().is_test() != (kind == GatewayKind::Test) {
            return Err(StartFault::Kind);
        }
        let rules = load_rules(&settings, &trust, clock.now().day())?;
        // Made before the database: a gateway that cannot keep its keys begins no log.
        drop(KeyRing::open(&shards::key_folder(&settings))?);
        let database = Database::open(&settings.database).await?;
        let store = database.shared();
        let ask_witnesses = |log_key| {
            let how = settings.witnessing.clone();
            Witnesses::new(how, &settings.data_dir, log_key, Arc::clone(&store), Arc::clone(&clock))
        };
        // Before anything is written, a seal too: a database that somebody outside knows more of is not this log's newest.
        let head = store.head().await?;
        if let Some(head) = &head {
            let keys = KeyRing::open(&shards::key_folder(&settings))?;
            if let Some(public) = keys.log.public(head.place.number) {
                ask_witnesses(VerifierKey::new(&head.origin, public)?)?.before_writing().await?;
            }
        }
        let Settled { keys, origin, place, rests } = shards::settle(&store, &settings, &clock).await?;
        let signer = NoteSigner::new(&origin, keys.log_key(place.number)?)?;
        let log_key = signer.verifier().clone();
        let verifier_key = log_key.to_string();
        let mut log_keys = keys.log_verifiers();
        if !log_keys.contains(signer.verifier()) {
            log_keys.push(signer.verifier().clone());
        }
        let parts =
            Parts { store: Arc::clone(&store), keys: Arc::clone(&keys), signer, clock: Arc::clone(&clock) };
        let (log, writer) = match Writer::start(parts, origin.clone()).await {
            Err(fault) if shards::has_moved_on(&fault, &settings.origin) => {
                return Err(ShardFault::Restless.into());
            }
            started => started?,
        };
        let mut witnesses = ask_witnesses(log_key)?;
        if head.is_none() {
            witnesses.before_writing().await?;
        }
        // Before anything is written: what may not decide begins no log, and closes nothing.
        policies::may_take_over(store.as_ref(), &log_keys, &rules.policies).await?;
        let key = log_keys.iter().find(|key| key.name() == origin).ok_or(ShardFault::Restless)?;
        begin(&log, shards::genesis(&settings, &rules.policies.manifest().hash(), key).into()).await?;
        // The name that a key bears is known to the folder once something is signed with it.
        KeyRing::open(&shards::key_folder(&settings))?.log.bear(place.number, &origin)?;
        // Where nobody else works, whatever is open was interrupted.
        let before = (!store.is_alone()).then(|| upkeep::interrupted_before(&settings, clock.as_ref()));
        upkeep::close_interrupted(store.as_ref(), &log, before).await?;
        reload::announce(store.as_ref(), &log_keys, &log, &rules, clock.now().day()).await?;
        let mut agreements = Agreements::new(log.clone(), Arc::clone(&store), origin.clone());
        agreements.announce(&rules.register, clock.now().day()).await?;

        let rules = Arc::new(ArcSwap::from_pointee(rules));
        let countersigner = Arc::new(Countersigner::new(keys.log_key(place.number)?, keys.log.publics()));
        let exchange = Arc::new(Exchange {
            rules: Arc::clone(&rules),
            store: Arc::clone(&store),
            log: log.clone(),
            keys: Arc::clone(&keys),
            countersigner: Arc::clone(&countersigner),
            clock: Arc::clone(&clock),
            kind,
            timing: settings.timing,
        });
        let consent = Arc::new(ConsentDesk {
            rules: Arc::clone(&rules),
            store: Arc::clone(&store),
            log: log.clone(),
            keys: Arc::clone(&keys),
            countersigner,
            origin: origin.clone(),
            clock: Arc::clone(&clock),
            kind,
            timing: settings.timing,
        });
        let officer = Arc::new(OfficerDesk {
            rules: Arc::clone(&rules),
            store: Arc::clone(&store),
            log: log.clone(),
            verifier_key: verifier_key.clone(),
            origin: origin.clone(),
            keys,
            clock: Arc::clone(&clock),
            kind,
            retention: settings.retention,
        });
        let desks = Desks { exchange, consent, officer };

        let address = listener.local_addr().map_err(|cause| StartFault::Listen(settings.listen, cause))?;
        let turned_away = Arc::new(TurnedAway::default());
        let acceptor = Acceptor::new(Arc::clone(&trust), Limits::default());
        let calls = CallLayer { clock: Arc::clone(&clock), turned_away: Arc::clone(&turned_away) };
        let (reporter, health) = tonic_health::server::health_reporter();
        server::report_health(&reporter, true).await;
        let (stop, stopped) = watch::channel(false);
        let served = {
            let (desks, mut stopped) = (desks.clone(), stopped.clone());
            tokio::spawn(async move {
                let until = async move {
                    // An error means that the gateway itself is gone; then the server stops too.
                    drop(stopped.wait_for(|stop| *stop).await);
                };
                server::serve(listener, &acceptor, desks, calls, health, until).await
            })
        };
        let (over, renewal) = watch::channel(false);
        let parts = Arc::new(Running {
            settings,
            trust,
            channels: AtomicU64::new(0),
            rules,
            agreements: Mutex::new(agreements),
            forgetting: Mutex::default(),
            log: log.clone(),
            log_keys,
            place,
            rests,
            started: clock.now(),
            over,
            store: Arc::clone(&store),
            clock,
            turned_away,
        });
        let mut tasks = vec![
            tokio::spawn(forgetting::run(Arc::clone(&parts), stopped.clone())),
            tokio::spawn(upkeep::run(Arc::clone(&parts), reporter, stopped.clone())),
            tokio::spawn(witnesses.run(log.clone(), stopped.clone())),
            tokio::spawn(reload::run(Arc::clone(&parts), stopped.clone())),
        ];
        if let Some(to) = to_logboek {
            tasks.push(tokio::spawn(logboek::run(Arc::clone(&parts), to, stopped)));
        }
        tracing::info!(%address, %origin, %kind, key = %verifier_key, "the gateway serves");
        Ok(Self {
            address,
            verifier_key,
            desks,
            store,
            database,
            log,
            parts,
            renewal,
            stop,
            tasks,
            server: served,
            writer,
        })
    }

    /// Looks at certificates, participants, agreements and policies again. What does not load leaves the old in force.
    ///
    /// # Errors
    /// What did not load.
    pub async fn reload(&self) -> Result<(), StartFault> {
        reload::reload(&self.parts).await
    }

    /// Writes the counts of calls turned away so far.
    ///
    /// # Errors
    /// If the log cannot be written.
    pub async fn flush_counts(&self) -> Result<(), CommitFault> {
        self.parts.turned_away.flush(&self.log, None).await
    }

    /// Waits until this gateway has to start again: its shard of the log is over, or another instance has begun the next one.
    pub async fn is_over(&self) {
        // An error means that what would tell is gone; so is the gateway then.
        drop(self.renewal.clone().wait_for(|over| *over).await);
    }

    /// Forgets what has a term that is over today, if that was not done before. The gateway does so by itself.
    ///
    /// # Errors
    /// If the log cannot be written, or the store does not answer.
    pub async fn forget(&self) -> Result<(), ForgetFault> {
        let stopped = self.stop.subscribe();
        self.parts.forgetting.lock().await.go_on(&self.parts, &stopped).await
    }

    /// Stops in order: no new calls, those under way finished, counts written, store closed.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Ok(Err(fault)) = self.server.await {
            tracing::error!(%fault, "the server ended with a fault");
        }
        for task in self.tasks {
            drop(task.await);
        }
        if self.parts.turned_away.flush(&self.log, None).await.is_err() {
            tracing::error!("the counts of calls turned away could not be written");
        }
        drop((self.log, self.desks, self.parts));
        drop(self.writer.await);
        tracing::info!(transactions = ?self.store.transactions(), "the gateway has stopped");
        self.store.close().await;
    }
}
