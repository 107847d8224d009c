//! The tripwire (struikeldraad): recognises medical and identifying content in a text, whatever it is dressed up as.
//!
//! It is no proof. What keeps such content out are types that have no place for it (P03); this stands where text is
//! still read: what an adapter takes in, the files of the register, a path that is in no catalogue (R22). A hit is a
//! [`Detector`] and nothing else, so that nobody can print what was found.
//!
//! A text is looked at in several views (`views`), each once, against `patterns` and the `lexicon`, and so is
//! what it decodes to (`decode`).

mod decode;
mod detector;
mod digits;
mod expected;
mod lexicon;
mod patterns;
mod plain;
mod views;

pub use detector::Detector;
pub use expected::Expected;

/// The longest text that is read to its end, in characters. What is longer is a hit by itself.
const MAX_CHARS: usize = 4096;

/// How many layers of encoding are taken off.
const MAX_DEPTH: u8 = 2;

/// What the text holds that must not pass: the most telling hit, in the order of [`Detector`]. `None` is no proof that
/// it holds nothing.
#[must_use]
pub fn scan(text: &str, expected: Expected) -> Option<Detector> {
    if expected.is_met_by(text) {
        return None;
    }
    let (read, too_long) = match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => (text.get(..end).unwrap_or_default(), Some(Detector::TooLong)),
        None => (text, None),
    };
    let mut found = Vec::new();
    look(read, 0, &mut found);
    found.into_iter().chain(too_long).filter(|detector| !expected.allows(*detector)).min()
}

fn look(text: &str, depth: u8, found: &mut Vec<Detector>) {
    // What a wrong guess at an encoding yields has odd characters; that says nothing.
    if depth == 0 {
        found.extend(plain::odd_characters(text));
    }
    let plain = plain::fold(text);
    let lower = plain.to_lowercase();
    patterns::find(&lower, found);
    for view in views::of_words(&plain, &lower) {
        lexicon::find(&view, found);
    }
    lexicon::find_across(&lower, found);
    lexicon::find(&views::joined_words(&lower), found);
    for codes in views::joined_codes(&lower) {
        patterns::find(&codes, found);
    }
    // Codes are case-sensitive in base64 only, and invisible characters may split that too.
    if decode::is_encoded(&plain) {
        found.push(Detector::Encoded);
    }
    if depth < MAX_DEPTH {
        for inner in decode::all(&plain) {
            look(&inner, depth + 1, found);
        }
    }
}

#[cfg(test)]
mod tests;
