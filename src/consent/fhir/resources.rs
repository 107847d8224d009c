//! The resources around a Consent, contained in it or beside it in its Bundle, and what references lead to.

use std::cell::Cell;

use serde_json::Value;

use super::{
    coding,
    elements::{
        BUNDLE, CONSENT, DOCUMENT, ENTRY, IDENTIFIER, ORGANIZATION, PATIENT, REFERENCE, RELATED_PERSON, Shape,
    },
    loss::{FhirFault, LossReport},
    node::Node,
    terms::{BSN, OIN},
};
use crate::domain::{Bsn, Oin};

const RESOURCES: &str = "one Consent, with Patient, Organization, DocumentReference, RelatedPerson, Practitioner and PractitionerRole";
const ORGANISATION: &str =
    "an Organization with an identifier of system http://fhir.nl/fhir/NamingSystem/oin";
const CLIENT: &str = "a Patient with an identifier of system http://fhir.nl/fhir/NamingSystem/bsn";

/// Types of resources that may be there. The last two name people, whom Sluis knows by role only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Patient,
    Organization,
    RelatedPerson,
    DocumentReference,
    Practitioner,
    PractitionerRole,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Patient,
        Self::Organization,
        Self::RelatedPerson,
        Self::DocumentReference,
        Self::Practitioner,
        Self::PractitionerRole,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Patient => "Patient",
            Self::Organization => "Organization",
            Self::RelatedPerson => "RelatedPerson",
            Self::DocumentReference => "DocumentReference",
            Self::Practitioner => "Practitioner",
            Self::PractitionerRole => "PractitionerRole",
        }
    }

    const fn shape(self) -> Option<Shape> {
        match self {
            Self::Patient => Some(PATIENT),
            Self::Organization => Some(ORGANIZATION),
            Self::RelatedPerson => Some(RELATED_PERSON),
            Self::DocumentReference => Some(DOCUMENT),
            Self::Practitioner | Self::PractitionerRole => None,
        }
    }
}

/// A resource that can be referred to.
struct Resource<'a> {
    path: String,
    kind: Kind,
    value: &'a Value,
    contained: bool,
    full_url: Option<&'a str>,
    used: Cell<bool>,
}

impl Resource<'_> {
    fn id(&self) -> Option<&str> {
        self.value.get("id").and_then(Value::as_str)
    }

    /// Whether a reference that stands at `from` leads here. What is contained is seen from inside its Consent only.
    fn is_at(&self, reference: &str, from: &str) -> bool {
        if self.contained {
            let container = self.path.split_once(".contained[").map_or("", |(container, _)| container);
            let inside = from.strip_prefix(container).is_some_and(|rest| rest.starts_with('.'));
            return inside && reference.strip_prefix('#').is_some_and(|id| self.id() == Some(id));
        }
        let local = self.id().map(|id| format!("{}/{id}", self.kind.as_str()));
        self.full_url == Some(reference) || local.as_deref() == Some(reference)
    }
}

/// All of them.
pub(super) struct Resources<'a>(Vec<Resource<'a>>);

fn kind<'a>(value: &'a Value, path: &str) -> Result<&'a str, FhirFault> {
    let kind = value.get("resourceType").and_then(Value::as_str);
    kind.ok_or_else(|| FhirFault::missing(format!("{path}.resourceType"), RESOURCES))
}

