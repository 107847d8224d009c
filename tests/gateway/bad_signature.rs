//! Forms that are not what they say: unreadable, signed by another, bound to another person, or recorded before.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sluis::{
    client::Profile,
    consent::{form::FORM_TYPE, jws},
    demo::data,
    proto::RecordConsentRequest,
};
use tonic::Code;

use crate::{
    bad_forge::{Forged, canonical, day},
    bad_form::{WATERRIJK, recorded, refuse, refuse_all},
    bad_tools::{Expected, FREE_TEXT, REAL_BSN, assert_refused, assert_refused_act, invalid},
    lab::{BSN, Lab},
    promises::{KADE, SLUISDAM},
};

#[tokio::test(flavor = "multi_thread")]
async fn r05_a_form_is_read_whole_and_echoes_nothing() {
    const FORM: Expected = invalid("FORM_UNREADABLE", &["form"]);
    refuse_all(&[
        ("an unknown field", |f| f.set("/diagnose_depressie", json!(FREE_TEXT)), FORM),
        ("an unknown field that is nothing", |f| f.set("/depressie", Value::Null), FORM),
        (
            "an unknown field in the evidence",
            |f| f.set("/evidence/depressie", json!(1)),
            invalid("FORM_UNREADABLE", &["form.evidence"]),
        ),
        (
            "an unknown field in the explanation",
            |f| f.set("/explanation/toelichting", json!(FREE_TEXT)),
            invalid("FORM_UNREADABLE", &["form.explanation"]),
        ),
        (
            "an unknown field in the circumstances",
            |f| f.set("/collection/opmerking", json!(FREE_TEXT)),
            invalid("FORM_UNREADABLE", &["form.collection"]),
        ),
        (
            "an unknown field in who signed",
            |f| f.set("/grantor/naam", json!(FREE_TEXT)),
            invalid("FORM_UNREADABLE", &["form.grantor"]),
        ),
        (
            "an unknown field in a refusal",
            |f| {
                f.refuse(&[(SLUISDAM, "REINTEGRATION", KADE)]);
                f.set("/refusals/0/reden", json!(FREE_TEXT));
            },
            invalid("FORM_UNREADABLE", &["form.refusals[0]"]),
        ),
        (
            "an unknown field in a grant",
            |f| f.grant("depressie", json!(FREE_TEXT)),
            invalid("FORM_UNREADABLE", &["grants[0]"]),
        ),
        ("no version", |f| f.remove("/v"), invalid("FORM_UNREADABLE", &["form.v"])),
        ("an earlier version", |f| f.set("/v", json!(1)), invalid("FORM_UNREADABLE", &["form.v"])),
        ("a later version", |f| f.set("/v", json!(3)), invalid("FORM_UNREADABLE", &["form.v"])),
        ("a text for a version", |f| f.set("/v", json!("2")), invalid("FORM_UNREADABLE", &["form.v"])),
        ("a grant without a version", |f| f.without("v"), invalid("FORM_UNREADABLE", &["grants[0].v"])),
        (
            "a grant of an earlier version",
            |f| f.grant("v", json!(1)),
            invalid("FORM_UNREADABLE", &["grants[0].v"]),
        ),
        ("another type", |f| f.set("/typ", json!("sluis.grant")), invalid("FORM_UNREADABLE", &["form.typ"])),
        ("no id", |f| f.remove("/form_id"), invalid("FORM_UNREADABLE", &["form.form_id"])),
        (
            "a text for an id",
            |f| f.set("/form_id", json!(FREE_TEXT)),
            invalid("FORM_UNREADABLE", &["form.form_id"]),
        ),
        (
            "a text for the id of a grant",
            |f| f.grant("grant_id", json!(FREE_TEXT)),
            invalid("FORM_UNREADABLE", &["form.grants[0].grant_id"]),
        ),
        ("a list for a form", a_list, FORM),
        (
            "another recorder",
            |f| f.set("/recorder", json!(WATERRIJK)),
            invalid("FORM_RECORDER_MISMATCH", &["form.recorder"]),
        ),
        ("a key of nobody", |f| f.form_key.1 = "nobody-1", invalid("FORM_KEY_UNKNOWN", &["form"])),
        (
            "a key of another recorder",
            |f| f.form_key = ("waterrijk", "waterrijk-1"),
            invalid("FORM_KEY_UNKNOWN", &["form"]),
        ),
        ("the wrong key", |f| f.form_key.0 = "waterrijk", invalid("FORM_SIGNATURE_INVALID", &["form"])),
        (
            "a grant signed by another",
            |f| f.grant_key = ("uwv", "uwv-1"),
            invalid("FORM_KEY_UNKNOWN", &["grants[0]"]),
        ),
        (
            "a grant with the wrong key",
            |f| f.grant_key.0 = "uwv",
            invalid("FORM_SIGNATURE_INVALID", &["grants[0]"]),
        ),
    ])
    .await;
}

