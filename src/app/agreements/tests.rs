use std::{io, path::Path, sync::Mutex};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::*;
use crate::{
    audit::writer::Parts,
    demo::data,
    domain::time::{SystemClock, parse_day},
    identity::{GatewayKind, ReadAs, register::sign::sign_missing},
    note::NoteSigner,
    storage::sqlite::SqliteStore,
    subject::KeyRing,
};

const ORIGIN: &str = "test.sluis.example/waterregio/2026";

fn day(text: &str) -> Day {
    parse_day(text).unwrap()
}

fn key(_: &str) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(&[3; 32]).ok()
}

/// An agreement of the demo's first two parties, of this name and these days.
fn agreement(id: &str, starts: &str, review: &str, ends: &str, more: &str) -> String {
    format!(
        "[[agreement]]\nid = \"{id}\"\nregion = \"test.sluis.example/waterregio\"\n\
         source = \"00000099000002001000\"\nrequester = \"00000099000001001000\"\n\
         purposes = [\"REINTEGRATION\"]\nfields = [\"WT-03\"]\nstarts = \"{starts}\"\nends = \"{ends}\"\n\
         review = \"{review}\"\ndocument_sha256 = \"{}\"\n{more}\n",
        "ab".repeat(32)
    )
}

/// The demo's participants with these agreements, signed by one key for all.
fn register(agreements: &[String]) -> Register {
    let public = URL_SAFE_NO_PAD.encode(key("").unwrap().public_key().as_ref());
    let participants = data::PARTICIPANTS.lines().map(|line| match line.split_once(" = \"@") {
        Some(("public", _)) => format!("public = \"{public}\"\n"),
        Some(("url", _)) => "url = \"https://localhost:7444\"\n".to_owned(),
        _ if line.starts_with("officer_key") => String::new(),
        _ => format!("{line}\n"),
    });
    let participants: String = participants.collect();
    let agreements =
        sign_missing(&participants, &agreements.concat(), ReadAs::Party(GatewayKind::Test), key).unwrap();
    let read_as = ReadAs::Gateway("test.sluis.example/waterregio");
    Register::parse(&participants, &agreements, read_as).unwrap()
}

async fn log(folder: &Path) -> (Writer, Arc<dyn Store>) {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder).await.unwrap());
    let keys = Arc::new(KeyRing::open(&folder.join("keys")).unwrap());
    let signer = NoteSigner::new(ORIGIN, keys.log_key(0).unwrap()).unwrap();
    let parts = Parts { store: Arc::clone(&store), keys, signer, clock: Arc::new(SystemClock) };
    (Writer::start(parts, ORIGIN.to_owned()).await.unwrap().0, store)
}

/// An instance of a gateway, as far as agreements go.
fn instance((log, store): &(Writer, Arc<dyn Store>)) -> Agreements {
    Agreements::new(log.clone(), Arc::clone(store), ORIGIN.to_owned())
}

/// Everything entered, in its order: id, previous state, state.
async fn entered((_, store): &(Writer, Arc<dyn Store>)) -> Vec<(String, String, String)> {
    let entries = store.entries(0, 10_000).await.unwrap();
    let entries = entries.iter().map(|entry| {
        let facts = parse_facts(entry.facts_json()).unwrap();
        let text = |name: &str| facts[name].as_str().unwrap_or("none").to_owned();
        (text("id"), text("previous"), text("state"))
    });
    entries.collect()
}

fn told(expected: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    let own = |text: &&str| (*text).to_owned();
    expected.iter().map(|(id, from, to)| (own(id), own(from), own(to))).collect()
}

