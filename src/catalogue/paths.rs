//! Masks as field mask paths (towards requesters) and as codes (on grants, towards sources, in the log). The normal form
//! of both is one path or code per field, in the order of the catalogue.

use super::{Field, Mask, groups};
use crate::tripwire::{Detector, Expected, scan};

/// A path or code that is not in the catalogue. Its place is told, not its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathFault {
    /// Which one, counted from 0.
    pub index: usize,
    /// Whether it reads as a question about something medical (R22).
    pub medical: bool,
}

/// The fields that these paths name: a field, or a whole group.
///
/// # Errors
/// Tells which path names neither.
pub fn from_paths<S: AsRef<str>>(paths: &[S]) -> Result<Mask, PathFault> {
    let mut mask = Mask::EMPTY;
    for (index, path) in paths.iter().enumerate() {
        let path = path.as_ref();
        if let Some(field) = Field::from_path(path) {
            mask = mask.with(field);
        } else if let Some(group) = groups().iter().find(|group| group.name == path) {
            mask = mask.or(group.mask());
        } else {
            return Err(PathFault { index, medical: looks_medical(path) });
        }
    }
    Ok(mask)
}

/// One path per field, in the order of the catalogue.
#[must_use]
pub fn to_paths(mask: Mask) -> Vec<String> {
    mask.iter().map(|field| field.entry().path.to_owned()).collect()
}

/// The fields with these codes. Groups and wildcards are no codes: a grant names each field (R06).
///
/// # Errors
/// Tells which one is no code of a carried field.
pub fn from_codes<S: AsRef<str>>(codes: &[S]) -> Result<Mask, PathFault> {
    let mut mask = Mask::EMPTY;
    for (index, code) in codes.iter().enumerate() {
        let field = Field::from_code(code.as_ref())
            .ok_or_else(|| PathFault { index, medical: looks_medical(code.as_ref()) })?;
        mask = mask.with(field);
    }
    Ok(mask)
}

/// One code per field, in the order of the catalogue.
#[must_use]
pub fn codes(mask: Mask) -> Vec<&'static str> {
    mask.iter().map(|field| field.entry().code).collect()
}

/// Whether a path or code that is not ours reads as a question about something medical, so that it is answered with the
/// route to a physician (R22) and not with a bare "unknown field".
fn looks_medical(text: &str) -> bool {
    scan(text, Expected::Text).is_some_and(Detector::is_medical)
}
