use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;
use tonic::{Code, Response, metadata::KeyRef, transport::Server};

use super::*;
use crate::{
    domain::{Timestamp, time::ManualClock},
    proto::source_service_server::{SourceService, SourceServiceServer},
    source::lab,
};

type Reported = mpsc::UnboundedSender<proto::ReportSurplusRequest>;

/// What the scripted source does.
#[derive(Clone, Debug)]
enum Script {
    Answer(Box<proto::WorkCapacity>),
    Empty,
    Fail(Code),
    Hang,
}

#[derive(Clone, Debug)]
struct Scripted {
    script: Script,
    calls: Arc<AtomicUsize>,
    metadata: Arc<std::sync::Mutex<Vec<String>>>,
    reported: Reported,
}

impl Scripted {
    fn new(script: Script) -> (Self, mpsc::UnboundedReceiver<proto::ReportSurplusRequest>) {
        let (reported, reports) = mpsc::unbounded_channel();
        (Self { script, calls: Arc::default(), metadata: Arc::default(), reported }, reports)
    }

    async fn source(&self) -> GrpcSource {
        GrpcSource::new(
            lab::serve(Server::builder().add_service(SourceServiceServer::new(self.clone()))).await,
        )
    }
}

#[tonic::async_trait]
impl SourceService for Scripted {
    async fn get_statement(
        &self,
        request: Request<proto::GetStatementRequest>,
    ) -> Result<Response<proto::GetStatementResponse>, Status> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let names = request.metadata().keys().map(|key| match key {
            KeyRef::Ascii(key) => key.to_string(),
            KeyRef::Binary(key) => key.to_string(),
        });
        *self.metadata.lock().unwrap() = names.collect();
        let result = match &self.script {
            Script::Answer(capacity) => Some(Answer::WorkCapacity((**capacity).clone())),
            Script::Empty => None,
            Script::Fail(code) => return Err(Status::new(*code, "words of the source")),
            Script::Hang => std::future::pending().await,
        };
        Ok(Response::new(proto::GetStatementResponse { result }))
    }

    async fn review_grant(
        &self,
        _: Request<proto::ReviewGrantRequest>,
    ) -> Result<Response<proto::ReviewGrantResponse>, Status> {
        Ok(Response::new(proto::ReviewGrantResponse { confirmed: true }))
    }

    async fn report_surplus(
        &self,
        request: Request<proto::ReportSurplusRequest>,
    ) -> Result<Response<proto::ReportSurplusResponse>, Status> {
        self.reported.send(request.into_inner()).unwrap();
        Ok(Response::new(proto::ReportSurplusResponse {}))
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn hours(change: fn(&mut proto::WorkingHours)) -> Script {
    let assessment = proto::Assessment {
        determined_on: Some(proto::Date { year: 2026, month: 5, day: 4 }),
        assessor_role: Some(1),
        ..Default::default()
    };
    let mut hours = proto::WorkingHours { assessment: Some(assessment), ..Default::default() };
    change(&mut hours);
    Script::Answer(Box::new(proto::WorkCapacity { working_hours: Some(hours), ..Default::default() }))
}

async fn ask(script: Script) -> Result<Statement, Reason> {
    let (scripted, _reports) = Scripted::new(script);
    scripted.source().await.statement(&lab::any_question(), SECOND).await
}

#[tokio::test]
async fn p02_p03_only_what_was_asked_goes_on_and_the_rest_is_counted() {
    let statement = ask(hours(|wt| {
        wt.hours_per_week = Some(3);
        wt.max_hours_per_week = Some(24);
    }))
    .await
    .unwrap();
    assert_eq!(statement.checked.present(), lab::fields(&["WT-03"]));
    assert_eq!(statement.surplus, Surplus { fields: lab::fields(&["WT-06"]), unknown_fields: 0 });
    let everything = statement.checked.build(Mask::all());
    assert_eq!(everything.working_hours.unwrap().max_hours_per_week, None);
}

#[tokio::test]
async fn p03_a_surplus_that_comes_alone_is_counted_all_the_same() {
    let statement = ask(hours(|wt| wt.max_hours_per_week = Some(24))).await.unwrap();
    assert!(statement.checked.present().is_empty());
    assert_eq!(statement.surplus, Surplus { fields: lab::fields(&["WT-06"]), unknown_fields: 0 });
}

#[tokio::test]
async fn every_way_to_give_nothing_has_its_reason() {
    for (script, reason) in [
        (Script::Empty, Reason::SourceDeclined),
        (Script::Answer(Box::default()), Reason::SourceHoldsNothing),
        (hours(|wt| wt.hours_per_week = Some(4711)), Reason::SourceInvalid),
        (hours(|wt| wt.max_hours_per_week = Some(100)), Reason::SourceInvalid),
        (hours(|wt| wt.day_period_limits = vec![1; MAX_MESSAGE]), Reason::SourceInvalid),
        (Script::Fail(Code::PermissionDenied), Reason::SourceDeclined),
        (Script::Fail(Code::Unavailable), Reason::SourceUnavailable),
        (Script::Fail(Code::Internal), Reason::SourceUnavailable),
        (Script::Fail(Code::DeadlineExceeded), Reason::SourceTooLate),
    ] {
        assert_eq!(ask(script.clone()).await.unwrap_err(), reason, "{script:?}");
    }
}

#[tokio::test]
async fn a_source_that_hangs_is_too_late() {
    let (scripted, _reports) = Scripted::new(Script::Hang);
    let source = scripted.source().await;
    let wait = Duration::from_millis(50);
    let verdict = source.statement(&lab::any_question(), wait).await;
    assert_eq!(verdict.unwrap_err(), Reason::SourceTooLate);
}

#[tokio::test]
async fn nothing_goes_along_but_the_time() {
    let (scripted, _reports) = Scripted::new(Script::Empty);
    let _ = scripted.source().await.statement(&lab::any_question(), SECOND).await;
    let mut names = scripted.metadata.lock().unwrap().clone();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "grpc-timeout", "te", "user-agent"]);
}

