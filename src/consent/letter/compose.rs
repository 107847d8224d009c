//! The order of a letter: which parts there are, and what stands in each. No words of any language.

use super::{
    Item, Language, Letter, WithdrawalWay,
    block::{Block, Level},
    dutch::Dutch,
    english::English,
    parties,
    wording::{Part, Wording},
};
use crate::catalogue::{Field, Mask, Sensitivity, groups, render};

/// Characters of the fingerprint that are read in one go.
const GROUP: usize = 8;

/// The letter.
pub(super) fn blocks(letter: &Letter) -> Vec<Block> {
    let words: &dyn Wording = match letter.language {
        Language::Nl => &Dutch,
        Language::En => &English,
    };
    let mut out = Vec::new();
    let agreed = !letter.items.is_empty();
    out.push(Block::heading(Level::Letter, words.title(agreed)));
    out.extend(words.opening(letter).iter().map(|text| Block::paragraph(text)));
    if agreed {
        part(&mut out, &words.agreed());
        for (at, item) in letter.items.iter().enumerate() {
            self::item(&mut out, words, at + 1, item, letter.language);
        }
        let (never, list) = words.never();
        part(&mut out, &never);
        out.push(Block::list(list));
        // A client who reads "nothing medical" must not find out later what his hours say about him.
        if letter.items.iter().flat_map(|item| told(item).iter()).any(hints_at_health) {
            out.push(Block::paragraph(words.hints_at_health()));
        }
    }
    if !letter.refused.is_empty() {
        part(&mut out, &words.refused());
        out.push(Block::list(letter.refused.iter().map(|refused| words.refusal(refused))));
    }
    let (free, later) = words.free();
    part(&mut out, &free);
    if agreed {
        stopping(&mut out, words, letter);
    } else {
        out.push(Block::paragraph(later));
    }
    rights(&mut out, words, letter);
    out
}

fn part(out: &mut Vec<Block>, part: &Part) {
    out.push(Block::heading(Level::Part, part.heading));
    out.extend(part.text.iter().map(|text| Block::paragraph(text)));
}

fn item(out: &mut Vec<Block>, words: &dyn Wording, number: usize, item: &Item, language: Language) {
    out.push(Block::heading(Level::Item, &words.item(number, item)));
    if item.needs_reconfirmation {
        out.push(Block::paragraph(&words.not_yet(item)));
    }
    out.push(Block::list(words.who(item)));
    let told = told(item);
    let before = if told.is_empty() { words.may_know_nothing(item) } else { words.may_know(item) };
    out.push(Block::paragraph(&before));
    fields(out, told, language);
    if !item.excluded.is_empty() {
        out.push(Block::paragraph(&words.struck_out(item)));
        fields(out, item.excluded, language);
    }
    out.push(Block::heading(Level::List, words.when()));
    out.push(Block::list(words.term(item)));
}

fn told(item: &Item) -> Mask {
    item.fields.minus(item.excluded)
}

fn hints_at_health(field: Field) -> bool {
    field.entry().sensitivity > Sensitivity::S0
}

/// A list for each group that has some of the fields: a label such as "Status" says nothing without its group.
fn fields(out: &mut Vec<Block>, mask: Mask, language: Language) {
    for group in groups() {
        let fields = mask.and(group.mask());
        if fields.is_empty() {
            continue;
        }
        let (of_group, labels) = match language {
            Language::Nl => (group.label_nl, render::Language::Dutch),
            Language::En => (group.label_en, render::Language::English),
        };
        out.push(Block::heading(Level::List, of_group));
        out.push(Block::list(fields.iter().map(|field| field.entry().label(labels))));
    }
}

fn stopping(out: &mut Vec<Block>, words: &dyn Wording, letter: &Letter) {
    part(out, &words.stop());
    if !letter.withdrawal.is_empty() {
        let way = |way: &WithdrawalWay| words.way(*way, &letter.recorder);
        out.push(Block::paragraph(words.ways()));
        out.push(Block::list(letter.withdrawal.iter().map(way)));
    }
    if letter.by_representative {
        out.push(Block::paragraph(words.stop_for()));
    }
    out.push(Block::paragraph(words.places()));
    out.push(Block::list(parties::stop_at(letter).iter().map(|at| words.stop_at(at))));
    part(out, &words.stopped());
    out.push(Block::list(parties::recipients(letter).into_iter().map(|party| words.contact(party))));
    part(out, &words.ends());
}

fn rights(out: &mut Vec<Block>, words: &dyn Wording, letter: &Letter) {
    part(out, &words.insight());
    out.push(Block::list(parties::contacts(letter).into_iter().map(|party| words.contact(party))));
    part(out, &words.complain());
    out.push(Block::list(parties::complaints(letter).into_iter().map(|party| words.complaint(party))));
    let (authority, ways) = words.authority();
    out.push(Block::paragraph(authority));
    out.push(Block::list(ways));
    part(out, &words.law());
    part(out, &words.receipt());
    let lines = words.receipt_lines(letter, &grouped(&letter.evidence_sha256));
    out.extend(lines.iter().map(|line| Block::fine_print(line)));
}

fn grouped(fingerprint: &str) -> String {
    let characters: Vec<char> = fingerprint.chars().collect();
    let groups: Vec<String> = characters.chunks(GROUP).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}
