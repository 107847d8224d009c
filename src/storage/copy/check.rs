//! Whether what arrived is what was sent: every row of both stores is read again and compared, and the log in the target
//! is shown to whoever can recompute it.

use ring::digest::{SHA256, digest};

use super::{CopyFault, Progress, Step, page::Pages};
use crate::{
    domain::Timestamp,
    storage::{
        Shard, ShardPlace, StoreFault,
        schema::{ENTRY, HEAD, SHARD, TILE, Table},
        tables::{Row, Session, Value},
    },
};

/// Recomputes a log from what is read back. `storage` knows no Merkle tree; `audit` does.
pub trait Proof: Send {
    /// The next entry, as it stands in the target.
    ///
    /// # Errors
    /// What is wrong with it.
    fn entry(&mut self, position: u64, leaf: &[u8]) -> Result<(), String>;

    /// The next shard that is closed. Before all entries.
    ///
    /// # Errors
    /// What is wrong with it.
    fn shard(&mut self, shard: &Shard) -> Result<(), String>;

    /// A finished tile of a shard, as it stands in the target. After all entries.
    ///
    /// # Errors
    /// What is wrong with it.
    fn tile(&mut self, shard: u64, level: u8, number: u64, hashes: &[u8]) -> Result<(), String>;

    /// The head that the target is about to have. After all tiles.
    ///
    /// # Errors
    /// What of the log does not fit it.
    fn head(
        &mut self,
        place: ShardPlace,
        origin: &str,
        size: u64,
        frontier: &[u8],
        checkpoint: &str,
    ) -> Result<(), String>;
}

/// A set of rows in short, whatever their order: two stores may sort texts differently.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Digest {
    rows: u64,
    // Sums of the rows' SHA-256. Against faults, not against somebody who can write to the database: he could as well
    // wait until the copy is done.
    sums: [u64; 4],
}

impl Digest {
    fn add(&mut self, row: &Row) {
        let mut bytes = Vec::with_capacity(row.iter().map(Value::size).sum());
        row.iter().for_each(|value| value.encode(&mut bytes));
        let hash = digest(&SHA256, &bytes);
        let (parts, _) = hash.as_ref().as_chunks::<8>();
        for (sum, part) in self.sums.iter_mut().zip(parts) {
            *sum = sum.wrapping_add(u64::from_be_bytes(*part));
        }
        self.rows += 1;
    }
}

struct Columns<'a> {
    table: &'static Table,
    row: &'a Row,
}

impl Columns<'_> {
    fn value(&self, column: &str) -> Option<&Value> {
        self.row.get(self.table.column(column)?)
    }
    fn number<T: TryFrom<i64>>(&self, column: &str) -> Option<T> {
        T::try_from(self.value(column)?.as_number()?).ok()
    }
    fn bytes(&self, column: &str) -> Option<&[u8]> {
        self.value(column)?.as_bytes()
    }
    fn text(&self, column: &str) -> Option<&str> {
        self.value(column)?.as_text()
    }
    fn place(&self) -> Option<ShardPlace> {
        Some(ShardPlace { number: self.number("number")?, first: self.number("first")? })
    }
    fn shard(&self) -> Option<Shard> {
        Some(Shard {
            place: self.place()?,
            origin: self.text("origin")?.to_owned(),
            size: self.number("size")?,
            checkpoint: self.text("checkpoint")?.to_owned(),
            key: self.text("key")?.to_owned(),
            closed: Timestamp::from_millis(self.number("closed")?),
        })
    }
}

/// Shows a row of the log to the proof. Rows of other tables are compared, and prove nothing.
fn show(table: &'static Table, row: &Row, proof: &mut dyn Proof) -> Result<(), CopyFault> {
    let columns = Columns { table, row };
    let shown = if table.name == ENTRY.name {
        columns.number("position").zip(columns.bytes("leaf")).map(|(at, leaf)| proof.entry(at, leaf))
    } else if table.name == SHARD.name {
        columns.shard().map(|shard| proof.shard(&shard))
    } else if table.name == TILE.name {
        let place = columns.number("shard").zip(columns.number("level")).zip(columns.number("number"));
        let tile = place.zip(columns.bytes("hashes"));
        tile.map(|(((shard, level), number), hashes)| proof.tile(shard, level, number, hashes))
    } else if table.name == HEAD.name {
        let log = columns.place().zip(columns.text("origin")).zip(columns.number("size"));
        let state = columns.bytes("frontier").zip(columns.text("checkpoint"));
        log.zip(state).map(|(((place, origin), size), (frontier, note))| {
            proof.head(place, origin, size, frontier, note)
        })
    } else {
        Some(Ok(()))
    };
    match shown {
        Some(Ok(())) => Ok(()),
        Some(Err(wrong)) => Err(CopyFault::Proof(wrong)),
        None => Err(CopyFault::Target(StoreFault::Corrupt("a row of the log"))),
    }
}

/// Compares the tables of both stores, and shows those of the target to the proof. Gives the number of rows of each.
pub(super) async fn check(
    tables: &[&'static Table],
    source: &mut (dyn Session + '_),
    target: &mut (dyn Session + '_),
    head: &Row,
    proof: &mut dyn Proof,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Vec<(&'static str, u64)>, CopyFault> {
    let mut counts = Vec::new();
    for &table in tables {
        let (mut sent, mut arrived, mut wrong) = (Digest::default(), Digest::default(), None);
        let mut pages = Pages::new(table, None);
        loop {
            let page = pages.next(source).await.map_err(CopyFault::Source)?;
            if page.is_empty() {
                break;
            }
            page.iter().for_each(|row| sent.add(row));
        }
        let mut pages = Pages::new(table, None);
        loop {
            let page = pages.next(target).await.map_err(CopyFault::Target)?;
            if page.is_empty() {
                break;
            }
            for row in &page {
                arrived.add(row);
                // If it is not even what was sent, that is to be said, and not what follows from it.
                if wrong.is_none() {
                    wrong = show(table, row, proof).err();
                }
            }
            progress(Progress { step: Step::Checking, table: table.name, rows: arrived.rows, of: sent.rows });
        }
        if sent != arrived {
            return Err(CopyFault::Differs { table: table.name, sent: sent.rows, arrived: arrived.rows });
        }
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        counts.push((table.name, arrived.rows));
    }
    show(&HEAD, head, proof)?;
    counts.push((HEAD.name, 1));
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_rows_apart_and_their_order_not() {
        let row = |text: &str, number| vec![Value::Text(text.to_owned()), Value::Number(number)];
        let digest = |rows: &[Row]| {
            let mut digest = Digest::default();
            rows.iter().for_each(|row| digest.add(row));
            digest
        };
        let (one, two) = (row("a", 1), row("b", 2));
        assert_eq!(digest(&[one.clone(), two.clone()]), digest(&[two.clone(), one.clone()]));
        assert_ne!(digest(&[one.clone(), two]), digest(&[one.clone(), row("b", 3)]));
        assert_ne!(digest(std::slice::from_ref(&one)), digest(&[one.clone(), one]));
        assert_ne!(digest(&[row("ab", 1)]), digest(&[vec![Value::Bytes(b"ab".to_vec()), Value::Number(1)]]));
    }
}
