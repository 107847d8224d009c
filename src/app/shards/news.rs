//! What the `key` entries of a shard say: which key comes next, and whether a new one is wanted.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{ShardFault, StartFault, key_folder, own_signer};
use crate::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        shard,
        tree::sha256,
        vouched::Vouching,
        writer::{CommitFault, OpenLogFault, Parts, Work, Writer},
    },
    config::Settings,
    domain::Clock,
    note::VerifierKey,
    storage::{Database, DatabaseAddress, EntryFilter, Head, OpenFault, Store, StoreFault},
    subject::{KeyRing, KeyRingFault},
};

/// How many of the newest entries are looked at. A shard has few.
const NEWEST: u32 = 16;

/// What the entries of this shard say.
#[derive(Clone, Debug, Default)]
pub(super) struct News {
    /// The key that was announced last. It bears the gateway's name.
    pub(super) announced: Option<VerifierKey>,
    /// Why a new key is wanted, if it is.
    pub(super) rotation: Option<String>,
}

/// The `key` entries of a shard up to this head, newest first. What other instances enter after it is there at the next look.
fn of_shard(head: &Head, limit: u32) -> EntryFilter {
    EntryFilter {
        kind: Some(Kind::Key.as_str().to_owned()),
        since: Some(head.place.first),
        below: Some(head.end()),
        limit,
        ..EntryFilter::default()
    }
}

/// Where the newest of them stands: as long as that is the same, so is what they say.
pub(super) async fn newest_at(store: &dyn Store, head: &Head) -> Result<Option<u64>, StoreFault> {
    Ok(store.search(&of_shard(head, 1)).await?.pop().map(|entry| entry.position))
}

impl News {
    pub(super) async fn read(
        store: &dyn Store,
        head: &Head,
        keys: &[VerifierKey],
    ) -> Result<Self, StartFault> {
        let (mut news, mut vouching) = (Self::default(), Vouching::of(store, head, keys));
        for entry in store.search(&of_shard(head, NEWEST)).await? {
            // A key that somebody wrote into the database must not become the log's.
            if !vouching.vouches(&entry).await? {
                return Err(ShardFault::NotVouched(Kind::Key).into());
            }
            let facts: Value =
                serde_json::from_slice(entry.facts_json()).map_err(|_| ShardFault::Unreadable(Kind::Key))?;
            let text = |name: &str| facts.get(name).and_then(Value::as_str);
            match text("event") {
                Some("announced") => {
                    let key = text("key").and_then(|key| key.parse().ok());
                    let key = key.ok_or(ShardFault::Unreadable(Kind::Key))?;
                    news.announced.get_or_insert(key);
                }
                Some("rotate") => {
                    news.rotation.get_or_insert_with(|| text("reason").unwrap_or_default().to_owned());
                }
                _ => return Err(ShardFault::Unreadable(Kind::Key).into()),
            }
        }
        Ok(news)
    }
}

/// The key of the next shard, if its private half is here: under the name that it is announced by.
pub(super) fn own_next(keys: &mut KeyRing, next: u64, name: &str) -> Result<Option<VerifierKey>, StartFault> {
    if !keys.log.has_private(next) {
        return Ok(None);
    }
    if keys.log.name(next).is_none() {
        // Only the private half was copied here.
        keys.log.bear(next, name)?;
    }
    let public = keys.log.public(next).unwrap_or_default();
    Ok(Some(VerifierKey::new(name, public)?))
}

/// Announces the key of the next shard. Signed, as everything in this shard is, with the key of this one.
pub(super) async fn announce(
    log: &Writer,
    origin: &str,
    next: u64,
    key: &VerifierKey,
) -> Result<(), CommitFault> {
    let facts = json!({ "event": "announced", "key": key.to_string(), "shard": next });
    let entry = NewEntry::of_gateway(Kind::Key, facts);
    let claim = sha256(&[b"sluis/v1/key-announced\0", origin.as_bytes(), b"\0", key.to_string().as_bytes()]);
    match log.commit(Work::Once { entry, claim }).await {
        Ok(committed) => {
            tracing::info!(position = committed.position, %key, "the next key of the log is announced");
            Ok(())
        }
        Err(CommitFault::AlreadyDone) => Ok(()),
        Err(fault) => Err(fault),
    }
}

/// Tells the operator that a new shard is due and cannot begin.
pub(super) fn alarm(head: &Head, next: u64) {
    tracing::error!(
        shard = head.origin,
        key = format!("log-{next}.key"),
        "a new shard of the log is due, and its key, as it was announced, is not in this gateway's key folder; the log \
         goes on in the old one (docs/keys.md)"
    );
}

