//! The part of the story that people play: consent, questions, answers, withdrawal.

use super::super::{World, data, tell::Teller};
use crate::{
    audit::receipt::{self, ReceiptFile},
    catalogue::{self, CheckedStatement, Mask},
    cli::words,
    client::{Client, Profile},
    consent::draft::FormDraft,
    domain::{Clock as _, RequestId, UserId, time::SystemClock},
    proto::{self, withdraw_consent_request::Selector},
};

/// The main character.
const CLIENT: &str = "999990019";
/// A valid test number that nobody has recorded anything about.
const UNKNOWN: &str = "999999643";

/// A question of a municipal case manager.
fn question(bsn: &str, purpose: &str, fields: &[&str]) -> proto::RequestWorkCapacityRequest {
    proto::RequestWorkCapacityRequest {
        request_id: RequestId::random().to_string(),
        bsn: bsn.to_owned(),
        purpose: purpose.to_owned(),
        role: "gem.klantmanager".to_owned(),
        user_id: UserId::random().to_string(),
        fields: Some(prost_types::FieldMask {
            paths: fields.iter().map(|path| (*path).to_owned()).collect(),
        }),
        necessity: proto::Necessity::ProfessionalAssessmentNeeded.into(),
        case_id: String::new(),
        validate_only: false,
    }
}

async fn ask(
    client: &Client,
    question: proto::RequestWorkCapacityRequest,
) -> Result<proto::RequestWorkCapacityResponse, tonic::Status> {
    client.exchange().request_work_capacity(question).await.map(tonic::Response::into_inner)
}

fn mask(paths: &Option<prost_types::FieldMask>) -> Mask {
    let paths = paths.as_ref().map(|mask| mask.paths.as_slice()).unwrap_or_default();
    catalogue::from_paths(paths).unwrap_or_default()
}

/// The fields that an answer discloses.
fn disclosed(answer: &proto::RequestWorkCapacityResponse) -> Mask {
    let statements = answer.disclosures.iter().filter_map(|disclosure| disclosure.work_capacity.clone());
    statements
        .filter_map(|statement| CheckedStatement::new(statement, SystemClock.now().day()).ok())
        .fold(Mask::EMPTY, |all, statement| all.or(statement.present()))
}

/// What an answer says apart from its own ids: nobody may be able to tell two of these apart.
fn sameness(
    answer: &proto::RequestWorkCapacityResponse,
) -> (String, usize, Vec<String>, Vec<String>, Vec<usize>) {
    let entries = answer.receipt.as_ref().map(|receipt| receipt.entries.as_slice()).unwrap_or_default();
    (
        answer.purpose.clone(),
        answer.disclosures.len(),
        catalogue::to_paths(mask(&answer.above_ceiling)),
        catalogue::to_paths(mask(&answer.not_provided)),
        entries.iter().map(|entry| entry.leaf.len()).collect(),
    )
}

fn lines(answer: &proto::RequestWorkCapacityResponse) -> Vec<String> {
    let mut lines = Vec::new();
    for disclosure in &answer.disclosures {
        let source = disclosure.source.clone().unwrap_or_default();
        lines.push(format!("from {} ({}):", source.name, source.oin));
        let statement = disclosure.work_capacity.clone().unwrap_or_default();
        lines.extend(words::fields(&statement).into_iter().map(|line| format!("  {line}")));
        lines.extend(words::assessments(&statement).into_iter().map(|line| format!("  {line}")));
    }
    for (name, paths) in [("never given", &answer.above_ceiling), ("not provided", &answer.not_provided)] {
        let codes = catalogue::codes(mask(paths)).join(" ");
        if !codes.is_empty() {
            lines.push(format!("{name}: {codes}"));
        }
    }
    lines
}

/// A connection of this participant: to each instance of the gateway in turn, so that each step is played through another
/// one than the step before.
async fn connect(teller: &mut Teller, world: &World, short: &str) -> Result<Client, String> {
    let (client, instance) = world.next_client(short).await.map_err(|fault| fault.to_string())?;
    teller.through((!world.others.is_empty()).then_some(instance));
    Ok(client)
}

