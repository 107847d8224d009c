//! Importing many forms at once: a line of JSON for each. Sending the same file again records nothing twice: the ids of a
//! form come from its line and the recorder's key, so the gateway knows it again.

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, IsTerminal as _, Write as _},
    path::PathBuf,
};

use clap::Args;
use ring::{
    digest::{SHA256, digest},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde::{Deserialize, Serialize};
use tonic_types::StatusExt as _;

use super::{connect, load, recording::draft};
use crate::{
    cli::{say, words},
    domain::{Clock, FormId, GrantId},
    proto,
};

/// Longest line.
const MAX_LINE: usize = 256 * 1024;

/// Record many forms, one JSON object per line
///
/// Each line is a form as `sluis consent record` takes it. A line that is refused is reported and the others go on; a line
/// that was recorded before is known again and recorded once. The report has one JSON line for each form, without any
/// content of it. Exits with 1 if a line was refused.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Your profile, with a `[signing]` section
    #[arg(long, value_name = "FILE")]
    profile: PathBuf,
    /// Each line is a FHIR R4 Consent, or a Bundle with one
    #[arg(long)]
    fhir: bool,
    /// Only check: nothing is recorded, and no source is asked
    #[arg(long)]
    dry_run: bool,
    /// Skip the lines that the report says are recorded
    #[arg(long, requires = "report")]
    resume: bool,
    /// Where to write what became of each line
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The file
    file: PathBuf,
}

/// What became of a line.
#[derive(Deserialize, Serialize)]
struct Line {
    line: usize,
    /// SHA-256 of the line with the recorder's public key, to know it again.
    digest: String,
    outcome: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    form_id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    refusal: String,
}

#[derive(Default)]
struct Counts {
    recorded: usize,
    known: usize,
    skipped: usize,
    refused: usize,
}

/// The sixteen bytes of an id (RFC 9562, version 4): random to whoever does not hold the key, and the same each time for
/// the same line.
fn id(key: &Ed25519KeyPair, text: &str, number: usize) -> [u8; 16] {
    // An Ed25519 signature is a keyed and repeatable function of its text.
    let signature = key.sign(format!("sluis/v1/import-id\0{number}\0{text}").as_bytes());
    let mut bytes = [0; 16];
    let hash = digest(&SHA256, signature.as_ref());
    bytes.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
    uuid::Builder::from_random_bytes(bytes).into_uuid().into_bytes()
}

fn line_digest(key: &Ed25519KeyPair, text: &str) -> String {
    // Keyed by a signature: a plain hash of a line could be guessed from a form and a number.
    let signature = key.sign(format!("sluis/v1/import-line\0{text}").as_bytes());
    hex::encode(digest(&SHA256, &[signature.as_ref(), key.public_key().as_ref()].concat()))
}

fn done_before(args: &ImportArgs) -> Result<HashSet<String>, String> {
    let Some(path) = args.report.as_ref().filter(|path| args.resume && path.exists()) else {
        return Ok(HashSet::new());
    };
    let text = super::read(path)?;
    // A last line that was cut off is no line yet: its form is sent again, and known again.
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let done = lines.filter(|line| line.outcome == "recorded" || line.outcome == "known");
    Ok(done.map(|line| line.digest).collect())
}

