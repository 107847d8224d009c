//! One batch of the log, as the writer and a store speak of it: what it looks at, what is there, what it writes. What
//! follows from what is decided in `audit::writer`, in memory and the same for every store.

use std::collections::{HashMap, HashSet};

use super::{EntryRow, Head, NewForm, NewGrant, OpenRequest, Shard};
use crate::{
    catalogue::Mask,
    consent::{Event, Standing, Stop},
    domain::{FormId, GrantId, Oin, PairId, SubjectId, Timestamp},
    subject::Tag,
};

/// Which grants an act is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
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
    /// Before anything else, deletes the keys that only questions had made and whose time is over at this moment, and those of
    /// clients who were erased. What they sealed opens no more.
    pub forget: Option<Timestamp>,
    /// Entries from this position on: those that other instances have appended meanwhile.
    pub after: u64,
    /// At most so many of them.
    pub limit: u32,
    /// Keys of these clients, of every year.
    pub tags: Vec<Tag>,
    /// Keys of these clients too.
    pub subjects: Vec<SubjectId>,
    /// Which of these request ids were used, or things claimed.
    pub claims: Vec<[u8; 32]>,
    /// Which of these requests are open.
    pub pairs: Vec<PairId>,
    /// These grants.
    pub grants: Vec<GrantId>,
    /// The grants of these forms.
    pub forms: Vec<FormId>,
    /// The grants of these clients, and what they said no to.
    pub clients: Vec<Tag>,
    /// Which of these form ids were used.
    pub new_forms: Vec<FormId>,
    /// Which of these grant ids were used.
    pub new_grants: Vec<GrantId>,
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

/// What a batch finds. Nothing of it changes until the commit ends.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// The head; `None` before the first commit.
    pub head: Option<Head>,
    /// Leaves from [`Look::after`] on, in their order.
    pub leaves: Vec<Vec<u8>>,
    /// Keys of the clients asked for.
    pub keys: Vec<KeyRow>,
    /// Request ids that were used, and what was claimed.
    pub claimed: HashSet<[u8; 32]>,
    /// Requests that are open.
    pub open: HashSet<PairId>,
    /// Those of them whose client was erased meanwhile.
    pub erased: HashSet<PairId>,
    /// The grants asked for; unknown ones are absent.
    pub grants: HashMap<GrantId, Standing>,
    /// What the clients asked for said no to.
    pub stops: Vec<(SubjectId, Stop)>,
    /// Form ids that were used.
    pub used_forms: HashSet<FormId>,
    /// Grant ids that were used.
    pub used_grants: HashSet<GrantId>,
}

/// An event of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Grant.
    pub grant: GrantId,
    /// What happened, when, and the position of its entry in the log.
    pub event: Event,
}

/// What a client said no to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopRow {
    /// Client.
    pub subject: SubjectId,
    /// Position of its entry in the log.
    pub position: u64,
    /// What.
    pub stop: Stop,
}

/// A source that pauses everything of its own, or lifts that again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourcePauseRow {
    /// Source.
    pub source: Oin,
    /// Whether it pauses.
    pub paused: bool,
    /// Position of its entry in the log.
    pub position: u64,
}

/// That something left under a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DisclosureRow {
    /// Grant.
    pub grant: GrantId,
    /// Position of the outcome's entry in the log.
    pub position: u64,
    /// Who disclosed.
    pub source: Oin,
    /// Who received.
    pub recipient: Oin,
    /// Which fields.
    pub fields: Mask,
    /// Whether it counts as a use.
    pub counted: bool,
}

/// How far an organisation has dealt with what it was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Events of its own grants: up to this position in the log.
    pub position: u64,
    /// What ended of what it was given: up to this day, in days since 1970.
    pub day: i64,
}

/// A finished tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TileRow {
    /// Number of its shard.
    pub shard: u64,
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
    /// What is claimed for as long as there is a log.
    pub once: Vec<[u8; 32]>,
    /// Clients of whom everything that leads to them is deleted.
    pub erased: Vec<SubjectId>,
    /// Requests that are open from now on.
    pub opened: Vec<OpenRequest>,
    /// Requests that are no longer open.
    pub closed: Vec<PairId>,
    /// Forms with their grants.
    pub forms: Vec<(SubjectId, NewForm)>,
    /// Events.
    pub events: Vec<EventRow>,
    /// What clients said no to.
    pub stops: Vec<StopRow>,
    /// Sources that pause or go on.
    pub source_pauses: Vec<SourcePauseRow>,
    /// What left.
    pub disclosures: Vec<DisclosureRow>,
    /// Forms that were reconfirmed, with the signed text.
    pub reconfirmed: Vec<(FormId, String)>,
    /// How far organisations are.
    pub acknowledged: Vec<(Oin, Cursor)>,
    /// Entries, in the order of the log.
    pub entries: Vec<EntryRow>,
    /// Finished tiles.
    pub tiles: Vec<TileRow>,
    /// The shard that this batch closes, with the new head that of the next one.
    pub closes: Option<Shard>,
    /// The new head.
    pub head: Head,
}

/// A grant of a form that a batch writes.
pub(super) struct NewRow<'a> {
    pub(super) subject: SubjectId,
    pub(super) form: &'a NewForm,
    pub(super) new: &'a NewGrant,
}

impl Writes {
    /// Nothing but a head, at its time.
    #[must_use]
    pub const fn only(head: Head) -> Self {
        Self {
            time: head.time,
            keys: Vec::new(),
            claims: Vec::new(),
            once: Vec::new(),
            erased: Vec::new(),
            opened: Vec::new(),
            closed: Vec::new(),
            forms: Vec::new(),
            events: Vec::new(),
            stops: Vec::new(),
            source_pauses: Vec::new(),
            disclosures: Vec::new(),
            reconfirmed: Vec::new(),
            acknowledged: Vec::new(),
            entries: Vec::new(),
            tiles: Vec::new(),
            closes: None,
            head,
        }
    }

    /// The grants of all forms.
    pub(super) fn new_grants(&self) -> impl Iterator<Item = NewRow<'_>> {
        self.forms
            .iter()
            .flat_map(|(subject, form)| form.grants.iter().map(|new| NewRow { subject: *subject, form, new }))
    }
}
