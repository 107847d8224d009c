//! What a verification found: everything at once, for people and for programs.

mod dutch;

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use serde::{Serialize, Serializer};

use super::leaf::Kind;
use crate::domain::Timestamp;

pub use dutch::{Dutch, DutchChain};

/// More findings than this are counted, not listed.
const MAX_LISTED: usize = 10_000;

/// The result as a whole; the worst finding decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All that was there to check holds.
    Verified,
    /// Nothing is wrong, but something is not there yet: a request without an outcome.
    Incomplete,
    /// Something could not be read, so nothing can be said of it.
    Unreadable,
    /// Something was changed, removed, added or put elsewhere.
    Tampered,
}

impl Verdict {
    /// Exit status of `sluis audit verify`; 1 and 2 stay with the command line itself.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Verified => 0,
            Self::Incomplete => 3,
            Self::Tampered => 4,
            Self::Unreadable => 5,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Incomplete => "incomplete",
            Self::Unreadable => "unreadable",
            Self::Tampered => "tampered",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $verdict:ident;)*) => {
        /// What kind of finding. Listed in `docs/audit-log.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it makes of the whole.
            #[must_use]
            pub const fn verdict(self) -> Verdict {
                match self { $(Self::$name => Verdict::$verdict,)* }
            }
        }
    };
}

codes! {
    /// A file that must be there is not.
    FileMissing = "file_missing", Tampered;
    /// A file that belongs to no export of this size.
    FileSurplus = "file_surplus", Tampered;
    /// A file has not the form it must have.
    FileMalformed = "file_malformed", Tampered;
    /// The operating system did not give a file.
    FileUnreadable = "file_unreadable", Unreadable;
    /// There is no checkpoint to verify against.
    CheckpointMissing = "checkpoint_missing", Unreadable;
    /// The checkpoint is no signed note of origin, size and root.
    CheckpointMalformed = "checkpoint_malformed", Unreadable;
    /// The keys that came along are missing or not in the form of a policy.
    KeysUnreadable = "keys_unreadable", Unreadable;
    /// No key to verify with was given.
    KeysNotGiven = "keys_not_given", Unreadable;
    /// The export brings a key that is not among the trusted ones.
    KeyNotTrusted = "key_not_trusted", Tampered;
    /// A known key did not make the signature that bears its name.
    SignatureInvalid = "signature_invalid", Tampered;
    /// A signature by a key that is not known.
    SignatureUnknown = "signature_unknown", Tampered;
    /// No signature by a known key of this log.
    SignatureMissing = "signature_missing", Tampered;
    /// A cosignature bears the name of a known witness, which did not make it.
    WitnessInvalid = "witness_invalid", Tampered;
    /// Witnesses are required, and those that cosigned are not a quorum.
    WitnessMissing = "witness_missing", Incomplete;
    /// The earlier checkpoint is none, or not signed by a known key of its log.
    SinceUnreadable = "since_unreadable", Unreadable;
    /// The earlier checkpoint is of another log.
    SinceOtherLog = "since_other_log", Unreadable;
    /// The log does not begin with the log of the earlier checkpoint.
    SinceInconsistent = "since_inconsistent", Tampered;
    /// The tiles of hashes do not give the root in the checkpoint.
    RootMismatch = "root_mismatch", Tampered;
    /// The entries do not give the root in the checkpoint.
    EntriesRootMismatch = "entries_root_mismatch", Tampered;
    /// A tile above level 0 is not what the tiles below it give.
    TileMismatch = "tile_mismatch", Tampered;
    /// An entry is not the one whose hash stands at level 0.
    EntryMismatch = "entry_mismatch", Tampered;
    /// An entry is not a leaf in canonical form.
    LeafMalformed = "leaf_malformed", Tampered;
    /// An entry is of a kind that this version does not know.
    KindUnknown = "kind_unknown", Unreadable;
    /// An entry is earlier than the one ahead of it.
    TimeWentBack = "time_went_back", Tampered;
    /// Two entries have the same pair and kind.
    EntryRepeated = "entry_repeated", Tampered;
    /// A log begins with one `genesis`, and has no other.
    GenesisMisplaced = "genesis_misplaced", Tampered;
    /// An outcome stands ahead of its request.
    OutcomeBeforeRequest = "outcome_before_request", Tampered;
    /// An outcome has no request.
    OutcomeWithoutRequest = "outcome_without_request", Tampered;
    /// A request has no outcome.
    RequestWithoutOutcome = "request_without_outcome", Incomplete;
    /// What should stand beside an entry does not: its facts, its sealed part, or a word that they are left out.
    PartMissing = "part_missing", Tampered;
    /// The opened facts are not those that the leaf commits to.
    FactsMismatch = "facts_mismatch", Tampered;
    /// The opened detail is not the one that the facts commit to.
    DetailMismatch = "detail_mismatch", Tampered;
    /// The facts are not a JSON object in canonical form.
    FactsMalformed = "facts_malformed", Tampered;
    /// The sealed part is not the one that the leaf commits to.
    SealedMismatch = "sealed_mismatch", Tampered;
    /// The sealed part does not open with its own key.
    SealedClosed = "sealed_closed", Tampered;
    /// An entry is said to be erased, and no later `erasure` entry names it.
    ErasureUnnamed = "erasure_unnamed", Tampered;
    /// An entry is said to be over its term, and no later `erasure` entry says that the term of its kind is over.
    RetentionUnnamed = "retention_unnamed", Tampered;
    /// An entry is said to be erased, and the `erasure` entries that might name it are not opened.
    ErasureNotOpened = "erasure_not_opened", Incomplete;
    /// An entry follows the seal of its shard.
    EntryAfterSeal = "entry_after_seal", Tampered;
    /// A shard was sealed while a request had no outcome.
    SealedOpen = "sealed_open", Tampered;
    /// A shard does not begin where the one before it ends.
    ChainBroken = "chain_broken", Tampered;
    /// A shard is followed in order, and has no seal.
    ChainNotSealed = "chain_not_sealed", Tampered;
    /// The key of a shard is not the one that the shard before announced.
    ChainKeyNotAnnounced = "chain_key_not_announced", Tampered;
    /// What leads from a shard to the next is not opened, or cannot be read.
    ChainNotOpened = "chain_not_opened", Incomplete;
    /// A receipt has not the form of one.
    ReceiptMalformed = "receipt_malformed", Unreadable;
    /// A proof of a receipt is no tlog-proof.
    ProofMalformed = "proof_malformed", Tampered;
    /// The proof of an entry does not lead to the root in its checkpoint.
    ProofMismatch = "proof_mismatch", Tampered;
    /// The entries of a receipt are not a request and its outcome.
    ReceiptEntries = "receipt_entries", Tampered;
    /// The answer is not the one that the outcome commits to.
    AnswerMismatch = "answer_mismatch", Tampered;
    /// There is an answer that discloses, and nothing that commits to it.
    AnswerNotCommitted = "answer_not_committed", Tampered;
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Position of the entry, where it is about one.
    pub position: Option<u64>,
    /// What kind.
    pub code: Code,
    /// For people. It never holds what an entry says.
    pub detail: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = self.position {
            write!(f, "entry {position}: ")?;
        }
        write!(f, "{} ({})", Escaped(&self.detail), self.code.as_str())
    }
}

