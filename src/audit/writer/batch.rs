//! One batch: check, write and sign in one transaction that holds the log's head.

use std::{collections::HashMap, sync::Arc, time::Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use serde_json::{Value, json};

use super::{
    CommitFault, Committed, OpenLogFault, Parts, Published, Work,
    accept::{Verdict, accept},
};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        entry::{NewEntry, SubjectLink},
        leaf::{self, Leaf},
        lookup,
        seal::{self, ClientKey, EntryKey, MasterKey},
        tiles::{Layer, TileStack, encode_tile},
        tree::{Extension, Frontier, Hash, leaf_hash},
    },
    domain::{SubjectId, Timestamp, random},
    storage::{Commit, EntryRow, Head, KeyWanted, Opening, Store, StoreFault, WrappedKey},
    subject::Tag,
};

/// How far the log may be ahead of the clock before nothing is written: more is a clock that was set back.
const MAX_SKEW_MILLIS: i64 = 10_000;
/// How long a key lives that only questions have made: long enough to look into a complaint, and no longer.
const QUESTION_KEY_MILLIS: i64 = 7 * 24 * 3_600_000;
/// How often keys are looked through for expired ones.
const FORGET_EVERY_MILLIS: i64 = 3_600_000;

/// Every work is either accepted or has a fault; this stands for neither.
const LOST: CommitFault = CommitFault::Unavailable("the entry was lost");

/// The log between two batches.
#[derive(Debug)]
pub(super) struct State {
    parts: Parts,
    origin: String,
    published: Option<Published>,
    tiles: TileStack,
    forgot: Option<Timestamp>,
}

/// Keys of the clients that a batch concerns.
#[derive(Default)]
pub(super) struct Keys {
    by_tag: HashMap<Tag, (SubjectId, ClientKey)>,
    by_subject: HashMap<SubjectId, ClientKey>,
}

impl Keys {
    /// The client and his key, if the link leads to one.
    pub(super) fn of(&self, link: SubjectLink) -> Option<(SubjectId, &ClientKey)> {
        match link {
            SubjectLink::Nobody => None,
            SubjectLink::Tag { tag, .. } => self.by_tag.get(&tag).map(|(subject, key)| (*subject, key)),
            SubjectLink::Subject(subject) => self.by_subject.get(&subject).map(|key| (subject, key)),
        }
    }
}

impl State {
    /// Opens the log: what is stored must hold together and be signed by this gateway.
    pub(super) async fn open(parts: Parts, origin: String) -> Result<Self, OpenLogFault> {
        let Some(head) = parts.store.head().await? else {
            return Ok(Self { parts, origin, published: None, tiles: TileStack::default(), forgot: None });
        };
        if head.origin != origin {
            return Err(OpenLogFault::OtherOrigin(head.origin));
        }
        let trusted = std::slice::from_ref(parts.signer.verifier());
        let (checkpoint, _) = Checkpoint::open(&head.checkpoint, trusted)
            .map_err(|_| OpenLogFault::Head("its checkpoint is not one signed by this gateway's key"))?;
        let frontier =
            Frontier::decode(&head.frontier).map_err(|_| OpenLogFault::Head("its frontier does not read"))?;
        if (checkpoint.origin.as_str(), checkpoint.size, checkpoint.root)
            != (origin.as_str(), frontier.size(), frontier.root())
            || head.size != frontier.size()
        {
            return Err(OpenLogFault::Head("its checkpoint and its frontier differ"));
        }
        let tiles = resume(parts.store.as_ref(), head.size).await?;
        Ok(Self { parts, origin, published: Some(Published { head, frontier }), tiles, forgot: None })
    }

