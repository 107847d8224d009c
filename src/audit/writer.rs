//! The log's writer: takes whatever waits, and commits it as one batch (group commit). One transaction, one signature
//! and one flush serve many callers, without waiting for a batch to fill.

mod batch;
mod clients;
mod decide;
mod erase;
mod grants;
mod next;
mod published;
mod row;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::sync::{mpsc, oneshot};

use super::{entry::NewEntry, proof::TlogProof, seal::EntryKey, tree::Hash};
use crate::{
    catalogue::Mask,
    consent::Stop,
    domain::{Clock, GrantId, Oin, RefusalCode, Timestamp},
    note::NoteSigner,
    proto,
    storage::{Cursor, NewForm, Opening, Selection, Store, StoreFault},
    subject::{KeyRing, Tag},
};

pub use clients::client_key_context;
pub use decide::salt_context;
pub use next::{Next, open_next};
pub use published::check_head;

/// Most works in one batch.
const BATCH: usize = 1024;
/// Most works waiting. A full queue denies.
const QUEUE: usize = 4096;

/// Why a work was not committed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitFault {
    /// More is waiting than the queue holds.
    #[error("too much is waiting for the log")]
    Overloaded,
    /// The log cannot be written; nothing was committed.
    #[error("the log cannot be written: {0}")]
    Unavailable(&'static str),
    /// A grant of the release is no longer in force.
    #[error("a grant is no longer in force")]
    GrantNotInForce,
    /// The request has an outcome already.
    #[error("the request has an outcome already")]
    AlreadyClosed,
    /// A form or grant id was used before.
    #[error("the form was recorded before")]
    FormUsed,
    /// Nothing of the caller matches.
    #[error("nothing matches")]
    NotFound,
    /// The grant is over, and nothing can happen to it any more.
    #[error("the grant is over")]
    GrantOver,
    /// A grant is no renewal of the one that it names.
    #[error("a grant is no renewal of the one that it names")]
    NotRenewable,
    /// Consent of the client is not over yet.
    #[error("a consent of the client is not over")]
    ConsentNotOver,
    /// Something left about the client, and the term for which that has to be accounted for still runs.
    #[error("what left about the client still has to be accounted for")]
    TermRuns,
    /// What can be entered once only has been entered.
    #[error("this was entered already")]
    AlreadyDone,
    /// The log has a first entry already: another instance began it.
    #[error("the log was begun already")]
    AlreadyBegun,
    /// A shard is sealed when no request of its is open.
    #[error("requests are open")]
    RequestsOpen,
    /// The shard is sealed, or the log goes on in another one. Who starts again goes on there.
    #[error("the shard of the log is closed")]
    Closed,
}

impl From<CommitFault> for RefusalCode {
    fn from(fault: CommitFault) -> Self {
        match fault {
            CommitFault::Overloaded => Self::Overloaded,
            CommitFault::FormUsed => Self::FormIdUsed,
            CommitFault::NotFound => Self::ConsentNotFound,
            CommitFault::GrantNotInForce | CommitFault::GrantOver => Self::GrantOver,
            CommitFault::NotRenewable => Self::RenewalInvalid,
            CommitFault::ConsentNotOver => Self::ErasureConsentNotOver,
            CommitFault::TermRuns => Self::ErasureTermRuns,
            CommitFault::Unavailable(_)
            | CommitFault::AlreadyClosed
            | CommitFault::AlreadyDone
            | CommitFault::RequestsOpen
            | CommitFault::Closed
            | CommitFault::AlreadyBegun => Self::LogUnavailable,
        }
    }
}

/// Something to commit.
#[derive(Debug)]
pub enum Work {
    /// The entry that a log begins with. Refused if there is another one.
    First(NewEntry),
    /// An entry and no more.
    Append(NewEntry),
    /// An entry that is made once, whichever instance comes first. Refused if its claim was taken before.
    Once {
        /// The entry.
        entry: NewEntry,
        /// What it is the one entry of, hashed so that no request id can be taken for it.
        claim: [u8; 32],
    },
    /// A request: opens its pair, and claims its id.
    Request {
        /// The entry.
        entry: NewEntry,
        /// Keyed hash of the request id, if it was well-formed.
        claim: Option<[u8; 32]>,
    },
    /// An outcome: closes its pair, if every grant that it needs is in force at this very commit (P01, P05).
    Outcome {
        /// The entry.
        entry: NewEntry,
        /// What it releases under which grants; none for an outcome that releases nothing.
        needs: Vec<Need>,
    },
    /// A recorded form. The salts of its grants are sealed on the way in.
    Record {
        /// The entry.
        entry: NewEntry,
        /// The form. In place of each sealed salt stands the salt.
        form: NewForm,
        /// The client.
        client: Tag,
        /// Grants whose source has confirmed.
        confirmed: Vec<GrantId>,
        /// What the client says no to on it.
        stops: Vec<Stop>,
    },
    /// Something happens to grants. What stops one goes before everything else of its batch.
    Change {
        /// The entry; the grants that it changes are added to its sealed part.
        entry: NewEntry,
        /// Which grants.
        on: Selection,
        /// Who does it.
        by: Oin,
        /// What.
        change: Change,
    },
    /// A source pauses everything of its own, or lifts that again.
    PauseSource {
        /// The entry.
        entry: NewEntry,
        /// The source.
        source: Oin,
        /// Whether it pauses.
        paused: bool,
    },
    /// A client is erased: everything that leads to him is deleted, and the entry names the pairs of what was sealed under
    /// his keys (P11). It is a batch of its own, so that nothing beside it makes him known again.
    Erase {
        /// The entry; what was erased is added to its facts.
        entry: NewEntry,
        /// The client.
        client: Tag,
        /// The order, hashed: it is carried out once.
        claim: [u8; 32],
        /// What left since then still has to be accounted for.
        disclosed_since: Timestamp,
    },
    /// The last entry of a shard. Refused while a request is open; nothing can follow it.
    Seal(NewEntry),
    /// An organisation has dealt with what it was told.
    Acknowledge {
        /// The entry.
        entry: NewEntry,
        /// The organisation.
        by: Oin,
        /// How far.
        cursor: Cursor,
    },
}

