//! Proving, with the symbolic compiler of Cedar and the SMT solver cvc5, that no question whatever leads out of the
//! invariants, that no rule ever gives an error and each has an effect, and that a changed set allows no more than the one
//! before, or exactly in what it does. What does not hold comes with a question that shows it.
//!
//! The solver is not trusted with what can be looked at: each question that it finds is put to the engine too, and a
//! solver that never finds one proves nothing, because each permit must permit something.

mod example;
mod finding;
mod prover;
mod solver;

use std::{fmt, thread};

use cedar_policy::{Effect, PolicySet as CedarSet};
use tokio::runtime;

pub use example::CounterExample;
pub use finding::{Attempt, Finding, Property, Proven, Verdict};
pub use solver::SolverPath;

use super::{Difference, PolicyChange, PolicySet, proof::ProvenChange};
use prover::{Prover, all_but};

/// What puts the questions to the solver.
const PROVER: &str = "cedar-policy-symcc 0.8.1";

/// Why nothing could be proven. Nothing holds then.
#[derive(Debug, thiserror::Error)]
pub enum ProveFault {
    /// There is no solver.
    #[error(
        "there is no solver: `{0}` cannot be started, or is no cvc5. Install cvc5 (Debian and Ubuntu: apt-get install \
         cvc5), or say where it is with `--solver` or the variable CVC5"
    )]
    NoSolver(String),
    /// The solver is not one, or has failed.
    #[error("the solver has failed while it looked at {what}; nothing is proven: {why}")]
    Failed {
        /// What was to be proven.
        what: String,
        /// What it said.
        why: String,
    },
    /// The solver gave up. That is no proof.
    #[error("the solver could not decide whether {0}; nothing is proven")]
    Unknown(String),
    /// The solver says something else than the engine.
    #[error(
        "the solver and the engine disagree on whether {0}; nothing is proven. It may be a version of cvc5 that does not \
         fit {PROVER}"
    )]
    Disagree(String),
}

/// Room for the compiler, which goes as deep as there are rules: some 30 KiB for each. What is not used is not taken.
const STACK: usize = 256 << 20;

/// Tries to prove a set, and to compare it with the one before. Keeps its caller waiting: it is for the command line.
///
/// # Errors
/// If there is no solver, or it fails or gives up.
pub async fn prove(
    set: &PolicySet,
    before: Option<&PolicySet>,
    path: &SolverPath,
) -> Result<Attempt, ProveFault> {
    let failed = |why: &dyn fmt::Display| prover::failed(&"the policies", why);
    thread::scope(|scope| {
        let proving = || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            runtime.map_err(|fault| failed(&fault))?.block_on(prove_here(set, before, path))
        };
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, proving);
        let proven = thread.map_err(|fault| failed(&fault))?.join();
        proven.unwrap_or_else(|_| Err(failed(&"the prover has panicked")))
    })
}

async fn prove_here(
    set: &PolicySet,
    before: Option<&PolicySet>,
    path: &SolverPath,
) -> Result<Attempt, ProveFault> {
    let name = path.name().await?;
    let mut prover = Prover::start(set, path)?;
    let mut findings = Vec::new();
    let (mut never_errors, mut invariants) = (Vec::new(), Vec::new());
    let mut rules: Vec<_> = set.rules.policies().collect();
    rules.sort_by_key(|rule| rule.id().to_string());
    for rule in &rules {
        findings.push(prover.never_errors(rule).await?);
        never_errors.push(rule.id().to_string());
    }
    for rule in &rules {
        findings.push(match rule.effect() {
            Effect::Permit => prover.can_permit(rule).await?,
            Effect::Forbid => prover.can_forbid(rule).await?,
        });
    }
    for invariant in &set.invariants {
        let id = invariant.id().to_string();
        let wall = CedarSet::from_policies([invariant.clone()]).unwrap_or_default();
        findings.push(prover.implies(Property::Keeps(id.clone()), &set.rules, &wall).await?);
        invariants.push(id);
    }
    let change = before.map(|before| PolicyChange::between(before, set));
    let proven_change = match (before, &change) {
        (Some(before), Some(change)) => Some(compare(&mut prover, before, change, &mut findings).await?),
        _ => None,
    };
    let proven = Proven {
        set: set.hash().to_owned(),
        solver: name,
        prover: PROVER.to_owned(),
        invariants,
        never_errors,
        change: proven_change,
    };
    Ok(Attempt { findings, change, proven })
}

/// Whether the set allows no more than the one before; and, both ways, that the listed differences are all there are: they
/// were found by deciding with every fact true, and this is about every question.
async fn compare(
    prover: &mut Prover<'_>,
    before: &PolicySet,
    change: &PolicyChange,
    findings: &mut Vec<Finding>,
) -> Result<ProvenChange, ProveFault> {
    let (old, new) = (&before.rules, &prover.set.rules);
    let no_more = prover.implies(Property::AllowsNoMore, new, old).await?;
    let allows_no_more = no_more.holds();
    if allows_no_more && !change.allows_no_more() {
        return Err(ProveFault::Disagree(no_more.property.to_string()));
    }
    findings.push(no_more);
    for (property, wide, narrow, but) in [
        (Property::WiderIsAll, new, old, &change.wider),
        (Property::NarrowerIsAll, old, new, &change.narrower),
    ] {
        let rest = all_but(wide, but).map_err(|why| prover::failed(&property, &why))?;
        findings.push(prover.implies(property, &rest, narrow).await?);
    }
    let told = |list: &[Difference]| list.iter().map(ToString::to_string).collect();
    Ok(ProvenChange {
        against: before.hash().to_owned(),
        allows_no_more,
        wider: told(&change.wider),
        narrower: told(&change.narrower),
    })
}

#[cfg(test)]
mod tests;
