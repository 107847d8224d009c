//! A question that shows that something does not hold, as a person can read it.

use std::{collections::BTreeMap, fmt};

use cedar_policy::{Authorizer, Decision, Entities, EvalResult, PolicySet as CedarSet, Request};

use crate::{domain::Role, policy::Facts};

/// A concrete question, and what the rules make of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct CounterExample {
    /// Role of the requester.
    pub role: String,
    /// Purpose.
    pub purpose: String,
    /// Kind of source.
    pub source_kind: String,
    /// Field set.
    pub field_set: String,
    /// Each fact, and whether it holds.
    pub facts: BTreeMap<String, bool>,
    /// Whether the rules permit it.
    pub permitted: bool,
    /// The rules that determine that.
    pub rules: Vec<String>,
    /// The rules that give an error.
    pub errors: Vec<String>,
}

impl CounterExample {
    pub(super) fn of(request: &Request, rules: &CedarSet) -> Self {
        let id = |uid: Option<&cedar_policy::EntityUid>| {
            uid.map(|uid| uid.id().unescaped().to_owned()).unwrap_or_default()
        };
        let context = |name: &str| request.context().and_then(|context| context.get(name));
        let text = |name| match context(name) {
            Some(EvalResult::String(text)) => text,
            _ => String::new(),
        };
        let facts = Facts::NAMES
            .into_iter()
            .map(|name| (name.to_owned(), context(name) == Some(EvalResult::Bool(true))))
            .collect();
        let response = Authorizer::new().is_authorized(request, rules, &Entities::empty());
        let mut deciding: Vec<_> = response.diagnostics().reason().map(ToString::to_string).collect();
        deciding.sort();
        let mut errors: Vec<_> = response.diagnostics().errors().map(ToString::to_string).collect();
        errors.sort();
        Self {
            role: id(request.principal()),
            purpose: text("purpose"),
            source_kind: text("source_kind"),
            field_set: id(request.resource()),
            facts,
            permitted: response.decision() == Decision::Allow,
            rules: deciding,
            errors,
        }
    }

    /// Facts that do not hold, each with its name and what `say` makes of it.
    fn missing(&self, say: impl Fn(&str) -> Option<&'static str>) -> Vec<String> {
        let missing = self.facts.iter().filter(|(_, holds)| !**holds);
        missing.map(|(name, _)| format!("{} ({name})", say(name).unwrap_or_default())).collect()
    }

    /// In Dutch sentences.
    #[must_use]
    pub fn nl(&self) -> String {
        let role = self.role.parse().map_or("rol", Role::label_nl);
        let facts = match self.missing(Facts::label_nl).as_slice() {
            [] => "Aan alle voorwaarden is voldaan".to_owned(),
            missing => format!("Niet voldaan: {}", missing.join("; ")),
        };
        let outcome = match (self.permitted, self.rules.is_empty()) {
            (true, _) => "Toegestaan door",
            (false, true) => "Door geen regel toegestaan",
            (false, false) => "Verboden door",
        };
        let told = format!(
            "Een {role} ({}) vraagt voor het doel {:?} bij een bron van de soort {:?} om {}. {facts}. {outcome}",
            self.role, self.purpose, self.source_kind, self.field_set
        );
        self.told(told, "Een regel geeft een fout")
    }

    /// In English sentences.
    #[must_use]
    pub fn en(&self) -> String {
        let role = self.role.parse().map_or("role", Role::label_en);
        let facts = match self.missing(Facts::label_en).as_slice() {
            [] => "Every condition is met".to_owned(),
            missing => format!("Not met: {}", missing.join("; ")),
        };
        let outcome = match (self.permitted, self.rules.is_empty()) {
            (true, _) => "Permitted by",
            (false, true) => "Permitted by no rule",
            (false, false) => "Forbidden by",
        };
        let told = format!(
            "For the purpose {:?}, the {role} ({}) asks a source of the kind {:?} for {}. {facts}. {outcome}",
            self.purpose, self.role, self.source_kind, self.field_set
        );
        self.told(told, "A rule gives an error")
    }

    /// With the rules and the errors. What a solver made up stands in quotes and escaped: it may be empty, or anything.
    fn told(&self, mut told: String, error: &str) -> String {
        if !self.rules.is_empty() {
            told.push(' ');
            told.push_str(&self.rules.join(", "));
        }
        told.push('.');
        for fault in &self.errors {
            told.push_str(&format!(" {error}: {}.", fault.trim_end_matches('.')));
        }
        told
    }
}

impl fmt::Display for CounterExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en())
    }
}
