//! Finds entries with the same pair and kind, exactly, in bounded memory: the ids are dealt into parts, and each part has
//! a walk over the log of its own. One walk is enough for four million entries.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
};

use crate::{audit::leaf::Kind, domain::PairId};

/// Ids kept in memory at once, about.
pub const IDS_AT_ONCE: u64 = 4 << 20;

/// Ids of one part.
pub struct Seen {
    // Keyed at random, so that nobody can choose ids that fall into one part.
    deal: RandomState,
    parts: u64,
    part: u64,
    ids: HashSet<(PairId, Kind)>,
}

impl Seen {
    /// For a log of so many entries. Starts with the first part.
    pub fn new(size: u64, at_once: u64) -> Self {
        Self { deal: RandomState::new(), parts: size.div_ceil(at_once).max(1), part: 0, ids: HashSet::new() }
    }

    /// Whether this id was met before, if it is of this part.
    pub fn repeats(&mut self, pair: PairId, kind: Kind) -> bool {
        let own = self.parts == 1 || self.deal.hash_one((pair, kind)) % self.parts == self.part;
        own && !self.ids.insert((pair, kind))
    }

    /// Goes on to the next part. Whether there is one.
    pub fn next_part(&mut self) -> bool {
        self.part += 1;
        self.ids.clear();
        self.part < self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_repeat_once_over_all_parts() {
        let ids: Vec<_> = (0..100).map(|n| (PairId::random(), Kind::ALL[n % 11])).collect();
        let log: Vec<_> = ids.iter().chain(&ids[40..70]).collect();
        for at_once in [1000, 7, 1] {
            let mut seen = Seen::new(log.len() as u64, at_once);
            let mut found = 0;
            loop {
                found += log.iter().filter(|(pair, kind)| seen.repeats(*pair, *kind)).count();
                if !seen.next_part() {
                    break;
                }
            }
            assert_eq!(found, 30, "{at_once}");
        }
    }
}
