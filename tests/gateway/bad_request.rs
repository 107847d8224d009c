//! Questions that are wrong in themselves: each is refused with its reason and the field, and leaves its two entries.

use sluis::{
    domain::purpose::NEVER_SERVED,
    proto::{Necessity, RequestWorkCapacityRequest},
};
use tonic::Code;

use crate::{
    bad_tools::{Expected, FREE_TEXT, REAL_BSN, assert_pairs, assert_refused, assert_refused_pair, invalid},
    lab::{BSN, Lab, paths, question},
};

type Change = fn(&mut RequestWorkCapacityRequest);

/// Asks every changed question as this participant, and checks refusal and log each time.
async fn refuse_all(lab: &Lab, short: &str, cases: &[(&str, Change, Expected)]) {
    let oin = lab.oin(short);
    let client = lab.client(short).await;
    let mut before = lab.size().await;
    for (what, change, expected) in cases {
        for validate_only in [false, true] {
            let mut asked = RequestWorkCapacityRequest { validate_only, ..question() };
            change(&mut asked);
            let status = client.exchange().request_work_capacity(asked).await.expect_err(what);
            assert_refused(what, &status, *expected);
            assert_refused_pair(what, &lab.log(before).await, &oin, expected.1);
            before += 2;
        }
    }
    assert_pairs(&lab.log(0).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_question_is_refused_with_its_field() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let bsn = |reason| invalid(reason, &["bsn"]);
    let purpose = |reason| invalid(reason, &["purpose"]);
    let unknown = invalid("FIELD_UNKNOWN", &["fields.paths[0]"]);
    let medical = invalid("FIELD_MEDICAL", &["fields.paths[0]"]);
    let empty = invalid("FIELDS_EMPTY", &["fields"]);
    let request_id = invalid("REQUEST_ID_MALFORMED", &["request_id"]);
    let user_id = invalid("USER_ID_MALFORMED", &["user_id"]);
    let case_id = invalid("CASE_ID_MALFORMED", &["case_id"]);
    let role = invalid("ROLE_UNKNOWN", &["role"]);
    let necessity = invalid("NECESSITY_MISSING", &["necessity"]);
    let cases: &[(&str, Change, Expected)] = &[
        ("no BSN", |q| q.bsn.clear(), bsn("BSN_MALFORMED")),
        ("eight digits", |q| q.bsn = "99999001".into(), bsn("BSN_MALFORMED")),
        ("ten digits", |q| q.bsn = "0999990019".into(), bsn("BSN_MALFORMED")),
        ("letters", |q| q.bsn = "99999O019".into(), bsn("BSN_MALFORMED")),
        ("digits of another script", |q| q.bsn = "٩٩٩".into(), bsn("BSN_MALFORMED")),
        ("spaces", |q| q.bsn = "99999 019".into(), bsn("BSN_MALFORMED")),
        ("wrong elfproef", |q| q.bsn = "999990018".into(), bsn("BSN_MALFORMED")),
        ("all zeros", |q| q.bsn = "000000000".into(), bsn("BSN_MALFORMED")),
        ("a text for a BSN", |q| q.bsn = FREE_TEXT.into(), bsn("BSN_MALFORMED")),
        ("a real number", |q| q.bsn = REAL_BSN.into(), bsn("BSN_NOT_FOR_THIS_GATEWAY")),
        ("no purpose", |q| q.purpose.clear(), purpose("PURPOSE_MALFORMED")),
        (
            "two purposes, by comma",
            |q| q.purpose = "REINTEGRATION,JOB_COACHING".into(),
            purpose("PURPOSE_MALFORMED"),
        ),
        (
            "two purposes, by space",
            |q| q.purpose = "REINTEGRATION JOB_COACHING".into(),
            purpose("PURPOSE_MALFORMED"),
        ),
        ("lower case", |q| q.purpose = "reintegration".into(), purpose("PURPOSE_MALFORMED")),
        ("a blank after it", |q| q.purpose = "REINTEGRATION ".into(), purpose("PURPOSE_MALFORMED")),
        ("any purpose", |q| q.purpose = "*".into(), purpose("PURPOSE_MALFORMED")),
        ("a text for a purpose", |q| q.purpose = FREE_TEXT.into(), purpose("PURPOSE_MALFORMED")),
        ("an unknown purpose", |q| q.purpose = "CURIOSITY".into(), purpose("PURPOSE_UNKNOWN")),
        ("an inactive purpose", |q| q.purpose = "AFTERCARE".into(), purpose("PURPOSE_INACTIVE")),
        ("a listed, inactive purpose", |q| q.purpose = "AFTERCARE".into(), purpose("PURPOSE_INACTIVE")),
        ("no role", |q| q.role.clear(), role),
        ("an unknown role", |q| q.role = "gem.burgemeester".into(), role),
        ("a text for a role", |q| q.role = FREE_TEXT.into(), role),
        ("any role", |q| q.role = "*".into(), role),
        ("no mask", |q| q.fields = None, empty),
        ("an empty mask", |q| q.fields = paths(&[]), empty),
        ("an unknown path", |q| q.fields = paths(&["working_hours.salary"]), unknown),
        ("an unknown group", |q| q.fields = paths(&["benefit"]), unknown),
        ("any path", |q| q.fields = paths(&["*"]), unknown),
        ("any field of a group", |q| q.fields = paths(&["working_hours.*"]), unknown),
        ("an empty path", |q| q.fields = paths(&[""]), unknown),
        ("a code for a path", |q| q.fields = paths(&["WT-03"]), unknown),
        ("a path below a field", |q| q.fields = paths(&["trajectory.period.start"]), unknown),
        ("a text for a path", |q| q.fields = paths(&["Jan de Vries"]), unknown),
        (
            "a wrong path among good ones",
            |q| {
                q.fields = paths(&["working_hours", "support.job_coach_needed", "work_ability.iq"]);
            },
            invalid("FIELD_UNKNOWN", &["fields.paths[2]"]),
        ),
        ("a diagnosis", |q| q.fields = paths(&["medical.diagnosis"]), medical),
        ("a Dutch diagnosis", |q| q.fields = paths(&["behandelplan"]), medical),
        ("a diagnosis in words", |q| q.fields = paths(&[FREE_TEXT]), medical),
        ("no necessity", |q| q.necessity = 0, necessity),
        ("a necessity outside its list", |q| q.necessity = 99, necessity),
        ("a negative necessity", |q| q.necessity = -1, necessity),
        ("no request id", |q| q.request_id.clear(), request_id),
        ("a text for a request id", |q| q.request_id = FREE_TEXT.into(), request_id),
        ("an id in capitals", |q| q.request_id = q.request_id.to_uppercase(), request_id),
        (
            "an id that shows when",
            |q| q.request_id = "018f3d2e-7b1a-7c3d-8e4f-5a6b7c8d9e0f".into(),
            request_id,
        ),
        ("no user", |q| q.user_id.clear(), user_id),
        ("a name for a user", |q| q.user_id = FREE_TEXT.into(), user_id),
        ("an address for a user", |q| q.user_id = "j.devries@waterrijk.example".into(), user_id),
        ("a text for a case", |q| q.case_id = FREE_TEXT.into(), case_id),
        ("a number for a case", |q| q.case_id = "Z2026-0001".into(), case_id),
        (
            "several faults at once",
            |q| {
                (q.bsn, q.purpose, q.necessity) = (REAL_BSN.into(), FREE_TEXT.into(), 0);
            },
            invalid("BSN_NOT_FOR_THIS_GATEWAY", &["bsn", "purpose", "necessity"]),
        ),
    ];
    refuse_all(&lab, "waterrijk", cases).await;
    for text in [FREE_TEXT, "depressie", "Jan de Vries", REAL_BSN, BSN, "gem.burgemeester", "salary"] {
        lab.assert_written_nowhere(text).await;
    }
    assert!(lab.ask("waterrijk", question()).await.is_ok(), "a good question is still answered");
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r29_what_is_never_served_is_refused_by_its_name() {
    let lab = Lab::start().await;
    let (oin, client) = (lab.oin("waterrijk"), lab.client("waterrijk").await);
    for name in NEVER_SERVED {
        let before = lab.size().await;
        let asked = RequestWorkCapacityRequest { purpose: name.to_owned(), ..question() };
        let status = client.exchange().request_work_capacity(asked).await.expect_err(name);
        assert_refused(name, &status, invalid("PURPOSE_NEVER_SERVED", &["purpose"]));
        let log = lab.log(before).await;
        assert_refused_pair(name, &log, &oin, "PURPOSE_NEVER_SERVED");
        assert_eq!(log[0].facts["purpose"], name, "the log says what was tried");
    }
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_is_used_once() {
    let lab = Lab::start().await;
    lab.record_main().await;
    let oin = lab.oin("waterrijk");
    let asked = question();
    assert_eq!(lab.ask("waterrijk", asked.clone()).await.unwrap().disclosures.len(), 2);
    let used: Expected = (Code::AlreadyExists, "REQUEST_ID_USED", &[]);
    let harmless =
        RequestWorkCapacityRequest { bsn: "999990196".into(), validate_only: true, ..asked.clone() };
    let malformed = RequestWorkCapacityRequest { bsn: String::new(), ..asked.clone() };
    for (what, again) in [("the same", asked.clone()), ("another", harmless), ("a malformed one", malformed)]
    {
        let before = lab.size().await;
        let status = lab.ask("waterrijk", again).await.expect_err(what);
        assert_refused(what, &status, used);
        assert_refused_pair(what, &lab.log(before).await, &oin, "REQUEST_ID_USED");
    }
    // A refused request has used its id too; and an id is one organisation's own.
    let refused = RequestWorkCapacityRequest { necessity: Necessity::Unspecified.into(), ..question() };
    lab.ask("waterrijk", refused.clone()).await.expect_err("no necessity");
    let mended = RequestWorkCapacityRequest { necessity: question().necessity, ..refused };
    assert_refused("mended", &lab.ask("waterrijk", mended).await.unwrap_err(), used);
    assert!(lab.ask("oeverstad", asked).await.is_ok());
    assert_pairs(&lab.log(0).await);
    lab.world.stop().await;
}
