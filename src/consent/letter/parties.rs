//! Whom a letter sends the client to: each organisation once.

use super::{Letter, Party};

/// Where the client can stop.
pub(super) struct StopAt<'a> {
    pub(super) party: &'a Party,
    /// Whether it can end all that the client agreed to. A source can end only what it is the source of.
    pub(super) all: bool,
}

/// The recorder first, then each source that is another organisation.
pub(super) fn stop_at(letter: &Letter) -> Vec<StopAt<'_>> {
    let sources = letter.items.iter().map(|item| &item.source);
    let each = |party| StopAt {
        party,
        all: party == &letter.recorder || letter.items.iter().all(|item| &item.source == party),
    };
    once([&letter.recorder].into_iter().chain(sources), |party| party).into_iter().map(each).collect()
}

/// Everybody whom the letter names, to ask what was asked and told.
pub(super) fn contacts(letter: &Letter) -> Vec<&Party> {
    once(all(letter), |party| (&party.name, &party.contact_role, &party.contact_phone))
}

/// The same, by where to complain: two organisations can have one place for it, and their names both matter.
pub(super) fn complaints(letter: &Letter) -> Vec<&Party> {
    once(all(letter), |party| (&party.name, &party.complaint))
}

/// Who got an answer, or may get one.
pub(super) fn recipients(letter: &Letter) -> Vec<&Party> {
    once(letter.items.iter().map(|item| &item.recipient), |party| (&party.name, &party.contact_phone))
}

fn all(letter: &Letter) -> impl Iterator<Item = &Party> {
    let sources = letter.items.iter().map(|item| &item.source);
    let recipients = letter.items.iter().map(|item| &item.recipient);
    let refused = letter.refused.iter().flat_map(|refused| [&refused.source, &refused.recipient]);
    [&letter.recorder].into_iter().chain(sources).chain(recipients).chain(refused)
}

fn once<'a, K: PartialEq>(
    parties: impl Iterator<Item = &'a Party>,
    key: impl Fn(&'a Party) -> K,
) -> Vec<&'a Party> {
    let mut found: Vec<&Party> = Vec::new();
    for party in parties {
        if !found.iter().any(|other| key(other) == key(party)) {
            found.push(party);
        }
    }
    found
}
