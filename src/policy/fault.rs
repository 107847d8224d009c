//! What can be wrong with a policy directory. Every fault is collected, so that an owner sees them all at once.

use std::fmt;

use crate::domain::{OrganisationKind, Purpose};

/// A directory of policies that does not load, with everything that is wrong with it.
#[derive(Debug, thiserror::Error)]
pub struct PolicyFaults(pub(super) Vec<PolicyFault>);

impl PolicyFaults {
    /// The faults, in the order of their files.
    #[must_use]
    pub fn faults(&self) -> &[PolicyFault] {
        &self.0
    }
}

impl fmt::Display for PolicyFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the policies do not load")?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

/// One fault and the file it is in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct PolicyFault {
    /// The file, as a path inside the policy directory.
    pub file: String,
    /// What is wrong.
    pub problem: Problem,
}

impl PolicyFault {
    pub(super) fn new(file: &str, problem: Problem) -> Self {
        Self { file: file.to_owned(), problem }
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Missing, unreadable, or not UTF-8.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// A file that loading does not know: it could be taken for a rule that is in force.
    #[error("is no part of a policy set")]
    UnexpectedFile,
    /// The text does not parse as what it should be: TOML, Cedar schema or Cedar policies.
    #[error("does not parse: {0}")]
    Syntax(String),
    /// The schema has no place for a question that the program asks.
    #[error("the schema does not fit the program: {0}")]
    SchemaMismatch(String),
    /// A template: policies here have no slots.
    #[error("`{0}` is a template")]
    Template(String),
    /// A policy without `@id`.
    #[error("policy number {0} has no @id")]
    IdMissing(usize),
    /// An `@id` that was used before, in this file or another.
    #[error("the @id `{0}` is used twice")]
    IdDuplicate(String),
    /// An `@id` that does not tell which file its policy stands in, or could not stand in the log.
    #[error("the @id `{id}` is not `{prefix}` and then lower-case letters, digits and hyphens")]
    IdMalformed {
        /// The id.
        id: String,
        /// How ids of this file begin.
        prefix: String,
    },
    /// Guardrails only forbid.
    #[error("`{0}` permits, and guardrails only forbid")]
    PermitInGuardrails(String),
    /// Purposes only permit.
    #[error("`{0}` forbids, and a file of a purpose only permits")]
    ForbidInPurpose(String),
    /// A permit that does not require the purpose of its file, or speaks of another one (R01).
    #[error("`{0}` does not require exactly the purpose of its file, by `context.purpose == \"...\"`")]
    OtherPurpose(String),
    /// A permit that does not name exactly one role.
    #[error("`{0}` does not name one role, by `principal == Sluis::Role::\"...\"`")]
    RoleOpen(String),
    /// A permit that does not list its field sets (R02).
    #[error("`{0}` does not list its field sets, by `[...].contains(resource)`")]
    FieldSetsOpen(String),
    /// A permit that could hold without this fact (R14).
    #[error("`{id}` does not require `context.{fact}`")]
    FactNotRequired {
        /// The permit.
        id: String,
        /// The fact.
        fact: &'static str,
    },
    /// A word in a policy that is no role, field set, action, purpose or kind of organisation.
    #[error("`{id}` speaks of `{word}`, which is no role, field set, purpose or kind of organisation")]
    UnknownWord {
        /// The policy.
        id: String,
        /// The word.
        word: String,
    },
    /// The validator's error or warning; both are refused.
    #[error("does not pass strict validation: {0}")]
    Invalid(String),
    /// Deciding gives an error.
    #[error("cannot decide: {0}")]
    CannotDecide(String),
    /// A name in the catalogue of purposes that is never served, or is no name.
    #[error("purpose `{name}` {fault}")]
    PurposeName {
        /// The name as written.
        name: String,
        /// What is wrong with it.
        fault: crate::domain::purpose::PurposeFault,
    },
    /// A purpose that stands in the catalogue twice.
    #[error("purpose `{0}` is listed twice")]
    PurposeDuplicate(Purpose),
    /// A role that is not in the closed list.
    #[error("purpose `{purpose}` names `{role}`, which is no role")]
    UnknownRole {
        /// The purpose.
        purpose: Purpose,
        /// The role as written.
        role: String,
    },
    /// A kind of organisation that cannot disclose or receive.
    #[error("purpose `{purpose}` names `{kind}`, which is no kind of source or recipient")]
    UnknownKind {
        /// The purpose.
        purpose: Purpose,
        /// The kind as written.
        kind: String,
    },
    /// A label is missing.
    #[error("purpose `{0}` has no Dutch or no English label")]
    LabelMissing(Purpose),
    /// A kind of source may get a permit, and no legal basis for its disclosure is given (R15).
    #[error("purpose `{purpose}` has no legal basis for disclosure by `{kind}` (R15)")]
    NoDisclosureBasis {
        /// The purpose.
        purpose: Purpose,
        /// The kind of source.
        kind: OrganisationKind,
    },
    /// A kind of recipient may get a permit, and no legal basis for its receipt is given (R15).
    #[error("purpose `{purpose}` has no legal basis for receipt by `{kind}` (R15)")]
    NoReceiptBasis {
        /// The purpose.
        purpose: Purpose,
        /// The kind of recipient.
        kind: OrganisationKind,
    },
    /// Nobody owns it (R40).
    #[error("purpose `{0}` has no owner (R40)")]
    NoOwner(Purpose),
    /// No client council reviewed it, or its date is no date (R23).
    #[error("purpose `{0}` has no review by a client council, with its date (R23)")]
    NoCouncilReview(Purpose),
    /// Neither `example` nor `signed`.
    #[error("purpose `{0}` has no `review` that is \"example\" or \"signed\"")]
    NoReview(Purpose),
    /// An example policy on a production gateway (P12).
    #[error("purpose `{0}` is an example, and this is no test gateway (P12)")]
    ExampleInProduction(Purpose),
    /// No longest period, or one outside 1 to 12 months.
    #[error("purpose `{0}` has no `max_months` from 1 to 12")]
    MonthsOutOfRange(Purpose),
    /// Not active, and no reason given.
    #[error("purpose `{0}` is not active and names no open question")]
    NoOpenQuestion(Purpose),
    /// Active, and nothing says how far it reaches.
    #[error("purpose `{0}` is active and has no policy file")]
    NoPolicyFile(Purpose),
    /// A policy file for a purpose that is not active or not in the catalogue.
    #[error("there is no active purpose of this name in purposes.toml")]
    NoActivePurpose,
    /// The catalogue lists a role that no rule permits anything.
    #[error("purpose `{purpose}` lists `{role}`, and no rule permits that role anything")]
    RoleWithoutRule {
        /// The purpose.
        purpose: Purpose,
        /// The role.
        role: crate::domain::Role,
    },
    /// A rule permits a role that the catalogue does not list.
    #[error("a rule permits `{role}`, which purpose `{purpose}` does not list")]
    RoleNotListed {
        /// The purpose.
        purpose: Purpose,
        /// The role.
        role: crate::domain::Role,
    },
}
