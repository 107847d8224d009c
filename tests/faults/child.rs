//! A process that writes a log until it is killed, or does what it is told. It is this test program itself, run once more.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use sluis::{
    audit::{
        tree::Hash,
        writer::{CommitFault, Committed, Writer},
    },
    domain::PairId,
    storage::Database,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{ChildStdin, ChildStdout, Command},
};

use crate::{
    random::Random,
    site::{Running, Shifted, Site},
    tasks::Task,
    told,
};

const ORDERS: &str = "SLUIS_FAULTS_CHILD";

/// How long a request of another instance may be open. It is short, so that live ones lose their outcome at times.
const DEADLINE_MILLIS: i64 = 250;

/// What a child is to do, and where.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Orders {
    pub folder: PathBuf,
    pub address: String,
    pub shift: i64,
    pub seed: u64,
    /// How many write at a time; none waits for commands.
    pub callers: u64,
}

/// What a child says, a line each.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Said {
    /// It can be written to.
    Ready,
    /// This was acknowledged.
    Told(u64, Hash, String),
    /// A command is done: so many were acknowledged, and the first refusal.
    Done(usize, Option<String>),
    /// It does not start, or does not go on, for this reason.
    Stopped(String),
}

/// What a child can be told, a line each.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Bid {
    /// To commit so many notes.
    Commit(usize),
    /// To stop and start again.
    Restart,
}

fn say(said: &Said) {
    let line = serde_json::to_string(said).unwrap();
    // At once and as a whole, so that a kill leaves no half of it. Nobody may be there to hear it any more.
    drop(std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()));
}

fn tell(committed: &Committed) {
    let (position, leaf, checkpoint) = told::receipt(committed);
    say(&Said::Told(position, leaf, checkpoint));
}

/// Not a test by itself.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let orders: Orders = serde_json::from_str(&orders).unwrap();
    let site = Site::at(&orders.folder, orders.address.parse().unwrap());
    let site = site.with_clock(Arc::new(Shifted(orders.shift)));
    let running = match start(&site).await {
        Ok(running) => running,
        Err(reason) => return say(&Said::Stopped(reason)),
    };
    say(&Said::Ready);
    if orders.callers == 0 {
        obey(&site, running).await;
    } else {
        load(&site, running, &orders).await;
    }
}

/// Starts as a gateway does: where it is alone, all that is open was interrupted.
async fn start(site: &Site) -> Result<Running, String> {
    let store = Database::open(&site.address).await.map_err(|fault| fault.to_string())?.shared();
    let alone = store.is_alone();
    let running = site.try_writer_on(store).await?;
    let now = site.clock.now();
    let before = if alone { now.plus_millis(i64::MAX / 2) } else { now.plus_millis(-DEADLINE_MILLIS) };
    running.close_interrupted(before).await.map_err(|fault| fault.to_string())?;
    Ok(running)
}

/// Writes until it is killed. A log that stops is a finding.
async fn load(site: &Site, running: Running, orders: &Orders) {
    for n in 0..orders.callers {
        let (log, random) = (running.log.clone(), Random(orders.seed.wrapping_add(n << 32)));
        tokio::spawn(caller(log, random));
    }
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    loop {
        tick.tick().await;
        let before = site.clock.now().plus_millis(-DEADLINE_MILLIS);
        let closed = running.close_interrupted(before).await;
        if !running.log.is_writing() {
            return say(&Said::Stopped(format!("{closed:?}")));
        }
    }
}

async fn caller(log: Writer, mut random: Random) {
    let mut granted = None;
    loop {
        let client = random.below(40) as usize;
        match random.below(12) {
            0 | 1 => drop(give(&log, &Task::note()).await),
            2 => {
                let (record, grant) = Task::record(client);
                if give(&log, &record).await.is_ok() {
                    granted = Some(grant);
                }
            }
            3 => {
                if let Some(grant) = granted.take() {
                    drop(give(&log, &Task::withdraw(grant)).await);
                }
            }
            _ => {
                let pair = PairId::random();
                if give(&log, &Task::ask(pair, client)).await.is_err() {
                    continue;
                }
                let released = match granted {
                    Some(grant) => give(&log, &Task::Release { pair, grant }).await,
                    None => Err(CommitFault::GrantNotInForce),
                };
                if released == Err(CommitFault::GrantNotInForce) {
                    drop(give(&log, &Task::Close(pair)).await);
                }
            }
        }
        if !log.is_writing() {
            return;
        }
    }
}

async fn give(log: &Writer, task: &Task) -> Result<(), CommitFault> {
    log.commit(task.work()).await.map(|committed| tell(&committed))
}

/// Does what it is told, until nobody tells it more.
async fn obey(site: &Site, running: Running) {
    let mut running = Some(running);
    // Nothing else has to run on this thread while it waits.
    for line in std::io::stdin().lines() {
        match (serde_json::from_str(&line.unwrap()).unwrap(), running.take()) {
            (Bid::Commit(notes), Some(there)) => {
                let works = (0..notes).map(|_| there.log.commit(Task::note().work()));
                let (mut done, mut refusal) = (0, None);
                for result in futures_util::future::join_all(works).await {
                    match result {
                        Ok(committed) => {
                            tell(&committed);
                            done += 1;
                        }
                        Err(fault) => refusal = refusal.or(Some(fault.to_string())),
                    }
                }
                running = Some(there);
                say(&Said::Done(done, refusal));
            }
            (Bid::Commit(_), None) => say(&Said::Done(0, Some("it has not started".to_owned()))),
            (Bid::Restart, there) => {
                if let Some(there) = there {
                    there.stop().await;
                }
                match start(site).await {
                    Ok(started) => {
                        running = Some(started);
                        say(&Said::Done(0, None));
                    }
                    Err(reason) => say(&Said::Done(0, Some(reason))),
                }
            }
        }
    }
}

/// A child, from outside.
pub struct Child {
    process: tokio::process::Child,
    lines: Lines<BufReader<ChildStdout>>,
    commands: ChildStdin,
}

impl Child {
    pub fn start(orders: &Orders) -> Self {
        // A file that may grow no further is an error to the child, and not the end of it.
        let mut process = Command::new("sh")
            .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
            .arg(std::env::current_exe().unwrap())
            .args(["child::child", "--exact", "--nocapture"])
            .env(ORDERS, serde_json::to_string(orders).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let commands = process.stdin.take().unwrap();
        Self { process, lines, commands }
    }

    pub fn id(&self) -> u32 {
        self.process.id().unwrap()
    }

    /// The next that it says; `None` once it is gone.
    pub async fn hear(&mut self) -> Option<Said> {
        loop {
            let line = self.lines.next_line().await.unwrap()?;
            // The test harness says something too, the first of it without an end of line.
            let Some(at) = line.find(['{', '"']) else { continue };
            if let Ok(said) = serde_json::from_str(&line[at..]) {
                return Some(said);
            }
        }
    }

    pub async fn order(&mut self, command: &Bid) {
        let line = serde_json::to_string(command).unwrap();
        self.commands.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// SIGKILL: no destructor runs, nothing is flushed.
    pub fn kill(&mut self) {
        self.process.start_kill().unwrap();
    }

    pub async fn wait(&mut self) -> ExitStatus {
        self.process.wait().await.unwrap()
    }
}