/// A text that comes from what is verified, such as the name of a file, for a terminal: with nothing in it that the terminal
/// would obey, or that could pass for another line of the report.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\'' | '"' => f.write_char(c),
            _ => write!(f, "{}", c.escape_debug()),
        })
    }
}

/// How an entry stands in an export or receipt. The last two are findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryState {
    /// Its facts are there and are those it commits to.
    Opened,
    /// Its facts are left out.
    Sealed,
    /// Its sealed part is gone; an `erasure` entry names it.
    Erased,
    /// Its facts and its sealed part are gone; an `erasure` entry says that the term of its kind is over.
    Expired,
    /// Something that should be there is not.
    Missing,
    /// Something is not what it commits to.
    Mismatch,
}

/// Entries by how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as the states")]
pub struct States {
    pub opened: u64,
    pub sealed: u64,
    pub erased: u64,
    pub expired: u64,
    pub missing: u64,
    pub mismatch: u64,
}

impl States {
    pub(crate) const fn count(&mut self, state: EntryState) {
        *self.of(state) += 1;
    }

    /// An entry turns out to stand otherwise.
    pub(crate) const fn change(&mut self, from: EntryState, to: EntryState) {
        let count = self.of(from);
        *count = count.saturating_sub(1);
        self.count(to);
    }

    const fn of(&mut self, state: EntryState) -> &mut u64 {
        match state {
            EntryState::Opened => &mut self.opened,
            EntryState::Sealed => &mut self.sealed,
            EntryState::Erased => &mut self.erased,
            EntryState::Expired => &mut self.expired,
            EntryState::Missing => &mut self.missing,
            EntryState::Mismatch => &mut self.mismatch,
        }
    }
}

/// What a receipt shows of the answer that came with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is the one that the outcome commits to.
    Matches,
    /// It is not the one, or nothing commits to it.
    Differs,
    /// It did not come along.
    NotGiven,
    /// It discloses nothing, and a receipt says nothing about that.
    NothingReleased,
}

/// That a known witness has cosigned the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cosigned {
    /// Name of its key.
    pub by: String,
    /// When, in seconds since 1970.
    pub time: u64,
}

