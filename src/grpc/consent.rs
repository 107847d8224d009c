//! `ConsentService` over gRPC. What the messages look like stands in `messages`, the stream of notices in `watch`.

mod messages;
mod watch;

use std::sync::Arc;

use tonic::{Request, Response, Status};

use super::calls::Caller;
use crate::{
    consent::{
        ConsentDesk,
        desk::{InvalidationReason, Selector, parse_cursor},
        letter::Language,
    },
    domain::{Bsn, FormId, GrantId, Oin, Refusal, RefusalCode},
    identity::Function,
    proto::{
        self, InvalidationReason as ProtoReason, consent_service_server::ConsentService,
        invalidate_consent_request, pause_consent_request, resume_consent_request, withdraw_consent_request,
    },
};

/// Who may record and who may be asked: the two that a grant has beside its recipient.
const PARTIES: [Function; 2] = [Function::Recorder, Function::Source];

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

/// A grant or a form, from the selector of any of the calls that have these two.
macro_rules! grant_or_form {
    ($selector:expr, $kind:ident) => {
        match $selector {
            Some($kind::Selector::GrantId(id)) => grant_id(&id).map(Selector::Grant),
            Some($kind::Selector::FormId(id)) => form_id(&id).map(Selector::Form),
            None => Err(RefusalCode::SelectorMissing.into()),
        }
    };
}

fn reason(reason: ProtoReason) -> Result<InvalidationReason, Refusal> {
    match reason {
        ProtoReason::WrongPerson => Ok(InvalidationReason::WrongPerson),
        ProtoReason::WrongForm => Ok(InvalidationReason::WrongForm),
        ProtoReason::NotSigned => Ok(InvalidationReason::NotSigned),
        ProtoReason::Unspecified => {
            let text = "must be INVALIDATION_REASON_WRONG_PERSON, _WRONG_FORM or _NOT_SIGNED";
            Err(Refusal::at(RefusalCode::InvalidationReasonMissing, "reason", text))
        }
    }
}

/// Where the next page begins.
fn below(token: &str) -> Result<Option<u64>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let below = token.parse::<u64>().ok().filter(|below| below.to_string() == token);
    let fault = || Refusal::at(RefusalCode::PageTokenInvalid, "page_token", "is not one of this service");
    below.map(Some).ok_or_else(fault)
}

#[tonic::async_trait]
impl ConsentService for ConsentApi {
    type WatchConsentEventsStream = watch::Notices;

    async fn record_consent(
        &self,
        request: Request<proto::RecordConsentRequest>,
    ) -> Result<Response<proto::RecordConsentResponse>, Status> {
        let caller = self.admit(&request, &[Function::Recorder])?;
        let message = request.into_inner();
        let grants =
            message.grants.iter().map(|grant| (grant.jws.as_str(), grant.binding_salt.as_slice())).collect();
        let (bsn, form) = (&message.bsn, &message.form);
        let recorded = self.desk.record(caller, bsn, form, grants, message.validate_only).await?;
        Ok(Response::new(proto::RecordConsentResponse {
            form_id: recorded.form.to_string(),
            log_position: recorded.position.unwrap_or_default(),
            grants: recorded.grants.into_iter().map(messages::grant).collect(),
        }))
    }

    async fn get_consent(
        &self,
        request: Request<proto::GetConsentRequest>,
    ) -> Result<Response<proto::Consent>, Status> {
        let caller = self.admit(&request, &PARTIES)?;
        let id = self.read(caller, "show", form_id(&request.get_ref().form_id)).await?;
        Ok(Response::new(messages::consent(self.desk.form(caller, id).await?)))
    }

    async fn list_consents(
        &self,
        request: Request<proto::ListConsentsRequest>,
    ) -> Result<Response<proto::ListConsentsResponse>, Status> {
        let caller = self.admit(&request, &[Function::Recorder])?;
        let bsn = self.read(caller, "list", self.desk.bsn(&request.get_ref().bsn)).await?;
        let found = self.desk.forms(caller, &bsn).await?;
        let consents = found.into_iter().map(messages::consent).collect();
        Ok(Response::new(proto::ListConsentsResponse { consents }))
    }

