//! `sluis agreement`: signing agreements (convenanten) and looking at what they are worth today.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{failed, say};
use crate::{
    consent::signing_key,
    domain::{Clock, Day, Oin},
    identity::{
        Agreement, ReadAs,
        register::{
            Examined, RegisterFault,
            sign::{Signer, sign},
        },
    },
    replace::{Readers, replace},
};

/// Sign agreements between a source and a requester, and check them
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of each command stands with its arguments")]
pub enum AgreementCommand {
    Sign(SignArgs),
    #[command(visible_alias = "list")]
    Check(CheckArgs),
}

#[derive(Debug, Args)]
struct Files {
    /// The register of participants
    #[arg(long, value_name = "FILE")]
    participants: PathBuf,
    /// The register of agreements
    #[arg(long, value_name = "FILE")]
    agreements: PathBuf,
}

/// Sign an agreement as one of its parties
///
/// Writes the signature into the file of agreements, in place of an older one by the same party, and leaves everything
/// else in the file as it is. What is signed is every term of the agreement; a change of any of them needs both signatures
/// anew. The key must be registered with the party, and hold on the agreement's first day.
#[derive(Debug, Args)]
pub struct SignArgs {
    #[command(flatten)]
    files: Files,
    /// Id of the agreement
    #[arg(long)]
    id: String,
    /// Who signs: the source or the requester of the agreement
    #[arg(long = "as", value_name = "OIN")]
    signer: Oin,
    /// Name under which the signing key is registered
    #[arg(long)]
    kid: String,
    /// The signing key: Ed25519, PKCS#8, PEM, as `sluis consent key` makes it
    #[arg(long, value_name = "PEM")]
    key: PathBuf,
}

/// Show each agreement with its state today, and everything that is wrong with them
///
/// Exits with 1 if anything is wrong; a gateway would take none of them then. An agreement that has lapsed is no fault:
/// its state says so, and nothing is exchanged under it.
#[derive(Debug, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    files: Files,
    /// The gateway's `origin`, without the year: the region that the agreements are for
    #[arg(long)]
    origin: String,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

pub(super) fn run(command: AgreementCommand, clock: &dyn Clock) -> ExitCode {
    match command {
        AgreementCommand::Sign(args) => match sign_file(&args) {
            Ok(done) => {
                say(done);
                ExitCode::SUCCESS
            }
            Err(fault) => failed(fault),
        },
        AgreementCommand::Check(args) => check(&args, clock.now().day()),
    }
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|fault| format!("cannot read `{}`: {fault}", path.display()))
}

fn sign_file(args: &SignArgs) -> Result<String, String> {
    let (participants, agreements) = (read(&args.files.participants)?, read(&args.files.agreements)?);
    let key = signing_key::read(&args.key).map_err(|fault| fault.to_string())?;
    let signer = Signer { oin: args.signer, kid: &args.kid, key: &key };
    let signed = sign(&participants, &agreements, &args.id, signer).map_err(|fault| fault.to_string())?;
    let path = &args.files.agreements;
    replace(path, Readers::Usual, signed.text.as_bytes())
        .map_err(|fault| format!("cannot write `{}`: {fault}", path.display()))?;
    Ok(format!("{} is signed by the {} {} with the key {}", args.id, signed.party, args.signer, args.kid))
}

fn check(args: &CheckArgs, today: Day) -> ExitCode {
    let read_as = ReadAs::Gateway(&args.origin);
    let examined = Examined::load(&args.files.participants, &args.files.agreements, read_as);
    let (agreements, faults) = match examined {
        Ok(Examined { agreements, faults, .. }) => (agreements, faults),
        Err(faults) => (Vec::new(), faults),
    };
    for agreement in &agreements {
        if args.json { say(as_json(agreement, today)) } else { say(as_text(agreement, today)) }
    }
    for fault in faults.iter() {
        let RegisterFault { file, item, what } = fault;
        if args.json {
            say(json!({ "fault": what, "file": file.to_string(), "item": item }));
        } else {
            say(format_args!("FAULT  {fault}"));
        }
    }
    if faults.iter().next().is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Days until the review; fewer than none once it has passed.
fn days_to_review(agreement: &Agreement, today: Day) -> i64 {
    (agreement.terms.review - today).whole_days()
}

fn as_json(agreement: &Agreement, today: Day) -> serde_json::Value {
    let (terms, signatures) = (&agreement.terms, &agreement.signatures);
    json!({
        "agreement": terms.id,
        "state": agreement.state(today).as_str(),
        "source": terms.source,
        "requester": terms.requester,
        "purposes": terms.purposes,
        "fields": terms.codes(),
        "starts": terms.starts.to_string(),
        "ends": terms.ends.to_string(),
        "review": terms.review.to_string(),
        "days_to_review": days_to_review(agreement, today),
        "renews": terms.renews,
        "renewed_from": agreement.renewed_from.map(|day| day.to_string()),
        "signed_by": { "source": signatures.source.kid, "requester": signatures.requester.kid },
    })
}

fn as_text(agreement: &Agreement, today: Day) -> String {
    let (terms, signatures) = (&agreement.terms, &agreement.signatures);
    let days = days_to_review(agreement, today);
    let review = if days < 0 { format!("{} days ago", -days) } else { format!("in {days} days") };
    let mut text = format!(
        "{}  {}  {} answers {}, {} to {}, review {} ({review}), signed with {} and {}",
        terms.id,
        agreement.state(today).as_str(),
        terms.source,
        terms.requester,
        terms.starts,
        terms.ends,
        terms.review,
        signatures.source.kid,
        signatures.requester.kid
    );
    if let Some(renews) = &terms.renews {
        text.push_str(&format!(", renews {renews}"));
    }
    if let Some(from) = agreement.renewed_from {
        text.push_str(&format!(", renewed from {from}"));
    }
    text
}
