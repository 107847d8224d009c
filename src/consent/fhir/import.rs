//! From FHIR to a form: the Consent itself, the paper it rests on, and who signed it.

use serde_json::Value;

use super::{
    coding,
    elements::{
        ATTACHMENT, CODEABLE_CONCEPT, CODING, CONTENT, META, PERIOD, POLICY, PROVISION, REFERENCE,
        VERIFICATION,
    },
    loss::{FhirFault, LossReport},
    model::{
        Authority, Collection, Explanation, Form, Grantor, LANGUAGE, SHA256, contradiction, language, sha256,
    },
    node::{Node, scan},
    provision::{self, after},
    resources::{Resources, open},
    terms::{
        ACT_CODE, ALTERNATIVE, CLIENT, CLIENT_AGE, CONFIDENTIALITY, CONTEXT, EXPLANATION_TEXT, GRANTOR,
        LOINC, LOINC_CONSENT, LOINC_RELEASE, List, MEDIA_TYPE, METHOD, PROFILE, READING_LEVEL, ROLE, SCOPE,
        WITHDRAWAL, code_system,
    },
};
use crate::domain::{Bsn, Day, Oin, Role, Timestamp, time::parse_day};

const A_ROLE: &str = "a role of Sluis";

/// Reads a Consent with what belongs to it.
pub(super) fn form(input: &Value, report: &mut LossReport) -> Result<(Form, Bsn), FhirFault> {
    let root = if input.get("resourceType").and_then(Value::as_str) == Some("Bundle") {
        "Bundle"
    } else {
        "Consent"
    };
    scan(input, root, 0)?;
    let (mut consent, resources) = open(input, report)?;
    meta(&mut consent, report)?;
    let rejected = status(&mut consent)?;
    scope_and_category(&mut consent, report)?;
    consent.forbid("policyRule", "no policy rule; a base provision of type deny says it")?;
    for mut verification in consent.nodes("verification", VERIFICATION)? {
        if verification.flag_opt("verified")? != Some(true) {
            return Err(FhirFault::not(verification.at("verified"), "true, or no verification"));
        }
        let path = verification.path().to_owned();
        verification.skip("verifiedWith");
        verification.skip("verificationDate");
        verification.finish(report)?;
        report.add(path, "is left out: the extension `collection` says who saw that it was he who signed");
    }

    let bsn = resources.client(consent.node("patient", REFERENCE, "the client")?, report)?;
    let signed_on = signed_on(&mut consent, report)?;
    let recorder = consent.only("organization", REFERENCE, "the organisation that records the form")?;
    let recorder = resources.organisation(recorder, report)?;
    let signer = consent.only("performer", REFERENCE, "who signed")?;
    let signer = resources.signer(signer, &bsn, report)?;
    let grantor = grantor(&mut consent, signer, report)?;
    let paper = paper(&mut consent, &resources, &bsn, report)?;
    let explanation = explanation(&mut consent, report)?;
    let collection = collection(&mut consent, report)?;

    let root = consent.node("provision", PROVISION, "a base provision of type deny")?;
    let provisions = root.at("provision");
    let (grants, refusals) = provision::read(root, &resources, signed_on, report)?;
    if contradiction(&grants, &refusals).is_some() {
        return Err(FhirFault::not(
            provisions,
            "no grant and refusal of the same recipient, purpose and source",
        ));
    }
    if rejected && !grants.is_empty() {
        return Err(FhirFault::not(consent.at("status"), "active, for a form that grants anything"));
    }
    if let Some(extension) = consent.extension("recorded-at")? {
        report.add(extension.path(), "is left out: recording gives a time of its own");
    }
    consent.finish(report)?;
    resources.finish(report);
    let form = Form {
        bsn: None,
        recorded: None,
        recorder,
        custodian: paper.custodian,
        form_number: paper.number,
        form_version: paper.version,
        signed_on,
        media_type: paper.media_type,
        sha256: paper.sha256,
        size: paper.size,
        explanation,
        collection,
        grantor,
        grants,
        refusals,
    };
    Ok((form, bsn))
}

/// Our own profile and the label that we give are read; other metadata is of the sending system.
fn meta(consent: &mut Node<'_>, report: &mut LossReport) -> Result<(), FhirFault> {
    let Some(mut meta) = consent.node_opt("meta", META)? else { return Ok(()) };
    for (path, profile) in meta.values("profile")? {
        if profile.as_str() != Some(PROFILE) {
            report.add(path, "is a profile that Sluis does not use");
        }
    }
    for mut label in meta.nodes("security", CODING)? {
        let path = label.path().to_owned();
        let (system, code) = (label.text_opt("system")?, label.text_opt("code")?);
        label.finish(report)?;
        if (system, code) != (Some(CONFIDENTIALITY), Some("R")) {
            report.add(path, "is a label that Sluis does not know, and is left out");
        }
    }
    meta.finish(report)
}

fn status(consent: &mut Node<'_>) -> Result<bool, FhirFault> {
    let accepted = "active, or rejected for a form of refusals alone";
    match consent.text("status", accepted)? {
        "active" => Ok(false),
        "rejected" => Ok(true),
        _ => Err(FhirFault::not(consent.at("status"), accepted)),
    }
}

