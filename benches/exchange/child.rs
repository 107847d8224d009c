//! The other processes of a run: this program again, with another part to play.

use std::{
    env,
    ffi::OsStr,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tokio::net::TcpListener;

use crate::common::Fault;

/// How long one may take to stop in order.
const STOP: Duration = Duration::from_secs(5);

/// A process that serves, and ends with this one.
#[derive(Debug)]
pub struct Served {
    process: Child,
    /// Where it listens.
    pub port: u16,
}

impl Served {
    /// Starts one, and waits until it serves. What it logs goes to a file in the folder.
    pub fn start<'a>(
        folder: &Path,
        name: &str,
        part: impl IntoIterator<Item = &'a OsStr>,
    ) -> Result<Self, Fault> {
        let log = folder.join(format!("{name}.log"));
        let mut process = Command::new(env::current_exe()?)
            .args(part)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .spawn()?;
        let mut line = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut line)?;
        }
        // Its end comes with that of the value, whether it started or not.
        let mut served = Self { process, port: 0 };
        served.port = line.trim().parse().map_err(|_| {
            format!("{name} does not start:\n{}", fs::read_to_string(&log).unwrap_or_default())
        })?;
        Ok(served)
    }

    /// Its number, for what the operating system knows of it.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let end = Instant::now() + STOP;
        while Instant::now() < end {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(10));
        }
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// A free port, for the process that was started.
pub async fn listen() -> Result<(TcpListener, SocketAddr), Fault> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Tells the starter that the process serves, and waits until it is to stop: its input ends, also if the starter dies.
pub async fn serve_until_told(address: SocketAddr) -> Result<(), Fault> {
    let mut output = io::stdout();
    writeln!(output, "{}", address.port())?;
    output.flush()?;
    tokio::task::spawn_blocking(|| io::copy(&mut io::stdin(), &mut io::sink())).await??;
    Ok(())
}