/// What an outcome releases under a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The grant.
    pub grant: GrantId,
    /// What is released under it.
    pub fields: Mask,
    /// The grant that it follows, which must be in force as well.
    pub follows: Option<GrantId>,
}

/// What happens to grants. Where nothing is left to do it is done all the same; by id, nothing of the caller's is a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Its source confirms it, and what it renews ends.
    Confirm {
        /// The grant that it renews.
        renews: Option<GrantId>,
    },
    /// Its recorder says that the client has confirmed it where he was free (R13).
    Reconfirm {
        /// As it was signed.
        jws: String,
        /// The grants that those of the form renew.
        renews: Vec<GrantId>,
    },
    /// Its recorder or its source stops it for a time.
    Pause,
    /// Who paused it lifts that.
    Resume,
    /// Its recorder or source withdraws it for the client.
    Withdraw {
        /// Whoever recorded it: the client said so himself.
        everything: bool,
    },
    /// Its recorder says that it should never have been.
    Invalidate,
}

/// A committed entry, opened for whoever may have it.
#[derive(Debug)]
pub struct Committed {
    /// Position in the log.
    pub position: u64,
    /// Index in its shard.
    pub index: u64,
    /// When the commit was done, by the monotonic clock.
    pub at: Instant,
    /// Whether the claimed request id was new.
    pub id_was_new: bool,
    leaf: Vec<u8>,
    facts: Opening,
    entry_key: EntryKey,
    sealed: Vec<u8>,
    hashes: Vec<Hash>,
    checkpoint: Arc<str>,
}

impl Committed {
    /// The entry for a receipt: with its facts, and with its sealed part only if `with_client`.
    #[must_use]
    pub fn open(&self, with_client: bool) -> proto::OpenedEntry {
        proto::OpenedEntry {
            leaf: self.leaf.clone(),
            proof: TlogProof {
                extra: None,
                index: self.index,
                hashes: self.hashes.clone(),
                checkpoint: self.checkpoint.to_string(),
            }
            .to_string(),
            facts: self.facts.json.clone(),
            facts_salt: self.facts.salt.to_vec(),
            entry_key: if with_client { self.entry_key.expose().to_vec() } else { Vec::new() },
            sealed: if with_client { self.sealed.clone() } else { Vec::new() },
        }
    }
}

/// That an outcome which releases something is durable, with its grants in force at the commit. Without this value no
/// answer with content can be built (P01, P04), and only [`Writer::release`] makes it.
///
/// ```compile_fail,E0451
/// use sluis::audit::writer::{Committed, ReleaseGrant};
///
/// fn forge(committed: Committed) -> ReleaseGrant {
///     ReleaseGrant { committed }
/// }
/// ```
#[derive(Debug)]
pub struct ReleaseGrant {
    committed: Committed,
}

impl ReleaseGrant {
    /// The committed outcome.
    #[must_use]
    pub const fn committed(&self) -> &Committed {
        &self.committed
    }
}

type Reply = oneshot::Sender<Result<Committed, CommitFault>>;

impl Work {
    /// Whether it has to be a batch of its own.
    const fn is_alone(&self) -> bool {
        matches!(self, Self::Erase { .. } | Self::Seal(_))
    }
}

