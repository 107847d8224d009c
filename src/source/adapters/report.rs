//! What an import says afterwards: counts, codes, places and known names. No text and no value of the input is in it.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use serde_json::{Value, json};

use super::{
    fault::{Place, Reason, Refusal},
    record::NotCarried,
};
use crate::catalogue::{Field, Mask};

/// Places that are named for one reason; of the others, the number.
const NAMED: usize = 20;

/// What became of one file.
#[derive(Clone, Debug, Default)]
pub struct FileReport {
    /// The file as the command line names it.
    pub name: String,
    /// Records that were read.
    pub read: u64,
    /// Records that were mapped and stand.
    pub mapped: u64,
    /// What is wrong with the file itself. Then nothing of it stands.
    pub broken: Option<Refusal>,
    codes: BTreeMap<Field, u64>,
    refused: BTreeMap<Reason, (u64, Vec<Place>)>,
    not_carried: BTreeMap<(String, NotCarried), u64>,
}

impl FileReport {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn refuse(&mut self, refusal: &Refusal) {
        let (count, places) = self.refused.entry(refusal.reason).or_default();
        *count += 1;
        if places.len() < NAMED {
            places.push(refusal.place.clone());
        }
    }

    pub(super) fn not_carried(&mut self, field: &str, why: NotCarried) {
        match self.not_carried.get_mut(&(field.to_owned(), why)) {
            Some(count) => *count += 1,
            None => drop(self.not_carried.insert((field.to_owned(), why), 1)),
        }
    }

    pub(super) fn map(&mut self, fields: Mask) {
        self.mapped += 1;
        for field in fields.iter() {
            *self.codes.entry(field).or_default() += 1;
        }
    }

    /// Records that were refused, each of them as a whole.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.read.saturating_sub(self.mapped)
    }

    /// Whether everything in it was mapped.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.broken.is_none() && self.refused() == 0
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        let codes = self.codes.iter().map(|(field, count)| (field.entry().code.to_owned(), json!(count)));
        let refused = self.refused.iter().map(|(reason, (count, _))| {
            json!({ "reason": reason.id(), "says": reason.to_string(), "records": count })
        });
        let left = self
            .not_carried
            .iter()
            .map(|((field, why), count)| json!({ "field": field, "why": why.as_str(), "filled": count }));
        json!({
            "file": self.name,
            "read": self.read,
            "mapped": self.mapped,
            "refused": self.refused(),
            "broken": self.broken.as_ref().map(|refusal| refusal_json(&self.name, refusal)),
            "codes": codes.collect::<serde_json::Map<_, _>>(),
            "reasons": refused.collect::<Vec<_>>(),
            "not_carried": left.collect::<Vec<_>>(),
        })
    }
}

/// A refusal as JSON.
#[must_use]
pub fn refusal_json(file: &str, refusal: &Refusal) -> Value {
    json!({
        "file": file,
        "record": (refusal.place.record > 0).then_some(refusal.place.record),
        "line": refusal.place.line,
        "field": refusal.place.field,
        "reason": refusal.reason.id(),
        "says": refusal.reason.to_string(),
    })
}

impl fmt::Display for FileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        writeln!(
            text,
            "{}: {} records read, {} mapped, {} refused",
            self.name,
            self.read,
            self.mapped,
            self.refused()
        )?;
        if let Some(broken) = &self.broken {
            writeln!(text, "  nothing of this file is used: {broken}")?;
        }
        if !self.codes.is_empty() {
            let codes = self.codes.iter().map(|(field, count)| format!("{} {count}", field.entry().code));
            writeln!(text, "  mapped: {}", codes.collect::<Vec<_>>().join(", "))?;
        }
        for (reason, (count, places)) in &self.refused {
            writeln!(text, "  {count} refused: {reason}")?;
            for place in places {
                writeln!(text, "    {place}")?;
            }
            let more = count.saturating_sub(u64::try_from(places.len()).unwrap_or(u64::MAX));
            if more > 0 {
                writeln!(text, "    and {more} more")?;
            }
        }
        for ((field, why), count) in &self.not_carried {
            writeln!(text, "  not carried: {}: {field} ({count})", why.as_str())?;
        }
        f.write_str(text.trim_end())
    }
}
