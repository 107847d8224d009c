//! The gateway's side of its witnesses: sends them each new checkpoint, keeps what they cosigned, and stops where one of
//! them knows of this log what the database does not.

mod kept;
mod round;
#[cfg(test)]
mod tests;

use std::{collections::VecDeque, path::Path, sync::Arc};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;

pub use kept::{KeptFault, cosigned};

use self::{
    kept::Kept,
    round::{Asked, ask},
};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        entry::NewEntry,
        leaf::Kind,
        writer::{CommitFault, Work, Writer},
    },
    config::Witnessing,
    domain::{Clock, Timestamp},
    note::{VerifierKey, cosignature::CosignerKey},
    storage::{Store, StoreFault},
    witness::client::{AddressFault, WitnessClient},
};

/// From so many times on that a witness could not be reached, it stands in the log, and is an error.
const MISSED: u32 = 3;

/// Why a gateway with these witnesses does not start, or does not go on.
#[derive(Debug, thiserror::Error)]
pub enum WitnessFault {
    /// Its address.
    #[error("the witness `{name}`: {cause}")]
    Address {
        /// Its name.
        name: String,
        /// What is wrong.
        cause: AddressFault,
    },
    /// The database is behind.
    #[error(
        "`{by}` knows this log with {known} entries, and the database has {stored}: it was set back, or is another one. A log that \
         was seen outside may not be written again from an earlier point; restore the newest database or, if it is lost, begin the \
         next shard as docs/keys.md says (A restored database: `sluis log anew --reason restored --last CHECKPOINT`)"
    )]
    SetBack {
        /// Who knows.
        by: String,
        /// Entries that it knows of.
        known: u64,
        /// Entries that are stored.
        stored: u64,
    },
    /// Two histories.
    #[error(
        "`{by}` knows another history of this log at {known} entries than the database holds (split view): one of the two \
         databases that were written with this log's key is not the log"
    )]
    SplitView {
        /// Who knows.
        by: String,
        /// Size at which they differ.
        known: u64,
    },
    /// The cosigned checkpoint that was kept.
    #[error(transparent)]
    Kept(#[from] KeptFault),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// One witness, and how it has answered.
#[derive(Debug)]
struct Witness {
    key: CosignerKey,
    client: WitnessClient,
    missed: u32,
    /// The first time that it was missed since it last answered, and whether the log says so, or is about to.
    since: Option<Timestamp>,
    told: bool,
}

/// The witnesses of a gateway.
#[derive(Debug)]
pub(super) struct Witnesses {
    log_key: VerifierKey,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    how: Witnessing,
    kept: Kept,
    witnesses: Vec<Witness>,
    due: Due,
}

/// Facts of the entries that are not in the log yet, oldest first. What could not be entered stays here, so that a witness
/// that is missed while the log cannot be written stands in it all the same.
#[derive(Debug, Default)]
struct Due(VecDeque<Value>);

impl Witnesses {
    pub(super) fn new(
        how: Witnessing,
        data_dir: &Path,
        log_key: VerifierKey,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, WitnessFault> {
        let mut witnesses = Vec::new();
        for address in &how.witnesses {
            let fault = |cause| WitnessFault::Address { name: address.key.name().to_owned(), cause };
            let client = WitnessClient::new(&address.url, &address.roots).map_err(fault)?;
            let key = address.key.clone();
            witnesses.push(Witness { key, client, missed: 0, since: None, told: false });
        }
        let kept = Kept::at(data_dir);
        Ok(Self { log_key, store, clock, how, kept, witnesses, due: Due::default() })
    }

    /// Looks what is known outside of this log, before anything is written to it.
    ///
    /// # Errors
    /// If it is more than the database holds, or something else.
    pub(super) async fn before_writing(&mut self) -> Result<(), WitnessFault> {
        if self.witnesses.is_empty() {
            return Ok(());
        }
        // What was kept stands outside the database, so it is not set back with it.
        if let Some(kept) = self.kept.read(&self.log_key)? {
            round::compare(self.store.as_ref(), "the cosigned checkpoint in the data folder", &kept).await?;
        }
        self.round().await
    }

    /// Asks every witness once, and keeps what they cosigned.
    async fn round(&mut self) -> Result<(), WitnessFault> {
        let head = self.store.head().await?;
        if head.as_ref().is_some_and(|head| head.origin != self.log_key.name()) {
            // Sizes of another log would look like one that was set back.
            tracing::error!("the log goes on under another name; its witnesses are asked after a restart");
            return Ok(());
        }
        let (store, log_key) = (self.store.as_ref(), &self.log_key);
        let asking = self.witnesses.iter().map(|witness| {
            let head = head.as_ref();
            async move { ask(&witness.client, &witness.key, log_key, store, head).await }
        });
        let answers = join_all(asking).await;
        let lines = self.due.hear(&mut self.witnesses, answers, self.clock.now())?;
        if let Some(head) = head
            && !lines.is_empty()
            && lines.len() >= self.how.quorum
        {
            let note = format!("{}{}", head.checkpoint, lines.concat());
            if let Err(fault) = self.kept.write(&note) {
                tracing::error!(%fault, "the cosigned checkpoint could not be kept");
            }
        }
        Ok(())
    }

    /// Asks the witnesses again and again, until told to stop or until one of them knows better.
    pub(super) async fn run(mut self, log: Writer, mut stopped: watch::Receiver<bool>) {
        if self.witnesses.is_empty() {
            return;
        }
        let mut tick = tokio::time::interval(self.how.every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            let done = tokio::select! {
                done = self.round() => done,
                _ = stopped.wait_for(|stop| *stop) => return,
            };
            match done {
                Ok(()) => {}
                // A database that is away for a while has told nothing about the log.
                Err(WitnessFault::Store(fault)) => tracing::warn!(%fault, "witnesses could not be asked"),
                Err(fault) => {
                    log.stop(&fault.to_string());
                    return;
                }
            }
            if self.due.enter(&log).await.is_err() {
                tracing::error!(
                    "that a witness is missed could not be written to the log; it is tried again"
                );
            }
        }
    }
}

impl Due {
    /// Takes what every witness answered, and gives the lines of those that cosigned. All of them are heard before anything
    /// that one of them found is given back.
    fn hear(
        &mut self,
        witnesses: &mut [Witness],
        answers: Vec<Asked>,
        now: Timestamp,
    ) -> Result<Vec<String>, WitnessFault> {
        let (mut lines, mut refuted) = (Vec::new(), None);
        for (witness, answer) in witnesses.iter_mut().zip(answers) {
            match answer {
                Asked::Cosigned(line) => {
                    lines.push(line);
                    self.0.extend(witness.answered());
                }
                Asked::Nothing => self.0.extend(witness.answered()),
                Asked::Missed(why) => self.0.extend(witness.missed(now, &why)),
                // What a witness knows of the log comes before a database that was away for another one.
                Asked::Refuted(fault) => match &refuted {
                    None | Some(WitnessFault::Store(_)) => refuted = Some(fault),
                    Some(_) => {}
                },
            }
        }
        refuted.map_or(Ok(lines), Err)
    }

    async fn enter(&mut self, log: &Writer) -> Result<(), CommitFault> {
        while let Some(facts) = self.0.front() {
            // Under another pair each time: one that was lost on the way may be in the log after all.
            log.commit(Work::Append(NewEntry::of_gateway(Kind::Witness, facts.clone()))).await?;
            self.0.pop_front();
        }
        Ok(())
    }
}

impl Witness {
    fn facts(&self, event: &str, since: Timestamp) -> Value {
        json!({ "event": event, "name": self.key.name(), "since": since.to_string() })
    }

    fn answered(&mut self) -> Option<Value> {
        self.missed = 0;
        let since = self.since.take()?;
        tracing::info!(name = self.key.name(), %since, "the witness answers again");
        std::mem::take(&mut self.told).then(|| self.facts("again", since))
    }

    fn missed(&mut self, now: Timestamp, why: &str) -> Option<Value> {
        let since = *self.since.get_or_insert(now);
        self.missed = self.missed.saturating_add(1);
        let name = self.key.name();
        if self.missed < MISSED {
            tracing::warn!(name, why, "a witness did not cosign");
            return None;
        }
        tracing::error!(name, %since, why, "a witness does not cosign; what it would show stays unseen");
        (!std::mem::replace(&mut self.told, true)).then(|| self.facts("missed", since))
    }
}

/// The checkpoint that a note of this log holds.
fn opened(note: &str, log_key: &VerifierKey) -> Option<Checkpoint> {
    Checkpoint::open(note, std::slice::from_ref(log_key)).ok().map(|(checkpoint, _)| checkpoint)
}
