//! How hard the running text is to read: the length of its sentences, and what follows what.

use super::*;
use crate::consent::letter::compose::blocks;

const LONGEST: usize = 18;
const AVERAGE: usize = 12;

fn sentences(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for word in text.split(' ') {
        let last = out.last_mut().unwrap();
        last.push_str(word);
        last.push(' ');
        if word.ends_with(['.', '?', '!', ':', '’']) {
            out.push(String::new());
        }
    }
    out.retain(|sentence| !sentence.is_empty());
    out
}

#[test]
fn sentences_are_short() {
    for language in BOTH {
        for letter in sample::kinds(language) {
            let (mut count, mut words) = (0, 0);
            for block in blocks(&letter) {
                let Block::Paragraph(text) = block else { continue };
                for sentence in sentences(&text) {
                    let length = sentence.split_whitespace().count();
                    assert!(length <= LONGEST, "{length} words: {sentence}");
                    (count, words) = (count + 1, words + length);
                }
            }
            assert!(words <= AVERAGE * count, "{words} words in {count} sentences");
        }
    }
}

#[test]
fn every_list_has_something_before_it_and_in_it() {
    for language in BOTH {
        for letter in sample::kinds(language) {
            let blocks = blocks(&letter);
            for pair in blocks.windows(2) {
                match &pair[1] {
                    Block::List(lines) => {
                        assert!(!lines.is_empty(), "{pair:?}");
                        assert!(!matches!(pair[0], Block::List(_)), "two lists run together: {pair:?}");
                    }
                    Block::Heading(level, _) if *level <= Level::Part => {
                        assert!(
                            !matches!(pair[0], Block::Heading(_, _)),
                            "nothing under a heading: {pair:?}"
                        );
                    }
                    Block::Heading(_, _) | Block::Paragraph(_) | Block::FinePrint(_) => {}
                }
            }
        }
    }
}
