//! Sources that fail, lie or send too much: the requester cannot tell, the gateway's own officer can.

use std::time::Instant;

use serde_json::{Value, json};
use sluis::{
    app::source_system::{SourceSettings, SourceSystem},
    demo::data,
    domain::{Clock as _, time::SystemClock},
    identity::issue::{CertificateFolder, Validity},
    proto::{RequestWorkCapacityRequest, RequestWorkCapacityResponse},
};

use crate::{
    bad_tools::assert_pairs,
    lab::{ANSWER_AFTER, BSN, Entry, Lab, paths, question},
};

const UWV: &str = "00000099000002001000";
const KADE: &str = "00000099000003001000";
const HOURS: &str = "working_hours.hours_per_week";
const COACH: &str = "support.job_coach_needed";
/// What a source of the demo holds of the main character.
fn held(source: &str) -> Value {
    let (_, statements) = data::STATEMENTS.iter().find(|(of, _)| *of == source).unwrap();
    let statements: Vec<Value> = serde_json::from_str(statements).unwrap();
    statements.into_iter().find(|client| client["bsn"] == BSN).unwrap()["work_capacity"].clone()
}

/// A question about this client, for one field of each source.
fn about(bsn: &str) -> RequestWorkCapacityRequest {
    RequestWorkCapacityRequest { bsn: bsn.to_owned(), fields: paths(&[HOURS, COACH]), ..question() }
}

/// What the newest outcome's detail says of this source.
fn detail(outcome: &Entry, source: &str) -> Value {
    let sources = outcome.detail["sources"].as_array().unwrap();
    sources.iter().find(|part| part["source"] == source).unwrap().clone()
}

fn released(answer: &RequestWorkCapacityResponse) -> Vec<&str> {
    answer.disclosures.iter().map(|one| one.source.as_ref().unwrap().oin.as_str()).collect()
}

fn not_provided(answer: &RequestWorkCapacityResponse) -> Vec<String> {
    answer.not_provided.clone().unwrap().paths
}

/// A client whose GGZ behaves in some way: what it holds, and what must come of it.
struct Case {
    bsn: &'static str,
    /// His item in the statements, without the BSN; `None` if the source does not know him.
    item: Option<Value>,
    reason: &'static str,
    surplus_fields: bool,
    surplus_unknown: u64,
}

#[tokio::test(flavor = "multi_thread")]
async fn p02_p03_p09_a_source_that_misbehaves_adds_nothing_and_shows_nothing() {
    let everything = held(KADE);
    let trajectory = json!({ "trajectory": everything["trajectory"] });
    let behaves =
        |behaviour: &str, held: &Value| Some(json!({ "behaviour": behaviour, "work_capacity": held }));
    let case = |bsn, item, reason| Case { bsn, item, reason, surplus_fields: false, surplus_unknown: 0 };
    let cases = [
        case("999990019", Some(json!({ "work_capacity": everything })), "RELEASED"),
        Case { surplus_fields: true, ..case("999990196", behaves("over_deliver", &everything), "RELEASED") },
        Case { surplus_unknown: 1, ..case("999990287", behaves("unknown_field", &everything), "RELEASED") },
        Case {
            surplus_fields: true,
            ..case("999990469", behaves("over_deliver", &trajectory), "SOURCE_HOLDS_NOTHING")
        },
        Case {
            surplus_unknown: 1,
            ..case("999990561", behaves("unknown_field", &trajectory), "SOURCE_HOLDS_NOTHING")
        },
        case("999990676", behaves("undeclared_enum", &everything), "SOURCE_INVALID"),
        case("999990809", behaves("slow", &everything), "SOURCE_TOO_LATE"),
        case("999990949", behaves("declines", &everything), "SOURCE_DECLINED"),
        case("999990974", Some(json!({ "work_capacity": trajectory })), "SOURCE_HOLDS_NOTHING"),
        case("999991103", None, "SOURCE_HOLDS_NOTHING"),
    ];
    let item = |bsn: &str, item: &Value| {
        let mut item = item.clone();
        item["bsn"] = json!(bsn);
        item
    };
    let of_kade = cases.iter().filter_map(|case| Some(item(case.bsn, case.item.as_ref()?)));
    let of_uwv = cases.iter().map(|case| item(case.bsn, &json!({ "work_capacity": held(UWV) })));
    let statements = [
        (KADE.to_owned(), Value::from_iter(of_kade).to_string()),
        (UWV.to_owned(), Value::from_iter(of_uwv).to_string()),
    ];
    let lab = Lab::start_with(|options| {
        options.allow_misbehaviour = true;
        options.statements = statements.into();
    })
    .await;
    let kade = lab.client("kade").await;
    for case in &cases {
        let form = lab.sign("kade", &data::MAIN_FORM.replace(BSN, case.bsn));
        kade.consent().record_consent(form).await.unwrap();
    }

    let before = lab.size().await;
    let asked = cases.iter().map(async |case| {
        let began = Instant::now();
        let answer = lab.ask("waterrijk", about(case.bsn)).await.unwrap();
        (case, answer, began.elapsed())
    });
    let mut incomplete: Vec<RequestWorkCapacityResponse> = Vec::new();
    for (case, answer, took) in futures_util::future::join_all(asked).await {
        let (what, released) = (case.reason, released(&answer));
        for disclosure in &answer.disclosures {
            let capacity = disclosure.work_capacity.as_ref().unwrap();
            assert!(capacity.trajectory.is_none() && capacity.work_ability.is_none(), "{what}");
            let hours = capacity.working_hours.as_ref().map(|hours| hours.hours_per_day);
            let coach = capacity.support.as_ref().map(|support| support.guidance_needed);
            assert!(hours.flatten().is_none() && coach.flatten().is_none(), "{what}: only what was asked");
        }
        assert_eq!(answer.receipt.as_ref().unwrap().entries.len(), 2, "{what}");
        if case.reason == "RELEASED" {
            assert_eq!(released, [UWV, KADE], "{what}");
            assert!(not_provided(&answer).is_empty(), "{what}");
        } else {
            assert_eq!(released, [UWV], "{what}: only the good part");
            assert_eq!(not_provided(&answer), [COACH], "{what}");
            assert!(took >= ANSWER_AFTER, "{what} is told at the one time for all: {took:?}");
            incomplete.push(answer);
        }
    }
    for answer in &mut incomplete {
        (answer.request_id, answer.receipt) = (String::new(), None);
        answer.disclosures[0].duties.as_mut().unwrap().use_until = None;
    }
    assert!(incomplete.windows(2).all(|two| two[0] == two[1]), "they cannot be told apart");

    // The log tells them apart, for the gateway's own officer alone.
    let outcomes = lab.log(before).await.into_iter().filter(|entry| entry.kind == "outcome");
    let mut found: Vec<_> = outcomes
        .map(|outcome| {
            assert_eq!(detail(&outcome, UWV)["reason"], "RELEASED");
            let part = detail(&outcome, KADE);
            assert_eq!(part["asked"], json!(["VW-04"]), "what the source was asked: {part}");
            let surplus: Vec<String> = serde_json::from_value(part["surplus_fields"].clone()).unwrap();
            assert!(!surplus.contains(&"VW-04".to_owned()));
            let unknown = part["surplus_unknown"].as_u64().unwrap();
            (part["reason"].as_str().unwrap().to_owned(), !surplus.is_empty(), unknown)
        })
        .collect();
    let expected =
        cases.iter().map(|case| (case.reason.to_owned(), case.surplus_fields, case.surplus_unknown));
    let mut expected: Vec<_> = expected.collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert_pairs(&lab.log(0).await);
    lab.assert_written_nowhere("Not a field of the catalogue.").await;
    lab.world.stop().await;
}