/// Finds the Consent, alone or in a Bundle, and what it can refer to.
pub(super) fn open<'a>(
    input: &'a Value,
    report: &mut LossReport,
) -> Result<(Node<'a>, Resources<'a>), FhirFault> {
    let mut resources = Resources(Vec::new());
    let mut consents = Vec::new();
    match kind(input, "Consent")? {
        "Consent" => consents.push(Node::new(input, "Consent", CONSENT)?),
        "Bundle" => {
            let mut bundle = Node::new(input, "Bundle", BUNDLE)?;
            bundle.skip("resourceType");
            let accepted = "collection or searchset";
            if !["collection", "searchset"].contains(&bundle.text("type", accepted)?) {
                return Err(FhirFault::not("Bundle.type", accepted));
            }
            for mut entry in bundle.nodes("entry", ENTRY)? {
                let path = entry.at("resource");
                let full_url = entry.text_opt("fullUrl")?;
                let value = entry.peek("resource").ok_or_else(|| FhirFault::missing(&path, RESOURCES))?;
                entry.skip("resource");
                entry.finish(report)?;
                if kind(value, &path)? == "Consent" {
                    consents.push(Node::new(value, path, CONSENT)?);
                } else {
                    resources.add(value, path, full_url, false)?;
                }
            }
            bundle.finish(report)?;
        }
        _ => return Err(FhirFault::not("Consent.resourceType", "Consent, or a Bundle with one")),
    }
    let (Some(mut consent), true) = (consents.pop(), consents.is_empty()) else {
        return Err(FhirFault::not("Bundle.entry", "exactly one Consent"));
    };
    consent.skip("resourceType");
    for (path, value) in consent.values("contained")? {
        resources.add(value, path, None, true)?;
    }
    Ok((consent, resources))
}

impl<'a> Resources<'a> {
    fn add(
        &mut self,
        value: &'a Value,
        path: String,
        full_url: Option<&'a str>,
        contained: bool,
    ) -> Result<(), FhirFault> {
        let name = kind(value, &path)?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == name);
        let Some(kind) = kind else {
            // A Condition or an Observation beside a consent is just what must not come this way.
            return Err(FhirFault::medical(format!("{path}.resourceType"), RESOURCES));
        };
        self.0.push(Resource { path, kind, value, contained, full_url, used: Cell::new(false) });
        Ok(())
    }

    /// Reports what nothing that was read refers to.
    pub(super) fn finish(&self, report: &mut LossReport) {
        for resource in self.0.iter().filter(|resource| !resource.used.get()) {
            report.add(resource.path.as_str(), "is referred to by nothing that Sluis reads, and is left out");
        }
    }

    /// The resource that a reference leads to, of one of these types, ready to be read.
    fn follow(
        &self,
        mut reference: Node<'a>,
        kinds: &[Kind],
        accepted: &str,
        report: &mut LossReport,
    ) -> Result<(Kind, Node<'a>), FhirFault> {
        let path = reference.at("reference");
        let target = reference.text("reference", accepted)?;
        let claimed = reference.text_opt("type")?;
        let type_path = reference.at("type");
        reference.finish(report)?;
        let mut found = self.0.iter().filter(|resource| resource.is_at(target, &path));
        let (Some(resource), None) = (found.next(), found.next()) else {
            return Err(FhirFault::not(
                path,
                format!("a reference to exactly one resource that is here: {accepted}"),
            ));
        };
        let (true, Some(shape)) = (kinds.contains(&resource.kind), resource.kind.shape()) else {
            return Err(FhirFault::not(path, accepted));
        };
        if claimed.is_some_and(|claimed| claimed != resource.kind.as_str()) {
            return Err(FhirFault::not(type_path, "the type of the resource that it refers to"));
        }
        resource.used.set(true);
        let mut node = Node::new(resource.value, resource.path.as_str(), shape)?;
        node.skip("resourceType");
        // Ids only lead here.
        node.skip("id");
        node.forbid("contained", "a resource that contains none: its references would be unclear")?;
        Ok((resource.kind, node))
    }

    /// The OIN of an organisation, in a resource or in the reference itself.
    pub(super) fn organisation(
        &self,
        mut reference: Node<'a>,
        report: &mut LossReport,
    ) -> Result<Oin, FhirFault> {
        let oin = |text: &str, path: String| text.parse().map_err(|_| FhirFault::not(path, ORGANISATION));
        let mut named = None;
        if let Some(mut identifier) = reference.node_opt("identifier", IDENTIFIER)? {
            let path = identifier.at("value");
            identifier.fixed("system", OIN)?;
            named = Some((path.clone(), oin(coding::value(identifier, ORGANISATION, report)?, path)?));
        }
        if !reference.has("reference")
            && let Some((_, named)) = named
        {
            if reference.text_opt("type")?.is_some_and(|kind| kind != "Organization") {
                return Err(FhirFault::not(reference.at("type"), "Organization"));
            }
            reference.finish(report)?;
            return Ok(named);
        }
        let (_, mut node) = self.follow(reference, &[Kind::Organization], ORGANISATION, report)?;
        active(&mut node)?;
        let path = node.at("identifier");
        let found = oin(coding::identifier(&mut node, OIN, ORGANISATION, report)?, path)?;
        node.finish(report)?;
        match named {
            Some((path, named)) if named != found => {
                Err(FhirFault::not(path, "the number of the organisation that it refers to"))
            }
            _ => Ok(found),
        }
    }

    /// The client.
    pub(super) fn client(&self, reference: Node<'a>, report: &mut LossReport) -> Result<Bsn, FhirFault> {
        let named = number(&reference);
        let (_, node) = self.follow(reference, &[Kind::Patient], CLIENT, report)?;
        named_as(client(node, report)?, named)
    }

    /// Refuses a reference to another client than this one.
    pub(super) fn same_client(
        &self,
        reference: Node<'a>,
        bsn: &Bsn,
        report: &mut LossReport,
    ) -> Result<(), FhirFault> {
        let path = reference.path().to_owned();
        if self.client(reference, report)? == *bsn {
            return Ok(());
        }
        Err(FhirFault::not(path, "the client of the Consent"))
    }

    /// Who signed: the client, or the person who decides for him, still to be read.
    pub(super) fn signer(
        &self,
        reference: Node<'a>,
        bsn: &Bsn,
        report: &mut LossReport,
    ) -> Result<Option<Node<'a>>, FhirFault> {
        let path = reference.path().to_owned();
        let accepted = "the client, or a RelatedPerson";
        let named = number(&reference);
        let (kind, mut node) =
            self.follow(reference, &[Kind::Patient, Kind::RelatedPerson], accepted, report)?;
        if kind == Kind::Patient {
            let same = named_as(client(node, report)?, named)? == *bsn;
            return if same { Ok(None) } else { Err(FhirFault::not(path, "the client of the Consent")) };
        }
        active(&mut node)?;
        self.same_client(node.node("patient", REFERENCE, CLIENT)?, bsn, report)?;
        Ok(Some(node))
    }

    /// The signed paper, still to be read.
    pub(super) fn document(
        &self,
        reference: Node<'a>,
        report: &mut LossReport,
    ) -> Result<Node<'a>, FhirFault> {
        let accepted = "a DocumentReference to the signed form";
        Ok(self.follow(reference, &[Kind::DocumentReference], accepted, report)?.1)
    }
}

