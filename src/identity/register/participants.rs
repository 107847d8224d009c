//! The participants file.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{
    faults::{Item, RegisterFaults, RegisterFile},
    forms::{PrintedForm, RawForm, printed_form},
    text,
};
use crate::{
    domain::{Day, Oin, OrganisationKind, Role},
    identity::{GatewayKind, connect::is_address},
    note::VerifierKey,
    tripwire::Expected,
};

/// What an organisation is admitted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Function {
    /// Asks for a client's work capacity.
    Requester,
    /// Records consent.
    Recorder,
    /// Holds information and answers the gateway.
    Source,
    /// Reads the log as privacy officer (FG): of its own organisation, or of the gateway if it is the gateway's.
    Officer,
}

impl Function {
    const ALL: [Self; 4] = [Self::Requester, Self::Recorder, Self::Source, Self::Officer];

    /// The name in the file.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Recorder => "recorder",
            Self::Source => "source",
            Self::Officer => "officer",
        }
    }
}

/// A role that an organisation's people may act in (R32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoleGrant {
    /// Which.
    pub role: Role,
    /// The last day, if an end was agreed.
    pub until: Option<Day>,
}

impl RoleGrant {
    /// Whether it can be acted in on this day (R32).
    #[must_use]
    pub fn holds_on(&self, day: Day) -> bool {
        self.until.is_none_or(|until| day <= until)
    }
}

/// Whom to turn to (R28).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// A function, never a person: `teamleider werk en inkomen`.
    pub role: String,
    /// Its telephone number.
    pub phone: String,
}

/// A key with which a recorder signs forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name, unique in the register.
    pub kid: String,
    /// The public Ed25519 key.
    pub public: [u8; 32],
    /// First day.
    pub from: Day,
    /// Last day, if it has one.
    pub until: Option<Day>,
}

impl SigningKey {
    /// Whether forms may be signed with it on this day.
    #[must_use]
    pub fn holds_on(&self, day: Day) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }
}

/// Where a source is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceEndpoint {
    /// `https://host:port`.
    pub url: String,
}

/// An admitted organisation (deelnemer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organisation {
    /// Its number, as in its certificates.
    pub oin: Oin,
    /// Its name, as clients know it.
    pub name: String,
    /// Its kind.
    pub kind: OrganisationKind,
    /// What it is admitted for; at least one function.
    pub functions: BTreeSet<Function>,
    /// The roles its people may act in.
    pub roles: Vec<RoleGrant>,
    /// Whom to turn to (R28).
    pub contact: Contact,
    /// Where to complain (R27): an address, a page or a telephone number.
    pub complaint: String,
    /// The printed forms that it has in use, if it is a recorder.
    pub forms: Vec<PrintedForm>,
    /// With what it signs forms.
    pub signing_keys: Vec<SigningKey>,
    /// Where it is called, if it is a source.
    pub endpoint: Option<SourceEndpoint>,
    /// With what the gateway's officers sign: an order to erase takes two of them.
    pub officer_keys: Vec<VerifierKey>,
}

impl Organisation {
    /// Whether it is admitted for this function.
    #[must_use]
    pub fn has(&self, function: Function) -> bool {
        self.functions.contains(&function)
    }

