//! Which policies are in force: the log says so. Each `policy` entry has the manifest that took over and the files that
//! decide under it, so that an old decision can be repeated from the log alone (R38); `genesis` pins the first. What
//! takes over is signed by those who owned what was in force, and is in the log before it decides anything (P10).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    audit::{
        entry::NewEntry,
        leaf::Kind,
        tree::sha256,
        vouched::vouched,
        writer::{CommitFault, Work, Writer},
    },
    note::VerifierKey,
    policy::{
        PolicyChange, PolicySet, SealedPolicies,
        manifest::{Manifest, ManifestFault},
    },
    storage::{EntryFilter, Store, StoreFault},
};

/// How often another instance may be first before this one gives up.
const TRIES: usize = 4;

/// Why policies do not come into force. What was in force stays so.
#[derive(Debug, thiserror::Error)]
pub enum PolicyChangeFault {
    /// The log cannot be read.
    #[error(transparent)]
    Store(#[from] StoreFault),
    /// The manifest may not follow the one in force.
    #[error("the policies cannot take over from those in force: manifest.note {0}")]
    Manifest(#[from] ManifestFault),
    /// The log was begun with other policies.
    #[error(
        "the log was begun with the policies {pinned}, and these are {found}; put those back, and let their owners sign \
         what follows them (R40)"
    )]
    NotTheFirst {
        /// Hash of the manifest that `genesis` names.
        pinned: String,
        /// Hash of the manifest that was found.
        found: String,
    },
    /// The owners signed a change of something else, or did not see what they changed.
    #[error(
        "proof.toml compares the policies with {compared}, and {in_force} are in force: a change is shown before it \
         decides anything; run `sluis policy prove --against` the policies in force, and have the manifest signed again"
    )]
    NotCompared {
        /// Hash of the policies in force.
        in_force: String,
        /// What the proof record compares with.
        compared: String,
    },
    /// The log says something that this version cannot read.
    #[error("which policies are in force cannot be read from the log: {0}")]
    Unreadable(String),
    /// The entry could not be written.
    #[error("the policies could not be entered into the log: {0}")]
    Log(#[from] CommitFault),
}

/// What is in force, as the log says.
struct InForce {
    manifest: Manifest,
    /// Hash of the files that decide.
    hash: String,
    /// The set itself, if this program can read it.
    set: Option<PolicySet>,
}

/// What is in force, as the newest `policy` entry says; `None` if no entry has one.
async fn in_force(store: &dyn Store, keys: &[VerifierKey]) -> Result<Option<InForce>, PolicyChangeFault> {
    let filter =
        EntryFilter { kind: Some(Kind::Policy.as_str().to_owned()), limit: 1, ..EntryFilter::default() };
    let unreadable = |what: &dyn ToString| PolicyChangeFault::Unreadable(what.to_string());
    let Some(entry) = store.search(&filter).await?.pop() else { return Ok(None) };
    if !vouched(store, &entry, keys).await? {
        return Err(unreadable(&"it is not what the signed log has there"));
    }
    let facts: Value = serde_json::from_slice(entry.facts_json()).map_err(|fault| unreadable(&fault))?;
    // Logs that were begun before manifests have none.
    let Some(note) = facts.get("manifest").and_then(Value::as_str) else { return Ok(None) };
    let manifest = Manifest::parse(note).map_err(|fault| unreadable(&fault))?;
    let hash = facts.get("hash").and_then(Value::as_str).unwrap_or_default().to_owned();
    let detail = entry.detail.and_then(|detail| serde_json::from_slice(&detail.json).ok());
    let set = detail.as_ref().and_then(former);
    Ok(Some(InForce { manifest, hash, set }))
}

