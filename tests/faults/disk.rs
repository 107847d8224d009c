//! A disk that is full or cannot be written: what is refused, what goes on by itself, and what needs a restart
//! (docs/architecture.md, "Group commit").

use std::{path::Path, process::Command, sync::Arc};

use sluis::{
    audit::writer::CommitFault,
    storage::{Database, DatabaseAddress, sqlite::SqliteStore},
};
use tempfile::TempDir;

use crate::{
    child::{Bid, Child, Orders, Said},
    site::{Shifted, Site},
    tasks::Task,
    told::Told,
};

const FULL: &str = "the log cannot be written: the disk is full";
const FAILED: &str = "the log cannot be written: the database failed; writing has stopped until a restart";

/// The database may have no more pages: SQLite's own "full". Nothing is written in part, and it goes on by itself.
#[tokio::test(flavor = "multi_thread")]
async fn p04_a_database_that_is_full_refuses_and_goes_on_by_itself() {
    let site = Site::sqlite();
    let database = Database::open(&site.address).await.unwrap();
    let Database::Sqlite(sqlite) = &database else { panic!("it is a folder") };
    let running = site.writer_on(database.shared()).await;
    let mut told = Told::default();
    for notes in [1, 40, 300] {
        limit(sqlite, sqlite.pages().await.unwrap() + 20).await;
        let refusal = loop {
            let works = (0..notes).map(|_| running.log.commit(Task::note().work()));
            let results = futures_util::future::join_all(works).await;
            let before = told.entries.len();
            let mut refusal = None;
            for result in results {
                match result {
                    Ok(committed) => told.take(&committed),
                    Err(fault) => refusal = Some(fault),
                }
            }
            let size = running.store.head().await.unwrap().unwrap().size;
            assert_eq!(size - 1, told.entries.len() as u64, "what was refused is not there, since {before}");
            if let Some(refusal) = refusal {
                break refusal;
            }
        };
        assert_eq!(refusal, CommitFault::Unavailable("the disk is full"));
        assert!(running.log.is_writing());
        limit(sqlite, u32::MAX - 1).await;
        told.take(&running.log.commit(Task::note().work()).await.unwrap());
    }
    told.check(&site, running.store.as_ref(), &[]).await;
    running.stop().await;
}

async fn limit(store: &Arc<SqliteStore>, pages: u32) {
    store.limit_pages(pages).await.unwrap();
}

/// A log in a process of its own, which is told what to write.
struct Remote {
    site: Site,
    child: Child,
    told: Told,
}

impl Remote {
    async fn start(site: Site) -> Self {
        let orders = Orders {
            folder: site.folder.clone(),
            address: site.reveal(),
            shift: Shifted::from_now().0,
            seed: 0,
            callers: 0,
        };
        let mut child = Child::start(&orders);
        assert!(matches!(child.hear().await, Some(Said::Ready)));
        Self { site, child, told: Told::default() }
    }

    /// How many were done, and why one was refused.
    async fn bid(&mut self, bid: Bid) -> (usize, Option<String>) {
        self.child.order(&bid).await;
        loop {
            match self.child.hear().await.expect("the child is gone") {
                Said::Told(position, leaf, checkpoint) => self.told.keep((position, leaf, checkpoint)),
                Said::Done(done, refusal) => return (done, refusal),
                other => panic!("{other:?}"),
            }
        }
    }

    /// No file of the process may grow beyond so many bytes. With none, nothing at all can be written.
    fn limit_files(&self, bytes: Option<u64>) {
        let bytes = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
        let pid = self.child.id().to_string();
        let done =
            Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:unlimited")]).status();
        assert!(done.expect("prlimit (util-linux) is missing").success());
    }

    async fn good(&mut self, notes: usize) {
        assert_eq!(self.bid(Bid::Commit(notes)).await, (notes, None));
    }

    /// Ends the process, and holds what it left against what it told.
    async fn end(self) {
        let Self { site, mut child, told } = self;
        child.kill();
        child.wait().await;
        let running = site.start_alone().await;
        told.check(&site, running.store.as_ref(), &[]).await;
        running.stop().await;
    }
}

