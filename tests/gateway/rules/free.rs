//! A consent that was signed where the client was not free opens nothing until he confirms it where he is (R13).

use std::time::Duration;

use prost_types::Timestamp;
use serde_json::json;
use sluis::{
    demo::data::GATEWAY_OIN,
    identity::{Trust, TrustFiles, connect},
    proto::{
        self, GetStatementRequest, GrantStatus, PresentedGrant, get_statement_response::Result as Answer,
        source_service_client::SourceServiceClient,
    },
};
use tonic::Code;
use uuid::Uuid;

use super::{ask, assert_refused, draft, reconfirm, reconfirmation, record, region, states};
use crate::{
    bad_forge::day,
    lab::{Lab, reason},
    promises::{BY_KADE, COACH, Given, KADE, UWV, WATERRIJK, bsn, today},
};

const UNFREE: [&str; 4] = ["INTAKE", "ACCESS_DECISION", "BENEFIT_APPLICATION", "SANCTION_HEARING"];
const FREE: [&str; 3] = ["GUIDANCE_TALK", "THREE_WAY_TALK", "CLIENT_INITIATIVE"];

fn signed_at(context: &str, bsn: &str, given: &Given<'_>) -> serde_json::Value {
    let mut draft = draft(bsn, &[*given]);
    draft["collection"]["context"] = json!(context);
    draft
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_what_is_signed_under_pressure_waits_for_a_free_word() {
    let (lab, _) = region(8).await;
    let free = |n: usize| FREE[n % FREE.len()];
    for (n, context) in UNFREE.into_iter().enumerate() {
        let form = record(&lab, "kade", &signed_at(context, &bsn(n), &BY_KADE)).await.unwrap();
        let status = form.grants[0].status();
        assert_eq!(status, GrantStatus::NotReconfirmed, "{context}: recorded, and not in force");
        let nothing = (Vec::new(), "NOT_RECONFIRMED".to_owned());
        assert_eq!(ask(&lab, &bsn(n), &[COACH]).await, nothing, "{context}: nothing is released");
        let word = reconfirmation(&lab, "kade", &form.form_id, KADE, free(n), &day(-13));
        assert!(reconfirm(&lab, "kade", word).await.unwrap() > 0);
        assert_eq!(states(&lab, "kade", &form.form_id).await, [GrantStatus::InForce], "{context}");
        // The source of this region checks every grant by itself, this one with its reconfirmation.
        let (released, why) = ask(&lab, &bsn(n), &[COACH]).await;
        assert_eq!((released, why.as_str()), (vec![COACH.to_owned()], "RELEASED"), "{context}: confirmed");
    }
    for (n, context) in (4..).zip(FREE) {
        let form = record(&lab, "kade", &signed_at(context, &bsn(n), &BY_KADE)).await.unwrap();
        assert_eq!(form.grants[0].status(), GrantStatus::InForce, "{context}: free from the first");
    }
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r13_only_its_recorder_reconfirms_on_a_later_day_where_the_client_is_free() {
    const INVALID: &str = "RECONFIRMATION_INVALID";
    const ON: &str = "reconfirmation.confirmed_on";
    const LATER: &str = "must be a later day than that of the signature";
    const FREE: &str = "must be one of: GUIDANCE_TALK THREE_WAY_TALK CLIENT_INITIATIVE";
    let (lab, _) = region(2).await;
    let form = record(&lab, "kade", &signed_at("INTAKE", &bsn(0), &BY_KADE)).await.unwrap().form_id;
    let free = record(&lab, "kade", &draft(&bsn(1), &[BY_KADE])).await.unwrap().form_id;
    let by_kade = |form: &str, context: &str, on: i64| {
        (reconfirmation(&lab, "kade", form, KADE, context, &day(on)), "kade")
    };
    for (what, (word, caller), expected) in [
        ("the same day", by_kade(&form, "GUIDANCE_TALK", -14), (INVALID, "R13", ON, LATER)),
        ("the day before", by_kade(&form, "GUIDANCE_TALK", -15), (INVALID, "R13", ON, LATER)),
        ("tomorrow", by_kade(&form, "GUIDANCE_TALK", 1), (INVALID, "R13", ON, "must not lie in the future")),
        (
            "at another unfree place",
            by_kade(&form, "BENEFIT_APPLICATION", -3),
            ("FORM_NOT_FREE", "R13", "reconfirmation.context", FREE),
        ),
        (
            "at the intake again",
            by_kade(&form, "INTAKE", -3),
            ("FORM_NOT_FREE", "R13", "reconfirmation.context", FREE),
        ),
        (
            "a form that needs none",
            by_kade(&free, "GUIDANCE_TALK", -3),
            (INVALID, "R13", "reconfirmation.form_id", "was signed freely, and needs none"),
        ),
        (
            "sent by another",
            (by_kade(&form, "GUIDANCE_TALK", -3).0, "waterrijk"),
            ("FORM_KEY_UNKNOWN", "R05", "reconfirmation", "must be signed with a key registered"),
        ),
        (
            "in the recorder's name",
            (reconfirmation(&lab, "uwv", &form, KADE, "GUIDANCE_TALK", &day(-3)), "uwv"),
            ("FORM_RECORDER_MISMATCH", "R05", "reconfirmation.recorder", "must be the caller"),
        ),
    ] {
        assert_refused(what, &reconfirm(&lab, caller, word).await.expect_err(what), expected);
    }
    // Another's form reads as one that is not there.
    let unknown = Uuid::new_v4().to_string();
    for (what, caller, of, form) in [
        ("another's", "uwv", UWV, &form),
        ("the recipient", "waterrijk", WATERRIJK, &form),
        ("unknown", "kade", KADE, &unknown),
    ] {
        let word = reconfirmation(&lab, caller, form, of, "GUIDANCE_TALK", &day(-3));
        let status = reconfirm(&lab, caller, word).await.expect_err(what);
        assert_eq!(reason(&status), (Code::NotFound, "CONSENT_NOT_FOUND".to_owned()), "{what}");
    }
    assert_eq!(states(&lab, "kade", &form).await, [GrantStatus::NotReconfirmed], "nothing of it counted");
    assert!(ask(&lab, &bsn(0), &[COACH]).await.0.is_empty());
    assert!(reconfirm(&lab, "kade", by_kade(&form, "GUIDANCE_TALK", 0).0).await.is_ok(), "today is fine");
    assert_eq!(ask(&lab, &bsn(0), &[COACH]).await.0, [COACH]);
    lab.world.stop().await;
}

/// A source, asked under this certificate as a gateway asks it.
async fn source(lab: &Lab, short: &str, certificate: &str) -> SourceServiceClient<tonic::transport::Channel> {
    let certs = lab.world.dir.join("certs");
    let trust = Trust::load(&TrustFiles {
        roots: vec![certs.join("ca.pem")],
        crls: vec![certs.join("crl.pem")],
        certificate: certs.join(format!("{certificate}.pem")),
        key: certs.join(format!("{certificate}.key")),
    });
    let url = format!("https://localhost:{}", lab.world.sources[short].address.port());
    let channel = connect(&url, &trust.unwrap(), None, Duration::from_secs(5)).await.unwrap();
    SourceServiceClient::new(channel)
}

/// The source does not take the gateway's word for it: it wants the recorder's signature.
#[tokio::test(flavor = "multi_thread")]
async fn r13_the_source_wants_to_see_the_reconfirmation_itself() {
    let lab = Lab::start().await;
    assert_eq!(GATEWAY_OIN, "00000099000000100000");
    let client = crate::lab::BSN;
    let signed = lab.sign("kade", &signed_at("INTAKE", client, &BY_KADE).to_string());
    let recorded = lab.client("kade").await.consent().record_consent(signed.clone()).await.unwrap();
    let form = recorded.into_inner().form_id;
    let word = |signer: &str, form: &str, context: &str, on: i64| {
        reconfirmation(&lab, signer, form, KADE, context, &day(on))
    };
    let other = Uuid::new_v4().to_string();
    let mut kade = source(&lab, "kade", "gateway").await;
    let mut ask = async |reconfirmation: String| {
        let question = GetStatementRequest {
            query_id: Uuid::new_v4().to_string(),
            bsn: client.to_owned(),
            recipient: WATERRIJK.to_owned(),
            role: BY_KADE.role.to_owned(),
            purpose: BY_KADE.purpose.to_owned(),
            fields: vec!["VW-04".to_owned()],
            grants: vec![PresentedGrant {
                jws: signed.grants[0].jws.clone(),
                binding_salt: signed.grants[0].binding_salt.clone(),
                reconfirmation,
                countersignature: String::new(),
            }],
            deadline: Some(Timestamp { seconds: tomorrow(), nanos: 0 }),
        };
        kade.get_statement(question).await.unwrap().into_inner().result
    };
    for (what, reconfirmation) in [
        ("none", String::new()),
        ("of the same day", word("kade", &form, "GUIDANCE_TALK", -14)),
        ("at another unfree place", word("kade", &form, "SANCTION_HEARING", -3)),
        ("of another form", word("kade", &other, "GUIDANCE_TALK", -3)),
        ("signed by another", word("uwv", &form, "GUIDANCE_TALK", -3)),
    ] {
        let answer = ask(reconfirmation).await;
        assert_eq!(answer, Some(Answer::Declined(proto::Declined {})), "{what}: the source declines");
    }
    let answer = ask(word("kade", &form, "GUIDANCE_TALK", -3)).await;
    assert!(matches!(answer, Some(Answer::WorkCapacity(_))), "with it, it answers: {answer:?}");
    lab.world.stop().await;
}

fn tomorrow() -> i64 {
    today().next_day().unwrap().midnight().assume_utc().unix_timestamp()
}
