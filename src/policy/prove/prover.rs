//! One question at a time to a solver that is running, and what the engine says to its answer.

use std::{
    collections::BTreeMap,
    fmt::Display,
    time::{Duration, Instant},
};

use cedar_policy::{Effect, Policy, PolicyId, PolicySet as CedarSet, RequestEnv};
use cedar_policy_symcc::{
    CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env, err::Error as SymError, solver::LocalSolver,
};
use tokio::time::timeout;

use super::{CounterExample, Finding, Property, ProveFault, SolverPath, Verdict};
use crate::policy::{
    Difference, PolicySet,
    shape::{FIELD_SET, ROLE},
};

/// A solver that is running, and the set that it is asked about.
pub(super) struct Prover<'a> {
    pub(super) set: &'a PolicySet,
    compiler: CedarSymCompiler<LocalSolver>,
    patience: Duration,
    /// The schema has one action, so there is one kind of question.
    question: RequestEnv,
}

impl<'a> Prover<'a> {
    pub(super) fn start(set: &'a PolicySet, path: &SolverPath) -> Result<Self, ProveFault> {
        let schema = &"the schema";
        let compiler = CedarSymCompiler::new(path.start()?).map_err(|fault| failed(schema, &fault))?;
        let mut questions = set.schema.request_envs();
        let question = questions.next().ok_or_else(|| failed(schema, &"it has no action"))?;
        if questions.next().is_some() {
            return Err(failed(schema, &"it has more than one kind of question"));
        }
        Ok(Self { set, compiler, patience: path.patience, question })
    }

    /// Whether a rule gives an error on no question.
    pub(super) async fn never_errors(&mut self, rule: &Policy) -> Result<Finding, ProveFault> {
        let begun = Instant::now();
        let property = Property::NeverErrors(rule.id().to_string());
        let compiled = self.compile_one(&property, rule)?;
        let asked = self.compiler.check_never_errors_with_counterexample_opt(&compiled);
        let found = answer(&property, timeout(self.patience, asked).await)?;
        let shows = |example: &CounterExample| !example.errors.is_empty();
        let verdict = match found.map(|env| self.shown(&property, &env, &self.set.rules, shows)) {
            Some(example) => Verdict::Broken(example?),
            None => Verdict::Holds,
        };
        Ok(Finding { property, verdict, took: begun.elapsed() })
    }

    /// Whether a permit permits something on which no guardrail is.
    pub(super) async fn can_permit(&mut self, rule: &Policy) -> Result<Finding, ProveFault> {
        let begun = Instant::now();
        let id = rule.id().to_string();
        let property = Property::CanPermit(id.clone());
        let guardrails = self.set.rules.policies().filter(|rule| rule.effect() == Effect::Forbid);
        let alone = CedarSet::from_policies(guardrails.cloned().chain([rule.clone()]))
            .map_err(|fault| failed(&property, &fault))?;
        let compiled = self.compile(&property, &alone)?;
        let asked = self.compiler.check_always_denies_with_counterexample_opt(&compiled);
        let found = answer(&property, timeout(self.patience, asked).await)?;
        self.acts(property, begun, found, |example| example.permitted && example.rules.contains(&id))
    }

    /// Whether a guardrail forbids something.
    pub(super) async fn can_forbid(&mut self, rule: &Policy) -> Result<Finding, ProveFault> {
        let begun = Instant::now();
        let id = rule.id().to_string();
        let property = Property::CanForbid(id.clone());
        let compiled = self.compile_one(&property, rule)?;
        let asked = self.compiler.check_never_matches_with_counterexample_opt(&compiled);
        let found = answer(&property, timeout(self.patience, asked).await)?;
        self.acts(property, begun, found, |example| !example.permitted && example.rules.contains(&id))
    }

