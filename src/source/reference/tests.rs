use std::time::Duration;

use serde_json::json;
use tonic::transport::Server;

use super::*;
use crate::{
    consent::{Binding, Grant},
    domain::{QueryId, Reason, time::ManualClock},
    source::{
        PresentedGrant, SourceConnector as _, SourceQuestion,
        grpc::GrpcSource,
        lab::{self, BSN, OTHER_BSN, day, fields, oin},
    },
};

const TODAY: crate::domain::Day = time::macros::date!(2026 - 05 - 20);
const SECOND: Duration = Duration::from_secs(1);

fn items(behaviour: Option<&str>) -> serde_json::Value {
    let assessment = json!({
        "determined_on": { "year": 2026, "month": 5, "day": 4 },
        "assessor_role": "ASSESSOR_ROLE_LABOUR_EXPERT",
    });
    let mut item = json!({
        "bsn": BSN,
        "work_capacity": {
            "working_hours": {
                "hours_per_week": "HOURS_PER_WEEK_ABOUT_TWENTY",
                "max_hours_per_week": 24,
                "available_days": ["WEEKDAY_MONDAY", "WEEKDAY_TUESDAY"],
                "assessment": assessment,
            },
            "support": { "low_stimulus_workplace": true, "assessment": assessment },
        },
    });
    if let Some(behaviour) = behaviour {
        item["behaviour"] = json!(behaviour);
    }
    json!([item, { "bsn": OTHER_BSN, "declines": true }])
}

struct Lab {
    recorder: Arc<lab::Recorder>,
    salt: BindingSalt,
    source: ReferenceSource,
}

impl Lab {
    fn new() -> Self {
        Self::with(None, Some(oin(9)))
    }

    fn with(behaviour: Option<&str>, caller: Option<Oin>) -> Self {
        let recorder = Arc::new(lab::Recorder::new());
        let statements = Statements::parse(items(behaviour).to_string().as_bytes(), true, TODAY).unwrap();
        let source = ReferenceSource::new(
            oin(3),
            oin(9),
            statements,
            recorder.clone(),
            Arc::new(lab::Caller(caller)),
            Arc::new(ManualClock::new(lab::noon())),
        );
        Self { recorder, salt: BindingSalt::random().unwrap(), source }
    }

    fn question(&self) -> SourceQuestion {
        lab::question(&self.recorder, &lab::grant(&self.salt), &self.salt)
    }

    async fn connector(&self) -> GrpcSource {
        GrpcSource::new(lab::serve(Server::builder().add_service(self.source.clone().into_server())).await)
    }

    async fn ask(&self, question: &SourceQuestion) -> Result<crate::source::Statement, Reason> {
        self.connector().await.statement(question, SECOND).await
    }
}

#[tokio::test]
async fn answers_what_the_grants_give_and_nothing_else() {
    let lab = Lab::new();
    let mut question = lab.question();
    let statement = lab.ask(&question).await.unwrap();
    assert_eq!(statement.checked.present(), fields(&["WT-03", "VW-08"]));
    assert!(statement.surplus.is_empty());
    question.fields = fields(&["WT-03"]);
    assert_eq!(lab.ask(&question).await.unwrap().checked.present(), fields(&["WT-03"]));
    question.fields = fields(&["WT-05"]);
    assert_eq!(lab.ask(&question).await.unwrap_err(), Reason::SourceHoldsNothing);
}