/// A write that fails for another reason than room: nothing on the handle is sure after that, so it needs a restart.
#[tokio::test(flavor = "multi_thread")]
async fn p04_a_file_that_may_not_grow_stops_the_log_until_a_restart() {
    let mut log = Remote::start(Site::sqlite()).await;
    log.good(20).await;
    let folder = log.site.folder.join("data");
    let wal = std::fs::metadata(folder.join("sluis.db-wal")).unwrap().len();
    let data = std::fs::metadata(folder.join("sluis.db")).unwrap().len();
    log.limit_files(Some(wal.max(data)));
    let mut refusal = None;
    for _ in 0..100 {
        refusal = log.bid(Bid::Commit(50)).await.1;
        if refusal.is_some() {
            break;
        }
    }
    assert_eq!(refusal.as_deref(), Some(FAILED));
    log.limit_files(None);
    assert_eq!(log.bid(Bid::Commit(1)).await, (0, Some(FAILED_BEFORE.to_owned())), "not without a restart");
    assert_eq!(log.bid(Bid::Restart).await, (0, None));
    log.good(20).await;
    log.end().await;
}

const FAILED_BEFORE: &str = "the log cannot be written: writing has stopped";

/// Nothing can be written at all, as on a disk that the system has made read-only.
#[tokio::test(flavor = "multi_thread")]
async fn p04_a_disk_that_cannot_be_written_stops_the_log_and_keeps_it_from_going_on() {
    let mut log = Remote::start(Site::sqlite()).await;
    log.good(20).await;
    log.limit_files(Some(0));
    assert_eq!(log.bid(Bid::Commit(3)).await, (0, Some(FAILED.to_owned())));
    let (_, refusal) = log.bid(Bid::Restart).await;
    match refusal {
        Some(refusal) => assert!(refusal.contains("cannot"), "{refusal}"),
        // Where a start finds nothing to recover, it writes nothing; then the first commit does not come through.
        None => assert_eq!(log.bid(Bid::Commit(3)).await, (0, Some(FAILED.to_owned()))),
    }
    log.limit_files(None);
    assert_eq!(log.bid(Bid::Restart).await, (0, None));
    log.good(20).await;
    log.end().await;
}

/// A disk of a few megabytes that this test may fill and remount: `scripts/faults` makes one.
fn small_disk() -> TempDir {
    let place = std::env::var("SLUIS_FAULTS_DISK").expect("SLUIS_FAULTS_DISK names a small disk of its own");
    tempfile::tempdir_in(place).unwrap()
}

fn on(disk: &TempDir) -> Site {
    Site::at(disk.path(), DatabaseAddress::Folder(disk.path().join("data")))
}

fn remount(disk: &TempDir, how: &str) {
    let place = disk.path().parent().unwrap();
    let done = Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(place).status();
    assert!(done.unwrap().success(), "cannot remount as {how}");
}

fn fill(file: &Path, all_but: u64) {
    let output = Command::new("df").args(["--output=avail", "-B1"]).arg(file.parent().unwrap()).output();
    let output = String::from_utf8(output.unwrap().stdout).unwrap();
    let free: u64 = output.lines().nth(1).unwrap().trim().parse().unwrap();
    std::fs::write(file, vec![0_u8; usize::try_from(free - all_but).unwrap()]).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a disk of its own: scripts/faults"]
async fn p04_a_disk_that_is_full() {
    let disk = small_disk();
    let mut log = Remote::start(on(&disk)).await;
    log.good(20).await;
    for notes in [1, 30, 400] {
        let filler = disk.path().join("filler");
        fill(&filler, 300_000);
        let mut refusal = None;
        while refusal.is_none() {
            refusal = log.bid(Bid::Commit(notes)).await.1;
        }
        assert_eq!(refusal.as_deref(), Some(FULL));
        std::fs::remove_file(filler).unwrap();
        log.good(20).await;
    }
    log.end().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a disk of its own: scripts/faults"]
async fn p04_a_disk_that_is_mounted_read_only() {
    let disk = small_disk();
    let site = on(&disk);
    let mut told = Told::default();
    let running = site.start_alone().await;
    told.take(&running.log.commit(Task::note().work()).await.unwrap());
    running.stop().await;
    remount(&disk, "ro");
    let refused = Database::open(&site.address).await.expect_err("it opens on a read-only disk");
    println!("a start is refused: {refused}");
    remount(&disk, "rw");
    assert!(refused.to_string().contains("Read-only file system"), "{refused}");
    let running = site.start_alone().await;
    told.take(&running.log.commit(Task::note().work()).await.unwrap());
    told.check(&site, running.store.as_ref(), &[]).await;
    running.stop().await;
}
