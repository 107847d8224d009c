//! The agreements file (convenanten, R17): between which source and requester, for which purposes, and how far.

use std::collections::BTreeSet;

use serde::Deserialize;
use time::Duration;

use super::{
    Function, Organisation,
    faults::{Item, RegisterFaults, RegisterFile},
    text,
};
use crate::{
    catalogue::{Field, Mask},
    domain::{Day, Oin, Purpose},
    tripwire::Expected,
};

/// How many days before the review the parties are warned (R19).
pub const REVIEW_WARNING_DAYS: i64 = 60;

/// What a source and a requester agreed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Its name, unique in the register.
    pub id: String,
    /// Who answers.
    pub source: Oin,
    /// Who asks.
    pub requester: Oin,
    /// For which purposes; at least one.
    pub purposes: BTreeSet<Purpose>,
    /// The most that may be asked and given; at least one field.
    pub fields: Mask,
    /// First day.
    pub starts: Day,
    /// Last day.
    pub ends: Day,
    /// The day by which it must have been reviewed; it lapses after this (R19).
    pub review: Day,
    /// Hash of the signed document.
    pub document_sha256: [u8; 32],
}

/// Whether an agreement carries an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgreementState {
    /// It has not begun.
    NotYet,
    /// It is in force.
    Active,
    /// It is in force, and its review is near: the parties must be warned.
    ReviewDue,
    /// Its end or its review date has passed.
    Lapsed,
}

impl AgreementState {
    /// Whether it carries an exchange (R17).
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::Active | Self::ReviewDue)
    }
}

impl Agreement {
    /// Its state on a day. First day, last day and review date are days on which it is in force.
    #[must_use]
    pub fn state(&self, today: Day) -> AgreementState {
        if today < self.starts {
            AgreementState::NotYet
        } else if today > self.review || today > self.ends {
            AgreementState::Lapsed
        } else if self.review - today <= Duration::days(REVIEW_WARNING_DAYS) {
            AgreementState::ReviewDue
        } else {
            AgreementState::Active
        }
    }
}

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
    source: String,
    requester: String,
    purposes: Vec<String>,
    fields: Vec<String>,
    starts: toml::Value,
    ends: toml::Value,
    review: toml::Value,
    document_sha256: String,
}

const FILE: RegisterFile = RegisterFile::Agreements;

/// Every agreement that could be read; the rest is among the faults. Parties are checked where they are known.
pub(super) fn parse(
    text: &str,
    known: Option<&[Organisation]>,
    faults: &mut RegisterFaults,
) -> Vec<Agreement> {
    let raw: RawFile = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(fault) => {
            faults.add(FILE, "file", fault.to_string().trim_end());
            return Vec::new();
        }
    };
    let mut agreements: Vec<Agreement> = Vec::new();
    for (index, value) in raw.agreement.into_iter().enumerate() {
        let id = value.get("id").and_then(toml::Value::as_str).unwrap_or("no id");
        // The text that set off a detector is not repeated in the fault.
        let harmless = text::harmless(id, Expected::Text);
        let shown = if harmless.is_ok() { id } else { "id withheld" };
        let mut item = Item::new(FILE, format_args!("agreement {} ({shown})", index + 1), faults);
        if item.take("id", harmless).is_none() {
            continue;
        }
        let raw: RawAgreement = match value.try_into() {
            Ok(raw) => raw,
            Err(fault) => {
                item.fault(fault.to_string().trim_end());
                continue;
            }
        };
        let Some(agreement) = agreement(raw, &mut item) else { continue };
        if let Some(known) = known {
            party(&agreement.source, Function::Source, known, &mut item);
            party(&agreement.requester, Function::Requester, known, &mut item);
        }
        let taken = agreements.iter().any(|other| other.id == agreement.id);
        item.must(!taken, "stands in the file more than once");
        agreements.push(agreement);
    }
    agreements
}

fn agreement(raw: RawAgreement, item: &mut Item<'_>) -> Option<Agreement> {
    let id = item.take("id", text::name(&raw.id));
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
    let agreement = Agreement {
        id: id?,
        source: source?,
        requester: requester?,
        purposes,
        fields,
        starts: starts?,
        ends: ends?,
        review: review?,
        document_sha256: document_sha256?,
    };
    item.must(agreement.source != agreement.requester, "source and requester are the same organisation");
    item.must(
        agreement.starts <= agreement.review && agreement.review <= agreement.ends,
        "`review` must lie between `starts` and `ends` (R19)",
    );
    Some(agreement)
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
