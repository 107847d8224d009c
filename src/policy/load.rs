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
    files::{CATALOGUE, Files, GUARDRAILS, INVARIANTS, ROLES, SCHEMA, line_at},
    invariants,
    purposes::{self, PurposeEntry},
    roles,
    rules::{self, Rules},
};
use crate::{
    catalogue::{Mask, field_set, field_sets},
    domain::{Day, OrganisationKind, Purpose, Role},
};

type Ceilings = BTreeMap<(Purpose, Role, OrganisationKind), Mask>;

impl PolicySet {
    /// Reads and checks a policy directory, as it is on this day. A production gateway (`test_gateway` is false) refuses
    /// examples (P12). Whether it was proven and signed is not looked at: see [`SealedPolicies`](super::SealedPolicies).
    ///
    /// # Errors
    /// Everything that is wrong, each fault with its file and, where it has one, its line. Validation warnings are
    /// faults too.
    pub fn load(dir: &Path, test_gateway: bool, today: Day) -> Result<Self, PolicyFaults> {
        let (files, faults) = Files::read(dir);
        Self::check(files, faults, test_gateway, today)
    }

    /// The same from the files that decide, by their path, such as the log keeps them.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    fn from_files(
        deciding: BTreeMap<String, String>,
        test_gateway: bool,
        today: Day,
    ) -> Result<Self, PolicyFaults> {
        let (files, faults) = Files::of(deciding);
        Self::check(files, faults, test_gateway, today)
    }

    /// A set that was in force once, from the files that decided then: to repeat what it decided and to compare. That its
    /// reviews have passed since, or that it is an example, is no matter.
    ///
    /// # Errors
    /// If it is not a set that this version of the program can read.
    pub fn of_the_past(deciding: BTreeMap<String, String>) -> Result<Self, PolicyFaults> {
        Self::from_files(deciding, true, Day::MIN)
    }

    fn check(
        files: Files,
        mut faults: Vec<PolicyFault>,
        test_gateway: bool,
        today: Day,
    ) -> Result<Self, PolicyFaults> {
        let refused = |faults| Err(refused(faults, &files));
        let schema = schema(&files, &mut faults);
        // Without the catalogue every rule would look wrong.
        let Some(mut entries) =
            files.text(CATALOGUE).and_then(|text| purposes::parse(text, test_gateway, &mut faults))
        else {
            return refused(faults);
        };
        let roles = files.text(ROLES).map(|text| roles::parse(text, &mut faults)).unwrap_or_default();
        let rules = Rules::read(&files, &entries, today, &mut faults);
        let invariants = invariants::read(&files, &mut faults);
        let (Some(schema), true) = (schema, faults.is_empty()) else {
            return refused(faults);
        };

        faults.extend(check_schema(&schema));
        faults.extend(rules.validate(&schema));
        faults.extend(rules::validate(INVARIANTS, &invariants, &schema));
        if !faults.is_empty() {
            return refused(faults);
        }

        for ((purpose, role), rule) in &rules.of_roles {
            if let Some(entry) = entries.get_mut(purpose) {
                entry.add(*role, &rule.terms);
            }
        }
        let field_sets: Vec<_> = field_sets().into_iter().map(|name| (name, field_set(name))).collect();
        let engine = Engine::new(schema.clone(), rules.slices());
        let ceilings = match ceilings(&engine, &entries, &field_sets) {
            Ok(ceilings) => ceilings,
            Err(problem) => {
                let file = rules.file_named_in(&problem).unwrap_or(GUARDRAILS);
                return refused(vec![PolicyFault::new(file, Problem::CannotDecide(problem))]);
            }
        };
        for entry in entries.values().filter(|entry| entry.active) {
            faults.extend(check_against_ceilings(entry, &ceilings, &rules));
        }
        if !faults.is_empty() {
            return refused(faults);
        }
        let (hash, all) = (files.hash(), rules.all());
        Ok(Self {
            hash,
            files,
            purposes: entries,
            roles,
            permits: rules.of_roles,
            ceilings,
            field_sets,
            engine,
            schema,
            rules: all,
            invariants,
        })
    }
}

pub(super) fn refused(faults: Vec<PolicyFault>, files: &Files) -> PolicyFaults {
    let mut faults: Vec<_> = faults
        .into_iter()
        .map(|fault| {
            let text = files.text(&fault.file);
            fault.located(text)
        })
        .collect();
    faults.sort_by(|one, other| (&one.file, one.line).cmp(&(&other.file, other.line)));
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
            faults.push(syntax(SCHEMA, text, &(&error).into()));
            None
        }
    }
}

/// A parser's message with its line and what it expected.
pub(super) fn syntax(file: &str, text: &str, error: &DetailedError) -> PolicyFault {
    let Some(label) = error.source_locations.first() else {
        return PolicyFault::new(file, Problem::Syntax(error.message.clone()));
    };
    let expected = label.label.as_ref().map(|label| format!(", {label}")).unwrap_or_default();
    let problem = Problem::Syntax(format!("{}{expected}", error.message));
    PolicyFault::new(file, problem).at(line_at(text, label.loc.start))
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

/// The catalogue and the rules must say the same: bases for whatever may pass (R15), and the same roles. What may pass
/// is found out by deciding, not by reading the rules.
fn check_against_ceilings(entry: &PurposeEntry, ceilings: &Ceilings, rules: &Rules) -> Vec<PolicyFault> {
    let purpose = &entry.purpose;
    let mut faults = Vec::new();
    let mut open = BTreeSet::new();
    for (role, kind) in ceilings.keys().filter(|(of, ..)| of == purpose).map(|(_, role, kind)| (*role, *kind))
    {
        open.insert(role);
        let rule = rules.of_roles.get(&(purpose.clone(), role));
        if let Some(rule) = rule.filter(|rule| rule.terms.basis_disclosure(kind).is_none()) {
            let file = rules.file_of(&rule.id);
            faults.push(PolicyFault::new(file, Problem::NoDisclosureBasis { id: rule.id.clone(), kind }));
        }
    }
    let listed: BTreeSet<_> = entry.roles.iter().copied().collect();
    let without_rule = listed
        .difference(&open)
        .map(|role| Problem::RoleWithoutRule { purpose: purpose.clone(), role: *role });
    let not_listed =
        open.difference(&listed).map(|role| Problem::RoleNotListed { purpose: purpose.clone(), role: *role });
    faults.extend(without_rule.chain(not_listed).map(|problem| PolicyFault::new(CATALOGUE, problem)));
    faults
}