    async fn list_expiring(
        &self,
        request: Request<proto::ListExpiringRequest>,
    ) -> Result<Response<proto::ListExpiringResponse>, Status> {
        let caller = self.admit(&request, &[Function::Recorder])?;
        let found = self.desk.expiring(caller, request.get_ref().within_days).await?;
        let grants = found.into_iter().map(messages::expiring).collect();
        Ok(Response::new(proto::ListExpiringResponse { grants }))
    }

    async fn get_consent_letter(
        &self,
        request: Request<proto::GetConsentLetterRequest>,
    ) -> Result<Response<proto::ConsentLetter>, Status> {
        let caller = self.admit(&request, &[Function::Recorder])?;
        let message = request.get_ref();
        let language = match message.language.as_str() {
            "" => Ok(Language::Nl),
            text => Language::parse(text)
                .ok_or_else(|| Refusal::at(RefusalCode::LanguageUnknown, "language", "must be `nl` or `en`")),
        };
        let language = self.read(caller, "letter", language).await?;
        let id = self.read(caller, "letter", form_id(&message.form_id)).await?;
        let letter = self.desk.letter(caller, id, language).await?;
        Ok(Response::new(proto::ConsentLetter { text: letter.text(), html: letter.html() }))
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

    async fn reconfirm_consent(
        &self,
        request: Request<proto::ReconfirmConsentRequest>,
    ) -> Result<Response<proto::ReconfirmConsentResponse>, Status> {
        let caller = self.admit(&request, &[Function::Recorder])?;
        let log_position = self.desk.reconfirm(caller, &request.get_ref().reconfirmation).await?;
        Ok(Response::new(proto::ReconfirmConsentResponse { log_position }))
    }

    async fn pause_consent(
        &self,
        request: Request<proto::PauseConsentRequest>,
    ) -> Result<Response<proto::PauseConsentResponse>, Status> {
        let caller = self.admit(&request, &PARTIES)?;
        let selector = grant_or_form!(request.into_inner().selector, pause_consent_request);
        let selector = self.read(caller, "pause", selector).await?;
        let log_position = self.desk.pause(caller, &selector).await?;
        Ok(Response::new(proto::PauseConsentResponse { log_position }))
    }

    async fn resume_consent(
        &self,
        request: Request<proto::ResumeConsentRequest>,
    ) -> Result<Response<proto::ResumeConsentResponse>, Status> {
        let caller = self.admit(&request, &PARTIES)?;
        let selector = grant_or_form!(request.into_inner().selector, resume_consent_request);
        let selector = self.read(caller, "resume", selector).await?;
        let log_position = self.desk.resume(caller, &selector).await?;
        Ok(Response::new(proto::ResumeConsentResponse { log_position }))
    }

    async fn withdraw_consent(
        &self,
        request: Request<proto::WithdrawConsentRequest>,
    ) -> Result<Response<proto::WithdrawConsentResponse>, Status> {
        use withdraw_consent_request::Selector as Chosen;
        let caller = self.admit(&request, &PARTIES)?;
        let selector = match request.into_inner().selector {
            Some(Chosen::GrantId(id)) => grant_id(&id).map(Selector::Grant),
            Some(Chosen::FormId(id)) => form_id(&id).map(Selector::Form),
            Some(Chosen::Bsn(bsn)) => self.desk.bsn(&bsn).map(Selector::Client),
            Some(Chosen::EverythingOfBsn(bsn)) => self.desk.bsn(&bsn).map(Selector::Everything),
            None => Err(RefusalCode::SelectorMissing.into()),
        };
        let selector = self.read(caller, "withdraw", selector).await?;
        let log_position = self.desk.withdraw(caller, &selector).await?;
        Ok(Response::new(proto::WithdrawConsentResponse { log_position }))
    }

    async fn invalidate_consent(
        &self,
        request: Request<proto::InvalidateConsentRequest>,
    ) -> Result<Response<proto::InvalidateConsentResponse>, Status> {
        let caller = self.admit(&request, &[Function::Recorder])?;
        let message = request.into_inner();
        let reason = self.read(caller, "invalidate", reason(message.reason())).await?;
        let selector = grant_or_form!(message.selector, invalidate_consent_request);
        let selector = self.read(caller, "invalidate", selector).await?;
        let (log_position, released) = self.desk.invalidate(caller, &selector, reason).await?;
        let disclosures = released.into_iter().map(messages::disclosure).collect();
        Ok(Response::new(proto::InvalidateConsentResponse { log_position, disclosures }))
    }

    async fn pause_source(
        &self,
        request: Request<proto::PauseSourceRequest>,
    ) -> Result<Response<proto::PauseSourceResponse>, Status> {
        let caller = self.admit(&request, &[Function::Source])?;
        let log_position = self.desk.pause_source(caller, true).await?;
        Ok(Response::new(proto::PauseSourceResponse { log_position }))
    }

    async fn resume_source(
        &self,
        request: Request<proto::ResumeSourceRequest>,
    ) -> Result<Response<proto::ResumeSourceResponse>, Status> {
        let caller = self.admit(&request, &[Function::Source])?;
        let log_position = self.desk.pause_source(caller, false).await?;
        Ok(Response::new(proto::ResumeSourceResponse { log_position }))
    }

    async fn list_disclosures(
        &self,
        request: Request<proto::ListDisclosuresRequest>,
    ) -> Result<Response<proto::ListDisclosuresResponse>, Status> {
        let caller = self.admit(&request, &[Function::Source])?;
        let message = request.into_inner();
        let client: Result<Option<Bsn>, _> =
            (!message.bsn.is_empty()).then(|| self.desk.bsn(&message.bsn)).transpose();
        let client = self.read(caller, "disclosures", client).await?;
        let below = self.read(caller, "disclosures", below(&message.page_token)).await?;
        let (found, next) = self.desk.disclosures(caller, client.as_ref(), message.page_size, below).await?;
        Ok(Response::new(proto::ListDisclosuresResponse {
            disclosures: found.into_iter().map(messages::disclosure).collect(),
            next_page_token: next.map(|below| below.to_string()).unwrap_or_default(),
        }))
    }

    async fn explain_grant(
        &self,
        request: Request<proto::ExplainGrantRequest>,
    ) -> Result<Response<proto::ExplainGrantResponse>, Status> {
        let caller = self.admit(&request, &PARTIES)?;
        let message = request.get_ref();
        let id = self.read(caller, "explain", grant_id(&message.grant_id)).await?;
        let (explanation, policy) = self.desk.explain(caller, id, message.log_position).await?;
        let explanation = Some(super::explanation::message(&explanation));
        Ok(Response::new(proto::ExplainGrantResponse { explanation, policy }))
    }

    async fn watch_consent_events(
        &self,
        request: Request<proto::WatchConsentEventsRequest>,
    ) -> Result<Response<watch::Notices>, Status> {
        let all = [Function::Recorder, Function::Source, Function::Requester];
        let caller = self.admit(&request, &all)?;
        let after = &request.get_ref().after;
        let after = (!after.is_empty()).then(|| parse_cursor(after)).transpose();
        let after = self.read(caller, "watch", after).await?;
        let begin = self.desk.watch(caller, after).await?;
        Ok(Response::new(watch::notices(Arc::clone(&self.desk), caller, begin)))
    }

    async fn acknowledge_consent_events(
        &self,
        request: Request<proto::AcknowledgeConsentEventsRequest>,
    ) -> Result<Response<proto::AcknowledgeConsentEventsResponse>, Status> {
        let all = [Function::Recorder, Function::Source, Function::Requester];
        let caller = self.admit(&request, &all)?;
        let cursor = self.read(caller, "acknowledge", parse_cursor(&request.get_ref().cursor)).await?;
        let log_position = self.desk.acknowledge(caller, cursor).await?;
        Ok(Response::new(proto::AcknowledgeConsentEventsResponse { log_position }))
    }
}
