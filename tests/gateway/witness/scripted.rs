//! Witnesses that answer otherwise than they should: what is not shown is not kept, and what is not proven stops nobody.

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::json;
use sluis::{
    app::{Gateway, StartFault, WitnessFault, cosigned},
    audit::{checkpoint::Checkpoint, entry::NewEntry, leaf::Kind, tree::verify_consistency, writer::Work},
    note::{NoteSigner, cosignature::Cosigner},
    storage::Database,
    witness::request::AddCheckpoint,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::block_in_place,
    time::timeout,
};

use super::{LONG, Region, append, size, sluis, start, text, until};
use crate::{
    database::{self, on_postgres},
    lab::read_log,
};

/// As many pages as a database can have.
const NO_LIMIT: u32 = 1_073_741_823;

/// What a witness answers: to a look at its newest checkpoint, or to a checkpoint that is sent.
type Answer = (u16, String);

/// A witness with a key of its own, and a script.
struct Scripted {
    address: String,
    /// Calls so far.
    calls: watch::Receiver<usize>,
}

fn cosigner(name: &str) -> Arc<Cosigner> {
    let name = format!("witness.example/{name}");
    Arc::new(Cosigner::from_pkcs8(&name, &NoteSigner::generate_pkcs8().unwrap()).unwrap())
}

