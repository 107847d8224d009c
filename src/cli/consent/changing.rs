//! What becomes of a consent: confirm, reconfirm, pause, resume, withdraw, invalidate.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{connect, finding::tell_disclosure, load, service};
use crate::{
    cli::{say, words},
    consent::{
        form::Context,
        jws,
        reconfirmation::{RECONFIRMATION_TYPE, Reconfirmation},
    },
    domain::{Clock, FormId, Oin, Role, time::parse_day},
    proto,
};

/// Confirm a grant, as its source
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Id of the grant
    grant_id: String,
}

/// Record that the client confirmed a form where he was free
///
/// For a form signed at an intake, an access decision, an application for a benefit or a hearing (R13): nothing is
/// released under it until the client has confirmed it on a later day, in another context.
#[derive(Debug, Args)]
pub struct ReconfirmArgs {
    /// Your profile, with a `[signing]` section
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Your OIN
    #[arg(long)]
    recorder: String,
    /// `GUIDANCE_TALK`, `THREE_WAY_TALK` or `CLIENT_INITIATIVE`
    #[arg(long)]
    context: String,
    /// Day of that talk, `yyyy-mm-dd`
    #[arg(long, value_name = "DAY")]
    on: String,
    /// Role of who spoke with him, such as `ggz.trajectbegeleider`
    #[arg(long, value_name = "ROLE")]
    with: String,
    /// Id of the form
    form_id: String,
}

/// Which grants: one, or all of a form.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// One grant
    #[arg(long, value_name = "ID")]
    grant: Option<String>,
    /// All grants of a form
    #[arg(long, value_name = "ID")]
    form: Option<String>,
}

/// Stop a grant or a form for a time, as its recorder or source
#[derive(Debug, Args)]
pub struct PauseArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Lift a pause that you put on
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Withdraw consent, at once
///
/// No reason is asked, and repeating it is harmless. Prints the position in the log: what stands after it was decided
/// without these grants. By client the answer is always the same, whether or not there was anything to withdraw.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("selected").required(true))]
pub struct WithdrawArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// One grant
    #[arg(long, group = "selected", value_name = "ID")]
    grant: Option<String>,
    /// All grants of a form
    #[arg(long, group = "selected", value_name = "ID")]
    form: Option<String>,
    /// Everything of this client that you recorded or are a source of; `-` reads the number from standard input
    #[arg(long, group = "selected")]
    bsn: Option<String>,
    /// With `--bsn`: everything of the client, whoever recorded it, because he says so
    #[arg(long, requires = "bsn")]
    everything: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Say that a form or grant should never have been recorded
///
/// Ends it at once, and lists what was released under it: a possible breach, which the gateway's officer is told of too.
#[derive(Debug, Args)]
pub struct InvalidateArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    #[command(flatten)]
    which: Which,
    /// Why
    #[arg(long)]
    reason: Reason,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reason {
    WrongPerson,
    WrongForm,
    NotSigned,
}

/// Stop everything of yours as a source, for all clients, grants to come included
#[derive(Debug, Args)]
pub struct PauseSourceArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
}

/// Go on as a source
#[derive(Debug, Args)]
pub struct ResumeSourceArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
}

/// The selector of a message that takes a grant or a form.
macro_rules! grant_or_form {
    ($which:expr, $of:ident) => {
        match ($which.grant, $which.form) {
            (Some(grant), _) => Some(proto::$of::Selector::GrantId(grant)),
            (None, form) => form.map(proto::$of::Selector::FormId),
        }
    };
}

fn done(what: &str, position: u64) {
    say(format_args!("{what}, log position {position}"));
}

pub(super) async fn confirm(args: ConfirmArgs) -> Result<(), String> {
    let request = proto::ConfirmGrantRequest { grant_id: args.grant_id };
    let answer = service(&args.profile).await?.confirm_grant(request).await;
    let answer = answer.map_err(|status| words::refusal(&status))?;
    done("confirmed", answer.into_inner().log_position);
    Ok(())
}

