//! The witness of the demo. Elsewhere somebody else runs it: a witness in the hands of whom it watches shows nothing.

use std::{fs, net::SocketAddr, path::Path, sync::Arc};

use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    domain::Clock,
    note::{NoteFault, NoteSigner, cosignature::CosignerKey},
    subject::{KeyRing, KeyRingFault},
    witness::{
        config::{WitnessConfigFault, WitnessSettings},
        files::FolderFault,
        memory::Memory,
        server,
    },
};

/// Why the witness does not come up.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFault {
    /// A file, or the port.
    #[error("the witness: {0}")]
    Io(#[from] std::io::Error),
    /// The log's key, which it has to know.
    #[error(transparent)]
    Keys(#[from] KeyRingFault),
    /// Its name.
    #[error(transparent)]
    Note(#[from] NoteFault),
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] WitnessConfigFault),
    /// Its folder.
    #[error(transparent)]
    Folder(#[from] FolderFault),
}

/// A witness that runs.
#[derive(Debug)]
pub struct Running {
    /// Where.
    pub address: SocketAddr,
    /// Its key.
    pub key: CosignerKey,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// What a gateway's configuration says of it. The demo has no minute to wait.
    pub(super) fn section(&self) -> String {
        format!(
            "[witnessing]\nevery_s = 1\n[[witness]]\nurl = \"http://{}/\"\nkey = \"{}\"\n",
            self.address, self.key
        )
    }

    /// Stops it.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        drop(self.task.await);
    }
}

/// Starts a witness of the log of this origin, whose keys are made if they are not there yet: it has to know them before
/// the log begins.
pub(super) async fn start(dir: &Path, origin: &str, clock: &Arc<dyn Clock>) -> Result<Running, WitnessFault> {
    let log_key = KeyRing::open(&dir.join("data/keys"))?.log_key(0)?;
    let log = NoteSigner::new(&format!("{origin}/{}", clock.now().year()), log_key)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let path = dir.join("witness.toml");
    let text = format!(
        "# The witness of the demo.\nname = \"witness.sluis.example/demo\"\nlisten = \"{address}\"\n\
         data_dir = \"witness\"\n[[log]]\norigin_prefix = \"{origin}/\"\nkeys = [\"{}\"]\n",
        log.verifier()
    );
    fs::write(&path, text)?;
    let memory = Arc::new(Memory::open(WitnessSettings::load(&path)?, Arc::clone(clock))?);
    let key = memory.key().clone();
    let (stop, mut stopped) = watch::channel(false);
    let task = tokio::spawn(async move {
        let until = async move {
            drop(stopped.wait_for(|stop| *stop).await);
        };
        if let Err(fault) = server::serve(listener, memory, until).await {
            tracing::error!(%fault, "the witness ended with a fault");
        }
    });
    Ok(Running { address, key, stop, task })
}
