//! What looks at every string that enters, before anything is done with it: keys, cells, names and free text alike. The
//! one place where the tripwire is wired to the adapters.

use crate::tripwire;

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
pub(super) fn guard(text: &str, expected: Expected) -> Option<&'static str> {
    use tripwire::Expected as Form;
    let forms: &[Form] = match expected {
        Expected::Bsn => &[Form::Bsn],
        Expected::Key => &[Form::Uuid],
        Expected::Code => &[Form::Number, Form::Date, Form::Code],
        Expected::Postcode => &[Form::Postcode],
        Expected::Contact => &[Form::Address],
        Expected::Name | Expected::FreeText => &[Form::Text],
    };
    if forms.iter().any(|form| form.is_met_by(text)) || expected == Expected::Key && is_serial(text) {
        return None;
    }
    let form = forms.first().copied().unwrap_or(Form::Text);
    tripwire::scan(text, form).map(tripwire::Detector::id)
}

/// A number that cannot be a BSN. A key goes nowhere, so that it may be a number of SNOMED CT by chance.
fn is_serial(text: &str) -> bool {
    (1..=18).contains(&text.len())
        && !(8..=9).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_digit())
}
