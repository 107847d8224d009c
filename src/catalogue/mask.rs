//! Sets of fields, with the algebra of sets. What is asked, granted, permitted and released are all masks.

use std::fmt;

use super::{ALL, Field};

/// A set of catalogue fields.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Mask(u128);

// A catalogue of more than 128 fields needs a wider set; this fails to compile then.
const _: () = assert!(ALL.len() <= 128);

impl Mask {
    /// No field.
    pub const EMPTY: Self = Self(0);

    /// Every carried field. For listings; no grant and no policy can say it.
    #[must_use]
    pub fn all() -> Self {
        ALL.into_iter().collect()
    }

    const fn bit(field: Field) -> u128 {
        1 << field as u32
    }

    /// With this field too.
    #[must_use]
    pub const fn with(self, field: Field) -> Self {
        Self(self.0 | Self::bit(field))
    }

    /// Whether it has the field.
    #[must_use]
    pub const fn has(self, field: Field) -> bool {
        self.0 & Self::bit(field) != 0
    }

    /// Fields in both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Fields in either.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Fields of this one that the other lacks.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the other has every field of this one.
    #[must_use]
    pub const fn is_subset_of(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether it has no field.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many fields it has.
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
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
