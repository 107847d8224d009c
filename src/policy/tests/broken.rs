//! Policy sets with one thing wrong each, made from the shipped one. Each is refused, for that reason.

use std::{collections::BTreeMap, fs, path::Path};

use tempfile::TempDir;

use super::*;
use crate::domain::purpose::PurposeFault;

const PLACEMENT: &str = "purposes/JOB_PLACEMENT.cedar";
const GUARDRAILS: &str = "guardrails.cedar";
const CATALOGUE: &str = "purposes.toml";

pub(in crate::policy) fn copy() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["", "purposes", "tests"] {
        fs::create_dir_all(dir.path().join(folder)).unwrap();
        for entry in fs::read_dir(shipped().join(folder)).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), dir.path().join(folder).join(entry.file_name())).unwrap();
            }
        }
    }
    dir
}

pub(in crate::policy) fn edit(dir: &Path, file: &str, change: impl Fn(&str) -> String) {
    let before = fs::read_to_string(dir.join(file)).unwrap();
    let after = change(&before);
    assert_ne!(before, after, "nothing was changed in {file}");
    fs::write(dir.join(file), after).unwrap();
}

fn faults(dir: &Path) -> Vec<PolicyFault> {
    PolicySet::load(dir, true, TODAY).map(|_| ()).unwrap_err().0
}

/// The faults of the shipped set with the first `from` in a file replaced.
fn replaced(file: &str, from: &str, to: &str) -> Vec<PolicyFault> {
    let dir = copy();
    edit(dir.path(), file, |text| text.replacen(from, to, 1));
    faults(dir.path())
}

/// The one problem after such a replacement, which must be in that file.
fn problem(file: &str, from: &str, to: &str) -> Problem {
    let mut faults = replaced(file, from, to);
    assert_eq!(faults.len(), 1, "{faults:?}");
    let fault = faults.remove(0);
    assert_eq!(fault.file, file);
    fault.problem
}

fn placement(from: &str, to: &str) -> Problem {
    problem(PLACEMENT, from, to)
}

/// The one problem after a policy was added at the end of the guardrails.
fn guardrail(policy: &str) -> Problem {
    let dir = copy();
    edit(dir.path(), GUARDRAILS, |text| format!("{text}\n{policy}\n"));
    let mut faults = faults(dir.path());
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0].file, GUARDRAILS);
    faults.remove(0).problem
}

const KLANTMANAGER: &str = "JOB_PLACEMENT/gem-klantmanager";

fn id() -> String {
    KLANTMANAGER.to_owned()
}

#[test]
fn the_copy_itself_loads() {
    let copied = PolicySet::load(copy().path(), true, TODAY).unwrap();
    assert_eq!(copied.hash(), policies().hash());
}

#[test]
fn syntax_is_told_with_its_line() {
    let Problem::Syntax(text) = placement("principal ==", "principal = =") else { panic!() };
    assert!(text.starts_with("unexpected token"), "{text}");
    let Problem::Syntax(text) = problem("schema.cedarschema", "type Facts =", "type Facts") else { panic!() };
    assert!(text.starts_with(""), "{text}");
    let yes = problem(CATALOGUE, "active = true", "active = \"yes\"");
    assert_eq!(yes, Problem::Syntax("invalid type: string \"yes\", expected a boolean".to_owned()));
    assert!(matches!(problem(CATALOGUE, "row =", "rwo ="), Problem::Syntax(_)));
}

#[test]
fn files_must_be_there_and_known() {
    let dir = copy();
    fs::remove_file(dir.path().join(GUARDRAILS)).unwrap();
    fs::write(dir.path().join("guardrails.cedar.old"), "").unwrap();
    fs::write(dir.path().join("purposes/notes.txt"), "").unwrap();
    fs::write(dir.path().join("README.md"), "").unwrap();
    let faults = faults(dir.path());
    let files: Vec<_> = faults.iter().map(|fault| fault.file.as_str()).collect();
    assert_eq!(files, ["guardrails.cedar", "guardrails.cedar.old", "purposes/notes.txt"]);
    assert!(matches!(faults[0].problem, Problem::Unreadable(_)));
    assert_eq!(faults[1].problem, Problem::UnexpectedFile);
    assert!(PolicySet::load(&dir.path().join("nowhere"), true, TODAY).unwrap_err().faults().len() >= 3);
}

