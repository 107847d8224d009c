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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyFault {
    /// The file, as a path inside the policy directory.
    pub file: String,
    /// The line, counted from 1, if the fault has one.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: Problem,
}

impl PolicyFault {
    pub(super) fn new(file: &str, problem: Problem) -> Self {
        Self { file: file.to_owned(), line: None, problem }
    }

    pub(super) fn at(self, line: usize) -> Self {
        Self { line: Some(line), ..self }
    }

    /// With the line that the problem is about, found in the text of its file.
    pub(super) fn located(self, text: Option<&str>) -> Self {
        if self.line.is_some() {
            return self;
        }
        let anchor = self.problem.anchor();
        let line = text.zip(anchor).and_then(|(text, anchor)| {
            text.lines().position(|line| line.contains(&anchor)).map(|index| index + 1)
        });
        Self { line, ..self }
    }
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.problem),
            None => write!(f, "{}: {}", self.file, self.problem),
        }
    }
}

impl std::error::Error for PolicyFault {}

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
    /// A permit that does not list the kinds of source that it is about.
    #[error("`{0}` does not list its kinds of source, by `[...].contains(context.source_kind)`")]
    SourceKindsOpen(String),
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
    /// An annotation that nobody reads: what it was meant to say is not said.
    #[error("`{id}` has an annotation `@{name}`, which is not known")]
    AnnotationUnknown {
        /// The policy.
        id: String,
        /// The annotation.
        name: String,
    },
    /// A permit without a term that it needs, or with one that is blank or no day.
    #[error("`{id}` has no sound `@{name}` ({rule})")]
    Annotation {
        /// The permit.
        id: String,
        /// The annotation.
        name: &'static str,
        /// The rule that asks for it.
        rule: &'static str,
    },
    /// A permit that takes effect before its review, or is to be reviewed before it takes effect.
    #[error(
        "`{0}`: `@council_date`, `@effective` and `@review_by` must follow each other in time (R19, R23)"
    )]
    DatesOutOfOrder(String),
    /// A permit whose review is overdue (R19).
    #[error("`{id}` had to be reviewed by {review_by} (R19)")]
    ReviewPassed {
        /// The permit.
        id: String,
        /// The day.
        review_by: crate::domain::Day,
    },
    /// A second permit for the same role: terms and dates would be those of one of them.
    #[error("`{0}` is a second rule for its role in this file")]
    RoleTwice(String),
    /// Invariants only permit: what a set permits must be among it.
    #[error("`{0}` forbids, and invariants only permit")]
    ForbidInInvariants(String),
    /// An invariant of the program that is left out.
    #[error("`{0}` is missing: the program knows this invariant, and no set may leave it out")]
    InvariantMissing(String),
    /// An invariant of the program that says something else.
    #[error("`{0}` is not what the program knows by this name, and no set may change it")]
    InvariantChanged(String),
    /// An owner of a rule that the manifest does not name, so that he signs nothing (R40).
    #[error("`{id}` names the owner `{owner}`, whom the manifest does not name (R40)")]
    UnknownOwner {
        /// The permit.
        id: String,
        /// The owner.
        owner: String,
    },
    /// Nobody signed (P10).
    #[error("is not there: nobody has signed these policies (P10)")]
    NotSigned,
    /// What is wrong with the manifest (P10).
    #[error(transparent)]
    Manifest(#[from] super::manifest::ManifestFault),
    /// A proof record that cannot be read, or is not of exactly this set (P10).
    #[error("{0}")]
    Proof(#[from] super::proof::ProofFault),
    /// Nothing was proven (P10).
    #[error("is not there: nobody has proven that these policies stay within the invariants (P10)")]
    NotProven,
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
    /// A label is missing.
    #[error("purpose `{0}` has no Dutch or no English label")]
    LabelMissing(Purpose),
    /// A kind of source may be asked, and no legal basis for its disclosure is given (R15).
    #[error("`{id}` reaches `{kind}` as a source, and has no `@basis_disclosure_{kind}` (R15)")]
    NoDisclosureBasis {
        /// The permit.
        id: String,
        /// The kind of source.
        kind: OrganisationKind,
    },
    /// Neither `example` nor `signed`.
    #[error("purpose `{0}` has no `review` that is \"example\" or \"signed\"")]
    NoReview(Purpose),
    /// An example policy on a production gateway (P12).
    #[error("purpose `{0}` is an example, and this is no test gateway (P12)")]
    ExampleInProduction(Purpose),
    /// No longest period, or one outside 1 to 12 months.
    #[error("purpose `{0}` has no `max_months` from 1 to 12")]
    MonthsOutOfRange(Purpose),
    /// A purpose that follows one which is not active, follows another itself, or is none.
    #[error(
        "purpose `{purpose}` cannot follow `{follows}`: that must be an active purpose that follows none"
    )]
    CannotFollow {
        /// The purpose.
        purpose: Purpose,
        /// What it says that it follows.
        follows: String,
    },
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
    /// A name in the catalogue of roles that the program does not have.
    #[error("role `{0}` is not one of the closed list")]
    RoleNotOfTheProgram(String),
    /// A role with another kind or label than the program has, or without a sentence on what it does.
    #[error("role `{0}` has not the kind and labels of the program, or no `does_nl`")]
    RoleDiffers(crate::domain::Role),
    /// A role that stands in the catalogue twice.
    #[error("role `{0}` is listed twice")]
    RoleDuplicate(crate::domain::Role),
    /// A role of the program that the catalogue does not have.
    #[error("role `{0}` is missing")]
    RoleMissing(crate::domain::Role),
    /// A rule permits a role that the catalogue does not list.
    #[error("a rule permits `{role}`, which purpose `{purpose}` does not list")]
    RoleNotListed {
        /// The purpose.
        purpose: Purpose,
        /// The role.
        role: crate::domain::Role,
    },
}

