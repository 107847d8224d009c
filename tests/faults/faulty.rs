//! A store before the real one whose writes fail when they are told to: before they were made, or although they were.

use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use sluis::{
    audit::writer::{CommitFault, Committed, Work, Writer},
    domain::PairId,
    storage::{Commit, Look, Seen, Store, StoreFault, Writes},
};
use tokio::sync::watch;

use crate::{
    forwarding::{forward_commit, forward_store},
    tasks::Task,
};

/// What a writer asks of its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// To take the head and look.
    Begin,
    /// To write and commit.
    Commit,
    /// To see a commit that was found as durable.
    Confirm,
}

/// One failure to come.
#[derive(Clone, Debug)]
pub struct Planned {
    pub point: Point,
    /// Whether it is made all the same, and only the answer is lost.
    pub made: bool,
    pub fault: StoreFault,
}

#[derive(Debug)]
pub struct Faulty {
    pub inner: Arc<dyn Store>,
    plan: Arc<Mutex<Vec<Planned>>>,
    begun: watch::Sender<usize>,
}

impl Faulty {
    pub fn before(inner: Arc<dyn Store>) -> Arc<Self> {
        let (begun, _) = watch::channel(0);
        Arc::new(Self { inner, plan: Arc::default(), begun })
    }

    /// What was planned and did not come.
    pub fn left(&self) -> usize {
        self.plan.lock().unwrap().len()
    }

    /// Commits these works as one batch, to which this happens. They gather behind a work that has begun, cannot go on
    /// yet, and in the end writes nothing: the outcome of a request that never was.
    pub async fn together(
        &self,
        log: &Writer,
        works: Vec<Work>,
        plan: Vec<Planned>,
    ) -> Vec<Result<Committed, CommitFault>> {
        let (_, held) = self.inner.begin(&Look::default()).await.unwrap();
        let (mut begun, ahead) = (self.begun.subscribe(), log.clone());
        let ahead = tokio::spawn(async move { ahead.commit(Task::Close(PairId::random()).work()).await });
        begun.changed().await.unwrap();
        let gathered = join_all(works.into_iter().map(|work| log.commit(work)));
        tokio::pin!(gathered);
        tokio::select! {
            biased;
            _ = &mut gathered => panic!("committed while another has the head"),
            () = std::future::ready(()) => {}
        }
        // What has begun already is not meant.
        *self.plan.lock().unwrap() = plan;
        held.abandon().await;
        assert_eq!(ahead.await.unwrap().unwrap_err(), CommitFault::AlreadyClosed);
        gathered.await
    }

    fn take(&self, point: Point) -> Option<Planned> {
        take(&self.plan, point)
    }
}

/// What is planned comes in its order.
fn take(plan: &Mutex<Vec<Planned>>, point: Point) -> Option<Planned> {
    let mut plan = plan.lock().unwrap();
    let due = plan.first().is_some_and(|planned| planned.point == point);
    due.then(|| plan.remove(0))
}

struct FaultyCommit<'a> {
    inner: Box<dyn Commit + 'a>,
    // None for what had begun before there was a plan.
    plan: Option<Arc<Mutex<Vec<Planned>>>>,
}

impl FaultyCommit<'_> {
    fn take(&self, point: Point) -> Option<Planned> {
        take(self.plan.as_ref()?, point)
    }
}

type Result<T, E = StoreFault> = std::result::Result<T, E>;

forward_commit! { sluis, FaultyCommit<'_>,
    async fn commit(self: Box<Self>, writes: &Writes) -> Result<()> {
        match self.take(Point::Commit) {
            None => self.inner.commit(writes).await,
            // Dropped, as when the process or the connection goes.
            Some(planned) if !planned.made => Err(planned.fault),
            Some(planned) => {
                self.inner.commit(writes).await?;
                Err(planned.fault)
            }
        }
    }

    async fn confirm(self: Box<Self>) -> Result<()> {
        match self.take(Point::Confirm) {
            None => self.inner.confirm().await,
            Some(planned) if !planned.made => Err(planned.fault),
            Some(planned) => {
                self.inner.confirm().await?;
                Err(planned.fault)
            }
        }
    }
}

forward_store! { sluis, Faulty,
    async fn begin(&self, look: &Look) -> Result<(Seen, Box<dyn Commit + '_>)> {
        let planned = self.take(Point::Begin);
        let plan = (self.left() > 0).then(|| Arc::clone(&self.plan));
        self.begun.send_modify(|begun| *begun += 1);
        if let Some(Planned { made: false, fault, .. }) = planned {
            return Err(fault);
        }
        let (seen, inner) = self.inner.begin(look).await?;
        match planned {
            None => Ok((seen, Box::new(FaultyCommit { inner, plan }))),
            Some(planned) => Err(planned.fault),
        }
    }
}