#[test]
fn ids_are_stated_well_formed_and_used_once() {
    let first = format!("@id(\"{KLANTMANAGER}\")");
    assert_eq!(placement(&first, ""), Problem::IdMissing(1));
    assert_eq!(placement(&first, "@id(\"\")"), Problem::IdMissing(1));
    assert_eq!(placement(&first, "@id(\"JOB_PLACEMENT/uwv-adviseur\")"), {
        Problem::IdDuplicate("JOB_PLACEMENT/uwv-adviseur".to_owned())
    });
    for wrong in ["JOB_COACHING/x", "JOB_PLACEMENT/", "JOB_PLACEMENT/Jan Smit", "guardrail/x"] {
        assert_eq!(
            placement(KLANTMANAGER, wrong),
            Problem::IdMalformed { id: wrong.to_owned(), prefix: "JOB_PLACEMENT/".to_owned() }
        );
    }
}

#[test]
fn permits_and_forbids_stand_apart() {
    assert_eq!(placement("permit (", "forbid ("), Problem::ForbidInPurpose(id()));
    assert_eq!(
        guardrail("@id(\"guardrail/open\") permit (principal, action, resource);"),
        Problem::PermitInGuardrails("guardrail/open".to_owned())
    );
    assert!(matches!(
        guardrail("@id(\"guardrail/slot\") forbid (principal == ?principal, action, resource);"),
        Problem::Template(_)
    ));
}

#[test]
fn r01_a_file_speaks_of_its_own_purpose_only() {
    let its = "context.purpose == \"JOB_PLACEMENT\"";
    let unknown = |word: &str| Problem::UnknownWord { id: id(), word: word.to_owned() };
    let of = |faults: Vec<PolicyFault>| faults.into_iter().map(|fault| fault.problem).collect::<Vec<_>>();
    let other = || Problem::OtherPurpose(id());

    let another = replaced(PLACEMENT, its, "context.purpose == \"JOB_COACHING\"");
    assert_eq!(of(another), [unknown("JOB_COACHING"), other()]);
    let either = format!("({its} || context.purpose == \"REINTEGRATION\")");
    assert_eq!(of(replaced(PLACEMENT, its, &either)), [unknown("REINTEGRATION"), other()]);
    assert_eq!(of(replaced(PLACEMENT, its, "context.purpose like \"JOB*\"")), [unknown("like"), other()]);
    assert_eq!(placement(&format!("{its} &&"), ""), other());
    assert_eq!(placement(its, &format!("!({its})")), other());
}

#[test]
fn r14_a_permit_requires_every_fact_in_positive_form() {
    for fact in Facts::NAMES {
        let it = format!("context.{fact}");
        let last = fact == "source_confirmed";
        let missing = Problem::FactNotRequired { id: id(), fact };
        let (from, to) = if last { (format!("&&\n    {it}"), "") } else { (format!("{it} &&"), "") };
        assert_eq!(placement(&from, to), missing);
        assert_eq!(placement(&it, &format!("!{it}")), missing);
        assert_eq!(placement(&it, &format!("({it} || true)")), missing);
    }
    // A condition in `unless` does not count as required.
    let dir = copy();
    edit(dir.path(), PLACEMENT, |text| {
        text.replacen("&&\n    context.source_confirmed\n}", "} unless { context.source_confirmed }", 1)
    });
    let missing = Problem::FactNotRequired { id: id(), fact: "source_confirmed" };
    assert_eq!(faults(dir.path())[0].problem, missing);
}

#[test]
fn permits_name_a_role_and_their_field_sets() {
    assert_eq!(
        placement("principal == Sluis::Role::\"gem.klantmanager\"", "principal"),
        Problem::RoleOpen(id())
    );
    let list = "[Sluis::FieldSet::\"WT\", Sluis::FieldSet::\"VW_BASIC\", Sluis::FieldSet::\"MT\"].contains(resource) &&";
    assert_eq!(placement(list, ""), Problem::FieldSetsOpen(id()));
}

