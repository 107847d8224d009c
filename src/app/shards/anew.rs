//! Beginning anew: where the key of a shard is lost, or the database was put back from an older copy. Then there is no seal,
//! and the first entry of the new shard says what is known of the gap.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    ShardFault, StartFault, carry, ended, genesis, key_folder, newest,
    news::{News, own_next},
    next_name,
};
use crate::{
    audit::{
        checkpoint::Checkpoint,
        entry::NewEntry,
        leaf::Kind,
        shard::{self, Reason},
        writer::{self, Next, OpenLogFault, open_next},
    },
    config::Settings,
    domain::Clock,
    note::{NoteSigner, VerifierKey},
    storage::{Database, Head, Store, StoreFault},
    subject::KeyRing,
};

/// Why a log begins anew, and what is known of what is missing.
#[derive(Clone, Debug)]
pub struct Anew {
    /// [`Reason::KeyLost`] or [`Reason::Restored`].
    pub reason: Reason,
    /// The newest checkpoint that anybody has: a witness, a verifier, a file.
    pub last: Option<String>,
    /// That the operator knows that the database is an older copy, and nobody has a newer checkpoint.
    pub none_known: bool,
}

/// The shard that was begun.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Its public key, which bears its name.
    pub key: VerifierKey,
    /// File of its private key.
    pub file: String,
    /// Requests of the shard before that will have no outcome.
    pub given_up: usize,
}

/// Begins a new shard without the key of the old one.
///
/// # Errors
/// If the old one can be continued, another instance is there, or the store does not answer.
pub async fn anew(settings: &Settings, clock: &dyn Clock, order: &Anew) -> Result<Begun, StartFault> {
    let database = Database::open(&settings.database).await?;
    let store = database.shared();
    let begun = begin(settings, clock, &store, order).await;
    store.close().await;
    begun
}

async fn begin(
    settings: &Settings,
    clock: &dyn Clock,
    store: &Arc<dyn Store>,
    order: &Anew,
) -> Result<Begun, StartFault> {
    if !store.is_alone() {
        return Err(ShardFault::NotAlone.into());
    }
    let head = store.head().await?.ok_or(ShardFault::NoLog)?;
    if !shard::is_of(&head.origin, &settings.origin) {
        return Err(OpenLogFault::OtherOrigin(head.origin).into());
    }
    let mut keys = KeyRing::open(&key_folder(settings))?;
    let number = head.place.number;
    let public = keys.log.public(number).ok_or_else(|| ShardFault::PublicKeyMissing(head.origin.clone()))?;
    let verifier = VerifierKey::new(&head.origin, public)?;
    writer::check_head(&keys, &verifier, &head)?;
    keys.log.bear(number, &head.origin)?;
    let known = newest(&keys, &settings.origin).map_or(number, |(known, _)| known.max(number));

    let last = last(order, &keys)?;
    let gap = known > number || last.as_ref().is_some_and(|(last, _)| is_gap(last, &head));
    let verifiers = keys.log_verifiers();
    let goes_on = keys.log.has_private(number)
        && match ended::sealed(store.as_ref(), &head, &verifiers).await? {
            None => true,
            // Its own key signs nothing more; what it is to go on with is the key that it announced.
            Some(_) => {
                let own = own_next(&mut keys, number + 1, &settings.origin)?;
                ended::goes_on_with(&News::read(store.as_ref(), &head, &verifiers).await?, own.as_ref())
            }
        };
    let must = match order.reason {
        Reason::KeyLost => !goes_on,
        _ => gap || order.none_known || !goes_on,
    };
    if !must {
        return Err(ShardFault::CanContinue(head.origin).into());
    }

    let carried = carry::carried(store.as_ref(), &head, &verifiers).await?;
    let next = known + 1;
    if !keys.log.has_private(next) {
        keys.log.make(next, &settings.origin)?;
    }
    let origin = next_name(store.as_ref(), &keys, &head, &settings.origin, clock.now()).await?;
    let signer = NoteSigner::new(&origin, keys.log_key(next)?)?;
    let mut facts = genesis(settings, &carried.policies, signer.verifier());
    let (_, previous) =
        shard::told(&head.checkpoint).ok_or(StoreFault::Corrupt("the checkpoint of the head"))?;
    for (name, value) in [
        ("shard", json!(next)),
        ("first", json!(head.end())),
        ("reason", json!(order.reason.as_str())),
        ("previous", previous),
        ("last", json!(last.map(|(_, told)| told))),
    ] {
        facts.insert(name.to_owned(), value);
    }
    let mut entries = vec![NewEntry::of_gateway(Kind::Genesis, Value::Object(facts))];
    entries.extend(carried.entries);
    let key = verifier.to_string();
    let opening = Next { from: &head, key, number: next, signer: &signer, entries, gives_up: true };
    let given_up = open_next(store.as_ref(), &keys, clock, &opening).await?;
    keys.log.bear(next, &origin)?;
    if order.reason == Reason::Restored {
        // Whoever puts the same copy back once more finds no key to sign it with.
        (0..next).try_for_each(|old| keys.log.forget(old))?;
    }
    Ok(Begun { key: signer.verifier().clone(), file: format!("log-{next}.key"), given_up })
}

/// The newest checkpoint that anybody has, if one was given: signed with a key of this log.
fn last(order: &Anew, keys: &KeyRing) -> Result<Option<(Checkpoint, Value)>, ShardFault> {
    let Some(note) = &order.last else { return Ok(None) };
    Checkpoint::open(note, &keys.log_verifiers()).map_err(|_| ShardFault::LastCheckpoint)?;
    shard::told(note).ok_or(ShardFault::LastCheckpoint).map(Some)
}

/// Whether a checkpoint shows that the database is not all that was signed.
fn is_gap(last: &Checkpoint, head: &Head) -> bool {
    let Some((here, _)) = shard::told(&head.checkpoint) else { return true };
    // Of a shard that is closed nothing can be missing in this one.
    last.origin == here.origin
        && (last.size > here.size || (last.size == here.size && last.root != here.root))
}
