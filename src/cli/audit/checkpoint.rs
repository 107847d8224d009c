//! `sluis audit checkpoint`: the log as it is now, held against the log as it was.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    audit::{
        checkpoint::Checkpoint,
        tree::{Hash, verify_consistency},
        trust::Policy,
    },
    cli::{failed, say, words},
    client::Profile,
    note::VerifierKey,
    proto,
};

/// Fetch the newest signed checkpoint, and check that the log only grew since one that you kept
///
/// For privacy officers: keep what this prints, somewhere else than at the gateway. With --since the gateway has to prove
/// that the log of now begins with the log of then; the proof is checked here. Without --trust the key comes from the
/// gateway itself, and that is said.
///
/// Exit status: 0 it holds, 3 the gateway has no proof or another log, 4 it does not hold.
#[derive(Debug, Args)]
pub struct CheckpointArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,

    /// A checkpoint that you kept from before
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,

    /// Public keys that you trust: a file with a C2SP policy, or with one verifier key per line
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,

    /// File to write the new checkpoint to
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What came of it, beside a fault.
enum Held {
    Yes,
    NotShown(String),
    No(String),
}

pub(super) async fn run(args: CheckpointArgs) -> ExitCode {
    match check(&args).await {
        Ok(Held::Yes) => ExitCode::SUCCESS,
        Ok(Held::NotShown(why)) => {
            say(format_args!("not shown: {why}"));
            ExitCode::from(3)
        }
        Ok(Held::No(why)) => {
            say(format_args!("DOES NOT HOLD: {why}"));
            ExitCode::from(4)
        }
        Err(fault) => failed(fault),
    }
}

async fn check(args: &CheckpointArgs) -> Result<Held, String> {
    let policy = args.trust.as_deref().map(super::trusted).transpose()?;
    let before = args.since.as_deref().map(std::fs::read_to_string).transpose();
    let before = before.map_err(|fault| format!("cannot read the earlier checkpoint: {fault}"))?;
    let profile = Profile::load(&args.profile).map_err(|fault| fault.to_string())?;
    let mut client = profile.connect().await.map_err(|fault| fault.to_string())?.audit();
    // The gateway is told the size of then; what it proves is compared with the root of then here.
    let unread = before.as_deref().map(unverified).transpose()?;
    let request = proto::GetCheckpointRequest { since_size: unread.as_ref().map_or(0, |then| then.size) };
    let answer = client.get_checkpoint(request).await.map_err(|status| words::refusal(&status))?.into_inner();
    let keys = match &policy {
        Some(policy) => Policy::logs(policy).to_vec(),
        None => vec![answer.verifier_key.parse::<VerifierKey>().map_err(|fault| fault.to_string())?],
    };
    let (now, _) = match Checkpoint::open(&answer.checkpoint, &keys) {
        Ok(now) => now,
        Err(fault) => return Ok(Held::No(format!("the new checkpoint: {fault}"))),
    };
    if let Some(out) = &args.out {
        std::fs::write(out, &answer.checkpoint)
            .map_err(|fault| format!("cannot write `{}`: {fault}", out.display()))?;
    }
    let anchored =
        if policy.is_some() { "key as given" } else { "key from the gateway itself, not anchored" };
    say(format_args!(
        "log `{}` at size {}, root {}; {anchored}",
        now.origin,
        now.size,
        hex::encode(now.root)
    ));
    let (Some(text), Some(unread)) = (before, unread) else { return Ok(Held::Yes) };
    let then = match Checkpoint::open(&text, &keys) {
        Ok((then, _)) => then,
        Err(_) if unread.origin != now.origin => {
            return Ok(Held::NotShown(format!("the earlier checkpoint is of the log `{}`", unread.origin)));
        }
        Err(fault) => return Ok(Held::No(format!("the earlier checkpoint: {fault}"))),
    };
    if then.origin != now.origin {
        return Ok(Held::NotShown(format!("the earlier checkpoint is of the log `{}`", then.origin)));
    }
    if then.size > now.size {
        return Ok(Held::No(format!("the log had {} entries, and has {} now", then.size, now.size)));
    }
    let proof: Option<Vec<Hash>> =
        answer.consistency.iter().map(|hash| hash.as_slice().try_into().ok()).collect();
    let proof = proof.ok_or("the gateway gave a proof that is none")?;
    match verify_consistency(then.size, now.size, &then.root, &now.root, &proof) {
        Ok(()) => {
            say(format_args!("its first {} entries are those of the earlier checkpoint", then.size));
            Ok(Held::Yes)
        }
        Err(_) => Ok(Held::No("the log does not begin with the log of the earlier checkpoint".to_owned())),
    }
}

/// What a checkpoint says, before anybody has checked who says so.
fn unverified(text: &str) -> Result<Checkpoint, String> {
    let note = crate::note::Note::parse(text).map_err(|fault| format!("the earlier checkpoint: {fault}"))?;
    Checkpoint::parse(note.unverified_text()).map_err(|fault| format!("the earlier checkpoint: {fault}"))
}
