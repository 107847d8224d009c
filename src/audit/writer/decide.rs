//! Which works of a batch are accepted, and what they change beside the log: decided in memory from what the store has
//! read with the head in its hands. What stops something goes first: what follows it in the log was decided without the
//! grants that it stops (P05). What becomes of grants stands in `grants`.

use std::{borrow::Cow, collections::HashMap};

use super::{Change, CommitFault, Need, Work, clients::Keys};
use crate::{
    audit::{entry::NewEntry, seal::ClientKey},
    consent::Counts,
    domain::{FormId, GrantId, Oin, PairId, SubjectId, Timestamp},
    storage::{
        Cursor, DisclosureRow, EventRow, Look, NewForm, OpenRequest, Seen, Selection, SourcePauseRow,
        StopRow, StoreFault, Traces,
    },
    subject::IndexKey,
};

impl Work {
    /// The entry of the work.
    pub(super) const fn entry(&self) -> &NewEntry {
        match self {
            Self::First(entry)
            | Self::Append(entry)
            | Self::Once { entry, .. }
            | Self::Request { entry, .. }
            | Self::Outcome { entry, .. }
            | Self::Record { entry, .. }
            | Self::Change { entry, .. }
            | Self::PauseSource { entry, .. }
            | Self::Erase { entry, .. }
            | Self::Seal(entry)
            | Self::Acknowledge { entry, .. } => entry,
        }
    }
}

/// An entry that is in the log if the batch commits.
pub(super) struct Accepted<'a> {
    /// Which work it came from.
    pub(super) work: usize,
    /// The entry.
    pub(super) entry: Cow<'a, NewEntry>,
    /// Whether the request id was new.
    pub(super) id_was_new: bool,
}

/// What came of the works: entries in the order of the log, the faults of those that were not accepted, and what changes
/// beside the log.
#[derive(Default)]
pub(super) struct Verdict<'a> {
    pub(super) accepted: Vec<Accepted<'a>>,
    pub(super) faults: HashMap<usize, CommitFault>,
    pub(super) claims: Vec<[u8; 32]>,
    pub(super) opened: Vec<OpenRequest>,
    pub(super) closed: Vec<PairId>,
    pub(super) forms: Vec<(SubjectId, NewForm)>,
    pub(super) events: Vec<EventRow>,
    pub(super) stops: Vec<StopRow>,
    pub(super) source_pauses: Vec<SourcePauseRow>,
    pub(super) disclosures: Vec<DisclosureRow>,
    pub(super) reconfirmed: Vec<(FormId, String)>,
    pub(super) acknowledged: Vec<(Oin, Cursor)>,
    pub(super) once: Vec<[u8; 32]>,
    pub(super) erased: Vec<SubjectId>,
}

/// What the store has to look at for these works. Keys are not among it.
pub(super) fn wanted(works: &[Work], index: &IndexKey) -> Look {
    let mut look = Look::default();
    for work in works {
        match work {
            Work::First(_)
            | Work::Append(_)
            | Work::Seal(_)
            | Work::PauseSource { .. }
            | Work::Acknowledge { .. } => {}
            Work::Once { claim, .. } => look.claims.push(*claim),
            Work::Erase { client, claim, .. } => {
                look.tags.push(*client);
                look.claims.push(*claim);
            }
            Work::Request { claim, .. } => look.claims.extend(claim),
            Work::Outcome { entry, needs } => {
                look.pairs.push(entry.pair);
                look.grants.extend(needs.iter().map(|need| need.grant));
                look.grants.extend(needs.iter().filter_map(|need| need.follows));
            }
            Work::Record { form, client, .. } => {
                look.new_forms.push(form.id);
                look.claims.push(index.form_key(form.id));
                look.new_grants.extend(form.grants.iter().map(|new| new.grant.id));
                // Whatever he said no to before, and whatever he says no to now.
                look.clients.push(*client);
            }
            Work::Change { on, change, .. } => {
                match on {
                    Selection::Grant(id) => look.grants.push(*id),
                    Selection::Form(id) => look.forms.push(*id),
                    Selection::Client(tag) => look.clients.push(*tag),
                }
                match change {
                    Change::Confirm { renews } => look.grants.extend(renews),
                    Change::Reconfirm { renews, .. } => look.grants.extend(renews),
                    _ => {}
                }
            }
        }
    }
    look.grants.sort_unstable();
    look.grants.dedup();
    look
}

/// The client that a batch erases, if it does and there is such a client.
pub(super) fn erased(works: &[Work], seen: &Seen) -> Option<SubjectId> {
    let [Work::Erase { client, .. }] = works else { return None };
    seen.keys.iter().find(|row| row.tag == *client).map(|row| row.subject)
}

/// What a batch is decided with, beside what the store has read.
pub(super) struct Context<'k> {
    /// Keys of the clients that it concerns.
    pub(super) keys: &'k Keys,
    /// Key of what is kept of ids.
    pub(super) index: &'k IndexKey,
    /// The client that it erases, and all that leads to him.
    pub(super) found: Option<(SubjectId, Traces)>,
    /// Whether a request is open, where it is asked whether the shard may be sealed.
    pub(super) open: bool,
    /// Position of the next entry.
    pub(super) end: u64,
    /// The time of the batch.
    pub(super) now: Timestamp,
}