#[tokio::test]
async fn a_status_of_the_source_is_not_asked_for_twice() {
    let (scripted, _reports) = Scripted::new(Script::Fail(Code::Unavailable));
    let _ = scripted.source().await.statement(&lab::any_question(), SECOND).await;
    assert_eq!(scripted.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn reviews_and_reports() {
    let (scripted, mut reports) = Scripted::new(Script::Empty);
    let source = scripted.source().await;
    let asked = lab::any_question();
    assert_eq!(source.review(&asked.bsn, &asked.grants[0], SECOND).await, Ok(true));
    let surplus = Surplus { fields: lab::fields(&["TR-01"]), unknown_fields: 2 };
    source.report_surplus(asked.query, &surplus).await.unwrap();
    assert_eq!(reports.recv().await.unwrap().unknown_fields, 2);
}

#[tokio::test]
async fn a_call_beyond_the_limit_waits_and_never_reaches_the_source() {
    let (scripted, _reports) = Scripted::new(Script::Hang);
    let channel = scripted.source().await.channel;
    let limits = Limits { concurrent_calls: 1, ..Limits::default() };
    let source = GrpcSource::with_limits(channel, limits, Arc::new(SystemClock));
    let question = lab::any_question();
    let first = source.statement(&question, Duration::from_millis(200));
    let second = source.statement(&question, Duration::from_millis(50));
    let verdicts = tokio::join!(biased; first, second);
    assert_eq!(verdicts.1.unwrap_err(), Reason::SourceTooLate);
    assert_eq!(scripted.calls.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_source_that_is_down_is_left_alone_for_a_while() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    // After the day on which the statement was made: what has happened cannot lie ahead.
    let start = 1_800_000_000_000;
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(start)));
    let limits = Limits { failures: 2, open: Duration::from_secs(10), ..Limits::default() };
    let source = GrpcSource::with_limits(lab::endpoint(closed).connect_lazy(), limits, clock.clone());
    let question = lab::any_question();
    for left_alone in [false, true, true] {
        let verdict = source.statement(&question, SECOND).await;
        assert_eq!(verdict.unwrap_err(), Reason::SourceUnavailable);
        assert_eq!(source.is_left_alone(), left_alone);
    }
    // It comes up on the same port, and is found again once its time is over.
    let (scripted, _reports) = Scripted::new(hours(|wt| wt.hours_per_week = Some(3)));
    let listener = tokio::net::TcpListener::bind(closed).await.unwrap();
    let router = Server::builder().add_service(SourceServiceServer::new(scripted.clone()));
    tokio::spawn(router.serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)));
    assert_eq!(source.statement(&question, SECOND).await.unwrap_err(), Reason::SourceUnavailable);
    assert_eq!(scripted.calls.load(Ordering::SeqCst), 0);
    clock.set(Timestamp::from_millis(start + 10_000));
    assert!(source.statement(&question, SECOND).await.is_ok());
    assert!(!source.is_left_alone());
}

#[tokio::test]
async fn a_connection_gone_before_the_request_was_sent_is_tried_once_more() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (scripted, _reports) = Scripted::new(hours(|wt| wt.hours_per_week = Some(3)));
    let router = Server::builder().add_service(SourceServiceServer::new(scripted.clone()));
    tokio::spawn(async move {
        drop(listener.accept().await.unwrap());
        router.serve_with_incoming(tokio_stream::wrappers::TcpListenerStream::new(listener)).await
    });
    let source = GrpcSource::new(lab::endpoint(address).connect_lazy());
    let verdict = source.statement(&lab::any_question(), SECOND).await;
    assert!(verdict.is_ok());
    assert_eq!(scripted.calls.load(Ordering::SeqCst), 1);
}
