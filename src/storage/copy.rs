//! A log with everything beside it, moved from one store to another.
//!
//! Two stores that both went on from the same head would be a fork, the worst that can happen to a log. So a copy is a
//! move, and at every moment at most one store can be written to:
//!
//! 1. The source is held: nobody else commits there until the end, and rows are read under that hold.
//! 2. The target gets a row in `moving`, `arriving`, on which no gateway starts. Every page goes in together with how far
//!    the copy has come, so it goes on after an interruption at any point.
//! 3. All rows of both stores are compared, and the root is recomputed from what stands in the target.
//! 4. The source gets its row in `moving`, `left`, and a head that nobody can go on from, in the transaction that held it.
//!    From here on nobody writes to either store: a gateway that is still running there, or has just looked at `moving`,
//!    finds a head that is not signed, and stops. The head as it was stands in the row.
//! 5. The target gets its head, and loses its row in `moving`. From here on it is the log.
//!
//! The other way round, a crash between 4 and 5 would leave two logs. This way it leaves none until the copy is run once
//! more: it finds a source that was left at exactly the log that is arriving, and does what remains.

mod check;
mod moving;
mod page;
mod step;
#[cfg(test)]
mod tests;

pub use check::Proof;

use super::{
    StoreFault,
    schema::{Copied, ENTRY, HEAD, MOVING, TABLES, Table},
    tables::{Row, Session, Tables, Value, key_of},
};
use crate::domain::random;
use moving::{Log, Moving, Place, State};
use page::Pages;
use step::Change;

/// Why a log was not moved. Each says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CopyFault {
    /// The source.
    #[error("the source: {0}{hint}", hint = hint(.0))]
    Source(StoreFault),
    /// The target.
    #[error("the target: {0}{hint}", hint = hint(.0))]
    Target(StoreFault),
    /// Nothing to copy.
    #[error("there is no log in the source")]
    NoLog,
    /// Half a log.
    #[error("the source is itself an unfinished copy; finish that one first")]
    SourceArriving,
    /// It went elsewhere before.
    #[error(
        "the log was moved from this source before and goes on elsewhere; another copy from here would be a second \
         continuation of it. Copy from the store where it goes on"
    )]
    SourceLeft,
    /// The source was written to since.
    #[error(
        "the target holds an unfinished copy of this log as it was at {then} entries, and the source was written to \
         since ({now} entries). Empty the target and copy again"
    )]
    SourceMovedOn {
        /// Entries when the copy began.
        then: u64,
        /// Entries now.
        now: u64,
    },
    /// The target has a log.
    #[error(
        "the target holds the log `{0}` already; copy into an empty store: a new folder or an empty database"
    )]
    TargetTaken(String),
    /// The target had a log.
    #[error("the target held the log `{0}`, which was moved elsewhere; copy into an empty store")]
    TargetLeft(String),
    /// The target has half of another log.
    #[error("the target holds an unfinished copy of the log `{0}`; empty it, or copy into another store")]
    OtherCopy(String),
    /// The target has rows without a log.
    #[error("the target is not empty: there are rows in `{0}`; copy into an empty store")]
    TargetNotEmpty(&'static str),
    /// Somebody else writes there.
    #[error("something else is writing to the target; stop it, and run the same command again")]
    NotAlone,
    /// A row is not what it was.
    #[error(
        "what stands in the target's table `{table}` is not what was copied ({arrived} rows, {sent} in the source). \
         The log is in the source as before. Empty the target and copy again"
    )]
    Differs {
        /// The table.
        table: &'static str,
        /// Rows in the source.
        sent: u64,
        /// Rows in the target.
        arrived: u64,
    },
    /// The log does not verify.
    #[error(
        "the log does not verify: {0}. The source holds the same; export it, and verify the export, before anything else"
    )]
    Proof(String),
    /// Chance is out.
    #[error("the operating system gave no random bytes")]
    NoRandom,
}

const fn hint(fault: &StoreFault) -> &'static str {
    match fault {
        StoreFault::Busy => "; stop every gateway on it, and run the same command again",
        StoreFault::Full => "; make room, and run the same command again to go on from here",
        StoreFault::Again(_) | StoreFault::Lost | StoreFault::Fatal(_) => {
            "; when that is mended, run the same command again to go on from here"
        }
        StoreFault::Corrupt(_) => "",
    }
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Rows go from the source to the target.
    Copying,
    /// Rows are read again and compared.
    Checking,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub step: Step,
    /// With which table.
    pub table: &'static str,
    /// Rows of it so far, in this run.
    pub rows: u64,
    /// Of so many; 0 where that is not known.
    pub of: u64,
}

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Name of the log.
    pub origin: String,
    /// Number of entries.
    pub entries: u64,
    /// Rows of each table.
    pub tables: Vec<(&'static str, u64)>,
    /// Whether all of it had been moved before, and was only checked this time.
    pub before: bool,
}