/// R14: the source's own conditions, each removed in turn.
#[tokio::test]
async fn r14_whatever_does_not_hold_is_declined() {
    type Change = fn(&mut SourceQuestion, &mut Grant, &Lab);
    let changes: [(Objection, Change); 11] = [
        (Objection::DeadlinePassed, |question, _, _| question.deadline = lab::noon()),
        (Objection::SourceDiffers, |_, grant, _| grant.source = oin(4)),
        (Objection::RecipientDiffers, |_, grant, _| grant.recipient = oin(4)),
        (Objection::RoleDiffers, |_, grant, _| grant.role = "gem.jobcoach".parse().unwrap()),
        (Objection::PurposeDiffers, |_, grant, _| grant.purpose = "JOB_COACHING".parse().unwrap()),
        (Objection::FieldsBeyondGrants, |_, grant, _| grant.fields = fields(&["WT-03", "WT-05"])),
        (Objection::NotInForce, |_, grant, _| grant.valid_from = day("2026-11-24")),
        (Objection::NotInForce, |_, grant, _| grant.valid_until = day("2026-11-23")),
        (Objection::RecorderKeyUnknown, |_, grant, _| grant.recorder = oin(4)),
        (Objection::RecorderKeyUnknown, |_, grant, _| grant.signed_on = day("2026-11-02")),
        (Objection::BindingWrong, |_, grant, lab| {
            grant.person = Binding::of(&lab.salt, &Bsn::parse(OTHER_BSN).unwrap());
        }),
    ];
    let lab = Lab::new();
    for (objection, change) in changes {
        let (mut question, mut grant) = (lab.question(), lab::grant(&lab.salt));
        change(&mut question, &mut grant, &lab);
        question.grants = vec![lab.recorder.present(&grant, &lab.salt)];
        assert_eq!(verdict(&lab, &question), Err(objection));
        assert_eq!(lab.ask(&question).await.unwrap_err(), Reason::SourceDeclined, "{objection:?}");
    }
}

/// What the source says to itself.
fn verdict(lab: &Lab, question: &SourceQuestion) -> Result<(), Objection> {
    let present = |grant: &PresentedGrant| proto::PresentedGrant {
        jws: grant.jws.clone(),
        binding_salt: grant.salt.bytes().to_vec(),
        reconfirmation: grant.reconfirmation.clone().unwrap_or_default(),
        countersignature: String::new(),
    };
    let message = proto::GetStatementRequest {
        query_id: question.query.to_string(),
        bsn: question.bsn.reveal_text(),
        recipient: question.recipient.to_string(),
        role: question.role.to_string(),
        purpose: question.purpose.to_string(),
        fields: catalogue::codes(question.fields).into_iter().map(ToOwned::to_owned).collect(),
        grants: question.grants.iter().map(present).collect(),
        deadline: Some(question.deadline.to_proto()),
    };
    lab.source.answer(&message).map(|_| ())
}

#[tokio::test]
async fn forged_missing_and_mixed_grants_are_declined() {
    let lab = Lab::new();
    let mut question = lab.question();
    question.grants = vec![lab::Recorder::new().present(&lab::grant(&lab.salt), &lab.salt)];
    assert_eq!(verdict(&lab, &question), Err(Objection::SignatureInvalid));
    question.grants.clear();
    assert_eq!(verdict(&lab, &question), Err(Objection::NoGrant));
    // One good grant does not carry a bad one along.
    let other = Grant { recipient: oin(4), ..lab::grant(&lab.salt) };
    question.grants = vec![
        lab.recorder.present(&lab::grant(&lab.salt), &lab.salt),
        lab.recorder.present(&other, &lab.salt),
    ];
    assert_eq!(verdict(&lab, &question), Err(Objection::RecipientDiffers));
}

#[tokio::test]
async fn two_grants_cover_together() {
    let lab = Lab::new();
    let mut question = lab.question();
    let one = Grant { fields: fields(&["WT-03", "WT-05"]), ..lab::grant(&lab.salt) };
    let salt = BindingSalt::random().unwrap();
    let other = Grant { fields: fields(&["VW-08"]), ..lab::grant(&salt) };
    question.grants = vec![lab.recorder.present(&one, &lab.salt), lab.recorder.present(&other, &salt)];
    assert_eq!(verdict(&lab, &question), Ok(()));
}

#[tokio::test]
async fn only_the_gateway_is_answered() {
    for caller in [None, Some(oin(8))] {
        let lab = Lab::with(None, caller);
        let question = lab.question();
        let connector = lab.connector().await;
        assert_eq!(connector.statement(&question, SECOND).await.unwrap_err(), Reason::SourceDeclined);
        let reviewed = connector.review(&question.bsn, &question.grants[0], SECOND).await;
        assert_eq!(reviewed.unwrap_err(), Reason::SourceDeclined);
        let surplus = crate::source::Surplus { fields: fields(&["WT-03"]), unknown_fields: 0 };
        assert!(connector.report_surplus(QueryId::random(), &surplus).await.is_err());
    }
}