pub(super) async fn run(args: &ImportArgs, clock: &dyn Clock) -> Result<(), String> {
    let profile = load(&args.profile)?;
    let (kid, key) = profile.signing_key().map_err(|fault| fault.to_string())?;
    let before = done_before(args)?;
    let mut report = match &args.report {
        None => None,
        Some(path) => {
            let mut options = OpenOptions::new();
            options.create(true).append(args.resume).write(true).truncate(!args.resume);
            let file =
                options.open(path).map_err(|fault| format!("cannot write `{}`: {fault}", path.display()))?;
            Some(file)
        }
    };
    let mut client = connect(&profile).await?.consent();
    let file =
        File::open(&args.file).map_err(|fault| format!("cannot read `{}`: {fault}", args.file.display()))?;
    let mut counts = Counts::default();
    let progress = std::io::stderr().is_terminal();
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let text =
            line.map_err(|fault| format!("cannot read `{}`: line {number}: {fault}", args.file.display()))?;
        if text.trim().is_empty() {
            continue;
        }
        let digest = line_digest(&key, &text);
        if before.contains(&digest) {
            counts.skipped += 1;
            continue;
        }
        let signed = sign(&text, args.fhir, &kid, &key, clock);
        let told = match signed {
            Err(fault) => Line {
                line: number,
                digest,
                outcome: "refused".into(),
                form_id: String::new(),
                refusal: fault,
            },
            Ok((form, mut request)) => {
                request.validate_only = args.dry_run;
                let form_id = form.to_string();
                match client.record_consent(request).await {
                    Ok(_) if args.dry_run => Line {
                        line: number,
                        digest,
                        outcome: "checked".into(),
                        form_id: String::new(),
                        refusal: String::new(),
                    },
                    Ok(_) => Line {
                        line: number,
                        digest,
                        outcome: "recorded".into(),
                        form_id,
                        refusal: String::new(),
                    },
                    Err(status) if is_known(&status) => Line {
                        line: number,
                        digest,
                        outcome: "known".into(),
                        form_id,
                        refusal: String::new(),
                    },
                    Err(status) if is_final(&status) => Line {
                        line: number,
                        digest,
                        outcome: "refused".into(),
                        form_id: String::new(),
                        refusal: words::refusal(&status),
                    },
                    // Not this form's fault: what was done is in the report, and the rest can be gone on with.
                    Err(status) => {
                        return Err(format!("stopped at line {number}: {}", words::refusal(&status)));
                    }
                }
            }
        };
        match told.outcome.as_str() {
            "known" => counts.known += 1,
            "refused" => {
                counts.refused += 1;
                say(format_args!("line {number} refused: {}", told.refusal));
            }
            _ => counts.recorded += 1,
        }
        if let Some(report) = &mut report {
            let text = serde_json::to_string(&told).map_err(|_| "the report cannot be written".to_owned())?;
            writeln!(report, "{text}").map_err(|fault| format!("cannot write the report: {fault}"))?;
        }
        if progress && number % 100 == 0 {
            drop(write!(std::io::stderr(), "\r{number} lines"));
        }
    }
    if progress {
        drop(writeln!(std::io::stderr()));
    }
    let word = if args.dry_run { "would be recorded" } else { "recorded" };
    say(format_args!(
        "{} {word}, {} known from before, {} skipped, {} refused",
        counts.recorded, counts.known, counts.skipped, counts.refused
    ));
    if counts.refused > 0 { Err(format!("{} lines were refused", counts.refused)) } else { Ok(()) }
}

fn sign(
    text: &str,
    is_fhir: bool,
    kid: &str,
    key: &Ed25519KeyPair,
    clock: &dyn Clock,
) -> Result<(FormId, proto::RecordConsentRequest), String> {
    if text.len() > MAX_LINE {
        return Err("the line is too long".to_owned());
    }
    let draft = draft(text, is_fhir)?;
    let form = FormId::from_bytes(&id(key, text, 0)).map_err(|fault| fault.to_string())?;
    // Sixteen bytes are always an id.
    let mut grant =
        |index: usize| GrantId::from_bytes(&id(key, text, index + 1)).unwrap_or_else(|_| GrantId::random());
    let request = draft.sign_as(kid, key, clock.now().day(), form, &mut grant);
    request.map(|request| (form, request)).map_err(|fault| fault.to_string())
}

fn reason(status: &tonic::Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

fn is_known(status: &tonic::Status) -> bool {
    reason(status) == "FORM_ID_USED"
}

/// Whether the form itself was refused, and would be again.
fn is_final(status: &tonic::Status) -> bool {
    matches!(
        status.code(),
        tonic::Code::InvalidArgument | tonic::Code::FailedPrecondition | tonic::Code::NotFound
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_for_the_same_line_and_key_alone() {
        let pkcs8 = || Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
        let key = |bytes: &[u8]| Ed25519KeyPair::from_pkcs8(bytes).unwrap();
        let (one, other) = (pkcs8(), pkcs8());
        let (one, other) = (key(one.as_ref()), key(other.as_ref()));
        assert_eq!(id(&one, "line", 0), id(&one, "line", 0));
        assert_ne!(id(&one, "line", 0), id(&one, "line", 1));
        assert_ne!(id(&one, "line", 0), id(&one, "lime", 0));
        assert_ne!(id(&one, "line", 0), id(&other, "line", 0));
        assert!(FormId::from_bytes(&id(&one, "line", 0)).unwrap().to_string().parse::<FormId>().is_ok());
        assert_ne!(line_digest(&one, "line"), line_digest(&other, "line"));
    }
}
