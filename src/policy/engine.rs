//! Cedar, and nothing around it that could open what it closed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use cedar_policy::{
    Authorizer, Context, Decision as CedarDecision, Effect, Entities, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression, Schema,
};

use super::{
    facts::Facts,
    shape::{ACTION, DISCLOSE, FIELD_SET, ROLE},
};
use crate::domain::{OrganisationKind, Purpose, Role};

/// One question to Cedar, about one field set.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ask {
    pub(super) role: Role,
    pub(super) purpose: Purpose,
    pub(super) source_kind: OrganisationKind,
    pub(super) field_set: &'static str,
    pub(super) facts: Facts,
}

/// What Cedar decided, and by which rules.
#[derive(Debug, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is permitted.
    pub permitted: bool,
    /// Ids of the rules that determined it, sorted; none if no rule permits.
    pub rules: Vec<String>,
}

/// Cedar could not decide. Whoever gets this denies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The question does not fit the schema.
    #[error("the question does not fit the schema: {0}")]
    Question(String),
    /// A rule gave an error. Cedar skips such a rule, and a skipped forbid would open.
    #[error("a rule gave an error: {0}")]
    Rule(String),
    /// No rules for this purpose.
    #[error("there are no rules for this purpose")]
    NoRules,
}

/// The rules of a purpose, cut by role and kind of source.
#[derive(Debug)]
pub(super) struct Slice {
    /// The permits that could hold for a role and a kind of source, with all guardrails.
    pub(super) permits: BTreeMap<(Role, OrganisationKind), PolicySet>,
    /// All guardrails: asked where no permit could hold, so that a denial names the rules that forbid.
    pub(super) guardrails: PolicySet,
}

/// Slices by purpose.
pub(super) type Slices = BTreeMap<Purpose, Slice>;

/// The rules of each active purpose together with all guardrails.
#[derive(Debug)]
pub(super) struct Engine {
    schema: Schema,
    slices: Slices,
    /// Decisions so far. Safe because a decision is a pure function of the question, this set of rules never changes
    /// (a reload makes a new engine), and questions are finite: closed lists, purposes with a slice, booleans. Facts
    /// are part of the question, so nothing about any client's consent is kept: that it was in force once answers
    /// only the question in which it is.
    memo: RwLock<HashMap<Ask, Arc<Decision>>>,
}

impl Engine {
    /// INVARIANT: each set in a slice has every guardrail, and no permit of another could hold for its question.
    pub(super) fn new(schema: Schema, slices: Slices) -> Self {
        Self { schema, slices, memo: RwLock::default() }
    }

    /// Decides, or remembers what was decided. An error is not remembered.
    pub(super) fn decide(&self, ask: &Ask) -> Result<Arc<Decision>, EngineError> {
        if let Some(decision) = self.memo.read().unwrap_or_else(PoisonError::into_inner).get(ask) {
            return Ok(Arc::clone(decision));
        }
        let decision = Arc::new(self.ask_cedar(ask)?);
        self.memo.write().unwrap_or_else(PoisonError::into_inner).insert(ask.clone(), Arc::clone(&decision));
        Ok(decision)
    }

    /// Id and effect of every rule.
    pub(super) fn rules(&self) -> BTreeMap<String, Effect> {
        let sets = self.slices.values().flat_map(|slice| slice.permits.values().chain([&slice.guardrails]));
        let all = sets.flat_map(PolicySet::policies);
        all.map(|policy| (policy.id().to_string(), policy.effect())).collect()
    }

    fn ask_cedar(&self, ask: &Ask) -> Result<Decision, EngineError> {
        let slice = self.slices.get(&ask.purpose).ok_or(EngineError::NoRules)?;
        let rules = slice.permits.get(&(ask.role, ask.source_kind)).unwrap_or(&slice.guardrails);
        let request = request(ask, &self.schema)?;
        let response = Authorizer::new().is_authorized(&request, rules, &Entities::empty());
        let mut errors = response.diagnostics().errors().map(ToString::to_string).collect::<Vec<_>>();
        if !errors.is_empty() {
            errors.sort();
            return Err(EngineError::Rule(errors.join("; ")));
        }
        let mut rules: Vec<_> = response.diagnostics().reason().map(ToString::to_string).collect();
        rules.sort();
        Ok(Decision { permitted: response.decision() == CedarDecision::Allow, rules })
    }
}