#[test]
fn unknown_words_are_named() {
    for (from, to) in [
        ("Sluis::Role::\"gem.klantmanager\"", "Sluis::Role::\"gem.wethouder\""),
        ("Sluis::FieldSet::\"WT\"", "Sluis::FieldSet::\"DIAGNOSIS\""),
        ("Sluis::Action::\"disclose\"", "Sluis::Action::\"browse\""),
    ] {
        let word = to.to_owned();
        assert_eq!(placement(from, to), Problem::UnknownWord { id: id(), word });
    }
    let word = "gementee".to_owned();
    assert_eq!(placement("\"gemeente\"", "\"gementee\""), Problem::UnknownWord { id: id(), word });
    let slip = "forbid (principal, action, resource) when { context.purpose == \"JOB_PLACEMNT\" };";
    let word = "JOB_PLACEMNT".to_owned();
    assert_eq!(
        guardrail(&format!("@id(\"guardrail/slip\") {slip}")),
        Problem::UnknownWord { id: "guardrail/slip".to_owned(), word }
    );
}

#[test]
fn validation_errors_and_warnings_are_refused() {
    let forbid = |when: &str| {
        guardrail(&format!("@id(\"guardrail/x\") forbid (principal, action, resource) when {{ {when} }};"))
    };
    let Problem::Invalid(text) = forbid("context.consent_in_farce") else { panic!() };
    assert!(text.contains("guardrail/x") && text.contains("consent_in_farce"), "{text}");
    assert!(matches!(forbid("context.purpose == 7"), Problem::Invalid(_)));
    // A warning only: this policy can never apply.
    assert!(matches!(forbid("false"), Problem::Invalid(_)));
    // An attribute that may be absent, which Cedar would meet with an error and skip.
    let dir = copy();
    edit(dir.path(), "schema.cedarschema", |text| text.replace("consent_in_force:", "consent_in_force?:"));
    let faults = faults(dir.path());
    assert!(faults.iter().any(|fault| fault.file == GUARDRAILS), "{faults:?}");
    assert!(faults.iter().all(|fault| matches!(fault.problem, Problem::Invalid(_))), "{faults:?}");
}

#[test]
fn a_rule_that_gives_an_error_does_not_load() {
    let overflow = "forbid (principal, action, resource) when { 9223372036854775807 + 1 > 0 };";
    let problem = guardrail(&format!("@id(\"guardrail/overflow\") {overflow}"));
    let Problem::CannotDecide(text) = problem else { panic!("{problem:?}") };
    assert!(text.contains("guardrail/overflow"), "{text}");
}

#[test]
fn a_schema_that_does_not_fit_the_program_is_refused() {
    let dir = copy();
    edit(dir.path(), "schema.cedarschema", |text| text.replace("\"uwv.adviseur\",", ""));
    let faults = faults(dir.path());
    assert!(matches!(faults.last().unwrap().problem, Problem::SchemaMismatch(_)), "{faults:?}");
    let more =
        problem("schema.cedarschema", "source_confirmed: Bool", "source_confirmed: Bool, weather: Bool");
    assert!(matches!(more, Problem::SchemaMismatch(_)), "{more:?}");
}

#[test]
fn the_catalogue_is_complete() {
    let name = || purpose("REINTEGRATION");
    let of = |from, to| problem(CATALOGUE, from, to);
    assert_eq!(of("review = \"example\"", "review = \"fine\""), Problem::NoReview(name()));
    assert_eq!(of("max_months = 12", "max_months = 13"), Problem::MonthsOutOfRange(name()));
    assert_eq!(of("max_months = 12", "max_months = 0"), Problem::MonthsOutOfRange(name()));
    assert_eq!(of("label_nl = \"Re-integratieplan opstellen\"", ""), Problem::LabelMissing(name()));
    assert_eq!(of("open_question = ", "# open_question = "), Problem::NoOpenQuestion(purpose("AFTERCARE")));
}

