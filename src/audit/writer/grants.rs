//! What a batch does to grants: recording, and every change of their life. The rules of that life are in
//! [`consent::status`](crate::consent::status) and [`consent::cover`](crate::consent::cover); here they meet what stands.

use std::{borrow::Cow, collections::BTreeMap};

use serde_json::{Value, json};

use super::{
    Change, CommitFault, Work,
    decide::{Pass, salt_context},
};
use crate::{
    audit::{entry::NewEntry, seal},
    catalogue::Mask,
    consent::{Event, EventKind, Grant, Standing, Status, Stop, cover::Scope},
    domain::{GrantId, Oin, SubjectId},
    storage::{EventRow, NewForm, Selection, SourcePauseRow, StopRow, StoreFault},
};

impl Work {
    /// Whether it stops something, and so goes before everything else of its batch.
    pub(super) const fn stops(&self) -> bool {
        match self {
            Self::Change { change, .. } => {
                matches!(change, Change::Withdraw { .. } | Change::Pause | Change::Invalidate)
            }
            Self::PauseSource { paused, .. } => *paused,
            _ => false,
        }
    }
}

impl Change {
    /// The event that it brings about on this grant, if the caller may do it there.
    fn event(&self, grant: &Standing, by: Oin) -> Option<EventKind> {
        let (recorder, source) = (grant.recorder == by, grant.source == by);
        match self {
            Self::Confirm { .. } => source.then_some(EventKind::Confirmed),
            Self::Reconfirm { .. } => recorder.then_some(EventKind::Reconfirmed),
            Self::Pause if recorder => Some(EventKind::Paused),
            Self::Pause => source.then_some(EventKind::PausedBySource),
            Self::Resume if recorder => Some(EventKind::Resumed),
            Self::Resume => source.then_some(EventKind::ResumedBySource),
            Self::Withdraw { everything } => {
                (recorder || source || *everything).then_some(EventKind::Withdrawn)
            }
            Self::Invalidate => recorder.then_some(EventKind::Invalidated),
        }
    }
}

/// A grant as it stands once it is recorded.
fn standing(grant: &Grant, subject: SubjectId, form: &NewForm) -> Standing {
    Standing {
        id: grant.id,
        form: form.id,
        subject,
        recorder: form.recorder,
        recipient: grant.recipient,
        role: grant.role,
        purpose: grant.purpose.clone(),
        source: grant.source,
        given_by: grant.given_by,
        signed_on: grant.signed_on,
        renews: grant.renews,
        state: grant.state(),
    }
}

