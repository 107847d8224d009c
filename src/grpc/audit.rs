//! `AuditService` over gRPC.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::calls::Caller;
use crate::{
    audit::{
        erasure::Ground,
        leaf::Kind,
        officer::{ErasurePlan, OfficerDesk, Scope, Shown},
    },
    catalogue,
    domain::{Oin, Refusal, RefusalCode, Timestamp},
    proto::{self, audit_service_server::AuditService},
    storage::EntryFilter,
};

/// Entries on a page where nothing else is said.
const PAGE: u32 = 50;
/// Most entries on a page.
const MAX_PAGE: u32 = 200;

/// The service.
#[derive(Debug)]
pub struct AuditApi {
    /// The desk behind it.
    pub desk: Arc<OfficerDesk>,
}

impl AuditApi {
    fn admit<T>(&self, request: &Request<T>) -> Result<(Caller, Scope), Status> {
        let caller = Caller::of(request)?;
        let scope = self.desk.scope(caller.oin)?;
        Ok((caller, scope))
    }
}

#[tonic::async_trait]
impl AuditService for AuditApi {
    async fn get_checkpoint(
        &self,
        request: Request<proto::GetCheckpointRequest>,
    ) -> Result<Response<proto::GetCheckpointResponse>, Status> {
        let (caller, _) = self.admit(&request)?;
        caller.take_up();
        let since_size = request.get_ref().since_size;
        let (checkpoint, proof) = self.desk.checkpoint(caller.oin, since_size).await?;
        Ok(Response::new(proto::GetCheckpointResponse {
            checkpoint,
            consistency: proof.iter().map(|hash| hash.to_vec()).collect(),
            verifier_key: self.desk.verifier_key.clone(),
        }))
    }

