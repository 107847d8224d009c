//! `sluis acknowledge`: the receiver of a hand-over says that it has taken the client over.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{failed, say, words};
use crate::{client::Profile, proto};

/// Acknowledge a hand-over (warme overdracht) that your organisation received
///
/// It stands in the log, once. The position is that of the outcome, as the receipt shows it.
#[derive(Debug, Args)]
pub struct AcknowledgeArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,

    /// Position of the outcome: the index in the proof of the receipt
    #[arg(long)]
    position: u64,

    /// Name of the log's shard: the first line of the checkpoint in the receipt. Needed after the log's first year
    #[arg(long, value_name = "NAME", default_value = "")]
    origin: String,
}

/// Runs it.
pub async fn run(args: AcknowledgeArgs) -> ExitCode {
    let client = match Profile::load(&args.profile) {
        Ok(profile) => profile.connect().await,
        Err(fault) => Err(fault),
    };
    let client = match client {
        Ok(client) => client,
        Err(fault) => return failed(fault),
    };
    let request = proto::AcknowledgeHandoverRequest { log_position: args.position, origin: args.origin };
    match client.exchange().acknowledge_handover(request).await {
        Ok(_) => {
            say("acknowledged");
            ExitCode::SUCCESS
        }
        Err(status) => failed(words::refusal(&status)),
    }
}
