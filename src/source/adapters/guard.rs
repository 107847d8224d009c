//! What looks at every string that enters, before anything is done with it: keys, cells, names and free text alike.

/// What a string is expected to be where it stands. What is ordinary in one place is a find in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// A citizen service number (burgerservicenummer).
    Bsn,
    /// A client's key in the source's own system.
    Key,
    /// A property, a column or an item.
    Name,
    /// A code, a number, a label or a day.
    Code,
    /// A postcode.
    Postcode,
    /// An address of electronic mail, a telephone number or a web address, which is not carried.
    Contact,
    /// Free text or a name, which is not carried.
    FreeText,
}

/// Looks at a string. Gives the id of the detector that it sets off, and nothing of the string.
///
/// This function is the one place where detectors are wired to the adapters.
pub(super) fn guard(text: &str, expected: Expected) -> Option<&'static str> {
    // Free text has lines; nothing else has.
    let is_line = |c: char| expected == Expected::FreeText && matches!(c, '\n' | '\r' | '\t');
    text.chars().any(|c| c.is_control() && !is_line(c)).then_some("control-character")
}