fn scope_and_category(consent: &mut Node<'_>, report: &mut LossReport) -> Result<(), FhirFault> {
    let accepted = "patient-privacy of the consent scopes";
    let path = consent.at("scope");
    let scope = consent.node("scope", CODEABLE_CONCEPT, accepted)?;
    if coding::concept(scope, &[SCOPE], accepted, report)?.1 != "patient-privacy" {
        return Err(FhirFault::not(path, accepted));
    }
    let accepted = "LOINC 59284-0 or 64292-6, or IDSCL";
    let categories = consent.nodes("category", CODEABLE_CONCEPT)?;
    if categories.is_empty() {
        return Err(FhirFault::missing(consent.at("category"), accepted));
    }
    for category in categories {
        let path = category.path().to_owned();
        match coding::concept(category, &[LOINC, ACT_CODE], accepted, report)? {
            (LOINC, LOINC_CONSENT | LOINC_RELEASE) | (ACT_CODE, "IDSCL") => {}
            _ => return Err(FhirFault::medical(path, accepted)),
        }
    }
    Ok(())
}

/// The day of signing. The hour is the sender's, and its zone too: the day is the one that the client would name.
fn signed_on(consent: &mut Node<'_>, report: &mut LossReport) -> Result<Day, FhirFault> {
    let (path, accepted) = (consent.at("dateTime"), "the day of signing, as in 2026-11-23");
    let text = consent.text("dateTime", accepted)?;
    let day_of = |text: &str| parse_day(text).ok().filter(|day| day.to_string() == text);
    if let Some(day) = day_of(text) {
        return Ok(day);
    }
    let day = Timestamp::parse(text).ok().and_then(|_| text.get(..10)).and_then(day_of);
    let day = day.ok_or_else(|| FhirFault::not(path.as_str(), accepted))?;
    report.add(path, "has an hour, which is left out; the day is taken as it is written");
    Ok(day)
}

fn grantor(
    consent: &mut Node<'_>,
    signer: Option<Node<'_>>,
    report: &mut LossReport,
) -> Result<Grantor, FhirFault> {
    let client_age = coding::listed(consent.needed_extension("client-age")?, &CLIENT_AGE, report)?;
    let Some(mut person) = signer else { return Ok(Grantor { kind: CLIENT, client_age, authority: None }) };
    let system = code_system(GRANTOR.system);
    let relation = person.only("relationship", CODEABLE_CONCEPT, &GRANTOR.accepted())?;
    let path = relation.at("coding");
    let kind = relationship(relation, &system, report)?;
    let kind = GRANTOR.find(kind).filter(|kind| *kind != CLIENT);
    let kind = kind.ok_or_else(|| FhirFault::not(path, "a kind of grantor, other than CLIENT"))?;
    let mut proof = person.needed_extension("authority")?;
    let mut part = proof.part("evidence-sha256")?;
    let hash = sha256(part.text("valueString", SHA256)?);
    let hash = hash.ok_or_else(|| FhirFault::not(part.at("valueString"), SHA256))?;
    part.finish(report)?;
    proof.finish(report)?;
    let mut period = person.node("period", PERIOD, "from when the authority holds")?;
    let from = period.day("start")?;
    let path = period.at("end");
    let until = period.day_opt("end")?.map(|end| after(end, from, &path)).transpose()?;
    period.finish(report)?;
    person.finish(report)?;
    Ok(Grantor { kind, client_age, authority: Some(Authority { sha256: hash, from, until }) })
}

/// The relation in our own code system; other systems' words for it are left out.
fn relationship<'a>(
    mut relation: Node<'a>,
    system: &str,
    report: &mut LossReport,
) -> Result<&'a str, FhirFault> {
    let (path, mut found) = (relation.at("coding"), None);
    for coding in relation.nodes("coding", CODING)? {
        if coding.peek("system").and_then(Value::as_str) != Some(system) {
            report.add(coding.path(), "is a coding of another system, and is left out");
        } else if found.replace(coding::code(coding, system, report)?).is_some() {
            return Err(FhirFault::not(path, "exactly one kind of grantor"));
        }
    }
    relation.finish(report)?;
    found.ok_or_else(|| FhirFault::missing(path, GRANTOR.accepted()))
}

struct Paper {
    number: u32,
    version: u32,
    custodian: Oin,
    media_type: &'static str,
    sha256: String,
    size: u32,
}

