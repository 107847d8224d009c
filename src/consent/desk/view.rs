//! What a caller may see of a form and its grants.

use crate::{
    catalogue::Mask,
    consent::{Event, Form, Grant, GrantState, Status, form::FORM_TYPE, grant::GRANT_TYPE, jws},
    domain::{GrantId, Oin, Timestamp},
    storage::{StoredForm, StoredGrant},
};

/// A grant, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct GrantView {
    /// As it was signed.
    pub grant: Grant,
    /// The gateway's countersignature.
    pub countersignature: String,
    /// What became of it; `None` for a recipient, who is never told, even of a grant that it recorded itself (R12, P09).
    pub life: Option<Life>,
}

/// What became of a grant.
#[derive(Clone, Debug)]
pub struct Life {
    /// Its status now.
    pub status: Status,
    /// Fields that were struck out since.
    pub struck: Mask,
    /// How often it was used, where that is counted.
    pub used: u32,
    /// What happened to it, oldest first.
    pub events: Vec<Event>,
}

impl Life {
    fn of(state: &GrantState, events: Vec<Event>, now: Timestamp) -> Self {
        Self { status: state.at(now), struck: state.struck, used: state.used, events }
    }
}

impl GrantView {
    /// One that was checked, and not recorded.
    pub(super) fn of_draft(grant: &Grant, caller: Oin, now: Timestamp) -> Self {
        let life = (grant.recipient != caller).then(|| Life::of(&grant.state(), Vec::new(), now));
        Self { grant: grant.clone(), countersignature: String::new(), life }
    }

    fn of_stored(stored: StoredGrant, caller: Oin, now: Timestamp) -> Option<Self> {
        let payload = jws::stored_payload(&stored.jws, GRANT_TYPE).ok()?;
        let grant = Grant::parse(&payload, "grant").ok()?;
        let life = (grant.recipient != caller).then(|| Life::of(&stored.standing.state, stored.events, now));
        Some(Self { grant, countersignature: stored.countersignature, life })
    }

    /// Id.
    #[must_use]
    pub const fn id(&self) -> GrantId {
        self.grant.id
    }
}

/// A form, as far as the caller may see it.
#[derive(Clone, Debug)]
pub struct ConsentView {
    /// As it was signed. Its refusals are left out for whoever did not record it.
    pub form: Form,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// Position of its entry in the log, where a grant leads to it.
    pub position: Option<u64>,
    /// Its grants: all for the recorder, its own for a source.
    pub grants: Vec<GrantView>,
}

impl ConsentView {
    /// The view of this caller; `None` if there is nothing in it for him.
    pub(super) fn of(stored: StoredForm, caller: Oin, now: Timestamp) -> Option<Self> {
        let payload = jws::stored_payload(&stored.jws, FORM_TYPE).ok()?;
        let mut form = Form::parse(&payload).ok()?;
        let is_recorder = stored.recorder == caller;
        if !is_recorder {
            form.refusals.clear();
        }
        let events = stored.grants.iter().flat_map(|grant| &grant.events);
        let position = events.map(|event| event.position).min();
        let mut grants: Vec<_> = stored
            .grants
            .into_iter()
            .filter(|grant| is_recorder || grant.standing.source == caller)
            .filter_map(|grant| GrantView::of_stored(grant, caller, now))
            .collect();
        // In the order of the form, as the client read it.
        grants.sort_by_key(|view| form.grants.iter().position(|(id, _)| *id == view.id()));
        // The list of grants that a source sees is its own, and not how many others there are.
        form.grants.retain(|(id, _)| grants.iter().any(|view| view.id() == *id));
        (is_recorder || !grants.is_empty()).then_some(Self {
            form,
            recorded_at: stored.recorded_at,
            position,
            grants,
        })
    }
}
