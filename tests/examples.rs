//! The examples of the documentation are true: every shell command of the README's two walks runs, in order, against
//! what they start; and every file of `docs/examples` loads as what it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test may fail in any way"
)]

#[path = "gateway/database.rs"]
#[allow(dead_code, reason = "shared with the tests of the gateway")]
mod database;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use sluis::{
    app::source_system::SourceSettings,
    client::Profile,
    config::Settings,
    consent::{draft::FormDraft, signing_key},
    identity::{GatewayKind, ReadAs, Register, register::sign::sign_missing},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

fn fresh() -> String {
    tokio::runtime::Runtime::new().unwrap().block_on(database::fresh())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_example_file_loads() {
    let examples = root().join("docs/examples");
    let settings = Settings::load(&examples.join("sluis.toml")).unwrap();
    assert_eq!(settings.kind(), GatewayKind::Test);
    let source = SourceSettings::load(&examples.join("source.toml")).unwrap();
    let agreements = fs::read_to_string(&source.agreements).unwrap();
    let (participants, agreements) = signed(&fs::read_to_string(&source.participants).unwrap(), &agreements);
    let register = Register::parse(&participants, &agreements, ReadAs::Gateway(&settings.origin)).unwrap();
    assert_eq!((register.organisations().len(), register.all_agreements().len()), (3, 1));
    for profile in ["ggz.toml", "gemeente.toml", "fg.toml"] {
        Profile::load(&examples.join(profile)).unwrap();
    }
    FormDraft::parse(&fs::read_to_string(examples.join("form.json")).unwrap()).unwrap();
}

/// Both registers of the examples, with keys in place of the placeholders, and signed with them.
fn signed(participants: &str, agreements: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |kid: &str| folder.path().join(format!("{kid}.pem"));
    let mut participants = participants.to_owned();
    for kid in ["gemeente-1", "ggz-1"] {
        let public = URL_SAFE_NO_PAD.encode(signing_key::create(&path(kid)).unwrap());
        let placeholder = format!("@{kid}");
        assert!(participants.contains(&placeholder), "{kid}");
        participants = participants.replace(&placeholder, &public);
    }
    let key = |kid: &str| signing_key::read(&path(kid)).ok();
    let agreements = sign_missing(&participants, agreements, ReadAs::Party(GatewayKind::Test), key).unwrap();
    (participants, agreements)
}

/// What each program that keeps running says once others can go on.
const READY: [(&str, &str); 3] = [
    ("sluis demo --stay", "Everything keeps running"),
    ("sluis source", "the source system serves"),
    ("sluis serve", "the gateway serves"),
];

/// The shell commands under a heading of the README, each with its continuation lines.
fn commands(heading: &str) -> Vec<String> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split_once(&format!("\n## {heading}\n")).expect("the README has this heading").1;
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap());
    let joined = blocks.collect::<String>().replace("\\\n", " ");
    joined.lines().map(ToOwned::to_owned).collect()
}

/// A folder in which the README's commands run, and what they have started.
struct Walk {
    folder: tempfile::TempDir,
    running: Vec<Child>,
}

impl Walk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["docs", "policies", "demo", "certs-example"] {
            copy(&root().join(name), &folder.path().join(name));
        }
        Self { folder, running: Vec::new() }
    }

    fn shell(&self, command: &str) -> Command {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_sluis"));
        let path = std::env::join_paths(
            [program.parent().unwrap().to_owned()]
                .into_iter()
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
        );
        let mut shell = Command::new("bash");
        shell.args(["-euo", "pipefail", "-c", command]).env("PATH", path.unwrap());
        shell.current_dir(self.folder.path()).stdin(Stdio::null());
        shell
    }

    /// Runs a walk: what is to keep running in the background, everything else to its end.
    fn run(&mut self, heading: &str) -> String {
        let mut told = String::new();
        // Assignments are for the lines after them.
        let mut before = String::new();
        for command in commands(heading) {
            if command.starts_with("cargo ") || command.starts_with("export PATH") {
                continue;
            }
            if let Some((_, ready)) = READY.iter().find(|(begin, _)| command.starts_with(begin)) {
                if command.starts_with("sluis demo") && database::on_postgres() {
                    self.start(&format!("{command} --instances 2 --database '{}'", fresh()), ready);
                } else {
                    self.start(&command, ready);
                }
                continue;
            }
            if command.starts_with("key=") {
                before = command + "; ";
                continue;
            }
            let done = self.shell(&format!("{before}{command}")).output().unwrap();
            before.clear();
            let (out, faults) =
                (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
            assert!(done.status.success(), "{command}\n{out}\n{faults}");
            told.push_str(&out);
            if command.starts_with("cp -r docs/examples") {
                self.move_ports();
                self.move_database();
            }
        }
        told
    }

    fn start(&mut self, command: &str, ready: &'static str) {
        let mut shell = self.shell(&format!("exec {command} 2>&1"));
        let mut child = shell.stdout(Stdio::piped()).spawn().unwrap();
        let said = watch(child.stdout.take().unwrap(), ready);
        self.running.push(child);
        match said.recv_timeout(Duration::from_secs(60)) {
            Ok(Ok(())) => {}
            Ok(Err(told)) => panic!("`{command}` ended:\n{told}"),
            Err(_) => panic!("`{command}` does not get ready"),
        }
    }

    /// Ports that are free here, in place of those of the examples.
    fn move_ports(&self) {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [gateway, source] = listeners.map(|listener| listener.local_addr().unwrap().port().to_string());
        for entry in fs::read_dir(self.folder.path().join("my-region")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                let text = fs::read_to_string(&path).unwrap();
                fs::write(&path, text.replace("7443", &gateway).replace("7444", &source)).unwrap();
            }
        }
    }

    /// Where this run is about PostgreSQL, the gateway of the walk keeps its log there.
    fn move_database(&self) {
        if !database::on_postgres() {
            return;
        }
        let path = self.folder.path().join("my-region/sluis.toml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("database = \"{}\"\n{text}", fresh())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

impl Drop for Walk {
    fn drop(&mut self) {
        for child in &mut self.running {
            // It may have ended by itself; then there is nothing to stop.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Reads what a program says, tells when it says that it is ready, and goes on reading so that it never waits. If it
/// ends before that, tells what it said.
fn watch(out: impl Read + Send + 'static, ready: &'static str) -> mpsc::Receiver<Result<(), String>> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut all = String::new();
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            if line.contains(ready) {
                drop(tell.send(Ok(())));
            }
            all.push_str(&line);
            all.push('\n');
        }
        drop(tell.send(Err(all)));
    });
    told
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn the_first_own_request_works_as_the_readme_says() {
    let mut walk = Walk::new();
    let told = walk.run("Your first own request, in ten minutes");
    for part in [
        "REINTEGRATION  (Re-integratieplan opstellen)",
        "WT-03  Uren per week: Ongeveer 20 uur",
        "the answer is the one in the log",
        "withdrawn, log position",
        "not provided: working_hours.hours_per_week",
        r#""reason":"WITHDRAWN""#,
        "entries exported to export",
        "keys as given",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[test]
fn a_region_of_one_s_own_works_as_the_readme_says() {
    let mut walk = Walk::new();
    let told = walk.run("A region of your own");
    for part in [
        "AGR-0001 is signed by the source",
        "AGR-0001 is signed by the requester",
        "AGR-0001  active",
        "in_force",
        "WT-03  Uren per week",
        "VW-08  Prikkelarme werkplek: ja",
        "key of the log",
        "keys as given",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}
