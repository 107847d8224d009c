//! What callers were told of a log, and whether the log keeps it.

use std::collections::{BTreeMap, HashSet};

use sluis::{
    audit::{
        checkpoint::Checkpoint,
        export::stored::{Openings, export},
        leaf::{Kind, Leaf},
        proof::TlogProof,
        tree::{Frontier, Hash, leaf_hash},
        verify::{VerifyOptions, verify_export},
        writer::Committed,
    },
    domain::Timestamp,
    note::Note,
    storage::Store,
};

use crate::site::Site;

/// What was acknowledged: entries at their places, under checkpoints.
#[derive(Debug, Default)]
pub struct Told {
    pub entries: BTreeMap<u64, Hash>,
    checkpoints: BTreeMap<u64, String>,
}

/// What a log came to.
#[derive(Debug)]
pub struct Checked {
    pub entries: u64,
    pub requests: usize,
    pub interrupted: usize,
    pub checkpoint: String,
}

/// What a caller keeps of an acknowledgement: place and hash of the entry, and the checkpoint it was proven under.
pub fn receipt(committed: &Committed) -> (u64, Hash, String) {
    let opened = committed.open(false);
    let proof: TlogProof = opened.proof.parse().unwrap();
    let note = Note::parse(&proof.checkpoint).unwrap();
    let checkpoint = Checkpoint::parse(note.unverified_text()).unwrap();
    assert_eq!(
        proof.root(&opened.leaf, checkpoint.size).unwrap(),
        checkpoint.root,
        "a proof that leads elsewhere"
    );
    (proof.index, leaf_hash(&opened.leaf), proof.checkpoint)
}

impl Told {
    pub fn take(&mut self, committed: &Committed) {
        self.keep(receipt(committed));
    }

    pub fn keep(&mut self, (position, leaf, checkpoint): (u64, Hash, String)) {
        let before = self.entries.insert(position, leaf);
        assert!(before.is_none_or(|before| before == leaf), "two entries were told of at {position}");
        let size = checkpoint.lines().nth(1).unwrap().parse().unwrap();
        let before = self.checkpoints.insert(size, checkpoint.clone());
        assert!(before.is_none_or(|before| before == checkpoint), "two checkpoints of {size} entries");
    }

    /// Holds the stored log against what was told, and verifies its export, alone and since each of these earlier
    /// checkpoints. Nobody writes meanwhile, and what was interrupted is closed.
    pub async fn check(&self, site: &Site, store: &dyn Store, since: &[String]) -> Checked {
        let checked = self.walk(site, store).await;
        let (trust, out) = (site.trust(), tempfile::tempdir().unwrap());
        let openings = Openings { details: true, sealed: true };
        export(store, out.path(), &trust, openings, |_, _| {}).await.unwrap();
        for since in since.iter().cloned().map(Some).chain([None]) {
            let options = VerifyOptions { trust: Some(trust.clone()), since, progress: None };
            let report = verify_export(out.path(), &options);
            assert_eq!(report.exit_code(), 0, "{:?}", report.findings);
        }
        checked
    }

    /// Holds the stored log against what was told, entry by entry.
    pub async fn walk(&self, site: &Site, store: &dyn Store) -> Checked {
        let trust = site.trust();
        let head = store.head().await.unwrap().unwrap();
        let mut signed = self.checkpoints.clone();
        signed.insert(head.size, head.checkpoint.clone());
        let (mut frontier, mut ids) = (Frontier::empty(), HashSet::new());
        let (mut requests, mut outcomes, mut interrupted) = (HashSet::new(), HashSet::new(), 0);
        while frontier.size() < head.size {
            let page = store.entries(frontier.size(), 1024).await.unwrap();
            assert!(!page.is_empty(), "the log ends before its head says");
            for entry in page {
                let position = frontier.size();
                assert_eq!(entry.position, position);
                let (hash, leaf) = (leaf_hash(&entry.leaf), Leaf::parse(&entry.leaf).unwrap());
                assert!(ids.insert(leaf.id()), "entry {position} is there twice");
                let told = self.entries.get(&position);
                assert!(told.is_none_or(|told| *told == hash), "another entry was told of at {position}");
                match leaf.kind {
                    Kind::Request => assert!(requests.insert(leaf.pair)),
                    Kind::Outcome => {
                        assert!(requests.contains(&leaf.pair) && outcomes.insert(leaf.pair));
                        let facts = String::from_utf8(entry.facts.unwrap().json).unwrap();
                        interrupted += usize::from(facts.contains("interrupted"));
                    }
                    _ => {}
                }
                frontier.append(hash);
                if let Some(note) = signed.remove(&frontier.size()) {
                    let (checkpoint, _) = Checkpoint::open(&note, &trust).unwrap();
                    assert_eq!(
                        checkpoint.root,
                        frontier.root(),
                        "another log of {} entries",
                        checkpoint.size
                    );
                }
            }
        }
        assert_eq!(frontier.size(), head.size, "the log goes on beyond its head");
        assert!(signed.is_empty(), "a longer log was signed: {:?}", signed.keys());
        let last = self.entries.last_key_value().map_or(0, |(position, _)| position + 1);
        assert!(last <= head.size, "entry {} was told of and is lost", last - 1);
        assert_eq!(requests, outcomes, "a request without an outcome");
        assert!(store.open_requests(Timestamp::from_millis(i64::MAX)).await.unwrap().is_empty());
        Checked { entries: head.size, requests: requests.len(), interrupted, checkpoint: head.checkpoint }
    }
}

/// The check itself: each of these is a log that does not keep what was told.
mod finds {
    use super::*;
    use crate::{site::Running, tasks::Task};

    async fn log() -> (Site, Running, Told) {
        let (site, mut told) = (Site::sqlite(), Told::default());
        let running = site.start_alone().await;
        for _ in 0..3 {
            told.take(&running.log.commit(Task::note().work()).await.unwrap());
        }
        told.check(&site, running.store.as_ref(), &[]).await;
        (site, running, told)
    }

    #[tokio::test(flavor = "multi_thread")]
    #[should_panic(expected = "was told of and is lost")]
    async fn p04_an_entry_that_is_lost() {
        let (site, running, mut told) = log().await;
        told.entries.insert(4, [1; 32]);
        told.check(&site, running.store.as_ref(), &[]).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[should_panic(expected = "another entry was told of at 2")]
    async fn p04_an_entry_that_was_exchanged() {
        let (site, running, mut told) = log().await;
        told.entries.insert(2, [1; 32]);
        told.check(&site, running.store.as_ref(), &[]).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[should_panic(expected = "a longer log was signed")]
    async fn p04_a_checkpoint_of_a_longer_log() {
        let (site, running, mut told) = log().await;
        let last = told.checkpoints.last_key_value().unwrap().1.clone();
        told.checkpoints.insert(9, last);
        told.check(&site, running.store.as_ref(), &[]).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[should_panic(expected = "a request without an outcome")]
    async fn p06_a_request_without_an_outcome() {
        let (site, running, mut told) = log().await;
        let ask = Task::ask(sluis::domain::PairId::random(), 1);
        told.take(&running.log.commit(ask.work()).await.unwrap());
        told.check(&site, running.store.as_ref(), &[]).await;
    }
}