    /// Commits a batch. An error means that nothing of it is in the log; otherwise each work has its own result.
    pub(super) async fn commit(
        &mut self,
        works: Vec<Work>,
    ) -> Result<Vec<Result<Committed, CommitFault>>, StoreFault> {
        let store = Arc::clone(&self.parts.store);
        let mut commit = store.begin().await?;
        let head = commit.head().await?;
        // One gateway writes this log: a head that is not the one it wrote last is a restored or a shared database.
        if head.as_ref() != self.published.as_ref().map(|published| &published.head) {
            return Err(StoreFault::Fatal("the log is not as this gateway left it".to_owned()));
        }
        let clock = self.parts.clock.now();
        let newest = head.as_ref().map_or(clock, |head| head.time);
        if newest.millis() > clock.millis() + MAX_SKEW_MILLIS {
            tracing::error!("the clock is behind the log; nothing is written until it has caught up");
            return Err(StoreFault::Busy);
        }
        let now = clock.max(newest);
        let size = head.as_ref().map_or(0, |head| head.size);

        let due = self.forgot.is_none_or(|forgot| now.millis() >= forgot.millis() + FORGET_EVERY_MILLIS);
        if due {
            commit.forget_expired(now).await?;
        }
        let count = works.len();
        let keys = self.keys(commit.as_mut(), &works, now).await?;
        let Verdict { accepted, mut faults } = accept(commit.as_mut(), works, &keys, size, now).await?;
        if accepted.is_empty() {
            // Nothing to write; what the transaction touched rolls back.
            return Ok((0..count).map(|work| Err(faults.remove(&work).unwrap_or(LOST))).collect());
        }

        let mut rows = Vec::with_capacity(accepted.len());
        let mut entry_keys = Vec::with_capacity(accepted.len());
        for (accepted, position) in accepted.iter().zip(size..) {
            let (row, key) = row(&accepted.entry, position, now, &keys)?;
            rows.push(row);
            entry_keys.push(key);
        }
        let hashes: Vec<Hash> = rows.iter().map(|row| leaf_hash(&row.leaf)).collect();
        let mut stack = self.tiles.clone();
        let finished: Vec<_> = hashes
            .iter()
            .flat_map(|hash| stack.push(*hash))
            .filter_map(|(path, hashes)| match path.layer {
                Layer::Hashes(level) => Some((level, path.index, encode_tile(&hashes))),
                Layer::Entries => None,
            })
            .collect();
        let frontier =
            self.published.as_ref().map_or_else(Frontier::empty, |published| published.frontier.clone());
        let extension = Extension::new(&frontier, &hashes);
        let frontier = extension.frontier().clone();
        let checkpoint =
            Checkpoint { origin: self.origin.clone(), size: frontier.size(), root: frontier.root() };
        let note = checkpoint
            .sign(&self.parts.signer)
            .map_err(|_| StoreFault::Corrupt("the checkpoint could not be signed"))?;
        let head = Head {
            origin: self.origin.clone(),
            size: frontier.size(),
            time: now,
            frontier: frontier.encode(),
            checkpoint: note.clone(),
            batch: random::bytes().map_err(no_random)?,
        };
        commit.append(&rows, &finished).await?;
        commit.advance(&head).await?;
        commit.commit().await?;

        self.tiles = stack;
        if due {
            self.forgot = Some(now);
        }
        self.published = Some(Published { head, frontier });
        let (at, checkpoint) = (Instant::now(), Arc::<str>::from(note));
        let mut committed: HashMap<usize, Committed> = accepted
            .iter()
            .zip(rows)
            .zip(entry_keys)
            .map(|((accepted, row), entry_key)| {
                let hashes = extension.inclusion(row.position).unwrap_or_default();
                let done = Committed {
                    position: row.position,
                    at,
                    id_was_new: accepted.id_was_new,
                    leaf: row.leaf,
                    facts: row.facts,
                    entry_key,
                    sealed: row.sealed,
                    hashes,
                    checkpoint: Arc::clone(&checkpoint),
                };
                (accepted.work, done)
            })
            .collect();
        Ok((0..count)
            .map(|work| committed.remove(&work).ok_or_else(|| faults.remove(&work).unwrap_or(LOST)))
            .collect())
    }

