//! The part of the story that a witness plays: it has cosigned the log, and an export shows it.

use std::{fs, path::Path, time::Duration};

use super::super::{World, tell::Teller};
use crate::{
    app,
    audit::{
        checkpoint::Checkpoint,
        export::stored::{Openings, Witnessed, export_witnessed},
        trust::Policy,
        verify::{VerifyOptions, Witnessing, verify_witnessed},
    },
    note::VerifierKey,
};

/// How often it is looked whether the witness has cosigned, and how many times. It is asked every second.
const LOOK: Duration = Duration::from_millis(100);
const LOOKS: u32 = 100;

/// The kept checkpoint, once it has all that the log has now.
async fn cosigned(world: &World, dir: &Path, log: &VerifierKey) -> Result<Option<String>, String> {
    let head = world.gateway.store.head().await.map_err(|fault| fault.to_string())?;
    let size = head.map_or(0, |head| head.size);
    for _ in 0..LOOKS {
        let note = app::cosigned(&dir.join("data")).map_err(|fault| fault.to_string())?;
        let fits = |note: &String| {
            Checkpoint::open(note, std::slice::from_ref(log)).is_ok_and(|(kept, _)| kept.size >= size)
        };
        if let Some(note) = note.filter(fits) {
            return Ok(Some(note));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}

pub(super) async fn story(teller: &mut Teller, world: &World, dir: &Path) -> Result<(), String> {
    let Some(witness) = &world.witness else { return Ok(()) };
    let expect = "a witness has cosigned the log, and knows its size and root only; an export shows it";
    let log: VerifierKey = world.gateway.verifier_key.parse().map_err(|_| "the log has no key".to_owned())?;
    let Some(note) = cosigned(world, dir, &log).await? else {
        teller.tell("witness", expect, "it did not cosign in time", false, &[]);
        return Ok(());
    };
    let keys = vec![witness.key.clone()];
    let trust = Policy::witnessed(vec![log.clone()], &keys, 1);
    fs::write(dir.join("policy.txt"), trust.to_string()).map_err(|fault| fault.to_string())?;
    let out = dir.join("export-cosigned");
    let witnessed = Witnessed { keys, threshold: 1, checkpoint: Some(note) };
    let store = world.gateway.store.as_ref();
    let openings = Openings::default();
    export_witnessed(store, &out, std::slice::from_ref(&log), openings, witnessed, |_, _| {})
        .await
        .map_err(|fault| fault.to_string())?;
    let options = VerifyOptions { trust: Some(vec![log]), since: None, progress: None };
    let report = verify_witnessed(&out, &options, &Witnessing { trust: Some(trust), required: true });
    teller.tell(
        "witness",
        expect,
        &format!("{} entries, exit status {} with --require-witness", report.entries, report.exit_code()),
        report.exit_code() == 0 && report.cosigned.len() == 1,
        &report.to_string().lines().map(ToOwned::to_owned).collect::<Vec<_>>(),
    );
    Ok(())
}
