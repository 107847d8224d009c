//! Sluis' own JSON: a draft, read and written, and a recorded form, read. `docs/consent.md` has the members.

use serde_json::{Map, Value, json};

use super::{
    elements::{FORM, GRANT, PART, Shape, draft, record},
    loss::{FhirFault, LossReport},
    model::{
        Authority, Collection, Explanation, Form, Grant, Grantor, LANGUAGE, Refused, SHA256, contradiction,
        language, sha256,
    },
    node::{Node, scan},
    terms::{
        ALTERNATIVE, CLIENT, CLIENT_AGE, CONTEXT, GRANTOR, List, MEDIA_TYPE, METHOD, READING_LEVEL, STATUS,
        UNSPECIFIED, WITHDRAWAL,
    },
};
use crate::{
    catalogue::{self, Mask},
    domain::{Bsn, Day, FormId, GrantId, Oin, Purpose, Role, Timestamp},
};

const BSN: &str = "a citizen service number";
const OIN: &str = "an OIN";
const ROLE: &str = "a role of the closed list";
const PURPOSE: &str = "exactly one purpose by its name, and none that is never served";
const MOMENT: &str = "the first moment of a day, as in 2026-11-23T00:00:00Z";
const ID: &str = "a random UUID in lower case";

/// Reads a draft.
pub(super) fn read_draft(value: &Value, report: &mut LossReport) -> Result<Form, FhirFault> {
    scan(value, "draft", 0)?;
    let mut form = Node::new(value, "draft", draft(FORM))?;
    for name in ["form_id", "evidence_sha256", "recorded_at", "evidence"] {
        form.forbid(name, "the members of a draft")?;
    }
    let bsn = Bsn::parse(form.text("bsn", BSN)?).map_err(|_| FhirFault::not("draft.bsn", BSN))?;
    let sha256 = hash(&mut form, "sha256")?;
    let evidence = evidence(&mut form)?;
    read(form, draft(PART), Some(bsn), None, sha256, evidence, report)
}

/// Reads a recorded form.
pub(super) fn read_record(
    value: &Value,
    bsn: Option<&Bsn>,
    report: &mut LossReport,
) -> Result<Form, FhirFault> {
    scan(value, "consent", 0)?;
    let mut form = Node::new(value, "consent", record(FORM))?;
    // A record has no such member, and what is reported of it would be a line too many in a log.
    form.forbid("bsn", "a record, which has no citizen service number")?;
    let id = form.parsed::<FormId>("form_id", ID)?;
    let recorded_at = form
        .text_opt("recorded_at")?
        .map(|text| Timestamp::parse(text).map_err(|_| FhirFault::not("consent.recorded_at", "a time")))
        .transpose()?;
    let sha256 = hash(&mut form, "evidence_sha256")?;
    let mut part = form.node("evidence", record(PART), "what is kept")?;
    let evidence = evidence(&mut part)?;
    part.finish(report)?;
    read(form, record(PART), bsn.cloned(), Some((id, recorded_at)), sha256, evidence, report)
}

