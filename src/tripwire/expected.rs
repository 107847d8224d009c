//! What a place takes. A text in that closed form is not looked at further: it can say nothing, and the numbers in it
//! would be false hits. Anything else in that place is read as free text.

use super::Detector;

/// The form that a place takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// Any text: a name, a note, a path, a column without a form. Everything is looked for.
    Text,
    /// A day, `2026-11-23`, `23-11-2026` or `20261123`. Of the last, 2.5 % would pass for SNOMED CT.
    Date,
    /// A number of at most five digits, with at most two behind the comma. Shorter than any SNOMED CT or BSN.
    Number,
    /// A code of a closed list: at most three letters, or five digits. Some languages are spelt like `ibs`.
    Code,
    /// A random id, `3f2b8c1e-7d4a-4c1b-9a6e-2f1d0c9b8a77`. Many have a group that reads as ICD-11.
    Uuid,
    /// Nine digits. In a column of BSNs every one passes the elfproef, and 0.6 % pass for SNOMED CT.
    Bsn,
    /// A postcode, in four or six positions. `6511 AB` has the letters of no code, yet stands near some.
    Postcode,
    /// A telephone number.
    Phone,
    /// Where to write or call: an e-mail address, a page or a telephone number is no hit, and everything else is.
    Address,
}

impl Expected {
    /// Whether the text is in the closed form, whole. Never for a text without one.
    #[must_use]
    pub fn is_met_by(self, text: &str) -> bool {
        match self {
            Self::Text | Self::Address => false,
            Self::Date => is_date(text),
            Self::Number => is_number(text),
            Self::Code => {
                text.len() <= 3 && text.bytes().all(|c| c.is_ascii_alphabetic())
                    || text.len() <= 5 && are_digits(text)
            }
            Self::Uuid => is_uuid(text),
            Self::Bsn => text.len() == 9 && are_digits(text),
            Self::Postcode => is_postcode(text),
            Self::Phone => is_phone(text),
        }
    }

    /// Whether this is what the place is for.
    pub(super) fn allows(self, detector: Detector) -> bool {
        self == Self::Address && matches!(detector, Detector::Email | Detector::Url | Detector::Phone)
    }
}

fn are_digits(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit())
}

/// Whether the text is a day of the years 1900 to 2199, in one of three spellings.
pub(super) fn is_date(text: &str) -> bool {
    let number = |text: &str| if are_digits(text) { text.parse::<u16>().ok() } else { None };
    let parts: Vec<&str> = text.split(['-', '/', '.']).collect();
    let (year, month, day) = match parts.as_slice() {
        [whole] if whole.len() == 8 => (whole.get(..4), whole.get(4..6), whole.get(6..)),
        [year, month, day] if year.len() == 4 => (Some(*year), Some(*month), Some(*day)),
        [day, month, year] if year.len() == 4 => (Some(*year), Some(*month), Some(*day)),
        _ => return false,
    };
    let in_range = |text: Option<&str>, range: std::ops::RangeInclusive<u16>| {
        text.and_then(number).is_some_and(|number| range.contains(&number))
    };
    in_range(year, 1900..=2199) && in_range(month, 1..=12) && in_range(day, 1..=31)
}

fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    (1..=5).contains(&whole.len())
        && (1..=2).contains(&fraction.len())
        && are_digits(whole)
        && are_digits(fraction)
}

fn is_postcode(text: &str) -> bool {
    let (digits, letters) = text.split_at_checked(4).unwrap_or(("", text));
    let letters = letters.strip_prefix(' ').unwrap_or(letters);
    digits.len() == 4
        && are_digits(digits)
        && matches!(letters.len(), 0 | 2)
        && letters.bytes().all(|c| c.is_ascii_alphabetic())
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, c)| match at {
            8 | 13 | 18 | 23 => c == b'-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// A number that can be dialled: from abroad, from within, or a short one. Nine digits never are: that could be a BSN.
fn is_phone(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let can_be_dialled = if text.starts_with('+') || digits.starts_with("00") {
        (10..=15).contains(&digits.len())
    } else if digits.starts_with('0') {
        matches!(digits.len(), 8 | 10 | 11)
    } else {
        digits.starts_with('1') && (3..=6).contains(&digits.len())
    };
    can_be_dialled
        && text.len() <= 25
        && text
            .bytes()
            .enumerate()
            .all(|(at, c)| c.is_ascii_digit() || b"-() ".contains(&c) || at == 0 && c == b'+')
}
