//! Codes, numbers and marks that have a form. Every pattern is for a text in lower case without accents.
//!
//! Two kinds of separators are let in: those that people write (`F 32.1`, `N06-AB04`), and those that hide. Where that
//! would hit ordinary text, the pattern says so.

use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::{Detector, digits, expected::is_date};
use crate::domain::Bsn;

type Check = fn(&str) -> bool;

struct Pattern {
    detector: Detector,
    form: &'static str,
    /// What must hold of a match besides.
    check: Check,
}

const fn form(detector: Detector, form: &'static str) -> Pattern {
    Pattern { detector, form, check: |_| true }
}

const fn checked(detector: Detector, form: &'static str, check: Check) -> Pattern {
    Pattern { detector, form, check }
}

/// Digits in groups, and digits that stand together.
const GROUPS: &str = r"\d(?:[ ./\-]?\d){5,}";
const RUN: &str = r"\b\d{6,18}\b";

const PATTERNS: &[Pattern] = &[
    // Hits motorways (A59, E40) and weeks (W38) too. No licence (C1E) and no level of a language (A2) has two digits.
    form(Detector::Icd10, r"\b[a-tv-z]\d\d(?:[.,]\d[0-9a-z]?)?\b"),
    // Apart, only with what is behind the point; and not `a 12,50`, a price.
    form(Detector::Icd10, r"\b(?:[b-tv-z][ ./\-]{1,3}|a[./\-])\d\d ?[.,\-] ?\d[0-9a-z]?\b"),
    // Without its point only in the chapter on the mind: N201 and A325 are roads.
    form(Detector::Icd10, r"\bf\d{3}\b"),
    form(Detector::Icd11, r"\b[1-9][a-h][0-9][0-9a-z](?:[. ][0-9a-z]{1,2})?\b"),
    form(Detector::Icd11, r"\b[a-hj-np-x][a-hj-np-z][0-9][0-9a-z]\.[0-9a-z]{1,2}\b"),
    form(Detector::Dsm, r"\bdsm[ .\-]*(?:iv|v|[345])?(?:[ \-]*tr)?\b"),
    form(Detector::Icpc, r"\bu\d\d(?:\.\d\d?)?\b"),
    checked(Detector::Snomed, GROUPS, is_snomed_in_groups),
    checked(Detector::Snomed, RUN, digits::is_snomed),
    form(Detector::Atc, r"\b[abcdghjlmnprsv][ .\-]?\d\d[ .\-]?[a-z]{2}[ .\-]?\d\d\b"),
    // A group of medicines, of the nervous system only: elsewhere A12B is a house.
    form(Detector::Atc, r"\bn0[1-7][a-z]{1,2}\b"),
    form(Detector::GStandaard, r"\b(?:hpk|gpk|prk|zi)(?:[ \-]?(?:code|nummer|nr))?[ .:=#\-]{0,3}\d{4,8}\b"),
    form(Detector::Dose, r"\b\d{1,5}(?:[.,]\d{1,3})?[ \-]?(?:mg|mcg|ug|microgram|milligram)\b"),
    form(Detector::Dose, r"\b\d{1,2} ?dd ?\d{0,3}\b"),
    form(Detector::Dose, r"\b\d{1,2} ?(?:x|maal|keer)[ .]?(?:daags|per dag innemen)\b"),
    checked(Detector::Loinc, r"\b\d{3,7}-\d\b", digits::is_loinc),
    form(Detector::Unit, r"\b(?:[munp]mol(?:/m?ol|/l)?|mm ?hg|mg/d?l|[nup]g/ml|[im]?u/m?l|g/dl)\b"),
    form(Detector::Icf, r"\b[bs][1-8]\d{2,4}(?:[.+]\d)?\b"),
    form(Detector::Icf, r"\b(?:d570\d{0,2}|e1101|e355|e450|e580)(?:[.+]\d)?\b"),
    form(Detector::Score, r"\b(?:iq|gaf|rom|bdi|moca|hads|scl)(?: ?(?:score|van|is))*[ :=\-]{0,3}\d{1,3}\b"),
    form(
        Detector::Practitioner,
        r"\b(?:agb|big|uzi)(?:[ \-]?(?:code|nummer|nr|register|registratie|pas))*[ .:=#\-]{0,3}\d{8,11}\b",
    ),
    form(
        Detector::ClinicalUri,
        r"snomed\.info|loinc\.org|fhir/sid/ic|/icf\b|icd\.who\.int|id\.who\.int|whocc\.no/atc|hl7\.org|nictiz\.nl",
    ),
    form(Detector::ClinicalUri, r"\b2\.16\.840\.1\.113883\b|urn:oid:|\b1\.2\.276\.0\.76\b"),
    checked(Detector::Bsn, GROUPS, is_bsn),
    checked(Detector::Bsn, RUN, is_bsn),
    checked(Detector::Iban, r"\b[a-z]{2}\d\d ?[a-z]{4}(?: ?\d){10}\b", digits::is_iban),
    form(Detector::Email, r"[a-z0-9.%+\-]+ ?(?:@|\(at\)|\[at\]) ?[a-z0-9\-]+(?:\.[a-z0-9\-]+)+"),
    form(Detector::Phone, r"(?:\+31|\b0031)[ \-()0]{0,5}[1-9](?:[ \-]?\d){8}\b"),
    form(Detector::Phone, r"\b0[1-9](?:[ \-]?\d){8}\b"),
    form(Detector::Document, r"%pdf|\bpk\x03|jfif|<[a-z!?/]|[{}]|\bmsh\||\bpid\||data:[a-z]+/|\{\\rtf"),
    form(Detector::Document, r"text\.div|resourcetype|clinicaldocument"),
    // The same beginnings in base64, where the rest was cut off.
    form(Detector::Document, r"jvberi0|uesdb[abcq]|ivborw0kg|/9j/4"),
    form(Detector::Url, r"\b(?:https?|ftp|file|hxxps?)(?::|%3a)|\bwww\."),
];

