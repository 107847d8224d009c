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
        ("at intake, in other words", |f| f.context("intake"), FREE),
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
async fn r05_r07_r11_r12_what_the_form_says_is_of_closed_lists_and_registered() {
    const TYPE: Expected = invalid("FORM_NOT_EXPLICIT", &["form.consent_type"]);
    const SIZE: Expected = invalid("FORM_EVIDENCE_MISSING", &["form.evidence.size"]);
    const VERSION: Expected = invalid("FORM_VERSION_UNKNOWN", &["form.evidence.form_version"]);
    const LANGUAGE: Expected = invalid("FORM_EXPLANATION_MISSING", &["form.explanation.language"]);
    const LEVEL: Expected = invalid("FORM_EXPLANATION_MISSING", &["form.explanation.reading_level"]);
    const WAYS: Expected = invalid("FORM_WITHDRAWAL_HARDER", &["form.collection.withdrawal"]);
    const BY: Expected = invalid("FORM_EVIDENCE_MISSING", &["form.collection.verified_by"]);
    const ON: Expected = invalid("FORM_EVIDENCE_MISSING", &["form.collection.verified_on"]);
    refuse_all(&[
        ("no kind of consent", |f| f.remove("/consent_type"), TYPE),
        ("implied consent", |f| f.set("/consent_type", json!("IMPLIED")), TYPE),
        ("spoken consent", |f| f.set("/consent_type", json!("EXPLICIT_ORAL")), TYPE),
        ("a kind that is not a text", |f| f.set("/consent_type", json!(true)), TYPE),
        ("no size", |f| f.remove("/evidence/size"), SIZE),
        ("an empty form", |f| f.set("/evidence/size", json!(0)), SIZE),
        ("a form too large", |f| f.set("/evidence/size", json!(100_000_001)), SIZE),
        ("a size beyond any number", |f| f.set("/evidence/size", json!(u64::MAX)), SIZE),
        ("a size in words", |f| f.set("/evidence/size", json!("48211")), SIZE),
        ("another form", |f| f.set("/evidence/form_number", json!(3)), VERSION),
        ("a version that is no more", |f| f.set("/evidence/form_version", json!(2)), VERSION),
        ("a version to come", |f| f.set("/evidence/form_version", json!(4)), VERSION),
        ("another explanation", |f| f.set("/explanation/text_version", json!(3)), VERSION),
        (
            "signed before the form was printed",
            |f| f.set("/evidence/signed_on", json!("2025-12-31")),
            VERSION,
        ),
        ("explained in no language", |f| f.remove("/explanation/language"), LANGUAGE),
        ("explained in an unknown language", |f| f.set("/explanation/language", json!("xx")), LANGUAGE),
        ("explained in a language by name", |f| f.set("/explanation/language", json!("Dutch")), LANGUAGE),
        ("explained at no level", |f| f.remove("/explanation/reading_level"), LEVEL),
        ("explained at another level", |f| f.set("/explanation/reading_level", json!("A1")), LEVEL),
        ("no way to withdraw stated", |f| f.remove("/collection/withdrawal"), WAYS),
        ("no way to withdraw", |f| f.set("/collection/withdrawal", json!([])), WAYS),
        ("a way in one text", |f| f.set("/collection/withdrawal", json!("LETTER")), WAYS),
        ("an unknown way", |f| f.set("/collection/withdrawal", json!(["LETTER", "FAX"])), WAYS),
        ("a way twice", |f| f.set("/collection/withdrawal", json!(["LETTER", "LETTER"])), WAYS),
        ("a way that is no text", |f| f.set("/collection/withdrawal", json!(["LETTER", 1])), WAYS),
        ("seen by nobody", |f| f.remove("/collection/verified_by"), BY),
        ("seen by a name", |f| f.set("/collection/verified_by", json!("J. de Vries")), BY),
        ("seen on no day", |f| f.remove("/collection/verified_on"), ON),
        ("seen before it was signed", |f| f.set("/collection/verified_on", day(-15)), ON),
        ("seen in the future", |f| f.set("/collection/verified_on", day(2)), ON),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_who_signed_is_stated_with_his_proof() {
    const GRANTOR: Expected = invalid("FORM_GRANTOR_INVALID", &["form.grantor"]);
    const KIND: Expected = invalid("FORM_GRANTOR_INVALID", &["form.grantor.kind"]);
    const AGE: Expected = invalid("FORM_GRANTOR_INVALID", &["form.grantor.client_age"]);
    const PROOF: Expected = invalid("FORM_GRANTOR_INVALID", &["form.grantor.evidence_sha256"]);
    const FROM: Expected = invalid("FORM_GRANTOR_INVALID", &["form.grantor.from"]);
    const UNTIL: Expected = invalid("FORM_GRANTOR_INVALID", &["form.grantor.until"]);
    const UNKNOWN: Expected = invalid("FORM_UNREADABLE", &["form.grantor"]);
    fn mentor(forged: &mut Forged, name: &str, value: Option<Value>) {
        forged.represented("MENTOR", "ADULT");
        match value {
            Some(value) => forged.set(&format!("/grantor/{name}"), value),
            None => forged.remove(&format!("/grantor/{name}")),
        }
    }
    refuse_all(&[
        ("nobody signed", |f| f.remove("/grantor"), GRANTOR),
        (
            "who signed in one text",
            |f| f.set("/grantor", json!("CLIENT")),
            invalid("FORM_UNREADABLE", &["form.grantor"]),
        ),
        ("signed by no kind", |f| f.remove("/grantor/kind"), KIND),
        ("signed by an unknown kind", |f| f.set("/grantor/kind", json!("PARTNER")), KIND),
        ("signed by a name", |f| f.set("/grantor/kind", json!(FREE_TEXT)), KIND),
        ("no age", |f| f.remove("/grantor/client_age"), AGE),
        ("an age in years", |f| f.set("/grantor/client_age", json!(17)), AGE),
        ("an unknown age", |f| f.set("/grantor/client_age", json!("OVER_65")), AGE),
        ("a client with a proof", |f| f.set("/grantor/evidence_sha256", json!("ab".repeat(32))), UNKNOWN),
        ("a client from a day", |f| f.set("/grantor/from", day(-30)), UNKNOWN),
        ("a client until a day", |f| f.set("/grantor/until", day(30)), UNKNOWN),
        ("a mentor without proof", |f| mentor(f, "evidence_sha256", None), PROOF),
        ("a proof in words", |f| mentor(f, "evidence_sha256", Some(json!(FREE_TEXT))), PROOF),
        ("half a proof", |f| mentor(f, "evidence_sha256", Some(json!("abab"))), PROOF),
        ("a mentor from no day", |f| mentor(f, "from", None), FROM),
        ("a mentor from no such day", |f| mentor(f, "from", Some(json!("2026-02-30"))), FROM),
        ("a mentor since the signature", |f| mentor(f, "from", Some(day(-13))), FROM),
        ("a mentor until no such day", |f| mentor(f, "until", Some(json!("later"))), UNTIL),
        ("a mentor until nothing", |f| mentor(f, "until", Some(Value::Null)), UNTIL),
        ("a mentor until the signature", |f| mentor(f, "until", Some(day(-14))), UNTIL),
        ("a mentor until a day in its grants", |f| mentor(f, "until", Some(day(299))), BEYOND),
    ])
    .await;
}

const BEYOND: Expected = invalid("FORM_GRANTOR_INVALID", &["grants[0].valid_until"]);

#[tokio::test(flavor = "multi_thread")]
async fn r36_a_refusal_names_one_recipient_one_purpose_and_one_source() {
    const LIST: Expected = invalid("FORM_UNREADABLE", &["form.refusals"]);
    const RECIPIENT: Expected = invalid("FORM_UNREADABLE", &["form.refusals[0].recipient"]);
    const SOURCE: Expected = invalid("FORM_UNREADABLE", &["form.refusals[0].source"]);
    const ASKS: Expected = invalid("FORM_PARTY_NOT_ADMITTED", &["form.refusals[0].recipient"]);
    const HOLDS: Expected = invalid("FORM_PARTY_NOT_ADMITTED", &["form.refusals[0].source"]);
    const MALFORMED: Expected = invalid("PURPOSE_MALFORMED", &["form.refusals[0].purpose"]);
    fn without(forged: &mut Forged, name: &str) {
        forged.refuse(&[(SLUISDAM, "REINTEGRATION", KADE)]);
        forged.remove(&format!("/refusals/0/{name}"));
    }
    refuse_all(&[
        ("an empty list", |f| f.set("/refusals", json!([])), LIST),
        ("nothing for a list", |f| f.set("/refusals", Value::Null), LIST),
        ("a text for a list", |f| f.set("/refusals", json!("all")), LIST),
        (
            "a text for a refusal",
            |f| f.set("/refusals", json!([FREE_TEXT])),
            invalid("FORM_UNREADABLE", &["form.refusals[0]"]),
        ),
        ("no recipient", |f| without(f, "recipient"), RECIPIENT),
        ("any recipient", |f| f.refuse(&[("*", "REINTEGRATION", KADE)]), RECIPIENT),
        ("an unknown recipient", |f| f.refuse(&[(NOBODY, "REINTEGRATION", KADE)]), ASKS),
        ("a recipient that does not ask", |f| f.refuse(&[(FG, "REINTEGRATION", KADE)]), ASKS),
        ("no source", |f| without(f, "source"), SOURCE),
        ("any source", |f| f.refuse(&[(SLUISDAM, "REINTEGRATION", "alle")]), SOURCE),
        ("an unknown source", |f| f.refuse(&[(SLUISDAM, "REINTEGRATION", NOBODY)]), HOLDS),
        ("a source that holds nothing", |f| f.refuse(&[(WATERRIJK, "REINTEGRATION", SLUISDAM)]), HOLDS),
        ("no purpose", |f| without(f, "purpose"), invalid("FORM_TOO_WIDE", &["form.refusals[0].purpose"])),
        ("any purpose", |f| f.refuse(&[(SLUISDAM, "*", KADE)]), MALFORMED),
        ("a purpose in words", |f| f.refuse(&[(SLUISDAM, FREE_TEXT, KADE)]), MALFORMED),
        (
            "an unknown purpose",
            |f| f.refuse(&[(SLUISDAM, "CURIOSITY", KADE)]),
            invalid("PURPOSE_UNKNOWN", &["form.refusals[0].purpose"]),
        ),
        (
            "a purpose that is never served",
            |f| f.refuse(&[(SLUISDAM, NEVER_SERVED[0], KADE)]),
            invalid("PURPOSE_NEVER_SERVED", &["form.refusals[0].purpose"]),
        ),
        (
            "the same twice",
            |f| f.refuse(&[(SLUISDAM, "REINTEGRATION", KADE), (SLUISDAM, "REINTEGRATION", KADE)]),
            invalid("FORM_CONTRADICTORY", &["form.refusals[1]"]),
        ),
        (
            "what the second grant gives",
            |f| f.refuse(&[(WATERRIJK, "REINTEGRATION", KADE)]),
            invalid("FORM_CONTRADICTORY", &["grants[1]"]),
        ),
    ])
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r06_r11_r13_r36_what_a_grant_says_beside_its_parties() {
    const GIVER: Expected = invalid("FORM_GRANTOR_INVALID", &["grants[0].given_by"]);
    const CONTEXT: Expected = invalid("FORM_NOT_FREE", &["grants[0].context"]);
    const USES: Expected = invalid("FORM_TOO_WIDE", &["grants[0].uses"]);
    const RENEWS: Expected = invalid("FORM_UNREADABLE", &["grants[0].renews"]);
    const EXCLUDED: Expected = invalid("FORM_UNREADABLE", &["grants[0].excluded"]);
    const YES_AND_NO: Expected = invalid("FORM_CONTRADICTORY", &["grants[0].excluded"]);
    refuse_all(&[
        ("given by nobody", |f| f.without("given_by"), GIVER),
        ("given by an unknown kind", |f| f.grant("given_by", json!("PARTNER")), GIVER),
        ("given by a name", |f| f.grant("given_by", json!(FREE_TEXT)), GIVER),
        ("given nowhere", |f| f.without("context"), CONTEXT),
        ("given anywhere", |f| f.grant("context", json!("ELSEWHERE")), CONTEXT),
        ("no use", |f| f.grant("uses", json!(0)), USES),
        ("more uses than can be counted", |f| f.grant("uses", json!(101)), USES),
        ("a negative number of uses", |f| f.grant("uses", json!(-1)), USES),
        ("half a use", |f| f.grant("uses", json!(0.5)), USES),
        ("uses in words", |f| f.grant("uses", json!("unlimited")), USES),
        ("uses that are nothing", |f| f.grant("uses", Value::Null), USES),
        ("a renewal of a text", |f| f.grant("renews", json!(FREE_TEXT)), RENEWS),
        ("a renewal of nothing", |f| f.grant("renews", Value::Null), RENEWS),
        (
            "an empty list of ticks",
            |f| f.grant("sensitive", json!([])),
            invalid("FORM_UNREADABLE", &["grants[0].sensitive"]),
        ),
        (
            "nothing for ticks",
            |f| f.grant("sensitive", Value::Null),
            invalid("FORM_TOO_WIDE", &["grants[0].sensitive"]),
        ),
        ("an empty list of what is struck out", |f| f.grant("excluded", json!([])), EXCLUDED),
        ("struck out of order", |f| f.grant("excluded", json!(["WT-06", "WT-05"])), EXCLUDED),
        (
            "everything struck out",
            |f| f.grant("excluded", json!(["*"])),
            invalid("FORM_TOO_WIDE", &["grants[0].excluded[0]"]),
        ),
        (
            "an unknown code struck out",
            |f| f.grant("excluded", json!(["ZZ-01"])),
            invalid("FIELD_UNKNOWN", &["grants[0].excluded[0]"]),
        ),
        (
            "a diagnosis struck out",
            |f| f.grant("excluded", json!(["DSM-5"])),
            invalid("FIELD_MEDICAL", &["grants[0].excluded[0]"]),
        ),
        ("given and struck out", |f| f.grant("excluded", json!(["WT-01"])), YES_AND_NO),
        (
            "struck out by another grant of the form",
            |f| {
                f.multiply(2);
                f.grant("fields", json!(["WT-01"]));
                f.grant("excluded", json!(["WT-02"]));
            },
            invalid("FORM_CONTRADICTORY", &["grants[1].fields"]),
        ),
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
