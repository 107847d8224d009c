//! Without a solver that can be relied on nothing is proven, and it says so.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

use super::*;

fn with_solver(program: PathBuf, patience: Duration) -> Result<Attempt, ProveFault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut path = SolverPath::find(Some(program));
    path.patience = patience;
    runtime.block_on(prove(policies(), Some(policies()), &path))
}

/// What comes of a program that does to every question what its name says.
fn posing_as(name: &str, patience: Duration) -> Result<Attempt, ProveFault> {
    let dir = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/policy/prove/tests/solver.sh");
    symlink(script, dir.path().join(name)).unwrap();
    with_solver(dir.path().join(name), patience)
}

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn without_a_solver_nothing_is_proven_and_it_says_so() {
    for program in ["/nowhere/cvc5", "/bin/true", "/"] {
        let fault = with_solver(program.into(), LONG).map(|_| ()).unwrap_err();
        assert!(matches!(fault, ProveFault::NoSolver(_)), "{fault}");
        let told = fault.to_string();
        assert!(told.contains(&format!("`{program}`")) && told.contains("Install cvc5"), "{told}");
        assert!(told.contains("apt-get install cvc5"), "{told}");
    }
    for (name, patience) in [("other", LONG), ("mute", SHORT)] {
        let fault = posing_as(name, patience).map(|_| ()).unwrap_err();
        assert!(matches!(fault, ProveFault::NoSolver(_)), "{name}: {fault}");
    }
}

#[test]
fn a_solver_that_gives_up_or_fails_proves_nothing() {
    for (name, patience, part) in [
        ("unknown", LONG, "could not decide whether"),
        ("timeout", LONG, "has failed while it looked at"),
        ("(error \"no\")", LONG, "has failed while it looked at"),
        ("dies", LONG, "has failed while it looked at"),
        ("slow", SHORT, "gave no answer in time"),
    ] {
        let told = posing_as(name, patience).map(|_| ()).unwrap_err().to_string();
        assert!(told.contains(part) && told.contains("nothing is proven"), "{name}: {told}");
    }
}

/// A solver that finds nothing would prove everything, if that were all that it is asked.
#[test]
fn a_solver_that_never_finds_a_question_proves_nothing() {
    let attempt = posing_as("unsat", LONG).unwrap();
    assert_eq!(attempt.proven(), None);
    let idle = attempt.findings.iter().filter(|finding| finding.verdict == Verdict::Idle);
    assert_eq!(idle.count(), policies().rules.policies().count());
}

#[test]
fn a_solver_that_makes_up_questions_is_caught_by_the_engine() {
    let fault = posing_as("sat", LONG).map(|_| ()).unwrap_err();
    assert!(matches!(fault, ProveFault::Disagree(_)), "{fault}");
    assert!(fault.to_string().contains("nothing is proven"), "{fault}");
}
