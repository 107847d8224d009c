//! From a number of the Standaard Bedrijfsindeling (SBI 2008, CBS) to its section, the letter that the catalogue knows.

use super::fault::Reason;

/// First and last division of each section.
const SECTIONS: [(u8, u8, &str); 21] = [
    (1, 3, "A"),
    (5, 9, "B"),
    (10, 33, "C"),
    (35, 35, "D"),
    (36, 39, "E"),
    (41, 43, "F"),
    (45, 47, "G"),
    (49, 53, "H"),
    (55, 56, "I"),
    (58, 63, "J"),
    (64, 66, "K"),
    (68, 68, "L"),
    (69, 75, "M"),
    (77, 82, "N"),
    (84, 84, "O"),
    (85, 85, "P"),
    (86, 88, "Q"),
    (90, 93, "R"),
    (94, 96, "S"),
    (97, 98, "T"),
    (99, 99, "U"),
];

/// Divisions 1 to 32, in which a number may have lost its zero or have a reading beside it, with the third digits that
/// their groups have. Divisions above have no second reading that they could be taken for.
const GROUPS: [(u8, &str); 31] = [
    (1, "1234567"),
    (2, "1234"),
    (3, "12"),
    (5, "12"),
    (6, "12"),
    (7, "12"),
    (8, "19"),
    (9, "19"),
    (10, "123456789"),
    (11, "0"),
    (12, "0"),
    (13, "1239"),
    (14, "123"),
    (15, "12"),
    (16, "12"),
    (17, "12"),
    (18, "12"),
    (19, "12"),
    (20, "123456"),
    (21, "12"),
    (22, "12"),
    (23, "12345679"),
    (24, "12345"),
    (25, "1234579"),
    (26, "12345678"),
    (27, "123459"),
    (28, "12349"),
    (29, "123"),
    (30, "12349"),
    (31, "0"),
    (32, "123459"),
];

/// The section of a number of at most five digits. Written as a number, `01.11.0` has lost its zero: 1110. A number of
/// fewer than five digits is therefore read with and without a zero in front; the reading must be in the SBI, down to
/// its group, and if both are, they must be in one section.
pub(super) fn section(number: i64) -> Result<&'static str, Reason> {
    if !(1..=99_999).contains(&number) {
        return Err(Reason::OutOfRange);
    }
    let plain = number.to_string();
    let padded = format!("0{plain}");
    let readings = [plain.as_str(), padded.as_str()].into_iter().filter(|digits| digits.len() <= 5);
    let mut sections = readings.filter_map(read);
    let first = sections.next().ok_or(Reason::NoSection)?;
    if sections.all(|other| other == first) { Ok(first) } else { Err(Reason::TwoSections) }
}

fn read(digits: &str) -> Option<&'static str> {
    let division: u8 = digits.get(..2)?.parse().ok()?;
    let (.., letter) = SECTIONS.iter().find(|(first, last, _)| (first..=last).contains(&&division))?;
    let groups = GROUPS.iter().find(|(of, _)| *of == division).map(|(_, groups)| *groups);
    let fits = digits.chars().nth(2).zip(groups).is_none_or(|(third, groups)| groups.contains(third));
    fits.then_some(*letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_section_or_none() {
        for (number, expected) in [
            (1110, Ok("A")),
            (111, Ok("A")),
            (1131, Ok("A")),
            (4711, Ok("G")),
            (47_111, Ok("G")),
            (47, Ok("G")),
            (8610, Ok("Q")),
            (86_101, Ok("Q")),
            (62_010, Ok("J")),
            (11_070, Ok("C")),
            (99_000, Ok("U")),
            (6201, Err(Reason::TwoSections)),
            (62, Err(Reason::TwoSections)),
            (34_000, Err(Reason::NoSection)),
            (4, Err(Reason::NoSection)),
            (0, Err(Reason::OutOfRange)),
            (-1, Err(Reason::OutOfRange)),
            (100_000, Err(Reason::OutOfRange)),
        ] {
            assert_eq!(section(number), expected, "{number}");
        }
    }

    /// Five digits are never ambiguous: each division of each section leads to its letter.
    #[test]
    fn every_division_leads_to_its_section() {
        for (first, last, letter) in SECTIONS {
            for division in first..=last {
                let groups = GROUPS.iter().find(|(of, _)| *of == division).map_or("1", |(_, groups)| *groups);
                if division < 10 || division == 4 {
                    continue;
                }
                let third = i64::from(groups.as_bytes()[0] - b'0');
                assert_eq!(section(i64::from(division) * 1000 + third * 100), Ok(letter), "{division}");
            }
        }
    }
}