/// R15, R19, R23, R38, R40: each term of a permit, left out, blank, or no day.
#[test]
fn a_permit_without_its_terms_does_not_load() {
    for (name, rule, value) in [
        ("basis_receipt", "R15", "Participatiewet art. 7; UAVG art. 30"),
        ("owners", "R40", "voorbeeldgemeente, voorbeeld-uwv"),
        ("council", "R23", "Voorbeeldcliëntenraad Werk en Inkomen"),
        ("council_date", "R23", "2026-10-19"),
        ("effective", "R38", "2026-11-01"),
        ("review_by", "R19", "2028-06-30"),
    ] {
        let annotation = format!("@{name}(\"{value}\")\n");
        let missing = Problem::Annotation { id: id(), name, rule };
        assert_eq!(placement(&annotation, ""), missing);
        assert_eq!(placement(&annotation, &format!("@{name}(\" \")\n")), missing);
        if rule != "R15" && value.starts_with("20") {
            assert_eq!(placement(&annotation, &format!("@{name}(\"soon\")\n")), missing);
        }
        let slip = Problem::AnnotationUnknown { id: id(), name: format!("{name}s") };
        let doubled = format!("{annotation}@{name}s(\"{value}\")\n");
        assert_eq!(placement(&annotation, &doubled), slip);
    }
    let comment = "@nl(\"Een zin.\")\n";
    let dir = copy();
    edit(dir.path(), PLACEMENT, |text| text.replacen("@owners", &format!("{comment}@owners"), 1));
    assert!(PolicySet::load(dir.path(), true, TODAY).is_ok());
}

#[test]
fn r19_r23_the_dates_of_a_permit_follow_each_other() {
    let order = || Problem::DatesOutOfOrder(id());
    assert_eq!(placement("@effective(\"2026-11-01\")", "@effective(\"2026-10-01\")"), order());
    assert_eq!(placement("@effective(\"2026-11-01\")", "@effective(\"2029-01-01\")"), order());
    let overdue = Problem::ReviewPassed { id: id(), review_by: time::macros::date!(2026 - 11 - 26) };
    assert_eq!(placement("@review_by(\"2028-06-30\")", "@review_by(\"2026-11-26\")"), overdue);
    // The day itself still counts, and a rule that begins later loads, and does not hold yet.
    let dir = copy();
    edit(dir.path(), PLACEMENT, |text| {
        text.replace("@review_by(\"2028-06-30\")", "@review_by(\"2026-11-27\")")
    });
    assert!(PolicySet::load(dir.path(), true, TODAY).is_ok());
    edit(dir.path(), PLACEMENT, |text| {
        text.replace("@review_by(\"2026-11-27\")", "@review_by(\"2028-06-30\")")
            .replace("@effective(\"2026-11-01\")", "@effective(\"2026-12-01\")")
    });
    let set = PolicySet::load(dir.path(), true, TODAY).unwrap();
    let holds = |month, day| {
        let day = Day::from_calendar_date(2026, month, day).unwrap();
        set.in_effect(&purpose("JOB_PLACEMENT"), Role::GemKlantmanager, day)
    };
    assert!(!holds(time::Month::November, 30) && holds(time::Month::December, 1));
}

#[test]
fn one_rule_for_each_role() {
    let dir = copy();
    edit(dir.path(), PLACEMENT, |text| {
        text.replacen("Sluis::Role::\"gem.accounthouder\"", "Sluis::Role::\"gem.klantmanager\"", 1)
    });
    let twice = PolicyFault::new(PLACEMENT, Problem::RoleTwice("JOB_PLACEMENT/gem-accounthouder".to_owned()));
    assert_eq!(faults(dir.path()), [twice.at(31)]);
}

#[test]
fn roles_are_those_of_the_program() {
    const ROLES: &str = "roles.toml";
    let of = |from, to| problem(ROLES, from, to);
    let role = Role::GemKlantmanager;
    assert_eq!(of("kind = \"gemeente\"", "kind = \"uwv\""), Problem::RoleDiffers(role));
    assert_eq!(of("label_nl = \"klantmanager\"", "label_nl = \"baas\""), Problem::RoleDiffers(role));
    assert_eq!(of("does_nl = \"Begeleidt iemand op", "does_nl = \" \" # "), {
        Problem::RoleDiffers(Role::GemJobcoach)
    });
    let unknown = Problem::RoleNotOfTheProgram("gem.wethouder".to_owned());
    assert_eq!(of("name = \"gem.klantmanager\"", "name = \"gem.wethouder\""), unknown);
    let block = "[[role]]\nname = \"uwv.adviseur\"";
    let dir = copy();
    edit(dir.path(), ROLES, |text| {
        let (before, after) = text.split_once(block).unwrap();
        let (_, after) = after.split_once("\n\n").unwrap();
        format!("{before}{after}")
    });
    assert_eq!(faults(dir.path()), [PolicyFault::new(ROLES, Problem::RoleMissing(Role::UwvAdviseur))]);
}

