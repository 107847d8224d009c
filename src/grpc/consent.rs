//! `ConsentService` over gRPC.

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::calls::Caller;
use crate::{
    catalogue,
    consent::{
        ConsentDesk, Status as GrantStatus,
        desk::{ConsentView, GrantView, Selector},
    },
    domain::{FormId, GrantId, Oin, Refusal, RefusalCode},
    identity::Function,
    proto::{self, consent_service_server::ConsentService, withdraw_consent_request},
};

/// The service.
#[derive(Debug)]
pub struct ConsentApi {
    /// The desk behind it.
    pub desk: Arc<ConsentDesk>,
}

impl ConsentApi {
    /// The caller, admitted in one of these functions. Only then is the call taken up.
    fn admit<T>(&self, request: &Request<T>, functions: &[Function]) -> Result<Oin, Status> {
        let caller = Caller::of(request)?;
        self.desk.admit(caller.oin, functions)?;
        caller.take_up();
        Ok(caller.oin)
    }

    /// What the call names. One that cannot be read was taken up all the same, so its refusal is in the log.
    async fn read<T>(&self, caller: Oin, act: &str, named: Result<T, Refusal>) -> Result<T, Status> {
        match named {
            Ok(named) => Ok(named),
            Err(refusal) => Err(self.desk.refused(caller, act, refusal).await.into()),
        }
    }
}

fn form_id(text: &str) -> Result<FormId, Refusal> {
    text.parse().map_err(|fault| Refusal::at(RefusalCode::ConsentNotFound, "form_id", fault))
}

fn grant_id(text: &str) -> Result<GrantId, Refusal> {
    text.parse().map_err(|fault| Refusal::at(RefusalCode::ConsentNotFound, "grant_id", fault))
}

#[tonic::async_trait]
impl ConsentService for ConsentApi {
    async fn record_consent(
        &self,
        request: Request<proto::RecordConsentRequest>,
    ) -> Result<Response<proto::RecordConsentResponse>, Status> {
        let caller = self.admit(&request, &[Function::Recorder])?;
        let message = request.into_inner();
        let grants =
            message.grants.iter().map(|grant| (grant.jws.as_str(), grant.binding_salt.as_slice())).collect();
        let recorded = self.desk.record(caller, &message.bsn, &message.form, grants).await?;
        Ok(Response::new(proto::RecordConsentResponse {
            form_id: recorded.form.to_string(),
            log_position: recorded.position,
            grants: recorded.grants.into_iter().map(grant).collect(),
        }))
    }

    async fn get_consent(
        &self,
        request: Request<proto::GetConsentRequest>,
    ) -> Result<Response<proto::Consent>, Status> {
        let caller = self.admit(&request, &[Function::Recorder, Function::Source])?;
        let id = self.read(caller, "show", form_id(&request.get_ref().form_id)).await?;
        Ok(Response::new(consent(self.desk.form(caller, id).await?)))
    }

    async fn list_consents(
        &self,
        request: Request<proto::ListConsentsRequest>,
    ) -> Result<Response<proto::ListConsentsResponse>, Status> {
        let caller = self.admit(&request, &[Function::Recorder])?;
        let bsn = self.read(caller, "list", self.desk.bsn(&request.get_ref().bsn)).await?;
        let found = self.desk.forms(caller, &bsn).await?;
        Ok(Response::new(proto::ListConsentsResponse { consents: found.into_iter().map(consent).collect() }))
    }

    async fn confirm_grant(
        &self,
        request: Request<proto::ConfirmGrantRequest>,
    ) -> Result<Response<proto::ConfirmGrantResponse>, Status> {
        let caller = self.admit(&request, &[Function::Source])?;
        let id = self.read(caller, "confirm", grant_id(&request.get_ref().grant_id)).await?;
        let log_position = self.desk.confirm(caller, id).await?;
        Ok(Response::new(proto::ConfirmGrantResponse { log_position }))
    }

    async fn withdraw_consent(
        &self,
        request: Request<proto::WithdrawConsentRequest>,
    ) -> Result<Response<proto::WithdrawConsentResponse>, Status> {
        let caller = self.admit(&request, &[Function::Recorder, Function::Source])?;
        let selector = match request.into_inner().selector {
            Some(withdraw_consent_request::Selector::GrantId(id)) => grant_id(&id).map(Selector::Grant),
            Some(withdraw_consent_request::Selector::FormId(id)) => form_id(&id).map(Selector::Form),
            Some(withdraw_consent_request::Selector::Bsn(bsn)) => self.desk.bsn(&bsn).map(Selector::Client),
            None => Err(RefusalCode::SelectorMissing.into()),
        };
        let selector = self.read(caller, "withdraw", selector).await?;
        let log_position = self.desk.withdraw(caller, selector).await?;
        Ok(Response::new(proto::WithdrawConsentResponse { log_position }))
    }
}

fn consent(view: ConsentView) -> proto::Consent {
    proto::Consent {
        form_id: view.form.to_string(),
        recorder: view.recorder.to_string(),
        signed_on: view.signed_on.to_string(),
        evidence_sha256: hex::encode(view.evidence),
        recorded_at: Some(view.recorded_at.to_proto()),
        grants: view.grants.into_iter().map(grant).collect(),
    }
}

fn grant(view: GrantView) -> proto::Grant {
    let status = match view.status {
        None => proto::GrantStatus::Unspecified,
        Some(GrantStatus::Recorded) => proto::GrantStatus::Recorded,
        Some(GrantStatus::InForce) => proto::GrantStatus::InForce,
        Some(GrantStatus::NotYetInForce) => proto::GrantStatus::NotYetInForce,
        Some(GrantStatus::Expired) => proto::GrantStatus::Expired,
        Some(GrantStatus::Withdrawn) => proto::GrantStatus::Withdrawn,
    };
    proto::Grant {
        grant_id: view.id.to_string(),
        recipient: view.recipient.to_string(),
        role: view.role.to_string(),
        purpose: view.purpose.to_string(),
        source: view.source.to_string(),
        fields: catalogue::codes(view.fields).into_iter().map(ToOwned::to_owned).collect(),
        valid_from: Some(view.starts.to_proto()),
        valid_until: Some(view.ends.to_proto()),
        status: status.into(),
    }
}
