//! The words of `lexicon.txt`, found in one pass over a view however many there are.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::Detector;

const FILE: &str = include_str!("lexicon.txt");

/// From how many letters on a word is long enough to be looked for across the gaps between words, backwards and in
/// ROT13. Shorter ones would be found in texts that do not have them: `lang staan` has `angst`.
const LONG: usize = 7;

/// An entry: its letters, and at which of its ends a word must begin or end.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) detector: Detector,
    pub(super) text: String,
    begins: bool,
    ends: bool,
}

struct Automaton {
    searcher: AhoCorasick,
    entries: Vec<Entry>,
}

impl Automaton {
    #[expect(clippy::expect_used, reason = "INVARIANT: the file is compiled in; tests build this automaton")]
    fn new(entries: Vec<Entry>) -> Self {
        let searcher =
            AhoCorasick::new(entries.iter().map(|entry| &entry.text)).expect("the lexicon is small");
        Self { searcher, entries }
    }

    /// The entries found at a place where they may stand, as told by whether a gap is at an offset.
    fn find(&self, text: &str, is_gap: impl Fn(usize) -> bool, found: &mut Vec<Detector>) {
        for hit in self.searcher.find_overlapping_iter(text) {
            if let Some(entry) = self.entries.get(hit.pattern().as_usize())
                && (!entry.begins || is_gap(hit.start()))
                && (!entry.ends || is_gap(hit.end()))
            {
                found.push(entry.detector);
            }
        }
    }
}

/// Every entry of the file. `*` at an end leaves that end open.
pub(super) fn entries() -> Vec<Entry> {
    let mut section = None;
    let mut entries = Vec::new();
    for line in FILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(id) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = Detector::from_id(id);
        } else if let Some(detector) = section {
            let (begins, ends) = (!line.starts_with('*'), !line.ends_with('*'));
            entries.push(Entry { detector, text: line.trim_matches('*').to_owned(), begins, ends });
        }
    }
    entries
}

impl Entry {
    fn is_long(&self) -> bool {
        self.text.chars().filter(char::is_ascii_alphabetic).count() >= LONG
    }

    /// Read backwards.
    fn reversed(&self) -> Self {
        let text = self.text.chars().rev().collect();
        Self { text, begins: self.ends, ends: self.begins, ..self.clone() }
    }

    fn rot13(&self) -> Self {
        let turned = |c: char| match c {
            'a'..='m' => char::from_u32(c as u32 + 13).unwrap_or(c),
            'n'..='z' => char::from_u32(c as u32 - 13).unwrap_or(c),
            _ => c,
        };
        Self { text: self.text.chars().map(turned).collect(), ..self.clone() }
    }

    fn without_gaps(&self) -> Self {
        Self { text: self.text.replace(' ', ""), ..self.clone() }
    }
}

static WORDS: LazyLock<Automaton> = LazyLock::new(|| {
    let plain = entries();
    let long = plain.iter().filter(|entry| entry.is_long());
    let disguised: Vec<_> = long.flat_map(|entry| [entry.reversed(), entry.rot13()]).collect();
    Automaton::new(plain.into_iter().chain(disguised).collect())
});

static ACROSS: LazyLock<Automaton> = LazyLock::new(|| {
    Automaton::new(entries().iter().filter(|entry| entry.is_long()).map(Entry::without_gaps).collect())
});

/// Looks through a view of words.
pub(super) fn find(words: &str, found: &mut Vec<Detector>) {
    let bytes = words.as_bytes();
    let is_letter = |at: usize| bytes.get(at).is_some_and(|c| c.is_ascii_alphabetic());
    // A digit beside a letter ends a word too: `phq9`, `depressie2`.
    let is_gap = |at: usize| !at.checked_sub(1).is_some_and(is_letter) || !is_letter(at);
    WORDS.find(words, is_gap, found);
}

/// Looks for long words across all gaps: `depres-sie`, `zieken huis`. They must begin and end where words do.
pub(super) fn find_across(lower: &str, found: &mut Vec<Detector>) {
    let mut letters = String::with_capacity(lower.len());
    let mut gaps = vec![true];
    let mut is_gap = false;
    for c in lower.chars() {
        if c.is_alphanumeric() {
            if let Some(last) = gaps.last_mut() {
                *last |= is_gap;
            }
            letters.push(c);
            gaps.resize(letters.len() + 1, false);
            is_gap = false;
        } else {
            is_gap = true;
        }
    }
    if let Some(last) = gaps.last_mut() {
        *last = true;
    }
    ACROSS.find(&letters, |at| gaps.get(at).copied().unwrap_or(true), found);
}
