//! Consent, then policy, source by source. What comes out of nothing is nothing.

use super::{Rules, admission::Admitted, received::Question, verified::is_verified};
use crate::{
    catalogue::Mask,
    consent::Countersigner,
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
    pub(super) grants: Vec<Usable>,
}

/// A grant, and what may be released under it now.
#[derive(Debug)]
pub(super) struct Usable {
    pub(super) grant: StoredGrant,
    pub(super) fields: Mask,
}

/// What is decided on.
pub(super) struct Basis<'a> {
    /// Grants of the client for this recipient, role and purpose, whatever their state.
    pub(super) grants: &'a [StoredGrant],
    pub(super) countersigner: &'a Countersigner,
    pub(super) rules: &'a Rules,
    pub(super) now: Timestamp,
}

pub(super) fn decide(
    caller: Oin,
    question: &Question,
    admitted: &Admitted,
    basis: &Basis<'_>,
) -> Vec<SourceDecision> {
    let Basis { grants, rules, now, .. } = *basis;
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
        let of_source: Vec<_> =
            grants.iter().filter(|grant| grant.standing.source == agreed.source).collect();
        let verdict = consented(&of_source, asked, basis).and_then(|(fields, grants)| {
            let source = rules.register.organisation(&agreed.source);
            let facts = Facts {
                // INVARIANT: an `Admitted` exists only where these three hold.
                recipient_admitted: true,
                role_held: true,
                agreement_active: true,
                source_admitted: source.is_some_and(|source| source.functions.contains(&Function::Source)),
                consent_in_force: grants
                    .iter()
                    .all(|usable| usable.fields.is_subset_of(usable.grant.standing.state.releasable(now))),
                source_confirmed: grants.iter().all(|usable| usable.grant.standing.state.confirmed),
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
fn consented(grants: &[&StoredGrant], asked: Mask, basis: &Basis<'_>) -> Result<(Mask, Vec<Usable>), Reason> {
    let (mut fields, mut usable, mut reason) = (Mask::EMPTY, Vec::new(), Reason::NoGrant);
    for grant in grants {
        let state = &grant.standing.state;
        let granted = state.fields.or(state.struck);
        if granted.and(asked).is_empty() {
            continue;
        }
        let releasable = state.releasable(basis.now).and(asked);
        if releasable.is_empty() {
            // In force, and what was asked is struck out; or not in force.
            reason = state.at(basis.now).reason().unwrap_or(Reason::Refused);
        } else if is_verified(grant, basis.countersigner) {
            fields = fields.or(releasable);
            usable.push(Usable { grant: (*grant).clone(), fields: releasable });
        } else {
            reason = Reason::GrantNotVerified;
        }
    }
    if usable.is_empty() { Err(reason) } else { Ok((fields, fewest(usable))) }
}

/// The grants that are needed for all fields, those that need not be counted first: nobody's one use is taken for what
/// another grant gives as well.
fn fewest(mut usable: Vec<Usable>) -> Vec<Usable> {
    usable.sort_by_key(|usable| usable.grant.standing.state.limit.is_some());
    let mut covered = Mask::EMPTY;
    for usable in &mut usable {
        usable.fields = usable.fields.minus(covered);
        covered = covered.or(usable.fields);
    }
    usable.retain(|usable| !usable.fields.is_empty());
    usable
}
