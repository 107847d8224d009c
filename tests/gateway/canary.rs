//! The canary corpus (P03): what may never pass, in every disguise, in every place where somebody could put it. None
//! passes, none comes back, and none is written or traced. The output shows what was tried where.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use aho_corasick::AhoCorasick;
use futures_util::future::join_all;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Kind, MessageDescriptor, ReflectMessage as _, Value};
use serde_json::json;
use sluis::{demo::data, proto};
use tonic::{Request, metadata::MetadataValue, transport::Channel};

use self::{
    contents::{CONTENTS, DISGUISES, Sample, needles, samples},
    source::{PLACES, Spoiling, spoiled},
};
use crate::{
    apart::{Captured, keep, run_apart},
    bad_bytes::send_request,
    lab::{BSN, Lab, question},
    p02::disclosed,
    promises::{BY_KADE, COACH, KADE, POOL, about, bsn, stand_in},
};

mod contents;
mod source;

const CHILD: &str = "SLUIS_CANARY_CHILD";
const ASK: &str = "/sluis.v1.ExchangeService/RequestWorkCapacity";

/// What is tried, and what everybody outside gets to see of it.
#[derive(Default)]
struct Run {
    /// Place, class, and how many disguises were tried.
    tried: BTreeMap<String, BTreeMap<&'static str, usize>>,
    seen: Vec<u8>,
}

impl Run {
    fn note(&mut self, place: &str, sample: &Sample, answer: &Result<Vec<u8>, tonic::Status>) {
        *self.tried.entry(place.to_owned()).or_default().entry(sample.class).or_default() += 1;
        match answer {
            Ok(bytes) => self.seen.extend(bytes),
            Err(status) => {
                self.seen.extend(format!("{status:?}").bytes());
                self.seen.extend(status.details());
            }
        }
        self.seen.push(b'\n');
    }
}

/// A place in a request: the fields that lead to a text.
type Place = Vec<String>;

/// Every text and every run of bytes that a message can hold, at any depth.
fn places(message: &MessageDescriptor) -> Vec<Place> {
    let mut found = Vec::new();
    for field in message.fields() {
        let name = field.name().to_owned();
        match field.kind() {
            Kind::String | Kind::Bytes => found.push(vec![name]),
            Kind::Message(inner) if !inner.full_name().starts_with("google.protobuf.Timestamp") => {
                found.extend(places(&inner).into_iter().map(|rest| [vec![name.clone()], rest].concat()));
            }
            _ => {}
        }
    }
    found
}

/// Puts a text there.
fn put(message: &mut DynamicMessage, place: &[String], text: &str) {
    let field = message.descriptor().get_field_by_name(&place[0]).unwrap();
    let value = match field.kind() {
        Kind::String => Value::String(text.to_owned()),
        Kind::Bytes => Value::Bytes(text.as_bytes().to_vec().into()),
        Kind::Message(inner) => {
            let first = match message.get_field(&field).into_owned() {
                Value::List(items) => items.into_iter().next(),
                value => Some(value),
            };
            let mut within = match first {
                Some(Value::Message(within)) => within,
                _ => DynamicMessage::new(inner),
            };
            put(&mut within, &place[1..], text);
            Value::Message(within)
        }
        kind => panic!("{kind:?} holds no text"),
    };
    message.set_field(&field, if field.is_list() { Value::List(vec![value]) } else { value });
}

/// A request that would be answered, so that the text is the one thing wrong with it.
fn good(lab: &Lab, message: &MessageDescriptor) -> DynamicMessage {
    let bytes = match message.name() {
        "RequestWorkCapacityRequest" => question().encode_to_vec(),
        "RecordConsentRequest" => lab.sign("kade", data::MAIN_FORM).encode_to_vec(),
        "ListConsentsRequest" => proto::ListConsentsRequest { bsn: BSN.to_owned() }.encode_to_vec(),
        _ => Vec::new(),
    };
    DynamicMessage::decode(message.clone(), bytes.as_slice()).unwrap()
}

/// Every text in every request of every service of the gateway.
async fn in_requests(lab: &Lab, run: &mut Run) {
    let services = POOL.services().filter(|service| service.name() != "SourceService");
    for method in services.flat_map(|service| service.methods().collect::<Vec<_>>()) {
        let service = method.parent_service().name().to_owned();
        let caller = match service.as_str() {
            "ConsentService" => "kade",
            "AuditService" => "fg",
            _ => "waterrijk",
        };
        let channel = lab.client(caller).await.channel();
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        for place in places(&method.input()) {
            let name = format!("request: {}.{}", method.name(), place.join("."));
            for samples in samples().chunks(65) {
                let sent = samples.iter().map(|sample| {
                    let mut message = good(lab, &method.input());
                    put(&mut message, &place, &sample.text);
                    let (path, channel) = (&path, &channel);
                    async move { send_request(channel, path, Request::new(message.encode_to_vec())).await }
                });
                for (sample, answer) in samples.iter().zip(join_all(sent).await) {
                    // The catalogue is the same for everybody, whatever digest a caller says it has.
                    let refused = answer.is_err() || service == "CatalogueService";
                    assert!(refused, "{name}: {} as {} was taken", sample.class, sample.disguise);
                    run.note(&name, sample, &answer);
                }
            }
        }
    }
}

