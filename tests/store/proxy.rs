//! A connection that breaks when it is told to: a proxy before the PostgreSQL of the tests.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mood {
    /// Passes everything.
    Good = 0,
    /// Passes no commit, and breaks the connection instead: once.
    BreakBeforeCommit = 1,
    /// Passes a commit, and breaks the connection instead of its answer: once.
    BreakAfterCommit = 2,
    /// As the last, and lets nobody in until it is told otherwise.
    BreakAfterCommitAndStayAway = 3,
    /// Breaks the connection at the next thing that comes by: once.
    BreakAtOnce = 4,
    /// Lets nobody in, and breaks what is there at the next thing that comes by.
    Away = 5,
    /// Passes everything but a farewell: the server does not hear that a connection has ended.
    KeepsTheEnd = 6,
}

pub struct Proxy {
    mood: Arc<AtomicU8>,
    broken: Arc<AtomicUsize>,
    /// Address of the database through it.
    pub url: String,
    _stop: watch::Sender<()>,
}

/// How the store says commit, at the end of a simple query.
const COMMIT: &[u8] = b"; commit\0";
/// The protocol's message `Terminate`.
const FAREWELL: &[u8] = b"X\0\0\0\x04";

impl Proxy {
    /// Before this database.
    pub async fn before(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap();
        let (user, rest) = rest.split_once('@').unwrap();
        let (server, rest) = rest.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mark = if rest.contains('?') { '&' } else { '?' };
        // In the clear, so that the proxy sees what comes by.
        let url = format!("{scheme}://{user}@127.0.0.1:{port}/{rest}{mark}sslmode=disable");
        let (mood, broken) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicUsize::new(0)));
        let (stop, mut stopped) = watch::channel(());
        let proxy = Self { mood: Arc::clone(&mood), broken: Arc::clone(&broken), url, _stop: stop };
        let server = server.to_owned();
        tokio::spawn(async move {
            loop {
                let (client, _) = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap(),
                    _ = stopped.changed() => return,
                };
                if Mood::of(&mood) == Mood::Away {
                    continue;
                }
                let server = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&mood), Arc::clone(&broken)));
            }
        });
        proxy
    }

    pub fn set(&self, mood: Mood) {
        self.mood.store(mood as u8, Ordering::SeqCst);
    }

    /// How many connections it has broken.
    pub fn broken(&self) -> usize {
        self.broken.load(Ordering::SeqCst)
    }
}

impl Mood {
    fn of(mood: &AtomicU8) -> Self {
        match mood.load(Ordering::SeqCst) {
            0 => Self::Good,
            1 => Self::BreakBeforeCommit,
            2 => Self::BreakAfterCommit,
            3 => Self::BreakAfterCommitAndStayAway,
            4 => Self::BreakAtOnce,
            5 => Self::Away,
            _ => Self::KeepsTheEnd,
        }
    }
}

async fn pass(mut client: TcpStream, mut server: TcpStream, mood: Arc<AtomicU8>, broken: Arc<AtomicUsize>) {
    let (mut up, mut down) = ([0; 65_536], [0; 65_536]);
    let set = |mood: &AtomicU8, to: Mood| mood.store(to as u8, Ordering::SeqCst);
    loop {
        tokio::select! {
            read = client.read(&mut up) => {
                let read = read.unwrap_or_default();
                if Mood::of(&mood) == Mood::KeepsTheEnd && [b"", FAREWELL].contains(&&up[..read]) {
                    return std::future::pending().await;
                }
                if read == 0 {
                    return;
                }
                let is_commit = up[..read].ends_with(COMMIT);
                let now = Mood::of(&mood);
                let breaks = match now {
                    Mood::Good | Mood::KeepsTheEnd => false,
                    Mood::BreakAtOnce | Mood::Away => true,
                    Mood::BreakBeforeCommit => is_commit,
                    Mood::BreakAfterCommit | Mood::BreakAfterCommitAndStayAway => {
                        if is_commit {
                            server.write_all(&up[..read]).await.unwrap();
                            // The answer is there, so the commit is done; and goes no further.
                            let answered = server.read(&mut down).await.unwrap();
                            assert!(answered > 0);
                        }
                        is_commit
                    }
                };
                if breaks {
                    match now {
                        Mood::Away => {}
                        Mood::BreakAfterCommitAndStayAway => set(&mood, Mood::Away),
                        _ => set(&mood, Mood::Good),
                    }
                    broken.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                if server.write_all(&up[..read]).await.is_err() { return }
            }
            read = server.read(&mut down) => {
                let Ok(read @ 1..) = read else { return };
                if client.write_all(&down[..read]).await.is_err() { return }
            }
        }
    }
}
