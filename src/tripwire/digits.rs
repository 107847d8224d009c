//! Check digits. Each tells a real number from most that only look like one.

/// SNOMED CT: a partition of a concept, description or relationship, and a check digit by Verhoeff.
pub(super) fn is_snomed(number: &str) -> bool {
    let partition = number.len().checked_sub(3).and_then(|at| number.get(at..at + 2));
    (6..=18).contains(&number.len())
        && !number.starts_with('0')
        && partition.is_some_and(|found| ["00", "01", "02", "10", "11", "12"].contains(&found))
        && verhoeff(number)
}

/// Products in the dihedral group of order ten: 0 to 4 turn a pentagon, 5 to 9 flip it first.
const fn product(one: u8, other: u8) -> u8 {
    match (one < 5, other < 5) {
        (true, true) => (one + other) % 5,
        (true, false) => 5 + (one + other - 5) % 5,
        (false, true) => 5 + (one - 5 + 5 - other) % 5,
        (false, false) => (one + 5 - other) % 5,
    }
}

/// Verhoeff's permutation.
const fn permuted(digit: u8) -> u8 {
    match digit {
        0 => 1,
        1 => 5,
        2 => 7,
        3 => 6,
        4 => 2,
        5 => 8,
        6 => 3,
        7 => 0,
        8 => 9,
        _ => 4,
    }
}

fn verhoeff(number: &str) -> bool {
    let mut check = 0;
    for (position, digit) in number.bytes().rev().enumerate() {
        if !digit.is_ascii_digit() {
            return false;
        }
        let mut digit = digit - b'0';
        for _ in 0..position % 8 {
            digit = permuted(digit);
        }
        check = product(check, digit);
    }
    check == 0
}

/// LOINC: digits, a hyphen and a check digit modulo ten, as on a bank card.
pub(super) fn is_loinc(code: &str) -> bool {
    let Some((number, check)) = code.split_once('-') else { return false };
    let doubled = |(position, digit): (usize, u8)| {
        let digit = u32::from(digit.wrapping_sub(b'0'));
        if position % 2 == 0 { digit * 2 / 10 + digit * 2 % 10 } else { digit }
    };
    let sum: u32 = number.bytes().rev().enumerate().map(doubled).sum();
    check.parse() == Ok((10 - sum % 10) % 10)
}

/// IBAN: modulo 97, with letters as 10 to 35.
pub(super) fn is_iban(text: &str) -> bool {
    let code: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let Some((head, tail)) = code.split_at_checked(4) else { return false };
    let rest = tail.chars().chain(head.chars()).try_fold(0, |rest, c| {
        let value = c.to_digit(36)?;
        Some(if value < 10 { (rest * 10 + value) % 97 } else { (rest * 100 + value) % 97 })
    });
    rest == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_checked() {
        for real in ["35489007", "73211009", "364703007", "314845004", "116680003"] {
            assert!(is_snomed(real), "{real}");
            let (head, last) = real.split_at(real.len() - 1);
            for other in ('0'..='9').filter(|other| !last.starts_with(*other)) {
                assert!(!is_snomed(&format!("{head}{other}")), "{head}{other}");
            }
        }
        assert!(is_loinc("10157-6") && is_loinc("2160-0") && is_loinc("718-7") && !is_loinc("10157-7"));
        assert!(is_iban("nl91abna0417164300") && !is_iban("nl92abna0417164300"));
    }
}
