//! Why a decision is what it is: field by field, by which rule, fact or reason, in codes and in a plain Dutch sentence.
//! For those who may know: the gateway's officer, whoever recorded the grant, and the source. A requester has
//! `above_ceiling` and `not_provided`, and no more.

use super::{
    Facts, PolicySet, Question,
    replay::{PastDecision, PastSource},
};
use crate::{
    catalogue::{self, Mask},
    domain::{Oin, Reason},
};

/// Why some fields were given, or were not. In the order in which it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// These rules permitted them, and the source gave them.
    Given(Vec<String>),
    /// No rule ever gives them to this role for this purpose from this kind of source, or these rules forbid it.
    AboveCeiling(Vec<String>),
    /// No agreement in force covers them.
    NotAgreed,
    /// No consent in force covers them; the reason of the grants that come nearest.
    NoConsent(String),
    /// The policies did not permit them though consent covered them; these rules.
    Policy(Vec<String>),
    /// The source was asked for them and did not give them; its reason.
    Source(String),
}

impl Because {
    /// Its stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Given(_) => "GIVEN",
            Self::AboveCeiling(_) => "ABOVE_CEILING",
            Self::NotAgreed => "NOT_AGREED",
            Self::NoConsent(_) => "NO_CONSENT",
            Self::Policy(_) => "POLICY",
            Self::Source(_) => "SOURCE",
        }
    }

    /// The rules or the reason behind it.
    #[must_use]
    pub fn by(&self) -> Vec<String> {
        match self {
            Self::Given(rules) | Self::AboveCeiling(rules) | Self::Policy(rules) => rules.clone(),
            Self::NoConsent(reason) | Self::Source(reason) => vec![reason.clone()],
            Self::NotAgreed => Vec::new(),
        }
    }

    fn nl(&self, now: bool) -> String {
        let by = |rules: &[String]| rules.join(", ");
        match self {
            Self::Given(rules) if now => format!("mag nu worden gevraagd door regel {}", by(rules)),
            Self::Given(rules) => format!("gegeven door regel {}", by(rules)),
            Self::AboveCeiling(rules) if rules.is_empty() => {
                "boven de grens: geen regel geeft dit ooit aan deze rol voor dit doel".to_owned()
            }
            Self::AboveCeiling(rules) => format!("boven de grens: verboden door {}", by(rules)),
            Self::NotAgreed => "staat in geen convenant dat geldt".to_owned(),
            Self::NoConsent(reason) | Self::Source(reason) => in_dutch(reason),
            Self::Policy(rules) if rules.is_empty() => "geen regel staat dit toe".to_owned(),
            Self::Policy(rules) => format!("verboden door {}", by(rules)),
        }
    }
}

/// A reason of the log in Dutch; itself, if this program does not know it.
fn in_dutch(reason: &str) -> String {
    let quoted = serde_json::Value::String(reason.to_owned());
    let known: Option<Reason> = serde_json::from_value(quoted).ok();
    known.map_or_else(|| reason.to_owned(), |reason| reason.nl().to_owned())
}

/// Why one source gave what it gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The source.
    pub source: Oin,
    /// Agreements under which it was considered.
    pub agreements: Vec<String>,
    /// What was found to hold.
    pub facts: Facts,
    /// Fields by why, in the order of [`Because`]; each field once.
    pub fields: Vec<(Because, Mask)>,
    /// Legal basis on which the source may disclose, if a rule has one.
    pub basis_disclosure: String,
    /// Legal basis on which the recipient may process.
    pub basis_receipt: String,
    now: bool,
}

impl Explanation {
    /// In Dutch, a sentence for each reason.
    #[must_use]
    pub fn nl(&self) -> String {
        let mut sentences: Vec<_> = self
            .fields
            .iter()
            .map(|(because, fields)| {
                format!("{}: {}.", catalogue::codes(*fields).join(", "), because.nl(self.now))
            })
            .collect();
        let missing: Vec<_> = self
            .facts
            .named()
            .into_iter()
            .filter(|(_, holds)| !holds)
            .map(|(name, _)| Facts::label_nl(name).unwrap_or(name))
            .collect();
        if !missing.is_empty() {
            sentences.push(format!("Niet voldaan: {}.", missing.join("; ")));
        }
        sentences.join(" ")
    }
}

impl PastDecision {
    /// Explains a decision under the policies of its day, source by source.
    #[must_use]
    pub fn explain(&self, then: &PolicySet) -> Vec<Explanation> {
        self.sources.iter().map(|source| self.explain_one(source, then, false)).collect()
    }

    /// Explains what would be decided now: nothing was asked, and what is permitted counts as given.
    #[must_use]
    pub fn explain_now(&self, policies: &PolicySet) -> Vec<Explanation> {
        self.sources.iter().map(|source| self.explain_one(source, policies, true)).collect()
    }

