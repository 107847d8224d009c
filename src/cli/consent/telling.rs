//! Watching what happens.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::service;
use crate::{
    cli::{say, words},
    domain::Timestamp,
    proto::{self, consent_notice::Notice},
};

/// How long `--once` waits for more.
const QUIET: Duration = Duration::from_secs(2);

/// Watch what happens to your grants
///
/// A recorder and a source hear of it as it happens; a recipient hears once a day what it was given and shall no longer
/// use, and not why. Goes on where you acknowledged.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Begin after this cursor
    #[arg(long, default_value = "", value_name = "CURSOR")]
    after: String,
    /// Acknowledge each notice once it is printed
    #[arg(long)]
    acknowledge: bool,
    /// End when there is nothing more, instead of waiting for it
    #[arg(long)]
    once: bool,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) async fn watch(args: WatchArgs) -> Result<(), String> {
    let mut client = service(&args.profile).await?;
    let mut after = args.after;
    loop {
        let request = proto::WatchConsentEventsRequest { after: after.clone() };
        let notices = client.watch_consent_events(request).await;
        let mut notices = notices.map_err(|status| words::refusal(&status))?.into_inner();
        loop {
            let next = if args.once {
                match tokio::time::timeout(QUIET, notices.message()).await {
                    Ok(next) => next,
                    Err(_) => return Ok(()),
                }
            } else {
                notices.message().await
            };
            let Some(notice) = next.map_err(|status| words::refusal(&status))? else { break };
            if args.json {
                say(words::json("sluis.v1.ConsentNotice", &notice));
            } else {
                tell(&notice);
            }
            after.clone_from(&notice.cursor);
            if args.acknowledge {
                let request = proto::AcknowledgeConsentEventsRequest { cursor: notice.cursor };
                let done = client.acknowledge_consent_events(request).await;
                done.map_err(|status| words::refusal(&status))?;
            }
        }
        if args.once {
            return Ok(());
        }
    }
}

fn tell(notice: &proto::ConsentNotice) {
    match &notice.notice {
        Some(Notice::Grant(grant)) => {
            let time = grant.time.as_ref().map(|time| Timestamp::from_proto(time).to_string());
            say(format_args!(
                "{}  {} {}: grant {} of form {}",
                notice.cursor,
                time.unwrap_or_default(),
                grant.kind,
                grant.grant_id,
                grant.form_id
            ));
        }
        Some(Notice::Ended(ended)) => {
            let positions: Vec<_> = ended.log_positions.iter().map(ToString::to_string).collect();
            say(format_args!(
                "{}  {}: no longer use the answers at log positions {}",
                notice.cursor,
                ended.day,
                positions.join(" ")
            ));
        }
        None => {}
    }
}
