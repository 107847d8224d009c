//! Why a decision is what it is, for those who may know: the gateway's officer, the recorder and the source. A requester
//! and its officer learn no more than they were told (R12, P09).

use std::collections::BTreeMap;

use sluis::proto;
use tonic::Code;

use crate::lab::{Lab, paths, question, reason};

fn because(explanation: &proto::DecisionExplanation) -> BTreeMap<String, Vec<String>> {
    let fields = explanation.fields.iter().map(|fields| (fields.because.clone(), fields.codes.clone()));
    fields.collect()
}

/// Asks for something of each kind: given, above the ceiling, not consented. Gives the position of the outcome.
async fn asked(lab: &Lab) -> (u64, proto::RequestWorkCapacityResponse) {
    let mut question = question();
    question.fields = paths(&[
        "working_hours.hours_per_week",
        "support.job_coach_needed",
        "trajectory.goal",
        "matching.sectors",
    ]);
    let answer = lab.ask("waterrijk", question).await.unwrap();
    let log = lab.log(0).await;
    (log.iter().rposition(|entry| entry.kind == "outcome").unwrap() as u64, answer)
}

async fn decision(
    lab: &Lab,
    short: &str,
    position: u64,
) -> Result<proto::ExplainDecisionResponse, tonic::Status> {
    let request = proto::ExplainDecisionRequest { position };
    lab.client(short).await.audit().explain_decision(request).await.map(tonic::Response::into_inner)
}

async fn grant(
    lab: &Lab,
    short: &str,
    grant_id: &str,
    log_position: Option<u64>,
) -> Result<proto::DecisionExplanation, tonic::Status> {
    let request = proto::ExplainGrantRequest { grant_id: grant_id.to_owned(), log_position };
    let answer = lab.client(short).await.consent().explain_grant(request).await?.into_inner();
    Ok(answer.explanation.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_officer_sees_which_rule_or_reason_decided_about_each_field() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let (position, _) = asked(&lab).await;
    let explained = decision(&lab, "fg", position).await.unwrap();
    assert_eq!(explained.policy_version, 1);
    assert!(explained.policy.starts_with("sha256:"));
    let given = explained.sources.iter().find(|source| because(source).contains_key("GIVEN")).unwrap();
    let why = because(given);
    assert!(why.contains_key("ABOVE_CEILING"), "{why:?}");
    let by = |code: &str| given.fields.iter().find(|fields| fields.because == code).unwrap().by.clone();
    assert_eq!(by("GIVEN"), ["REINTEGRATION/gem-klantmanager"]);
    assert_eq!(by("ABOVE_CEILING"), ["guardrail/matching-for-job-placement"]);
    assert!(given.facts.values().all(|holds| *holds) && given.facts.len() == 7);
    assert!(given.text_nl.contains("gegeven door regel REINTEGRATION/gem-klantmanager"), "{}", given.text_nl);
    assert!(!given.basis_receipt.is_empty() && !given.agreements.is_empty());
    for source in &explained.sources {
        let codes: Vec<_> = source.fields.iter().flat_map(|fields| &fields.codes).collect();
        assert_eq!(codes.len(), 4, "each field once: {codes:?}");
    }
    let look = lab.log(0).await.pop().unwrap();
    assert_eq!((look.kind.as_str(), &look.facts["looked_at"]["explained"]), ("access", &position.into()));
    for missing in [0, 1, position - 1, 1 << 40] {
        let status = decision(&lab, "fg", missing).await.unwrap_err();
        assert_eq!(reason(&status), (Code::NotFound, "ENTRY_NOT_FOUND".to_owned()), "{missing}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_a_requester_gets_no_explanation_beyond_its_answer() {
    let lab = Lab::start().await;
    let recorded = lab.record_main().await;
    let (position, answer) = asked(&lab).await;
    // Its officer: what the answer said, and nothing about any source.
    let told = decision(&lab, "waterrijk", position).await.unwrap();
    assert!(told.sources.is_empty(), "{told:?}");
    assert_eq!(told.above_ceiling, paths(&["matching.sectors"]));
    assert_eq!(told.not_provided, answer.not_provided);
    assert!(decision(&lab, "sluisdam", position).await.is_err());
    for grant_of in &recorded.grants {
        for position in [None, Some(position)] {
            let status = grant(&lab, "waterrijk", &grant_of.grant_id, position).await.unwrap_err();
            assert!(matches!(status.code(), Code::NotFound | Code::PermissionDenied), "{status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn recorder_and_source_see_what_a_grant_gives_now_and_why_not() {
    let lab = Lab::start().await;
    let recorded = lab.record_main().await;
    let (position, _) = asked(&lab).await;
    let of = |source: &str| {
        let oin = lab.world.participants[source].0.to_string();
        let found = recorded.grants.iter();
        let mut found = found.filter(|grant| grant.source == oin && grant.purpose == "REINTEGRATION");
        found.next().unwrap().grant_id.clone()
    };
    let (own, other) = (of("kade"), of("uwv"));

    let now = grant(&lab, "kade", &own, None).await.unwrap();
    assert!(because(&now).contains_key("GIVEN"), "{now:?}");
    assert!(now.text_nl.contains("mag nu worden gevraagd door regel"), "{}", now.text_nl);
    // The source sees its own, the recorder both, a stranger neither.
    assert!(grant(&lab, "uwv", &other, None).await.is_ok());
    assert!(grant(&lab, "kade", &other, None).await.is_ok());
    assert_eq!(reason(&grant(&lab, "uwv", &own, None).await.unwrap_err()).1, "CONSENT_NOT_FOUND");
    let nobody = uuid::Uuid::new_v4().to_string();
    assert_eq!(reason(&grant(&lab, "kade", &nobody, None).await.unwrap_err()).1, "CONSENT_NOT_FOUND");

    // A disclosure that was made under one of them; none under it at another position.
    let (mut told, mut missing) = (0, 0);
    for (who, id) in [("kade", &own), ("uwv", &other)] {
        match grant(&lab, who, id, Some(position)).await {
            Ok(explanation) => {
                told += 1;
                assert!(because(&explanation).contains_key("GIVEN"), "{explanation:?}");
            }
            Err(status) => {
                missing += 1;
                assert_eq!(reason(&status).1, "CONSENT_NOT_FOUND");
            }
        }
    }
    assert!(told >= 1, "{told} {missing}");
    let elsewhere = grant(&lab, "kade", &own, Some(0)).await.unwrap_err();
    assert_eq!(reason(&elsewhere).1, "CONSENT_NOT_FOUND");

    let selector = proto::withdraw_consent_request::Selector::GrantId(own.clone());
    let request = proto::WithdrawConsentRequest { selector: Some(selector) };
    lab.client("kade").await.consent().withdraw_consent(request).await.unwrap();
    let ended = grant(&lab, "kade", &own, None).await.unwrap();
    assert_eq!(because(&ended).keys().collect::<Vec<_>>(), ["NO_CONSENT"]);
    assert_eq!(ended.fields[0].by, ["WITHDRAWN"]);
    assert!(!ended.facts["consent_in_force"]);
    assert!(ended.text_nl.contains("de toestemming is ingetrokken"), "{}", ended.text_nl);
}
