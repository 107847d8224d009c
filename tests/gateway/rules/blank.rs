//! What is refused at the recording: no evidence, a blanket authorisation, no explanation, no explicit act, pressure, and
//! what is medical.

use serde_json::{Value, json};
use sluis::proto::GrantStatus;

use super::{Refusal, assert_refused, released};
use crate::{
    bad_forge::{Forged, day},
    lab::{BSN, Lab},
    promises::about,
};

type Case = (&'static str, fn(&mut Forged), Refusal);

/// Refuses each changed form, and records an unchanged one in the end, so that the change is what was refused.
async fn refuse_all(cases: &[Case]) {
    let lab = Lab::start().await;
    let mut kade = lab.client("kade").await.consent();
    for (what, change, expected) in cases {
        let mut forged = Forged::new(&lab);
        change(&mut forged);
        let status = kade.record_consent(forged.sign(&lab)).await.expect_err(what);
        assert_refused(what, &status, *expected);
    }
    let listed = kade.list_consents(sluis::proto::ListConsentsRequest { bsn: BSN.to_owned() }).await;
    assert!(listed.unwrap().into_inner().consents.is_empty(), "nothing that was refused is recorded");
    assert!(kade.record_consent(Forged::new(&lab).sign(&lab)).await.is_ok(), "the unchanged form is good");
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_no_consent_without_written_evidence() {
    const SHA: &str = "must be a SHA-256 in lower-case hexadecimal";
    const USE: &str = "a version of a form that is registered for the recorder and was in use";
    const MISSING: &str = "FORM_EVIDENCE_MISSING";
    refuse_all(&[
        ("no evidence at all", |f| f.remove("/evidence"), (MISSING, "R05", "form.evidence", "is missing")),
        (
            "no hash of what is kept",
            |f| f.set("/evidence/sha256", json!("")),
            (MISSING, "R05", "form.evidence.sha256", SHA),
        ),
        (
            "kept as a text",
            |f| f.set("/evidence/media_type", json!("text/plain")),
            (MISSING, "R05", "form.evidence.media_type", "must be one of: application/pdf image/png"),
        ),
        (
            "kept as nothing",
            |f| f.set("/evidence/size", json!(0)),
            (MISSING, "R05", "form.evidence.size", "must be a whole number from 1 to 100000000"),
        ),
        (
            "signed tomorrow",
            |f| f.set("/evidence/signed_on", day(1)),
            (MISSING, "R05", "form.evidence.signed_on", "must not lie in the future"),
        ),
        (
            "seen before it was signed",
            |f| f.set("/collection/verified_on", day(-15)),
            (MISSING, "R05", "form.collection.verified_on", "must be a day from the signature to today"),
        ),
        (
            "an unknown version of the form",
            |f| f.set("/evidence/form_version", json!(2)),
            ("FORM_VERSION_UNKNOWN", "R05", "form.evidence.form_version", USE),
        ),
        (
            "an unknown form",
            |f| f.set("/evidence/form_number", json!(7)),
            ("FORM_VERSION_UNKNOWN", "R05", "form.evidence.form_version", USE),
        ),
        (
            "a representative without a proof",
            |f| {
                f.represented("MENTOR", "ADULT");
                f.set("/grantor/evidence_sha256", json!(""));
            },
            ("FORM_GRANTOR_INVALID", "R05", "form.grantor.evidence_sha256", SHA),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r06_no_blanket_authorisation() {
    const ONE: &str = "is too wide: name exactly one";
    const EACH: &str = "name each field by its code";
    const WIDE: &str = "FORM_TOO_WIDE";
    const USES: &str = "must be a whole number from 1 to 100";
    const MANY: &str = "must be 1 to 32 grants";
    refuse_all(&[
        ("any recipient", |f| f.grant("recipient", json!("*")), (WIDE, "R06", "grants[0].recipient", ONE)),
        ("all sources", |f| f.grant("source", json!("alle")), (WIDE, "R06", "grants[0].source", ONE)),
        ("any role", |f| f.grant("role", json!("gem.*")), (WIDE, "R06", "grants[0].role", ONE)),
        ("every purpose", |f| f.grant("purpose", json!("all")), (WIDE, "R06", "grants[0].purpose", ONE)),
        ("no end", |f| f.grant("valid_until", json!("")), (WIDE, "R06", "grants[0].valid_until", ONE)),
        (
            "an end left out",
            |f| f.without("valid_until"),
            (WIDE, "R06", "grants[0].valid_until", "is missing"),
        ),
        ("every field", |f| f.grant("fields", json!(["*"])), (WIDE, "R06", "grants[0].fields[0]", EACH)),
        ("no field", |f| f.grant("fields", json!([])), (WIDE, "R06", "grants[0].fields", EACH)),
        ("101 uses", |f| f.grant("uses", json!(101)), (WIDE, "R06", "grants[0].uses", USES)),
        ("no grant and no refusal", |f| f.multiply(0), (WIDE, "R06", "grants", MANY)),
        ("33 grants", |f| f.multiply(33), (WIDE, "R06", "grants", MANY)),
        (
            "every purpose by its name",
            every_purpose,
            (WIDE, "R06", "grants", "a consent to everything is none"),
        ),
    ])
    .await;
}

/// One grant for each active purpose, each within its ceiling.
fn every_purpose(forged: &mut Forged) {
    const ACTIVE: [&str; 10] = [
        "REINTEGRATION",
        "PLAN_ALIGNMENT",
        "JOB_COACHING",
        "JOB_PLACEMENT",
        "WAGE_VALUE",
        "WORKPLACE_ADJUSTMENT",
        "SHELTERED_WORK",
        "TARGET_GROUP_REGISTER",
        "PROGRESS_UPDATE",
        "WARM_HANDOVER",
    ];
    forged.multiply(ACTIVE.len());
    for (grant, purpose) in forged.grants.iter_mut().zip(ACTIVE) {
        grant["purpose"] = json!(purpose);
        if purpose == "WARM_HANDOVER" {
            grant["uses"] = json!(1);
        }
        grant["fields"] = json!([if purpose == "TARGET_GROUP_REGISTER" { "RG-01" } else { "WT-01" }]);
    }
}

/// What is changed of a form before it is signed.
type Change = fn(&mut Forged);

/// What is just within the bounds is recorded, so that the bounds are where they should be.
#[tokio::test(flavor = "multi_thread")]
async fn r06_what_is_named_one_by_one_is_recorded() {
    let lab = Lab::start().await;
    let cases: [(&str, Change); 4] = [
        ("all purposes but one", |f| {
            every_purpose(f);
            f.grants.pop();
            f.salts.pop();
        }),
        ("100 uses", |f| f.grant("uses", json!(100))),
        ("one use", |f| f.grant("uses", json!(1))),
        ("32 grants", |f| f.multiply(32)),
    ];
    for (what, change) in cases {
        let mut forged = Forged::new(&lab);
        change(&mut forged);
        let recorded = lab.client("kade").await.consent().record_consent(forged.sign(&lab)).await;
        assert!(recorded.is_ok(), "{what}: {recorded:?}");
    }
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r07_explained_before_and_no_more_than_needed() {
    const MISSING: &str = "FORM_EXPLANATION_MISSING";
    const ABOVE: &str = "FORM_FIELDS_ABOVE_CEILING";
    const NUMBER: &str = "must be a whole number from 1 to 9999";
    refuse_all(&[
        ("not explained", |f| f.remove("/explanation"), (MISSING, "R07", "form.explanation", "is missing")),
        (
            "explained by no text",
            |f| f.set("/explanation/text_version", json!(0)),
            (MISSING, "R07", "form.explanation.text_version", NUMBER),
        ),
        (
            "explained in no known language",
            |f| f.set("/explanation/language", json!("xx")),
            (MISSING, "R07", "form.explanation.language", "must be one of: nl en"),
        ),
        (
            "explained at no known level",
            |f| f.set("/explanation/reading_level", json!("Z9")),
            (MISSING, "R07", "form.explanation.reading_level", "must be one of: A2 B1 B2 C1"),
        ),
        (
            "explained after the signature",
            |f| f.set("/explanation/explained_on", day(-13)),
            (MISSING, "R07", "form.explanation.explained_on", "must not be after the signature"),
        ),
        (
            "explained by a text that is not of this form",
            |f| f.set("/explanation/text_version", json!(9)),
            ("FORM_VERSION_UNKNOWN", "R05", "form.evidence.form_version", "with its explanation"),
        ),
        (
            "a field that the purpose does not need",
            |f| f.grant("fields", json!(["WT-01", "VW-12"])),
            (
                ABOVE,
                "R07",
                "grants[0].fields",
                "above the ceiling of the purpose for this role and source: VW-12",
            ),
        ),
        (
            "anything from a GGZ for matching",
            |f| {
                f.grants[1]["purpose"] = json!("JOB_PLACEMENT");
                f.grants[1]["fields"] = json!(["VW-02"]);
            },
            (
                ABOVE,
                "R07",
                "grants[1].fields",
                "above the ceiling of the purpose for this role and source: VW-02",
            ),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r11_explicit_and_what_reveals_much_ticked_apart() {
    const TICK: &str = "must list exactly the strongly revealing fields of the grant, ticked apart: AV-09";
    const TYPE: &str = "must be `EXPLICIT_WRITTEN_SIGNED`";
    const UNTICKED: &str = "FORM_SENSITIVE_NOT_TICKED";
    fn revealing(forged: &mut Forged, ticked: Option<Value>) {
        forged.grant("fields", json!(["WT-01", "AV-09"]));
        if let Some(ticked) = ticked {
            forged.grant("sensitive", ticked);
        }
    }
    refuse_all(&[
        ("not ticked", |f| revealing(f, None), (UNTICKED, "R11", "grants[0].sensitive", TICK)),
        (
            "another ticked",
            |f| revealing(f, Some(json!(["AV-08"]))),
            (UNTICKED, "R11", "grants[0].sensitive", TICK),
        ),
        (
            "an ordinary one ticked beside it",
            |f| revealing(f, Some(json!(["WT-01", "AV-09"]))),
            (UNTICKED, "R11", "grants[0].sensitive", TICK),
        ),
        (
            "implied",
            |f| f.set("/consent_type", json!("IMPLIED")),
            ("FORM_NOT_EXPLICIT", "R11", "form.consent_type", TYPE),
        ),
    ])
    .await;

    let lab = Lab::start().await;
    let mut ticked = Forged::new(&lab);
    revealing(&mut ticked, Some(json!(["AV-09"])));
    let recorded = lab.client("kade").await.consent().record_consent(ticked.sign(&lab)).await.unwrap();
    let recorded = recorded.into_inner();
    assert_eq!(recorded.grants[0].sensitive, ["AV-09"]);
    assert_eq!(recorded.grants[0].status(), GrantStatus::InForce);
    let answer = lab.ask("waterrijk", about(BSN, &["work_ability.varying_capacity"])).await.unwrap();
    assert_eq!(released(&answer), ["work_ability.varying_capacity"], "ticked, so released");
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r12_no_pressure_and_withdrawing_as_easy_as_giving() {
    const HARDER: &str = "FORM_WITHDRAWAL_HARDER";
    const WAYS: &str = "form.collection.withdrawal";
    const PAPER: &str = "must have IN_PERSON or LETTER";
    fn signed(forged: &mut Forged, method: &str, ways: &[&str]) {
        forged.set("/collection/method", json!(method));
        forged.set("/collection/withdrawal", json!(ways));
    }
    refuse_all(&[
        (
            "refusal has a consequence",
            |f| f.set("/collection/refusal_without_consequence", json!(false)),
            ("FORM_PRESSURE", "R12", "form.collection.refusal_without_consequence", "must be true"),
        ),
        (
            "no alternative",
            |f| f.set("/collection/alternative", json!("NONE")),
            ("FORM_PRESSURE", "R12", "form.collection.alternative", "must be one of: CLIENT_TELLS_HIMSELF"),
        ),
        ("no way back", |f| signed(f, "WET_INK", &[]), (HARDER, "R12", WAYS, "at least one way")),
        ("paper, back by portal", |f| signed(f, "WET_INK", &["PORTAL"]), (HARDER, "R12", WAYS, PAPER)),
        (
            "paper, back by phone or portal",
            |f| signed(f, "WET_INK", &["PHONE", "PORTAL"]),
            (HARDER, "R12", WAYS, PAPER),
        ),
        (
            "on screen, back on paper",
            |f| signed(f, "E_FORM_DIGID", &["IN_PERSON", "LETTER", "PHONE"]),
            (HARDER, "R12", WAYS, "must have PORTAL"),
        ),
        (
            "electronic signature, back in person",
            |f| signed(f, "EIDAS_SIGNATURE", &["IN_PERSON", "PHONE"]),
            (HARDER, "R12", WAYS, "must have PORTAL or LETTER"),
        ),
    ])
    .await;

    let lab = Lab::start().await;
    for (method, way) in [
        ("WET_INK", "IN_PERSON"),
        ("WET_INK", "LETTER"),
        ("E_FORM_DIGID", "PORTAL"),
        ("EIDAS_SIGNATURE", "PORTAL"),
        ("EIDAS_SIGNATURE", "LETTER"),
    ] {
        let mut forged = Forged::new(&lab);
        signed(&mut forged, method, &[way]);
        let recorded = lab.client("kade").await.consent().record_consent(forged.sign(&lab)).await;
        assert!(recorded.is_ok(), "{method}, back by {way}: {recorded:?}");
    }
    lab.world.stop().await;
}

/// A form never gives a treatment plan or a diagnosis, whatever it is called and whoever signs.
#[tokio::test(flavor = "multi_thread")]
async fn r39_nothing_medical_can_be_put_on_a_consent() {
    const CODE: &str = "is not a code of the catalogue, such as `WT-02`";
    const MEDICAL: Refusal = ("FIELD_MEDICAL", "R22", "grants[1].fields[0]", CODE);
    refuse_all(&[
        ("a treatment plan", |f| f.grants[1]["fields"] = json!(["treatment_plan"]), MEDICAL),
        ("a treatment plan in Dutch", |f| f.grants[1]["fields"] = json!(["behandelplan"]), MEDICAL),
        ("a diagnosis", |f| f.grants[1]["fields"] = json!(["diagnosis"]), MEDICAL),
        ("a diagnosis in Dutch", |f| f.grants[1]["fields"] = json!(["diagnose"]), MEDICAL),
        ("a diagnosis by its code", |f| f.grants[1]["fields"] = json!(["F32.1"]), MEDICAL),
        ("medication", |f| f.grants[1]["fields"] = json!(["medicatie"]), MEDICAL),
        (
            "behind an ordinary field",
            |f| f.grants[1]["fields"] = json!(["VW-02", "behandelplan"]),
            ("FIELD_MEDICAL", "R22", "grants[1].fields[1]", CODE),
        ),
        (
            "struck out, which would say that there is one",
            |f| f.grants[1]["excluded"] = json!(["behandelplan"]),
            ("FIELD_MEDICAL", "R22", "grants[1].excluded[0]", CODE),
        ),
    ])
    .await;
}
