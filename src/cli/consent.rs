//! `sluis consent`: what a recorder or a source does with clients' written consent. A file per thing they come for.

mod changing;
mod finding;
mod import;
mod recording;
mod telling;

use std::{path::Path, process::ExitCode};

use clap::Subcommand;

use super::failed;
use crate::{
    client::{Client, Profile},
    domain::Clock,
    proto::consent_service_client::ConsentServiceClient,
};

/// Record, find and withdraw written consent, and everything else of its life
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of each command stands with its arguments")]
pub enum ConsentCommand {
    Key(recording::KeyArgs),
    Sign(recording::SignArgs),
    Record(recording::RecordArgs),
    Import(import::ImportArgs),
    CheckEvidence(recording::CheckEvidenceArgs),
    Show(finding::ShowArgs),
    List(finding::ListArgs),
    Expiring(finding::ExpiringArgs),
    Letter(finding::LetterArgs),
    ExportFhir(finding::ExportFhirArgs),
    Disclosures(finding::DisclosuresArgs),
    Confirm(changing::ConfirmArgs),
    Reconfirm(changing::ReconfirmArgs),
    Pause(changing::PauseArgs),
    Resume(changing::ResumeArgs),
    Withdraw(changing::WithdrawArgs),
    Invalidate(changing::InvalidateArgs),
    PauseSource(changing::PauseSourceArgs),
    ResumeSource(changing::ResumeSourceArgs),
    Watch(telling::WatchArgs),
}

pub(super) async fn run(command: ConsentCommand, clock: &dyn Clock) -> ExitCode {
    let done = match command {
        ConsentCommand::Key(args) => recording::key(&args),
        ConsentCommand::Sign(args) => recording::sign(&args, clock),
        ConsentCommand::Record(args) => recording::record(args, clock).await,
        ConsentCommand::Import(args) => import::run(&args, clock).await,
        ConsentCommand::CheckEvidence(args) => recording::check_evidence(args).await,
        ConsentCommand::Show(args) => finding::show(args).await,
        ConsentCommand::List(args) => finding::list(args).await,
        ConsentCommand::Expiring(args) => finding::expiring(&args).await,
        ConsentCommand::Letter(args) => finding::letter(args).await,
        ConsentCommand::ExportFhir(args) => finding::export_fhir(args).await,
        ConsentCommand::Disclosures(args) => finding::disclosures(&args).await,
        ConsentCommand::Confirm(args) => changing::confirm(args).await,
        ConsentCommand::Reconfirm(args) => changing::reconfirm(args, clock).await,
        ConsentCommand::Pause(args) => changing::pause(args).await,
        ConsentCommand::Resume(args) => changing::resume(args).await,
        ConsentCommand::Withdraw(args) => changing::withdraw(args).await,
        ConsentCommand::Invalidate(args) => changing::invalidate(args).await,
        ConsentCommand::PauseSource(args) => changing::pause_source(&args).await,
        ConsentCommand::ResumeSource(args) => changing::resume_source(&args).await,
        ConsentCommand::Watch(args) => telling::watch(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(fault),
    }
}

fn load(path: &Path) -> Result<Profile, String> {
    Profile::load(path).map_err(|fault| fault.to_string())
}

async fn connect(profile: &Profile) -> Result<Client, String> {
    profile.connect().await.map_err(|fault| fault.to_string())
}

async fn service(profile: &Path) -> Result<ConsentServiceClient<tonic::transport::Channel>, String> {
    Ok(connect(&load(profile)?).await?.consent())
}

fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|fault| format!("cannot read `{}`: {fault}", path.display()))
}