/// The question as Cedar reads it, always checked against the schema: only that check finds a value of a wrong type.
pub(super) fn request(ask: &Ask, schema: &Schema) -> Result<Request, EngineError> {
    let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
    let words = [("purpose", text(ask.purpose.as_str())), ("source_kind", text(ask.source_kind.as_str()))];
    let facts =
        ask.facts.named().into_iter().map(|(name, holds)| (name, RestrictedExpression::new_bool(holds)));
    let context =
        Context::from_pairs(words.into_iter().chain(facts).map(|(name, value)| (name.to_owned(), value)))
            .map_err(|error| EngineError::Question(error.to_string()))?;
    Request::new(
        uid(ROLE, ask.role.as_str())?,
        uid(ACTION, DISCLOSE)?,
        uid(FIELD_SET, ask.field_set)?,
        context,
        Some(schema),
    )
    .map_err(|error| EngineError::Question(error.to_string()))
}

/// Parsed once: Cedar's parser takes longer than a decision.
static TYPES: LazyLock<Vec<(&str, EntityTypeName)>> = LazyLock::new(|| {
    [ROLE, ACTION, FIELD_SET].into_iter().filter_map(|kind| Some((kind, kind.parse().ok()?))).collect()
});

fn uid(kind: &str, id: &str) -> Result<EntityUid, EngineError> {
    let (_, parsed) = TYPES
        .iter()
        .find(|(known, _)| *known == kind)
        .ok_or_else(|| EngineError::Question(format!("`{kind}` is no type")))?;
    Ok(EntityUid::from_type_name_and_id(parsed.clone(), EntityId::new(id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = r#"permit (principal, action, resource);"#;

    fn engine(rules: &str) -> (Engine, Ask) {
        let text = include_str!("../../policies/schema.cedarschema");
        let (schema, _) = Schema::from_cedarschema_str(text).unwrap();
        let purpose: Purpose = "REINTEGRATION".parse().unwrap();
        let slice = Slice { permits: BTreeMap::new(), guardrails: rules.parse().unwrap() };
        let engine = Engine::new(schema, BTreeMap::from([(purpose.clone(), slice)]));
        let ask = Ask {
            role: Role::GemKlantmanager,
            purpose,
            source_kind: OrganisationKind::Uwv,
            field_set: "WT",
            facts: Facts::ALL,
        };
        (engine, ask)
    }

    #[test]
    fn nothing_permits_nothing() {
        let (engine, ask) = engine("");
        assert!(!engine.decide(&ask).unwrap().permitted);
    }

    /// Cedar itself answers Allow here: the forbid that overflows is skipped.
    #[test]
    fn an_erroring_forbid_cannot_open() {
        let overflow = "forbid (principal, action, resource) when { 9223372036854775807 + 1 > 0 };";
        let (engine, ask) = engine(&format!("{OPEN}\n{overflow}"));
        let response = Authorizer::new().is_authorized(
            &request(&ask, &engine.schema).unwrap(),
            &engine.slices[&ask.purpose].guardrails,
            &Entities::empty(),
        );
        assert_eq!(response.decision(), CedarDecision::Allow);
        assert!(matches!(engine.decide(&ask), Err(EngineError::Rule(_))));
        assert!(engine.memo.read().unwrap().is_empty(), "an error was remembered");
    }

    #[test]
    fn a_question_outside_the_schema_is_an_error() {
        let (engine, mut ask) = engine(OPEN);
        assert!(engine.decide(&ask).unwrap().permitted);
        ask.field_set = "DIAGNOSIS";
        assert!(matches!(engine.decide(&ask), Err(EngineError::Question(_))));
        ask.purpose = "JOB_COACHING".parse().unwrap();
        assert_eq!(engine.decide(&ask), Err(EngineError::NoRules));
    }

    #[test]
    fn what_is_remembered_is_what_cedar_says() {
        let (engine, ask) = engine(
            "permit (principal, action, resource) when { context.consent_in_force };
             forbid (principal, action, resource) unless { context.role_held };",
        );
        for facts in [Facts::ALL, Facts::default(), Facts { role_held: true, ..Facts::default() }] {
            let ask = Ask { facts, ..ask.clone() };
            let first = engine.decide(&ask).unwrap();
            assert_eq!(engine.decide(&ask).unwrap(), first);
            assert_eq!(engine.ask_cedar(&ask).unwrap(), *first);
        }
    }
}
