//! The keys of the clients that a batch concerns: kept ones, and new ones for who has none yet. The same work and the
//! same writes for a known and an unknown client (P09).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Work;
use crate::{
    audit::{
        entry::{NewEntry, SubjectLink},
        seal::{ClientKey, MasterKey, SealFault},
    },
    domain::{PairId, SubjectId, Timestamp, random},
    storage::{KeyRow, Look, Seen, StoreFault},
    subject::Tag,
};

/// How long a key lives that only questions have made: long enough to look into a complaint, and no longer.
const QUESTION_KEY_MILLIS: i64 = 7 * 24 * 3_600_000;

/// Keys of the clients that a batch concerns.
#[derive(Default)]
pub(super) struct Keys {
    by_tag: HashMap<Tag, (SubjectId, ClientKey)>,
    by_subject: HashMap<SubjectId, ClientKey>,
    // Requests whose client was erased while they were open.
    erased: HashSet<PairId>,
}

impl Keys {
    /// The client of an entry and his key, if it is about one who is there.
    pub(super) fn of(&self, entry: &NewEntry) -> Option<(SubjectId, &ClientKey)> {
        match entry.subject {
            _ if self.erased.contains(&entry.pair) => None,
            SubjectLink::Nobody => None,
            SubjectLink::Tag { tag, .. } => self.by_tag.get(&tag).map(|(subject, key)| (*subject, key)),
            SubjectLink::Subject(subject) => self.by_subject.get(&subject).map(|key| (subject, key)),
        }
    }
}

/// Asks for the keys that these works need.
pub(super) fn wanted(works: &[Work], look: &mut Look) {
    for work in works {
        match work.entry().subject {
            SubjectLink::Nobody => {}
            SubjectLink::Tag { tag, .. } => look.tags.push(tag),
            SubjectLink::Subject(subject) => look.subjects.push(subject),
        }
    }
    look.tags.sort_unstable();
    look.tags.dedup();
    look.subjects.sort_unstable();
    look.subjects.dedup();
}

/// The keys, and a row to write for each. None for what comes of a request whose client was erased meanwhile: the log names its
/// pair as one of his, so a key of it would make him known again.
pub(super) fn keys(
    works: &[Work],
    seen: &Seen,
    master: &MasterKey,
    now: Timestamp,
) -> Result<(Keys, Vec<KeyRow>), StoreFault> {
    let mut by_tag: HashMap<Tag, Vec<&KeyRow>> = HashMap::new();
    let mut tag_of: HashMap<SubjectId, Tag> = HashMap::new();
    for row in &seen.keys {
        by_tag.entry(row.tag).or_default().push(row);
        tag_of.insert(row.subject, row.tag);
    }
    let mut clients = Clients { by_tag, tag_of, master, now, rows: BTreeMap::new() };
    let mut keys = Keys { erased: seen.erased.clone(), ..Keys::default() };
    let links: Vec<_> = works
        .iter()
        .map(Work::entry)
        .filter(|entry| !seen.erased.contains(&entry.pair))
        .map(|entry| entry.subject)
        .collect();
    let mut tags: BTreeMap<Tag, bool> = BTreeMap::new();
    for link in &links {
        if let SubjectLink::Tag { tag, keep } = *link {
            *tags.entry(tag).or_default() |= keep;
        }
    }
    for (tag, keep) in tags {
        keys.by_tag.insert(tag, clients.by_tag(tag, keep)?);
    }
    for link in links {
        if let SubjectLink::Subject(subject) = link
            && !keys.by_subject.contains_key(&subject)
        {
            // Without keys: erased since the work was made. Then it is sealed as one that concerns nobody.
            if let Some(key) = clients.by_subject(subject)? {
                keys.by_subject.insert(subject, key);
            }
        }
    }
    Ok((keys, clients.rows.into_values().collect()))
}

struct Clients<'a> {
    // What was found. A client has one tag, and a key for each year in which he was asked about.
    by_tag: HashMap<Tag, Vec<&'a KeyRow>>,
    tag_of: HashMap<SubjectId, Tag>,
    master: &'a MasterKey,
    now: Timestamp,
    rows: BTreeMap<Tag, KeyRow>,
}

impl Clients<'_> {
    fn by_tag(&mut self, tag: Tag, keep: bool) -> Result<(SubjectId, ClientKey), StoreFault> {
        let year = self.now.year();
        let known = self.by_tag.get(&tag).map(Vec::as_slice).unwrap_or_default();
        let current = known.iter().find(|row| row.year == year);
        // Made for a known client too, so that both take the same work.
        let proposed = self.propose()?;
        // A consent that was ever recorded ends the short life of the keys that questions make.
        let kept = keep || known.iter().any(|row| row.expires.is_none());
        let week = self.now.plus_millis(QUESTION_KEY_MILLIS);
        let until = current.and_then(|row| row.expires).map_or(week, |before| before.max(week));
        let row = KeyRow {
            tag,
            year,
            // A client keeps his id over the years.
            subject: known.first().map_or_else(SubjectId::random, |row| row.subject),
            wrapped: current.map_or(proposed, |row| row.wrapped.clone()),
            expires: (!kept).then_some(until),
        };
        self.take(row)
    }

    /// A client that a stored consent named when the work was made. `None` if he has no keys any more.
    fn by_subject(&mut self, subject: SubjectId) -> Result<Option<ClientKey>, StoreFault> {
        let Some(tag) = self.tag_of.get(&subject).copied() else { return Ok(None) };
        if let Some(row) = self.rows.get(&tag) {
            return self.unwrap(row).map(Some);
        }
        let year = self.now.year();
        let known = self.by_tag.get(&tag).map(Vec::as_slice).unwrap_or_default();
        let any = known.first().ok_or(StoreFault::Corrupt("a client without a key"))?;
        let wrapped = match known.iter().find(|row| row.year == year) {
            Some(current) => current.wrapped.clone(),
            None => self.propose()?,
        };
        let expires = if known.iter().any(|row| row.expires.is_none()) { None } else { any.expires };
        let row = KeyRow { tag, year, subject, wrapped, expires };
        self.take(row).map(|(_, key)| Some(key))
    }

    fn propose(&self) -> Result<Vec<u8>, StoreFault> {
        let key = ClientKey::random().map_err(no_random)?;
        key.wrap(self.master, &client_key_context(self.now.year())).map_err(unsealable)
    }

    fn take(&mut self, row: KeyRow) -> Result<(SubjectId, ClientKey), StoreFault> {
        let key = self.unwrap(&row)?;
        let subject = row.subject;
        self.rows.insert(row.tag, row);
        Ok((subject, key))
    }

    fn unwrap(&self, row: &KeyRow) -> Result<ClientKey, StoreFault> {
        ClientKey::unwrap(self.master, &client_key_context(row.year), &row.wrapped)
            .map_err(|_| StoreFault::Corrupt("a client's key does not open under the master key"))
    }
}

/// What a wrapped key is bound to: it opens as the key of its year only.
#[must_use]
pub fn client_key_context(year: i32) -> Vec<u8> {
    [b"sluis/v1/client-key\0".as_slice(), &year.to_be_bytes()].concat()
}

pub(super) fn no_random(_: random::NoRandom) -> StoreFault {
    StoreFault::Fatal("the operating system gave no random bytes".to_owned())
}

pub(super) fn unsealable(_: SealFault) -> StoreFault {
    StoreFault::Corrupt("something could not be sealed")
}