    /// Whether these allow whatever the rules allow.
    pub(super) async fn implies(
        &mut self,
        property: Property,
        rules: &CedarSet,
        these: &CedarSet,
    ) -> Result<Finding, ProveFault> {
        let begun = Instant::now();
        let (all, wall) = (self.compile(&property, rules)?, self.compile(&property, these)?);
        let asked = self.compiler.check_implies_with_counterexample_opt(&all, &wall);
        let verdict = match answer(&property, timeout(self.patience, asked).await)? {
            Some(env) => {
                let example = self.shown(&property, &env, rules, |example| example.permitted)?;
                self.shown(&property, &env, these, |example| !example.permitted)?;
                Verdict::Broken(example)
            }
            None => Verdict::Holds,
        };
        Ok(Finding { property, verdict, took: begun.elapsed() })
    }

    /// A rule has an effect if there is a question that shows it.
    fn acts(
        &self,
        property: Property,
        begun: Instant,
        found: Option<Env>,
        shows: impl Fn(&CounterExample) -> bool,
    ) -> Result<Finding, ProveFault> {
        let verdict = match found {
            Some(env) => {
                self.shown(&property, &env, &self.set.rules, shows)?;
                Verdict::Holds
            }
            None => Verdict::Idle,
        };
        Ok(Finding { property, verdict, took: begun.elapsed() })
    }

    /// A question that the solver found, if it shows the same to the engine.
    fn shown(
        &self,
        property: &Property,
        env: &Env,
        rules: &CedarSet,
        shows: impl Fn(&CounterExample) -> bool,
    ) -> Result<CounterExample, ProveFault> {
        let example = CounterExample::of(&env.request, rules);
        if shows(&example) { Ok(example) } else { Err(ProveFault::Disagree(property.to_string())) }
    }

    fn compile(&self, what: &Property, rules: &CedarSet) -> Result<CompiledPolicySet, ProveFault> {
        CompiledPolicySet::compile(rules, &self.question, &self.set.schema)
            .map_err(|fault| failed(what, &fault))
    }

    fn compile_one(&self, what: &Property, rule: &Policy) -> Result<CompiledPolicy, ProveFault> {
        CompiledPolicy::compile(rule, &self.question, &self.set.schema).map_err(|fault| failed(what, &fault))
    }
}

/// The solver's answer: a question, or that there is none. That it gave up or was too slow is neither.
fn answer(
    property: &Property,
    found: Result<Result<Option<Env>, SymError>, tokio::time::error::Elapsed>,
) -> Result<Option<Env>, ProveFault> {
    match found {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(SymError::ModelInvalid { .. })) => Err(ProveFault::Disagree(property.to_string())),
        Ok(Err(SymError::SolverUnknown)) => Err(ProveFault::Unknown(property.to_string())),
        Ok(Err(fault)) => Err(failed(property, &fault)),
        Err(late) => Err(failed(property, &format!("it gave no answer in time ({late})"))),
    }
}

pub(super) fn failed(what: &dyn Display, why: &dyn Display) -> ProveFault {
    ProveFault::Failed { what: what.to_string(), why: why.to_string() }
}

/// The same rules, and a forbid on each of these combinations, whatever the facts.
pub(super) fn all_but(rules: &CedarSet, but: &[Difference]) -> Result<CedarSet, String> {
    let mut groups: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for Difference { purpose, role, source_kind, field_set } in but {
        groups.entry((purpose, *role, *source_kind)).or_default().push(field_set);
    }
    let mut rest = rules.clone();
    for (number, ((purpose, role, kind), sets)) in groups.into_iter().enumerate() {
        // Names of closed lists, and purposes of capital letters: nothing in them could end a text.
        let sets: Vec<_> = sets.iter().map(|set| format!("{FIELD_SET}::\"{set}\"")).collect();
        let text = format!(
            "forbid (principal == {ROLE}::\"{role}\", action, resource) when {{ context.purpose == \"{purpose}\" && \
             context.source_kind == \"{kind}\" && [{}].contains(resource) }};",
            sets.join(", ")
        );
        let id = PolicyId::new(format!("listed/{number}"));
        let forbid = Policy::parse(Some(id), &text).map_err(|fault| fault.to_string())?;
        rest.add(forbid).map_err(|fault| fault.to_string())?;
    }
    Ok(rest)
}