    /// Finds or makes the keys of the clients concerned: the same statements for a known and an unknown client (P09).
    async fn keys(
        &self,
        commit: &mut (dyn Commit + '_),
        works: &[Work],
        now: Timestamp,
    ) -> Result<Keys, StoreFault> {
        let year = now.year();
        let master = &self.parts.keys.master;
        let mut tags: HashMap<Tag, bool> = HashMap::new();
        let mut keys = Keys::default();
        for work in works {
            match work.entry().subject {
                SubjectLink::Tag { tag, keep } => *tags.entry(tag).or_default() |= keep,
                SubjectLink::Subject(subject) if !keys.by_subject.contains_key(&subject) => {
                    let key = ClientKey::random().map_err(no_random)?;
                    let proposed = key.wrap(master, &client_key_context(year)).map_err(unsealable)?;
                    let found = commit.subject_key(subject, year, &proposed).await?;
                    let found = found.ok_or(StoreFault::Corrupt("a client without a key"))?;
                    keys.by_subject.insert(subject, unwrap(master, &found, year)?);
                }
                SubjectLink::Subject(_) | SubjectLink::Nobody => {}
            }
        }
        let mut wanted = Vec::with_capacity(tags.len());
        for (tag, keep) in &tags {
            let (subject, key) = (SubjectId::random(), ClientKey::random().map_err(no_random)?);
            wanted.push(KeyWanted {
                tag: *tag,
                year,
                proposed: WrappedKey {
                    subject,
                    wrapped: key.wrap(master, &client_key_context(year)).map_err(unsealable)?,
                },
                expires: (!keep).then(|| now.plus_millis(QUESTION_KEY_MILLIS)),
            });
        }
        for (want, found) in wanted.iter().zip(commit.client_keys(&wanted).await?) {
            let key = unwrap(master, &found, year)?;
            keys.by_tag.insert(want.tag, (found.subject, key));
        }
        Ok(keys)
    }
}

/// What a wrapped key is bound to: it opens as the key of its year only.
#[must_use]
pub fn client_key_context(year: i32) -> Vec<u8> {
    [b"sluis/v1/client-key\0".as_slice(), &year.to_be_bytes()].concat()
}

fn unwrap(master: &MasterKey, found: &WrappedKey, year: i32) -> Result<ClientKey, StoreFault> {
    ClientKey::unwrap(master, &client_key_context(year), &found.wrapped)
        .map_err(|_| StoreFault::Corrupt("a client's key does not open under the master key"))
}

fn no_random(_: random::NoRandom) -> StoreFault {
    StoreFault::Fatal("the operating system gave no random bytes".to_owned())
}

fn unsealable(_: seal::SealFault) -> StoreFault {
    StoreFault::Corrupt("something could not be sealed")
}

/// The row of an entry: commitments, sealed part, leaf.
fn row(
    entry: &NewEntry,
    position: u64,
    now: Timestamp,
    keys: &Keys,
) -> Result<(EntryRow, EntryKey), StoreFault> {
    let unwritable = |_| StoreFault::Corrupt("an entry could not be written as JSON");
    let id = leaf::entry_id(entry.pair, entry.kind);
    let mut facts = entry.facts.clone();
    let detail = match &entry.detail {
        None => None,
        Some(detail) => {
            let opening = Opening {
                json: leaf::canonical(detail).map_err(unwritable)?,
                salt: random::bytes().map_err(no_random)?,
            };
            if let Value::Object(facts) = &mut facts {
                let commitment = leaf::commit_detail(&opening.salt, &opening.json);
                facts.insert("detail".to_owned(), json!(STANDARD.encode(commitment)));
            }
            Some(opening)
        }
    };
    let facts = Opening {
        json: leaf::canonical(&facts).map_err(unwritable)?,
        salt: random::bytes().map_err(no_random)?,
    };
    let known = keys.of(entry.subject);
    let entry_key = match known {
        Some((_, key)) => key.entry_key(&id).map_err(unsealable)?,
        None => EntryKey::random().map_err(no_random)?,
    };
    let client = leaf::canonical(&entry.client).map_err(unwritable)?;
    let sealed = seal::seal(&entry_key, &id, &client).map_err(unsealable)?;
    let leaf = Leaf {
        kind: entry.kind,
        time: now,
        pair: entry.pair,
        facts: leaf::commit_facts(&facts.salt, &facts.json),
        client: leaf::commit_client(&id, &entry_key, &sealed),
    };
    let row = EntryRow {
        position,
        pair: entry.pair,
        kind: entry.kind.as_str(),
        time: now,
        leaf: leaf.encode(),
        facts,
        detail,
        sealed,
        key_hash: entry_key.hash(),
        subject: known.map(|(subject, _)| subject),
        requester: entry.requester,
        purpose: entry.purpose.clone(),
    };
    Ok((row, entry_key))
}

/// The unfinished tiles of a stored log.
async fn resume(store: &dyn Store, size: u64) -> Result<TileStack, StoreFault> {
    let (mut levels, mut complete) = (Vec::new(), size);
    for level in 0_u8.. {
        if complete == 0 {
            break;
        }
        let (finished, partial) = (complete / 256, complete % 256);
        let hashes =
            if partial == 0 { Vec::new() } else { lookup::tile(store, size, level, finished).await? };
        if hashes.len() as u64 != partial {
            return Err(StoreFault::Corrupt("the log has fewer entries than its head says"));
        }
        levels.push(hashes);
        complete = finished;
    }
    Ok(TileStack::resume(size, levels))
}