    async fn search_entries(
        &self,
        request: Request<proto::SearchEntriesRequest>,
    ) -> Result<Response<proto::SearchEntriesResponse>, Status> {
        let (caller, scope) = self.admit(&request)?;
        // A filter that cannot be read is no look yet; the call counts as turned away.
        let filter = filter(request.get_ref())?;
        caller.take_up();
        let limit = filter.limit;
        let found = self.desk.search(caller.oin, scope, filter).await?;
        let full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
        let next = found.last().filter(|_| full).map(|shown| shown.entry.position.to_string());
        Ok(Response::new(proto::SearchEntriesResponse {
            entries: found.into_iter().map(|shown| entry(shown, String::new())).collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn get_entry(
        &self,
        request: Request<proto::GetEntryRequest>,
    ) -> Result<Response<proto::AuditEntry>, Status> {
        let (caller, scope) = self.admit(&request)?;
        caller.take_up();
        let (shown, proof) = self.desk.entry(caller.oin, scope, request.get_ref().position).await?;
        Ok(Response::new(entry(shown, proof)))
    }

    async fn explain_decision(
        &self,
        request: Request<proto::ExplainDecisionRequest>,
    ) -> Result<Response<proto::ExplainDecisionResponse>, Status> {
        let (caller, scope) = self.admit(&request)?;
        caller.take_up();
        let explained = self.desk.explain(caller.oin, scope, request.get_ref().position).await?;
        let paths = |mask| Some(prost_types::FieldMask { paths: catalogue::to_paths(mask) });
        Ok(Response::new(proto::ExplainDecisionResponse {
            sources: explained.sources.iter().map(super::explanation::message).collect(),
            above_ceiling: paths(explained.decision.above_ceiling),
            not_provided: paths(explained.not_provided),
            policy: explained.decision.policy,
            policy_version: explained.version.unwrap_or_default(),
            refusal: explained.refusal,
        }))
    }

    async fn plan_erasure(
        &self,
        request: Request<proto::PlanErasureRequest>,
    ) -> Result<Response<proto::PlanErasureResponse>, Status> {
        let (caller, scope) = self.admit(&request)?;
        let proto::PlanErasureRequest { bsn, ground } = request.get_ref();
        let (client, ground) = (self.desk.erasable(scope, bsn)?, self::ground(ground)?);
        caller.take_up();
        let plan = self.desk.plan_erasure(caller.oin, client, ground).await?;
        Ok(Response::new(planned(&plan)))
    }

    async fn erase(
        &self,
        request: Request<proto::EraseRequest>,
    ) -> Result<Response<proto::EraseResponse>, Status> {
        let (caller, scope) = self.admit(&request)?;
        let proto::EraseRequest { bsn, order, blinding } = request.get_ref();
        let client = self.desk.erasable(scope, bsn)?;
        caller.take_up();
        let erased = self.desk.erase(caller.oin, client, order, blinding).await?;
        let complete_on = Some(erased.complete_on.to_proto());
        Ok(Response::new(proto::EraseResponse { position: erased.position, complete_on }))
    }
}

fn ground(text: &str) -> Result<Ground, Refusal> {
    let expected = "must be `avg-17-1-a` to `avg-17-1-e`";
    text.parse().map_err(|_| Refusal::at(RefusalCode::ErasureOrderInvalid, "ground", expected))
}

fn planned(plan: &ErasurePlan) -> proto::PlanErasureResponse {
    let traces = &plan.traces;
    proto::PlanErasureResponse {
        order: plan.order.clone(),
        blinding: plan.blinding.bytes().to_vec(),
        entries: traces.entries,
        forms: traces.forms.len() as u64,
        grants: traces.grants.len() as u64,
        disclosures: traces.disclosures,
        key_years: traces.years.iter().filter_map(|year| i32::try_from(*year).ok()).collect(),
        obstacles: plan.obstacles.iter().map(|code| code.as_str().to_owned()).collect(),
        not_before: plan.not_before.map(Timestamp::to_proto),
        complete_on: Some(plan.complete_on.to_proto()),
    }
}

fn filter(message: &proto::SearchEntriesRequest) -> Result<EntryFilter, Refusal> {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let requester = some(&message.requester)
        .map(|text| text.parse::<Oin>())
        .transpose()
        .map_err(|fault| Refusal::at(RefusalCode::OrganisationNotAdmitted, "requester", fault))?;
    let purpose = some(&message.purpose)
        .map(|text| text.parse())
        .transpose()
        .map_err(|fault| Refusal::at(RefusalCode::PurposeMalformed, "purpose", fault))?;
    let kind = some(&message.kind)
        .map(|text| text.parse::<Kind>())
        .transpose()
        .map_err(|_| Refusal::at(RefusalCode::EntryKindUnknown, "kind", "is not a kind of entry"))?;
    let below = some(&message.page_token).map(|text| text.parse::<u64>()).transpose().map_err(|_| {
        Refusal::at(RefusalCode::PageTokenInvalid, "page_token", "must be one of this service")
    })?;
    Ok(EntryFilter {
        from: message.from.as_ref().map(Timestamp::from_proto),
        until: message.until.as_ref().map(Timestamp::from_proto),
        requester,
        purpose,
        kind: kind.map(|kind| kind.as_str().to_owned()),
        below,
        since: None,
        limit: if message.page_size == 0 { PAGE } else { message.page_size.min(MAX_PAGE) },
    })
}

fn entry(shown: Shown, proof: String) -> proto::AuditEntry {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let facts = shown.entry.facts.map(|facts| (facts.json, facts.salt.to_vec()));
    let (facts, facts_salt) = facts.unwrap_or_default();
    let detail = shown.entry.detail.filter(|_| shown.with_detail);
    let (detail, detail_salt) =
        detail.map(|detail| (text(detail.json), detail.salt.to_vec())).unwrap_or_default();
    proto::AuditEntry {
        position: shown.entry.position,
        leaf: text(shown.entry.leaf),
        facts: text(facts),
        facts_salt,
        proof,
        detail,
        detail_salt,
        origin: shown.origin,
    }
}
