//! The same entries, told to three other logs: *Logboek Dataverwerkingen* ([`ldv`]), FHIR AuditEvent with the fields of
//! NEN 7513 ([`fhir`]) and the *Authorization Decision Log* ([`adl`]). `docs/records.md` maps every field.
//!
//! An entry is read once, into a [`Record`]; the three are pure functions of it. They say nothing that the log does not
//! hold, and nothing of what is sealed: no number, no user, no grant. What an outcome means to each of the three stands in
//! one place, [`Verdict::truths`].

pub mod adl;
pub mod fhir;
mod happened;
pub mod ldv;
pub mod otlp;
mod reading;
mod record;
#[cfg(test)]
mod tests;
mod truths;

pub use happened::{Act, Asked, Decided, Happened, Released};
pub use reading::{Begun, Reader};
pub use record::{Record, SpanId, TraceId};
pub use truths::{AuditOutcome, SpanStatus, Truths, Verdict};

/// What an organisation is named by in these records, followed by its OIN. To be confirmed: no published list that was seen
/// registers a URI for OINs.
const OIN_URI: &str = "urn:oin:";

/// What every name of ours in a record begins with.
const BASE: &str = "https://sluis.example";

/// A `Debug` that shows nothing, for what holds facts.
macro_rules! redacted {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    )+};
}
use redacted;
