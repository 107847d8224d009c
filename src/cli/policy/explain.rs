//! `sluis policy explain`: why a decision is what it is, or what it would be.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use serde_json::json;

use crate::{
    catalogue::{self, Mask},
    cli::{failed, say, words},
    client::{Client, Profile},
    domain::{Day, OrganisationKind, Purpose, Role},
    policy::{Facts, PolicySet, Question},
    proto,
};

/// Explain a decision (uitleg): which rules, facts and reasons decided about each field
///
/// Three ways. The gateway's privacy officer names a decision: `--profile FILE --position N`. Whoever recorded a grant, or
/// is its source, names the grant: `--profile FILE --grant ID`, for what it gives now, or with `--position N` for a
/// disclosure under it. And anybody asks a folder of policies what it would decide: `--policies DIR --purpose NAME --role
/// NAME --source-kind KIND`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("whom").required(true))]
pub struct ExplainArgs {
    /// Your profile
    #[arg(long, group = "whom", value_name = "FILE")]
    profile: Option<PathBuf>,

    /// Folder of policies
    #[arg(long, group = "whom", value_name = "DIR", requires_all = ["purpose", "role", "source_kind"])]
    policies: Option<PathBuf>,

    /// Position of the decision in the log
    #[arg(long, conflicts_with = "policies")]
    position: Option<u64>,

    /// Id of the grant
    #[arg(long, value_name = "ID", conflicts_with = "policies")]
    grant: Option<String>,

    /// Purpose
    #[arg(long, requires = "policies")]
    purpose: Option<Purpose>,

    /// Role of the requester
    #[arg(long, requires = "policies")]
    role: Option<Role>,

    /// Kind of source: gemeente, uwv or ggz
    #[arg(long, requires = "policies", value_parser = source_kind)]
    source_kind: Option<OrganisationKind>,

    /// A fact that does not hold, such as consent_in_force; may be given several times
    #[arg(long = "without", value_name = "FACT", requires = "policies", value_parser = fact)]
    without: Vec<String>,

    /// Code of a field, such as WT-02; may be given several times. All fields, if none is given
    #[arg(long = "field", value_name = "CODE", requires = "policies")]
    fields: Vec<String>,

    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

fn source_kind(text: &str) -> Result<OrganisationKind, String> {
    [OrganisationKind::Gemeente, OrganisationKind::Uwv, OrganisationKind::Ggz]
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| "is not gemeente, uwv or ggz".to_owned())
}

fn fact(text: &str) -> Result<String, String> {
    let known = Facts::NAMES.contains(&text);
    known.then(|| text.to_owned()).ok_or_else(|| format!("is not one of {}", Facts::NAMES.join(", ")))
}

pub(super) async fn run(args: ExplainArgs) -> ExitCode {
    let explained = match (&args.profile, &args.policies) {
        (Some(profile), _) => match Profile::load(profile) {
            Ok(profile) => match profile.connect().await {
                Ok(client) => asked(&args, client).await,
                Err(fault) => Err(fault.to_string()),
            },
            Err(fault) => Err(fault.to_string()),
        },
        (None, Some(_)) => supposed(&args),
        (None, None) => Err("name a profile or a folder of policies".to_owned()),
    };
    match explained {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => failed(fault),
    }
}

async fn asked(args: &ExplainArgs, client: Client) -> Result<(), String> {
    let refused = |status: tonic::Status| words::refusal(&status);
    match (&args.grant, args.position) {
        (Some(grant), position) => {
            let request = proto::ExplainGrantRequest { grant_id: grant.clone(), log_position: position };
            let answer = client.consent().explain_grant(request).await.map_err(refused)?.into_inner();
            if args.json {
                say(words::json("sluis.v1.ExplainGrantResponse", &answer));
                return Ok(());
            }
            say(format_args!("beleid {}", answer.policy));
            if let Some(explanation) = &answer.explanation {
                tell(explanation);
            }
        }
        (None, Some(position)) => {
            let request = proto::ExplainDecisionRequest { position };
            let answer = client.audit().explain_decision(request).await.map_err(refused)?.into_inner();
            if args.json {
                say(words::json("sluis.v1.ExplainDecisionResponse", &answer));
                return Ok(());
            }
            say(format_args!("beleid {}", answer.policy));
            if !answer.refusal.is_empty() {
                say(format_args!("  de hele aanvraag is geweigerd: {}", answer.refusal));
            }
            for (what, mask) in
                [("boven de grens", &answer.above_ceiling), ("niet gegeven", &answer.not_provided)]
            {
                let paths = mask.as_ref().map(|mask| mask.paths.join(", ")).unwrap_or_default();
                if !paths.is_empty() {
                    say(format_args!("  {what}: {paths}"));
                }
            }
            for explanation in &answer.sources {
                tell(explanation);
            }
        }
        (None, None) => return Err("name a decision with `--position`, or a grant with `--grant`".to_owned()),
    }
    Ok(())
}

