//! Reading the agreements file: everything of an agreement but who signed it.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    super::{Function, Organisation, ReadAs, faults::RegisterFile, text},
    Item, RegisterFaults, Terms,
    signature::RawSignatures,
};
use crate::{
    catalogue::{Field, Mask},
    domain::Oin,
    identity::GatewayKind,
    tripwire::Expected,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    agreement: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAgreement {
    id: String,
    region: String,
    source: String,
    requester: String,
    purposes: Vec<String>,
    fields: Vec<String>,
    starts: toml::Value,
    ends: toml::Value,
    review: toml::Value,
    document_sha256: String,
    renews: Option<String>,
    #[serde(default)]
    signature: RawSignatures,
}

pub(super) const FILE: RegisterFile = RegisterFile::Agreements;

/// An agreement whose terms are sound. Who signed it has not been looked at.
#[derive(Debug)]
pub(in crate::identity::register) struct Draft {
    /// Its place in the file, from 0.
    pub(in crate::identity::register) index: usize,
    /// How faults name it.
    pub(super) name: String,
    /// What was agreed.
    pub(in crate::identity::register) terms: Terms,
    /// What stands in the file as signatures.
    pub(in crate::identity::register) signatures: RawSignatures,
    /// Whether no agreement ahead of it has its name.
    pub(super) once: bool,
    /// Whether the agreement that it renews is in the file, sound or not.
    pub(super) renews_known: bool,
}

/// Every agreement with sound terms; the rest is among the faults. Parties are checked where they are known.
pub(in crate::identity::register) fn drafts(
    text: &str,
    known: Option<&[Organisation]>,
    read_as: ReadAs<'_>,
    faults: &mut RegisterFaults,
) -> Vec<Draft> {
    let raw: RawFile = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(fault) => {
            faults.add(FILE, "file", fault.to_string().trim_end());
            return Vec::new();
        }
    };
    let id = |value: &toml::Value| value.get("id").and_then(toml::Value::as_str).map(ToOwned::to_owned);
    let ids: BTreeSet<_> = raw.agreement.iter().filter_map(id).collect();
    let mut drafts: Vec<Draft> = Vec::new();
    for (index, value) in raw.agreement.into_iter().enumerate() {
        let id = id(&value).unwrap_or_else(|| "no id".to_owned());
        // The text that set off a detector is not repeated in the fault.
        let harmless = text::harmless(&id, Expected::Text);
        let shown = if harmless.is_ok() { &id } else { "id withheld" };
        let name = format!("agreement {} ({shown})", index + 1);
        let mut item = Item::new(FILE, &name, faults);
        if item.take("id", harmless).is_none() {
            continue;
        }
        let mut raw: RawAgreement = match value.try_into() {
            Ok(raw) => raw,
            Err(fault) => {
                item.fault(fault.to_string().trim_end());
                continue;
            }
        };
        let signatures = std::mem::take(&mut raw.signature);
        let Some(terms) = terms(raw, read_as, &mut item) else { continue };
        if let Some(known) = known {
            party(&terms.source, Function::Source, known, &mut item);
            party(&terms.requester, Function::Requester, known, &mut item);
        }
        // Of what is wrong already, nobody needs to hear that its signatures do not fit either.
        let sound = item.is_clean();
        let once = !drafts.iter().any(|other| other.terms.id == terms.id);
        item.must(once, "stands in the file more than once");
        if sound {
            let renews_known = terms.renews.as_ref().is_some_and(|renews| ids.contains(renews));
            drafts.push(Draft { index, name, terms, signatures, once, renews_known });
        }
    }
    drafts
}

fn terms(raw: RawAgreement, read_as: ReadAs<'_>, item: &mut Item<'_>) -> Option<Terms> {
    let id = item.take("id", text::name(&raw.id));
    let region = item.take("region", region(raw.region, read_as));
    let source = item.take("source", raw.source.parse::<Oin>());
    let requester = item.take("requester", raw.requester.parse::<Oin>());
    item.must(!raw.purposes.is_empty(), "`purposes` needs at least one (R06)");
    let purposes = raw
        .purposes
        .iter()
        .filter_map(|name| {
            let purpose = name.parse().map_err(|fault| format!("has `{name}`, which {fault}"));
            item.take("purposes", purpose)
        })
        .collect();
    let fields = fields(&raw.fields, item);
    let starts = item.take("starts", text::day(&raw.starts));
    let ends = item.take("ends", text::day(&raw.ends));
    let review = item.take("review", text::day(&raw.review));
    let document_sha256 = item.take("document_sha256", text::sha256(&raw.document_sha256));
    let renews = raw.renews.map(|renews| item.take("renews", text::harmless_name(&renews)));
    let terms = Terms {
        id: id?,
        region: region?,
        source: source?,
        requester: requester?,
        purposes,
        fields,
        starts: starts?,
        ends: ends?,
        review: review?,
        document_sha256: document_sha256?,
        // A renewal that cannot be read must not become none.
        renews: renews.map_or(Some(None), |renews| renews.map(Some))?,
    };
    item.must(terms.source != terms.requester, "source and requester are the same organisation");
    item.must(
        terms.starts <= terms.review && terms.review <= terms.ends,
        "`review` must lie between `starts` and `ends` (R19)",
    );
    Some(terms)
}

/// An agreement holds for one gateway, so that what was agreed for tests never opens anything real (P12).
fn region(region: String, read_as: ReadAs<'_>) -> Result<String, String> {
    match read_as {
        ReadAs::Gateway(origin) if region == origin => Ok(region),
        ReadAs::Gateway(origin) => Err(format!(
            "must be `{origin}`, the `origin` of this gateway: an agreement holds for one gateway (R17)"
        )),
        ReadAs::Party(kind) if GatewayKind::of_origin(&region) == kind && !region.is_empty() => Ok(region),
        ReadAs::Party(kind) => Err(format!("must be the `origin` of a {kind} gateway (P12)")),
    }
}

/// Codes of fields, and codes of groups such as `WT` for every carried field of that group.
fn fields(codes: &[String], item: &mut Item<'_>) -> Mask {
    item.must(!codes.is_empty(), "`fields` needs at least one (R06)");
    let mut mask = Mask::EMPTY;
    for code in codes {
        let fields = match Field::from_code(code) {
            Some(field) => Mask::EMPTY.with(field),
            None => group(code),
        };
        item.must(
            !fields.is_empty(),
            format_args!("`fields` has `{code}`, which is no code of a carried field or group (R03)"),
        );
        mask = mask.or(fields);
    }
    mask
}

/// The fields of a group, by the part before the hyphen that all their codes share.
fn group(code: &str) -> Mask {
    let of_group = |field: &Field| field.entry().code.split_once('-').is_some_and(|(group, _)| group == code);
    Mask::all().iter().filter(of_group).collect()
}

fn party(oin: &Oin, function: Function, known: &[Organisation], item: &mut Item<'_>) {
    let name = function.as_str();
    match known.iter().find(|organisation| organisation.oin == *oin) {
        None => item.fault(format_args!("the {name} `{oin}` is not among the participants")),
        Some(organisation) => {
            item.must(
                organisation.has(function),
                format_args!("`{oin}` is not admitted with the function `{name}`"),
            );
        }
    }
}
