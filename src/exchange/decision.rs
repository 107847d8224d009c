//! Consent, then policy, source by source. What comes out of nothing is nothing.

use super::{Rules, admission::Admitted, received::Question, verified::is_verified};
use crate::{
    catalogue::Mask,
    consent::Countersigner,
    domain::{GrantId, Oin, OrganisationKind, Reason, Timestamp},
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
    /// What the policies were asked, and what they said.
    pub(super) step: PolicyStep,
    /// What it may be asked, under which grants; or why nothing.
    pub(super) verdict: Result<Allowed, Reason>,
}

/// The question to the policies about one source, and their answer: enough to decide it again (R38).
#[derive(Debug)]
pub(super) struct PolicyStep {
    /// Kind of the source.
    pub(super) source_kind: OrganisationKind,
    /// What was requested and lies within the agreements.
    pub(super) agreed: Mask,
    /// What of that grants in force cover. The policies were asked about it or, if it is nothing, about `agreed`.
    pub(super) granted: Mask,
    /// What was found to hold.
    pub(super) facts: Facts,
    /// Ids of the rules that decided.
    pub(super) rules: Vec<String>,
}

/// A permit with the grants that it rests on.
#[derive(Debug)]
pub(super) struct Allowed {
    pub(super) permit: Permit,
    pub(super) grants: Vec<Usable>,
    /// The grant that these follow, where the purpose follows another.
    pub(super) follows: Option<GrantId>,
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
    /// Grants of the client for this recipient and role, for the purposes that this one follows.
    pub(super) followed: &'a [StoredGrant],
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
        let step = PolicyStep {
            source_kind: agreed.kind,
            agreed: question.fields.and(agreement_fields),
            granted: Mask::EMPTY,
            facts: Facts::default(),
            rules: Vec::new(),
        };
        let mut decision = SourceDecision {
            source: agreed.source,
            agreements: vec![agreed.agreement.clone()],
            step,
            verdict: Err(Reason::NoGrant),
        };
        decision.verdict = decision.of(caller, question, admitted, basis);
        decisions.push(decision);
    }
    decisions
}

impl SourceDecision {
    /// Consent, then policy.
    fn of(
        &mut self,
        caller: Oin,
        question: &Question,
        admitted: &Admitted,
        basis: &Basis<'_>,
    ) -> Result<Allowed, Reason> {
        let Basis { rules, now, .. } = *basis;
        let step = &mut self.step;
        let mut consented = consented(self.source, step.agreed, step.agreed.and(admitted.within), basis);
        let entry = rules.policies.purpose(&question.purpose);
        let follows = if entry.is_some_and(|entry| entry.follows.is_empty()) {
            None
        } else {
            let followed = self::followed(caller, question, self.source, basis);
            if followed.is_none() && consented.usable.is_ok() {
                consented = Consented { granted: Mask::EMPTY, usable: Err(Reason::NothingToFollow) };
            }
            followed
        };
        let Consented { granted, usable } = consented;
        let names = |usable: &Usable| {
            let standing = &usable.grant.standing;
            (standing.recipient, standing.role, &standing.purpose, standing.source)
                == (caller, question.role, &question.purpose, self.source)
        };
        let grants = usable.as_deref().unwrap_or_default();
        let source = rules.register.organisation(&self.source);
        let recipient = rules.register.organisation(&caller);
        step.granted = granted;
        step.facts = Facts {
            // Found once more, though an `Admitted` exists only where the first four hold.
            policy_in_effect: rules.policies.in_effect(&question.purpose, question.role, now.day()),
            recipient_admitted: recipient.is_some_and(|recipient| recipient.has(Function::Requester)),
            role_held: recipient.is_some_and(|recipient| {
                recipient.roles.iter().any(|held| held.role == question.role && held.holds_on(now.day()))
            }),
            agreement_active: !self.agreements.is_empty(),
            source_admitted: source.is_some_and(|source| source.functions.contains(&Function::Source)),
            consent_in_force: !grants.is_empty()
                && grants.iter().all(|usable| {
                    names(usable) && usable.fields.is_subset_of(usable.grant.standing.state.releasable(now))
                }),
            source_confirmed: !grants.is_empty()
                && grants.iter().all(|usable| usable.grant.standing.state.confirmed),
        };
        // Asked in every case, so that the log can tell which rules decided, and that no case is quicker (P09).
        let permit = rules.policies.permit(PolicyQuestion {
            recipient: caller,
            role: question.role,
            purpose: question.purpose.clone(),
            source: self.source,
            source_kind: step.source_kind,
            fields: if granted.is_empty() { step.agreed } else { granted },
            facts: step.facts,
        });
        step.rules = match &permit {
            Ok(permit) => permit.rules().to_vec(),
            Err(denial) => denial.rules.clone(),
        };
        let grants = usable?;
        permit.map(|permit| Allowed { permit, grants, follows }).map_err(|_| Reason::PolicyDenied)
    }
}

/// What a client's grants give from one source.
struct Consented {
    /// What grants in force cover of what was requested and agreed.
    granted: Mask,
    /// The grants for what is within the ceiling too; or why there are none.
    usable: Result<Vec<Usable>, Reason>,
}

/// A grant in force that the grants for this purpose may follow: to the same recipient and role, from the same source.
fn followed(caller: Oin, question: &Question, source: Oin, basis: &Basis<'_>) -> Option<GrantId> {
    let stands = |grant: &&StoredGrant| {
        let standing = &grant.standing;
        (standing.recipient, standing.role, standing.source) == (caller, question.role, source)
            && !standing.state.releasable(basis.now).is_empty()
            && is_verified(grant, basis.countersigner)
    };
    basis.followed.iter().find(stands).map(|grant| grant.standing.id)
}

fn consented(source: Oin, agreed: Mask, within: Mask, basis: &Basis<'_>) -> Consented {
    let (mut granted, mut usable, mut reason) = (Mask::EMPTY, Vec::new(), Reason::NoGrant);
    for grant in basis.grants.iter().filter(|grant| grant.standing.source == source) {
        let state = &grant.standing.state;
        let covers = state.fields.or(state.struck);
        let releasable = state.releasable(basis.now).and(agreed);
        if covers.and(within).is_empty() && releasable.is_empty() {
            continue;
        }
        if releasable.is_empty() {
            // In force, and what was asked is struck out; or not in force.
            reason = state.at(basis.now).reason().unwrap_or(Reason::Refused);
        } else if is_verified(grant, basis.countersigner) {
            granted = granted.or(releasable);
            let fields = releasable.and(within);
            if !fields.is_empty() {
                usable.push(Usable { grant: grant.clone(), fields });
            }
        } else {
            reason = Reason::GrantNotVerified;
        }
    }
    let usable = if usable.is_empty() { Err(reason) } else { Ok(fewest(usable)) };
    Consented { granted, usable }
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
