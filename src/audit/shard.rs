//! Shards: a log is one for each year, and one more for each time it has to begin anew. Each is a log of its own, with a name,
//! a tree and a key of its own; the first entry of one names the last checkpoint of the one before.

use std::fmt;

use serde_json::{Value, json};

use super::{b64, checkpoint::Checkpoint, tree::Hash};
use crate::note::Note;

/// Why a shard follows another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The year is over.
    Year,
    /// A new key was asked for.
    Rotation,
    /// The key of the one before is lost, so that it could not be sealed.
    KeyLost,
    /// The database was put back from an older copy: some of what was signed before may be missing.
    Restored,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::Year, Self::Rotation, Self::KeyLost, Self::Restored];

    /// Its code, in the facts of `seal` and `genesis`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Rotation => "rotation",
            Self::KeyLost => "key_lost",
            Self::Restored => "restored",
        }
    }

    /// The reason of this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code)
    }

    /// Whether the shard before has a seal, and has announced the key of the next.
    #[must_use]
    pub const fn in_order(self) -> bool {
        matches!(self, Self::Year | Self::Rotation)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether this is the name of a shard of the log of this name.
#[must_use]
pub fn is_of(origin: &str, name: &str) -> bool {
    origin.strip_prefix(name).is_some_and(|rest| rest.starts_with('/') && parse(rest).is_some())
}

/// The name of the log that a shard is of.
#[must_use]
pub fn log_name(origin: &str) -> Option<&str> {
    origin.rsplit_once('/').map(|(name, _)| name)
}

/// The year in the name of a shard.
#[must_use]
pub fn year(origin: &str) -> Option<i32> {
    parse(origin.get(origin.rfind('/')?..)?)
}

/// The year of `/2026` or `/2026.2`.
fn parse(rest: &str) -> Option<i32> {
    let rest = rest.strip_prefix('/')?;
    let (year, nth) = rest.split_once('.').map_or((rest, None), |(year, nth)| (year, Some(nth)));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let second = nth.is_none_or(|nth| plain(nth) && nth.parse().is_ok_and(|nth: u32| nth >= 2));
    year.parse().ok().filter(|_| plain(year) && second)
}

/// The name of the next shard: of its year, and with a number where that is not the first one of it.
#[must_use]
pub fn name(log: &str, year: i32, is_taken: impl Fn(&str) -> bool) -> String {
    let first = format!("{log}/{year}");
    if !is_taken(&first) {
        return first;
    }
    let numbered = |nth: u32| format!("{log}/{year}.{nth}");
    (2..).map(numbered).find(|name| !is_taken(name)).unwrap_or(first)
}

/// What a signed checkpoint says, for the first entry of the next shard. `None` if it is none. The signature is for whoever
/// has the key.
#[must_use]
pub fn told(note: &str) -> Option<(Checkpoint, Value)> {
    let checkpoint = Checkpoint::parse(Note::parse(note).ok()?.unverified_text()).ok()?;
    let told = json!({
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": b64::encode(&checkpoint.root),
        "checkpoint": note,
    });
    Some((checkpoint, told))
}

/// What the first entry of a shard says of the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Previous {
    /// Its name.
    pub origin: String,
    /// Number of its entries.
    pub size: u64,
    /// Root of its tree.
    pub root: Hash,
    /// Its last checkpoint, signed.
    pub checkpoint: String,
    /// Why it is followed.
    pub reason: Reason,
}

impl Previous {
    /// Reads it from the facts of a `genesis`. `Ok(None)` in the first shard of a log.
    ///
    /// # Errors
    /// If the facts name a previous shard in another form, or not the same as its checkpoint says.
    pub fn read(facts: &Value) -> Result<Option<Self>, NotPrevious> {
        let Some(previous) = facts.get("previous") else { return Ok(None) };
        let read = || {
            let reason = Reason::parse(facts.get("reason")?.as_str()?)?;
            let note = previous.get("checkpoint")?.as_str()?;
            let (checkpoint, told) = told(note)?;
            let Checkpoint { origin, size, root } = checkpoint;
            (told == *previous).then(|| Self { origin, size, root, checkpoint: note.to_owned(), reason })
        };
        read().map(Some).ok_or(NotPrevious)
    }
}

/// What is said of the previous shard is not in its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what it says of the shard before is not in its form")]
pub struct NotPrevious;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_has_one_name_and_further_ones_where_it_takes_more() {
        let name = |taken: &[&str]| super::name("test.example/noord", 2027, |name| taken.contains(&name));
        assert_eq!(name(&["test.example/noord/2026"]), "test.example/noord/2027");
        assert_eq!(name(&["test.example/noord/2027"]), "test.example/noord/2027.2");
        let two = ["test.example/noord/2027", "test.example/noord/2027.2"];
        assert_eq!(name(&two), "test.example/noord/2027.3");
        for (origin, of) in [
            ("test.example/noord/2026", Some(2026)),
            ("test.example/noord/2026.12", Some(2026)),
            ("test.example/noord/2026.1", None),
            ("test.example/noord/2026.02", None),
            ("test.example/noord/02026", None),
            ("test.example/noord/+2026", None),
            ("test.example/noord/", None),
            ("test.example/noord", None),
        ] {
            assert_eq!(year(origin), of, "{origin}");
            assert_eq!(is_of(origin, "test.example/noord"), of.is_some(), "{origin}");
            assert!(!is_of(origin, "test.example"), "{origin}");
        }
    }
}