#[tokio::test]
async fn r19_each_change_of_a_state_is_entered_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path()).await;
    let old = || agreement("old", "2026-01-01", "2026-06-30", "2026-12-31", "");
    let register =
        register(&[old(), agreement("new", "2026-09-01", "2027-06-30", "2027-12-31", "renews = \"old\"")]);
    let mut first = instance(&log);
    first.announce(&register, day("2025-12-31")).await.unwrap();
    let mut expected = vec![("old", "none", "not_yet"), ("new", "none", "not_yet")];
    assert_eq!(entered(&log).await, told(&expected));
    for (today, changes) in [
        ("2026-01-01", &[("old", "not_yet", "active")][..]),
        ("2026-04-30", &[]),
        // The renewal comes too late to silence this.
        ("2026-05-01", &[("old", "active", "review_due")]),
        ("2026-06-30", &[]),
        ("2026-07-01", &[("old", "review_due", "lapsed")]),
        ("2026-09-01", &[("old", "lapsed", "renewed"), ("new", "not_yet", "active")]),
        ("2027-06-30", &[("new", "active", "review_due")]),
        // Days on which nobody looked are not made up.
        ("2028-01-01", &[("new", "review_due", "ended")]),
    ] {
        expected.extend(changes);
        for _ in 0..2 {
            first.follow(&register, day(today)).await.unwrap();
            assert_eq!(entered(&log).await, told(&expected), "{today}");
        }
        // A restart finds it said already.
        instance(&log).announce(&register, day(today)).await.unwrap();
        assert_eq!(entered(&log).await, told(&expected), "{today}, after a restart");
    }
}

#[tokio::test]
async fn r17_what_is_changed_removed_or_back_is_entered() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path()).await;
    let one = || agreement("one", "2026-01-01", "2027-06-30", "2027-12-31", "");
    let two = |id: &str| agreement(id, "2026-01-01", "2027-06-30", "2027-12-31", "");
    let today = day("2026-02-01");
    let mut gateway = instance(&log);
    let both = register(&[one(), two("two")]);
    gateway.announce(&both, today).await.unwrap();
    gateway.announce(&register(&[one()]), today).await.unwrap();
    gateway.announce(&register(&[one()]), today).await.unwrap();
    gateway.announce(&both, today).await.unwrap();
    // Other terms under the same name, signed anew.
    let wider = one().replace("\"WT-03\"", "\"WT-03\", \"WT-02\"");
    gateway.announce(&register(&[wider, two("two")]), today).await.unwrap();
    let expected = [
        ("one", "none", "active"),
        ("two", "none", "active"),
        ("two", "active", "removed"),
        ("two", "removed", "active"),
        ("one", "active", "active"),
    ];
    assert_eq!(entered(&log).await, told(&expected));

    let entries = log.1.entries(0, 100).await.unwrap();
    let facts: Vec<_> = entries.iter().map(|entry| parse_facts(entry.facts_json()).unwrap()).collect();
    assert_eq!((&facts[0]["fields"], &facts[4]["fields"]), (&json!(["WT-03"]), &json!(["WT-02", "WT-03"])));
    assert_ne!(facts[0]["agreement_sha256"], facts[4]["agreement_sha256"]);
    let terms = &both.all_agreements()[0].terms;
    assert_eq!(facts[0]["agreement_sha256"], json!(terms.hash().unwrap()));
    // Whoever has the log and the public key can check the signatures.
    let signature = facts[0]["signatures"]["requester"]["signature"].as_str().unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let key = key("").unwrap();
    let public = ring::signature::UnparsedPublicKey::new(&ring::signature::ED25519, key.public_key());
    public.verify(&terms.to_sign().unwrap(), &signature).unwrap();
    for name in ["id", "region", "source", "requester", "purposes", "starts", "ends", "review", "renews"] {
        assert!(facts[2].contains_key(name), "a removed agreement is still told in full: {name}");
    }
}

