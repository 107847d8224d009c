//! The tree of provisions: a base that denies, one provision for each grant or refusal, and in a grant what was struck out.
//! Whatever a grant needs and is not there would be a wildcard, and a wildcard is no consent (R06).

use super::{
    coding,
    elements::{ACTOR, CODEABLE_CONCEPT, CODING, PERIOD, PROVISION, REFERENCE},
    loss::{FhirFault, LossReport},
    model::{Grant, Refused},
    node::Node,
    resources::Resources,
    terms::{FIELD, PARTICIPATION, PURPOSE, ROLE, STATUS, code_system},
};
use crate::{
    catalogue::{self, Field, Mask},
    domain::{Day, Oin, Purpose, Role},
};

const FIELDS: &str = "codes of the catalogue of work capacity, one by one";
const ONE_PURPOSE: &str = "exactly one purpose of Sluis by its name, and none that is never served";
const RECIPIENT: &str = "exactly one actor in role IRCP, the recipient";
const SOURCE: &str = "exactly one actor in role CST, the source";
const DAYS: &str = "a period in whole days that ends";

/// The grants and refusals of a Consent.
pub(super) fn read<'a>(
    mut root: Node<'a>,
    resources: &Resources<'a>,
    signed_on: Day,
    report: &mut LossReport,
) -> Result<(Vec<Grant>, Vec<Refused>), FhirFault> {
    if root.text("type", "deny")? != "deny" {
        return Err(FhirFault::not(root.at("type"), "deny: what is not granted is denied"));
    }
    not_carried(&root)?;
    for name in ["period", "actor", "purpose", "securityLabel"] {
        root.forbid(name, "nothing here: each grant has its own")?;
    }
    let (mut grants, mut refusals) = (Vec::new(), Vec::new());
    for mut node in root.nodes("provision", PROVISION)? {
        not_carried(&node)?;
        let accepted = "permit for a grant, deny for a refusal";
        match node.text("type", accepted)? {
            "permit" => grants.push(grant(node, resources, signed_on, report)?),
            "deny" => refusals.push(refusal(node, resources, report)?),
            _ => return Err(FhirFault::not(node.at("type"), accepted)),
        }
    }
    if grants.is_empty() && refusals.is_empty() {
        return Err(FhirFault::missing(root.at("provision"), "a provision for each grant and refusal"));
    }
    root.finish(report)?;
    Ok((grants, refusals))
}

/// What narrows a provision in a way that a grant cannot: to leave it out would widen the consent.
fn not_carried(provision: &Node<'_>) -> Result<(), FhirFault> {
    for name in ["class", "code"] {
        if provision.has(name) {
            return Err(FhirFault::medical(provision.at(name), FIELDS));
        }
    }
    provision.forbid("action", "no action: a purpose says enough")?;
    for name in ["dataPeriod", "data"] {
        provision.forbid(name, FIELDS)?;
    }
    Ok(())
}

struct Parties {
    recipient: Oin,
    role: Option<Role>,
    source: Oin,
    purpose: Purpose,
}

fn parties<'a>(
    node: &mut Node<'a>,
    resources: &Resources<'a>,
    report: &mut LossReport,
) -> Result<Parties, FhirFault> {
    let path = node.at("actor");
    let (mut recipient, mut source, mut role) = (None, None, None);
    for mut actor in node.nodes("actor", ACTOR)? {
        let accepted = "IRCP or CST of the HL7 v3 participation types";
        let concept = actor.node("role", CODEABLE_CONCEPT, accepted)?;
        let role_path = actor.at("role");
        let (_, part) = coding::concept(concept, &[PARTICIPATION], accepted, report)?;
        let (party, accepted) = match part {
            "IRCP" => (&mut recipient, RECIPIENT),
            "CST" => (&mut source, SOURCE),
            _ => return Err(FhirFault::not(role_path, accepted)),
        };
        let reference = actor.node("reference", REFERENCE, "an organisation")?;
        if party.replace(resources.organisation(reference, report)?).is_some() {
            return Err(FhirFault::not(path, accepted));
        }
        if part == "IRCP"
            && let Some(extension) = actor.extension("role")?
        {
            role = Some(coding::parsed(extension, ROLE, "a role of Sluis", report)?);
        }
        actor.finish(report)?;
    }
    let recipient = recipient.ok_or_else(|| FhirFault::missing(path.as_str(), RECIPIENT))?;
    let source = source.ok_or_else(|| FhirFault::missing(path.as_str(), SOURCE))?;
    let purpose = node.only("purpose", CODING, ONE_PURPOSE)?;
    let path = purpose.at("code");
    let purpose = coding::code(purpose, &code_system(PURPOSE), report)?;
    let purpose = purpose.parse().map_err(|_| FhirFault::not(path, ONE_PURPOSE))?;
    Ok(Parties { recipient, role, source, purpose })
}

fn refusal<'a>(
    mut node: Node<'a>,
    resources: &Resources<'a>,
    report: &mut LossReport,
) -> Result<Refused, FhirFault> {
    if let Some(extension) = node.extension("grant-status")? {
        let accepted = "grants that are in force: another one cannot be drafted again";
        return Err(FhirFault::not(extension.path(), accepted));
    }
    for name in ["period", "securityLabel", "provision"] {
        node.forbid(name, "nothing here: a refusal is of all fields, and has no end")?;
    }
    let path = node.at("actor");
    let Parties { recipient, role, source, purpose } = parties(&mut node, resources, report)?;
    if role.is_some() {
        return Err(FhirFault::not(path, "no role: a refusal is of the whole organisation"));
    }
    node.finish(report)?;
    Ok(Refused { recipient, purpose, source })
}

