//! Processes that are killed while they write: one on SQLite, two on one PostgreSQL. They are started again on the same
//! data, again and again.
//!
//! `SLUIS_FAULTS_KILLS` says how often on each store, `SLUIS_FAULTS_SEED` which run is had again. Where a kill falls
//! within a transaction also depends on the machine.

use std::time::Duration;

use tokio::{sync::watch, time::timeout};

use crate::{
    child::{Child, Orders, Said},
    random::Random,
    site::{Shifted, Site},
    told::{Checked, Told},
};

/// After so many rounds another log is begun, so that beginnings are killed too.
const ROUNDS: usize = 10;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// Place and hash of an entry, and the checkpoint that it was proven under.
type Entry = (u64, [u8; 32], String);

/// What a run came to.
#[derive(Debug, Default)]
struct Counts {
    kills: usize,
    logs: usize,
    acknowledged: usize,
    untold: u64,
    requests: usize,
    interrupted: usize,
    entries: u64,
    verified: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn p06_a_log_whose_process_is_killed_on_sqlite() {
    killed(1, async || Site::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn p06_a_log_whose_processes_are_killed_on_postgres() {
    killed(2, Site::postgres).await;
}

async fn killed(instances: usize, site: impl AsyncFn() -> Site) {
    let kills = usize::try_from(number("SLUIS_FAULTS_KILLS").unwrap_or(10)).unwrap();
    let seed = number("SLUIS_FAULTS_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    println!("SLUIS_FAULTS_SEED={seed}");
    let (mut random, mut counts) = (Random(seed), Counts::default());
    while counts.kills < kills {
        one_log(&site().await, instances, kills, &mut random, &mut counts).await;
        println!("{instances} instance(s): {counts:?}");
    }
    assert!(counts.interrupted > 0, "no kill left a request open");
    assert!(counts.acknowledged > counts.kills, "there was nothing to lose");
}

/// One log from its first entry on, killed several times.
async fn one_log(site: &Site, instances: usize, kills: usize, random: &mut Random, counts: &mut Counts) {
    let (mut told, mut since, mut checked) = (Told::default(), Vec::new(), None::<Checked>);
    let shift = Shifted::from_now().0;
    for _ in 0..ROUNDS {
        if counts.kills >= kills {
            break;
        }
        // One after the other, and who is left has to go on; or each whenever.
        let in_turn = random.below(2) == 0;
        let gone = watch::Sender::new(0);
        let rounds = (0..instances).map(|n| {
            let orders = Orders {
                folder: site.folder.clone(),
                address: site.reveal(),
                shift,
                seed: random.next(),
                callers: 1 + random.below(12),
            };
            // One in five falls into the start. Others when there is something to lose.
            let heard = if random.below(5) == 0 { 0 } else { 1 + random.below(30) };
            let moment = Duration::from_millis(random.below(250));
            let ahead = if in_turn { n } else { 0 };
            until_killed(orders, Kill { heard, moment, ahead }, gone.clone())
        });
        for entries in futures_util::future::join_all(rounds).await {
            counts.kills += 1;
            entries.into_iter().for_each(|entry| told.keep(entry));
        }
        let running = site.start_alone().await;
        let now = told.check(site, running.store.as_ref(), &since).await;
        running.stop().await;
        counts.verified += 1 + since.len();
        since.push(now.checkpoint.clone());
        checked = Some(now);
    }
    let checked = checked.unwrap();
    counts.logs += 1;
    counts.acknowledged += told.entries.len();
    counts.untold += checked.entries - told.entries.len() as u64;
    counts.requests += checked.requests;
    counts.interrupted += checked.interrupted;
    counts.entries += checked.entries;
}

/// When a child is killed.
#[derive(Clone, Copy, Debug)]
struct Kill {
    /// After it has told of so many entries,
    heard: u64,
    /// and so many others are gone, without whom it has to go on,
    ahead: usize,
    /// and this has passed.
    moment: Duration,
}

/// So many entries show that a log goes on.
const FURTHER: u64 = 10;

/// Lets a child write until it is killed. Gives all that it told of.
async fn until_killed(orders: Orders, kill: Kill, gone: watch::Sender<usize>) -> Vec<Entry> {
    let mut child = Child::start(&orders);
    let mut told = Vec::new();
    let mut others = gone.subscribe();
    let writes = timeout(Duration::from_secs(60), async {
        hear(&mut child, &mut told, kill.heard).await;
        if kill.ahead > 0 {
            // Who is not listened to stops, so it is listened to while it waits.
            tokio::select! {
                _ = others.wait_for(|gone| *gone >= kill.ahead) => {}
                () = hear(&mut child, &mut told, u64::MAX) => {}
            }
            hear(&mut child, &mut told, FURTHER).await;
        }
    });
    writes.await.expect("the child does not write");
    // It tells of more while the moment passes.
    drop(timeout(kill.moment, hear(&mut child, &mut told, u64::MAX)).await);
    child.kill();
    while let Some(said) = child.hear().await {
        keep(&mut told, said);
    }
    child.wait().await;
    gone.send_modify(|gone| *gone += 1);
    told
}

/// Hears of so many entries.
async fn hear(child: &mut Child, told: &mut Vec<Entry>, entries: u64) {
    let mut heard = 0;
    while heard < entries {
        heard += u64::from(keep(told, child.hear().await.expect("the child is gone")));
    }
}

/// Whether it was an entry.
fn keep(told: &mut Vec<Entry>, said: Said) -> bool {
    match said {
        Said::Told(position, leaf, checkpoint) => told.push((position, leaf, checkpoint)),
        Said::Ready => return false,
        Said::Stopped(reason) => panic!("the log stopped, though only processes were killed: {reason}"),
        Said::Done(..) => panic!("nothing was commanded"),
    }
    true
}