fn a_list(forged: &mut Forged) {
    forged.rename = false;
    forged.form = json!([]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_a_grant_belongs_to_one_person_and_one_form() {
    const GRANT: Expected = invalid("FORM_BINDING_WRONG", &["grants[0]"]);
    const PERSON: Expected = invalid("FORM_BINDING_WRONG", &["grants[0].person"]);
    const SALT: Expected = invalid("FORM_BINDING_WRONG", &["grants[0].binding_salt"]);
    const LIST: Expected = invalid("FORM_BINDING_WRONG", &["form.grants"]);
    refuse_all(&[
        ("another person", |f| f.bsn = "999990196".into(), PERSON),
        ("another salt", |f| f.salts[0][0] ^= 1, PERSON),
        ("the salt of another grant", |f| f.salts.swap(0, 1), PERSON),
        ("a short salt", |f| f.salts[0].truncate(31), SALT),
        ("no salt", |f| f.salts[0].clear(), SALT),
        ("no binding", |f| f.without("person"), PERSON),
        ("a BSN for a binding", |f| f.grant("person", json!(BSN)), PERSON),
        ("another form's grant", |f| f.grant("form_id", json!(uuid::Uuid::new_v4().to_string())), GRANT),
        ("another recorder's grant", |f| f.grant("recorder", json!(WATERRIJK)), GRANT),
        ("another day of signature", |f| f.grant("signed_on", day(-20)), GRANT),
        ("other evidence", |f| f.grant("evidence_sha256", json!("00".repeat(32))), GRANT),
        ("another who gave it", |f| f.grant("given_by", json!("MENTOR")), GRANT),
        ("another context", |f| f.grant("context", json!("GUIDANCE_TALK")), GRANT),
        ("an unfree context for a free form", |f| f.grant("context", json!("INTAKE")), GRANT),
        (
            "a grant that the form does not name",
            |f| {
                f.rename = false;
                f.grant("valid_until", day(200));
            },
            GRANT,
        ),
        (
            "grants in another order",
            |f| {
                f.rename = false;
                f.grants.swap(0, 1);
                f.salts.swap(0, 1);
            },
            GRANT,
        ),
        (
            "a grant too few",
            |f| {
                f.rename = false;
                f.grants.truncate(1);
            },
            LIST,
        ),
        (
            "a grant too many",
            |f| {
                f.rename = false;
                f.grants.push(f.grants[0].clone());
                f.salts.push(f.salts[0].clone());
            },
            LIST,
        ),
        (
            "one id for two grants",
            |f| f.grants[1]["grant_id"] = f.grants[0]["grant_id"].clone(),
            (Code::AlreadyExists, "FORM_ID_USED", &["grants"]),
        ),
        ("no BSN", |f| f.bsn.clear(), invalid("BSN_MALFORMED", &["bsn"])),
        ("a wrong BSN", |f| f.bsn = "999990018".into(), invalid("BSN_MALFORMED", &["bsn"])),
        ("a real BSN", |f| f.bsn = REAL_BSN.into(), invalid("BSN_NOT_FOR_THIS_GATEWAY", &["bsn"])),
    ])
    .await;
}

/// A payload signed as it stands, in whatever form.
fn signed_as_it_is(lab: &Lab, payload: &[u8]) -> String {
    let (kid, key) = Profile::load(&lab.world.profile("kade")).unwrap().signing_key().unwrap();
    jws::sign(payload, FORM_TYPE, &kid, &key).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn r05_a_form_has_one_way_to_be_written_and_signed() {
    let lab = Lab::start().await;
    let client = lab.client("kade").await;
    let good = Forged::new(&lab);
    let request = good.clone().sign(&lab);
    let (payload, mut parts) = (canonical(&good.form), request.form.split('.'));
    let (header, body, signature) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let text = String::from_utf8(payload.clone()).unwrap();
    let header_of = |header: &str| format!("{}.{body}.{signature}", URL_SAFE_NO_PAD.encode(header));
    let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"kade-1","typ":"sluis.form"}"#);
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[0] ^= 1;
    let unreadable = invalid("FORM_UNREADABLE", &["form"]);
    let unverified = invalid("FORM_SIGNATURE_INVALID", &["form"]);
    let forms = [
        ("nothing", String::new(), unreadable),
        ("a text", FREE_TEXT.to_owned(), unreadable),
        ("two parts", format!("{header}.{body}"), unreadable),
        ("four parts", format!("{}.{signature}", request.form), unreadable),
        ("padding", format!("{header}.{body}.{signature}=="), unreadable),
        ("no algorithm", format!("{unsigned}.{body}."), unreadable),
        ("no algorithm, and a signature", format!("{unsigned}.{body}.{signature}"), unreadable),
        ("another algorithm", header_of(r#"{"alg":"HS256","kid":"kade-1","typ":"sluis.form"}"#), unreadable),
        (
            "the type of a grant",
            header_of(r#"{"alg":"EdDSA","kid":"kade-1","typ":"sluis.grant"}"#),
            unreadable,
        ),
        (
            "a key in the header",
            header_of(r#"{"alg":"EdDSA","jwk":{},"kid":"kade-1","typ":"sluis.form"}"#),
            unreadable,
        ),
        ("no key named", header_of(r#"{"alg":"EdDSA","typ":"sluis.form"}"#), unreadable),
        (
            "the header in another order",
            header_of(r#"{"typ":"sluis.form","kid":"kade-1","alg":"EdDSA"}"#),
            unverified,
        ),
        ("no signature", format!("{header}.{body}."), unverified),
        ("another signature", format!("{header}.{body}.{}", URL_SAFE_NO_PAD.encode(flipped)), unverified),
        ("another payload", format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("{}")), unverified),
        ("blanks", signed_as_it_is(&lab, text.replace(':', ": ").as_bytes()), unreadable),
        ("another order", signed_as_it_is(&lab, reversed(&good.form).as_bytes()), unreadable),
        (
            "a name twice",
            signed_as_it_is(&lab, text.replacen("\"v\":2}", "\"v\":2,\"v\":2}", 1).as_bytes()),
            unreadable,
        ),
        (
            "a broken number",
            signed_as_it_is(&lab, text.replace("\"v\":2}", "\"v\":2.0}").as_bytes()),
            unreadable,
        ),
        ("no JSON", signed_as_it_is(&lab, FREE_TEXT.as_bytes()), unreadable),
        ("no text", signed_as_it_is(&lab, &[0xff, 0xfe]), unreadable),
        ("far too long", format!("{header}.{}.{signature}", "A".repeat(40_000)), unreadable),
    ];
    for (what, form, expected) in forms {
        refuse(&lab, &client, what, RecordConsentRequest { form, ..request.clone() }, expected).await;
    }

    // The grants of one form do not fit into another, even of the same client.
    let other = Forged::new(&lab).sign(&lab);
    let mixed = RecordConsentRequest { grants: other.grants.clone(), ..request.clone() };
    refuse(&lab, &client, "another form's grants", mixed, invalid("FORM_BINDING_WRONG", &["grants[0]"]))
        .await;
    assert_eq!(recorded(&client).await, 0);
    lab.assert_written_nowhere("depressie").await;
    lab.world.stop().await;
}

/// The same object with its names in the opposite order.
fn reversed(form: &Value) -> String {
    let fields = form.as_object().unwrap().iter().rev();
    let fields: Vec<_> = fields.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", fields.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_and_each_of_its_grants_are_recorded_once() {
    let lab = Lab::start().await;
    let client = lab.client("kade").await;
    let form = Forged::new(&lab);
    let request = form.clone().sign(&lab);
    client.consent().record_consent(request.clone()).await.unwrap();
    let used: Expected = (Code::AlreadyExists, "FORM_ID_USED", &[]);
    refuse(&lab, &client, "the same form", request, used).await;

    let mut grants_again = Forged::new(&lab);
    grants_again.grants[1]["grant_id"] = form.grants[1]["grant_id"].clone();
    refuse(&lab, &client, "a grant again", grants_again.sign(&lab), used).await;

    let mut form_again = Forged::new(&lab);
    form_again.set("/form_id", form.form["form_id"].clone());
    for grant in &mut form_again.grants {
        grant["form_id"] = form.form["form_id"].clone();
    }
    refuse(&lab, &client, "the form with new grants", form_again.sign(&lab), used).await;
    assert_eq!(recorded(&client).await, 1);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_recorded_by_its_recorder_alone() {
    let lab = Lab::start().await;
    let request = lab.sign("kade", data::MAIN_FORM);
    for short in ["waterrijk", "uwv", "veer"] {
        let before = lab.size().await;
        let client = lab.client(short).await;
        let status = client.consent().record_consent(request.clone()).await.expect_err(short);
        assert_refused(short, &status, invalid("FORM_KEY_UNKNOWN", &["form"]));
        assert_refused_act(short, &lab.log(before).await, &lab.oin(short), "record", "FORM_KEY_UNKNOWN");
        assert_eq!(recorded(&client).await, 0);
    }
    assert!(lab.client("kade").await.consent().record_consent(request).await.is_ok());
    lab.world.stop().await;
}