fn tell(explanation: &proto::DecisionExplanation) {
    say(format_args!("bron {}, convenant {}", explanation.source, explanation.agreements.join(", ")));
    for fields in &explanation.fields {
        let by = if fields.by.is_empty() { String::new() } else { format!(" ({})", fields.by.join(", ")) };
        say(format_args!("  {}{by}: {}", fields.because, fields.codes.join(", ")));
    }
    let missing: Vec<_> =
        explanation.facts.iter().filter(|(_, holds)| !**holds).map(|(name, _)| name.as_str()).collect();
    if !missing.is_empty() {
        let mut missing = missing;
        missing.sort_unstable();
        say(format_args!("  niet waar: {}", missing.join(", ")));
    }
    for (what, basis) in [
        ("grondslag van de bron", &explanation.basis_disclosure),
        ("grondslag van de ontvanger", &explanation.basis_receipt),
    ] {
        if !basis.is_empty() {
            say(format_args!("  {what}: {basis}"));
        }
    }
    say(format_args!("  {}", explanation.text_nl));
}

/// What a folder of policies would decide, field set by field set.
fn supposed(args: &ExplainArgs) -> Result<(), String> {
    let (Some(dir), Some(purpose), Some(role), Some(source_kind)) =
        (&args.policies, &args.purpose, args.role, args.source_kind)
    else {
        return Err("name purpose, role and kind of source".to_owned());
    };
    let set = PolicySet::load(dir, true, Day::MIN).map_err(|faults| faults.to_string())?;
    let fields = if args.fields.is_empty() {
        Mask::all()
    } else {
        catalogue::from_codes(&args.fields).map_err(|_| "a `--field` is no code of the catalogue")?
    };
    let named =
        Facts::NAMES.map(|name| (name.to_owned(), !args.without.iter().any(|missing| missing == name)));
    let facts = Facts::from_named(&named.into_iter().collect()).ok_or("a fact is not known")?;
    // Nobody asks: no rule speaks of single organisations.
    let nobody = "00000099000000000000".parse().map_err(|_| "no number for nobody")?;
    let question = Question {
        recipient: nobody,
        role,
        purpose: purpose.clone(),
        source: nobody,
        source_kind,
        fields,
        facts,
    };
    let decisions = set.decide(&question).map_err(|fault| fault.to_string())?;
    if args.json {
        let told = decisions.iter().map(|set| {
            json!({
                "field_set": set.field_set,
                "fields": catalogue::codes(set.fields),
                "permitted": set.decision.permitted,
                "rules": set.decision.rules,
            })
        });
        say(json!({ "policy": set.hash(), "decisions": told.collect::<Vec<_>>() }));
        return Ok(());
    }
    let terms = set.permit_of(purpose, role).map(|rule| &rule.terms);
    for set in &decisions {
        let permitted = if set.decision.permitted { "toegestaan" } else { "niet toegestaan" };
        let by = if set.decision.rules.is_empty() {
            "geen regel staat het toe".to_owned()
        } else {
            set.decision.rules.join(", ")
        };
        say(format_args!("{}: {permitted}; {by}", set.field_set));
    }
    if let Some(terms) = terms {
        say(format_args!("grondslag van de ontvanger: {}", terms.basis_receipt));
        if let Some(basis) = terms.basis_disclosure(source_kind) {
            say(format_args!("grondslag van de bron: {basis}"));
        }
        say(format_args!("geldt van {} tot en met {}", terms.effective, terms.review_by));
    }
    Ok(())
}
