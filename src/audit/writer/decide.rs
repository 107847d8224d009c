//! Which works of a batch are accepted, and what they change beside the log: decided in memory from what the store has
//! read with the head in its hands. Withdrawals first: what follows them in the log was decided without the withdrawn
//! grants (P05).

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use serde_json::{Value, json};

use super::{CommitFault, Work, clients::Keys};
use crate::{
    audit::{entry::NewEntry, seal},
    consent::{EventKind, Status},
    domain::{GrantId, PairId, SubjectId, Timestamp},
    storage::{EventRow, Look, NewForm, OpenRequest, Seen, StoreFault, Withdrawable},
};

impl Work {
    /// The entry of the work.
    pub(super) const fn entry(&self) -> &NewEntry {
        match self {
            Self::First(entry)
            | Self::Append(entry)
            | Self::Request { entry, .. }
            | Self::Outcome { entry, .. }
            | Self::Record { entry, .. }
            | Self::Confirm { entry, .. }
            | Self::Withdraw { entry, .. } => entry,
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
}

/// What the store has to look at for these works. Keys are not among it.
pub(super) fn wanted(works: &[Work]) -> Look {
    let mut look = Look::default();
    for work in works {
        match work {
            Work::First(_) | Work::Append(_) | Work::Confirm { .. } => {}
            Work::Request { claim, .. } => look.claims.extend(claim),
            Work::Outcome { entry, needs } => {
                look.pairs.push(entry.pair);
                look.grants.extend(needs);
            }
            Work::Record { form, .. } => {
                look.new_forms.push(form.id);
                look.new_grants.extend(form.grants.iter().map(|(grant, ..)| grant.id));
            }
            Work::Withdraw { selection, by, .. } => look.withdrawals.push((selection.clone(), *by)),
        }
    }
    look.grants.sort_unstable();
    look.grants.dedup();
    look
}

/// Decides on the works of a batch, for a log of this size at this time.
pub(super) fn decide<'a>(
    works: &'a [Work],
    seen: Seen,
    keys: &Keys,
    size: u64,
    now: Timestamp,
) -> Result<Verdict<'a>, StoreFault> {
    let mut pass = Pass { seen, keys, size, now, withdrawn: HashSet::new(), verdict: Verdict::default() };
    pass.verdict.accepted.reserve(works.len());
    let matched = std::mem::take(&mut pass.seen.withdrawable);
    let withdrawals = works.iter().enumerate().filter(|(_, work)| matches!(work, Work::Withdraw { .. }));
    for ((index, work), matched) in withdrawals.zip(matched) {
        pass.withdraw(index, work, &matched);
    }
    for (index, work) in works.iter().enumerate() {
        pass.accept(index, work)?;
    }
    Ok(pass.verdict)
}

struct Pass<'a, 'k> {
    // What the store has read, and what this batch has changed of it so far.
    seen: Seen,
    keys: &'k Keys,
    size: u64,
    now: Timestamp,
    // By this batch.
    withdrawn: HashSet<GrantId>,
    verdict: Verdict<'a>,
}