/// What an operator reads.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn r19_the_operator_is_warned_once_and_told_of_a_lapse() {
    let told = Told::default();
    let writer = told.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    // With one subscriber in the process, tracing decides whether an event is of interest by asking the thread that meets it
    // first, and that may be one of another test, which has none. With two it asks them all.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _guard = tracing::subscriber::set_default(subscriber);
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path()).await;
    let register = register(&[
        agreement("AGR-0001", "2026-01-01", "2026-06-30", "2026-12-31", ""),
        agreement("AGR-0002", "2026-01-01", "2026-06-30", "2026-12-31", ""),
        agreement("AGR-0003", "2026-07-01", "2027-06-30", "2027-12-31", "renews = \"AGR-0002\""),
    ]);
    let mut gateway = instance(&log);
    gateway.announce(&register, day("2026-04-30")).await.unwrap();
    let mut said = async |today: &str| {
        told.0.lock().unwrap().clear();
        gateway.follow(&register, day(today)).await.unwrap();
        String::from_utf8(told.0.lock().unwrap().clone()).unwrap()
    };
    let warned = said("2026-05-01").await;
    assert_eq!(warned.lines().count(), 1, "of AGR-0002 nobody is warned, it is renewed in time: {warned}");
    assert!(
        warned.contains("WARN") && warned.contains("AGR-0001") && warned.contains("2026-06-30"),
        "{warned}"
    );
    assert_eq!(said("2026-05-02").await, "");
    let lapsed = said("2026-07-01").await;
    assert_eq!(lapsed.lines().count(), 1, "{lapsed}");
    assert!(
        lapsed.contains("ERROR") && lapsed.contains("AGR-0001") && lapsed.contains("has lapsed"),
        "{lapsed}"
    );
}

/// Instances that see the same change at the same moment enter it once; one of them finds the other's entry.
#[tokio::test(flavor = "multi_thread")]
async fn r19_instances_enter_a_change_once_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path()).await;
    let agreements: Vec<_> = (0..20)
        .map(|n| agreement(&format!("AGR-{n:04}"), "2026-01-01", "2026-06-30", "2026-12-31", ""))
        .collect();
    let register = Arc::new(register(&agreements));
    let days = ["2025-12-31", "2026-01-01", "2026-05-01", "2026-07-01", "2027-01-01"];
    let states = ["not_yet", "active", "review_due", "lapsed", "ended"];
    let mut instances: Vec<_> = (0..6).map(|_| instance(&log)).collect();
    for (n, today) in days.iter().enumerate() {
        let at_once = instances.into_iter().map(|mut one| {
            let (register, today) = (Arc::clone(&register), day(today));
            tokio::spawn(async move {
                if n == 0 {
                    one.announce(&register, today).await.unwrap();
                } else {
                    one.follow(&register, today).await.unwrap();
                }
                one
            })
        });
        instances = Vec::new();
        for one in at_once.collect::<Vec<_>>() {
            instances.push(one.await.unwrap());
        }
        let entered = entered(&log).await;
        assert_eq!(entered.len(), 20 * (n + 1), "{today}");
        assert!(entered.iter().rev().take(20).all(|(_, _, state)| state == states[n]), "{today}");
    }
}

/// While files are being changed one instance after another, none undoes what another has entered.
#[tokio::test]
async fn r17_instances_with_different_files_do_not_undo_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let log = log(folder.path()).await;
    let one = || agreement("one", "2026-01-01", "2027-06-30", "2027-12-31", "");
    let before = register(&[one(), agreement("two", "2026-01-01", "2027-06-30", "2027-12-31", "")]);
    let after = register(&[one()]);
    let (mut a, mut b) = (instance(&log), instance(&log));
    a.announce(&before, day("2026-02-01")).await.unwrap();
    b.announce(&before, day("2026-02-01")).await.unwrap();
    a.announce(&after, day("2026-02-01")).await.unwrap();
    for today in ["2026-02-01", "2026-02-02", "2026-02-03"] {
        b.follow(&before, day(today)).await.unwrap();
        a.follow(&after, day(today)).await.unwrap();
    }
    b.announce(&after, day("2026-02-03")).await.unwrap();
    let expected = [("one", "none", "active"), ("two", "none", "active"), ("two", "active", "removed")];
    assert_eq!(entered(&log).await, told(&expected));
}
