//! Codes, codeable concepts and identifiers: one known system, one known code, or none at all.

use super::{
    elements::{CODING, IDENTIFIER},
    loss::{FhirFault, LossReport},
    node::Node,
    terms::{List, OURS, code_system},
};

/// The code of a coding that must be of this system.
pub(super) fn code<'a>(
    mut coding: Node<'a>,
    system: &str,
    report: &mut LossReport,
) -> Result<&'a str, FhirFault> {
    coding.fixed("system", system)?;
    let code = coding.text("code", "a code")?;
    coding.finish(report)?;
    Ok(code)
}

/// The code of an extension's `valueCoding`, from a closed list of ours.
pub(super) fn listed(
    mut extension: Node<'_>,
    list: &List,
    report: &mut LossReport,
) -> Result<&'static str, FhirFault> {
    let path = extension.at("valueCoding.code");
    let coding = extension.node("valueCoding", CODING, &list.accepted())?;
    let code = code(coding, &code_system(list.system), report)?;
    extension.finish(report)?;
    list.find(code).ok_or_else(|| FhirFault::not(path, list.accepted()))
}

/// The code of an extension's `valueCoding` that parses.
pub(super) fn parsed<T: std::str::FromStr>(
    mut extension: Node<'_>,
    system: &str,
    accepted: &str,
    report: &mut LossReport,
) -> Result<T, FhirFault> {
    let path = extension.at("valueCoding.code");
    let coding = extension.node("valueCoding", CODING, accepted)?;
    let code = code(coding, &code_system(system), report)?;
    extension.finish(report)?;
    code.parse().map_err(|_| FhirFault::not(path, accepted))
}

/// What the codings of a concept say in the systems that are known: the one pair of system and code.
///
/// Codings of other systems are translations of it, and are left out. A text beside a code says nothing more.
pub(super) fn concept<'a>(
    mut concept: Node<'a>,
    systems: &[&'static str],
    accepted: &str,
    report: &mut LossReport,
) -> Result<(&'static str, &'a str), FhirFault> {
    let path = concept.at("coding");
    let mut found = None;
    for mut coding in concept.nodes("coding", CODING)? {
        let system = coding.text("system", accepted)?;
        let Some(known) = systems.iter().copied().find(|known| *known == system) else {
            if system.contains(OURS) {
                return Err(FhirFault::not(coding.at("system"), accepted));
            }
            report.add(coding.path(), "is a coding of another system, and is left out");
            continue;
        };
        let code = coding.text("code", accepted)?;
        coding.finish(report)?;
        if found.replace((known, code)).is_some() {
            return Err(FhirFault::not(path, format!("exactly one: {accepted}")));
        }
    }
    concept.finish(report)?;
    found.ok_or_else(|| FhirFault::missing(path, accepted))
}

/// The value of the one identifier of this system.
pub(super) fn identifier<'a>(
    resource: &mut Node<'a>,
    system: &str,
    accepted: &str,
    report: &mut LossReport,
) -> Result<&'a str, FhirFault> {
    let path = resource.at("identifier");
    let mut found = None;
    for mut identifier in resource.nodes("identifier", IDENTIFIER)? {
        if identifier.text_opt("system")? != Some(system) {
            report.add(identifier.path(), "is a number of another system, and is left out");
            continue;
        }
        if found.replace(value(identifier, accepted, report)?).is_some() {
            return Err(FhirFault::not(path, format!("exactly one: {accepted}")));
        }
    }
    found.ok_or_else(|| FhirFault::missing(path, accepted))
}

/// The value of an identifier whose system was read.
pub(super) fn value<'a>(
    mut identifier: Node<'a>,
    accepted: &str,
    report: &mut LossReport,
) -> Result<&'a str, FhirFault> {
    // `old` and `temp` say that the number is not, or no longer, the right one.
    if !matches!(identifier.text_opt("use")?, None | Some("official" | "usual")) {
        return Err(FhirFault::not(identifier.at("use"), "official, usual, or nothing"));
    }
    let value = identifier.text("value", accepted)?;
    identifier.finish(report)?;
    Ok(value)
}
