//! Where the solver is, how it is started, and how long it may think.

use std::{env, path::PathBuf, process::Stdio, time::Duration};

use cedar_policy_symcc::solver::LocalSolver;
use tokio::{process::Command, time::timeout};

use super::ProveFault;

/// How long the solver may take for one question. Each takes some milliseconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program of the solver: cvc5.
#[derive(Clone, Debug)]
pub struct SolverPath {
    program: PathBuf,
    pub(super) patience: Duration,
}

impl SolverPath {
    /// This program; without one, that of the variable `CVC5`, or `cvc5` in the search path.
    #[must_use]
    pub fn find(given: Option<PathBuf>) -> Self {
        let named = given.or_else(|| env::var_os("CVC5").map(PathBuf::from));
        Self { program: named.unwrap_or_else(|| PathBuf::from("cvc5")), patience: PATIENCE }
    }

    fn missing(&self) -> ProveFault {
        ProveFault::NoSolver(self.program.display().to_string())
    }

    /// How the solver names itself, by `--version`.
    pub(super) async fn name(&self) -> Result<String, ProveFault> {
        let mut command = Command::new(&self.program);
        command.arg("--version").stdin(Stdio::null()).kill_on_drop(true);
        let asked = timeout(self.patience, command.output()).await;
        let output = asked.map_err(|_| self.missing())?.map_err(|_| self.missing())?;
        let text = String::from_utf8_lossy(&output.stdout);
        let named = text.lines().find_map(|line| line.trim().strip_prefix("This is "));
        match named {
            Some(name) if output.status.success() && name.starts_with("cvc5") => Ok(name.trim().to_owned()),
            _ => Err(self.missing()),
        }
    }

    /// Starts it. It ends when nobody holds it any more.
    pub(super) fn start(&self) -> Result<LocalSolver, ProveFault> {
        let mut command = Command::new(&self.program);
        command.args(["--lang", "smt"]).kill_on_drop(true);
        LocalSolver::from_command(&mut command).map_err(|_| self.missing())
    }
}