#[test]
fn r15_no_legal_basis_no_load() {
    let file = "purposes/REINTEGRATION.cedar";
    let id = "REINTEGRATION/gem-klantmanager".to_owned();
    let ggz = "@basis_disclosure_ggz(\"BW 7:457, toestemming van de patiënt\")\n";
    let missing = Problem::NoDisclosureBasis { id: id.clone(), kind: OrganisationKind::Ggz };
    assert_eq!(problem(file, ggz, ""), missing);
    assert_eq!(problem(file, ggz, "@basis_disclosure_ggz(\" \")\n"), missing);
    let employer = Problem::AnnotationUnknown { id, name: "basis_disclosure_werkgever".to_owned() };
    assert_eq!(problem(file, ggz, &format!("{ggz}@basis_disclosure_werkgever(\"?\")\n")), employer);
}

/// A permit for a kind of source that the catalogue has no basis for: the file is well formed, the pair is not.
#[test]
fn r15_a_wider_permit_needs_a_wider_basis() {
    let kinds = "[\"gemeente\", \"uwv\"]";
    assert_eq!(placement(&format!("{kinds}.contains(context.source_kind) &&"), ""), {
        Problem::SourceKindsOpen(id())
    });
    let dir = copy();
    edit(dir.path(), PLACEMENT, |text| text.replace(kinds, "[\"gemeente\", \"uwv\", \"ggz\"]"));
    // The guardrails still keep the GGZ out.
    let set = PolicySet::load(dir.path(), true, TODAY).unwrap();
    let role = Role::GemKlantmanager;
    assert_eq!(set.ceiling(&purpose("JOB_PLACEMENT"), role, OrganisationKind::Ggz), Mask::EMPTY);
    edit(dir.path(), GUARDRAILS, |text| {
        let own = "context.purpose == \"JOB_PLACEMENT\" && context.source_kind";
        text.replace(own, "context.purpose == \"JOB_COACHING\" && context.source_kind")
    });
    let wanted = Problem::NoDisclosureBasis { id: id(), kind: OrganisationKind::Ggz };
    assert!(faults(dir.path()).iter().any(|fault| fault.problem == wanted));
}

#[test]
fn roles_of_the_catalogue_are_those_of_the_rules() {
    let purpose = || purpose("REINTEGRATION");
    let listed = "roles = [\"gem.klantmanager\", \"uwv.adviseur\", \"uwv.arbeidsdeskundige\"]";
    let of = |to| problem(CATALOGUE, listed, to);
    let role = Role::UwvArbeidsdeskundige;
    let fewer = "roles = [\"gem.klantmanager\", \"uwv.adviseur\"]";
    assert_eq!(of(fewer), Problem::RoleNotListed { purpose: purpose(), role });
    let role = Role::GemJobcoach;
    let more = listed.replace(']', ", \"gem.jobcoach\"]");
    assert_eq!(of(&more), Problem::RoleWithoutRule { purpose: purpose(), role });
    let role = "gem.wethouder".to_owned();
    let unknown = listed.replace(']', ", \"gem.wethouder\"]");
    assert_eq!(of(&unknown), Problem::UnknownRole { purpose: purpose(), role });
}

#[test]
fn r29_a_purpose_that_is_never_served_does_not_load() {
    let (name, fault) = ("FRAUD".to_owned(), PurposeFault::NeverServed);
    let served = problem(CATALOGUE, "name = \"AFTERCARE\"", "name = \"FRAUD\"");
    assert_eq!(served, Problem::PurposeName { name: name.clone(), fault });
    let dir = copy();
    fs::write(dir.path().join("purposes/FRAUD.cedar"), "").unwrap();
    let of_file = PolicyFault::new("purposes/FRAUD.cedar", Problem::PurposeName { name, fault });
    assert_eq!(faults(dir.path()), [of_file]);
    let twice = problem(CATALOGUE, "name = \"DAY_ACTIVITY\"", "name = \"AFTERCARE\"");
    assert_eq!(twice, Problem::PurposeDuplicate(purpose("AFTERCARE")));
}

