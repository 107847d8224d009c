//! What a caller may see of a form and its grants.

use crate::{
    catalogue::Mask,
    consent::{Form, Grant, GrantState, Status, form::FORM_TYPE, jws},
    domain::{Day, FormId, GrantId, Oin, Purpose, Role, Timestamp},
    storage::{StoredForm, StoredGrant},
};

/// A grant, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct GrantView {
    /// Id.
    pub id: GrantId,
    /// Recipient.
    pub recipient: Oin,
    /// Its role.
    pub role: Role,
    /// Purpose.
    pub purpose: Purpose,
    /// Source.
    pub source: Oin,
    /// Fields.
    pub fields: Mask,
    /// First moment in force.
    pub starts: Timestamp,
    /// First moment no longer in force.
    pub ends: Timestamp,
    /// Status now; `None` for a recipient, who is never told, even of a grant that it recorded itself (R12, P09).
    pub status: Option<Status>,
}

impl GrantView {
    pub(super) fn of_recording(grant: &Grant, confirmed: bool, caller: Oin, now: Timestamp) -> Self {
        let state = GrantState { starts: grant.starts(), ends: grant.ends(), confirmed, withdrawn: false };
        Self {
            id: grant.id,
            recipient: grant.recipient,
            role: grant.role,
            purpose: grant.purpose.clone(),
            source: grant.source,
            fields: grant.fields,
            starts: state.starts,
            ends: state.ends,
            status: (grant.recipient != caller).then(|| state.at(now)),
        }
    }

    fn of_stored(grant: StoredGrant, caller: Oin, now: Timestamp) -> Self {
        Self {
            status: (grant.recipient != caller).then(|| grant.state.at(now)),
            id: grant.id,
            recipient: grant.recipient,
            role: grant.role,
            purpose: grant.purpose,
            source: grant.source,
            fields: grant.fields,
            starts: grant.state.starts,
            ends: grant.state.ends,
        }
    }
}

/// A form, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct ConsentView {
    /// Id.
    pub form: FormId,
    /// Who recorded it.
    pub recorder: Oin,
    /// When the client signed.
    pub signed_on: Day,
    /// SHA-256 of the kept form.
    pub evidence: [u8; 32],
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Its grants: all for the recorder, its own for a source.
    pub grants: Vec<GrantView>,
}

impl ConsentView {
    /// The view of this caller; `None` if there is nothing in it for him.
    pub(super) fn of(stored: StoredForm, caller: Oin, now: Timestamp) -> Option<Self> {
        let payload = jws::stored_payload(&stored.jws, FORM_TYPE).ok()?;
        let form = Form::parse(&payload).ok()?;
        let is_recorder = stored.recorder == caller;
        let mut grants: Vec<_> = stored
            .grants
            .into_iter()
            .filter(|grant| is_recorder || grant.source == caller)
            .map(|grant| GrantView::of_stored(grant, caller, now))
            .collect();
        // In the order of the form, as the client read it.
        grants.sort_by_key(|view| form.grants.iter().position(|(id, _)| *id == view.id));
        (!grants.is_empty()).then_some(Self {
            form: stored.id,
            recorder: stored.recorder,
            signed_on: form.signed_on,
            evidence: form.sha256,
            recorded_at: stored.recorded_at,
            grants,
        })
    }
}