impl<'a> Pass<'a, '_> {
    /// Notes an event of a grant, and what it does to it.
    fn event(&mut self, grant: GrantId, kind: EventKind, fields: Mask) {
        let event = Event { kind, time: self.now, position: self.next_position(), fields };
        if let Some(standing) = self.seen.grants.get_mut(&grant) {
            standing.state.apply(&event);
        }
        self.verdict.events.push(EventRow { grant, event });
    }

    fn selected(&self, on: &Selection, entry: &NewEntry) -> Vec<GrantId> {
        let subject = self.client(entry).map(|(subject, _)| subject);
        let matches = |grant: &Standing| match on {
            Selection::Grant(id) => grant.id == *id,
            Selection::Form(id) => grant.form == *id,
            Selection::Client(_) => Some(grant.subject) == subject,
        };
        let mut found: Vec<_> =
            self.seen.grants.values().filter(|grant| matches(grant)).map(|grant| grant.id).collect();
        // The same order in every store and at every time.
        found.sort_unstable();
        found
    }

    pub(super) fn change(
        &mut self,
        index: usize,
        entry: &'a NewEntry,
        on: &Selection,
        by: Oin,
        change: &'a Change,
    ) {
        let (mut may, mut over, mut events) = (false, false, Vec::new());
        for id in self.selected(on, entry) {
            let Some(grant) = self.seen.grants.get(&id) else { continue };
            let Some(kind) = change.event(grant, by) else { continue };
            may = true;
            match grant.state.would_change(kind, self.now) {
                Some(true) => events.push((id, kind)),
                Some(false) => {}
                // That it is over is not told to a recipient that recorded it itself (R12, P09).
                None => over |= grant.recipient != by,
            }
        }
        let by_client = matches!(on, Selection::Client(_));
        if !may && !by_client {
            return self.refuse(index, CommitFault::NotFound);
        }
        if over && events.is_empty() {
            return self.refuse(index, CommitFault::GrantOver);
        }
        let mut entry = entry.clone();
        if let Value::Object(client) = &mut entry.client {
            client.insert("grants".to_owned(), json!(events.iter().map(|(id, _)| id).collect::<Vec<_>>()));
        }
        for (id, kind) in events {
            self.event(id, kind, Mask::EMPTY);
            if matches!(change, Change::Confirm { .. } | Change::Reconfirm { .. }) {
                self.replaces(id);
            }
        }
        match (change, on, self.client(&entry)) {
            (Change::Reconfirm { jws, .. }, Selection::Form(form), _) => {
                self.verdict.reconfirmed.push((*form, jws.clone()));
            }
            // Also for what was signed before, and comes to be recorded only now.
            (Change::Withdraw { everything }, Selection::Client(_), Some((subject, _))) => {
                let stop = Stop {
                    scope: Scope { owner: (!everything).then_some(by), ..Scope::default() },
                    day: self.now.day(),
                    kind: EventKind::Withdrawn,
                    fields: Mask::EMPTY,
                };
                self.stop(subject, stop);
            }
            _ => {}
        }
        self.take(index, Cow::Owned(entry));
    }

    fn stop(&mut self, subject: SubjectId, stop: Stop) {
        let position = self.next_position();
        self.seen.stops.push((subject, stop.clone()));
        self.verdict.stops.push(StopRow { subject, position, stop });
    }

    /// Ends the grant that this one renews, if this one is in force now: nobody who renews in good time, or has yet to be
    /// asked again, loses what he has. One that begins later leaves the old one to its own end.
    fn replaces(&mut self, grant: GrantId) {
        let in_force = |grant: &&Standing| grant.state.at(self.now) == Status::InForce;
        let new = self.seen.grants.get(&grant).filter(in_force);
        let Some(old) = new.and_then(|new| self.seen.grants.get(&new.renews?)) else { return };
        if old.state.would_change(EventKind::Renewed, self.now) == Some(true) {
            self.event(old.id, EventKind::Renewed, Mask::EMPTY);
        }
    }

    pub(super) fn pause_source(&mut self, index: usize, entry: &'a NewEntry, source: Oin, paused: bool) {
        for grant in self.seen.grants.values_mut().filter(|grant| grant.source == source) {
            grant.state.source_paused = paused;
        }
        let position = self.next_position();
        self.verdict.source_pauses.push(SourcePauseRow { source, paused, position });
        self.take(index, Cow::Borrowed(entry));
    }

    /// Whether a renewal is one: of a grant that stands, of the same client, parties and purpose, and no wider.
    fn renews(&self, grant: &Standing) -> bool {
        let Some(renews) = grant.renews else { return true };
        self.seen.grants.get(&renews).is_some_and(|old| {
            old.subject == grant.subject
                && old.recorder == grant.recorder
                && old.recipient == grant.recipient
                && old.role == grant.role
                && old.purpose == grant.purpose
                && old.source == grant.source
                && grant.state.fields.is_subset_of(old.state.fields)
                && old.state.would_change(EventKind::Renewed, self.now) == Some(true)
        })
    }

    pub(super) fn record(
        &mut self,
        index: usize,
        entry: &'a NewEntry,
        form: &NewForm,
        confirmed: &[GrantId],
        stops: &[Stop],
    ) -> Result<(), StoreFault> {
        let Some((subject, key)) = self.client(entry) else {
            return Err(StoreFault::Corrupt("a form without a client"));
        };
        let mut form = form.clone();
        for new in &mut form.grants {
            let context = salt_context(new.grant.id);
            new.salt = key
                .entry_key(&context)
                .and_then(|key| seal::seal(&key, &context, &new.salt))
                .map_err(|_| StoreFault::Corrupt("a salt could not be sealed"))?;
        }
        let ids: Vec<_> = form.grants.iter().map(|new| new.grant.id).collect();
        let erased = self.seen.claimed.contains(&self.index.form_key(form.id));
        if erased
            || self.seen.used_forms.contains(&form.id)
            || ids.iter().any(|id| self.seen.used_grants.contains(id))
        {
            self.refuse(index, CommitFault::FormUsed);
            return Ok(());
        }
        let recorded: Vec<_> = form.grants.iter().map(|new| standing(&new.grant, subject, &form)).collect();
        if !recorded.iter().all(|grant| self.renews(grant)) {
            self.refuse(index, CommitFault::NotRenewable);
            return Ok(());
        }
        self.seen.used_forms.insert(form.id);
        self.seen.used_grants.extend(&ids);

        // What he says no to on this form beats what he signed before it, whoever recorded that.
        let ended = self.earlier(subject, stops);
        for stop in stops {
            self.stop(subject, stop.clone());
        }
        for grant in recorded {
            self.recorded(grant, confirmed);
        }
        self.verdict.forms.push((subject, form));
        let mut entry = entry.clone();
        if let Value::Object(client) = &mut entry.client {
            client.insert("ended".to_owned(), json!(ended));
        }
        self.take(index, Cow::Owned(entry));
        Ok(())
    }

    /// Ends or cuts the grants of a client that these words cover. Gives their ids.
    fn earlier(&mut self, subject: SubjectId, stops: &[Stop]) -> Vec<GrantId> {
        // One event of a kind for a grant, whatever number of words covers it.
        let mut effects: BTreeMap<(GrantId, EventKind), Mask> = BTreeMap::new();
        for grant in self.seen.grants.values().filter(|grant| grant.subject == subject) {
            for (kind, fields) in stops.iter().filter_map(|stop| stop.on_earlier(grant)) {
                if grant.state.would_change(kind, self.now) == Some(true) {
                    let all = effects.entry((grant.id, kind)).or_default();
                    *all = all.or(fields);
                }
            }
        }
        let mut ids = Vec::with_capacity(effects.len());
        for ((id, kind), fields) in effects {
            self.event(id, kind, fields);
            ids.push(id);
        }
        ids.dedup();
        ids
    }

    /// Puts a new grant among those that stand, with everything that holds of it from its first moment.
    fn recorded(&mut self, grant: Standing, confirmed: &[GrantId]) {
        let (id, subject) = (grant.id, grant.subject);
        let said = self.seen.stops.iter().filter(|(of, _)| *of == subject);
        let mut before: Vec<_> = said.filter_map(|(_, stop)| stop.on_later(&grant)).collect();
        before.sort_unstable_by_key(|(kind, _)| *kind);
        self.seen.grants.insert(id, grant);
        self.event(id, EventKind::Recorded, Mask::EMPTY);
        if confirmed.contains(&id) {
            self.event(id, EventKind::Confirmed, Mask::EMPTY);
        }
        let struck = before.iter().filter(|(kind, _)| *kind == EventKind::Struck);
        let struck = struck.fold(Mask::EMPTY, |all, (_, fields)| all.or(*fields));
        if !struck.is_empty() {
            self.event(id, EventKind::Struck, struck);
        }
        before.retain(|(kind, _)| *kind != EventKind::Struck);
        before.dedup_by_key(|(kind, _)| *kind);
        for (kind, _) in before {
            self.event(id, kind, Mask::EMPTY);
        }
        self.replaces(id);
    }
}
