//! The blocks as plain text, for a terminal and a screen reader.

use super::block::{Block, Level};

/// Longest line.
const WIDTH: usize = 72;

/// All of it, with the last line end.
pub(super) fn text(blocks: &[Block]) -> String {
    let mut out = String::new();
    let mut before: Option<&Block> = None;
    for block in blocks {
        // A list stands right under its own heading, and what is for the one who checks is one piece.
        let joined = match before {
            None | Some(Block::Heading(Level::List, _)) => true,
            Some(Block::FinePrint(_)) => matches!(block, Block::FinePrint(_)),
            Some(_) => false,
        };
        if !joined {
            out.push('\n');
        }
        before = Some(block);
        match block {
            Block::Heading(level, text) => {
                let width = wrapped(&mut out, text, "", "");
                let under = match level {
                    Level::Letter => "=",
                    Level::Part => "-",
                    Level::Item | Level::List => "",
                };
                if !under.is_empty() {
                    line(&mut out, &under.repeat(width));
                }
            }
            Block::Paragraph(text) | Block::FinePrint(text) => {
                wrapped(&mut out, text, "", "");
            }
            Block::List(lines) => {
                for text in lines {
                    wrapped(&mut out, text, "- ", "  ");
                }
            }
        }
    }
    out
}

/// Puts a text in lines, with this before the first and that before the others. Gives the width of the longest.
fn wrapped(out: &mut String, text: &str, first: &str, rest: &str) -> usize {
    let (mut longest, mut current, mut empty) = (0, first.to_owned(), true);
    for unit in units(text) {
        if !empty && current.chars().count() + 1 + unit.chars().count() > WIDTH {
            longest = longest.max(line(out, &current));
            rest.clone_into(&mut current);
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(&unit);
        empty = false;
    }
    longest.max(line(out, &current))
}

/// The words of a text, with those in one that stay on one line: a telephone number that is broken is dialled wrong, and
/// a day is read wrong.
fn units(text: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let mut before = "";
    for word in text.split(' ') {
        let day = is_number(before) && before.len() <= 2;
        match units.last_mut() {
            Some(unit) if day || is_number(word) && unit.starts_with(|c| is_number_part(&c)) => {
                unit.push(' ');
                unit.push_str(word);
            }
            _ => units.push(word.to_owned()),
        }
        before = word;
    }
    units
}

fn is_number(word: &str) -> bool {
    let word = word.trim_end_matches(['.', ',']);
    !word.is_empty() && word.chars().all(|c| is_number_part(&c))
}

const fn is_number_part(c: &char) -> bool {
    c.is_ascii_digit() || *c == '+'
}

fn line(out: &mut String, text: &str) -> usize {
    out.push_str(text);
    out.push('\n');
    text.chars().count()
}
