//! May this organisation ask this at all? Nothing here depends on the client, so every refusal is explained in full.

use crate::{
    catalogue::Mask,
    domain::{Day, Oin, OrganisationKind, Purpose, Refusal, RefusalCode, Role},
    identity::{Agreement, AgreementState, Function, Organisation, Register},
    policy::PolicySet,
};

use super::{Rules, received::Question};

/// A source that the requester has an active agreement with for the purpose.
#[derive(Clone, Debug)]
pub struct AgreedSource {
    /// The source.
    pub source: Oin,
    /// Its kind.
    pub kind: OrganisationKind,
    /// Most that the agreement lets through.
    pub fields: Mask,
    /// Id of the agreement.
    pub agreement: String,
}

/// That the requester may ask this: organisation and role admitted, agreement active, purpose served (R14, R17, R32).
#[derive(Debug)]
pub struct Admitted {
    /// Sources with an active agreement.
    pub sources: Vec<AgreedSource>,
    /// Fields asked that no source can ever give this role for this purpose.
    pub above_ceiling: Mask,
    /// Fields asked that are left.
    pub within: Mask,
}

/// The calling organisation, if it is admitted as requester.
///
/// # Errors
/// If it is not among the participants, or not as requester.
pub fn admit_requester(register: &Register, caller: Oin) -> Result<&Organisation, Refusal> {
    let organisation = register.organisation(&caller).ok_or(RefusalCode::OrganisationNotAdmitted)?;
    if !organisation.functions.contains(&Function::Requester) {
        return Err(RefusalCode::FunctionNotHeld.into());
    }
    Ok(organisation)
}

impl Admitted {
    pub(super) fn check(
        caller: Oin,
        question: &Question,
        rules: &Rules,
        today: Day,
    ) -> Result<Self, Refusal> {
        let organisation = admit_requester(&rules.register, caller)?;
        hold_role(organisation, question.role, today)?;
        let Some(purpose) = rules.policies.purpose(&question.purpose) else {
            return Err(Refusal::at(
                RefusalCode::PurposeUnknown,
                "purpose",
                "is not in the list of purposes",
            ));
        };
        if !purpose.active {
            let text = "is listed and not active; its open question is in the list of purposes";
            return Err(Refusal::at(RefusalCode::PurposeInactive, "purpose", text));
        }
        let sources = agreed_sources(&rules.register, caller, &question.purpose, today)?;
        let ceiling = ceiling(&rules.policies, &sources, &question.purpose, question.role);
        if ceiling.is_empty() {
            return Err(Refusal::at(RefusalCode::PurposeNotForRole, "role", "gets nothing for this purpose"));
        }
        if !rules.policies.in_effect(&question.purpose, question.role, today) {
            let text = "has a rule that does not hold today: it begins later, or had to be reviewed before";
            return Err(Refusal::at(RefusalCode::PolicyNotInEffect, "purpose", text));
        }
        Ok(Self {
            sources,
            above_ceiling: question.fields.minus(ceiling),
            within: question.fields.and(ceiling),
        })
    }
}

fn hold_role(organisation: &Organisation, role: Role, today: Day) -> Result<(), Refusal> {
    let held = organisation.roles.iter().filter(|held| held.role == role);
    let mut known = false;
    for grant in held {
        known = true;
        if grant.until.is_none_or(|until| today <= until) {
            return Ok(());
        }
    }
    let code = if known { RefusalCode::RoleEnded } else { RefusalCode::RoleNotHeld };
    Err(Refusal::at(code, "role", "is not held by this organisation now"))
}

/// Sources with an active agreement for the purpose, one row per agreement.
///
/// # Errors
/// If there is none, or none that still holds.
pub(super) fn agreed_sources(
    register: &Register,
    caller: Oin,
    purpose: &Purpose,
    today: Day,
) -> Result<Vec<AgreedSource>, Refusal> {
    let mut lapsed = false;
    let mut sources = Vec::new();
    let covers = |agreement: &&Agreement| agreement.terms.purposes.contains(purpose);
    for agreement in register.agreements(caller).filter(covers) {
        let terms = &agreement.terms;
        match agreement.state(today) {
            AgreementState::Active | AgreementState::ReviewDue => {
                if let Some(source) = register.organisation(&terms.source) {
                    sources.push(AgreedSource {
                        source: terms.source,
                        kind: source.kind,
                        fields: terms.fields,
                        agreement: terms.id.clone(),
                    });
                }
            }
            // Renewed, and for other purposes only, is over for this one.
            AgreementState::Lapsed | AgreementState::Ended | AgreementState::Renewed => lapsed = true,
            AgreementState::NotYet => {}
        }
    }
    if sources.is_empty() {
        let code = if lapsed { RefusalCode::AgreementLapsed } else { RefusalCode::AgreementMissing };
        return Err(code.into());
    }
    Ok(sources)
}

/// The most this role could ever get for this purpose from these sources.
pub(super) fn ceiling(policies: &PolicySet, sources: &[AgreedSource], purpose: &Purpose, role: Role) -> Mask {
    sources.iter().fold(Mask::EMPTY, |all, source| {
        all.or(policies.ceiling(purpose, role, source.kind).and(source.fields))
    })
}
