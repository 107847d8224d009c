//! Lines of a file and the cells of a line, one line in memory at a time. A cell cannot hold a line break: a quote that
//! is not closed spoils its own line and swallows no other.

use std::io::{self, BufRead};

use super::fault::Reason;

/// Bytes of the longest line that is read.
pub(super) const LONGEST: usize = 64 * 1024;

/// Lines, numbered from 1.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, number: 0 }
    }

    /// The next line that is not blank, with its number.
    pub(super) fn next(&mut self) -> io::Result<Option<(u64, Result<String, Reason>)>> {
        while let Some(bytes) = self.bytes()? {
            self.number += 1;
            let line = bytes.and_then(|bytes| text(bytes, self.number == 1));
            if line.as_deref().map(str::trim) != Ok("") {
                return Ok(Some((self.number, line)));
            }
        }
        Ok(None)
    }

    /// A line without its break. What is beyond the longest line is read and forgotten.
    fn bytes(&mut self) -> io::Result<Option<Result<Vec<u8>, Reason>>> {
        let (mut line, mut too_long, mut any) = (Vec::new(), false, false);
        loop {
            let part = self.reader.fill_buf()?;
            let end = part.iter().position(|byte| *byte == b'\n');
            let (before, _) = part.split_at(end.unwrap_or(part.len()));
            too_long |= line.len() + before.len() > LONGEST;
            if !too_long {
                line.extend_from_slice(before);
            }
            any |= !part.is_empty();
            let (last, used) = (end.is_some() || part.is_empty(), before.len() + usize::from(end.is_some()));
            self.reader.consume(used);
            if last {
                let line = if too_long { Err(Reason::TooLong) } else { Ok(line) };
                return Ok(any.then_some(line));
            }
        }
    }
}

fn text(bytes: Vec<u8>, first: bool) -> Result<String, Reason> {
    let text = String::from_utf8(bytes).map_err(|_| Reason::NotUtf8)?;
    let text = text.strip_suffix('\r').unwrap_or(&text);
    let text = if first { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
    Ok(text.to_owned())
}

/// The cells of a line. Quotes stand around a whole cell, and twice within one.
pub(super) fn cells(line: &str, delimiter: char) -> Result<Vec<String>, Reason> {
    let (mut cells, mut rest) = (Vec::new(), line);
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_cell(quoted).ok_or(Reason::Quotes)?,
            None => {
                let (cell, _) = rest.split_at(rest.find(delimiter).unwrap_or(rest.len()));
                (cell.to_owned(), rest.strip_prefix(cell).unwrap_or_default())
            }
        };
        if !rest.starts_with('"') && cell.contains('"') {
            return Err(Reason::Quotes);
        }
        cells.push(cell);
        match after.strip_prefix(delimiter) {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(cells),
            None => return Err(Reason::Quotes),
        }
    }
}

fn quoted_cell(text: &str) -> Option<(String, &str)> {
    let (mut cell, mut rest) = (String::new(), text);
    loop {
        let (part, after) = rest.split_once('"')?;
        cell.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                cell.push('"');
                rest = next;
            }
            None => return Some((cell, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<(u64, Result<String, Reason>)> {
        let mut lines = Lines::new(bytes);
        std::iter::from_fn(|| lines.next().unwrap()).collect()
    }

    #[test]
    fn lines_end_as_either_system_ends_them() {
        let expected = vec![(1, Ok("a".to_owned())), (3, Ok("b".to_owned()))];
        for text in ["a\n\nb", "\u{feff}a\r\n\r\nb\r\n", "a\n  \nb\n"] {
            assert_eq!(all(text.as_bytes()), expected, "{text:?}");
        }
        assert_eq!(all(b"a\n\xff\nb")[1], (2, Err(Reason::NotUtf8)));
    }

    #[test]
    fn a_line_that_is_too_long_is_one_line() {
        let text = format!("a\n{}\nb", "x".repeat(3 * LONGEST));
        let found = all(text.as_bytes());
        assert_eq!(found[1], (2, Err(Reason::TooLong)));
        assert_eq!(found[2], (3, Ok("b".to_owned())));
    }

    #[test]
    fn cells_are_quoted_whole_or_not_at_all() {
        let of = |line: &str| cells(line, ';').map(|cells| cells.join("|"));
        assert_eq!(of("a;;\"b;\"\"c\"\"\""), Ok("a||b;\"c\"".to_owned()));
        assert_eq!(of(""), Ok(String::new()));
        assert_eq!(of("a;"), Ok("a|".to_owned()));
        for line in ["\"a", "a\"b", "\"a\"b", "a;\"b"] {
            assert_eq!(of(line), Err(Reason::Quotes), "{line}");
        }
    }
}
