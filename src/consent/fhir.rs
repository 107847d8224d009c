//! FHIR R4 Consent (HL7, IHE Privacy Consent on FHIR 1.1): what a GGZ system holds becomes a draft of a form, and a form
//! becomes what a FHIR store can hold. `docs/fhir.md` maps each member.
//!
//! FHIR is a way in and out, not the record: what is signed and decided on stays the form and its grants. What has no
//! place on the other side is reported by its path, never by its content; what is unclear is refused.

mod coding;
mod draft;
mod elements;
mod export;
mod import;
mod loss;
mod model;
mod node;
mod provision;
mod resources;
mod terms;

use serde_json::Value;

pub use loss::{FhirFault, Loss, LossReport};

use crate::domain::Bsn;

/// Turns a Consent, or a Bundle with exactly one, into a draft of a form: what `sluis consent record` starts from.
///
/// The draft is not checked against registers or policies: recording does that.
///
/// # Errors
/// Names the FHIR path and what would be accepted there. Nothing of the input is repeated.
pub fn import(resource: &Value) -> Result<(Value, LossReport), FhirFault> {
    let mut report = LossReport::default();
    let (form, bsn) = import::form(resource, &mut report)?;
    Ok((form.to_draft(&bsn), report))
}

/// Turns a recorded form, as the service gives it in JSON, into a Bundle of one Consent.
///
/// A record does not hold the client's number. With `bsn`, which the caller knew already when he asked for the form, the
/// Patient has it; without, the Patient is masked. Grants that are not in force are denied in it, never permitted.
///
/// # Errors
/// Names the member and what would be accepted there. Nothing of the input is repeated.
pub fn export(consent: &Value, bsn: Option<&Bsn>) -> Result<(Value, LossReport), FhirFault> {
    let mut report = LossReport::default();
    let form = draft::read_record(consent, bsn, &mut report)?;
    Ok((export::bundle(&form), report))
}

/// Turns a draft into the Bundle that [`import()`] reads the same draft from: a model of what to send.
///
/// # Errors
/// Names the member and what would be accepted there. Nothing of the input is repeated.
pub fn export_draft(draft: &Value) -> Result<(Value, LossReport), FhirFault> {
    let mut report = LossReport::default();
    let form = draft::read_draft(draft, &mut report)?;
    Ok((export::bundle(&form), report))
}

#[cfg(test)]
mod tests;