#[test]
fn active_purposes_and_policy_files_belong_together() {
    let dir = copy();
    fs::rename(dir.path().join(PLACEMENT), dir.path().join("purposes/AFTERCARE.cedar")).unwrap();
    let faults = faults(dir.path());
    assert!(faults.contains(&PolicyFault::new("purposes/AFTERCARE.cedar", Problem::NoActivePurpose)));
    let missing = Problem::NoPolicyFile(purpose("JOB_PLACEMENT"));
    let missing = PolicyFault::new(CATALOGUE, missing);
    assert!(faults.iter().any(|fault| (&fault.file, &fault.problem) == (&missing.file, &missing.problem)));
}

#[test]
fn every_fault_is_told_at_once() {
    let dir = copy();
    edit(dir.path(), PLACEMENT, |text| text.replacen("context.role_held &&", "", 1));
    edit(dir.path(), CATALOGUE, |text| text.replacen("max_months = 12", "max_months = 99", 1));
    edit(dir.path(), GUARDRAILS, |text| text.replacen("@id(\"guardrail/role-not-held\")", "", 1));
    let told = PolicySet::load(dir.path(), true, TODAY).unwrap_err().to_string();
    for part in [
        "guardrails.cedar:18: policy number 3 has no @id",
        "purposes.toml:16: purpose `REINTEGRATION`",
        "purposes/JOB_PLACEMENT.cedar:4: ",
    ] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains(&dir.path().display().to_string()), "a path of the machine: {told}");
}

#[test]
fn the_hash_covers_every_file_that_decides() {
    for file in ["schema.cedarschema", GUARDRAILS, CATALOGUE, PLACEMENT] {
        let dir = copy();
        let comment = if file.ends_with("toml") { "# more" } else { "// more" };
        edit(dir.path(), file, |text| format!("{text}{comment}\n"));
        assert_ne!(PolicySet::load(dir.path(), true, TODAY).unwrap().hash(), policies().hash(), "{file}");
    }
    assert!(policies().hash().strip_prefix("sha256:").is_some_and(|hex| hex.len() == 64));
}

#[test]
fn p12_a_region_s_own_policy_loads_in_production() {
    let dir = copy();
    edit(dir.path(), CATALOGUE, |text| text.replace("review = \"example\"", "review = \"signed\""));
    let set = PolicySet::load(dir.path(), false, TODAY).unwrap();
    assert!(set.purposes().all(|entry| entry.review != Some(Review::Example)));
}

/// Rules that permit everything, as if loading had let them through: the check in the program still holds.
#[test]
fn p01_rules_that_permit_without_a_fact_are_overruled() {
    let schema = include_str!("../../../policies/schema.cedarschema");
    let (schema, _) = cedar_policy::Schema::from_cedarschema_str(schema).unwrap();
    let open: cedar_policy::PolicySet = "permit (principal, action, resource);".parse().unwrap();
    let slice = engine::Slice { permits: BTreeMap::new(), guardrails: open.clone() };
    let set = PolicySet {
        hash: "sha256:test".to_owned(),
        files: files::Files::default(),
        roles: Vec::new(),
        permits: BTreeMap::new(),
        schema: schema.clone(),
        rules: open.clone(),
        invariants: Vec::new(),
        purposes: policies().purposes.clone(),
        ceilings: BTreeMap::new(),
        field_sets: policies().field_sets.clone(),
        engine: engine::Engine::new(schema, BTreeMap::from([(purpose("REINTEGRATION"), slice)])),
    };
    let ask = |name, facts| {
        set.outcome(&question(name, Role::GemKlantmanager, OrganisationKind::Uwv, Mask::all(), facts))
    };
    assert!(ask("REINTEGRATION", Facts::ALL).is_ok());
    for fact in Facts::NAMES {
        let denial = ask("REINTEGRATION", Facts::ALL.without(fact).unwrap()).unwrap_err();
        assert_eq!(denial.error, Some(DenialError::FactMissing(fact)));
    }
    assert_eq!(ask("AFTERCARE", Facts::ALL).unwrap_err().error, Some(DenialError::PurposeInactive));
    // An active purpose without rules is an error of the engine, and denies.
    let denial = ask("JOB_COACHING", Facts::ALL).unwrap_err();
    assert_eq!(denial.error, Some(DenialError::Engine(EngineError::NoRules)));
}
