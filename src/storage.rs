//! Where consents and the log are kept. One contract, in this file; one implementation per database below it.
//!
//! The log's order is decided here: a [`Commit`] holds the log's head until it is done, so that what it checks (is this
//! grant still in force?) and what it writes (this was released under it) are one step.

pub mod batch;
mod connections;
pub mod copy;
pub mod database;
pub mod forgetting;
#[cfg(test)]
pub(crate) mod forwarding;
#[cfg(test)]
pub(crate) mod lab;
pub mod postgres;
mod read;
mod rows;
pub mod schema;
mod slot;
pub mod sqlite;
pub mod tables;
pub mod transactions;

use async_trait::async_trait;

pub use batch::{
    Cursor, DisclosureRow, EventRow, KeyRow, Look, Seen, Selection, SourcePauseRow, StopRow, TileRow, Writes,
};
pub use database::{Database, DatabaseAddress, OpenFault};
pub use forgetting::{EntryTerm, Terms, Traces};
pub use postgres::{PostgresUrl, UrlFault};
pub use transactions::{Attempt, TransactionName, Transactions};

use crate::{
    catalogue::Mask,
    consent::{Event, Grant, Standing},
    domain::{FormId, GrantId, Oin, PairId, Purpose, Role, SubjectId, Timestamp},
    subject::Tag,
};

/// Why the store did not do it. None of these carries data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreFault {
    /// No room. What was begun is rolled back; later commits may succeed.
    #[error("the disk or the database is full")]
    Full,
    /// Not now, after as long a wait as there is; rolled back, may succeed later.
    #[error("the database is busy")]
    Busy,
    /// Rolled back by no fault of the batch (two transactions crossed, the connection was lost before the commit): the
    /// same again may succeed at once.
    #[error("the database asks to try again: {0}")]
    Again(&'static str),
    /// The connection was lost while the commit was under way: it may be there or not. Who begins the next commit knows.
    #[error("the connection to the database was lost during a commit")]
    Lost,
    /// After this nothing on the handle is sure: the gateway stops writing until it is started again.
    #[error("the database failed: {0}")]
    Fatal(String),
    /// What is stored is not what this program stores.
    #[error("the database holds something unexpected: {0}")]
    Corrupt(&'static str),
}

/// Which part of the log a shard is: a log of its own, with a tree and a key of its own. An entry's index in the tree is
/// its position less that of the shard's first entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShardPlace {
    /// Number of the shard. Each is larger than the one before.
    pub number: u64,
    /// Position of its first entry in the whole.
    pub first: u64,
}

/// A shard that is closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its number and first position.
    pub place: ShardPlace,
    /// Its name.
    pub origin: String,
    /// Number of its entries.
    pub size: u64,
    /// Its last checkpoint, signed.
    pub checkpoint: String,
    /// The public key that it was signed with, as a C2SP verifier key. A copy for whoever reads the database: what is
    /// trusted are the keys in the gateway's own folder.
    pub key: String,
    /// When it was closed.
    pub closed: Timestamp,
}

/// Newest state of the log: of the shard that is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Name of the shard.
    pub origin: String,
    /// Its number and first position.
    pub place: ShardPlace,
    /// Number of its entries.
    pub size: u64,
    /// Time of the newest entry.
    pub time: Timestamp,
    /// Roots of the full subtrees, encoded.
    pub frontier: Vec<u8>,
    /// Signed checkpoint.
    pub checkpoint: String,
    /// Id of the commit that wrote it.
    pub batch: [u8; 16],
    /// Fingerprint of the keys that this log is written with; `None` in a log from before there was one.
    pub keys: Option<[u8; 32]>,
}

impl Head {
    /// Position of the next entry.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.place.first.saturating_add(self.size)
    }
}

/// A commitment's content and salt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Canonical JSON.
    pub json: Vec<u8>,
    /// Salt of the commitment.
    pub salt: [u8; 32],
}

