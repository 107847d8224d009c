//! One shard of the log after the other (docs/keys.md). A shard ends and the next begins when a gateway starts, and never
//! else, so that whatever runs sees one shard: what is open is closed, the next key is announced, `seal` is entered, and then,
//! in one transaction, the first entries of the next shard. Whoever starts after a crash in between goes on from there.

mod anew;
mod carry;
mod ended;
mod news;

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::{Value, json};

pub use anew::{Anew, Begun, anew};
pub use news::{NextKey, make_next, order_rotation};

use self::news::News;
use super::{StartFault, upkeep};
use crate::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        shard::{self, Reason},
        writer::{self, CommitFault, Next, OpenLogFault, Parts, Work, Writer},
    },
    config::Settings,
    domain::{Clock, Timestamp},
    note::{NoteSigner, VerifierKey},
    storage::{Head, ShardPlace, Store, StoreFault},
    subject::KeyRing,
};

#[cfg(test)]
mod tests;

/// How long a shard may take until no request of its is open.
const DRAIN: Duration = Duration::from_secs(30);
/// How often that is tried.
const DRAIN_EVERY: Duration = Duration::from_millis(50);
/// How long another instance may take between the seal and the next shard.
const HANDED_OVER: Duration = Duration::from_secs(10);
/// How often a start looks again. Each time something has become of the log.
const ROUNDS: usize = 6;

/// Why the log does not go on in its next shard, or in this one. Each says what to do (docs/keys.md).
#[derive(Debug, thiserror::Error)]
pub enum ShardFault {
    /// The database is older than the keys.
    #[error(
        "the keys of this gateway have signed the shard `{known}`, and the database does not know it: it was put back from \
         an older copy, and must not be signed again. Put a newer copy back, or begin anew with `sluis log anew --reason \
         restored`"
    )]
    Older {
        /// The newest shard that the keys know.
        known: String,
    },
    /// The shard is sealed, and the key to go on with is not here.
    #[error(
        "the shard `{0}` is sealed, and the key that it announced for the next one is not in this gateway's key folder; \
         copy it from another instance or a backup, or begin anew with `sluis log anew --reason key-lost`"
    )]
    NextKeyMissing(String),
    /// Another instance has the key to go on with, and a second one would be copied over it.
    #[error(
        "the shard `{shard}` has announced the key of the next one, and that key is not in this gateway's key folder; copy \
         keys/{file} from the instance that made it, or, if it is lost, have another one made with `sluis log rotate`"
    )]
    NextKeyElsewhere {
        /// The shard.
        shard: String,
        /// File of the key.
        file: String,
    },
    /// Requests stay open.
    #[error(
        "the shard `{0}` cannot be sealed: a request has been open all the time; stop the other instances, and start again"
    )]
    StaysOpen(String),
    /// An entry is not the one in the tree.
    #[error("a `{0}` entry is not what the signed log has there")]
    NotVouched(Kind),
    /// An entry does not read.
    #[error("a `{0}` entry does not read")]
    Unreadable(Kind),
    /// There is nothing to begin anew after.
    #[error("there is no log in this database; `sluis serve` begins one")]
    NoLog,
    /// Another instance is there.
    #[error("another instance has this database open; stop every gateway on it first")]
    NotAlone,
    /// The public key is not known.
    #[error(
        "the public key of the shard `{0}` is not in this gateway's key folder; put its `.pub` file back (whoever verifies \
         the log has that key)"
    )]
    PublicKeyMissing(String),
    /// Nothing says that the shard has to end.
    #[error(
        "the shard `{0}` can be continued: its key is here and its head verifies. Start the gateway; if you know that \
         entries are missing, give the newest checkpoint that anybody has with --last"
    )]
    CanContinue(String),
    /// What was given as the last checkpoint is none of this log.
    #[error("what was given as the last checkpoint is not one that a key of this gateway signed")]
    LastCheckpoint,
    /// Another instance began one.
    #[error("the log went on in another shard while this gateway was starting; start it again")]
    Restless,
}

/// The shard that a gateway writes.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) keys: Arc<KeyRing>,
    pub(super) origin: String,
    pub(super) place: ShardPlace,
    /// Whether a new shard is due, and requests were open all the time: the log goes on in this one for a while.
    pub(super) rests: bool,
}

/// The folder of a gateway's keys.
pub(super) fn key_folder(settings: &Settings) -> PathBuf {
    settings.data_dir.join("keys")
}

/// The newest shard of this log that the keys were used for.
fn newest<'k>(keys: &'k KeyRing, name: &str) -> Option<(u64, &'k str)> {
    let named = keys.log.verifiers().map(|(number, key)| (number, key.name()));
    named.filter(|(_, origin)| shard::is_of(origin, name)).last()
}