/// The metadata of a request.
async fn in_metadata(channel: &Channel, run: &mut Run) {
    for name in ["tracestate", "baggage", "x-note", "note-bin", "traceparent"] {
        for samples in samples().chunks(65) {
            let sent = samples.iter().map(|sample| async move {
                let mut request = Request::new(question().encode_to_vec());
                let metadata = request.metadata_mut();
                if name.ends_with("-bin") {
                    metadata.insert_bin(name, MetadataValue::from_bytes(sample.text.as_bytes()));
                } else {
                    // What is no ASCII cannot be a header at all.
                    let value = sample.text.parse::<MetadataValue<_>>().ok()?;
                    metadata.insert(name, value);
                }
                Some(send_request(channel, ASK, request).await)
            });
            for (sample, answer) in samples.iter().zip(join_all(sent).await) {
                let Some(answer) = answer else { continue };
                assert!(answer.is_ok(), "the question itself is good");
                run.note(&format!("metadata: {name}"), sample, &answer);
            }
        }
    }
}

/// The answers of a source.
async fn in_answers(lab: &mut Lab, channel: &Channel, run: &mut Run) {
    let queue = Arc::new(Mutex::new(VecDeque::new()));
    stand_in(lab, "kade", Spoiling(Arc::clone(&queue))).await;
    for place in PLACES {
        let samples = samples();
        queue.lock().unwrap().extend(samples.iter().map(|sample| spoiled(place, sample)));
        let asked = about(&bsn(0), &[COACH]);
        let sent = samples.iter().map(|_| {
            let mut asked = asked.clone();
            asked.request_id = uuid::Uuid::new_v4().to_string();
            send_request(channel, ASK, Request::new(asked.encode_to_vec()))
        });
        let answers = join_all(sent).await;
        assert!(queue.lock().unwrap().is_empty(), "{place}: each of them was asked for");
        for (sample, answer) in samples.iter().zip(answers) {
            let fields = disclosed(answer.as_ref().unwrap()).remove(KADE).unwrap_or_default();
            let expected = if place.starts_with("unknown field") {
                BTreeSet::from([COACH.to_owned()])
            } else {
                BTreeSet::new()
            };
            assert_eq!(fields, expected, "{place}: {} as {}", sample.class, sample.disguise);
            run.note(&format!("source: {place}"), sample, &answer);
        }
    }
}

/// The run, in a process of its own. Not a test by itself.
#[tokio::test(flavor = "multi_thread")]
async fn canary_child() {
    let Ok(out) = std::env::var(CHILD) else { return };
    let out = Path::new(&out);
    let captured = Captured::begin();
    // Two hundred questions at once, and everything is traced: the source gets the time that this takes on a busy machine.
    let mut lab =
        Lab::start_with(|options| (options.source_wait_ms, options.answer_after_ms) = (8_000, 8_200)).await;
    lab.record_main().await;
    BY_KADE.give(&lab, &bsn(0)).await;
    let channel = lab.client("waterrijk").await.channel();
    let mut run = Run::default();
    in_requests(&lab, &mut run).await;
    in_metadata(&channel, &mut run).await;
    in_answers(&mut lab, &channel, &mut run).await;
    // Everything that an officer can read.
    let mut audit = lab.client("fg").await.audit();
    let mut page_token = String::new();
    loop {
        let search = proto::SearchEntriesRequest { page_size: 200, page_token, ..Default::default() };
        let found = audit.search_entries(search).await.unwrap().into_inner();
        run.seen.extend(found.encode_to_vec());
        page_token = found.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    keep(lab, out).await;
    fs::write(out.join("seen"), run.seen).unwrap();
    fs::write(out.join("trace"), captured.bytes()).unwrap();
    fs::write(out.join("tried.json"), json!(run.tried).to_string()).unwrap();
}

/// A place a row, a class a column: how many disguises were tried.
fn print(tried: &BTreeMap<String, BTreeMap<String, usize>>) {
    let classes = CONTENTS.map(|(class, _)| class);
    println!("{:62} {}", "place", classes.map(|class| format!("{class:>4}")).join(""));
    for (place, row) in tried {
        let cells = classes.map(|class| format!("{:4}", row.get(class).copied().unwrap_or_default()));
        println!("{place:62} {}", cells.join(""));
    }
    let total: usize = tried.values().flat_map(BTreeMap::values).sum();
    println!(
        "{total} tried: {} places, {} classes, {} disguises",
        tried.len(),
        classes.len(),
        DISGUISES.len()
    );
}

#[test]
fn p03_nothing_medical_passes_comes_back_or_is_written() {
    let files = run_apart("canary::canary_child", CHILD);
    let file = |name: &str| &files.iter().find(|(path, _)| path.ends_with(name)).unwrap().1;
    let tried: BTreeMap<String, BTreeMap<String, usize>> =
        serde_json::from_slice(file("tried.json")).unwrap();
    print(&tried);
    assert!(tried.len() > 30, "{} places", tried.len());
    // Whatever is no header cannot be in one; everywhere else each class was tried in each disguise.
    for (place, row) in &tried {
        assert_eq!(row.len(), CONTENTS.len(), "{place}");
        let full = row.values().all(|count| *count == DISGUISES.len());
        assert!(full || place.starts_with("metadata"), "{place}: {row:?}");
    }
    for name in ["running/sluis.db", "stopped/sluis.db", "seen", "trace"] {
        assert!(file(name).len() > 10_000, "there is something to search in {name}");
    }
    let needles = needles();
    let search = AhoCorasick::new(&needles).unwrap();
    for (path, content) in &files {
        if let Some(found) = search.find(content) {
            let around = String::from_utf8_lossy(&content[found.start().saturating_sub(200)..found.end()]);
            panic!("`{}` stands in {path}: {around}", needles[found.pattern().as_usize()]);
        }
    }
}

/// The search finds what it looks for: each sample, planted.
#[test]
fn the_search_finds_a_planted_sample() {
    let search = AhoCorasick::new(needles()).unwrap();
    for sample in samples() {
        assert!(search.is_match(&format!("before {} after", sample.text)), "{sample:?}");
    }
}
