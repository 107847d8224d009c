//! The table that a client council reads (cliëntenraad, R23): who may have what, from whom, for which purpose and on what
//! basis, with what is never given. In Dutch, made from the policies themselves, so that it cannot say something else.

mod html;
mod labels;
mod markdown;

use cedar_policy::Effect;

pub use html::html;
pub use labels::field_set_nl;
pub use markdown::markdown;

use super::{PermitRule, PolicySet, PurposeEntry, purposes::PARTICIPANT_KINDS};
use crate::{
    catalogue::{self, Field, Sensitivity},
    domain::{OrganisationKind, Role},
};

/// What is never a purpose, in words (R29). The program refuses the names themselves.
const NEVER_NL: &str = "Handhaving, fraude, sancties en terugvordering; het recht op een uitkering; besluiten bij de \
                        intake; politie en justitie; verzekeraars en werkgevers; incasso; koppelen voor onderzoek; \
                        profilering; sturen op prestaties van personen; en “overig”.";

/// What some roles may have for a purpose from some kinds of source.
struct Row<'a> {
    roles: Vec<Role>,
    kinds: Vec<OrganisationKind>,
    sets: Vec<&'static str>,
    rule: &'a PermitRule,
}

/// The rows of a purpose: roles that may have the same from the same stand together.
fn rows<'a>(set: &'a PolicySet, entry: &PurposeEntry) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for role in Role::ALL {
        let Some(rule) = set.permit_of(&entry.purpose, role) else { continue };
        for (kinds, sets) in given(set, entry, role) {
            match rows.iter_mut().find(|row| row.kinds == kinds && row.sets == sets) {
                Some(row) => row.roles.push(role),
                None => rows.push(Row { roles: vec![role], kinds, sets, rule }),
            }
        }
    }
    rows
}

/// What a role may have: kinds of source with the field sets that all of them may give.
fn given(
    set: &PolicySet,
    entry: &PurposeEntry,
    role: Role,
) -> Vec<(Vec<OrganisationKind>, Vec<&'static str>)> {
    let mut given: Vec<(Vec<OrganisationKind>, Vec<&'static str>)> = Vec::new();
    for kind in PARTICIPANT_KINDS {
        let ceiling = set.ceiling(&entry.purpose, role, kind);
        let inside = |name: &&str| catalogue::field_set(name).is_subset_of(ceiling);
        let sets: Vec<_> = catalogue::field_sets().into_iter().filter(inside).collect();
        match given.iter_mut().find(|(_, known)| *known == sets) {
            _ if sets.is_empty() => {}
            Some((kinds, _)) => kinds.push(kind),
            None => given.push((vec![kind], sets)),
        }
    }
    given
}

fn roles_nl(roles: &[Role]) -> String {
    let told = roles.iter().map(|role| format!("{} ({})", role.label_nl(), kind_nl(role.kind())));
    told.collect::<Vec<_>>().join(", ")
}

/// A kind of organisation, as people call it.
const fn kind_nl(kind: OrganisationKind) -> &'static str {
    match kind {
        OrganisationKind::Gemeente => "gemeente",
        OrganisationKind::Uwv => "UWV",
        OrganisationKind::Ggz => "GGZ-instelling",
        OrganisationKind::Gateway => "Sluis",
    }
}

fn kinds_nl(kinds: &[OrganisationKind]) -> String {
    kinds.iter().map(|kind| kind_nl(*kind)).collect::<Vec<_>>().join(", ")
}

/// The fields of a set, in the order of the catalogue.
fn fields(name: &str) -> Vec<Field> {
    catalogue::field_set(name).iter().collect()
}

/// Whether a field is strongly revealing (sterk onthullend, S2).
fn is_revealing(field: Field) -> bool {
    field.entry().sensitivity == Sensitivity::S2
}

/// Each guardrail, or each invariant, with what it says.
fn sentences(set: &PolicySet, guardrails: bool) -> Vec<(String, String)> {
    let told = |rule: &cedar_policy::Policy| {
        let id = rule.id().to_string();
        let nl = rule.annotation("nl").map_or_else(|| id.clone(), str::to_owned);
        (id, nl)
    };
    if guardrails {
        let forbids = |rule: &&cedar_policy::Policy| rule.effect() == Effect::Forbid;
        let mut found: Vec<_> = set.rules.policies().filter(forbids).map(told).collect();
        found.sort();
        found
    } else {
        set.invariants.iter().map(told).collect()
    }
}

/// The lines of a purpose that every form of the table has.
fn facts(entry: &PurposeEntry, rule: &PermitRule) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    for kind in PARTICIPANT_KINDS {
        if let Some(basis) = entry.basis_disclosure(kind) {
            let who = match kind {
                OrganisationKind::Gemeente => "Grondslag om te geven: gemeente",
                OrganisationKind::Uwv => "Grondslag om te geven: UWV",
                _ => "Grondslag om te geven: GGZ-instelling",
            };
            facts.push((who, basis.to_owned()));
        }
    }
    for kind in PARTICIPANT_KINDS {
        if let Some(basis) = entry.basis_receipt(kind) {
            let who = match kind {
                OrganisationKind::Gemeente => "Grondslag om te ontvangen: gemeente",
                OrganisationKind::Uwv => "Grondslag om te ontvangen: UWV",
                _ => "Grondslag om te ontvangen: GGZ-instelling",
            };
            facts.push((who, basis.to_owned()));
        }
    }
    facts.push(("Wie erover beslissen", entry.owners.join(", ")));
    if let Some(review) = &entry.council_review {
        facts.push(("Besproken met", format!("{}, op {}", review.council, review.date)));
    }
    facts.push(("Geldt", format!("van {} tot en met {}", rule.terms.effective, rule.terms.review_by)));
    facts.push(("Langste toestemming", format!("{} maanden", entry.max_months)));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::policies;

    #[test]
    fn every_field_set_guardrail_and_invariant_is_told_in_dutch() {
        let labels: Vec<_> = catalogue::field_sets().into_iter().map(field_set_nl).collect();
        assert!(labels.iter().all(|label| !label.is_empty()), "{labels:?}");
        for guardrails in [true, false] {
            let told = sentences(policies(), guardrails);
            assert!(told.len() > 10);
            for (id, nl) in told {
                assert!(nl != id && nl.ends_with('.'), "{id}: {nl}");
            }
        }
    }

    /// The pages that people read are what the rules decide.
    #[test]
    fn r23_the_documented_tables_are_those_of_the_policies() {
        let advice = "run `sluis policy table policies --format md|html` and put it there";
        let documented =
            [include_str!("../../docs/policy-table.md"), include_str!("../../docs/policy-table.html")];
        for (documented, made) in documented.into_iter().zip([markdown(policies()), html(policies())]) {
            assert!(documented == made.as_str(), "{advice}");
        }
    }

    #[test]
    fn the_table_has_each_row_of_the_ceilings() {
        let set = policies();
        for entry in set.purposes().filter(|entry| entry.active) {
            let rows = rows(set, entry);
            for role in Role::ALL {
                for kind in PARTICIPANT_KINDS {
                    let told =
                        rows.iter().filter(|row| row.roles.contains(&role) && row.kinds.contains(&kind));
                    let told = told.flat_map(|row| &row.sets).map(|name| catalogue::field_set(name));
                    let told = told.fold(catalogue::Mask::EMPTY, |all, mask| all.or(mask));
                    assert_eq!(
                        told,
                        set.ceiling(&entry.purpose, role, kind),
                        "{} {role} {kind}",
                        entry.purpose
                    );
                }
            }
        }
    }
}