/// Whether the keys know no later shard than the database.
fn is_newest(keys: &KeyRing, head: &Head, name: &str) -> Result<(), ShardFault> {
    match newest(keys, name) {
        Some((number, known)) if number > head.place.number => {
            Err(ShardFault::Older { known: known.to_owned() })
        }
        _ => Ok(()),
    }
}

/// The key that signs the shard of this head, if the keys know no later one and the head holds together under it.
fn own_signer(keys: &mut KeyRing, head: &Head, name: &str) -> Result<NoteSigner, StartFault> {
    is_newest(keys, head, name)?;
    let number = head.place.number;
    let signer = NoteSigner::new(&head.origin, keys.log_key(number)?)?;
    writer::check_head(keys, signer.verifier(), head)?;
    keys.log.bear(number, &head.origin)?;
    Ok(signer)
}

/// Whether a log did not open because another instance has begun its next shard.
pub(super) fn has_moved_on(fault: &OpenLogFault, name: &str) -> bool {
    matches!(fault, OpenLogFault::OtherOrigin(origin) if shard::is_of(origin, name))
}

/// Why a new shard is due, if it is.
fn due(head: &Head, news: &News, now: Timestamp) -> Option<Reason> {
    if news.rotation.is_some() {
        return Some(Reason::Rotation);
    }
    let year = shard::year(&head.origin)?;
    (now.year() > year).then_some(Reason::Year)
}

/// The name that the next shard gets.
async fn next_name(
    store: &dyn Store,
    keys: &KeyRing,
    head: &Head,
    name: &str,
    now: Timestamp,
) -> Result<String, StoreFault> {
    let closed = store.shards().await?;
    let is_taken = |origin: &str| {
        head.origin == origin
            || closed.iter().any(|shard| shard.origin == origin)
            || keys.log.verifiers().any(|(_, key)| key.name() == origin)
    };
    let year = shard::year(&head.origin).map_or(now.year(), |year| year.max(now.year()));
    Ok(shard::name(name, year, is_taken))
}

