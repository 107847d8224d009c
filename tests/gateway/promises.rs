//! What the tests of the promises share: grants in a line, a source that does as it is told, and the log as its own
//! officer reads it.

use std::{
    convert::Infallible,
    fs,
    path::Path,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::BoxFuture;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use serde_json::{Value, json};
use sluis::{
    audit::{leaf::Leaf, proof::TlogProof},
    catalogue::{CheckedStatement, Field, Mask, Sensitivity, example},
    domain::{Bsn, Clock as _, time::SystemClock},
    identity::{Acceptor, Limits, TrustFiles, TrustStore},
    proto::{
        self,
        get_statement_response::Result as Answer,
        source_service_server::{SourceService, SourceServiceServer},
    },
    storage::Store,
};
use tokio::net::TcpListener;
use tonic::{
    Request, Response, Status, body::Body, codegen::Service, server::NamedService, transport::Server,
};

use crate::lab::{Lab, question};

pub const WATERRIJK: &str = "00000099000001001000";
pub const SLUISDAM: &str = "00000099000001002000";
pub const UWV: &str = "00000099000002001000";
pub const KADE: &str = "00000099000003001000";
pub const VEER: &str = "00000099000003002000";

/// The n-th test number above those of the demo.
pub fn bsn(n: usize) -> String {
    let numbers = (999_995_000_u32..).map(|number| number.to_string());
    numbers.filter(|number| Bsn::parse(number).is_ok()).nth(n).unwrap()
}

/// A grant of one client to Waterrijk, recorded by its source unless said otherwise: so it counts as confirmed.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    pub recorder: (&'a str, &'a str),
    pub recipient: &'a str,
    pub role: &'a str,
    pub purpose: &'a str,
    pub source: &'a str,
    pub fields: &'a [&'a str],
    pub from: &'a str,
    pub until: &'a str,
}

/// The field that most tests are about: VW-04, whether a job coach is needed.
pub const COACH: &str = "support.job_coach_needed";

pub const BY_KADE: Given<'static> = Given {
    recorder: ("kade", KADE),
    recipient: WATERRIJK,
    role: "gem.klantmanager",
    purpose: "REINTEGRATION",
    source: KADE,
    fields: &["VW-04"],
    from: "today-14",
    until: "today+300",
};

impl Given<'_> {
    /// As a form that is not signed yet.
    pub fn form(&self, bsn: &str) -> String {
        form(bsn, &[*self])
    }

    /// Records it, and gives the answer.
    pub async fn record(&self, lab: &Lab, bsn: &str) -> Result<proto::RecordConsentResponse, Status> {
        let request = lab.sign(self.recorder.0, &self.form(bsn));
        let recorded = lab.client(self.recorder.0).await.consent().record_consent(request).await;
        recorded.map(Response::into_inner)
    }

    /// Records it, and gives its id.
    pub async fn give(&self, lab: &Lab, bsn: &str) -> String {
        self.record(lab, bsn).await.unwrap().grants[0].grant_id.clone()
    }
}

