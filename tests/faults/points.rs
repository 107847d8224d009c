//! Every write that the writer asks of a store fails, with every fault: before it was made, and although it was made.
//! Then the same works are given to it again, and another number of others; in both orders.

use std::sync::Arc;

use sluis::{
    audit::writer::CommitFault,
    domain::{GrantId, PairId, Timestamp},
    storage::StoreFault,
};

use crate::{
    faulty::{Faulty, Planned, Point},
    site::{Running, Site},
    tasks::Task,
    told::Told,
};

crate::on_both!(
    p04_a_batch_whose_beginning_fails,
    p04_a_batch_whose_commit_fails,
    p04_a_batch_whose_commit_is_lost_and_cannot_be_confirmed,
    p04_a_batch_whose_commit_is_lost_and_cannot_be_looked_for,
);

/// What becomes of the batch that it happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Acknowledged.
    Done,
    /// Refused, and the log goes on.
    Refused,
    /// Refused, and nothing more is written until a restart.
    Stopped,
    /// Refused; whoever comes next finds that the log has moved, and nothing more is written until a restart. Where
    /// others may have moved it, the log goes on.
    Moved,
}

const AGAIN: StoreFault = StoreFault::Again("test");

fn faults() -> [StoreFault; 6] {
    let fatal = StoreFault::Fatal("test".to_owned());
    [StoreFault::Full, StoreFault::Busy, AGAIN, StoreFault::Lost, fatal, StoreFault::Corrupt("test")]
}

fn ends(fault: &StoreFault) -> bool {
    matches!(fault, StoreFault::Fatal(_) | StoreFault::Corrupt(_))
}

fn plan(point: Point, made: bool, fault: &StoreFault) -> Planned {
    Planned { point, made, fault: fault.clone() }
}

/// A log through all of its failures.
struct Trial {
    site: Site,
    faulty: Arc<Faulty>,
    running: Running,
    told: Told,
    since: Vec<String>,
    // A request that waits for its outcome, and a grant that can be released under.
    open: PairId,
    grant: GrantId,
}

impl Trial {
    async fn begin(site: Site) -> Self {
        let faulty = Faulty::before(site.open().await);
        let running = site.writer_on(Arc::<Faulty>::clone(&faulty)).await;
        let (open, grant) = (PairId::random(), GrantId::random());
        let mut trial = Self { site, faulty, running, told: Told::default(), since: Vec::new(), open, grant };
        trial.prepare().await;
        trial
    }

    /// Gives this, of which nothing is to fail.
    async fn good(&mut self, task: &Task) {
        let committed = self.running.log.commit(task.work()).await.unwrap();
        self.told.take(&committed);
    }

    async fn prepare(&mut self) {
        let (record, grant) = Task::record(1);
        (self.open, self.grant) = (PairId::random(), grant);
        self.good(&record).await;
        self.good(&Task::ask(self.open, 1)).await;
    }

    /// Gives these, whatever becomes of them.
    async fn give(&mut self, tasks: &[Task]) -> Vec<Result<(), CommitFault>> {
        let works = tasks.iter().map(|task| self.running.log.commit(task.work()));
        let results = futures_util::future::join_all(works).await;
        let mut given = Vec::new();
        for result in results {
            given.push(result.map(|committed| self.told.take(&committed)));
        }
        given
    }

    async fn restart(self) -> Self {
        let Self { site, faulty, running, mut told, since, open, grant } = self;
        running.stop().await;
        drop(faulty);
        let faulty = Faulty::before(site.open().await);
        let running = site.writer_on(Arc::<Faulty>::clone(&faulty)).await;
        // Whatever is there now was written before this.
        told.take(&running.log.commit(Task::note().work()).await.unwrap());
        Self { site, faulty, running, told, since, open, grant }
    }

