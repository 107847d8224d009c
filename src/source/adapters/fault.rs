//! Why a record or a file is refused, and where. Nothing here holds a text of the input: places are made of known names
//! and of numbers, reasons are words of this program.

use std::fmt;

use crate::domain::bsn::BsnFault;

/// Why a record is refused. A record with one of these is refused as a whole: unmapped input is never guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// A name, or an item of the FML, that the format does not have.
    Unknown,
    /// Something that the catalogue never carries: the code of its row, `DH-02`.
    NeverCarried(&'static str),
    /// A value outside its list.
    NotACode,
    /// A number outside its range.
    OutOfRange,
    /// Another type, or another shape, than the format has here.
    Type,
    /// Not a calendar day, `2026-11-23`.
    NotADay,
    /// Not a postcode of four digits and two letters.
    NotAPostcode,
    /// A number of the SBI that is in no section.
    NoSection,
    /// A number of the SBI that lost a zero in front or did not, in different sections.
    TwoSections,
    /// The same value is given twice, or two values where one can be.
    Twice,
    /// Parts that belong together are not all there.
    Incomplete,
    /// No client is named.
    NoClient,
    /// The client's key is not in the file of keys.
    NoKey,
    /// The client's number is not a BSN.
    Bsn(&'static str),
    /// The client has another record in this import. Both are refused: neither is known to be the right one.
    OtherRecord,
    /// The statements hold this group of the client already, and `--replace` was not given.
    Held,
    /// Nothing in it has a place in the catalogue, or in the groups that are taken.
    Nothing,
    /// The catalogue refuses the value.
    Catalogue(&'static str),
    /// A detector found something that must not enter: its id.
    Detected(&'static str),
    /// A line is too long.
    TooLong,
    /// A line or text is not UTF-8.
    NotUtf8,
    /// A line's quotes do not match. A cell cannot hold a line break.
    Quotes,
    /// A line has more or fewer cells than the header.
    Cells,
    /// A line beside it cannot be read and may belong to it.
    Beside,
    /// A header without this column.
    NoColumn(&'static str),
    /// A header that names a column twice.
    ColumnTwice,
    /// Not a JSON list of objects, as far as it was read.
    NotAList,
}

impl From<BsnFault> for Reason {
    fn from(fault: BsnFault) -> Self {
        Self::Bsn(match fault {
            BsnFault::Length => "does not have nine digits",
            BsnFault::NotDigits => "does not consist of digits",
            BsnFault::AllZeros => "consists of zeros",
            BsnFault::Elfproef => "does not pass the elfproef",
        })
    }
}

impl Reason {
    /// A stable word for programs.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NeverCarried(_) => "never_carried",
            Self::NotACode => "not_a_code",
            Self::OutOfRange => "out_of_range",
            Self::Type => "wrong_type",
            Self::NotADay => "not_a_day",
            Self::NotAPostcode => "not_a_postcode",
            Self::NoSection => "no_section",
            Self::TwoSections => "two_sections",
            Self::Twice => "twice",
            Self::Incomplete => "incomplete",
            Self::NoClient => "no_client",
            Self::NoKey => "no_key",
            Self::Bsn(_) => "not_a_bsn",
            Self::OtherRecord => "other_record",
            Self::Held => "held",
            Self::Nothing => "nothing",
            Self::Catalogue(_) => "catalogue",
            Self::Detected(_) => "detected",
            Self::TooLong => "too_long",
            Self::NotUtf8 => "not_utf8",
            Self::Quotes => "quotes",
            Self::Cells => "cells",
            Self::Beside => "beside",
            Self::NoColumn(_) => "no_column",
            Self::ColumnTwice => "column_twice",
            Self::NotAList => "not_a_list",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverCarried(code) => return write!(f, "is never carried ({code})"),
            Self::Catalogue(fault) | Self::Bsn(fault) => fault,
            Self::Detected(detector) => return write!(f, "sets off the detector {detector}"),
            Self::NoColumn(column) => return write!(f, "has no column `{column}`"),
            Self::Unknown => "is not known here",
            Self::NotACode => "is not a code of its list",
            Self::OutOfRange => "is out of its range",
            Self::Type => "is not what the format has here",
            Self::NotADay => "is not a calendar day",
            Self::NotAPostcode => "is not a postcode",
            Self::NoSection => "is in no section of the SBI",
            Self::TwoSections => "can be read in two sections of the SBI",
            Self::Twice => "is given twice",
            Self::Incomplete => "lacks a part that belongs to it",
            Self::NoClient => "names no client",
            Self::NoKey => "is not among the keys",
            Self::OtherRecord => "is about a client with another record in this import",
            Self::Held => "is held already of this client; --replace replaces it",
            Self::Nothing => "holds nothing to carry",
            Self::TooLong => "is too long",
            Self::NotUtf8 => "is not UTF-8",
            Self::Quotes => "has quotes that do not match",
            Self::Cells => "has not as many cells as the header",
            Self::Beside => "stands beside a line that cannot be read and may belong to it",
            Self::ColumnTwice => "names a column twice",
            Self::NotAList => "is not a JSON list of objects",
        })
    }
}

/// Where something stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Number of the record, from 1; 0 for the file itself.
    pub record: u64,
    /// Line of a CSV file, from 1.
    pub line: Option<u64>,
    /// Column, path or field, in known names and numbers.
    pub field: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.record, self.line) {
            (0, None) => f.write_str("file")?,
            (0, Some(line)) => write!(f, "line {line}")?,
            (record, None) => write!(f, "record {record}")?,
            (record, Some(line)) => write!(f, "record {record}, line {line}")?,
        }
        self.field.as_ref().map_or(Ok(()), |field| write!(f, ", {field}"))
    }
}

/// A record that is refused, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Where.
    pub place: Place,
    /// Why.
    pub reason: Reason,
}

impl Refusal {
    pub(super) const fn of_file(line: Option<u64>, field: Option<String>, reason: Reason) -> Self {
        Self { place: Place { record: 0, line, field }, reason }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.place, self.reason)
    }
}
