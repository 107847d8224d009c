//! Imports as a whole: a text goes in, statements and a report come out.

mod any;
mod bad;
mod files;
mod fml;
mod ggm;
mod vum;

use std::path::Path;

use serde_json::Value;

use super::{Event, Format, Import, Imported, Keys, Refusal, Settings};
use crate::{catalogue::Mask, domain::Day, proto};

pub(super) const TODAY: Day = time::macros::date!(2026 - 11 - 23);
pub(super) const ANNE: &str = "999990019";
pub(super) const BERT: &str = "999990032";

/// Settings with this format; `a` and `b` are the keys of the two clients.
fn settings(format: &str) -> Settings {
    let keys = format!("id;bsn\na;{ANNE}\nb;{BERT}\n");
    Settings {
        format: match format {
            "vum" => Format::Vum(Keys::read(keys.as_bytes()).unwrap().unwrap()),
            "fml" => Format::FmlCsv,
            _ => Format::GgmCsv,
        },
        assessor: proto::AssessorRole::CaseManager,
        determined_on: time::macros::date!(2026 - 09 - 14),
        today: TODAY,
        only: Mask::all(),
        replace: false,
    }
}

/// Imports a text into this file. Gives what was refused and what it came to.
fn import_into(path: &Path, settings: Settings, text: &[u8]) -> (Vec<Refusal>, Imported) {
    let mut refusals = Vec::new();
    let tell = |event: Event<'_>| {
        if let Event::Refused { refusal, .. } = event {
            refusals.push(refusal.clone());
        }
    };
    let mut import = Import::begin(settings, path, tell).unwrap();
    import.file("input", text).unwrap();
    let imported = import.end();
    (refusals, imported)
}

/// Imports a text into nothing. Gives the statements that come of it.
fn import(format: &str, text: &str) -> (Vec<Refusal>, Imported, Value) {
    let (refusals, imported) =
        import_into(Path::new("/nowhere/none.json"), settings(format), text.as_bytes());
    let mut written = Vec::new();
    imported.held.print(&mut written).unwrap();
    (refusals, imported, serde_json::from_slice(&written).unwrap())
}

/// What one client's statement says at this path after an import in which nothing was refused.
fn said(format: &str, text: &str, path: &str) -> Value {
    let (refusals, _, written) = import(format, text);
    assert!(refusals.is_empty(), "{text}: {refusals:?}");
    let mut value = &written[0]["work_capacity"];
    for part in path.split('.') {
        value = &value[part];
    }
    value.clone()
}
