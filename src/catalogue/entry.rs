//! What the catalogue says of its groups, fields and lists; the tables themselves are generated.

use super::{Field, Mask};

/// How revealing a field is (gevoeligheid).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sensitivity {
    /// Ordinary personal data.
    S0,
    /// Health data by inference; granted within its group.
    S1,
    /// Strongly revealing; needs a tick of its own.
    S2,
}

impl Sensitivity {
    /// `S0`, `S1` or `S2`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::S0 => "S0",
            Self::S1 => "S1",
            Self::S2 => "S2",
        }
    }
}

/// A group of fields (rubriek).
#[derive(Debug)]
pub struct Group {
    /// Path in `WorkCapacity`, `working_hours`.
    pub name: &'static str,
    /// Field number in `WorkCapacity`.
    pub number: u32,
    /// Code, `WT`.
    pub code: &'static str,
    /// Dutch label.
    pub label_nl: &'static str,
    /// English label.
    pub label_en: &'static str,
    pub(super) first: Field,
    pub(super) last: Field,
}

impl Group {
    /// Its fields, in the order of the catalogue.
    pub fn fields(&self) -> impl Iterator<Item = Field> {
        let (first, last) = (self.first as usize, self.last as usize);
        super::ALL.into_iter().skip(first).take(last - first + 1)
    }

    /// Its fields as a set.
    #[must_use]
    pub fn mask(&self) -> Mask {
        self.fields().collect()
    }
}

/// What the catalogue says of one field.
#[derive(Debug)]
pub struct Entry {
    /// Stable code, `WT-02`.
    pub code: &'static str,
    /// Path in `WorkCapacity`, `working_hours.hours_per_day`.
    pub path: &'static str,
    /// Path of its group, `working_hours`.
    pub group: &'static str,
    /// Field number in the message of its group.
    pub number: u32,
    /// Dutch label.
    pub label_nl: &'static str,
    /// English label.
    pub label_en: &'static str,
    /// What it means, in Dutch.
    pub definition_nl: &'static str,
    /// What it means, in English.
    pub definition_en: &'static str,
    /// Instrument or law it comes from.
    pub origin: &'static str,
    /// ICF tags, or empty.
    pub icf: &'static str,
    /// How revealing it is.
    pub sensitivity: Sensitivity,
    /// The set that policies speak of.
    pub field_set: &'static str,
    /// Unit of a number, or empty.
    pub unit: &'static str,
    /// What its values look like.
    pub form: Form,
}

/// What the values of a field look like. There is no form for text (R04).
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// One code of a list.
    Code(&'static List),
    /// Codes of a list, in its order, each at most once.
    Codes(&'static List),
    /// A whole number within these bounds, both included.
    Number {
        /// Lowest.
        min: i32,
        /// Highest.
        max: i32,
    },
    /// Yes or no.
    YesNo,
    /// A calendar day.
    Day,
    /// An organisation by its number, in the envelope of an answer.
    Organisation,
    /// Several values that belong together, at most this many times.
    Parts {
        /// What each consists of.
        parts: &'static [Part],
        /// How many there can be.
        most: usize,
    },
}

/// A part of a composite value.
#[derive(Debug)]
pub struct Part {
    /// Name in its message.
    pub name: &'static str,
    /// What it means, in English with the Dutch term.
    pub definition_en: &'static str,
    /// What its values look like.
    pub form: Form,
}

/// A code list (codelijst).
#[derive(Debug)]
pub struct List {
    /// Name of the enum.
    pub name: &'static str,
    /// What it lists, in English.
    pub definition_en: &'static str,
    /// Its values, by number from 1. Number 0 is "not stated" everywhere and no value.
    pub values: &'static [Coded],
}

impl List {
    /// The value with this number.
    #[must_use]
    pub fn value(&self, number: i32) -> Option<&'static Coded> {
        self.values.iter().find(|value| value.number == number)
    }

    /// The value with this code in the instrument that the list comes from.
    #[must_use]
    pub fn by_instrument_code(&self, code: &str) -> Option<&'static Coded> {
        self.values.iter().find(|value| !code.is_empty() && value.instrument_code == code)
    }
}

/// A value of a code list (codewaarde).
#[derive(Debug)]
pub struct Coded {
    /// Number on the wire.
    pub number: i32,
    /// Name without the prefix of its list, `ABOUT_FOUR`.
    pub name: &'static str,
    /// Dutch label.
    pub label_nl: &'static str,
    /// English label.
    pub label_en: &'static str,
    /// Code in the instrument that the list comes from, or empty.
    pub instrument_code: &'static str,
}

/// A row of the catalogue that is no field.
#[derive(Debug)]
pub struct LeftOut {
    /// Code, which no field can ever have.
    pub code: &'static str,
    /// Dutch label.
    pub label_nl: &'static str,
    /// English label.
    pub label_en: &'static str,
    /// Why, in Dutch.
    pub reason_nl: &'static str,
    /// Why, in English.
    pub reason_en: &'static str,
}