/// The citizen service number that a reference has beside the resource that it leads to, and where.
fn number<'a>(reference: &Node<'a>) -> Option<(String, &'a Value)> {
    let identifier = reference.peek("identifier")?;
    let is_bsn = identifier.get("system").and_then(Value::as_str) == Some(BSN);
    is_bsn.then(|| (reference.at("identifier.value"), identifier.get("value").unwrap_or(&Value::Null)))
}

fn named_as(bsn: Bsn, named: Option<(String, &Value)>) -> Result<Bsn, FhirFault> {
    match named {
        Some((path, value)) if value.as_str() != Some(&bsn.reveal_text()) => {
            Err(FhirFault::not(path, "the number of the client that it refers to"))
        }
        _ => Ok(bsn),
    }
}

fn client(mut node: Node<'_>, report: &mut LossReport) -> Result<Bsn, FhirFault> {
    active(&mut node)?;
    node.forbid("link", "a Patient that no other one replaces")?;
    node.forbid("deceasedDateTime", "a client who is alive")?;
    if node.flag_opt("deceasedBoolean")? == Some(true) {
        return Err(FhirFault::not(node.at("deceasedBoolean"), "a client who is alive"));
    }
    let path = node.at("identifier");
    let bsn = coding::identifier(&mut node, BSN, CLIENT, report)?;
    let bsn = Bsn::parse(bsn).map_err(|_| FhirFault::not(path, CLIENT))?;
    node.finish(report)?;
    Ok(bsn)
}

/// A record that is no longer in use says so, and is not read as if it were.
fn active(node: &mut Node<'_>) -> Result<(), FhirFault> {
    match node.flag_opt("active")? {
        None | Some(true) => Ok(()),
        Some(false) => Err(FhirFault::not(node.at("active"), "true, or nothing")),
    }
}
