//! What another instance does while a gateway starts.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::*;
use crate::{
    domain::time::ManualClock,
    storage::{Commit, Database, DatabaseAddress, Look, Seen, forwarding::forward_store, lab::Scratch},
};

const NAME: &str = "test.sluis.example/overtaken";
const CONFIG: &str = r#"
    origin = "test.sluis.example/overtaken"
    listen = "127.0.0.1:0"
    data_dir = "."
    participants = "none"
    agreements = "none"
    policies = "none"
    [tls]
    roots = []
    crls = []
    certificate = "none"
    key = "none"
"#;

/// The first of January of a year, and a second.
fn new_year(year: usize) -> Timestamp {
    Timestamp::parse(&format!("{year}-01-01T00:00:01.000Z")).unwrap()
}

fn settings(folder: &Path) -> Settings {
    let path = folder.join("sluis.toml");
    std::fs::write(&path, CONFIG).unwrap();
    Settings::load(&path).unwrap()
}

/// Another instance, with keys and a store of its own.
#[derive(Clone, Debug)]
struct Other {
    store: Arc<dyn Store>,
    settings: Settings,
    clock: Arc<dyn Clock>,
}

impl Other {
    async fn settle(&self) -> ShardPlace {
        settle(&self.store, &self.settings, &self.clock).await.unwrap().place
    }
}

/// The store of a gateway that another instance overtakes, between two things that it does here.
#[derive(Debug)]
struct Overtaken {
    inner: Arc<dyn Store>,
    other: Other,
    /// After how many of them.
    after: usize,
    done: AtomicUsize,
    /// Where that other one is then.
    there: Mutex<Option<ShardPlace>>,
}

impl Overtaken {
    async fn step(&self) {
        if self.done.fetch_add(1, Ordering::SeqCst) == self.after {
            let place = self.other.settle().await;
            *self.there.lock().unwrap() = Some(place);
        }
    }
}

forward_store! { crate, Overtaken, before step;
    async fn begin(&self, look: &Look) -> Result<(Seen, Box<dyn Commit + '_>), StoreFault> {
        self.step().await;
        self.inner.begin(look).await
    }
}

/// A log of this year, with an agreement in force.
async fn begun(other: &Other) {
    let Settled { keys, origin, place, .. } =
        settle(&other.store, &other.settings, &other.clock).await.unwrap();
    let signer = NoteSigner::new(&origin, keys.log_key(place.number).unwrap()).unwrap();
    let facts = genesis(&other.settings, "none", signer.verifier());
    let parts = Parts { store: Arc::clone(&other.store), keys, signer, clock: Arc::clone(&other.clock) };
    let (log, task) = Writer::start(parts, origin.clone()).await.unwrap();
    log.commit(Work::First(NewEntry::of_gateway(Kind::Genesis, facts.into()))).await.unwrap();
    KeyRing::open(&key_folder(&other.settings)).unwrap().log.bear(0, &origin).unwrap();
    let agreement = json!({ "id": "one", "state": "in_force" });
    log.commit(Work::Append(NewEntry::of_gateway(Kind::Agreement, agreement))).await.unwrap();
    drop(log);
    task.await.unwrap();
}

/// Copies private keys from one instance to another, as an operator does.
fn copied(from: &Settings, to: &Settings) {
    let (from, to) = (key_folder(from), key_folder(to));
    std::fs::create_dir_all(&to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.path().extension().is_some_and(|end| end == "key") {
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

/// At the turn of each year another instance seals the old shard and begins the new one at another moment of the start of
/// this one, which then goes on in the new one.
#[tokio::test]
async fn whoever_is_overtaken_while_it_starts_goes_on_in_the_new_shard() {
    let scratch = Scratch::new().await;
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [first, second] = folders.each_ref().map(|folder| settings(folder.path()));
    let address = DatabaseAddress::Postgres(scratch.url());
    let clock = Arc::new(ManualClock::new(new_year(2026)));
    let store = async || Database::open(&address).await.unwrap().shared();
    let other = Other { store: store().await, settings: first.clone(), clock: Arc::clone(&clock) as _ };
    begun(&other).await;
    let inner = store().await;
    let mut moments = 0;
    for after in 0.. {
        clock.set(new_year(2027 + after));
        let number = after as u64 + 1;
        KeyRing::open(&key_folder(&first)).unwrap().log.make(number, NAME).unwrap();
        copied(&first, &second);
        let overtaken = Arc::new(Overtaken {
            inner: Arc::clone(&inner),
            other: other.clone(),
            after,
            done: AtomicUsize::new(0),
            there: Mutex::default(),
        });
        let store: Arc<dyn Store> = Arc::clone(&overtaken) as _;
        let settled = settle(&store, &second, &other.clock).await;
        let settled = settled.unwrap_or_else(|fault| panic!("after {after}: {fault}"));
        assert_eq!(settled.place.number, number, "after {after}");
        let head = inner.head().await.unwrap().unwrap();
        assert_eq!((head.place, &head.origin), (settled.place, &settled.origin), "after {after}");
        let there = overtaken.there.lock().unwrap().take();
        if there.is_none() {
            break;
        }
        assert_eq!(there, Some(settled.place), "after {after}");
        moments = after;
    }
    assert!(moments > 20, "it does more than {moments} things");
}