pub(super) async fn reconfirm(args: ReconfirmArgs, clock: &dyn Clock) -> Result<(), String> {
    let profile = load(&args.profile)?;
    let (kid, key) = profile.signing_key().map_err(|fault| fault.to_string())?;
    let confirmed_on = match args.on.as_str() {
        "today" => clock.now().day(),
        text => parse_day(text).map_err(|fault| format!("--on {fault}"))?,
    };
    let reconfirmation = Reconfirmation {
        form: args.form_id.parse::<FormId>().map_err(|fault| format!("form id {fault}"))?,
        recorder: args.recorder.parse::<Oin>().map_err(|fault| format!("--recorder {fault}"))?,
        context: Context::parse(&args.context).map_err(|fault| format!("--context {fault}"))?,
        confirmed_on,
        confirmed_with: args.with.parse::<Role>().map_err(|fault| format!("--with {fault}"))?,
    };
    let payload = reconfirmation.payload().map_err(|_| "it cannot be signed".to_owned())?;
    let signed = jws::sign(&payload, RECONFIRMATION_TYPE, &kid, &key);
    let reconfirmation = signed.map_err(|_| "it cannot be signed".to_owned())?;
    let request = proto::ReconfirmConsentRequest { reconfirmation };
    let answer = connect(&profile).await?.consent().reconfirm_consent(request).await;
    let answer = answer.map_err(|status| words::refusal(&status))?;
    done("reconfirmed", answer.into_inner().log_position);
    Ok(())
}

pub(super) async fn pause(args: PauseArgs) -> Result<(), String> {
    let selector = grant_or_form!(args.which, pause_consent_request);
    let answer = service(&args.profile).await?.pause_consent(proto::PauseConsentRequest { selector }).await;
    let answer = answer.map_err(|status| words::refusal(&status))?;
    done("paused", answer.into_inner().log_position);
    Ok(())
}

pub(super) async fn resume(args: ResumeArgs) -> Result<(), String> {
    let selector = grant_or_form!(args.which, resume_consent_request);
    let answer = service(&args.profile).await?.resume_consent(proto::ResumeConsentRequest { selector }).await;
    let answer = answer.map_err(|status| words::refusal(&status))?;
    done("resumed", answer.into_inner().log_position);
    Ok(())
}

pub(super) async fn withdraw(args: WithdrawArgs) -> Result<(), String> {
    use proto::withdraw_consent_request::Selector;
    let selector = match (args.grant, args.form, args.bsn) {
        (Some(grant), ..) => Selector::GrantId(grant),
        (None, Some(form), _) => Selector::FormId(form),
        (None, None, bsn) => {
            let bsn = words::bsn(bsn.as_deref().unwrap_or_default()).map_err(|fault| fault.to_string())?;
            if args.everything { Selector::EverythingOfBsn(bsn) } else { Selector::Bsn(bsn) }
        }
    };
    let request = proto::WithdrawConsentRequest { selector: Some(selector) };
    let withdrawn = service(&args.profile).await?.withdraw_consent(request).await;
    let withdrawn = withdrawn.map_err(|status| words::refusal(&status))?.into_inner();
    if args.json {
        say(words::json("sluis.v1.WithdrawConsentResponse", &withdrawn));
    } else {
        done("withdrawn", withdrawn.log_position);
    }
    Ok(())
}

pub(super) async fn invalidate(args: InvalidateArgs) -> Result<(), String> {
    let reason = match args.reason {
        Reason::WrongPerson => proto::InvalidationReason::WrongPerson,
        Reason::WrongForm => proto::InvalidationReason::WrongForm,
        Reason::NotSigned => proto::InvalidationReason::NotSigned,
    };
    let selector = grant_or_form!(args.which, invalidate_consent_request);
    let request = proto::InvalidateConsentRequest { selector, reason: reason.into() };
    let answer = service(&args.profile).await?.invalidate_consent(request).await;
    let answer = answer.map_err(|status| words::refusal(&status))?.into_inner();
    if args.json {
        say(words::json("sluis.v1.InvalidateConsentResponse", &answer));
        return Ok(());
    }
    done("invalidated", answer.log_position);
    if answer.disclosures.is_empty() {
        say("nothing was released under it");
    } else {
        say(
            "released under it, and a possible breach (AVG 33: report within 72 hours where there is a risk):",
        );
        answer.disclosures.iter().for_each(tell_disclosure);
    }
    Ok(())
}

pub(super) async fn pause_source(args: &PauseSourceArgs) -> Result<(), String> {
    let answer = service(&args.profile).await?.pause_source(proto::PauseSourceRequest {}).await;
    let answer = answer.map_err(|status| words::refusal(&status))?;
    done("everything of this source is paused", answer.into_inner().log_position);
    Ok(())
}

pub(super) async fn resume_source(args: &ResumeSourceArgs) -> Result<(), String> {
    let answer = service(&args.profile).await?.resume_source(proto::ResumeSourceRequest {}).await;
    let answer = answer.map_err(|status| words::refusal(&status))?;
    done("this source goes on", answer.into_inner().log_position);
    Ok(())
}