/// An entry, and what stands beside its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Position in the log.
    pub position: u64,
    /// Pair it belongs to.
    pub pair: PairId,
    /// Kind.
    pub kind: &'static str,
    /// Time in the leaf.
    pub time: Timestamp,
    /// Bytes as hashed.
    pub leaf: Vec<u8>,
    /// What the leaf's `facts` commits to.
    pub facts: Opening,
    /// What the facts' `detail` commits to, for the gateway's officer alone.
    pub detail: Option<Opening>,
    /// Sealed part.
    pub sealed: Vec<u8>,
    /// SHA-256 of the key that opens it: with it anyone can check the sealed part, and nobody can open it.
    pub key_hash: [u8; 32],
    /// Whose key opens it.
    pub subject: Option<SubjectId>,
    /// Copy of the requester, to search by.
    pub requester: Option<Oin>,
    /// Copy of the purpose, to search by.
    pub purpose: Option<Purpose>,
}

/// An entry as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Position in the log.
    pub position: u64,
    /// Bytes as hashed.
    pub leaf: Vec<u8>,
    /// What the leaf's `facts` commits to; `None` once the entry's term is over.
    pub facts: Option<Opening>,
    /// What the facts' `detail` commits to.
    pub detail: Option<Opening>,
    /// Sealed part; `None` once it was erased, or its term is over.
    pub sealed: Option<SealedBytes>,
    /// Whose key opens it.
    pub subject: Option<SubjectId>,
}

impl StoredEntry {
    /// The facts; nothing, which is no JSON, once they are forgotten.
    #[must_use]
    pub fn facts_json(&self) -> &[u8] {
        self.facts.as_ref().map_or(&[], |facts| &facts.json)
    }
}

/// What leads from an entry to a person, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedBytes {
    /// As it was sealed.
    pub bytes: Vec<u8>,
    /// SHA-256 of the key that opens it: with it anyone can check the sealed part, and nobody can open it.
    pub key_hash: [u8; 32],
}

/// What to look for in the log. `None` does not restrict.
#[derive(Clone, Debug, Default)]
pub struct EntryFilter {
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Requester.
    pub requester: Option<Oin>,
    /// Purpose.
    pub purpose: Option<Purpose>,
    /// Kind: a code of the log's list, never a text as somebody typed it (P08).
    pub kind: Option<String>,
    /// Below this position; for the next page.
    pub below: Option<u64>,
    /// Not below this position; for what one shard says.
    pub since: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// A request without an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// Its pair.
    pub pair: PairId,
    /// Who asked.
    pub requester: Option<Oin>,
}

/// A client's key of one year, wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Client.
    pub subject: SubjectId,
    /// Key under the master key.
    pub wrapped: Vec<u8>,
}

/// A grant as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGrant {
    /// What decides about it, and its state.
    pub standing: Standing,
    /// What happened to it, oldest first.
    pub events: Vec<Event>,
    /// As it was signed.
    pub jws: String,
    /// The gateway's countersignature.
    pub countersignature: String,
    /// The recorder's signed reconfirmation, if the form was reconfirmed.
    pub reconfirmation: Option<String>,
    /// Salt of the binding, sealed under the client's key of `key_year`.
    pub sealed_salt: Vec<u8>,
    /// Year of that key: the year of recording.
    pub key_year: i32,
    /// That key, wrapped.
    pub wrapped_key: Vec<u8>,
}

/// A form as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredForm {
    /// Id.
    pub id: FormId,
    /// Client.
    pub subject: SubjectId,
    /// Who recorded it.
    pub recorder: Oin,
    /// When.
    pub recorded_at: Timestamp,
    /// As it was signed.
    pub jws: String,
    /// Its grants.
    pub grants: Vec<StoredGrant>,
}

/// A form to store, with its grants.
#[derive(Clone, Debug)]
pub struct NewForm {
    /// Id.
    pub id: FormId,
    /// Who recorded it.
    pub recorder: Oin,
    /// As it was signed.
    pub jws: String,
    /// Its grants.
    pub grants: Vec<NewGrant>,
}

