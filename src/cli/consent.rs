//! `sluis consent`: what a recorder does with a client's written consent.

use std::{path::PathBuf, process::ExitCode};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};

use super::{failed, say, words};
use crate::{
    client::{Client, Profile},
    consent::{draft::FormDraft, signing_key},
    domain::Clock,
    proto::{self, withdraw_consent_request::Selector},
};

/// Record, show and withdraw written consent, and make a key to sign it with
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "the help of each command stands with its arguments")]
pub enum ConsentCommand {
    Key(KeyArgs),
    Record(RecordArgs),
    Show(ShowArgs),
    Withdraw(WithdrawArgs),
}

/// Make a signing key for forms
///
/// Writes a new Ed25519 key (PKCS#8, PEM, mode 0600) and prints the public key as the register of participants takes
/// it. An existing file is never overwritten.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// File to make
    file: PathBuf,
}

/// Record a signed form with its grants
///
/// Reads the form as JSON (demo/forms has examples; docs/consent.md explains each field), signs it and each grant with
/// your key, and records it. Every source but yourself is asked to confirm its grant. A form that is too wide, too long, above the
/// ceiling or collected where consent is not free is refused, naming the field and the rule.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Your profile, with a `[signing]` section
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// The form
    form: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Show a form that you recorded, or your grants on it as a source
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub struct ShowArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Id of the form
    #[arg(group = "which")]
    form_id: Option<String>,
    /// All forms of this client that you recorded; `-` reads the number from standard input
    #[arg(long, group = "which")]
    bsn: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Withdraw consent, at once
///
/// No reason is asked, and repeating it is harmless. Prints the position in the log: what stands after it was decided
/// without these grants. By client the answer is always the same, whether or not there was anything to withdraw.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub struct WithdrawArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// One grant
    #[arg(long, group = "which", value_name = "ID")]
    grant: Option<String>,
    /// All grants of a form
    #[arg(long, group = "which", value_name = "ID")]
    form: Option<String>,
    /// Everything of this client that you recorded or are a source of; `-` reads the number from standard input
    #[arg(long, group = "which")]
    bsn: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(command: ConsentCommand, clock: &dyn Clock) -> ExitCode {
    let done = match command {
        ConsentCommand::Key(args) => key(&args),
        ConsentCommand::Record(args) => record(args, clock).await,
        ConsentCommand::Show(args) => show(args).await,
        ConsentCommand::Withdraw(args) => withdraw(args).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(fault),
    }
}

fn key(args: &KeyArgs) -> Result<(), String> {
    let public = signing_key::create(&args.file).map_err(|fault| fault.to_string())?;
    say(URL_SAFE_NO_PAD.encode(public));
    Ok(())
}

async fn connect(profile: &Profile) -> Result<Client, String> {
    profile.connect().await.map_err(|fault| fault.to_string())
}

fn load(path: &std::path::Path) -> Result<Profile, String> {
    Profile::load(path).map_err(|fault| fault.to_string())
}

async fn record(args: RecordArgs, clock: &dyn Clock) -> Result<(), String> {
    let profile = load(&args.profile)?;
    let (kid, key) = profile.signing_key().map_err(|fault| fault.to_string())?;
    let text = std::fs::read_to_string(&args.form)
        .map_err(|fault| format!("cannot read `{}`: {fault}", args.form.display()))?;
    let signed = FormDraft::parse(&text).and_then(|draft| draft.sign(&kid, &key, clock.now().day()));
    let request = signed.map_err(|fault| fault.to_string())?;
    let recorded = connect(&profile).await?.consent().record_consent(request).await;
    let recorded = recorded.map_err(|status| words::refusal(&status))?.into_inner();
    if args.json {
        say(words::json("sluis.v1.RecordConsentResponse", &recorded));
        return Ok(());
    }
    say(format_args!("form {} recorded, log position {}", recorded.form_id, recorded.log_position));
    recorded.grants.iter().for_each(tell);
    Ok(())
}

async fn show(args: ShowArgs) -> Result<(), String> {
    let profile = load(&args.profile)?;
    let mut client = connect(&profile).await?.consent();
    let found = match (args.form_id, args.bsn) {
        (Some(form_id), _) => {
            let found = client.get_consent(proto::GetConsentRequest { form_id }).await;
            found.map(|found| proto::ListConsentsResponse { consents: vec![found.into_inner()] })
        }
        (None, bsn) => {
            let bsn = words::bsn(bsn.as_deref().unwrap_or_default()).map_err(|fault| fault.to_string())?;
            client.list_consents(proto::ListConsentsRequest { bsn }).await.map(tonic::Response::into_inner)
        }
    };
    let found = found.map_err(|status| words::refusal(&status))?;
    if args.json {
        say(words::json("sluis.v1.ListConsentsResponse", &found));
        return Ok(());
    }
    if found.consents.is_empty() {
        say("no forms");
    }
    for consent in &found.consents {
        say(format_args!(
            "form {} recorded by {}, signed on {}",
            consent.form_id, consent.recorder, consent.signed_on
        ));
        consent.grants.iter().for_each(tell);
    }
    Ok(())
}

async fn withdraw(args: WithdrawArgs) -> Result<(), String> {
    let selector = match (args.grant, args.form, args.bsn) {
        (Some(grant), ..) => Selector::GrantId(grant),
        (None, Some(form), _) => Selector::FormId(form),
        (None, None, bsn) => {
            Selector::Bsn(words::bsn(bsn.as_deref().unwrap_or_default()).map_err(|fault| fault.to_string())?)
        }
    };
    let mut client = connect(&load(&args.profile)?).await?.consent();
    let request = proto::WithdrawConsentRequest { selector: Some(selector) };
    let withdrawn = client.withdraw_consent(request).await;
    let withdrawn = withdrawn.map_err(|status| words::refusal(&status))?.into_inner();
    if args.json {
        say(words::json("sluis.v1.WithdrawConsentResponse", &withdrawn));
    } else {
        say(format_args!("withdrawn, log position {}", withdrawn.log_position));
    }
    Ok(())
}

fn tell(grant: &proto::Grant) {
    let status = grant.status().as_str_name().replace("GRANT_STATUS_", "").to_lowercase();
    let status =
        if status == "unspecified" { "status is not told to a recipient".to_owned() } else { status };
    let day = |time: &Option<prost_types::Timestamp>| {
        time.as_ref()
            .map(|time| crate::domain::Timestamp::from_proto(time).day().to_string())
            .unwrap_or_default()
    };
    say(format_args!("  grant {}: {status}", grant.grant_id));
    say(format_args!(
        "    {} as {} may have, for {}, from {}:",
        grant.recipient, grant.role, grant.purpose, grant.source
    ));
    say(format_args!(
        "    {}  from {} until {}",
        grant.fields.join(" "),
        day(&grant.valid_from),
        day(&grant.valid_until)
    ));
}