/// Decides on the works of a batch.
pub(super) fn decide<'a>(
    works: &'a [Work],
    seen: Seen,
    context: Context<'_>,
) -> Result<Verdict<'a>, StoreFault> {
    let Context { keys, index, found, open, end, now } = context;
    let mut pass = Pass { seen, keys, index, found, open, end, now, verdict: Verdict::default() };
    pass.verdict.accepted.reserve(works.len());
    for (index, work) in works.iter().enumerate().filter(|(_, work)| work.stops()) {
        pass.accept(index, work)?;
    }
    for (index, work) in works.iter().enumerate().filter(|(_, work)| !work.stops()) {
        pass.accept(index, work)?;
    }
    Ok(pass.verdict)
}

pub(super) struct Pass<'a, 'k> {
    // What the store has read, and what this batch has changed of it so far.
    pub(super) seen: Seen,
    keys: &'k Keys,
    pub(super) index: &'k IndexKey,
    pub(super) found: Option<(SubjectId, Traces)>,
    open: bool,
    end: u64,
    pub(super) now: Timestamp,
    pub(super) verdict: Verdict<'a>,
}

impl<'a> Pass<'a, '_> {
    pub(super) fn next_position(&self) -> u64 {
        self.end + self.verdict.accepted.len() as u64
    }

    pub(super) fn take(&mut self, work: usize, entry: Cow<'a, NewEntry>) {
        self.verdict.accepted.push(Accepted { work, entry, id_was_new: true });
    }

    pub(super) fn refuse(&mut self, work: usize, fault: CommitFault) {
        self.verdict.faults.insert(work, fault);
    }

    /// The client of an entry, and his key.
    pub(super) fn client(&self, entry: &NewEntry) -> Option<(SubjectId, &ClientKey)> {
        self.keys.of(entry)
    }

    fn accept(&mut self, index: usize, work: &'a Work) -> Result<(), StoreFault> {
        match work {
            Work::First(entry) if self.next_position() == 0 => self.take(index, Cow::Borrowed(entry)),
            Work::First(_) => self.refuse(index, CommitFault::AlreadyBegun),
            Work::Seal(_) if self.open => self.refuse(index, CommitFault::RequestsOpen),
            Work::Append(entry) | Work::Seal(entry) => self.take(index, Cow::Borrowed(entry)),
            Work::Once { entry, claim } => {
                if !self.seen.claimed.insert(*claim) {
                    self.refuse(index, CommitFault::AlreadyDone);
                    return Ok(());
                }
                self.verdict.once.push(*claim);
                self.take(index, Cow::Borrowed(entry));
            }
            Work::Erase { entry, claim, disclosed_since, .. } => {
                self.erase(index, entry, *claim, *disclosed_since);
            }
            Work::Request { entry, claim } => {
                let id_was_new = claim.is_none_or(|claim| self.seen.claimed.insert(claim));
                if id_was_new {
                    self.verdict.claims.extend(claim);
                }
                self.seen.open.insert(entry.pair);
                self.verdict.opened.push(OpenRequest { pair: entry.pair, requester: entry.requester });
                self.verdict.accepted.push(Accepted { work: index, entry: Cow::Borrowed(entry), id_was_new });
            }
            Work::Outcome { entry, needs } => self.outcome(index, entry, needs),
            Work::Record { entry, form, confirmed, stops, .. } => {
                self.record(index, entry, form, confirmed, stops)?;
            }
            Work::Change { entry, on, by, change } => self.change(index, entry, on, *by, change),
            Work::PauseSource { entry, source, paused } => self.pause_source(index, entry, *source, *paused),
            Work::Acknowledge { entry, by, cursor } => {
                self.verdict.acknowledged.push((*by, *cursor));
                self.take(index, Cow::Borrowed(entry));
            }
        }
        Ok(())
    }

    fn outcome(&mut self, index: usize, entry: &'a NewEntry, needs: &[Need]) {
        // How each counts, decided on a copy: if one of them does not hold, none is counted.
        let mut uses = Vec::with_capacity(needs.len());
        let stands = |id: GrantId| {
            let standing = self.seen.grants.get(&id);
            standing.is_some_and(|standing| !standing.state.releasable(self.now).is_empty())
        };
        for need in needs {
            if need.follows.is_some_and(|followed| !stands(followed)) {
                return self.refuse(index, CommitFault::GrantNotInForce);
            }
            let standing = self.seen.grants.get(&need.grant);
            match standing.and_then(|standing| standing.state.counts(need.fields, self.now)) {
                Some(counts) => uses.push((need, counts == Counts::Once)),
                None => return self.refuse(index, CommitFault::GrantNotInForce),
            }
        }
        if !self.close(entry.pair) {
            return self.refuse(index, CommitFault::AlreadyClosed);
        }
        let position = self.next_position();
        for (need, counted) in uses {
            let Some(standing) = self.seen.grants.get_mut(&need.grant) else { continue };
            if counted {
                standing.state.count(need.fields, self.now);
            }
            self.verdict.disclosures.push(DisclosureRow {
                grant: need.grant,
                position,
                source: standing.source,
                recipient: standing.recipient,
                fields: need.fields,
                counted,
            });
        }
        self.take(index, Cow::Borrowed(entry));
    }

    /// Closes a request; `false` if it is not open (any more).
    fn close(&mut self, pair: PairId) -> bool {
        if !self.seen.open.remove(&pair) {
            return false;
        }
        match self.verdict.opened.iter().position(|request| request.pair == pair) {
            // Opened by this very batch: it is never seen open.
            Some(at) => drop(self.verdict.opened.swap_remove(at)),
            None => self.verdict.closed.push(pair),
        }
        true
    }
}

/// What a sealed salt is bound to.
#[must_use]
pub fn salt_context(grant: GrantId) -> Vec<u8> {
    [b"sluis/v1/binding-salt\0".as_slice(), &grant.bytes()].concat()
}
