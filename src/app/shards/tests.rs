//! What another instance does while a gateway starts.

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tempfile::TempDir;

use super::*;
use crate::{
    audit::export::stored::extents,
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

/// Two instances on one log, of which the first overtakes the second.
struct Lane {
    first: Other,
    /// What the second one has.
    settings: Settings,
    inner: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    _scratch: Scratch,
    _folders: [TempDir; 2],
}

impl Lane {
    async fn new() -> Self {
        let scratch = Scratch::new().await;
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [settings, second] = folders.each_ref().map(|folder| settings(folder.path()));
        let address = DatabaseAddress::Postgres(scratch.url());
        let clock = Arc::new(ManualClock::new(new_year(2026)));
        let store = async || Database::open(&address).await.unwrap().shared();
        let first = Other { store: store().await, settings, clock: Arc::clone(&clock) as _ };
        begun(&first).await;
        let inner = store().await;
        Self { first, settings: second, inner, clock, _scratch: scratch, _folders: folders }
    }

    /// In the year of this shard: the store of the second instance, which is overtaken after so many steps.
    fn overtaken(&self, number: usize, after: usize) -> Arc<Overtaken> {
        self.clock.set(new_year(2026 + number));
        let keys = KeyRing::open(&key_folder(&self.first.settings));
        keys.unwrap().log.make(number as u64, NAME).unwrap();
        copied(&self.first.settings, &self.settings);
        let (inner, other) = (Arc::clone(&self.inner), self.first.clone());
        Arc::new(Overtaken { inner, other, after, done: AtomicUsize::new(0), there: Mutex::default() })
    }
}

/// At the turn of each year another instance seals the old shard and begins the new one at another moment of the start of
/// this one, which then goes on in the new one.
#[tokio::test]
async fn whoever_is_overtaken_while_it_starts_goes_on_in_the_new_shard() {
    let lane = Lane::new().await;
    for after in 0.. {
        let overtaken = lane.overtaken(after + 1, after);
        let store: Arc<dyn Store> = Arc::clone(&overtaken) as _;
        let settled = settle(&store, &lane.settings, &lane.first.clock).await;
        let settled = settled.unwrap_or_else(|fault| panic!("after {after}: {fault}"));
        assert_eq!(settled.place.number, after as u64 + 1, "after {after}");
        let head = lane.inner.head().await.unwrap().unwrap();
        assert_eq!((head.place, &head.origin), (settled.place, &settled.origin), "after {after}");
        let there = overtaken.there.lock().unwrap().take();
        if there.is_none() {
            assert!(after > 20, "it does more than {after} things");
            return;
        }
        assert_eq!(there, Some(settled.place), "after {after}");
    }
}

/// Whoever lists the shards leaves none out, and names none twice, when one begins meanwhile.
#[tokio::test]
async fn the_shards_of_a_log_are_listed_as_they_were_before_or_after_one_begins() {
    let lane = Lane::new().await;
    for after in 0.. {
        let overtaken = lane.overtaken(after + 1, after);
        let listed = extents(overtaken.as_ref()).await.unwrap();
        let numbers: Vec<_> = listed.iter().map(|extent| extent.place.number as usize).collect();
        if overtaken.there.lock().unwrap().is_none() {
            assert_eq!(numbers, Vec::from_iter(0..=after));
            assert!(after > 1);
            return;
        }
        assert!([after, after + 1].map(|last| Vec::from_iter(0..=last)).contains(&numbers), "{numbers:?}");
    }
}