/// The facts of the first entry of a log or of a shard.
pub(super) fn genesis(
    settings: &Settings,
    policies: &str,
    key: &VerifierKey,
) -> serde_json::Map<String, Value> {
    [
        ("policies", json!(policies)),
        ("origin", json!(key.name())),
        ("kind", json!(settings.kind().to_string())),
        ("key", json!(key.to_string())),
        ("software", json!(concat!("sluis ", env!("CARGO_PKG_VERSION")))),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// A start as far as shards go.
struct Start<'a> {
    store: &'a Arc<dyn Store>,
    settings: &'a Settings,
    clock: &'a Arc<dyn Clock>,
}

/// Finds the shard that this gateway writes, and begins the next one if that is due.
pub(super) async fn settle(
    store: &Arc<dyn Store>,
    settings: &Settings,
    clock: &Arc<dyn Clock>,
) -> Result<Settled, StartFault> {
    let start = Start { store, settings, clock };
    for _ in 0..ROUNDS {
        if let Some(settled) = start.round().await? {
            for shard in store.shards().await? {
                if settled.keys.log.public(shard.place.number).is_none() {
                    tracing::warn!(
                        shard = shard.origin,
                        "the public key of a shard is not in this gateway's key folder; consents that were countersigned \
                         with it release nothing here (docs/keys.md)"
                    );
                }
            }
            return Ok(settled);
        }
    }
    Err(ShardFault::Restless.into())
}

/// What came of an attempt to seal.
enum Sealing {
    /// It is sealed, by this instance or by another.
    Done,
    /// A request was open all the time.
    StaysOpen,
}

impl Start<'_> {
    /// `None` if something has become of the log, so that it has to be looked at again.
    async fn round(&self) -> Result<Option<Settled>, StartFault> {
        let (store, settings) = (self.store.as_ref(), self.settings);
        let mut keys = KeyRing::open(&key_folder(settings))?;
        let Some(head) = store.head().await? else {
            if let Some((_, known)) = newest(&keys, &settings.origin) {
                return Err(ShardFault::Older { known: known.to_owned() }.into());
            }
            let origin = format!("{}/{}", settings.origin, self.clock.now().year());
            let place = ShardPlace::default();
            return Ok(Some(Settled { keys: Arc::new(keys), origin, place, rests: false }));
        };
        if !shard::is_of(&head.origin, &settings.origin) {
            return Err(OpenLogFault::OtherOrigin(head.origin).into());
        }
        let number = head.place.number;
        let signer = own_signer(&mut keys, &head, &settings.origin)?;

        let verifiers = keys.log_verifiers();
        let news = News::read(store, &head, &verifiers).await?;
        let sealed = ended::sealed(store, &head, &verifiers).await?;
        let Some(reason) = sealed.or_else(|| due(&head, &news, self.clock.now())) else {
            return Ok(Some(settled(keys, head, false)));
        };
        let next = number + 1;
        if sealed.is_none() && !store.is_shared() && !keys.log.has_private(next) {
            keys.log.make(next, &settings.origin)?;
        }
        let own = news::own_next(&mut keys, next, &settings.origin)?;
        let fits = match (&sealed, &news.announced) {
            (Some(_), _) => ended::goes_on_with(&news, own.as_ref()),
            (None, Some(announced)) if store.is_shared() => own.as_ref() == Some(announced),
            (None, _) => own.is_some(),
        };
        match (own, sealed) {
            (Some(own), None) if fits => match self.seal(keys, &head, signer, reason, &news, &own).await? {
                Sealing::Done => Ok(None),
                Sealing::StaysOpen if reason == Reason::Year => {
                    tracing::error!(
                        shard = head.origin,
                        "a request has been open all the time, so the shard of the last year is not sealed yet and goes on"
                    );
                    Ok(Some(settled(KeyRing::open(&key_folder(settings))?, head, true)))
                }
                Sealing::StaysOpen => Err(ShardFault::StaysOpen(head.origin).into()),
            },
            (Some(_), Some(reason)) if fits => {
                self.open(keys, &head, reason).await?;
                Ok(None)
            }
            (_, None) => {
                news::alarm(&head, next);
                Ok(Some(settled(keys, head, false)))
            }
            (_, Some(_)) => self.handed_over(&head).await,
        }
    }

    /// Another instance has sealed, and only such a one can open the next shard: it may be about to.
    async fn handed_over(&self, head: &Head) -> Result<Option<Settled>, StartFault> {
        let until = std::time::Instant::now() + HANDED_OVER;
        while self.store.is_shared() && std::time::Instant::now() < until {
            let now = self.store.head().await?;
            if now.is_some_and(|now| now.place.number > head.place.number) {
                return Ok(None);
            }
            tokio::time::sleep(DRAIN_EVERY).await;
        }
        Err(ShardFault::NextKeyMissing(head.origin.clone()).into())
    }

    /// Announces the next key and seals the shard, once no request of its is open.
    async fn seal(
        &self,
        keys: KeyRing,
        head: &Head,
        signer: NoteSigner,
        reason: Reason,
        news: &News,
        next: &VerifierKey,
    ) -> Result<Sealing, StartFault> {
        let (store, clock) = (Arc::clone(self.store), Arc::clone(self.clock));
        let parts = Parts { store, keys: Arc::new(keys), signer, clock };
        let (log, task) = match Writer::start(parts, head.origin.clone()).await {
            Ok(started) => started,
            // Another instance has sealed it meanwhile, and begun the next one.
            Err(fault) if has_moved_on(&fault, &self.settings.origin) => return Ok(Sealing::Done),
            Err(fault) => return Err(fault.into()),
        };
        let sealed = self.seal_with(&log, head, reason, news, next).await;
        drop(log);
        drop(task.await);
        sealed
    }

    async fn seal_with(
        &self,
        log: &Writer,
        head: &Head,
        reason: Reason,
        news: &News,
        next: &VerifierKey,
    ) -> Result<Sealing, StartFault> {
        let announced = news::announce(log, &head.origin, head.place.number + 1, next).await;
        let facts = json!({
            "reason": reason.as_str(),
            "because": news.rotation.as_deref(),
            "next": next.to_string(),
        });
        let until = std::time::Instant::now() + DRAIN;
        let mut result = announced;
        loop {
            match result {
                Ok(()) => {}
                Err(CommitFault::Closed) => return Ok(Sealing::Done),
                Err(fault) => return Err(fault.into()),
            }
            // Where nobody else works, whatever is open was interrupted.
            let store = self.store.as_ref();
            let before =
                (!store.is_alone()).then(|| upkeep::interrupted_before(self.settings, self.clock.as_ref()));
            result = match upkeep::close_interrupted(store, log, before).await {
                Ok(()) => {
                    let seal = Work::Seal(NewEntry::of_gateway(Kind::Seal, facts.clone()));
                    match log.commit(seal).await {
                        Ok(_) => {
                            tracing::info!(shard = head.origin, %reason, "a shard of the log is sealed");
                            return Ok(Sealing::Done);
                        }
                        Err(CommitFault::RequestsOpen) if std::time::Instant::now() < until => {
                            tokio::time::sleep(DRAIN_EVERY).await;
                            Ok(())
                        }
                        Err(CommitFault::RequestsOpen) => return Ok(Sealing::StaysOpen),
                        Err(fault) => Err(fault),
                    }
                }
                Err(fault) => Err(fault),
            };
        }
    }

    /// Begins the next shard of a sealed one.
    async fn open(&self, mut keys: KeyRing, head: &Head, reason: Reason) -> Result<(), StartFault> {
        let (store, settings) = (self.store.as_ref(), self.settings);
        let verifiers = keys.log_verifiers();
        let carried = carry::carried(store, head, &verifiers).await?;
        let number = head.place.number + 1;
        let origin = next_name(store, &keys, head, &settings.origin, self.clock.now()).await?;
        let signer = NoteSigner::new(&origin, keys.log_key(number)?)?;
        let mut facts = genesis(settings, &carried.policies, signer.verifier());
        let (_, previous) =
            shard::told(&head.checkpoint).ok_or(StoreFault::Corrupt("the checkpoint of the head"))?;
        for (name, value) in [
            ("shard", json!(number)),
            ("first", json!(head.end())),
            ("reason", json!(reason.as_str())),
            ("previous", previous),
        ] {
            facts.insert(name.to_owned(), value);
        }
        let mut entries = vec![NewEntry::of_gateway(Kind::Genesis, Value::Object(facts))];
        entries.extend(carried.entries);
        let key = VerifierKey::new(&head.origin, keys.log.public(head.place.number).unwrap_or_default())?;
        let next =
            Next { from: head, key: key.to_string(), number, signer: &signer, entries, gives_up: false };
        writer::open_next(store, &keys, self.clock.as_ref(), &next).await?;
        // Another instance may have been first, and in another year.
        if store.head().await?.is_some_and(|head| head.origin == origin) {
            keys.log.bear(number, &origin)?;
        }
        tracing::info!(shard = origin, key = %signer.verifier(), "the log goes on in a new shard");
        Ok(())
    }
}