async fn scripted(script: impl Fn(Option<AddCheckpoint>) -> Answer + Send + Sync + 'static) -> Scripted {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (counted, calls) = watch::channel(0);
    let script = Arc::new(script);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.send_modify(|calls| *calls += 1);
            let script = Arc::clone(&script);
            let service = service_fn(move |request: Request<Incoming>| {
                let script = Arc::clone(&script);
                async move {
                    let body = request.into_body().collect().await?.to_bytes();
                    let sent = (!body.is_empty())
                        .then(|| AddCheckpoint::parse(std::str::from_utf8(&body).unwrap()).unwrap());
                    let (status, text) = script(sent);
                    let mut response = Response::new(Full::new(Bytes::from(text)));
                    *response.status_mut() = status.try_into().unwrap();
                    Ok::<_, hyper::Error>(response)
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    Scripted { address, calls }
}

/// A witness that shows nothing, and answers this to what is sent.
async fn answering(answer: impl Fn(&AddCheckpoint) -> Answer + Send + Sync + 'static) -> Scripted {
    scripted(move |sent| sent.map_or_else(|| (404, String::new()), |sent| answer(&sent))).await
}

async fn says(gateway: &Gateway, event: &str, name: &str) -> bool {
    let entries = read_log(gateway.store.as_ref(), 0).await;
    let mut of_witnesses = entries.iter().filter(|entry| entry.kind == "witness");
    of_witnesses.any(|entry| entry.facts["event"] == event && entry.facts["name"] == name)
}

fn kept_size(data: &Path, region: &Region) -> u64 {
    let note = cosigned(data).unwrap().unwrap();
    Checkpoint::open(&note, std::slice::from_ref(&region.key)).unwrap().0.size
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_of_two_cosigns_is_not_what_a_quorum_of_two_has() {
    let region = Region::begun().await;
    let (w1, mut w2) = (region.witness("w1"), region.witness("w2"));
    let both = [(w1.address.as_str(), &w1.key), (w2.address.as_str(), &w2.key)];
    let config = region.witnessed_by("both", "data", &both);
    let data = region.dir.join("data");
    let gateway = start(&config).await.unwrap();
    super::all_cosigned(&gateway, &data, &region.key).await;
    w2.kill();
    append(&gateway).await;
    let more = size(&gateway).await;
    until("the other is missed", || says(&gateway, "missed", w2.key.name())).await;
    assert!(!says(&gateway, "missed", w1.key.name()).await);
    assert!(kept_size(&data, &region) < more, "it would count as cosigned by both");
    gateway.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_shows_nothing_is_no_answer() {
    let region = Region::begun().await;
    let data = region.dir.join("data");
    let (own, stranger) = (cosigner("own"), cosigner("stranger"));
    let origin = region.key.name().to_owned();
    let foreign = NoteSigner::from_pkcs8(&origin, &NoteSigner::generate_pkcs8().unwrap()).unwrap();
    let foreign = Checkpoint { origin, size: 1_000_000, root: [7; 32] }.sign(&foreign).unwrap();
    let cosigns = |by: &Arc<Cosigner>| {
        let by = Arc::clone(by);
        move |sent: &AddCheckpoint| by.cosign(sent.note.unverified_text(), 1_700_000_000).unwrap()
    };
    let other_text = Arc::clone(&own);
    let right = cosigns(&own);
    let other_key = cosigns(&stranger);
    let of_another =
        move |_: &AddCheckpoint| other_text.cosign("test.example/other\n1\n", 1_700_000_000).unwrap();
    let conflict = |size: &'static str| answering(move |_| (409, size.to_owned()));
    for (what, witness) in [
        ("a cosignature of another text", answering(move |sent| (200, of_another(sent))).await),
        ("a cosignature of another key", answering(move |sent| (200, other_key(sent))).await),
        ("no cosignature", answering(|_| (200, String::new())).await),
        (
            "a checkpoint that the log did not sign",
            scripted(move |sent| sent.map_or_else(|| (200, foreign.clone()), |sent| (200, right(&sent))))
                .await,
        ),
        ("a size that is none", conflict("x\n").await),
        ("a size without an end", conflict("3").await),
        ("a size that is written otherwise", conflict("03\n").await),
        ("the size that was sent, and not that of the log", conflict("0\n").await),
        ("a status that means nothing", answering(|_| (418, String::new())).await),
    ] {
        let config = region.witnessed_by("one", "data", &[(&witness.address, own.verifier())]);
        let gateway = start(&config).await.unwrap_or_else(|fault| panic!("{what}: {fault}"));
        let from = usize::try_from(size(&gateway).await).unwrap();
        until(what, || async {
            let entries = read_log(gateway.store.as_ref(), from).await;
            entries.iter().any(|entry| entry.kind == "witness" && entry.facts["event"] == "missed")
        })
        .await;
        assert!(gateway.log.is_writing(), "{what}");
        assert_eq!(cosigned(&data).unwrap(), None, "{what}");
        gateway.stop().await;
    }
}

/// Neither answer is signed. Both stop a gateway: who has a witness's place, or the key of its TLS, can do so too.
#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_contradicts_the_database_stops_the_gateway() {
    let region = Region::begun().await;
    let own = cosigner("own");
    let refused = async |witness: Scripted| {
        let config = region.witnessed_by("one", "data", &[(&witness.address, own.verifier())]);
        start(&config).await.map(drop).unwrap_err()
    };
    let larger = answering(|_| (409, "1000000\n".to_owned())).await;
    match refused(larger).await {
        StartFault::Witness(WitnessFault::SetBack { known: 1_000_000, .. }) => {}
        other => panic!("{other}"),
    }
    let no_proof = answering(|_| (422, String::new())).await;
    match refused(no_proof).await {
        StartFault::Witness(WitnessFault::SplitView { .. }) => {}
        other => panic!("{other}"),
    }
    // The size that both have, and yet it cosigns nothing: it has another root there.
    let same = answering(|sent| (409, format!("{}\n", sent.checkpoint.size))).await;
    match refused(same).await {
        StartFault::Witness(WitnessFault::SplitView { .. }) => {}
        other => panic!("{other}"),
    }
}

/// A miss that could not be entered is entered once there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_is_missed_while_the_log_is_full_stands_in_it_later() {
    if on_postgres() {
        return;
    }
    let region = Region::begun().await;
    let (own, away) = (cosigner("own"), Arc::new(AtomicBool::new(false)));
    let mut witness = {
        let (own, away) = (Arc::clone(&own), Arc::clone(&away));
        answering(move |sent| {
            let line = own.cosign(sent.note.unverified_text(), 1_700_000_000).unwrap();
            if away.load(Ordering::SeqCst) { (500, String::new()) } else { (200, line) }
        })
        .await
    };
    let config = region.witnessed_by("one", "data", &[(&witness.address, own.verifier())]);
    let gateway = start(&config).await.unwrap();
    let Database::Sqlite(store) = &gateway.database else { panic!() };
    store.limit_pages(store.pages().await.unwrap()).await.unwrap();
    let filler = || NewEntry::of_gateway(Kind::Access, json!({ "looked_at": "x" }));
    let mut room = 0..1_000;
    while gateway.log.commit(Work::Append(filler())).await.is_ok() {
        assert!(room.next().is_some(), "it does not get full");
    }
    away.store(true, Ordering::SeqCst);
    // Two calls each time. The sixth time begins after what was due at the third could not be written.
    let then = *witness.calls.borrow() + 12;
    timeout(LONG, witness.calls.wait_for(|calls| *calls >= then)).await.unwrap().unwrap();
    assert!(!says(&gateway, "missed", own.verifier().name()).await);
    store.limit_pages(NO_LIMIT).await.unwrap();
    until("it is missed", || says(&gateway, "missed", own.verifier().name())).await;
    away.store(false, Ordering::SeqCst);
    until("it is back", || says(&gateway, "again", own.verifier().name())).await;
    gateway.stop().await;
    assert!(fs::exists(region.dir.join("data/cosigned")).unwrap());
}

/// A witness that is slow to say what it has, while another instance begins the next shard.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_proven_to_a_witness_is_the_shard_that_it_was_asked_about() {
    let url = database::fresh().await;
    let region = Region::with(|options| {
        options.database = Some(url.parse().unwrap());
        options.instances = 2;
    })
    .await;
    let own = cosigner("own");
    let (known, slow) = (Arc::new(Mutex::new(None::<AddCheckpoint>)), Arc::new(AtomicBool::new(false)));
    let (looked, mut looks) = mpsc::unbounded_channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (proven, mut proofs) = mpsc::unbounded_channel();
    let wait = Mutex::new(wait);
    let witness = {
        let (own, known, slow) = (Arc::clone(&own), Arc::clone(&known), Arc::clone(&slow));
        scripted(move |sent| {
            let before = known.lock().unwrap().clone();
            let Some(sent) = sent else {
                if slow.load(Ordering::SeqCst) {
                    looked.send(()).unwrap();
                    block_in_place(|| wait.lock().unwrap().recv().unwrap());
                }
                let lines = |of: &AddCheckpoint| {
                    let line = of.note.signatures()[0].line();
                    (200, format!("{}\n{line}", of.note.unverified_text()))
                };
                return before.as_ref().map_or_else(|| (404, String::new()), lines);
            };
            let line = own.cosign(sent.note.unverified_text(), 1_700_000_000).unwrap();
            if let Some(old) = before.filter(|_| slow.load(Ordering::SeqCst)) {
                let (old, new) = (&old.checkpoint, &sent.checkpoint);
                let shown = verify_consistency(old.size, new.size, &old.root, &new.root, &sent.proof);
                proven.send((old.size, new.size, shown.is_ok())).unwrap();
            } else {
                *known.lock().unwrap() = Some(sent);
            }
            (200, line)
        })
        .await
    };
    let second = fs::read_to_string(region.dir.join("sluis-2.toml")).unwrap();
    let config = region.write("second", second, &[(&witness.address, own.verifier())]);
    let gateway = start(&config).await.unwrap();
    // What it has now is less than what it is asked about then.
    until("it has something", || async { known.lock().unwrap().is_some() }).await;
    slow.store(true, Ordering::SeqCst);
    append(&gateway).await;
    timeout(LONG, looks.recv()).await.unwrap().unwrap();
    // This look may be of a head from before.
    go.send(()).unwrap();
    timeout(LONG, proofs.recv()).await.unwrap().unwrap();
    timeout(LONG, looks.recv()).await.unwrap().unwrap();
    let first = region.dir.join("sluis.toml");
    let (status, told) = sluis(&["log", "rotate", "--reason", "routine", "--config", text(&first)]);
    assert_eq!(status, Some(0), "{told}");
    let other = start(&first).await.unwrap();
    assert_ne!(other.store.head().await.unwrap().unwrap().origin, region.key.name());
    go.send(()).unwrap();
    let (old, new, shown) = timeout(LONG, proofs.recv()).await.unwrap().unwrap();
    assert!(old < new && shown, "{old} to {new}");
    drop(go);
    gateway.stop().await;
    other.stop().await;
}