/// The key of the next shard.
#[derive(Debug)]
pub struct NextKey {
    /// Its public half. It bears the gateway's name, until a shard is signed with it.
    pub key: VerifierKey,
    /// File of its private half, for other instances.
    pub file: String,
}

/// Makes the key of the next shard, unless it is there. Also whether it was made. The database tells which shard is in use:
/// the keys of an instance that was down while another began one do not, and a key made after them would be a second one for
/// the shard that is written to. Goes while the gateway runs.
///
/// # Errors
/// If the files cannot be written, there is no log, this gateway has not the key of the shard in use, or another instance has
/// the key of the next one.
pub async fn make_next(settings: &Settings) -> Result<(NextKey, bool), StartFault> {
    let database = match (Database::open(&settings.database).await, &settings.database) {
        (Err(OpenFault::Locked), DatabaseAddress::Folder(folder)) => Database::open_read_only(folder).await?,
        (opened, _) => opened?,
    };
    let store = database.shared();
    let made = next_of(settings, store.as_ref()).await;
    store.close().await;
    made
}

async fn next_of(settings: &Settings, store: &dyn Store) -> Result<(NextKey, bool), StartFault> {
    let head = own_head(settings, store).await?;
    let mut keys = KeyRing::open(&key_folder(settings))?;
    own_signer(&mut keys, &head, &settings.origin)?;
    let next = head.place.number + 1;
    let news = News::read(store, &head, &keys.log_verifiers()).await?;
    let own = own_next(&mut keys, next, &settings.origin)?;
    let file = format!("log-{next}.key");
    if store.is_shared() && news.announced.is_some() && news.announced != own {
        return Err(ShardFault::NextKeyElsewhere { shard: head.origin, file }.into());
    }
    let is_new = own.is_none();
    if is_new {
        keys.log.make(next, &settings.origin)?;
    }
    let missing = || KeyRingFault::Missing(key_folder(settings).join(&file));
    let key = own_next(&mut keys, next, &settings.origin)?.ok_or_else(missing)?;
    Ok((NextKey { key, file }, is_new))
}

/// The head of this gateway's log.
async fn own_head(settings: &Settings, store: &dyn Store) -> Result<Head, StartFault> {
    let head = store.head().await?.ok_or(ShardFault::NoLog)?;
    if !shard::is_of(&head.origin, &settings.origin) {
        return Err(OpenLogFault::OtherOrigin(head.origin).into());
    }
    Ok(head)
}

/// Orders a new key: an entry that every instance sees, and that the next start acts on. Where the key was stolen, the one
/// that lay ready beside it was too, and is made anew.
///
/// # Errors
/// If the log does not open or cannot be written.
pub async fn order_rotation(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    compromised: bool,
) -> Result<NextKey, StartFault> {
    let database = Database::open(&settings.database).await?;
    let store = database.shared();
    let ordered = order(settings, clock, Arc::clone(&store), compromised).await;
    store.close().await;
    ordered
}

async fn order(
    settings: &Settings,
    clock: Arc<dyn Clock>,
    store: Arc<dyn Store>,
    compromised: bool,
) -> Result<NextKey, StartFault> {
    let head = own_head(settings, store.as_ref()).await?;
    let mut keys = KeyRing::open(&key_folder(settings))?;
    let signer = own_signer(&mut keys, &head, &settings.origin)?;
    let next = head.place.number + 1;
    let news = News::read(store.as_ref(), &head, &keys.log_verifiers()).await?;
    // Ordered twice, it is the same key: other instances may have a copy of it by now.
    let is_ordered = news.rotation.as_deref() == Some("compromised");
    if !keys.log.has_private(next) || (compromised && !is_ordered) {
        keys.log.make(next, &settings.origin)?;
    }
    let missing = || KeyRingFault::Missing(key_folder(settings).join(format!("log-{next}.key")));
    let own = own_next(&mut keys, next, &settings.origin)?.ok_or_else(missing)?;
    let parts = Parts { store, keys: Arc::new(keys), signer, clock };
    let (log, task) = Writer::start(parts, head.origin.clone()).await?;
    let reason = if compromised { "compromised" } else { "routine" };
    let entered = async {
        announce(&log, &head.origin, next, &own).await?;
        let facts = json!({ "event": "rotate", "reason": reason });
        log.commit(Work::Append(NewEntry::of_gateway(Kind::Key, facts))).await.map(|_| ())
    };
    let entered = entered.await;
    drop(log);
    drop(task.await);
    entered?;
    Ok(NextKey { key: own, file: format!("log-{next}.key") })
}
