//! The rules of consent by their numbers, as the parties meet them: what is refused, with its rule, its place and what
//! would be accepted instead; and what a consent does and does not open.

mod blank;
mod counted;
mod free;
mod grantor;
mod over;
mod partial;
mod renewal;
mod same;

use std::sync::Arc;

use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use sluis::{
    catalogue::Mask,
    client::Profile,
    consent::{jws, reconfirmation::RECONFIRMATION_TYPE},
    domain::{Clock as _, time::ManualClock, time::SystemClock},
    proto::{self, GrantStatus, RequestWorkCapacityResponse},
};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

use crate::{
    bad_forge::canonical,
    lab::Lab,
    promises::{Given, KADE, UWV, WATERRIJK, about, bsn, descriptor, form, item, log, outcome_of, reason_of},
};

pub const DAY_MILLIS: i64 = 24 * 3_600_000;
pub const GUIDANCE: &str = "support.guidance_needed";
pub const INTENSITY: &str = "support.coaching_intensity";

/// A region whose clock can be moved, and whose sources hold everything of so many clients. They check every question.
pub async fn region(clients: usize) -> (Lab, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let shared = Arc::clone(&clock);
    let items: Vec<_> = (0..clients).map(|n| item(&bsn(n), Mask::all(), json!({}))).collect();
    let lab = Lab::start_with(|options| {
        for source in [KADE, UWV, WATERRIJK] {
            options.statements.insert(source.to_owned(), json!(items).to_string());
        }
        options.clock = shared;
    })
    .await;
    (lab, clock)
}

/// A form of these grants that is not signed yet, to change before it is.
pub fn draft(bsn: &str, grants: &[Given<'_>]) -> Value {
    serde_json::from_str(&form(bsn, grants)).unwrap()
}

/// A form without grants, on which the client refuses this alone.
pub fn refusal(bsn: &str, of: &Given<'_>) -> Value {
    let mut draft = draft(bsn, &[*of]);
    draft["grants"] = json!([]);
    draft["refusals"] = json!([{ "recipient": of.recipient, "purpose": of.purpose, "source": of.source }]);
    draft
}

/// Signs a form as this recorder, and records it.
pub async fn record(lab: &Lab, short: &str, draft: &Value) -> Result<proto::RecordConsentResponse, Status> {
    let request = lab.sign(short, &draft.to_string());
    lab.client(short).await.consent().record_consent(request).await.map(Response::into_inner)
}

/// What a refusal must say: reason, rule, place, and words of what would be accepted.
pub type Refusal = (&'static str, &'static str, &'static str, &'static str);

pub fn assert_refused(what: &str, status: &Status, (reason, rule, place, words): Refusal) {
    assert_eq!(status.code(), Code::InvalidArgument, "{what}: {status:?}");
    let details = status.get_error_details();
    let info = details.error_info().unwrap();
    let named = info.metadata.get("rule").map_or("", String::as_str);
    assert_eq!((info.reason.as_str(), named), (reason, rule), "{what}: reason and rule; {details:?}");
    let violations = &details.bad_request().unwrap().field_violations;
    assert_eq!(violations.len(), 1, "{what}: one place is named");
    assert_eq!(violations[0].field, place, "{what}: the place");
    let said = &violations[0].description;
    assert!(said.contains(words), "{what}: `{said}` does not say what is accepted, `{words}`");
}

/// Asks as Waterrijk, for REINTEGRATION. Gives what was released, and why De Kade gave nothing, if it did not.
pub async fn ask(lab: &Lab, bsn: &str, paths: &[&str]) -> (Vec<String>, String) {
    let answer = lab.ask("waterrijk", about(bsn, paths)).await.unwrap();
    (released(&answer), reason(lab, &answer).await)
}

/// Why De Kade gave nothing, or `RELEASED`.
pub async fn reason(lab: &Lab, answer: &RequestWorkCapacityResponse) -> String {
    let log = log(&lab.world.gateway.store).await;
    reason_of(outcome_of(&log, answer), KADE)
}

/// Paths of everything that an answer holds about the client.
pub fn released(answer: &RequestWorkCapacityResponse) -> Vec<String> {
    let mut paths = Vec::new();
    for disclosure in &answer.disclosures {
        let mut capacity = DynamicMessage::new(descriptor("WorkCapacity"));
        capacity.transcode_from(disclosure.work_capacity.as_ref().unwrap()).unwrap();
        for (group, value) in capacity.fields() {
            let fields = value.as_message().unwrap().fields().map(|(field, _)| field);
            let names = fields.filter(|field| field.name() != "assessment");
            paths.extend(names.map(|field| format!("{}.{}", group.name(), field.name())));
        }
    }
    paths
}

/// The status of every grant of a form, in its order, as its recorder sees it.
pub async fn states(lab: &Lab, recorder: &str, form_id: &str) -> Vec<GrantStatus> {
    shown(lab, recorder, form_id).await.grants.iter().map(proto::Grant::status).collect()
}

/// A form, as this recorder sees it.
pub async fn shown(lab: &Lab, recorder: &str, form_id: &str) -> proto::Consent {
    let request = proto::GetConsentRequest { form_id: form_id.to_owned() };
    lab.client(recorder).await.consent().get_consent(request).await.unwrap().into_inner()
}

/// A reconfirmation that says this, signed by whom it should be, or by another.
pub fn reconfirmation(
    lab: &Lab,
    signer: &str,
    form: &str,
    recorder: &str,
    context: &str,
    on: &Value,
) -> String {
    let role = if recorder == KADE { "ggz.trajectbegeleider" } else { "uwv.adviseur" };
    let payload = json!({
        "v": 2, "typ": RECONFIRMATION_TYPE, "form_id": form, "recorder": recorder, "context": context,
        "confirmed_on": on, "confirmed_with": role,
    });
    let (kid, key) = Profile::load(&lab.world.profile(signer)).unwrap().signing_key().unwrap();
    jws::sign(&canonical(&payload), RECONFIRMATION_TYPE, &kid, &key).unwrap()
}

pub async fn reconfirm(lab: &Lab, caller: &str, reconfirmation: String) -> Result<u64, Status> {
    let request = proto::ReconfirmConsentRequest { reconfirmation };
    let done = lab.client(caller).await.consent().reconfirm_consent(request).await;
    done.map(|done| done.into_inner().log_position)
}
