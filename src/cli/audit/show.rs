//! `sluis audit show`: an officer's look, through the gateway, which logs it.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::{
    cli::{failed, say, words},
    client::Profile,
    domain::Timestamp,
    proto,
};

/// Look into the log as a privacy officer
///
/// The gateway's own officer sees every entry; the officer of a requester sees the entries of his organisation, and of
/// an outcome what his organisation was told. Each look is itself an entry. Give a position for one entry with its proof;
/// without one, the newest entries that match.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,

    /// Position of one entry
    position: Option<u64>,

    /// Of this requester
    #[arg(long, value_name = "OIN")]
    requester: Option<String>,

    /// For this purpose
    #[arg(long)]
    purpose: Option<String>,

    /// Of this kind, such as outcome
    #[arg(long)]
    kind: Option<String>,

    /// Not before this time, such as 2026-11-23T09:30:00Z
    #[arg(long, value_name = "TIME", value_parser = |text: &str| Timestamp::parse(text))]
    from: Option<Timestamp>,

    /// Before this time
    #[arg(long, value_name = "TIME", value_parser = |text: &str| Timestamp::parse(text))]
    until: Option<Timestamp>,

    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,

    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: ShowArgs) -> ExitCode {
    let client = match Profile::load(&args.profile) {
        Ok(profile) => profile.connect().await,
        Err(fault) => Err(fault),
    };
    let mut client = match client {
        Ok(client) => client.audit(),
        Err(fault) => return failed(fault),
    };
    let entries = match args.position {
        Some(position) => {
            let entry = client.get_entry(proto::GetEntryRequest { position }).await;
            entry.map(|entry| vec![entry.into_inner()])
        }
        None => {
            let request = proto::SearchEntriesRequest {
                from: args.from.map(Timestamp::to_proto),
                until: args.until.map(Timestamp::to_proto),
                requester: args.requester.unwrap_or_default(),
                purpose: args.purpose.unwrap_or_default(),
                kind: args.kind.unwrap_or_default(),
                page_size: args.limit,
                page_token: String::new(),
            };
            client.search_entries(request).await.map(|found| found.into_inner().entries)
        }
    };
    let entries = match entries {
        Ok(entries) => entries,
        Err(status) => return failed(words::refusal(&status)),
    };
    for entry in entries {
        if args.json {
            say(words::json("sluis.v1.AuditEntry", &entry));
            continue;
        }
        let leaf: serde_json::Value = serde_json::from_str(&entry.leaf).unwrap_or_default();
        let part =
            |name: &str| leaf.get(name).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        say(format_args!("{:>6}  {}  {}  pair {}", entry.position, part("time"), part("kind"), part("pair")));
        say(format_args!("        {}", entry.facts));
        if !entry.detail.is_empty() {
            say(format_args!("        {}", entry.detail));
        }
        say(format_args!("        in {}", entry.origin));
        if !entry.proof.is_empty() {
            say(entry.proof);
        }
    }
    ExitCode::SUCCESS
}
