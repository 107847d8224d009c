//! Sets of fields, with the algebra of sets. What is asked, granted, permitted and released are all masks.

use std::fmt;

use super::{ALL, Field};

const WORDS: usize = ALL.len().div_ceil(64);

/// A set of catalogue fields: a bit for each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mask([u64; WORDS]);

#[expect(
    clippy::indexing_slicing,
    reason = "INVARIANT: a field's number is below ALL.len(), and the loops end at WORDS; arrays have no `get` in const"
)]
impl Mask {
    /// No field.
    pub const EMPTY: Self = Self([0; WORDS]);

    /// Every carried field. For listings; no grant and no policy can say it.
    #[must_use]
    pub fn all() -> Self {
        ALL.into_iter().collect()
    }

    /// With this field too.
    #[must_use]
    pub const fn with(mut self, field: Field) -> Self {
        self.0[field as usize / 64] |= 1 << (field as usize % 64);
        self
    }

    /// Whether it has the field.
    #[must_use]
    pub const fn has(self, field: Field) -> bool {
        self.0[field as usize / 64] & 1 << (field as usize % 64) != 0
    }

    /// Fields in both.
    #[must_use]
    pub const fn and(mut self, other: Self) -> Self {
        let mut word = 0;
        while word < WORDS {
            self.0[word] &= other.0[word];
            word += 1;
        }
        self
    }

    /// Fields in either.
    #[must_use]
    pub const fn or(mut self, other: Self) -> Self {
        let mut word = 0;
        while word < WORDS {
            self.0[word] |= other.0[word];
            word += 1;
        }
        self
    }

    /// Fields of this one that the other lacks.
    #[must_use]
    pub const fn minus(mut self, other: Self) -> Self {
        let mut word = 0;
        while word < WORDS {
            self.0[word] &= !other.0[word];
            word += 1;
        }
        self
    }

    /// Whether the other has every field of this one.
    #[must_use]
    pub const fn is_subset_of(self, other: Self) -> bool {
        self.minus(other).is_empty()
    }

    /// Whether it has no field.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// How many fields it has.
    #[must_use]
    pub const fn len(self) -> usize {
        let (mut word, mut count) = (0, 0);
        while word < WORDS {
            count += self.0[word].count_ones() as usize;
            word += 1;
        }
        count
    }

    /// Its fields, in the order of the catalogue.
    pub fn iter(self) -> impl Iterator<Item = Field> {
        ALL.into_iter().filter(move |field| self.has(*field))
    }
}

impl FromIterator<Field> for Mask {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        fields.into_iter().fold(Self::EMPTY, Self::with)
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|field| field.entry().code)).finish()
    }
}