    /// The grant of this role, ended or not.
    #[must_use]
    pub fn role(&self, role: Role) -> Option<&RoleGrant> {
        self.roles.iter().find(|grant| grant.role == role)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    organisation: Vec<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrganisation {
    oin: String,
    name: String,
    kind: String,
    functions: Vec<String>,
    #[serde(default)]
    role: Vec<RawRole>,
    contact: RawContact,
    complaint: String,
    #[serde(default)]
    form: Vec<RawForm>,
    #[serde(default)]
    signing_key: Vec<RawSigningKey>,
    endpoint: Option<RawEndpoint>,
    #[serde(default)]
    officer_key: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRole {
    role: String,
    until: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContact {
    role: String,
    phone: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSigningKey {
    kid: String,
    public: String,
    from: toml::Value,
    until: Option<toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEndpoint {
    url: String,
}

const FILE: RegisterFile = RegisterFile::Participants;

/// Every organisation that could be read; the rest is among the faults.
pub(super) fn parse(text: &str, kind: GatewayKind, faults: &mut RegisterFaults) -> Vec<Organisation> {
    let raw: RawFile = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(fault) => {
            faults.add(FILE, "file", fault.to_string().trim_end());
            return Vec::new();
        }
    };
    let mut organisations: Vec<Organisation> = Vec::new();
    let (mut kids, mut officers) = (BTreeSet::new(), BTreeSet::new());
    for (index, value) in raw.organisation.into_iter().enumerate() {
        let oin = value.get("oin").and_then(toml::Value::as_str).unwrap_or("no oin");
        let mut item = Item::new(FILE, format_args!("organisation {} ({oin})", index + 1), faults);
        let raw: RawOrganisation = match value.try_into() {
            Ok(raw) => raw,
            Err(fault) => {
                item.fault(fault.to_string().trim_end());
                continue;
            }
        };
        let Some(organisation) = organisation(raw, kind, &mut item) else { continue };
        let taken = organisations.iter().any(|other| other.oin == organisation.oin);
        item.must(!taken, "stands in the file more than once");
        for key in &organisation.signing_keys {
            let fresh = kids.insert(key.kid.clone());
            item.must(fresh, format_args!("the key `{}` stands in the file more than once", key.kid));
        }
        for key in &organisation.officer_keys {
            // Under two names one officer would be two.
            let fresh = officers.insert(*key.public_key());
            item.must(
                fresh,
                format_args!("the key of `{}` stands in the file under another name", key.name()),
            );
        }
        organisations.push(organisation);
    }
    organisations
}

fn organisation(raw: RawOrganisation, gateway: GatewayKind, item: &mut Item<'_>) -> Option<Organisation> {
    let oin = item.take("oin", raw.oin.parse::<Oin>());
    if let Some(oin) = oin {
        match gateway {
            GatewayKind::Test => {
                item.must(oin.is_test(), "a test gateway admits test numbers only (prefix 00000099)");
            }
            GatewayKind::Production => {
                item.must(!oin.is_test(), "a production gateway admits no test numbers (prefix 00000099)");
            }
        }
    }
    let name = item.take("name", line(&raw.name, 100, Expected::Text));
    let kind = item.take("kind", organisation_kind(&raw.kind));
    let functions = functions(&raw.functions, item);
    let roles = raw.role.iter().filter_map(|raw| role(raw, kind, item)).collect::<Vec<_>>();
    let distinct: BTreeSet<_> = roles.iter().map(|grant| grant.role).collect();
    item.must(distinct.len() == roles.len(), "holds a role more than once");
    let contact_role = item.take("contact.role", line(&raw.contact.role, 100, Expected::Text));
    let contact_phone = item.take("contact.phone", text::phone(&raw.contact.phone));
    let complaint = item.take("complaint", line(&raw.complaint, 200, Expected::Address));
    let forms: Vec<_> = raw.form.iter().filter_map(|raw| printed_form(raw, item)).collect();
    let versions: BTreeSet<_> = forms.iter().map(|form| (form.number, form.version)).collect();
    item.must(versions.len() == forms.len(), "has a version of a form more than once");
    let signing_keys = raw.signing_key.iter().filter_map(|raw| signing_key(raw, item)).collect();
    let officer_keys = raw.officer_key.iter().filter_map(|key| {
        let what = "is no verifier key of a C2SP signed note; `sluis erase key` makes one";
        item.take("officer_key", key.parse::<VerifierKey>().map_err(|_| what))
    });
    let officer_keys: Vec<_> = officer_keys.collect();
    let endpoint = raw.endpoint.and_then(|raw| {
        let url = if is_address(&raw.url) { Ok(raw.url) } else { Err("must read `https://host:port`") };
        item.take("endpoint.url", url).map(|url| SourceEndpoint { url })
    });
    let organisation = Organisation {
        oin: oin?,
        name: name?,
        kind: kind?,
        functions,
        roles,
        contact: Contact { role: contact_role?, phone: contact_phone? },
        complaint: complaint?,
        forms,
        signing_keys,
        endpoint,
        officer_keys,
    };
    completeness(&organisation, item);
    Some(organisation)
}

/// A text of one line for people, in which nothing medical or identifying was recognised.
fn line(text: &str, max: usize, expected: Expected) -> Result<String, String> {
    text::harmless(text, expected)?;
    text::line(text, max)
}

/// What each function needs.
fn completeness(organisation: &Organisation, item: &mut Item<'_>) {
    let lacks = |function, empty| organisation.has(function) && empty;
    item.must(!lacks(Function::Source, organisation.endpoint.is_none()), "a source needs an endpoint");
    item.must(!lacks(Function::Requester, organisation.roles.is_empty()), "a requester needs a role (R32)");
    item.must(
        !lacks(Function::Recorder, organisation.signing_keys.is_empty()),
        "a recorder needs a signing key (R05)",
    );
    let keys = &organisation.officer_keys;
    let names: BTreeSet<_> = keys.iter().map(VerifierKey::name).collect();
    item.must(names.len() == keys.len(), "has two `officer_key`s of one name");
    item.must(
        keys.is_empty()
            || (organisation.kind == OrganisationKind::Gateway && organisation.has(Function::Officer)),
        "only the officer of the gateway has an `officer_key`",
    );
    if organisation.kind == OrganisationKind::Gateway {
        item.must(
            organisation.functions.iter().all(|function| *function == Function::Officer),
            "the operator of a gateway has no function in the exchange but `officer`",
        );
    }
}

fn organisation_kind(text: &str) -> Result<OrganisationKind, String> {
    use OrganisationKind::{Gateway, Gemeente, Ggz, Uwv};
    [Gemeente, Uwv, Ggz, Gateway].into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
        format!(
            "`{text}` is not an admitted kind of organisation (R24): `gemeente`, `uwv`, `ggz` or `gateway`; \
             employers, insurers and the police cannot take part"
        )
    })
}

fn functions(names: &[String], item: &mut Item<'_>) -> BTreeSet<Function> {
    item.must(!names.is_empty(), "`functions` needs at least one");
    let known = |name: &String| {
        Function::ALL.into_iter().find(|function| function.as_str() == name).ok_or_else(|| {
            format!("has `{name}`, which is none of `requester`, `recorder`, `source` and `officer`")
        })
    };
    names.iter().filter_map(|name| item.take("functions", known(name))).collect()
}

fn role(raw: &RawRole, kind: Option<OrganisationKind>, item: &mut Item<'_>) -> Option<RoleGrant> {
    let until = raw.until.as_ref().map(|until| item.take("role.until", text::day(until)));
    let role = item.take("role", raw.role.parse::<Role>())?;
    if let Some(kind) = kind {
        item.must(
            role.kind() == kind,
            format_args!("`{role}` is no role of an organisation of kind `{kind}`"),
        );
    }
    // An end that cannot be read must not become no end.
    Some(RoleGrant { role, until: until.map_or(Some(None), |until| until.map(Some))? })
}

fn signing_key(raw: &RawSigningKey, item: &mut Item<'_>) -> Option<SigningKey> {
    let kid = item.take("signing_key.kid", text::harmless_name(&raw.kid));
    let public = item.take("signing_key.public", text::key(&raw.public));
    let from = item.take("signing_key.from", text::day(&raw.from));
    let until = raw.until.as_ref().map(|until| item.take("signing_key.until", text::day(until)));
    let until = until.map_or(Some(None), |until| until.map(Some))?;
    let key = SigningKey { kid: kid?, public: public?, from: from?, until };
    item.must(
        key.until.is_none_or(|until| key.from <= until),
        format_args!("the key `{}` ends before it starts", key.kid),
    );
    Some(key)
}