fn grant<'a>(
    mut node: Node<'a>,
    resources: &Resources<'a>,
    signed_on: Day,
    report: &mut LossReport,
) -> Result<Grant, FhirFault> {
    let path = node.at("actor.extension(role)");
    let Parties { recipient, role, source, purpose } = parties(&mut node, resources, report)?;
    let role = role.ok_or_else(|| FhirFault::missing(path, "the one role that may receive"))?;

    let mut period = node.node("period", PERIOD, DAYS)?;
    let start = period.day_opt("start")?;
    if start.is_none() {
        report.add(period.at("start"), "is missing; the day of signing is assumed");
    }
    let valid_from = start.unwrap_or(signed_on);
    let path = period.at("end");
    let valid_until = after(period.day("end")?, valid_from, &path)?;
    period.finish(report)?;

    let labels = node.at("securityLabel");
    let (permitted, sensitive) = fields(&mut node, report)?;
    let mut excluded = Mask::EMPTY;
    for mut inner in node.nodes("provision", PROVISION)? {
        not_carried(&inner)?;
        inner.fixed("type", "deny")?;
        for name in ["period", "actor", "purpose", "provision"] {
            inner.forbid(name, "nothing here: fields that were struck out, and no more")?;
        }
        let (path, (denied, ticked)) = (inner.at("securityLabel"), fields(&mut inner, report)?);
        if !ticked.is_empty() {
            return Err(FhirFault::not(path, "fields that are struck out, and none that is ticked"));
        }
        excluded = excluded.or(denied);
        inner.finish(report)?;
    }
    if !permitted.and(excluded).is_empty() {
        report.add(labels.as_str(), "permits fields that are denied below; they are taken as denied");
    }
    let fields = permitted.minus(excluded);
    if fields.is_empty() {
        return Err(FhirFault::not(labels, "fields that are not all denied"));
    }

    let mut uses = None;
    if let Some(mut extension) = node.extension("uses")? {
        uses = Some(extension.number("valuePositiveInt")?);
        extension.finish(report)?;
    }
    let mut renews = None;
    if let Some(mut extension) = node.extension("renews")? {
        let (path, accepted) = (extension.at("valueUuid"), "urn:uuid: and the id of a grant");
        let id =
            extension.text("valueUuid", accepted)?.strip_prefix("urn:uuid:").and_then(|id| id.parse().ok());
        renews = Some(id.ok_or_else(|| FhirFault::not(path, accepted))?);
        extension.finish(report)?;
    }
    if let Some(extension) = node.extension("grant-status")? {
        let path = extension.path().to_owned();
        if !["IN_FORCE", "NOT_YET_IN_FORCE"].contains(&coding::listed(extension, &STATUS, report)?) {
            return Err(FhirFault::not(path, "a status in which a grant permits"));
        }
        report.add(path, "is left out: Sluis derives the status of a grant");
    }
    node.finish(report)?;
    Ok(Grant {
        recorded: None,
        recipient,
        role,
        purpose,
        source,
        fields,
        sensitive: sensitive.minus(excluded),
        excluded,
        uses,
        renews,
        valid_from,
        valid_until,
    })
}

/// The day after the last one: a FHIR period includes its end, a grant does not.
pub(super) fn after(end: Day, start: Day, path: &str) -> Result<Day, FhirFault> {
    let next = end.next_day().filter(|_| end >= start);
    next.ok_or_else(|| FhirFault::not(path, "a day that is not before the start"))
}

/// The fields that labels name, and those that were ticked apart.
fn fields(node: &mut Node<'_>, report: &mut LossReport) -> Result<(Mask, Mask), FhirFault> {
    let path = node.at("securityLabel");
    let (mut all, mut ticked) = (Mask::EMPTY, Mask::EMPTY);
    for mut label in node.nodes("securityLabel", CODING)? {
        let code_path = label.at("code");
        if label.text("system", FIELDS)? != code_system(FIELD) {
            return Err(FhirFault::medical(label.at("system"), FIELDS));
        }
        let code = label.text("code", FIELDS)?;
        let mask = catalogue::from_codes(&[code]).map_err(|fault| {
            if fault.medical {
                FhirFault::medical(code_path, FIELDS)
            } else {
                FhirFault::not(code_path, FIELDS)
            }
        })?;
        all = all.or(mask);
        if let Some(mut extension) = label.extension("ticked-apart")? {
            if extension.flag_opt("valueBoolean")? != Some(true) {
                return Err(FhirFault::not(extension.at("valueBoolean"), "true, or no such extension"));
            }
            extension.finish(report)?;
            ticked = ticked.or(mask);
        }
        let ours = Field::from_code(code).map(|field| field.entry().label_nl);
        if label.peek("display").and_then(serde_json::Value::as_str) == ours {
            label.skip("display");
        }
        label.finish(report)?;
    }
    if all.is_empty() { Err(FhirFault::missing(path, FIELDS)) } else { Ok((all, ticked)) }
}