    /// One failure, and what follows.
    async fn run(mut self, failures: Vec<Planned>, then: Then, same_first: bool) -> Self {
        let name = format!("{failures:?}, same first: {same_first}");
        let shared = self.running.store.is_shared();
        let (record, _) = Task::record(2);
        let fresh = PairId::random();
        let same = [
            Task::note(),
            Task::ask(fresh, 3),
            Task::Release { pair: self.open, grant: self.grant },
            record,
            Task::withdraw(self.grant),
        ];
        let works = same.iter().map(Task::work).collect();
        let results = self.faulty.together(&self.running.log, works, failures).await;
        assert_eq!(self.faulty.left(), 0, "{name}: it did not come to that");
        // What goes before: the withdrawal, so the release loses its grant.
        let done = [true, true, false, true, true];
        for (result, done) in results.into_iter().zip(done) {
            match result {
                Ok(committed) => {
                    assert!(then == Then::Done && done, "{name}: acknowledged");
                    self.told.take(&committed);
                }
                Err(CommitFault::GrantNotInForce) => assert!(then == Then::Done && !done, "{name}"),
                Err(fault) => {
                    assert!(matches!(fault, CommitFault::Unavailable(_)), "{name}: {fault}");
                    assert_ne!(then, Then::Done, "{name}: refused");
                }
            }
        }
        assert_eq!(self.running.log.is_writing(), then != Then::Stopped, "{name}");

        let other = [Task::note(), Task::ask(PairId::random(), 4), Task::note()];
        let goes_on = match then {
            Then::Done | Then::Refused => true,
            Then::Stopped => false,
            Then::Moved => shared,
        };
        if same_first {
            // It may find its ids in use, which stops everything; that is as good as any other refusal.
            self.give(&same).await;
        }
        let given = self.give(&other).await;
        if !same_first {
            assert!(given.iter().all(|given| given.is_ok() == goes_on), "{name}: {given:?}");
            self.give(&same).await;
        }
        if !self.running.log.is_writing() {
            self = self.restart().await;
            let more: Vec<_> = (0..7).map(|_| Task::note()).collect();
            let given = self.give(&more).await;
            assert!(given.iter().all(Result::is_ok), "{name}: {given:?} after a restart");
        }
        self.running.close_interrupted(Timestamp::from_millis(i64::MAX)).await.unwrap();
        let checked = self.told.walk(&self.site, self.faulty.inner.as_ref()).await;
        self.since.push(checked.checkpoint);
        self.prepare().await;
        self
    }

    /// Ends it, and verifies since some of the checkpoints after each failure.
    async fn end(self) {
        let Self { site, faulty, running, told, since, .. } = self;
        running.close_interrupted(Timestamp::from_millis(i64::MAX)).await.unwrap();
        let since: Vec<_> = since.into_iter().step_by(5).collect();
        let checked = told.check(&site, faulty.inner.as_ref(), &since).await;
        assert!(checked.interrupted > 0, "{checked:?}");
        running.stop().await;
    }
}

async fn p04_a_batch_whose_beginning_fails(site: Site) {
    let mut trial = Trial::begin(site).await;
    for made in [false, true] {
        for fault in faults() {
            for same_first in [false, true] {
                let then = match fault {
                    AGAIN => Then::Done,
                    _ if ends(&fault) => Then::Stopped,
                    _ => Then::Refused,
                };
                trial = trial.run(vec![plan(Point::Begin, made, &fault)], then, same_first).await;
            }
        }
        let again = vec![plan(Point::Begin, made, &AGAIN); 4];
        trial = trial.run(again, Then::Refused, true).await;
    }
    trial.end().await;
}

async fn p04_a_batch_whose_commit_fails(site: Site) {
    let mut trial = Trial::begin(site).await;
    for same_first in [false, true] {
        for fault in faults() {
            let then = match fault {
                AGAIN | StoreFault::Lost => Then::Done,
                _ if ends(&fault) => Then::Stopped,
                _ => Then::Refused,
            };
            trial = trial.run(vec![plan(Point::Commit, false, &fault)], then, same_first).await;
            let then = match fault {
                StoreFault::Lost => Then::Done,
                // A store that asks for the same again although it is there: the ids are in use.
                AGAIN => Then::Stopped,
                _ if ends(&fault) => Then::Stopped,
                _ => Then::Moved,
            };
            trial = trial.run(vec![plan(Point::Commit, true, &fault)], then, same_first).await;
        }
        let again = vec![plan(Point::Commit, false, &AGAIN); 4];
        trial = trial.run(again, Then::Refused, same_first).await;
        let lost = vec![plan(Point::Commit, false, &StoreFault::Lost); 4];
        trial = trial.run(lost, Then::Refused, same_first).await;
    }
    trial.end().await;
}

async fn p04_a_batch_whose_commit_is_lost_and_cannot_be_confirmed(site: Site) {
    let mut trial = Trial::begin(site).await;
    let lost = plan(Point::Commit, true, &StoreFault::Lost);
    for made in [false, true] {
        for fault in faults() {
            for same_first in [false, true] {
                let failures = vec![lost.clone(), plan(Point::Confirm, made, &fault)];
                let then = if fault == AGAIN { Then::Done } else { Then::Moved };
                trial = trial.run(failures, then, same_first).await;
            }
        }
    }
    trial.end().await;
}

async fn p04_a_batch_whose_commit_is_lost_and_cannot_be_looked_for(site: Site) {
    let mut trial = Trial::begin(site).await;
    for (there, otherwise) in [(false, Then::Refused), (true, Then::Moved)] {
        let lost = plan(Point::Commit, there, &StoreFault::Lost);
        for fault in faults() {
            for same_first in [false, true] {
                let failures = vec![lost.clone(), plan(Point::Begin, false, &fault)];
                let then = if fault == AGAIN { Then::Done } else { otherwise };
                trial = trial.run(failures, then, same_first).await;
            }
        }
        let failures = [vec![lost], vec![plan(Point::Begin, true, &AGAIN); 4]].concat();
        trial = trial.run(failures, otherwise, true).await;
    }
    trial.end().await;
}
