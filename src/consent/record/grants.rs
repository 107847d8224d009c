//! What a grant says (R06, R07, R11, R14), and what the grants of a form say together (R36).

use std::collections::BTreeSet;

use crate::{
    catalogue::{Mask, Sensitivity},
    consent::{Form, Grant},
    domain::{
        Day,
        refusal::{Refusal, RefusalCode},
    },
    identity::{Function, Register},
    policy::PolicySet,
};

pub(super) fn check(
    grant: &Grant,
    path: &str,
    form: &Form,
    register: &Register,
    policies: &PolicySet,
    today: Day,
) -> Result<(), Refusal> {
    let at = |code, name: &str, text: &str| Err(Refusal::at(code, format!("{path}.{name}"), text));
    let recipient = register.organisation(&grant.recipient);
    if recipient.is_none_or(|organisation| !organisation.functions.contains(&Function::Requester)) {
        return at(
            RefusalCode::FormPartyNotAdmitted,
            "recipient",
            "must be an organisation admitted as requester",
        );
    }
    if recipient.is_none_or(|organisation| organisation.kind != grant.role.kind()) {
        return at(RefusalCode::FormPartyNotAdmitted, "role", "must be a role of the recipient's kind");
    }
    let Some(source) =
        register.organisation(&grant.source).filter(|o| o.functions.contains(&Function::Source))
    else {
        return at(RefusalCode::FormPartyNotAdmitted, "source", "must be an organisation admitted as source");
    };
    if grant.source == grant.recipient {
        return at(RefusalCode::FormTooWide, "source", "must be another organisation than the recipient");
    }
    let Some(purpose) = policies.purpose(&grant.purpose) else {
        return at(RefusalCode::PurposeUnknown, "purpose", "is not in the list of purposes");
    };
    if !purpose.active {
        return at(RefusalCode::PurposeInactive, "purpose", "has no agreed legal basis yet");
    }
    if grant.renews.is_some() && grant.recipient == grant.recorder {
        // Whether it can be renewed would tell it whether it was withdrawn (P09).
        return at(
            RefusalCode::FormTooWide,
            "renews",
            "must not be there: a recipient records a new consent, and no renewal",
        );
    }
    if purpose.one_time && grant.uses != Some(1) {
        return at(RefusalCode::FormTooWide, "uses", "must be 1: this purpose is for one time");
    }
    check_period(grant, path, purpose.max_months, today)?;
    if form.grantor.last_day().is_some_and(|last| grant.valid_until > last) {
        return at(
            RefusalCode::FormGrantorInvalid,
            "valid_until",
            "must not be after `form.grantor.until`: who signed may decide no longer than that",
        );
    }
    let both = grant.fields.and(grant.excluded);
    if !both.is_empty() {
        let codes = crate::catalogue::codes(both).join(", ");
        let text = format!("has fields that are granted as well: {codes}");
        return Err(Refusal::at(RefusalCode::FormContradictory, format!("{path}.excluded"), text));
    }
    let ceiling = policies.ceiling(&grant.purpose, grant.role, source.kind);
    let above = grant.fields.minus(ceiling);
    if !above.is_empty() {
        let codes = crate::catalogue::codes(above).join(", ");
        let text = format!("has fields above the ceiling of the purpose for this role and source: {codes}");
        return Err(Refusal::at(RefusalCode::FormFieldsAboveCeiling, format!("{path}.fields"), text));
    }
    let revealing: Mask =
        grant.fields.iter().filter(|field| field.entry().sensitivity == Sensitivity::S2).collect();
    if revealing != grant.sensitive {
        let codes = crate::catalogue::codes(revealing).join(", ");
        let text =
            format!("must list exactly the strongly revealing fields of the grant, ticked apart: {codes}");
        return Err(Refusal::at(RefusalCode::FormSensitiveNotTicked, format!("{path}.sensitive"), text));
    }
    Ok(())
}

fn check_period(grant: &Grant, path: &str, max_months: u8, today: Day) -> Result<(), Refusal> {
    let at = |code, name: &str, text: &str| Err(Refusal::at(code, format!("{path}.{name}"), text));
    if grant.valid_from < grant.signed_on {
        return at(RefusalCode::FormPeriodInvalid, "valid_from", "must not be before the signature");
    }
    if grant.valid_until <= grant.valid_from {
        return at(RefusalCode::FormPeriodInvalid, "valid_until", "must be after `valid_from`");
    }
    if grant.valid_until <= today {
        return at(RefusalCode::FormPeriodInvalid, "valid_until", "must lie in the future");
    }
    // Counted from the signature, so that a late start cannot stretch a consent.
    if grant.valid_until > months_later(grant.signed_on, max_months) {
        let text = format!("must be at most {max_months} months after the signature");
        return at(RefusalCode::FormPeriodTooLong, "valid_until", &text);
    }
    Ok(())
}

/// Checks that the form does not say yes and no to the same, and not yes to everything.
pub(super) fn check_together(grants: &[&Grant], form: &Form, policies: &PolicySet) -> Result<(), Refusal> {
    for (index, grant) in grants.iter().enumerate() {
        let refused = form.refusals.iter().any(|refused| {
            refused.recipient == grant.recipient
                && refused.purpose == grant.purpose
                && refused.source == grant.source
        });
        if refused {
            let text = "is refused on the same form";
            return Err(Refusal::at(RefusalCode::FormContradictory, format!("grants[{index}]"), text));
        }
        let struck = grants
            .iter()
            .filter(|other| {
                other.recipient == grant.recipient
                    && other.purpose == grant.purpose
                    && other.source == grant.source
            })
            .fold(Mask::EMPTY, |all, other| all.or(other.excluded));
        if !grant.fields.and(struck).is_empty() {
            let path = format!("grants[{index}].fields");
            let text = "has fields that another grant of the form strikes out";
            return Err(Refusal::at(RefusalCode::FormContradictory, path, text));
        }
    }
    let purposes: BTreeSet<_> = grants.iter().map(|grant| &grant.purpose).collect();
    let active = policies.purposes().filter(|purpose| purpose.active).count();
    if purposes.len() > 1 && purposes.len() >= active {
        let text = "name every purpose that there is: a consent to everything is none";
        return Err(Refusal::at(RefusalCode::FormTooWide, "grants", text));
    }
    Ok(())
}

/// The same day so many months later, or the last day of that month.
fn months_later(day: Day, months: u8) -> Day {
    let zero_based = i32::from(u8::from(day.month())) - 1 + i32::from(months);
    let year = day.year() + zero_based / 12;
    let month = u8::try_from(zero_based % 12 + 1).ok().and_then(|m| time::Month::try_from(m).ok());
    let Some(month) = month else { return day };
    let last = month.length(year);
    Day::from_calendar_date(year, month, day.day().min(last)).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::parse_day;

    #[test]
    fn months_end_on_days_that_exist() {
        for (from, months, until) in [
            ("2026-01-31", 1, "2026-02-28"),
            ("2026-11-23", 12, "2027-11-23"),
            ("2026-12-31", 2, "2027-02-28"),
            ("2024-02-29", 12, "2025-02-28"),
        ] {
            assert_eq!(months_later(parse_day(from).unwrap(), months), parse_day(until).unwrap());
        }
    }
}
