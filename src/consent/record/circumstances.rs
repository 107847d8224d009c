//! What the form says of how the consent came about (R05, R07, R11, R12, R13), and what the client refused on it.

use crate::{
    consent::form::{Collection, Form, Method, Refused, WithdrawalWay},
    domain::{
        Day,
        refusal::{Refusal, RefusalCode},
    },
    identity::{Function, Register},
    policy::PolicySet,
};

pub(super) fn check(
    form: &Form,
    register: &Register,
    policies: &PolicySet,
    today: Day,
) -> Result<(), Refusal> {
    evidence(form, register, today)?;
    if form.explanation.explained_on > form.evidence.signed_on {
        let text = "must not be after the signature";
        return Err(Refusal::at(RefusalCode::FormExplanationMissing, "form.explanation.explained_on", text));
    }
    let verified_on = form.collection.verified_on;
    if verified_on < form.evidence.signed_on || verified_on > today {
        let text = "must be a day from the signature to today";
        return Err(Refusal::at(RefusalCode::FormEvidenceMissing, "form.collection.verified_on", text));
    }
    withdrawal(&form.collection)?;
    form.grantor.check(form.evidence.signed_on)?;
    form.refusals.iter().enumerate().try_for_each(|(index, refused)| {
        let path = format!("form.refusals[{index}]");
        if form.refusals.iter().take(index).any(|other| other == refused) {
            return Err(Refusal::at(RefusalCode::FormContradictory, path, "is there twice"));
        }
        self::refused(refused, &path, register, policies)
    })
}

fn evidence(form: &Form, register: &Register, today: Day) -> Result<(), Refusal> {
    let evidence = &form.evidence;
    if evidence.signed_on > today {
        let text = "must not lie in the future";
        return Err(Refusal::at(RefusalCode::FormEvidenceMissing, "form.evidence.signed_on", text));
    }
    if register.organisation(&evidence.custodian).is_none() {
        let text = "must be an admitted organisation";
        return Err(Refusal::at(RefusalCode::FormPartyNotAdmitted, "form.evidence.custodian", text));
    }
    let printed = register.organisation(&form.recorder).map(|recorder| recorder.forms.as_slice());
    let known = printed.unwrap_or_default().iter().any(|printed| {
        printed.number == evidence.form_number
            && printed.version == evidence.form_version
            && printed.explanations.contains(&form.explanation.text_version)
            && printed.from <= evidence.signed_on
            && printed.until.is_none_or(|until| evidence.signed_on <= until)
    });
    if known {
        return Ok(());
    }
    let text = "must be, with its explanation, a version of a form that is registered for the recorder and was in use \
                on the day of the signature";
    Err(Refusal::at(RefusalCode::FormVersionUnknown, "form.evidence.form_version", text))
}

/// Withdrawing is as easy as giving (AVG 7(3)): the way in which he gave it is a way to withdraw.
fn withdrawal(collection: &Collection) -> Result<(), Refusal> {
    use WithdrawalWay::{InPerson, Letter, Portal};
    let (ways, text): (&[_], _) = match collection.method {
        Method::WetInk => (&[InPerson, Letter], "must have IN_PERSON or LETTER: it was given on paper"),
        Method::EFormDigid => (&[Portal], "must have PORTAL: it was given in one"),
        Method::Eidas => {
            (&[Portal, Letter], "must have PORTAL or LETTER: it was given with an electronic signature")
        }
    };
    if collection.withdrawal.iter().any(|way| ways.contains(way)) {
        return Ok(());
    }
    Err(Refusal::at(RefusalCode::FormWithdrawalHarder, "form.collection.withdrawal", text))
}

fn refused(refused: &Refused, path: &str, register: &Register, policies: &PolicySet) -> Result<(), Refusal> {
    let holds = |oin, function| {
        register.organisation(oin).is_some_and(|organisation| organisation.functions.contains(&function))
    };
    for (name, oin, function, text) in [
        (
            "recipient",
            &refused.recipient,
            Function::Requester,
            "must be an organisation admitted as requester",
        ),
        ("source", &refused.source, Function::Source, "must be an organisation admitted as source"),
    ] {
        if !holds(oin, function) {
            let path = format!("{path}.{name}");
            return Err(Refusal::at(RefusalCode::FormPartyNotAdmitted, path, text));
        }
    }
    if policies.purpose(&refused.purpose).is_none() {
        let path = format!("{path}.purpose");
        return Err(Refusal::at(RefusalCode::PurposeUnknown, path, "is not in the list of purposes"));
    }
    Ok(())
}
