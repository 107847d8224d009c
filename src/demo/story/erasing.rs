//! The part of the story that two officers play: a client who has withdrawn is erased, and the log stays what it was.

use super::super::{World, tell::Teller, world::OFFICERS};
use crate::{
    cli::words,
    client::{Client, Profile},
    consent::{draft::FormDraft, signing_key},
    demo::data,
    domain::{Clock as _, time::SystemClock},
    note::NoteSigner,
    proto::{self, withdraw_consent_request::Selector},
};

/// A client of the demo of whom nothing leaves in the story.
const CLIENT: &str = "999990007";

/// His form: that of the main character, with his number and nothing granted before.
fn form() -> String {
    data::MAIN_FORM.replace("999990019", CLIENT)
}

async fn officer(world: &World) -> Result<Client, String> {
    world.client("fg").await.map_err(|fault| fault.to_string())
}

/// The order, signed by both officers.
fn signed(world: &World, order: &str) -> Result<String, String> {
    let mut note = String::new();
    for name in OFFICERS {
        let path = world.dir.join("signing").join(format!("{name}.pem"));
        let key = signing_key::read(&path).map_err(|fault| fault.to_string())?;
        let signer = NoteSigner::new(name, key).map_err(|fault| fault.to_string())?;
        let signed = signer.sign(order).map_err(|fault| fault.to_string())?;
        match signed.rsplit_once("\n\n") {
            Some((_, line)) if !note.is_empty() => note.push_str(line),
            _ => note = signed,
        }
    }
    Ok(note)
}

pub(super) async fn story(teller: &mut Teller, world: &World) -> Result<(), String> {
    let refused = |status: tonic::Status| words::refusal(&status);
    let kade = world.client("kade").await.map_err(|fault| fault.to_string())?;
    let profile = Profile::load(&world.profile("kade")).map_err(|fault| fault.to_string())?;
    let (kid, key) = profile.signing_key().map_err(|fault| fault.to_string())?;
    let request = FormDraft::parse(&form())
        .and_then(|draft| draft.sign(&kid, &key, SystemClock.now().day()))
        .map_err(|fault| fault.to_string())?;
    kade.consent().record_consent(request).await.map_err(refused)?;
    let selector = Some(Selector::EverythingOfBsn(CLIENT.to_owned()));
    kade.consent().withdraw_consent(proto::WithdrawConsentRequest { selector }).await.map_err(refused)?;

    let request = proto::PlanErasureRequest { bsn: CLIENT.to_owned(), ground: "avg-17-1-b".to_owned() };
    let plan = officer(world).await?.audit().plan_erasure(request).await.map_err(refused)?.into_inner();
    let order = signed(world, &plan.order)?;
    let request = proto::EraseRequest { bsn: CLIENT.to_owned(), order, blinding: plan.blinding };
    let erased = officer(world).await?.audit().erase(request).await.map_err(refused)?.into_inner();
    let list = proto::ListConsentsRequest { bsn: CLIENT.to_owned() };
    let left = kade.consent().list_consents(list).await.map_err(refused)?.into_inner().consents.len();
    teller.tell(
        "erase",
        "another client has withdrawn and asks to be erased: two officers sign, and nothing leads to him any more",
        &format!(
            "entry {} says so; {} sealed parts and {} forms are gone, every entry keeps its place and its proof",
            erased.position, plan.entries, plan.forms
        ),
        plan.obstacles.is_empty() && plan.entries > 0 && plan.forms == 1 && left == 0,
        &[],
    );
    Ok(())
}
