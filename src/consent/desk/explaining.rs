//! Explaining what a grant gives (uitleg), to those who may know: whoever recorded it, and its source.

use serde_json::json;

use super::{ConsentDesk, entries, unavailable};
use crate::{
    audit::entry::SubjectLink,
    catalogue::Mask,
    domain::{GrantId, Oin, Reason, Refusal, RefusalCode},
    identity::Function,
    policy::{
        Explanation, Facts, Question,
        replay::{PastDecision, PastSource},
    },
    rules::policies_then,
    storage::{DisclosureFilter, StoredGrant},
};

impl ConsentDesk {
    /// What a grant gives now, and why it does not give the rest; or why a disclosure under it was what it was. Gives the
    /// hash of the policies as well.
    ///
    /// # Errors
    /// The same for a grant or disclosure that does not exist, for one that is not the caller's, and for a recipient,
    /// who is told nothing even of a grant that it recorded itself (R12, P09).
    pub async fn explain(
        &self,
        caller: Oin,
        id: GrantId,
        position: Option<u64>,
    ) -> Result<(Explanation, String), Refusal> {
        let missing = || Refusal::from(RefusalCode::ConsentNotFound);
        let found = self.store.grant(id).await.map_err(|_| unavailable())?;
        let subject =
            found.as_ref().map_or(SubjectLink::Nobody, |grant| SubjectLink::Subject(grant.standing.subject));
        self.look(entries::looked(caller, "explanation", json!({ "grant": id }), subject)).await?;
        let grant = found.ok_or_else(missing)?;
        let standing = &grant.standing;
        let is_party = [standing.recorder, standing.source].contains(&caller);
        if !is_party || standing.recipient == caller {
            return Err(missing());
        }
        let explained = match position {
            None => self.explained_now(&grant),
            Some(position) => self.explained_then(&grant, position).await?,
        };
        explained.ok_or_else(missing)
    }

    async fn explained_then(
        &self,
        grant: &StoredGrant,
        position: u64,
    ) -> Result<Option<(Explanation, String)>, Refusal> {
        let filter = DisclosureFilter {
            source: Some(grant.standing.source),
            grants: Some(vec![grant.standing.id]),
            client: None,
            below: position.checked_add(1),
            limit: 1,
        };
        let left = self.store.disclosures(&filter).await.map_err(|_| unavailable())?;
        if left.first().is_none_or(|left| left.position != position) {
            return Ok(None);
        }
        let entry = self.store.entries(position, 1).await.map_err(|_| unavailable())?.pop();
        let Some(entry) = entry.filter(|entry| entry.position == position) else { return Ok(None) };
        let detail = entry.detail.as_ref().map(|detail| detail.json.as_slice());
        let Ok(Some(mut decision)) = PastDecision::read(position, entry.facts_json(), detail) else {
            return Ok(None);
        };
        // What was asked of others, and beside this grant, is not this grant's matter.
        let state = &grant.standing.state;
        decision.requested = decision.requested.and(state.fields.or(state.struck));
        decision.sources.retain(|source| source.source == grant.standing.source);
        let then = policies_then(self.store.as_ref(), self.rules.load_full(), &decision.policy).await;
        let Some(then) = then.map_err(|_| unavailable())? else { return Ok(None) };
        Ok(decision.explain(&then).pop().map(|explanation| (explanation, decision.policy)))
    }

    /// What would be decided if the recipient asked for everything on the grant now.
    fn explained_now(&self, grant: &StoredGrant) -> Option<(Explanation, String)> {
        let (rules, now) = (self.rules.load_full(), self.clock.now());
        let today = now.day();
        let standing = &grant.standing;
        let source = rules.register.organisation(&standing.source)?;
        let recipient = rules.register.organisation(&standing.recipient);
        let of_these = rules.register.agreements(standing.recipient).filter(|agreement| {
            agreement.terms.source == standing.source && agreement.terms.purposes.contains(&standing.purpose)
        });
        let agreements: Vec<_> = of_these.filter(|agreement| agreement.state(today).is_in_force()).collect();
        let requested = standing.state.fields.or(standing.state.struck);
        let agreed = agreements.iter().fold(Mask::EMPTY, |all, agreement| all.or(agreement.terms.fields));
        let releasable = standing.state.releasable(now);
        let facts = Facts {
            policy_in_effect: rules.policies.in_effect(&standing.purpose, standing.role, today),
            recipient_admitted: recipient.is_some_and(|recipient| recipient.has(Function::Requester)),
            role_held: recipient
                .and_then(|recipient| recipient.role(standing.role))
                .is_some_and(|role| role.holds_on(today)),
            source_admitted: source.has(Function::Source),
            agreement_active: !agreements.is_empty(),
            consent_in_force: !releasable.is_empty(),
            source_confirmed: standing.state.confirmed,
        };
        let granted = releasable.and(agreed);
        let question = Question {
            recipient: standing.recipient,
            role: standing.role,
            purpose: standing.purpose.clone(),
            source: standing.source,
            source_kind: source.kind,
            fields: if granted.is_empty() { requested.and(agreed) } else { granted },
            facts,
        };
        let (permitted, by) = match rules.policies.outcome(&question) {
            Ok(permitted) => (permitted.fields, permitted.rules),
            Err(denial) => (Mask::EMPTY, denial.rules),
        };
        let reason = standing.state.at(now).reason().unwrap_or(Reason::Refused);
        let decision = PastDecision {
            position: 0,
            policy: rules.policies.hash().to_owned(),
            recipient: standing.recipient,
            role: standing.role,
            purpose: standing.purpose.clone(),
            requested,
            above_ceiling: Mask::EMPTY,
            refusal: None,
            sources: vec![PastSource {
                source: standing.source,
                source_kind: source.kind,
                agreements: agreements.iter().map(|agreement| agreement.terms.id.clone()).collect(),
                agreed: requested.and(agreed),
                granted,
                facts,
                permitted,
                released: permitted,
                rules: by,
                reason: reason.as_str().to_owned(),
            }],
        };
        let explanation = decision.explain_now(&rules.policies).pop()?;
        Some((explanation, decision.policy))
    }
}
