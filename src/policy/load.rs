//! Loading: what a directory must be before anything is decided by it. Refusing to start is preferred to guessing.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use cedar_policy::{Schema, ffi::DetailedError};

use super::{
    PolicySet,
    engine::{Ask, Engine, request},
    facts::Facts,
    fault::{PolicyFault, PolicyFaults, Problem},
    files::{CATALOGUE, Files, GUARDRAILS, SCHEMA, line_at},
    purposes::{self, PurposeEntry},
    rules::Rules,
};
use crate::{
    catalogue::{Mask, field_set, field_sets},
    domain::{OrganisationKind, Purpose, Role},
};

type Ceilings = BTreeMap<(Purpose, Role, OrganisationKind), Mask>;

impl PolicySet {
    /// Reads and checks a policy directory. A production gateway (`test_gateway` is false) refuses examples (P12).
    ///
    /// # Errors
    /// Everything that is wrong, each fault with its file. Validation warnings are faults too.
    pub fn load(dir: &Path, test_gateway: bool) -> Result<Self, PolicyFaults> {
        let (files, mut faults) = Files::read(dir);
        let schema = schema(&files, &mut faults);
        // Without the catalogue every rule would look wrong.
        let Some(entries) =
            files.text(CATALOGUE).and_then(|text| purposes::parse(text, test_gateway, &mut faults))
        else {
            return Err(refused(faults));
        };
        let rules = Rules::read(&files, &entries, &mut faults);
        let (Some(schema), true) = (schema, faults.is_empty()) else {
            return Err(refused(faults));
        };

        faults.extend(check_schema(&schema));
        faults.extend(rules.validate(&schema));
        if !faults.is_empty() {
            return Err(refused(faults));
        }

        let field_sets: Vec<_> = field_sets().into_iter().map(|name| (name, field_set(name))).collect();
        let engine = Engine::new(schema, rules.slices());
        let ceilings = ceilings(&engine, &entries, &field_sets).map_err(|problem| {
            let file = rules.file_named_in(&problem).unwrap_or(GUARDRAILS);
            refused(vec![PolicyFault::new(file, Problem::CannotDecide(problem))])
        })?;
        for entry in entries.values().filter(|entry| entry.active) {
            faults.extend(check_against_ceilings(entry, &ceilings));
        }
        if !faults.is_empty() {
            return Err(refused(faults));
        }
        Ok(Self { hash: files.hash(), purposes: entries, ceilings, field_sets, engine })
    }
}

fn refused(mut faults: Vec<PolicyFault>) -> PolicyFaults {
    faults.sort_by(|one, other| one.file.cmp(&other.file));
    PolicyFaults(faults)
}

fn schema(files: &Files, faults: &mut Vec<PolicyFault>) -> Option<Schema> {
    let text = files.text(SCHEMA)?;
    match Schema::from_cedarschema_str(text) {
        Ok((schema, warnings)) => {
            faults.extend(
                warnings.map(|warning| PolicyFault::new(SCHEMA, Problem::Invalid(warning.to_string()))),
            );
            Some(schema)
        }
        Err(error) => {
            faults.push(PolicyFault::new(SCHEMA, Problem::Syntax(located(text, &(&error).into()))));
            None
        }
    }
}

/// A parser's message with its line and what it expected.
pub(super) fn located(text: &str, error: &DetailedError) -> String {
    let Some(label) = error.source_locations.first() else { return error.message.clone() };
    let line = line_at(text, label.loc.start);
    let expected = label.label.as_ref().map(|label| format!(", {label}")).unwrap_or_default();
    format!("line {line}: {}{expected}", error.message)
}

/// Every question that can be asked must fit the schema, or it would be denied for ever.
fn check_schema(schema: &Schema) -> Option<PolicyFault> {
    let purpose = "REINTEGRATION".parse().ok()?;
    let mut ask = Ask {
        role: Role::GemKlantmanager,
        purpose,
        source_kind: OrganisationKind::Gemeente,
        field_set: "",
        facts: Facts::default(),
    };
    for role in Role::ALL {
        for name in field_sets() {
            (ask.role, ask.field_set) = (role, name);
            if let Err(error) = request(&ask, schema) {
                return Some(PolicyFault::new(SCHEMA, Problem::SchemaMismatch(error.to_string())));
            }
        }
    }
    None
}

/// What each role could get from each kind of organisation if every fact held. Decides on every question that can end
/// in a permit, so that rules that cannot decide do not load.
fn ceilings(
    engine: &Engine,
    entries: &BTreeMap<Purpose, PurposeEntry>,
    sets: &[(&'static str, Mask)],
) -> Result<Ceilings, String> {
    use OrganisationKind::{Gateway, Gemeente, Ggz, Uwv};
    let mut ceilings = Ceilings::new();
    for entry in entries.values().filter(|entry| entry.active) {
        for (role, source_kind) in Role::ALL.into_iter().flat_map(|role| {
            [Gemeente, Uwv, Ggz, Gateway].into_iter().map(move |source_kind| (role, source_kind))
        }) {
            let mut ceiling = Mask::EMPTY;
            for (field_set, mask) in sets {
                let purpose = entry.purpose.clone();
                let ask = Ask { role, purpose, source_kind, field_set, facts: Facts::ALL };
                let decision = engine.decide(&ask).map_err(|error| format!("{}: {error}", ask.purpose))?;
                if decision.permitted {
                    ceiling = ceiling.or(*mask);
                }
            }
            if !ceiling.is_empty() {
                ceilings.insert((entry.purpose.clone(), role, source_kind), ceiling);
            }
        }
    }
    Ok(ceilings)
}

/// The catalogue and the rules must say the same: bases for whatever may pass (R15), and the same roles.
fn check_against_ceilings(entry: &PurposeEntry, ceilings: &Ceilings) -> Vec<PolicyFault> {
    let purpose = &entry.purpose;
    let open: Vec<_> = ceilings
        .keys()
        .filter(|(of, ..)| of == purpose)
        .map(|(_, role, source_kind)| (*role, *source_kind))
        .collect();
    let mut problems = Vec::new();
    for kind in open.iter().map(|(_, source_kind)| *source_kind).collect::<BTreeSet<_>>() {
        if entry.basis_disclosure(kind).is_none() {
            problems.push(Problem::NoDisclosureBasis { purpose: purpose.clone(), kind });
        }
    }
    let roles: BTreeSet<_> = open.iter().map(|(role, _)| *role).collect();
    for kind in roles.iter().map(|role| role.kind()).collect::<BTreeSet<_>>() {
        if entry.basis_receipt(kind).is_none() {
            problems.push(Problem::NoReceiptBasis { purpose: purpose.clone(), kind });
        }
    }
    let listed: BTreeSet<_> = entry.roles.iter().copied().collect();
    for role in listed.difference(&roles) {
        problems.push(Problem::RoleWithoutRule { purpose: purpose.clone(), role: *role });
    }
    for role in roles.difference(&listed) {
        problems.push(Problem::RoleNotListed { purpose: purpose.clone(), role: *role });
    }
    problems.into_iter().map(|problem| PolicyFault::new(CATALOGUE, problem)).collect()
}
