//! What a letter consists of, whether it becomes text or a page.

/// How deep a heading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// Of the letter.
    Letter,
    /// Of a part of it.
    Part,
    /// Of one grant. What follows it, up to the next heading this high, stays on one page.
    Item,
    /// Of a list.
    List,
}

/// A piece of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Heading(Level, String),
    /// Running text.
    Paragraph(String),
    List(Vec<String>),
    /// For who checks the letter, not for who reads it.
    FinePrint(String),
}

impl Block {
    pub(super) fn heading(level: Level, text: &str) -> Self {
        Self::Heading(level, clean(text))
    }

    pub(super) fn paragraph(text: &str) -> Self {
        Self::Paragraph(clean(text))
    }

    pub(super) fn list(lines: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self::List(lines.into_iter().map(|line| clean(line.as_ref())).collect())
    }

    pub(super) fn fine_print(text: &str) -> Self {
        Self::FinePrint(clean(text))
    }
}

/// One line, with one space between words: a name with a line end in it could otherwise look like a part of the letter.
fn clean(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
