//! Every request that was read has exactly one request entry and exactly one outcome, whatever became of it, also when
//! the gateway is killed. Calls that were turned away unread are counted per organisation and minute.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use http::uri::PathAndQuery;
use serde_json::json;
use sluis::{
    app::Gateway,
    audit::{
        entry::NewEntry,
        leaf::Kind,
        proof::TlogProof,
        writer::{CommitFault, Work},
    },
    catalogue::{Field, Mask},
    client::{Client, Profile},
    config::Settings,
    demo::{World, WorldOptions},
    domain::{Clock as _, PairId, Timestamp, time::ManualClock, time::SystemClock},
    proto,
    storage::Store,
};
use tokio::{net::TcpListener, time::sleep};
use tonic::{Code, Request};
use tonic_prost::ProstCodec;
use uuid::Uuid;

use crate::{
    database,
    lab::{Lab, reason},
    promises::{BY_KADE, COACH, Given, KADE, Logged, Random, SLUISDAM, UWV, about, bsn, form, item, log},
};

/// Checks that every pair of a request is whole, and gives the effects of the outcomes, counted.
fn whole(log: &[Logged]) -> BTreeMap<String, usize> {
    let mut pairs: BTreeMap<&str, Vec<&Logged>> = BTreeMap::new();
    for entry in log.iter().filter(|entry| ["request", "outcome"].contains(&entry.kind.as_str())) {
        pairs.entry(&entry.pair).or_default().push(entry);
    }
    let mut effects = BTreeMap::new();
    for entries in pairs.values() {
        let kinds: Vec<_> = entries.iter().map(|entry| entry.kind.as_str()).collect();
        assert_eq!(kinds, ["request", "outcome"], "{entries:?}");
        *effects.entry(entries[1].facts["effect"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    effects
}

async fn settled(store: &Arc<dyn Store>) {
    for _ in 0..500 {
        if store.open_requests(Timestamp::from_millis(i64::MAX)).await.unwrap().is_empty() {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("requests without an outcome")
}

#[tokio::test(flavor = "multi_thread")]
async fn p06_every_request_has_one_outcome_whatever_became_of_it() {
    const EACH: usize = 10;
    let coach = Mask::EMPTY.with(Field::from_code("VW-04").unwrap());
    let items = [item(&bsn(0), coach, json!({})), item(&bsn(1), coach, json!({ "behaviour": "slow" }))];
    let lab = Lab::start_with(|options| {
        options.statements.insert(KADE.to_owned(), json!(items).to_string());
        options.allow_misbehaviour = true;
    })
    .await;
    for n in 0..2 {
        BY_KADE.give(&lab, &bsn(n)).await;
    }
    let used = about(&bsn(0), &[COACH]);
    lab.ask("waterrijk", used.clone()).await.unwrap();

    let good = about(&bsn(0), &[COACH]);
    let kinds: Vec<(&str, proto::RequestWorkCapacityRequest, Option<&str>)> = vec![
        ("released", good.clone(), None),
        ("slow", about(&bsn(1), &[COACH]), None),
        ("unknown client", about(&bsn(2), &[COACH]), None),
        (
            "malformed",
            proto::RequestWorkCapacityRequest { bsn: "12".into(), ..good.clone() },
            Some("BSN_MALFORMED"),
        ),
        (
            "denied",
            proto::RequestWorkCapacityRequest { role: "uwv.adviseur".into(), ..good.clone() },
            Some("ROLE_NOT_HELD"),
        ),
        ("nothing at all", proto::RequestWorkCapacityRequest::default(), Some("REQUEST_ID_MALFORMED")),
        ("validated", proto::RequestWorkCapacityRequest { validate_only: true, ..good.clone() }, None),
        ("used id", used.clone(), Some("REQUEST_ID_USED")),
    ];
    let client = lab.client("waterrijk").await;
    let calls = (0..EACH).flat_map(|_| &kinds).map(|(name, request, refusal)| {
        let mut exchange = client.exchange();
        async move {
            let mut request = request.clone();
            if !["used id", "nothing at all"].contains(name) {
                request.request_id = Uuid::new_v4().to_string();
            }
            let answer = exchange.request_work_capacity(request).await;
            let found = answer.err().map(|status| reason(&status).1);
            assert_eq!(found.as_deref(), *refusal, "{name}");
        }
    });
    // Callers that hang up while their request waits for its time.
    let cancelled = (0..EACH).map(|_| async {
        let mut exchange = lab.client("waterrijk").await.exchange();
        let asking = exchange.request_work_capacity(about(&bsn(2), &[COACH]));
        assert!(tokio::time::timeout(Duration::from_millis(300), asking).await.is_err());
    });
    tokio::join!(join_all(calls), join_all(cancelled));
    settled(&lab.world.gateway.store).await;
    let effects = whole(&log(&lab.world.gateway.store).await);
    let expected =
        [("not_provided", 3 * EACH), ("refused", 4 * EACH), ("released", EACH + 1), ("validated", EACH)];
    assert_eq!(effects, expected.map(|(effect, count)| (effect.to_owned(), count)).into());
}

#[tokio::test(flavor = "multi_thread")]
async fn p06_calls_turned_away_unread_are_counted_per_organisation_and_minute() {
    let minute = SystemClock.now().millis().div_euclid(60_000);
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(minute * 60_000 + 30_000)));
    let shared = Arc::clone(&clock);
    let lab = Lab::start_with(|options| options.clock = shared).await;
    let turn_away = async |short: &str, calls: usize| {
        let client = lab.client(short).await;
        for _ in 0..calls {
            // Not a message of this service: it never reaches a handler.
            let mut grpc = tonic::client::Grpc::new(client.channel());
            grpc.ready().await.unwrap();
            let path = PathAndQuery::from_static("/sluis.v1.ExchangeService/RequestWorkCapacity");
            let wrong = proto::SignedGrant { jws: String::new(), binding_salt: vec![0xff; 9] };
            let codec = ProstCodec::<proto::SignedGrant, proto::RequestWorkCapacityResponse>::default();
            let status = grpc.unary(Request::new(wrong), path, codec).await.unwrap_err();
            assert_ne!(status.code(), Code::Ok);
        }
        // A function that the organisation does not hold.
        let list = proto::SearchEntriesRequest::default();
        if short == "sluisdam" {
            let refused = client.audit().search_entries(list).await.unwrap_err();
            assert_eq!(reason(&refused).1, "FUNCTION_NOT_HELD");
        }
    };
    turn_away("sluisdam", 3).await;
    turn_away("oeverstad", 2).await;
    clock.set(Timestamp::from_millis((minute + 1) * 60_000));
    turn_away("sluisdam", 1).await;
    lab.world.gateway.flush_counts().await.unwrap();
    lab.world.gateway.flush_counts().await.unwrap();
    let log = log(&lab.world.gateway.store).await;
    let counts = log.iter().filter(|entry| entry.kind == "turned_away").map(|entry| {
        let at = Timestamp::parse(entry.facts["minute"].as_str().unwrap()).unwrap();
        let organisation = entry.facts["organisation"].as_str().unwrap().to_owned();
        (at.millis() / 60_000 - minute, organisation, entry.facts["count"].as_u64().unwrap())
    });
    let mut counts: Vec<_> = counts.collect();
    counts.sort();
    let row = |minute, organisation: &str, count| (minute, organisation.to_owned(), count);
    let (sluisdam, oeverstad) = (SLUISDAM, "00000099000001003000");
    assert_eq!(counts, [row(0, sluisdam, 4), row(0, oeverstad, 2), row(1, sluisdam, 2)]);
    assert!(log.iter().all(|entry| entry.kind != "request"), "nothing was read");
}

/// A request that finds the log full is in no entry, so it is counted once there is room.
#[tokio::test(flavor = "multi_thread")]
async fn p06_requests_that_the_log_could_not_take_are_counted() {
    let lab = Lab::start().await;
    crate::p04::fill(&lab).await;
    for _ in 0..3 {
        let refused = lab.ask("waterrijk", about(&bsn(0), &[COACH])).await.unwrap_err();
        assert_eq!(reason(&refused).1, "LOG_UNAVAILABLE");
    }
    lab.room().await;
    lab.ask("waterrijk", about(&bsn(0), &[COACH])).await.unwrap();
    lab.world.gateway.flush_counts().await.unwrap();
    let log = log(&lab.world.gateway.store).await;
    let counts = log.iter().filter(|entry| entry.kind == "turned_away");
    assert_eq!(counts.map(|entry| entry.facts["count"].as_u64().unwrap()).sum::<u64>(), 3);
    assert_eq!(whole(&log).values().sum::<usize>(), 1);
}

/// Closed once, as after `interrupted`: a late outcome loses, and the log goes on.
#[tokio::test(flavor = "multi_thread")]
async fn p06_a_second_outcome_loses() {
    let lab = Lab::start().await;
    let log = &lab.world.gateway.log;
    let entry = |kind, pair| NewEntry { pair, ..NewEntry::of_gateway(kind, json!({ "effect": "refused" })) };
    let pair = PairId::random();
    let outcome = |pair| Work::Outcome { entry: entry(Kind::Outcome, pair), needs: Vec::new() };
    log.commit(Work::Request { entry: entry(Kind::Request, pair), claim: None }).await.unwrap();
    log.commit(outcome(pair)).await.unwrap();
    for closed in [pair, PairId::random()] {
        assert_eq!(log.commit(outcome(closed)).await.unwrap_err(), CommitFault::AlreadyClosed);
    }
    assert!(log.is_writing());
    whole(&crate::promises::log(&lab.world.gateway.store).await);
}

const CHILD: &str = "SLUIS_P06_CHILD";

/// The gateway that is killed: a new region, or the old one's gateway alone. Not a test by itself.
#[tokio::test(flavor = "multi_thread")]
async fn p06_child() {
    let Ok(dir) = std::env::var(CHILD) else { return };
    let region = Path::new(&dir).join("region");
    let port = if region.exists() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = Settings::load(&region.join("sluis.toml")).unwrap();
        let gateway = Gateway::start_on(listener, settings, Arc::new(SystemClock)).await.unwrap();
        let port = gateway.address.port();
        std::mem::forget(gateway);
        port
    } else {
        let mut options = WorldOptions::new(&region);
        (options.source_wait_ms, options.answer_after_ms) = (300, 400);
        options.database = database::chosen().await;
        let world = World::start(options).await.unwrap();
        let port = world.gateway.address.port();
        std::mem::forget(world);
        port
    };
    let ready = Path::new(&dir).join("ready");
    std::fs::write(ready.with_extension("new"), port.to_string()).unwrap();
    std::fs::rename(ready.with_extension("new"), ready).unwrap();
    // Nobody needs it for longer, should its parent be gone.
    sleep(Duration::from_secs(60)).await;
    std::process::exit(1);
}

struct Killed(Child);

impl Drop for Killed {
    /// SIGKILL: no destructor runs, nothing is flushed.
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

async fn start_child(dir: &Path) -> (Killed, Client, Client) {
    let ready = dir.join("ready");
    std::fs::remove_file(&ready).ok();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["p06::p06_child", "--exact"])
        .env(CHILD, dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let child = Killed(child);
    let begun = Instant::now();
    while !ready.exists() {
        assert!(begun.elapsed() < Duration::from_secs(30), "the gateway does not come up");
        sleep(Duration::from_millis(20)).await;
    }
    let port = std::fs::read_to_string(&ready).unwrap();
    let connect = async |short: &str| {
        let path = dir.join(format!("region/profiles/{short}.toml"));
        let text = std::fs::read_to_string(&path).unwrap();
        let old = text.lines().find(|line| line.starts_with("gateway = ")).unwrap().to_owned();
        std::fs::write(&path, text.replace(&old, &format!("gateway = \"https://localhost:{port}\"")))
            .unwrap();
        Profile::load(&path).unwrap().connect().await.unwrap()
    };
    let (waterrijk, kade) = (connect("waterrijk").await, connect("kade").await);
    (child, waterrijk, kade)
}

/// Asks until the gateway is gone; gives position and leaf of every entry that an answer has told of.
async fn load(client: &Client, n: usize, answers: &AtomicUsize) -> Vec<(u64, Vec<u8>)> {
    let mut told = Vec::new();
    loop {
        let who = if n.is_multiple_of(2) { crate::lab::BSN.to_owned() } else { bsn(n) };
        let asking =
            client.exchange().request_work_capacity(about(&who, &["working_hours.hours_per_week"])).await;
        let answer = match asking {
            Ok(answer) => answer,
            // The gateway itself refuses, on a busy machine: go on. Without its reason the connection is dead.
            Err(status) if !reason(&status).1.is_empty() => continue,
            Err(_) => return told,
        };
        answers.fetch_add(1, Ordering::SeqCst);
        for entry in answer.into_inner().receipt.unwrap().entries {
            told.push((entry.proof.parse::<TlogProof>().unwrap().index, entry.leaf));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p06_a_killed_gateway_keeps_what_it_told_and_closes_what_was_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(u64::from(std::process::id()));
    let mut told = Vec::new();
    for kill in 0..3 {
        let (child, waterrijk, kade) = start_child(folder.path()).await;
        if kill == 0 {
            let grant = Given { source: UWV, fields: &["WT-03"], ..BY_KADE };
            let draft = form(crate::lab::BSN, &[grant]);
            let profile = Profile::load(&folder.path().join("region/profiles/kade.toml")).unwrap();
            let (kid, key) = profile.signing_key().unwrap();
            let draft = sluis::consent::draft::FormDraft::parse(&draft).unwrap();
            let request = draft.sign(&kid, &key, SystemClock.now().day()).unwrap();
            kade.consent().record_consent(request).await.unwrap();
        }
        let answers = AtomicUsize::new(0);
        let moment = Duration::from_millis(random.below(600));
        let killing = async {
            // Not before there is something to lose, however busy the machine is.
            while answers.load(Ordering::SeqCst) < 12 {
                sleep(Duration::from_millis(10)).await;
            }
            sleep(moment).await;
            drop(child);
        };
        let (loads, ()) = tokio::join!(join_all((0..12).map(|n| load(&waterrijk, n, &answers))), killing);
        told.extend(loads.into_iter().flatten());

        let settings = Settings::load(&folder.path().join("region/sluis.toml")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let gateway = Gateway::start_on(listener, settings, Arc::new(SystemClock)).await.unwrap();
        let leaves = gateway.store.entries(0, u32::MAX).await.unwrap();
        for (position, leaf) in &told {
            let stored = leaves.get(usize::try_from(*position).unwrap()).map(|entry| &entry.leaf);
            assert_eq!(stored, Some(leaf), "entry {position} was told of");
        }
        let effects = whole(&log(&gateway.store).await);
        println!("after kill {kill}: {} told, {effects:?}", told.len());
        assert!(effects["interrupted"] > kill, "each kill leaves requests open");
        assert!(effects["released"] > 0);
        gateway.stop().await;
    }
    assert!(told.len() > 20);
}