/// A grant to store.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// The grant.
    pub grant: Grant,
    /// As it was signed.
    pub jws: String,
    /// The gateway's countersignature.
    pub countersignature: String,
    /// Salt of the binding; sealed, once the writer has had it.
    pub salt: Vec<u8>,
}

/// That something left under a grant, as read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDisclosure {
    /// Position of the outcome's entry in the log.
    pub position: u64,
    /// When.
    pub time: Timestamp,
    /// Grant.
    pub grant: GrantId,
    /// Who received it.
    pub recipient: Oin,
    /// In which role.
    pub role: Role,
    /// For which purpose.
    pub purpose: Purpose,
    /// Which fields.
    pub fields: Mask,
}

/// Which disclosures to read: newest first.
#[derive(Clone, Debug)]
pub struct DisclosureFilter {
    /// From this source; `None` for any.
    pub source: Option<Oin>,
    /// Under these grants; `None` for any.
    pub grants: Option<Vec<GrantId>>,
    /// About this client; `None` for any.
    pub client: Option<Tag>,
    /// Below this position; for the next page.
    pub below: Option<u64>,
    /// At most so many.
    pub limit: u32,
}

/// An event with the grant and form that it is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Form.
    pub form: FormId,
    /// Grant.
    pub grant: GrantId,
    /// What happened.
    pub event: Event,
}

/// A grant that ends soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiring {
    /// Form.
    pub form: FormId,
    /// Grant.
    pub grant: GrantId,
    /// Who receives.
    pub recipient: Oin,
    /// First moment at which it is no longer in force.
    pub ends: Timestamp,
    /// Whether it is over before that.
    pub over: bool,
}