/// A form of these grants, all by the recorder of the first.
pub fn form(bsn: &str, grants: &[Given<'_>]) -> String {
    let recorder = grants[0].recorder.1;
    let grants: Vec<_> = grants
        .iter()
        .map(|given| {
            let revealing = |code: &&&str| {
                Field::from_code(code).is_some_and(|field| field.entry().sensitivity == Sensitivity::S2)
            };
            let sensitive: Vec<_> = given.fields.iter().filter(revealing).collect();
            json!({
                "recipient": given.recipient, "role": given.role, "purpose": given.purpose,
                "source": given.source, "fields": given.fields, "sensitive": sensitive,
                "valid_from": given.from, "valid_until": given.until,
            })
        })
        .collect();
    json!({
        "bsn": bsn, "recorder": recorder, "form_number": 1, "form_version": 3, "signed_on": "today-14",
        "custodian": recorder, "media_type": "application/pdf", "size": 48_211, "sha256": "9d".repeat(32),
        "explanation": {
            "text_version": 2, "language": "nl", "reading_level": "B1", "explained_by": "ggz.trajectbegeleider",
            "explained_on": "today-14",
        },
        "collection": {
            "context": "CLIENT_INITIATIVE", "method": "WET_INK", "alternative": "CLIENT_TELLS_HIMSELF",
            "withdrawal": ["IN_PERSON", "LETTER"], "verified_by": "ggz.trajectbegeleider", "verified_on": "today-14",
        },
        "grantor": { "kind": "CLIENT", "client_age": "ADULT" },
        "grants": grants,
    })
    .to_string()
}

/// A question about this client and this field alone.
pub fn about(bsn: &str, paths: &[&str]) -> proto::RequestWorkCapacityRequest {
    proto::RequestWorkCapacityRequest { bsn: bsn.to_owned(), fields: crate::lab::paths(paths), ..question() }
}

pub static POOL: LazyLock<DescriptorPool> =
    LazyLock::new(|| DescriptorPool::decode(proto::DESCRIPTORS).unwrap());

pub fn descriptor(name: &str) -> MessageDescriptor {
    POOL.get_message_by_name(&format!("sluis.v1.{name}")).unwrap()
}

/// The day on which the tests check statements.
pub fn today() -> sluis::domain::Day {
    SystemClock.now().day()
}

/// A statement that holds these fields.
pub fn statement(mask: Mask) -> proto::WorkCapacity {
    CheckedStatement::new(example::full(1), today()).unwrap().build(mask)
}

/// An item of a source's file.
pub fn item(bsn: &str, mask: Mask, more: Value) -> Value {
    let mut message = DynamicMessage::new(descriptor("WorkCapacity"));
    message.transcode_from(&statement(mask)).unwrap();
    let options = prost_reflect::SerializeOptions::new().use_proto_field_name(true);
    let capacity = message.serialize_with_options(serde_json::value::Serializer, &options).unwrap();
    let mut item = json!({ "bsn": bsn, "work_capacity": capacity });
    item.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    item
}

type Answering = dyn Fn(proto::GetStatementRequest) -> BoxFuture<'static, Answer> + Send + Sync;

/// A source that trusts every question, answers as it is told and remembers what it heard.
#[derive(Clone)]
pub struct Scripted {
    answer: Arc<Answering>,
    /// Whether it confirms grants.
    pub confirms: Arc<AtomicBool>,
    pub asked: Arc<Mutex<Vec<proto::GetStatementRequest>>>,
    pub reports: Arc<Mutex<Vec<proto::ReportSurplusRequest>>>,
}

impl Scripted {
    /// Puts it in the place of a source of the region.
    pub async fn take_over<F>(
        lab: &mut Lab,
        short: &str,
        answer: impl Fn(proto::GetStatementRequest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Answer> + Send + 'static,
    {
        let source = Self {
            answer: Arc::new(move |request| Box::pin(answer(request))),
            confirms: Arc::new(AtomicBool::new(true)),
            asked: Arc::default(),
            reports: Arc::default(),
        };
        stand_in(lab, short, SourceServiceServer::new(source.clone())).await;
        source
    }

    pub fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// Puts a service in the place of a source of the region, under that one's certificate. On a port of its own: between two
/// that use one port, another test could take it.
pub async fn stand_in<S>(lab: &mut Lab, short: &str, service: S)
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let replaced = lab.world.sources.remove(short).unwrap();
    let old = format!("localhost:{}", replaced.address.port());
    replaced.stop().await;
    let certs = lab.world.dir.join("certs");
    let trust = TrustStore::load(TrustFiles {
        roots: vec![certs.join("ca.pem")],
        crls: vec![certs.join("crl.pem")],
        certificate: certs.join(format!("{short}.pem")),
        key: certs.join(format!("{short}.key")),
    })
    .unwrap();
    let acceptor = Acceptor::new(Arc::new(trust), Limits::default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let new = format!("localhost:{}", listener.local_addr().unwrap().port());
    let router = Server::builder().add_service(service);
    tokio::spawn(async move { router.serve_with_incoming(acceptor.incoming(listener)).await });
    let participants = lab.world.dir.join("participants.toml");
    let text = fs::read_to_string(&participants).unwrap();
    fs::write(&participants, text.replace(&old, &new)).unwrap();
    for gateway in std::iter::once(&lab.world.gateway).chain(&lab.world.others) {
        gateway.reload().await.unwrap();
    }
}

#[tonic::async_trait]
impl SourceService for Scripted {
    async fn get_statement(
        &self,
        request: Request<proto::GetStatementRequest>,
    ) -> Result<Response<proto::GetStatementResponse>, Status> {
        let request = request.into_inner();
        self.asked.lock().unwrap().push(request.clone());
        let result = (self.answer)(request).await;
        Ok(Response::new(proto::GetStatementResponse { result: Some(result) }))
    }

    async fn review_grant(
        &self,
        _: Request<proto::ReviewGrantRequest>,
    ) -> Result<Response<proto::ReviewGrantResponse>, Status> {
        Ok(Response::new(proto::ReviewGrantResponse { confirmed: self.confirms.load(Ordering::SeqCst) }))
    }

    async fn report_surplus(
        &self,
        request: Request<proto::ReportSurplusRequest>,
    ) -> Result<Response<proto::ReportSurplusResponse>, Status> {
        self.reports.lock().unwrap().push(request.into_inner());
        Ok(Response::new(proto::ReportSurplusResponse {}))
    }
}

/// Answers with all it can hold, whatever was asked.
pub async fn everything(_: proto::GetStatementRequest) -> Answer {
    Answer::WorkCapacity(statement(Mask::all()))
}

/// An entry of the log, with all that stands beside it.
#[derive(Clone, Debug)]
pub struct Logged {
    pub position: u64,
    pub kind: String,
    pub pair: String,
    pub facts: Value,
    pub detail: Value,
    /// Bytes of leaf, facts and sealed part.
    pub sizes: [usize; 3],
}

/// The whole log.
pub async fn log(store: &Arc<dyn Store>) -> Vec<Logged> {
    let read = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap();
    let entries = store.entries(0, u32::MAX).await.unwrap();
    entries
        .iter()
        .map(|entry| {
            let leaf = Leaf::parse(&entry.leaf).unwrap();
            Logged {
                position: entry.position,
                kind: leaf.kind.to_string(),
                pair: leaf.pair.to_string(),
                facts: read(entry.facts_json()),
                detail: entry.detail.as_ref().map_or(Value::Null, |detail| read(&detail.json)),
                sizes: [
                    entry.leaf.len(),
                    entry.facts_json().len(),
                    entry.sealed.as_ref().map_or(0, |sealed| sealed.bytes.len()),
                ],
            }
        })
        .collect()
}

/// The outcome of the request that this answer's receipt opens.
pub fn outcome_of<'a>(log: &'a [Logged], answer: &proto::RequestWorkCapacityResponse) -> &'a Logged {
    let request = &answer.receipt.as_ref().unwrap().entries[0];
    let position = request.proof.parse::<TlogProof>().unwrap().index;
    let pair = &log.iter().find(|entry| entry.position == position).unwrap().pair;
    let mut outcomes = log.iter().filter(|entry| entry.kind == "outcome" && entry.pair == *pair);
    let outcome = outcomes.next().unwrap();
    assert!(outcomes.next().is_none(), "one outcome");
    outcome
}

/// Why this source gave nothing, as the gateway's own officer reads it.
pub fn reason_of(outcome: &Logged, source: &str) -> String {
    let sources = outcome.detail["sources"].as_array().unwrap();
    let found = sources.iter().find(|row| row["source"] == source);
    found.map_or("NOT_CONSIDERED", |row| row["reason"].as_str().unwrap()).to_owned()
}

/// A generator of random numbers with a seed, so that a failure can be had again (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// Some of these fields, each with this chance in a hundred.
    pub fn some(&mut self, of: Mask, percent: u64) -> Mask {
        of.iter().filter(|_| self.below(100) < percent).collect()
    }
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap().path();
        let target = to.join(file.file_name().unwrap());
        if file.is_dir() {
            copy(&file, &target);
        } else {
            fs::copy(&file, target).unwrap();
        }
    }
}
