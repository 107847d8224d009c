//! Callers that may not: unknown to the register, without the function, the role or an agreement.

use std::fs;

use crate::{
    bad_tools::{Expected, assert_pairs, assert_refused, assert_refused_pair, denied},
    lab::{Lab, paths, question},
};
use sluis::{
    client::{Client, Profile},
    demo::{data, world::signed_agreements},
    domain::{Clock as _, time::SystemClock},
    identity::issue::{CertificateFolder, Subject, Usage, Validity},
    proto::{self, RequestWorkCapacityRequest},
};

const STRANGER: &str = "00000099000009009000";

/// Connects with a new certificate of the region's own authority, for an OIN that the register does not know.
async fn stranger(lab: &Lab) -> Client {
    let now = SystemClock.now();
    let validity = Validity { from: now.plus_millis(-60_000), until: now.plus_millis(3_600_000) };
    let subject = Subject {
        oin: STRANGER.parse().unwrap(),
        organisation: "Gemeente Nergens".to_owned(),
        common_name: "nergens.sluis.example".to_owned(),
        hosts: Vec::new(),
        usage: Usage::Client,
        validity,
    };
    let folder = CertificateFolder::open(&lab.world.dir.join("certs"), "", validity).unwrap();
    folder.issue("nergens", &subject).unwrap();
    let profile = fs::read_to_string(lab.world.profile("fg")).unwrap().replace("fg.", "nergens.");
    fs::write(lab.world.profile("nergens"), profile).unwrap();
    Profile::load(&lab.world.profile("nergens")).unwrap().connect().await.unwrap()
}