#[tokio::test]
async fn confirms_grants_about_its_own_clients() {
    let lab = Lab::new();
    let connector = lab.connector().await;
    let bind = |text: &str| {
        let bsn = Bsn::parse(text).unwrap();
        let person = Binding::of(&lab.salt, &bsn);
        (bsn, lab.recorder.present(&Grant { person, ..lab::grant(&lab.salt) }, &lab.salt))
    };
    for (text, confirmed) in [(BSN, true), (OTHER_BSN, false), ("123456782", false)] {
        let (bsn, grant) = bind(text);
        assert_eq!(connector.review(&bsn, &grant, SECOND).await, Ok(confirmed));
    }
    let (bsn, _) = bind(BSN);
    let elsewhere = Grant { source: oin(4), ..lab::grant(&lab.salt) };
    let elsewhere = lab.recorder.present(&elsewhere, &lab.salt);
    assert_eq!(connector.review(&bsn, &elsewhere, SECOND).await, Ok(false));
    // Recorded ahead of its period: nothing is in the way of confirming it.
    let ahead = Grant { valid_from: day("2027-01-01"), ..lab::grant(&lab.salt) };
    assert_eq!(connector.review(&bsn, &lab.recorder.present(&ahead, &lab.salt), SECOND).await, Ok(true));
}

#[tokio::test]
async fn p03_misbehaviours_come_to_nothing() {
    let ask = async |behaviour| {
        let lab = Lab::with(Some(behaviour), Some(oin(9)));
        lab.ask(&lab.question()).await
    };
    let over = ask("over_deliver").await.unwrap();
    assert_eq!(over.surplus.fields, fields(&["WT-06", "WT-11"]));
    assert_eq!(over.checked.present(), fields(&["WT-03", "VW-08"]));
    let unknown = ask("unknown_field").await.unwrap();
    assert_eq!((unknown.surplus.unknown_fields, unknown.checked.present().len()), (1, 2));
    assert_eq!(ask("undeclared_enum").await.unwrap_err(), Reason::SourceInvalid);
    assert_eq!(ask("declines").await.unwrap_err(), Reason::SourceDeclined);
    let lab = Lab::with(Some("slow"), Some(oin(9)));
    let late = lab.connector().await.statement(&lab.question(), Duration::from_millis(100)).await;
    assert_eq!(late.unwrap_err(), Reason::SourceTooLate);
}

#[test]
fn a_faulty_file_is_refused_by_item_and_without_its_contents() {
    let fault = |change: fn(&mut serde_json::Value)| {
        let mut items = items(None);
        change(&mut items);
        Statements::parse(items.to_string().as_bytes(), false, TODAY).unwrap_err().to_string()
    };
    let capacity = |field: &str| format!("item 1 has a `work_capacity` {field}");
    assert_eq!(
        fault(|items| items[1]["bsn"] = json!("999999999")),
        "item 2 has a `bsn` that must pass the elfproef"
    );
    assert_eq!(fault(|items| items[1]["bsn"] = json!(BSN)), "item 2 is about the same client as item 1");
    assert!(fault(|items| items[1]["name"] = json!("x")).starts_with("item 2 must be an object"));
    assert!(fault(|items| items[0]["bsn"] = json!(999_990_019)).starts_with("item 1 must be an object"));
    assert_eq!(
        fault(|items| items[0]["behaviour"] = json!("slow")),
        "item 1 has a `behaviour`, which a test source alone may have"
    );
    assert_eq!(
        fault(|items| items[0]["work_capacity"]["working_hours"]["hours_per_week"] = json!("ABOUT_TWENTY")),
        capacity("that cannot be read at `working_hours.hours_per_week`")
    );
    assert_eq!(
        fault(|items| items[0]["work_capacity"]["working_hours"]["reason"] = json!("text")),
        capacity("that cannot be read: it names something outside the catalogue")
    );
    assert_eq!(
        fault(|items| items[0]["work_capacity"]["working_hours"]["max_hours_per_week"] = json!(100)),
        capacity("in which `WT-06` is out of its range")
    );
    let broken = Statements::parse(b"[\n{", false, TODAY).unwrap_err();
    assert_eq!(broken.to_string(), "is not a JSON list of items (line 2, column 1)");
}

#[test]
fn p08_debug_shows_no_client() {
    let lab = Lab::new();
    let shown = format!("{:?} {:?}", lab.source, lab.question());
    assert!(!shown.contains(BSN) && !shown.contains(OTHER_BSN), "{shown}");
    assert!(!shown.contains("57, 57, 57, 57"), "{shown}");
}
