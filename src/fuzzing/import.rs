//! A file that a source imports.

use std::path::Path;

use crate::{
    catalogue::Mask,
    domain::Day,
    proto::AssessorRole,
    source::{
        adapters::{Event, Format, Import, Keys, Settings},
        reference::Statements,
    },
};

pub(super) const DAY: Day = time::macros::date!(2026 - 11 - 23);

/// A file in the format that the first byte chooses. Whether a record of it was mapped.
///
/// # Panics
/// If what comes out is not what a source reads again, or if a record is neither mapped nor refused.
pub fn import(bytes: &[u8]) -> bool {
    let Some((choice, file)) = bytes.split_first() else { return false };
    let keys = Keys::read(&b"id;bsn\na;999990019\nb;999990032\nwz-1001;999990044\n"[..]);
    let format = match (choice % 3, keys) {
        (0, Ok(Ok(keys))) => Format::Vum(keys),
        (1, _) => Format::FmlCsv,
        _ => Format::GgmCsv,
    };
    let settings = Settings {
        format,
        assessor: AssessorRole::CaseManager,
        determined_on: time::macros::date!(2026 - 09 - 14),
        today: DAY,
        only: Mask::all(),
        replace: false,
    };
    let mut refused = 0_u64;
    let tell = |event: Event<'_>| refused += u64::from(matches!(event, Event::Refused { .. }));
    let Ok(mut import) = Import::begin(settings, Path::new("/nowhere/none.json"), tell) else { return false };
    assert!(import.file("input", file).is_ok(), "bytes in memory were not read");
    let imported = import.end();
    let mut written = Vec::new();
    assert!(imported.print(&mut written).is_ok(), "statements were not printed");
    let read = Statements::parse(&written, false, DAY);
    assert!(
        read.is_ok_and(|read| read.len() == imported.clients()),
        "a source does not read what was imported"
    );
    assert!(refused > 0 || imported.is_clean(), "a record was refused without a word");
    imported.clients() > 0
}
