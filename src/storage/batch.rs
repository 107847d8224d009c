//! One batch of the log, as the writer and a store speak of it: what it looks at, what is there, what it writes. What
//! follows from what is decided in `audit::writer`, in memory and the same for every store.

use std::collections::{HashMap, HashSet};

use super::{EntryRow, Head, NewForm, OpenRequest};
use crate::{
    consent::{EventKind, Grant, GrantState},
    domain::{FormId, GrantId, Oin, PairId, SubjectId, Timestamp},
    subject::Tag,
};

/// Which grants to withdraw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Withdrawal {
    /// One.
    Grant(GrantId),
    /// All of a form.
    Form(FormId),
    /// All of a client.
    Client(Tag),
}

/// What a batch has to know before it decides.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// Before anything else, deletes the keys that only questions had made and whose time is over at this moment. What they
    /// sealed opens no more.
    pub forget: Option<Timestamp>,
    /// Entries from this position on: those that other instances have appended meanwhile.
    pub after: u64,
    /// At most so many of them.
    pub limit: u32,
    /// Keys of these clients, of every year.
    pub tags: Vec<Tag>,
    /// Keys of these clients too.
    pub subjects: Vec<SubjectId>,
    /// Which of these request ids were used.
    pub claims: Vec<[u8; 32]>,
    /// Which of these requests are open.
    pub pairs: Vec<PairId>,
    /// State of these grants.
    pub grants: Vec<GrantId>,
    /// Which of these form ids were used.
    pub new_forms: Vec<FormId>,
    /// Which of these grant ids were used.
    pub new_grants: Vec<GrantId>,
    /// Grants that match, and that this organisation recorded or is the source of.
    pub withdrawals: Vec<(Withdrawal, Oin)>,
}

/// A key of a client as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// Look-up tag.
    pub tag: Tag,
    /// Year.
    pub year: i32,
    /// Client. The same in every year.
    pub subject: SubjectId,
    /// Key under the master key.
    pub wrapped: Vec<u8>,
    /// When it expires; `None` once a consent was recorded.
    pub expires: Option<Timestamp>,
}

/// A grant that a withdrawal matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawable {
    /// Grant.
    pub grant: GrantId,
    /// Whether it was withdrawn before.
    pub withdrawn: bool,
}

/// What a batch finds. Nothing of it changes until the commit ends.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The head; `None` before the first commit.
    pub head: Option<Head>,
    /// Leaves from [`Look::after`] on, in their order.
    pub leaves: Vec<Vec<u8>>,
    /// Keys of the clients asked for.
    pub keys: Vec<KeyRow>,
    /// Request ids that were used.
    pub claimed: HashSet<[u8; 32]>,
    /// Requests that are open.
    pub open: HashSet<PairId>,
    /// State of the grants asked for; unknown ones are absent.
    pub states: HashMap<GrantId, GrantState>,
    /// Form ids that were used.
    pub used_forms: HashSet<FormId>,
    /// Grant ids that were used.
    pub used_grants: HashSet<GrantId>,
    /// For each withdrawal, in order, what it matches.
    pub withdrawable: Vec<Vec<Withdrawable>>,
}

/// An event of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Grant.
    pub grant: GrantId,
    /// What happened. The first of its kind stands; later ones are not stored.
    pub kind: EventKind,
    /// Position of its entry in the log.
    pub position: u64,
}

/// A finished tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileRow {
    /// Level of tiles.
    pub level: u8,
    /// Number within its level.
    pub number: u64,
    /// 256 hashes.
    pub hashes: Vec<u8>,
}

/// What a batch writes.
#[derive(Clone, Debug)]
pub struct Writes {
    /// Time of the batch.
    pub time: Timestamp,
    /// Keys: new ones, and kept ones with the expiry that they have from now on. One row for every client that the batch
    /// concerns, known before or not (P09).
    pub keys: Vec<KeyRow>,
    /// Request ids that are used from now on.
    pub claims: Vec<[u8; 32]>,
    /// Requests that are open from now on.
    pub opened: Vec<OpenRequest>,
    /// Requests that are no longer open.
    pub closed: Vec<PairId>,
    /// Forms with their grants.
    pub forms: Vec<(SubjectId, NewForm)>,
    /// Events.
    pub events: Vec<EventRow>,
    /// Entries, in the order of the log.
    pub entries: Vec<EntryRow>,
    /// Finished tiles.
    pub tiles: Vec<TileRow>,
    /// The new head.
    pub head: Head,
}

/// A grant of a form that a batch writes.
pub(super) struct NewGrant<'a> {
    pub(super) subject: SubjectId,
    pub(super) form: &'a NewForm,
    pub(super) grant: &'a Grant,
    pub(super) jws: &'a str,
    pub(super) sealed_salt: &'a [u8],
}

impl Writes {
    /// The grants of all forms.
    pub(super) fn new_grants(&self) -> impl Iterator<Item = NewGrant<'_>> {
        self.forms.iter().flat_map(|(subject, form)| {
            form.grants.iter().map(|(grant, jws, sealed_salt)| NewGrant {
                subject: *subject,
                form,
                grant,
                jws,
                sealed_salt,
            })
        })
    }
}