type Evidence = (u32, u32, Oin, &'static str, u32);

fn evidence(node: &mut Node<'_>) -> Result<Evidence, FhirFault> {
    Ok((
        node.number("form_number")?,
        node.number("form_version")?,
        node.parsed("custodian", OIN)?,
        node.listed("media_type", &MEDIA_TYPE)?,
        node.number("size")?,
    ))
}

fn hash(node: &mut Node<'_>, name: &str) -> Result<String, FhirFault> {
    sha256(node.text(name, SHA256)?).ok_or_else(|| FhirFault::not(node.at(name), SHA256))
}

fn listed_all(node: &mut Node<'_>, name: &str, list: &List) -> Result<Vec<&'static str>, FhirFault> {
    let path = node.at(name);
    let find = |text: &str| list.find(text).ok_or_else(|| FhirFault::not(path.as_str(), list.accepted()));
    let found: Vec<_> = node.texts(name)?.into_iter().map(find).collect::<Result<_, _>>()?;
    if found.is_empty() { Err(FhirFault::missing(path, list.accepted())) } else { Ok(found) }
}

fn read(
    mut form: Node<'_>,
    part: Shape,
    bsn: Option<Bsn>,
    recorded: Option<(FormId, Option<Timestamp>)>,
    sha256: String,
    (form_number, form_version, custodian, media_type, size): Evidence,
    report: &mut LossReport,
) -> Result<Form, FhirFault> {
    let recorder = form.parsed("recorder", OIN)?;
    let signed_on = form.day("signed_on")?;

    let mut node = form.node("explanation", part, "how it was explained")?;
    let text = node.text("language", LANGUAGE)?;
    let explanation = Explanation {
        text_version: node.number("text_version")?,
        language: language(text).ok_or_else(|| FhirFault::not(node.at("language"), LANGUAGE))?,
        reading_level: node.listed("reading_level", &READING_LEVEL)?,
        explained_by: node.parsed("explained_by", ROLE)?,
        explained_on: node.day("explained_on")?,
    };
    node.finish(report)?;

    let mut node = form.node("collection", part, "how it was signed")?;
    let collection = Collection {
        context: node.listed("context", &CONTEXT)?,
        method: node.listed("method", &METHOD)?,
        alternative: node.listed("alternative", &ALTERNATIVE)?,
        withdrawal: listed_all(&mut node, "withdrawal", &WITHDRAWAL)?,
        verified_by: node.parsed("verified_by", ROLE)?,
        verified_on: node.day("verified_on")?,
    };
    node.finish(report)?;

    let grantor = grantor(form.node("grantor", part, "who gave the consent")?, recorded.is_some(), report)?;
    let shape = Shape { names: GRANT, open: part.open };
    let mut grants = Vec::new();
    for node in form.nodes("grants", shape)? {
        grants.push(grant(node, recorded.is_some(), report)?);
    }
    let mut refusals = Vec::new();
    for mut node in form.nodes("refusals", part)? {
        refusals.push(Refused {
            recipient: node.parsed("recipient", OIN)?,
            purpose: node.parsed("purpose", PURPOSE)?,
            source: node.parsed("source", OIN)?,
        });
        node.finish(report)?;
    }
    if grants.is_empty() && refusals.is_empty() {
        return Err(FhirFault::missing(form.at("grants"), "a grant or a refusal"));
    }
    if recorded.is_none()
        && let Some(at) = contradiction(&grants, &refusals)
    {
        return Err(FhirFault::not(
            format!("draft.refusals[{at}]"),
            "a refusal of what no grant of the form gives",
        ));
    }
    form.finish(report)?;
    Ok(Form {
        bsn,
        recorded,
        recorder,
        custodian,
        form_number,
        form_version,
        signed_on,
        media_type,
        sha256,
        size,
        explanation,
        collection,
        grantor,
        grants,
        refusals,
    })
}

fn grantor(mut node: Node<'_>, recorded: bool, report: &mut LossReport) -> Result<Grantor, FhirFault> {
    let kind = node.listed("kind", &GRANTOR)?;
    let client_age = node.listed("client_age", &CLIENT_AGE)?;
    let authority = if kind == CLIENT || recorded {
        for name in ["evidence_sha256", "from", "until"] {
            node.forbid(name, "nothing here, if the client signed, or in a record")?;
        }
        None
    } else {
        let (from, until) = (node.day("from")?, node.day_opt("until")?);
        if until.is_some_and(|until| until <= from) {
            return Err(FhirFault::not(node.at("until"), "a day after `from`"));
        }
        Some(Authority { sha256: hash(&mut node, "evidence_sha256")?, from, until })
    };
    node.finish(report)?;
    Ok(Grantor { kind, client_age, authority })
}

fn mask(node: &mut Node<'_>, name: &str) -> Result<Mask, FhirFault> {
    let codes = node.texts(name)?;
    let fault = |_| FhirFault::not(node.at(name), "codes of the catalogue");
    catalogue::from_codes(&codes).map_err(fault)
}

fn grant(mut node: Node<'_>, recorded: bool, report: &mut LossReport) -> Result<Grant, FhirFault> {
    let (fields, sensitive) = (mask(&mut node, "fields")?, mask(&mut node, "sensitive")?);
    let mut excluded = mask(&mut node, "excluded")?;
    if fields.is_empty() {
        return Err(FhirFault::missing(node.at("fields"), "codes of the catalogue, one by one"));
    }
    if !sensitive.is_subset_of(fields) {
        return Err(FhirFault::not(node.at("sensitive"), "some of the granted fields"));
    }
    let uses = if recorded && node.has("uses") { record_uses(&mut node)? } else { node.number_opt("uses")? };
    let (id, valid_from, valid_until);
    if recorded {
        // A later form struck these out of a grant that still lists them: without a deny they would be permitted.
        excluded = excluded.or(mask(&mut node, "struck")?);
        let status = node.text_opt("status")?.unwrap_or("GRANT_STATUS_UNSPECIFIED");
        let status = status.strip_prefix("GRANT_STATUS_").and_then(|status| STATUS.find(status));
        let status = status.ok_or_else(|| FhirFault::not(node.at("status"), STATUS.accepted()))?;
        if status == UNSPECIFIED {
            report.add(node.at("status"), "is not told; the grant is exported as one that permits nothing");
        }
        id = Some((node.parsed::<GrantId>("grant_id", ID)?, status));
        (valid_from, valid_until) = (moment(&mut node, "valid_from")?, moment(&mut node, "valid_until")?);
    } else {
        for name in ["grant_id", "struck", "used", "status", "events", "countersignature"] {
            node.forbid(name, "the members of a draft")?;
        }
        if !excluded.and(fields).is_empty() {
            return Err(FhirFault::not(node.at("excluded"), "none of the granted fields"));
        }
        id = None;
        (valid_from, valid_until) = (node.day("valid_from")?, node.day("valid_until")?);
    }
    if valid_until <= valid_from {
        return Err(FhirFault::not(node.at("valid_until"), "a day after `valid_from`"));
    }
    let renews = match node.text_opt("renews")? {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|_| FhirFault::not(node.at("renews"), ID))?),
    };
    let grant = Grant {
        recorded: id,
        recipient: node.parsed("recipient", OIN)?,
        role: node.parsed::<Role>("role", ROLE)?,
        purpose: node.parsed::<Purpose>("purpose", PURPOSE)?,
        source: node.parsed("source", OIN)?,
        fields,
        sensitive,
        excluded,
        uses,
        renews,
        valid_from,
        valid_until,
    };
    node.finish(report)?;
    Ok(grant)
}