/// What `genesis` pins, that of the shard which is written.
async fn pinned(store: &dyn Store, keys: &[VerifierKey]) -> Result<Option<String>, PolicyChangeFault> {
    let Some(head) = store.head().await? else { return Ok(None) };
    let Some(genesis) = store.entries(head.place.first, 1).await?.pop() else { return Ok(None) };
    if !vouched(store, &genesis, keys).await? {
        return Err(PolicyChangeFault::Unreadable("genesis is not what the signed log has there".to_owned()));
    }
    let facts = serde_json::from_slice::<Value>(genesis.facts_json()).ok();
    Ok(facts.and_then(|facts| Some(facts.get("policies")?.as_str()?.to_owned())))
}

/// Whether these policies may decide after what the log says, without changing anything.
pub(super) async fn may_take_over(
    store: &dyn Store,
    keys: &[VerifierKey],
    policies: &SealedPolicies,
) -> Result<(), PolicyChangeFault> {
    takes_over(store, keys, policies).await.map(|_| ())
}

/// What has to be entered before these policies decide; `None` if they are in force.
async fn takes_over(
    store: &dyn Store,
    keys: &[VerifierKey],
    policies: &SealedPolicies,
) -> Result<Option<(Work, Option<PolicyChange>)>, PolicyChangeFault> {
    let manifest = policies.manifest();
    let (before, change) = match in_force(store, keys).await? {
        // The same, if perhaps with another signature beside those it had: nothing takes over.
        Some(old) if old.manifest.hash() == manifest.hash() => return Ok(None),
        Some(old) => {
            manifest.may_follow(&old.manifest)?;
            let compared = policies.proof().change.as_ref().map(|change| change.against.as_str());
            if old.hash != policies.hash() && compared != Some(&old.hash) {
                return Err(PolicyChangeFault::NotCompared {
                    in_force: old.hash,
                    compared: compared.unwrap_or("nothing").to_owned(),
                });
            }
            (old.manifest.hash(), old.set.map(|old| PolicyChange::between(&old, policies)))
        }
        None => match pinned(store, keys).await? {
            Some(pinned) if pinned != manifest.hash() => {
                return Err(PolicyChangeFault::NotTheFirst { pinned, found: manifest.hash() });
            }
            _ => (String::new(), None),
        },
    };
    let mut entry = NewEntry::of_gateway(
        Kind::Policy,
        json!({
            "hash": policies.hash(),
            "version": manifest.version(),
            "manifest": manifest.note(),
            "signed_by": manifest.signed_by(),
            "replaces": (!before.is_empty()).then_some(&before),
            "change": change.as_ref().map(PolicyChange::to_json),
        }),
    );
    entry.detail = Some(json!({ "files": policies.files() }));
    // What is in force has one successor: of two instances that load different sets at once, one is first.
    let claim = sha256(&[b"sluis/v1/policy-after\0", before.as_bytes()]);
    Ok(Some((Work::Once { entry, claim }, change)))
}

/// The set that was in force, from the files that its entry kept. It only has to decide, so that its day and the kind of
/// gateway are no matter.
fn former(detail: &Value) -> Option<PolicySet> {
    let files: BTreeMap<String, String> = serde_json::from_value(detail.get("files")?.clone()).ok()?;
    PolicySet::of_the_past(files).ok()
}

/// Enters these policies into the log, unless they are in force already.
///
/// # Errors
/// If they may not take over, or the log cannot be read or written. Then they must not decide.
pub(super) async fn enter(
    store: &dyn Store,
    keys: &[VerifierKey],
    log: &Writer,
    policies: &SealedPolicies,
) -> Result<(), PolicyChangeFault> {
    for _ in 0..TRIES {
        let Some((work, change)) = takes_over(store, keys, policies).await? else { return Ok(()) };
        match log.commit(work).await {
            Ok(_) => {
                let (version, hash) = (policies.manifest().version(), policies.hash());
                let (wider, narrower) =
                    change.map_or((0, 0), |change| (change.wider.len(), change.narrower.len()));
                tracing::info!(version, hash, wider, narrower, "policies have come into force");
                return Ok(());
            }
            // Another instance was first, with these or with others: look again.
            Err(CommitFault::AlreadyDone) => {}
            Err(fault) => return Err(fault.into()),
        }
    }
    Err(CommitFault::AlreadyDone.into())
}
