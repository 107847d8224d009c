//! A text as it may have been meant: words apart, letters joined, digits read as letters.

/// Words in lower case with single spaces: as they stand, split at `camelCase`, and with digits for letters undone.
pub(super) fn of_words(plain: &str, lower: &str) -> Vec<String> {
    let mut views = vec![words(lower)];
    let camel = split_camel_case(plain);
    if camel.len() > plain.len() {
        views.push(words(&camel.to_lowercase()));
    }
    views.extend(undisguised(lower, 'i').map(|text| words(&text)));
    if lower.contains('1') {
        views.extend(undisguised(lower, 'l').map(|text| words(&text)));
    }
    views
}

/// Runs of letters and digits, with one space between them.
fn words(lower: &str) -> String {
    let mut words = String::with_capacity(lower.len());
    for c in lower.chars() {
        if c.is_alphanumeric() {
            words.push(c);
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    words
}

fn split_camel_case(plain: &str) -> String {
    let mut split = String::with_capacity(plain.len());
    let mut before = ' ';
    for c in plain.chars() {
        if before.is_lowercase() && c.is_uppercase() {
            split.push(' ');
        }
        split.push(c);
        before = c;
    }
    split
}

/// Digits and signs read as the letters they look like, in words that have at least two letters beside them.
fn undisguised(lower: &str, one: char) -> Option<String> {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        _ => c,
    };
    let word = |word: &str| -> String {
        let letters = word.chars().filter(char::is_ascii_alphabetic).count();
        if letters >= 2 { word.chars().map(letter).collect() } else { word.to_owned() }
    };
    let read = lower.split(' ').map(word).collect::<Vec<_>>().join(" ");
    (read != lower).then_some(read)
}

/// Words whose letters stand apart, each joined to one: `d e p r`, `d-e-p-r`, `de.pr.es`.
pub(super) fn joined_words(lower: &str) -> String {
    join(pieces(lower), 2, 3)
}

/// Codes whose characters stand apart, each joined to one: `F 3 2 . 1`, and without its signs `F-3-2-1`. Three pieces are
/// too few for the latter: `I-8.1` is an item of the FML.
pub(super) fn joined_codes(lower: &str) -> [String; 2] {
    [join(lower.split_whitespace(), 1, 3), join(pieces(lower), 1, 4)]
}

fn pieces(lower: &str) -> impl Iterator<Item = &str> {
    lower.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty())
}

/// Runs of at least so many pieces that are no longer than this, one a word.
fn join<'a>(pieces: impl Iterator<Item = &'a str>, longest: usize, least: usize) -> String {
    let (mut view, mut run, mut count) = (String::new(), String::new(), 0);
    // The last piece is longer than any, and ends the last run.
    for piece in pieces.chain(["   "]) {
        if piece.chars().count() <= longest {
            run.push_str(piece);
            count += 1;
            continue;
        }
        if count >= least {
            view.push_str(&run);
            view.push(' ');
        }
        run.clear();
        count = 0;
    }
    view
}