pub(super) async fn story(teller: &mut Teller, world: &World) -> Result<(), String> {
    let form = record(teller, world).await?;
    full_answer(teller, world).await?;
    above_the_ceiling(teller, world).await?;
    nothing_provided(teller, world).await?;
    enforcement(teller, world).await?;
    withdrawal(teller, world, form).await
}

async fn record(teller: &mut Teller, world: &World) -> Result<String, String> {
    let kade = connect(teller, world, "kade").await?;
    let profile = Profile::load(&world.profile("kade")).map_err(|fault| fault.to_string())?;
    let (kid, key) = profile.signing_key().map_err(|fault| fault.to_string())?;
    let signed = FormDraft::parse(data::MAIN_FORM)
        .and_then(|draft| draft.sign(&kid, &key, SystemClock.now().day()))
        .map_err(|fault| fault.to_string())?;
    let recorded = kade.consent().record_consent(signed).await;
    let recorded = recorded.map_err(|status| words::refusal(&status))?.into_inner();
    let in_force =
        recorded.grants.iter().filter(|grant| grant.status() == proto::GrantStatus::InForce).count();
    let details: Vec<_> = recorded
        .grants
        .iter()
        .map(|grant| {
            format!(
                "grant {}: {} for {} from {}: {}",
                grant.grant_id,
                grant.recipient,
                grant.purpose,
                grant.source,
                grant.fields.join(" ")
            )
        })
        .collect();
    teller.tell(
        "record_consent",
        "GGZ De Kade records what a client signed: Gemeente Waterrijk may have some fields, from UWV and from De Kade",
        &format!("form {} at log position {}, {in_force} grants in force", recorded.form_id, recorded.log_position),
        recorded.grants.len() == 2 && in_force == 2,
        &details,
    );
    Ok(recorded.form_id)
}

async fn full_answer(teller: &mut Teller, world: &World) -> Result<(), String> {
    let waterrijk = connect(teller, world, "waterrijk").await?;
    let fields = [
        "working_hours.hours_per_day",
        "working_hours.hours_per_week",
        "work_ability.one_hour_at_a_stretch",
        "support.job_coach_needed",
        "support.low_stimulus_workplace",
        "trajectory.step",
    ];
    let asked = catalogue::from_paths(&fields).unwrap_or_default();
    let answer = ask(&waterrijk, question(CLIENT, "REINTEGRATION", &fields)).await;
    let answer = answer.map_err(|status| words::refusal(&status))?;
    let ok = disclosed(&answer) == asked
        && answer.disclosures.len() == 2
        && mask(&answer.not_provided).is_empty()
        && mask(&answer.above_ceiling).is_empty();
    teller.tell(
        "ask",
        "Gemeente Waterrijk asks for REINTEGRATION and gets exactly these fields, from both sources, each with who assessed it and when",
        &format!("request {}: {} fields from {} sources", answer.request_id, disclosed(&answer).len(), answer.disclosures.len()),
        ok,
        &lines(&answer),
    );
    let trust = world.gateway.verifier_key.parse().map_err(|_| "the log has no key".to_owned())?;
    let file = ReceiptFile::from_answer(&answer).map_err(|fault| fault.to_string())?;
    let report = receipt::verify(&file, &[trust], &[]);
    teller.tell(
        "receipt",
        "the receipt proves offline that question and answer stand in the signed log",
        &format!("{} entries proven, exit status {}", file.entries.len(), report.exit_code()),
        report.exit_code() == 0,
        &report.to_string().lines().map(ToOwned::to_owned).collect::<Vec<_>>(),
    );
    Ok(())
}

