//! `sluis request`: asks as a requester would.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use super::{failed, say, words};
use crate::{
    audit::receipt::ReceiptFile,
    client::{Client, Profile},
    domain::{RequestId, UserId},
    proto,
};

/// Ask for a client's work capacity for one purpose
///
/// Prints what each source released, field by field; which fields the policy never gives this role for this purpose
/// (above the ceiling); and which were not provided. The last has one meaning only and may not be read as a lack of
/// co-operation of the client. With --list: what your roles may ask.
///
/// Exit status 0 means answered, also where nothing was provided; 1 means refused, with the reason.
#[derive(Debug, Args)]
pub struct RequestArgs {
    /// Your profile: gateway, certificates (see docs/configuration.md)
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,

    /// List what your roles may ask, and ask nothing
    #[arg(long)]
    list: bool,

    /// The client's citizen service number; `-` reads it from standard input, where other users do not see it
    #[arg(long, required_unless_present = "list")]
    bsn: Option<String>,

    /// The one purpose, such as REINTEGRATION
    #[arg(long, required_unless_present = "list")]
    purpose: Option<String>,

    /// The role that asks, such as gem.klantmanager
    #[arg(long, required_unless_present = "list")]
    role: Option<String>,

    /// Fields or groups, separated by commas, such as working_hours,support.job_coach_needed
    #[arg(long, value_delimiter = ',', required_unless_present = "list")]
    fields: Vec<String>,

    /// Why the client cannot give it himself: CLIENT_CANNOT_STATE, CLIENT_PREFERS_EXCHANGE,
    /// PROFESSIONAL_ASSESSMENT_NEEDED or REPETITION_BURDENS_CLIENT
    #[arg(long, default_value = "PROFESSIONAL_ASSESSMENT_NEEDED", value_name = "CODE")]
    necessity: String,

    /// Your pseudonym of the user who asks, a random UUID [default: a new one]
    #[arg(long, value_name = "UUID")]
    user: Option<String>,

    /// Your case, a random UUID
    #[arg(long, value_name = "UUID")]
    case: Option<String>,

    /// Check what does not depend on the client, and ask nothing
    #[arg(long)]
    validate_only: bool,

    /// Write the receipt, with the answer it vouches for, to this new file; `sluis audit verify` checks it
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: RequestArgs) -> ExitCode {
    // Looked at before anything is asked: an answer without its receipt would be lost, and so would an older receipt.
    if let Some(path) = args.receipt.as_deref().filter(|path| path.exists()) {
        return failed(format_args!("`{}` exists already; give a new file for the receipt", path.display()));
    }
    let client = match Profile::load(&args.profile) {
        Ok(profile) => profile.connect().await,
        Err(fault) => Err(fault),
    };
    let client = match client {
        Ok(client) => client,
        Err(fault) => return failed(fault),
    };
    if args.list { list(&client, args.json).await } else { ask(&client, args).await }
}

async fn list(client: &Client, json: bool) -> ExitCode {
    let listed = client.exchange().list_my_purposes(proto::ListMyPurposesRequest {}).await;
    let listed = match listed {
        Ok(listed) => listed.into_inner(),
        Err(status) => return failed(words::refusal(&status)),
    };
    if json {
        say(words::json("sluis.v1.ListMyPurposesResponse", &listed));
        return ExitCode::SUCCESS;
    }
    for row in listed.purposes {
        say(format_args!("{}  {}  ({})", row.role, row.purpose, row.label_nl));
        say(format_args!("  at most: {}", row.ceiling.unwrap_or_default().paths.join(" ")));
        say(format_args!("  legal basis for receiving: {}", row.legal_basis_receipt));
    }
    ExitCode::SUCCESS
}

async fn ask(client: &Client, args: RequestArgs) -> ExitCode {
    let bsn = match words::bsn(args.bsn.as_deref().unwrap_or_default()) {
        Ok(bsn) => bsn,
        Err(fault) => return failed(fault),
    };
    let necessity = proto::Necessity::from_str_name(&format!("NECESSITY_{}", args.necessity));
    let request = proto::RequestWorkCapacityRequest {
        request_id: RequestId::random().to_string(),
        bsn,
        purpose: args.purpose.unwrap_or_default(),
        role: args.role.unwrap_or_default(),
        user_id: args.user.unwrap_or_else(|| UserId::random().to_string()),
        fields: Some(prost_types::FieldMask { paths: args.fields }),
        necessity: necessity.unwrap_or_default().into(),
        case_id: args.case.unwrap_or_default(),
        validate_only: args.validate_only,
    };
    let answer = match client.exchange().request_work_capacity(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return failed(words::refusal(&status)),
    };
    if let Some(path) = &args.receipt {
        let written = ReceiptFile::from_answer(&answer).and_then(|receipt| receipt.write(path));
        if let Err(fault) = written {
            return failed(fault);
        }
    }
    if args.json {
        say(words::json("sluis.v1.RequestWorkCapacityResponse", &answer));
    } else {
        tell(&answer);
    }
    ExitCode::SUCCESS
}

fn tell(answer: &proto::RequestWorkCapacityResponse) {
    say(format_args!("request {} for {}", answer.request_id, answer.purpose));
    for disclosure in &answer.disclosures {
        let source = disclosure.source.clone().unwrap_or_default();
        say(format_args!("from {} ({})", source.name, source.oin));
        let work_capacity = disclosure.work_capacity.clone().unwrap_or_default();
        for line in words::fields(&work_capacity) {
            say(format_args!("  {line}"));
        }
        for line in words::assessments(&work_capacity) {
            say(format_args!("  {line}"));
        }
        let duties = disclosure.duties.clone().unwrap_or_default();
        let until = duties.use_until.as_ref().map(crate::domain::Timestamp::from_proto);
        let until = until.map(|until| until.day().to_string()).unwrap_or_default();
        say(format_args!(
            "  use for {} only, until {until}, not to be passed on; questions: {}, {}",
            duties.purpose, source.contact_role, source.contact_phone
        ));
    }
    let paths = |mask: &Option<prost_types::FieldMask>| {
        mask.as_ref().map(|mask| mask.paths.join(" ")).unwrap_or_default()
    };
    let (above, missing) = (paths(&answer.above_ceiling), paths(&answer.not_provided));
    if !above.is_empty() {
        say(format_args!("never given for this purpose and role: {above}"));
    }
    if !missing.is_empty() {
        say(format_args!("not provided: {missing}"));
        say("  this says nothing about the client; ask him, or propose a three-way talk");
    }
}
