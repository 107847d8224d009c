//! Forms that must not be recorded: each is refused as a whole with its reason and the field, and leaves one entry.

use crate::{
    bad_forge::{Forged, day},
    bad_tools::{Expected, FREE_TEXT, REAL_BSN, assert_refused, assert_refused_act, invalid},
    lab::{BSN, Lab},
};
use serde_json::{Value, json};
use sluis::{
    client::Client,
    domain::purpose::NEVER_SERVED,
    proto::{ListConsentsRequest, RecordConsentRequest},
};

type Change = fn(&mut Forged);
pub type Case = (&'static str, Change, Expected);

const NOBODY: &str = "00000099000009009000";
const FG: &str = "00000099000000101000";
pub const WATERRIJK: &str = "00000099000001001000";
const SLUISDAM: &str = "00000099000001002000";
const KADE: &str = "00000099000003001000";

/// How many forms of the main character this recorder has.
pub async fn recorded(client: &Client) -> usize {
    let listed = client.consent().list_consents(ListConsentsRequest { bsn: BSN.to_owned() }).await;
    listed.unwrap().into_inner().consents.len()
}

/// Records as this participant, and checks the refusal, that nothing new is recorded, and the one entry in the log.
pub async fn refuse(
    lab: &Lab,
    client: &Client,
    what: &str,
    request: RecordConsentRequest,
    expected: Expected,
) {
    let known = recorded(client).await;
    let before = lab.size().await;
    let status = client.consent().record_consent(request).await.expect_err(what);
    assert_refused(what, &status, expected);
    assert_refused_act(what, &lab.log(before).await, KADE, "record", expected.1);
    assert_eq!(recorded(client).await, known, "{what}: nothing new");
}

/// Refuses each changed form, and records an unchanged one in the end.
pub async fn refuse_all(cases: &[Case]) {
    let lab = Lab::start().await;
    let client = lab.client("kade").await;
    for (what, change, expected) in cases {
        let mut forged = Forged::new(&lab);
        change(&mut forged);
        refuse(&lab, &client, what, forged.sign(&lab), *expected).await;
    }
    assert_eq!(recorded(&client).await, 0);
    let good = Forged::new(&lab).sign(&lab);
    client.consent().record_consent(good).await.expect("the unchanged form is good");
    assert_eq!(recorded(&client).await, 1);
    for text in [FREE_TEXT, "depressie", BSN, REAL_BSN] {
        lab.assert_written_nowhere(text).await;
    }
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r06_a_blanket_authorisation_is_not_recorded() {
    const RECIPIENT: Expected = invalid("FORM_TOO_WIDE", &["grants[0].recipient"]);
    const SOURCE: Expected = invalid("FORM_TOO_WIDE", &["grants[0].source"]);
    const ROLE: Expected = invalid("FORM_TOO_WIDE", &["grants[0].role"]);
    const PURPOSE: Expected = invalid("FORM_TOO_WIDE", &["grants[0].purpose"]);
    const FIELD: Expected = invalid("FORM_TOO_WIDE", &["grants[0].fields[0]"]);
    const FIELDS: Expected = invalid("FORM_TOO_WIDE", &["grants[0].fields"]);
    const END: Expected = invalid("FORM_TOO_WIDE", &["grants[0].valid_until"]);
    refuse_all(&[
        ("any recipient", |f| f.grant("recipient", json!("*")), RECIPIENT),
        ("all recipients", |f| f.grant("recipient", json!("all")), RECIPIENT),
        ("an empty recipient", |f| f.grant("recipient", json!("")), RECIPIENT),
        ("recipients that begin so", |f| f.grant("recipient", json!("00000099*")), RECIPIENT),
        ("no recipient", |f| f.without("recipient"), RECIPIENT),
        ("a list of recipients", |f| f.grant("recipient", json!([WATERRIJK, SLUISDAM])), RECIPIENT),
        ("any source", |f| f.grant("source", json!("*")), SOURCE),
        ("all sources", |f| f.grant("source", json!("Alle")), SOURCE),
        ("an empty source", |f| f.grant("source", json!(" ")), SOURCE),
        ("no source", |f| f.grant("source", Value::Null), SOURCE),
        ("the recipient as its own source", |f| f.grant("source", json!(WATERRIJK)), SOURCE),
        ("any role", |f| f.grant("role", json!("*")), ROLE),
        ("all municipal roles", |f| f.grant("role", json!("gem.*")), ROLE),
        ("all roles", |f| f.grant("role", json!("ALL")), ROLE),
        ("an empty role", |f| f.grant("role", json!("")), ROLE),
        ("no role", |f| f.without("role"), ROLE),
        ("any purpose", |f| f.grant("purpose", json!("*")), PURPOSE),
        ("all purposes", |f| f.grant("purpose", json!("alles")), PURPOSE),
        ("an empty purpose", |f| f.grant("purpose", json!("")), PURPOSE),
        ("a list of purposes", |f| f.grant("purpose", json!(["REINTEGRATION"])), PURPOSE),
        ("any field", |f| f.grant("fields", json!(["*"])), FIELD),
        ("all fields", |f| f.grant("fields", json!(["all"])), FIELD),
        ("an empty code", |f| f.grant("fields", json!([""])), FIELD),
        ("any field of a group", |f| f.grant("fields", json!(["WT-*"])), FIELD),
        ("an empty list of fields", |f| f.grant("fields", json!([])), FIELDS),
        ("no fields", |f| f.without("fields"), FIELDS),
        ("fields in one text", |f| f.grant("fields", json!("WT-01 WT-02")), FIELDS),
        ("no end", |f| f.without("valid_until"), END),
        ("an empty end", |f| f.grant("valid_until", json!("")), END),
        ("an end that is nothing", |f| f.grant("valid_until", Value::Null), END),
        ("any end", |f| f.grant("valid_until", json!("*")), END),
        ("no start", |f| f.without("valid_from"), invalid("FORM_TOO_WIDE", &["grants[0].valid_from"])),
        ("no grant", |f| f.multiply(0), invalid("FORM_TOO_WIDE", &["grants"])),
        ("more grants than a form holds", |f| f.multiply(33), invalid("FORM_TOO_WIDE", &["grants"])),
        ("a form without a list of grants", no_list, invalid("FORM_TOO_WIDE", &["form.grants"])),
    ])
    .await;
}

fn no_list(forged: &mut Forged) {
    forged.rename = false;
    forged.remove("/grants");
}

#[tokio::test(flavor = "multi_thread")]
async fn r06_r07_r11_period_fields_and_parties_stay_within_bounds() {
    const PERIOD: Expected = invalid("FORM_PERIOD_INVALID", &["grants[0].valid_until"]);
    const CEILING: Expected = invalid("FORM_FIELDS_ABOVE_CEILING", &["grants[0].fields"]);
    const TICK: Expected = invalid("FORM_SENSITIVE_NOT_TICKED", &["grants[0].sensitive"]);
    const ORDER: Expected = invalid("FORM_UNREADABLE", &["grants[0].fields"]);
    const UNKNOWN: Expected = invalid("FIELD_UNKNOWN", &["grants[0].fields[0]"]);
    const MEDICAL: Expected = invalid("FIELD_MEDICAL", &["grants[0].fields[0]"]);
    const RECIPIENT: Expected = invalid("FORM_PARTY_NOT_ADMITTED", &["grants[0].recipient"]);
    const ROLE: Expected = invalid("FORM_PARTY_NOT_ADMITTED", &["grants[0].role"]);
    const SOURCE: Expected = invalid("FORM_PARTY_NOT_ADMITTED", &["grants[0].source"]);
    const NAME: Expected = invalid("FORM_UNREADABLE", &["grants[0].recipient"]);
    const MALFORMED: Expected = invalid("PURPOSE_MALFORMED", &["grants[0].purpose"]);
    refuse_all(&[
        ("an end before the start", |f| f.grant("valid_until", day(-15)), PERIOD),
        ("an end at the start", |f| f.grant("valid_until", f.grants[0]["valid_from"].clone()), PERIOD),
        ("an end in the past", |f| f.grant("valid_until", day(-1)), PERIOD),
        ("an end that is today", |f| f.grant("valid_until", day(0)), PERIOD),
        (
            "a start before the signature",
            |f| f.grant("valid_from", day(-16)),
            invalid("FORM_PERIOD_INVALID", &["grants[0].valid_from"]),
        ),
        (
            "more than twelve months",
            |f| f.grant("valid_until", day(-14 + 367)),
            invalid("FORM_PERIOD_TOO_LONG", &["grants[0].valid_until"]),
        ),
        (
            "a late start does not stretch it",
            |f| {
                f.grant("valid_from", day(300));
                f.grant("valid_until", day(400));
            },
            invalid("FORM_PERIOD_TOO_LONG", &["grants[0].valid_until"]),
        ),
        (
            "a day that does not exist",
            |f| f.grant("valid_until", json!("2026-02-30")),
            invalid("FORM_UNREADABLE", &["grants[0].valid_until"]),
        ),
        ("a field for another purpose", |f| f.grant("fields", json!(["WT-01", "VW-12"])), CEILING),
        (
            "work ability for matching",
            |f| {
                f.grant("purpose", json!("JOB_PLACEMENT"));
                f.grant("fields", json!(["WT-01", "AV-01"]));
            },
            CEILING,
        ),
        (
            "any GGZ source for matching",
            ggz_matching,
            invalid("FORM_FIELDS_ABOVE_CEILING", &["grants[1].fields"]),
        ),
        ("a role that the purpose is not for", |f| f.grant("role", json!("gem.jobcoach")), CEILING),
        (
            "a revealing field unticked",
            |f| f.grants[0]["fields"].as_array_mut().unwrap().push(json!("AV-09")),
            TICK,
        ),
        ("a tick for another field", |f| f.grant("sensitive", json!(["AV-09"])), TICK),
        ("a tick for an ordinary field", |f| f.grant("sensitive", json!(["WT-01"])), TICK),
        ("fields out of order", |f| f.grant("fields", json!(["WT-02", "WT-01"])), ORDER),
        ("a field twice", |f| f.grant("fields", json!(["WT-01", "WT-01"])), ORDER),
        ("a group for a field", |f| f.grant("fields", json!(["WT"])), UNKNOWN),
        ("an unknown code", |f| f.grant("fields", json!(["ZZ-01"])), UNKNOWN),
        ("a path for a code", |f| f.grant("fields", json!(["working_hours"])), UNKNOWN),
        ("a diagnosis", |f| f.grant("fields", json!(["DSM-5"])), MEDICAL),
        ("a diagnosis in words", |f| f.grant("fields", json!([FREE_TEXT])), MEDICAL),
        ("an unknown recipient", |f| f.grant("recipient", json!(NOBODY)), RECIPIENT),
        ("a recipient that does not ask", |f| f.grant("recipient", json!(FG)), RECIPIENT),
        ("a name for a recipient", |f| f.grant("recipient", json!("Gemeente Waterrijk")), NAME),
        ("a role of another kind", |f| f.grant("role", json!("uwv.adviseur")), ROLE),
        (
            "an unknown role",
            |f| f.grant("role", json!("gem.burgemeester")),
            invalid("FORM_UNREADABLE", &["grants[0].role"]),
        ),
        ("an unknown source", |f| f.grant("source", json!(NOBODY)), SOURCE),
        ("a source that holds nothing", |f| f.grant("source", json!(SLUISDAM)), SOURCE),
        ("two purposes", |f| f.grant("purpose", json!("REINTEGRATION,JOB_COACHING")), MALFORMED),
        ("a purpose in lower case", |f| f.grant("purpose", json!("reintegration")), MALFORMED),
        (
            "an unknown purpose",
            |f| f.grant("purpose", json!("CURIOSITY")),
            invalid("PURPOSE_UNKNOWN", &["grants[0].purpose"]),
        ),
        (
            "an inactive purpose",
            |f| f.grant("purpose", json!("AFTERCARE")),
            invalid("PURPOSE_INACTIVE", &["grants[0].purpose"]),
        ),
        (
            "a fault in the second grant",
            |f| f.grants[1]["valid_until"] = day(-1),
            invalid("FORM_PERIOD_INVALID", &["grants[1].valid_until"]),
        ),
    ])
    .await;
}

/// Every field that the second source, a GGZ, could give for the purpose that has no room for it.
fn ggz_matching(forged: &mut Forged) {
    forged.grants[1]["purpose"] = json!("JOB_PLACEMENT");
    forged.grants[1]["fields"] = json!(["VW-02"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_r07_r12_r13_evidence_explanation_and_circumstances_are_stated() {
    const FREE: Expected = invalid("FORM_NOT_FREE", &["form.collection.context"]);
    const PRESSURE: Expected = invalid("FORM_PRESSURE", &["form.collection.refusal_without_consequence"]);
    const ALTERNATIVE: Expected = invalid("FORM_PRESSURE", &["form.collection.alternative"]);
    const METHOD: Expected = invalid("FORM_UNREADABLE", &["form.collection.method"]);
    const EXPLAINED: Expected = invalid("FORM_EXPLANATION_MISSING", &["form.explanation.explained_on"]);
    const BY: Expected = invalid("FORM_EXPLANATION_MISSING", &["form.explanation.explained_by"]);
    const SIGNED: Expected = invalid("FORM_EVIDENCE_MISSING", &["form.evidence.signed_on"]);
    const NUMBER: Expected = invalid("FORM_EVIDENCE_MISSING", &["form.evidence.form_number"]);
    const KEPT: Expected = invalid("FORM_EVIDENCE_MISSING", &["form.evidence.sha256"]);
    const KEEPER: Expected = invalid("FORM_EVIDENCE_MISSING", &["form.evidence.custodian"]);
    const MEDIA: Expected = invalid("FORM_EVIDENCE_MISSING", &["form.evidence.media_type"]);
    const TWICE: &str = "9D6F6ED2AF00EC654A35B3CBD58641EBC99C3FB8A43ED48F90165521BB330569";
    refuse_all(&[
        ("at intake", |f| f.set("/collection/context", json!("INTAKE")), FREE),
        ("at a decision", |f| f.set("/collection/context", json!("ACCESS_DECISION")), FREE),
        ("at an application", |f| f.set("/collection/context", json!("BENEFIT_APPLICATION")), FREE),
        ("at a hearing", |f| f.set("/collection/context", json!("SANCTION_HEARING")), FREE),
        ("anywhere", |f| f.set("/collection/context", json!("ELSEWHERE")), FREE),
        ("nowhere", |f| f.remove("/collection/context"), FREE),
        ("no circumstances", |f| f.remove("/collection"), invalid("FORM_NOT_FREE", &["form.collection"])),
        ("a ticked box", |f| f.set("/collection/method", json!("PRE_TICKED")), METHOD),
        ("no method", |f| f.remove("/collection/method"), METHOD),
        (
            "refusal has a consequence",
            |f| f.set("/collection/refusal_without_consequence", json!(false)),
            PRESSURE,
        ),
        (
            "consequence in words",
            |f| f.set("/collection/refusal_without_consequence", json!("true")),
            PRESSURE,
        ),
        ("consequence not stated", |f| f.remove("/collection/refusal_without_consequence"), PRESSURE),
        ("no alternative", |f| f.remove("/collection/alternative"), ALTERNATIVE),
        ("an alternative that is none", |f| f.set("/collection/alternative", json!("NONE")), ALTERNATIVE),
        (
            "no explanation",
            |f| f.remove("/explanation"),
            invalid("FORM_EXPLANATION_MISSING", &["form.explanation"]),
        ),
        (
            "no version of the explanation",
            |f| f.set("/explanation/text_version", json!(0)),
            invalid("FORM_EXPLANATION_MISSING", &["form.explanation.text_version"]),
        ),
        ("explained by nobody", |f| f.remove("/explanation/explained_by"), BY),
        ("explained by a name", |f| f.set("/explanation/explained_by", json!("J. de Vries")), BY),
        ("explained on no day", |f| f.remove("/explanation/explained_on"), EXPLAINED),
        ("explained after the signature", |f| f.set("/explanation/explained_on", day(-13)), EXPLAINED),
        ("no evidence", |f| f.remove("/evidence"), invalid("FORM_EVIDENCE_MISSING", &["form.evidence"])),
        ("no form number", |f| f.remove("/evidence/form_number"), NUMBER),
        ("a text for a form number", |f| f.set("/evidence/form_number", json!(FREE_TEXT)), NUMBER),
        ("a broken form number", |f| f.set("/evidence/form_number", json!(1.5)), NUMBER),
        ("a negative form number", |f| f.set("/evidence/form_number", json!(-1)), NUMBER),
        (
            "no form version",
            |f| f.remove("/evidence/form_version"),
            invalid("FORM_EVIDENCE_MISSING", &["form.evidence.form_version"]),
        ),
        ("signed on no day", |f| f.remove("/evidence/signed_on"), SIGNED),
        ("signed in the future", |f| f.set("/evidence/signed_on", day(2)), SIGNED),
        ("kept by nobody", |f| f.remove("/evidence/custodian"), KEEPER),
        ("kept by a name", |f| f.set("/evidence/custodian", json!("het archief")), KEEPER),
        (
            "kept by an unknown organisation",
            |f| f.set("/evidence/custodian", json!(NOBODY)),
            invalid("FORM_PARTY_NOT_ADMITTED", &["form.evidence.custodian"]),
        ),
        ("kept as nothing", |f| f.remove("/evidence/media_type"), MEDIA),
        ("kept as a text", |f| f.set("/evidence/media_type", json!("text/plain")), MEDIA),
        ("no hash", |f| f.remove("/evidence/sha256"), KEPT),
        ("a hash in capitals", |f| f.set("/evidence/sha256", json!(TWICE)), KEPT),
        ("half a hash", |f| f.set("/evidence/sha256", json!("9d6f6ed2")), KEPT),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_a_grant_for_what_is_never_served_is_not_recorded() {
    let lab = Lab::start().await;
    let client = lab.client("kade").await;
    for name in NEVER_SERVED {
        let mut forged = Forged::new(&lab);
        forged.grant("purpose", json!(name));
        let expected = invalid("PURPOSE_NEVER_SERVED", &["grants[0].purpose"]);
        refuse(&lab, &client, name, forged.sign(&lab), expected).await;
    }
    lab.world.stop().await;
}
