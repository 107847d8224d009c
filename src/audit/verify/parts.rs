//! What stands beside the tree: opened facts and sealed parts, against the commitments in the leaves.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use serde_json::{Map, Value};

use super::{files, later::Later};
use crate::{
    audit::{
        b64,
        export::{
            SealedPart,
            lines::{self, Line, Opened, OpenedLine, OpenedPart, SealedLine},
        },
        leaf::{Kind, Leaf, commit_client_hashed, commit_detail, commit_facts, parse_facts},
        report::{Code, EntryState, Report},
        retention,
    },
    domain::{PairId, Timestamp},
};

/// Lines of one bundle, by position. An entry without a line has none here.
type Lines<T> = BTreeMap<u64, T>;

/// The parts of one bundle.
pub struct Bundle {
    opened: Lines<OpenedPart>,
    /// `None` if this export has no sealed parts.
    sealed: Option<Lines<Option<SealedPart>>>,
}

/// The pairs that an erasure names.
pub fn pairs(facts: &Map<String, Value>) -> impl Iterator<Item = PairId> {
    let pairs = facts.get("pairs").and_then(Value::as_array).into_iter().flatten();
    pairs.filter_map(|pair| pair.as_str()?.parse::<PairId>().ok())
}

/// The times that an erasure names, made at this time.
pub fn over(facts: &Map<String, Value>, made: Timestamp, known: &mut BTreeMap<Kind, Timestamp>) {
    for (kind, before) in retention::over(facts) {
        // What comes after this entry is not over by it: then an entry would be over before it was made.
        let before = before.min(made);
        let over = known.entry(kind).or_insert(before);
        *over = (*over).max(before);
    }
}

/// The parts of all bundles so far.
pub struct Parts<'a> {
    dir: &'a Path,
    with_sealed: bool,
    /// Entries said to be erased that no erasure has named yet, by pair.
    erased: HashMap<PairId, Vec<u64>>,
    /// Of each kind the last entry said to be over its term: when and where.
    expired: BTreeMap<Kind, (Timestamp, u64)>,
    /// Of each kind the latest time before which its entries were emptied, as erasures say.
    over: BTreeMap<Kind, Timestamp>,
    /// Erasures whose facts are left out, and entries that may be one.
    erasures_not_opened: u64,
    /// Whether the last entry is a seal: then what was forgotten later is named in later shards.
    sealed: bool,
    later: &'a Later<'a>,
}

impl<'a> Parts<'a> {
    pub fn new(dir: &'a Path, later: &'a Later<'a>) -> Self {
        // A folder of sealed parts, once there, has a file for every bundle.
        let with_sealed = dir.join("sealed").exists();
        Self {
            dir,
            with_sealed,
            erased: HashMap::new(),
            expired: BTreeMap::new(),
            over: BTreeMap::new(),
            erasures_not_opened: 0,
            sealed: false,
            later,
        }
    }

    /// Reads the parts of a bundle that starts at `start`.
    pub fn read(&self, bundle: u64, start: u64, width: u64, report: &mut Report) -> Bundle {
        let opened = read_lines::<OpenedLine>(self.dir, "opened", bundle, start, width, report);
        let sealed = self
            .with_sealed
            .then(|| read_lines::<SealedLine>(self.dir, "sealed", bundle, start, width, report));
        Bundle { opened, sealed }
    }

    /// Compares the parts of one entry with its leaf.
    pub fn check(&mut self, bundle: &Bundle, position: u64, leaf: &Leaf, report: &mut Report) -> EntryState {
        self.sealed = leaf.kind == Kind::Seal;
        let facts = match bundle.opened.get(&position) {
            None => missing(position, "facts", report),
            Some(OpenedPart::LeftOut) => {
                self.erasures_not_opened += u64::from(leaf.kind == Kind::Erasure);
                EntryState::Sealed
            }
            Some(OpenedPart::Expired) => self.expired(position, leaf),
            Some(OpenedPart::Opened(opened)) => self.check_facts(position, leaf, opened, report),
        };
        let sealed = match bundle.sealed.as_ref().map(|sealed| sealed.get(&position)) {
            None | Some(Some(None)) => EntryState::Sealed,
            Some(None) => missing(position, "sealed part", report),
            Some(Some(Some(SealedPart::Erased))) => {
                self.erased.entry(leaf.pair).or_default().push(position);
                EntryState::Erased
            }
            Some(Some(Some(SealedPart::Expired))) => self.expired(position, leaf),
            Some(Some(Some(SealedPart::Present { key_hash, bytes }))) => {
                if commit_client_hashed(&leaf.id(), key_hash, bytes) == leaf.client {
                    EntryState::Sealed
                } else {
                    let detail = "the sealed part is not the one that the leaf commits to";
                    report.find(Some(position), Code::SealedMismatch, detail);
                    EntryState::Mismatch
                }
            }
        };
        let either = |state| facts == state || sealed == state;
        [
            EntryState::Mismatch,
            EntryState::Missing,
            EntryState::Expired,
            EntryState::Erased,
            EntryState::Opened,
        ]
        .into_iter()
        .find(|state| either(*state))
        .unwrap_or(EntryState::Sealed)
    }

