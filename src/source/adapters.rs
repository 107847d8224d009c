//! Adapters at the source (aanlevering): from what a source's own systems export to statements in codes of the
//! catalogue. Mapping happens here, at the source, and never in the gateway.
//!
//! A record is mapped as a whole or refused as a whole. What has no place in the catalogue is refused, unless it is
//! known not to be carried; then it is not read beyond whether it is filled in. Every string passes the guard first.

mod draft;
mod fault;
mod fml;
mod ggm;
mod guard;
mod held;
mod import;
mod keys;
mod lines;
mod record;
mod report;
mod sbi;
mod table;
#[cfg(test)]
mod tests;
mod vum;

pub use self::{
    fault::{Place, Reason, Refusal},
    held::HeldFault,
    import::{Event, Format, Import, Imported, Settings},
    keys::Keys,
    record::NotCarried,
    report::{FileReport, refusal_json},
};