fn paper<'a>(
    consent: &mut Node<'a>,
    resources: &Resources<'a>,
    bsn: &Bsn,
    report: &mut LossReport,
) -> Result<Paper, FhirFault> {
    let accepted = "a reference to the DocumentReference of the signed form";
    consent.forbid("sourceAttachment", "sourceReference")?;
    let reference = consent.node("sourceReference", REFERENCE, accepted)?;
    let mut paper = resources.document(reference, report)?;
    paper.fixed("status", "current")?;
    if !matches!(paper.text_opt("docStatus")?, None | Some("final")) {
        return Err(FhirFault::not(paper.at("docStatus"), "final, or nothing"));
    }
    if let Some(kind) = paper.node_opt("type", CODEABLE_CONCEPT)? {
        let (path, accepted) = (kind.path().to_owned(), "LOINC 64292-6 or 59284-0");
        let (_, code) = coding::concept(kind, &[LOINC], accepted, report)?;
        if ![LOINC_RELEASE, LOINC_CONSENT].contains(&code) {
            return Err(FhirFault::medical(path, accepted));
        }
    }
    if let Some(subject) = paper.node_opt("subject", REFERENCE)? {
        resources.same_client(subject, bsn, report)?;
    }
    let custodian = paper.node("custodian", REFERENCE, "the organisation that keeps the form")?;
    let custodian = resources.organisation(custodian, report)?;
    let mut printed = paper.needed_extension("printed-form")?;
    let [number, version] = ["number", "version"].map(|name| {
        let mut part = printed.part(name)?;
        let number = part.number("valuePositiveInt")?;
        part.finish(report)?;
        Ok(number)
    });
    let (number, version) = (number?, version?);
    printed.finish(report)?;
    let mut content = paper.only("content", CONTENT, "the signed form")?;
    let mut attachment = content.node("attachment", ATTACHMENT, "the signed form")?;
    content.finish(report)?;
    let media_type = attachment.listed("contentType", &MEDIA_TYPE)?;
    let size = attachment.number("size")?;
    if attachment.has("data") {
        report.add(attachment.at("data"), "is left out: the form stays with its custodian");
        attachment.skip("data");
    }
    if attachment.has("hash") {
        report.add(attachment.at("hash"), "is a SHA-1, and is left out; the extension `sha-256` is used");
        attachment.skip("hash");
    }
    let mut extension = attachment.needed_extension("sha-256")?;
    let hash = sha256(extension.text("valueString", SHA256)?);
    let hash = hash.ok_or_else(|| FhirFault::not(extension.at("valueString"), SHA256))?;
    extension.finish(report)?;
    attachment.finish(report)?;
    paper.finish(report)?;
    Ok(Paper { number, version, custodian, media_type, sha256: hash, size })
}

fn explanation(consent: &mut Node<'_>, report: &mut LossReport) -> Result<Explanation, FhirFault> {
    let accepted = format!("{EXPLANATION_TEXT} and the number of its version");
    let mut policy = consent.only("policy", POLICY, &accepted)?;
    let path = policy.at("uri");
    let uri = policy.text("uri", &accepted)?;
    let version = uri.strip_prefix(EXPLANATION_TEXT).and_then(|text| {
        text.parse::<u32>().ok().filter(|version| *version > 0 && version.to_string() == text)
    });
    let text_version = version.ok_or_else(|| FhirFault::not(path, accepted))?;
    policy.finish(report)?;

    let mut extension = consent.needed_extension("explanation")?;
    let mut part = extension.part("language")?;
    let spoken = language(part.text("valueCode", LANGUAGE)?);
    let spoken = spoken.ok_or_else(|| FhirFault::not(part.at("valueCode"), LANGUAGE))?;
    part.finish(report)?;
    let explanation = Explanation {
        text_version,
        language: spoken,
        reading_level: coding::listed(extension.part("reading-level")?, &READING_LEVEL, report)?,
        explained_by: role(&mut extension, "explained-by", report)?,
        explained_on: day(&mut extension, "explained-on", report)?,
    };
    extension.finish(report)?;
    Ok(explanation)
}

fn collection(consent: &mut Node<'_>, report: &mut LossReport) -> Result<Collection, FhirFault> {
    let mut extension = consent.needed_extension("collection")?;
    let mut one = |name: &str, list: &List| coding::listed(extension.part(name)?, list, report);
    let context = one("context", &CONTEXT)?;
    let method = one("method", &METHOD)?;
    let alternative = one("alternative", &ALTERNATIVE)?;
    let path = extension.at("extension(withdrawal)");
    let ways = extension.parts("withdrawal")?.into_iter();
    let withdrawal: Vec<_> =
        ways.map(|way| coding::listed(way, &WITHDRAWAL, report)).collect::<Result<_, _>>()?;
    if withdrawal.is_empty() {
        return Err(FhirFault::missing(path, WITHDRAWAL.accepted()));
    }
    let verified_by = role(&mut extension, "verified-by", report)?;
    let verified_on = day(&mut extension, "verified-on", report)?;
    extension.finish(report)?;
    Ok(Collection { context, method, alternative, withdrawal, verified_by, verified_on })
}

fn role(extension: &mut Node<'_>, name: &str, report: &mut LossReport) -> Result<Role, FhirFault> {
    coding::parsed(extension.part(name)?, ROLE, A_ROLE, report)
}

fn day(extension: &mut Node<'_>, name: &str, report: &mut LossReport) -> Result<Day, FhirFault> {
    let mut part = extension.part(name)?;
    let day = part.day("valueDate")?;
    part.finish(report)?;
    Ok(day)
}
