//! Spoils text: bits, pieces, lines, and words that mean something to the readers.

use super::random::Random;

pub const WAYS: [&str; 6] = ["bit flip", "truncation", "splice", "word", "number", "lines"];

const WORDS: [&str; 14] = [
    "*",
    "\u{0}",
    "\u{202e}",
    "\"",
    "[[[[[[[[",
    "{\"a\":",
    "diagnosis",
    "working_hours",
    "WT-02",
    "today",
    "today+1",
    "FRAUD",
    "999990019",
    "é",
];

const NUMBERS: [&str; 8] =
    ["0", "-1", "10000", "4294967296", "9223372036854775807", "1e400", "0.1", "99999999999999999999"];

pub fn spoil(input: &[u8], other: &[u8], random: &mut Random) -> (Vec<u8>, &'static str) {
    let way = *random.of(&WAYS);
    let mut spoilt = input.to_vec();
    let at = random.below(input.len() + 1);
    match way {
        "bit flip" => flip(&mut spoilt, random),
        "truncation" => spoilt.truncate(at),
        "splice" => {
            spoilt.truncate(at);
            spoilt.extend(&other[random.below(other.len() + 1)..]);
        }
        "word" => drop(spoilt.splice(at..at, random.of(&WORDS).bytes())),
        "number" => number(&mut spoilt, random),
        _ => lines(&mut spoilt, other, random),
    }
    (spoilt, way)
}

pub fn flip(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

/// Another number in place of a run of digits.
fn number(bytes: &mut Vec<u8>, random: &mut Random) {
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at].is_ascii_digit() && (*at == 0 || !bytes[at - 1].is_ascii_digit()))
        .collect();
    if !starts.is_empty() {
        let start = *random.of(&starts);
        let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        bytes.splice(start..start + length, random.of(&NUMBERS).bytes());
    }
}

/// Lines left out, said twice, said elsewhere, or taken from the other.
fn lines(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let others: Vec<&[u8]> = other.split(|byte| *byte == b'\n').collect();
    let (from, to) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(4) {
        0 if lines.len() > 1 => drop(lines.remove(from)),
        1 => lines.insert(to, lines[from]),
        2 => lines.swap(from, to),
        _ => lines.insert(to, others[random.below(others.len())]),
    }
    *bytes = lines.join(&b'\n');
}
