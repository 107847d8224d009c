//! Appending a batch, with the proofs of its leaves: from the old frontier and the batch alone.

use super::{Frontier, Hash, bag, levels, node_hash};

/// Complete subtrees of one level: every one that the batch completed and, where there is one, the old frontier's at
/// its left.
#[derive(Debug)]
struct Row {
    // INVARIANT: even, so that neighbours in `nodes` pair up from the start.
    first: u64,
    nodes: Vec<Hash>,
}

impl Row {
    fn at(&self, index: u64) -> Option<Hash> {
        let offset = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.nodes.get(offset).copied()
    }
}

/// A tree and the batch that was just appended to it.
#[derive(Debug)]
pub struct Extension {
    old_size: u64,
    new: Frontier,
    rows: Vec<Row>,
    /// Hash of what lies right of each complete subtree of the new tree; none for the last.
    right_of: Vec<Option<Hash>>,
}

impl Extension {
    /// Appends the hashes of a batch's leaves. Takes two hashes per leaf at most.
    #[must_use]
    pub fn new(old: &Frontier, leaves: &[Hash]) -> Self {
        let size = old.size.saturating_add(leaves.len() as u64);
        let mut rows: Vec<Row> = Vec::new();
        let mut completed = leaves.to_vec();
        // Smallest first, as the levels go up.
        let mut frontier = old.nodes.iter().rev();
        for level in 0..size.checked_ilog2().map_or(0, |top| top + 1) {
            let mut first = old.size >> level;
            let mut nodes = Vec::with_capacity(completed.len() + 1);
            if first % 2 == 1 {
                first -= 1;
                nodes.extend(frontier.next());
            }
            nodes.append(&mut completed);
            let (pairs, _) = nodes.as_chunks::<2>();
            completed = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
            rows.push(Row { first, nodes });
        }
        let nodes: Vec<Hash> = levels(size)
            .filter_map(|level| rows.get(usize::from(level))?.at((size >> level).checked_sub(1)?))
            .collect();
        let right_of = (1..=nodes.len()).map(|next| bag(nodes.get(next..).unwrap_or_default())).collect();
        Self { old_size: old.size, new: Frontier { size, nodes }, rows, right_of }
    }

    /// The frontier with the batch appended.
    #[must_use]
    pub const fn frontier(&self) -> &Frontier {
        &self.new
    }

    /// Inclusion proof of a leaf of this batch, at the new size: from the leaf's sibling up. `None` for an index that is
    /// not in the batch.
    #[must_use]
    pub fn inclusion(&self, index: u64) -> Option<Vec<Hash>> {
        if index < self.old_size || index >= self.new.size {
            return None;
        }
        let mut start = 0;
        for (place, level) in levels(self.new.size).enumerate() {
            let end = start + (1 << level);
            if index >= end {
                start = end;
                continue;
            }
            let mut path = Vec::with_capacity(64);
            for below in 0..level {
                path.push(self.rows.get(usize::from(below))?.at((index >> below) ^ 1)?);
            }
            path.extend(self.right_of.get(place).copied().flatten());
            path.extend(self.new.nodes.get(..place)?.iter().rev());
            return Some(path);
        }
        None
    }
}