impl Lab {
    fn source_settings(&self, short: &str) -> SourceSettings {
        SourceSettings::load(&self.world.dir.join(format!("source-{short}.toml"))).unwrap()
    }
}

/// Starts a source system, on a port that another one may just have left.
async fn start(settings: &SourceSettings) -> SourceSystem {
    SourceSystem::start(settings.clone(), std::sync::Arc::new(SystemClock)).await.unwrap()
}

/// Asks, and checks that only the other source's part came, and why in the log.
async fn assert_only_uwv(lab: &Lab, reason: &str) {
    let before = lab.size().await;
    let answer = lab.ask("waterrijk", about(BSN)).await.unwrap();
    assert_eq!((released(&answer), not_provided(&answer)), (vec![UWV], vec![COACH.to_owned()]), "{reason}");
    let log = lab.log(before).await;
    let outcome = log.iter().find(|entry| entry.kind == "outcome").unwrap();
    assert_eq!(detail(outcome, KADE)["reason"], reason);
    assert_eq!(outcome.facts["released"], json!([{ "source": UWV, "fields": ["WT-03"] }]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_down_or_another_is_not_asked() {
    let mut lab = Lab::start().await;
    lab.record_main().await;
    let settings = lab.source_settings("kade");
    lab.world.sources.remove("kade").unwrap().stop().await;
    assert_only_uwv(&lab, "SOURCE_UNAVAILABLE").await;

    // Another participant, with a good certificate of its own, at the same address.
    let mut impostor = settings.clone();
    impostor.tls = lab.source_settings("veer").tls;
    let system = start(&impostor).await;
    assert_only_uwv(&lab, "SOURCE_NOT_TRUSTED").await;
    system.stop().await;

    // Itself again, with a certificate that was revoked in the meantime.
    let system = start(&settings).await;
    assert_eq!(released(&lab.ask("waterrijk", about(BSN)).await.unwrap()), [UWV, KADE]);
    let now = SystemClock.now();
    let validity = Validity { from: now.plus_millis(-60_000), until: now.plus_millis(3_600_000) };
    let certs = lab.world.dir.join("certs");
    let mut folder = CertificateFolder::open(&certs, "", validity).unwrap();
    folder.revoke(&certs.join("kade.pem"), now).unwrap();
    folder.write_crl(validity).unwrap();
    lab.world.gateway.reload().await.unwrap();
    assert_only_uwv(&lab, "SOURCE_NOT_TRUSTED").await;
    system.stop().await;
    assert_pairs(&lab.log(0).await);
    lab.world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_source_the_answer_is_the_same_as_for_an_unknown_client() {
    let mut lab = Lab::start().await;
    lab.record_main().await;
    for (_, source) in std::mem::take(&mut lab.world.sources) {
        source.stop().await;
    }
    let before = lab.size().await;
    let known = async { lab.ask("waterrijk", about(BSN)).await.unwrap() };
    let unknown = async { lab.ask("waterrijk", about("999993653")).await.unwrap() };
    let (known, unknown) = tokio::join!(known, unknown);
    for answer in [&known, &unknown] {
        assert!(answer.disclosures.is_empty());
        assert_eq!(not_provided(answer), [HOURS, COACH]);
        assert_eq!(answer.receipt.as_ref().unwrap().entries.len(), 1);
    }
    let log = lab.log(before).await;
    assert_eq!(log.len(), 4);
    assert_pairs(&log);
    let mut reasons: Vec<_> = log
        .iter()
        .filter(|entry| entry.kind == "outcome")
        .map(|outcome| detail(outcome, UWV)["reason"].as_str().unwrap().to_owned())
        .collect();
    reasons.sort();
    assert_eq!(reasons, ["NO_GRANT", "SOURCE_UNAVAILABLE"]);
    lab.world.stop().await;
}
