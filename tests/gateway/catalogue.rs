//! The catalogue as participants get it (R30).

use std::collections::BTreeSet;

use serde_json::Value;
use sluis::{
    catalogue::render,
    proto::{self, GetCatalogueRequest, catalogue_service_client::CatalogueServiceClient, value_form::Form},
};

use crate::lab::{Lab, reason};

async fn catalogue(
    lab: &Lab,
    short: &str,
    known: &str,
) -> Result<proto::GetCatalogueResponse, tonic::Status> {
    let mut client = CatalogueServiceClient::new(lab.client(short).await.channel());
    let request = GetCatalogueRequest { known_digest: known.to_owned() };
    client.get_catalogue(request).await.map(tonic::Response::into_inner)
}

/// The lists that a form needs.
fn lists(form: &proto::ValueForm) -> Vec<String> {
    match form.form.as_ref().unwrap() {
        Form::CodeOf(list) | Form::CodesOf(list) => vec![list.clone()],
        Form::Parts(parts) => {
            parts.parts.iter().flat_map(|part| lists(part.form.as_ref().unwrap())).collect()
        }
        _ => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r30_every_participant_gets_the_whole_catalogue() {
    let lab = Lab::start().await;
    let before = lab.size().await;
    let served = catalogue(&lab, "waterrijk", "").await.unwrap();
    assert_eq!(served.digest, render::digest());
    assert!(!served.unchanged);
    let fields: Vec<_> = served.groups.iter().flat_map(|group| &group.fields).collect();
    assert_eq!((served.groups.len(), fields.len(), served.metadata.len()), (11, 146, 7));
    assert_eq!((served.open.len(), served.never_carried.len()), (3, 12));
    // It says the same as the command.
    let printed: Value = serde_json::from_str(&render::printed()).unwrap();
    let same =
        printed["groups"].as_array().unwrap().iter().flat_map(|group| group["fields"].as_array().unwrap());
    for (field, printed) in fields.iter().zip(same) {
        assert_eq!(
            (field.code.as_str(), field.path.as_str()),
            (printed["code"].as_str().unwrap(), printed["path"].as_str().unwrap())
        );
        assert_eq!(field.definition_nl, printed["definition_nl"].as_str().unwrap());
    }
    // Each list that a field names is there, and no other.
    let all = fields.iter().copied().chain(&served.metadata);
    let named: BTreeSet<_> = all.flat_map(|field| lists(field.form.as_ref().unwrap())).collect();
    let given: BTreeSet<_> = served.lists.iter().map(|list| list.name.clone()).collect();
    assert_eq!(named, given);
    // Whoever has it is told that it is the same; every other participant gets it too; nobody was looked at.
    let again = catalogue(&lab, "kade", &served.digest).await.unwrap();
    assert!(again.unchanged && again.groups.is_empty() && again.version == served.version);
    assert_eq!(catalogue(&lab, "fg", "something else").await.unwrap(), served);
    assert_eq!(lab.size().await, before);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r30_who_does_not_take_part_does_not_get_it() {
    let lab = Lab::start().await;
    let file = lab.world.dir.join("participants.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let number = lab.oin("fg");
    let (head, officer) = text.split_once("[[organisation]]").unwrap();
    let others: Vec<_> = officer.split("[[organisation]]").filter(|one| !one.contains(&number)).collect();
    std::fs::write(&file, format!("{head}[[organisation]]{}", others.join("[[organisation]]"))).unwrap();
    let client = lab.client("fg").await;
    lab.world.gateway.reload().await.unwrap();
    let refused = CatalogueServiceClient::new(client.channel())
        .get_catalogue(GetCatalogueRequest::default())
        .await
        .unwrap_err();
    assert_eq!(reason(&refused).1, "ORGANISATION_NOT_ADMITTED");
    lab.world.stop().await;
}
