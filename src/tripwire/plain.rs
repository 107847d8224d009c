//! Characters: what they look like, and which have no business in a Dutch text.

use unicode_normalization::UnicodeNormalization;

use super::Detector;

/// Letters of other scripts that look like one of ours, and letters that decompose into none.
const LOOKALIKES: &str = "аa вb еe ѕs іi јj кk мm нh оo рp сc тt уy хx ԁd ԛq ԝw һh ԍg пn гr \
                          αa βb εe ηn ιi κk νv οo ρp τt υu χx ωw γy μu ɑa ɡg ıi ɩi ɪi ʀr ʏy ꜱs ʟl ɴn ʜh ᴀa ᴄc ᴅd ᴇe ᴊj \
                          ᴋk ᴍm ᴏo ᴘp ᴛt ᴜu ᴠv ᴡw ᴢz օo ոn սu հh ցg øo łl đd";

/// The text with every character as plain as it can be: NFKC and lookalikes folded, accents and what is invisible gone.
/// Upper and lower case stay.
pub(super) fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_invisible(*c) && !unicode_normalization::char::is_combining_mark(*c)).fold(
        String::with_capacity(text.len()),
        |mut plain, c| {
            match c {
                'ß' => plain.push_str("ss"),
                'æ' | 'Æ' => plain.push_str("ae"),
                '‐'..='―' | '−' => plain.push('-'),
                '‘' | '’' | '´' => plain.push('\''),
                _ if c.is_ascii() => plain.push(c),
                _ => plain.push(lookalike(c)),
            }
            plain
        },
    )
}

/// What it looks like, in lower case; itself where it looks like nothing of ours.
fn lookalike(c: char) -> char {
    let lower = c.to_lowercase().next().unwrap_or(c);
    let pair = LOOKALIKES.split(' ').find_map(|pair| pair.strip_prefix(lower));
    pair.and_then(|plain| plain.chars().next()).unwrap_or(c)
}

/// Zero-width, bidirectional, control and other characters that take no room, and those for private use.
fn is_invisible(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}')
}

/// What is written in Dutch and its neighbours, names included: Latin letters, punctuation, currencies, and the four
/// letters with a comma below. Everything else is another script or an ornament, and a place to hide.
fn is_ordinary(c: char) -> bool {
    matches!(c,
        '\u{20}'..='\u{17f}' | '\u{218}'..='\u{21b}' | '\u{1e00}'..='\u{1eff}' | '\u{2000}'..='\u{200a}'
        | '\u{2010}'..='\u{2027}' | '\u{202f}'..='\u{205f}' | '\u{20a0}'..='\u{20bf}' | '\u{2122}'
        | '\t' | '\n' | '\r')
}

/// Characters that are a hit by themselves.
pub(super) fn odd_characters(text: &str) -> impl Iterator<Item = Detector> {
    let hidden = text.chars().any(is_invisible).then_some(Detector::Hidden);
    // A letter and its accent may come as two characters; where they do not make one, something else is meant.
    let odd = text.nfc().any(|c| !is_ordinary(c) && !is_invisible(c)).then_some(Detector::Script);
    hidden.into_iter().chain(odd)
}