impl Problem {
    /// A text that stands on the line that the problem is about.
    fn anchor(&self) -> Option<String> {
        let id = |id: &String| Some(format!("@id(\"{id}\")"));
        let name = |name: &dyn fmt::Display| Some(format!("name = \"{name}\""));
        match self {
            Self::Template(of)
            | Self::IdDuplicate(of)
            | Self::IdMalformed { id: of, .. }
            | Self::PermitInGuardrails(of)
            | Self::ForbidInPurpose(of)
            | Self::OtherPurpose(of)
            | Self::RoleOpen(of)
            | Self::FieldSetsOpen(of)
            | Self::FactNotRequired { id: of, .. }
            | Self::UnknownWord { id: of, .. }
            | Self::AnnotationUnknown { id: of, .. }
            | Self::Annotation { id: of, .. }
            | Self::DatesOutOfOrder(of)
            | Self::ReviewPassed { id: of, .. }
            | Self::RoleTwice(of)
            | Self::SourceKindsOpen(of)
            | Self::ForbidInInvariants(of)
            | Self::InvariantChanged(of)
            | Self::UnknownOwner { id: of, .. }
            | Self::NoDisclosureBasis { id: of, .. } => id(of),
            Self::PurposeName { name: of, .. } | Self::RoleNotOfTheProgram(of) => name(of),
            Self::PurposeDuplicate(of)
            | Self::CannotFollow { purpose: of, .. }
            | Self::UnknownRole { purpose: of, .. }
            | Self::LabelMissing(of)
            | Self::NoReview(of)
            | Self::ExampleInProduction(of)
            | Self::MonthsOutOfRange(of)
            | Self::NoOpenQuestion(of)
            | Self::NoPolicyFile(of)
            | Self::RoleWithoutRule { purpose: of, .. }
            | Self::RoleNotListed { purpose: of, .. } => name(of),
            Self::RoleDiffers(of) | Self::RoleDuplicate(of) => name(of),
            _ => None,
        }
    }
}