/// Result of verifying an export or a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The whole.
    pub verdict: Verdict,
    /// Whether the keys came from elsewhere than the thing that was verified.
    pub anchored: bool,
    /// Name of the log, as the checkpoint says.
    pub origin: Option<String>,
    /// Number of entries in the log, as the checkpoint says.
    pub size: Option<u64>,
    /// Entries that were looked at.
    pub entries: u64,
    /// Those by kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Those by how they stand.
    pub states: States,
    /// Details that opened facts commit to, and that are left out.
    pub details_left_out: u64,
    /// Requests without an outcome.
    pub open_requests: u64,
    /// Of a receipt: its answer.
    pub answer: Option<Answer>,
    /// The known witnesses that cosigned the checkpoint.
    pub cosigned: Vec<Cosigned>,
    /// What is not as it should be, in the order it was met.
    pub findings: Vec<Finding>,
    /// Further findings, counted only.
    pub findings_not_listed: u64,
}

impl Report {
    pub(crate) const fn new(anchored: bool) -> Self {
        Self {
            verdict: Verdict::Verified,
            anchored,
            origin: None,
            size: None,
            entries: 0,
            kinds: BTreeMap::new(),
            states: States { opened: 0, sealed: 0, erased: 0, expired: 0, missing: 0, mismatch: 0 },
            details_left_out: 0,
            open_requests: 0,
            answer: None,
            cosigned: Vec::new(),
            findings: Vec::new(),
            findings_not_listed: 0,
        }
    }

    pub(crate) fn find(&mut self, position: Option<u64>, code: Code, detail: impl Into<String>) {
        self.verdict = self.verdict.max(code.verdict());
        if self.findings.len() < MAX_LISTED {
            self.findings.push(Finding { position, code, detail: detail.into() });
        } else {
            self.findings_not_listed += 1;
        }
    }

    pub(crate) fn count_kind(&mut self, kind: Kind) {
        *self.kinds.entry(kind.as_str()).or_default() += 1;
    }

    /// Exit status: 0 verified, 3 incomplete, 4 tampered, 5 unreadable.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.verdict.exit_code()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.verdict.word())?;
        if let (Some(origin), Some(size)) = (&self.origin, self.size) {
            let origin = Escaped(origin);
            write!(f, ": log `{origin}` at size {size}, {} entries looked at", self.entries)?;
        }
        let keys = match self.anchored {
            true => "keys as given",
            false if self.findings.iter().any(|finding| finding.code == Code::KeysNotGiven) => "no keys",
            false => "keys from the export itself, not anchored",
        };
        writeln!(f, "\n{keys}")?;
        let states = self.states;
        writeln!(
            f,
            "{} opened, {} sealed, {} erased, {} expired, {} missing, {} mismatch; {} details left out; {} requests without \
             an outcome",
            states.opened,
            states.sealed,
            states.erased,
            states.expired,
            states.missing,
            states.mismatch,
            self.details_left_out,
            self.open_requests
        )?;
        let kinds: Vec<String> = self.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        if !kinds.is_empty() {
            writeln!(f, "{}", kinds.join(", "))?;
        }
        for Cosigned { by, time } in &self.cosigned {
            let millis = i64::try_from(*time).unwrap_or(i64::MAX).saturating_mul(1000);
            writeln!(f, "cosigned by `{}` at {}", Escaped(by), Timestamp::from_millis(millis))?;
        }
        match self.answer {
            Some(Answer::Matches) => writeln!(f, "the answer is the one in the log")?,
            Some(Answer::Differs) => writeln!(f, "the answer is not the one in the log")?,
            Some(Answer::NotGiven) => writeln!(f, "the answer itself was not given")?,
            Some(Answer::NothingReleased) => writeln!(f, "the answer discloses nothing")?,
            None => {}
        }
        for finding in &self.findings {
            writeln!(f, "- {finding}")?;
        }
        if self.findings_not_listed > 0 {
            writeln!(f, "- and {} more", self.findings_not_listed)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_lists_every_code_with_its_verdict() {
        let listed: Vec<String> = include_str!("../../docs/audit-log.md")
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
            .filter_map(|(code, rest)| Some(format!("{code} {}", rest.split_once(" |")?.0)))
            .collect();
        let codes: Vec<String> = Code::ALL
            .iter()
            .map(|code| format!("{} {}", code.as_str(), code.verdict().exit_code()))
            .collect();
        assert_eq!(listed, codes);
    }

    #[test]
    fn the_worst_finding_decides_and_a_flood_is_counted() {
        let mut report = Report::new(true);
        assert_eq!(report.exit_code(), 0);
        for (code, exit) in [
            (Code::RequestWithoutOutcome, 3),
            (Code::FileUnreadable, 5),
            (Code::RootMismatch, 4),
            (Code::KindUnknown, 4),
        ] {
            report.find(None, code, "");
            assert_eq!(report.exit_code(), exit);
        }
        (0..MAX_LISTED).for_each(|_| report.find(None, Code::RootMismatch, ""));
        assert_eq!((report.findings.len(), report.findings_not_listed), (MAX_LISTED, 4));
    }
}