/// A store. Reads see committed state only; what decides a release is read again inside a [`Commit`].
#[async_trait]
pub trait Store: Send + Sync + std::fmt::Debug {
    /// Begins a commit: waits until no other commit, of any instance, is under way, and reads what the batch is decided
    /// on. None of it changes before the commit ends.
    async fn begin(&self, look: &Look) -> Result<(Seen, Box<dyn Commit + '_>), StoreFault>;

    /// The newest head; `None` before the first commit.
    async fn head(&self) -> Result<Option<Head>, StoreFault>;

    /// Grants of a client for this recipient, role and purpose, whatever their state; none for an unknown client.
    async fn grants(
        &self,
        tag: &Tag,
        recipient: Oin,
        role: Role,
        purpose: &Purpose,
    ) -> Result<Vec<StoredGrant>, StoreFault>;

    /// A form with its grants.
    async fn form(&self, id: FormId) -> Result<Option<StoredForm>, StoreFault>;

    /// Forms of a client that this organisation recorded, newest first.
    async fn forms_of(&self, tag: &Tag, recorder: Oin) -> Result<Vec<StoredForm>, StoreFault>;

    /// A grant.
    async fn grant(&self, id: GrantId) -> Result<Option<StoredGrant>, StoreFault>;

    /// What left, newest first.
    async fn disclosures(&self, filter: &DisclosureFilter) -> Result<Vec<StoredDisclosure>, StoreFault>;

    /// Events of grants that this organisation recorded or is the source of, after this position, in the order of the log.
    /// None of a grant that it is the recipient of: a recipient is not told (P09).
    async fn events_after(&self, of: Oin, position: u64, limit: u32) -> Result<Vec<StoredEvent>, StoreFault>;

    /// Grants under which this recipient received something, each with the positions of the outcomes.
    async fn received(&self, recipient: Oin) -> Result<Vec<(Standing, Vec<u64>)>, StoreFault>;

    /// Grants that this organisation recorded and that end within a period, soonest first.
    async fn expiring(
        &self,
        recorder: Oin,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Expiring>, StoreFault>;

    /// How far an organisation has dealt with what it was told.
    async fn acknowledged(&self, organisation: Oin) -> Result<Cursor, StoreFault>;

    /// A client's key of a year.
    async fn client_key(&self, subject: SubjectId, year: i32) -> Result<Option<WrappedKey>, StoreFault>;

    /// Entries by position, from `from`, at most `limit`.
    async fn entries(&self, from: u64, limit: u32) -> Result<Vec<StoredEntry>, StoreFault>;

    /// Entries by what they say, newest first.
    async fn search(&self, filter: &EntryFilter) -> Result<Vec<StoredEntry>, StoreFault>;

    /// Finished tiles of a level of a shard by their numbers, from `from`, at most `limit`: 256 hashes each.
    async fn tiles(
        &self,
        shard: u64,
        level: u8,
        from: u64,
        limit: u32,
    ) -> Result<Vec<(u64, Vec<u8>)>, StoreFault>;

    /// The shards that are closed, oldest first.
    async fn shards(&self) -> Result<Vec<Shard>, StoreFault>;

    /// The closed shard of this position, if it is in one.
    async fn shard_of(&self, position: u64) -> Result<Option<Shard>, StoreFault>;

    /// The client of a tag, if there is one.
    async fn subject_of(&self, tag: &Tag) -> Result<Option<SubjectId>, StoreFault>;

    /// Everything that leads to a client, as it is now.
    async fn traces(&self, subject: SubjectId) -> Result<Traces, StoreFault>;

    /// Forgets some of what has a term that is over, at most about `limit` rows of each kind. 0 when nothing is left.
    async fn expire(&self, terms: &Terms, limit: u32) -> Result<u64, StoreFault>;

    /// Sees to it that what was deleted does not stand in free pages either.
    async fn scrub(&self) -> Result<(), StoreFault>;

    /// Whether that is to be done (again), because somebody was erased.
    async fn is_scrub_due(&self) -> Result<bool, StoreFault>;

    /// The `request` entry of a pair.
    async fn request_of(&self, pair: PairId) -> Result<Option<StoredEntry>, StoreFault>;

    /// Position of the next entry to send to a Logboek Dataverwerkingen.
    async fn logboek(&self) -> Result<u64, StoreFault>;

    /// The turn to send there, if no other instance has it.
    async fn logboek_turn(&self) -> Result<Option<Box<dyn LogboekTurn + '_>>, StoreFault>;

    /// Requests without an outcome that began before this time.
    async fn open_requests(&self, before: Timestamp) -> Result<Vec<OpenRequest>, StoreFault>;

    /// Whether other gateways may write to it at the same time.
    fn is_shared(&self) -> bool;

    /// Whether no other gateway had it open when it was opened here: whatever was under way then was interrupted.
    fn is_alone(&self) -> bool;

    /// What became of its transactions so far.
    fn transactions(&self) -> &Transactions;

    /// Closes its connections.
    async fn close(&self);
}

/// One commit, that holds the head. Nothing of it is seen by others before [`Commit::commit`] returns; dropping it rolls
/// back.
#[async_trait]
pub trait Commit: Send {
    /// Everything that leads to a client. Nothing of it changes before the commit ends.
    async fn traces(&mut self, subject: SubjectId) -> Result<Traces, StoreFault>;

    /// Requests without an outcome, at most so many. None is added before the commit ends.
    async fn open(&mut self, limit: u32) -> Result<Vec<PairId>, StoreFault>;

    /// Writes all of a batch and makes it durable: when this returns `Ok`, everything survives a loss of power.
    async fn commit(self: Box<Self>, writes: &Writes) -> Result<(), StoreFault>;

    /// Changes nothing, and waits until what was seen is as durable as a commit: a batch that is found after its own commit
    /// was lost may not have reached a synchronous standby yet.
    async fn confirm(self: Box<Self>) -> Result<(), StoreFault>;

    /// Rolls back, and gives the connection back in good order.
    async fn abandon(self: Box<Self>);
}

/// The turn to send the log to a Logboek Dataverwerkingen. One instance has it at a time; it ends when it is dropped, and
/// with the process, however that ends.
#[async_trait]
pub trait LogboekTurn: Send {
    /// Everything before `to` was acknowledged, and before that everything before `from`. Refused if that is not how far it
    /// was, if the turn has ended, or while the log is moved.
    async fn acknowledged(&mut self, from: u64, to: u64) -> Result<(), StoreFault>;
}
