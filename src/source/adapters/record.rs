//! What an adapter makes of a record, and who takes it in.

use super::{
    draft::Draft,
    fault::{Place, Refusal},
};
use crate::domain::Bsn;

/// A record that was read.
#[derive(Debug)]
pub(super) struct Record {
    /// Where it begins.
    pub(super) place: Place,
    /// The client, where it could be read.
    pub(super) client: Option<Bsn>,
    /// What it says, or why it is refused.
    pub(super) outcome: Result<Draft, Refusal>,
}

/// Why a known field is not carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotCarried {
    /// Free text or a name.
    FreeText,
    /// An address or a number at which somebody can be reached.
    Contact,
    /// Known, and not in the catalogue.
    NotInCatalogue,
}

impl NotCarried {
    /// As the report says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FreeText => "free text",
            Self::Contact => "contact",
            Self::NotInCatalogue => "not in the catalogue",
        }
    }
}

/// Takes in what an adapter reads.
pub(super) trait Intake {
    /// A record that is complete.
    fn record(&mut self, record: Record);

    /// A field that is filled in and not carried, by its name in the format.
    fn not_carried(&mut self, field: &str, why: NotCarried);
}
