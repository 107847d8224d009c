//! Recording: the key, the signed form, and the comparison of a kept form with its record.

use std::path::{Path, PathBuf};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use clap::Args;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::{connect, finding::tell, load, read, service};
use crate::{
    cli::{say, words},
    consent::{draft::FormDraft, fhir, signing_key},
    domain::Clock,
    identity::files::write_private,
    proto,
};

/// Make a signing key for forms
///
/// Writes a new Ed25519 key (PKCS#8, PEM, mode 0600) and prints the public key as the register of participants takes
/// it. An existing file is never overwritten.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// File to make
    file: PathBuf,
}

/// Sign a form with its grants, without recording it
///
/// For a recorder whose own system cannot sign: it takes the signed form from the file and sends it with `RecordConsent`,
/// or with `sluis consent record --signed`. The file holds the client's number and the salts, so only its owner may read
/// it; delete it once it is recorded.
#[derive(Debug, Args)]
pub struct SignArgs {
    /// Your profile, with a `[signing]` section
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// The form is a FHIR R4 Consent
    #[arg(long)]
    fhir: bool,
    /// Where to write the signed form
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The form
    form: PathBuf,
}

/// Record a signed form with its grants
///
/// Reads the form as JSON (demo/forms has examples; docs/consent.md explains each field), signs it and each grant with
/// your key, and records it. Every source but yourself is asked to confirm its grant. A form that is too wide, too long or
/// above the ceiling is refused, naming the field and the rule.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Your profile, with a `[signing]` section
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// The form is a FHIR R4 Consent; what of it has no place is said
    #[arg(long)]
    fhir: bool,
    /// The form was signed with `sluis consent sign`
    #[arg(long, conflicts_with = "fhir")]
    signed: bool,
    /// Only check it: nothing is recorded, and no source is asked
    #[arg(long)]
    dry_run: bool,
    /// The form
    form: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Compare a kept form with the record of it
///
/// Computes the SHA-256 of the file here; the file is not sent anywhere. Exits with 1 if it is another form.
#[derive(Debug, Args)]
pub struct CheckEvidenceArgs {
    /// Your profile
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Id of the recorded form
    #[arg(long, value_name = "ID")]
    form: String,
    /// The kept form, such as a scan
    file: PathBuf,
}

/// A signed form in a file.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SignedFile {
    bsn: String,
    form: String,
    grants: Vec<SignedGrantFile>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SignedGrantFile {
    jws: String,
    binding_salt: String,
}

pub(super) fn key(args: &KeyArgs) -> Result<(), String> {
    let public = signing_key::create(&args.file).map_err(|fault| fault.to_string())?;
    say(URL_SAFE_NO_PAD.encode(public));
    Ok(())
}

/// Reads a form as JSON, or as FHIR with what has no place said.
pub(super) fn draft(text: &str, is_fhir: bool) -> Result<FormDraft, String> {
    if !is_fhir {
        return FormDraft::parse(text).map_err(|fault| fault.to_string());
    }
    let resource = serde_json::from_str(text)
        .map_err(|fault| format!("not JSON: line {}, column {}", fault.line(), fault.column()))?;
    let (draft, report) = fhir::import(&resource).map_err(|fault| fault.to_string())?;
    if !report.lines.is_empty() {
        eprint_report(&report);
    }
    FormDraft::parse(&draft.to_string()).map_err(|fault| fault.to_string())
}

/// What was left out goes to the other stream, so that `--json` stays one object.
pub(super) fn eprint_report(report: &fhir::LossReport) {
    use std::io::Write as _;
    drop(writeln!(std::io::stderr(), "{report}"));
}

fn signed_request(
    profile: &Path,
    form: &Path,
    is_fhir: bool,
    clock: &dyn Clock,
) -> Result<proto::RecordConsentRequest, String> {
    let (kid, key) = load(profile)?.signing_key().map_err(|fault| fault.to_string())?;
    let draft = draft(&read(form)?, is_fhir)?;
    draft.sign(&kid, &key, clock.now().day()).map_err(|fault| fault.to_string())
}

pub(super) fn sign(args: &SignArgs, clock: &dyn Clock) -> Result<(), String> {
    let request = signed_request(&args.profile, &args.form, args.fhir, clock)?;
    let grant = |grant: proto::SignedGrant| SignedGrantFile {
        jws: grant.jws,
        binding_salt: STANDARD.encode(grant.binding_salt),
    };
    let file = SignedFile {
        bsn: request.bsn,
        form: request.form,
        grants: request.grants.into_iter().map(grant).collect(),
    };
    let text = serde_json::to_string_pretty(&file).map_err(|_| "the form cannot be written".to_owned())?;
    write_private(&args.out, &text)
        .map_err(|fault| format!("cannot write `{}`: {fault}", args.out.display()))?;
    say(format_args!(
        "signed; `{}` holds the client's number: delete it once it is recorded",
        args.out.display()
    ));
    Ok(())
}

fn from_signed(path: &Path) -> Result<proto::RecordConsentRequest, String> {
    let wrong = |what: &str| format!("`{}` {what}", path.display());
    let file: SignedFile = serde_json::from_str(&read(path)?).map_err(|fault| {
        wrong(&format!("is no signed form: line {}, column {}", fault.line(), fault.column()))
    })?;
    let mut grants = Vec::with_capacity(file.grants.len());
    for grant in file.grants {
        let salt = STANDARD.decode(&grant.binding_salt).map_err(|_| wrong("has a salt that is no base64"))?;
        grants.push(proto::SignedGrant { jws: grant.jws, binding_salt: salt });
    }
    Ok(proto::RecordConsentRequest { bsn: file.bsn, form: file.form, grants, validate_only: false })
}

pub(super) async fn record(args: RecordArgs, clock: &dyn Clock) -> Result<(), String> {
    let mut request = if args.signed {
        from_signed(&args.form)?
    } else {
        signed_request(&args.profile, &args.form, args.fhir, clock)?
    };
    request.validate_only = args.dry_run;
    let recorded = connect(&load(&args.profile)?).await?.consent().record_consent(request).await;
    let recorded = recorded.map_err(|status| words::refusal(&status))?.into_inner();
    if args.json {
        say(words::json("sluis.v1.RecordConsentResponse", &recorded));
        return Ok(());
    }
    if args.dry_run {
        say("the form would be recorded; nothing was");
        return Ok(());
    }
    say(format_args!("form {} recorded, log position {}", recorded.form_id, recorded.log_position));
    recorded.grants.iter().for_each(tell);
    Ok(())
}

pub(super) async fn check_evidence(args: CheckEvidenceArgs) -> Result<(), String> {
    let bytes = std::fs::read(&args.file)
        .map_err(|fault| format!("cannot read `{}`: {fault}", args.file.display()))?;
    let found = hex::encode(digest(&SHA256, &bytes));
    let request = proto::GetConsentRequest { form_id: args.form };
    let consent = service(&args.profile).await?.get_consent(request).await;
    let consent = consent.map_err(|status| words::refusal(&status))?.into_inner();
    if consent.evidence_sha256 != found {
        return Err(format!(
            "not the form that was recorded: its SHA-256 is {}, that of this file {found}",
            consent.evidence_sha256
        ));
    }
    let size = consent.evidence.map_or(0, |evidence| u64::from(evidence.size));
    if size != bytes.len() as u64 {
        return Err(format!(
            "the SHA-256 is the recorded one, and the length is not: {size} bytes were recorded"
        ));
    }
    say(format_args!(
        "the form that was signed on {}: SHA-256 and length are those recorded",
        consent.signed_on
    ));
    Ok(())
}
