//! A test in a process of its own, so that every trace of it is caught, and all that it leaves can be searched.

use std::{
    fs, io,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
};

use crate::{database::on_postgres, lab::Lab, outside::Outside, promises::copy};

/// Everything that the process traces, however fine.
#[derive(Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// Catches it from here on. Once in a process.
    pub fn begin() -> Self {
        let captured = Self::default();
        let writer = captured.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(move || writer.clone())
            .try_init()
            .unwrap();
        tracing::trace!("captured from here on");
        captured
    }

    /// What was caught.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies what the gateway wrote, while it runs and after it has stopped.
pub async fn keep(lab: Lab, out: &Path) {
    let region = lab.world.dir.clone();
    copy(&region.join("data"), &out.join("running"));
    if on_postgres() {
        Outside::open(&region).await.dump(&out.join("running/sluis.db")).await;
    }
    lab.world.stop().await;
    copy(&region.join("data"), &out.join("stopped"));
    if on_postgres() {
        Outside::open(&region).await.dump(&out.join("stopped/sluis.db")).await;
    }
}

/// Runs a test of this binary in a process of its own, and gives all that it left: its output, and the files in the
/// folder that the variable names.
pub fn run_apart(test: &str, variable: &str) -> Vec<(String, Vec<u8>)> {
    let out = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact"])
        .env(variable, out.path())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&child.stdout).into_owned();
    assert!(child.status.success(), "{output}");
    let mut files = vec![("output".to_owned(), child.stdout), ("errors".to_owned(), child.stderr)];
    read_all(out.path(), &mut files);
    files
}

/// Every file in a folder, however deep.
pub fn files_in(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    read_all(dir, &mut files);
    files
}

fn read_all(dir: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    for file in fs::read_dir(dir).unwrap() {
        let file = file.unwrap().path();
        if file.is_dir() {
            read_all(&file, files);
        } else {
            files.push((file.display().to_string(), fs::read(&file).unwrap()));
        }
    }
}