/// Commits a batch, and answers everybody who waits for it.
async fn serve(state: &mut batch::State, stopped: &AtomicBool, works: &[Work], replies: Vec<Reply>) {
    let results = if stopped.load(Ordering::SeqCst) {
        Err("writing has stopped")
    } else {
        state.commit(works).await.map_err(|fault| {
            let text = match fault {
                StoreFault::Full => "the disk is full",
                StoreFault::Busy | StoreFault::Again(_) => "the database is busy",
                StoreFault::Lost => "the connection to the database was lost",
                StoreFault::Fatal(_) | StoreFault::Corrupt(_) => {
                    stopped.store(true, Ordering::SeqCst);
                    "the database failed; writing has stopped until a restart"
                }
            };
            tracing::error!(fault = %fault, "the log could not be written; nothing was released");
            text
        })
    };
    // A caller that has gone away changes nothing: its entry stands.
    match results {
        Ok(results) => {
            for (reply, result) in replies.into_iter().zip(results) {
                drop(reply.send(result));
            }
        }
        Err(text) => {
            for reply in replies {
                drop(reply.send(Err(CommitFault::Unavailable(text))));
            }
        }
    }
}

/// Handle to the writer.
#[derive(Clone)]
pub struct Writer {
    queue: mpsc::Sender<(Work, Reply)>,
    stopped: Arc<AtomicBool>,
    closed: Arc<AtomicBool>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("stopped", &self.stopped).finish_non_exhaustive()
    }
}

/// What the writer works with.
#[derive(Debug)]
pub struct Parts {
    /// Where it writes.
    pub store: Arc<dyn Store>,
    /// Keys of the gateway.
    pub keys: Arc<KeyRing>,
    /// Signs checkpoints.
    pub signer: NoteSigner,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// Why the log does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenLogFault {
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The database holds a log of another name.
    #[error("the database holds the log `{0}`, not the one configured")]
    OtherOrigin(String),
    /// The keys are not those that the log is written with.
    #[error(
        "the log key is the right one, but the index key or the master key is not the one that this log is written with; \
         every instance needs the same three"
    )]
    OtherKeys,
    /// The stored head does not hold together, or is not signed by this gateway's key.
    #[error("the stored head of the log does not verify: {0}")]
    Head(&'static str),
}

impl Writer {
    /// Starts the writer on an opened log. It ends when the last handle is dropped.
    ///
    /// # Errors
    /// If the stored log does not hold together.
    pub async fn start(
        parts: Parts,
        origin: String,
    ) -> Result<(Self, tokio::task::JoinHandle<()>), OpenLogFault> {
        let mut state = batch::State::open(parts, origin).await?;
        let closed = state.closed();
        let (queue, mut waiting) = mpsc::channel::<(Work, Reply)>(QUEUE);
        let stopped = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stopped);
        let task = tokio::spawn(async move {
            let mut works = Vec::with_capacity(BATCH);
            while waiting.recv_many(&mut works, BATCH).await > 0 {
                let mut works = works.drain(..).peekable();
                while let Some((first, reply)) = works.next() {
                    let alone = first.is_alone();
                    let (mut batch, mut replies) = (vec![first], vec![reply]);
                    while let Some((work, reply)) = works.next_if(|(next, _)| !alone && !next.is_alone()) {
                        batch.push(work);
                        replies.push(reply);
                    }
                    serve(&mut state, &flag, &batch, replies).await;
                }
            }
        });
        Ok((Self { queue, stopped, closed }, task))
    }

    /// Stops writing until a restart: somebody outside knows more of this log than the database does. A batch under way
    /// is still answered; nothing begins after it.
    pub fn stop(&self, reason: &str) {
        if !self.stopped.swap(true, Ordering::SeqCst) {
            tracing::error!(reason, "the log is not written any more until a restart");
        }
    }

    /// Whether commits are accepted.
    #[must_use]
    pub fn is_writing(&self) -> bool {
        !self.stopped.load(Ordering::SeqCst) && !self.is_closed() && !self.queue.is_closed()
    }

    /// Whether the shard is sealed, or the log goes on in another one: by this instance or by another one.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Commits a work. When this returns `Ok`, its entry is durable.
    ///
    /// # Errors
    /// If it was not committed; then nothing of it is in the log.
    pub async fn commit(&self, work: Work) -> Result<Committed, CommitFault> {
        let (reply, answer) = oneshot::channel();
        self.queue.try_send((work, reply)).map_err(|fault| match fault {
            mpsc::error::TrySendError::Full(_) => CommitFault::Overloaded,
            mpsc::error::TrySendError::Closed(_) => CommitFault::Unavailable("the writer has ended"),
        })?;
        answer.await.map_err(|_| CommitFault::Unavailable("the writer has ended"))?
    }

    /// Commits an outcome that releases something under these grants.
    ///
    /// # Errors
    /// If a grant is no longer in force, the request was closed already, or the log cannot be written.
    pub async fn release(&self, entry: NewEntry, needs: Vec<Need>) -> Result<ReleaseGrant, CommitFault> {
        if needs.is_empty() {
            // A release without a grant is not a release.
            return Err(CommitFault::GrantNotInForce);
        }
        let committed = self.commit(Work::Outcome { entry, needs }).await?;
        Ok(ReleaseGrant { committed })
    }
}

#[cfg(test)]
mod tests;