static SET: LazyLock<RegexSet> = LazyLock::new(compile_set);
static SINGLE: LazyLock<Vec<Regex>> = LazyLock::new(compile_each);

#[expect(clippy::expect_used, reason = "INVARIANT: the patterns are constants; tests compile them")]
fn compile_set() -> RegexSet {
    let forms = PATTERNS.iter().map(|pattern| pattern.form);
    regex::RegexSetBuilder::new(forms).unicode(false).build().expect("sound patterns")
}

#[expect(clippy::expect_used, reason = "INVARIANT: the patterns are constants; tests compile them")]
fn compile_each() -> Vec<Regex> {
    let compile = |pattern: &Pattern| regex::RegexBuilder::new(pattern.form).unicode(false).build();
    PATTERNS.iter().map(|pattern| compile(pattern).expect("a sound pattern")).collect()
}

/// Looks through a text in lower case. One pass tells which patterns match at all; only those with a check are gone
/// through again.
pub(super) fn find(lower: &str, found: &mut Vec<Detector>) {
    let text = lower.replace('_', " ");
    for index in SET.matches(&text) {
        let (Some(pattern), Some(regex)) = (PATTERNS.get(index), SINGLE.get(index)) else { continue };
        if regex.find_iter(&text).any(|hit| (pattern.check)(hit.as_str())) {
            found.push(pattern.detector);
        }
    }
}

fn only_digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// A day with separators is a day; one in eight digits may be one, and is told by what the place expects.
fn is_snomed_in_groups(text: &str) -> bool {
    let is_day = text.contains(['-', '/', '.']) && is_date(text);
    !is_day && digits::is_snomed(&only_digits(text))
}

fn is_bsn(text: &str) -> bool {
    Bsn::parse(&only_digits(text)).is_ok()
}
