//! Consents that are not there, or not the caller's: both read the same, and nothing changes.

use sluis::{
    client::Client,
    proto::{
        ConfirmGrantRequest, GetConsentRequest, GrantStatus, ListConsentsRequest, WithdrawConsentRequest,
        withdraw_consent_request::Selector,
    },
};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{
    bad_tools::{Expected, FREE_TEXT, REAL_BSN, assert_refused, assert_refused_act, invalid},
    lab::{BSN, Lab, question},
    promises::{BY_KADE, Given, UWV, bsn},
};

const NOT_FOUND: Expected = (Code::NotFound, "CONSENT_NOT_FOUND", &[]);

async fn get(client: &Client, form_id: &str) -> Result<usize, Status> {
    let shown = client.consent().get_consent(GetConsentRequest { form_id: form_id.to_owned() }).await;
    shown.map(|shown| shown.into_inner().grants.len())
}

async fn confirm(client: &Client, grant_id: &str) -> Result<u64, Status> {
    let request = ConfirmGrantRequest { grant_id: grant_id.to_owned() };
    client.consent().confirm_grant(request).await.map(|done| done.into_inner().log_position)
}

async fn withdraw(client: &Client, selector: Option<Selector>) -> Result<u64, Status> {
    let request = WithdrawConsentRequest { selector };
    client.consent().withdraw_consent(request).await.map(|done| done.into_inner().log_position)
}

fn grant(id: &str) -> Option<Selector> {
    Some(Selector::GrantId(id.to_owned()))
}

fn form(id: &str) -> Option<Selector> {
    Some(Selector::FormId(id.to_owned()))
}

fn client_of(bsn: &str) -> Option<Selector> {
    Some(Selector::Bsn(bsn.to_owned()))
}

/// The status of every grant of the main character, as its recorder sees it.
async fn states(kade: &Client) -> Vec<GrantStatus> {
    let listed = kade.consent().list_consents(ListConsentsRequest { bsn: BSN.to_owned() }).await;
    let consents = listed.unwrap().into_inner().consents;
    consents.iter().flat_map(|consent| &consent.grants).map(sluis::proto::Grant::status).collect()
}

