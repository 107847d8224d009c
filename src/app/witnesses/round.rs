//! One question to one witness: what does it know of this log, and does it cosign the newest checkpoint?

use super::{WitnessFault, opened};
use crate::{
    audit::{checkpoint::Checkpoint, lookup, tree::verify_consistency},
    note::{Note, VerifierKey, cosignature::CosignerKey},
    storage::{Head, Store, StoreFault},
    witness::client::{Added, WitnessClient},
};

/// What came of it.
pub(super) enum Asked {
    /// It cosigned: its signature line, verified.
    Cosigned(String),
    /// It answers, and there is no log yet to cosign.
    Nothing,
    /// It did not answer, or not so that anything follows from it.
    Missed(String),
    /// It knows of this log what the database does not.
    Refuted(WitnessFault),
}

impl From<WitnessFault> for Asked {
    fn from(fault: WitnessFault) -> Self {
        Self::Refuted(fault)
    }
}

impl From<StoreFault> for Asked {
    fn from(fault: StoreFault) -> Self {
        Self::Refuted(fault.into())
    }
}

/// Whether a checkpoint of this log that is known outside is the beginning of what is stored.
pub(super) async fn compare(store: &dyn Store, by: &str, known: &Checkpoint) -> Result<(), WitnessFault> {
    // Read after the checkpoint came, and what was cosigned is on the disk: another instance's newest entries are in it.
    let Some(head) = store.head().await? else {
        return Err(WitnessFault::SetBack { by: by.to_owned(), known: known.size, stored: 0 });
    };
    if head.origin != known.origin {
        // Another instance has begun the next shard meanwhile. Sizes of two shards say nothing of each other.
        return Ok(());
    }
    if known.size > head.size {
        return Err(WitnessFault::SetBack { by: by.to_owned(), known: known.size, stored: head.size });
    }
    let proof = lookup::consistency_in(store, head.place, known.size, head.size).await?;
    let root = root_of(&head)?;
    verify_consistency(known.size, head.size, &known.root, &root, &proof)
        .map_err(|_| WitnessFault::SplitView { by: by.to_owned(), known: known.size })
}

fn root_of(head: &Head) -> Result<crate::audit::tree::Hash, StoreFault> {
    let corrupt = || StoreFault::Corrupt("the stored checkpoint is none");
    let note = Note::parse(&head.checkpoint).map_err(|_| corrupt())?;
    Ok(Checkpoint::parse(note.unverified_text()).map_err(|_| corrupt())?.root)
}

/// Asks a witness.
pub(super) async fn ask(
    client: &WitnessClient,
    key: &CosignerKey,
    log_key: &VerifierKey,
    store: &dyn Store,
    head: Option<&Head>,
) -> Asked {
    asked(client, key, log_key, store, head).await.unwrap_or_else(|other| other)
}

async fn asked(
    client: &WitnessClient,
    key: &CosignerKey,
    log_key: &VerifierKey,
    store: &dyn Store,
    head: Option<&Head>,
) -> Result<Asked, Asked> {
    let missed = |why: &dyn std::fmt::Display| Asked::Missed(why.to_string());
    let newest = client.newest(log_key.name()).await.map_err(|fault| missed(&fault))?;
    let mut old = 0;
    if let Some(note) = newest {
        // Signed by the log itself, so it proves what it says, whoever sent it.
        let known = opened(&note, log_key).filter(|known| known.origin == log_key.name());
        let known = known.ok_or_else(|| missed(&"it shows a checkpoint that this log did not sign"))?;
        compare(store, key.name(), &known).await?;
        old = known.size;
    }
    let Some(head) = head else { return Ok(Asked::Nothing) };
    // Another instance may have been here since; then once more from where it came to.
    for _ in 0..2 {
        if old > head.size {
            return Ok(Asked::Nothing);
        }
        // In the shard of the head in hand: meanwhile another instance may have begun the next one.
        let proof = lookup::consistency_in(store, head.place, old, head.size).await?;
        match client.add(old, &proof, &head.checkpoint).await.map_err(|fault| missed(&fault))? {
            Added::Cosigned(lines) => {
                return verified(&lines, head, key).ok_or_else(|| missed(&"its cosignature does not verify"));
            }
            Added::Unknown => return Err(missed(&"it does not witness this log or its key")),
            Added::BadProof => {
                return Err(WitnessFault::SplitView { by: key.name().to_owned(), known: old }.into());
            }
            Added::Conflict(size) if size == old && size == head.size => {
                return Err(WitnessFault::SplitView { by: key.name().to_owned(), known: size }.into());
            }
            Added::Conflict(size) => {
                let now = store.head().await?;
                if now.as_ref().is_some_and(|now| now.origin != head.origin) {
                    return Ok(Asked::Nothing);
                }
                let stored = now.map_or(0, |now| now.size);
                if size > stored {
                    return Err(
                        WitnessFault::SetBack { by: key.name().to_owned(), known: size, stored }.into()
                    );
                }
                old = size;
            }
        }
    }
    Err(missed(&"it answers with another size each time"))
}

/// The line of this witness, if it cosigned this checkpoint. Lines of other keys are passed over.
fn verified(lines: &str, head: &Head, key: &CosignerKey) -> Option<Asked> {
    let note = Note::parse(&format!("{}{lines}", head.checkpoint)).ok()?;
    let (_, found) = note.without_cosignatures(std::slice::from_ref(key));
    let line = found.into_iter().find(|line| line.time.is_some())?;
    Some(Asked::Cosigned(line.signature.line()))
}