    fn explain_one(&self, source: &PastSource, policies: &PolicySet, now: bool) -> Explanation {
        let ceiling = policies.ceiling(&self.purpose, self.role, source.source_kind);
        let mut left = self.requested;
        let mut take = |some: Mask| {
            let taken = left.and(some);
            left = left.minus(taken);
            taken
        };
        let given = take(source.released);
        let above = take(self.requested.minus(ceiling));
        let not_agreed = take(self.requested.minus(source.agreed));
        let no_consent = take(self.requested.minus(source.granted));
        let policy = take(self.requested.minus(source.permitted));
        let not_given = take(self.requested);

        let mut fields = Vec::new();
        let mut add = |because: Because, mask: Mask| {
            if !mask.is_empty() {
                fields.push((because, mask));
            }
        };
        add(Because::Given(source.rules.clone()), given);
        for (rules, mask) in self.forbidding(source, policies, above, Facts::ALL) {
            add(Because::AboveCeiling(rules), mask);
        }
        add(Because::NotAgreed, not_agreed);
        add(Because::NoConsent(consent_reason(source)), no_consent);
        for (rules, mask) in self.forbidding(source, policies, policy, source.facts) {
            add(Because::Policy(rules), mask);
        }
        add(Because::Source(source.reason.clone()), not_given);
        let terms = policies.permit_of(&self.purpose, self.role).map(|rule| &rule.terms);
        let basis = terms.and_then(|terms| terms.basis_disclosure(source.source_kind));
        Explanation {
            source: source.source,
            agreements: source.agreements.clone(),
            facts: source.facts,
            fields,
            basis_disclosure: basis.unwrap_or_default().to_owned(),
            basis_receipt: terms.map(|terms| terms.basis_receipt.clone()).unwrap_or_default(),
            now,
        }
    }

    /// The rules that forbid some fields, each group of field sets with its own.
    fn forbidding(
        &self,
        source: &PastSource,
        policies: &PolicySet,
        fields: Mask,
        facts: Facts,
    ) -> Vec<(Vec<String>, Mask)> {
        if fields.is_empty() {
            return Vec::new();
        }
        let question = Question {
            recipient: self.recipient,
            role: self.role,
            purpose: self.purpose.clone(),
            source: source.source,
            source_kind: source.source_kind,
            fields,
            facts,
        };
        let Ok(decisions) = policies.decide(&question) else { return vec![(Vec::new(), fields)] };
        let mut groups: Vec<(Vec<String>, Mask)> = Vec::new();
        for set in decisions {
            let rules = &set.decision.rules;
            match groups.iter_mut().find(|(known, _)| known == rules) {
                Some((_, mask)) => *mask = mask.or(set.fields),
                None => groups.push((rules.clone(), set.fields)),
            }
        }
        groups
    }
}

/// Why consent did not cover what it did not. A source that gave something gave it under a grant, and the others are then
/// simply not covered.
fn consent_reason(source: &PastSource) -> String {
    if source.granted.is_empty() { source.reason.clone() } else { Reason::NoGrant.as_str().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        catalogue::field_set,
        domain::{OrganisationKind, Role},
        policy::tests::policies,
    };

    fn sets(names: &[&str]) -> Mask {
        names.iter().fold(Mask::EMPTY, |all, name| all.or(field_set(name)))
    }

    /// A decision in which each reason has a field set of its own.
    fn decision() -> PastDecision {
        let requested = sets(&["WT", "TR", "FO", "VW_BASIC", "AV", "PF_SCORES"]);
        PastDecision {
            position: 7,
            policy: policies().hash().to_owned(),
            recipient: "00000099000000001000".parse().unwrap(),
            role: Role::GemJobcoach,
            purpose: "JOB_COACHING".parse().unwrap(),
            requested,
            above_ceiling: sets(&["AV", "PF_SCORES"]),
            refusal: None,
            sources: vec![PastSource {
                source: "00000099000000002000".parse().unwrap(),
                source_kind: OrganisationKind::Ggz,
                agreements: vec!["AGR-1".to_owned()],
                agreed: requested.minus(field_set("FO")),
                granted: sets(&["WT", "VW_BASIC"]),
                facts: Facts::ALL,
                permitted: sets(&["WT", "VW_BASIC"]),
                released: field_set("WT"),
                rules: vec!["JOB_COACHING/gem-jobcoach".to_owned()],
                reason: "RELEASED".to_owned(),
            }],
        }
    }

    #[test]
    fn each_field_is_explained_once() {
        let explained = decision().explain(policies()).remove(0);
        let of = |code: &str| {
            let found = explained.fields.iter().filter(|(because, _)| because.code() == code);
            found.fold(Mask::EMPTY, |all, (_, mask)| all.or(*mask))
        };
        assert_eq!(of("GIVEN"), field_set("WT"));
        assert_eq!(of("ABOVE_CEILING"), sets(&["AV", "PF_SCORES"]));
        assert_eq!(of("NOT_AGREED"), field_set("FO"));
        assert_eq!(of("NO_CONSENT"), field_set("TR"));
        assert_eq!(of("SOURCE"), field_set("VW_BASIC"));
        let total: usize = explained.fields.iter().map(|(_, mask)| mask.len()).sum();
        assert_eq!(total, decision().requested.len());
        let above: Vec<_> =
            explained.fields.iter().filter(|(because, _)| because.code() == "ABOVE_CEILING").collect();
        assert_eq!(above.len(), 2, "no rule gives the one, and a guardrail forbids the other");
        assert!(above.iter().any(|(because, _)| because.by() == ["guardrail/scores-for-reintegration"]));
        assert!(explained.basis_disclosure.contains("7:457"));
        let told = explained.nl();
        for part in ["WT-01", "gegeven door regel JOB_COACHING/gem-jobcoach", "staat in geen convenant"] {
            assert!(told.contains(part), "{told}");
        }
    }

    #[test]
    fn what_does_not_hold_is_named() {
        let mut decision = decision();
        let source = &mut decision.sources[0];
        source.facts = Facts { consent_in_force: false, source_confirmed: false, ..Facts::ALL };
        (source.granted, source.permitted, source.released) = (Mask::EMPTY, Mask::EMPTY, Mask::EMPTY);
        source.reason = "WITHDRAWN".to_owned();
        let explained = decision.explain(policies()).remove(0);
        let told = explained.nl();
        assert!(told.contains("de toestemming is ingetrokken"), "{told}");
        assert!(told.contains("Niet voldaan: er geldt een toestemming; de bron heeft"), "{told}");
    }
}
