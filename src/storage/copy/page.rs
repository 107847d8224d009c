//! A table page by page: many small rows at a time, or few large ones.

use crate::storage::{
    StoreFault,
    schema::Table,
    tables::{Row, Session, Value, key_of},
};

/// Most rows of a page.
const ROWS: u32 = 1024;
/// Rows of the first page, before anything is known of their size. An entry has 64 KiB and what stands beside it.
const FIRST: u32 = 32;
/// What a page should have, in bytes.
const BYTES: usize = 4 << 20;

/// Reads a table from some key on.
#[derive(Debug)]
pub(super) struct Pages {
    table: &'static Table,
    after: Option<Vec<Value>>,
    limit: u32,
}

impl Pages {
    pub(super) const fn new(table: &'static Table, after: Option<Vec<Value>>) -> Self {
        Self { table, after, limit: FIRST }
    }

    /// The next rows; none after the last.
    pub(super) async fn next(&mut self, session: &mut (dyn Session + '_)) -> Result<Vec<Row>, StoreFault> {
        let rows = session.read(self.table, self.after.as_deref(), self.limit).await?;
        if let Some(last) = rows.last() {
            self.after = Some(key_of(self.table, last));
            let bytes = rows.iter().flatten().map(Value::size).sum();
            self.limit = next_limit(self.limit, rows.len(), bytes);
        }
        Ok(rows)
    }
}

/// As many rows as fit into a page if they are like those before; four times as many as before at most.
fn next_limit(limit: u32, rows: usize, bytes: usize) -> u32 {
    let fit = BYTES / (bytes / rows.max(1)).max(1);
    u32::try_from(fit).unwrap_or(ROWS).clamp(1, ROWS.min(limit.saturating_mul(4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_bounded_by_rows_and_by_bytes() {
        assert_eq!(next_limit(FIRST, 32, 32 * 100), 128, "small rows: more, but not all at once");
        assert_eq!(next_limit(ROWS, 1024, 1024 * 100), ROWS);
        assert_eq!(next_limit(ROWS, 1024, 1024 * 65_536), 64, "large rows: fewer");
        assert_eq!(next_limit(64, 64, 64 * 10 * BYTES), 1, "huge rows: one");
        assert_eq!(next_limit(1, 1, 100), 4);
    }
}