fn settled(keys: KeyRing, head: Head, rests: bool) -> Settled {
    Settled { keys: Arc::new(keys), origin: head.origin, place: head.place, rests }
}

/// What upkeep remembers from one look to the next.
#[derive(Debug, Default)]
pub(super) struct Watched {
    /// What the `key` entries said when the newest of them stood there.
    news: Option<(Option<u64>, News)>,
    announced: bool,
    alarmed: Option<Timestamp>,
}

/// How long a gateway goes on in an old shard before it tries again.
const REST_MILLIS: i64 = 600_000;
/// How often it says that the next key is missing.
const ALARM_MILLIS: i64 = 3_600_000;

/// Whether a running gateway has to start again, because its shard is over. Announces the next key as soon as it is there.
pub(super) async fn watch(running: &super::Running, watched: &mut Watched) -> Result<bool, StartFault> {
    if running.log.is_closed() {
        return Ok(true);
    }
    let store = running.store.as_ref();
    let Some(head) = store.head().await? else { return Ok(false) };
    if head.place != running.place {
        return Ok(true);
    }
    // Opened anew: the operator may have put the key there a moment ago.
    let mut keys = KeyRing::open(&key_folder(&running.settings))?;
    let next = head.place.number + 1;
    let own = news::own_next(&mut keys, next, &running.settings.origin)?;
    let newest = news::newest_at(store, &head).await?;
    let news = match watched.news.take() {
        Some((known, news)) if known == newest => news,
        _ => News::read(store, &head, &running.log_keys).await?,
    };
    let news = &watched.news.insert((newest, news)).1;
    if let Some(own) = own.as_ref().filter(|_| !watched.announced && news.announced.is_none()) {
        news::announce(&running.log, &head.origin, next, own).await?;
        watched.announced = true;
    }
    let now = running.clock.now();
    let Some(reason) = due(&head, news, now) else { return Ok(false) };
    let ready = match (&own, &news.announced) {
        (Some(own), Some(announced)) => own == announced || !store.is_shared(),
        (Some(_), None) => true,
        (None, _) => !store.is_shared(),
    };
    let since = |then: Timestamp| now.millis().saturating_sub(then.millis());
    if !ready && watched.alarmed.is_none_or(|then| since(then) >= ALARM_MILLIS) {
        news::alarm(&head, next);
        watched.alarmed = Some(now);
    }
    let rests = running.rests && reason == Reason::Year && since(running.started) < REST_MILLIS;
    Ok(ready && !rests)
}
