//! From a question to a permit, or to a denial with its rules.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    PolicySet, SealedPolicies,
    engine::{Ask, Decision, EngineError},
    facts::Facts,
};
use crate::{
    catalogue::Mask,
    domain::{Oin, OrganisationKind, Purpose, Role},
};

/// May this recipient, in this role and for this purpose, have these fields from this source?
#[derive(Clone, Debug)]
pub struct Question {
    /// Who asks.
    pub recipient: Oin,
    /// In which role.
    pub role: Role,
    /// For which purpose.
    pub purpose: Purpose,
    /// Who holds the information.
    pub source: Oin,
    /// What kind of organisation that is, from the register of participants.
    pub source_kind: OrganisationKind,
    /// What is asked and granted and covered by the agreement.
    pub fields: Mask,
    /// What was found to hold.
    pub facts: Facts,
}

/// Leave to ask one source for some fields. It comes out of [`SealedPolicies::permit`] and nowhere else: to ask a source
/// and to build an answer takes one.
///
/// ```compile_fail,E0451
/// use sluis::{catalogue::Mask, policy::Permit};
///
/// fn widen(permit: Permit) -> Permit {
///     Permit { fields: Mask::all(), ..permit }
/// }
/// ```
#[derive(Debug)]
pub struct Permit {
    recipient: Oin,
    role: Role,
    purpose: Purpose,
    source: Oin,
    fields: Mask,
    rules: Vec<String>,
    policy_hash: String,
}

impl Permit {
    /// Who may receive.
    #[must_use]
    pub const fn recipient(&self) -> &Oin {
        &self.recipient
    }

    /// In which role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// For which purpose.
    #[must_use]
    pub const fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// Who may be asked.
    #[must_use]
    pub const fn source(&self) -> &Oin {
        &self.source
    }

    /// Which fields: those of the question that the policy permits, and never none.
    #[must_use]
    pub const fn fields(&self) -> Mask {
        self.fields
    }

    /// Ids of the rules that permitted, sorted.
    #[must_use]
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// The policy that it was decided under.
    #[must_use]
    pub fn policy_hash(&self) -> &str {
        &self.policy_hash
    }
}

/// No permit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// Ids of the guardrails that forbade, sorted. None if simply no rule permits.
    pub rules: Vec<String>,
    /// What was wrong, if more than that.
    pub error: Option<DenialError>,
}

/// A denial that no rule decided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DenialError {
    /// The purpose is not in the catalogue.
    #[error("the purpose is not in the catalogue")]
    PurposeUnknown,
    /// The purpose is not active.
    #[error("the purpose is not active")]
    PurposeInactive,
    /// The rules permitted although a fact does not hold. Loading refuses such rules; this is the check behind it.
    #[error("the rules permitted although `{0}` does not hold")]
    FactMissing(&'static str),
    /// The engine gave an error.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<DenialError> for Denial {
    fn from(error: DenialError) -> Self {
        Self { rules: Vec::new(), error: Some(error) }
    }
}

/// What was decided about the part of a question that is in one field set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetDecision {
    /// Name of the field set.
    pub field_set: &'static str,
    /// Which of its fields were asked.
    pub fields: Mask,
    /// Whether they are permitted, and which rules determined that.
    pub decision: Arc<Decision>,
}

impl PolicySet {
    /// Decides on each field set that the question touches, in the order of the field sets.
    ///
    /// # Errors
    /// If there is nothing to decide with, or the engine fails on any of them.
    pub fn decide(&self, question: &Question) -> Result<Vec<SetDecision>, DenialError> {
        // Also keeps what is remembered finite: the engine never hears of a purpose that is not in the catalogue.
        let entry = self.purposes.get(&question.purpose).ok_or(DenialError::PurposeUnknown)?;
        if !entry.active {
            return Err(DenialError::PurposeInactive);
        }
        let mut decisions = Vec::with_capacity(self.field_sets.len());
        let mut ask = Ask {
            role: question.role,
            purpose: question.purpose.clone(),
            source_kind: question.source_kind,
            field_set: "",
            facts: question.facts,
        };
        for (name, set) in &self.field_sets {
            let fields = question.fields.and(*set);
            if fields.is_empty() {
                continue;
            }
            ask.field_set = name;
            let decision = self.engine.decide(&ask)?;
            // Invariants that no policy can move, checked without Cedar: R14.
            let missing = question.facts.named().into_iter().find(|(_, holds)| !holds);
            if let Some((missing, _)) = missing.filter(|_| decision.permitted) {
                return Err(DenialError::FactMissing(missing));
            }
            decisions.push(SetDecision { field_set: name, fields, decision });
        }
        Ok(decisions)
    }

    /// The same, put together: what is permitted of the question, by which rules.
    ///
    /// # Errors
    /// A [`Denial`] if no field at all is permitted.
    pub fn outcome(&self, question: &Question) -> Result<Permitted, Denial> {
        let mut fields = Mask::EMPTY;
        let (mut permitting, mut forbidding) = (BTreeSet::new(), BTreeSet::new());
        for set in self.decide(question)? {
            if set.decision.permitted {
                fields = fields.or(set.fields);
                permitting.extend(set.decision.rules.iter().cloned());
            } else {
                forbidding.extend(set.decision.rules.iter().cloned());
            }
        }
        if fields.is_empty() {
            return Err(Denial { rules: forbidding.into_iter().collect(), error: None });
        }
        Ok(Permitted { fields, rules: permitting.into_iter().collect() })
    }
}

/// What is permitted of a question. It opens nothing by itself: that takes a [`Permit`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permitted {
    /// Which fields; never none.
    pub fields: Mask,
    /// Ids of the rules that permitted, sorted.
    pub rules: Vec<String>,
}

impl SealedPolicies {
    /// Decides on each field set that the question touches. What comes out of nothing, or of an error anywhere, is a
    /// denial.
    ///
    /// # Errors
    /// A [`Denial`] if no field at all is permitted.
    pub fn permit(&self, question: Question) -> Result<Permit, Denial> {
        let Permitted { fields, rules } = self.outcome(&question)?;
        let Question { recipient, role, purpose, source, .. } = question;
        Ok(Permit { recipient, role, purpose, source, fields, rules, policy_hash: self.hash().to_owned() })
    }
}
