//! Consent, then policy, source by source. What comes out of nothing is nothing.

use super::{Rules, admission::Admitted, received::Question};
use crate::{
    catalogue::Mask,
    consent::Status,
    domain::{Oin, Reason, Timestamp},
    identity::Function,
    policy::{Facts, Permit, Question as PolicyQuestion},
    storage::StoredGrant,
};

/// What was decided about one source.
#[derive(Debug)]
pub(super) struct SourceDecision {
    /// The source.
    pub(super) source: Oin,
    /// Agreements under which it was considered.
    pub(super) agreements: Vec<String>,
    /// What it may be asked, under which grants; or why nothing.
    pub(super) verdict: Result<Allowed, Reason>,
}

/// A permit with the grants that it rests on.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) permit: Permit,
    pub(super) grants: Vec<StoredGrant>,
}

pub(super) fn decide(
    caller: Oin,
    question: &Question,
    admitted: &Admitted,
    grants: &[StoredGrant],
    rules: &Rules,
    now: Timestamp,
) -> Vec<SourceDecision> {
    let mut decisions: Vec<SourceDecision> = Vec::new();
    for agreed in &admitted.sources {
        // Several agreements with one source are one question to it.
        if let Some(known) = decisions.iter_mut().find(|decision| decision.source == agreed.source) {
            known.agreements.push(agreed.agreement.clone());
            continue;
        }
        let agreement_fields = admitted
            .sources
            .iter()
            .filter(|other| other.source == agreed.source)
            .fold(Mask::EMPTY, |all, other| all.or(other.fields));
        let asked = admitted.within.and(agreement_fields);
        let of_source: Vec<_> = grants.iter().filter(|grant| grant.source == agreed.source).collect();
        let verdict = consented(&of_source, asked, now).and_then(|(fields, grants)| {
            let source = rules.register.organisation(&agreed.source);
            let facts = Facts {
                // INVARIANT: an `Admitted` exists only where these three hold.
                recipient_admitted: true,
                role_held: true,
                agreement_active: true,
                source_admitted: source.is_some_and(|source| source.functions.contains(&Function::Source)),
                consent_in_force: grants.iter().all(|grant| grant.state.at(now) == Status::InForce),
                source_confirmed: grants.iter().all(|grant| grant.state.confirmed),
            };
            let question = PolicyQuestion {
                recipient: caller,
                role: question.role,
                purpose: question.purpose.clone(),
                source: agreed.source,
                source_kind: agreed.kind,
                fields,
                facts,
            };
            match rules.policies.permit(question) {
                Ok(permit) => Ok(Allowed { permit, grants }),
                Err(_) => Err(Reason::PolicyDenied),
            }
        });
        decisions.push(SourceDecision {
            source: agreed.source,
            agreements: vec![agreed.agreement.clone()],
            verdict,
        });
    }
    decisions
}

/// Fields that grants in force cover, and these grants; or why there are none.
fn consented(
    grants: &[&StoredGrant],
    asked: Mask,
    now: Timestamp,
) -> Result<(Mask, Vec<StoredGrant>), Reason> {
    let covering = grants.iter().filter(|grant| !grant.fields.and(asked).is_empty());
    let (mut fields, mut in_force, mut reason) = (Mask::EMPTY, Vec::new(), Reason::NoGrant);
    for grant in covering {
        match grant.state.at(now) {
            Status::InForce => {
                fields = fields.or(grant.fields.and(asked));
                in_force.push((*grant).clone());
            }
            status => reason = status.reason().unwrap_or(reason),
        }
    }
    if in_force.is_empty() { Err(reason) } else { Ok((fields, in_force)) }
}
