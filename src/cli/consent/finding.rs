//! Finding: forms, what ends soon, letters, FHIR, and what left a source.

use std::path::PathBuf;

use clap::Args;

use super::{recording::eprint_report, service};
use crate::{
    cli::{say, words},
    consent::fhir,
    domain::{Bsn, Timestamp},
    proto,
};

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

/// List the forms of a client that you recorded
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// The client; `-` reads the number from standard input
    #[arg(long)]
    bsn: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// List your grants that end soon, to ask the client anew in time
#[derive(Debug, Args)]
pub struct ExpiringArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Within so many days, 1 to 366
    #[arg(long, default_value_t = 60, value_name = "DAYS")]
    within: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Print the letter for the client: who may ask what, until when, and how to stop it
#[derive(Debug, Args)]
pub struct LetterArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// `nl` or `en`
    #[arg(long, default_value = "nl")]
    lang: String,
    /// As a page to print
    #[arg(long)]
    html: bool,
    /// Id of the form
    form_id: String,
}

/// Print a form as a FHIR R4 Consent
///
/// What has no place in FHIR is said on standard error (docs/fhir.md).
#[derive(Debug, Args)]
pub struct ExportFhirArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// The client's number, to put into the Patient; `-` reads it from standard input. Left out, the Patient is masked
    #[arg(long)]
    bsn: Option<String>,
    /// Id of the form
    form_id: String,
}

/// List what left you as a source: when, to whom, which fields
#[derive(Debug, Args)]
pub struct DisclosuresArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// About this client alone; `-` reads the number from standard input
    #[arg(long)]
    bsn: Option<String>,
    /// Print one JSON object per line
    #[arg(long)]
    json: bool,
}

fn number(argument: Option<&str>) -> Result<String, String> {
    argument.map_or_else(|| Ok(String::new()), |bsn| words::bsn(bsn).map_err(|fault| fault.to_string()))
}

pub(super) async fn show(args: ShowArgs) -> Result<(), String> {
    let mut client = service(&args.profile).await?;
    let found = match (args.form_id, args.bsn) {
        (Some(form_id), _) => {
            let found = client.get_consent(proto::GetConsentRequest { form_id }).await;
            found.map(|found| proto::ListConsentsResponse { consents: vec![found.into_inner()] })
        }
        (None, bsn) => {
            let bsn = number(bsn.as_deref())?;
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
        for refused in &consent.refusals {
            say(format_args!(
                "  refused: {} may have nothing for {} from {}",
                refused.recipient, refused.purpose, refused.source
            ));
        }
    }
    Ok(())
}

pub(super) async fn list(args: ListArgs) -> Result<(), String> {
    show(ShowArgs { profile: args.profile, form_id: None, bsn: Some(args.bsn), json: args.json }).await
}

pub(super) async fn expiring(args: &ExpiringArgs) -> Result<(), String> {
    let request = proto::ListExpiringRequest { within_days: args.within };
    let found = service(&args.profile).await?.list_expiring(request).await;
    let found = found.map_err(|status| words::refusal(&status))?.into_inner();
    if args.json {
        say(words::json("sluis.v1.ListExpiringResponse", &found));
        return Ok(());
    }
    if found.grants.is_empty() {
        say(format_args!("nothing ends within {} days", args.within));
    }
    for grant in &found.grants {
        let until = day(grant.valid_until.as_ref());
        say(format_args!("{until}  grant {} of form {}", grant.grant_id, grant.form_id));
    }
    Ok(())
}

pub(super) async fn letter(args: LetterArgs) -> Result<(), String> {
    let request = proto::GetConsentLetterRequest { form_id: args.form_id, language: args.lang };
    let letter = service(&args.profile).await?.get_consent_letter(request).await;
    let letter = letter.map_err(|status| words::refusal(&status))?.into_inner();
    say((if args.html { letter.html } else { letter.text }).trim_end());
    Ok(())
}

pub(super) async fn export_fhir(args: ExportFhirArgs) -> Result<(), String> {
    let bsn = number(args.bsn.as_deref())?;
    let bsn = (!bsn.is_empty()).then(|| Bsn::parse(&bsn)).transpose();
    let bsn = bsn.map_err(|fault| format!("bsn {fault}"))?;
    let request = proto::GetConsentRequest { form_id: args.form_id };
    let found = service(&args.profile).await?.get_consent(request).await;
    let found = found.map_err(|status| words::refusal(&status))?.into_inner();
    let record = words::json("sluis.v1.Consent", &found);
    let (bundle, report) = fhir::export(&record, bsn.as_ref()).map_err(|fault| fault.to_string())?;
    eprint_report(&report);
    let text = serde_json::to_string_pretty(&bundle).map_err(|_| "the form cannot be written".to_owned())?;
    say(text);
    Ok(())
}

pub(super) async fn disclosures(args: &DisclosuresArgs) -> Result<(), String> {
    let bsn = number(args.bsn.as_deref())?;
    let mut client = service(&args.profile).await?;
    let mut page_token = String::new();
    let mut none = true;
    loop {
        let request = proto::ListDisclosuresRequest { bsn: bsn.clone(), page_size: 500, page_token };
        let page = client.list_disclosures(request).await;
        let page = page.map_err(|status| words::refusal(&status))?.into_inner();
        for left in &page.disclosures {
            none = false;
            if args.json {
                say(words::json("sluis.v1.DisclosureRecord", left));
            } else {
                tell_disclosure(left);
            }
        }
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    if none && !args.json {
        say("nothing left");
    }
    Ok(())
}

pub(super) fn tell_disclosure(left: &proto::DisclosureRecord) {
    let time = left.time.as_ref().map(|time| Timestamp::from_proto(time).to_string()).unwrap_or_default();
    say(format_args!(
        "{time}  log position {}: {} as {} for {} under grant {}",
        left.log_position, left.recipient, left.role, left.purpose, left.grant_id
    ));
    say(format_args!("    {}", left.fields.join(" ")));
}

fn day(time: Option<&prost_types::Timestamp>) -> String {
    time.map(|time| Timestamp::from_proto(time).day().to_string()).unwrap_or_default()
}

/// A grant, for a person.
pub(super) fn tell(grant: &proto::Grant) {
    let status = grant.status().as_str_name().replace("GRANT_STATUS_", "").to_lowercase();
    let status =
        if status == "unspecified" { "status is not told to a recipient".to_owned() } else { status };
    say(format_args!("  grant {}: {status}", grant.grant_id));
    say(format_args!(
        "    {} as {} may have, for {}, from {}:",
        grant.recipient, grant.role, grant.purpose, grant.source
    ));
    say(format_args!(
        "    {}  from {} until {}",
        grant.fields.join(" "),
        day(grant.valid_from.as_ref()),
        day(grant.valid_until.as_ref())
    ));
    for (what, codes) in [("struck out on the form", &grant.excluded), ("struck out since", &grant.struck)] {
        if !codes.is_empty() {
            say(format_args!("    {what}: {}", codes.join(" ")));
        }
    }
    if grant.uses > 0 {
        say(format_args!("    used {} of {} times", grant.used, grant.uses));
    }
    if !grant.renews.is_empty() {
        say(format_args!("    renews grant {}", grant.renews));
    }
    for event in &grant.events {
        let on = event.time.as_ref().map(|time| Timestamp::from_proto(time).to_string());
        say(format_args!(
            "    {} {} (log position {})",
            on.unwrap_or_default(),
            event.kind,
            event.log_position
        ));
    }
}
