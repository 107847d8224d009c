//! One transaction in the target: rows, and how far the copy has come with them.

use super::{
    CopyFault,
    moving::{self, Moving},
};
use crate::storage::{
    StoreFault, TransactionName,
    schema::{HEAD, MOVING, Table},
    tables::{Row, Tables},
};

/// How often a commit may be lost in a row before somebody should look at the network.
const LOSSES: u32 = 4;

/// What a transaction finds, adds and leaves behind.
#[derive(Debug)]
pub(super) struct Change<'a> {
    /// What `moving` says before.
    pub(super) before: Option<&'a Moving>,
    /// What it says afterwards. `None` at the very end, when the row to add is the head.
    pub(super) after: Option<&'a Moving>,
    /// Table of the rows.
    pub(super) table: &'static Table,
    /// Rows to add.
    pub(super) rows: &'a [Row],
}

/// Does it, and tries again where the store asks for that. A commit that was lost is looked up: it may be there.
pub(super) async fn take(target: &dyn Tables, change: &Change<'_>) -> Result<(), CopyFault> {
    let mut lost = 0;
    let mut tries = target.counts().trying(TransactionName::Copy);
    loop {
        match tries.made(once(target, change, lost > 0).await).await {
            None => {}
            Some(Ok(true)) => return Ok(()),
            Some(Ok(false)) => return Err(CopyFault::NotAlone),
            Some(Err(StoreFault::Lost)) if lost < LOSSES => {
                lost += 1;
                tries = target.counts().trying(TransactionName::Copy);
            }
            Some(Err(fault)) => return Err(CopyFault::Target(fault)),
        }
    }
}

/// `false` if the target is not as this copy left it.
async fn once(target: &dyn Tables, change: &Change<'_>, maybe_there: bool) -> Result<bool, StoreFault> {
    let mut session = target.session().await?;
    // Nobody begins a log, and no second copy goes on, between what is looked at here and what is written.
    session.hold(&HEAD).await?;
    session.hold(&MOVING).await?;
    let now = moving::moving(session.as_mut()).await?;
    let head = moving::head(session.as_mut()).await?;
    if maybe_there && now.as_ref() == change.after {
        let expected = if change.after.is_none() { change.rows.first() } else { None };
        return Ok(head.as_ref() == expected);
    }
    if now.as_ref() != change.before || head.is_some() {
        return Ok(false);
    }
    session.insert(change.table, change.rows).await?;
    session.clear(&MOVING).await?;
    if let Some(after) = change.after {
        session.insert(&MOVING, &[after.row()?]).await?;
    }
    session.commit().await?;
    Ok(true)
}
