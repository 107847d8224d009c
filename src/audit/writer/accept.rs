//! Which works of a batch are accepted, and what they change beside the log. Withdrawals first: what follows them in the
//! log was decided without the withdrawn grants (P05).

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{CommitFault, Work, batch::Keys};
use crate::{
    audit::{entry::NewEntry, seal},
    consent::{EventKind, GrantState, Status},
    domain::{GrantId, Timestamp},
    storage::{Commit, NewForm, OpenRequest, StoreFault},
};

/// An entry that is in the log if the batch commits.
pub(super) struct Accepted {
    /// Which work it came from.
    pub(super) work: usize,
    /// The entry.
    pub(super) entry: NewEntry,
    /// Whether the request id was new.
    pub(super) id_was_new: bool,
}

impl Work {
    /// The entry of the work.
    pub(super) const fn entry(&self) -> &NewEntry {
        match self {
            Self::Append(entry)
            | Self::Request { entry, .. }
            | Self::Outcome { entry, .. }
            | Self::Record { entry, .. }
            | Self::Confirm { entry, .. }
            | Self::Withdraw { entry, .. } => entry,
        }
    }
}

/// What came of the works: entries in the order of the log, and the faults of those that were not accepted.
pub(super) struct Verdict {
    pub(super) accepted: Vec<Accepted>,
    pub(super) faults: HashMap<usize, CommitFault>,
}

/// Goes through the works, inside the transaction.
pub(super) async fn accept(
    commit: &mut (dyn Commit + '_),
    works: Vec<Work>,
    keys: &Keys,
    size: u64,
    now: Timestamp,
) -> Result<Verdict, StoreFault> {
    let mut pass =
        Pass { commit, keys, size, now, accepted: Vec::with_capacity(works.len()), faults: HashMap::new() };
    let (withdrawals, rest): (Vec<_>, Vec<_>) =
        works.into_iter().enumerate().partition(|(_, work)| matches!(work, Work::Withdraw { .. }));
    for (index, work) in withdrawals {
        pass.withdraw(index, work).await?;
    }
    // Read after the withdrawals of this batch, once for all outcomes.
    let mut needed: Vec<GrantId> = rest
        .iter()
        .filter_map(|(_, work)| if let Work::Outcome { needs, .. } = work { Some(needs) } else { None })
        .flatten()
        .copied()
        .collect();
    needed.sort_unstable();
    needed.dedup();
    let states = if needed.is_empty() { HashMap::new() } else { pass.commit.states(&needed).await? };
    pass.open(&rest).await?;
    for (index, work) in rest {
        pass.accept(index, work, &states).await?;
    }
    Ok(Verdict { accepted: pass.accepted, faults: pass.faults })
}

struct Pass<'a, 'c> {
    commit: &'a mut (dyn Commit + 'c),
    keys: &'a Keys,
    size: u64,
    now: Timestamp,
    accepted: Vec<Accepted>,
    faults: HashMap<usize, CommitFault>,
}

impl Pass<'_, '_> {
    fn next_position(&self) -> u64 {
        self.size + self.accepted.len() as u64
    }

    fn take(&mut self, work: usize, entry: NewEntry) {
        self.accepted.push(Accepted { work, entry, id_was_new: true });
    }

    async fn withdraw(&mut self, index: usize, work: Work) -> Result<(), StoreFault> {
        let Work::Withdraw { mut entry, selection, by, must_match } = work else { return Ok(()) };
        let (grants, matched) = self.commit.withdrawable(&selection, by).await?;
        if must_match && !matched {
            self.faults.insert(index, CommitFault::NotFound);
            return Ok(());
        }
        self.commit.event(&grants, EventKind::Withdrawn, self.now, self.next_position()).await?;
        if let Value::Object(client) = &mut entry.client {
            client.insert("grants".to_owned(), json!(grants));
        }
        self.take(index, entry);
        Ok(())
    }

    /// Opens the pairs of all requests in one statement.
    async fn open(&mut self, works: &[(usize, Work)]) -> Result<(), StoreFault> {
        let requests: Vec<_> = works
            .iter()
            .filter(|(_, work)| matches!(work, Work::Request { .. }))
            .map(|(_, work)| OpenRequest { pair: work.entry().pair, requester: work.entry().requester })
            .collect();
        if requests.is_empty() { Ok(()) } else { self.commit.open(&requests, self.now).await }
    }

    async fn accept(
        &mut self,
        index: usize,
        work: Work,
        states: &HashMap<GrantId, GrantState>,
    ) -> Result<(), StoreFault> {
        match work {
            Work::Append(entry) => self.take(index, entry),
            Work::Request { entry, claim } => {
                let claimed = match claim {
                    Some(claim) => self.commit.claim_request_ids(&[claim], self.now).await?,
                    None => Vec::new(),
                };
                let id_was_new = claimed.first().copied().unwrap_or(true);
                self.accepted.push(Accepted { work: index, entry, id_was_new });
            }
            Work::Outcome { entry, needs } => {
                let in_force =
                    |grant| states.get(grant).is_some_and(|state| state.at(self.now) == Status::InForce);
                if !needs.iter().all(in_force) {
                    self.faults.insert(index, CommitFault::GrantNotInForce);
                } else if self.commit.close(entry.pair).await? {
                    self.take(index, entry);
                } else {
                    self.faults.insert(index, CommitFault::AlreadyClosed);
                }
            }
            Work::Record { entry, form, confirmed } => self.record(index, entry, form, &confirmed).await?,
            Work::Confirm { entry, grant } => {
                let position = self.next_position();
                self.commit.event(&[grant], EventKind::Confirmed, self.now, position).await?;
                self.take(index, entry);
            }
            // Withdrawals went before.
            Work::Withdraw { .. } => {}
        }
        Ok(())
    }

    async fn record(
        &mut self,
        index: usize,
        entry: NewEntry,
        mut form: NewForm,
        confirmed: &[GrantId],
    ) -> Result<(), StoreFault> {
        let Some((subject, key)) = self.keys.of(entry.subject) else {
            return Err(StoreFault::Corrupt("a form without a client"));
        };
        for (grant, _, salt) in &mut form.grants {
            let context = salt_context(grant.id);
            *salt = key
                .entry_key(&context)
                .and_then(|key| seal::seal(&key, &context, salt))
                .map_err(|_| StoreFault::Corrupt("a salt could not be sealed"))?;
        }
        if !self.commit.record(subject, &form, self.now).await? {
            self.faults.insert(index, CommitFault::FormUsed);
            return Ok(());
        }
        let position = self.next_position();
        let all: Vec<_> = form.grants.iter().map(|(grant, ..)| grant.id).collect();
        self.commit.event(&all, EventKind::Recorded, self.now, position).await?;
        self.commit.event(confirmed, EventKind::Confirmed, self.now, position).await?;
        self.take(index, entry);
        Ok(())
    }
}

/// What a sealed salt is bound to.
#[must_use]
pub fn salt_context(grant: GrantId) -> Vec<u8> {
    [b"sluis/v1/binding-salt\0".as_slice(), &grant.bytes()].concat()
}
