//! `sluis source`: the reference source system over mutual TLS, with its own configuration.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Deserialize;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tonic::{Extensions, transport::Server};

use crate::{
    config::{ConfigFault, TlsFiles},
    domain::{Clock, Day, Oin},
    identity::{
        Acceptor, GatewayKind, Limits, Peer, ReadAs, Register, RegisterFaults, TrustFault, TrustFiles,
        TrustStore,
    },
    source::reference::{CallerIdentity, FileFault, RecorderKeys, ReferenceSource, Statements},
};

const RELOAD_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    listen: SocketAddr,
    gateway: Oin,
    statements: PathBuf,
    participants: PathBuf,
    agreements: PathBuf,
    tls: TlsFiles,
}

/// What a source system runs with.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The one caller that it answers.
    pub gateway: Oin,
    /// Its statements.
    pub statements: PathBuf,
    /// Register of participants, for the recorders' keys.
    pub participants: PathBuf,
    /// Register of agreements.
    pub agreements: PathBuf,
    /// Certificates; its own number is the one in its certificate.
    pub tls: TrustFiles,
    /// Whether misbehaviours in the statements' file are acted out. For tests; no configuration file can say it.
    pub allow_misbehaviour: bool,
}

impl SourceSettings {
    /// Reads the configuration.
    ///
    /// # Errors
    /// If the file cannot be read or is not valid.
    pub fn load(path: &Path) -> Result<Self, ConfigFault> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ConfigFault::File { path: path.to_owned(), cause })?;
        let raw: Raw = toml::from_str(&text).map_err(|cause| ConfigFault::syntax(path, &text, cause))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Ok(Self {
            listen: raw.listen,
            gateway: raw.gateway,
            statements: folder.join(raw.statements),
            participants: folder.join(raw.participants),
            agreements: folder.join(raw.agreements),
            tls: raw.tls.within(folder),
            allow_misbehaviour: false,
        })
    }
}

/// Why a source system does not start.
#[derive(Debug, thiserror::Error)]
pub enum SourceFault {
    /// Certificates.
    #[error(transparent)]
    Trust(#[from] TrustFault),
    /// Participants or agreements.
    #[error("{0}")]
    Register(RegisterFaults),
    /// The file of statements cannot be read.
    #[error("cannot read the statements `{0}`: {1}")]
    File(PathBuf, std::io::Error),
    /// A statement is not valid.
    #[error(transparent)]
    Statements(#[from] FileFault),
    /// The port.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
}

#[derive(Debug)]
struct RegisteredKeys(Register);

impl RecorderKeys for RegisteredKeys {
    fn public_key(&self, recorder: Oin, kid: &str, on: Day) -> Option<[u8; 32]> {
        let keys = &self.0.organisation(&recorder)?.signing_keys;
        keys.iter().find(|key| key.kid == kid && key.holds_on(on)).map(|key| key.public)
    }
}

#[derive(Debug)]
struct ByCertificate(Arc<dyn Clock>);

impl CallerIdentity for ByCertificate {
    fn caller(&self, connection: &Extensions) -> Option<Oin> {
        connection.get::<Arc<Peer>>()?.identify(self.0.now()).ok()
    }
}

/// Looks at the certificates again every minute, or the list of revoked ones would run out.
async fn reload(trust: Arc<TrustStore>, mut stopped: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(RELOAD_EVERY);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        if let Err(fault) = trust.reload() {
            tracing::error!(%fault, "a reload failed; the old certificates stay in force");
        }
    }
}

/// A source system that serves.
#[derive(Debug)]
pub struct SourceSystem {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its own number.
    pub oin: Oin,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl SourceSystem {
    /// Starts a source system.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub async fn start(settings: SourceSettings, clock: Arc<dyn Clock>) -> Result<Self, SourceFault> {
        let listening = TcpListener::bind(settings.listen).await;
        let listener = listening.map_err(|cause| SourceFault::Listen(settings.listen, cause))?;
        Self::start_on(listener, settings, clock)
    }

    /// Starts a source system on a port that is open already.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub fn start_on(
        listener: TcpListener,
        settings: SourceSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SourceFault> {
        let address = listener.local_addr().map_err(|cause| SourceFault::Listen(settings.listen, cause))?;
        let trust = Arc::new(TrustStore::load(settings.tls)?);
        let oin = trust.trust().oin();
        let read_as = ReadAs::Party(GatewayKind::of_oin(&oin));
        let register = Register::load(&settings.participants, &settings.agreements, read_as)
            .map_err(SourceFault::Register)?;
        let json = std::fs::read(&settings.statements)
            .map_err(|cause| SourceFault::File(settings.statements.clone(), cause))?;
        let statements = Statements::parse(&json, settings.allow_misbehaviour, clock.now().day())?;
        let source = ReferenceSource::new(
            oin,
            settings.gateway,
            statements,
            Arc::new(RegisteredKeys(register)),
            Arc::new(ByCertificate(Arc::clone(&clock))),
            clock,
        );
        let acceptor = Acceptor::new(Arc::clone(&trust), Limits::default());
        let (stop, mut stopped) = watch::channel(false);
        tokio::spawn(reload(trust, stopped.clone()));
        let server = tokio::spawn(async move {
            let until = async move {
                // An error means that the system itself is gone; then the server stops too.
                drop(stopped.wait_for(|stop| *stop).await);
            };
            let router = Server::builder().add_service(source.into_server());
            if let Err(fault) = router.serve_with_incoming_shutdown(acceptor.incoming(listener), until).await
            {
                tracing::error!(%fault, "the source system ended with a fault");
            }
        });
        tracing::info!(%address, %oin, "the source system serves");
        Ok(Self { address, oin, stop, server })
    }

    /// Stops, and finishes the calls that are under way.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        drop(self.server.await);
    }
}