impl<'a> Pass<'a, '_> {
    fn next_position(&self) -> u64 {
        self.size + self.verdict.accepted.len() as u64
    }

    fn take(&mut self, work: usize, entry: Cow<'a, NewEntry>) {
        self.verdict.accepted.push(Accepted { work, entry, id_was_new: true });
    }

    fn refuse(&mut self, work: usize, fault: CommitFault) {
        self.verdict.faults.insert(work, fault);
    }

    fn event(&mut self, kind: EventKind, grants: impl IntoIterator<Item = GrantId>) {
        let position = self.next_position();
        self.verdict.events.extend(grants.into_iter().map(|grant| EventRow { grant, kind, position }));
    }

    fn withdraw(&mut self, index: usize, work: &'a Work, matched: &[Withdrawable]) {
        let Work::Withdraw { entry, must_match, .. } = work else { return };
        if *must_match && matched.is_empty() {
            return self.refuse(index, CommitFault::NotFound);
        }
        // What an earlier one of this batch has withdrawn is not withdrawn a second time.
        let standing = matched.iter().filter(|found| !found.withdrawn).map(|found| found.grant);
        let grants: Vec<GrantId> = standing.filter(|grant| self.withdrawn.insert(*grant)).collect();
        for grant in &grants {
            if let Some(state) = self.seen.states.get_mut(grant) {
                state.withdrawn = true;
            }
        }
        let mut entry = entry.clone();
        if let Value::Object(client) = &mut entry.client {
            client.insert("grants".to_owned(), json!(grants));
        }
        self.event(EventKind::Withdrawn, grants);
        self.take(index, Cow::Owned(entry));
    }

    fn accept(&mut self, index: usize, work: &'a Work) -> Result<(), StoreFault> {
        match work {
            Work::First(entry) if self.next_position() == 0 => self.take(index, Cow::Borrowed(entry)),
            Work::First(_) => self.refuse(index, CommitFault::AlreadyBegun),
            Work::Append(entry) => self.take(index, Cow::Borrowed(entry)),
            Work::Request { entry, claim } => {
                let id_was_new = claim.is_none_or(|claim| self.seen.claimed.insert(claim));
                if id_was_new {
                    self.verdict.claims.extend(claim);
                }
                self.seen.open.insert(entry.pair);
                self.verdict.opened.push(OpenRequest { pair: entry.pair, requester: entry.requester });
                self.verdict.accepted.push(Accepted { work: index, entry: Cow::Borrowed(entry), id_was_new });
            }
            Work::Outcome { entry, needs } => {
                let in_force = |grant| {
                    self.seen.states.get(grant).is_some_and(|state| state.at(self.now) == Status::InForce)
                };
                if !needs.iter().all(in_force) {
                    self.refuse(index, CommitFault::GrantNotInForce);
                } else if self.close(entry.pair) {
                    self.take(index, Cow::Borrowed(entry));
                } else {
                    self.refuse(index, CommitFault::AlreadyClosed);
                }
            }
            Work::Record { entry, form, confirmed } => self.record(index, entry, form, confirmed)?,
            Work::Confirm { entry, grant } => {
                self.event(EventKind::Confirmed, [*grant]);
                self.take(index, Cow::Borrowed(entry));
            }
            // Withdrawals went before.
            Work::Withdraw { .. } => {}
        }
        Ok(())
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

    fn record(
        &mut self,
        index: usize,
        entry: &'a NewEntry,
        form: &NewForm,
        confirmed: &[GrantId],
    ) -> Result<(), StoreFault> {
        let Some((subject, key)) = self.keys.of(entry.subject) else {
            return Err(StoreFault::Corrupt("a form without a client"));
        };
        let ids: Vec<_> = form.grants.iter().map(|(grant, ..)| grant.id).collect();
        if self.seen.used_forms.contains(&form.id) || ids.iter().any(|id| self.seen.used_grants.contains(id))
        {
            self.refuse(index, CommitFault::FormUsed);
            return Ok(());
        }
        let mut form = form.clone();
        for (grant, _, salt) in &mut form.grants {
            let context = salt_context(grant.id);
            *salt = key
                .entry_key(&context)
                .and_then(|key| seal::seal(&key, &context, salt))
                .map_err(|_| StoreFault::Corrupt("a salt could not be sealed"))?;
        }
        self.seen.used_forms.insert(form.id);
        self.seen.used_grants.extend(&ids);
        self.verdict.forms.push((subject, form));
        self.event(EventKind::Recorded, ids);
        self.event(EventKind::Confirmed, confirmed.iter().copied());
        self.take(index, Cow::Borrowed(entry));
        Ok(())
    }
}

/// What a sealed salt is bound to.
#[must_use]
pub fn salt_context(grant: GrantId) -> Vec<u8> {
    [b"sluis/v1/binding-salt\0".as_slice(), &grant.bytes()].concat()
}