/// Calls every method of the consent and audit services, and checks that each is turned away with this code.
async fn turned_away_elsewhere(client: &Client, expected: Expected) -> u64 {
    let (mut consent, mut audit) = (client.consent(), client.audit());
    let refusals = [
        ("record", consent.record_consent(proto::RecordConsentRequest::default()).await.map(drop)),
        ("get", consent.get_consent(proto::GetConsentRequest::default()).await.map(drop)),
        ("list", consent.list_consents(proto::ListConsentsRequest::default()).await.map(drop)),
        ("confirm", consent.confirm_grant(proto::ConfirmGrantRequest::default()).await.map(drop)),
        ("withdraw", consent.withdraw_consent(proto::WithdrawConsentRequest::default()).await.map(drop)),
        ("checkpoint", audit.get_checkpoint(proto::GetCheckpointRequest::default()).await.map(drop)),
        ("search", audit.search_entries(proto::SearchEntriesRequest::default()).await.map(drop)),
        ("entry", audit.get_entry(proto::GetEntryRequest { position: 0 }).await.map(drop)),
    ];
    let mut count = 0;
    for (what, refusal) in refusals {
        assert_refused(what, &refusal.expect_err(what), expected);
        count += 1;
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_that_the_register_does_not_know_gets_nothing() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let client = stranger(&lab).await;
    let expected = denied("ORGANISATION_NOT_ADMITTED", &[]);

    let before = lab.size().await;
    let status = client.exchange().request_work_capacity(question()).await.unwrap_err();
    assert_refused("exchange", &status, expected);
    assert_refused_pair("exchange", &lab.log(before).await, STRANGER, "ORGANISATION_NOT_ADMITTED");

    let before = lab.size().await;
    assert_refused("purposes", &Lab::purposes(&client).await.unwrap_err(), expected);
    let count = 1 + turned_away_elsewhere(&client, expected).await;
    assert_eq!(lab.size().await, before, "nothing but the count");
    assert_eq!(lab.turned_away().await.get(STRANGER), Some(&count));
    assert_pairs(&lab.log(0).await);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_without_the_function_is_turned_away() {
    let lab = Lab::start().await;
    let expected = denied("FUNCTION_NOT_HELD", &[]);

    // The privacy officer reads the log, and neither asks nor records.
    let officer = lab.client("fg").await;
    let before = lab.size().await;
    let status = officer.exchange().request_work_capacity(question()).await.unwrap_err();
    assert_refused("the officer asks", &status, expected);
    assert_refused_pair("the officer asks", &lab.log(before).await, &lab.oin("fg"), "FUNCTION_NOT_HELD");
    let mut consent = officer.consent();
    let asked = proto::ListConsentsRequest { bsn: crate::lab::BSN.to_owned() };
    assert_refused("the officer lists", &consent.list_consents(asked).await.unwrap_err(), expected);
    let withdrawal = proto::WithdrawConsentRequest::default();
    assert_refused(
        "the officer withdraws",
        &consent.withdraw_consent(withdrawal).await.unwrap_err(),
        expected,
    );

    // A municipality that is no source confirms nothing, and reads no log.
    let sluisdam = lab.client("sluisdam").await;
    let confirm = proto::ConfirmGrantRequest { grant_id: uuid::Uuid::new_v4().to_string() };
    let status = sluisdam.consent().confirm_grant(confirm).await.unwrap_err();
    assert_refused("a recorder confirms", &status, expected);
    let status = sluisdam.audit().get_checkpoint(proto::GetCheckpointRequest::default()).await.unwrap_err();
    assert_refused("a requester reads the log", &status, expected);

    let counts = lab.turned_away().await;
    assert_eq!((counts.get(&lab.oin("fg")), counts.get(&lab.oin("sluisdam"))), (Some(&2), Some(&2)));
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r14_r17_r32_role_and_agreement_must_hold() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let cases: [(&str, &str, &str, &str, Expected); 8] = [
        (
            "a role of another kind",
            "waterrijk",
            "uwv.adviseur",
            "REINTEGRATION",
            denied("ROLE_NOT_HELD", &["role"]),
        ),
        ("a role not held", "polderveen", "gem.jobcoach", "JOB_COACHING", denied("ROLE_NOT_HELD", &["role"])),
        ("a role that ended", "sluisdam", "gem.jobcoach", "JOB_COACHING", denied("ROLE_ENDED", &["role"])),
        ("no agreement", "kade", "ggz.trajectbegeleider", "REINTEGRATION", denied("AGREEMENT_MISSING", &[])),
        ("no agreement", "veer", "ggz.trajectbegeleider", "JOB_PLACEMENT", denied("AGREEMENT_MISSING", &[])),
        ("lapsed", "polderveen", "gem.klantmanager", "REINTEGRATION", denied("AGREEMENT_LAPSED", &[])),
        ("lapsed", "polderveen", "gem.klantmanager", "JOB_COACHING", denied("AGREEMENT_LAPSED", &[])),
        (
            "a purpose that gives the role nothing",
            "waterrijk",
            "gem.accounthouder",
            "REINTEGRATION",
            denied("PURPOSE_NOT_FOR_ROLE", &["role"]),
        ),
    ];
    for (what, short, role, purpose, expected) in cases {
        let before = lab.size().await;
        let fields = paths(&["working_hours.hours_per_week"]);
        let asked = RequestWorkCapacityRequest {
            role: role.to_owned(),
            purpose: purpose.to_owned(),
            fields,
            ..question()
        };
        let status = lab.ask(short, asked).await.expect_err(what);
        assert_refused(what, &status, expected);
        assert_refused_pair(what, &lab.log(before).await, &lab.oin(short), expected.1);
    }
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r19_an_agreement_that_is_gone_after_a_reload_denies() {
    let lab = Lab::start().await;
    lab.record_main().await;
    assert!(lab.ask("waterrijk", question()).await.is_ok());
    let path = lab.world.dir.join("agreements.toml");
    // The last agreement alone, which has lapsed and is another municipality's.
    let lapsed = data::AGREEMENTS.rsplit_once("[[agreement]]").unwrap().1;
    let signed = |text: &str| signed_agreements(&lab.world.dir, text).unwrap();
    fs::write(&path, signed(&format!("[[agreement]]{lapsed}"))).unwrap();
    lab.world.gateway.reload().await.unwrap();
    let status = lab.ask("waterrijk", question()).await.unwrap_err();
    assert_refused("gone", &status, denied("AGREEMENT_MISSING", &[]));

    // What does not load leaves the old in force.
    fs::write(&path, "[[agreement]]\nid = \"AGR-0001\"\n").unwrap();
    assert!(lab.world.gateway.reload().await.is_err());
    assert!(lab.ask("waterrijk", question()).await.is_err());
    fs::write(&path, data::AGREEMENTS).unwrap();
    assert!(lab.world.gateway.reload().await.is_err(), "nobody signed these (R17)");
    assert!(lab.ask("waterrijk", question()).await.is_err());
    fs::write(&path, signed(data::AGREEMENTS)).unwrap();
    lab.world.gateway.reload().await.unwrap();
    assert!(lab.ask("waterrijk", question()).await.is_ok());
    assert_pairs(&lab.log(0).await);
    lab.world.stop().await;
}
