//! What a text decodes to. A wrong guess yields rubbish, in which nothing is found.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// How long a run must be to be a hit by itself. Names, dates and codes are shorter; an OIN has 20 positions.
const LONG_RUN: usize = 25;
/// From how many bytes on what was decoded may be markup.
const SHORTEST_MARKUP: usize = 12;
/// From how many characters on a run is decoded: three bytes are the shortest code.
const SHORT_RUN: usize = 4;

// Padding and bits that are left over are part of a disguise, not a reason to look away.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The texts that this one decodes to: with its escapes undone, and its runs of base64 and of hexadecimal digits.
pub(super) fn all(text: &str) -> impl Iterator<Item = String> {
    let escapes = Some(unescaped(text)).filter(|found| found != text);
    escapes.into_iter().chain(from_runs(text, base64)).chain(from_runs(text, hexadecimal))
}

/// Whether a run is as long and as mixed as only an encoding is.
pub(super) fn is_encoded(text: &str) -> bool {
    runs(text).any(|run| {
        let count = |is: fn(&u8) -> bool| run.bytes().filter(is).count();
        let (upper, lower) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_lowercase));
        let digits = count(u8::is_ascii_digit);
        // Long Dutch words have one case, and names of fields few capitals. Base64 has two capitals or digits in four.
        let mixed = upper > 0 && lower > 0 && (upper + digits) * 5 >= run.len();
        run.len() >= LONG_RUN && (mixed || digits > 0 && run.bytes().all(|c| c.is_ascii_hexdigit()))
    })
}

fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/-_".contains(c)))
}

/// Every run, and its parts where a sign of the alphabet may have been a separator, decoded; one a line.
fn from_runs(text: &str, decode: fn(&str) -> Option<Vec<u8>>) -> Option<String> {
    let parts = |run: &str| run.contains(['+', '/', '-', '_']);
    let pieces = runs(text).filter(|run| parts(run)).flat_map(|run| run.split(['+', '/', '-', '_']));
    let decoded: Vec<String> = runs(text)
        .chain(pieces)
        .filter(|run| run.len() >= SHORT_RUN)
        .filter_map(|run| readable(&decode(run)?))
        .collect();
    (!decoded.is_empty()).then(|| decoded.join("\n"))
}

fn base64(run: &str) -> Option<Vec<u8>> {
    BASE64.decode(run.replace('-', "+").replace('_', "/")).ok()
}

fn hexadecimal(run: &str) -> Option<Vec<u8>> {
    hex::decode(run).ok()
}

/// The text that the bytes are, or the name of the document that they begin.
fn readable(bytes: &[u8]) -> Option<String> {
    const DOCUMENTS: [&[u8]; 7] =
        [b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"{\\rtf", b"\xd0\xcf\x11\xe0", b"DICM"];
    if DOCUMENTS.iter().any(|magic| bytes.starts_with(magic)) {
        return Some("%PDF".to_owned());
    }
    let text = std::str::from_utf8(bytes).ok()?;
    // Four letters of an ordinary word are three bytes of anything, a brace now and then; so few are no markup.
    let short = text.len() < SHORTEST_MARKUP;
    let reads = |c: char| (!c.is_control() || c.is_whitespace()) && !(short && "{}<>".contains(c));
    text.chars().all(reads).then(|| text.to_owned())
}

/// Percent-encoding, HTML entities, backslash escapes and quoted-printable, undone in one pass.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (byte_or_char, used) = escape(rest).unwrap_or((Unescaped::Char(c), c.len_utf8()));
        match byte_or_char {
            Unescaped::Byte(byte) => bytes.push(byte),
            Unescaped::Char(c) => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            Unescaped::Nothing => {}
        }
        rest = rest.get(used..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

enum Unescaped {
    Byte(u8),
    Char(char),
    Nothing,
}

/// The escape that a text begins with, and its length in bytes.
fn escape(text: &str) -> Option<(Unescaped, usize)> {
    if text.starts_with("=\n") {
        return Some((Unescaped::Nothing, 2));
    }
    if text.starts_with("=\r\n") {
        return Some((Unescaped::Nothing, 3));
    }
    if text.starts_with(['%', '=']) {
        return Some((Unescaped::Byte(u8::from_str_radix(text.get(1..3)?, 16).ok()?), 3));
    }
    if let Some(name) = text.strip_prefix('&') {
        let (name, _) = name.split_once(';').filter(|(name, _)| name.len() <= 8)?;
        return Some((entity(name)?, name.len() + 2));
    }
    let code = text.strip_prefix('\\')?;
    if let Some(code) = code.strip_prefix("u{") {
        let (code, _) = code.split_once('}').filter(|(code, _)| code.len() <= 6)?;
        return Some((character(code, 16)?, code.len() + 4));
    }
    let width = match code.chars().next()? {
        'u' => 4,
        'x' => 2,
        'U' => 8,
        'n' | 'r' | 't' => return Some((Unescaped::Char(' '), 2)),
        _ => return None,
    };
    Some((character(code.get(1..=width)?, 16)?, width + 2))
}

fn entity(name: &str) -> Option<Unescaped> {
    let known = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" => ' ',
        "shy" | "zwnj" | "zwj" => return Some(Unescaped::Nothing),
        "euml" => 'e',
        "iuml" => 'i',
        "eacute" | "egrave" => 'e',
        "period" => '.',
        "colon" => ':',
        _ => {
            let number = name.strip_prefix('#')?;
            return match number.strip_prefix(['x', 'X']) {
                Some(number) => character(number, 16),
                None => character(number, 10),
            };
        }
    };
    Some(Unescaped::Char(known))
}

fn character(number: &str, radix: u32) -> Option<Unescaped> {
    char::from_u32(u32::from_str_radix(number, radix).ok()?).map(Unescaped::Char)
}