    fn expired(&mut self, position: u64, leaf: &Leaf) -> EntryState {
        let last = self.expired.entry(leaf.kind).or_insert((leaf.time, position));
        *last = (*last).max((leaf.time, position));
        EntryState::Expired
    }

    fn check_facts(
        &mut self,
        position: u64,
        leaf: &Leaf,
        opened: &Opened,
        report: &mut Report,
    ) -> EntryState {
        let (salt, facts) = &opened.facts;
        if commit_facts(salt, facts.as_bytes()) != leaf.facts {
            let detail = "the facts are not those that the leaf commits to";
            report.find(Some(position), Code::FactsMismatch, detail);
            return EntryState::Mismatch;
        }
        let parsed = parse_facts(facts.as_bytes());
        let commits = parsed.as_ref().is_some_and(|facts| facts.contains_key("detail"));
        report.details_left_out += u64::from(commits && opened.detail.is_none());
        if let Some((salt, detail)) = &opened.detail {
            let commitment = b64::encode(&commit_detail(salt, detail.as_bytes()));
            let named = parsed.as_ref().and_then(|facts| facts.get("detail")?.as_str());
            if named != Some(commitment.as_str()) {
                let detail = "the detail is not the one that the facts commit to";
                report.find(Some(position), Code::DetailMismatch, detail);
                return EntryState::Mismatch;
            }
        }
        match parsed {
            Some(facts) if leaf.kind == Kind::Erasure => {
                for pair in pairs(&facts) {
                    self.erased.remove(&pair);
                }
                over(&facts, leaf.time, &mut self.over);
            }
            Some(_) => {}
            None => {
                let detail = "the facts are not a JSON object in canonical form";
                report.find(Some(position), Code::FactsMalformed, detail);
            }
        }
        EntryState::Opened
    }

    /// An entry cannot be read. It may be an erasure.
    pub const fn gap(&mut self) {
        self.erasures_not_opened += 1;
    }

    /// What is left when the log ends.
    pub fn end(self, report: &mut Report) {
        let later = self.later;
        let erased = self.erased.into_iter().filter(|(pair, _)| !later.names(pair));
        let mut unnamed: Vec<u64> = erased.flat_map(|(_, positions)| positions).collect();
        unnamed.sort_unstable();
        // Only of a shard that is closed can something be named in another one.
        let is_closed = self.sealed || later.is_followed;
        let may_be_named = self.erasures_not_opened > 0 || (is_closed && later.may_be_more);
        for (kind, (time, position)) in self.expired {
            if self.over.get(&kind).is_some_and(|before| time < *before) || later.is_over(kind, time) {
                continue;
            }
            // Of a kind that has no term nothing can say it.
            if may_be_named && retention::has_term(kind) {
                let detail = "said to be over its term; the erasures that may say so are not opened, or in later shards";
                report.find(Some(position), Code::ErasureNotOpened, detail);
            } else {
                report.states.change(EntryState::Expired, EntryState::Missing);
                let detail =
                    "said to be over its term, and no erasure says that the term of its kind is over";
                report.find(Some(position), Code::RetentionUnnamed, detail);
            }
        }
        for position in unnamed {
            if may_be_named {
                let detail =
                    "said to be erased; the erasures that may name it are not opened, or in later shards";
                report.find(Some(position), Code::ErasureNotOpened, detail);
            } else {
                report.states.change(EntryState::Erased, EntryState::Missing);
                let detail = "said to be erased, and no later erasure names it";
                report.find(Some(position), Code::ErasureUnnamed, detail);
            }
        }
    }
}

fn missing(position: u64, what: &str, report: &mut Report) -> EntryState {
    report.find(Some(position), Code::PartMissing, format!("the line with its {what} is missing"));
    EntryState::Missing
}

fn read_lines<L: Line>(
    dir: &Path,
    folder: &str,
    bundle: u64,
    start: u64,
    width: u64,
    report: &mut Report,
) -> Lines<L::Part> {
    let name = lines::path(folder, bundle);
    let mut lines = Lines::new();
    let Some(bytes) = files::read(dir, &name, files::MAX_LINES_BYTES, report) else { return lines };
    let mut malformed = |line: u64, why: &str| {
        report.find(None, Code::FileMalformed, format!("line {line} of `{name}` {why}"));
    };
    let mut last = None;
    for (line, number) in bytes.split_inclusive(|byte| *byte == b'\n').zip(1..) {
        let text = line.strip_suffix(b"\n").and_then(|line| std::str::from_utf8(line).ok());
        match text.and_then(L::decode) {
            None => malformed(number, "is not in the form of such a line"),
            Some((index, _)) if !(start..start + width).contains(&index) => {
                malformed(number, "is of an entry that does not belong here");
            }
            Some((index, _)) if last.is_some_and(|last| index <= last) => {
                malformed(number, "is out of order");
            }
            Some((index, part)) => {
                last = Some(index);
                lines.insert(index, part);
            }
        }
    }
    lines
}