async fn above_the_ceiling(teller: &mut Teller, world: &World) -> Result<(), String> {
    let waterrijk = connect(teller, world, "waterrijk").await?;
    let fields = ["support", "work_ability.participation_rung", "trajectory.progress"];
    let answer = ask(&waterrijk, question(CLIENT, "REINTEGRATION", &fields)).await;
    let answer = answer.map_err(|status| words::refusal(&status))?;
    let above = catalogue::codes(mask(&answer.above_ceiling));
    let missing = mask(&answer.not_provided);
    let asked = catalogue::from_paths(&fields).unwrap_or_default();
    let parts = disclosed(&answer).or(missing).or(mask(&answer.above_ceiling));
    teller.tell(
        "above_ceiling",
        "it asks for more: what the policy never gives for this purpose is named, what the client did not grant is left out",
        &format!("never given: {}; {} of the rest released, {} not provided", above.join(" "), disclosed(&answer).len(), missing.len()),
        above == ["VW-12", "VW-13"] && !disclosed(&answer).is_empty() && !missing.is_empty() && parts == asked,
        &lines(&answer),
    );
    Ok(())
}

async fn nothing_provided(teller: &mut Teller, world: &World) -> Result<(), String> {
    let fields = ["working_hours.hours_per_week"];
    let other =
        ask(&connect(teller, world, "sluisdam").await?, question(CLIENT, "REINTEGRATION", &fields)).await;
    let other = other.map_err(|status| words::refusal(&status))?;
    teller.tell(
        "other_municipality",
        "another municipality asks about the same client: nothing is provided",
        &format!("request {}: {} disclosures", other.request_id, other.disclosures.len()),
        other.disclosures.is_empty() && mask(&other.not_provided).len() == 1,
        &lines(&other),
    );
    let unknown =
        ask(&connect(teller, world, "sluisdam").await?, question(UNKNOWN, "REINTEGRATION", &fields)).await;
    let unknown = unknown.map_err(|status| words::refusal(&status))?;
    teller.tell(
        "unknown_client",
        "it asks about somebody whom nobody here knows: the very same answer",
        &format!("request {}: {} disclosures", unknown.request_id, unknown.disclosures.len()),
        sameness(&unknown) == sameness(&other),
        &lines(&unknown),
    );
    Ok(())
}

async fn enforcement(teller: &mut Teller, world: &World) -> Result<(), String> {
    let answer =
        ask(&connect(teller, world, "waterrijk").await?, question(CLIENT, "ENFORCEMENT", &["working_hours"]))
            .await;
    let (outcome, ok) = match answer {
        Ok(_) => ("it was answered".to_owned(), false),
        Err(status) => {
            let text = words::refusal(&status);
            let ok = text.starts_with("PURPOSE_NEVER_SERVED");
            (text.lines().next().unwrap_or_default().to_owned(), ok)
        }
    };
    teller.tell(
        "enforcement",
        "it asks for enforcement: refused, and no policy can change that",
        &outcome,
        ok,
        &[],
    );
    Ok(())
}

async fn withdrawal(teller: &mut Teller, world: &World, form: String) -> Result<(), String> {
    let kade = connect(teller, world, "kade").await?;
    let request = proto::WithdrawConsentRequest { selector: Some(Selector::FormId(form.clone())) };
    let withdrawn = kade.consent().withdraw_consent(request).await;
    let withdrawn = withdrawn.map_err(|status| words::refusal(&status))?.into_inner();
    let shown = connect(teller, world, "kade")
        .await?
        .consent()
        .get_consent(proto::GetConsentRequest { form_id: form })
        .await;
    let shown = shown.map_err(|status| words::refusal(&status))?.into_inner();
    teller.tell(
        "withdraw",
        "the client withdraws, in one call and without a reason",
        &format!("withdrawn at log position {}", withdrawn.log_position),
        shown.grants.iter().all(|grant| grant.status() == proto::GrantStatus::Withdrawn),
        &[],
    );
    let waterrijk = connect(teller, world, "waterrijk").await?;
    let answer = ask(&waterrijk, question(CLIENT, "REINTEGRATION", &["working_hours.hours_per_week"])).await;
    let answer = answer.map_err(|status| words::refusal(&status))?;
    teller.tell(
        "ask_again",
        "Gemeente Waterrijk asks again at once: nothing is provided",
        &format!("request {}: {} disclosures", answer.request_id, answer.disclosures.len()),
        answer.disclosures.is_empty(),
        &lines(&answer),
    );
    Ok(())
}