/// That two refusals cannot be told apart.
fn assert_same(what: &str, one: &Status, other: &Status) {
    let parts = |status: &Status| (status.code(), status.message().to_owned(), status.details().to_vec());
    assert_eq!(parts(one), parts(other), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn p09_what_is_unknown_and_what_is_anothers_read_the_same() {
    let lab = Lab::start().await;
    let recorded = lab.record_main().await;
    let unknown = Uuid::new_v4().to_string();
    let (of_uwv, of_kade) = (&recorded.grants[0].grant_id, &recorded.grants[1].grant_id);
    // The recipient, another institution, and a municipality that has nothing to do with it.
    for short in ["waterrijk", "veer", "oeverstad"] {
        let (client, oin) = (lab.client(short).await, lab.oin(short));
        let nobodys = get(&client, &unknown).await.unwrap_err();
        assert_refused("show an unknown form", &nobodys, NOT_FOUND);
        assert_same("show", &nobodys, &get(&client, &recorded.form_id).await.unwrap_err());

        let mut refusals = Vec::new();
        for selector in
            [grant(&unknown), grant(of_uwv), grant(of_kade), form(&unknown), form(&recorded.form_id)]
        {
            let before = lab.size().await;
            let status = withdraw(&client, selector).await.unwrap_err();
            assert_refused("withdraw", &status, NOT_FOUND);
            assert_refused_act("withdraw", &lab.log(before).await, &oin, "withdraw", NOT_FOUND.1);
            refusals.push(status);
        }
        refusals.iter().for_each(|status| assert_same("withdraw", &refusals[0], status));

        let all = withdraw(&client, client_of(BSN)).await.unwrap();
        let none = withdraw(&client, client_of("999993653")).await.unwrap();
        assert_eq!(none, all + 1, "by client it is always the same success, of one entry");
        let listed = client.consent().list_consents(ListConsentsRequest { bsn: BSN.to_owned() }).await;
        assert!(listed.unwrap().into_inner().consents.is_empty());
    }
    let kade = lab.client("kade").await;
    assert_eq!(states(&kade).await, [GrantStatus::InForce; 2], "nothing changed");
    assert_eq!(lab.ask("waterrijk", question()).await.unwrap().disclosures.len(), 2);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_confirmed_by_its_source_alone_and_not_after_its_withdrawal() {
    let lab = Lab::start().await;
    let recorded = lab.record_main().await;
    let of_uwv = &recorded.grants[0].grant_id;
    let unknown = Uuid::new_v4().to_string();
    // Not the recorder, not the recipient, not another source.
    for short in ["kade", "waterrijk", "veer"] {
        let client = lab.client(short).await;
        let nobodys = confirm(&client, &unknown).await.unwrap_err();
        assert_refused("an unknown grant", &nobodys, NOT_FOUND);
        let before = lab.size().await;
        let anothers = confirm(&client, of_uwv).await.unwrap_err();
        assert_same("another's grant", &nobodys, &anothers);
        assert_refused_act(short, &lab.log(before).await, &lab.oin(short), "confirm", NOT_FOUND.1);
    }
    let (kade, uwv) = (lab.client("kade").await, lab.client("uwv").await);
    assert!(confirm(&uwv, of_uwv).await.is_ok(), "confirming twice is harmless");
    // UWV does not know this client, so it did not confirm at the recording.
    let fields = &["WT-02"];
    let unconfirmed = Given { source: UWV, fields, ..BY_KADE }.give(&lab, &bsn(60)).await;
    withdraw(&kade, grant(&unconfirmed)).await.unwrap();
    let before = lab.size().await;
    let status = confirm(&uwv, &unconfirmed).await.unwrap_err();
    assert_refused("withdrawn", &status, (Code::FailedPrecondition, "GRANT_OVER", &[]));
    assert_refused_act("withdrawn", &lab.log(before).await, &lab.oin("uwv"), "confirm", "GRANT_OVER");
    withdraw(&kade, grant(of_uwv)).await.unwrap();
    // Saying again what was said before is harmless, and brings nothing back.
    let _ = confirm(&uwv, of_uwv).await;
    assert_eq!(states(&kade).await, [GrantStatus::Withdrawn, GrantStatus::InForce]);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_twice_is_harmless() {
    let lab = Lab::start().await;
    let recorded = lab.record_main().await;
    let (kade, uwv) = (lab.client("kade").await, lab.client("uwv").await);
    let mut last = 0;
    for (client, selector) in [
        (&uwv, grant(&recorded.grants[0].grant_id)),
        (&uwv, grant(&recorded.grants[0].grant_id)),
        (&kade, form(&recorded.form_id)),
        (&kade, form(&recorded.form_id)),
        (&kade, client_of(BSN)),
        (&kade, client_of(BSN)),
    ] {
        let before = lab.size().await;
        let position = withdraw(client, selector).await.unwrap();
        assert!(position > last, "each has a position of its own");
        last = position;
        let log = lab.log(before).await;
        assert_eq!((log.len(), &log[0].facts["event"]), (1, &"withdrawn".into()));
    }
    assert_eq!(states(&kade).await, [GrantStatus::Withdrawn; 2]);
    let answer = lab.ask("waterrijk", question()).await.unwrap();
    assert!(answer.disclosures.is_empty() && answer.not_provided.unwrap().paths.len() == 2);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_acts_on_consents_are_refused_and_logged() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let (kade, oin) = (lab.client("kade").await, lab.oin("kade"));
    let no_form: Expected = (Code::NotFound, "CONSENT_NOT_FOUND", &["form_id"]);
    let no_grant: Expected = (Code::NotFound, "CONSENT_NOT_FOUND", &["grant_id"]);
    let malformed = invalid("BSN_MALFORMED", &["bsn"]);
    let cases = [
        ("nothing", None, invalid("SELECTOR_MISSING", &[])),
        ("an empty grant", grant(""), no_grant),
        ("a text for a grant", grant(FREE_TEXT), no_grant),
        ("any grant", grant("*"), no_grant),
        ("an empty form", form(""), no_form),
        ("a text for a form", form(FREE_TEXT), no_form),
        ("an empty BSN", client_of(""), malformed),
        ("a wrong BSN", client_of("999990018"), malformed),
        ("a real BSN", client_of(REAL_BSN), invalid("BSN_NOT_FOR_THIS_GATEWAY", &["bsn"])),
    ];
    for (what, selector, expected) in cases {
        let before = lab.size().await;
        assert_refused(what, &withdraw(&kade, selector).await.expect_err(what), expected);
        assert_refused_act(what, &lab.log(before).await, &oin, "withdraw", expected.1);
    }
    for id in ["", "*", FREE_TEXT] {
        let before = lab.size().await;
        assert_refused(id, &confirm(&kade, id).await.unwrap_err(), no_grant);
        assert_refused_act(id, &lab.log(before).await, &oin, "confirm", no_grant.1);
        let before = lab.size().await;
        assert_refused(id, &get(&kade, id).await.unwrap_err(), no_form);
        assert_refused_act(id, &lab.log(before).await, &oin, "show", no_form.1);
    }
    for (bsn, expected) in [("", malformed), (FREE_TEXT, malformed), ("999990018", malformed)] {
        let before = lab.size().await;
        let listed = kade.consent().list_consents(ListConsentsRequest { bsn: bsn.to_owned() }).await;
        assert_refused("list", &listed.unwrap_err(), expected);
        assert_refused_act("list", &lab.log(before).await, &oin, "list", expected.1);
    }
    let listed = kade.consent().list_consents(ListConsentsRequest { bsn: "999993653".to_owned() }).await;
    assert!(listed.unwrap().into_inner().consents.is_empty(), "an unknown client has none");
    assert_eq!(states(&kade).await, [GrantStatus::InForce; 2]);
    for text in ["depressie", REAL_BSN] {
        lab.assert_written_nowhere(text).await;
    }
    lab.world.stop().await;
}
