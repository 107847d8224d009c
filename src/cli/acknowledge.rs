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

    /// Position of the outcome in the log
    #[arg(long)]
    position: u64,
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
    let request = proto::AcknowledgeHandoverRequest { log_position: args.position };
    match client.exchange().acknowledge_handover(request).await {
        Ok(_) => {
            say("acknowledged");
            ExitCode::SUCCESS
        }
        Err(status) => failed(words::refusal(&status)),
    }
}
