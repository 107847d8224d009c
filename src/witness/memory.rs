//! What a witness has cosigned, and whether it cosigns the next: the checks of the specification, in its order.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arc_swap::ArcSwapOption;

use super::{
    checkpoint_path,
    config::WitnessSettings,
    files::{Folder, FolderFault},
    request::{AddCheckpoint, read_checkpoint},
};
use crate::{
    audit::tree::{Hash, empty_root, sha256, verify_consistency},
    domain::Clock,
    note::cosignature::{Cosigner, CosignerKey},
};

/// What a witness answers to a request that is well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Cosigned and stored: the signature line.
    Cosigned(String),
    /// The old size lies above that of the checkpoint.
    Backwards,
    /// No such log here.
    UnknownOrigin,
    /// No signature by a key of this log.
    UnknownKey,
    /// The newest checkpoint that was cosigned has this size; or this size, and another root.
    Conflict(u64),
    /// The proof does not prove.
    BadProof,
    /// It could not be stored, so it was not cosigned.
    Failed,
}

/// How far one log was cosigned.
#[derive(Clone, Debug)]
enum Standing {
    Never,
    Newest {
        size: u64,
        root: Hash,
    },
    /// A write failed, so what stands on the disk is not known. Until a restart has read it, nothing is cosigned.
    Unsure,
}

/// What is known of one log.
#[derive(Debug)]
struct Slot {
    /// Locked from the look at the old size until the new checkpoint is on the disk.
    standing: Mutex<Standing>,
    /// The newest cosigned checkpoint, to be shown without waiting for the disk.
    shown: ArcSwapOption<String>,
}

impl Slot {
    fn never() -> Self {
        Self { standing: Mutex::new(Standing::Never), shown: ArcSwapOption::empty() }
    }
}

/// All logs of a witness.
pub struct Memory {
    settings: WitnessSettings,
    folder: Folder,
    cosigner: Cosigner,
    clock: Arc<dyn Clock>,
    logs: Mutex<HashMap<String, Arc<Slot>>>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A panic elsewhere leaves a standing as it was before or after a step, both of which hold.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// File of a log, and the last part of its address.
fn name_of(origin: &str) -> String {
    checkpoint_path(origin).rsplit('/').next().unwrap_or_default().to_owned()
}

impl Memory {
    /// Opens the folder and reads what was cosigned before.
    ///
    /// # Errors
    /// If the folder cannot be used, or holds something that this witness did not cosign.
    pub fn open(settings: WitnessSettings, clock: Arc<dyn Clock>) -> Result<Self, FolderFault> {
        let folder = Folder::open(&settings.data_dir)?;
        let cosigner = folder.cosigner(&settings.name)?;
        let mut logs = HashMap::new();
        for (path, text) in folder.checkpoints()? {
            let own = std::slice::from_ref(cosigner.verifier());
            let read = || {
                let (checkpoint, note) = read_checkpoint(&text).ok()?;
                let (_, found) = note.without_cosignatures(own);
                let sound = found.iter().any(|line| line.time.is_some())
                    && path
                        .file_name()
                        .is_some_and(|name| name.to_str() == Some(&name_of(&checkpoint.origin)));
                sound.then_some(checkpoint)
            };
            let checkpoint = read().ok_or_else(|| FolderFault::Damaged(path.clone()))?;
            let standing = Standing::Newest { size: checkpoint.size, root: checkpoint.root };
            let slot = Slot { standing: Mutex::new(standing), shown: ArcSwapOption::from_pointee(text) };
            logs.insert(name_of(&checkpoint.origin), Arc::new(slot));
        }
        Ok(Self { settings, folder, cosigner, clock, logs: Mutex::new(logs) })
    }

    /// The key to give to those who verify.
    #[must_use]
    pub const fn key(&self) -> &CosignerKey {
        self.cosigner.verifier()
    }

    /// The newest cosigned checkpoint, by the last part of its address.
    #[must_use]
    pub fn newest(&self, name: &str) -> Option<String> {
        let slot = locked(&self.logs).get(name).map(Arc::clone)?;
        slot.shown.load().as_deref().cloned()
    }

