//! Erasing a client (wissen, AVG 17): decided with the log's head in the hands, so that nothing is added meanwhile.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::{CommitFault, decide::Pass};
use crate::{audit::entry::NewEntry, domain::Timestamp};

impl<'a> Pass<'a, '_> {
    /// Accepts it if its order was not carried out before, every consent of the client is over, and no term runs. The entry then
    /// names everything whose sealed part goes, so that a verifier knows a gap from a theft.
    pub(super) fn erase(
        &mut self,
        work: usize,
        entry: &'a NewEntry,
        claim: [u8; 32],
        disclosed_since: Timestamp,
    ) {
        if self.seen.claimed.contains(&claim) {
            return self.refuse(work, CommitFault::AlreadyDone);
        }
        let Some((subject, traces)) = self.found.take() else {
            return self.refuse(work, CommitFault::NotFound);
        };
        if !traces.grants.iter().all(|standing| standing.state.is_over(self.now)) {
            return self.refuse(work, CommitFault::ConsentNotOver);
        }
        if traces.last_disclosure.is_some_and(|last| last >= disclosed_since) {
            return self.refuse(work, CommitFault::TermRuns);
        }
        // A form that is sent once more must not bring back a consent that is over.
        self.verdict.once.push(claim);
        self.verdict.once.extend(traces.forms.iter().map(|form| self.index.form_key(*form)));
        let mut entry = entry.clone();
        if let Value::Object(facts) = &mut entry.facts {
            facts.insert("entries".to_owned(), json!(traces.entries));
            facts.insert("pairs".to_owned(), json!(traces.pairs));
        }
        self.verdict.erased.push(subject);
        self.take(work, Cow::Owned(entry));
    }
}