/// Where a copy stands when it begins.
enum Start {
    /// Rows are missing from here on.
    At(Place),
    /// The target has it all, and its head.
    Done,
}

fn with_rows() -> Vec<&'static Table> {
    static ALL: [Table; TABLES.len()] = TABLES;
    ALL.iter().filter(|table| table.copied == Copied::Rows).collect()
}

/// The log of the source, its head as it was before it was left, and whether it was.
async fn log_of(held: &mut (dyn Session + '_)) -> Result<(Log, Row, bool), CopyFault> {
    let moving = moving::moving(held).await.map_err(CopyFault::Source)?;
    let head = moving::head(held).await.map_err(CopyFault::Source)?;
    match moving {
        Some(Moving { state: State::Arriving, .. }) => Err(CopyFault::SourceArriving),
        Some(Moving { state: State::Left, log, place }) => {
            if Log::of_head(&place.key).map_err(CopyFault::Source)? != log {
                return Err(CopyFault::Source(StoreFault::Corrupt("the row in `moving`")));
            }
            Ok((log, place.key, true))
        }
        None => {
            let head = head.ok_or(CopyFault::NoLog)?;
            Ok((Log::of_head(&head).map_err(CopyFault::Source)?, head, false))
        }
    }
}

/// Looks at the target, and begins a copy there if it is empty.
async fn start(
    target: &dyn Tables,
    tables: &[&'static Table],
    log: &Log,
    left: bool,
) -> Result<Start, CopyFault> {
    let mut session = target.session().await.map_err(CopyFault::Target)?;
    let moving = moving::moving(session.as_mut()).await.map_err(CopyFault::Target)?;
    let head = moving::head(session.as_mut()).await.map_err(CopyFault::Target)?;
    match moving {
        Some(Moving { state: State::Left, log, .. }) => return Err(CopyFault::TargetLeft(log.origin)),
        Some(there) if there.log == *log => return Ok(Start::At(there.place)),
        Some(there) if there.log.origin == log.origin => {
            return Err(CopyFault::SourceMovedOn { then: there.log.size, now: log.size });
        }
        Some(there) => return Err(CopyFault::OtherCopy(there.log.origin)),
        None => {}
    }
    if let Some(head) = head {
        let there = Log::of_head(&head).map_err(CopyFault::Target)?;
        return match left {
            true if there == *log => Ok(Start::Done),
            true => Err(CopyFault::SourceLeft),
            false => Err(CopyFault::TargetTaken(there.origin)),
        };
    }
    if left {
        return Err(CopyFault::SourceLeft);
    }
    for table in tables {
        if !session.read(table, None, 1).await.map_err(CopyFault::Target)?.is_empty() {
            return Err(CopyFault::TargetNotEmpty(table.name));
        }
    }
    session.abandon().await;
    let first = tables.first().map_or(HEAD.name, |table| table.name);
    let place = Place { table: first.to_owned(), key: Vec::new() };
    let arriving = Moving { state: State::Arriving, log: log.clone(), place: place.clone() };
    step::take(target, &Change { before: None, after: Some(&arriving), table: &MOVING, rows: &[] }).await?;
    Ok(Start::At(place))
}

/// Copies what is missing, a page at a time.
async fn pages(
    held: &mut (dyn Session + '_),
    target: &dyn Tables,
    tables: &[&'static Table],
    log: &Log,
    mut place: Place,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Place, CopyFault> {
    let known = tables.iter().position(|table| table.name == place.table);
    let from = known.ok_or(CopyFault::Target(StoreFault::Corrupt("the row in `moving`")))?;
    for &table in tables.iter().skip(from) {
        let begun = (table.name == place.table && !place.key.is_empty()).then(|| place.key.clone());
        // Entries are what there is most of, and the only rows whose number is known before they are counted.
        let (mut rows, of) = match begun.as_deref() {
            _ if table.name != ENTRY.name => (0, 0),
            Some([Value::Number(last)]) => (u64::try_from(*last).map_or(0, |last| last + 1), log.size),
            _ => (0, log.size),
        };
        let mut pages = Pages::new(table, begun);
        loop {
            let page = pages.next(held).await.map_err(CopyFault::Source)?;
            let Some(last) = page.last() else { break };
            let next = Place { table: table.name.to_owned(), key: key_of(table, last) };
            let moving = |place| Moving { state: State::Arriving, log: log.clone(), place };
            let (before, after) = (moving(place), moving(next));
            let change = Change { before: Some(&before), after: Some(&after), table, rows: &page };
            step::take(target, &change).await?;
            place = after.place;
            rows += page.len() as u64;
            progress(Progress { step: Step::Copying, table: table.name, rows, of });
        }
    }
    Ok(place)
}

/// Moves the log of the source to the target, or goes on with that. When this returns `Ok`, the target is the log, and
/// nobody can write to the source any more.
///
/// # Errors
/// If one of the stores does not answer, the target holds something else, or what arrived is not what was sent. Nothing
/// is lost by that, and no error leaves two stores that can be written to.
pub async fn copy(
    source: &dyn Tables,
    target: &dyn Tables,
    proof: &mut dyn Proof,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Moved, CopyFault> {
    let tables = with_rows();
    let mut held = source.session().await.map_err(CopyFault::Source)?;
    held.hold(&HEAD).await.map_err(CopyFault::Source)?;
    let (log, head, left) = log_of(held.as_mut()).await?;
    let place = match start(target, &tables, &log, left).await? {
        Start::At(place) => Some(pages(held.as_mut(), target, &tables, &log, place, &mut *progress).await?),
        Start::Done => None,
    };

    let checked = compare(held.as_mut(), target, &tables, &head, proof, progress).await;
    let arriving = place.map(|place| Moving { state: State::Arriving, log: log.clone(), place });
    let counts = match (checked, &arriving) {
        (Ok(counts), _) => counts,
        (Err(wrong @ (CopyFault::Differs { .. } | CopyFault::Proof(_))), Some(arriving)) if left => {
            give_back(held, target, arriving, &head).await?;
            return Err(wrong);
        }
        (Err(fault), _) => return Err(fault),
    };

    if !left {
        leave(held.as_mut(), &log, &head).await?;
        held.commit().await.map_err(CopyFault::Source)?;
    }
    if let Some(arriving) = &arriving {
        let change = Change { before: Some(arriving), after: None, table: &HEAD, rows: &[head] };
        step::take(target, &change).await?;
    }
    Ok(Moved { origin: log.origin, entries: log.size, tables: counts, before: arriving.is_none() })
}

async fn compare(
    held: &mut (dyn Session + '_),
    target: &dyn Tables,
    tables: &[&'static Table],
    head: &Row,
    proof: &mut dyn Proof,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<(&'static str, u64)>, CopyFault> {
    let mut session = target.session().await.map_err(CopyFault::Target)?;
    let checked = check::check(tables, held, session.as_mut(), head, proof, progress).await;
    session.abandon().await;
    checked
}

/// Closes the source for good.
async fn leave(held: &mut (dyn Session + '_), log: &Log, head: &Row) -> Result<(), CopyFault> {
    let place = Place { table: HEAD.name.to_owned(), key: head.clone() };
    let left = Moving { state: State::Left, log: log.clone(), place };
    let left = left.row().map_err(CopyFault::Source)?;
    let batch = random::bytes::<16>().map_err(|_| CopyFault::NoRandom)?;
    let write = async {
        held.clear(&HEAD).await?;
        held.insert(&HEAD, &[moving::closed(head, &batch)]).await?;
        held.insert(&MOVING, &[left]).await
    };
    write.await.map_err(CopyFault::Source)
}

/// Opens a source again that was left for a target which, as shows only now, does not hold the log. The target is spoiled
/// first: whoever else might still be about to finish it no longer finds what he left there.
async fn give_back(
    mut held: Box<dyn Session + '_>,
    target: &dyn Tables,
    arriving: &Moving,
    head: &Row,
) -> Result<(), CopyFault> {
    let mut spoiled = arriving.clone();
    spoiled.log.batch = random::bytes::<16>().map_err(|_| CopyFault::NoRandom)?.to_vec();
    let change = Change { before: Some(arriving), after: Some(&spoiled), table: &MOVING, rows: &[] };
    step::take(target, &change).await?;
    let batch = random::bytes::<16>().map_err(|_| CopyFault::NoRandom)?;
    let write = async {
        held.clear(&MOVING).await?;
        held.clear(&HEAD).await?;
        held.insert(&HEAD, &[moving::with_batch(head, &batch)]).await?;
        held.commit().await
    };
    write.await.map_err(CopyFault::Source)
}