    /// Decides about a request, and stores what it cosigns before it returns. It writes to the disk, and must run to its
    /// end whether or not the caller still waits.
    #[must_use]
    pub fn add(&self, request: &AddCheckpoint) -> Answer {
        let checkpoint = &request.checkpoint;
        let Some(keys) = self.settings.keys_of(&checkpoint.origin) else { return Answer::UnknownOrigin };
        // A key whose line does not verify counts as one that did not sign, whatever the other lines are.
        let signed = |key: &_| request.note.clone().verify(std::slice::from_ref(key)).ok();
        let Some(opened) = keys.iter().find_map(signed) else { return Answer::UnknownKey };
        if request.old_size > checkpoint.size {
            return Answer::Backwards;
        }
        let name = name_of(&checkpoint.origin);
        let slot =
            Arc::clone(locked(&self.logs).entry(name.clone()).or_insert_with(|| Arc::new(Slot::never())));
        let mut standing = locked(&slot.standing);
        let (size, root) = match &*standing {
            Standing::Never => (0, empty_root()),
            Standing::Newest { size, root } => (*size, *root),
            Standing::Unsure => return Answer::Failed,
        };
        if request.old_size != size {
            return Answer::Conflict(size);
        }
        if checkpoint.size == size && checkpoint.root != root {
            self.contradicted(request, "another root at the same size");
            return Answer::Conflict(size);
        }
        if verify_consistency(size, checkpoint.size, &root, &checkpoint.root, &request.proof).is_err() {
            tracing::error!(
                origin = checkpoint.origin,
                old = size,
                size = checkpoint.size,
                "a signed checkpoint came without a proof that the log only grew; not cosigned"
            );
            return Answer::BadProof;
        }
        let seconds = u64::try_from(self.clock.now().millis() / 1000).unwrap_or(0);
        let Ok(line) = self.cosigner.cosign(&opened.text, seconds) else { return Answer::Failed };
        let own: String = request
            .note
            .signatures()
            .iter()
            .filter(|line| opened.signed_by.iter().any(|key| key.name() == line.name && key.id() == line.id))
            .map(crate::note::Signature::line)
            .collect();
        let note = format!("{}\n{own}{line}", opened.text);
        if let Err(fault) = self.folder.store(&name, &note) {
            tracing::error!(%fault, "a checkpoint could not be stored; this log is not cosigned until a restart");
            *standing = Standing::Unsure;
            slot.shown.store(None);
            return Answer::Failed;
        }
        *standing = Standing::Newest { size: checkpoint.size, root: checkpoint.root };
        slot.shown.store(Some(Arc::new(note)));
        Answer::Cosigned(line)
    }

    fn contradicted(&self, request: &AddCheckpoint, what: &str) {
        let text = request.note.unverified_text();
        let lines: String = request.note.signatures().iter().map(crate::note::Signature::line).collect();
        let note = format!("{text}\n{lines}");
        // One file for each root, so sending the same again adds none.
        let name = hex::encode(sha256(&[text.as_bytes()]));
        let kept = self.folder.keep_evidence(&name, &note);
        let origin = &request.checkpoint.origin;
        tracing::error!(origin, size = request.checkpoint.size, ?kept, "split view: the log signed {what}");
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread, time::Duration};

    use super::*;
    use crate::{
        domain::time::SystemClock,
        note::{NoteSigner, VerifierKey},
    };

    /// A look does not wait for a disk that is busy with the next checkpoint.
    #[test]
    fn what_was_cosigned_is_shown_while_the_next_is_being_stored() {
        let folder = tempfile::tempdir().unwrap();
        let signer =
            NoteSigner::from_pkcs8("test.example/2026", &NoteSigner::generate_pkcs8().unwrap()).unwrap();
        let key: &VerifierKey = signer.verifier();
        let config = folder.path().join("witness.toml");
        let text = format!(
            "name = \"witness.example/w1\"\nlisten = \"127.0.0.1:0\"\ndata_dir = \"w1\"\n\
             [[log]]\norigin = \"test.example/2026\"\nkeys = [\"{key}\"]\n"
        );
        std::fs::write(&config, text).unwrap();
        let memory = Memory::open(WitnessSettings::load(&config).unwrap(), Arc::new(SystemClock)).unwrap();
        let slot = Slot {
            standing: Mutex::new(Standing::Never),
            shown: ArcSwapOption::from_pointee("it".to_owned()),
        };
        let slot = Arc::new(slot);
        locked(&memory.logs).insert("name".to_owned(), Arc::clone(&slot));
        // As from the look at the old size until the new checkpoint is on the disk.
        let _storing = locked(&slot.standing);
        let (shown, looked) = mpsc::channel();
        // Not waited for: if it hangs, the test fails.
        thread::spawn(move || shown.send(memory.newest("name")));
        assert_eq!(looked.recv_timeout(Duration::from_secs(20)).unwrap().as_deref(), Some("it"));
    }
}
