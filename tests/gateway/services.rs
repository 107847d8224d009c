//! The standard services beside our own, and what a requester can learn without asking about anyone.

use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::lab::{Lab, question, reason};

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_are_served() {
    let lab = Lab::start().await;
    let channel = lab.client("waterrijk").await.channel();
    let own = ["Exchange", "Consent", "Audit", "Catalogue"].map(|name| format!("sluis.v1.{name}Service"));
    for service in std::iter::once("").chain(own.iter().map(String::as_str)) {
        let request = HealthCheckRequest { service: service.to_owned() };
        let health = HealthClient::new(channel.clone()).check(request).await.unwrap().into_inner();
        assert_eq!(health.status, 1, "{service} serves");
    }
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = listed.service.iter().map(|service| service.name.as_str()).collect();
    for service in &own {
        assert!(names.contains(&service.as_str()), "{names:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn list_my_purposes_tells_ceilings_and_bases() {
    let lab = Lab::start().await;
    let listed = lab
        .client("waterrijk")
        .await
        .exchange()
        .list_my_purposes(sluis::proto::ListMyPurposesRequest {})
        .await
        .unwrap()
        .into_inner()
        .purposes;
    let row =
        |role: &str, purpose: &str| listed.iter().find(|row| row.role == role && row.purpose == purpose);
    let reintegration = row("gem.klantmanager", "REINTEGRATION").unwrap();
    assert!(!reintegration.legal_basis_receipt.is_empty() && !reintegration.label_nl.is_empty());
    let ceiling = &reintegration.ceiling.as_ref().unwrap().paths;
    assert!(ceiling.contains(&"work_ability.work_ability_class".to_owned()));
    assert!(!ceiling.contains(&"support.permanent_supervision_needed".to_owned()));
    // Matching knows no more than hours and the basic conditions.
    let placement = &row("gem.accounthouder", "JOB_PLACEMENT").unwrap().ceiling.as_ref().unwrap().paths;
    assert!(
        placement.iter().all(|path| !path.starts_with("work_ability") && !path.starts_with("trajectory"))
    );
    assert!(row("gem.accounthouder", "REINTEGRATION").is_none());

    let officer = lab.client("fg").await.exchange();
    let refused = { officer }.list_my_purposes(sluis::proto::ListMyPurposesRequest {}).await.unwrap_err();
    assert_eq!(reason(&refused).1, "FUNCTION_NOT_HELD");
}

#[tokio::test(flavor = "multi_thread")]
async fn validate_only_checks_and_touches_nothing() {
    let lab = Lab::start().await;
    let before = lab.world.gateway.store.as_ref();
    let asked = sluis::proto::RequestWorkCapacityRequest { validate_only: true, ..question() };
    let answer = lab.ask("waterrijk", asked.clone()).await.unwrap();
    assert!(answer.disclosures.is_empty() && answer.receipt.is_none() && answer.not_provided.is_none());
    let entries = sluis::storage::Store::entries(before, 0, 100).await.unwrap();
    assert!(entries.iter().all(|entry| entry.subject.is_none()), "no key of a client was touched");
    let wrong = sluis::proto::RequestWorkCapacityRequest {
        request_id: question().request_id,
        purpose: "AFTERCARE".to_owned(),
        ..asked
    };
    assert_eq!(reason(&lab.ask("waterrijk", wrong).await.unwrap_err()).1, "PURPOSE_INACTIVE");
}