/// A record says 0, or nothing, where a grant may be used as often as needed.
fn record_uses(node: &mut Node<'_>) -> Result<Option<u32>, FhirFault> {
    let before = node.peek("uses").and_then(Value::as_u64);
    if before == Some(0) {
        node.skip("uses");
        return Ok(None);
    }
    node.number_opt("uses")
}

/// A moment that begins a day: periods of FHIR are given in whole days.
fn moment(node: &mut Node<'_>, name: &str) -> Result<Day, FhirFault> {
    let text = node.text(name, MOMENT)?;
    let moment = Timestamp::parse(text).ok().filter(|moment| Timestamp::start_of(moment.day()) == *moment);
    moment.map(Timestamp::day).ok_or_else(|| FhirFault::not(node.at(name), MOMENT))
}

impl Form {
    /// Writes a draft, all members that it must have and those that it needs.
    pub(super) fn to_draft(&self, bsn: &Bsn) -> Value {
        let mut grantor = json!({ "kind": self.grantor.kind, "client_age": self.grantor.client_age });
        if let Some(authority) = &self.grantor.authority {
            put(&mut grantor, "evidence_sha256", Some(json!(authority.sha256)));
            put(&mut grantor, "from", Some(json!(authority.from.to_string())));
            put(&mut grantor, "until", authority.until.map(|day| json!(day.to_string())));
        }
        let mut draft = json!({
            "bsn": bsn.reveal_text(),
            "recorder": self.recorder.as_str(),
            "form_number": self.form_number,
            "form_version": self.form_version,
            "signed_on": self.signed_on.to_string(),
            "custodian": self.custodian.as_str(),
            "media_type": self.media_type,
            "sha256": self.sha256,
            "size": self.size,
            "explanation": {
                "text_version": self.explanation.text_version,
                "language": self.explanation.language,
                "reading_level": self.explanation.reading_level,
                "explained_by": self.explanation.explained_by.as_str(),
                "explained_on": self.explanation.explained_on.to_string(),
            },
            "collection": {
                "context": self.collection.context,
                "method": self.collection.method,
                "alternative": self.collection.alternative,
                "withdrawal": self.collection.withdrawal,
                "verified_by": self.collection.verified_by.as_str(),
                "verified_on": self.collection.verified_on.to_string(),
            },
            "grantor": grantor,
            "grants": self.grants.iter().map(Grant::to_draft).collect::<Vec<_>>(),
        });
        let refusal = |refused: &Refused| {
            json!({
                "recipient": refused.recipient.as_str(),
                "purpose": refused.purpose.as_str(),
                "source": refused.source.as_str(),
            })
        };
        let refusals: Vec<_> = self.refusals.iter().map(refusal).collect();
        put(&mut draft, "refusals", (!refusals.is_empty()).then(|| json!(refusals)));
        draft
    }
}

impl Grant {
    fn to_draft(&self) -> Value {
        let mut draft = json!({
            "recipient": self.recipient.as_str(),
            "role": self.role.as_str(),
            "purpose": self.purpose.as_str(),
            "source": self.source.as_str(),
            "fields": catalogue::codes(self.fields),
            "valid_from": self.valid_from.to_string(),
            "valid_until": self.valid_until.to_string(),
        });
        let codes = |mask: Mask| (!mask.is_empty()).then(|| json!(catalogue::codes(mask)));
        put(&mut draft, "sensitive", codes(self.sensitive));
        put(&mut draft, "excluded", codes(self.excluded));
        put(&mut draft, "uses", self.uses.map(Value::from));
        put(&mut draft, "renews", self.renews.map(|id| json!(id.to_string())));
        draft
    }
}

/// Adds a member if there is a value for it.
pub(super) fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(object), Some(value)) = (object.as_object_mut().map(|object: &mut Map<_, _>| object), value)
    {
        object.insert(name.to_owned(), value);
    }
}
